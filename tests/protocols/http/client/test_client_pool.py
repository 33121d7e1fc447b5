"""The pool, alone: who gets a connection, who may make one, who waits; and that nothing is lost whatever happens."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from protocols.http.client.pool import MAKE, Pool


class Waiter:
    """Somebody who asks, and keeps what he got."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.got: Any = None

    def connectionGiven(self, connection: Any) -> None:
        assert self.got is None
        self.got = connection

    def placeGiven(self) -> None:
        assert self.got is None
        self.got = MAKE

    def ask(self, pool: Pool) -> Any:
        self.got = pool.ask(self)
        return self.got


def test_limits_are_checked() -> None:
    for limits in ((0, 1), (1, 0), (True, 1), (1, "2")):
        with pytest.raises(ValueError, match="must be a number from 1 on"):
            Pool(*limits, print)  # type: ignore[arg-type]


def test_an_idle_connection_is_used_again_the_last_one_first() -> None:
    pool = Pool(10, 10, print)
    assert Waiter("a").ask(pool) is MAKE and Waiter("a").ask(pool) is MAKE
    pool.release("1", "a")
    pool.release("2", "a")
    assert pool.idle == ["1", "2"]
    assert [Waiter("a").ask(pool) for _ in range(3)] == ["2", "1", MAKE]


def test_who_came_first_is_served_first() -> None:
    pool = Pool(1, 1, print)
    assert Waiter("a").ask(pool) is MAKE
    waiters = [Waiter("a") for _ in range(3)]
    assert [each.ask(pool) for each in waiters] == [None, None, None]
    assert pool.withdraw(waiters[1]) and not pool.withdraw(waiters[1])
    pool.release("1", "a")
    assert [each.got for each in waiters] == ["1", None, None]
    pool.lost("a")
    assert [each.got for each in waiters] == ["1", None, MAKE]
    assert pool.waiting == 0


def test_a_host_at_its_limit_keeps_nobody_else_waiting() -> None:
    pool = Pool(3, 1, print)
    assert Waiter("a").ask(pool) is MAKE
    assert Waiter("a").ask(pool) is None
    assert Waiter("b").ask(pool) is MAKE


def test_the_connection_idle_longest_gives_way() -> None:
    evicted: list[Any] = []
    pool = Pool(2, 2, evicted.append)
    for origin in ("a", "b"):
        assert Waiter(origin).ask(pool) is MAKE
        pool.release(origin, origin)
    assert Waiter("c").ask(pool) is MAKE
    assert evicted == ["a"] and pool.places == 2
    # And for somebody in line as soon as one is idle.
    first, second = Waiter("a"), Waiter("d")
    assert first.ask(pool) is MAKE and evicted == ["a", "b"]
    assert second.ask(pool) is None
    pool.release("c", "c")
    assert evicted == ["a", "b", "c"] and second.got is MAKE


def test_the_line_is_one_for_all_hosts() -> None:
    evicted: list[Any] = []
    pool = Pool(1, 1, evicted.append)
    assert Waiter("a").ask(pool) is MAKE
    other, same = Waiter("b"), Waiter("a")
    assert (other.ask(pool), same.ask(pool)) == (None, None)
    pool.release("1", "a")
    assert other.got is MAKE and same.got is None and evicted == ["1"]


def test_ten_thousand_that_wait_are_served_and_withdrawn_quickly() -> None:
    import time

    pool = Pool(1, 1, print)
    Waiter("a").ask(pool)
    waiters = [Waiter("a") for _ in range(10_000)]
    began = time.process_time()
    for each in waiters:
        each.ask(pool)
    for each in waiters[5000:]:
        assert pool.withdraw(each)
    for _ in range(5000):
        pool.release("1", "a")
    assert pool.waiting == 0 and all(each.got == "1" for each in waiters[:5000])
    assert time.process_time() - began < 2


class Pools(RuleBasedStateMachine):
    """Whatever happens: no limit is passed, and nobody waits for what is there."""

    origins = st.sampled_from("abc")

    def __init__(self) -> None:
        super().__init__()
        self.evicted: list[Any] = []
        self.pool = Pool(3, 2, self.evict)
        self.waiting: list[Waiter] = []
        self.busy: list[tuple[str, str]] = []
        self.making: list[str] = []
        self.idle: dict[str, str] = {}
        self.serial = 0

    def evict(self, connection: str) -> None:
        del self.idle[connection]

    def settle(self) -> None:
        for each in list(self.waiting):
            if each.got is not None:
                self.waiting.remove(each)
                self.take(each)

    def take(self, waiter: Waiter) -> None:
        if waiter.got is MAKE:
            self.making.append(waiter.origin)
        else:
            self.idle.pop(waiter.got, None)
            self.busy.append((waiter.got, waiter.origin))

    @rule(origin=origins)
    def ask(self, origin: str) -> None:
        waiter = Waiter(origin)
        if waiter.ask(self.pool) is None:
            self.waiting.append(waiter)
        else:
            self.take(waiter)
        self.settle()

    @precondition(lambda self: self.making)
    @rule(data=st.data(), works=st.booleans())
    def made(self, data: Any, works: bool) -> None:
        origin = self.making.pop(data.draw(st.integers(0, len(self.making) - 1)))
        if works:
            self.serial += 1
            self.busy.append((f"{origin}{self.serial}", origin))
        else:
            self.pool.lost(origin)
        self.settle()

    @precondition(lambda self: self.busy)
    @rule(data=st.data(), keep=st.booleans())
    def through(self, data: Any, keep: bool) -> None:
        connection, origin = self.busy.pop(data.draw(st.integers(0, len(self.busy) - 1)))
        if keep:
            self.idle[connection] = origin
            self.pool.release(connection, origin)
            for each in self.waiting:
                if each.got == connection:
                    del self.idle[connection]
        else:
            self.pool.lost(origin)
        self.settle()

    @precondition(lambda self: self.idle)
    @rule(data=st.data())
    def gone(self, data: Any) -> None:
        connection = data.draw(st.sampled_from(sorted(self.idle)))
        del self.idle[connection]
        assert self.pool.remove(connection)
        assert not self.pool.remove(connection)
        self.settle()

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def withdraw(self, data: Any) -> None:
        waiter = self.waiting.pop(data.draw(st.integers(0, len(self.waiting) - 1)))
        assert self.pool.withdraw(waiter)
        self.settle()

    @invariant()
    def counts(self) -> None:
        taken = [*self.making, *[origin for _, origin in self.busy], *self.idle.values()]
        assert self.pool.places == len(taken) <= 3
        assert all(taken.count(origin) <= 2 for origin in "abc")
        assert sorted(self.pool.idle) == sorted(self.idle)
        assert self.pool.waiting == len(self.waiting)

    @invariant()
    def nobodyWaitsInVain(self) -> None:
        taken = [*self.making, *[origin for _, origin in self.busy], *self.idle.values()]
        for each in self.waiting:
            assert each.origin not in self.idle.values()
            assert taken.count(each.origin) == 2 or (len(taken) == 3 and not self.idle)


TestPools = Pools.TestCase
TestPools.settings = settings(max_examples=60, stateful_step_count=40)
