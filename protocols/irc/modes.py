"""Modes as MODE has them: ``+o-v alice bob`` taken apart, in the order in which it was said.

`readModes` takes what a server said, which nobody can ask to say it better, for what it can mean; `parseModes` is
strict.
"""

from __future__ import annotations

from typing import NamedTuple

from protocols.irc.error import IRCBadModes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

__all__ = ["ModeChange", "parseModes", "readModes"]

Changes = list[tuple[str, str | None]]


class ModeChange(NamedTuple):
    """One mode that is added or removed; `param` is None where it takes none, or came without the one that it takes."""

    added: bool
    mode: str
    param: str | None


def readModes(
    modes: str, params: Iterable[str], paramModes: Sequence[Container[str]] = ("", "")
) -> tuple[list[ModeChange], str]:
    """What `modes` changes, in their order, and what is odd about it, for people; that is empty when all is well.

    :param modes: letters, with ``+`` and ``-`` between them; without a sign at the front they are added.
    :param params: the parameters, in the order of their modes. Those that are too many belong to none.
    :param paramModes: the modes that take a parameter when they are added, and those that do when they are removed.
    """
    if not modes:
        return [], "no modes"
    odd = "" if modes[0] in "+-" else f"neither + nor - at the front of {modes!r}"
    left = list(params)[::-1]
    changes = []
    added = True
    letters = 1
    for letter in modes:
        if letter in "+-":
            odd = odd or ("" if letters else f"a sign without modes in {modes!r}")
            added = letter == "+"
            letters = 0
            continue
        letters += 1
        param = None
        if letter in paramModes[not added]:
            if left:
                param = left.pop()
            else:
                odd = odd or f"not enough parameters for {letter} in {modes!r}"
        changes.append(ModeChange(added, letter, param))
    if not letters:
        odd = odd or f"a sign without modes in {modes!r}"
    if left:
        odd = odd or f"too many parameters for {modes!r}: {left[::-1]!r}"
    return changes, odd


def parseModes(
    modes: str, params: Iterable[str], paramModes: Sequence[Container[str]] = ("", "")
) -> tuple[Changes, Changes]:
    """What `modes` adds and what it removes: two lists of pairs of mode and parameter, None where it takes none.

    :param modes: letters, with ``+`` and ``-`` between them and one of those at the front.
    :param params: the parameters, in the order of their modes.
    :param paramModes: the modes that take a parameter when they are added, and those that do when they are removed.
    :raises IRCBadModes: when that is empty, begins with a letter, has a sign without a letter, or too many or too few
        parameters.
    """
    changes, odd = readModes(modes, params, paramModes)
    if odd:
        raise IRCBadModes(odd)
    added, removed = ([(each.mode, each.param) for each in changes if each.added is sign] for sign in (True, False))
    return added, removed
