"""One program for two libraries: what both ends of a UNIX connection are told, case by case.

``python unix_traces.py reactor`` or ``... twisted`` prints a JSON object: name of the case -> {"client": trace,
"server": trace}, lists of texts. What is told to one end against what is told to the other has no order.
"""

# Two libraries under the same names cannot be typed.
# mypy: ignore-errors

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

from zope.interface import implementer

if sys.argv[1] == "twisted":
    from twisted.internet import defer, endpoints, interfaces, protocol, reactor
else:
    from reactor import defer, endpoints, interfaces, protocol, reactor

DEADLINE = 60.0
CASES: list[Callable[..., Any]] = []
told: dict[str, list[str]] = {"client": [], "server": []}
folder = tempfile.mkdtemp()


def say(side: str, text: str, connector: Any = None) -> None:
    told[side].append(text if connector is None else f"{text} {connector.state}")


def path(name: str = "s") -> str:
    return os.path.join(folder, name)


def errnoOf(problem: Any) -> Any:
    number = getattr(problem, "osError", None)
    # Where there is none, Twisted has the path.
    return number if isinstance(number, int) else None


class End(protocol.Protocol):
    def __init__(self, factory: Any) -> None:
        self.factory = factory

    def connectionMade(self) -> None:
        say(self.factory.side, "connectionMade")
        self.factory.hook("made", self)

    def dataReceived(self, data: bytes) -> None:
        say(self.factory.side, f"dataReceived({data!r})")
        self.factory.hook("data", self, data)

    def connectionLost(self, reason: Any = None) -> None:
        say(self.factory.side, f"connectionLost({reason.type.__name__})")
        self.factory.hook("lost", self)
        if self.factory.side == "server":
            reactor.callLater(0, self.factory.over.callback, None)


@implementer(interfaces.IHalfCloseableProtocol)
class HalfEnd(End):
    def readConnectionLost(self) -> None:
        say(self.factory.side, "readConnectionLost")
        self.factory.hook("readLost", self)

    def writeConnectionLost(self) -> None:
        say(self.factory.side, "writeConnectionLost")


@implementer(interfaces.IFileDescriptorReceiver)
class Taking(End):
    def fileDescriptorReceived(self, descriptor: int) -> None:
        say(self.factory.side, f"fileDescriptorReceived({stat.S_ISFIFO(os.fstat(descriptor).st_mode)})")
        os.close(descriptor)


class Hooks:
    noisy = False
    end: Any = End

    def begin(self, side: str, end: Any, hooks: dict[str, Any]) -> None:
        self.side, self.end, self.hooks = side, end, hooks
        self.over: Any = defer.Deferred()

    def hook(self, name: str, *args: Any) -> None:
        if name in self.hooks:
            self.hooks[name](*args)

    def startFactory(self) -> None:
        say(self.side, "startFactory")

    def stopFactory(self) -> None:
        say(self.side, "stopFactory")


class Servers(Hooks, protocol.ServerFactory):
    def __init__(self, end: Any = End, **hooks: Any) -> None:
        self.begin("server", end, hooks)

    def buildProtocol(self, addr: Any) -> Any:
        say(self.side, f"buildProtocol({type(addr).__name__})")
        return self.end(self)


class Clients(Hooks, protocol.ClientFactory):
    def __init__(self, end: Any = End, **hooks: Any) -> None:
        self.begin("client", end, hooks)

    def startedConnecting(self, connector: Any) -> None:
        say(self.side, "startedConnecting", connector)
        self.hook("started", connector)

    def buildProtocol(self, addr: Any) -> Any:
        # What it connects to, the folder aside, which is another in each run.
        name = addr.name.decode() if isinstance(addr.name, bytes) else addr.name
        say(self.side, f"buildProtocol({type(addr).__name__} {os.path.basename(name)!r})")
        return self.end(self)

    def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
        say(self.side, f"clientConnectionFailed({reason.type.__name__}, {errnoOf(reason.value)})", connector)
        self.finish()

    def clientConnectionLost(self, connector: Any, reason: Any) -> None:
        say(self.side, f"clientConnectionLost({reason.type.__name__})", connector)
        self.finish()

    def finish(self) -> None:
        reactor.callLater(0.005, self.over.callback, None)


def case(function: Callable[..., Any]) -> Callable[..., Any]:
    CASES.append(function)
    return function


def both(server: Servers, client: Clients, **options: Any) -> Iterator[Any]:
    """The life of one connection."""
    port = reactor.listenUNIX(path(), server, **options)
    say("server", "listens")
    connector = reactor.connectUNIX(path(), client, timeout=5)
    say("client", "connectUNIX returned", connector)
    yield client.over
    yield server.over
    stopping = defer.maybeDeferred(port.stopListening)
    stopping.addCallback(lambda result: say("server", f"stopped, {result}"))
    yield stopping
    say("server", f"left behind: {sorted(os.listdir(folder))}")


def lose(end: Any, *args: Any) -> None:
    end.transport.loseConnection()


def hello(end: Any) -> None:
    end.transport.write(b"hello")


def echo(end: Any, data: bytes) -> None:
    end.transport.write(data)


@case
def theClientCloses() -> Iterator[Any]:
    yield from both(Servers(), Clients(made=lose))


@case
def theServerCloses() -> Iterator[Any]:
    yield from both(Servers(made=lose), Clients())


@case
def aQuestionAndAnAnswer() -> Iterator[Any]:
    yield from both(Servers(data=echo), Clients(made=hello, data=lose))


@case
def aLock() -> Iterator[Any]:
    yield from both(Servers(data=echo), Clients(made=hello, data=lose), wantPID=True)


@case
def theClientAborts() -> Iterator[Any]:
    yield from both(Servers(), Clients(made=lambda end: end.transport.abortConnection()))


@case
def halfClose() -> Iterator[Any]:
    def answer(end: Any) -> None:
        end.transport.write(b"answer")
        end.transport.loseConnection()

    def finish(end: Any) -> None:
        end.transport.write(b"all of it")
        end.transport.loseWriteConnection()

    # It closes itself: what happens when both halves are closed differs on purpose.
    yield from both(Servers(HalfEnd, readLost=answer), Clients(HalfEnd, made=finish, readLost=lose))


@case
def aDescriptor() -> Iterator[Any]:
    def give(end: Any) -> None:
        ends.extend(os.pipe())
        end.transport.sendFileDescriptor(ends[1])
        end.transport.write(b"x")

    ends: list[int] = []
    yield from both(Servers(Taking, data=lose), Clients(made=give))
    for descriptor in ends:
        os.close(descriptor)


@case
def theProtocolRaises() -> Iterator[Any]:
    yield from both(Servers(data=lambda end, data: 1 / 0), Clients(made=hello))


def alone(client: Clients, where: str, **options: Any) -> Iterator[Any]:
    connector = reactor.connectUNIX(where, client, **options)
    say("client", "connectUNIX returned", connector)
    yield client.over


@case
def nothingThere() -> Iterator[Any]:
    yield from alone(Clients(), path("none"), timeout=5)


@case
def aPlainFile() -> Iterator[Any]:
    with open(path("file"), "w"):
        pass
    yield from alone(Clients(), path("file"), timeout=5)
    os.unlink(path("file"))


@case
def nobodyListens() -> Iterator[Any]:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path("stale"))
    yield from alone(Clients(), path("stale"), timeout=5)
    os.unlink(path("stale"))


@case
def nobodyHoldsTheLock() -> Iterator[Any]:
    yield from alone(Clients(), path("none"), timeout=5, checkPID=True)


@case
def stoppedInsideStartedConnecting() -> Iterator[Any]:
    yield from alone(Clients(started=lambda connector: connector.stopConnecting()), path("none"), timeout=5)


@case
def listeningFails() -> Iterator[Any]:
    with open(path("file"), "w"):
        pass
    factory = protocol.ServerFactory()
    factory.noisy = False
    try:
        reactor.listenUNIX(path("file"), factory)
    except Exception as e:
        say("server", f"raised {type(e).__name__}")
    os.unlink(path("file"))
    yield defer.succeed(None)


@case
def endpointConnects() -> Iterator[Any]:
    server, client = Servers(data=echo), End(Clients(data=lose))
    port = yield endpoints.UNIXServerEndpoint(reactor, path()).listen(server)
    connected = yield endpoints.connectProtocol(endpoints.UNIXClientEndpoint(reactor, path()), client)
    say("client", f"connected {connected is client}")
    client.transport.write(b"hello")
    yield server.over
    yield port.stopListening()


@case
def endpointFails() -> Iterator[Any]:
    try:
        yield endpoints.connectProtocol(endpoints.UNIXClientEndpoint(reactor, path("none")), End(Clients()))
    except Exception as e:
        say("client", f"failed with {type(e).__name__}, {e.osError}")


@defer.inlineCallbacks
def runAll(traces: dict[str, Any]) -> Any:
    for function in CASES:
        told["client"], told["server"] = [], []
        yield from function()
        traces[function.__name__] = dict(told)


def main() -> None:
    traces: dict[str, Any] = {}

    def start() -> None:
        def failed(failure: Any) -> None:
            failure.printTraceback()

        runAll(traces).addErrback(failed).addBoth(lambda _: reactor.stop())
        reactor.callLater(DEADLINE, reactor.crash)

    reactor.callWhenRunning(start)
    reactor.run()
    shutil.rmtree(folder)
    json.dump(traces, sys.stdout, indent=1)


main()
