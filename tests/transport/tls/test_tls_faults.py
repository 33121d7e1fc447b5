"""What must happen when things go wrong under TLS; each test is named after its row of the list of faults."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from net import Net, Traced
from patience import PATIENCE
from peers import BEGUN
from tls import (
    Shaken,
    authority,
    clientOptions,
    connectSSL,
    impatient,
    issued,
    listenSSL,
    pairSSL,
    plainClientContext,
    plainServerContext,
    serverOptions,
    shaken,
    startBoth,
    startTLS,
    stranger,
)

from reactor.error import PeerVerifyError, SSLError, TimeoutError
from reactor.ssl import TLSVersion

oneSelector = pytest.mark.parametrize("net", ["default"], indirect=True)


def heard(protocol: Traced) -> list[str]:
    """The trace without its beginning and, of a client's, its end, which are as they have to be."""
    trace = protocol.short
    begun = BEGUN if trace[0] == "doStart" else BEGUN[-1:]
    rest = trace[len(begun) :]
    assert trace[: len(begun)] == begun
    if begun is BEGUN and protocol.lost:
        assert rest[-2:] == [f"C{rest[-3]}", "doStop"]
        del rest[-2:]
    return rest[1:] if rest[:1] == ["HC"] else rest


class Peer:
    """A TLS peer on a plain socket, by hand: it does what it is told and nothing else."""

    def __init__(self, net: Net, sock: socket.socket, context: ssl.SSLContext, serverSide: bool) -> None:
        self.net = net
        self.sock = net.keep(sock)
        sock.setblocking(False)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, serverSide, None if serverSide else "localhost")

    def push(self) -> None:
        data = self.outgoing.read()
        while data:
            try:
                data = data[self.sock.send(data) :]
            except BlockingIOError:
                self.net.reactor.iterate(0)

    def pull(self) -> bool:
        try:
            data = self.sock.recv(65536)
        except BlockingIOError:
            self.net.reactor.iterate(0.005)
            return True
        self.incoming.write(data)
        if not data:
            self.incoming.write_eof()
        return bool(data)

    def do(self, f: Callable[..., Any], *args: Any) -> Any:
        """Call `f` as often as it wants to read."""
        result: list[Any] = []

        def once() -> bool:
            try:
                result.append(f(*args))
            except ssl.SSLWantReadError:
                self.push()
                self.pull()
            else:
                self.push()
            return bool(result)

        self.net.until(once)
        return result[0]

    def shake(self) -> Peer:
        self.do(self.tls.do_handshake)
        return self

    def write(self, data: bytes) -> None:
        self.tls.write(data)
        self.push()

    def sayEnd(self) -> None:
        with pytest.raises(ssl.SSLWantReadError):
            self.tls.unwrap()
        self.push()


@pytest.fixture
def server(net: Net) -> Iterator[Any]:
    yield listenSSL(net, build=lambda address: Shaken())


def clientOf(net: Net, server: Any, context: ssl.SSLContext | None = None) -> Peer:
    sock = socket.create_connection(("127.0.0.1", server.port))
    return Peer(net, sock, context or plainClientContext(), False)


def shakenWith(net: Net, server: Any, context: ssl.SSLContext | None = None) -> tuple[Peer, Traced]:
    peer = clientOf(net, server, context).shake()
    net.until(lambda: server.built)
    return peer, server.built[-1]


def against(net: Net, act: Callable[[socket.socket], object], **options: Any) -> Any:
    """A client of ours, whose server does `act` with its socket, in a thread of its own."""
    listening = net.plainListener()

    def serve() -> None:
        sock = listening.accept()[0]
        sock.settimeout(PATIENCE)
        try:
            act(sock)
        except OSError:
            pass
        finally:
            sock.close()

    thread = threading.Thread(target=serve)
    thread.start()
    client = connectSSL(net, listening.getsockname()[1], clientOptions(**options))
    net.until(lambda: client.over)
    thread.join(PATIENCE)
    return client


def test_T1_closeNotifyThenTCPClose(net: Net, server: Any) -> None:
    peer, ours = shakenWith(net, server)
    # Whoever closes with unread bytes (the session tickets) resets the connection.
    with pytest.raises(ssl.SSLWantReadError):
        peer.tls.read()
    net.turn()
    peer.pull()
    with pytest.raises(ssl.SSLWantReadError):
        peer.tls.read()
    peer.write(b"seven b")
    peer.sayEnd()
    peer.sock.close()
    net.until(lambda: ours.lost)
    assert heard(ours) == ["DR*", "CL(ConnectionDone)"]


def test_T1_closeNotifyAndTCPStaysOpen(net: Net, server: Any) -> None:
    peer, ours = shakenWith(net, server)
    peer.write(b"seven b")
    peer.sayEnd()
    net.until(lambda: ours.lost)
    assert heard(ours) == ["DR*", "CL(ConnectionDone)"]
    # We answered, and closed.
    assert peer.do(peer.tls.unwrap) is None
    assert net.receive(peer.sock) == b""


def test_T2_truncation(net: Net, server: Any) -> None:
    peer, ours = shakenWith(net, server)
    peer.write(b"seven b")
    peer.sock.shutdown(socket.SHUT_WR)
    net.until(lambda: ours.lost)
    assert ours.received == b"seven b"
    assert heard(ours) == ["DR*", "CL(ConnectionLost)"]
    assert "close_notify" in str(ours.reason.value)


def test_T3_reset(net: Net, server: Any) -> None:
    peer, ours = shakenWith(net, server)
    net.reset(peer.sock)
    net.until(lambda: ours.lost)
    assert heard(ours) == ["CL(ConnectionLost)"]


def bad(net: Net, leaf: Any, **options: Any) -> tuple[Any, Any]:
    """What becomes of a client whose server shows `leaf`, and of the server."""
    listening = listenSSL(net, serverOptions(leaf), build=lambda address: Traced())
    client = connectSSL(net, listening.port, clientOptions(**options))
    net.until(lambda: client.over)
    net.turn()
    assert client.events == ["doStart", "startedConnecting", "CCF(PeerVerifyError)", "doStop"]
    assert listening.built == []
    (reason,) = client.reasons
    assert reason.value.phase == "handshake"
    assert reason.value.host == "127.0.0.1"
    assert reason.value.port == listening.port
    return reason.value, listening


def test_T4_untrusted(net: Net) -> None:
    error, _ = bad(net, stranger().issue_cert("localhost"))
    assert "trustRootFromCertificates" in str(error)
    assert "localhost" in str(error) and "A stranger" in str(error)


def test_T4_expired(net: Net) -> None:
    yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    error, _ = bad(net, authority().issue_cert("localhost", not_after=yesterday))
    assert "expired" in str(error) and "renewed" in str(error)
    assert f"{yesterday:%b} {yesterday.day:2d}" in str(error)


def test_T4_theServerGetsTheAlert(net: Net) -> None:
    alerts: list[str] = []

    def serve(sock: socket.socket) -> None:
        try:
            plainServerContext(stranger().issue_cert("localhost")).wrap_socket(sock, server_side=True)
        except ssl.SSLError as e:
            alerts.append(e.reason)

    client = against(net, serve)
    assert isinstance(client.reasons[0].value, PeerVerifyError)
    assert alerts == ["TLSV1_ALERT_UNKNOWN_CA"]


def test_T4_noByteBeforeVerification(net: Net) -> None:
    read: list[bytes] = []

    def serve(sock: socket.socket) -> None:
        try:
            with plainServerContext(stranger().issue_cert("localhost")).wrap_socket(sock, server_side=True) as secured:
                read.append(secured.recv(100))
        except ssl.SSLError:
            pass

    listening = net.plainListener()
    client = net.connect(listening.getsockname()[1])
    peer = listening.accept()[0]
    net.until(lambda: client.built)
    thread = threading.Thread(target=serve, args=(peer,))
    thread.start()
    ours = client.built[0]
    ours.transport.startTLS(clientOptions())
    ours.write(b"secret")
    net.until(lambda: ours.lost)
    thread.join(PATIENCE)
    assert read == []
    assert heard(ours) == ["CL(PeerVerifyError)"]


def test_T5_wrongName(net: Net) -> None:
    error, _ = bad(net, issued("other.example"))
    assert "localhost" in str(error) and "other.example" in str(error)


@pytest.mark.parametrize(
    "sent",
    [
        b"\0" * 100,
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\xff\xff" + b"x" * 20000,
        b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03" + b"x" * 30,
    ],
    ids=["garbage", "HTTP", "oversized record", "half a ClientHello"],
)
def test_T6_notTLS(net: Net, server: Any, sent: bytes) -> None:
    good, ours = shakenWith(net, server)
    sock = net.keep(socket.create_connection(("127.0.0.1", server.port)))
    sock.sendall(sent)
    if sent.startswith(b"\x16") and len(sent) < 100:
        sock.shutdown(socket.SHUT_WR)
    try:
        answer = net.receive(sock)
    except ConnectionResetError:
        answer = b""
    # Nothing, or an alert.
    assert answer[:1] in (b"", b"\x15")
    assert len(server.built) == 1
    good.write(b"still here")
    net.until(lambda: ours.received == b"still here")


def test_T7_theServerAnswersInPlaintext(net: Net) -> None:
    client = against(net, lambda sock: sock.sendall(b"220 mail.example ESMTP\r\n"))
    (reason,) = client.reasons
    assert client.short[2:] == ["CCF(SSLError)", "doStop"]
    assert "wrong version number" in str(reason.value)
    assert "not TLS" in str(reason.value)


def test_T8_handshakeTimeout(net: Net) -> None:
    options = clientOptions()
    options.handshakeTimeout = 0.02
    client = connectSSL(net, net.plainListener().getsockname()[1], options)
    net.until(lambda: client.over)
    (reason,) = client.reasons
    assert type(reason.value) is TimeoutError
    assert reason.value.phase == "handshake"
    assert "handshakeTimeout=0.02" in str(reason.value)


def test_T8_theConnectTimeoutIncludesTheHandshake(net: Net) -> None:
    client = connectSSL(net, net.plainListener().getsockname()[1], timeout=0.02)
    net.until(lambda: client.over)
    assert client.events[-2:] == ["CCF(TimeoutError)", "doStop"]
    assert client.reasons[0].value.phase == "handshake"


def test_T8_stopConnectingInTheHandshake(net: Net) -> None:
    listening = net.plainListener()
    client = connectSSL(net, listening.getsockname()[1])
    peer = net.keep(listening.accept()[0])
    # Its ClientHello is there: the handshake has begun.
    assert net.receive(peer, 5)[:1] == b"\x16"
    client.connector.stopConnecting()
    assert client.events[-2:] == ["CCF(UserError)", "doStop"]
    net.turn()
    with pytest.raises(ConnectionResetError):
        net.receive(peer)


def test_T8_serverTimesOut(net: Net) -> None:
    server = listenSSL(net, serverOptions(handshakeTimeout=0.02))
    silent = net.keep(socket.create_connection(("127.0.0.1", server.port)))
    with pytest.raises(ConnectionResetError):
        net.receive(silent)
    assert server.built == []


def test_T9_noAnswerToCloseNotify(net: Net, server: Any) -> None:
    peer, ours = shakenWith(net, server)
    impatient(ours)
    ours.write(b"last words")
    ours.lose()
    net.until(lambda: ours.lost)
    assert heard(ours) == ["CL(ConnectionDone)"]
    assert peer.do(peer.tls.read, 100) == b"last words"
    assert peer.do(peer.tls.read, 100) == b""


def test_T10_stopListeningDropsHalfOpenHandshakes(net: Net, server: Any) -> None:
    peer, ours = shakenWith(net, server)
    half = net.keep(socket.create_connection(("127.0.0.1", server.port)))
    half.sendall(b"\x16\x03\x01")
    net.turn()
    server.listening.stopListening()
    with pytest.raises(ConnectionResetError):
        net.receive(half)
    peer.write(b"stays")
    net.until(lambda: ours.received)


def test_T10_loseConnectionBeforeTheHandshakeOfStartTLS(net: Net) -> None:
    first, second = net.pair()
    second.transport.startTLS(serverOptions())
    first.transport.startTLS(clientOptions())
    first.write(b"queued")
    first.lose()
    net.until(lambda: first.lost and second.lost)
    assert second.received == b"queued"
    assert heard(first) == ["CL(ConnectionDone)"]
    assert heard(second) == ["DR*", "CL(ConnectionDone)"]


def test_T10_loseConnectionBeforeAHandshakeThatNeverComes(net: Net) -> None:
    first, peer = net.socketPair()
    options = clientOptions()
    options.handshakeTimeout = 0.02
    first.transport.startTLS(options)
    first.write(b"queued")
    first.lose()
    net.until(lambda: first.lost)
    assert heard(first) == ["CL(TimeoutError)"]


def test_T10_thePeerGoesBeforeTheHandshakeAfterLoseConnection(net: Net) -> None:
    first, peer = net.socketPair()
    first.transport.startTLS(clientOptions())
    first.write(b"queued")
    first.lose()
    net.receive(peer, 5)
    peer.shutdown(socket.SHUT_WR)
    net.until(lambda: first.lost)
    # What was queued did not get there.
    assert heard(first) == ["CL(SSLError)"]


def test_T10_abortBeforeTheHandshakeOfStartTLS(net: Net) -> None:
    first, peer = net.socketPair()
    first.transport.startTLS(clientOptions())
    first.write(b"queued")
    first.abort()
    net.until(lambda: first.lost)
    assert heard(first) == ["CL(ConnectionAborted)"]
    with pytest.raises(ConnectionResetError):
        net.receive(peer)


def test_T11_fiveMegabytesAndLoseConnection(net: Net) -> None:
    first, second = pairSSL(net)
    first.write(b"x" * 5_000_000)
    first.lose()
    first.write(b"dropped")
    net.until(lambda: first.lost and second.lost)
    assert second.received == b"x" * 5_000_000
    assert heard(first) == ["CL(ConnectionDone)"]
    assert heard(second) == ["DR*", "CL(ConnectionDone)"]


def test_T13_abortConnection(net: Net) -> None:
    first, second = pairSSL(net)
    first.abort()
    first.abort()
    first.lose()
    first.write(b"dropped")
    net.until(lambda: first.lost and second.lost)
    assert heard(first) == ["CL(ConnectionAborted)"]
    assert heard(second) == ["CL(ConnectionLost)"]


def test_T14_pauseWithDecryptedDataWaiting(net: Net) -> None:
    server = listenSSL(net, build=lambda address: Traced(data=lambda p, data: p.ask("pauseProducing")))
    peer, ours = shakenWith(net, server)
    # Ten records in one segment.
    for number in range(10):
        peer.tls.write(b"%d" % number * 100)
    peer.push()
    net.until(lambda: ours.received)
    for number in range(1, 11):
        net.assertIdle()
        assert len(ours.received) == 100 * number
        ours.ask("resumeProducing")
    assert ours.received == b"".join(b"%d" % number * 100 for number in range(10))


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_T15_oldVersionsOnly(net: Net, server: Any) -> None:
    context = plainClientContext()
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    peer = clientOf(net, server, context)
    with pytest.raises(ssl.SSLError) as caught:
        peer.shake()
    assert caught.value.reason == "TLSV1_ALERT_PROTOCOL_VERSION"
    assert server.built == []


@oneSelector
def test_T16_renegotiationIsOff(net: Net) -> None:
    for options in (serverOptions(), plainServerContext()):
        context = options if isinstance(options, ssl.SSLContext) else options.getContext()
        # OpenSSL 3 refuses a client's renegotiation unless told otherwise (0x100: ALLOW_CLIENT_RENEGOTIATION).
        assert not context.options & 0x100
    assert serverOptions().getContext().options & ssl.OP_NO_RENEGOTIATION


def test_T17_floodOfTinyRecords(net: Net, server: Any) -> None:
    peer, ours = shakenWith(net, server)
    ticks: list[int] = []

    def tick() -> None:
        ticks.append(len(ours.received))
        if len(ours.received) < 20_000:
            net.reactor.callLater(0, tick)

    net.reactor.callLater(0, tick)
    for _ in range(20_000):
        peer.tls.write(b"x")
    peer.push()
    net.until(lambda: len(ours.received) == 20_000)
    # Timers ran in between: no turn took more than one receive.
    assert len({count for count in ticks if 0 < count < 20_000}) >= 1


def test_T18_plaintextBehindTheCommand(net: Net) -> None:
    def begin(protocol: Traced, data: bytes) -> None:
        if data.startswith(b"STARTTLS"):
            protocol.transport.startTLS(serverOptions())

    server = net.listen(data=begin)
    sock = net.keep(socket.create_connection(("127.0.0.1", server.port)))
    sock.sendall(b"STARTTLS\r\n")
    net.until(lambda: server.built and server.built[0].transport.TLS)
    # What an attacker puts in between is taken for TLS, and is none.
    sock.sendall(b"MAIL FROM:<evil@example>\r\n")
    ours = server.built[0]
    net.until(lambda: ours.lost)
    assert ours.received == b"STARTTLS\r\n"
    assert heard(ours)[-1] == "CL(SSLError)"


@pytest.mark.parametrize("where", ["made", "shaken", "data"])
def test_T19_aCallbackRaises(net: Net, where: str) -> None:
    def fail(*args: Any) -> None:
        raise ssl.SSLWantReadError(2, "of the program's own")

    server = listenSSL(net, build=lambda address: Shaken(**{where: fail}))
    peer = clientOf(net, server).shake()
    peer.write(b"x")
    net.until(lambda: server.built and server.built[0].lost)
    assert heard(server.built[0])[-1] == "CL(SSLWantReadError)"
    net.expectErrors(1)


def test_T20_madeWhenVerified(net: Net) -> None:
    first, second = pairSSL(net, first=Shaken, second=Shaken)
    assert second.events == ["CM", "HC"]
    assert first.events[-2:] == ["CM", "HC"]


def test_T20_startTLSTellsHandshakeCompleted(net: Net) -> None:
    first, second = startTLS(net, Shaken, Shaken)
    assert second.events == ["CM", "HC"]
    assert first.events[-2:] == ["CM", "HC"]


def test_T20_startTLSInConnectionMade(net: Net) -> None:
    server = net.listen(build=lambda a: Shaken(made=lambda p: p.transport.startTLS(serverOptions())))
    client = net.connect(server.port, build=lambda a: Shaken(made=lambda p: p.transport.startTLS(clientOptions())))
    net.until(lambda: "HC" in client.events and server.built[0].events == ["CM", "HC"])
    assert client.events[-2:] == ["CM", "HC"]


class Pushing:
    """A push producer that never ends, and is told when it is."""

    def __init__(self, end: Traced) -> None:
        self.end = end
        self.paused = False
        self.sent = 0

    def resumeProducing(self) -> None:
        self.paused = False
        while not self.paused:
            self.end.write(b"x" * 1000)
            self.sent += 1000

    def pauseProducing(self) -> None:
        self.paused = True

    def stopProducing(self) -> None:
        self.paused = True


def test_T21_startTLSInTheMiddleOfAProducer(net: Net) -> None:
    first, second = net.pair()
    producer = Pushing(first)
    first.transport.registerProducer(producer, True)
    # Before the other end answers, it is paused as always.
    second.transport.startTLS(serverOptions())
    first.transport.startTLS(clientOptions())
    producer.resumeProducing()
    assert producer.sent <= 70_000
    assert first.transport.buffered <= 70_000
    net.until(lambda: len(second.received) > 3_000_000)
    assert first.transport.producer is producer
    producer.pauseProducing()
    first.transport.unregisterProducer()
    first.lose()
    net.until(lambda: first.lost and second.lost)
    assert second.received == b"x" * producer.sent
    assert heard(first) == ["CL(ConnectionDone)"]


def test_T21_TLSOverTLS(net: Net) -> None:
    first, second = pairSSL(net)
    startBoth(net, first, second)
    assert shaken(first) and shaken(second)
    first.write(b"twice")
    net.until(lambda: second.received == b"twice")


@oneSelector
def test_writeBufferLimitHoldsBeforeTheHandshake(net: Net) -> None:
    first, peer = net.socketPair()
    first.transport.writeBufferLimit = 10_000
    first.transport.startTLS(clientOptions())
    for _ in range(11):
        first.write(b"x" * 1000)
    net.until(lambda: first.lost)
    assert heard(first) == ["CL(WriteBufferFull)"]


@oneSelector
def test_pausedBeforeStartTLS(net: Net) -> None:
    first, second = net.pair()
    second.ask("pauseProducing")
    second.transport.startTLS(serverOptions())
    first.transport.startTLS(clientOptions())
    first.write(b"data")
    net.until(lambda: shaken(first) and shaken(second))
    net.assertIdle()
    assert second.received == b""
    second.ask("resumeProducing")
    net.until(lambda: second.received == b"data")


@oneSelector
def test_thePeerEndsTLSAndNeverReads(net: Net, server: Any) -> None:
    peer, ours = shakenWith(net, server)
    impatient(ours)
    ours.write(b"x" * 20_000_000)
    net.turn()
    peer.sayEnd()
    net.until(lambda: ours.lost)
    assert heard(ours) == ["CL(ConnectionLost)"]


@oneSelector
def test_stopSaysCloseNotify(net: Net, server: Any) -> None:
    peer, ours = shakenWith(net, server)
    ours.write(b"bye")
    net.stopReactor()
    assert heard(ours) == ["CL(ConnectionLost)"]
    assert peer.do(peer.tls.read, 100) == b"bye"
    assert peer.do(peer.tls.read, 100) == b""


@oneSelector
def test_theProtocolIsReplacedDuringTheHandshake(net: Net) -> None:
    first, second = net.pair()
    second.transport.startTLS(serverOptions())
    other = Traced()
    other.transport = second.transport
    second.transport.protocol = other
    first.transport.startTLS(clientOptions())
    first.write(b"x")
    net.until(lambda: other.received == b"x")
    second.transport.protocol = second


@oneSelector
def test_dataBehindLoseWriteConnectionIsStillRead(net: Net, server: Any) -> None:
    peer, ours = shakenWith(net, server)
    first: list[bytes] = []

    def finish(protocol: Traced, data: bytes) -> None:
        if not first:
            first.append(data)
            protocol.ask("loseWriteConnection")

    ours.on = {"data": finish}
    for piece in (b"one", b"two", b"three"):
        peer.tls.write(piece)
    peer.push()
    net.until(lambda: ours.received == b"onetwothree")
    peer.sayEnd()
    net.until(lambda: ours.lost)
    assert heard(ours)[-1] == "CL(ConnectionDone)"


@oneSelector
def test_getContextRaises(net: Net) -> None:
    class Fickle:
        calls = 0

        def getContext(self) -> ssl.SSLContext:
            self.calls += 1
            if self.calls > 1:
                raise OSError("the file is gone")
            return plainServerContext()

    server = listenSSL(net, Fickle())
    sock = net.keep(socket.create_connection(("127.0.0.1", server.port)))
    assert net.receive(sock) == b""
    net.expectErrors(1)


@oneSelector
def test_minimumVersionOfAClient(net: Net) -> None:
    server = listenSSL(net, serverOptions(_maximum=TLSVersion.TLSv1_2))
    options = clientOptions(extraCertificateOptions={"raiseMinimumTo": TLSVersion.TLSv1_3})
    client = connectSSL(net, server.port, options)
    net.until(lambda: client.over)
    assert isinstance(client.reasons[0].value, SSLError)
