"""The connection of an IRC client: lines in and out, and whether it still lives.

Takes lines apart and finds the method for each, sends lines one at a time and never two for one, and notices a dead
link. What commands mean is `events`' business, what is sent `commands`'.
"""

from __future__ import annotations

import re
import sys
from functools import cached_property

from protocols.basic import LineReceiver
from protocols.irc.client.commands import ClientCommands
from protocols.irc.client.heartbeat import Heartbeat
from protocols.irc.client.hooks import ClientHooks
from protocols.irc.client.queue import SendQueue
from protocols.irc.ctcp import lowDequote
from protocols.irc.error import IRCBadMessage, IRCBadModes
from protocols.irc.isupport import ServerSupportedFeatures
from protocols.irc.message import MAX_TAGS, Message, checkTagName, splitSource
from protocols.irc.numerics import numeric_to_symbolic
from reactor._ground.current import currentReactor
from reactor._ground.log import message as logMessage
from reactor._ground.naming import prefixOf
from reactor._ground.peerlog import peerException, peerMessage
from reactor.error import ConnectionLost
from reactor.failure import Failure
from reactor.protocol import connectionDone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

__all__ = ["ClientConnection"]

# Characters of a server's name in our PING (RFC 2812, 2.3.1).
_LONGEST_HOST = 63
# What waits for no turn: an answer that the server waits for, and our own question, whose answer has a deadline.
_URGENT = ("PONG ", "PING ")
_forbidden = re.compile("[\0\r\n]").search


class ClientConnection(ClientCommands, ClientHooks, LineReceiver):
    """Lines, times and dispatch of `IRCClient`."""

    delimiter = b"\n"
    #: Octets of a line that is received; a longer one closes the connection.
    MAX_LENGTH = 16384
    #: Seconds between two lines that are sent, or None for no pause. PONG and PING go first.
    lineRate: float | None = None
    #: With a `lineRate`, lines that need not wait when none was sent for long.
    lineBurst: int = 1
    #: With a `lineRate`, lines that may wait; for one more, `sendLine` raises FloodQueueFull.
    maximumWaiting: int = 10_000
    #: Seconds between two PINGs to the server, or None for none.
    heartbeatInterval: float | None = 120
    #: Seconds after a PING within which something must come from the server, or the connection is closed; None to
    #: wait for ever.
    heartbeatTimeout: float | None = 60
    #: Seconds from the connection to RPL_WELCOME, or the connection is closed; None to wait for ever.
    registrationTimeout: float | None = 120
    #: Whether ``\x10n``, ``\x10r`` and ``\x100`` in what is received become LF, CR and NUL (CTCP's low level quoting).
    lowQuoting: bool = False
    #: The name of the server, from RPL_WELCOME on.
    hostname: str | None = None
    #: The message that is being told, None at other times.
    currentMessage: Message | None = None
    #: Why we closed the connection, or why the server did by its own word (ERROR); None if nobody said.
    closeReason: str | None = None

    _registered = False
    _queue: SendQueue | None = None
    _heartbeat: Heartbeat | None = None
    _registration: Any = None

    # ---- What a program may ask for before there is a connection, and a test without one ----

    if TYPE_CHECKING:
        #: What has ``callLater`` and ``seconds``; the reactor that runs, unless it is set.
        clock: Any
        #: What the server has said that it can do.
        supported: ServerSupportedFeatures
    else:

        @cached_property
        def clock(self) -> Any:
            """What has ``callLater`` and ``seconds``; the reactor that runs, unless it is set."""
            return currentReactor()

        @cached_property
        def supported(self) -> ServerSupportedFeatures:
            """What the server has said that it can do."""
            return ServerSupportedFeatures()

    # ---- The life of the connection ----

    def makeConnection(self, transport: Any) -> None:
        """The transport calls this once, when the connection is there."""
        if self.clock is None:
            self.clock = currentReactor()
        self.supported = ServerSupportedFeatures()
        super().makeConnection(transport)

    def connectionMade(self) -> None:
        """The connection is there. An override calls this one."""
        self._heartbeat = Heartbeat(self.clock, self._sendHeartbeat, self._dead)
        if self.registrationTimeout is not None:
            self._registration = self.clock.callLater(self.registrationTimeout, self._notWelcome)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone. An override calls this one, which ends the timers."""
        self.stopHeartbeat()
        self._endRegistration()
        if self._queue is not None and (lines := self._queue.stop()):
            logMessage("warning", "%s: %d lines were still waiting to be sent", prefixOf(self), len(lines))

    def _close(self, reason: str) -> None:
        """Close the connection at once, for a reason that is logged and kept."""
        self.closeReason = reason
        peer = self.transport.getPeer()
        logMessage("warning", "%s closes the connection to %s: %s", prefixOf(self), peer, reason)
        self.stopHeartbeat()
        self._endRegistration()
        self._abort(ConnectionLost(reason))

    # ---- Whether it lives ----

    def startHeartbeat(self) -> None:
        """Begin to send PINGs, every `heartbeatInterval` seconds. RPL_WELCOME does this."""
        if self._heartbeat is not None and self.heartbeatInterval is not None:
            self._heartbeat.start(self.heartbeatInterval, self.heartbeatTimeout)

    def stopHeartbeat(self) -> None:
        """Send no more PINGs."""
        if self._heartbeat is not None:
            self._heartbeat.stop()

    def _sendHeartbeat(self) -> None:
        name = self.hostname or ""
        self.sendCommand("PING", name if name and name[0] != ":" and len(name) <= _LONGEST_HOST else "irc")

    def _dead(self, seconds: float) -> None:
        self._close(f"nothing came from the server for {seconds:g} s, not even an answer to PING")

    def _notWelcome(self) -> None:
        self._registration = None
        self._close(f"the server did not welcome us within {self.registrationTimeout:g} s{self._owes()}")

    def _owes(self) -> str:
        """What the server has left unanswered, if we know, as the end of a sentence."""
        return ""

    def _endRegistration(self) -> None:
        if self._registration is not None:
            self._registration.cancel()
            self._registration = None

    # ---- Out ----

    def sendLine(self, line: str) -> None:  # type: ignore[override]  # text, as in Twisted
        """Send `line`, without its end: now, or when its time has come if there is a `lineRate`.

        :raises TypeError: when it is not text.
        :raises FloodQueueFull: when too many lines wait already.
        :raises ValueError: when it has CR, LF or NUL, a tag with a name that is none, or is longer than
            `maximumLineLength` (the tags of IRCv3 than 8191 octets).
        """
        self._check(line)
        data = line.encode("utf-8", "surrogateescape") + b"\r\n"
        if self.lineRate is None:
            self.transport.write(data)
            return
        if self._queue is None:
            self._queue = SendQueue(self.transport.write, self.clock)
        self._queue.put(data, self.lineRate, self.lineBurst, self.maximumWaiting, urgent=line.startswith(_URGENT))

    def _check(self, line: str) -> None:
        if not isinstance(line, str):
            hint = ": decode it" if isinstance(line, bytes | bytearray) else ""
            raise TypeError(f"sendLine takes str, not {type(line).__name__}{hint}")
        if _forbidden(line):
            raise ValueError(f"CR, LF or NUL in a line: {_shown(line)}")
        if not line.strip(" "):
            raise ValueError("an empty line")
        body = line
        if line[0] == "@":
            tags, _, body = line.partition(" ")
            if len(tags.encode("utf-8", "surrogateescape")) >= MAX_TAGS:
                raise ValueError(f"more than {MAX_TAGS} octets of tags: {_shown(line)}")
            for tag in tags[1:].split(";"):
                checkTagName(tag.partition("=")[0])
        length = len(body.encode("utf-8", "surrogateescape")) + 2
        if length > self.maximumLineLength:
            raise ValueError(f"a line of {length} octets, more than {self.maximumLineLength}: {_shown(body)}")

    # ---- In ----

    def dataReceived(self, data: bytes | str) -> None:
        """Bytes came from the server; text is taken for UTF-8."""
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogateescape")
        if self._heartbeat is not None:
            self._heartbeat.heard()
        super().dataReceived(data)

    def lineReceived(self, line: bytes | str) -> None:
        """A line came from the server: tell it to `handleCommand`, or to `badMessage` if it is no message.

        An empty one is none and nothing is wrong with it (RFC 1459, section 2.3.1).
        """
        if isinstance(line, bytes):
            line = line.decode("utf-8", "surrogateescape")
        line = line.removesuffix("\r")
        try:
            message = Message.parse(line)
        except IRCBadMessage:
            if line.strip(" "):
                self.badMessage(line, *sys.exc_info())
            return
        if self.lowQuoting:
            message.params = [lowDequote(param) for param in message.params]
        self.messageReceived(message)

    def lineLengthExceeded(self, line: bytes) -> None:
        """A line is longer than `MAX_LENGTH`: close the connection."""
        self._close(f"a line of more than {self.MAX_LENGTH} octets")

    def messageReceived(self, message: Message) -> None:
        """`message` came from the server. Sets `currentMessage`, then `handleCommand` is told."""
        source = message.source
        if source != self.source and source.startswith(self.nickname):
            self._lookAtSource(source)
        before, self.currentMessage = self.currentMessage, message
        try:
            command = message.command
            self.handleCommand(numeric_to_symbolic.get(command, command), message.source, message.params)
            if command[:1] in "45" or command == "FAIL":
                self._refused(message)
        finally:
            self.currentMessage = before

    def _refused(self, message: Message) -> None:
        """`message`, an error's numeric or a FAIL (IRCv3), refuses something that we asked for. It has been told."""

    def isMe(self, nick: str) -> bool:
        """Whether `nick` is our nickname, as the server compares names."""
        fold = self.supported.fold
        return fold(nick) == fold(self.nickname)

    def _lookAtSource(self, source: str) -> None:
        """If `source` is ours, that is how others see us from now on."""
        nick, user, host = splitSource(source)
        if user and host and self._registered and self.isMe(nick):
            self.source = source

    def handleCommand(self, command: str, prefix: str, params: list[str]) -> None:
        """Call ``irc_COMMAND(prefix, params)``, or `irc_unknown` if there is none.

        What that raises is logged, and the connection goes on.

        :param command: the command, or the name of the numeric (``RPL_WELCOME``) if it has one.
        """
        method = getattr(self, "irc_" + command.upper(), None)
        if method is None and self.currentMessage is not None:
            # A subclass may have called it by its digits.
            method = getattr(self, "irc_" + self.currentMessage.command.upper(), None)
        try:
            if method is None:
                self.irc_unknown(prefix, command, params)
            else:
                method(prefix, params)
        except (IRCBadMessage, IRCBadModes):
            self.badMessage(str(self.currentMessage or (prefix, command, params)), *sys.exc_info())
        except Exception as e:
            peerException(self, "%s failed on %s from %r", e, prefixOf(self), command, prefix)

    def irc_unknown(self, prefix: str, command: str, params: list[str]) -> None:
        """A message came that no method is there for."""

    def badMessage(
        self,
        line: str,
        excType: type[BaseException] | None,
        excValue: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """`line` is no message, or makes no sense where it came; it is logged."""
        shown = line if len(line) <= 200 else line[:200] + "..."
        peerMessage(self, "warning", "%s: bad message %r: %s", prefixOf(self), shown, excValue)

    def quirkyMessage(self, s: str) -> None:
        """A peer does something odd, which is logged."""
        peerMessage(self, "info", "%s: %r", prefixOf(self), s)


def _shown(line: str) -> str:
    """`line` as it may stand in an error: short, and without passwords."""
    command = line.partition(" ")[0]
    if command.upper() in ("PASS", "AUTHENTICATE", "OPER"):
        return f"{command} ..."
    return repr(line if len(line) <= 80 else line[:80] + "...")
