"""Against servers by others: dnsmasq, unbound and Twisted's names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from nameservers import Receiver, dnsmasq, freePort, unbound
from net import Net

from protocols import dns
from reactor.defer import gatherResults

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


@pytest.fixture(params=[dnsmasq, unbound], ids=["dnsmasq", "unbound"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, int]]:
    with request.param(tmp_path) as address:
        yield address


def test_realServers(net: Net, server: tuple[str, int]) -> None:
    resolver = dns.Resolver(net.reactor, servers=[server], search=["example"], hosts="/nonexistent", timeout=20)

    def ask(name: str, type: str = "A") -> Any:
        return net.result(resolver.lookup(name, type))

    assert {each.address for each in ask("host.example")} == {"192.0.2.1", "192.0.2.2"}
    assert [each.address for each in ask("host.example", "AAAA")] == ["2001:db8::1"]
    assert [(each.preference, each.exchange) for each in ask("mail.example", "MX")] == [(10, "mx1.example")]
    (service,) = ask("_sip._tcp.example", "SRV")
    assert (service.priority, service.weight, service.port, service.target) == (1, 2, 5060, "sip.example")
    assert ask("texts.example", "TXT")[0].strings == (b"one", b"two")
    # Longer than what goes over UDP.
    assert len(ask("big.example", "TXT")[0].text) == 1800
    # In this mode dnsmasq serves one connection, and nothing else until it is closed.
    resolver.close()
    assert len(ask("alias.example", "CNAME")) == 1
    with pytest.raises(dns.NoSuchName):
        ask("missing.example")
    with pytest.raises(dns.NoData):
        ask("four.example", "AAAA")
    receiver = Receiver()
    resolver.resolveHostName(receiver, "host")
    net.until(lambda: receiver.complete)
    assert set(receiver.hosts) == {"192.0.2.1", "192.0.2.2", "2001:db8::1"}
    # Many at a time; over TCP, too, and with letters in any case.
    for options in ({}, {"tcp": True}, {"mixedCase": True}, {"edns": None}):
        other = dns.Resolver(net.reactor, servers=[server], search=[], cacheSize=0, timeout=20, **options)  # type: ignore[arg-type]
        asked = [other.lookup(f"n{n}.four.example", "A").addErrback(lambda failure: failure.type) for n in range(40)]
        assert set(net.result(gatherResults(asked))) <= {dns.NoSuchName, dns.NoData}
        assert len(net.result(other.lookup("big.example", "TXT"))) == 1 and other.foreign == 0
        other.close()
    resolver.close()
    # dnsmasq looks up only when its connections are gone.
    net.turn(5)


@pytest.fixture(scope="module")
def twistedsReactor() -> None:
    """Who imports twisted.names has Twisted's own reactor, too, with what it opens."""
    import_module("twisted.internet.reactor")


@contextmanager
def twistedNames(net: Net) -> Iterator[tuple[str, int]]:
    """Twisted's server on our reactor, which also lends it its sockets."""
    from twisted.names import dns as names
    from twisted.names import server
    from twisted.names.authority import FileAuthority

    class Zone(FileAuthority):
        def __init__(self) -> None:
            soa = names.Record_SOA("ns.example", "admin.example", 1, 2, 3, 4, 60)
            self.soa = b"example", soa
            self.records = {
                b"example": [soa, names.Record_MX(10, b"mx1.example", ttl=60)],
                b"host.example": [names.Record_A("192.0.2.1", 60), names.Record_AAAA("2001:db8::1", 60)],
            }
            FileAuthority.__init__(self, None)

        def loadFile(self, filename: object) -> None:
            """The records are there."""

    factory = server.DNSServerFactory(authorities=[Zone()])
    factory.noisy = False
    port = freePort()
    protocol = names.DNSDatagramProtocol(factory, reactor=net.reactor)
    protocol.noisy = False
    net.ports += [net.reactor.listenUDP(port, protocol, interface="127.0.0.1")]
    yield "127.0.0.1", port


def test_twistedsNames(twistedsReactor: None, net: Net) -> None:
    with twistedNames(net) as server:
        resolver = dns.Resolver(net.reactor, servers=[server], search=[], timeout=20)
        assert [each.address for each in net.result(resolver.lookup("host.example"))] == ["192.0.2.1"]  # type: ignore[attr-defined]
        (record,) = net.result(resolver.lookup("example", "MX"))
        assert record.exchange == "mx1.example"
        with pytest.raises(dns.NoSuchName):
            net.result(resolver.lookup("missing.example"))
        with pytest.raises(dns.NoData):
            net.result(resolver.lookup("host.example", "TXT"))
