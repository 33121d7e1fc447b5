"""File descriptors that travel with the bytes of a UNIX connection (SCM_RIGHTS, unix(7)).

A wire knows only bytes. Where descriptors are in play, a `Passing` is put between the wire and its socket, where it
sends and receives them along with the bytes, and, where the protocol wants them, between the wire and the protocol,
where it hands them over. All other connections never meet it.

What the protocol has not been given is closed with the connection. A protocol that wants none needs nobody to close
them: the kernel does when the bytes are received without asking for them.
"""

from __future__ import annotations

import errno
import os
import socket
import struct

from reactor._transport.stream.lifecycle import READING
from reactor.error import ConnectionLost, FileDescriptorOverrun
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reactor._core.loop import Loop
    from reactor._transport.stream.wire import Wire

# Linux takes at most 253 in one message (SCM_MAX_FD), and a receive never joins the descriptors of two.
_SPACE = socket.CMSG_SPACE(253 * 4)
# Received descriptors are not for children.
_FLAGS = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
# So many wait to be sent when a producer is paused.
_MANY = 64


class Passing:
    """A wire's socket and receiver, with descriptors. What it does not define is the socket's."""

    __slots__ = ("_arrived", "_held", "_loop", "_lost", "_marked", "_sent", "_waiting", "_wire", "receiver", "sock")

    def __init__(self, loop: Loop, wire: Wire) -> None:
        """Put itself between `wire` and its socket."""
        self._loop = loop
        self._wire: Wire | None = wire
        self.sock = wire.socket
        wire.socket = self  # type: ignore[assignment]
        # Who gets descriptors; None when nobody wants any.
        self.receiver: Any = None
        # Received with the bytes that are about to be handed on.
        self._arrived: list[int] = []
        # Those bytes, while the protocol has paused at one of the descriptors.
        self._held = b""
        # Whether the kernel had to drop some.
        self._lost = False
        # Bytes sent since this began, and [number of the byte to go with, descriptor], whose numbers ascend.
        self._sent = 0
        self._waiting: list[list[int]] = []
        # Invariant: marked means that `flush` is going to be called.
        self._marked = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)

    # In.

    def recv(self, size: int) -> bytes:
        """Receive bytes, and keep the descriptors that came with them. None, not even the end, before those are handed
        on that are here: BlockingIOError.
        """
        if self._held:
            raise BlockingIOError(errno.EAGAIN, "some are here already")
        if self.receiver is None:
            return self.sock.recv(size)
        data, ancillary, flags, _ = self.sock.recvmsg(size, _SPACE, _FLAGS)
        for level, kind, body in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                self._arrived += struct.unpack(f"{len(body) // 4}i", body[: len(body) // 4 * 4])
        if flags & socket.MSG_CTRUNC:
            self._lost = True
        return data

    def dataReceived(self, data: bytes) -> None:
        """Hand on what came: descriptors first."""
        wire = self._wire
        assert wire is not None
        if self._held:
            data, self._held = self._held + data, b""
        if self._lost:
            # Which of them is missing, the protocol could not tell.
            text = "this process has no room for the file descriptors that the peer sent"
            wire.abort(Failure(ConnectionLost(text, osError=errno.EMFILE)))
            return
        arrived = self._arrived
        while arrived and self.receiver is not None:
            self.receiver.fileDescriptorReceived(arrived.pop(0))
            if wire.state not in READING:
                # The protocol wants no more.
                return
            if wire.paused:
                self._held = data
                return
        _close(arrived)
        # Who gets the bytes may have been replaced.
        receiver = wire.receiver
        (self.receiver if receiver is self else receiver).dataReceived(data)

    def goOn(self) -> None:
        """Reading goes on, first with what is here already, in a turn of its own."""
        if self._held:
            assert self._wire is not None
            self._loop.soonIn(self._wire.context, self._handOn)

    def _handOn(self) -> None:
        wire = self._wire
        if wire is None or not self._held or wire.paused:
            return
        try:
            self.dataReceived(b"")
        except BaseException as e:
            wire.endWith(e)

    # Out.

    def queue(self, descriptor: int) -> None:
        """Send a copy of `descriptor` with the byte that is written next; if none is within this callback, with the
        last one that is queued.
        """
        wire, waiting = self._wire, self._waiting
        assert wire is not None
        number = self._sent + wire.buffered
        if waiting and waiting[-1][0] >= number:
            number = waiting[-1][0] + 1
        waiting.append([number, os.dup(descriptor)])
        if not self._marked:
            self._marked = True
            self._loop.dirty.append(self)
        if wire.source is not None and len(waiting) > _MANY:
            wire.source.fill(wire.source.high + 1)

    def flush(self) -> None:
        """The callback that queued descriptors returned: each needs a byte."""
        self._marked = False
        self.check()

    def check(self) -> None:
        """End the connection when there are more descriptors than bytes to carry them."""
        wire = self._wire
        if wire is not None and not self._fit(wire.buffered):
            wire.abort(Failure(FileDescriptorOverrun(f"{len(self._waiting)} for {wire.buffered} bytes")))

    def _fit(self, buffered: int) -> bool:
        """Move descriptors forward that would go with a byte behind the last; whether there is a byte for each."""
        waiting = self._waiting
        if len(waiting) > buffered:
            return False
        last = self._sent + buffered - 1
        for entry in reversed(waiting):
            if entry[0] <= last:
                break
            entry[0] = last
            last -= 1
        return True

    def send(self, piece: bytes | memoryview) -> int:
        """Send from the beginning of `piece`, with the descriptors that belong to it; how many bytes the kernel took.

        OSError as the socket has it, when it took none.
        """
        waiting = self._waiting
        if not waiting:
            count = self.sock.send(piece)
            self._sent += count
            return count
        wire = self._wire
        assert wire is not None
        if not self._fit(wire.buffered):
            self.check()
            # Nothing is left to send: the wire has dropped it.
            return len(piece)
        view, done, short = memoryview(piece), 0, False
        while done < len(view) and not short:
            due = bool(waiting) and waiting[0][0] == self._sent
            following = waiting[due][0] - self._sent if len(waiting) > due else len(view)
            part = view[done : done + following]
            try:
                count = self._sendWith(waiting[0][1], part) if due else self.sock.send(part)
            except OSError:
                if not done:
                    raise
                # The next call meets it again.
                break
            if due:
                os.close(waiting.pop(0)[1])
            done += count
            self._sent += count
            short = count < len(part)
        return done

    def _sendWith(self, descriptor: int, part: memoryview) -> int:
        rights = socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", descriptor)
        return self.sock.sendmsg([part], [rights])

    # The end.

    def close(self) -> None:
        """Close the socket, and every descriptor that is still here."""
        # Lets go of the two, so that all are freed with their last reference.
        self._wire = self.receiver = None
        _close([descriptor for _, descriptor in self._waiting])
        self._waiting.clear()
        _close(self._arrived)
        self._held = b""
        self.sock.close()


def _close(descriptors: list[int]) -> None:
    while descriptors:
        try:
            os.close(descriptors.pop())
        except OSError:
            # Closed behind our back.
            pass
