"""How a client of asyncio gets its connection, and how TLS comes on top."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl as tls

from reactor._transport.tls.side import Side
from reactor.aio.attempts import Attempts, interleaved
from reactor.aio.receiving import AsyncioWire
from reactor.aio.ssltransport import SSLLayer, SSLTransport, secured
from reactor.aio.transport import StreamTransport, withoutDelay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reactor._transport.client.attempt import Attempt
    from reactor.aio.server import Server

# What asyncio allows a peer for the handshake, and for its answer to our close_notify; seconds.
HANDSHAKE_TIMEOUT = 60.0
SHUTDOWN_TIMEOUT = 30.0


class Connections(Attempts):
    """The part of `EventLoop` that connects."""

    async def create_connection(
        self,
        protocol_factory: Callable[[], Any],
        host: str | bytes | None = None,
        port: int | str | None = None,
        *,
        ssl: tls.SSLContext | bool | None = None,
        family: int = 0,
        proto: int = 0,
        flags: int = 0,
        sock: socket.socket | None = None,
        local_addr: tuple[Any, Any] | None = None,
        server_hostname: str | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        happy_eyeballs_delay: float | None = None,
        interleave: int | None = None,
        all_errors: bool = False,
    ) -> tuple[Any, Any]:
        """Connect to `host` and `port`, or take over the connected `sock`; the transport and `protocol_factory()`.

        Addresses are tried one after another; with `happy_eyeballs_delay` (seconds) the next begins while the last has
        not answered (RFC 8305). OSError when none can be reached, of all when `all_errors` (an ExceptionGroup).
        """
        if server_hostname is not None and not ssl:
            raise ValueError("server_hostname is only meaningful with ssl")
        if server_hostname is None and ssl:
            if not host:
                raise ValueError("You must set server_hostname when using ssl without a host")
            server_hostname = host  # type: ignore[assignment]
        _checkTimeouts(ssl, ssl_handshake_timeout, ssl_shutdown_timeout)
        if sock is not None:
            _checkStream(sock)
        if happy_eyeballs_delay is not None and interleave is None:
            interleave = 1
        if host is not None or port is not None:
            if sock is not None:
                raise ValueError("host/port and sock can not be specified at the same time")
            infos = await self._lookUp((host, port), family, socket.SOCK_STREAM, proto, flags)
            if not infos:
                raise OSError("getaddrinfo() returned empty list")
            locals_ = None
            if local_addr is not None:
                locals_ = await self._lookUp(local_addr, family, socket.SOCK_STREAM, proto, flags)
                if not locals_:
                    raise OSError("getaddrinfo() returned empty list")
            if interleave:
                infos = interleaved(infos, interleave)
            sock, attempt = await self._connectOne(infos, locals_, happy_eyeballs_delay, all_errors)
        elif sock is None:
            raise ValueError("host and port was not specified and no sock specified")
        else:
            attempt = None
            if sock.type != socket.SOCK_STREAM:
                raise ValueError(f"A Stream Socket was expected, got {sock!r}")
        assert sock is not None
        return await self._connectionOn(
            sock,
            protocol_factory,
            ssl,
            False,
            server_hostname,
            ssl_handshake_timeout,
            ssl_shutdown_timeout,
            attempt,
        )

    async def connect_accepted_socket(
        self,
        protocol_factory: Callable[[], Any],
        sock: socket.socket,
        *,
        ssl: tls.SSLContext | bool | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
    ) -> tuple[Any, Any]:
        """Take over `sock`, which somebody else has accepted; the transport and `protocol_factory()`."""
        if sock.type != socket.SOCK_STREAM:
            raise ValueError(f"A Stream Socket was expected, got {sock!r}")
        _checkTimeouts(ssl, ssl_handshake_timeout, ssl_shutdown_timeout)
        _checkStream(sock)
        return await self._connectionOn(
            sock, protocol_factory, ssl, True, "", ssl_handshake_timeout, ssl_shutdown_timeout
        )

    async def create_unix_connection(
        self,
        protocol_factory: Callable[[], Any],
        path: Any = None,
        *,
        ssl: tls.SSLContext | bool | None = None,
        sock: socket.socket | None = None,
        server_hostname: str | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
    ) -> tuple[Any, Any]:
        """Connect to the UNIX socket at `path`, or take over `sock`; the transport and `protocol_factory()`."""
        if ssl:
            if server_hostname is None:
                raise ValueError("you have to pass server_hostname when using ssl")
        elif server_hostname is not None:
            raise ValueError("server_hostname is only meaningful with ssl")
        _checkTimeouts(ssl, ssl_handshake_timeout, ssl_shutdown_timeout)
        if path is not None:
            if sock is not None:
                raise ValueError("path and sock can not be specified at the same time")
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            try:
                # The kernel answers at once; that too many wait there is an answer as well (unix(7)).
                sock.connect(os.fspath(path))
            except BaseException:
                sock.close()
                raise
        else:
            if sock is None:
                raise ValueError("no path and sock were specified")
            if sock.family != socket.AF_UNIX or sock.type != socket.SOCK_STREAM:
                raise ValueError(f"A UNIX Domain Stream Socket was expected, got {sock!r}")
            sock.setblocking(False)
        return await self._connectionOn(
            sock,
            protocol_factory,
            ssl,
            False,
            server_hostname,
            ssl_handshake_timeout,
            ssl_shutdown_timeout,
            owned=path is not None,
        )

    # Connections.

    async def _connectionOn(
        self,
        sock: socket.socket,
        protocolFactory: Callable[[], Any],
        ssl: tls.SSLContext | bool | None,
        serverSide: bool,
        hostname: str | None,
        handshakeTimeout: float | None,
        shutdownTimeout: float | None,
        attempt: Attempt | None = None,
        owned: bool = False,
    ) -> tuple[StreamTransport, Any]:
        """A transport on a connected socket, once its protocol was told of the connection. One that we made, `owned` or
        by an `attempt`, is closed when there is to be none.
        """
        sock.setblocking(False)
        made: asyncio.Future[None] = self.create_future()
        try:
            protocol = protocolFactory()
            transport = self._transportOn(
                sock, protocol, ssl, serverSide, hostname, handshakeTimeout, shutdownTimeout, made, attempt
            )
        except BaseException:
            if attempt is not None:
                self._loop.poller.forget(attempt)
            if attempt is not None or owned:
                sock.close()
            raise
        transport.begin()
        try:
            await made
        except BaseException:
            transport.close()
            raise
        finally:
            # An error's traceback has this frame, which is not to have the error's future.
            del made
        return transport, protocol

    def _transportOn(
        self,
        sock: socket.socket,
        protocol: Any,
        ssl: tls.SSLContext | bool | None,
        serverSide: bool,
        hostname: str | None,
        handshakeTimeout: float | None,
        shutdownTimeout: float | None,
        made: asyncio.Future[None] | None = None,
        attempt: Attempt | None = None,
        server: Server | None = None,
        extra: dict[str, Any] | None = None,
    ) -> StreamTransport:
        withoutDelay(sock)
        side = None
        if ssl:
            side = sideFor(ssl, serverSide, hostname, handshakeTimeout, shutdownTimeout)
        if extra is None:
            try:
                extra = {"peername": sock.getpeername()}
            except OSError:
                # Reset already; reading will tell.
                extra = {"peername": None}
        wire = AsyncioWire(self._loop, sock, attempt)
        if attempt is not None:
            wire.name = attempt.name
        if side is None:
            return StreamTransport(self, wire, wire, protocol, made, server, extra)
        layer = SSLLayer(self._loop, side, wire, {})
        wire.receiver, wire.owner = layer, layer
        return SSLTransport(self, wire, layer, protocol, made, server, extra)

    async def start_tls(  # type: ignore[override]
        self,
        transport: StreamTransport,
        protocol: Any,
        sslcontext: tls.SSLContext,
        *,
        server_side: bool = False,
        server_hostname: str | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
    ) -> StreamTransport | None:
        """Speak TLS on `transport` from here on; the transport to use in its place, once the handshake is verified.
        None when `transport` is closing or closed.

        What a `StreamReader` of `protocol` has been given and nobody has read is taken for a part of the handshake.
        """
        if not isinstance(sslcontext, tls.SSLContext):
            raise TypeError(f"sslcontext is expected to be an instance of ssl.SSLContext, got {sslcontext!r}")
        if not isinstance(transport, StreamTransport):
            raise TypeError(f"transport {transport!r} is not supported by start_tls()")
        side = sideFor(sslcontext, server_side, server_hostname, ssl_handshake_timeout, ssl_shutdown_timeout)
        if transport.is_closing():
            # What asyncio answers as well, and libraries look for.
            return None
        made: asyncio.Future[None] = self.create_future()
        over = secured(transport, side, protocol, made, _unread(protocol))
        try:
            await made
        except BaseException:
            over.close()
            raise
        finally:
            del made
        return over


def sideFor(
    ssl: tls.SSLContext | bool,
    serverSide: bool,
    hostname: str | None,
    handshakeTimeout: float | None,
    shutdownTimeout: float | None,
) -> Side:
    """What one end brings to TLS, of what a program gave. ValueError, TypeError for what cannot be used."""
    if isinstance(ssl, bool):
        if serverSide:
            raise ValueError("Server side SSL needs a valid SSLContext")
        # The standard library's, as with asyncio: programs replace that function.
        ssl = tls.create_default_context()
        ssl.minimum_version = max(ssl.minimum_version, tls.TLSVersion.TLSv1_2)
        if not hostname:
            ssl.check_hostname = False
    if not isinstance(ssl, tls.SSLContext):
        raise TypeError(f"ssl argument must be an SSLContext or None, got {ssl!r}")
    for name, seconds in (("ssl_handshake_timeout", handshakeTimeout), ("ssl_shutdown_timeout", shutdownTimeout)):
        if seconds is not None and seconds <= 0:
            raise ValueError(f"{name} should be a positive number, got {seconds}")
    return Side(
        ssl,
        serverSide,
        None if serverSide else hostname or None,
        None,
        HANDSHAKE_TIMEOUT if handshakeTimeout is None else handshakeTimeout,
        SHUTDOWN_TIMEOUT if shutdownTimeout is None else shutdownTimeout,
    )


def _checkTimeouts(ssl: object, handshakeTimeout: float | None, shutdownTimeout: float | None) -> None:
    for name, seconds in (("ssl_handshake_timeout", handshakeTimeout), ("ssl_shutdown_timeout", shutdownTimeout)):
        if seconds is not None and not ssl:
            raise ValueError(f"{name} is only meaningful with ssl")


def _checkStream(sock: Any) -> None:
    if isinstance(sock, tls.SSLSocket):
        raise TypeError("Socket cannot be of type SSLSocket")


def _unread(protocol: Any) -> bytes:
    """What a StreamReader was given before TLS and nobody has read: bytes of the handshake that came early."""
    reader = getattr(protocol, "_stream_reader", None)
    buffer = getattr(reader, "_buffer", None)
    if not isinstance(buffer, bytearray) or not buffer:
        return b""
    early = bytes(buffer)
    buffer.clear()
    return early
