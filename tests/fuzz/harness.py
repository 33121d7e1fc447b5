"""What every fuzzing harness is: a function of bytes that raises nothing, and a folder of inputs to begin with.

A harness is a module ``fuzz_X.py`` beside this one, with ``one(data)`` and, as its last lines, ``if __name__ ==
"__main__": harness.main(one)``; its inputs are the files of ``corpus/X``. ``python tests/fuzz/fuzz_X.py
-max_total_time=60`` lets atheris look for an input on which ``one`` raises (options are libFuzzer's), ``tox -e fuzz``
does so with all of them. The ordinary tests run every input of every corpus, without atheris.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
# At the end: `protocols` stays the one that is tested, which may be an installed one.
sys.path.append(str(HERE.parents[1]))

One = Callable[[bytes], object]


def cuts(data: bytes) -> Iterator[bytes]:
    """The rest of `data` behind its first byte, cut as that says: in pieces of so many bytes, or growing ones."""
    size, rest = (data[0] if data else 0), data[1:]
    step = size & 0x7F or len(rest) or 1
    at = 0
    while at < len(rest):
        yield rest[at : at + step]
        at += step
        if size & 0x80:
            step += 1


def main(one: One) -> None:
    """Fuzz `one` as the command line says."""
    import atheris

    atheris.instrument_all()
    name = Path(sys.argv[0]).stem.removeprefix("fuzz_")
    corpus = HERE / "corpus" / name
    # What libFuzzer finds goes into the first folder, which is none of ours.
    found = Path(".fuzz") / name
    found.mkdir(parents=True, exist_ok=True)
    atheris.Setup([*sys.argv, str(found), str(corpus)], one)
    atheris.Fuzz()
