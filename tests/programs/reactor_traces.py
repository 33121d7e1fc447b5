"""Programs that run on Twisted and on this package alike, and print what they see. The first argument is which of the
two, the others are programs with their arguments, each run in a fork of this process: imported is only once. Run by
tests/test_reactor_against_twisted.py.
"""

from __future__ import annotations

import os
import sys
from typing import Any

if sys.argv[1] == "twisted":
    from twisted.internet import defer, error, protocol, task
else:
    from reactor import defer, error, protocol, task  # type: ignore[no-redef]

reactor: Any
PHASES = [(phase, event) for event in ("startup", "shutdown") for phase in ("before", "during", "after")]


def say(*what: Any) -> None:
    print(*what)


def raised(f: Any, *args: Any) -> str:
    """What kind of exception `f(*args)` raises."""
    try:
        f(*args)
    except BaseException as e:
        return type(e).__name__
    return "nothing"


def startAndStop() -> None:
    """When what is called, and what `running` is then."""
    say("outside", reactor.running)
    for phase, event in PHASES:
        reactor.addSystemEventTrigger(phase, event, lambda name: say(name, reactor.running), f"{phase} {event}")
        # Those of the events' own time.
        reactor.addSystemEventTrigger(
            phase, event, lambda name: reactor.callWhenRunning(say, name), f"when {phase} {event}"
        )
        reactor.addSystemEventTrigger(
            phase, event, lambda name: reactor.callLater(0, say, name), f"later {phase} {event}"
        )
        reactor.addSystemEventTrigger(
            phase, event, lambda name: reactor.callFromThread(say, name), f"call {phase} {event}"
        )
    reactor.callWhenRunning(say, "when running")
    reactor.callFromThread(say, "call from thread")
    reactor.callLater(0, say, "timer")
    reactor.callLater(0.05, reactor.stop)
    reactor.run()
    say("outside", reactor.running)


def stopIn(phase: str, event: str) -> None:
    """stop() as early as can be."""
    for each in PHASES:
        reactor.addSystemEventTrigger(*each, say, *each)
    if phase == "callWhenRunning":
        reactor.callWhenRunning(reactor.stop)
    elif phase == "callLater":
        reactor.callLater(0, reactor.stop)
    elif phase == "callFromThread":
        reactor.callFromThread(reactor.stop)
    else:
        reactor.addSystemEventTrigger(phase, event, reactor.stop)
    reactor.callLater(3600, say, "never")
    reactor.run()
    say("returned", len(reactor.getDelayedCalls()))


def aroundStop(where: str) -> None:
    """What stop() lets be called before it, and what not any more."""

    def stop() -> None:
        reactor.callLater(0, say, "timer before")
        reactor.callFromThread(say, "call before")
        reactor.stop()
        say(raised(reactor.stop))
        reactor.callFromThread(say, "call behind")
        say("stop returned", reactor.running)

    for phase in ("before", "during", "after"):
        reactor.addSystemEventTrigger(phase, "shutdown", say, phase)
    reactor.addSystemEventTrigger("after", "shutdown", lambda: say(raised(reactor.stop)))
    if where == "timer":
        # Due in the same turn, behind the one that stops.
        reactor.callLater(0.02, stop)
        reactor.callLater(0.02, say, "timer of the same moment")
        reactor.callWhenRunning(spin, 0.03)
    elif where == "call":
        reactor.callFromThread(stop)
        reactor.callFromThread(say, "call of the same turn")
    else:
        reactor.callWhenRunning(stop)
    reactor.run()


def spin(seconds: float) -> None:
    """Keep the reactor from turning for so long."""
    end = reactor.seconds() + seconds
    while reactor.seconds() < end:
        pass


def deferreds() -> None:
    """Those of triggers before the shutdown are waited for, also when they fail."""

    def later(name: str, delay: float, fail: bool) -> Any:
        say(name)
        waited: Any = defer.Deferred()
        waited.addBoth(lambda result: say(name, "fired", reactor.running) or result)
        reactor.callLater(delay, waited.errback if fail else waited.callback, KeyError(name) if fail else None)
        return waited

    reactor.addSystemEventTrigger("before", "shutdown", later, "first", 0.04, False)
    reactor.addSystemEventTrigger("before", "shutdown", later, "second", 0.02, True)
    reactor.addSystemEventTrigger("before", "shutdown", defer.succeed, None)
    reactor.addSystemEventTrigger("before", "shutdown", say, "third")
    reactor.addSystemEventTrigger("during", "shutdown", later, "during", 0, False)
    reactor.addSystemEventTrigger("after", "shutdown", say, "after")
    reactor.callWhenRunning(reactor.stop)
    reactor.run()
    say("returned")


def exceptions() -> None:
    """One that raises keeps no other from its turn."""
    for phase, event in PHASES:
        reactor.addSystemEventTrigger(phase, event, lambda name: say(name) or {}[name], f"{phase} {event}")
        reactor.addSystemEventTrigger(phase, event, say, f"next {phase} {event}")
    reactor.callWhenRunning(lambda: 1 / 0)
    reactor.callLater(0, lambda: 1 / 0)
    reactor.callLater(0, say, "next timer")
    reactor.callFromThread(lambda: 1 / 0)
    reactor.callFromThread(say, "next call")
    reactor.callLater(0.02, reactor.stop)
    reactor.run()


def triggers() -> None:
    """Added and removed while the event is under way."""
    say(raised(reactor.addSystemEventTrigger, "between", "shutdown", say))
    first = reactor.addSystemEventTrigger("before", "mine", say, "first")
    reactor.addSystemEventTrigger(
        "before", "mine", lambda: reactor.addSystemEventTrigger("before", "mine", say, "added to before")
    )
    reactor.addSystemEventTrigger(
        "before", "mine", lambda: reactor.addSystemEventTrigger("during", "mine", say, "added to during")
    )
    reactor.addSystemEventTrigger("before", "mine", lambda: reactor.removeSystemEventTrigger(gone))
    gone = reactor.addSystemEventTrigger("after", "mine", say, "removed")
    removed = reactor.addSystemEventTrigger("during", "mine", say, "removed, too")
    reactor.removeSystemEventTrigger(removed)
    say(raised(reactor.removeSystemEventTrigger, removed))
    reactor.addSystemEventTrigger(
        "after", "mine", lambda: reactor.addSystemEventTrigger("before", "mine", say, "the next time")
    )
    reactor.fireSystemEvent("mine")
    say(raised(reactor.removeSystemEventTrigger, first))
    reactor.fireSystemEvent("mine")
    reactor.fireSystemEvent("nobody's")


def timers() -> None:
    """Order, reset and delay."""
    calls = {}
    # Far enough from each other that a machine under load does not change the order.
    for name, delay in (("a", 0.3), ("b", 0.1), ("c", 0.2), ("d", 0.4), ("e", 0.05), ("f", 0.25)):
        calls[name] = reactor.callLater(delay, say, name)
    calls["a"].reset(0.15)
    calls["b"].delay(0.25)
    calls["d"].delay(-0.3)
    calls["e"].cancel()
    for method in ("cancel", "getTime", "active"):
        say(method, raised(getattr(calls["e"], method)), raised(getattr(calls["a"], method)))
    calls["a"] = reactor.callLater(0.15, say, "a")
    say(raised(calls["e"].reset, 1), raised(calls["e"].delay, 1), calls["e"].active())
    say(len(reactor.getDelayedCalls()))
    order = sorted((call.getTime(), name) for name, call in calls.items() if call.active())
    say([name for _, name in order])

    def inside() -> None:
        say("inside", last.active(), raised(last.cancel), raised(last.reset, 1), raised(last.delay, 1))
        say(len(reactor.getDelayedCalls()))
        reactor.stop()

    last = reactor.callLater(0.5, inside)
    reactor.run()
    say(last.active(), raised(last.cancel), raised(calls["a"].cancel), len(reactor.getDelayedCalls()))


def sameTurn() -> None:
    """Calls that are due together, and what the first does to the others."""

    def first() -> None:
        say("first", len(reactor.getDelayedCalls()))
        cancelled.cancel()
        later.reset(0.02)
        reactor.callLater(0, say, "made in that turn")
        reactor.callFromThread(say, "called in that turn")
        reactor.callLater(0.06, reactor.stop)

    def schedule() -> None:
        nonlocal cancelled, later
        reactor.callLater(0.001, first)
        cancelled = reactor.callLater(0.002, say, "cancelled")
        later = reactor.callLater(0.003, say, "put off")
        reactor.callLater(0.004, say, "last")
        spin(0.01)

    cancelled: Any = None
    later: Any = None
    reactor.callWhenRunning(schedule)
    reactor.run()


def calls() -> None:
    """callFromThread: in order, and what they ask for in the next turn."""

    def call(n: int) -> None:
        say("call", n)
        if n < 3:
            reactor.callFromThread(say, "asked for by", n)
            reactor.callLater(0, say, "timer of", n)

    for n in range(5):
        reactor.callFromThread(call, n)
    # In a turn after those in which all is said that was asked for, however late they come.
    reactor.callFromThread(reactor.callFromThread, reactor.callLater, 0.03, reactor.stop)
    reactor.run()


def errors() -> None:
    """Of the life cycle."""
    say(raised(reactor.stop))
    reactor.callWhenRunning(lambda: say(raised(reactor.run)))
    reactor.callWhenRunning(lambda: say(raised(reactor.stop), raised(reactor.stop)))
    reactor.run()
    say(raised(reactor.stop))
    say(issubclass(error.ReactorAlreadyRunning, Exception))


def crash() -> None:
    """It returns without the shutdown event, and may run again."""
    reactor.addSystemEventTrigger("before", "shutdown", say, "shutdown")

    def crashes() -> None:
        reactor.crash()
        reactor.callLater(0, say, "in the second run")

    reactor.callLater(0, crashes)
    reactor.run()
    say("returned", reactor.running)
    reactor.callLater(0.04, reactor.stop)
    reactor.run()


def connections() -> None:
    """Those that are open when the reactor stops."""

    class Server(protocol.Protocol):  # type: ignore[misc]
        def connectionMade(self) -> None:
            made(self)

        def connectionLost(self, reason: Any) -> None:
            trace.append(f"server lost {reason.type.__name__} {reactor.running}")

    class Client(protocol.Protocol):  # type: ignore[misc]
        def connectionMade(self) -> None:
            made(self)

        def connectionLost(self, reason: Any) -> None:
            trace.append(f"client lost {reason.type.__name__} {reactor.running}")

    class Clients(protocol.ClientFactory):  # type: ignore[misc]
        noisy = False
        protocol = Client

        def clientConnectionLost(self, connector: Any, reason: Any) -> None:
            trace.append(f"clientConnectionLost {reason.type.__name__} {connector.state}")

        def stopFactory(self) -> None:
            trace.append("client factory stopped")

    class Servers(protocol.ServerFactory):  # type: ignore[misc]
        noisy = False
        protocol = Server

        def stopFactory(self) -> None:
            trace.append("server factory stopped")

    def made(end: Any) -> None:
        ends.append(end)
        if len(ends) == 2:
            reactor.callLater(0.02, reactor.stop)

    ends: list[Any] = []
    trace: list[str] = []
    port = reactor.listenTCP(0, Servers(), interface="127.0.0.1")
    reactor.connectTCP("127.0.0.1", port.getHost().port, Clients())
    reactor.addSystemEventTrigger("during", "shutdown", lambda: say("during", sorted(trace)))
    reactor.run()
    # In which order descriptors are closed is nobody's business; the client's own three are.
    say([each for each in trace if "client" in each.lower()])
    say(sorted(trace))


def readers() -> None:
    """A descriptor of the program's: told, failing, and lost when the reactor stops."""
    import socket

    class Reader:
        def __init__(self, name: str, result: Any = None) -> None:
            self.name = name
            self.result = result
            self.sock, self.peer = socket.socketpair()

        def fileno(self) -> int:
            return self.sock.fileno()

        def logPrefix(self) -> str:
            return self.name

        def doRead(self) -> Any:
            say(self.name, "doRead", self.sock.recv(10))
            # When this has been dealt with.
            reactor.callLater(0, proceed)
            if isinstance(self.result, KeyError):
                raise self.result
            return self.result

        def connectionLost(self, reason: Any) -> None:
            say(self.name, "lost", reason.type.__name__)

    good, bad, raising = (
        Reader("good"),
        Reader("bad", error.ConnectionLost()),
        Reader("raising", KeyError("in doRead")),
    )
    own = len(reactor.getReaders())
    for each in (good, bad, raising):
        reactor.addReader(each)
    say(len(reactor.getReaders()) - own, reactor.getWriters())
    left = [good, bad, raising]

    def proceed() -> None:
        if left:
            left.pop(0).peer.send(b"x")
            return
        say(good in reactor.getReaders(), bad in reactor.getReaders())
        reactor.removeReader(bad)
        reactor.stop()

    reactor.callLater(0, proceed)
    reactor.run()
    for each in (good, bad, raising):
        each.sock.close()
        each.peer.close()


def clock() -> None:
    """task.Clock: order, and what is scheduled meanwhile."""
    made = task.Clock()

    def first() -> None:
        say("first", made.seconds(), len(made.getDelayedCalls()))
        made.callLater(0, say, "made meanwhile")
        made.callLater(1, say, "later")
        brought.delay(-15)

    made.callLater(1, first)
    for name in "ab":
        made.callLater(9, say, name)
    brought = made.callLater(20, say, "brought forward")
    gone = made.callLater(5, say, "cancelled")
    made.callLater(2, gone.cancel)
    say([call.getTime() for call in made.getDelayedCalls()])
    made.advance(10)
    made.pump([0.5, 0.5])
    say(made.seconds(), made.getDelayedCalls())
    made.callLater(1, lambda: 1 / 0)
    made.callLater(1, say, "behind it")
    say(raised(made.advance, 1))
    made.advance(0)
    deferred = task.deferLater(made, 1, lambda: "result")
    deferred.addCallback(say)
    made.advance(1)
    deferred = task.deferLater(made, 1, say, "not called")
    deferred.addErrback(lambda failure: say(failure.type.__name__))
    deferred.cancel()
    say(made.getDelayedCalls())


def run(program: str) -> None:
    """Run one, with a default reactor of its own."""
    global reactor
    if sys.argv[1] == "twisted":
        from twisted.internet import reactor
    else:
        from reactor import reactor  # type: ignore[no-redef]
    name, *arguments = program.split()
    globals()[name](*arguments)


for each in sys.argv[2:]:
    print("#", each, flush=True)
    child = os.fork()
    if not child:
        try:
            run(each)
            sys.stdout.flush()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
