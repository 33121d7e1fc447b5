"""A server as a service: listens through an endpoint while it runs."""

from __future__ import annotations

from reactor._ground.log import reportException
from reactor.defer import CancelledError, Deferred, fail, maybeDeferred, succeed
from reactor.failure import Failure
from reactor.service.base import Service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class StreamServerEndpointService(Service):
    """Listens through a server endpoint from its start to its stop."""

    # Whether the start raises what it fails with at once; see the constructor.
    _raiseSynchronously = False
    # Invariant: None, or the Deferred of what listens, None when nothing does.
    _waitingForPort: Deferred[Any] | None = None
    # Why nothing does.
    _problem: Failure | None = None

    def __init__(self, endpoint: Any, factory: Any, raiseSynchronously: bool = False) -> None:
        """Not listening.

        :param endpoint: a server endpoint, see `reactor.endpoints`.
        :param factory: whose `buildProtocol` makes the protocol of each connection.
        :param raiseSynchronously: let the start raise it when the endpoint cannot listen (the port is in use, say).
            Otherwise that is logged, and the service runs without listening.
        """
        self.endpoint = endpoint
        self.factory = factory
        if raiseSynchronously:
            self._raiseSynchronously = True

    def privilegedStartService(self) -> None:
        """Listen."""
        super().privilegedStartService()
        self._problem = None
        atOnce: list[Failure] = []
        starting = True

        def failed(failure: Failure) -> None:
            self._problem = failure
            if starting and self._raiseSynchronously:
                atOnce.append(failure)
            elif not failure.check(CancelledError):
                reportException("%r cannot listen", failure, self)

        self._waitingForPort = self.endpoint.listen(self.factory)
        self._waitingForPort.addErrback(failed)
        starting = False
        if atOnce:
            self._waitingForPort = None
            atOnce[0].raiseException()

    def startService(self) -> None:
        """Listen, unless `privilegedStartService` has seen to that."""
        if self._waitingForPort is None:
            self.privilegedStartService()
        super().startService()

    def whenListening(self) -> Deferred[Any]:
        """The Deferred of the port (`IListeningPort`), which knows the address. Not in Twisted.

        It fails with what listening failed with, and with CancelledError when the service is not started, or is stopped
        before it listens.
        """
        waiting: Deferred[Any] = Deferred()

        def tell(port: Any) -> Any:
            if port is None:
                waiting.errback(self._problem if self._problem is not None else CancelledError())
            else:
                waiting.callback(port)
            return port

        if self._waitingForPort is None:
            return fail(CancelledError())
        self._waitingForPort.addCallback(tell)
        return waiting

    def stopService(self) -> Deferred[Any]:
        """Listen no more; connections live on. The Deferred fires, and `running` ends, when the port is closed."""
        return self._end(lambda port: port.stopListening())

    def drain(self, deadline: float | None) -> Deferred[int]:
        """Listen no more, and let the connections of this service finish; see `IDrainable`.

        At the deadline those that are left are aborted: the Deferred fires with their number. An endpoint whose ports
        have no method ``drain`` is only stopped.
        """

        def gently(port: Any) -> Any:
            return port.drain(deadline) if hasattr(port, "drain") else maybeDeferred(port.stopListening)

        def stop(count: Any) -> Deferred[int]:
            return maybeDeferred(self.stopService).addCallback(lambda _: count if isinstance(count, int) else 0)

        return self._end(gently).addCallback(stop)

    def _end(self, end: Any) -> Deferred[Any]:
        """Do `end(port)` and be stopped when that is done."""
        listening, self._waitingForPort = self._waitingForPort, None
        if listening is None:
            super().stopService()
            return succeed(None)
        listening.cancel()

        def over(result: Any) -> Any:
            # It may have been started anew meanwhile.
            if self._waitingForPort is None:
                Service.stopService(self)
            return result

        return listening.addCallback(lambda port: None if port is None else end(port)).addBoth(over)

    def __getstate__(self) -> dict[str, Any]:
        left = ("_waitingForPort", "_problem")
        return {name: value for name, value in super().__getstate__().items() if name not in left}

    def __repr__(self) -> str:
        how = "running" if self.running else "not running"
        return f"<StreamServerEndpointService of {type(self.factory).__name__} on {self.endpoint!r}, {how}>"
