"""A listening socket and the factory that is asked for a protocol for each connection that comes in.

Accepts in batches that follow the crowd: one at a time while clients come singly, up to 100 a turn in a burst, so that
those who are connected are served in between. What the listening socket is made of (TCP, UNIX) is its `Listener`'s
business.

When the process has no descriptor left, whoever waits in the queue would wake the loop in vain for ever. Each port's
reactor therefore keeps one descriptor in reserve: it is closed, the client accepted and closed at once, so that it
knows, and the reserve taken again.
"""

from __future__ import annotations

import errno
import os

from reactor._core.poller import READ
from reactor._core.timers import checkDelay
from reactor._ground.naming import nameOf
from reactor._transport.server.pausing import Pausable
from reactor.error import CannotListenError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Any, Protocol

    from zope.interface import implementer

    from reactor._core.loop import Loop
    from reactor._transport.server.draining import Draining
    from reactor._transport.stream.tcp import Address
    from reactor._transport.stream.transport import StreamTransport, Top
    from reactor._transport.stream.wire import Wire
    from reactor.defer import Deferred
    from reactor.failure import Failure
    from reactor.interfaces import IListeningPort

    class Listener(Protocol):
        """How to make the socket, and what comes out of it."""

        interface: Any
        port: Any

        def listen(self) -> socket.socket: ...
        def address(self, sockaddr: Any) -> Address: ...
        def admit(self, port: Port, sock: socket.socket, sockaddr: Any) -> None: ...
        def transport(self, wire: Wire, top: Top, peer: Address, protocol: Any, factory: Any) -> StreamTransport: ...
        def closed(self) -> None: ...
else:
    from reactor._ground.declare import IListeningPort, implementer

MOST_ACCEPTS = 100
# Who waits in the queue when a port is drained is accepted in as many batches at most: more than a queue holds.
_LAST_BATCHES = 50
_NO_DESCRIPTOR = frozenset({errno.EMFILE, errno.ENFILE})
_NO_MEMORY = frozenset({errno.ENOBUFS, errno.ENOMEM})
# The listening socket is no use any more; no other error says so.
_DEAD = frozenset({errno.EBADF, errno.EINVAL, errno.ENOTSOCK})
# That one client's connection is gone or unwanted, and the next may be better: accept(2) hands on what the network says
# of the connection that it would have returned.
_ONLY_THIS_ONE = frozenset(
    getattr(errno, name)
    for name in (
        *("ECONNABORTED", "EPERM", "EINTR", "EPROTO", "ENOPROTOOPT", "EOPNOTSUPP", "ECONNRESET", "ETIMEDOUT"),
        *("ENETDOWN", "ENETUNREACH", "EHOSTDOWN", "EHOSTUNREACH", "ENONET"),
    )
    if hasattr(errno, name)
)


class Reserve:
    """One descriptor held for the day when there is none left."""

    __slots__ = ("_fd",)

    def __init__(self) -> None:
        self._fd = -1
        self.take()

    def take(self) -> None:
        """Hold one again, if there is one to be had."""
        if self._fd < 0:
            try:
                self._fd = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                # None to be had now; the next call tries again.
                pass

    def give(self) -> bool:
        """Free the descriptor; whether there was one."""
        if self._fd < 0:
            return False
        os.close(self._fd)
        self._fd = -1
        return True

    __del__ = give


@implementer(IListeningPort)
class Port(Pausable):
    """What `reactor.listenTCP` returns."""

    # Whether a connection with this as its origin was made from here.
    outgoing = False

    __slots__ = (
        "_batch",
        "_complained",
        "_draining",
        "_host",
        "_listener",
        "_reserve",
        "factory",
        "sessionno",
    )

    def __init__(self, loop: Loop, reserve: Reserve, listener: Listener, factory: Any) -> None:
        """Not listening yet."""
        super().__init__(loop)
        self._reserve = reserve
        self._listener = listener
        self.factory = factory
        self._host: Address | None = None
        #: The number of the next connection that asks for its own.
        self.sessionno = 0
        self._batch = 1
        self._complained = False
        self._draining: Draining | None = None

    @property
    def port(self) -> Any:
        """The port number listened on, while it listens; the one asked for otherwise."""
        return self._listener.port if self._host is None else getattr(self._host, "port", self._listener.port)

    @property
    def interface(self) -> Any:
        """The interface asked for."""
        return self._listener.interface

    def startListening(self) -> None:
        """Listen. CannotListenError when the system refuses."""
        if self._sock is not None:
            raise self._refused(OSError(errno.EINVAL, "this port listens already"))
        try:
            sock = self._listener.listen()
        except OSError as e:
            raise self._refused(e) from e
        try:
            self.fd = sock.fileno()
            self._host = self._listener.address(sock.getsockname())
            self._reserve.take()
            self._loop.poller.add(self, READ)
            self._opens()
            self.factory.doStart()
        except BaseException:
            self._loop.poller.forget(self)
            sock.close()
            self.fd, self._host = -1, None
            raise
        self._sock = sock
        self._sayOpen()

    def _refused(self, problem: OSError) -> Exception:
        """What is raised when the system will not listen."""
        return CannotListenError(self._listener.interface, self._listener.port, problem)

    def _opens(self) -> None:
        """The socket listens, and the factory does not know yet."""

    def _sayOpen(self) -> None:
        self._say("info", "%r listens", self)

    def _served(self) -> Any:
        return self.factory

    def _undone(self) -> None:
        self._listener.closed()

    def drain(self, deadline: float | None = None) -> Deferred[int]:
        """End gracefully. Those who wait in the kernel's queue are accepted, then nobody any more; the protocols that
        provide `IDrainable` are told by their ``drain()`` to finish; all connections that this port ever accepted may
        go on until they end by themselves. Not in Twisted.

        :param deadline: seconds from now at which those that are left are aborted; None: never.
        :return: the Deferred of how many had to be aborted. It fires when the port is closed and none is left.
        :raises ValueError, TypeError: for a deadline that is none.
        """
        # Loaded by those who ask for it.
        from reactor._transport.server.draining import Draining

        if deadline is not None:
            checkDelay(deadline, "drain", "deadline")
        if self._sock is not None and self.interest & READ:
            self._batch = MOST_ACCEPTS
            for _ in range(_LAST_BATCHES):
                if self._sock is not None and self._batch == MOST_ACCEPTS:
                    self.readable()
        if self._draining is None:
            self._draining = Draining(self, self._loop)
        return self._draining.begin(deadline)

    def drained(self, draining: Draining) -> None:
        """That drain is over."""
        if self._draining is draining:
            self._draining = None

    def lost(self, reason: Failure) -> None:
        """One of the connections is over; ports do not mind."""

    def nextSession(self) -> int:
        """The number of a connection that asks for one."""
        self.sessionno += 1
        return self.sessionno - 1

    def getHost(self) -> Any:
        """The address listened on, with the real port number where 0 was asked for.

        RuntimeError before it ever listened.
        """
        if self._host is None:
            raise RuntimeError("getHost(): this port never listened")
        return self._host

    def logPrefix(self) -> str:
        """The factory's name, for logs."""
        return type(self.factory).__name__

    def readable(self) -> None:
        """Accept those who wait, some of them."""
        accepted = 0
        loop = self._loop
        while accepted < self._batch and self.interest & READ and self._sock is not None:
            try:
                sock, sockaddr = self._sock.accept()
            except OSError as e:
                if self._cannotAccept(e):
                    self._batch = max(accepted, 1)
                    return
                accepted += 1
                continue
            accepted += 1
            self._complained = False
            self._failures = 0
            sock.setblocking(False)
            self._listener.admit(self, sock, sockaddr)
            if loop.dirty:
                loop.flush()
        self._batch = min(self._batch * 2, MOST_ACCEPTS)

    def made(self, wire: Wire, top: Top, peer: Address) -> None:
        """A connection with `peer` is made, as far as `top`: ask the factory for a protocol, and tell it."""
        factory = self.factory
        try:
            protocol = factory.buildProtocol(peer)
        except BaseException as e:
            top.discard()
            self._loop.raised("%s.buildProtocol raised for %s, at %r", e, nameOf(type(factory)), peer, self)
            return
        if protocol is None:
            top.discard()
            return
        transport = self._listener.transport(wire, top, peer, protocol, factory)
        transport._connector = self
        transport.begin()

    def _cannotAccept(self, problem: OSError) -> bool:
        """Whether there is no more to be accepted in this turn."""
        code = problem.errno
        if code in (errno.EAGAIN, errno.EWOULDBLOCK):
            return True
        if code in _DEAD:
            self._say("error", "%r cannot accept connections any more and is closed: %s", self, problem)
            self.stopListening()
            return True
        if code not in _ONLY_THIS_ONE and not self._complained:
            self._complained = True
            # What writes the message may need a descriptor, be it to be loaded.
            self._reserve.give()
            self._say("warning", "%r cannot accept connections for now: %s", self, problem)
            self._reserve.take()
        if code in _NO_DESCRIPTOR:
            self._turnAway()
        elif code in _NO_MEMORY:
            self._rest()
        else:
            self._failed()
            return False
        return True

    def _turnAway(self) -> None:
        turnedAway = 0
        while self._sock is not None and turnedAway < MOST_ACCEPTS:
            if not self._reserve.give():
                # Not even one to turn them away with: do not try again at once and for ever.
                self._rest()
                break
            try:
                self._sock.accept()[0].close()
                turnedAway += 1
            except OSError as e:
                if e.errno in _NO_DESCRIPTOR:
                    self._rest()
                break
            finally:
                self._reserve.take()

    def __repr__(self) -> str:
        where = self._host if self._host is not None else f"{self._listener.interface}:{self._listener.port}"
        return f"<Port of {type(self.factory).__name__} {'on' if self.connected else 'not listening on'} {where}>"
