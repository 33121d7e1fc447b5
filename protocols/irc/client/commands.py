"""What a program asks of an IRC server: one method for each command.

Knows how commands are written (RFC 1459, section 4), how long they may be and how text is cut to fit. What becomes of
a line is `sendLine`'s business; what is answered comes through the hooks.
"""

from __future__ import annotations

from protocols.irc.ctcp import X_DELIM
from protocols.irc.message import MAX_BODY
from protocols.irc.text import split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocols.irc.isupport import ServerSupportedFeatures

__all__ = ["ClientCommands"]

#: What names of channels begin with; a name without one of these is given the first.
_PREFIXES = "#&!+"

# What our source may take where the server has not shown it to us: "~" and ten letters (RFC 2812 leaves nine), 63
# octets of host (RFC 2812, 2.3.1).
_USER = 11
_HOST = 63
# A server that says more than this of us is not believed: text must have room.
_LONGEST_SOURCE = 200


class ClientCommands:
    """The commands of `IRCClient`."""

    nickname: str = "irc"
    #: Octets that a message we send may have, CR LF included, tags not: 512 (RFC 1459, 2.3).
    maximumLineLength: int = MAX_BODY + 2
    #: Our own ``nick!user@host`` as others see it; empty until the server has shown it. Messages of our own that come
    #: back show it (a JOIN, say), and what the server tells of our host (396, CHGHOST).
    source: str = ""
    supported: ServerSupportedFeatures

    _attemptedNick: str = ""
    # Our host as the server told it, while nobody has shown us the whole of our source.
    _shownHost: str | None = None

    def sendLine(self, line: str) -> None:
        """Send one line. See `IRCClient.sendLine`."""
        raise NotImplementedError

    def sendCommand(self, command: str, *params: str, text: str | None = None) -> None:
        """Send `command`.

        :param params: its parameters.
        :param text: a last parameter that is free text; it always gets a colon.
        :raises ValueError: when there is CR, LF or NUL in it, one of `params` is empty, begins with a colon or has a
            space, or the line is too long for `maximumLineLength`.
        """
        if not command or not command.isalnum():
            raise ValueError(f"not a command: {command!r}")
        for param in params:
            if not param or param[0] == ":" or " " in param:
                raise ValueError(
                    f"a parameter of {command} is not empty, begins with no colon and has no space: {param!r}"
                )
        words = [command, *params]
        if text is not None:
            words.append(":" + text)
        self.sendLine(" ".join(words))

    # ---- Channels ----

    def join(self, channel: str, key: str | None = None) -> None:
        """Ask to join `channel`; `joined` follows. A name without a prefix gets ``#``.

        :param key: the channel's password.
        """
        self.sendCommand("JOIN", _channel(channel), *([key] if key else []))

    def leave(self, channel: str, reason: str | None = None) -> None:
        """Leave `channel`; `left` follows."""
        self.sendCommand("PART", _channel(channel), text=reason or None)

    def part(self, channel: str, reason: str | None = None) -> None:
        """The same as `leave`."""
        self.leave(channel, reason)

    def kick(self, channel: str, user: str, reason: str | None = None) -> None:
        """Throw `user` out of `channel`."""
        self.sendCommand("KICK", _channel(channel), user, text=reason or None)

    def invite(self, user: str, channel: str) -> None:
        """Invite `user` into `channel`."""
        self.sendCommand("INVITE", user, _channel(channel))

    def topic(self, channel: str, topic: str | None = None) -> None:
        """Ask for the topic of `channel` (`topicUpdated` follows), or set it if `topic` is given."""
        self.sendCommand("TOPIC", _channel(channel), text=topic)

    def mode(
        self,
        chan: str,
        set: bool,
        modes: str,
        limit: int | None = None,
        user: str | None = None,
        mask: str | None = None,
    ) -> None:
        """Add (`set`) or remove modes of a channel or a user.

        :param chan: a channel, with its prefix, or a nickname.
        :param modes: letters.
        :param limit: the parameter of ``l``.
        :param user: that of ``o`` and ``v``; counts if `limit` is None.
        :param mask: that of ``b``; counts if both are None.
        """
        words = [("+" if set else "-") + modes]
        for param in (limit, user, mask):
            if param is not None:
                words.append(str(param))
                break
        self.sendCommand("MODE", chan, *words)

    def names(self, *channels: str) -> None:
        """Ask who is in `channels` (RPL_NAMREPLY for each)."""
        self.sendCommand("NAMES", *([",".join(map(_channel, channels))] if channels else []))

    # ---- Text ----

    def say(self, channel: str, message: str, length: int | None = None) -> None:
        """As `msg`, for a channel: a name without a prefix gets ``#``."""
        self.msg(_channel(channel), message, length)

    def msg(self, user: str, message: str, length: int | None = None) -> None:
        """Say `message` to `user`: a nickname or a channel with its prefix.

        Each line of it is a message, or several if it is too long for one: cut at spaces where that is possible, by
        octets, so that what others get of it is no longer than `maximumLineLength` with our own source before it.

        :param length: the most octets of a line, all counted; None for as many as fit.
        :raises ValueError: for NUL, or when `length` leaves no room.
        """
        self._sendText("PRIVMSG", user, message, length)

    def notice(self, user: str, message: str, length: int | None = None) -> None:
        """As `msg`, for a notice."""
        self._sendText("NOTICE", user, message, length)

    def describe(self, channel: str, action: str) -> None:
        r"""Do `action` (``/me action``) in `channel`, with its prefix, or to a nickname; each line is an action.

        :raises ValueError: for NUL, or for ``\x01``, which would end the action.
        """
        _noNul("PRIVMSG", action)
        if X_DELIM in action:
            raise ValueError(f"\\x01 in an action: {action[:80]!r}")
        room = self._room("PRIVMSG", channel, None) - len("\x01ACTION \x01")
        pieces = split(action, room)
        for piece in pieces:
            self.sendCommand("PRIVMSG", channel, text=f"\x01ACTION {piece}\x01")

    def _sendText(self, command: str, target: str, text: str, length: int | None) -> None:
        _noNul(command, text)
        pieces = split(text, self._room(command, target, length))
        for piece in pieces:
            self.sendCommand(command, target, text=piece)

    def _room(self, command: str, target: str, length: int | None) -> int:
        """How many octets of text fit into a message to `target`."""
        used = len(f"{command} {target} :\r\n".encode("utf-8", "surrogateescape"))
        if length is None:
            length = self.maximumLineLength - self._sourceLength()
        if length <= used:
            raise ValueError(f"length must be more than {used} for {command} to {target}, not {length}")
        return length - used

    def _sourceLength(self) -> int:
        """Octets of ``:nick!user@host `` before what others get from us."""
        source = self.source
        if source:
            return min(len(source.encode("utf-8", "surrogateescape")) + 2, _LONGEST_SOURCE)
        host = _HOST if self._shownHost is None else len(self._shownHost.encode("utf-8", "surrogateescape"))
        length = len(self.nickname.encode("utf-8", "surrogateescape")) + _USER + host + len(":!@ ")
        return min(length, _LONGEST_SOURCE)

    # ---- People ----

    def whois(self, nickname: str, server: str | None = None) -> None:
        """Ask who `nickname` is; `server` is whom to ask."""
        self.sendCommand("WHOIS", *([server] if server else []), nickname)

    def who(self, mask: str) -> None:
        """Ask who is in the channel `mask`, or fits that mask (RPL_WHOREPLY for each)."""
        self.sendCommand("WHO", mask)

    # ---- This client ----

    def setNick(self, nickname: str) -> None:
        """Ask for another nickname; `nickChanged` follows. One that is taken is altered by `alterCollidedNick`."""
        self.sendCommand("NICK", nickname)
        self._attemptedNick = nickname

    def away(self, message: str = "") -> None:
        """We are away, and `message` is why. Without one: we are back."""
        self.sendCommand("AWAY", text=message)

    def back(self) -> None:
        """We are back."""
        self.away()

    def quit(self, message: str = "") -> None:
        """Leave the network: the server closes the connection."""
        self.sendCommand("QUIT", text=message)


def _channel(name: str) -> str:
    if not name:
        raise ValueError("the name of a channel is empty")
    return name if name[0] in _PREFIXES else _PREFIXES[0] + name


def _noNul(command: str, text: str) -> None:
    if "\0" in text:
        raise ValueError(f"NUL in the text of {command}: {text!r}")
