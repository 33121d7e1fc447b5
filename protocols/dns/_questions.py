"""Questions as a program has them, a name and a type: from the cache, or asked. Equal ones that are under way are one,
and it ends when nobody waits any more.
"""

from __future__ import annotations

from copy import copy

from protocols.dns._answers import MOST_ALIASES, Found, Loop
from protocols.dns.error import NoData, NoSuchName, ServerFailure
from reactor.defer import CancelledError, Deferred, DeferredSemaphore
from reactor.error import DNSLookupError
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from protocols.dns._asking import Asker
    from protocols.dns._cache import Cache
    from protocols.dns._resolvconf import Config
    from protocols.dns.records import Record

    Records = tuple[Record, ...]

_FOR_EVER = float("inf")


class _Shared:
    """One question that is under way, and who waits for it."""

    __slots__ = ("asked", "waiting")

    def __init__(self) -> None:
        self.asked: Deferred[Records] | None = None
        self.waiting: list[Deferred[Records]] = []

    def join(self) -> Deferred[Records]:
        waiting: Deferred[Records] = Deferred(self._left)
        self.waiting.append(waiting)
        return waiting

    def _left(self, waiting: Deferred[Records]) -> None:
        self.waiting.remove(waiting)
        if not self.waiting and self.asked is not None:
            self.asked.cancel()

    def end(self, result: Any) -> None:
        waiting, self.waiting = self.waiting, []
        for each in waiting:
            if not isinstance(result, Failure):
                each.callback(result)
            elif isinstance(result.value, DNSLookupError):
                # Whoever is told learns to it what it was wanted for.
                each.errback(copy(result.value))
            else:
                each.errback(result)


class Questions:
    """All questions of a resolver."""

    def __init__(self, asker: Asker, cache: Cache, clock: Any, most: int) -> None:
        """`most` are asked at a time; others wait in a row."""
        self._asker = asker
        self._cache = cache
        self._clock = clock
        self._row = DeferredSemaphore(most)
        self._underway: dict[Any, _Shared] = {}
        # Called when the first is under way, and when none is any more.
        self.began: Callable[[], object] = lambda: None
        self.ended: Callable[[], object] = lambda: None

    def __len__(self) -> int:
        return len(self._underway)

    def ask(self, reactor: Any, config: Config, name: str, type: str) -> Deferred[Records]:
        """The records, at least one, in the server's order. NoSuchName, NoData, ServerFailure, TimedOut."""
        key = name.lower(), type
        shared = self._underway.get((config, *key))
        if shared is not None:
            return shared.join()
        cached = self._cache.get(key, self._clock.seconds())
        if cached is not None:
            known: Deferred[Records] = Deferred()
            if isinstance(cached, str):
                known.errback(_nothing(cached, name, type))
            else:
                known.callback(cached)
            return known
        shared = _Shared()
        if not self._underway:
            self.began()
        self._underway[(config, *key)] = shared
        waiting = shared.join()
        asked = Deferred.fromCoroutine(self._asked(reactor, config, name, type))
        shared.asked = asked
        asked.addBoth(self._end, (config, *key), shared)
        return waiting

    def _end(self, result: Any, key: Any, shared: _Shared) -> None:
        del self._underway[key]
        if isinstance(result, Failure) and result.check(CancelledError):
            # For those who wait nevertheless.
            result = Failure(DNSLookupError("the resolver was closed", host=key[1]))
        if not self._underway:
            self.ended()
        shared.end(result)

    async def _asked(self, reactor: Any, config: Config, name: str, type: str) -> Records:
        """Ask, and on where a server gives an alias and leaves the rest to us."""
        found, ttl, names = await self._once(reactor, config, name, type), _FOR_EVER, {name.lower()}
        while found.unfinished:
            ttl = min(ttl, found.ttl)
            names.add(found.name)
            last = found.name
            found = await self._once(reactor, config, last, type)
            if found.name in names - {last} or len(names) > MOST_ALIASES:
                raise ServerFailure(f"the aliases of {name} do not end", host=name, type=type)
        nothing = "" if found.records else (NoSuchName if found.noSuchName else NoData).__name__
        answer: Records | str = found.records or nothing
        self._cache.put((name.lower(), type), answer, min(ttl, found.ttl), self._clock.seconds())
        if nothing:
            raise _nothing(nothing, name, type)
        return found.records

    async def _once(self, reactor: Any, config: Config, name: str, type: str) -> Found:
        await self._row.acquire()
        try:
            response = await self._asker.ask(reactor, config, name, type)
        finally:
            self._row.release()
        try:
            return Found(response, name, type)
        except Loop as e:
            raise ServerFailure(str(e), host=name, type=type) from None

    def cancel(self) -> None:
        """End all that are under way, as failed."""
        for shared in list(self._underway.values()):
            if shared.asked is not None:
                shared.asked.cancel()


def _nothing(kind: str, name: str, type: str) -> NoSuchName | NoData:
    cls, rcode = (NoSuchName, 3) if kind == NoSuchName.__name__ else (NoData, 0)
    return cls(host=name, type=type, rcode=rcode)
