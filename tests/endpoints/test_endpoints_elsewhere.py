"""Endpoints on a reactor that is not ours: its resolver is asked, and its `connectTCP` with common arguments only."""

from __future__ import annotations

from typing import Any

import pytest

from reactor.address import HostnameAddress, IPv4Address, IPv6Address
from reactor.defer import Deferred
from reactor.endpoints import HostnameEndpoint, TCP4ClientEndpoint, TCP6ClientEndpoint
from reactor.error import ConnectingCancelledError, ConnectionRefusedError, DNSLookupError
from reactor.failure import Failure
from reactor.protocol import Factory, Protocol
from reactor.task import Clock
from reactor.testing import MemoryReactorClock, StringTransport


class Names:
    """A resolver that knows `hosts`, which it tells at once, or when `answer` is called."""

    def __init__(self, *hosts: str, now: bool = True) -> None:
        self.hosts = hosts
        self.now = now
        self.asked: list[Any] = []
        self.cancelled = 0

    def resolveHostName(self, receiver: Any, name: str, portNumber: int = 0, *others: Any) -> Any:
        assert not others
        self.asked.append((name, portNumber))
        self.receiver, self.port = receiver, portNumber
        receiver.resolutionBegan(self)
        if self.now:
            self.answer()
        return self

    def answer(self) -> None:
        for host in self.hosts:
            kind = IPv6Address if ":" in host else IPv4Address
            self.receiver.addressResolved(kind("TCP", host, self.port))
        self.receiver.resolutionComplete()

    def cancel(self) -> None:
        self.cancelled += 1
        self.receiver.resolutionComplete()


class Elsewhere(MemoryReactorClock):
    """Records what is asked of it; `names` are what its resolver knows."""

    def __init__(self, *hosts: str, now: bool = True) -> None:
        super().__init__()
        self.nameResolver = self.names = Names(*hosts, now=now)

    @property
    def tried(self) -> list[tuple[str, int]]:
        return [client[:2] for client in self.tcpClients]

    def refuse(self, number: int) -> None:
        self.tcpClients[number][2].clientConnectionFailed(self.connectors[number], Failure(ConnectionRefusedError()))

    def connect(self, number: int) -> Any:
        protocol = self.tcpClients[number][2].buildProtocol(None)
        protocol.makeConnection(StringTransport())
        return protocol


def factory() -> Factory:
    made = Factory.forProtocol(Protocol)
    made.noisy = False
    return made


def failure(deferred: Deferred[Any]) -> Any:
    found: list[Any] = []
    deferred.addErrback(found.append)
    return found[0].value


def test_theNameIsResolvedAndTheAddressConnectedTo() -> None:
    reactor = Elsewhere("192.0.2.1")
    waiting = HostnameEndpoint(reactor, "example.test", 80, timeout=7, bindAddress=("127.0.0.1", 0)).connect(factory())
    assert reactor.names.asked == [("example.test", 80)]
    assert reactor.tried == [("192.0.2.1", 80)]
    assert reactor.tcpClients[0][3:] == (7, ("127.0.0.1", 0))
    reactor.connect(0)
    assert isinstance(waiting.result, Protocol)
    assert reactor.getDelayedCalls() == []


def test_addressesAreRaced() -> None:
    reactor = Elsewhere("2001:db8::1", "2001:db8::2", "192.0.2.1")
    waiting = HostnameEndpoint(reactor, "example.test", 80, attemptDelay=2).connect(factory())
    assert reactor.tried == [("2001:db8::1", 80)]
    reactor.advance(1)
    assert len(reactor.tried) == 1
    reactor.advance(1)
    # The families take turns.
    assert reactor.tried[1:] == [("192.0.2.1", 80)]
    reactor.refuse(0)
    assert reactor.tried[2:] == [("2001:db8::2", 80)]
    reactor.connect(1)
    assert isinstance(waiting.result, Protocol)
    assert [each._disconnected for each in reactor.connectors] == [False, False, True]
    assert reactor.getDelayedCalls() == []


def test_allFail() -> None:
    reactor = Elsewhere("192.0.2.1", "192.0.2.2")
    waiting = HostnameEndpoint(reactor, b"example.test", 80).connect(factory())
    reactor.refuse(0)
    reactor.refuse(1)
    assert isinstance(failure(waiting), ConnectionRefusedError)
    assert reactor.getDelayedCalls() == []


def test_noAddress() -> None:
    waiting = HostnameEndpoint(Elsewhere(), "example.test", 80).connect(factory())
    error = failure(waiting)
    assert isinstance(error, DNSLookupError) and error.host == "example.test"


def test_aResolverThatRaises() -> None:
    reactor = Elsewhere()
    reactor.nameResolver = None
    error = failure(HostnameEndpoint(reactor, "example.test", 80).connect(factory()))
    assert isinstance(error, DNSLookupError) and isinstance(error.__cause__, AttributeError)


@pytest.mark.parametrize("resolved", [False, True])
def test_cancelled(resolved: bool) -> None:
    reactor = Elsewhere("192.0.2.1", "192.0.2.2", now=resolved)
    waiting = HostnameEndpoint(reactor, "example.test", 80).connect(factory())
    waiting.cancel()
    error = failure(waiting)
    assert isinstance(error, ConnectingCancelledError) and error.address == HostnameAddress(b"example.test", 80)
    assert reactor.names.cancelled == (not resolved)
    assert reactor.getDelayedCalls() == [] and len(reactor.tried) == resolved


def test_anAddressNeedsNoResolver() -> None:
    reactor = Elsewhere()
    HostnameEndpoint(reactor, "192.0.2.1", 80).connect(factory())
    HostnameEndpoint(reactor, "2001:db8::1", 80).connect(factory())
    TCP6ClientEndpoint(reactor, "2001:db8::1", 80).connect(factory())
    TCP4ClientEndpoint(reactor, "example.test", 80).connect(factory())
    assert [host for host, _ in reactor.tried] == ["192.0.2.1", "2001:db8::1", "2001:db8::1", "example.test"]
    assert reactor.names.asked == []


def test_IPv6Only() -> None:
    reactor = Elsewhere("192.0.2.1", "2001:db8::1")
    TCP6ClientEndpoint(reactor, "example.test", 80).connect(factory())
    assert reactor.tried == [("2001:db8::1", 80)]
    error = failure(TCP6ClientEndpoint(Elsewhere("192.0.2.1"), "example.test", 80).connect(factory()))
    assert isinstance(error, DNSLookupError)


def test_aReactorWithoutAResolver() -> None:
    class Plain(Clock):
        asked: Any = None

        def connectTCP(self, *args: Any, **kwargs: Any) -> Any:
            self.asked = args[:2]

    for kind in (HostnameEndpoint, TCP6ClientEndpoint, TCP4ClientEndpoint):
        reactor = Plain()
        kind(reactor, "example.test", 80).connect(factory())
        assert reactor.asked == ("example.test", 80)


@pytest.mark.parametrize("name", [b"\xff.example", b"b\xc3\xbccher.example", "\udcff", ""])
def test_aNameThatIsNoneIsNoErrorBeforeItIsConnectedTo(name: Any) -> None:
    endpoint = HostnameEndpoint(Elsewhere(), name, 80)
    assert repr(endpoint).isprintable()
    assert isinstance(failure(endpoint.connect(factory())), DNSLookupError)
