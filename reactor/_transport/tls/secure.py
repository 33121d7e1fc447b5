"""Connections that are made only when their TLS handshake is verified: a client's destination and a server's listener,
each around one that knows how to get a connected socket.

While the handshake goes on, nobody above has heard of the connection; what becomes of it is told to the connector, or
to the port.
"""

from __future__ import annotations

import ssl
from contextvars import copy_context

from reactor._transport.stream.wire import MIDDLE
from reactor._transport.tls.halfopen import HalfOpen, limitOf
from reactor._transport.tls.layer import Layer
from reactor._transport.tls.side import offer, sideOf
from reactor._transport.tls.transport import secured
from reactor.error import ConnectError, ConnectionLost, NetworkError, SSLError, getConnectError
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Any

    from reactor._core.loop import Loop
    from reactor._transport.client.connector import Connector, Destination, Underway
    from reactor._transport.server.port import Listener, Port
    from reactor._transport.stream.tcp import Address
    from reactor._transport.stream.transport import StreamTransport, Top
    from reactor._transport.stream.wire import Wire
    from reactor._transport.tls.side import Side


class _Shaking:
    """Who is told what happens to a connection while it shakes hands."""

    __slots__ = ("_peer", "_wire", "layer")

    resuming = False

    def __init__(self, loop: Loop, wire: Wire, side: Side, peer: Address, facts: dict[str, Any]) -> None:
        self._wire = wire
        self._peer = peer
        self.layer = layer = Layer(loop, side, wire, facts)
        layer.receiver = self
        layer.owner = self
        # One receive of nothing but new keys (RFC 8446, section 4.6.3) takes OpenSSL 0.35 us a byte.
        wire.mostRead = MIDDLE
        wire.receiver = layer
        wire.owner = layer
        wire.start()

    def dataReceived(self, data: bytes, /) -> None:
        """Never: nothing is decrypted before the handshake is done."""

    def handshakeCompleted(self) -> None:
        """The peer is who it should be."""
        raise NotImplementedError

    def lost(self, reason: Failure) -> None:
        """It is not, or it is gone."""
        raise NotImplementedError

    def endReceived(self) -> bool:
        """The peer is gone."""
        return False

    def writingEnded(self) -> None:
        """Never asked for."""

    def farewell(self) -> None:
        """Nothing was said yet."""

    def closing(self) -> None:
        """Nobody has asked for an address."""

    def raised(self, problem: BaseException) -> Failure | None:
        """Raised where there is no program's code yet."""
        if isinstance(problem, (KeyboardInterrupt, SystemExit)):
            self._wire.escape(problem)
            return None
        return Failure(problem)


class SecureDestination:
    """A client's way to a server that speaks TLS from the first byte."""

    __slots__ = ("_contextFactory", "_inner", "_loop", "_method")

    def __init__(self, loop: Loop, inner: Destination, contextFactory: Any, method: str) -> None:
        """Connect as `inner` does, then shake hands. `method` is the reactor's, for errors."""
        self._loop = loop
        self._inner = inner
        self._contextFactory = contextFactory
        self._method = method
        # Now, so that a bad one is refused where the mistake was made.
        sideOf(contextFactory, method, False, self._name())

    def _name(self) -> str | None:
        return self.host if isinstance(self.host, str) else None

    @property
    def host(self) -> Any:
        """The host asked for."""
        return self._inner.host

    @property
    def port(self) -> Any:
        """The port asked for."""
        return self._inner.port

    def address(self) -> Address:
        """What was asked for."""
        return self._inner.address()

    def dial(self, connector: Connector) -> Underway:
        """Begin; tell the connector how it ended."""
        side = sideOf(self._contextFactory, self._method, False, self._name())
        return _Securing(self._loop, self._inner, side, connector)

    def transport(self, wire: Wire, top: Top, peer: Address, protocol: Any, connector: Connector) -> StreamTransport:
        """The transport of a connection that was made."""
        return secured(self._inner.transport(wire, top, peer, protocol, connector))


class _Securing:
    """First what the inner destination does, then the handshake. To the inner one it is the connector."""

    __slots__ = ("_attempts", "_connector", "_inner", "_loop", "_shaking", "_side")

    def __init__(self, loop: Loop, inner: Destination, side: Side, connector: Connector) -> None:
        self._loop = loop
        self._side = side
        self._connector: Connector | None = connector
        self._attempts: Any = ()
        self._shaking: _ClientShaking | None = None
        self._inner: Underway | None = inner.dial(self)  # type: ignore[arg-type]

    @property
    def factory(self) -> Any:
        """The connector's."""
        return None if self._connector is None else self._connector.factory

    @property
    def context(self) -> Any:
        """The connector's."""
        return copy_context() if self._connector is None else self._connector.context

    @property
    def phase(self) -> Any:
        """What it is doing now."""
        return "handshake" if self._inner is None else self._inner.phase

    @property
    def attempts(self) -> Any:
        """Every address that was tried so far."""
        return self._attempts if self._inner is None else self._inner.attempts

    @property
    def elapsed(self) -> float:
        """Seconds since the attempt began."""
        return 0.0 if self._connector is None else self._connector.elapsed

    def cancel(self) -> None:
        """Give up, and tell nobody."""
        self._connector = None
        self._letGo()
        shaking, self._shaking = self._shaking, None
        if shaking is not None:
            shaking.layer.abort()

    def _letGo(self) -> None:
        """Nothing more comes of the inner one, which knows this one: without this both would wait for the collector."""
        inner, self._inner = self._inner, None
        if inner is not None:
            inner.cancel()

    def failed(self, error: BaseException) -> None:
        """No connection came about."""
        connector, self._connector = self._connector, None
        self._letGo()
        self._shaking = None
        if connector is not None:
            if isinstance(error, NetworkError):
                error = getConnectError(error, host=connector.host, port=connector.port, elapsed=connector.elapsed)
            connector.failed(error)

    def connected(self, wire: Wire, top: Top, peer: Address) -> None:
        """The socket is connected."""
        connector = self._connector
        if connector is None:
            top.discard()
            return
        self._attempts = self.attempts
        self._letGo()
        facts = {"host": connector.host, "port": connector.port}
        try:
            self._shaking = shaking = _ClientShaking(self._loop, wire, self._side, peer, facts)
        except (ValueError, ssl.SSLError) as e:
            # A name or a session that is of no use with this context.
            wire.discard()
            self.failed(SSLError(string=str(e), phase="handshake"))
            return
        shaking.securing = self
        shaking.layer.begin()

    def made(self, wire: Wire, layer: Layer, peer: Address) -> None:
        """The handshake is verified."""
        connector, self._connector = self._connector, None
        self._shaking = None
        if connector is not None:
            connector.connected(wire, layer, peer)


class _ClientShaking(_Shaking):
    __slots__ = ("securing",)

    securing: _Securing

    def handshakeCompleted(self) -> None:
        self.securing.made(self._wire, self.layer, self._peer)

    def lost(self, reason: Failure) -> None:
        value = reason.value
        if isinstance(value, ConnectionLost):
            # Of an established connection for the wire; for whoever connects there is none yet.
            text = f"the connection was lost during the TLS handshake: {value}"
            value = ConnectError(value.osError, text, phase="handshake")
        self.securing.failed(value)


class SecureListener:
    """What a port that listens for TLS is made of."""

    __slots__ = ("_contextFactory", "_inner", "_loop", "_method", "_shaking")

    def __init__(self, loop: Loop, inner: Listener, contextFactory: Any, method: str) -> None:
        """Listen as `inner` does, and shake hands with whoever comes. `method` is the reactor's, for errors."""
        self._loop = loop
        self._inner = inner
        self._contextFactory = contextFactory
        self._method = method
        sideOf(contextFactory, method, True)
        # Those who came and have not shaken hands yet.
        self._shaking = HalfOpen(limitOf(contextFactory, method), f"{method} on {inner.interface}:{inner.port}")

    @property
    def interface(self) -> Any:
        """The interface asked for."""
        return self._inner.interface

    @property
    def port(self) -> Any:
        """The port asked for."""
        return self._inner.port

    def listen(self) -> socket.socket:
        """A non-blocking listening socket."""
        return self._inner.listen()

    def address(self, sockaddr: Any) -> Address:
        """The address object for what the socket module calls one."""
        return self._inner.address(sockaddr)

    def admit(self, port: Port, sock: socket.socket, sockaddr: Any) -> None:
        """A client was accepted; the inner listener prepares the socket, as if for itself."""
        self._inner.admit(_Door(self, port), sock, sockaddr)  # type: ignore[arg-type]

    def secure(self, port: Port, wire: Wire, peer: Address) -> None:
        """Shake hands; the port hears of it when that is done."""
        facts = {"host": getattr(peer, "host", None), "port": getattr(peer, "port", None)}
        try:
            side = sideOf(self._contextFactory, self._method, True)
            offer(side, port.factory)
            shaking = _ServerShaking(self._loop, wire, side, peer, facts)
        except BaseException as e:
            wire.discard()
            self._loop.raised("no context for TLS with %s, at %r", e, peer, port)
            return
        shaking.port, shaking.among = port, self._shaking
        self._shaking.enter(shaking, peer)
        shaking.layer.begin()

    def transport(self, wire: Wire, top: Top, peer: Address, protocol: Any, factory: Any) -> StreamTransport:
        """The transport of a connection that was made."""
        return secured(self._inner.transport(wire, top, peer, protocol, factory))

    def closed(self) -> None:
        """The port closed its socket: those who have not shaken hands yet are sent away."""
        self._shaking.clear()
        self._inner.closed()


class _Door:
    """Stands for the port before the inner listener."""

    __slots__ = ("_listener", "_port")

    def __init__(self, listener: SecureListener, port: Port) -> None:
        self._listener = listener
        self._port = port

    def made(self, wire: Wire, top: Top, peer: Address) -> None:
        self._listener.secure(self._port, wire, peer)


class _ServerShaking(_Shaking):
    __slots__ = ("among", "port")

    port: Port
    among: HalfOpen

    def sendAway(self) -> None:
        self.layer.abort()

    def handshakeCompleted(self) -> None:
        self.among.leave(self)
        self.port.made(self._wire, self.layer, self._peer)

    def lost(self, reason: Failure) -> None:
        self.among.leave(self)
        self.among.tellFailure(self._peer, "%r: no TLS connection with %s: %s", self.port, self._peer, reason.value)
