"""What an IRC client does with DCC requests (connections without the server), and how it makes them.

What others ask for is told to a hook and nothing is done about it: whoever writes a request chooses the address and the
name of the file in it. A program that wants what is offered says so with `dccReceive` or `dccChat`. Those connect to
addresses of the Internet at large alone, unless `dccAllowPrivate` is set, since a peer could have us knock at our own
services otherwise.
"""

from __future__ import annotations

import os
import re

from protocols.irc.client.ctcp import ClientCTCP
from protocols.irc.client.dccprotocols import DccChatFactory, DccFileReceive, DccSendFactory
from protocols.irc.dcc import DccOffer, fileSize, formatDcc, isPublicAddress, parseDcc, quoteFileName, safeFileName
from reactor._ground.current import currentReactor
from reactor.defer import Deferred
from reactor.protocol import ClientFactory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reactor.failure import Failure

__all__ = ["ClientDCC"]

_WORDS = re.compile(r'"([^"]*)"(?= |$)|([^ ]+)').findall


class ClientDCC(ClientCTCP):
    """The DCC part of `IRCClient`."""

    #: Where `dccReceive` puts files.
    dcc_destdir: str = "."
    #: The factories of chats that are going on.
    dcc_sessions: list[Any] | None = None
    #: Whether `dccReceive` and `dccChat` connect to private addresses: in a network where everybody is trusted.
    dccAllowPrivate: bool = False
    #: Seconds for which a file that `dccSend` offers waits for somebody to connect.
    dccTimeout: float = 180
    #: The address that others are told to connect to; None for this end's of the connection to the server.
    dccAddress: str | None = None

    # ---- Requests that come ----

    def ctcpQuery_DCC(self, user: str, channel: str, data: str | None) -> None:
        """Somebody wants a connection: ``dcc_KIND`` is called with the text of the request behind its kind.

        :raises IRCBadMessage: from those, when the request makes no sense.
        """
        kind, _, rest = (data or "").lstrip(" ").partition(" ")
        if not kind:
            return
        method = getattr(self, "dcc_" + kind.upper(), None)
        if method is not None:
            method(user, channel, rest)
            return
        shown = kind[:32]
        self.quirkyMessage(f"{user} asks for DCC {shown}, which is unknown")
        self._reply(user, ("ERRMSG", f"DCC {shown} :no such request"))

    def dcc_SEND(self, user: str, channel: str, data: str) -> None:
        """Somebody wants to send a file: tell `dccDoSend`."""
        offer = parseDcc(f"SEND {data}")
        size = -1 if offer.size is None else offer.size
        self.dccDoSend(user, offer.host, offer.port, offer.name, size, _words(data))

    def dcc_CHAT(self, user: str, channel: str, data: str) -> None:
        """Somebody wants to chat: tell `dccDoChat`."""
        offer = parseDcc(f"CHAT {data}")
        self.dccDoChat(user, channel, offer.host, offer.port, _words(data))

    def dcc_RESUME(self, user: str, channel: str, data: str) -> None:
        """Somebody has a part of our file already: tell `dccDoResume`."""
        offer = parseDcc(f"RESUME {data}")
        self.dccDoResume(user, offer.name, offer.port, offer.size or 0)

    def dcc_ACCEPT(self, user: str, channel: str, data: str) -> None:
        """Somebody will send from where we want: tell `dccDoAcceptResume`."""
        offer = parseDcc(f"ACCEPT {data}")
        self.dccDoAcceptResume(user, offer.name, offer.port, offer.size or 0)

    def dccDoSend(self, user: str, address: str, port: int, fileName: str, size: int, data: list[str]) -> None:
        """`user` offers a file. For subclasses: call `dccReceive` to have it.

        :param fileName: what the peer calls it: not to be used as it is, see `safeFileName`.
        :param size: bytes, -1 if it is not said.
        :param data: the words of the request.
        """

    def dccDoChat(self, user: str, channel: str, address: str, port: int, data: list[str]) -> None:
        """`user` offers a chat. For subclasses: call `dccChat` to have it."""

    def dccDoResume(self, user: str, file: str, port: int, resumePos: int) -> None:
        """`user` wants `file`, which we offered at `port`, from `resumePos` on. For subclasses."""

    def dccDoAcceptResume(self, user: str, file: str, port: int, resumePos: int) -> None:
        """`user` will send `file` from `resumePos` on. For subclasses."""

    # ---- What we do ----

    def dccReceive(
        self,
        user: str,
        address: str,
        port: int,
        fileName: str,
        size: int = -1,
        resumeOffset: int = 0,
        reactor: Any = None,
    ) -> Deferred[str]:
        """Connect to `address`, and put the file that comes into `dcc_destdir`.

        :return: a Deferred of the path, when the whole file is there. It fails with what went wrong.
        :raises ValueError: when `address` is a private one, or the file is too large.
        """
        self._mayConnect(address)
        protocol = DccFileReceive(fileName, size, (user, self.nickname, None), self.dcc_destdir, resumeOffset)
        done = protocol.whenFinished()
        factory = _OneProtocol(protocol, done)
        (reactor or currentReactor()).connectTCP(address, port, factory)
        return done

    def dccChat(self, user: str, address: str, port: int, reactor: Any = None) -> DccChatFactory:
        """Connect to `address` for a chat: `privmsg` is told what `user` says there.

        :raises ValueError: when `address` is a private one.
        """
        self._mayConnect(address)
        factory = DccChatFactory(self, (user, self.nickname, None))
        if self.dcc_sessions is None:
            self.dcc_sessions = []
        self.dcc_sessions.append(factory)
        (reactor or currentReactor()).connectTCP(address, port, factory)
        return factory

    def _mayConnect(self, address: str) -> None:
        if not self.dccAllowPrivate and not isPublicAddress(address):
            raise ValueError(f"{address} is not an address of the Internet at large, and dccAllowPrivate is not set")

    def dccSend(self, user: str, file: Any, reactor: Any = None) -> Any:
        """Offer `file` to `user`; the first who connects gets it.

        :param file: a path, or an open file.
        :return: the port that listens.
        """
        if isinstance(file, str | os.PathLike):
            file = open(file, "rb")
        factory = DccSendFactory(file)
        here = self.transport.getHost().host
        port = (reactor or currentReactor()).listenTCP(0, factory, 1, here)
        factory.port = port
        factory.deadline = self.clock.callLater(self.dccTimeout, factory.giveUp)
        name = safeFileName(os.path.basename(str(getattr(file, "name", "file"))))
        offer = DccOffer("SEND", name, self.dccAddress or here, port.getHost().port, fileSize(file))
        self.ctcpMakeQuery(user, [("DCC", formatDcc(offer))])
        return port

    def dccResume(self, user: str, fileName: str, port: int, resumePos: int) -> None:
        """Ask `user` to send the file that was offered at `port` from byte `resumePos` on."""
        self.ctcpMakeQuery(user, [("DCC", ["RESUME", quoteFileName(fileName), port, resumePos])])

    def dccAcceptResume(self, user: str, fileName: str, port: int, resumePos: int) -> None:
        """Tell `user` that we will send from byte `resumePos` on."""
        self.ctcpMakeQuery(user, [("DCC", ["ACCEPT", quoteFileName(fileName), port, resumePos])])


class _OneProtocol(ClientFactory):
    """Builds the one protocol that it was given."""

    noisy = False

    def __init__(self, protocol: DccFileReceive, done: Deferred[str]) -> None:
        self.only = protocol
        self.done = done

    def buildProtocol(self, addr: Any) -> Any:
        return self.only

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        if not self.done.called:
            self.done.errback(reason)


def _words(data: str) -> list[str]:
    """The words of a request; what is in quotation marks is one."""
    return [quoted or word for quoted, word in _WORDS(data)]
