"""The endpoints on TCP between two real ends: which addresses are tried, what is told, what a cancelled one leaves."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from net import Net, Traced
from zope.interface.verify import verifyClass, verifyObject

from reactor import endpoints
from reactor.address import HostnameAddress, IPv4Address, IPv6Address
from reactor.defer import Deferred
from reactor.endpoints import (
    AdoptedStreamServerEndpoint,
    HostnameEndpoint,
    SSL4ClientEndpoint,
    SSL4ServerEndpoint,
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    TCP6ClientEndpoint,
    TCP6ServerEndpoint,
    clientFromString,
    connectProtocol,
    serverFromString,
    wrapClientTLS,
)
from reactor.error import (
    AlreadyListened,
    CannotListenError,
    ConnectingCancelledError,
    ConnectionRefusedError,
    DNSLookupError,
    TimeoutError,
    UnsupportedAddressFamily,
)
from reactor.interfaces import IStreamClientEndpoint, IStreamServerEndpoint
from reactor.protocol import Factory

once = pytest.mark.parametrize("net", ["default"], indirect=True)


class Names:
    """A resolver that knows a list of addresses, or never answers when it has none."""

    def __init__(self, *hosts: str) -> None:
        self.hosts = hosts
        self.asked: list[Any] = []
        self.cancelled = False

    def resolveHostName(self, receiver: Any, name: str, port: int = 0, types: Any = None, kind: str = "TCP") -> Any:
        self.asked.append((name, types))
        receiver.resolutionBegan(self)
        if self.hosts:
            for host in self.hosts:
                address = IPv6Address("TCP", host, port) if ":" in host else IPv4Address("TCP", host, port)
                if types is None or type(address) in types:
                    receiver.addressResolved(address)
            receiver.resolutionComplete()
        return self

    def cancel(self) -> None:
        self.cancelled = True


def names(net: Net, *hosts: str) -> Names:
    resolver = Names(*hosts)
    net.reactor.installNameResolver(resolver)
    return resolver


def silent(net: Net, host: str, port: int = 0) -> int:
    """A listening socket that answers nobody: its queue is full. Returns its port."""
    listening = net.keep(socket.socket())
    listening.bind((host, port))
    listening.listen(0)
    for _ in range(3):
        filling = net.keep(socket.socket())
        filling.setblocking(False)
        filling.connect_ex(listening.getsockname())
    return int(listening.getsockname()[1])


def connected(net: Net, endpoint: Any) -> Traced:
    protocol: Traced = net.result(connectProtocol(endpoint, Traced()))
    assert protocol.events == ["CM"]
    return protocol


def closing(net: Net, protocol: Traced) -> None:
    protocol.lose()
    net.until(lambda: protocol.lost)


def test_aNameWithOneLivingAddressOfTwo(net: Net) -> None:
    """C21: the first address refuses, so that the second is tried at once, whatever the delay."""
    names(net, "127.0.0.2", "127.0.0.1")
    server = net.listen()
    endpoint = HostnameEndpoint(net.reactor, "example.test", server.port, timeout=9, attemptDelay=60)
    protocol = connected(net, endpoint)
    assert protocol.transport.getPeer() == IPv4Address("TCP", "127.0.0.1", server.port)
    closing(net, protocol)


@once
def test_aNameWhoseFirstAddressIsSilent(net: Net) -> None:
    """C21: the first address does not answer; the second is tried after the delay, and the first socket closed."""
    server = net.listen()
    port = server.port
    silent(net, "127.0.0.2", port)
    names(net, "127.0.0.2", "127.0.0.1")
    protocol = connected(net, HostnameEndpoint(net.reactor, "example.test", port, attemptDelay=0.01))
    assert protocol.transport.getPeer().host == "127.0.0.1"
    closing(net, protocol)


def test_allAddressesFail(net: Net) -> None:
    """C21: the error is that of the last, and every one is kept."""
    names(net, "127.0.0.2", "127.0.0.3")
    with net.keep(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(ConnectionRefusedError) as raised:
            net.result(HostnameEndpoint(net.reactor, b"example.test", port).connect(Factory.forProtocol(Traced)))
    assert (raised.value.host, raised.value.port) == ("example.test", port)
    assert [address.host for address, _ in raised.value.attempts] == ["127.0.0.2", "127.0.0.3"]  # type: ignore[attr-defined]
    assert "127.0.0.3" in str(raised.value)


@once
def test_aHostNameHasItsOwnAddress(net: Net) -> None:
    names(net)
    waiting = HostnameEndpoint(net.reactor, "example.test", 80).connect(Factory.forProtocol(Traced))
    waiting.cancel()
    with pytest.raises(ConnectingCancelledError) as raised:
        net.result(waiting)
    assert raised.value.address == HostnameAddress(b"example.test", 80)


@once
@pytest.mark.parametrize("name", ["a" * 70 + ".ü", b"\xff.example", b"b\xc3\xbccher.example"])
def test_aNameThatIsNone(net: Net, name: Any) -> None:
    with pytest.raises(DNSLookupError):
        net.result(HostnameEndpoint(net.reactor, name, 80).connect(Factory.forProtocol(Traced)))


@once
@pytest.mark.parametrize("kind", [TCP4ClientEndpoint, TCP6ClientEndpoint, HostnameEndpoint])
def test_cancelledWhileTheNameIsLookedUp(net: Net, kind: Any) -> None:
    resolver = names(net)
    waiting: Deferred[Any] = kind(net.reactor, "example.test", 80).connect(Factory.forProtocol(Traced))
    net.until(lambda: resolver.asked)
    waiting.cancel()
    assert resolver.cancelled
    with pytest.raises(ConnectingCancelledError):
        net.result(waiting)
    assert not net.reactor.getDelayedCalls()


@once
def test_cancelledWhileItConnects(net: Net) -> None:
    """C13; that the socket is closed is what the fixture asserts, and the system's own table of sockets."""
    port = silent(net, "127.0.0.1")
    factory = Factory.forProtocol(Traced)
    factory.noisy = False
    waiting = HostnameEndpoint(net.reactor, "127.0.0.1", port).connect(factory)
    net.turn()
    assert factory.numPorts == 1
    waiting.cancel()
    with pytest.raises(ConnectingCancelledError):
        net.result(waiting)
    assert factory.numPorts == 0
    assert not net.reactor.getDelayedCalls()
    assert not net.reactor.getWriters()


@once
def test_theTimeLimitIsForAll(net: Net) -> None:
    port = silent(net, "127.0.0.1")
    names(net, "127.0.0.1")
    with pytest.raises(TimeoutError) as raised:
        net.result(HostnameEndpoint(net.reactor, "example.test", port, timeout=0.02).connect(Factory()))
    assert len(raised.value.attempts) == 1


def test_IPv6(net: Net) -> None:
    factory = Factory.forProtocol(Traced)
    port = net.result(TCP6ServerEndpoint(net.reactor, 0, interface="::1").listen(factory))
    net.ports.append(port)
    resolver = names(net, "127.0.0.1", "::1")
    for host in ("::1", "example.test"):
        protocol = connected(net, TCP6ClientEndpoint(net.reactor, host, port.getHost().port))
        assert protocol.transport.getPeer() == IPv6Address("TCP", "::1", port.getHost().port)
        closing(net, protocol)
    assert resolver.asked == [("example.test", (IPv6Address,))]


@once
def test_anIPv4AddressIsNoneForIPv6(net: Net) -> None:
    with pytest.raises(DNSLookupError):
        net.result(TCP6ClientEndpoint(net.reactor, "127.0.0.1", 80).connect(Factory()))


@once
def test_everyInterface(net: Net) -> None:
    """A server on "::" has clients of both families."""
    port = net.result(TCP6ServerEndpoint(net.reactor, 0).listen(Factory.forProtocol(Traced)))
    net.ports.append(port)
    for host in ("127.0.0.1", "::1"):
        closing(net, connected(net, TCP4ClientEndpoint(net.reactor, host, port.getHost().port)))


@once
def test_listeningFails(net: Net) -> None:
    taken = net.plainListener()
    endpoint = serverFromString(net.reactor, f"tcp:{taken.getsockname()[1]}:interface=127.0.0.1")
    with pytest.raises(CannotListenError):
        net.result(endpoint.listen(Factory()))


def test_fromStringToString(net: Net) -> None:
    port = net.result(serverFromString(net.reactor, "tcp:0:interface=127.0.0.1").listen(Factory.forProtocol(Traced)))
    net.ports.append(port)
    number = port.getHost().port
    for text in (f"tcp:127.0.0.1:{number}", f"tcp:localhost:{number}:bindAddress=127.0.0.1:timeout=5"):
        closing(net, connected(net, clientFromString(net.reactor, text)))


def test_anAdoptedSocket(net: Net) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number, descriptor = listening.getsockname()[1], listening.detach()
    endpoint = AdoptedStreamServerEndpoint(net.reactor, descriptor, socket.AF_INET)
    port = net.result(endpoint.listen(Factory.forProtocol(Traced)))
    net.ports.append(port)
    assert port.getHost().port == number
    with pytest.raises(AlreadyListened):
        net.result(endpoint.listen(Factory()))
    closing(net, connected(net, TCP4ClientEndpoint(net.reactor, "127.0.0.1", number)))


@once
def test_aSocketThatCannotBeAdoptedStaysItsOwners(net: Net) -> None:
    listening = net.plainListener()
    endpoint = AdoptedStreamServerEndpoint(net.reactor, listening.fileno(), socket.AF_APPLETALK)
    with pytest.raises(UnsupportedAddressFamily):
        net.result(endpoint.listen(Factory()))
    assert listening.getsockname()[1]


@once
def test_aDescriptorByNumber(net: Net) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number, descriptor = listening.getsockname()[1], listening.detach()
    port = net.result(serverFromString(net.reactor, f"fd:{descriptor}").listen(Factory.forProtocol(Traced)))
    net.ports.append(port)
    closing(net, connected(net, TCP4ClientEndpoint(net.reactor, "127.0.0.1", number)))


CLIENTS = [
    TCP4ClientEndpoint(None, "h", 1),
    TCP6ClientEndpoint(None, "h", 1),
    HostnameEndpoint(None, "h", 1),
    SSL4ClientEndpoint(None, "h", 1, None),
    wrapClientTLS(None, HostnameEndpoint(None, "h", 1)),
]
SERVERS = [
    TCP4ServerEndpoint(None, 1),
    TCP6ServerEndpoint(None, 1),
    SSL4ServerEndpoint(None, 1, None),
    AdoptedStreamServerEndpoint(None, 0, socket.AF_INET),
]


@pytest.mark.parametrize("endpoint", CLIENTS, ids=repr)
def test_aClientEndpointProvidesItsInterface(endpoint: Any) -> None:
    assert verifyObject(IStreamClientEndpoint, endpoint)
    assert verifyClass(IStreamClientEndpoint, type(endpoint))


@pytest.mark.parametrize("endpoint", SERVERS, ids=repr)
def test_aServerEndpointProvidesItsInterface(endpoint: Any) -> None:
    assert verifyObject(IStreamServerEndpoint, endpoint)
    assert verifyClass(IStreamServerEndpoint, type(endpoint))


def test_everyNameIsThere() -> None:
    assert all(hasattr(endpoints, name) for name in endpoints.__all__)
