"""The server's side of one IRC connection: lines in become `irc_COMMAND` calls, methods send replies. No users, no
channels: those are the subclass's.
"""

from __future__ import annotations

import re
import socket

from protocols.basic import LineReceiver
from protocols.irc import numerics as rpl
from protocols.irc.ctcp import CR, LF, M_QUOTE, NUL, ctcpStringify
from protocols.irc.error import IRCBadMessage
from protocols.irc.message import MAX_BODY, MAX_TAGS, Message, checkTagName, joinTags
from protocols.irc.text import split
from reactor._ground.naming import prefixOf
from reactor._ground.peerlog import peerException, peerMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

__all__ = ["IRC"]

_FORBIDDEN = re.compile("[\0\r\n]").search
# As `lowQuote`, but that M_QUOTE itself stays: no client of today takes quoting back, and would show two of them.
_SENDABLE = str.maketrans({NUL: M_QUOTE + "0", LF: M_QUOTE + "n", CR: M_QUOTE + "r"})


class IRC(LineReceiver):
    """A server's end of a connection. Subclass it; write ``irc_NICK(prefix, params)`` and so on.

    What is sent never has CR, LF or NUL in it, whoever wrote the text: that is a ValueError. Parameters are put
    together as they are, so whoever passes text with spaces puts a colon in front of it, here as in Twisted.
    """

    #: The name of this server; that of the machine when it is None.
    hostname: str | None = None
    #: What lines end with. A CR before it belongs to it.
    delimiter = b"\n"
    #: Bytes of a line that comes, with its tags. Longer ones end the connection.
    MAX_LENGTH = 16384
    #: Bytes of a line that is sent, without tags and CR LF.
    MAX_BODY = MAX_BODY

    def connectionMade(self) -> None:
        """The connection is there."""
        self.channels: list[Any] = []
        if self.hostname is None:
            # Not the full name: asking for that waits for a name server.
            self.hostname = socket.gethostname()

    # In

    def lineReceived(self, line: bytes) -> None:
        """A line came: `messageReceived`, or `badMessageReceived`. An empty one is none (RFC 1459, section 2.3.1)."""
        line = line.removesuffix(b"\r")
        if not line.strip(b" "):
            return
        try:
            message = Message.parse(line)
        except IRCBadMessage as error:
            self.badMessageReceived(line, error)
        else:
            self.messageReceived(message)

    def messageReceived(self, message: Message) -> None:
        """A message came. Calls `handleCommand`; for subclasses that want its tags."""
        self.handleCommand(message.command.upper(), message.source, message.params)

    def badMessageReceived(self, line: bytes, error: IRCBadMessage) -> None:
        """A line came that is no message. Does nothing, as servers do; for subclasses."""

    def handleCommand(self, command: str, prefix: str, params: list[str]) -> None:
        """Call ``irc_COMMAND(prefix, params)``, or `irc_unknown` where there is none.

        What it raises is logged, and the connection stays: so many entries a minute for one peer, and others are
        counted.
        """
        method = getattr(self, "irc_" + command, None)
        try:
            if method is not None:
                method(prefix, params)
            else:
                self.irc_unknown(prefix, command, params)
        except NotImplementedError as error:
            if method is not None:
                peerException(self, "irc_%s", error, command)
            else:
                peerMessage(self, "info", "%s: the command %r is unknown", prefixOf(self), command)
        except Exception as error:
            peerException(self, "irc_%s", error, command)

    def irc_unknown(self, prefix: str, command: str, params: list[str]) -> None:
        """A command came that there is no method for. Raises NotImplementedError, which is logged in one line, at level
        INFO; for subclasses.
        """
        raise NotImplementedError(command, prefix, params)

    # Out

    def sendLine(self, line: str | bytes) -> None:
        """Send `line` and CR LF.

        :raises ValueError: when there is CR, LF or NUL in it, or it is longer than a message with tags.
        """
        if isinstance(line, str):
            line = line.encode("utf-8", "surrogateescape")
        if b"\n" in line or b"\r" in line or b"\0" in line:
            raise ValueError(f"CR, LF or NUL in a line: {line[:80]!r}")
        if len(line) > MAX_TAGS + self.MAX_BODY:
            raise ValueError(f"a line of {len(line)} bytes, the limit is {MAX_TAGS + self.MAX_BODY}")
        self.transport.write(line + b"\r\n")

    def sendMessage(self, command: str, *parameter_list: str, **prefix: str) -> None:
        """Send ``[:prefix ]command parameter ...``; `sendCommand` with everything in one call.

        :param prefix: the keyword argument `prefix` is who says so.
        :raises ValueError: as `sendCommand` does.
        """
        self.sendCommand(command, parameter_list, prefix.get("prefix"))

    def sendCommand(
        self,
        command: str,
        parameters: Iterable[str],
        prefix: str | None = None,
        tags: Mapping[str, str | None] | None = None,
    ) -> None:
        """Send ``[@tags ][:prefix ]command parameter ...``.

        :param parameters: as they are to be sent: the last one with a colon in front, if it has spaces.
        :param tags: IRCv3 tags; None or empty for a tag without value.
        :raises ValueError: when the command or the name of a tag is none, there is CR, LF or NUL anywhere, a space in
            `prefix`, or it would be longer than `MAX_BODY` (or `MAX_TAGS`) bytes. Nothing was sent then.
        """
        if not command:
            raise ValueError("a message needs a command")
        if " " in command or command[0] in ":@":
            raise ValueError(f"not a command: {command!r}")
        body = " ".join((command, *parameters))
        if prefix:
            if " " in prefix:
                raise ValueError(f"a space in the prefix of {command}: {prefix!r}")
            body = f":{prefix} {body}"
        if _FORBIDDEN(body):
            raise ValueError(f"CR, LF or NUL in a message: {body[:80]!r}")
        line = body.encode("utf-8", "surrogateescape")
        if len(line) > self.MAX_BODY:
            raise ValueError(f"{command} is {len(line)} bytes long, the limit is {self.MAX_BODY}")
        if tags:
            for name in tags:
                checkTagName(name)
            section = f"@{joinTags({name: value or '' for name, value in tags.items()})} ".encode(
                "utf-8", "surrogateescape"
            )
            if len(section) > MAX_TAGS:
                raise ValueError(f"{command} has {len(section)} bytes of tags, the limit is {MAX_TAGS}")
            line = section + line
        self.sendLine(line)

    def privmsg(self, sender: str, recip: str, message: str) -> None:
        r"""`sender` says `message` to `recip`, a nickname or a channel. CR, LF and NUL become ``\x10r`` and so on."""
        self.sendCommand("PRIVMSG", (recip, f":{message.translate(_SENDABLE)}"), sender)

    def notice(self, sender: str, recip: str, message: str) -> None:
        """`sender` says `message` to `recip`, which nobody shall answer by itself. Line ends as in `privmsg`."""
        self.sendCommand("NOTICE", (recip, f":{message.translate(_SENDABLE)}"), sender)

    def action(self, sender: str, recip: str, message: str) -> None:
        r"""`sender` does `message`: CTCP ACTION.

        :raises ValueError: for ``\x01``, which would end the action; and as `sendCommand` does.
        """
        self.privmsg(sender, recip, ctcpStringify([("ACTION", message)]))

    def join(self, who: str, where: str) -> None:
        """`who` joins the channel `where`."""
        self.sendCommand("JOIN", (where,), who)

    def part(self, who: str, where: str, reason: str | None = None) -> None:
        """`who` leaves the channel `where`."""
        self.sendCommand("PART", (where, f":{reason}") if reason else (where,), who)

    def topic(self, user: str, channel: str, topic: str | None, author: str | None = None) -> None:
        """Tell `user` the topic of `channel`, None when there is none; or, given `author`, who changed it now."""
        if author is not None:
            self.sendCommand("TOPIC", (channel, f":{topic or ''}"), author)
        elif topic is None:
            self._reply(rpl.RPL_NOTOPIC, user, channel, ":No topic is set.")
        else:
            self._reply(rpl.RPL_TOPIC, user, channel, f":{topic}")

    def topicAuthor(self, user: str, channel: str, author: str, date: float) -> None:
        """Tell `user` that `author` set the topic at `date`, in seconds since the epoch."""
        self._reply(rpl.RPL_TOPICWHOTIME, user, channel, author, str(int(date)))

    def names(self, user: str, channel: str, names: Iterable[str]) -> None:
        """Tell `user` who is in `channel`, in as many lines as that takes."""
        overhead = f":{self.hostname} {rpl.RPL_NAMREPLY} {user} = {channel} :"
        space = self.MAX_BODY - len(overhead.encode("utf-8", "surrogateescape"))
        for line in split(" ".join(names), space):
            self._reply(rpl.RPL_NAMREPLY, user, "=", channel, f":{line}")
        self._reply(rpl.RPL_ENDOFNAMES, user, channel, ":End of /NAMES list")

    def who(self, user: str, channel: str, memberInfo: Iterable[tuple[str, str, str, str, str, int, str]]) -> None:
        """Answer WHO.

        :param memberInfo: for each member the user name, host, server, nickname, ``H`` (here) or ``G`` (gone) with
            marks, number of hops and real name.
        """
        for username, host, server, nick, flag, hops, realName in memberInfo:
            self._reply(rpl.RPL_WHOREPLY, user, channel, username, host, server, nick, flag, f":{hops} {realName}")
        self._reply(rpl.RPL_ENDOFWHO, user, channel, ":End of /WHO list.")

    def whois(
        self,
        user: str,
        nick: str,
        username: str,
        hostname: str,
        realName: str,
        server: str,
        serverInfo: str,
        oper: bool,
        idle: int,
        signOn: int,
        channels: Iterable[str],
    ) -> None:
        """Answer WHOIS about `nick`: `idle` is seconds, `signOn` seconds since the epoch."""
        self._reply(rpl.RPL_WHOISUSER, user, nick, username, hostname, "*", f":{realName}")
        self._reply(rpl.RPL_WHOISSERVER, user, nick, server, f":{serverInfo}")
        if oper:
            self._reply(rpl.RPL_WHOISOPERATOR, user, nick, ":is an IRC operator")
        self._reply(rpl.RPL_WHOISIDLE, user, nick, str(idle), str(signOn), ":seconds idle, signon time")
        self._reply(rpl.RPL_WHOISCHANNELS, user, nick, f":{' '.join(channels)}")
        self._reply(rpl.RPL_ENDOFWHOIS, user, nick, ":End of WHOIS list.")

    def channelMode(self, user: str, channel: str, mode: str, *args: str) -> None:
        """Tell `user` the modes of `channel`: letters, and their parameters."""
        self._reply(rpl.RPL_CHANNELMODEIS, user, channel, mode, *args)

    def _reply(self, numeric: str, *parameters: str) -> None:
        self.sendCommand(numeric, parameters, self.hostname)
