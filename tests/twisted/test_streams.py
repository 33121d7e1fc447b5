"""Twisted's protocols on our connections: what they are told, in which words, and every name that programs read."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from patience import PATIENCE

pytest.importorskip("twisted")

from twisted.internet import error as words
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import (
    IConnector,
    IConsumer,
    IHalfCloseableProtocol,
    IListeningPort,
    ILoggingContext,
    IPushProducer,
    IResolverSimple,
    ISystemHandle,
    ITCPTransport,
    ITLSTransport,
)
from twisted.internet.protocol import ClientFactory, Factory, Protocol
from twisted.python import log
from twisted.python.failure import Failure
from zope.interface import implementer

from reactor import error
from reactor.twisted import TwistedReactor


class Pair:
    """A server and its client on one reactor, and a list of what they are told."""

    def __init__(self) -> None:
        self.reactor: Any = TwistedReactor()
        self.late = self.reactor.callLater(PATIENCE, self.reactor.crash)
        self.told: list[Any] = []
        self.hooks: dict[str, Callable[..., object]] = {}
        self.ends = 2
        self.server: Any = None
        self.client: Any = None
        pair = self

        class Peer(Protocol):
            name = ""

            def connectionMade(self) -> None:
                setattr(pair, self.name, self)
                pair.tell(self, "connectionMade")

            def dataReceived(self, data: bytes) -> None:
                pair.tell(self, "dataReceived", data)

            def connectionLost(self, reason: Failure = words.ConnectionDone) -> None:  # type: ignore[assignment]
                pair.ends -= 1
                if not pair.ends:
                    pair.reactor.callLater(0, pair.reactor.crash)
                pair.tell(self, "connectionLost", reason)

        self.Peer = Peer
        self.factory = Factory()
        self.factory.buildProtocol = self.build("server")  # type: ignore[method-assign]
        self.clientFactory = ClientFactory()
        for hook in ("startedConnecting", "clientConnectionFailed", "clientConnectionLost"):
            setattr(self.clientFactory, hook, self.hook(hook))
        self.clientFactory.buildProtocol = self.build("client")  # type: ignore[method-assign]

    def build(self, name: str) -> Callable[[Any], Any]:
        def buildProtocol(address: Any) -> Any:
            made = self.Peer()
            made.name = name
            return self.hooks.get(f"{name} buildProtocol", lambda made: made)(made)

        return buildProtocol

    def hook(self, name: str) -> Callable[..., None]:
        def told(connector: Any, reason: Any = None) -> None:
            self.told.append((name, reason and reason.type))
            self.reason = reason
            if name == "clientConnectionFailed":
                self.reactor.callLater(0, self.reactor.crash)
            self.hooks.get(name, lambda *_: None)(connector)

        return told

    def tell(self, peer: Any, event: str, what: Any = None) -> None:
        known = what.type if isinstance(what, Failure) else what
        self.told.append((f"{peer.name} {event}", known))
        self.hooks.get(f"{peer.name} {event}", lambda *_: None)(peer)

    def listen(self) -> Any:
        self.port = self.reactor.listenTCP(0, self.factory, interface="127.0.0.1")
        return self.port

    def connect(self, **kw: Any) -> Any:
        self.connector = self.reactor.connectTCP("127.0.0.1", self.listen().getHost().port, self.clientFactory, **kw)
        return self.connector

    def run(self) -> list[Any]:
        self.reactor.run(installSignalHandlers=False)
        assert self.late.active(), f"late: {self.told}"
        return self.told

    def names(self, *prefixes: str) -> list[str]:
        return [name for name, _ in self.told if name.startswith(prefixes)]


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.reactor.disconnectAll()
    if made.late.active():
        made.late.cancel()


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    events: list[Any] = []
    log.addObserver(events.append)
    yield events
    log.removeObserver(events.append)


def problems(logged: list[Any]) -> list[type]:
    return [event["failure"].type for event in logged if event.get("failure") is not None]


def test_aConnectionFromItsBeginningToItsEnd(pair: Pair) -> None:
    pair.hooks["client connectionMade"] = lambda peer: peer.transport.write(b"ask")
    pair.hooks["server dataReceived"] = lambda peer: peer.transport.writeSequence([b"ans", b"wer"])
    pair.hooks["client dataReceived"] = lambda peer: peer.transport.loseConnection()
    pair.connect()
    told = pair.run()
    assert [each for each in told if each[0].startswith("c") or each[0].startswith("started")] == [
        *(("startedConnecting", None), ("client connectionMade", None), ("client dataReceived", b"answer")),
        *(("client connectionLost", words.ConnectionDone), ("clientConnectionLost", words.ConnectionDone)),
    ]
    assert told[-1] == ("server connectionLost", words.ConnectionDone)
    assert str(pair.reason.value) == "Connection was closed cleanly."


@pytest.mark.parametrize("pieces", [[b"an", "swer"], "answer", [b"an", 1], b"answer"])
def test_aSequenceWithOneThatIsNoBytesSendsNothing(pair: Pair, pieces: Any) -> None:
    def send(peer: Any) -> None:
        with pytest.raises(TypeError, match="Data must be bytes"):
            peer.transport.writeSequence(pieces)
        with pytest.raises(TypeError, match="Data must be bytes"):
            peer.transport.writeSequence(piece for piece in pieces)
        peer.transport.writeSequence(iter([b"good", bytearray(b""), memoryview(b" one")]))
        peer.transport.loseConnection()

    pair.hooks["client connectionMade"] = send
    pair.connect()
    assert [each for each in pair.run() if each[0] == "server dataReceived"] == [("server dataReceived", b"good one")]


def test_namesOfAServersTransport(pair: Pair) -> None:
    seen: dict[str, Any] = {}

    def look(peer: Any) -> None:
        transport = peer.transport
        for name in ("server", "client", "hostname", "sessionno", "reactor", "socket", "logstr", "connected"):
            seen[name] = getattr(transport, name)
        seen["repr"] = repr(transport)
        assert transport.getHandle() is transport.socket
        assert transport.fileno() == transport.socket.fileno()
        assert transport.logPrefix() == "Peer,0,127.0.0.1"
        # Programs ask by these whether it is TLS.
        assert not hasattr(transport, "getPeerCertificate") and not hasattr(transport, "negotiatedProtocol")
        assert getattr(transport, "negotiatedProtocol", b"http/1.1") == b"http/1.1"
        assert transport.TLS is False
        assert isinstance(transport.getPeer(), IPv4Address)
        assert transport.getHost() == pair.port.getHost()
        for interface in (ITCPTransport, ITLSTransport, IConsumer, IPushProducer, ISystemHandle, ILoggingContext):
            assert interface.providedBy(transport)
        # Programs set what they like, what is ours included.
        transport.somethingOfTheirs, transport.logstr = 1, "mine"
        assert transport.logPrefix() == "mine"
        transport.loseConnection()

    pair.hooks["server connectionMade"] = look
    pair.connect()
    pair.run()
    assert seen["server"] is pair.port and seen["reactor"] is pair.reactor
    assert seen["hostname"] == "127.0.0.1" and seen["client"][0] == "127.0.0.1" and len(seen["client"]) == 2
    assert seen["sessionno"] == 0 and pair.port.sessionno == 1
    assert seen["logstr"] == "Peer,0,127.0.0.1" and seen["connected"]
    assert seen["repr"] == f"<Peer #0 on {pair.port._realPortNumber}>"


def test_namesOfAClientsTransport(pair: Pair) -> None:
    connector = pair.connect(timeout=PATIENCE)
    asked = ("127.0.0.1", pair.port.getHost().port)

    def look(peer: Any) -> None:
        transport = peer.transport
        assert transport.connector is connector and connector.transport is transport
        assert transport.addr == transport.realAddress == asked
        assert transport.logstr == "Peer,client"
        assert (transport.producer, transport.streamingProducer) == (None, False)
        assert (transport.bufferSize, transport.dataBuffer, transport._tempDataBuffer) == (65536, b"", [])
        assert transport._tempDataLen == 0
        transport.write(b"one")
        transport.write(b"two")
        assert len(transport.dataBuffer) + transport._tempDataLen == 6
        assert (connector.state, connector.timeoutID) == ("connected", None)
        assert str(asked) in repr(transport)
        transport.stopConsuming()

    pair.hooks["client connectionMade"] = look
    assert (connector.state, connector.host, connector.port) == ("connecting", *asked)
    assert connector.factory is pair.clientFactory and connector.timeout == PATIENCE
    assert connector.reactor is pair.reactor and connector.bindAddress is None
    assert connector.getDestination() == IPv4Address("TCP", *asked)
    assert IConnector.providedBy(connector)
    pair.run()
    assert ("server dataReceived", b"onetwo") in pair.told
    assert ("client connectionLost", words.ConnectionDone) in pair.told
    assert connector.state == "disconnected" and connector.transport is None
    # It keeps its name.
    assert pair.client.transport.logstr == "Peer,client"
    assert pair.client.transport.connector is connector


def test_theTransportWhileItConnects(pair: Pair) -> None:
    seen: list[Any] = []

    def started(connector: Any) -> None:
        # Before it is begun with, as programs do that have options to set.
        seen.append(connector.transport.socket)
        connector.transport.socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    pair.hooks["startedConnecting"] = started
    connector = pair.connect(bindAddress=("127.0.0.1", 0))
    pending = connector.transport
    assert pending.socket is seen[0]
    assert pending.getHost().host == "127.0.0.1" and pending.fileno() == seen[0].fileno()
    assert pending.connector is connector and not pending.connected

    def look(peer: Any) -> None:
        assert peer.transport.socket is seen[0]
        assert peer.transport.getTcpKeepAlive()
        peer.transport.loseConnection()

    pair.hooks["client connectionMade"] = look
    pair.run()
    assert pair.ends == 0


def test_refused(pair: Pair) -> None:
    port = pair.listen().getHost().port
    pair.port.stopListening()
    pair.reactor.iterate()
    pair.reactor.connectTCP("127.0.0.1", port, pair.clientFactory)
    pair.run()
    assert pair.told[-1] == ("clientConnectionFailed", words.ConnectionRefusedError)
    assert pair.reason.type is words.ConnectionRefusedError
    problem = pair.reason.value
    assert str(problem) == "Connection was refused by other side: 111: Connection refused."
    # What we know beyond it.
    assert (problem.osError, problem.host, problem.port, problem.phase) == (111, "127.0.0.1", port, "connect")
    assert problem.attempts[0][0] == IPv4Address("TCP", "127.0.0.1", port)
    assert type(problem.__cause__) is error.ConnectionRefusedError


def test_stoppedAndStoppedAgain(pair: Pair) -> None:
    connector = pair.connect()
    pending = connector.transport
    connector.stopConnecting()
    assert pair.told == [("startedConnecting", None), ("clientConnectionFailed", words.UserError)]
    assert str(pair.reason.value) == "User aborted connection."
    with pytest.raises(words.NotConnectingError):
        connector.stopConnecting()
    assert not hasattr(pending, "socket")
    # Nothing comes of what was stopped.
    pending.failIfNotConnected(words.UserError())
    assert len(pair.told) == 2


def test_timedOut(pair: Pair) -> None:
    # A queue of one that is full: who comes next gets no answer.
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        queued = [socket.socket() for _ in range(3)]
        for each in queued:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        pair.reactor.connectTCP(*full.getsockname(), pair.clientFactory, timeout=0.01)
        pair.run()
        for each in queued:
            each.close()
    assert pair.told[-1] == ("clientConnectionFailed", words.TimeoutError)
    assert str(pair.reason.value) == "User timeout caused connection failure."


@pytest.mark.parametrize("port", [-1, 65536])
def test_aPortThatIsNone(pair: Pair, port: int) -> None:
    pair.reactor.connectTCP("127.0.0.1", port, pair.clientFactory)
    pair.run()
    assert pair.told[-1] == ("clientConnectionFailed", OverflowError)
    with pytest.raises(OverflowError):
        pair.reactor.listenTCP(port, pair.factory)


def test_aServiceThatIsUnknown(pair: Pair) -> None:
    with pytest.raises(words.ServiceNameUnknownError):
        pair.reactor.connectTCP("127.0.0.1", "no such service", pair.clientFactory)


def test_aNameIsLookedUpByWhateverIsInstalled(pair: Pair) -> None:
    asked: list[str] = []

    @implementer(IResolverSimple)
    class Resolver:
        def getHostByName(self, name: str, timeout: object = ()) -> Deferred[str]:
            asked.append(name)
            return succeed("127.0.0.1") if name == "there.test" else fail(words.DNSLookupError("not there"))

    pair.reactor.installResolver(Resolver())
    connector = pair.reactor.connectTCP("there.test", pair.listen().getHost().port, pair.clientFactory)
    pair.hooks["client connectionMade"] = lambda peer: peer.transport.loseConnection()
    pair.run()
    assert connector.getDestination().host == "there.test" and pair.client.transport.addr[0] == "there.test"
    assert pair.client.transport.realAddress[0] == "127.0.0.1"
    pair.reactor.connectTCP("gone.test", 1, pair.clientFactory)
    pair.run()
    assert pair.reason.type is words.DNSLookupError and pair.reason.value.args == ("not there",)
    assert asked == ["there.test", "gone.test"]


def test_addressesOfIPv6(pair: Pair) -> None:
    try:
        port = pair.reactor.listenTCP(0, pair.factory, interface="::1")
    except words.CannotListenError:
        pytest.skip("no IPv6 here")
    pair.reactor.connectTCP("::1", port.getHost().port, pair.clientFactory)
    pair.hooks["client connectionMade"] = lambda peer: peer.transport.loseConnection()
    pair.run()
    assert port.getHost() == IPv6Address("TCP", "::1", port.getHost().port)
    assert pair.client.transport.getPeer() == port.getHost()
    assert pair.client.transport.realAddress[:2] == ("::1", port.getHost().port)


def test_resetByThePeer(pair: Pair) -> None:
    def reset(peer: Any) -> None:
        peer.transport.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.transport.connectionLost(Failure(words.ConnectionDone()))

    pair.hooks["client connectionMade"] = lambda peer: peer.transport.write(b"x")
    pair.hooks["server dataReceived"] = reset
    pair.connect()
    pair.run()
    assert ("client connectionLost", words.ConnectionLost) in pair.told
    assert str(pair.reason.value) == "Connection to the other side was lost in a non-clean fashion."
    assert pair.reason.value.osError == 104 and pair.reason.value.host == "127.0.0.1"
    assert type(pair.reason.value.__cause__) is error.ConnectionLost


@pytest.mark.parametrize("where", ["connectionMade", "dataReceived"])
def test_aborted(pair: Pair, where: str) -> None:
    pair.hooks["server connectionMade"] = lambda peer: peer.transport.write(b"x")
    pair.hooks[f"client {where}"] = lambda peer: peer.transport.abortConnection()
    pair.connect()
    pair.run()
    assert ("client connectionLost", words.ConnectionAborted) in pair.told
    assert ("clientConnectionLost", words.ConnectionAborted) in pair.told


@pytest.mark.parametrize("event", ["connectionMade", "dataReceived", "connectionLost"])
def test_whatAClientRaises(pair: Pair, logged: list[Any], event: str) -> None:
    def bug(peer: Any) -> None:
        if event != "connectionLost":
            peer.transport.write(b"not lost")
        raise ZeroDivisionError

    pair.hooks["server connectionMade"] = lambda peer: peer.transport.write(b"x")
    pair.hooks["client dataReceived"] = lambda peer: peer.transport.loseConnection()
    pair.hooks[f"client {event}"] = bug
    pair.connect()
    pair.run()
    assert problems(logged) == [ZeroDivisionError]
    expected = words.ConnectionDone if event == "connectionLost" else ZeroDivisionError
    assert ("client connectionLost", expected) in pair.told
    assert ("clientConnectionLost", expected) in pair.told


def test_whatAServersConnectionMadeRaisesIsLoggedAndNoMore(pair: Pair, logged: list[Any]) -> None:
    def bug(peer: Any) -> None:
        raise ZeroDivisionError

    pair.hooks["server connectionMade"] = bug
    pair.hooks["client connectionMade"] = lambda peer: peer.transport.write(b"go on")
    pair.hooks["server dataReceived"] = lambda peer: peer.transport.loseConnection()
    pair.connect()
    pair.run()
    assert problems(logged) == [ZeroDivisionError]
    assert ("server dataReceived", b"go on") in pair.told
    assert ("server connectionLost", words.ConnectionDone) in pair.told


def test_buildProtocolThatRaisesOrDoesNotWant(pair: Pair, logged: list[Any]) -> None:
    def bug(made: Any) -> None:
        raise ZeroDivisionError

    pair.hooks["client buildProtocol"] = bug
    connector = pair.connect()
    pair.run()
    assert ("clientConnectionFailed", words.ConnectError) in pair.told
    assert "ZeroDivisionError" in str(pair.reason.value)
    assert ZeroDivisionError in problems(logged) or ZeroDivisionError in [
        event["log_failure"].type for event in logged if event.get("log_failure")
    ]
    pair.hooks["client buildProtocol"] = lambda made: None
    pair.hooks["clientConnectionLost"] = lambda connector: pair.reactor.crash()
    connector.connect()
    pair.run()
    assert ("clientConnectionLost", words.ConnectionDone) in pair.told


def test_connectedAgainFromTheLoss(pair: Pair) -> None:
    again = [1, 1]

    def lost(connector: Any) -> None:
        if again:
            again.pop()
            connector.connect()

    pair.ends = 6
    pair.hooks["client connectionMade"] = lambda peer: peer.transport.loseConnection()
    pair.hooks["clientConnectionLost"] = lost
    pair.connect()
    pair.run()
    assert pair.names("client", "started") == 3 * [
        *("startedConnecting", "client connectionMade", "client connectionLost", "clientConnectionLost")
    ]
    assert pair.server.transport.sessionno == 2


def test_halfClosed(pair: Pair) -> None:
    @implementer(IHalfCloseableProtocol)
    class Half(pair.Peer):  # type: ignore[name-defined, misc]
        def readConnectionLost(self) -> None:
            pair.tell(self, "readConnectionLost")

        def writeConnectionLost(self) -> None:
            pair.tell(self, "writeConnectionLost")

    pair.Peer = Half

    def finish(peer: Any) -> None:
        peer.transport.write(b"the last")
        peer.transport.loseWriteConnection()
        # As there: what comes behind it still goes, as long as its half is not ended.
        peer.transport.write(b" word")

    pair.hooks["client connectionMade"] = finish
    pair.hooks["server readConnectionLost"] = lambda peer: (
        peer.transport.write(b"more"),
        peer.transport.loseConnection(),
    )
    pair.connect()
    told = pair.run()
    assert ("server dataReceived", b"the last word") in told
    assert pair.names("client") == [
        *("client connectionMade", "client writeConnectionLost", "client dataReceived", "client readConnectionLost"),
        *("client connectionLost", "clientConnectionLost"),
    ]


def test_whatIsWrittenBehindLoseConnection(pair: Pair) -> None:
    def close(peer: Any) -> None:
        peer.transport.loseConnection()
        peer.transport.write(b"goodbye")

    pair.hooks["client connectionMade"] = close
    pair.connect()
    assert ("server dataReceived", b"goodbye") in pair.run()


def test_producersAreToldByBufferSize(pair: Pair) -> None:
    told: list[str] = []

    @implementer(IPushProducer)
    class Producer:
        def pauseProducing(self) -> None:
            told.append("pause")

        def resumeProducing(self) -> None:
            told.append("resume")
            pair.client.transport.unregisterProducer()
            pair.client.transport.loseConnection()

        def stopProducing(self) -> None:
            told.append("stop")

    def produce(peer: Any) -> None:
        producer = Producer()
        transport = peer.transport
        transport.bufferSize = 10
        transport.registerProducer(producer, True)
        assert transport.producer is producer and transport.streamingProducer
        transport.write(b"0123456789")
        assert told == []
        transport.write(b"0")
        assert told == ["pause"] and transport.producerPaused
        with pytest.raises(RuntimeError):
            transport.registerProducer(producer, True)

    pair.hooks["client connectionMade"] = produce
    pair.connect()
    pair.run()
    assert told == ["pause", "resume"]


def test_portsSpeakTwistedsWords(pair: Pair, logged: list[Any]) -> None:
    port = pair.listen()
    number = port.getHost().port
    assert IListeningPort.providedBy(port)
    assert (port.port, port._realPortNumber, port.interface) == (0, number, "127.0.0.1")
    assert port.socket.fileno() == port.fileno() and port.connected
    assert port.factory is pair.factory and port.reactor is pair.reactor
    assert repr(port) == f"<{type(port)} of {Factory} on {number}>"
    with pytest.raises(words.CannotListenError) as refused:
        pair.reactor.listenTCP(number, pair.factory, interface="127.0.0.1")
    assert str(refused.value) == f"Couldn't listen on 127.0.0.1:{number}: [Errno 98] Address already in use."
    stopped = port.stopListening()
    assert isinstance(stopped, Deferred) and port.disconnecting
    stopped.addCallback(lambda result: (pair.told.append(result), pair.reactor.crash()))
    pair.run()
    assert pair.told == [None]
    assert not port.connected and not port.disconnecting and "not listening" in repr(port)
    said = [event["message"][0] for event in logged if event.get("message")]
    assert f"Factory starting on {number}" in said and f"(TCP Port {number} Closed)" in said
    # It can be opened again.
    port.startListening()
    assert port.connected
    port.connectionLost(Failure(words.ConnectionDone()))
    assert not port.connected


def test_stopListeningFailsWithWhatDoStopRaises(pair: Pair) -> None:
    def bug() -> None:
        raise ZeroDivisionError

    port = pair.listen()
    pair.factory.doStop = bug  # type: ignore[method-assign]
    failed: list[Any] = []
    port.stopListening().addErrback(failed.append).addBoth(lambda _: pair.reactor.crash())
    pair.run()
    assert failed[0].type is ZeroDivisionError


def test_connectionLostOfAPortRaisesWhatDoStopDoes(pair: Pair) -> None:
    def bug() -> None:
        raise ZeroDivisionError

    port = pair.listen()
    pair.factory.doStop = bug  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        port.connectionLost(Failure(words.ConnectionDone()))
    assert not port.connected


def test_bindings(pair: Pair) -> None:
    tcp = pytest.importorskip("twisted.internet.tcp")
    if not hasattr(tcp, "makeBinding"):
        pytest.skip("this Twisted has no Binding")
    first = pair.reactor.listenTCP(tcp.makeBinding("127.0.0.1", 0, reusePort=True), pair.factory)
    second = pair.reactor.listenTCP(tcp.makeBinding("127.0.0.1", first.getHost().port, reusePort=True), pair.factory)
    assert first.getHost() == second.getHost()
    binding = tcp.makeBinding("127.0.0.1", reuseAddress=True)
    connector = pair.connect(bindAddress=binding)
    assert connector.bindAddress is binding
    assert connector.transport.socket.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
    assert not connector.transport.socket.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT)


def test_adopted(pair: Pair) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        pair.port = pair.reactor.adoptStreamPort(listening.fileno(), socket.AF_INET, pair.factory)
        name = listening.getsockname()
    assert pair.port.getHost() == IPv4Address("TCP", *name)
    with socket.create_connection(name) as ours:
        transport = pair.reactor.adoptStreamConnection(ours.fileno(), socket.AF_INET, pair.clientFactory)
    assert (transport.server, transport.sessionno) == (None, name[1])
    transport.write(b"adopted")
    pair.hooks["server dataReceived"] = lambda peer: peer.transport.loseConnection()
    assert ("server dataReceived", b"adopted") in pair.run()


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_UNIX])
@pytest.mark.parametrize("end", ["loseConnection", "abortConnection"])
def test_adoptedFromWhoKeepsACopy(pair: Pair, family: int, end: str) -> None:
    if family == socket.AF_UNIX:
        there, given = socket.socketpair()
    else:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            there = socket.create_connection(listening.getsockname())
            given, _ = listening.accept()
    with there, given:
        there.settimeout(PATIENCE)
        pair.ends = 1
        pair.hooks["client connectionMade"] = lambda peer: peer.transport.write(b"all of it")
        transport = pair.reactor.adoptStreamConnection(given.fileno(), family, pair.clientFactory)
        pair.reactor.callLater(0, getattr(transport, end))
        assert pair.run()[-1][0] == "client connectionLost"
        assert there.recv(100) == b"all of it"
        if end == "loseConnection" or family == socket.AF_UNIX:
            # The peer need not wait for the giver.
            assert there.recv(100) == b""
        else:
            given.close()
            with pytest.raises(ConnectionResetError):
                there.recv(100)


def test_logsNameWhomTheyAreAbout(pair: Pair, logged: list[Any]) -> None:
    def say(peer: Any) -> None:
        log.msg(peer.name)
        peer.transport.write(b"x")
        if peer.name == "client":
            pair.reactor.callLater(0, log.msg, "later")
            peer.transport.loseConnection()

    pair.hooks["client connectionMade"] = lambda peer: peer.transport.write(b"x")
    pair.hooks["server dataReceived"] = pair.hooks["client dataReceived"] = say
    pair.connect()
    pair.run()
    log.msg("outside")
    systems = {event["message"][0]: event["system"] for event in logged if event.get("message")}
    assert systems["server"] == "Peer,0,127.0.0.1" and systems["client"] == "Peer,client"
    assert systems["later"] == systems["outside"] == "-"


def test_aMessageIsNotLostWithANameThatCannotBeHad(pair: Pair, logged: list[Any]) -> None:
    def bug() -> str:
        raise ZeroDivisionError

    def say(peer: Any) -> None:
        peer.transport.logPrefix = bug
        log.msg("said")
        peer.transport.loseConnection()

    pair.hooks["client connectionMade"] = lambda peer: peer.transport.write(b"x")
    pair.hooks["server dataReceived"] = say
    pair.connect()
    pair.run()
    assert [event["system"] for event in logged if event.get("message") == ("said",)] == [
        "Server (its logPrefix raises)",
    ]


def test_theProtocolIsReplaced(pair: Pair) -> None:
    def replace(peer: Any) -> None:
        other = pair.Peer()
        other.name = "other"
        peer.transport.protocol = other
        other.transport = peer.transport
        peer.transport.write(b"ready")

    pair.hooks["server connectionMade"] = replace
    pair.hooks["client dataReceived"] = lambda peer: peer.transport.write(b"to the other")
    pair.hooks["other dataReceived"] = lambda peer: peer.transport.loseConnection()
    pair.connect()
    told = pair.run()
    assert ("other dataReceived", b"to the other") in told and told[-1][0] in (
        *("other connectionLost", "client connectionLost", "clientConnectionLost"),
    )


def test_whoIsStillConnectingWhenItStops(pair: Pair) -> None:
    pair.connect()
    pair.reactor.callWhenRunning(pair.reactor.stop)
    pair.hooks["client connectionMade"] = lambda peer: None
    pair.run()
    assert pair.told[-1][1] in (words.ConnectError, words.ConnectionLost)


# Of pyOpenSSL, about how Twisted uses it.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_startTLSBesideAProducer(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("OpenSSL")
    import twisted.internet

    # Twisted's layer schedules small writes by the one that is installed.
    monkeypatch.setattr(twisted.internet, "reactor", pair.reactor, raising=False)
    monkeypatch.setitem(sys.modules, "twisted.internet.reactor", pair.reactor)
    trustme = pytest.importorskip("trustme")
    from twisted.internet.ssl import CertificateOptions, PrivateCertificate

    made = trustme.CA().issue_cert("localhost")
    pem = made.private_key_pem.bytes() + made.cert_chain_pems[0].bytes()
    serving = PrivateCertificate.loadPEM(pem).options()

    @implementer(IPushProducer)
    class Producer:
        def pauseProducing(self) -> None:
            """It writes once."""

        resumeProducing = stopProducing = pauseProducing

    def secure(peer: Any) -> None:
        transport = peer.transport
        transport.registerProducer(Producer(), True)
        transport.startTLS(CertificateOptions())
        assert transport.TLS and hasattr(transport, "getPeerCertificate")
        transport.write(b"under TLS")
        transport.unregisterProducer()

    pair.hooks["client connectionMade"] = secure
    pair.hooks["server connectionMade"] = lambda peer: peer.transport.startTLS(serving)
    pair.hooks["server dataReceived"] = lambda peer: peer.transport.loseConnection()
    pair.connect()
    told = pair.run()
    assert ("server dataReceived", b"under TLS") in told
    assert ("client connectionLost", words.ConnectionDone) in told
