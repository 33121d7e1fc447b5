"""A network and a kernel that are simulated: who listens where, what becomes of an attempt to connect, how long
everything takes, what breaks, and which descriptor is ready. All that is left to chance comes from one seed, and time
is virtual: nobody waits, and the same seed brings the same again.

Stands for a poller's backend. Knows sockets, and nothing of reactors and protocols.
"""

from __future__ import annotations

import errno
import os
import random
import socket
from collections import Counter

from reactor.testing.simulation.sockets import SimulatedSocket, Stage, Way
from reactor.testing.simulation.time import VirtualTime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

# Descriptors of no process: Linux gives none as high as that. Always the lowest that is free, as it does.
_FIRST = 1 << 24
# Seconds that a turn of the loop takes.
_TURN = 1e-6
# Seconds until the kernel gives up, where that is not as soon as the network has answered. (tcp_syn_retries=6.)
_GIVES_UP = {errno.ETIMEDOUT: 127.0, errno.EHOSTUNREACH: 3.0}
_ANSWERED = frozenset({errno.ECONNREFUSED, errno.ECONNRESET})
# How often a SYN is sent again when the queue of whoever listens is full.
_SYN_RETRIES = 6
_STEADY = frozenset({Stage.CONNECTED, Stage.LISTENING})
_ANY = frozenset({"0.0.0.0", "::"})
HOST4, HOST6 = "192.0.2.1", "2001:db8::1"


class Network:
    """Everything between the system calls of a reactor's sockets.

    :ivar time: the time in here.
    :ivar random: what decides all that is left to chance.
    :ivar faults: host -> the number of the error with which every attempt to connect to it fails, or 0 for a host that
        never answers: its attempts fail with ETIMEDOUT after 127 s.
    :ivar names: name -> addresses, for a reactor's resolver.
    :ivar descriptors: how many may be open at a time; may be changed at any time.
    :ivar turns: how often the reactor asked who is ready.
    :ivar happened: how often each thing happened that is not as in a good network: "send EAGAIN", "one byte", "RST".
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        delay: tuple[float, float] = (0.0005, 0.002),
        capacity: int = 262144,
        partial: float = 0.0,
        whims: float = 0.0,
        segments: int = 1,
        descriptors: int = 1024,
    ) -> None:
        """An empty network.

        :param seed: of what is left to chance.
        :param delay: seconds that a segment is on its way, at least and at most.
        :param capacity: bytes that fit on the way in each direction and into the receiver's memory together.
        :param partial: how likely (0 to 1) it is that a send takes a part only, often one byte.
        :param whims: how likely it is that a call fails with an error that passes by itself, EAGAIN, EINTR, ENOBUFS.
        :param segments: into how many segments at most a send is cut.
        """
        self.time = VirtualTime()
        self.random = random.Random(seed)
        self.faults: dict[str, int] = {}
        self.names: dict[str, list[str]] = {}
        self.descriptors = descriptors
        self.turns = 0
        self.happened: Counter[str] = Counter()
        self.sockets: dict[int, SimulatedSocket] = {}
        # Called when a wait would never end.
        self.stalled: Callable[[], object] = _stalled
        # How many descriptors are held that are no sockets.
        self.held = 0
        self._delay = delay
        self._capacity = capacity
        self._partial = partial
        self._whims = whims
        self._segments = segments
        self._listening: dict[tuple[str, int], SimulatedSocket] = {}
        self._wanted: dict[int, int] = {}
        self._foreign: set[int] = set()
        self._nextPort = 49152

    # The backend of a poller.

    def adopt(self, fd: int) -> None:
        """`fd` is a real descriptor, which may be watched and is never ready: a loop's waker."""
        self._foreign.add(fd)

    def register(self, fd: int, mask: int) -> None:
        """Watch `fd`. ValueError when it is no descriptor of this network."""
        if fd in self.sockets:
            if fd in self._wanted:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
            self._wanted[fd] = mask
        elif fd not in self._foreign:
            raise ValueError(f"descriptor {fd} is none of the simulated network's")

    def modify(self, fd: int, mask: int) -> None:
        """Watch it for something else. FileNotFoundError when it is not watched."""
        if fd not in self._wanted:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        self._wanted[fd] = mask

    def unregister(self, fd: int) -> None:
        """No longer watch it. FileNotFoundError when it is not watched."""
        if self._wanted.pop(fd, None) is None and fd not in self._foreign:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    def poll(self, timeout: float) -> list[tuple[int, int]]:
        """Who is ready; when nobody is, let time pass until somebody is, `timeout` seconds at most."""
        self.turns += 1
        time = self.time
        time.moveTo(time.seconds() + _TURN)
        ready = self._ready()
        if ready or timeout == 0:
            return ready
        end = None if timeout < 0 else time.seconds() + timeout
        while not ready:
            due = time.next
            if due is None and end is None:
                self.stalled()
                return []
            if end is not None and (due is None or due > end):
                time.moveTo(end)
                return self._ready()
            assert due is not None
            time.moveTo(due)
            ready = self._ready()
        return ready

    def close(self) -> None:
        """The reactor is closed."""
        self._wanted.clear()

    def _ready(self) -> list[tuple[int, int]]:
        ready = []
        for fd, wanted in self._wanted.items():
            # Errors and hang-ups are told to everybody.
            mask = self.sockets[fd].mask() & (wanted | 24)
            if mask:
                ready.append((fd, mask))
        if ready and self._whims:
            ready += self._inVain(ready)
        if len(ready) > 1:
            self.random.shuffle(ready)
        return ready

    def _inVain(self, ready: list[tuple[int, int]]) -> list[tuple[int, int]]:
        # A kernel may call ready what is not (select(2), BUGS), but it does not make up errors and hang-ups.
        told, more = {fd for fd, _ in ready}, []
        for fd, wanted in self._wanted.items():
            if fd not in told and self.sockets[fd].stage in _STEADY and self.random.random() < self._whims:
                self.count("woken in vain")
                more.append((fd, wanted & ~24))
        return more

    def wake(self) -> None:
        """Something may have become ready: `poll` looks by itself."""

    # The kernel.

    def socket(self, family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM) -> SimulatedSocket:
        """A fresh socket. OSError (EMFILE) when there is no descriptor left."""
        self.checkRoom("socket")
        made = SimulatedSocket(self, family, kind)
        self.enter(made)
        return made

    @property
    def open(self) -> int:
        """How many descriptors are open."""
        return len(self.sockets) + self.held

    def count(self, what: str) -> None:
        """This happened."""
        self.happened[what] += 1

    def checkRoom(self, call: str) -> None:
        """OSError (EMFILE) when there is no descriptor left for what `call` makes."""
        if self.open >= self.descriptors:
            self.count(f"{call} EMFILE")
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    def enter(self, sock: SimulatedSocket, hidden: bool = False) -> None:
        """Give `sock` a descriptor; no program's when it is `hidden`."""
        fd = _FIRST - 1 if hidden else _FIRST
        while fd in self.sockets:
            fd += 1
        sock.number(fd)
        self.sockets[fd] = sock

    def left(self, sock: SimulatedSocket, fd: int) -> None:
        """`sock` was closed."""
        self._wanted.pop(fd, None)
        for place in [place for place, listening in self._listening.items() if listening is sock]:
            del self._listening[place]

    def whim(self, call: str, numbers: tuple[int, ...]) -> None:
        """Perhaps let `call` raise an OSError of one of these numbers."""
        if self._whims and self.random.random() < self._whims:
            number = self.random.choice(numbers)
            self.count(f"{call} whim {errno.errorcode[number]}")
            raise OSError(number, os.strerror(number))

    def part(self, size: int) -> int:
        """How much is taken of `size` bytes."""
        if size > 1 and self._partial and self.random.random() < self._partial:
            taken = 1 if self.random.random() < 0.5 else self.random.randint(1, size)
            self.count("one byte" if taken == 1 else "partial")
            return taken
        return size

    def segments(self, size: int) -> Iterator[int]:
        """Where the segments end that `size` bytes are sent in."""
        if self._segments > 1 and size > 1:
            cuts = self.random.randint(0, self._segments - 1)
            self.happened["segments"] += cuts
            yield from sorted({self.random.randrange(1, size) for _ in range(cuts)})
        yield size

    def delay(self) -> float:
        """Seconds that something sent now is on its way."""
        return self.random.uniform(*self._delay)

    # Who listens, and who connects.

    def bound(self, sock: SimulatedSocket, sockaddr: Any) -> Any:
        """The address that `sock` has when it was bound to `sockaddr`. OSError (EADDRINUSE) when it is taken."""
        if sock.family == socket.AF_UNIX:
            if sockaddr[:1] != b"\0":
                raise ValueError(f"a simulated network has no files: {sockaddr!r} must begin with NUL (unix(7))")
            if (sockaddr, 0) in self._listening:
                raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
            return sockaddr
        host, port, *rest = sockaddr
        if sock.family == socket.AF_INET6:
            host, rest = host or "::", [*rest, 0, 0][:2]
        else:
            host = host or "0.0.0.0"
        if port == 0:
            port = self._freePort()
        if any(number == port and (host == other or _ANY & {host, other}) for other, number in self._listening):
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
        return (host, port, *rest)

    def listens(self, sock: SimulatedSocket) -> None:
        """`sock` listens from now on."""
        name = sock.getsockname()
        self._listening[(name, 0) if sock.family == socket.AF_UNIX else name[:2]] = sock

    def _freePort(self) -> int:
        self._nextPort += 1
        return self._nextPort

    def connects(self, sock: SimulatedSocket, sockaddr: Any) -> int:
        """`sock` begins to connect; an errno as connect(2) has it."""
        host, port = sockaddr[:2]
        if not isinstance(host, str) or not isinstance(port, int):
            raise TypeError(f"connect_ex(): no address: {sockaddr!r}")
        own = list(sock.getsockname())
        if own[0] in ("0.0.0.0", "::"):
            own[0] = HOST4 if sock.family == socket.AF_INET else HOST6
        own[1] = own[1] or self._freePort()
        fault = self.faults.get(host)
        if fault and fault not in _ANSWERED and fault not in _GIVES_UP:
            self.count(f"connect {errno.errorcode[fault]}")
            return fault
        sock.connecting(tuple(own))
        if fault is None:
            self.time.callLater(self.delay(), self._synArrived, sock, sockaddr, 0)
        else:
            fault = fault or errno.ETIMEDOUT
            if fault == errno.ETIMEDOUT:
                self.count("connect unanswered")
            self.time.callLater(_GIVES_UP.get(fault) or 2 * self.delay(), sock.refuse, fault)
        if self._whims and self.random.random() < self._whims:
            self.count("connect EINTR")
            return errno.EINTR
        return errno.EINPROGRESS

    def joins(self, sock: SimulatedSocket, path: Any) -> int:
        """`sock` connects to who listens at `path`, at once; an errno as connect(2) has it."""
        listening = self._listening.get((path, 0))
        code = 0
        if listening is None:
            code = errno.ECONNREFUSED
        elif len(listening.queue) > listening.backlog:
            code = errno.EAGAIN
        if code or listening is None:
            self.count(f"connect {errno.errorcode[code]}")
            return code
        self._queued(self._joined(sock, path), listening)
        return 0

    def _joined(self, sock: SimulatedSocket, sockaddr: Any) -> SimulatedSocket:
        """The other end of the connection that `sock` has from now on."""
        peer = SimulatedSocket(self, sock.family, socket.SOCK_STREAM)
        peer.connecting(sockaddr)
        toPeer, toSock = self._way(), self._way()
        peer.join(toPeer, toSock, sock.getsockname())
        sock.join(toSock, toPeer, sockaddr)
        return peer

    def _whoListens(self, sockaddr: Any) -> SimulatedSocket | None:
        host, port = sockaddr[:2]
        listening = self._listening
        wildcard = "::" if ":" in host else "0.0.0.0"
        return listening.get((host, port)) or listening.get((wildcard, port)) or listening.get(("::", port))

    def _synArrived(self, sock: SimulatedSocket, sockaddr: Any, tries: int) -> None:
        if sock.closed:
            return
        listening = self._whoListens(sockaddr)
        if listening is None:
            self.time.callLater(self.delay(), sock.refuse, errno.ECONNREFUSED)
        elif len(listening.queue) <= listening.backlog:
            self.time.callLater(self.delay(), self._accepted, sock, listening, sockaddr)
        elif tries < _SYN_RETRIES:
            self.time.callLater(2.0**tries, self._synArrived, sock, sockaddr, tries + 1)
        else:
            self.time.callLater(2.0**tries, sock.refuse, errno.ETIMEDOUT)

    def _accepted(self, sock: SimulatedSocket, listening: SimulatedSocket, sockaddr: Any) -> None:
        if sock.closed:
            return
        if listening.closed:
            sock.refuse(errno.ECONNREFUSED)
            return
        self.time.callLater(self.delay(), self._queued, self._joined(sock, sockaddr), listening)

    def _queued(self, peer: SimulatedSocket, listening: SimulatedSocket) -> None:
        if listening.closed:
            peer.reset()
        else:
            listening.queue.append(peer)

    def _way(self) -> Way:
        return Way(self.time, self.delay, lambda: 1 << 62, self._capacity, None, _nothing)

    # What breaks. Each takes a transport, or its socket.

    def cut(self, end: Any, number: int = errno.ECONNRESET) -> None:
        """Break the connection that `end` is one end of: what is on its way is lost, and both ends hear of it, the
        other one a delay later.
        """
        sock = _socketOf(end)
        if sock is None:
            return
        incoming, outgoing = sock.links
        self.count("cut")
        for link in (incoming, outgoing):
            link.drop()
            link.held = True
        sock.fail(number)
        self.time.callLater(self.delay(), outgoing.to.fail, number)

    def vanish(self, end: Any, number: int = errno.ETIMEDOUT) -> None:
        """Break the connection at `end` only. Its peer has half a connection, and hears of that when it sends."""
        sock = _socketOf(end)
        if sock is not None:
            self.count("vanish")
            sock.fail(number)

    def hold(self, end: Any) -> None:
        """Let nothing arrive, in both directions, until `release`: a cable is pulled, and nobody is told."""
        sock = _socketOf(end)
        if sock is not None:
            self.count("hold")
        for link in () if sock is None else sock.links:
            link.held = True

    def release(self, end: Any) -> None:
        """Let arrive what was held back."""
        sock = _socketOf(end)
        if sock is not None:
            self.count("release")
        for link in () if sock is None else sock.links:
            link.release()


def _socketOf(end: Any) -> SimulatedSocket | None:
    sock = end if isinstance(end, SimulatedSocket) else end.getHandle()
    return sock if sock.stage is Stage.CONNECTED and not sock.closed else None


def _stalled() -> None:
    raise RuntimeError("nothing is ever going to happen in this network")


def _nothing() -> None:
    pass
