"""Runs Twisted's own tests on its reactor for epoll and on ours, and tells which are lost:
``python suite_program.py [MODULE ...]``. Ends with 1 when one is, unless suite_leftout.py says why. Those that make
their reactors are run on our reactor with asyncio's loop, too.

Each module of tests has a process of its own, and so has what comes after a test that does not end. A test that is lost
is run once more, with the other lost ones of its module and not beside others, before it counts.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.append(str(Path(__file__).parents[1]))

import twisted
from comparing import BEGAN, asExpected, gathered, told
from suite_leftout import LOST, NOT_RUN, RACES

import reactor

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from comparing import Outcomes

FOLDER = Path(twisted.__file__).parent
PROGRAM = Path(__file__).parent / "trial_program.py"
#: Seconds for all tests of one process, which ends a test that takes too long itself.
SECONDS = 1800
JOBS = 2
OUTCOMES = ("passed", "failed", "skipped")


def modules() -> list[str]:
    """All modules of Twisted's tests."""
    paths = [path.relative_to(FOLDER).with_suffix("") for path in FOLDER.rglob("test_*.py")]
    return sorted("twisted." + ".".join(path.parts) for path in paths if "test" in path.parts)


def makingReactors() -> list[str]:
    """Those whose tests make their reactors."""
    paths = sorted((FOLDER / "internet" / "test").glob("test_*.py"))
    return [f"twisted.internet.test.{path.stem}" for path in paths if "makeTestCaseClasses" in path.read_text()]


def outcomes(which: str, names: Iterable[str], only: Collection[str] = ()) -> Outcomes:
    """What becomes of the tests of the modules `names` on that reactor, or of `only` some of them."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "outcomes"
        file.touch()
        became: Outcomes = {}
        while True:
            left = {"only": sorted(set(only) - became.keys())} if only else {"without": sorted({*became, *NOT_RUN})}
            said = _run([which, str(file), *names], json.dumps(left))
            before, became = became, gathered(file.read_text().splitlines())
            unended = [test for test, (outcome, _) in became.items() if outcome == BEGAN]
            for test in unended:
                became[test] = "failed", f"did not end: {said}"
            if not unended or len(became) == len(before):
                return became if not said or unended else {**became, ", ".join(names): ("failed", said)}
            with file.open("a") as more:
                more.writelines(told(test, *became[test]) for test in unended)


def _run(arguments: list[str], what: str) -> str:
    """Run the program; what it says in the end, unless all is well."""
    path = [str(Path(reactor.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM), *arguments],
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=subprocess.STDOUT,
            env=environment,
            text=True,
            start_new_session=True,
        )
        try:
            process.communicate(what, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:
            # And what its tests have left behind.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        said.seek(0)
        return said.read()[-4000:] or f"ended with {process.returncode}" if process.returncode else ""


def _all(which: str, names: Iterable[str]) -> Outcomes:
    """As `outcomes`, side by side."""
    with ThreadPoolExecutor(JOBS) as pool:
        each = pool.map(lambda name: outcomes(which, [name]), names)
        return {test: outcome for became in each for test, outcome in became.items()}


def counted(became: Outcomes) -> dict[str, Counter[str]]:
    """How many tests of each package passed, failed and were skipped."""
    counts: dict[str, Counter[str]] = {}
    for test, (outcome, _) in became.items():
        package = ".".join(test.split(".")[:2])
        counts.setdefault(package, Counter())[outcome] += 1
    return counts


def _of(names: Iterable[str], tests: Iterable[str]) -> list[str]:
    """Those of `tests` that are in modules of `names`."""
    heads = tuple(f"{name}." for name in names)
    return [test for test in tests if test.startswith(heads)]


def _compare(which: str, names: list[str], theirs: Outcomes, ours: Outcomes) -> bool:
    def again(lost: Collection[str]) -> Outcomes:
        became: Outcomes = {}
        for name in names:
            chosen = _of([name], lost)
            if chosen:
                became.update(outcomes(which, [name], chosen))
        return became

    return asExpected(f"twisted, {which}", theirs, ours, again, _of(names, LOST), RACES)


def main() -> int:
    """Compare the tests of what is named, or of all."""
    named = sys.argv[1:]
    names = [name for name in modules() if not named or name.startswith(tuple(named))]
    making = [name for name in makingReactors() if name in names]
    theirs, ours = _all("epoll", names), _all("ours", names)
    right = _compare("ours", names, theirs, ours)
    if making:
        some = {test: theirs[test] for test in _of(making, theirs)}
        right = _compare("asyncio", making, some, _all("asyncio", making)) and right
    print(f"{'passed/failed/skipped':20} {'on epoll':>16} {'on ours':>16}")
    on = counted(theirs), counted(ours)
    for package in sorted(on[0] | on[1]):
        columns = ["/".join(str(each.get(package, {}).get(kind, 0)) for kind in OUTCOMES) for each in on]
        print(f"{package:20} {columns[0]:>16} {columns[1]:>16}")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
