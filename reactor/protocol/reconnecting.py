"""A client factory that connects again.

How long it waits is `reactor._core.backoff`'s business; here are the names that programs set and call.
"""

from __future__ import annotations

from functools import partial

from reactor._core.backoff import Pause, grown, report, reportEnd, spread
from reactor._ground.current import currentReactor
from reactor.error import NotConnectingError
from reactor.protocol.protocols import ClientFactory, P

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from weakref import WeakSet

    from reactor.failure import Failure

# What an attempt, a failure or stopTrying() changes; not a part of what is pickled.
_OF_THE_MOMENT = frozenset(
    ("_pauses", "_reason", "_underWay", "clock", "connector", "continueTrying", "delay", "retries")
)


class ReconnectingClientFactory(ClientFactory[P]):
    """A client factory that connects again when a connection is lost or failed, after a delay that grows each time.

    Call `resetDelay` when a connection has proved good, from `buildProtocol` or later; nothing else makes the delay
    short again. A subclass that overrides `clientConnectionFailed` or `clientConnectionLost` calls this one's as well.
    Each retry and its reason is logged once, at level INFO, if the factory is `noisy`. It may be used for several
    servers: each connector gets its retry, and the delay and the count of retries are common to all. Pickled and
    unpickled, a factory is as if it had never connected.
    """

    #: The longest delay, in seconds.
    maxDelay: float = 3600
    #: The delay before the first retry, in seconds.
    initialDelay: float = 1.0
    #: What each delay is multiplied by to get the next.
    factor: float = 2.718281828459045
    #: How far delays are spread: the standard deviation as a part of the delay. 0 or None: not at all.
    jitter: float | None = 0.119626565582
    #: The delay before the next retry, in seconds, without what `jitter` adds or takes.
    delay: float = initialDelay
    #: Retries since the beginning or `resetDelay`.
    retries: int = 0
    #: So many retries are made, then it gives up. None: it never does.
    maxRetries: int | None = None
    #: False after `stopTrying`.
    continueTrying: int = True
    #: What has the method ``callLater``. None: the reactor that runs.
    clock: Any = None
    #: Of the connection that was lost or failed last.
    connector: Any = None

    noisy: bool
    #: The time until the next attempt of each connector that waits for it.
    _pauses: dict[Any, Pause] | None = None
    #: Connectors that began an attempt and may be at it. Weakly: nobody may ever say that it ended.
    _underWay: WeakSet[Any] | None = None
    _reason: object = "retry() was called"

    def startedConnecting(self, connector: Any) -> None:
        """An attempt begins. For subclasses, which need not call this one's."""
        self._attemptBegan(connector)

    def _attemptBegan(self, connector: Any) -> None:
        """Called by the connector, since subclasses override `startedConnecting`."""
        if self._underWay is None:
            from weakref import WeakSet

            self._underWay = WeakSet()
        self._underWay.add(connector)

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        """No connection came about: try again, unless `stopTrying` was called."""
        self._again(connector, reason)

    def clientConnectionLost(self, connector: Any, reason: Failure) -> None:
        """The connection ended: make another, unless `stopTrying` was called."""
        self._again(connector, reason)

    def _again(self, connector: Any, reason: Failure) -> None:
        if self.continueTrying:
            self.connector = connector
            # Not the failure: what it holds of the connection that is over would live as long as the factory.
            self._reason = "no reason was given" if reason is None else reason.getErrorMessage()
            self.retry()

    def retry(self, connector: Any = None) -> None:
        """Connect again when the delay is over. Nothing after `stopTrying`, or `maxRetries` retries.

        :param connector: what to connect again; None is the `connector` that was lost or failed last.
        :raises ValueError: when there is none.
        """
        if not self.continueTrying:
            return
        if connector is None:
            if self.connector is None:
                raise ValueError(f"{self!r} has no connector to retry: nothing was lost or failed yet")
            connector = self.connector
        reason, self._reason = self._reason, ReconnectingClientFactory._reason
        self.retries += 1
        if self.maxRetries is not None and self.retries > self.maxRetries:
            if self.noisy:
                reportEnd(self, self.retries, reason)
            return
        # Loaded by those who connect again, not by everybody.
        from random import normalvariate

        wait = spread(self.delay, self.jitter, self.maxDelay, normalvariate)
        self.delay = grown(self.delay, self.factor, self.maxDelay)
        if self._pauses is None:
            self._pauses = {}
        pause = self._pauses.setdefault(connector, Pause())
        clock = self.clock if self.clock is not None else currentReactor()
        pause.begin(clock, wait, partial(self._due, connector))
        if self.noisy:
            report(self, self.retries + 1, wait, reason)

    def _due(self, connector: Any) -> None:
        if self._pauses is not None:
            self._pauses.pop(connector, None)
        connector.connect()

    def stopTrying(self) -> None:
        """Connect no more: end the attempts that are under way or were to come. A connection that stands, stays."""
        self.continueTrying = False
        pauses, self._pauses = self._pauses, None
        for pause in (pauses or {}).values():
            pause.end()
        connectors = list(self._underWay or ())
        if self.connector is not None and self.connector not in connectors:
            connectors.append(self.connector)
        for connector in connectors:
            try:
                connector.stopConnecting()
            except NotConnectingError:
                # Connected, or waiting until just now.
                pass

    def resetDelay(self) -> None:
        """Call this when a connection has proved good: the next delay is `initialDelay`, retries are counted from 0.

        After `stopTrying` it tries again.
        """
        self.delay = self.initialDelay
        self.retries = 0
        self.continueTrying = True

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in _OF_THE_MOMENT}
