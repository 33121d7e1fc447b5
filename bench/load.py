"""Closed-loop echo load, for machines without a C compiler: `python -m bench.load PORT CONNECTIONS SIZE SECONDS DEPTH
[KIND]`.

The same program as load.c, which says what it does and prints. It is slower than the fast servers: with this load their
messages per second are the load's, and the CPU time per message is what to compare.
"""

from __future__ import annotations

import json
import select
import signal
import socket
import sys
from time import perf_counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import Counter

HOST = "127.0.0.1"


class Connection:
    """One connection and its batch of messages: what of it is sent, what has come back, and since when."""

    __slots__ = ("_batch", "_poller", "_sent", "_watched", "got", "sentAt", "socket")

    def __init__(self, port: int, batch: bytes, poller: select.epoll) -> None:
        self._batch = batch
        self._poller = poller
        self._watched = select.EPOLLIN
        self.socket = socket.create_connection((HOST, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        poller.register(self.socket, self._watched)

    def begin(self) -> None:
        """Send the next batch."""
        self.got = self._sent = 0
        self.sentAt = perf_counter()
        self.proceed()

    def proceed(self) -> None:
        """Send what the kernel takes of the batch, and never wait: a server that waits for us would wait for ever."""
        batch = self._batch
        try:
            while self._sent < len(batch):
                self._sent += self.socket.send(batch[self._sent :] if self._sent else batch)
        except BlockingIOError:
            pass
        events = select.EPOLLIN if self._sent == len(batch) else select.EPOLLIN | select.EPOLLOUT
        if events != self._watched:
            self._watched = events
            self._poller.modify(self.socket, events)

    def complete(self) -> bool:
        """Read; whether that completed the batch."""
        try:
            data = self.socket.recv(1 << 20)
        except BlockingIOError:
            return False
        if not data:
            raise ConnectionError("connection lost")
        self.got += len(data)
        return self.got == len(self._batch)


def framed(kind: str, size: int) -> bytes:
    """A message of `size` bytes, "lines" or "strings" or just "bytes"."""
    if kind == "lines":
        return b"x" * (size - 2) + b"\r\n"
    return (size - 4).to_bytes(4, "big") + b"x" * (size - 4) if kind == "strings" else b"x" * size


def run(port: int, connections: int, message: bytes, seconds: float, depth: int) -> tuple[int, float, Counter[int]]:
    """Load the server: (messages counted, seconds that took, how many batches took how many microseconds)."""
    from collections import Counter

    poller = select.epoll()
    all_ = [Connection(port, message * depth, poller) for _ in range(connections)]
    byFile = {connection.socket.fileno(): connection for connection in all_}
    took: Counter[int] = Counter()
    messages, began, now = 0, 0.0, perf_counter()
    warm, end = now + seconds * 0.2, now + seconds
    for connection in all_:
        connection.begin()
    while now < end:
        events = poller.poll(10)
        if not events:
            raise ConnectionError("nothing came back for 10 seconds")
        now = perf_counter()
        if not began and now >= warm:
            began = now
            print("warm", flush=True)
        for fd, event in events:
            connection = byFile[fd]
            if event & select.EPOLLOUT:
                connection.proceed()
            if event & ~select.EPOLLOUT and connection.complete():
                now = perf_counter()
                if began:
                    took[int((now - connection.sentAt) * 1e6)] += 1
                    messages += depth
                connection.begin()
    if not messages:
        raise ConnectionError("no message came back while it counted")
    return messages, now - began, took


def main() -> None:
    """Be the load that the command line describes."""
    port, connections, size, seconds, depth, *kind = sys.argv[1:]
    signal.alarm(int(float(seconds)) + 60)
    messages, measured, took = run(
        int(port), int(connections), framed("".join(kind), int(size)), float(seconds), int(depth)
    )
    print(json.dumps({"messages": messages, "seconds": measured, "took": took}))


if __name__ == "__main__":
    main()
