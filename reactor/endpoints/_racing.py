"""A name and its addresses on a reactor that is not ours, such as a `MemoryReactor`: its `nameResolver` is asked, then
its `connectTCP` for one address after another, in the order and at the pace of `race`.

Our own reactors do all of that in `connectTCP` itself.
"""

from __future__ import annotations

import socket

from reactor._transport.client.lookup import Collector
from reactor._transport.client.race import ATTEMPT_DELAY, Race
from reactor.defer import Deferred
from reactor.error import ConnectingCancelledError, DNSLookupError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reactor._transport.client.race import Target
    from reactor.failure import Failure


class Racing:
    """One connection to a name, until it is made or all addresses have failed."""

    def __init__(
        self,
        reactor: Any,
        name: str,
        port: int,
        attempt: Callable[[str, int], Deferred[Any]],
        address: Any,
        attemptDelay: float | None = None,
        family: int | None = None,
    ) -> None:
        """`attempt(host, port)` connects to an address; `address` is what the error of a cancelled connection names;
        `family` None is both.
        """
        self._reactor = reactor
        self._name = name
        self._attempt = attempt
        self._address = address
        self._delay = ATTEMPT_DELAY if attemptDelay is None else attemptDelay
        self._family = family
        self._race: Race | None = None
        self._timer: Any = None
        self._running: list[Deferred[Any]] = []
        self.connected: Deferred[Any] = Deferred(self._cancel)
        self._collector: Collector | None = Collector(name, reactor.seconds, self._resolved)
        try:
            reactor.nameResolver.resolveHostName(self._collector, name, port)
        except Exception as e:
            if self._collector is not None:
                self._collector.raised(e)

    def _resolved(self, answer: list[Target] | DNSLookupError) -> None:
        self._collector = None
        if not isinstance(answer, DNSLookupError):
            answer = [target for target in answer if self._family in (None, target[0])] or DNSLookupError(
                "the resolver found no address of that kind", host=self._name, phase="resolve"
            )
        if isinstance(answer, DNSLookupError):
            self.connected.errback(answer)
        else:
            self._race = Race(answer)
            self._next()

    def _next(self) -> None:
        self._timer = None
        race = self._race
        assert race is not None
        target = race.next()
        if race.waiting:
            self._timer = self._reactor.callLater(self._delay, self._next)
        running = self._attempt(*_hostAndPort(target))
        self._running.append(running)
        running.addCallbacks(self._made, self._failed, callbackArgs=(running,), errbackArgs=(target, running))

    def _made(self, protocol: Any, running: Deferred[Any]) -> None:
        self._running.remove(running)
        if not self.connected.called:
            self._end()
            self.connected.callback(protocol)

    def _failed(self, reason: Failure, target: Target, running: Deferred[Any]) -> None:
        self._running.remove(running)
        race = self._race
        if race is None:
            return
        race.failed(target, reason.value)
        if race.lost():
            self._end()
            self.connected.errback(reason)
        elif race.waiting:
            if self._timer is not None:
                self._timer.cancel()
            self._next()

    def _end(self) -> None:
        """No further address, and none of those under way."""
        timer, self._timer, self._race = self._timer, None, None
        if timer is not None:
            timer.cancel()
        for running in self._running[:]:
            running.cancel()

    def _cancel(self, connected: Deferred[Any]) -> None:
        collector, self._collector = self._collector, None
        connected.errback(ConnectingCancelledError(self._address))
        if collector is not None:
            collector.forget()
        self._end()


def _hostAndPort(target: Target) -> tuple[str, int]:
    family, sockaddr = target
    host, port = sockaddr[:2]
    zone = sockaddr[3] if family == socket.AF_INET6 else 0
    return (f"{host}%{zone}" if zone else host), port
