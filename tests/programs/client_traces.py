"""One program for two libraries: what a client's hooks are told, case by case.

``python client_traces.py reactor`` or ``... twisted`` prints a JSON object: name of the case -> its trace, a list of
texts. Every entry ends with the state of the connector at that moment. The cases use nothing but what both libraries
have, and run one after another, since Twisted's reactor runs only once.
"""

# Two libraries under the same names cannot be typed.
# mypy: ignore-errors

from __future__ import annotations

import json
import logging
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

if sys.argv[1] == "twisted":
    from twisted.internet import defer, endpoints, protocol, reactor
    from twisted.logger import globalLogPublisher
else:
    from reactor import defer, endpoints, protocol, reactor

DEADLINE = 60.0
CASES: list[Callable[..., Any]] = []
trace: list[str] = []
anything: Any = None


def say(text: str, connector: Any = None) -> None:
    trace.append(text if connector is None else f"{text} {connector.state}")


def errnoOf(problem: Any) -> Any:
    number = getattr(problem, "osError", None)
    # What getaddrinfo says is negative, and not told by Twisted.
    return number if number is None or number > 0 else None


def attempt(text: str, f: Callable[..., Any], *args: Any) -> Any:
    """Call `f` and say what it raises."""
    try:
        return f(*args)
    except Exception as e:
        say(f"{text} raised {type(e).__name__}")


class Client(protocol.Protocol):
    def __init__(self, factory: Any) -> None:
        self.factory = factory

    def connectionMade(self) -> None:
        say("connectionMade", self.factory.connector)
        self.factory.hook("made", self)

    def connectionLost(self, reason: Any = None) -> None:
        say(f"connectionLost({reason.type.__name__})", self.factory.connector)
        self.factory.hook("lost", self)


class Clients(protocol.ClientFactory):
    noisy = False
    connector: Any = None

    def __init__(self, **hooks: Callable[..., Any]) -> None:
        self.hooks = hooks
        self.over: Any = defer.Deferred()

    def hook(self, name: str, *args: Any) -> Any:
        if name in self.hooks:
            return self.hooks[name](self, *args)
        return None

    def doStart(self) -> None:
        say("doStart")
        protocol.ClientFactory.doStart(self)

    def doStop(self) -> None:
        say("doStop", self.connector)
        protocol.ClientFactory.doStop(self)
        if not self.numPorts and not self.over.called:
            # In a turn of its own: nothing of the next case is to happen inside this one.
            reactor.callLater(0, self.over.callback, None)

    def startFactory(self) -> None:
        say("startFactory")

    def stopFactory(self) -> None:
        say("stopFactory")

    def startedConnecting(self, connector: Any) -> None:
        self.connector = connector
        say("startedConnecting", connector)
        self.hook("started", connector)

    def buildProtocol(self, addr: Any) -> Any:
        say("buildProtocol", self.connector)
        if "build" in self.hooks:
            return self.hook("build")
        return Client(self)

    def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
        say(f"clientConnectionFailed({reason.type.__name__}, errno {errnoOf(reason.value)})", connector)
        self.hook("failed", connector)

    def clientConnectionLost(self, connector: Any, reason: Any) -> None:
        say(f"clientConnectionLost({reason.type.__name__})", connector)
        self.hook("lostAll", connector)


def case(function: Callable[..., Any]) -> Callable[..., Any]:
    CASES.append(function)
    return function


def closedPort() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


class Silent:
    """A port that answers no more: its backlog is full."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.port = self.listening.getsockname()[1]
        self.filling = socket.create_connection(("127.0.0.1", self.port))

    def close(self) -> None:
        self.filling.close()
        self.listening.close()


class Server(protocol.Protocol):
    def connectionLost(self, reason: Any = None) -> None:
        pass


def listen() -> Any:
    factory = protocol.ServerFactory()
    factory.noisy = False
    factory.protocol = Server
    return reactor.listenTCP(0, factory, interface="127.0.0.1")


def connect(port: int, factory: Clients, **kw: Any) -> Any:
    connector = reactor.connectTCP("127.0.0.1", port, factory, **kw)
    say("connectTCP returned", connector)
    return connector


def times(count: int, f: Callable[..., Any]) -> Callable[..., Any]:
    """A hook that does `f(connector)` the first `count` times."""
    left = iter(range(count))

    def hook(factory: Any, connector: Any) -> None:
        if next(left, None) is not None:
            say("again", connector)
            f(connector)
            say("after again", connector)

    return hook


def connectAgain(connector: Any) -> None:
    connector.connect()


@case
def refused() -> Iterator[Any]:
    factory = Clients()
    connect(closedPort(), factory)
    yield factory.over


@case
def userTimeout() -> Iterator[Any]:
    silent, factory = Silent(), Clients()
    connect(silent.port, factory, timeout=0.05)
    yield factory.over
    silent.close()


@case
def localAddressNotOurs() -> Iterator[Any]:
    factory = Clients()
    connect(closedPort(), factory, bindAddress=("192.0.2.1", 0))
    yield factory.over


@case
def stoppedAtOnce() -> Iterator[Any]:
    factory = Clients()
    connector = connect(closedPort(), factory)
    connector.stopConnecting()
    say("stopConnecting returned", connector)
    attempt("stopConnecting", connector.stopConnecting)
    attempt("disconnect", connector.disconnect)
    yield factory.over


@case
def disconnectedAtOnce() -> Iterator[Any]:
    factory = Clients()
    connector = connect(closedPort(), factory)
    connector.disconnect()
    say("disconnect returned", connector)
    attempt("stopConnecting", connector.stopConnecting)
    yield factory.over


@case
def stoppedWhileTheKernelConnects() -> Iterator[Any]:
    silent, factory = Silent(), Clients()
    connector = connect(silent.port, factory)
    yield later(0.02)
    connector.stopConnecting()
    say("stopConnecting returned", connector)
    yield factory.over
    silent.close()


@case
def stoppedInsideStartedConnecting() -> Iterator[Any]:
    factory = Clients(started=lambda factory, connector: connector.stopConnecting())
    connector = connect(closedPort(), factory)
    attempt("stopConnecting", connector.stopConnecting)
    yield factory.over


@case
def disconnectedInsideStartedConnecting() -> Iterator[Any]:
    factory = Clients(started=lambda factory, connector: connector.disconnect())
    connect(closedPort(), factory)
    yield factory.over


@case
def againInsideFailed() -> Iterator[Any]:
    factory = Clients(failed=times(3, connectAgain))
    connect(closedPort(), factory)
    yield factory.over


@case
def againInsideLost() -> Iterator[Any]:
    listening = listen()
    factory = Clients(lostAll=times(3, connectAgain), made=lambda factory, client: client.transport.loseConnection())
    connect(listening.getHost().port, factory)
    yield factory.over
    yield listening.stopListening()


@case
def againLaterAfterFailed() -> Iterator[Any]:
    factory = Clients()
    connector = connect(closedPort(), factory)
    yield factory.over
    factory.over = defer.Deferred()
    connector.connect()
    yield factory.over


@case
def connectWhileConnecting() -> Iterator[Any]:
    factory = Clients(started=lambda factory, connector: attempt("connect", connector.connect))
    connector = connect(closedPort(), factory)
    attempt("connect", connector.connect)
    yield factory.over


@case
def connectWhileConnected() -> Iterator[Any]:
    listening = listen()

    def made(factory: Any, client: Any) -> None:
        attempt("connect", factory.connector.connect)
        attempt("stopConnecting", factory.connector.stopConnecting)
        client.transport.loseConnection()

    def lost(factory: Any, client: Any) -> None:
        attempt("connect", factory.connector.connect)
        attempt("stopConnecting", factory.connector.stopConnecting)

    factory = Clients(made=made, lost=lost)
    connect(listening.getHost().port, factory)
    yield factory.over
    yield listening.stopListening()


@case
def disconnectWhenConnected() -> Iterator[Any]:
    listening = listen()
    factory = Clients(made=lambda factory, client: factory.connector.disconnect())
    connect(listening.getHost().port, factory)
    yield factory.over
    yield listening.stopListening()


@case
def buildsNone() -> Iterator[Any]:
    listening = listen()
    factory = Clients(build=lambda factory: None)
    connect(listening.getHost().port, factory)
    yield factory.over
    yield listening.stopListening()


@case
def buildProtocolRaises() -> Iterator[Any]:
    listening = listen()
    factory = Clients(build=lambda factory: 1 / 0)
    connect(listening.getHost().port, factory)
    yield factory.over
    yield listening.stopListening()


@case
def connectionMadeRaises() -> Iterator[Any]:
    listening = listen()
    factory = Clients(made=lambda factory, client: 1 / 0)
    connect(listening.getHost().port, factory)
    yield factory.over
    yield listening.stopListening()


@case
def twoConnectorsOneFactory() -> Iterator[Any]:
    factory = Clients()
    port = closedPort()
    connect(port, factory)
    connect(port, factory)
    yield factory.over


@case
def unknownName() -> Iterator[Any]:
    factory = Clients()
    reactor.connectTCP("no such name.invalid", 1, factory)
    yield factory.over


@case
def emptyHost() -> Iterator[Any]:
    listening = listen()
    factory = Clients(made=lambda factory, client: client.transport.loseConnection())
    reactor.connectTCP("", listening.getHost().port, factory)
    yield factory.over
    yield listening.stopListening()


@case
def badPorts() -> Iterator[Any]:
    factory = Clients()
    attempt("no such service", reactor.connectTCP, "127.0.0.1", "no such service", factory)
    yield later(0)


def outcome(connecting: Any) -> Any:
    def failed(failure: Any) -> None:
        say(f"errback({failure.type.__name__}, errno {errnoOf(failure.value)})")

    return connecting.addCallbacks(lambda result: say(f"callback({type(result).__name__})"), failed)


class Plain(protocol.Factory):
    noisy = False

    def __init__(self, build: Callable[[], Any]) -> None:
        self.build = build

    def doStart(self) -> None:
        say("doStart")
        protocol.Factory.doStart(self)

    def doStop(self) -> None:
        say("doStop")
        protocol.Factory.doStop(self)

    def buildProtocol(self, addr: Any) -> Any:
        say("buildProtocol")
        return self.build()


class Alone(protocol.Protocol):
    def __init__(self, made: Callable[[Any], Any] = lambda _: None) -> None:
        self.made = made

    def connectionMade(self) -> None:
        say("connectionMade")
        self.made(self)

    def connectionLost(self, reason: Any = None) -> None:
        say(f"connectionLost({reason.type.__name__})")


def endpoint(port: int) -> Any:
    return endpoints.TCP4ClientEndpoint(reactor, "127.0.0.1", port)


@case
def endpointRefused() -> Iterator[Any]:
    yield outcome(endpoint(closedPort()).connect(Plain(Alone)))


@case
def endpointConnects() -> Iterator[Any]:
    listening = listen()
    client = Alone(lambda self: reactor.callLater(0, self.transport.loseConnection))
    yield outcome(endpoint(listening.getHost().port).connect(Plain(lambda: client)))
    yield later(0.05)
    yield listening.stopListening()


@case
def endpointCancelled() -> Iterator[Any]:
    silent = Silent()
    connecting = endpoint(silent.port).connect(Plain(Alone))
    told = outcome(connecting)
    connecting.cancel()
    say("cancel returned")
    yield told
    connecting = endpoint(silent.port).connect(Plain(Alone))
    told = outcome(connecting)
    yield later(0.02)
    connecting.cancel()
    say("cancel returned")
    yield told
    silent.close()


@case
def endpointBuildsNone() -> Iterator[Any]:
    listening = listen()
    yield outcome(endpoint(listening.getHost().port).connect(Plain(lambda: None)))
    yield later(0.05)
    yield listening.stopListening()


@case
def endpointBuildProtocolRaises() -> Iterator[Any]:
    listening = listen()
    yield outcome(endpoint(listening.getHost().port).connect(Plain(lambda: 1 / 0)))
    yield later(0.05)
    yield listening.stopListening()


@case
def connectProtocolConnects() -> Iterator[Any]:
    listening = listen()
    client = Alone(lambda self: self.transport.loseConnection())
    yield outcome(endpoints.connectProtocol(endpoint(listening.getHost().port), client))
    yield later(0.05)
    yield listening.stopListening()


@case
def stopWhileConnecting() -> Iterator[Any]:
    # The last one: there is nothing after it in Twisted.
    silent, factory = Silent(), Clients()
    connect(silent.port, factory)
    yield later(0.02)
    say("stop")
    reactor.stop()
    yield factory.over
    silent.close()


def later(seconds: float) -> Any:
    deferred: Any = defer.Deferred()
    reactor.callLater(seconds, deferred.callback, None)
    return deferred


logged: list[Any] = []


class Count(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        logged.append(record)


@defer.inlineCallbacks
def runAll(traces: dict[str, list[str]]) -> Any:
    for function in CASES:
        logged.clear()
        trace.clear()
        traces[function.__name__] = []
        yield from function()
        # What belongs to the end of this case is not to be taken for the next one's.
        yield later(0.01)
        traces[function.__name__] = [*trace, *["logged an error"] * len(logged)]


def main() -> None:
    traces: dict[str, list[str]] = {}
    if sys.argv[1] == "twisted":
        globalLogPublisher.addObserver(lambda event: logged.append(event) if event.get("isError") else None)
    else:
        logging.getLogger().addHandler(Count(logging.ERROR))

    def start() -> None:
        def failed(failure: Any) -> None:
            failure.printTraceback()
            reactor.crash()

        runAll(traces).addErrback(failed)
        reactor.callLater(DEADLINE, reactor.crash)

    reactor.callWhenRunning(start)
    reactor.run()
    traces["stopWhileConnecting"] = list(trace)
    json.dump(traces, sys.stdout, indent=1)


main()
