"""Wrappers and other protocols on Twisted and on this package alike, with transports that print what they are asked.
The first argument is which of the two. Run by tests/protocols/policies/test_policies_against_twisted.py.
"""

from __future__ import annotations

import io
import sys
from typing import Any

if sys.argv[1] == "twisted":
    from twisted.internet import error, protocol, task
    from twisted.protocols import loopback, policies, portforward, stateful
    from twisted.python.failure import Failure
else:
    from protocols import loopback, policies, portforward, stateful  # type: ignore[no-redef]
    from reactor import error, protocol, task  # type: ignore[no-redef]
    from reactor.failure import Failure  # type: ignore[no-redef,assignment]

DONE: Any = Failure(error.ConnectionDone())


def say(*what: Any) -> None:
    print(*what)


class Pipe:
    """A transport that prints."""

    disconnecting = False

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in ("disconnected", "producer"):
            raise AttributeError(name)
        return lambda *args: say(self.name, name, *args)

    def unregisterProducer(self) -> None:
        """Silent: how often is nobody's business."""


class Chatty(protocol.Protocol):  # type: ignore[misc]
    def __init__(self, name: str = "protocol") -> None:
        self.name = name

    def connectionMade(self) -> None:
        say(self.name, "made")

    def dataReceived(self, data: bytes) -> None:
        say(self.name, "received", data)

    def connectionLost(self, reason: Any = None) -> None:
        say(self.name, "lost", reason.type.__name__)


class Servers(protocol.Factory):  # type: ignore[misc]
    noisy = False
    protocol = Chatty

    def startFactory(self) -> None:
        say("start")

    def stopFactory(self) -> None:
        say("stop")


def made(factory: Any, name: str = "pipe") -> Any:
    wrapper = factory.buildProtocol(None)
    if wrapper is None:
        say(name, "refused")
    else:
        wrapper.makeConnection(Pipe(name))
    return wrapper


def clocked(cls: Any, *args: Any, **kwargs: Any) -> Any:
    factory = cls(*args, **kwargs)
    factory.noisy = False
    factory.clock = task.Clock()
    factory.callLater = factory.clock.callLater
    return factory


def wrapping() -> None:
    class Loud(policies.WrappingFactory):  # type: ignore[misc]
        noisy = False

        def registerProtocol(self, p: Any) -> None:
            say("register")
            super().registerProtocol(p)

        def unregisterProtocol(self, p: Any) -> None:
            say("unregister")
            super().unregisterProtocol(p)

    factory = Loud(Servers())
    factory.doStart()
    say(factory.logPrefix())
    wrapper = made(factory)
    say(wrapper.logPrefix(), wrapper.connected, len(factory.protocols), bool(wrapper.disconnecting))
    transport = wrapper.wrappedProtocol.transport
    transport.write(b"a")
    transport.writeSequence([b"b"])
    transport.registerProducer(1, True)
    transport.getPeer()
    transport.getHost()
    transport.anything(2)
    wrapper.dataReceived(b"c")
    transport.loseConnection()
    say(bool(transport.disconnecting))
    wrapper.connectionLost(DONE)
    say(wrapper.wrappedProtocol, len(factory.protocols))
    factory.doStop()
    for hook in ("startedConnecting", "clientConnectionFailed", "clientConnectionLost"):
        heard: Any = protocol.ClientFactory()
        setattr(heard, hook, lambda *args, hook=hook: say(hook, *args))
        getattr(policies.WrappingFactory(heard), hook)(*range(1 if hook[0] == "s" else 2))


def total() -> None:
    class Limited(policies.LimitTotalConnectionsFactory):  # type: ignore[misc]
        protocol = Chatty
        connectionLimit = 2

    factory = Limited()
    held = [made(factory) for _ in range(3)]
    say(factory.connectionCount)
    factory.overflowProtocol = lambda: Chatty("overflow")
    held[2] = made(factory)
    say(factory.connectionCount, held[2].wrappedProtocol.factory is factory)
    for each in held:
        each.connectionLost(DONE)
        say(factory.connectionCount)


def throttling() -> None:
    factory = clocked(policies.ThrottlingFactory, Servers(), 2, 10, 20)
    one, two = made(factory, "one"), made(factory, "two")
    made(factory, "three")
    say(factory.connectionCount, len(factory.clock.getDelayedCalls()))
    one.dataReceived(b"x" * 15)
    two.write(b"y" * 15)
    two.writeSequence([b"z" * 10, b"z" * 20])
    say(factory.readThisSecond, factory.writtenThisSecond)
    for _ in range(12):
        factory.clock.advance(0.25)
        say(factory.clock.seconds(), factory.readThisSecond, len(factory.clock.getDelayedCalls()))
    one.connectionLost(DONE)
    two.connectionLost(DONE)
    say(factory.connectionCount, len(factory.clock.getDelayedCalls()))


def timeouts() -> None:
    factory = clocked(policies.TimeoutFactory, Servers(), 5)
    say(policies.TimeoutFactory(Servers()).timeoutPeriod)
    wrapper = made(factory)
    for step in (
        lambda: wrapper.dataReceived(b"x"),
        lambda: wrapper.write(b"y"),
        lambda: wrapper.writeSequence([b"z"]),
    ):
        factory.clock.advance(4)
        step()
    wrapper.setTimeout(7)
    factory.clock.advance(6)
    wrapper.cancelTimeout()
    wrapper.resetTimeout()
    factory.clock.advance(60)
    wrapper.setTimeout(1)
    wrapper.setTimeout(None)
    say(len(factory.clock.getDelayedCalls()))
    wrapper.abortAfter = None
    wrapper.setTimeout(2)
    factory.clock.advance(2)
    say(bool(wrapper.disconnecting), wrapper.timeoutPeriod)
    wrapper.connectionLost(DONE)
    say(len(factory.clock.getDelayedCalls()), wrapper.timeoutCall)


def mixin() -> None:
    clock = task.Clock()

    class Patient(policies.TimeoutMixin, protocol.Protocol):  # type: ignore[misc]
        timeOut = 3

        def callLater(self, period: float, func: Any) -> Any:
            say("callLater", period)
            return clock.callLater(period, func)

    patient = Patient()
    patient.transport = Pipe("pipe")
    for period in (5, 2, None, 4, 4):
        say(patient.setTimeout(period), patient.timeOut)
        clock.advance(1)
        patient.resetTimeout()
    clock.advance(4)
    patient.resetTimeout()
    say(patient.timeOut, patient.setTimeout(None), len(clock.getDelayedCalls()))


def traffic() -> None:
    files = []

    class Logging(policies.TrafficLoggingFactory):  # type: ignore[misc]
        def open(self, name: str) -> Any:
            say("open", name)
            files.append(io.StringIO())
            return files[-1]

    factory = Logging(Servers(), "log")
    for _ in range(2):
        wrapper = made(factory)
        wrapper.dataReceived(b"a\r\nb")
        wrapper.write(b"c")
        wrapper.writeSequence([b"d", b"e"])
        wrapper.loseConnection()
    factory.resetCounter()
    made(factory)
    for file in files:
        say(file.getvalue().splitlines())


def pumping() -> None:
    class Greeting(Chatty):
        def connectionMade(self) -> None:
            super().connectionMade()
            self.transport.write(b"1")
            self.transport.write(b"2")
            self.transport.writeSequence([b"3", b"4"])

        def dataReceived(self, data: bytes) -> None:
            super().dataReceived(data)
            if data == b"bye":
                self.transport.loseConnection()

    class Closing(Chatty):
        def dataReceived(self, data: bytes) -> None:
            super().dataReceived(data)
            if data.endswith(b"34"):
                self.transport.write(b"bye")

    for policy in (loopback.identityPumpPolicy, loopback.collapsingPumpPolicy):
        loopback.loopbackAsync(Greeting("server"), Closing("client"), policy).addCallback(say)


def forwarding() -> None:
    class Reactor:
        def connectTCP(self, host: str, port: int, factory: Any) -> Any:
            say("connectTCP", host, port)
            self.factory = factory
            return Pipe("connector")

    factory = portforward.ProxyFactory("target", 7)
    factory.noisy = False
    for ending in ("server", "client", "failure"):
        server: Any = factory.buildProtocol(None)
        server.reactor = reactor = Reactor()
        server.makeConnection(Pipe("in"))
        if ending == "failure":
            reactor.factory.clientConnectionFailed(None, DONE)
            continue
        client = reactor.factory.buildProtocol(None)
        client.makeConnection(Pipe("out"))
        server.dataReceived(b"question")
        client.dataReceived(b"answer")
        (server if ending == "server" else client).connectionLost(DONE)


def states() -> None:
    class Collecting(stateful.StatefulProtocol):  # type: ignore[misc]
        def getInitialState(self) -> Any:
            say("initial")
            return self.first, 2

        def connectionMade(self) -> None:
            say("made")

        def first(self, data: bytes) -> Any:
            say("first", data)
            return self.second, 3

        def second(self, data: bytes) -> Any:
            say("second", data)
            if data == b"cde":
                self.transport.disconnecting = True
            return (self.first, 2) if data == b"234" else None

    collecting = Collecting()
    collecting.makeConnection(Pipe("pipe"))
    for piece in (b"0", b"123", b"4567890ab", b"cdefghij"):
        collecting.dataReceived(piece)


for each in (wrapping, total, throttling, timeouts, mixin, traffic, pumping, forwarding, states):
    print("#", each.__name__)
    each()
