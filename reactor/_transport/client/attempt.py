"""From addresses to a connected socket. An `Attempt` is one address, a `Dial` races several of a host. Each ends by
calling one of two functions, once, and never before the call that began it has returned; cancelled, it calls neither.
Neither has heard of protocols or factories.
"""

from __future__ import annotations

import errno
import os
import socket
from contextvars import copy_context
from sys import intern

from reactor._core.poller import WRITE, Watch
from reactor._transport.client.race import ATTEMPT_DELAY, Race
from reactor._transport.stream.tcp import unzoned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextvars import Context
    from typing import Any

    from reactor._core.loop import Loop
    from reactor._core.timers import DelayedCall
    from reactor._transport.client.race import Target
    from reactor.failure import Failure

# Joined once (measured: 0.04 us of each connection).
_STREAM = socket.SOCK_STREAM | socket.SOCK_NONBLOCK
# EALREADY and EISCONN answer the second question below.
_STARTED = frozenset({0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY, errno.EISCONN})
# What a socket is told before it is bound.
_REUSE = (socket.SO_REUSEADDR,)


class BindFailed(OSError):
    """There was no socket to connect with, or it could not be bound to the local address asked for."""


def opened(loop: Loop, family: int, bindAddress: Any) -> socket.socket:
    """A socket to connect with, non-blocking and bound to `bindAddress`; BindFailed when there is none.

    An address that has `options` of its own says by them what its socket is told before.
    """
    sock = None
    try:
        sock = loop.socket(family, _STREAM)
        if bindAddress is not None:
            for option in getattr(bindAddress, "options", _REUSE):
                sock.setsockopt(socket.SOL_SOCKET, option, 1)
            sock.bind(unzoned(bindAddress))
    except OSError as e:
        if sock is not None:
            sock.close()
        raise BindFailed(e.errno, e.strerror) from None
    return sock


class Attempt(Watch):
    """An unconnected socket on its way to one address."""

    __slots__ = ("_connected", "_done", "_failed", "_loop", "_sock", "name", "target")

    def __init__(
        self,
        loop: Loop,
        target: Target,
        bindAddress: Any,
        connected: Callable[[Attempt, socket.socket], object],
        failed: Callable[[Attempt, OSError], object],
        context: Context | None = None,
        sock: socket.socket | None = None,
    ) -> None:
        """Begin to connect to `target`, from `bindAddress` (a socket address or None), and tell of it in `context`, or
        in one of its own. `sock` is what to connect, if somebody has made it before.

        Either `connected(self, socket)` is called, and the socket is the callee's, who inherits what the poller knows
        of it from this attempt; or `failed(self, problem)`.
        """
        # What Watch.__init__ does, without its call for each connection.
        self.fd = -1
        self.interest = self.armed = 0
        self.context = copy_context() if context is None else context
        self.target = target
        # What the socket module calls our end, once it is connected; None when it would not tell.
        self.name: Any = None
        self._loop = loop
        self._connected = connected
        self._failed = failed
        self._sock: socket.socket | None = None
        # Whether one of the two was called, or neither is to be.
        self._done = False
        try:
            self._sock = sock = opened(loop, target[0], bindAddress) if sock is None else sock
            self.fd = sock.fileno()
            code = sock.connect_ex(target[1])
            if code == errno.EINTR:
                # It goes on by itself (POSIX, connect()); asking again tells so, and begins if it never did.
                code = sock.connect_ex(target[1])
            if code not in _STARTED:
                raise OSError(code, os.strerror(code))
            loop.poller.add(self, WRITE)
        except OSError as e:
            loop.soonIn(self.context, self._fail, e)
        except (TypeError, ValueError, OverflowError) as e:
            # What a resolver of the program's own gave is no address.
            problem = OSError(errno.EINVAL, f"{os.strerror(errno.EINVAL)}: {target[1]!r}: {e}")
            problem.__cause__ = e.with_traceback(None)
            loop.soonIn(self.context, self._fail, problem)

    def writable(self) -> None:
        """The kernel knows how it ended."""
        sock = self._sock
        if sock is None or self._done:
            return
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if not code and self._toItself(sock):
            code = errno.ECONNREFUSED
        if code:
            self._fail(OSError(code, os.strerror(code)))
            return
        self._done = True
        self._connected(self, sock)

    readable = writable

    def _toItself(self, sock: socket.socket) -> bool:
        # A port of this machine from the range that connections are made from, with nobody listening: the kernel may
        # choose that very port for us, and TCP's simultaneous open then connects the socket to itself (RFC 9293, figure
        # 7).
        try:
            name = sock.getsockname()
            if len(name) == 2:
                # One text for all connections over IPv4 from here: they keep it for as long as they last.
                name = intern(name[0]), name[1]
            self.name = name
            return bool(name[1] == self.target[1][1] and name == sock.getpeername())
        except OSError:
            # Reset within the moment; reading will tell.
            return False

    def supersede(self) -> None:
        """Somebody else closed the socket, and its number is another descriptor's by now."""
        self._loop.poller.forget(self)
        if self._sock is not None:
            self._sock.detach()
        self._loop.soonIn(self.context, self._fail, OSError(errno.EBADF, os.strerror(errno.EBADF)))

    def disconnect(self, reason: Failure) -> None:
        """The reactor stops."""
        self._fail(OSError(errno.ECONNABORTED, "the reactor stopped"))

    def forked(self) -> None:
        """The parent goes on with it."""
        self._done = True

    def cancel(self) -> None:
        """Close, and call nobody."""
        if self._done:
            return
        self._done = True
        self._loop.poller.forget(self)
        if self._sock is not None:
            self._sock.close()

    @property
    def socket(self) -> socket.socket | None:
        """What is on its way; None when there was none to be had."""
        return self._sock

    @property
    def tried(self) -> list[tuple[Target, BaseException]]:
        """The target and that it has not answered, in the form in which a dial tells of its attempts."""
        return [(self.target, OSError(errno.EINPROGRESS, "no answer"))]

    def _fail(self, problem: OSError) -> None:
        if not self._done:
            self.cancel()
            # It is kept by the error that the program gets, and must not keep this attempt alive through its frames.
            problem.__traceback__ = problem.__context__ = None
            self._failed(self, problem)


class Dial:
    """A host with one or more addresses, tried as `race` says. The first that answers wins, the others are closed."""

    __slots__ = ("_attempts", "_bindAddress", "_connected", "_context", "_delay", "_failed", "_loop", "_race", "_timer")

    def __init__(
        self,
        loop: Loop,
        targets: Sequence[Target],
        bindAddress: Any,
        connected: Callable[[Attempt, socket.socket], object],
        failed: Callable[[list[tuple[Target, BaseException]]], object],
        attemptDelay: float = ATTEMPT_DELAY,
        context: Context | None = None,
    ) -> None:
        """Begin to connect to one of `targets`, of which there is at least one.

        Either `connected(attempt, socket)` is called, as by an attempt, or, when all failed, `failed` with every target
        and its exception in the order in which they failed.
        """
        self._loop = loop
        self._bindAddress = bindAddress
        self._connected = connected
        self._failed = failed
        self._delay = attemptDelay
        self._context = copy_context() if context is None else context
        self._race = Race(_fitting(targets, bindAddress))
        self._attempts: list[Attempt] = []
        self._timer: DelayedCall | None = None
        self._next()

    def _next(self) -> None:
        self._timer = None
        told = self._attemptConnected, self._attemptFailed
        attempt = Attempt(self._loop, self._race.next(), self._bindAddress, *told, self._context)
        self._attempts.append(attempt)
        if self._race.waiting:
            self._timer = self._loop.timers.callLater(self._delay, self._next)

    def _attemptConnected(self, attempt: Attempt, sock: socket.socket) -> None:
        self._attempts.remove(attempt)
        self.cancel()
        self._connected(attempt, sock)

    def _attemptFailed(self, attempt: Attempt, problem: OSError) -> None:
        self._attempts.remove(attempt)
        race = self._race
        race.failed(attempt.target, problem)
        if race.lost():
            self._failed(race.failures)
        elif race.waiting:
            if self._timer is not None:
                self._timer.cancel()
            self._next()

    def cancel(self) -> None:
        """Close every socket that is still connecting, and call nobody."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._attempts:
            for attempt in self._attempts:
                attempt.cancel()
            self._attempts.clear()

    @property
    def socket(self) -> socket.socket | None:
        """What is on its way, of several the first; None when there is none."""
        return next((attempt.socket for attempt in self._attempts), None)

    @property
    def tried(self) -> list[tuple[Target, BaseException]]:
        """Every target that has been tried so far and why it failed; those that have not answered come last."""
        return self._race.failures + [target for attempt in self._attempts for target in attempt.tried]


def _fitting(targets: Sequence[Target], bindAddress: Any) -> Sequence[Target]:
    """The targets that can be reached from a local address; all of them when that is none, to fail with the reason."""
    if bindAddress is None or isinstance(bindAddress, (str, bytes)) or not bindAddress[0]:
        return targets
    # Those of the other family are not tried from wherever the system likes: a program that binds itself to a tunnel
    # would leak past it.
    family = socket.AF_INET6 if ":" in bindAddress[0] else socket.AF_INET
    return [target for target in targets if target[0] == family] or targets
