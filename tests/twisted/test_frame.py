"""Twisted's frame around our engine: run, stopped, crashed, turned by others, forked, and both worlds' at once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from patience import PATIENCE

pytest.importorskip("twisted")

from onframe import madeFor
from twisted.internet import defer as theirs
from twisted.internet.error import AlreadyCalled, AlreadyCancelled, ReactorNotRestartable, ReactorNotRunning
from twisted.internet.interfaces import IDelayedCall, IReactorCore, IReactorFDSet, IReactorTCP, IReactorTime
from twisted.logger import globalLogPublisher

from reactor._ground.current import currentReactor
from reactor.defer import Deferred
from reactor.twisted import TwistedReactor


@pytest.fixture
def frame() -> Iterator[Any]:
    with madeFor(TwistedReactor) as made:
        yield made


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    events: list[Any] = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


def failures(events: list[Any]) -> list[type]:
    found = [event.get("log_failure", event.get("failure")) for event in events]
    return [failure.type for failure in found if failure is not None]


def test_itProvidesWhatItIs(frame: Any) -> None:
    for interface in (IReactorCore, IReactorTime, IReactorFDSet, IReactorTCP):
        assert interface.providedBy(frame)
    assert type(frame).__module__ == "reactor.twisted"
    # Programs patch it, and set what they like.
    frame.somethingOfTheirs = 1


def test_timeIsTheTimeOfDay(frame: Any) -> None:
    before = time.time()
    call = frame.callLater(100, print)
    assert before <= frame.seconds() <= time.time()
    assert before + 99.9 <= call.getTime() <= time.time() + 100.1
    assert call.getTime() == pytest.approx(call.time, abs=0.1)
    assert IDelayedCall.providedBy(call)


def test_timersDoNotCareForTheTimeOfDay(frame: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    frame.callLater(0.01, made.append, 1)
    frame.callLater(0.02, frame.crash)
    # The machine's clock is put back by a day.
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() - 86400)
    frame.run(installSignalHandlers=False)
    assert made == [1]


def test_delayedCallsRefuseInTwistedsWords(frame: Any) -> None:
    call = frame.callLater(1, print)
    call.cancel()
    with pytest.raises(AlreadyCancelled):
        call.cancel()
    call = frame.callLater(0, frame.crash)
    frame.run(installSignalHandlers=False)
    with pytest.raises(AlreadyCalled):
        call.reset(1)
    with pytest.raises(AssertionError):
        frame.callLater(-1, print)


def test_whatSchedulesCanBeKeptInAClass(frame: Any) -> None:
    made: list[str] = []

    class Program:
        callLater = frame.callLater

        def later(self) -> None:
            self.callLater(0, made.append, "called")
            self.callLater(delay=0, callable=frame.crash)

    Program().later()
    frame.run(installSignalHandlers=False)
    assert made == ["called"]


def test_resetIntoThePastIsNow(frame: Any) -> None:
    made: list[int] = []
    call = frame.callLater(PATIENCE, made.append, 1)
    frame.callLater(0, frame.crash)
    call.reset(-1)
    frame.run(installSignalHandlers=False)
    assert made == [1]
    with pytest.raises(ValueError, match="nan"):
        frame.callLater(1, print).reset(float("nan"))
    with pytest.raises(TypeError, match="a number of seconds, not 'soon'"):
        frame.callLater(1, print).reset("soon")


def test_resetIsDueThenAndNotBefore(frame: Any) -> None:
    made: list[str] = []
    later = frame.callLater(0.001, made.append, "put off")
    sooner = frame.callLater(PATIENCE, made.append, "hastened")
    # Each one after the one before, however busy the machine is.
    sooner.reset(0.001)
    frame.callLater(0.01, made.append, "between")
    later.reset(0.02)
    frame.callLater(0.03, frame.crash)
    frame.run(installSignalHandlers=False)
    assert made == ["hastened", "between", "put off"]
    for call in (later, sooner):
        with pytest.raises(AlreadyCalled):
            call.reset(1)


def test_delayedCallsSayWhereTheyWereMade(frame: Any, logged: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    assert frame.callLater(1, print).creator is None
    assert before(frame.callLater(1, print)) == pytest.approx(1, abs=0.5)
    monkeypatch.setattr("twisted.internet.base.DelayedCall.debug", True)
    call = frame.callLater(0, divmod, 1, 0)
    assert __file__ in call.creator[-1] and "divmod" in call.creator[-1]
    assert call.creator[-1] in repr(call)
    frame.callLater(0, frame.crash)
    frame.run(installSignalHandlers=False)
    assert failures(logged) == [ZeroDivisionError]
    assert any(call.creator[-1] in event["why"] for event in logged if "why" in event)


def before(call: Any) -> float:
    """Seconds until `call`, on its own clock."""
    return float(call.getTime() - call.seconds())


def test_triggersInTheirOrder(frame: Any) -> None:
    told: list[Any] = []
    gate: theirs.Deferred[None] = theirs.Deferred()
    own: Deferred[None] = Deferred()
    for phase in ("before", "during", "after"):
        frame.addSystemEventTrigger(phase, "startup", told.append, phase)
        frame.addSystemEventTrigger(phase, "shutdown", lambda phase=phase: told.append((phase, frame.running)))
    frame.addSystemEventTrigger("before", "shutdown", lambda: gate)
    # Of the other world, on the same event.
    frame.engine.addSystemEventTrigger("before", "shutdown", lambda: own)
    frame.callWhenRunning(frame.stop)
    frame.callLater(0.01, lambda: (told.append("one"), gate.callback(None)))
    frame.callLater(0.02, lambda: (told.append("both"), own.callback(None)))
    frame.run(installSignalHandlers=False)
    assert told == [
        *("before", "during", "after"),
        *(("before", True), "one", "both", ("during", False), ("after", False)),
    ]
    with pytest.raises(ReactorNotRestartable):
        frame.run()
    with pytest.raises(ReactorNotRunning):
        frame.stop()


def test_crashedAndRunAgainAndAgain(frame: Any) -> None:
    for _ in range(2000):
        frame.callLater(0, frame.crash)
        frame.run(installSignalHandlers=False)
    assert len(frame.getDelayedCalls()) == 1


def test_turnedByOthers(frame: Any) -> None:
    told: list[str] = []
    frame.startRunning(installSignalHandlers=False)
    assert frame.running
    frame.callLater(0, told.append, "later")
    frame.callFromThread(told.append, "from a thread")
    assert frame.timeout() == 0.0
    frame.runUntilCurrent()
    assert told == ["from a thread", "later"]
    assert PATIENCE - 5 < frame.timeout() <= PATIENCE
    frame.callLater(0.01, told.append, "in an iteration")
    while len(told) < 3:
        frame.doIteration(frame.timeout())
        frame.runUntilCurrent()
    frame.callLater(0, told.append, "iterated")
    frame.iterate()
    assert told[2:] == ["in an iteration", "iterated"]
    frame.stop()
    frame.runUntilCurrent()
    assert not frame.running


def test_whatIsRaisedGoesToTwistedsLog(frame: Any, logged: list[Any]) -> None:
    def wrong(problem: type[BaseException]) -> None:
        raise problem("by the test")

    frame.callLater(0, wrong, ZeroDivisionError)
    frame.callFromThread(wrong, KeyError)
    # As everything there.
    frame.callLater(0, wrong, SystemExit)
    frame.callLater(0.01, frame.stop)
    frame.run(installSignalHandlers=False)
    assert failures(logged) == [KeyError, ZeroDivisionError, SystemExit]


def test_aReaderIsToldAndLoggedAndTakenOut(frame: Any, logged: list[Any]) -> None:
    class Reader:
        def __init__(self) -> None:
            self.fd, self.other = os.pipe()
            self.lost: list[type] = []
            os.write(self.other, b"x")

        def fileno(self) -> int:
            return self.fd

        def logPrefix(self) -> str:
            return "reader"

        def doRead(self) -> None:
            raise ZeroDivisionError("by the test")

        def connectionLost(self, reason: Any) -> None:
            self.lost.append(reason.type)
            frame.crash()

    reader = Reader()
    frame.addReader(reader)
    assert frame.getReaders() == [reader]
    frame.run(installSignalHandlers=False)
    assert reader.lost == [ZeroDivisionError]
    assert frame.getReaders() == []
    assert failures(logged) == [ZeroDivisionError]
    assert [event["log_system"] for event in logged if "failure" in event] == ["reader"]


def test_bothWorldsRunAndStopTheSame(frame: Any) -> None:
    engine = frame.engine
    told: list[Any] = []
    engine.callWhenRunning(lambda: told.append((engine.running, currentReactor() is engine)))
    engine.callLater(0.01, engine.stop)
    engine.run(installSignalHandlers=False)
    assert told == [(True, True)]
    assert not frame.running and not engine.running


PROGRAM = """
import os, sys
import reactor.twisted
made = reactor.twisted.install()
from twisted.internet import reactor
assert reactor is made
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol

class Echo(Protocol):
    def dataReceived(self, data):
        self.transport.write(data)

class Client(Protocol):
    def connectionMade(self):
        self.transport.write(b"hello")
    def dataReceived(self, data):
        print(os.getpid() != parent, data.decode(), flush=True)
        reactor.stop()

parent = os.getpid()
port = reactor.listenTCP(0, Factory.forProtocol(Echo), interface="127.0.0.1")
reactor.callLater(0, print, "due", flush=True)
reactor.callFromThread(print, "called", flush=True)
# As twistd does, twice.
for _ in range(2):
    child = os.fork()
    if child:
        os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port), Client())
reactor.run()
"""


def test_aForkBetweenMakingAndRunning() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=PATIENCE)
    assert (ran.stdout, ran.stderr, ran.returncode) == ("called\ndue\nTrue hello\n", "", 0)


RUNNING = """
import os
import reactor.twisted
reactor.twisted.install()
from twisted.internet import reactor

def fork():
    child = os.fork()
    if not child:
        try:
            reactor.iterate()
        except RuntimeError as e:
            print("refused", flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    reactor.stop()

reactor.callWhenRunning(fork)
reactor.run()
print("over")
"""


def test_aRunningOneIsNotItsChilds() -> None:
    ran = subprocess.run([sys.executable, "-c", RUNNING], capture_output=True, text=True, timeout=PATIENCE)
    assert (ran.stdout, ran.returncode) == ("refused\nover\n", 0)


def test_installedOnce() -> None:
    program = (
        "import reactor.twisted\n"
        "frame = reactor.twisted.install()\n"
        "import reactor\n"
        "print(reactor.reactor is frame.engine, type(frame).__name__)\n"
        "try: reactor.twisted.install()\n"
        "except Exception as e: print(type(e).__name__)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE)
    assert ran.stdout == "True TwistedReactor\nReactorAlreadyInstalledError\n", ran.stderr


def test_afterShutdownNothingIsWatched(frame: Any) -> None:
    # With signals: the frame watches a pipe of its own, which is not taken out with what programs have added.
    frame.callWhenRunning(frame.stop)
    frame.run()
    assert frame.removeAll() == []
    assert frame.getReaders() == []
