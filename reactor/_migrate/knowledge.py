"""What is known of a name of Twisted's: whether it is here, where, and what differs; by the tables, without imports."""

from __future__ import annotations

import enum
from typing import NamedTuple

from reactor._migrate import differences, elsewhere, internet, neighbours

#: Twisted's modules that have a counterpart. `twisted.test.proto_helpers` is what `testing` was called before.
MODULES = {
    **internet.MODULES,
    **neighbours.MODULES,
    "twisted.test.proto_helpers": internet.MODULES["twisted.internet.testing"],
}
#: The packages that they are in.
PACKAGES = frozenset(name[:dot] for name in MODULES for dot in range(len(name)) if name[dot] == ".")


class Kind(enum.Enum):
    """The three things that can be said."""

    THERE = "there"
    DIFFERENT = "there, but different"
    ABSENT = "not there"


class Answer(NamedTuple):
    """What is said of a name: where it is (`ours` and `name` in it; both empty if it is not there), the titles of the
    rows of doc/compatibility.rst that concern it, what to use instead if it is not there.
    """

    kind: Kind
    ours: str = ""
    name: str = ""
    rows: tuple[str, ...] = ()
    advice: str = ""


def longest(dotted: str, among: object) -> str:
    """The longest beginning of a dotted name that is `among` others, or an empty text."""
    while dotted and dotted not in among:  # type: ignore[operator]
        dotted = dotted.rpartition(".")[0]
    return dotted


def counterpart(module: str) -> tuple[str, str] | None:
    """How our counterpart of a module of Twisted's is imported: ``from FIRST import SECOND``. None if there is none."""
    if module not in MODULES:
        return None
    package, _, name = MODULES[module].ours.rpartition(".")
    return package, name


def answer(dotted: str) -> Answer:
    """What there is to say of a module of Twisted's or of a name in one, given in full, with what it is a member of."""
    rows = tuple(differences.TOLD.get(dotted, ()))
    module = longest(dotted, MODULES)
    if not module:
        return _elsewhere(dotted, rows)
    entry = MODULES[module]
    name = dotted[len(module) + 1 :]
    if not name:
        return Answer(Kind.DIFFERENT if rows else Kind.THERE, *entry.ours.rpartition(".")[::2], rows)
    if name in entry.absent:
        return Answer(Kind.ABSENT, rows=rows, advice=entry.absent[name])
    outer = name.partition(".")[0]
    if outer not in entry.same:
        private = "it is private to Twisted" if name.startswith("_") else "it is no public name of that module"
        return Answer(Kind.ABSENT, rows=rows, advice=private)
    rows = tuple(
        dict.fromkeys([*differences.TOLD.get(module, ()), *differences.TOLD.get(f"{module}.{outer}", ()), *rows])
    )
    return Answer(Kind.DIFFERENT if rows else Kind.THERE, entry.ours, name, rows)


def _elsewhere(dotted: str, rows: tuple[str, ...]) -> Answer:
    known = longest(dotted, elsewhere.MODULES)
    of = longest(dotted, differences.TOLD)
    return Answer(Kind.ABSENT, rows=rows or tuple(differences.TOLD.get(of, ())), advice=elsewhere.MODULES[known])


def hasEntry(dotted: str) -> bool:
    """Whether the tables say something of this member of a class that they do not say of the class."""
    module = longest(dotted, MODULES)
    name = dotted[len(module) + 1 :]
    return bool(module) and (
        name in MODULES[module].absent or dotted in differences.TOLD or dotted in differences.CONDITIONS
    )
