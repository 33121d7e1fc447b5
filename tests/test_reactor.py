"""The reactor's life: run, stop, crash, iterate; several; the default one; and what a program's exceptions do to it."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from net import SELECTORS, Net, Traced, descriptors
from script import outputs, script

import reactor as package
from reactor import currentReactor
from reactor._core.running import RunState
from reactor._ground.current import runningReactor
from reactor.base import Reactor
from reactor.defer import Deferred
from reactor.error import ReactorAlreadyRunning, ReactorNotRunning
from reactor.failure import Failure
from reactor.task import deferLater

default = pytest.mark.parametrize("net", ["default"], indirect=True)


def run(reactor: Reactor) -> None:
    reactor.run(installSignalHandlers=False)


# Running and stopping.


def test_Y1_stopBeforeRun(net: Net) -> None:
    assert not net.reactor.running
    with pytest.raises(ReactorNotRunning, match="is not running"):
        net.reactor.stop()


def test_Y1_stopTwice(net: Net) -> None:
    refused: list[str] = []

    def stop(text: str) -> None:
        with pytest.raises(ReactorNotRunning, match="is stopping already"):
            net.reactor.stop()
        refused.append(text)

    net.reactor.callWhenRunning(net.reactor.stop)
    net.reactor.callWhenRunning(stop, "at once")
    for phase in ("before", "during", "after"):
        net.reactor.addSystemEventTrigger(phase, "shutdown", stop, phase)
    run(net.reactor)
    assert refused == ["at once", "before", "during", "after"]
    with pytest.raises(ReactorNotRunning, match="is not running"):
        net.reactor.stop()


def test_Y1_runInsideRun(net: Net) -> None:
    refused: list[str] = []

    def again(which: Reactor, message: str) -> None:
        with pytest.raises(ReactorAlreadyRunning, match=message):
            run(which)
        refused.append(message)

    other = Reactor()
    net.reactor.callWhenRunning(again, net.reactor, "this reactor is running already")
    net.reactor.callWhenRunning(again, other, "another reactor is running in this thread")
    net.reactor.callWhenRunning(net.reactor.stop)
    run(net.reactor)
    assert len(refused) == 2
    other.callWhenRunning(other.stop)
    run(other)
    other.close()


def test_Y1_runAfterStop(net: Net) -> None:
    for n in range(3):
        server = net.listen(data=lambda protocol, data: protocol.write(data))
        client = net.connect(
            server.port,  # type: ignore[attr-defined]
            made=lambda protocol: protocol.write(b"x"),
            data=lambda protocol, data: net.reactor.stop(),
        )
        run(net.reactor)
        assert client.events[3:] == ["CM", "DR(1)", "CL(ConnectionLost)", "CCL(ConnectionLost)", "doStop"], n
        assert server.events == ["startFactory", "buildProtocol", "stopFactory"]
        assert not net.reactor.running


@default
def test_running(net: Net) -> None:
    seen: list[tuple[str, bool, bool]] = []

    def look(where: str) -> None:
        seen.append((where, net.reactor.running, runningReactor() is net.reactor))

    for event in ("startup", "shutdown"):
        for phase in ("before", "during", "after"):
            net.reactor.addSystemEventTrigger(phase, event, look, f"{phase} {event}")
    net.reactor.callLater(0, look, "timer")
    net.reactor.callLater(0, net.reactor.stop)
    look("outside")
    run(net.reactor)
    look("outside")
    assert seen == [
        ("outside", False, False),
        ("before startup", False, True),
        ("during startup", True, True),
        ("after startup", True, True),
        ("timer", True, True),
        ("before shutdown", True, True),
        ("during shutdown", False, True),
        ("after shutdown", False, True),
        ("outside", False, False),
    ]


@pytest.mark.parametrize("event", ["before startup", "during startup", "after startup", "callWhenRunning"])
def test_Y2_stopEarly(net: Net, event: str) -> None:
    trace: list[str] = []
    if event == "callWhenRunning":
        net.reactor.callWhenRunning(net.reactor.stop)
    else:
        net.reactor.addSystemEventTrigger(*event.split(), net.reactor.stop)  # type: ignore[arg-type]
    net.reactor.addSystemEventTrigger("after", "startup", trace.append, "after startup")
    for phase in ("before", "during", "after"):
        net.reactor.addSystemEventTrigger(phase, "shutdown", trace.append, phase)
    run(net.reactor)
    assert trace == ["after startup", "before", "during", "after"]


def test_Y3_exceptionsInTriggers(net: Net) -> None:
    trace: list[str] = []
    events = [(phase, event) for event in ("startup", "shutdown") for phase in ("before", "during", "after")]

    def raises(name: str) -> None:
        trace.append(name)
        raise KeyError(name)

    for phase, event in events:
        net.reactor.addSystemEventTrigger(phase, event, raises, f"{phase} {event}")
        net.reactor.addSystemEventTrigger(phase, event, trace.append, "next")
    net.reactor.callWhenRunning(raises, "callWhenRunning")
    net.reactor.callWhenRunning(net.reactor.stop)
    run(net.reactor)
    expected = [name for phase, event in events for name in (f"{phase} {event}", "next")]
    expected.insert(6, "callWhenRunning")
    assert trace == expected
    net.expectErrors(7)
    assert [r.exc_info[1].args[0] for r in net.logged() if r.exc_info and r.exc_info[1]] == [
        name for name in expected if name != "next"
    ]


def test_Y3_callWhenRunningThatRaisesAtOnce(net: Net) -> None:
    """When the reactor runs already it is a plain call, and the exception its caller's."""
    seen: list[Any] = []

    def inside() -> None:
        with pytest.raises(ZeroDivisionError):
            net.reactor.callWhenRunning(divmod, 1, 0)
        seen.append(net.reactor.callWhenRunning(seen.append, "called"))
        net.reactor.stop()

    net.reactor.callLater(0, inside)
    run(net.reactor)
    assert seen == ["called", None]


def test_Y3_removed(net: Net) -> None:
    seen: list[str] = []
    handle = net.reactor.callWhenRunning(seen.append, "not called")
    net.reactor.removeSystemEventTrigger(handle)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="removed or called before"):
        net.reactor.removeSystemEventTrigger(handle)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        net.reactor.removeSystemEventTrigger("handle")  # type: ignore[arg-type]
    with pytest.raises(KeyError):
        net.reactor.addSystemEventTrigger("behind", "shutdown", list)
    net.stopReactor()
    assert seen == []


def test_Y4_stopWaitsForDeferreds(net: Net) -> None:
    trace: list[Any] = []
    waited: Deferred[None] = Deferred()

    def before() -> Deferred[Any]:
        trace.append("before")
        return waited

    def answered(_: Any, data: bytes) -> None:
        trace.append(("waited", net.reactor.running))
        waited.callback(None)

    net.reactor.addSystemEventTrigger("before", "shutdown", before)
    net.reactor.addSystemEventTrigger("during", "shutdown", trace.append, "during")
    client, server = net.pair(data=answered, server={"data": lambda protocol, data: protocol.write(data)})
    net.reactor.callWhenRunning(net.reactor.stop)
    # The network goes on meanwhile.
    net.reactor.addSystemEventTrigger("before", "shutdown", client.write, b"x")
    run(net.reactor)
    assert trace == ["before", ("waited", True), "during"]
    assert client.received == server.received == b"x"


def test_Y4_crashDoesNotWaitForDeferreds(net: Net) -> None:
    """And what they were waited for does not befall the next run."""
    trace: list[str] = []
    waited: Deferred[None] = Deferred()
    net.reactor.addSystemEventTrigger("before", "shutdown", lambda: waited)
    net.reactor.addSystemEventTrigger("after", "shutdown", trace.append, "after")
    net.reactor.callWhenRunning(net.reactor.stop)
    net.reactor.callLater(0.01, net.reactor.crash)
    run(net.reactor)
    assert trace == []
    net.reactor.callLater(0, waited.callback, None)
    net.reactor.callLater(0.01, trace.append, "still running")
    net.reactor.callLater(0.01, net.reactor.stop)
    run(net.reactor)
    assert trace == ["still running", "after"]


def test_Y6_openConnections(net: Net) -> None:
    client, server = net.pair()
    factory = net.clients[0]
    net.stopReactor()
    assert client.events[-3:] == ["CL(ConnectionLost)", "CCL(ConnectionLost)", "doStop"]
    assert server.events == ["CM", "CL(ConnectionLost)"]
    assert factory.over
    assert net.servers[0].events == ["startFactory", "buildProtocol", "stopFactory"]
    assert net.reactor.getReaders() == net.reactor.getWriters() == []


def test_Y6_connectionsUnderWay(net: Net) -> None:
    """One whose attempt is in the kernel, one that waits for a name."""
    listening = net.plainListener(backlog=0)
    port = listening.getsockname()[1]
    for _ in range(3):
        sock = net.keep(socket.socket())
        sock.setblocking(False)
        sock.connect_ex(("127.0.0.1", port))
    asked: list[str] = []

    class Never:
        def resolveHostName(self, receiver: Any, name: str, *args: Any) -> None:
            asked.append(name)

    net.reactor.installNameResolver(Never())
    clients = [net.connect(port, timeout=None), net.connect(port, host="name.invalid", timeout=None)]
    net.until(lambda: asked)
    net.stopReactor()
    for client in clients:
        assert client.events == ["doStart", "startedConnecting", "CCF(ConnectError)", "doStop"]


@default
def test_Y6_connectingWhileTheReactorStopsReachesNobody(net: Net) -> None:
    """From connectionLost, clientConnectionLost, clientConnectionFailed and a trigger behind the close: each fails,
    none before connectTCP has returned, and no server sees a connection that ends at once.
    """
    server = net.listen()
    plain = net.plainListener()
    plain.setblocking(False)
    number = plain.getsockname()[1]
    fresh: list[Any] = []

    def connect(*args: Any) -> None:
        if len(fresh) < 4:
            client = net.connect(number)  # type: ignore[attr-defined]
            assert client.events == ["doStart", "startedConnecting"]
            fresh.append(client)
            client.on = {"failed": connect}

    client = net.connect(server.port, lost=connect)  # type: ignore[attr-defined]
    client.on["connectionLost"] = connect
    net.until(lambda: client.built and server.built)
    later: list[Any] = []
    net.reactor.addSystemEventTrigger("after", "shutdown", lambda: later.append(net.connect(number)))  # type: ignore[attr-defined]
    net.stopReactor()
    with pytest.raises(BlockingIOError):
        plain.accept()
    assert [each.events[2:] for each in fresh] == [["CCF(ConnectError)", "doStop"]] * 4
    # Nobody turns the loop any more; the next run tells.
    assert later[0].events == ["doStart", "startedConnecting"]
    net.until(lambda: later[0].built)


@default
@pytest.mark.parametrize("times", [3, 1000])
def test_Y6_connectAgainWhenTheReactorStops(net: Net, times: int) -> None:
    """As the guide's reconnecting client does from clientConnectionLost. The reactor stops nevertheless."""
    left = times

    def again(factory: Any, connector: Any, reason: Failure) -> None:
        nonlocal left
        if left and not net.reactor.running:
            left -= 1
            connector.connect()

    server = net.listen()
    client = net.connect(server.port)  # type: ignore[attr-defined]
    client.on = {"connectionLost": again, "failed": again}
    net.until(lambda: client.built and server.built)
    net.stopReactor()
    assert left == 0 if times < 10 else times - left <= 21, times - left
    if left:
        # More often than it minds: then one is left over, for the next run.
        left = 0
        assert client.connector.state == "connecting"  # type: ignore[attr-defined]
        client.connector.stopConnecting()  # type: ignore[attr-defined]
    assert client.over


@default
def test_Y6_whatIsAskedForInTheLastTurn(net: Net) -> None:
    """Calls and timers of the turn in which stop() was called come before the shutdown, those of later ones never."""
    trace: list[str] = []

    def inside() -> None:
        net.reactor.stop()
        net.reactor.callFromThread(trace.append, "call")
        net.reactor.callLater(0, trace.append, "timer")

    for phase in ("before", "during", "after"):
        net.reactor.addSystemEventTrigger(phase, "shutdown", trace.append, phase)
    net.reactor.addSystemEventTrigger("after", "shutdown", net.reactor.callLater, 0, trace.append, "never")
    net.reactor.callWhenRunning(inside)
    run(net.reactor)
    assert trace == ["call", "timer", "before", "during", "after"]
    for call in net.reactor.getDelayedCalls():
        call.cancel()


def test_Y7_crash(net: Net) -> None:
    trace: list[str] = []
    client, server = net.pair()
    net.reactor.addSystemEventTrigger("before", "shutdown", trace.append, "shutdown")
    net.reactor.callLater(0, net.reactor.crash)
    net.reactor.callLater(0, trace.append, "same turn")
    net.reactor.callLater(3600, trace.append, "kept")
    run(net.reactor)
    assert trace == ["same turn"]
    assert (client.lost, server.lost, net.reactor.running) == (0, 0, False)
    # Everything is as it was, and run() goes on from there.
    client.write(b"x")
    server.on = {"data": lambda protocol, data: net.reactor.stop()}
    run(net.reactor)
    assert server.received == b"x"
    assert trace == ["same turn", "shutdown"]
    (left,) = net.reactor.getDelayedCalls()
    left.cancel()


def test_Y7_crashWhileStopping(net: Net) -> None:
    """A stop that was asked for does not befall the next run."""
    trace: list[str] = []

    def both() -> None:
        net.reactor.stop()
        net.reactor.crash()

    net.reactor.callWhenRunning(both)
    net.reactor.addSystemEventTrigger("before", "shutdown", trace.append, "shutdown")
    run(net.reactor)
    assert trace == []
    net.reactor.callLater(0.01, trace.append, "runs on")
    net.reactor.callLater(0.01, net.reactor.stop)
    run(net.reactor)
    assert trace == ["runs on", "shutdown"]


def test_Y7_crashInAStartupTrigger(net: Net) -> None:
    trace: list[str] = []
    waited: Deferred[None] = Deferred()
    net.reactor.addSystemEventTrigger("before", "startup", lambda: waited)
    net.reactor.addSystemEventTrigger("after", "startup", trace.append, "started")
    net.reactor.callLater(0, net.reactor.crash)
    run(net.reactor)
    waited.callback(None)
    assert (trace, net.reactor.running) == ([], False)
    net.stopReactor()
    assert trace == ["started"]


@default
def test_startWaitsForDeferreds(net: Net) -> None:
    trace: list[Any] = []
    net.reactor.addSystemEventTrigger(
        "before", "startup", lambda: deferLater(net.reactor, 0.01, trace.append, "waited")
    )
    net.reactor.addSystemEventTrigger("before", "startup", lambda: trace.append(net.reactor.running))
    net.reactor.callWhenRunning(lambda: trace.append(net.reactor.running))
    net.reactor.callWhenRunning(net.reactor.stop)
    run(net.reactor)
    assert trace == [False, "waited", True]


@default
def test_stopWhileTheStartWaits(net: Net) -> None:
    trace: list[Any] = []
    net.reactor.addSystemEventTrigger("before", "startup", Deferred)
    net.reactor.addSystemEventTrigger("before", "shutdown", trace.append, "shutdown")
    net.reactor.callLater(0, net.reactor.stop)
    run(net.reactor)
    assert trace == ["shutdown"]


@default
def test_stopFromAThread(net: Net) -> None:
    """stop() itself, where Twisted would need callFromThread."""
    thread = threading.Thread(target=net.reactor.stop)
    net.reactor.callWhenRunning(thread.start)
    net.reactor.callLater(3600, pytest.fail)
    run(net.reactor)
    thread.join()
    (left,) = net.reactor.getDelayedCalls()
    left.cancel()


@default
def test_firingShutdownStops(net: Net) -> None:
    trace: list[str] = []
    client, _ = net.pair()
    for phase in ("before", "during", "after"):
        net.reactor.addSystemEventTrigger(phase, "shutdown", trace.append, phase)
    net.reactor.callWhenRunning(net.reactor.fireSystemEvent, "shutdown")
    run(net.reactor)
    assert trace == ["before", "during", "after"]
    assert client.lost == 1


@default
def test_eventsOfTheProgramsOwn(net: Net) -> None:
    trace: list[str] = []
    for phase in ("after", "before", "during"):
        net.reactor.addSystemEventTrigger(phase, "lunch", trace.append, phase)
    net.reactor.fireSystemEvent("lunch")
    net.reactor.fireSystemEvent("lunch")
    assert trace == ["before", "during", "after"]


@default
def test_close(net: Net) -> None:
    before = descriptors()
    made = Reactor()
    assert descriptors() != before
    refused: list[str] = []

    def close() -> None:
        with pytest.raises(RuntimeError, match="is running; stop"):
            made.close()
        refused.append("running")
        made.stop()

    made.callWhenRunning(close)
    run(made)
    assert refused == ["running"]
    made.close()
    assert descriptors() == before


# Turning by hand.


def test_iterate(net: Net) -> None:
    trace: list[Any] = []
    net.reactor.callLater(0, lambda: trace.append((net.reactor.running, currentReactor() is net.reactor)))
    net.reactor.iterate()
    assert trace == [(False, True)]
    assert runningReactor() is None


@default
def test_iterateInsideAnother(net: Net) -> None:
    other = Reactor()
    trace: list[Any] = []
    other.callLater(0, lambda: trace.append(currentReactor() is other))

    def inside() -> None:
        other.iterate(0)
        trace.append(currentReactor() is net.reactor)
        net.reactor.stop()

    net.reactor.callWhenRunning(inside)
    run(net.reactor)
    assert trace == [True, True]
    other.close()


@default
def test_stopIsHeardInANestedTurn(net: Net) -> None:
    """A callback that turns the loop until something is over gets there after stop() too."""
    client, _ = net.pair()
    trace: list[str] = []

    def inside() -> None:
        net.reactor.stop()
        while not client.lost:
            net.reactor.iterate(1)
        trace.append("lost")

    net.reactor.callWhenRunning(inside)
    run(net.reactor)
    assert trace == ["lost"]


# Exceptions that are to come out.


def interrupted(*args: Any, **kw: Any) -> Any:
    raise KeyboardInterrupt("pressed")


def exits(*args: Any, **kw: Any) -> Any:
    raise SystemExit(3)


@pytest.mark.parametrize("raises", [interrupted, exits])
@default
@pytest.mark.parametrize(
    "where",
    [
        "callLater",
        "callFromThread",
        "callWhenRunning",
        *(f"{phase} {event}" for event in ("startup", "shutdown") for phase in ("before", "during", "after")),
    ],
)
def test_E20_fromCalls(net: Net, where: str, raises: Callable[..., Any]) -> None:
    reactor, trace = net.reactor, []
    if where == "callLater":
        reactor.callLater(0, raises)
    elif where in ("callFromThread", "callWhenRunning"):
        getattr(reactor, where)(raises)
    else:
        reactor.addSystemEventTrigger(*where.split(), raises)  # type: ignore[arg-type]
        if "shutdown" in where:
            reactor.callLater(0, reactor.stop)
    reactor.addSystemEventTrigger("before", "shutdown", trace.append, "before")
    reactor.addSystemEventTrigger("after", "shutdown", trace.append, "after")
    with pytest.raises((KeyboardInterrupt, SystemExit)) as caught:
        run(reactor)
    assert caught.value.args in (("pressed",), (3,))
    assert trace == ["before", "after"]
    assert not reactor.running
    assert net.logged() == []
    # It came out once, and the reactor is as good as before.
    net.stopReactor()


@pytest.mark.parametrize("raises", [interrupted, exits])
@default
@pytest.mark.parametrize(
    "where",
    [
        "client made",
        "client data",
        "client lost",
        "server made",
        "server data",
        "server lost",
        "client build",
        "server build",
        "connectionLost",
        "failed",
        "stopFactory",
        "resumeProducing",
    ],
)
def test_E20_fromConnections(net: Net, where: str, raises: Callable[..., Any]) -> None:
    end, _, hook = where.partition(" ")
    on: dict[str, dict[str, Any]] = {"client": {}, "server": {}}
    if hook == "build":
        on[end]["build"] = raises
    elif hook:
        on[end][hook] = raises
    elif where in ("connectionLost", "failed"):
        on["client"][where] = raises
    elif where == "resumeProducing":

        class Producer:
            resumeProducing = staticmethod(raises)
            pauseProducing = stopProducing = staticmethod(lambda: None)

        def register(protocol: Any) -> None:
            # Enough to be paused, and so to be resumed.
            protocol.transport.registerProducer(Producer(), True)
            protocol.transport.write(bytes(100_000))

        on["client"]["made"] = register
    on["server"].setdefault("made", lambda protocol: protocol.write(b"x"))
    on["client"].setdefault("data", lambda protocol, data: (protocol.write(b"y"), protocol.lose()))
    server = net.listen(**on["server"])
    if where == "stopFactory":
        server.stopFactory = raises  # type: ignore[method-assign]
    net.reactor.addSystemEventTrigger("before", "shutdown", (stopped := []).append, 1)
    port = server.port  # type: ignore[attr-defined]
    if where == "failed":
        net.result(net.ports[0].stopListening())
    client = net.connect(port, **on["client"])
    if where == "stopFactory":
        net.reactor.callLater(0, net.ports[0].stopListening)
    with pytest.raises((KeyboardInterrupt, SystemExit)) as caught:
        run(net.reactor)
    assert caught.value.args in (("pressed",), (3,))
    assert stopped == [1]
    assert net.logged() == []
    assert client.over


@default
def test_E20_theConnectionLivesUntilTheReactorHasStopped(net: Net) -> None:
    def data(protocol: Traced, data: bytes) -> None:
        protocol.write(b"written before")
        raise KeyboardInterrupt

    client, server = net.pair(data=data)
    server.write(b"x")
    with pytest.raises(KeyboardInterrupt):
        run(net.reactor)
    assert client.events[-3:] == ["CL(ConnectionLost)", "CCL(ConnectionLost)", "doStop"]
    # The last attempt to send took it.
    assert server.received in (b"", b"written before")


@default
def test_E20_fromATurnMadeByHand(net: Net) -> None:
    net.reactor.callLater(0, interrupted)
    with pytest.raises(KeyboardInterrupt, match="pressed"):
        net.reactor.iterate()
    net.reactor.iterate()


@default
def test_E20_theFirstComesOut(net: Net) -> None:
    net.reactor.callLater(0, exits)
    net.reactor.callLater(0, interrupted)
    with pytest.raises(SystemExit):
        run(net.reactor)


@default
def test_E20_aSecondInterruptDoesNotWait(net: Net) -> None:
    """For a trigger whose Deferred never fires."""
    trace: list[str] = []

    def never() -> Deferred[None]:
        net.reactor.callLater(0.01, interrupted)
        return Deferred()

    net.reactor.addSystemEventTrigger("before", "shutdown", never)
    net.reactor.addSystemEventTrigger("after", "shutdown", trace.append, "after")
    net.reactor.callWhenRunning(interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(net.reactor)
    assert trace == []


@default
@pytest.mark.parametrize("raised", [KeyError, GeneratorExit, RecursionError, MemoryError])
def test_I7_otherExceptionsAreLoggedOnce(net: Net, raised: type[BaseException]) -> None:
    def raises(*args: Any) -> None:
        raise raised("once")

    net.expectErrors(2)
    net.reactor.callLater(0, raises)
    net.reactor.callFromThread(raises)
    net.turn()
    assert [r.exc_info[0] for r in net.logged() if r.exc_info] == [raised, raised]
    assert all(r.name == "reactor" for r in net.logged())


# Which selector, and several.


@pytest.mark.parametrize("selector", SELECTORS)
def test_anySelector(selector: type[selectors.BaseSelector]) -> None:
    reactor = Reactor(selector())
    done: list[int] = []
    reactor.callLater(0.001, done.append, 1)
    reactor.callLater(0.001, reactor.stop)
    run(reactor)
    assert done == [1]
    reactor.close()


def test_severalInThreads(net: Net) -> None:
    """Each with connections of its own; and one connects to another's port."""
    count = 4
    seen: dict[int, Any] = {}

    def work(n: int) -> None:
        from reactor.protocol import ClientFactory, Protocol

        mine = Reactor()

        class Client(Protocol):
            def dataReceived(self, data: bytes) -> None:
                seen[n] = (data, currentReactor() is mine)
                mine.stop()

        factory = ClientFactory.forProtocol(Client)
        factory.noisy = False
        mine.connectTCP("127.0.0.1", number, factory)
        mine.run()
        mine.close()

    server = net.listen(made=lambda protocol: protocol.write(b"hello"))
    number = server.port  # type: ignore[attr-defined]
    threads = [threading.Thread(target=work, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    net.until(lambda: len(seen) == count)
    for thread in threads:
        thread.join()
    assert seen == dict.fromkeys(range(count), (b"hello", True))
    net.until(lambda: len(server.built) == count and all(protocol.lost for protocol in server.built))


@default
def test_oneCallsTheOther(net: Net) -> None:
    other = Reactor()
    trace: list[Any] = []

    def there() -> None:
        trace.append(currentReactor() is other)
        net.reactor.callFromThread(back)
        other.stop()

    def back() -> None:
        trace.append(currentReactor() is net.reactor)
        net.reactor.stop()

    thread = threading.Thread(target=other.run)
    net.reactor.callWhenRunning(thread.start)
    net.reactor.callWhenRunning(other.callFromThread, there)
    run(net.reactor)
    thread.join()
    assert trace == [True, True]
    other.close()


def test_states() -> None:
    assert [state.value for state in RunState] == ["stopped", "starting", "running", "stopping", "closing"]
    reactor = Reactor()
    assert repr(reactor).startswith("<Reactor stopped at 0x")
    reactor.close()


# The default one. Each in a process of its own.


def test_theDefaultReactor() -> None:
    printed = script(
        """
        import reactor
        reactor.callLater(0, print, "called")
        reactor.callLater(0, reactor.stop)
        reactor.run()
        from reactor import reactor as same, currentReactor
        from reactor.base import Reactor
        print(reactor.reactor is same is currentReactor(), type(same) is Reactor, reactor.running, same.running)
        print(reactor.seconds.__self__ is same)
        """
    )
    assert printed == ["called", "True True False False", "True"]


def test_theDefaultReactorIsMadeOnFirstUse() -> None:
    printed = script(
        """
        import sys
        import reactor
        print("reactor.base" in sys.modules, bool(reactor._made))
        mine = __import__("reactor.base").base.Reactor()
        print(bool(reactor._made))
        mine.callWhenRunning(lambda: print(reactor.currentReactor() is mine, bool(reactor._made)))
        mine.callWhenRunning(mine.stop)
        mine.run()
        print(reactor.currentReactor() is reactor.reactor, reactor.reactor is mine)
        """
    )
    assert printed == ["False False", "False", "True False", "True False"]


def test_whatThePackageHasNot() -> None:
    with pytest.raises(
        AttributeError, match="neither the package 'reactor' nor its default reactor has an attribute 'rum'"
    ):
        package.rum  # noqa: B018
    with pytest.raises(AttributeError, match="module 'reactor' has no attribute '__path_of_glory__'"):
        package.__path_of_glory__  # noqa: B018


def test_theExitStatus() -> None:
    """sys.exit() in a callback is the program's."""
    printed, said = outputs(
        """
        import sys
        from reactor import reactor
        reactor.addSystemEventTrigger("after", "shutdown", print, "shutdown")
        reactor.callLater(0, sys.exit, 5)
        reactor.run()
        """,
        status=5,
    )
    assert (printed, said) == ("shutdown\n", "")


def test_nobodyConfiguredLogging() -> None:
    """What a callback raised is seen nevertheless: the last resort of the logging package prints it."""
    _, said = outputs(
        """
        from reactor import reactor
        reactor.callLater(0, lambda: 1 / 0)
        reactor.callLater(0, reactor.stop)
        reactor.run()
        """
    )
    assert said.startswith("a delayed call raised\nTraceback (most recent call last):\n")
    assert said.endswith("ZeroDivisionError: division by zero\n")
