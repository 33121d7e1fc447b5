"""What an IRC client does with CTCP requests and answers, and how it sends them.

A method for each request, ``ctcpQuery_VERSION(user, channel, data)`` say, and for each answer, ``ctcpReply_PING``;
subclasses add and override. What a peer says is echoed in part at most, so that no answer grows too long to be sent.
"""

from __future__ import annotations

import time
from random import choices
from string import ascii_letters, digits

from protocols.irc.client.connection import ClientConnection
from protocols.irc.ctcp import ctcpStringify
from protocols.irc.message import nickOf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ClientCTCP"]

_MOST_PINGS = 12
# Characters of a peer's that we send back.
_ECHOED = 64
# Seconds over which answers are counted.
_WINDOW = 10.0


class ClientCTCP(ClientConnection):
    """The CTCP part of `IRCClient`."""

    #: What FINGER is answered with, or None for no answer. May be a function without arguments.
    fingerReply: object = None
    #: What USERINFO is answered with, or None for no answer.
    userinfo: str | None = None
    #: What VERSION is answered with, separated by colons; without a name, it is not answered.
    versionName: str | None = None
    versionNum: str | None = None
    versionEnv: str | None = None
    #: What SOURCE is answered with: where the program is to be had. None for no answer.
    sourceURL: str | None = None

    #: Answers to requests within ten seconds; further requests are not answered, since many could have the server throw
    #: us out.
    ctcpReplyLimit: int = 10

    _replies = 0
    _repliesSince = 0.0
    _pings: dict[tuple[str, str], float] | None = None

    # ---- Out ----

    def ping(self, user: str, text: str | None = None) -> None:
        """Measure how long it takes to `user` and back: `pong` is told.

        :param text: what makes this ping different from others; None for something random.
        """
        if self._pings is None:
            self._pings = {}
        if text is None:
            text = "".join(choices(ascii_letters + digits, k=12))
        while len(self._pings) >= _MOST_PINGS:
            del self._pings[next(iter(self._pings))]
        self._pings[user, text] = self.clock.seconds()
        self.ctcpMakeQuery(user, [("PING", text)])

    def ctcpMakeQuery(self, user: str, messages: Iterable[tuple[str, object]]) -> None:
        """Send requests, pairs of tag and data (None for none), to `user`.

        :raises ValueError: when there is CR, LF, NUL or ``\\x01`` in them, a tag is empty or has a space, or they are
            too long for a line.
        """
        self.sendCommand("PRIVMSG", user, text=ctcpStringify(messages))

    def ctcpMakeReply(self, user: str, messages: Iterable[tuple[str, object]]) -> None:
        """Send answers, as `ctcpMakeQuery` does requests."""
        self.sendCommand("NOTICE", user, text=ctcpStringify(messages))

    def _reply(self, user: str, *messages: tuple[str, object]) -> None:
        nick = nickOf(user)
        if nick and nick[0] != ":" and len(nick) <= _ECHOED and self._mayReply():
            self.ctcpMakeReply(nick, list(messages))

    def _mayReply(self) -> bool:
        now = self.clock.seconds()
        if now - self._repliesSince >= _WINDOW:
            self._repliesSince, self._replies = now, 0
        self._replies += 1
        return self._replies <= self.ctcpReplyLimit

    # ---- Requests ----

    def ctcpQuery(self, user: str, channel: str, messages: Iterable[tuple[str, str | None]]) -> None:
        """Requests came: ``ctcpQuery_TAG`` is called for each, or `ctcpUnknownQuery`; of two with one tag the first."""
        seen = set()
        for tag, data in messages:
            if tag in seen:
                continue
            seen.add(tag)
            method = getattr(self, "ctcpQuery_" + tag, None)
            if method is not None:
                method(user, channel, data)
            else:
                self.ctcpUnknownQuery(user, channel, tag, data)

    def ctcpUnknownQuery(self, user: str, channel: str, tag: str, data: str | None) -> None:
        """A request came that no method is there for. It is not answered: a channel may hear many such."""

    def ctcpQuery_ACTION(self, user: str, channel: str, data: str | None) -> None:
        """``/me data``: tell `action`."""
        self.action(user, channel, data)

    def ctcpQuery_PING(self, user: str, channel: str, data: str | None) -> None:
        """Send back what came."""
        if len((data or "").encode("utf-8", "surrogateescape")) <= 2 * _ECHOED:
            self._reply(user, ("PING", data))

    def ctcpQuery_FINGER(self, user: str, channel: str, data: str | None) -> None:
        """Answer with `fingerReply`."""
        self._odd("FINGER", user, data)
        if self.fingerReply:
            reply = self.fingerReply() if callable(self.fingerReply) else self.fingerReply
            self._reply(user, ("FINGER", reply))

    def ctcpQuery_VERSION(self, user: str, channel: str, data: str | None) -> None:
        """Answer with `versionName`, `versionNum` and `versionEnv`."""
        self._odd("VERSION", user, data)
        if self.versionName:
            parts = (self.versionName, self.versionNum or "", self.versionEnv or "")
            self._reply(user, ("VERSION", ":".join(parts)))

    def ctcpQuery_SOURCE(self, user: str, channel: str, data: str | None) -> None:
        """Answer with `sourceURL`."""
        self._odd("SOURCE", user, data)
        if self.sourceURL:
            self._reply(user, ("SOURCE", self.sourceURL), ("SOURCE", None))

    def ctcpQuery_USERINFO(self, user: str, channel: str, data: str | None) -> None:
        """Answer with `userinfo`."""
        self._odd("USERINFO", user, data)
        if self.userinfo:
            self._reply(user, ("USERINFO", self.userinfo))

    def ctcpQuery_CLIENTINFO(self, user: str, channel: str, data: str | None) -> None:
        """Answer with the tags that are known; to one that is not, with an error."""
        prefix = "ctcpQuery_"
        if not data:
            names = sorted(name.removeprefix(prefix) for name in dir(self) if name.startswith(prefix))
            self._reply(user, ("CLIENTINFO", names))
        elif hasattr(self, prefix + data):
            self._reply(user, ("CLIENTINFO", None))
        else:
            shown = data[:_ECHOED]
            self._reply(user, ("ERRMSG", f"CLIENTINFO {shown} :no such request"))

    def ctcpQuery_ERRMSG(self, user: str, channel: str, data: str | None) -> None:
        """Say that there was no error."""
        self._reply(user, ("ERRMSG", f"{(data or '')[:_ECHOED]} :no error"))

    def ctcpQuery_TIME(self, user: str, channel: str, data: str | None) -> None:
        """Answer with the local time."""
        self._odd("TIME", user, data)
        self._reply(user, ("TIME", f":{time.asctime()}"))

    def _odd(self, tag: str, user: str, data: str | None) -> None:
        if data is not None:
            self.quirkyMessage(f"{user} sent data with {tag}, where there is none: {data[:_ECHOED]!r}")

    # ---- Answers ----

    def ctcpReply(self, user: str, channel: str, messages: Iterable[tuple[str, str | None]]) -> None:
        """Answers came: ``ctcpReply_TAG`` is called for each, or `ctcpUnknownReply`."""
        for tag, data in messages:
            method = getattr(self, "ctcpReply_" + tag, None)
            if method is not None:
                method(user, channel, data)
            else:
                self.ctcpUnknownReply(user, channel, tag, data)

    def ctcpReply_PING(self, user: str, channel: str, data: str | None) -> None:
        """Tell `pong`, if it answers our `ping`."""
        # Compared now: the server may have said after the question how names compare.
        fold, nick = self.supported.fold, nickOf(user)
        pings = (self._pings or {}).items()
        sent = next((when for (to, text), when in pings if text == (data or "") and fold(to) == fold(nick)), None)
        if sent is None:
            self.quirkyMessage(f"{user} answers a PING that was not sent: {(data or '')[:_ECHOED]!r}")
            return
        self.pong(user, self.clock.seconds() - sent)

    def ctcpUnknownReply(self, user: str, channel: str, tag: str, data: str | None) -> None:
        """An answer came that no method is there for."""
