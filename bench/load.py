"""Closed-loop echo load, for machines without a C compiler: `python -m bench.load WHERE CONNECTIONS SIZE SECONDS DEPTH
KIND IDLE`.

The same program as load.c, which says what it does and prints (WHERE is told in net.h). It is slower than the fast
servers: with this load their messages per second are the load's, and the CPU time per message is what to compare.
Datagrams that are lost stay lost. Besides, KIND may be one of `questions`, whose answers are no echoes.
"""

from __future__ import annotations

import json
import select
import signal
import socket
import ssl
import sys
from functools import cache
from time import perf_counter

from bench.questions import QUESTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable
    from typing import Any

HOST = "127.0.0.1"
# What a socket, plain or of TLS, says when it would wait.
LATER = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def dial(where: str) -> Any:
    """A connection that blocks, to `where`: a socket, or an SSLSocket."""
    kind, _, rest = where.rpartition(":")
    if kind == "unix":
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(rest)
        return connection
    connection = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    connection.connect((HOST, int(rest)))
    if kind == "udp":
        return connection
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return _context().wrap_socket(connection) if kind == "tls" else connection


@cache
def _context() -> Any:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Connection:
    """One connection and its batch of messages: what of it is sent, what has come back, and since when."""

    __slots__ = ("_again", "_batch", "_due", "_piece", "_poller", "_sent", "_watched", "got", "sentAt", "socket")

    def __init__(
        self,
        where: str,
        message: bytes,
        depth: int,
        poller: select.epoll,
        opened: Callable[[socket.socket], int] | None = None,
    ) -> None:
        self._batch = message * depth
        datagrams = where.startswith("udp:")
        self._piece = len(message) if datagrams else len(self._batch)
        # What TLS has decrypted already epoll does not tell of, and a datagram is a read of its own.
        self._again = datagrams or where.startswith("tls:")
        self._poller = poller
        self._watched = select.EPOLLIN
        self.socket = dial(where)
        # How much comes back.
        answer = len(message) if opened is None else opened(self.socket)
        self._due = depth * (answer if answer > 0 else len(message) + answer)
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
                self._sent += self.socket.send(batch[self._sent : self._sent + self._piece])
        except LATER:
            pass
        events = select.EPOLLIN if self._sent == len(batch) else select.EPOLLIN | select.EPOLLOUT
        if events != self._watched:
            self._watched = events
            self._poller.modify(self.socket, events)

    def complete(self) -> bool:
        """Read; whether that completed the batch."""
        while True:
            try:
                data = self.socket.recv(1 << 20)
            except LATER:
                return False
            if not data:
                raise ConnectionError("connection lost")
            self.got += len(data)
            if self.got >= self._due or not self._again:
                return self.got >= self._due


def framed(kind: str, size: int) -> bytes:
    """A message of `size` bytes, "lines", "strings" or "requests" or just "bytes"."""
    if kind == "lines":
        return b"x" * (size - 2) + b"\r\n"
    if kind == "requests":
        head, end = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", b"\r\n\r\n"
        return head + b"x" * (size - len(head) - len(end)) + end
    return (size - 4).to_bytes(4, "big") + b"x" * (size - 4) if kind == "strings" else b"x" * size


def run(
    where: str,
    connections: int,
    message: bytes,
    seconds: float,
    depth: int,
    opened: Callable[[socket.socket], int] | None = None,
) -> tuple[int, float, Counter[int]]:
    """Load the server: (messages counted, seconds that took, how many batches took how many microseconds)."""
    from collections import Counter

    poller = select.epoll()
    all_ = [Connection(where, message, depth, poller, opened) for _ in range(connections)]
    byFile = {connection.socket.fileno(): connection for connection in all_}
    took: Counter[int] = Counter()
    messages, began, now = 0, 0.0, perf_counter()
    warm, end = now + seconds * 0.2, now + seconds
    for connection in all_:
        connection.begin()
    # On a machine that others use, the first may come back late.
    while now < end or not messages:
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
    return messages, now - began, took


def main() -> None:
    """Be the load that the command line describes."""
    where, connections, size, seconds, depth, kind, idle = sys.argv[1:]
    signal.alarm(int(float(seconds)) + 60)
    held = [dial(where) for _ in range(int(idle))]
    make, opened = QUESTIONS.get(kind, (lambda size: framed(kind, size), None))
    messages, measured, took = run(where, int(connections), make(int(size)), float(seconds), int(depth), opened)
    print(json.dumps({"messages": messages, "seconds": measured, "took": took}), flush=True)
    for connection in held:
        connection.close()


if __name__ == "__main__":
    main()
