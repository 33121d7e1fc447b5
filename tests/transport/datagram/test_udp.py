"""UDP, over IPv4 and IPv6: to anybody, or to one peer."""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from datagrams import Anybody
from net import Net
from patience import PATIENCE
from zope.interface.verify import verifyObject

from reactor._transport.datagram import udp
from reactor.address import IPv4Address, IPv6Address
from reactor.error import (
    CannotListenError,
    InvalidAddressError,
    MessageLengthError,
    UnsupportedAddressFamily,
    UnsupportedSocketType,
)
from reactor.interfaces import IListeningPort, IReactorSocket, IReactorUDP, IUDPTransport
from reactor.protocol import DatagramProtocol

LOCAL = "127.0.0.1"
oneSelector = pytest.mark.parametrize("net", ["default"], indirect=True)
eachFamily = pytest.mark.parametrize("host", [LOCAL, "::1"])
# Each family and each selector, not all of their pairs.
everywhere = pytest.mark.parametrize(
    ("net", "host"),
    [("default", LOCAL), ("default", "::1"), ("SelectSelector", "::1"), ("PollSelector", LOCAL)],
    indirect=["net"],
)


@pytest.fixture
def ports(net: Net) -> Iterator[list[Any]]:
    """Stops the ports that a test puts into it, and sees the protocols told."""
    opened: list[Any] = []
    yield opened
    for port in opened:
        port.stopListening()
    net.until(lambda: all(port.protocol.events[-1:] != ["start"] or port.protocol.numPorts == 0 for port in opened))


@pytest.fixture
def listen(net: Net, ports: list[Any]) -> Callable[..., Any]:
    """listen(host, ...) opens a port; its protocol is `port.protocol`."""

    def open_(host: str = LOCAL, port: int = 0, size: int = 8192, **on: Any) -> Any:
        ports.append(net.reactor.listenUDP(port, Anybody(**on), host, size))
        return ports[-1]

    return open_


def at(port: Any) -> tuple[str, int]:
    address = port.getHost()
    return address.host, address.port


def familyOf(host: str) -> int:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def closedPort(host: str = LOCAL) -> int:
    """A port that nobody listens on, a moment ago at least."""
    with socket.socket(familyOf(host), socket.SOCK_DGRAM) as sock:
        sock.bind((host, 0))
        return int(sock.getsockname()[1])


@eachFamily
def test_bothWays(net: Net, listen: Any, host: str) -> None:
    server = listen(host, datagram=lambda protocol, data: protocol.transport.write(data.upper(), sender(protocol)))
    client = listen(host)

    def sender(protocol: Any) -> Any:
        return protocol.received[-1][1]

    assert client.protocol.transport is client
    for packet in (b"one", bytearray(b"two"), memoryview(b"three"), b""):
        client.write(packet, at(server))
    net.until(lambda: len(client.protocol.received) == 4)
    assert server.protocol.received == [(data, at(client)) for data in (b"one", b"two", b"three", b"")]
    assert client.protocol.received == [(data, at(server)) for data in (b"ONE", b"TWO", b"THREE", b"")]


@oneSelector
def test_interfaces(net: Net, listen: Any) -> None:
    assert verifyObject(IReactorUDP, net.reactor)
    assert verifyObject(IReactorSocket, net.reactor)
    port = listen()
    assert verifyObject(IListeningPort, port) and verifyObject(IUDPTransport, port)


@oneSelector
def test_addresses(net: Net, listen: Any) -> None:
    four, six = listen(LOCAL), listen("::1")
    number = four.getHandle().getsockname()[1]
    assert four.getHost() == IPv4Address("UDP", LOCAL, number) and number > 0
    assert six.getHost() == IPv6Address("UDP", "::1", six.getHandle().getsockname()[1])
    assert four.fileno() == four.getHandle().fileno()
    assert repr(four) == f"<UDPPort of Anybody on {four.getHost()}>"
    assert four.logPrefix() == "Anybody"


@oneSelector
def test_L12_anyAddressOfBothFamilies(net: Net, listen: Any) -> None:
    both = listen("::")
    number = both.getHost().port
    four, six = listen(LOCAL), listen("::1")
    four.write(b"4", (LOCAL, number))
    six.write(b"6", ("::1", number))
    net.until(lambda: len(both.protocol.received) == 2)
    assert sorted(both.protocol.received) == [(b"4", ("::ffff:" + LOCAL, at(four)[1])), (b"6", at(six))]
    # Who came from there can be answered there.
    both.write(b"back", ("::ffff:" + LOCAL, at(four)[1]))
    net.until(lambda: four.protocol.received)


@oneSelector
def test_stopAndStartAgain(net: Net, listen: Any) -> None:
    port = listen()
    where = at(port)
    told: list[Any] = []
    first, second = port.stopListening(), port.stopListening()
    first.addCallback(lambda result: told.append((result, list(port.protocol.events))))
    second.addCallback(told.append)
    assert told == [] and not port.connected and port.fileno() == -1
    net.until(lambda: len(told) == 2)
    assert told == [(None, ["start", "stop"]), None]
    assert "not open on" in repr(port) and at(port) == where
    again: list[Any] = []
    port.stopListening().addCallback(again.append)
    assert again == [None]
    port.startListening()
    with pytest.raises(CannotListenError):
        port.startListening()
    assert port.protocol.events == ["start", "stop", "start"]


@oneSelector
def test_theReactorStops(net: Net, listen: Any) -> None:
    port = listen()
    net.reactor.callWhenRunning(net.reactor.stop)
    net.reactor.run()
    assert port.protocol.events == ["start", "stop"] and not port.connected


@everywhere
def test_U1_refusedWhileIdle(net: Net, listen: Any, host: str) -> None:
    port = listen(host)
    port.connect(host, closedPort(host))
    port.write(b"anybody there?")
    net.until(lambda: "refused" in port.protocol.events)
    net.turn(3)
    assert port.protocol.events == ["start", "refused"]
    assert port.connected


@everywhere
def test_U2_refusedInABurst(net: Net, listen: Any, host: str) -> None:
    port = listen(host)
    port.connect(host, closedPort(host))
    assert [port.write(b"%d" % n) for n in range(4)] == [None] * 4
    # Not from inside write.
    assert port.protocol.events == ["start"]
    net.until(lambda: port.protocol.events.count("refused") == 4)
    net.turn(3)
    assert port.protocol.events == ["start", *["refused"] * 4] and port.connected


@oneSelector
def test_whatWasWrittenBehindARefusalIsSent(net: Net, listen: Any) -> None:
    number = closedPort()
    port = listen()
    port.connect(LOCAL, number)
    port.write(b"lost")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:
        late.bind((LOCAL, number))
        late.settimeout(PATIENCE)
        port.write(b"kept")
        assert late.recv(10) == b"kept"
    net.until(lambda: "refused" in port.protocol.events)


@everywhere
def test_U3_nobodyIsConnectedSoNobodyIsRefused(net: Net, listen: Any, host: str) -> None:
    port, other = listen(host), listen(host)
    port.write(b"anybody there?", (host, closedPort(host)))
    port.write(b"you", at(other))
    net.until(lambda: other.protocol.received)
    net.turn(3)
    assert port.protocol.events == ["start"]


@everywhere
def test_U4_tooLong(net: Net, listen: Any, host: str) -> None:
    # IPv4 counts its own header, IPv6 does not.
    longest = 65527 if ":" in host else 65507
    port, other = listen(host), listen(host, size=65536)
    for connect in (False, True):
        if connect:
            port.connect(*at(other))
        with pytest.raises(MessageLengthError, match=f"{longest + 1} bytes"):
            port.write(bytes(longest + 1), None if connect else at(other))
        port.write(bytes(longest), None if connect else at(other))
    net.until(lambda: len(other.protocol.received) == 2)
    assert [len(data) for data, _ in other.protocol.received] == [longest, longest]


@everywhere
def test_U5_longerThanMaxPacketSize(net: Net, listen: Any, host: str) -> None:
    port, usual, small = listen(host), listen(host), listen(host, size=10)
    port.write(b"x" * 9000, at(usual))
    port.write(b"0123456789abc", at(small))
    net.until(lambda: usual.protocol.received and small.protocol.received)
    assert usual.protocol.received[0][0] == b"x" * 8192
    assert small.protocol.received[0][0] == b"0123456789"


@everywhere
def test_U7_datagramReceivedRaises(net: Net, listen: Any, host: str) -> None:
    def raises(protocol: Any, data: bytes) -> None:
        if data == b"bad":
            raise RuntimeError("mine")

    port, other = listen(host, datagram=raises), listen(host)
    net.expectErrors(1)
    other.write(b"bad", at(port))
    other.write(b"good", at(port))
    net.until(lambda: len(port.protocol.received) == 2)
    assert port.protocol.events == ["start", "datagram", "datagram"]
    assert port.connected


@oneSelector
def test_connectionRefusedRaises(net: Net, listen: Any) -> None:
    def raises(protocol: Any) -> None:
        raise RuntimeError("mine")

    port = listen(refused=raises)
    port.connect(LOCAL, closedPort())
    net.expectErrors(1)
    port.write(b"x")
    net.until(lambda: "refused" in port.protocol.events)
    assert port.connected


@oneSelector
@eachFamily
@pytest.mark.parametrize("name", ["localhost", "", "example.invalid", "1.2.3", "1.2.3.256", None, b"127.0.0.1"])
def test_U8_aNameIsRefused(net: Net, listen: Any, host: str, name: Any) -> None:
    port = listen(host)
    kind: Any = InvalidAddressError if isinstance(name, str) else (InvalidAddressError, TypeError)
    with pytest.raises(kind):
        port.write(b"x", (name, 9))
    with pytest.raises(kind):
        port.connect(name, 9)


@oneSelector
def test_anAddressOfTheOtherFamily(net: Net, listen: Any) -> None:
    with pytest.raises(InvalidAddressError, match="IPv4 port and that an IPv6"):
        listen(LOCAL).write(b"x", ("::1", 9))
    with pytest.raises(InvalidAddressError, match="IPv6 port and that an IPv4"):
        listen("::1").connect(LOCAL, 9)


@oneSelector
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize(
    ("addr", "kind"),
    [
        ((LOCAL, 65536), ValueError),
        ((LOCAL, -1), ValueError),
        ((LOCAL, "9"), TypeError),
        ((LOCAL, None), TypeError),
        ((LOCAL, 9.0), TypeError),
        ((LOCAL,), TypeError),
        ((LOCAL, 9, 0), TypeError),
        (None, TypeError),
        (LOCAL, TypeError),
        (9, TypeError),
        ([LOCAL, 65536], TypeError),
    ],
)
def test_whatIsNoAddress(net: Net, listen: Any, addr: Any, kind: type[Exception], known: bool) -> None:
    port, other = listen(), listen()
    if known:
        port.write(b"x", at(other))
    with pytest.raises(kind, match=r"transport\.write"):
        port.write(b"x", addr)


@oneSelector
@pytest.mark.parametrize("packet", ["text", None, 3])
def test_E34_whatIsNoPacket(net: Net, listen: Any, packet: Any) -> None:
    port = listen()
    with pytest.raises(TypeError, match=r"transport\.write"):
        port.write(packet, (LOCAL, 9))
    with pytest.raises(TypeError, match=r"\.encode\(\)"):
        port.write("text", (LOCAL, 9))


@oneSelector
def test_onePeer(net: Net, listen: Any) -> None:
    port, peer, stranger = listen(), listen(), listen()
    port.connect(*at(peer))
    port.write(b"a")
    port.write(b"b", at(peer))
    with pytest.raises(ValueError, match="connected to"):
        port.write(b"c", at(stranger))
    with pytest.raises(RuntimeError, match="connected already"):
        port.connect(*at(peer))
    stranger.write(b"unheard", at(port))
    net.until(lambda: len(peer.protocol.received) == 2)
    peer.write(b"heard", at(port))
    net.until(lambda: port.protocol.received)
    net.turn(3)
    assert [data for data, _ in port.protocol.received] == [b"heard"]


@everywhere
def test_whatWaitedBeforeThePortWasConnected(net: Net, listen: Any, host: str) -> None:
    """The peer's is delivered, in its order, and nobody else's."""
    port, peer, stranger = listen(host), listen(host), listen(host)
    for n in range(3):
        stranger.write(b"stranger %d" % n, at(port))
        peer.write(b"peer %d" % n, at(port))
    sock = port.getHandle()
    port.connect(*at(peer))
    assert port.getHandle() is port.socket is sock
    peer.write(b"peer 3", at(port))
    net.until(lambda: len(port.protocol.received) >= 4)
    net.turn(3)
    assert port.protocol.received == [(b"peer %d" % n, at(peer)) for n in range(4)]
    # The queue was empty once: nothing is looked at any more.
    assert port._sock is sock
    stranger.write(b"stranger", at(port))
    peer.write(b"peer 4", at(port))
    net.until(lambda: len(port.protocol.received) == 5)


@oneSelector
def test_nothingWaitedBeforeThePortWasConnected(net: Net, listen: Any) -> None:
    port, peer = listen(), listen()
    sock = port.getHandle()
    port.connect(*at(peer))
    assert port._sock is sock
    # And closed before it was looked at.
    other = listen()
    peer.write(b"x", at(other))
    other.connect(*at(peer))
    assert other._sock is not other.getHandle()
    net.result(other.stopListening())
    assert other.getHandle() is None


@everywhere
def test_U10_writeAfterStopListening(net: Net, listen: Any, host: str) -> None:
    port, other = listen(host), listen(host)
    port.stopListening()
    port.write(b"x", at(other))
    with pytest.raises(RuntimeError):
        port.connect(*at(other))
    with pytest.raises(RuntimeError):
        port.getBroadcastAllowed()
    net.turn(3)
    assert (port.protocol.events, other.protocol.events) == (["start", "stop"], ["start"])


@oneSelector
@pytest.mark.parametrize("port", [-1, 65536])
def test_L2_aPortThatIsNone(net: Net, port: int) -> None:
    with pytest.raises(ValueError, match=rf"listenUDP\(\): port must be from 0 to 65535, not {port}"):
        net.reactor.listenUDP(port, Anybody())
    with pytest.raises(TypeError, match="http"):
        net.reactor.listenUDP("http", Anybody())  # type: ignore[arg-type]


@oneSelector
def test_interfacesThatAreNone(net: Net) -> None:
    with pytest.raises(InvalidAddressError, match="nonsense"):
        net.reactor.listenUDP(0, Anybody(), "nonsense")
    with pytest.raises(TypeError):
        net.reactor.listenUDP(0, Anybody(), None)  # type: ignore[arg-type]
    for size, kind in ((0, ValueError), (-1, ValueError), ("1", TypeError), (True, TypeError)):
        with pytest.raises(kind, match="maxPacketSize"):
            net.reactor.listenUDP(0, Anybody(), LOCAL, size)  # type: ignore[arg-type]


@everywhere
def test_U11_inUse(net: Net, listen: Any, host: str) -> None:
    port = listen(host)
    with pytest.raises(CannotListenError) as raised:
        net.reactor.listenUDP(at(port)[1], Anybody(), host)
    assert raised.value.socketError.errno == errno.EADDRINUSE
    assert (raised.value.interface, raised.value.port) == at(port)
    with pytest.raises(CannotListenError):
        net.reactor.listenUDP(0, Anybody(), "2001:db8::1" if ":" in host else "192.0.2.1")


@oneSelector
def test_startProtocolRaises(net: Net) -> None:
    def raises(protocol: Any) -> None:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        net.reactor.listenUDP(0, Anybody(start=raises), LOCAL)


@everywhere
def test_U12_aFloodStarvesNobody(net: Net, listen: Any, host: str) -> None:
    port = listen(host, size=65536)
    port.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    turns: list[int] = []
    with socket.socket(familyOf(host), socket.SOCK_DGRAM) as flood:
        flood.connect(at(port))
        for size in (60, 8000):
            for _ in range(100):
                flood.send(bytes(size))
        done = 0
        while done < 200:
            net.turn(1)
            got = len(port.protocol.received)
            if got == done and turns:
                # The kernel had no room for the rest.
                break
            turns.append(sum(len(data) for data, _ in port.protocol.received[done:]))
            assert got - done <= 64
            done = got
    # Small ones in batches that grow, large ones as the bytes allow: no turn has more than 256 KiB and one datagram.
    assert len(turns) > 4 and max(turns) <= 256 * 1024 + 8000


@oneSelector
def test_maxThroughput(net: Net, listen: Any) -> None:
    port, other = listen(), listen()
    port.maxThroughput = 20
    for _ in range(12):
        other.write(b"0123456789", at(port))
    most = before = 0
    while before < 12:
        net.turn(1)
        most, before = max(most, len(port.protocol.received) - before), len(port.protocol.received)
    assert most == 2


@everywhere
def test_E21_paused(net: Net, listen: Any, host: str) -> None:
    port, other = listen(host, datagram=lambda protocol, data: protocol.transport.pauseProducing()), listen(host)
    for n in range(3):
        other.write(b"%d" % n, at(port))
    for n in range(1, 4):
        net.until(lambda n=n: len(port.protocol.received) == n)
        net.turn(5)
        assert len(port.protocol.received) == n
        port.resumeProducing()
    assert [data for data, _ in port.protocol.received] == [b"0", b"1", b"2"]


@oneSelector
def test_stopInsideDatagramReceived(net: Net, listen: Any) -> None:
    port, other = listen(datagram=lambda protocol, data: protocol.transport.stopListening()), listen()
    # One turn receives several.
    port._batch = 8
    for n in range(3):
        other.write(b"%d" % n, at(port))
    net.until(lambda: "stop" in port.protocol.events)
    net.turn(3)
    assert port.protocol.events == ["start", "datagram", "stop"]


@oneSelector
def test_broadcast(net: Net, listen: Any) -> None:
    port = listen("")
    assert port.getBroadcastAllowed() is False
    with pytest.raises(PermissionError):
        port.write(b"x", ("<broadcast>", at(port)[1]))
    port.setBroadcastAllowed(True)
    assert port.getBroadcastAllowed() is True
    # To the loopback network's own broadcast address.
    port.write(b"all", ("127.255.255.255", at(port)[1]))
    net.until(lambda: port.protocol.received)
    assert port.protocol.received[0][0] == b"all"


@oneSelector
def test_manyHosts(net: Net, listen: Any) -> None:
    port = listen("")
    for n in range(5000):
        port.write(b"", (f"127.1.{n >> 8}.{n & 255}", 9))
    assert len(port._hosts) <= 4096


@oneSelector
@eachFamily
def test_adoptDatagramPort(net: Net, listen: Any, ports: list[Any], host: str) -> None:
    family = familyOf(host)
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.bind((host, 0))
        ports.append(net.reactor.adoptDatagramPort(sock.fileno(), family, Anybody(), 5))
        where = sock.getsockname()[:2]
    assert at(ports[0]) == where
    listen(host).write(b"hello, world", where)
    net.until(lambda: ports[0].protocol.received)
    assert ports[0].protocol.received[0][0] == b"hello"


@oneSelector
def test_whatCannotBeAdopted(net: Net) -> None:
    with socket.socket() as stream:
        with pytest.raises(UnsupportedSocketType, match="none for datagrams"):
            net.reactor.adoptDatagramPort(stream.fileno(), socket.AF_INET, Anybody())
        with pytest.raises(UnsupportedAddressFamily):
            net.reactor.adoptDatagramPort(stream.fileno(), socket.AF_UNIX, Anybody())
    with pytest.raises(OSError):
        net.reactor.adoptDatagramPort(-1, socket.AF_INET, Anybody())


class Renumbered:
    """A socket in a system whose interface has come back with the number 7."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def sendto(self, data: bytes, sockaddr: Any) -> None:
        if sockaddr[3:] != (7,):
            raise OSError(errno.ENODEV, "no such device")
        self.sent.append((data, sockaddr))


@oneSelector
def test_anInterfaceThatComesBackWithAnotherNumber(net: Net, listen: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked up again when it fails, and what was written goes there; while it is gone, the error is told."""
    index: list[int] = []

    def literal(host: str, port: int) -> Any:
        return (socket.AF_INET6, ("fe80::1", port, 0, index[0])) if index else None

    port = listen("::1")
    there, gone = ("fe80::1%tunnel", 5), port._sock
    monkeypatch.setattr(udp, "literal", literal)
    port._sock = Renumbered()
    try:
        index[:] = [3]
        with pytest.raises(OSError, match="no such device"):
            port.write(b"a", there)
        # Known under the old number, as is another port's host.
        port._hosts["fe80::1%tunnel"] = ("fe80::1", 3)
        index.clear()
        with pytest.raises(OSError, match="no such device"):
            port.write(b"b", there)
        port._hosts["fe80::1%tunnel"] = ("fe80::1", 3)
        index[:] = [7]
        port.write(b"c", there)
        port.write(b"d", ("fe80::1%tunnel", 6))
        assert port._sock.sent == [(b"c", ("fe80::1", 5, 0, 7)), (b"d", ("fe80::1", 6, 0, 7))]
        assert port._hosts == {"fe80::1%tunnel": ("fe80::1", 7)}
    finally:
        port._sock = gone


@pytest.mark.parametrize("noisy", [True, False])
def test_aQuietProtocolsPortSaysNothing(net: Net, noisy: bool) -> None:
    """Programs that open a socket for each question would fill the log."""
    protocol = DatagramProtocol()
    protocol.noisy = noisy
    with net.caplog.at_level(logging.INFO):
        net.caplog.clear()
        net.reactor.listenUDP(0, protocol, interface="127.0.0.1").stopListening()
        net.turn()
        assert any("is open" in each.getMessage() for each in net.caplog.records) is noisy
        assert any("is closed" in each.getMessage() for each in net.caplog.records) is noisy
