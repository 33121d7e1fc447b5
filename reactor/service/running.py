"""A service as a process: started before the reactor runs and stopped gracefully by a signal, while a service manager
is told where it stands.
"""

from __future__ import annotations

from reactor._core.timers import checkDelay
from reactor._ground.current import currentReactor
from reactor._ground.log import message, reportException
from reactor.defer import Deferred, maybeDeferred
from reactor.error import ReactorNotRunning
from reactor.service.base import drainService
from reactor.service.notify import Notifier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reactor.failure import Failure

# Seconds after the deadline at which a service that has not stopped yet is left behind.
GRACE = 5.0


def run(service: Any, drain: float | None = 30.0, reactor: Any = None, notifier: Notifier | None = None) -> None:
    """Run `service` until the process gets SIGTERM or SIGINT, or somebody stops the reactor.

    `service.privilegedStartService` and `service.startService` are called before the reactor runs; what they raise
    comes out of here. The first signal drains the service (`Service.drain`); a second one ends the run at once. A
    service that has not stopped 5 seconds after the deadline is left behind, which is logged.

    :param drain: seconds that connections have to finish; None: as long as they take.
    :param reactor: None is the one of this thread.
    :param notifier: who is told that the service is ready (when the reactor runs and, if `startService` returned a
        Deferred, that has fired), that it stops, and that the loop turns; None: whom the environment names.
    :raises Exception: what the Deferred that `startService` returned failed with; the service has been stopped then.
    """
    if drain is not None:
        checkDelay(drain, "run", "drain")
    _Life(
        service,
        drain,
        currentReactor() if reactor is None else reactor,
        Notifier.fromEnvironment() if notifier is None else notifier,
    ).live()


class _Life:
    """One run of one service."""

    def __init__(self, service: Any, deadline: float | None, reactor: Any, notifier: Notifier) -> None:
        self._service = service
        self._deadline = deadline
        self._reactor = reactor
        self._notifier = notifier
        self._stopping = False
        self._problem: Failure | None = None

    def live(self) -> None:
        reactor, service = self._reactor, self._service
        service.privilegedStartService()
        started = service.startService()
        begin = reactor.callWhenRunning(self._running, started)
        end = reactor.addSystemEventTrigger("before", "shutdown", self._stop)
        try:
            reactor.run()
        finally:
            self._notifier.rest()
            for trigger in (begin, end):
                try:
                    reactor.removeSystemEventTrigger(trigger)
                except ValueError:
                    # It was called, as nearly always.
                    pass
        if self._problem is not None:
            self._problem.raiseException()

    def _running(self, started: Any) -> None:
        self._notifier.beat(self._reactor)
        if isinstance(started, Deferred):
            started.addCallbacks(self._ready, self._notStarted)
        else:
            self._ready(None)

    def _ready(self, _: object) -> None:
        if not self._stopping:
            self._notifier.ready()

    def _notStarted(self, failure: Failure) -> None:
        if not self._stopping:
            self._problem = failure
            try:
                self._reactor.stop()
            except ReactorNotRunning:
                # Somebody else stopped it in the same turn.
                pass

    def _stop(self) -> Deferred[None]:
        """Drain the service; the Deferred fires when it has stopped, or is given up."""
        self._stopping = True
        self._notifier.stopping()
        service, deadline = self._service, self._deadline
        over: Deferred[None] = Deferred()

        def stopped(count: int) -> None:
            if count:
                message("warning", "%r is stopped; %d were cut off after %g s", service, count, deadline)

        def failed(failure: Failure) -> None:
            reportException("%r could not be stopped", failure, service)

        def end(_: object) -> None:
            if not over.called:
                if timer is not None:
                    timer.cancel()
                over.callback(None)

        def giveUp(seconds: float) -> None:
            message("warning", "%r has not stopped in %g s: left behind", service, seconds)
            over.callback(None)

        timer = None
        if deadline is not None:
            timer = self._reactor.callLater(deadline + GRACE, giveUp, deadline + GRACE)
        maybeDeferred(drainService, service, deadline).addCallbacks(stopped, failed).addBoth(end)
        return over
