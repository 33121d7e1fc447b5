"""Two reactors in two threads do not disturb each other: nothing of ours is shared between them without a lock.

With the global interpreter lock, threads are switched so often here that what is not one step gets interrupted; on a
free-threaded build of CPython they really run at the same time.
"""

from __future__ import annotations

import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE

from protocols.basic import LineReceiver
from protocols.irc import Message
from reactor import _default
from reactor._ground import current
from reactor._ground.linklock import Lock
from reactor.base import Reactor
from reactor.defer import Deferred, DeferredLock, gatherResults, inlineCallbacks
from reactor.failure import Failure
from reactor.protocol import ClientFactory, Factory
from reactor.task import cooperate, cooperation, deferLater
from reactor.threads import deferToThread

ROUNDS = 60
THREADS = 4


@pytest.fixture(autouse=True)
def oftenSwitched() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def atOnce(function: Callable[[int], Any], threads: int = THREADS) -> list[Any]:
    """What `function(0)`, `function(1)` ... return, each in a thread of its own; they begin together."""
    together = threading.Barrier(threads)
    results: list[Any] = [None] * threads
    problems: list[BaseException] = []

    def work(number: int) -> None:
        try:
            together.wait(PATIENCE)
            results[number] = function(number)
        except BaseException as e:
            problems.append(e)

    working = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for thread in working:
        thread.start()
    for thread in working:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    for problem in problems:
        raise problem
    return results


# Programs.


class Echo(LineReceiver):
    def lineReceived(self, line: bytes) -> None:
        self.sendLine(line)


class Asks(LineReceiver):
    """Sends numbered lines, one when the last has come back; `done` fires with all that came."""

    def __init__(self, name: bytes, done: Deferred[list[bytes]]) -> None:
        self.name = name
        self.done = done
        self.lines: list[bytes] = []

    def connectionMade(self) -> None:
        self.sendLine(b"%s 0" % self.name)

    def lineReceived(self, line: bytes) -> None:
        self.lines.append(line)
        if len(self.lines) < ROUNDS:
            self.sendLine(b"%s %d" % (self.name, len(self.lines)))
        else:
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure) -> None:
        self.done.callback(self.lines)


class Asking(ClientFactory):
    noisy = False

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.done: Deferred[list[bytes]] = Deferred()

    def buildProtocol(self, addr: Any) -> Asks:
        return Asks(self.name, self.done)


def echoes(reactor: Reactor, number: int) -> Any:
    """Three clients of a server, all on this reactor."""
    echo = Factory.forProtocol(Echo)
    echo.noisy = False
    port = reactor.listenTCP(0, echo, interface="127.0.0.1")
    asking = [Asking(b"%d.%d" % (number, client)) for client in range(3)]
    for each in asking:
        reactor.connectTCP("127.0.0.1", port.getHost().port, each)

    def check(all_: list[list[bytes]]) -> Any:
        for each, lines in zip(asking, all_, strict=True):
            assert lines == [b"%s %d" % (each.name, n) for n in range(ROUNDS)]
        return port.stopListening()

    return gatherResults([each.done for each in asking]).addCallback(check)


def timers(reactor: Reactor, number: int) -> Any:
    """Timers, coroutines and generators, each waiting for the other."""

    @inlineCallbacks
    def generator() -> Iterator[Any]:
        total = 0
        for n in range(ROUNDS):
            total += yield deferLater(reactor, 0, lambda n=n: n)
        return total

    async def coroutine() -> int:
        lock, total = DeferredLock(), 0
        for _ in range(4):
            async with lock:
                total += await generator()
        return total

    def check(total: int) -> None:
        assert total == 4 * sum(range(ROUNDS))

    return Deferred.fromCoroutine(coroutine()).addCallback(check)


def threads(reactor: Reactor, number: int) -> Any:
    """Work in the pool of this thread's reactor, and what takes turns on it."""
    steps: list[int] = []

    def turns() -> Iterator[None]:
        for n in range(ROUNDS):
            steps.append(n)
            assert threading.get_ident() == home
            yield

    def check(results: list[Any]) -> None:
        assert results[1:] == [number] * ROUNDS
        assert steps == list(range(ROUNDS))

    home = threading.get_ident()
    work = [deferToThread(lambda: number) for _ in range(ROUNDS)]
    return gatherResults([cooperate(turns()).whenDone(), *work]).addCallback(check)


def words(reactor: Reactor, number: int) -> Any:
    """More different messages than are kept, so that what is kept is thrown away again and again."""
    for n in range(3000):
        message = Message.parse(b":nick%d!u@h PRIVMSG #c%d :text" % (n, number))
        assert (message.source, message.params) == (f"nick{n}!u@h", [f"#c{number}", "text"])
    return deferLater(reactor, 0)


def run(program: Callable[[Reactor, int], Any], number: int) -> None:
    """One program on a reactor of its own, in this thread."""
    reactor = Reactor()
    results: list[Any] = []
    reactor.callWhenRunning(lambda: program(reactor, number).addBoth(results.append).addBoth(lambda _: reactor.stop()))
    reactor.run()
    reactor.close()
    if isinstance(results[0], Failure):
        results[0].raiseException()


@pytest.mark.parametrize("program", [echoes, timers, threads, words])
def test_programs(program: Callable[[Reactor, int], Any]) -> None:
    atOnce(lambda number: run(program, number))


def test_oneCallsTheOther() -> None:
    """Each asks the next one for something from its own thread, and hears of it there."""
    reactors = [Reactor() for _ in range(2)]
    counts = [0, 0]

    def ask(number: int) -> None:
        counts[number] += 1
        if counts[number] == 500:
            reactors[number].stop()
        reactors[1 - number].callFromThread(ask, 1 - number)

    def work(number: int) -> None:
        reactors[number].callWhenRunning(ask, number)
        reactors[number].run()

    atOnce(work, 2)
    assert min(counts) >= 499
    for each in reactors:
        each.close()


# What they share.


def test_oneDefaultReactor(monkeypatch: pytest.MonkeyPatch) -> None:
    import reactor.base

    made: list[Any] = []

    class Counted:
        def __init__(self) -> None:
            made.append(self)
            # As a real one does, it takes a while: others ask meanwhile.
            time.sleep(0.001)

    monkeypatch.setattr(reactor.base, "Reactor", Counted)
    for _ in range(50):
        monkeypatch.setattr(reactor, "_made", [])
        made.clear()
        assert set(atOnce(lambda number: _default())) == set(made)
        assert len(made) == 1


def test_numbersOfFailures() -> None:
    failures = [Failure(ValueError()) for _ in range(THREADS * 500)]
    numbers = atOnce(lambda number: [failure.count for failure in failures[number::THREADS]])
    assert len({each for those in numbers for each in those}) == len(failures)


def test_oneCooperatorForEachReactor(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(number: int) -> None:
        reactor = Reactor()
        current.entered(reactor)
        try:
            assert cooperation._ofThisThread() is cooperation._ofThisThread()
        finally:
            current.left()
            reactor.close()

    for _ in range(50):
        monkeypatch.setattr(cooperation, "_cooperators", None)
        atOnce(work)


def test_aLinkIsHeldByOne(tmp_path: Path) -> None:
    path = bytes(tmp_path / "lock")
    inside: list[int] = []

    def work(number: int) -> int:
        taken = 0
        for _ in range(300):
            lock = Lock(path)
            try:
                lock.take()
            except OSError:
                continue
            assert not lock.broken
            inside.append(number)
            assert inside == [number]
            inside.remove(number)
            lock.release()
            taken += 1
        return taken

    assert sum(atOnce(work)) > 0


def test_declaringWhileInterfacesAreLoaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is declared while another thread loads them is carried out, and asked meanwhile it is never denied."""
    import reactor.interfaces
    from reactor._ground import declare

    names = dict(vars(reactor.interfaces))
    for _ in range(50):
        monkeypatch.setattr(declare, "_interfaces", None)
        monkeypatch.setattr(declare, "_names", {})
        early = declare.implementer("IConsumer")(type("Early", (), {}))

        def work(number: int, early: type = early) -> list[type]:
            if number == 0:
                declare.interfacesLoaded(names)
                return []
            classes = []
            for _ in range(20):
                assert declare.provides(early(), "IConsumer")
                classes.append(declare.implementer("IConsumer")(type("Late", (), {})))
                assert declare.provides(classes[-1](), "IConsumer")
            return classes

        for cls in [each for those in atOnce(work) for each in those]:
            assert reactor.interfaces.IConsumer.implementedBy(cls)


@pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="not a free-threaded build of CPython: it has one lock"
)
def test_theLockStaysOff() -> None:
    # An extension module that has not said that it can do without would have switched it on.
    assert not sys._is_gil_enabled()
