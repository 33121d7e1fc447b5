"""Modes as MODE has them: ``+o-v alice bob`` taken apart into what is added and what is removed."""

from __future__ import annotations

from protocols.irc.error import IRCBadModes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

__all__ = ["parseModes"]

Changes = list[tuple[str, str | None]]


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
    if not modes:
        raise IRCBadModes("no modes")
    if modes[0] not in "+-":
        raise IRCBadModes(f"neither + nor - at the front of {modes!r}")
    left = list(params)[::-1]
    changes: tuple[Changes, Changes] = ([], [])
    removing = False
    letters = 1
    for letter in modes:
        if letter in "+-":
            if not letters:
                break
            removing = letter == "-"
            letters = 0
            continue
        letters += 1
        param = None
        if letter in paramModes[removing]:
            if not left:
                raise IRCBadModes(f"not enough parameters for {letter} in {modes!r}")
            param = left.pop()
        changes[removing].append((letter, param))
    if not letters:
        raise IRCBadModes(f"a sign without modes in {modes!r}")
    if left:
        raise IRCBadModes(f"too many parameters for {modes!r}: {left[::-1]!r}")
    return changes
