"""UDP in Twisted's words: what a program is told is what Twisted's own reactor tells it."""

from __future__ import annotations

import errno
import gc
import re
import socket
from typing import Any

import pytest

pytest.importorskip("twisted")

from bothreactors import Log, Told, sameOnBoth
from twisted.internet import interfaces, udp
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.error import (
    CannotListenError,
    InvalidAddressError,
    MessageLengthError,
    UnsupportedAddressFamily,
)
from twisted.internet.protocol import DatagramProtocol
from twisted.python import log
from zope.interface.verify import verifyObject

from reactor._transport.datagram.udp import UDPPort
from reactor.twisted import TwistedReactor

HOST = "127.0.0.1"


class Noting(DatagramProtocol):
    """Writes down what it is told, and stops when it was told enough."""

    noisy = False

    def __init__(self, reactor: Any, told: Told, enough: int = 1) -> None:
        self.reactor, self.told, self.left = reactor, told, enough

    def startProtocol(self) -> None:
        self.told.append("started")

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        self.told.append((datagram, addr[0], type(addr)))
        self.one()

    def connectionRefused(self) -> None:
        if self.left > 0:
            self.told.append("refused")
        self.one()

    def stopProtocol(self) -> None:
        self.told.append(("stopped", self.transport))

    def one(self) -> None:
        self.left -= 1
        if not self.left:
            self.reactor.crash()


def raisedBy(f: Any, *args: Any, **kw: Any) -> Any:
    """The class of what it raises, and which address it is about. Texts are each one's own."""
    try:
        return f(*args, **kw)
    except Exception as e:
        return type(e), getattr(e, "address", None)


def test_ours() -> None:
    def scene(reactor: Any, told: Told) -> None:
        port = reactor.listenUDP(0, Noting(reactor, []), interface=HOST)
        told.append(isinstance(port, UDPPort))
        reactor.crash()

    with pytest.raises(AssertionError):
        # Twisted's own is not.
        sameOnBoth(scene)


@pytest.mark.parametrize(("host", "kind"), [(HOST, IPv4Address), ("::1", IPv6Address)])
def test_datagramsThereAndBack(host: str, kind: type) -> None:
    class Echo(DatagramProtocol):
        noisy = False

        def datagramReceived(self, datagram: bytes, addr: Any) -> None:
            self.transport.write(datagram, addr)

    def scene(reactor: Any, told: Told) -> None:
        here = reactor.listenUDP(0, Echo(), interface=host).getHost()
        told.append((type(here) is kind, here.type, here.host, here.port > 0))
        there = reactor.listenUDP(0, Noting(reactor, told, enough=3), interface=host)
        told.append(there.write(b"one", (host, here.port)))
        told.append(there.writeSequence([b"t", b"wo"], (host, here.port)))
        there.connect(host, here.port)
        told.append(there.write(b"three"))

    told = [each[0] for each in sameOnBoth(scene) if isinstance(each, tuple)]
    assert told[-4:] == [b"one", b"two", b"three", "stopped"]


def test_aPortFromItsBeginningToItsEnd() -> None:
    def scene(reactor: Any, told: Told) -> None:
        with Log() as events:
            port = reactor.listenUDP(0, Noting(reactor, told), interface=HOST, maxPacketSize=100)
            number = port.getHost().port
            assert port._realPortNumber == number
            told.append([text.replace(str(number), "N") for text in events.texts()])
        told.append((port.port, port.interface, port.maxPacketSize, port.maxThroughput, port.addressFamily))
        told.append((bool(port.connected), bool(port.disconnected), port.logstr, port.logPrefix()))
        told.append((port.socket is port.getHandle(), port.fileno() == port.socket.fileno(), port.reactor is reactor))
        told.append((repr(port).replace(str(number), "N"), port.socketType, port._connectedAddr))
        stopping = port.stopListening()
        # What is done with it in this turn is still done.
        told.append(
            (type(stopping), bool(port.connected), port in reactor.getReaders(), port._realPortNumber == number)
        )
        told.append(port.write(b"late", (HOST, number)))
        events = Log()
        events.__enter__()
        stopping.addCallback(closed, port, number, events)

    def closed(result: object, port: Any, number: int, events: Log) -> None:
        events.__exit__()
        told = port.protocol.told
        told.append((result, [text.replace(str(number), "N") for text in events.texts()], port._realPortNumber))
        told.append((bool(port.connected), bool(port.disconnected), repr(port), port.fileno(), port.stopListening()))
        told.append(port.protocol.transport)
        # And opened again.
        port.startListening()
        told.append((port.protocol.transport is port, port.getHost().port > 0, port in port.reactor.getReaders()))
        port.reactor.crash()

    told = sameOnBoth(scene)
    assert told[1] == ["Noting starting on N"]
    assert (None, ["(UDP Port N Closed)"], None) in told
    assert ("stopped", None) in told


def test_whatIsRefused() -> None:
    def scene(reactor: Any, told: Told) -> None:
        port = reactor.listenUDP(0, Noting(reactor, told), interface=HOST)
        number = port.getHost().port
        for addr in [("localhost", 1), ("::1", 1), None, ("127.1", 1)]:
            told.append(raisedBy(port.write, b"x", addr))
        told.append(raisedBy(port.write, b"x" * 65508, (HOST, number)))
        told.append(raisedBy(port.write, "text", (HOST, number))[0])
        told.append(raisedBy(port.write, b"x", (HOST, 65536))[0])
        told.append(raisedBy(port.write, b"x", (HOST, -1))[0])
        told.append(raisedBy(port.write, b"x", ("<broadcast>", number))[0])
        told.append(raisedBy(port.connect, "localhost", 1))
        told.append(raisedBy(reactor.listenUDP, 0, Noting(reactor, told), interface="localhost"))
        told.append(raisedBy(reactor.adoptDatagramPort, 0, socket.AF_UNIX, Noting(reactor, told))[0])
        port.connect(HOST, number)
        told.append(port._connectedAddr == (HOST, number))
        told.append(raisedBy(port.connect, HOST, number)[0])
        told.append(raisedBy(port.write, b"x", (HOST, 1))[0])
        six = reactor.listenUDP(0, Noting(reactor, told), interface="::1")
        for addr in [(HOST, 1), ("<broadcast>", 1)]:
            told.append(raisedBy(six.write, b"x", addr))
        reactor.crash()

    told = sameOnBoth(scene)
    kinds = {each[0] for each in told if isinstance(each, tuple)} | {each for each in told if isinstance(each, type)}
    assert {InvalidAddressError, MessageLengthError, UnsupportedAddressFamily, RuntimeError} <= kinds


def test_portsThatThereAreNot() -> None:
    """Ours alone: Twisted's leaves a socket open."""
    reactor = TwistedReactor()
    for port, kind in [(65536, OverflowError), (-1, OverflowError), ("http", TypeError)]:
        with pytest.raises(kind):
            reactor.listenUDP(port, Noting(reactor, []))
    assert not reactor.getReaders()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_aPortThatIsTaken() -> None:
    def scene(reactor: Any, told: Told) -> None:
        port = reactor.listenUDP(0, Noting(reactor, []), interface=HOST)
        number = port.getHost().port
        with pytest.raises(CannotListenError) as caught:
            reactor.listenUDP(number, Noting(reactor, told), interface=HOST)
        problem = caught.value
        told.append((problem.interface, problem.port == number, problem.socketError.errno))
        told.append(str(problem).replace(str(number), "N"))
        reactor.crash()

    assert sameOnBoth(scene)[0] == (HOST, True, errno.EADDRINUSE)
    # Twisted's leaves its socket to the collector.
    gc.collect()


def unused() -> int:
    """The number of a port at which nobody listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind((HOST, 0))
        number: int = gone.getsockname()[1]
        return number


def test_thePeerIsNotThere() -> None:
    def scene(reactor: Any, told: Told) -> None:
        number = unused()
        port = reactor.listenUDP(0, Noting(reactor, told), interface=HOST)
        # Of no interest to who is not connected.
        port.write(b"x", (HOST, number))
        port.connect(HOST, number)
        # The second one hears what became of the first.
        port.write(b"x")
        port.write(b"x")

    assert sameOnBoth(scene)[:2] == ["started", "refused"]


def test_thePeerIsNotThereWhichNobodyAsksFor() -> None:
    """Ours alone: Twisted's takes the error for the socket's end, and closes it."""
    reactor = TwistedReactor()
    told: Told = []

    def scene() -> None:
        port = reactor.listenUDP(0, Noting(reactor, told), interface=HOST)
        port.connect(HOST, unused())
        port.write(b"x")

    reactor.callWhenRunning(scene)
    reactor.run(installSignalHandlers=False)
    assert told == ["started", "refused"]
    reactor.disconnectAll()


def test_aProtocolThatRaisesGoesOnUnderItsName() -> None:
    class Raising(Noting):
        def datagramReceived(self, datagram: bytes, addr: Any) -> None:
            log.msg("heard")
            super().datagramReceived(datagram, addr)
            raise ZeroDivisionError

    def scene(reactor: Any, told: Told) -> None:
        port = reactor.listenUDP(0, Raising(reactor, told, enough=2), interface=HOST)
        port.write(b"one", (HOST, port.getHost().port))
        port.write(b"two", (HOST, port.getHost().port))

    with Log() as events:
        told = sameOnBoth(scene)
    assert [each[0] for each in told[1:]] == [b"one", b"two", "stopped"]
    assert events.failures() == [ZeroDivisionError] * 4
    heard = [event for event in events.events if event.get("message") == ("heard",)]
    assert [event["system"] for event in heard] == ["Raising (UDP)"] * 4


def test_adopted() -> None:
    def scene(reactor: Any, told: Told) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
            bound.bind((HOST, 0))
            bound.setblocking(False)
            number = bound.getsockname()[1]
            port = reactor.adoptDatagramPort(bound.fileno(), socket.AF_INET, Noting(reactor, told))
        told.append((port.port, port.interface, port.getHost() == IPv4Address("UDP", HOST, number)))
        port.write(b"to itself", (HOST, number))

    assert (b"to itself", HOST, tuple) in sameOnBoth(scene)


def test_groups() -> None:
    group = "225.0.0.250"

    def scene(reactor: Any, told: Told) -> None:
        port = reactor.listenMulticast(0, Noting(reactor, told), listenMultiple=True)
        again = reactor.listenMulticast(port.getHost().port, Noting(reactor, []), listenMultiple=True)
        told.append(again.getHost().port == port.getHost().port)
        told.append((port.getTTL(), port.getLoopbackMode(), port.getOutgoingInterface()))
        told.append(raisedBy(port.setTTL, 256)[0])
        port.setTTL(3)
        port.setLoopbackMode(0)
        told.append((port.getTTL(), port.getLoopbackMode()))
        port.setLoopbackMode(1)
        again.stopListening()
        said: list[Any] = []
        port.setOutgoingInterface(HOST).addBoth(said.append)
        told.append((port.getOutgoingInterface(), said))
        joined = port.joinGroup(group, HOST)
        told.append(type(joined))
        joined.addCallback(lambda _: port.write(b"to all", (group, port.getHost().port)))
        failed = port.joinGroup(HOST, HOST)
        failed.addErrback(lambda failure: told.append((failure.type, failure.value.args[:3])))

    told = sameOnBoth(scene)
    assert Deferred in told
    assert (b"to all", HOST, tuple) in told


def test_broadcasting() -> None:
    def scene(reactor: Any, told: Told) -> None:
        port = reactor.listenUDP(0, Noting(reactor, told), interface=HOST)
        told.append(port.getBroadcastAllowed())
        port.setBroadcastAllowed(True)
        told.append(port.getBroadcastAllowed())
        reactor.crash()

    assert sameOnBoth(scene)[1:3] == [False, True]


def test_stoppedWhileItReceives() -> None:
    """Ours alone: Twisted's receives on what waits."""
    reactor = TwistedReactor()
    told: Told = []

    class Stopping(Noting):
        def datagramReceived(self, datagram: bytes, addr: Any) -> None:
            self.told.append(datagram)
            stopping = self.transport.stopListening()
            self.transport.write(datagram, addr)
            stopping.addCallback(lambda _: self.reactor.crash())

    def scene() -> None:
        port = reactor.listenUDP(0, Stopping(reactor, told), interface=HOST)
        for datagram in (b"one", b"two"):
            port.write(datagram, (HOST, port.getHost().port))

    reactor.callWhenRunning(scene)
    reactor.run(installSignalHandlers=False)
    assert told == ["started", b"one", ("stopped", None)]


def test_aProtocolWhoseEndRaises() -> None:
    """Ours alone: Twisted's Deferred never fires then, and its socket stays open."""
    reactor = TwistedReactor()
    told: Told = []

    class Raising(Noting):
        def stopProtocol(self) -> None:
            raise ZeroDivisionError

    def scene() -> None:
        port = reactor.listenUDP(0, Raising(reactor, told), interface=HOST)
        for _ in range(2):
            stopping = port.stopListening()
            assert stopping is not None
            stopping.addBoth(told.append)
        stopping.addBoth(lambda _: reactor.crash())

    reactor.callWhenRunning(scene)
    reactor.run(installSignalHandlers=False)
    assert told[1].type is ZeroDivisionError
    assert told[2] is None
    reactor.disconnectAll()


def test_openPortsAreSeenAndEndWithTheReactor() -> None:
    def scene(reactor: Any, told: Told) -> None:
        port = reactor.listenUDP(0, Noting(reactor, told), interface=HOST)
        told.append(port in reactor.getReaders())
        told.append([each for each in reactor.removeAll() if isinstance(each.protocol, Noting)] == [port])
        told.append(port in reactor.getReaders())
        stopping = port.stopListening()
        stopping.addCallback(lambda _: reactor.listenUDP(0, Noting(reactor, told), interface=HOST))
        stopping.addCallback(lambda _: reactor.crash())

    told = sameOnBoth(scene)
    # The second one by `disconnectAll`.
    assert told.count(("stopped", None)) == 2


def test_itProvidesTwistedsInterfaces() -> None:
    reactor = TwistedReactor()
    assert interfaces.IReactorUDP.providedBy(reactor)
    assert interfaces.IReactorMulticast.providedBy(reactor)
    port = reactor.listenUDP(0, Noting(reactor, []), interface=HOST)
    for interface in (
        *(interfaces.IListeningPort, interfaces.IUDPTransport),
        *(interfaces.ISystemHandle, interfaces.ILoggingContext),
    ):
        assert verifyObject(interface, port)
    group = reactor.listenMulticast(0, Noting(reactor, []))
    assert verifyObject(interfaces.IMulticastTransport, group)
    # Programs set what they like.
    port.somethingOfTheirs = 1  # type: ignore[attr-defined]
    with pytest.warns(DeprecationWarning, match=re.escape("stopListening()")):
        port.loseConnection()
    reactor.iterate()
    assert not port.connected
    assert group.connected
    reactor.disconnectAll()
    assert not group.connected


def test_aProgramsOwnPort() -> None:
    """A subclass of Twisted's class, given our reactor, runs on it as a descriptor."""

    class Own(udp.Port):
        def doRead(self) -> None:
            self.protocol.told.append("read")
            super().doRead()

    def scene(reactor: Any, told: Told) -> None:
        port = Own(0, Noting(reactor, told), HOST, reactor=reactor)
        port.startListening()
        port.write(b"x", (HOST, port.getHost().port))

    assert sameOnBoth(scene)[1:3] == ["read", (b"x", HOST, tuple)]
