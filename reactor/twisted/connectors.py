"""Clients of ours in Twisted's words: where they connect to, what connects them, and what stands for the transport
until there is one.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from twisted.internet.abstract import isIPv6Address
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import ConnectError, ConnectionAborted, NotConnectingError, ServiceNameUnknownError
from twisted.internet.error import UserError as TwistedUserError
from twisted.internet.interfaces import IConnector
from twisted.python.failure import Failure as TwistedFailure
from zope.interface import implementer

from reactor._transport.client import connector as client
from reactor._transport.client import destination
from reactor._transport.client.attempt import Attempt, opened
from reactor._transport.client.connector import Standing
from reactor._transport.client.destination import TCPDestination
from reactor.twisted.streams import Client, TwistedWire
from reactor.twisted.words import addressOf, refusalOf

if TYPE_CHECKING:
    from typing import Any

    from reactor.twisted.frame import Engine, TwistedReactor


class Local(tuple[str, int]):
    """A local address to connect from, and what its socket is told before it is bound."""

    options: tuple[int, ...] = ()


def localOf(bindAddress: Any) -> Local | None:
    """Of what a program gave: a (host, port), a `Binding` or None."""
    if bindAddress is None:
        return None
    if isinstance(bindAddress, str):
        bindAddress = (bindAddress, 0)
    if isinstance(bindAddress, tuple):
        return Local(bindAddress)
    local = Local((bindAddress._address or "", bindAddress._port or 0))
    if bindAddress._reuseAddress:
        local.options += (socket.SO_REUSEADDR,)
    if bindAddress._reusePort:
        local.options += (socket.SO_REUSEPORT,)
    return local


class Names:
    """Asks the frame for the address of a name: whatever resolver a program has installed there, by whatever way."""

    def __init__(self, frame: TwistedReactor) -> None:
        """Ask `frame.resolve`."""
        self._frame = frame

    def resolveHostName(self, receiver: Any, name: str, port: int, types: Any, semantics: str) -> None:
        """Tell `receiver` of what is found."""
        resolution = _Resolution()
        receiver.resolutionBegan(resolution)

        def found(host: str) -> None:
            receiver.addressResolved((IPv6Address if isIPv6Address(host) else IPv4Address)("TCP", host, port))
            receiver.resolutionComplete()

        def failed(failure: TwistedFailure) -> None:
            resolution.error = failure.value
            receiver.resolutionComplete()

        self._frame.resolve(name).addCallbacks(found, failed)


class _Resolution:
    """A question that cannot be taken back: other connections may wait for the same answer."""

    error: BaseException | None = None

    def cancel(self) -> None:
        """Nobody waits any more."""


class Destination(TCPDestination):
    """A host and a port, and the local address to connect from."""

    __slots__ = ("name",)

    wire = TwistedWire
    addressOf = staticmethod(addressOf)

    def __init__(self, engine: Engine, host: Any, port: Any, bindAddress: Any) -> None:
        """Of what a program gave to `connectTCP`."""
        if isinstance(port, str):
            try:
                port = socket.getservbyname(port, "tcp")
            except OSError as e:
                raise ServiceNameUnknownError(string=f"{e} ({port!r})") from None
        #: The host as it was given.
        self.name = host
        host = host.decode("ascii") if isinstance(host, bytes) else host
        super().__init__(engine._loop, engine.names, host, port, localOf(bindAddress))

    @staticmethod
    def prepare(sock: socket.socket) -> None:
        """Small writes are held back until a program says otherwise, as there."""

    def address(self) -> Any:
        """What was asked for."""
        return (IPv6Address if isIPv6Address(self.host) else IPv4Address)("TCP", self.name, self.port)

    @property
    def family(self) -> int:
        """Of which family the socket is that connects."""
        return socket.AF_INET6 if isIPv6Address(self.host) else socket.AF_INET

    def dial(self, connector: Any) -> Any:
        """Begin; tell the connector how it ended."""
        if isinstance(self.port, int) and 0 <= self.port <= 65535:
            return Underway(self._loop, self._resolver, self, self._bindAddress, connector)
        return Refused(connector, self._impossible())

    def _impossible(self) -> Exception:
        """What the system says to a port that is none."""
        try:
            if self.family == socket.AF_INET6:
                socket.getnameinfo((self.host, self.port), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)
        except (OSError, OverflowError) as e:
            return e
        return OverflowError("connect_ex(): port must be 0-65535.")

    def early(self) -> socket.socket:
        """The socket that is to be connected, before it is begun with. OSError when there is none."""
        return opened(self._loop, self.family, self._bindAddress)

    def transport(self, wire: Any, top: Any, peer: Any, protocol: Any, connector: Any) -> Client:
        """The transport of a connection that was made."""
        return Client(wire, top, peer, protocol, connector, connector.factory)


class Underway(destination.Underway):
    """A connection that is being made, with the socket that a program may have seen before."""

    __slots__ = ()

    def _attempt(self, target: Any) -> Attempt:
        connector: Any = self._connector
        early = connector.transport.take(target[0])
        told, failed = self._connected, self._attemptFailed
        return Attempt(self._loop, target, self._local, told, failed, connector.context, early)


class Refused:
    """An attempt that fails in the next turn."""

    phase = "connect"
    attempts = ()

    def __init__(self, connector: Any, problem: Exception) -> None:
        """Tell `connector` of that problem."""
        self._connector: Any = connector
        self._problem = problem
        connector._loop.soonIn(connector.context, self._fail)

    def _fail(self) -> None:
        if self._connector is not None:
            self._connector.failed(self._problem)

    def cancel(self) -> None:
        """Tell nobody."""
        self._connector = None


class Connecting:
    """What `connector.transport` is until there is a transport."""

    connected = disconnecting = disconnected = 0
    protocol: Any = None
    logstr = "Uninitialized"

    def __init__(self, connector: Connector) -> None:
        """For `connector`, whose next attempt it is."""
        self.connector = connector
        # What a program wanted to see before it was begun with.
        self._early: Any = None

    @property
    def reactor(self) -> Any:
        """The `TwistedReactor`."""
        return self.connector.reactor

    @property
    def addr(self) -> Any:
        """What was asked for, as a tuple."""
        return self.connector.host, self.connector.port

    @property
    def socket(self) -> Any:
        """What is on its way. AttributeError when there is none to be had."""
        sock = getattr(getattr(self.connector._underway, "_dial", None), "socket", None)
        if sock is not None:
            return sock
        if self._early is None:
            if self.connector.state != "connecting":
                raise AttributeError("it is not connecting")
            try:
                self._early = self.connector._destination.early()  # type: ignore[attr-defined]
            except OSError as e:
                raise AttributeError(f"there is no socket: {e}") from e
        return self._early

    def take(self, family: int) -> Any:
        """The socket to connect, if a program has seen one; None otherwise."""
        sock, self._early = self._early, None
        if sock is not None and sock.family != family:
            sock.close()
            return None
        return sock

    def drop(self) -> None:
        """Close it: nothing comes of it."""
        self.take(-1)

    def getHandle(self) -> Any:
        """The same."""
        return self.socket

    def fileno(self) -> int:
        """Its descriptor, -1 while there is none."""
        sock = getattr(self, "socket", None)
        return -1 if sock is None else int(sock.fileno())

    def getHost(self) -> Any:
        """This end's address."""
        return addressOf(self.socket.getsockname())

    def getPeer(self) -> Any:
        """What was asked for."""
        return self.connector.getDestination()

    def logPrefix(self) -> str:
        """What logs call it."""
        return self.logstr

    def failIfNotConnected(self, err: Any) -> None:
        """Give up, with that error."""
        connector: Any = self.connector
        if connector.transport is self and connector.state == "connecting":
            connector.failed(err.value if isinstance(err, TwistedFailure) else err)

    def stopConnecting(self) -> None:
        """Give up."""
        self.failIfNotConnected(TwistedUserError())

    def loseConnection(self) -> None:
        """Of the connection, when it is made in this moment; nothing otherwise."""
        if self.connector.state == "connected":
            self.connector.disconnect()

    def abortConnection(self) -> None:
        """Give up, in the next turn."""
        reason = TwistedFailure(ConnectionAborted())
        self.reactor.callLater(0, self.failIfNotConnected, ConnectError(string=reason))

    def __repr__(self) -> str:
        return f"<{type(self)} to {self.addr} at {id(self):x}>"


@implementer(IConnector)
class Connector(client.Connector):
    """What `connectTCP` returns and a factory's hooks are given."""

    __slots__ = ("bindAddress",)

    def __init__(
        self, engine: Engine, destination: Any, factory: Any, timeout: float | None, bindAddress: Any = None
    ) -> None:
        """Not connecting yet. `bindAddress` is what the program gave."""
        super().__init__(engine._loop, engine._pending, destination, factory, timeout)
        self.bindAddress = bindAddress

    @property
    def host(self) -> Any:
        """The host asked for."""
        return self._destination.name  # type: ignore[attr-defined]

    @property
    def reactor(self) -> Any:
        """The `TwistedReactor`."""
        return self._loop.reactor.frame

    def getDestination(self) -> Any:
        """The address that was asked for."""
        return self._destination.address()

    @property
    def timeoutID(self) -> Any:
        """What ends the attempt when its time is over; None when nothing does."""
        return self._timer

    def connect(self) -> None:
        """Connect, again if need be. RuntimeError while it is connecting or connected."""
        if self.state == "disconnected":
            self.transport = Connecting(self)  # type: ignore[assignment]
        super().connect()

    def disconnect(self) -> None:
        """Give up connecting, or close the connection."""
        if self.state == "connected" and isinstance(self.transport, Connecting):
            # From inside buildProtocol.
            self._loop.soonIn(self.context, self._disconnectMade)
        else:
            super().disconnect()

    def stopConnecting(self) -> None:
        """Give up connecting. NotConnectingError when it is not."""
        if self.state != "connecting":
            raise NotConnectingError("we're not trying to connect")
        super().stopConnecting()

    def cancelTimeout(self) -> None:
        """Let the attempt take as long as the system tries."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def shutDown(self) -> None:
        """The reactor stops while it connects. As there, nobody is told who still waits for an address."""
        if self._underway is not None and self._underway.phase in ("connect", "handshake"):
            super().shutDown()
        else:
            self._forget()
            self._standing = Standing.DISCONNECTED
            self._letGo()

    def failed(self, error: BaseException) -> None:
        """No connection came about."""
        self._letGo()
        super().failed(error)

    def _letGo(self) -> None:
        transport, self.transport = self.transport, None
        if isinstance(transport, Connecting):
            transport.drop()

    def _reason(self, error: BaseException) -> Any:
        return refusalOf(error)

    def __repr__(self) -> str:
        return f"<{type(self).__qualname__} instance at 0x{id(self):x} {self.state} {self.getDestination()}>"
