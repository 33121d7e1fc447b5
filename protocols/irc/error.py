"""The errors of IRC, by who is to blame: the peer for a bad message or bad modes, the caller for a ValueError."""

from __future__ import annotations

__all__ = ["IRCBadMessage", "IRCBadModes", "IRCPasswordMismatch", "UnhandledCommand"]


class IRCBadMessage(Exception):
    """The peer sent what is no IRC message, or a part of one that makes no sense there.

    Not what a caller gets for a message that must not be sent: that is a ValueError.
    """


class IRCBadModes(ValueError):
    """A MODE string is malformed, or its parameters are too many or too few."""


class IRCPasswordMismatch(Exception):
    """The server wants another password (ERR_PASSWDMISMATCH)."""


class UnhandledCommand(RuntimeError):
    """Nothing is there to carry out a command by that name."""
