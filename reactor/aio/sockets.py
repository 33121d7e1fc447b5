"""Sockets that programs read and write themselves, as coroutines: the `sock_*` methods.

Each tries first and waits only when the kernel says so. Cancelled, it leaves the descriptor as it was.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl

from reactor._core.poller import READ, WRITE
from reactor.aio.descriptors import Descriptors
from reactor.aio.files import checkSendFile, regularFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO, Any

# What one os.sendfile is asked for.
_AT_ONCE = 1 << 20
_COPIED = 256 * 1024


class Sockets(Descriptors):
    """The part of `EventLoop` with the methods for sockets."""

    async def sock_recv(self, sock: socket.socket, n: int) -> bytes:
        """Up to `n` bytes; none at the end."""
        self._checkSocket(sock)
        try:
            return sock.recv(n)
        except (BlockingIOError, InterruptedError):
            return await self._when(sock, READ, "recv", n)  # type: ignore[no-any-return]

    async def sock_recv_into(self, sock: socket.socket, buf: Any) -> int:
        """How many bytes were received into `buf`."""
        self._checkSocket(sock)
        try:
            return sock.recv_into(buf)
        except (BlockingIOError, InterruptedError):
            return await self._when(sock, READ, "recv_into", buf)  # type: ignore[no-any-return]

    async def sock_recvfrom(self, sock: socket.socket, bufsize: int) -> tuple[bytes, Any]:
        """A datagram of up to `bufsize` bytes, and who sent it."""
        self._checkSocket(sock)
        try:
            return sock.recvfrom(bufsize)
        except (BlockingIOError, InterruptedError):
            return await self._when(sock, READ, "recvfrom", bufsize)  # type: ignore[no-any-return]

    async def sock_recvfrom_into(self, sock: socket.socket, buf: Any, nbytes: int = 0) -> tuple[int, Any]:
        """How many bytes of a datagram were received into `buf`, and who sent it."""
        self._checkSocket(sock)
        if not nbytes:
            nbytes = len(buf)
        try:
            return sock.recvfrom_into(buf, nbytes)
        except (BlockingIOError, InterruptedError):
            return await self._when(sock, READ, "recvfrom_into", buf, nbytes)  # type: ignore[no-any-return]

    async def sock_sendall(self, sock: socket.socket, data: Any) -> None:
        """Send all of `data`."""
        self._checkSocket(sock)
        try:
            count = sock.send(data)
        except (BlockingIOError, InterruptedError):
            count = 0
        if count == len(data):
            return
        view = memoryview(data).cast("B")[count:]
        while view:
            count = await self._when(sock, WRITE, "send", view)
            view = view[count:]

    async def sock_sendto(self, sock: socket.socket, data: Any, address: Any) -> int:
        """Send a datagram to `address`; how many bytes."""
        self._checkSocket(sock)
        try:
            return sock.sendto(data, address)
        except (BlockingIOError, InterruptedError):
            return await self._when(sock, WRITE, "sendto", data, address)  # type: ignore[no-any-return]

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Connect to `address`, whose name is looked up when it is one."""
        self._checkSocket(sock)
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            (info, *_) = await self._lookUp(address, sock.family, sock.type, sock.proto, 0)
            address = info[4]
        try:
            sock.connect(address)
            return
        except (BlockingIOError, InterruptedError):
            # It goes on by itself.
            pass
        await self._when(sock, WRITE, _connected, sock, address)

    async def sock_accept(self, sock: socket.socket) -> tuple[socket.socket, Any]:
        """A client of the listening `sock`: its socket, non-blocking, and its address."""
        self._checkSocket(sock)
        try:
            return _accepted(sock)
        except (BlockingIOError, InterruptedError):
            return await self._when(sock, READ, _accepted, sock)  # type: ignore[no-any-return]

    async def sock_sendfile(  # type: ignore[override]
        self, sock: socket.socket, file: IO[bytes], offset: int = 0, count: int | None = None, *, fallback: bool = True
    ) -> int:
        """Send a file from `offset`, up to `count` bytes; how many. By the kernel where it can; read and sent
        otherwise, or SendfileNotAvailableError without `fallback`. The file's position is put behind what was sent.
        """
        self._checkSocket(sock)
        checkSendFile(file, offset, count)
        if sock.type != socket.SOCK_STREAM:
            raise ValueError("Only SOCK_STREAM type sockets are supported")
        try:
            return await self._sendByKernel(sock, file, offset, count)
        except asyncio.SendfileNotAvailableError:
            if not fallback:
                raise
        return await self._sendByReading(sock, file, offset, count)

    async def _sendByKernel(self, sock: socket.socket, file: IO[bytes], offset: int, count: int | None) -> int:
        fd = regularFile(file)
        sent = 0
        try:
            while count is None or sent < count:
                wanted = _AT_ONCE if count is None else min(_AT_ONCE, count - sent)
                try:
                    done = os.sendfile(sock.fileno(), fd, offset + sent, wanted)
                except (BlockingIOError, InterruptedError):
                    done = await self._when(sock, WRITE, os.sendfile, sock.fileno(), fd, offset + sent, wanted)
                if not done:
                    break
                sent += done
        except OSError as e:
            if not sent and not isinstance(e, ConnectionError):
                raise asyncio.SendfileNotAvailableError("os.sendfile call failed") from e
            raise
        finally:
            if sent and hasattr(file, "seek"):
                file.seek(offset + sent)
        return sent

    async def _sendByReading(self, sock: socket.socket, file: IO[bytes], offset: int, count: int | None) -> int:
        if hasattr(file, "seek"):
            file.seek(offset)
        sent = 0
        try:
            while count is None or sent < count:
                size = _COPIED if count is None else min(_COPIED, count - sent)
                data = await self.run_in_executor(None, file.read, size)
                if not data:
                    break
                await self.sock_sendall(sock, data)
                sent += len(data)
        finally:
            if sent and hasattr(file, "seek"):
                file.seek(offset + sent)
        return sent

    # Waiting.

    async def _when(self, sock: socket.socket, interest: int, f: Callable[..., Any] | str, *args: Any) -> Any:
        """What `f(*args)`, or the socket's method of that name, returns as soon as it does not say that it would block.

        It is asked whenever `sock` is ready for `interest`.
        """
        future = self.create_future()
        number = sock.fileno()
        self._checkFree(number)
        handle = asyncio.Handle(self._attempted, (future, sock, interest, f, args), self, None)
        self._watch(number, interest, handle, sock)
        try:
            return await future
        finally:
            if not handle._cancelled:
                self._idle(number, interest, handle)
            # An error's traceback has this frame, which is not to have the error's future.
            del future, handle

    def _attempted(
        self,
        future: asyncio.Future[Any],
        sock: socket.socket,
        interest: int,
        f: Callable[..., Any] | str,
        args: tuple[Any, ...],
    ) -> None:
        if not future.done():
            try:
                result = (getattr(sock, f) if isinstance(f, str) else f)(*args)
            except (BlockingIOError, InterruptedError):
                return
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as e:
                future.set_exception(e)
                # The traceback has this frame too.
                del future
            else:
                future.set_result(result)
        self._idle(sock.fileno(), interest, None)

    def _checkSocket(self, sock: socket.socket) -> None:
        if isinstance(sock, ssl.SSLSocket):
            raise TypeError("Socket cannot be of type SSLSocket")
        if self._debug and sock.gettimeout() != 0:
            raise ValueError("the socket must be non-blocking")


def _connected(sock: socket.socket, address: Any) -> None:
    problem = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if problem:
        raise OSError(problem, f"Connect call failed {address!r}")


def _accepted(sock: socket.socket) -> tuple[socket.socket, Any]:
    client, address = sock.accept()
    client.setblocking(False)
    return client, address
