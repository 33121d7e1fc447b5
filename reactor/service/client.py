"""A client that stays connected.

`ClientService` connects through an endpoint again and again, waits longer the more often that fails, and hands out the
connected protocol to whoever wants it. What it does is the table `_NEXT`; how long it waits is its retry policy's
business.
"""

from __future__ import annotations

from enum import Enum
from operator import attrgetter

from reactor._core.backoff import Pause, report
from reactor._ground.current import currentReactor
from reactor._ground.declare import provides
from reactor._ground.log import message, reportException
from reactor.defer import CancelledError, Deferred, fail, maybeDeferred, succeed
from reactor.failure import Failure
from reactor.service.base import Service
from reactor.service.policy import LONGEST, backoffPolicy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class _State(Enum):
    STOPPED = "stopped"
    CONNECTING = "connecting"
    # Connected, and prepareConnection has not finished.
    PREPARING = "preparing"
    CONNECTED = "connected"
    WAITING = "waiting before the next attempt"
    # stopService() was called, and an attempt or a connection is not over yet.
    DISCONNECTING = "disconnecting"
    # The same, and startService() was called since.
    RESTARTING = "disconnecting to start again"


class _Event(Enum):
    START = "startService"
    STOP = "stopService"
    MADE = "the endpoint connected"
    PREPARED = "the connection is prepared"
    FAILED = "the attempt, or what prepares it, failed"
    LOST = "the connection ended"
    DUE = "the delay is over"


_S, _E = _State, _Event

_NEXT: dict[tuple[_State, _Event], _State] = {
    (_S.STOPPED, _E.START): _S.CONNECTING,
    (_S.STOPPED, _E.STOP): _S.STOPPED,
    (_S.CONNECTING, _E.MADE): _S.PREPARING,
    (_S.CONNECTING, _E.FAILED): _S.WAITING,
    (_S.CONNECTING, _E.STOP): _S.DISCONNECTING,
    (_S.PREPARING, _E.PREPARED): _S.CONNECTED,
    (_S.PREPARING, _E.FAILED): _S.WAITING,
    (_S.PREPARING, _E.LOST): _S.WAITING,
    (_S.PREPARING, _E.STOP): _S.DISCONNECTING,
    (_S.CONNECTED, _E.LOST): _S.WAITING,
    (_S.CONNECTED, _E.STOP): _S.DISCONNECTING,
    (_S.WAITING, _E.DUE): _S.CONNECTING,
    (_S.WAITING, _E.STOP): _S.STOPPED,
    (_S.DISCONNECTING, _E.START): _S.RESTARTING,
    (_S.DISCONNECTING, _E.STOP): _S.DISCONNECTING,
    (_S.DISCONNECTING, _E.FAILED): _S.STOPPED,
    (_S.DISCONNECTING, _E.LOST): _S.STOPPED,
    (_S.RESTARTING, _E.STOP): _S.DISCONNECTING,
    (_S.RESTARTING, _E.FAILED): _S.CONNECTING,
    (_S.RESTARTING, _E.LOST): _S.CONNECTING,
}


class ClientService(Service):
    """Keeps one connection through an endpoint: makes it, and makes it anew whenever it ends, until it is stopped.

    Whatever begins with a failed attempt (a TLS handshake that failed is one) or a lost connection is a retry; each is
    logged once with its reason, at level INFO. The failures in a row, which the policy is asked about, are forgotten
    when a connection is made and prepared.
    """

    def __init__(
        self,
        endpoint: Any,
        factory: Any,
        retryPolicy: Callable[[int], float] | None = None,
        clock: Any = None,
        prepareConnection: Callable[[Any], Any] | None = None,
    ) -> None:
        """Not started.

        :param endpoint: a client endpoint, see `reactor.endpoints`.
        :param factory: whose `buildProtocol` makes the protocol of each connection.
        :param retryPolicy: from the number of failures in a row, at least 1, to seconds; None is `backoffPolicy()`.
        :param clock: what has the method ``callLater``; None is the reactor that runs.
        :param prepareConnection: called with each connected protocol before it is handed out. If it raises, or the
            Deferred that it may return fails, the connection is closed and the attempt counts as failed.
        """
        self._endpoint = endpoint
        self._factory = factory
        self._policy = retryPolicy if retryPolicy is not None else backoffPolicy()
        self._clock = clock
        self._prepare = prepareConnection
        self._state = _State.STOPPED
        self._failures = 0
        self._pause = Pause()
        # Invariant: an attempt in CONNECTING, and in the last two states if there is no link; a link in PREPARING,
        # CONNECTED, and in the last two if there is no attempt.
        self._attempt: Deferred[Any] | None = None
        self._link: _Link | None = None
        self._preparing: Deferred[Any] | None = None
        # Who waits for a connection, and how many failures more, if not for ever.
        self._waiting: list[tuple[Deferred[Any], list[int]]] = []
        self._stopping: list[Deferred[None]] = []
        self._stopped = False
        # While `drain` stops it, not `stopService` alone.
        self._gently = False

    # For programs.

    def startService(self) -> None:
        """Begin to connect. Nothing, but a warning in the log, when it is running already."""
        if self.running:
            message("warning", "%s: startService() was called, but it is running already", self)
            return
        super().startService()
        self._stopped = False
        self._step(_Event.START)
        if self._state is _State.CONNECTING:
            self._connect()

    def stopService(self) -> Deferred[None]:
        """End the attempt or close the connection, and connect no more.

        The Deferred fires when nothing of it is left. Who waits for a connection gets a CancelledError.
        """
        super().stopService()
        before = self._state
        stopped: Deferred[None] = Deferred()
        self._stopping.append(stopped)
        self._step(_Event.STOP)
        if before is _State.WAITING:
            self._pause.end()
        elif before is _State.CONNECTING and self._attempt is not None:
            self._attempt.cancel()
        elif before is _State.PREPARING or before is _State.CONNECTED:
            self._giveUpPreparing()
            self._close()
        self._ended()
        return stopped

    def drain(self, deadline: float | None) -> Deferred[int]:
        """As `stopService`, but a connected protocol that provides `IDrainable` is told to finish and closes the
        connection by itself. What is left of the connection after `deadline` seconds is aborted: the Deferred fires
        with 1 then, else with 0.
        """
        clock = self._clock if self._clock is not None else currentReactor()
        timer: Any = None
        aborted = 0

        def abort() -> None:
            nonlocal timer, aborted
            timer = None
            if self._link is not None and self._link.transport is not None:
                aborted = 1
                self._link.transport.abortConnection()

        def over(_: None) -> int:
            if timer is not None:
                timer.cancel()
            return aborted

        if deadline is not None:
            timer = clock.callLater(deadline, abort)
        self._gently = True
        try:
            return self.stopService().addCallback(over)
        finally:
            self._gently = False

    def whenConnected(self, failAfterFailures: int | None = None) -> Deferred[Any]:
        """A Deferred of the protocol of this connection, or of the next one, which it is from `connectionLost` on.

        It fails with CancelledError when the service is stopped, or was.

        :param failAfterFailures: after so many attempts that fail from now on it fails with the reason of the last;
            None: it goes on waiting.
        """
        link = self._link
        if self._state is _State.CONNECTED and link is not None and link.lost is None:
            return succeed(link.protocol)
        if self._stopped:
            return fail(CancelledError())
        waiting: Deferred[Any] = Deferred(self._forget)
        self._waiting.append((waiting, [] if failAfterFailures is None else [failAfterFailures]))
        return waiting

    # What happens.

    def _step(self, event: _Event) -> None:
        try:
            self._state = _NEXT[self._state, event]
        except KeyError:
            raise RuntimeError(f"{self!r} is {self._state.value} and cannot take {event.name}") from None

    def _connect(self) -> None:
        self._attempt = attempt = maybeDeferred(self._endpoint.connect, _Links(self._factory, self))
        attempt.addCallbacks(self._made, self._attemptFailed)

    def _due(self) -> None:
        self._step(_Event.DUE)
        self._connect()

    def _made(self, link: _Link) -> None:
        self._attempt = None
        self._link = link
        if self._state is _State.CONNECTING:
            self._step(_Event.MADE)
        if link.lost is not None:
            self._linkLost(link, link.lost)
        elif self._state is not _State.PREPARING:
            # Stopped, and the endpoint connected all the same.
            self._close()
        elif self._prepare is None:
            self._prepared(None, link)
        else:
            self._preparing = preparing = maybeDeferred(self._prepare, link.protocol)
            preparing.addCallbacks(self._prepared, self._notPrepared, callbackArgs=(link,), errbackArgs=(link,))

    def _prepared(self, _: object, link: _Link) -> None:
        if self._state is not _State.PREPARING or self._link is not link or link.lost is not None:
            # Lost: that is what comes next.
            return
        self._preparing = None
        self._step(_Event.PREPARED)
        self._failures = 0
        waiting, self._waiting = self._waiting, []
        for deferred, _left in waiting:
            deferred.callback(link.protocol)

    def _notPrepared(self, reason: Failure, link: _Link) -> None:
        # Whoever made it fail by cancelling it knows.
        if self._state is _State.PREPARING and self._link is link:
            self._preparing = None
            self._close()
            self._link = None
            self._step(_Event.FAILED)
            self._again(reason)

    def _attemptFailed(self, reason: Failure) -> None:
        self._attempt = None
        before = self._state
        self._step(_Event.FAILED)
        if before is _State.CONNECTING:
            self._again(reason)
        else:
            self._ended()

    def _linkLost(self, link: _Link, reason: Failure) -> None:
        if link is not self._link:
            # Not handed over yet, or given up.
            return
        before = self._state
        self._link = None
        self._step(_Event.LOST)
        self._giveUpPreparing()
        if self._state is _State.WAITING:
            self._again(reason, counts=before is _State.PREPARING)
        else:
            self._ended()

    def _again(self, reason: Failure, counts: bool = True) -> None:
        """Wait, then connect; `counts` when an attempt failed, and not a connection was lost."""
        self._failures += 1
        try:
            delay = self._policy(self._failures)
        except Exception as e:
            reportException("the retry policy of %r raised, for %d failures", e, self, self._failures)
            delay = LONGEST
        clock = self._clock if self._clock is not None else currentReactor()
        self._pause.begin(clock, delay, self._due)
        report(self, self._failures + 1, delay, reason.getErrorMessage())
        if counts:
            for entry in self._waiting[:]:
                deferred, left = entry
                if left:
                    left[0] -= 1
                    if left[0] <= 0 and entry in self._waiting:
                        self._waiting.remove(entry)
                        deferred.errback(reason)

    def _ended(self) -> None:
        """What was to end has: start again, or tell everybody."""
        if self._state is _State.CONNECTING:
            self._failures = 0
            self._connect()
        elif self._state is _State.STOPPED:
            self._failures = 0
            self._stopped = True
            waiting, self._waiting = self._waiting, []
            for deferred, _ in waiting:
                deferred.errback(Failure(CancelledError()))
        else:
            return
        stopping, self._stopping = self._stopping, []
        for stopped in stopping:
            stopped.callback(None)

    def _close(self) -> None:
        link = self._link
        if link is None or link.transport is None:
            return
        if self._gently and provides(link.protocol, "IDrainable"):
            try:
                link.protocol.drain()
                return
            except Exception as e:
                reportException("%r: %r.drain() raised", e, self, link.protocol)
        link.transport.loseConnection()

    def _giveUpPreparing(self) -> None:
        preparing, self._preparing = self._preparing, None
        if preparing is not None:
            preparing.cancel()

    def _forget(self, deferred: Deferred[Any]) -> None:
        self._waiting = [entry for entry in self._waiting if entry[0] is not deferred]

    def __repr__(self) -> str:
        return f"<ClientService of {type(self._factory).__name__}, {self._state.value}>"


class _Links:
    """The factory that the endpoint is given: the program's, whose protocols it puts a `_Link` around."""

    def __init__(self, factory: Any, service: ClientService) -> None:
        self._factory = factory
        self._service = service

    def buildProtocol(self, addr: Any) -> _Link | None:
        protocol = self._factory.buildProtocol(addr)
        return None if protocol is None else _Link(protocol, self._service)

    @property
    def __providedBy__(self) -> Any:
        from zope.interface import providedBy

        return providedBy(self._factory)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._factory, name)


class _Link:
    """What the transport takes for the protocol: passes everything on, and tells the service of the end."""

    __slots__ = ("_service", "lost", "protocol", "transport")

    def __init__(self, protocol: Any, service: ClientService) -> None:
        self.protocol = protocol
        self._service = service
        self.transport: Any = None
        self.lost: Failure | None = None

    # What the transport gets is the protocol's own method: a received byte goes no detour.
    dataReceived = property(attrgetter("protocol.dataReceived"))

    def makeConnection(self, transport: Any) -> None:
        self.transport = transport
        self.protocol.makeConnection(transport)

    def connectionLost(self, reason: Failure) -> None:
        self.transport = None
        self.lost = reason
        try:
            self.protocol.connectionLost(reason)
        finally:
            self._service._linkLost(self, reason)

    # It provides what the protocol provides: half-close, file descriptors, the end of a handshake.
    @property
    def __providedBy__(self) -> Any:
        from zope.interface import providedBy

        return providedBy(self.protocol)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.protocol, name)
