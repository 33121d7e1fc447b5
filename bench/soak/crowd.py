"""Clients of an echo server by the thousand, good and bad ones: plain sockets and one epoll, nothing of ours.

Every client has a part to play (`Part`), which says how much it sends and how it ends. What a client gets back is
compared with what it sent, byte for byte; how many ended how is counted in `Tally`.
"""

from __future__ import annotations

import errno
import heapq
import select
import socket
from dataclasses import dataclass
from enum import Enum
from time import perf_counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "127.0.0.1"
PATTERN = bytes(range(256)) * 1024
HALF = len(PATTERN) // 2
# Bytes that are sent or received at a time.
CHUNK = 65536
# Not given a port before it connects, the kernel may use one several times.
_IP_BIND_ADDRESS_NO_PORT = 24
_RESET = b"\x01\0\0\0\0\0\0\0"
# Addresses of clients: each has some 28 000 ports, and a port that was closed first is not free for a minute.
_SOURCES = 50


class Ending(Enum):
    """What a client does when it has got back what it sent."""

    CLOSE = "closes"
    HOLD = "stays, until it is asked for more or told to close"
    HALF_CLOSE = "ended its half behind the last byte; waits for the server's end"
    RESET = "resets the connection half-way"
    WAIT = "sent something, and waits for the server to end it"


@dataclass(frozen=True, slots=True)
class Part:
    """What a client does: it sends so many bytes, reads nothing for so many seconds, and ends as said."""

    size: int
    ending: Ending
    stall: float = 0.0
    opening: bytes | None = None


@dataclass(slots=True)
class Tally:
    """What became of the clients, and of their bytes."""

    begun: int = 0
    good: int = 0
    """They ended as their part says, with every byte."""
    failed: int = 0
    """Not connected, or ended by the server."""
    lost: int = 0
    """Bytes that were sent, and did not come back before the end."""
    wrong: int = 0
    """Clients that got back something else than they sent."""
    echoed: int = 0
    """Bytes that came back."""


class Client:
    """One client: what it has sent and got back, and its part."""

    __slots__ = ("began", "got", "mask", "part", "sent", "size", "sock")

    def __init__(self, sock: socket.socket, part: Part) -> None:
        self.sock = sock
        self.part = part
        self.size = part.size
        self.sent = self.got = self.mask = 0
        self.began = perf_counter()


class Crowd:
    """The clients of the server on `port`."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._epoll = select.epoll()
        self._made = 0
        self._stalled: list[tuple[float, int, Client]] = []
        self.clients: dict[int, Client] = {}
        self.tally = Tally()
        self.roundTrips: list[float] = []
        """Seconds from the first byte of a message to the last one that came back, of those who stay."""
        self.lives: list[float] = []
        """Seconds from connecting to the server's end, of those who wait for it."""

    def begin(self, part: Part) -> None:
        """One more client."""
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
        self._made += 1
        sock.bind((f"127.0.0.{2 + self._made % _SOURCES}", 0))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if part.stall:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.tally.begun += 1
        client = Client(sock, part)
        problem = sock.connect_ex((HOST, self._port))
        if problem not in (0, errno.EINPROGRESS):
            self.tally.failed += 1
            sock.close()
            return
        self.clients[sock.fileno()] = client
        client.mask = select.EPOLLOUT
        self._epoll.register(sock.fileno(), client.mask)
        if part.stall:
            heapq.heappush(self._stalled, (client.began + part.stall, self._made, client))

    def ask(self, client: Client, size: int) -> None:
        """Have one that stays send `size` bytes more."""
        client.size += size
        client.began = perf_counter()
        self._watch(client, select.EPOLLIN | select.EPOLLOUT)

    def close(self) -> None:
        """All that are still there go."""
        for client in list(self.clients.values()):
            self._end(client, client.part.ending is Ending.HOLD and client.got == client.size)

    def until(self, true: Callable[[], bool], patience: float) -> bool:
        """Go on until `true()`; False when it is not within `patience` seconds."""
        end = perf_counter() + patience
        while not true():
            if perf_counter() > end:
                return False
            self.turn(0.05)
        return True

    def turn(self, wait: float) -> None:
        """Do what can be done within `wait` seconds."""
        for fd, events in self._epoll.poll(wait):
            client = self.clients.get(fd)
            if client is None:
                continue
            try:
                if events & client.mask & select.EPOLLOUT:
                    self._send(client)
                if events & ~select.EPOLLOUT and client.sock.fileno() >= 0:
                    self._receive(client)
            except OSError:
                self._end(client, client.part.ending is Ending.WAIT and client.sent > 0)
        now = perf_counter()
        while self._stalled and self._stalled[0][0] <= now:
            client = heapq.heappop(self._stalled)[2]
            if client.sock.fileno() >= 0:
                self._watch(client, client.mask | select.EPOLLIN)

    def _watch(self, client: Client, mask: int) -> None:
        if mask != client.mask:
            client.mask = mask
            self._epoll.modify(client.sock.fileno(), mask)

    def _send(self, client: Client) -> None:
        part = client.part
        if client.sent < client.size:
            if part.opening is not None:
                client.sent += client.sock.send(part.opening)
            else:
                start = client.sent % HALF
                client.sent += client.sock.send(PATTERN[start : start + min(CHUNK, client.size - client.sent)])
        if client.sent >= client.size:
            if part.ending is Ending.HALF_CLOSE:
                client.sock.shutdown(socket.SHUT_WR)
            self._watch(client, client.mask & ~select.EPOLLOUT)
        if not part.stall:
            self._watch(client, client.mask | select.EPOLLIN)

    def _receive(self, client: Client) -> None:
        data = client.sock.recv(CHUNK)
        ending = client.part.ending
        if not data:
            whole = ending is Ending.HALF_CLOSE and client.got == client.size
            self._end(client, whole or ending is Ending.WAIT)
            return
        if ending is Ending.WAIT:
            return
        start = client.got % HALF
        if data != PATTERN[start : start + len(data)]:
            self.tally.wrong += 1
        client.got += len(data)
        self.tally.echoed += len(data)
        if ending is Ending.RESET and client.got * 2 >= client.size:
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            client.sent = client.got
            self._end(client, True)
        elif client.got == client.size:
            if ending is Ending.CLOSE:
                self._end(client, True)
            elif ending is Ending.HOLD:
                self.roundTrips.append(perf_counter() - client.began)

    def _end(self, client: Client, good: bool) -> None:
        if client.part.ending is Ending.WAIT:
            self.lives.append(perf_counter() - client.began)
        else:
            self.tally.lost += client.sent - client.got
        self.tally.good += good
        self.tally.failed += not good
        del self.clients[client.sock.fileno()]
        client.sock.close()
