"""TLS peers that break the rules, made of tlslite-ng, which sends whatever it is told; each test is named after its row
of the list of faults.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from net import DEADLINE, Net
from tls import Shaken, clientOptions, connectSSL, impatient, listenSSL

api = pytest.importorskip("tlslite.api", reason="needs tlslite-ng")
messages = pytest.importorskip("tlslite.messages")

oneSelector = pytest.mark.parametrize("net", ["default"], indirect=True)

TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 = (3, 1), (3, 2), (3, 3), (3, 4)
PROTOCOL_VERSION, NO_RENEGOTIATION = 70, 100


def settings(version: tuple[int, int]) -> Any:
    made = api.HandshakeSettings()
    made.minVersion = made.maxVersion = version
    return made


def send(peer: Any, message: Any) -> None:
    for _ in peer._sendMsg(message):
        pass


class Peer:
    """Does `act(peer, its socket)` in a thread of its own while the reactor turns. What that raised is `raised`."""

    def __init__(
        self, net: Net, connect: Callable[[], socket.socket], act: Callable[[Any, socket.socket], Any]
    ) -> None:
        self.net = net
        self.raised: BaseException | None = None

        def work() -> None:
            sock = connect()
            sock.settimeout(DEADLINE)
            try:
                act(api.TLSConnection(sock), sock)
            except BaseException as e:
                self.raised = e
            finally:
                sock.close()

        self.thread = threading.Thread(target=work)
        self.thread.start()

    def join(self) -> BaseException | None:
        """Turn the reactor until it is done."""
        self.net.until(lambda: not self.thread.is_alive())
        self.thread.join()
        return self.raised


def client(net: Net, server: Any, version: tuple[int, int], act: Callable[[Any, socket.socket], Any]) -> Peer:
    """A client of that version, which does `act` when it has shaken hands."""

    def shake(peer: Any, sock: socket.socket) -> None:
        peer.handshakeClientCert(settings=settings(version), serverName="localhost")
        act(peer, sock)

    return Peer(net, lambda: socket.create_connection(("127.0.0.1", server.port), DEADLINE), shake)


@pytest.fixture
def server(net: Net) -> Any:
    return listenSSL(net, build=lambda address: Shaken())


def stillServes(net: Net, server: Any) -> None:
    good = connectSSL(net, server.port)
    net.until(lambda: "CM" in good.events)
    good.built[0].write(b"still here")
    net.until(lambda: server.built and server.built[-1].received == b"still here")
    good.built[0].lose()
    net.until(lambda: good.over and server.built[-1].lost)


def untilAlert(peer: Any) -> int:
    """Read until the other end sends an alert; its number."""
    try:
        while peer.read(1, 65536):
            pass
    except api.TLSRemoteAlert as e:
        return int(e.description)
    raise AssertionError("an end, and no alert")


# Versions.


@oneSelector
@pytest.mark.parametrize("version", [TLS_1_0, TLS_1_1])
def test_T15_aClientOfAnOldVersion(net: Net, server: Any, version: tuple[int, int]) -> None:
    raised = client(net, server, version, lambda peer, sock: None).join()
    assert isinstance(raised, api.TLSRemoteAlert) and raised.description == PROTOCOL_VERSION
    net.turn()
    assert server.built == []
    stillServes(net, server)


def badServer(net: Net, act: Callable[[Any, socket.socket], Any]) -> Any:
    """What becomes of a client of ours whose server does `act`."""
    listening = net.plainListener()
    peer = Peer(net, lambda: listening.accept()[0], act)
    ours = connectSSL(net, listening.getsockname()[1], clientOptions())
    net.until(lambda: ours.over)
    peer.join()
    return ours


def record(kind: int, version: tuple[int, int], content: bytes) -> bytes:
    return bytes([kind, *version]) + len(content).to_bytes(2, "big") + content


@oneSelector
@pytest.mark.parametrize("version", [TLS_1_0, TLS_1_1])
def test_T15_aServerOfAnOldVersion(net: Net, version: tuple[int, int]) -> None:
    alerts = []

    def choose(peer: Any, sock: socket.socket) -> None:
        # By hand: tlslite-ng says 1.2 to a client that offers nothing else, whatever its settings are.
        assert sock.recv(1) == b"\x16"
        # The version, 32 random bytes, no session, TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, no compression.
        hello = bytes(version) + bytes(range(32)) + b"\x00" + b"\xc0\x13" + b"\x00"
        sock.sendall(record(22, version, b"\x02" + len(hello).to_bytes(3, "big") + hello))
        with sock.makefile("rb") as read:
            rest = int.from_bytes(read.read(4)[2:], "big")
            read.read(rest)
            alerts.append(read.read(7))

    ours = badServer(net, choose)
    assert ours.short[2:] == ["CCF(SSLError)", "doStop"]
    assert ours.reasons[0].value.phase == "handshake"
    assert "version" in str(ours.reasons[0].value) or "unsupported protocol" in str(ours.reasons[0].value)
    (alert,) = alerts
    assert (alert[0], alert[5:]) == (21, bytes([2, PROTOCOL_VERSION]))


@oneSelector
def test_T6_aServerThatRefusesWithAnAlert(net: Net) -> None:
    def refuse(peer: Any, sock: socket.socket) -> None:
        sock.recv(5)
        # handshake_failure, fatal
        sock.sendall(b"\x15\x03\x03\x00\x02\x02\x28")
        sock.recv(65536)

    ours = badServer(net, refuse)
    assert ours.short[2:] == ["CCF(SSLError)", "doStop"]
    assert "handshake failure" in str(ours.reasons[0].value)


@oneSelector
def test_T6_aServerThatGoesInTheMiddle(net: Net) -> None:
    def goAway(peer: Any, sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall(b"\x16\x03\x03\x00\x7a\x02\x00")

    ours = badServer(net, goAway)
    assert ours.short[2:] == ["CCF(SSLError)", "doStop"]
    assert "during the TLS handshake" in str(ours.reasons[0].value)


# Records that are none, behind a handshake that was well done.

RECORDS = {
    "a bad MAC": b"\x17\x03\x03\x00\x40" + b"x" * 64,
    "too long": b"\x17\x03\x03\xff\xff" + b"x" * 20000,
    "no such type": b"\x63\x03\x03\x00\x20" + b"x" * 32,
    "an alert in the clear": b"\x15\x03\x03\x00\x02\x02\x28",
    "no such version": b"\x17\x09\x09\x00\x20" + b"x" * 32,
    "an end without an end": b"\x14\x03\x03\x00\x01\x01",
}


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
@oneSelector
@pytest.mark.parametrize("record", RECORDS)
def test_T6_aBadRecord(net: Net, server: Any, record: str, version: tuple[int, int]) -> None:
    alerts: list[int] = []

    def act(peer: Any, sock: socket.socket) -> None:
        peer.write(b"good")
        sock.sendall(RECORDS[record])
        alerts.append(untilAlert(peer))

    assert client(net, server, version, act).join() is None
    (ours,) = server.built
    net.until(lambda: ours.lost)
    assert ours.received == b"good"
    assert ours.short == ["CM", "HC", "DR*", "CL(SSLError)"]
    assert len(alerts) == 1
    stillServes(net, server)


@oneSelector
def test_T6_anUnexpectedMessage(net: Net, server: Any) -> None:
    alerts: list[int] = []

    def act(peer: Any, sock: socket.socket) -> None:
        send(peer, messages.ServerHelloDone().create())
        alerts.append(untilAlert(peer))

    assert client(net, server, TLS_1_3, act).join() is None
    net.until(lambda: server.built and server.built[0].lost)
    # unexpected_message
    assert alerts == [10]
    assert server.built[0].short[-1] == "CL(SSLError)"


@oneSelector
def test_T6_aFatalAlert(net: Net, server: Any) -> None:
    client(net, server, TLS_1_3, lambda peer, sock: send(peer, messages.Alert().create(40, 2))).join()
    net.until(lambda: server.built and server.built[0].lost)
    assert server.built[0].short[-1] == "CL(SSLError)"
    assert "handshake failure" in str(server.built[0].reason.value)


# Floods.


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
@oneSelector
@pytest.mark.parametrize("what", ["empty records", "warnings"])
def test_T17_recordsThatSayNothing(net: Net, server: Any, what: str, version: tuple[int, int]) -> None:
    """OpenSSL counts them: neither 1000 of them are read, nor anything behind them."""

    def act(peer: Any, sock: socket.socket) -> None:
        for _ in range(1000):
            # user_canceled is a warning that does not end anything (RFC 8446, section 6.1).
            nothing = what == "empty records"
            send(peer, messages.ApplicationData().create(bytearray()) if nothing else messages.Alert().create(90, 1))
        peer.write(b"behind")
        untilAlert(peer)

    client(net, server, version, act).join()
    net.until(lambda: server.built and server.built[0].lost)
    assert server.built[0].short == ["CM", "HC", "CL(SSLError)"]
    stillServes(net, server)


class Recorded:
    """Stands in for a peer's socket: keeps what it sends, to be sent at once later."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.data = bytearray()

    def send(self, data: bytes) -> int:
        self.data += data
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)


def recorded(peer: Any, act: Callable[[], Any]) -> bytes:
    """What `act` makes the peer send; nothing of it is sent."""
    buffered = peer._recordLayer._recordSocket.sock if hasattr(peer, "_recordLayer") else None
    assert buffered is not None
    recorder = Recorded(buffered)
    peer._recordLayer._recordSocket.sock = recorder
    try:
        act()
    finally:
        peer._recordLayer._recordSocket.sock = buffered
    return bytes(recorder.data)


def newKeys(peer: Any, kind: int, count: int) -> bytes:
    def act() -> None:
        for _ in range(count):
            for _ in peer.send_keyupdate_request(kind):
                pass

    return recorded(peer, act)


NOT_REQUESTED, REQUESTED = 0, 1


@oneSelector
def test_T17_newKeysNowAndThen(net: Net, server: Any) -> None:
    """A peer that takes the answers may ask as often as it likes."""
    rounds = 35
    server.build = lambda address: Shaken(data=lambda p, data: p.write(data))

    def act(peer: Any, sock: socket.socket) -> None:
        for number in range(rounds):
            sock.sendall(newKeys(peer, REQUESTED, 20))
            peer.write(b"%3d" % number)
            assert peer.read(3, 3) == b"%3d" % number

    assert client(net, server, TLS_1_3, act).join() is None
    assert len(server.built[0].received) == 3 * rounds


@oneSelector
def test_T17_newKeysAllTheTimeAndNoReading(net: Net, server: Any) -> None:
    """Its answers do not fill our memory."""
    most: list[int] = []
    going = threading.Event()

    def act(peer: Any, sock: socket.socket) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        flood = newKeys(peer, REQUESTED, 1500)
        with contextlib.suppress(OSError):
            sock.sendall(flood)
            going.wait(DEADLINE)

    peer = client(net, server, TLS_1_3, act)
    net.until(lambda: server.built)
    (ours,) = server.built
    impatient(ours)
    # Little is what the kernel keeps for it.
    ours.transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)

    def over() -> bool:
        most.append(0 if ours.lost else ours.transport.buffered)
        return bool(ours.lost)

    net.until(over)
    going.set()
    peer.join()
    assert ours.short == ["CM", "HC", "CL(SSLError)"]
    assert "takes none of them" in str(ours.reason.value)
    assert max(most) <= 65_536
    stillServes(net, server)


@oneSelector
def test_T17_newKeysAllTheTime(net: Net, server: Any) -> None:
    """Keys that ask for no answer cost some microseconds each, and others are served meanwhile."""
    good = connectSSL(net, server.port)
    net.until(lambda: "CM" in good.events and server.built)

    def act(peer: Any, sock: socket.socket) -> None:
        sock.sendall(newKeys(peer, NOT_REQUESTED, 700))
        peer.write(b"behind")
        # A close with something unread, as the server's tickets, would be a reset, and cost the rest of this.
        sock.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            while sock.recv(65536):
                pass

    peer = client(net, server, TLS_1_3, act)
    net.until(lambda: len(server.built) == 2)
    good.built[0].write(b"still here")
    net.until(lambda: server.built[0].received == b"still here")
    assert peer.join() is None
    net.until(lambda: server.built[1].lost)
    assert server.built[1].received == b"behind"
    good.built[0].lose()
    net.until(lambda: good.over)


def hello() -> Any:
    return messages.ClientHello().create(TLS_1_2, bytearray(32), bytearray(), [0xC02F, 0xC02B, 0x00FF], extensions=[])


def test_T16_renegotiationThreeTimes(net: Net, server: Any) -> None:
    alerts: list[int] = []

    def act(peer: Any, sock: socket.socket) -> None:
        for _ in range(3):
            send(peer, hello())
        alerts.append(untilAlert(peer))

    assert client(net, server, TLS_1_2, act).join() is None
    net.until(lambda: server.built and server.built[0].lost)
    assert alerts == [NO_RENEGOTIATION]
    assert server.built[0].received == b""
    net.assertIdle()


@oneSelector
def test_T16_renegotiationAllTheTime(net: Net, server: Any) -> None:
    going = threading.Event()

    def act(peer: Any, sock: socket.socket) -> None:
        flood = recorded(peer, lambda: [send(peer, hello()) for _ in range(1000)])
        with contextlib.suppress(OSError):
            sock.sendall(flood)
            going.wait(DEADLINE)

    peer = client(net, server, TLS_1_2, act)
    net.until(lambda: server.built)
    impatient(server.built[0])
    net.until(lambda: server.built and server.built[0].lost)
    going.set()
    peer.join()
    assert server.built[0].short[-1] == "CL(SSLError)"


# The end.


@oneSelector
@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_T9_aPeerThatGoesOnTalking(net: Net, server: Any, version: tuple[int, int]) -> None:
    """It neither answers our close_notify nor stops sending."""
    server.build = lambda address: Shaken(data=lambda p, data: (impatient(p), p.lose()))
    sent: list[int] = []

    def act(peer: Any, sock: socket.socket) -> None:
        with contextlib.suppress(OSError, api.TLSAbruptCloseError):
            while True:
                peer.write(b"x" * 10_000)
                sent.append(10_000)

    client(net, server, version, act).join()
    (ours,) = server.built
    net.until(lambda: ours.lost)
    assert ours.short == ["CM", "HC", "DR*", "CL(ConnectionDone)"]
    # It was listened to until our patience with its answer was over.
    assert 0 < len(ours.received) <= sum(sent) + 10_000
    net.assertIdle()
