"""One question to one server over UDP, from a socket of its own that is closed with the answer.

RFC 5452, section 9.2: id and port are random, from the system's source of randomness, and the ports as many as there
are. The socket is connected to the server, so that the kernel lets nobody else's datagrams in, and hands on what ICMP
says of a server that is not there.
"""

from __future__ import annotations

import errno
import random

from protocols.dns._judging import Verdict
from reactor.defer import Deferred
from reactor.error import CannotListenError, ConnectionLost, getConnectError
from reactor.protocol import DatagramProtocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from protocols.dns._judging import Query
    from protocols.dns._resolvconf import Server

RANDOM = random.SystemRandom()
# Ports that programs may use, and how many are tried before the system is asked for one that is free.
_FIRST, _LAST = 1024, 65535
_TRIES = 10
_TAKEN = frozenset((errno.EADDRINUSE, errno.EACCES, errno.EPERM))
# An answer is cut there. Servers are told less, and some send more all the same.
_LARGEST = 8192


def randomId() -> int:
    """One that nobody can guess."""
    return RANDOM.getrandbits(16)


class Exchange(DatagramProtocol):
    """A question that was sent, until its answer came, or it is cancelled.

    :ivar answer: fires with the verdict and the message; fails when the server cannot be reached. Cancelled, the
        socket is closed.
    """

    noisy = False

    def __init__(self, query: Query, foreign: Callable[[], object]) -> None:
        """`foreign()` is called for each datagram that is no answer."""
        self._query = query
        self._foreign = foreign
        self._id = randomId()
        self._over = False
        self.answer: Deferred[tuple[Verdict, bytes]] = Deferred(lambda _: self.close())

    def ask(self, reactor: Any, server: Server) -> None:
        """Open a socket and send. OSError and what `listenUDP` raises when that cannot be."""
        try:
            port = _open(reactor, self, ":" in server[0])
            port.connect(*server)
            port.write(self._query.wire(self._id))
        except BaseException:
            self.close()
            raise

    def datagramReceived(self, datagram: bytes, addr: object) -> None:
        """The answer, or something else."""
        if self._over:
            return
        verdict = self._query.judge(self._id, datagram)
        if verdict is Verdict.FOREIGN:
            self._foreign()
            return
        self.close()
        self.answer.callback((verdict, datagram))

    def connectionRefused(self) -> None:
        """The server's machine, or a router, says that it is not there."""
        if not self._over:
            self.close()
            self.answer.errback(getConnectError((errno.ECONNREFUSED, "")))

    def stopProtocol(self) -> None:
        """The socket is gone; the reactor stops, if nobody here has closed it."""
        if not self._over:
            self._over = True
            self.answer.errback(ConnectionLost("the socket was closed"))

    def close(self) -> None:
        """Close the socket, and wait for nothing any more."""
        self._over = True
        if self.transport is not None:
            self.transport.stopListening()


def _open(reactor: Any, protocol: Exchange, six: bool) -> Any:
    """A port with a random number."""
    for _ in range(_TRIES):
        try:
            number = _FIRST + RANDOM.randrange(_LAST - _FIRST + 1)
            return reactor.listenUDP(number, protocol, interface="::" if six else "", maxPacketSize=_LARGEST)
        except CannotListenError as e:
            if e.socketError.errno not in _TAKEN:  # type: ignore[attr-defined]
                raise
    return reactor.listenUDP(0, protocol, interface="::" if six else "", maxPacketSize=_LARGEST)
