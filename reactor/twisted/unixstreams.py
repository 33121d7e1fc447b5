"""Connections over UNIX sockets in Twisted's words: transports, ports and connectors, as `listenUNIX` and
`connectUNIX` of a Twisted reactor and its adopting methods make them.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from twisted.internet.address import UNIXAddress
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IConsumer,
    IFileDescriptorReceiver,
    ILoggingContext,
    IPushProducer,
    ISystemHandle,
    ITCPTransport,
    ITLSTransport,
    IUNIXTransport,
)
from twisted.python import log
from twisted.python.reflect import qual
from zope.interface import implementer

from reactor._transport.unix.destination import UNIXDestination
from reactor._transport.unix.stream import UNIXListener, UNIXTransport
from reactor.twisted.connectors import Connecting, Connector
from reactor.twisted.ports import Port
from reactor.twisted.streams import Accepted, Made, TwistedWire
from reactor.twisted.words import prefixOf

if TYPE_CHECKING:
    from typing import Any

    from reactor.twisted.frame import Engine


def pathOf(path: Any) -> bytes:
    """A path that a program gave, as bytes."""
    name: bytes = UNIXAddress(path).name or b""
    return name


@implementer(IUNIXTransport, ITCPTransport, ITLSTransport, IConsumer, IPushProducer, ISystemHandle, ILoggingContext)
class _Over(UNIXTransport):
    __slots__ = ()

    _peer: Any

    def _address(self, sockaddr: Any) -> Any:
        return UNIXAddress(sockaddr or None)

    def _takesDescriptors(self, protocol: Any) -> bool:
        return bool(IFileDescriptorReceiver.providedBy(protocol))


class UNIXServer(Accepted, _Over):
    """One that a port accepted, or that was adopted."""

    __slots__ = ()

    @property
    def client(self) -> Any:
        """What the socket module calls the other end, in a pair."""
        return os.fsdecode(self._peer.name or b""), None

    @property
    def hostname(self) -> Any:
        """The other end's name; this end's of one that was adopted."""
        return self.client[0] if self.server is not None else self._wire.ownName()

    def _number(self) -> Any:
        return self._wire.ownName()


class UNIXClient(Made, _Over):
    """One that was made from here."""

    __slots__ = ()

    @property
    def addr(self) -> Any:
        """The path that was asked for."""
        return self._peer.name

    @property
    def realAddress(self) -> Any:
        """The path that was connected to."""
        return self._peer.name


class Listener(UNIXListener):
    """What a port that listens on a UNIX socket is made of."""

    __slots__ = ()

    wire = TwistedWire

    def address(self, sockaddr: Any) -> Any:
        """Twisted's address for what the socket module calls one."""
        return UNIXAddress(sockaddr or None)

    def transport(self, wire: Any, top: Any, peer: Any, protocol: Any, factory: Any) -> UNIXServer:
        """The transport of a connection that was accepted."""
        return UNIXServer(wire, top, peer, protocol, None, factory)


class UNIXPort(Port):
    """What `listenUNIX` returns."""

    __slots__ = ()

    _type = "UNIX"

    @property
    def mode(self) -> int:
        """Who may connect, as the file's permissions."""
        mode: int = self._listener.mode  # type: ignore[attr-defined]
        return mode

    @property
    def _realPortNumber(self) -> None:
        return None

    def _refused(self, problem: OSError) -> Exception:
        return CannotListenError(self.interface, os.fsencode(self.port), problem)

    def _opens(self) -> None:
        log.msg(f"{prefixOf(self.factory)} starting on {self.port!r}")

    def _sayClosed(self) -> None:
        log.msg(f"(UNIX Port {self.port} Closed)")

    def __repr__(self) -> str:
        where = f"on {self.port!r}" if self.connected else "(not listening)"
        return f"<{qual(type(self.factory))} {where}>"


class Destination(UNIXDestination):
    """The path of a socket that somebody listens on."""

    __slots__ = ("name",)

    wire = TwistedWire

    def __init__(self, engine: Engine, path: Any, checkPID: bool) -> None:
        """Of what a program gave to `connectUNIX`."""
        super().__init__(engine._loop, pathOf(path), checkPID)
        #: The path as text.
        self.name = self.host

    def address(self) -> UNIXAddress:
        """What was asked for."""
        return UNIXAddress(self.path)

    def dial(self, connector: Any) -> Any:
        """Begin; tell the connector how it ended."""
        pending = connector.transport
        if isinstance(pending, Connecting):
            # It is made now, while there are descriptors.
            pending.fileno()
        return super().dial(connector)

    def early(self) -> socket.socket:
        """The socket that is to be connected, before it is begun with. OSError when there is none."""
        return self.loop.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def opened(self, connector: Any) -> socket.socket:
        """A socket to connect with: that which a program has seen, if one has."""
        pending = connector.transport
        sock: socket.socket | None = pending.take(socket.AF_UNIX) if isinstance(pending, Connecting) else None
        return self.early() if sock is None else sock

    def transport(self, wire: Any, top: Any, peer: Any, protocol: Any, connector: Any) -> UNIXClient:
        """The transport of a connection that was made."""
        return UNIXClient(wire, top, peer, protocol, connector, connector.factory)


class UNIXConnector(Connector):
    """What `connectUNIX` returns."""

    __slots__ = ("address", "checkPID")

    def __init__(self, engine: Engine, path: Any, factory: Any, timeout: float | None, checkPID: Any) -> None:
        """Not connecting yet."""
        super().__init__(engine, Destination(engine, path, bool(checkPID)), factory, timeout)
        #: The path as the program gave it.
        self.address = path
        #: Whether a living process must hold its lock.
        self.checkPID = checkPID
