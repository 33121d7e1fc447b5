"""The resolver as a reactor's: addresses of hosts from names, files and servers, in order; search lists; one family
that is slow; errors as a connection that fails has them.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import dns.rcode
import pytest
from nameservers import NameServer, Receiver, resolved, resolverOf
from net import Net, Traced, descriptors

from protocols.dns import NoData, NoSuchName, Resolver, ServerFailure, TimedOut
from protocols.dns._families import Families
from protocols.dns._ordering import ordered
from reactor.address import IPv4Address, IPv6Address
from reactor.defer import Deferred, fail, succeed
from reactor.endpoints import HostnameEndpoint, connectProtocol
from reactor.error import DNSLookupError
from reactor.interfaces import IHostnameResolver, IHostResolution, IResolverSimple
from reactor.task import Clock

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


def test_interfaces(net: Net) -> None:
    resolver = resolverOf(net, NameServer(net))
    assert IHostnameResolver.providedBy(resolver) and IResolverSimple.providedBy(resolver)
    assert IHostResolution.providedBy(resolved(net, resolver, "host.example").resolution)
    assert "127.0.0.1" in repr(resolver)


def test_bothFamilies(net: Net) -> None:
    """Asked for at once; each address once, of the class and with the port that is wanted."""
    server = NameServer(net)
    found = resolved(net, resolverOf(net, server), "Host.Example", portNumber=80)
    assert set(found.told) == {
        IPv4Address("TCP", "192.0.2.1", 80),
        IPv4Address("TCP", "192.0.2.2", 80),
        IPv6Address("TCP", "2001:db8::1", 80),
    }
    assert sorted(server.questions) == [("host.example", "A"), ("host.example", "AAAA")]
    assert found.resolution.name == "Host.Example" and found.resolution.error is None


@pytest.mark.parametrize(
    "types, hosts, questions",
    [
        ([IPv4Address], {"192.0.2.1", "192.0.2.2"}, ["A"]),
        ([IPv6Address], {"2001:db8::1"}, ["AAAA"]),
        ([IPv6Address, IPv4Address], {"192.0.2.1", "192.0.2.2", "2001:db8::1"}, ["A", "AAAA"]),
    ],
)
def test_oneFamily(net: Net, types: Any, hosts: set[str], questions: list[str]) -> None:
    server = NameServer(net)
    found = resolved(net, resolverOf(net, server), "host.example", addressTypes=types, transportSemantics="UDP")
    assert set(found.hosts) == hosts and {each.type for each in found.told} == {"UDP"}
    assert sorted(type for _, type in server.questions) == questions


def test_wrongArguments(net: Net) -> None:
    resolver = resolverOf(net)
    with pytest.raises(ValueError, match="must be 'TCP' or 'UDP', not 'SCTP'"):
        resolver.resolveHostName(Receiver(), "host.example", transportSemantics="SCTP")
    with pytest.raises(TypeError, match="addressTypes must be"):
        resolver.resolveHostName(Receiver(), "host.example", addressTypes=[str])
    for wrong in (
        {"servers": ["ns.example"]},
        {"servers": [("127.0.0.1", 0)]},
        {"servers": []},
        {"timeout": 0},
        {"attempts": 0},
        {"edns": 100},
        {"lifetime": float("nan")},
        {"maxQuestions": 0},
    ):
        with pytest.raises(ValueError, match=r"^Resolver\(\): "):
            Resolver(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name, hosts",
    [
        ("192.0.2.7", ["192.0.2.7"]),
        ("127.1", ["127.0.0.1"]),
        ("0x7f.1", ["127.0.0.1"]),
        ("::1", ["::1"]),
        ("2001:DB8::0:7", ["2001:db8::7"]),
    ],
)
def test_numbersAreAnsweredAtOnce(net: Net, name: str, hosts: list[str]) -> None:
    receiver = Receiver()
    resolverOf(net).resolveHostName(receiver, name, 7)
    assert receiver.complete == 1 and receiver.hosts == hosts and receiver.told[0].port == 7


def test_aScopeIsKept(net: Net) -> None:
    index = socket.if_nametoindex("lo")
    (found,) = resolved(net, resolverOf(net), "fe80::1%lo").told
    assert (found.host.partition("%")[0], found.scopeID) == ("fe80::1", index)


def test_aNumberOfTheOtherFamily(net: Net) -> None:
    found = resolved(net, resolverOf(net), "192.0.2.7", addressTypes=[IPv6Address])
    assert isinstance(found.resolution.error, NoData) and found.told == []


@pytest.mark.parametrize(
    "name",
    ["", ".", "a..b", "-" * 64, "a b", "a\nb", "a\0b", "a\u2028b", "\u2603" * 300, b"\xff.example", "x." * 130],
)
def test_whatIsNoName(net: Net, name: Any) -> None:
    """Nobody is asked, and nothing raised."""
    server = NameServer(net)
    found = resolved(net, resolverOf(net, server), name)
    assert isinstance(found.resolution.error, DNSLookupError) and "\n" not in str(found.resolution.error)
    assert server.asked == []


def test_internationalHosts(net: Net) -> None:
    server = NameServer(net, "@ 60 SOA ns a 1 1 1 1 1\nxn--bcher-kva 60 A 192.0.2.5\n")
    assert resolved(net, resolverOf(net, server), "B\u00fccher.Example").hosts == ["192.0.2.5"]


def test_getHostByName(net: Net) -> None:
    """The older form: IPv4 first."""
    resolver = resolverOf(net, NameServer(net))
    assert net.result(resolver.getHostByName("host.example")) in {"192.0.2.1", "192.0.2.2"}
    assert net.result(resolver.getHostByName("six.example", (1, 60))) == "2001:db8::6"
    assert net.result(resolver.getHostByName("192.0.2.7")) == "192.0.2.7"
    for wrong in ("missing.example", "a..b"):
        with pytest.raises(DNSLookupError):
            net.result(resolver.getHostByName(wrong))
    net.reactor.installResolver(resolver)
    assert net.result(net.reactor.resolve("four.example")) == "192.0.2.4"


# ---- Installed ----


def test_installed(net: Net, tmp_path: Path) -> None:
    """A connection by name, by way of the resolver."""
    server = NameServer(net, "@ 60 SOA ns a 1 1 1 1 1\nhere 60 A 127.0.0.1\n")
    resolver = resolverOf(net, server)
    net.reactor.installNameResolver(resolver)
    assert net.reactor.nameResolver is resolver
    target = net.listen()
    client = net.connect(target.port, "here.example")
    net.until(lambda: client.built and target.built)
    net.result(connectProtocol(HostnameEndpoint(net.reactor, "here.example", target.port), Traced()))
    for each in target.built:
        each.lose()
    net.until(lambda: client.over)


@pytest.mark.parametrize(
    "name, error", [("missing.example", NoSuchName), ("empty.example", NoData), ("a..b", DNSLookupError)]
)
def test_aConnectionThatFailsKnowsWhy(net: Net, name: str, error: Any) -> None:
    """The resolver's own error, with what the connection was for; each its own, of one question."""
    net.reactor.installNameResolver(resolverOf(net, NameServer(net), cacheSize=0))
    clients = [net.connect(port, name) for port in (81, 82)]
    net.until(lambda: all(each.over for each in clients))
    for client, port in zip(clients, (81, 82), strict=True):
        problem = client.reasons[0].value
        assert isinstance(problem, error) and isinstance(problem, DNSLookupError)
        assert (problem.host, problem.port, problem.phase) == (name, port, "resolve") and problem.elapsed is not None


def test_aConnectionThatIsGivenUp(net: Net) -> None:
    server = NameServer(net)
    server.instead = lambda query, response, tcp: None
    net.reactor.installNameResolver(resolverOf(net, server))
    before = descriptors()
    client = net.connect(80, "host.example")
    net.until(lambda: len(server.asked) == 2)
    client.connector.stopConnecting()
    net.until(lambda: client.over)
    assert descriptors() == before


@pytest.mark.parametrize("turns", range(6))
def test_cancelledAtAnyMomentItIsComplete(net: Net, turns: int) -> None:
    server = NameServer(net)
    server.instead = lambda query, response, tcp: None
    clock, before = Clock(), descriptors()
    receiver = Receiver()
    resolution = resolverOf(net, server, clock=clock).resolveHostName(receiver, "host.example")
    net.turn(turns)
    resolution.cancel()
    assert receiver.complete == 1 and receiver.told == []
    resolution.cancel()
    net.turn()
    assert receiver.complete == 1 and clock.getDelayedCalls() == [] and descriptors() == before


def test_cancelledAsItBegins(net: Net) -> None:
    class Cancelling(Receiver):
        def resolutionBegan(self, resolution: Any) -> None:
            resolution.cancel()

    receiver = Cancelling()
    resolverOf(net).resolveHostName(receiver, "host.example")
    assert receiver.complete == 1


# ---- The hosts file ----


def files(folder: Path, hosts: str = "", resolvConf: str = "") -> dict[str, Any]:
    (folder / "hosts").write_text(hosts)
    (folder / "resolv.conf").write_text(resolvConf)
    return {"hosts": str(folder / "hosts"), "resolvConf": str(folder / "resolv.conf")}


def test_theHostsFileComesFirst(net: Net, tmp_path: Path) -> None:
    server = NameServer(net)
    text = "192.0.2.99 host.example host # mine\n::5 six\n192.0.2.98 localhost\n"
    resolver = resolverOf(net, server, **files(tmp_path, text))
    for name in ("host.example", "HOST", "host.example."):
        assert resolved(net, resolver, name).hosts == ["192.0.2.99"]
    assert resolved(net, resolver, "localhost").hosts == ["192.0.2.98"]
    assert server.asked == []
    # What it has of one family only is asked for if the other is wanted alone, as the system does.
    assert resolved(net, resolver, "host.example", addressTypes=[IPv6Address]).hosts == ["2001:db8::1"]


def test_theHostsFileIsReadAgainWhenItHasChanged(net: Net, tmp_path: Path) -> None:
    resolver = resolverOf(net, NameServer(net), **files(tmp_path, "192.0.2.99 host.example\n"))
    assert resolved(net, resolver, "host.example").hosts == ["192.0.2.99"]
    files(tmp_path, "192.0.2.100 host.example\n")
    assert resolved(net, resolver, "host.example").hosts == ["192.0.2.100"]
    # A new file in its place that has the time and the size of the old one.
    old = os.stat(tmp_path / "hosts")
    (tmp_path / "new").write_text("192.0.2.101 host.example\n")
    os.utime(tmp_path / "new", ns=(old.st_atime_ns, old.st_mtime_ns))
    os.replace(tmp_path / "new", tmp_path / "hosts")
    assert resolved(net, resolver, "host.example").hosts == ["192.0.2.101"]
    os.remove(tmp_path / "hosts")
    assert "192.0.2.1" in resolved(net, resolver, "host.example").hosts


def test_localhostWithoutAFile(net: Net) -> None:
    server = NameServer(net)
    resolver = resolverOf(net, server)
    for name in ("localhost", "LOCALHOST.", "any.localhost"):
        assert sorted(resolved(net, resolver, name).hosts) == ["127.0.0.1", "::1"]
    assert resolved(net, resolver, "localhost", addressTypes=[IPv4Address]).hosts == ["127.0.0.1"]
    assert isinstance(resolved(net, resolver, "host.invalid").resolution.error, NoSuchName)
    assert server.asked == []


# ---- resolv.conf ----


def test_resolvConfIsReadAgainWhenItHasChanged(net: Net, tmp_path: Path) -> None:
    """And what was remembered of the old servers is forgotten."""
    server = NameServer(net)
    options = files(tmp_path, resolvConf="search other.test\n")
    resolver = resolverOf(net, server, search=None, **options)
    error = resolved(net, resolver, "host").resolution.error
    assert isinstance(error, NoSuchName) and ("host.other.test", "A") in server.questions
    assert resolved(net, resolver, "four.example").hosts == ["192.0.2.4"]
    count = len(server.asked)
    files(tmp_path, resolvConf="search example\noptions ndots:3 timeout:9\n")
    assert "192.0.2.1" in resolved(net, resolver, "host").hosts
    assert resolver.config.search == ("example",) and resolver.config.ndots == 3
    # An argument goes before the file.
    assert resolver.config.timeout == 60
    assert resolved(net, resolver, "four.example.").hosts == ["192.0.2.4"]
    assert ("four.example", "A") in server.questions[count:]


def test_withoutASearchListTheMachinesDomainIsOne(net: Net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "box.Example")
    resolver = resolverOf(net, NameServer(net), search=None, **files(tmp_path))
    assert resolved(net, resolver, "four").hosts == ["192.0.2.4"]
    monkeypatch.setattr(socket, "gethostname", lambda: "box")
    assert resolverOf(net, search=None, **files(tmp_path)).config.search == ()


def names(server: NameServer) -> list[str]:
    """Those that were asked for, each once."""
    return list(dict.fromkeys(name for name, _ in server.questions))


@pytest.mark.parametrize(
    "name, ndots, asked",
    [
        ("deep", 1, ["deep.one.test", "deep.two.test", "deep"]),
        ("deep.er", 1, ["deep.er", "deep.er.one.test", "deep.er.two.test"]),
        ("deep.er", 2, ["deep.er.one.test", "deep.er.two.test", "deep.er"]),
        ("deep", 0, ["deep", "deep.one.test", "deep.two.test"]),
        ("deep.", 1, ["deep"]),
        ("deep.er.", 5, ["deep.er"]),
    ],
)
def test_theSearchList(net: Net, name: str, ndots: int, asked: list[str]) -> None:
    server = NameServer(net)
    resolver = resolverOf(net, server, search=["one.test", "two.test."], ndots=ndots)
    assert isinstance(resolved(net, resolver, name).resolution.error, NoSuchName)
    assert names(server) == asked


def test_theSearchListMayHaveTheRoot(net: Net) -> None:
    """As systemd writes it; no name with two dots comes of it."""
    server = NameServer(net)
    resolved(net, resolverOf(net, server, search=["."]), "deep")
    assert names(server) == ["deep"]


def test_aWholeNameWithoutAddressesIsNotSearched(net: Net) -> None:
    """It is there. Another host below a domain of the search list, a wildcard's perhaps, is not meant."""
    server = NameServer(net)
    resolver = resolverOf(net, server, search=["wild.example"])
    error = resolved(net, resolver, "mail.example").resolution.error
    assert isinstance(error, NoData) and error.host == "mail.example" and names(server) == ["mail.example"]
    error = resolved(net, resolver, "four.example", addressTypes=[IPv6Address]).resolution.error
    assert isinstance(error, NoData) and names(server)[-1] == "four.example"


def test_aServersFailureForOneNameOfTheSearchList(net: Net) -> None:
    """The others are tried; when there is nothing, nobody knows it for sure."""
    server = NameServer(net)

    def instead(query: Any, response: Any, tcp: bool) -> Any:
        if "broken" in str(query.question[0].name):
            response.set_rcode(dns.rcode.SERVFAIL)
        return response

    server.instead = instead
    resolver = resolverOf(net, server, search=["broken.test", "example"])
    assert resolved(net, resolver, "four").hosts == ["192.0.2.4"]
    assert isinstance(resolved(net, resolver, "missing").resolution.error, ServerFailure)


def test_silenceEndsTheSearch(net: Net) -> None:
    """A server that is silent would be so for each name, and the answer for another one might be another host's."""
    server, clock = NameServer(net), Clock()
    server.instead = lambda query, response, tcp: None
    resolver = resolverOf(net, server, search=["one.test", "example"], clock=clock, attempts=1)
    receiver = Receiver()
    resolver.resolveHostName(receiver, "four")
    net.until(lambda: len(server.asked) == 2)
    clock.advance(60)
    net.until(lambda: receiver.complete)
    assert isinstance(receiver.resolution.error, TimedOut) and names(server) == ["four.one.test"]


def test_searchedByType(net: Net) -> None:
    """Only where that is asked for: a look-up by type is of a whole name."""
    server = NameServer(net)
    resolver = resolverOf(net, server, search=["example"])
    with pytest.raises(NoSuchName):
        net.result(resolver.lookup("mail", "MX"))
    assert names(server) == ["mail"]
    assert len(net.result(resolver.lookup("mail", "MX", search=True))) == 2


@pytest.mark.parametrize("option, expected", [("single-request", ["A", "AAAA"]), ("no-aaaa", ["A"])])
def test_optionsAboutFamilies(net: Net, tmp_path: Path, option: str, expected: list[str]) -> None:
    server = NameServer(net)
    held: list[Any] = []
    server.instead = lambda query, response, tcp: held.append(response)
    resolver = resolverOf(net, server, **files(tmp_path, resolvConf=f"options {option}\n"))
    receiver = Receiver()
    resolver.resolveHostName(receiver, "host.example")
    net.until(lambda: held)
    net.turn(5)
    assert server.questions == [("host.example", "A")]
    server.instead = None
    server.ports[0].write(held[0].to_wire(), server.peers[0])
    net.until(lambda: receiver.complete)
    assert [type for _, type in server.questions] == expected
    if option == "no-aaaa":
        error = resolved(net, resolver, "host.example", addressTypes=[IPv6Address]).resolution.error
        assert isinstance(error, NoData)


# ---- One family is slow, or fails ----


def only(type: str, server: NameServer) -> Any:
    """Answers questions of that type only."""
    return lambda query, response, tcp: response if server.questions[-1][1] == type else None


@pytest.mark.parametrize("type, name", [("A", "here"), ("AAAA", "here6")])
def test_oneFamilyIsSilent(net: Net, type: str, name: str) -> None:
    """Its time is `resolutionDelay`, if what is there can be reached."""
    clock = Clock()
    server = NameServer(net, "@ 60 SOA ns a 1 1 1 1 1\nhere 60 A 127.0.0.1\nhere6 60 AAAA ::1\n")
    server.instead = only(type, server)
    resolver = resolverOf(net, server, clock=clock, resolutionDelay=0.25)
    receiver, before = Receiver(), descriptors()
    resolver.resolveHostName(receiver, f"{name}.example")
    net.until(lambda: len(server.asked) == 2 and len(resolver._cache) == 1)
    clock.advance(0.24)
    net.turn()
    assert receiver.complete == 0
    clock.advance(0.02)
    assert receiver.complete == 1 and len(receiver.hosts) == 1
    assert clock.getDelayedCalls() == [] and descriptors() == before


def families(*results: Any, oneByOne: bool = False) -> tuple[Families, list[Any], Clock]:
    clock, asked = Clock(), list(results)

    def ask(type: str) -> Any:
        return asked[0 if type == "A" else 1]

    return Families(clock, 0.25, ask, ["A", "AAAA"], oneByOne), asked, clock


def record(address: str) -> Any:
    from protocols.dns import AAAA, A

    return [(AAAA if ":" in address else A)("x", 60, address)]


def test_addressesThatCannotBeReachedWaitForTheOthers(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("protocols.dns._ordering._source", lambda found: None if ":" in found[1] else "192.0.2.9")
    made, asked, clock = families(Deferred(), Deferred())
    asked[1].callback(record("2001:db8::1"))
    assert clock.getDelayedCalls() == []
    asked[0].callback(record("192.0.2.1"))
    told: list[Any] = []
    made.found.addCallback(told.append)
    assert [address for _, address, _ in told[0]] == ["192.0.2.1", "2001:db8::1"]


@pytest.mark.parametrize("oneByOne", [False, True])
@pytest.mark.parametrize(
    "first, second, expected",
    [
        (NoSuchName(), NoSuchName(), NoSuchName),
        (NoData(), NoData(), NoData),
        (NoData(), ServerFailure(), ServerFailure),
        (TimedOut(), NoData(), TimedOut),
        (NoSuchName(), TimedOut(), NoSuchName),
        (ServerFailure(), NoSuchName(), NoSuchName),
        ("192.0.2.1", ServerFailure(), ["192.0.2.1"]),
        (NoData(), "::1", ["::1"]),
    ],
)
def test_whatTwoAnswersAreTogether(net: Net, first: Any, second: Any, expected: Any, oneByOne: bool) -> None:
    both = [succeed(record(each)) if isinstance(each, str) else fail(each) for each in (first, second)]
    made, _, clock = families(*both, oneByOne=oneByOne)
    told: list[Any] = []
    made.found.addCallbacks(lambda found: [address for _, address, _ in found], lambda failure: failure.type)
    made.found.addCallback(told.append)
    assert told == [expected] and clock.getDelayedCalls() == []
    for each in both:
        each.addErrback(lambda _: None)


def test_noSuchNameIsSaidByEitherAtOnce(net: Net) -> None:
    """The other question is not waited for."""
    cancelled: list[Any] = []
    made, asked, _ = families(Deferred(), Deferred(cancelled.append))
    asked[0].errback(NoSuchName())
    told: list[Any] = []
    made.found.addErrback(lambda failure: told.append(failure.type))
    assert told == [NoSuchName] and len(cancelled) == 1


# ---- Order ----


def test_order(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the rules of RFC 6724, section 6, that need no routing tables."""
    sources = {
        "2001:db8::1": "2001:db8::99",
        "192.0.2.1": "192.0.2.99",
        "fd00::1": "2001:db8::99",
        "2002:c000:204::1": "2001:db8::99",
        "::1": "::1",
    }
    monkeypatch.setattr("protocols.dns._ordering._source", lambda found: sources.get(found[1]))

    def order(*addresses: str) -> list[str]:
        found = [(socket.AF_INET6 if ":" in each else socket.AF_INET, each, 0) for each in addresses]
        return [address for _, address, _ in ordered(found)[0]]

    assert order("192.0.2.1", "2001:db8::1") == ["2001:db8::1", "192.0.2.1"]
    # Without a way there: last (rule 1).
    assert order("2001:db8::2", "192.0.2.1") == ["192.0.2.1", "2001:db8::2"]
    # Another label than that of where it would be sent from: behind (rule 5).
    assert order("fd00::1", "192.0.2.1", "2002:c000:204::1") == ["192.0.2.1", "2002:c000:204::1", "fd00::1"]
    # Equal ones as the server has them (rule 10).
    sources |= {f"192.0.2.{n}": "192.0.2.99" for n in range(1, 9)}
    several = [f"192.0.2.{n}" for n in (5, 3, 8, 1)]
    assert order(*several) == several


def test_orderWithTheKernel(net: Net) -> None:
    """What cannot be reached is behind loopback, which always can."""
    found = [(socket.AF_INET6, "2001:db8::1", 0), (socket.AF_INET, "127.0.0.1", 0)]
    assert ordered(found)[0][0][1] == "127.0.0.1" or ordered(found)[1] == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"servers": "127.0.0.1"}, "servers must be a list of addresses, not '127.0.0.1'"),
        ({"servers": 5}, "servers must be a list of addresses, not 5"),
        ({"servers": [5]}, "a server must be an address, or a pair of address and port, not 5"),
        ({"timeout": "x"}, "timeout must be a number, not 'x'"),
        ({"attempts": True}, "attempts must be a number, not True"),
        ({"resolutionDelay": "x"}, "resolutionDelay must be a number, not 'x'"),
    ],
)
def test_what_no_resolver_can_be_given_is_named(net: Net, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        Resolver(**arguments)
