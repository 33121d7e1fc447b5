"""Both families of addresses of one full name, asked for at once.

Who has addresses of one waits for those of the other for a short while only (RFC 8305, section 3): there are servers,
and routers, that never answer questions for IPv6 addresses. As long as none of what is there can be reached, it is
worth waiting longer.
"""

from __future__ import annotations

import socket

from protocols.dns._ordering import ordered
from protocols.dns.error import NoData, NoSuchName
from reactor.defer import Deferred
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from protocols.dns._ordering import Found


class Families:
    """The questions for one name.

    :ivar found: fires with addresses, at least one; fails with what the questions did. Cancelled, it cancels them.
    """

    def __init__(
        self, clock: Any, delay: float, ask: Callable[[str], Deferred[Any]], types: Sequence[str], oneByOne: bool
    ) -> None:
        """`ask(type)` gives records, `types` are ``"A"`` and ``"AAAA"`` or one of them; with `oneByOne` the second is
        asked when the first is answered. `delay` in seconds is how long the other family is waited for.
        """
        self._clock = clock
        self._delay = delay
        self._ask = ask
        self._left = list(types)
        self._asked: list[Deferred[Any]] = []
        self._addresses: list[Found] = []
        self._problems: list[Failure] = []
        self._timer: Any = None
        self._over = False
        self.found: Deferred[list[Found]] = Deferred(lambda _: self._end())
        while self._left and not self._over:
            self._next()
            if oneByOne:
                break
        self._look()

    def _next(self) -> None:
        asked = self._ask(self._left.pop(0))
        self._asked.append(asked)
        asked.addBoth(self._answered, asked)

    def _answered(self, result: Any, asked: Deferred[Any]) -> None:
        self._asked.remove(asked)
        if self._over:
            return
        if isinstance(result, Failure):
            self._problems.append(result)
            if result.check(NoSuchName):
                # That is so of the name, whatever is asked of it (RFC 8020).
                self._left.clear()
        else:
            self._addresses += [_found(record.address) for record in result]
        self._look()

    def _look(self) -> None:
        """Whether it is over, and what else there is to do."""
        if not self._over and not self._asked and self._left:
            self._next()
        if self._over:
            return
        gone = not self._addresses and any(problem.check(NoSuchName) for problem in self._problems)
        if gone or not self._asked:
            self._finish()
        elif self._addresses and self._timer is None and ordered(self._addresses)[1]:
            self._timer = self._clock.callLater(self._delay, self._finish)

    def _finish(self) -> None:
        self._end()
        if self._addresses:
            self.found.callback(ordered(self._addresses)[0])
        else:
            self.found.errback(self._worst())

    def _worst(self) -> Failure:
        """That there is no such name holds for both; that there is nothing, only when both say so."""
        for problem in self._problems:
            if problem.check(NoSuchName):
                return problem
        for problem in self._problems:
            if not problem.check(NoData):
                return problem
        return self._problems[0]

    def _end(self) -> None:
        self._over = True
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
        for asked in self._asked[:]:
            asked.cancel()


def _found(address: str) -> Found:
    return (socket.AF_INET6 if ":" in address else socket.AF_INET), address, 0
