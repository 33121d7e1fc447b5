"""Files on their way out of a connection, in order with what is written before and after them.

On a plain connection a `Sending` is the producer of the wire. The kernel copies a file straight from its cache
(`os.sendfile`); what is written meanwhile is held back until its turn comes. A file that has no descriptor, or whose
kind the kernel refuses, is read instead, a piece at a time. A connection that is not plain, one under TLS, has its
bytes read and written by a pull producer like any other program's.

One trick saves the wire from knowing of any of this: the piece that waits for room in the socket is always one that was
read. When it is sent, the wire asks its producer for more, and then `sendfile` goes on. An error of the socket is found
by that piece too, and so has one place.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from io import FileIO

from reactor._transport.stream.lifecycle import WRITING
from reactor._transport.stream.producers import Source
from reactor._transport.stream.wire import Wire
from reactor.defer import Deferred, fail
from reactor.error import ConnectionLost, WriteBufferFull
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What is read and waits for room. A small file is one of these, and leaves with what was written before it.
PIECE = 16384
# Most that one turn of the loop hands to the kernel.
AT_ONCE = 1 << 20


def sendFile(transport: Any, file: Any, offset: int, count: int | None) -> Deferred[int]:
    """What `StreamTransport.sendFile` does."""
    _check("offset", offset)
    if count is not None:
        _check("count", count)
    wire = transport._wire
    # Under TLS the one or the other is a layer.
    plain = transport._top is wire and wire.receiver is transport._receiver
    if plain and wire.state not in WRITING:
        return fail(_lost(transport, 0, "it is closed, or asked to close"))
    job = _Job(transport, file, offset, count)
    if not plain:
        return _Copying(transport, job).begin()
    source = wire.source
    if not isinstance(source, Sending):
        if source is not None:
            job.close()
            raise RuntimeError(f"cannot send {file!r}: {source.producer!r} is registered and was not unregistered")
        wire.source = source = Sending(wire)
    return source.add(job)


def _check(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"transport.sendFile(): {name} must be an int, not {value!r}")
    if value < 0:
        raise ValueError(f"transport.sendFile(): {name} must not be negative, not {value}")


def _lost(transport: Any, sent: int, why: str) -> ConnectionLost:
    peer = transport.getPeer()
    problem = ConnectionLost(
        f"{sent} bytes of the file were sent over the connection: {why}",
        host=getattr(peer, "host", None),
        port=getattr(peer, "port", None),
    )
    problem.sent = sent  # type: ignore[attr-defined]
    return problem


class _Job:
    """A file: where it is read next, how much is left, and who waits for it."""

    def __init__(self, transport: Any, file: Any, offset: int, count: int | None) -> None:
        self._transport = transport
        self._file = file
        self._offset = offset
        self._left = count
        self.sent = 0
        self.done: Deferred[int] = Deferred()
        # Of its own: the program may close the file, and the number be another file's, before all is sent.
        self._fd = _descriptor(file)
        self.kernelSends = self._fd >= 0 and hasattr(os, "sendfile")
        # Its turn may be after that of another part of the same file.
        self._begun = self._fd >= 0

    @property
    def left(self) -> int:
        """Bytes that are still wanted; more than any file has when it is wanted whole."""
        return 1 << 62 if self._left is None else self._left

    def _gone(self, count: int) -> None:
        self.sent += count
        self._offset += count
        if self._left is not None:
            self._left -= count

    def read(self, size: int) -> bytes:
        """The next piece; empty at the end. Raises what reading raises."""
        size = min(size, self.left)
        if not size:
            return b""
        if not self._begun:
            self._begun = True
            if self._offset or (hasattr(self._file, "seekable") and self._file.seekable()):
                self._file.seek(self._offset)
        data = self._file.read(size) if self._fd < 0 else os.pread(self._fd, size, self._offset)
        if not isinstance(data, bytes):
            raise TypeError(f"transport.sendFile(): {self._file!r} must give bytes, not {type(data).__name__}")
        self._gone(len(data))
        return data

    def send(self, out: int) -> None:
        """Let the kernel send to the socket `out` what it has room for, up to AT_ONCE bytes."""
        try:
            self._gone(os.sendfile(out, self._fd, self._offset, min(AT_ONCE, self.left)))
        except BlockingIOError:
            pass
        except OSError:
            # The file's kind, the file or the socket. Reading and writing will tell.
            self.kernelSends = False

    def close(self) -> None:
        """Give the descriptor back."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def finish(self) -> None:
        """All is sent."""
        self.close()
        if not self.done.called:
            self.done.callback(self.sent)

    def failed(self, problem: BaseException) -> None:
        """The file cannot be read further."""
        self.close()
        if not self.done.called:
            self.done.errback(Failure(problem))

    def lost(self) -> None:
        """The connection ended."""
        self.failed(_lost(self._transport, self.sent, "it ended"))


def _descriptor(file: Any) -> int:
    """A descriptor of the regular file that `file` reads as it is, -1 if there is none.

    Not `file.fileno()`, which the reader of a compressed file has as well.
    """
    file = getattr(file, "file", file)  # the wrappers of `tempfile`
    raw = getattr(file, "raw", file)
    if not isinstance(raw, FileIO):
        return -1
    if file.writable():
        file.flush()
    if not stat.S_ISREG(os.fstat(raw.fileno()).st_mode):
        return -1
    return os.dup(raw.fileno())


class Sending(Source):
    """The producer of a plain wire while there are files to send."""

    __slots__ = ("_feeding", "_held", "_queue", "_wire")

    def __init__(self, wire: Wire) -> None:
        # None: the program has registered no producer.
        super().__init__(None, False)
        self._wire = wire
        # Invariant: as long as this is the wire's source, something is queued in the wire, or `drained` is running; so
        # `drained` is going to be called. What waits here goes out behind it, in this order.
        self._queue: deque[_Job | bytes | memoryview] = deque()
        self._held = 0
        self._feeding = False

    def add(self, job: _Job) -> Deferred[int]:
        """Send the file after all that was written. The Deferred fires with the number of bytes sent."""

        def cancel(_: object) -> None:
            self._drop(job)
            job.close()

        job.done = Deferred(cancel)
        self._queue.append(job)
        if self._queue[0] is job and not self._read(job):
            self._drop(job)
            job.finish()
        return job.done

    def fill(self, size: int) -> None:
        """The program wrote something, or this did."""
        if self._feeding:
            return
        wire = self._wire
        piece = wire.takeBack()
        if wire.state not in WRITING:
            # After loseConnection. The wire takes it for what a producer still had to write.
            return
        self._queue.append(piece)
        self._held += len(piece)
        limit = wire.writeBufferLimit
        if limit is not None and wire.buffered + self._held > limit:
            wire.abort(Failure(WriteBufferFull(limit=limit, buffered=wire.buffered + self._held)))

    def drained(self) -> None:
        """All that was queued is sent."""
        wire, queue = self._wire, self._queue
        while wire.source is self:
            while queue and not isinstance(queue[0], _Job):
                piece = queue.popleft()
                self._held -= len(piece)  # type: ignore[arg-type]
                self._write(piece)
            if not queue:
                self._leave()
                return
            job = queue[0]
            assert isinstance(job, _Job)
            if job.kernelSends and not wire.buffered:
                job.send(wire.fd)
            if self._read(job):
                return
            self._drop(job)
            job.finish()

    def _read(self, job: _Job) -> bool:
        """Queue the next piece of the file; False when it has none, or none that can be read."""
        wire = self._wire
        size = PIECE
        if wire.writeBufferLimit is not None:
            size = min(size, wire.writeBufferLimit - wire.buffered)
            if size <= 0 and wire.buffered:
                return True
        try:
            piece = job.read(max(1, size))
        except Exception as e:
            self._drop(job)
            job.failed(e)
            return False
        if piece:
            self._write(piece)
        return bool(piece)

    def _drop(self, job: _Job) -> None:
        """The file is done with. What follows it goes out now, or the producer's place is free."""
        if job in self._queue:
            self._queue.remove(job)
        if not self._queue:
            self._leave()

    def _write(self, piece: Any) -> None:
        self._feeding = True
        try:
            self._wire.write(piece)
        finally:
            self._feeding = False

    def _leave(self) -> None:
        if self._wire.source is self:
            self._wire.sourceGone()

    def stop(self) -> None:
        """The connection ended."""
        jobs = [job for job in self._queue if isinstance(job, _Job)]
        self._queue.clear()
        for job in jobs:
            job.lost()


class _Copying:
    """A pull producer that reads a file and writes it to a transport."""

    def __init__(self, transport: Any, job: _Job) -> None:
        self._transport = transport
        self._job = job
        self._over = False

    def begin(self) -> Deferred[int]:
        """Register with the transport; RuntimeError when it has a producer."""
        done = self._job.done = Deferred(lambda _: self._end())
        try:
            self._transport.registerProducer(self, False)
        except BaseException:
            self._job.close()
            raise
        return done

    def resumeProducing(self) -> None:
        """Write one piece, or end."""
        try:
            piece = self._job.read(65536)
        except Exception as e:
            self._end()
            self._job.failed(e)
            return
        if piece:
            self._transport.write(piece)
        else:
            self._end()
            self._job.finish()

    def stopProducing(self) -> None:
        """The connection ended."""
        if not self._over:
            self._over = True
            self._job.lost()

    def _end(self) -> None:
        if not self._over:
            self._over = True
            self._job.close()
            self._transport.unregisterProducer()
