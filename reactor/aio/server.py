"""Servers of asyncio: the reactor's ports, which accept in batches and survive a shortage of descriptors, with
connections of asyncio's kind behind them.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl as tls
import stat
from asyncio.log import logger
from asyncio.trsock import TransportSocket

from reactor._transport.server.port import Port, Reserve
from reactor.aio.connections import Connections, sideFor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from reactor.aio.transport import StreamTransport


class _Nothing:
    """Stands where a port of ours has its factory."""

    def doStart(self) -> None:
        """The server knows."""

    def doStop(self) -> None:
        """The server knows."""


class _Listener:
    """What a port asks how to listen and whom to give a client."""

    def __init__(self, server: Server, sock: socket.socket) -> None:
        self._server = server
        self.sock = sock
        self.interface: Any = ""
        self.port: Any = 0

    def listen(self) -> socket.socket:
        """The socket, listening."""
        self.sock.listen(self._server._backlog)
        return self.sock

    def address(self, sockaddr: Any) -> Any:
        """The address as it is."""
        return sockaddr

    def admit(self, port: Port, sock: socket.socket, sockaddr: Any) -> None:
        """A client came."""
        self._server._admit(sock, sockaddr)

    def closed(self) -> None:
        """The socket is closed."""


class _Port(Port):
    """A port that says nothing in the log of the reactor's own servers."""

    __slots__ = ()


class Server(asyncio.AbstractServer):
    """What `create_server` and `create_unix_server` return."""

    def __init__(
        self,
        loop: Servers,
        sockets: Sequence[socket.socket],
        protocolFactory: Callable[[], Any],
        backlog: int,
        ssl: tls.SSLContext | None,
        handshakeTimeout: float | None,
        shutdownTimeout: float | None,
    ) -> None:
        """Not listening yet."""
        self._loop = loop
        self._listeners: list[_Listener] | None = [_Listener(self, sock) for sock in sockets]
        self._ports: list[Port] = []
        self._protocolFactory = protocolFactory
        self._backlog = backlog
        # Named as asyncio's servers have it: the tests of libraries look there for whether a server speaks TLS.
        self._ssl_context = ssl
        self._timeouts = handshakeTimeout, shutdownTimeout
        self._transports: set[StreamTransport] = set()
        self._serving = False
        self._forever: asyncio.Future[None] | None = None
        self._waiting: list[asyncio.Future[None]] | None = []
        # What removes the file of a UNIX socket.
        self._cleanup: Callable[[], object] | None = None

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The loop that it serves on."""
        return self._loop

    def is_serving(self) -> bool:
        """Whether it accepts clients."""
        return self._serving

    @property
    def sockets(self) -> tuple[TransportSocket, ...]:
        """What it listens on; none when it is closed."""
        if self._listeners is None:
            return ()
        return tuple(TransportSocket(each.sock) for each in self._listeners)

    async def start_serving(self) -> None:
        """Accept clients; harmless when it does. RuntimeError when it is closed."""
        self._start()
        await asyncio.sleep(0)

    def _start(self) -> None:
        if self._serving:
            return
        if self._listeners is None:
            raise RuntimeError(f"server {self!r} is closed")
        self._serving = True
        for listener in self._listeners:
            port = _Port(self._loop._loop, self._loop._reserved(), listener, _NOTHING)  # type: ignore[arg-type]
            port.startListening()
            self._ports.append(port)

    async def serve_forever(self) -> None:
        """Accept clients until this is cancelled, which closes the server."""
        if self._forever is not None:
            raise RuntimeError(f"server {self!r} is already being awaited on serve_forever()")
        if self._listeners is None:
            raise RuntimeError(f"server {self!r} is closed")
        self._start()
        self._forever = self._loop.create_future()
        try:
            await self._forever
        except asyncio.CancelledError:
            try:
                self.close()
                await self.wait_closed()
            finally:
                raise
        finally:
            self._forever = None

    def close(self) -> None:
        """Accept nobody any more. Who is connected stays; see `close_clients`, `abort_clients`."""
        listeners, self._listeners = self._listeners, None
        if listeners is None:
            return
        self._serving = False
        ports, self._ports = self._ports, []
        for port in ports:
            port.stopListening()
        for listener in listeners:
            listener.sock.close()
        if self._cleanup is not None:
            self._cleanup()
        if self._forever is not None and not self._forever.done():
            self._forever.cancel()
        self._wakeup()

    def close_clients(self) -> None:
        """Close every connection, after what waits to be sent."""
        for transport in list(self._transports):
            transport.close()

    def abort_clients(self) -> None:
        """Close every connection at once."""
        for transport in list(self._transports):
            transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the server is closed and every connection has ended."""
        if self._waiting is None:
            return
        waiter = self._loop.create_future()
        self._waiting.append(waiter)
        await waiter

    def __repr__(self) -> str:
        return f"<{type(self).__name__} sockets={self.sockets!r}>"

    # Connections.

    def _attach(self, transport: StreamTransport) -> None:
        self._transports.add(transport)

    def _detach(self, transport: StreamTransport) -> None:
        self._transports.discard(transport)
        self._wakeup()

    def _wakeup(self) -> None:
        if self._listeners is not None or self._transports:
            return
        waiting, self._waiting = self._waiting, None
        for waiter in waiting or ():
            if not waiter.done():
                waiter.set_result(None)

    def _admit(self, sock: socket.socket, sockaddr: Any) -> None:
        loop = self._loop
        try:
            transport = loop._transportOn(
                sock,
                self._protocolFactory(),
                self._ssl_context,
                True,
                None,
                *self._timeouts,
                server=self,
                extra={"peername": sockaddr},
            )
            transport.begin()
        except (SystemExit, KeyboardInterrupt) as e:
            sock.close()
            loop._loop.escape(e)
        except BaseException as e:
            sock.close()
            loop.call_exception_handler(
                {"message": "Error on transport creation for incoming connection", "exception": e}
            )


_NOTHING = _Nothing()


class Servers(Connections):
    """The part of `EventLoop` that listens."""

    def _reserved(self) -> Reserve:
        reactor = self._reactor
        if reactor._reserve is None:
            reactor._reserve = Reserve()
        return reactor._reserve

    async def create_server(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], Any],
        host: str | Sequence[str] | None = None,
        port: int | str | None = None,
        *,
        family: int = socket.AF_UNSPEC,
        flags: int = socket.AI_PASSIVE,
        sock: socket.socket | None = None,
        backlog: int = 100,
        ssl: tls.SSLContext | None = None,
        reuse_address: bool | None = None,
        reuse_port: bool | None = None,
        keep_alive: bool | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        start_serving: bool = True,
    ) -> Server:
        """Listen on every address of `host` (several may be given; None or "": all), or on `sock`.

        `protocol_factory()` is called for each client. OSError when an address cannot be bound; nothing listens then.
        """
        self._checkServerSide(ssl, ssl_handshake_timeout, ssl_shutdown_timeout)
        if sock is not None:
            _checkListening(sock)
        if host is not None or port is not None:
            if sock is not None:
                raise ValueError("host/port and sock can not be specified at the same time")
            sockets = await self._bound(host, port, family, flags, reuse_address, reuse_port, keep_alive)
        elif sock is None:
            raise ValueError("Neither host/port nor sock were specified")
        else:
            if sock.type != socket.SOCK_STREAM:
                raise ValueError(f"A Stream Socket was expected, got {sock!r}")
            sockets = [sock]
        for each in sockets:
            each.setblocking(False)
        server = Server(self, sockets, protocol_factory, backlog, ssl, ssl_handshake_timeout, ssl_shutdown_timeout)
        if start_serving:
            server._start()
            await asyncio.sleep(0)
        return server

    async def create_unix_server(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], Any],
        path: Any = None,
        *,
        sock: socket.socket | None = None,
        backlog: int = 100,
        ssl: tls.SSLContext | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        start_serving: bool = True,
        cleanup_socket: bool = True,
    ) -> Server:
        """Listen on the UNIX socket at `path`, or on `sock`. With `cleanup_socket` its file is removed at the end,
        unless another one has taken its place.
        """
        self._checkServerSide(ssl, ssl_handshake_timeout, ssl_shutdown_timeout)
        if path is not None:
            if sock is not None:
                raise ValueError("path and sock can not be specified at the same time")
            path = os.fspath(path)
            sock = _boundUNIX(path)
        elif sock is None:
            raise ValueError("path was not specified, and no sock specified")
        elif sock.family != socket.AF_UNIX or sock.type != socket.SOCK_STREAM:
            raise ValueError(f"A UNIX Domain Stream Socket was expected, got {sock!r}")
        else:
            path = sock.getsockname()
        sock.setblocking(False)
        server = Server(self, [sock], protocol_factory, backlog, ssl, ssl_handshake_timeout, ssl_shutdown_timeout)
        if cleanup_socket and path and path[0] not in (0, "\x00"):
            server._cleanup = _cleanupOf(path)
        if start_serving:
            server._start()
            await asyncio.sleep(0)
        return server

    def _checkServerSide(self, ssl: object, handshakeTimeout: float | None, shutdownTimeout: float | None) -> None:
        if isinstance(ssl, bool):
            raise TypeError("ssl argument must be an SSLContext or None")
        for name, seconds in (("ssl_handshake_timeout", handshakeTimeout), ("ssl_shutdown_timeout", shutdownTimeout)):
            if seconds is not None and ssl is None:
                raise ValueError(f"{name} is only meaningful with ssl")
        if ssl is not None:
            sideFor(ssl, True, None, handshakeTimeout, shutdownTimeout)  # type: ignore[arg-type]

    async def _bound(
        self,
        host: str | Sequence[str] | None,
        port: Any,
        family: int,
        flags: int,
        reuseAddress: bool | None,
        reusePort: bool | None,
        keepAlive: bool | None,
    ) -> list[socket.socket]:
        if reuseAddress is None:
            reuseAddress = True
        hosts: Iterable[Any]
        if host == "":
            hosts = [None]
        elif isinstance(host, str) or not hasattr(host, "__iter__"):
            hosts = [host]
        else:
            hosts = host  # type: ignore[assignment]
        found = await asyncio.gather(
            *[self._lookUp((each, port), family, socket.SOCK_STREAM, 0, flags) for each in hosts]
        )
        infos = list(dict.fromkeys(info for each in found for info in each))
        sockets: list[socket.socket] = []
        number: int | None = None
        try:
            for family_, kind, proto, _, sockaddr in infos:
                try:
                    sock = socket.socket(family_, kind, proto)
                except OSError as e:
                    # The machine does not speak that family, mostly.
                    number = e.errno
                    if self._debug:
                        logger.warning(
                            "create_server() failed to create socket.socket(%r, %r, %r)",
                            family_,
                            kind,
                            proto,
                            exc_info=True,
                        )
                    continue
                sockets.append(sock)
                if reuseAddress:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, True)
                if reusePort and family_ in (socket.AF_INET, socket.AF_INET6):
                    _shared(sock)
                if keepAlive:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, True)
                if family_ == socket.AF_INET6 and hasattr(socket, "IPPROTO_IPV6"):
                    # So that the same port of IPv4 can be bound beside it.
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, True)
                try:
                    sock.bind(sockaddr)
                except OSError as e:
                    text = f"error while attempting to bind on address {sockaddr!r}: {str(e.strerror).lower()}"
                    if e.errno == errno.EADDRNOTAVAIL and len(infos) > 1:
                        # One of several families that this machine has no such address of.
                        sockets.pop().close()
                        continue
                    raise OSError(e.errno, text) from None
            if not sockets:
                text = f"could not bind on any address out of {[info[4] for info in infos]!r}"
                raise OSError(text) if number is None else OSError(number, f"{text}: {os.strerror(number).lower()}")
        except BaseException:
            for sock in sockets:
                sock.close()
            raise
        return sockets


def _shared(sock: socket.socket) -> None:
    if not hasattr(socket, "SO_REUSEPORT"):
        raise ValueError("reuse_port not supported by socket module")
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, True)
    except OSError:
        raise ValueError(
            "reuse_port not supported by socket module, SO_REUSEPORT defined but not implemented."
        ) from None


def _checkListening(sock: Any) -> None:
    if isinstance(sock, tls.SSLSocket):
        raise TypeError("Socket cannot be of type SSLSocket")


def _boundUNIX(path: Any) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    if path and path[0] not in (0, "\x00"):
        try:
            if stat.S_ISSOCK(os.stat(path).st_mode):
                # What a server left that was there before; asyncio's habit.
                os.remove(path)
        except OSError:
            # None there, as usual; or binding will tell.
            pass
    try:
        sock.bind(path)
    except OSError as e:
        sock.close()
        if e.errno == errno.EADDRINUSE:
            raise OSError(errno.EADDRINUSE, f"Address {path!r} is already in use") from None
        raise
    except BaseException:
        sock.close()
        raise
    return sock


def _cleanupOf(path: Any) -> Callable[[], object] | None:
    try:
        there = os.stat(path)
    except OSError:
        return None

    def remove() -> None:
        try:
            now = os.stat(path)
            if (now.st_dev, now.st_ino) == (there.st_dev, there.st_ino):
                os.unlink(path)
        except FileNotFoundError:
            pass
        except OSError as e:
            logger.error("Unable to clean up listening UNIX socket %r: %s", path, e)

    return remove
