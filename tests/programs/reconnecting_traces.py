"""One program for two libraries: what reconnecting clients do and when, case by case.

``python reconnecting_traces.py reactor`` or ``... twisted`` prints a JSON object: name of the case -> its trace, a list
of texts. Time is a `Clock`; the connectors and endpoints are in memory where it matters when something happens, and
real where it matters in which order.
"""

from __future__ import annotations

import json
import logging
import pickle
import socket
import sys
from collections.abc import Callable
from typing import Any

if sys.argv[1] == "twisted":
    from twisted.application import service
    from twisted.application.internet import ClientService, backoffPolicy
    from twisted.internet import defer, error, protocol, reactor, task
    from twisted.logger import globalLogPublisher
else:
    from reactor import defer, error, protocol, reactor, service, task
    from reactor.service import ClientService, backoffPolicy

CASES: list[Callable[..., Any]] = []
trace: list[str] = []


def say(text: object) -> None:
    trace.append(str(text))


def attempt(text: str, f: Callable[..., Any], *args: Any) -> Any:
    """Call `f` and say what it raises."""
    try:
        return f(*args)
    except Exception as e:
        say(f"{text} raised {type(e).__name__}")


def tell(text: str, deferred: Any) -> None:
    """Say what `deferred` fires with."""
    deferred.addCallbacks(
        lambda result: say(f"{text}: {getattr(result, 'name', result)}"),
        lambda failure: say(f"{text} failed: {failure.type.__name__}"),
    )


def case(function: Callable[..., Any]) -> Callable[..., Any]:
    CASES.append(function)
    return function


# ---- ReconnectingClientFactory ----


class Connector:
    """A connector whose attempts end when the case says so."""

    state = "disconnected"

    def connect(self) -> None:
        say("connect")
        self.state = "connecting"

    def stopConnecting(self) -> None:
        say("stopConnecting")
        if self.state != "connecting":
            raise error.NotConnectingError()
        self.state = "disconnected"


class Factory(protocol.ReconnectingClientFactory):
    noisy = False
    jitter = 0

    def __init__(self) -> None:
        self.clock = task.Clock()
        self.link = Connector()

    def fail(self, lost: bool = False) -> None:
        self.link.state = "disconnected"
        hook = self.clientConnectionLost if lost else self.clientConnectionFailed
        hook(self.link, failure(error.ConnectionLost() if lost else error.ConnectError()))
        self.tell()

    def tell(self) -> None:
        times = [round(call.getTime() - self.clock.seconds(), 4) for call in self.clock.getDelayedCalls()]
        say(f"delay {self.delay:.4f}, retries {self.retries}, trying {bool(self.continueTrying)}, due {times}")


def failure(problem: BaseException) -> Any:
    failures: list[Any] = []
    defer.fail(problem).addErrback(failures.append)
    return failures[0]


@case
def factoryDefaults() -> None:
    factory = protocol.ReconnectingClientFactory
    for name in ("maxDelay", "initialDelay", "factor", "jitter", "delay", "retries", "maxRetries", "clock"):
        say(f"{name} {getattr(factory, name)}")
    say(f"connector {factory.connector}, continueTrying {bool(factory.continueTrying)}")


@case
def factoryDelaysGrow() -> None:
    factory = Factory()
    factory.maxDelay = 10
    for _ in range(5):
        factory.fail()
        factory.clock.advance(factory.delay)
    factory.fail(lost=True)
    factory.clock.advance(9.9)
    say("not yet")
    factory.clock.advance(0.1)


@case
def factoryResetDelay() -> None:
    factory = Factory()
    factory.fail()
    factory.clock.advance(3)
    factory.resetDelay()
    factory.tell()
    factory.fail(lost=True)


@case
def factoryMaxRetries() -> None:
    factory = Factory()
    factory.maxRetries = 2
    for _ in range(4):
        factory.fail()
        factory.clock.advance(1000)
    factory.resetDelay()
    factory.fail()


@case
def factoryStopTryingWhileWaiting() -> None:
    factory = Factory()
    factory.fail()
    factory.stopTrying()
    factory.tell()
    factory.clock.advance(100)
    factory.fail(lost=True)
    factory.resetDelay()
    factory.tell()
    factory.fail()
    factory.clock.advance(100)


@case
def factoryStopTryingWhileConnecting() -> None:
    factory = Factory()
    factory.fail()
    factory.clock.advance(3)
    factory.stopTrying()
    factory.tell()


@case
def factoryStopTryingBeforeAnything() -> None:
    factory = Factory()
    attempt("stopTrying", factory.stopTrying)


@case
def factoryRetryByHand() -> None:
    factory = Factory()
    attempt("retry", factory.retry)
    factory.tell()
    factory.retry(factory.link)
    factory.tell()
    factory.clock.advance(100)
    factory.connector = factory.link
    factory.retry()
    factory.tell()


@case
def factoryAttributesOfTheProgram() -> None:
    factory = Factory()
    factory.initialDelay, factory.factor, factory.maxDelay = 5, 2, 15
    factory.resetDelay()
    for _ in range(3):
        factory.fail()
        factory.clock.advance(100)
    factory.delay = 1
    factory.fail()


class Pickled(protocol.ReconnectingClientFactory):
    noisy = False
    jitter = 0
    extra = 0


@case
def factoryPickled() -> None:
    factory = Pickled()
    factory.clock = task.Clock()
    factory.maxDelay = 7
    factory.extra = 3
    factory.clientConnectionFailed(Connector(), failure(error.ConnectError()))
    factory.retries = 4
    factory.stopTrying()
    factory.clock = None
    again = pickle.loads(pickle.dumps(factory))
    say(f"{again.maxDelay} {again.extra} {again.delay} {again.retries} {again.connector} {bool(again.continueTrying)}")


class Bye(protocol.Protocol):
    def connectionMade(self) -> None:
        say("connectionMade")
        self.transport.loseConnection()

    def connectionLost(self, reason: Any = None) -> None:
        say(f"connectionLost({reason.type.__name__})")


@case
def factoryForReal() -> Any:
    over: Any = defer.Deferred()

    class Real(protocol.ReconnectingClientFactory):
        noisy = False
        initialDelay = delay = 0.001
        maxDelay = 0.01
        protocol = Bye

        def startedConnecting(self, connector: Any) -> None:
            say(f"startedConnecting {connector.state}")

        def startFactory(self) -> None:
            say("startFactory")

        def stopFactory(self) -> None:
            say("stopFactory")

        def clientConnectionLost(self, connector: Any, reason: Any) -> None:
            say(f"lost {self.retries}")
            if self.retries == 3:
                self.stopTrying()
                reactor.callLater(0, over.callback, None)
            protocol.ReconnectingClientFactory.clientConnectionLost(self, connector, reason)

    with_port(over, lambda port: reactor.connectTCP("127.0.0.1", port, Real()))
    return over


@case
def factoryForRealRefused() -> Any:
    over: Any = defer.Deferred()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    class Real(protocol.ReconnectingClientFactory):
        noisy = False
        initialDelay = delay = 0.001
        maxDelay = 0.01
        maxRetries = 3

        def startedConnecting(self, connector: Any) -> None:
            say("startedConnecting")

        def stopFactory(self) -> None:
            say("stopFactory")
            if self.retries == 4:
                reactor.callLater(0, over.callback, None)

        def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
            say(f"failed({reason.type.__name__})")
            protocol.ReconnectingClientFactory.clientConnectionFailed(self, connector, reason)

    reactor.connectTCP("127.0.0.1", port, Real())
    return over


# ---- ClientService ----


class Transport:
    """Closes when the case says so."""

    protocol: Any = None
    disconnecting = False

    def loseConnection(self) -> None:
        self.disconnecting = True
        say("loseConnection")

    def abortConnection(self) -> None:
        say("abortConnection")


class Conversation(protocol.Protocol):
    def __init__(self, name: str) -> None:
        self.name = name

    def connectionMade(self) -> None:
        say(f"{self.name} made")

    def dataReceived(self, data: bytes) -> None:
        say(f"{self.name} {data!r}")

    def connectionLost(self, reason: Any = None) -> None:
        say(f"{self.name} lost ({reason.type.__name__})")


class Conversations(protocol.Factory):
    noisy = False

    def __init__(self) -> None:
        self.count = 0

    def doStart(self) -> None:
        say("doStart")
        protocol.Factory.doStart(self)

    def doStop(self) -> None:
        say("doStop")
        protocol.Factory.doStop(self)

    def buildProtocol(self, addr: Any) -> Any:
        self.count += 1
        return Conversation(f"p{self.count}")


class Endpoint:
    """An endpoint whose attempts end when the case says so."""

    def __init__(self) -> None:
        self.attempts: list[Any] = []
        self.factory: Any = None

    def connect(self, factory: Any) -> Any:
        say(f"attempt {len(self.attempts) + 1}")
        self.factory = factory
        self.attempts.append(defer.Deferred(lambda _: say("attempt cancelled")))
        return self.attempts[-1]

    def fail(self) -> None:
        self.attempts[-1].errback(error.ConnectError())

    def make(self) -> Any:
        protocol = self.factory.buildProtocol(None)
        self.link = Transport()
        self.link.protocol = protocol
        protocol.makeConnection(self.link)
        self.attempts[-1].callback(protocol)
        return protocol

    def lose(self) -> None:
        self.link.protocol.connectionLost(failure(error.ConnectionDone()))


class Bench:
    def __init__(self, **options: Any) -> None:
        self.clock = task.Clock()
        self.endpoint = Endpoint()

        def policy(failures: int) -> float:
            say(f"policy({failures})")
            return 10 + failures

        self.service = ClientService(self.endpoint, Conversations(), policy, self.clock, **options)

    def wait(self, text: str = "connected", failures: int | None = None) -> Any:
        waiting = self.service.whenConnected(failures)
        tell(text, waiting)
        return waiting

    def stop(self) -> None:
        tell("stopped", self.service.stopService())

    def due(self) -> None:
        say(f"running {bool(self.service.running)}, due {[call.getTime() for call in self.clock.getDelayedCalls()]}")


@case
def serviceConnects() -> None:
    bench = Bench()
    bench.wait("early")
    bench.due()
    bench.service.startService()
    bench.due()
    bench.endpoint.make().dataReceived(b"hello")
    bench.wait("late")
    bench.endpoint.lose()
    bench.wait("again")
    bench.due()
    bench.clock.advance(20)
    bench.endpoint.make()
    bench.stop()
    bench.wait("while it stops")
    bench.endpoint.lose()
    bench.wait("when it has stopped")
    bench.due()


@case
def serviceBacksOff() -> None:
    bench = Bench()
    bench.wait()
    bench.service.startService()
    for _ in range(4):
        bench.endpoint.fail()
        bench.due()
        bench.clock.advance(20)
    bench.endpoint.make()
    bench.endpoint.lose()
    bench.due()
    bench.clock.advance(20)
    bench.endpoint.fail()
    bench.due()
    bench.stop()


@case
def serviceFailAfterFailures() -> None:
    bench = Bench()
    bench.wait("one", 1)
    bench.wait("two", 2)
    bench.wait("always")
    bench.service.startService()
    bench.endpoint.fail()
    bench.wait("one more", 1)
    bench.wait("two more", 2)
    bench.clock.advance(20)
    bench.endpoint.fail()
    bench.clock.advance(20)
    bench.endpoint.fail()
    bench.stop()


@case
def serviceStoppedWhileConnecting() -> None:
    bench = Bench()
    bench.wait()
    bench.service.startService()
    bench.stop()
    bench.due()


@case
def serviceStoppedWhileWaiting() -> None:
    bench = Bench()
    bench.service.startService()
    bench.endpoint.fail()
    bench.wait()
    bench.stop()
    bench.due()
    bench.service.startService()
    bench.due()
    bench.stop()


@case
def serviceStoppedBeforeItStarted() -> None:
    bench = Bench()
    bench.wait()
    bench.stop()
    bench.due()
    bench.wait("later")


@case
def serviceStartedTwice() -> None:
    bench = Bench()
    bench.service.startService()
    bench.service.startService()
    bench.endpoint.make()
    bench.service.startService()
    bench.stop()
    bench.endpoint.lose()


@case
def serviceStoppedTwice() -> None:
    bench = Bench()
    bench.service.startService()
    bench.endpoint.make()
    bench.stop()
    bench.stop()
    bench.endpoint.lose()
    bench.stop()


@case
def serviceRestartedWhileItStops() -> None:
    bench = Bench()
    bench.service.startService()
    bench.endpoint.make()
    bench.stop()
    bench.service.startService()
    bench.wait()
    bench.due()
    bench.endpoint.lose()
    bench.due()
    bench.endpoint.make()
    bench.stop()
    bench.service.startService()
    bench.stop()
    bench.wait("stopped again")
    bench.endpoint.lose()


@case
def servicePrepares() -> None:
    ready: list[Any] = []

    def prepare(protocol: Any) -> Any:
        say(f"prepare {protocol.name}")
        ready.append(defer.Deferred(lambda _: say("preparation cancelled")))
        return ready[-1]

    bench = Bench(prepareConnection=prepare)
    bench.wait()
    bench.service.startService()
    bench.endpoint.make()
    say("not yet")
    ready[-1].callback("whatever")
    bench.endpoint.lose()
    bench.due()
    bench.clock.advance(20)
    bench.endpoint.make()
    bench.stop()
    bench.endpoint.lose()


@case
def servicePreparationFails() -> None:
    def prepare(protocol: Any) -> Any:
        raise ValueError("of the preparation")

    bench = Bench(prepareConnection=prepare)
    bench.wait("first", 1)
    bench.wait("second", 2)
    bench.service.startService()
    for _ in range(2):
        bench.endpoint.make()
        bench.due()
        bench.clock.advance(20)
    bench.stop()


@case
def serviceLostWhilePreparing() -> None:
    bench = Bench(prepareConnection=lambda protocol: defer.Deferred(lambda _: say("preparation cancelled")))
    bench.wait("first", 1)
    bench.service.startService()
    bench.endpoint.make()
    bench.endpoint.lose()
    bench.due()


@case
def serviceWaiterCancelled() -> None:
    bench = Bench()
    bench.service.startService()
    waiting = bench.wait()
    waiting.cancel()
    bench.endpoint.make()
    say("still connected")
    bench.wait("another")


@case
def policies() -> None:
    policy = backoffPolicy(initialDelay=2.0, maxDelay=30.0, factor=2.0, jitter=lambda: 0.25)
    say([policy(failures) for failures in (0, 1, 2, 3, 4, 5, 100000)])
    plain = backoffPolicy(jitter=lambda: 0)
    say([round(plain(failures), 6) for failures in (0, 1, 2, 10, 11)])
    say(all(1.0 <= backoffPolicy()(0) <= 2.0 for _ in range(50)))


# ---- Services ----


class Named(service.Service):
    def __init__(self, name: str) -> None:
        self.setName(name)

    def privilegedStartService(self) -> None:
        say(f"{self.name} privileged")

    def startService(self) -> None:
        service.Service.startService(self)
        say(f"{self.name} start {bool(self.running)}")

    def stopService(self) -> Any:
        service.Service.stopService(self)
        say(f"{self.name} stop {bool(self.running)}")
        return None


@case
def services() -> None:
    parent = service.MultiService()
    one, two, three = Named("one"), Named("two"), Named("three")
    one.setServiceParent(parent)
    two.setServiceParent(parent)
    say(f"{len(list(parent))} {one.parent is parent} {parent.getServiceNamed('two') is two}")
    attempt("setName", one.setName, "other")
    attempt("same name", Named("one").setServiceParent, parent)
    attempt("no such name", parent.getServiceNamed, "nobody")
    parent.privilegedStartService()
    parent.startService()
    say(f"running {bool(parent.running)}")
    three.setServiceParent(parent)
    say(f"two gone {two.disownServiceParent()} {two.parent}")
    parent.stopService().addCallback(lambda results: say(f"stopped {results}"))
    say(one.disownServiceParent())
    say([each.name for each in parent])
    again = pickle.loads(pickle.dumps(service.Service()))
    say(bool(again.running))


# ---- ClientCreator ----


class Created(protocol.Protocol):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        say(f"built {args} {kwargs}")
        self.name = "Created"

    def connectionMade(self) -> None:
        say("connectionMade")

    def connectionLost(self, reason: Any = None) -> None:
        say(f"connectionLost({reason.type.__name__})")


class Hello(protocol.Protocol):
    def connectionMade(self) -> None:
        self.transport.write(b"hello")


def with_port(over: Any, use: Callable[[int], Any], answer: Any = Hello) -> None:
    """Listen until `over` fires."""
    port = reactor.listenTCP(0, protocol.Factory.forProtocol(answer), interface="127.0.0.1")
    port.factory.noisy = False
    over.addBoth(lambda _: port.stopListening())
    use(port.getHost().port)


def later(over: Any, turns: int = 20) -> None:
    if turns:
        reactor.callLater(0, later, over, turns - 1)
    else:
        over.callback(None)


@case
def creatorConnects() -> Any:
    over: Any = defer.Deferred()

    def connected(protocol: Any) -> None:
        say("fired")
        protocol.connectionLost = lambda reason: over.callback(None)
        protocol.transport.loseConnection()

    creator = protocol.ClientCreator(reactor, Created, 1, two=2)
    with_port(over, lambda port: creator.connectTCP("127.0.0.1", port).addCallback(connected))
    return over


@case
def creatorRefused() -> Any:
    over: Any = defer.Deferred()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    connecting = protocol.ClientCreator(reactor, Created).connectTCP("127.0.0.1", port, timeout=5)
    tell("refused", connecting)
    connecting.addCallback(lambda _: over.callback(None))
    return over


@case
def creatorCancelledAtOnce() -> Any:
    over: Any = defer.Deferred()

    def use(port: int) -> None:
        connecting = protocol.ClientCreator(reactor, Created).connectTCP("127.0.0.1", port)
        tell("connecting", connecting)
        connecting.cancel()
        say("cancelled")
        later(over)

    with_port(over, use)
    return over


@case
def creatorCancelledWhenMade() -> Any:
    over: Any = defer.Deferred()
    connecting: list[Any] = []

    class Fickle(Created):
        def connectionMade(self) -> None:
            say("connectionMade")
            connecting[0].cancel()
            say("cancelled")

        def connectionLost(self, reason: Any = None) -> None:
            say(f"connectionLost({reason.type.__name__})")
            later(over)

    def use(port: int) -> None:
        connecting.append(protocol.ClientCreator(reactor, Fickle).connectTCP("127.0.0.1", port))
        tell("connecting", connecting[0])

    with_port(over, use)
    return over


@case
def creatorCancelledAfterwards() -> Any:
    over: Any = defer.Deferred()

    def use(port: int) -> None:
        connecting = protocol.ClientCreator(reactor, Created).connectTCP("127.0.0.1", port)

        def connected(protocol: Any) -> None:
            connecting.cancel()
            say(f"fired, {bool(protocol.transport.connected)}")
            protocol.connectionLost = lambda reason: over.callback(None)
            protocol.transport.loseConnection()

        connecting.addCallback(connected)

    with_port(over, use)
    return over


class Recorder:
    """A reactor that writes down what it is asked."""

    def __getattr__(self, name: str) -> Any:
        def asked(*args: Any, **kwargs: Any) -> None:
            names = {"connectUNIX": ("address", "factory")}.get(name, ("host", "port", "factory", "contextFactory"))
            given = {**dict(zip(names, args, strict=False)), **kwargs}
            say(f"{name} {sorted((key, value) for key, value in given.items() if key != 'factory')}")

        return asked


@case
def creatorDelegates() -> None:
    creator = protocol.ClientCreator(Recorder(), Created)
    creator.connectTCP("host", 1)
    creator.connectTCP("host", 1, 5, ("local", 0))
    creator.connectUNIX("/path")
    creator.connectUNIX("/path", 7, True)
    creator.connectSSL("host", 2, "context")
    creator.connectSSL("host", 2, "context", timeout=9, bindAddress=("local", 3))


# ---- ----


def main() -> None:
    logging.disable(logging.CRITICAL)
    if sys.argv[1] == "twisted":
        for observer in list(globalLogPublisher._observers):
            globalLogPublisher.removeObserver(observer)
    traces: dict[str, list[str]] = {}

    @defer.inlineCallbacks
    def runAll() -> Any:
        for each in CASES:
            trace.clear()
            try:
                limited = defer.maybeDeferred(each)
                limited.addTimeout(5, reactor)
                yield limited
            except BaseException as e:
                say(f"case raised {type(e).__name__}: {e}")
            traces[each.__name__] = trace[:]
        reactor.stop()

    reactor.callWhenRunning(runAll)
    reactor.run()
    print(json.dumps(traces))


main()
