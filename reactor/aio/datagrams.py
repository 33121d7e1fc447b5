"""Datagrams: the reactor's sockets, which receive in bounded batches, under asyncio's words.

What the kernel has no room for is kept and sent later, as asyncio promises, and the protocol is told to pause above the
high mark.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from asyncio.log import logger
from asyncio.trsock import TransportSocket
from collections import deque

from reactor._core.poller import READ, WRITE
from reactor._transport.datagram.socket import DatagramSocket
from reactor.aio.flow import HIGH, Limited
from reactor.aio.sockets import Sockets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reactor.failure import Failure

# The most that a datagram of IP can hold.
_LARGEST = 65536
# What an empty datagram counts for in the buffer, so that not even those are kept without a bound.
_HEAD = 8


class _Socket(DatagramSocket):
    """The reactor's side of a datagram transport."""

    __slots__ = ("transport",)

    def __init__(self, loop: Any, transport: DatagramTransport, sock: socket.socket, protocol: Any) -> None:
        super().__init__(loop, protocol, _LARGEST)
        self.transport = transport
        self._sock = sock
        self.fd = sock.fileno()

    def _receivedAll(self, problem: OSError) -> bool:
        if isinstance(problem, (BlockingIOError, InterruptedError)):
            return True
        self.transport._tellError(problem)
        return False

    def _deliver(self, data: bytes, sender: Any) -> None:
        self.transport._deliver(data, sender)

    def writable(self) -> None:
        """There is room again."""
        self.transport._flush()

    def disconnect(self, reason: Failure) -> None:
        """The reactor stops."""
        self.transport.abort()

    def public(self) -> object:
        """The transport."""
        return self.transport

    def getHost(self) -> Any:
        """The local address."""
        return self.transport.get_extra_info("sockname")

    def over(self) -> None:
        """Close the socket."""
        self._loop.poller.forget(self)
        self._close()


class DatagramTransport(Limited, asyncio.Transport, asyncio.DatagramTransport):
    """What `create_datagram_endpoint` returns."""

    if TYPE_CHECKING:
        _extra: dict[str, Any]

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_address",
        "_closing",
        "_high",
        "_lateWrites",
        "_loop",
        "_low",
        "_pausedWriting",
        "_protocol",
        "_queue",
        "_queued",
        "_socket",
        "_told",
    )

    def __init__(self, loop: Datagrams, sock: socket.socket, protocol: Any, address: Any) -> None:
        """`address` is the one peer, or None."""
        super().__init__({"socket": TransportSocket(sock)})
        self._loop = loop
        self._protocol = protocol
        self._address = address
        self._socket = _Socket(loop._loop, self, sock, protocol)
        self._queue: deque[tuple[bytes, Any]] = deque()
        self._queued = 0
        self._high, self._low = HIGH, HIGH // 4
        self._pausedWriting = self._closing = self._told = False
        self._lateWrites = 0
        for name, ask in (("sockname", sock.getsockname), ("peername", sock.getpeername)):
            try:
                self._extra[name] = ask()
            except OSError:
                self._extra[name] = None
        if address is not None and self._extra["peername"] is None:
            self._extra["peername"] = address

    def _begin(self) -> None:
        self._loop._loop.poller.add(self._socket, READ)
        self._tell("connection_made", self)

    # In.

    def _deliver(self, data: bytes, sender: Any) -> None:
        # What a protocol raises is reported, and it hears of the next datagram: there is no connection to end.
        try:
            self._protocol.datagram_received(data, sender)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as e:
            self._report(e, "Fatal error: protocol.datagram_received() call failed.")

    def _tellError(self, problem: OSError) -> None:
        self._tell("error_received", problem)

    def _tell(self, method: str, *args: Any) -> None:
        try:
            getattr(self._protocol, method)(*args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as e:
            self._report(e, f"Fatal error: protocol.{method}() call failed.")

    # Out.

    def sendto(self, data: Any, addr: Any = None) -> None:
        """Send a datagram to `addr`, or to the one peer. What the kernel has no room for waits.

        ValueError for another address than that of the one peer.
        """
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"data argument must be a bytes-like object, not {type(data).__name__!r}")
        if self._address is not None:
            if addr not in (None, self._address):
                raise ValueError(f"Invalid address: must be None or {self._address}")
            addr = None if self._connected else self._address
        if self._closing:
            self._lateWrites += 1
            if self._lateWrites == 1 and self._told:
                logger.warning("%r is over: what is sent on it from now on is dropped", self)
            return
        if not self._queue:
            try:
                self._send(data, addr)
                return
            except (BlockingIOError, InterruptedError):
                self._loop._loop.poller.want(self._socket, WRITE)
            except OSError as e:
                self._tellError(e)
                return
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as e:
                self._report(e, "Fatal write error on datagram transport")
                self._force(e)
                return
        self._queue.append((bytes(data), addr))
        self._queued += len(data) + _HEAD
        self._press()

    @property
    def _connected(self) -> bool:
        return self._extra["peername"] is not None

    def _send(self, data: Any, addr: Any) -> None:
        sock = self._socket._sock
        assert sock is not None
        if addr is None and self._connected:
            sock.send(data)
        else:
            sock.sendto(data, addr)

    def _flush(self) -> None:
        queue = self._queue
        while queue:
            data, addr = queue[0]
            try:
                self._send(data, addr)
            except (BlockingIOError, InterruptedError):
                break
            except OSError as e:
                self._tellError(e)
            except BaseException as e:
                self._report(e, "Fatal write error on datagram transport")
                self._force(e)
                return
            if not queue:
                # Told of an error, the protocol has aborted.
                return
            queue.popleft()
            self._queued -= len(data) + _HEAD
        if not queue:
            self._loop._loop.poller.drop(self._socket, WRITE)
            if self._closing:
                self._force(None)
                return
        if self._queued <= self._low:
            self._resumeWriting()

    def _press(self) -> None:
        if self._queued > self._high and not self._pausedWriting:
            self._pauseWriting()

    def get_write_buffer_size(self) -> int:
        """Bytes that wait to be sent, with a few for each datagram."""
        return self._queued

    # The end.

    def is_closing(self) -> bool:
        """Whether it is closed, or asked to close."""
        return self._closing

    def close(self) -> None:
        """Send what waits, then close; `connection_lost(None)` follows."""
        if self._closing:
            return
        self._closing = True
        self._loop._loop.poller.drop(self._socket, READ)
        if not self._queue:
            self._lost(None)

    def abort(self) -> None:
        """Close at once and drop what waits."""
        self._force(None)

    def _force(self, problem: BaseException | None) -> None:
        self._closing = True
        self._queue.clear()
        self._queued = 0
        self._lost(problem)

    def _lost(self, problem: BaseException | None) -> None:
        if self._told:
            return
        self._told = True
        loop = self._loop
        loop._loop.poller.drop(self._socket, READ | WRITE)
        if loop.is_closed():
            self._socket.over()
        else:
            loop.call_soon(self._tellLost, problem)

    def _tellLost(self, problem: BaseException | None) -> None:
        try:
            self._protocol.connection_lost(problem)
        finally:
            self._socket.over()

    def __del__(self) -> None:
        if getattr(self, "_told", True) or self._loop.is_closed():
            return
        import warnings

        warnings.warn(f"unclosed transport {self!r}", ResourceWarning, stacklevel=1, source=self)

    # Who.

    def get_protocol(self) -> Any:
        """Who is told."""
        return self._protocol

    def set_protocol(self, protocol: Any) -> None:
        """Tell `protocol` from now on."""
        self._protocol = self._socket.protocol = protocol

    def _report(self, problem: BaseException, text: str) -> None:
        self._loop.call_exception_handler(
            {"message": text, "exception": problem, "transport": self, "protocol": self._protocol}
        )

    def __repr__(self) -> str:
        state = "closed" if self._told else "closing" if self._closing else "open"
        return f"<{type(self).__name__} fd={self._socket.fd} {state} {self._protocol.__class__.__name__}>"


class Datagrams(Sockets):
    """The part of `EventLoop` that makes sockets for datagrams."""

    async def create_datagram_endpoint(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], Any],
        local_addr: Any = None,
        remote_addr: Any = None,
        *,
        family: int = 0,
        proto: int = 0,
        flags: int = 0,
        reuse_port: bool | None = None,
        allow_broadcast: bool | None = None,
        sock: socket.socket | None = None,
    ) -> tuple[DatagramTransport, Any]:
        """A socket for datagrams, bound to `local_addr` and connected to `remote_addr` where they are given: (host,
        port), or a path with `family` AF_UNIX; or `sock`. The transport and `protocol_factory()`.
        """
        if sock is not None:
            if sock.type == socket.SOCK_STREAM:
                raise ValueError(f"A datagram socket was expected, got {sock!r}")
            given = {
                "local_addr": local_addr,
                "remote_addr": remote_addr,
                "family": family,
                "proto": proto,
                "flags": flags,
                "reuse_port": reuse_port,
                "allow_broadcast": allow_broadcast,
            }
            problems = ", ".join(f"{name}={value}" for name, value in given.items() if value)
            if problems:
                raise ValueError(
                    f"socket modifier keyword arguments can not be used when sock is specified. ({problems})"
                )
            sock.setblocking(False)
            address = None
        else:
            places = await self._datagramPlaces(local_addr, remote_addr, family, proto, flags)
            sock, address = self._datagramSocket(places, reuse_port, allow_broadcast, local_addr, remote_addr)
        try:
            protocol = protocol_factory()
            transport = DatagramTransport(self, sock, protocol, address)
        except BaseException:
            sock.close()
            raise
        if self._debug:
            logger.info(
                "Datagram endpoint local_addr=%r remote_addr=%r created: (%r, %r)",
                local_addr,
                remote_addr,
                transport,
                protocol,
            )
        transport._begin()
        await asyncio.sleep(0)
        return transport, protocol

    async def _datagramPlaces(
        self, local: Any, remote: Any, family: int, proto: int, flags: int
    ) -> list[tuple[int, int, Any, Any]]:
        """What to try: family, protocol, and the two addresses."""
        if local is None and remote is None:
            if not family:
                raise ValueError("unexpected address family")
            return [(family, proto, None, None)]
        if hasattr(socket, "AF_UNIX") and family == socket.AF_UNIX:
            for address in (local, remote):
                if address is not None and not isinstance(address, str):
                    raise TypeError("string is expected")
            if local and local[0] not in (0, "\x00"):
                try:
                    if stat.S_ISSOCK(os.stat(local).st_mode):
                        os.remove(local)
                except OSError:
                    # None there, or binding will tell.
                    pass
            return [(family, proto, local, remote)]
        found: dict[tuple[int, int], list[Any]] = {}
        for index, address in enumerate((local, remote)):
            if address is None:
                continue
            if not (isinstance(address, tuple) and len(address) == 2):
                raise TypeError("2-tuple is expected")
            infos = await self._lookUp(address, family, socket.SOCK_DGRAM, proto, flags)
            if not infos:
                raise OSError("getaddrinfo() returned empty list")
            for info in infos:
                found.setdefault((info[0], info[2]), [None, None])[index] = info[4]
        places = [
            (family_, proto_, *pair)
            for (family_, proto_), pair in found.items()
            if not ((local and pair[0] is None) or (remote and pair[1] is None))
        ]
        if not places:
            raise ValueError("can not get address information")
        return places

    def _datagramSocket(
        self,
        places: list[tuple[int, int, Any, Any]],
        reusePort: bool | None,
        broadcast: bool | None,
        local: Any,
        remote: Any,
    ) -> tuple[socket.socket, Any]:
        problem: OSError | None = None
        for family, proto, bindTo, connectTo in places:
            sock = None
            try:
                sock = socket.socket(family, socket.SOCK_DGRAM, proto)
                if reusePort:
                    from reactor.aio.server import _shared

                    _shared(sock)
                if broadcast:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                sock.setblocking(False)
                if bindTo:
                    sock.bind(bindTo)
                if connectTo and not broadcast:
                    sock.connect(connectTo)
                return sock, connectTo
            except OSError as e:
                if sock is not None:
                    sock.close()
                problem = problem or e
            except BaseException:
                if sock is not None:
                    sock.close()
                raise
        assert problem is not None
        raise problem
