"""When two names of IRC are the same name: the mappings of ISUPPORT's CASEMAPPING.

RFC 1459, section 2.2: ``{}|`` are the lower case of ``[]\\``; servers count ``^`` and ``~`` in as well. What is beyond
ASCII is never folded: servers compare bytes.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CASEMAPPINGS", "casefolder", "fold"]

_UPPER = "".join(map(chr, range(ord("A"), ord("Z") + 1)))
_LOWER = _UPPER.lower()

#: What `str.translate` takes for each mapping, by the name that it has in CASEMAPPING.
CASEMAPPINGS = {
    "ascii": str.maketrans(_UPPER, _LOWER),
    "rfc1459": str.maketrans(_UPPER + "[]\\^", _LOWER + "{}|~"),
    "strict-rfc1459": str.maketrans(_UPPER + "[]\\", _LOWER + "{}|"),
}
# Some servers say "rfc1459-strict"; a mapping that nobody knows ("rfc7613", say) agrees with ASCII where it matters.
CASEMAPPINGS["rfc1459-strict"] = CASEMAPPINGS["strict-rfc1459"]


def fold(name: str, casemapping: str = "rfc1459") -> str:
    """What is equal for two names exactly when they are the same name: the lower case of `name`.

    :param casemapping: as in ISUPPORT; one that is unknown is taken for ``ascii``.
    """
    return name.translate(CASEMAPPINGS.get(casemapping.lower(), CASEMAPPINGS["ascii"]))


def casefolder(casemapping: str) -> Callable[[str], str]:
    """`fold` for one mapping: a function of the name alone."""
    table = CASEMAPPINGS.get(casemapping.lower(), CASEMAPPINGS["ascii"])
    return lambda name: name.translate(table)
