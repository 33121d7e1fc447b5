"""Look-ups by type, against a server that answers by the book: what comes back, and what is said of what does not."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from nameservers import NameServer, resolverOf
from net import Net

from protocols import dns
from reactor.defer import CancelledError, gatherResults
from reactor.error import DNSLookupError

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


def test_lookedUpByType(net: Net) -> None:
    server = NameServer(net)
    resolver = resolverOf(net, server)

    def ask(name: str, type: Any) -> Any:
        """What is found of a name below ``example``."""
        return net.result(resolver.lookup(f"{name}.example", type))

    host = "host.example"
    assert set(ask("host", "A")) == {dns.A(host, 300, "192.0.2.1"), dns.A(host, 300, "192.0.2.2")}
    assert ask("host", "aaaa") == [dns.AAAA(host, 300, "2001:db8::1")]
    assert ask("host", 28) == ask("host", "TYPE28") == ask("host", "AAAA")
    assert ask("mail", "MX") == [
        dns.MX("mail.example", 300, 10, "mx1.example"),
        dns.MX("mail.example", 300, 20, "mx2.example"),
    ]
    (texts,) = ask("texts", "TXT")
    assert texts.strings == (b"one", b"two \xc3\xa4") and texts.text == "onetwo ä"
    services = ask("_sip._tcp", "SRV")
    assert {each.target for each in services[:2]} == {"big.example", "small.example"}
    assert services[2] == dns.SRV("_sip._tcp.example", 300, 20, 0, 5061, "backup.example")
    assert ask("alias", "CNAME") == [dns.CNAME("alias.example", 300, host)]
    assert ask("1.2.0.192.in-addr.arpa", "PTR") == [dns.PTR("1.2.0.192.in-addr.arpa.example", 300, host)]
    (soa,) = net.result(resolver.lookup("example", "SOA"))
    assert (soa.primary, soa.mailbox, soa.serial, soa.minimum) == ("ns.example", "admin.example", 1, 60)
    assert net.result(resolver.lookup("example.", "NS")) == [dns.NS("example", 300, "ns.example")]
    assert ask("caa", "CAA") == [dns.CAA("caa.example", 300, 0, "issue", b"ca.example.net")]
    parameters = {"alpn": "h2,h3", "port": "8443", "ipv4hint": "192.0.2.7"}
    assert ask("web", "HTTPS") == [dns.HTTPS("web.example", 300, 1, ".", parameters)]
    assert ask("svc", "SVCB") == [dns.SVCB("svc.example", 300, 0, "web.example", {})]
    (key,) = ask("key", "SSHFP")
    assert (key.type, key.text) == ("SSHFP", "1 1 123456789abcdef67890123456789abcdef67890")
    (odd,) = ask("odd", "TYPE65280")
    assert (odd.type, odd.text) == ("TYPE65280", r"\# 3 0a0b0c")
    assert {type(each).__name__ for each in ask("host", "ANY")} == {"A", "AAAA"}


def test_behindAliases(net: Net) -> None:
    resolver = resolverOf(net, NameServer(net))
    found = net.result(resolver.lookup("ALIAS2.example", "A"))
    assert {(each.name, each.address) for each in found} == {  # type: ignore[attr-defined]
        ("host.example", "192.0.2.1"),
        ("host.example", "192.0.2.2"),
    }


@pytest.mark.parametrize(
    "name, type, error, rcode",
    [
        ("missing.example", "A", dns.NoSuchName, 3),
        ("four.example", "AAAA", dns.NoData, 0),
        ("empty.example", "A", dns.NoData, 0),
        ("astray.example", "A", dns.NoSuchName, 3),
        ("loop1.example", "A", dns.ServerFailure, None),
    ],
)
def test_whyThereIsNothing(net: Net, name: str, type: str, error: Any, rcode: int | None) -> None:
    resolver = resolverOf(net, NameServer(net))
    with pytest.raises(error) as caught:
        net.result(resolver.lookup(name, type))
    problem = caught.value
    assert isinstance(problem, DNSLookupError) and isinstance(problem, dns.LookupFailed)
    assert (problem.host, problem.type, problem.rcode, problem.phase) == (name, type, rcode, "resolve")
    assert name in str(problem) and "\n" not in str(problem)
    assert pickle.loads(pickle.dumps(problem)).type == type


@pytest.mark.parametrize(
    "name, type, error, text",
    [
        ("host.example", "MXX", ValueError, "'MXX' is no type of DNS records"),
        ("host.example", "AXFR", ValueError, "'AXFR' cannot be looked up"),
        ("host.example", 70000, ValueError, "70000 is no type"),
        ("host.example", None, TypeError, "type must be a str"),
        (5, "A", TypeError, "name must be str or bytes, not 5"),
        ("a..b", "A", ValueError, "'a..b' is no domain name"),
        ("a" * 64 + ".example", "A", ValueError, "is no domain name"),
        (".".join(["a" * 60] * 5), "A", ValueError, "is no domain name"),
        ("\u2603.\ud800", "A", ValueError, "name must be a domain name"),
    ],
)
def test_whatCannotBeAskedIsSaidAtOnce(net: Net, name: Any, type: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=r"^lookup\(\)") as caught:
        resolverOf(net).lookup(name, type)
    assert text in str(caught.value)


def test_internationalNames(net: Net) -> None:
    """By IDNA 2008, each part alone: those with an underscore are none."""
    server = NameServer(net, "@ 60 SOA ns a 1 1 1 1 1\n_sip._tcp.xn--bcher-kva 60 SRV 1 1 5060 x\n")
    found = net.result(resolverOf(net, server).lookup("_sip._tcp.Bücher.example", "SRV"))
    assert found[0].port == 5060 and server.questions == [("_sip._tcp.xn--bcher-kva.example", "SRV")]


def test_hostileNamesInAnswersAreEscaped(net: Net) -> None:
    server = NameServer(net, "@ 60 SOA ns a 1 1 1 1 1\nevil 60 PTR a\\010b\\027[31m\\.c.x.\n")
    (found,) = net.result(resolverOf(net, server).lookup("evil.example", "PTR"))
    assert found.target == r"a\010b\027[31m\.c.x"


def test_reverse(net: Net, tmp_path: Any) -> None:
    zone = "@ 60 SOA ns a 1 1 1 1 1\n"
    server = NameServer(net, zone)
    server.zone = __import__("dns.zone").zone.from_text(
        "$TTL 60\n@ SOA ns a 1 1 1 1 1\n1.2.0.192.in-addr PTR host.example.\n"
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6 PTR host6.example.\n",
        origin="arpa.",
        relativize=False,
        check_origin=False,
    )
    hosts = tmp_path / "hosts"
    hosts.write_text("192.0.2.9 nine.example nine\n")
    resolver = resolverOf(net, server, hosts=str(hosts))
    assert net.result(resolver.reverse("192.0.2.1")) == ["host.example"]
    assert net.result(resolver.reverse("2001:db8::1")) == ["host6.example"]
    assert net.result(resolver.reverse("192.0.2.9")) == ["nine.example", "nine"]
    hosts.write_text("192.0.2.9 new\n")
    assert net.result(resolver.reverse("192.0.2.9")) == ["new"]
    with pytest.raises(dns.NoSuchName):
        net.result(resolver.reverse("192.0.2.8"))
    for wrong in ("host.example", "", None, 5):
        with pytest.raises(ValueError, match="reverse\\(\\): address must be"):
            resolver.reverse(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("type, addresses", [("A", ["127.0.0.1"]), ("AAAA", ["::1"]), ("MX", None)])
def test_RFC6761_section6_3_localhostIsThisMachine(net: Net, type: str, addresses: Any) -> None:
    server = NameServer(net)
    resolver = resolverOf(net, server)
    for name in ("localhost", "LocalHost.", "app.localhost"):
        if addresses is None:
            with pytest.raises(dns.NoData):
                net.result(resolver.lookup(name, type))
        else:
            assert [each.address for each in net.result(resolver.lookup(name, type))] == addresses  # type: ignore[attr-defined]
    assert server.asked == []


@pytest.mark.parametrize("name", ["invalid", "Host.Invalid.", "abc.onion"])
def test_RFC6761_section6_4_nobodyIsAskedForInvalid(net: Net, name: str) -> None:
    """And RFC 7686, section 2."""
    server = NameServer(net)
    with pytest.raises(dns.NoSuchName):
        net.result(resolverOf(net, server).lookup(name))
    assert server.asked == []


def test_equalQuestionsAreOne(net: Net) -> None:
    server = NameServer(net)
    resolver = resolverOf(net, server, cacheSize=0)
    asked = [resolver.lookup(name, "A") for name in ("host.example", "HOST.example", "host.example.")]
    assert len(net.result(gatherResults(asked))) == 3
    assert len(server.asked) == 1


def test_oneOfTwoWhoWaitCancels(net: Net) -> None:
    server = NameServer(net)
    resolver = resolverOf(net, server)
    first, second = resolver.lookup("host.example", "A"), resolver.lookup("host.example", "A")
    first.cancel()
    assert net.result(second)
    with pytest.raises(CancelledError):
        net.result(first)


def test_aFewAtATime(net: Net) -> None:
    """Others wait in a row; one that waits can be cancelled."""
    held: list[Any] = []
    server = NameServer(net)
    server.instead = lambda query, response, tcp: held.append(response)
    resolver = resolverOf(net, server, maxQuestions=2)
    asked = [resolver.lookup(f"n{n}.wild.example", "A") for n in range(5)]
    net.until(lambda: len(held) == 2)
    net.turn(10)
    assert len(held) == 2
    asked[3].cancel()
    asked[0].cancel()
    net.until(lambda: len(held) == 3)
    assert server.questions[2][0] == "n2.wild.example"
    server.instead = None
    asked[1].cancel()
    assert net.result(asked[4])
    asked[2].cancel()
    for each in asked[:4]:
        each.addErrback(lambda failure: failure.trap(CancelledError))


def test_theModulesOwnFunctions(net: Net) -> None:
    """By the resolver that is installed, if it is one of these."""
    server = NameServer(net)
    net.reactor.installNameResolver(resolverOf(net, server))

    async def program() -> Any:
        found = await dns.lookup("mail.example", "MX")
        with pytest.raises(dns.NoSuchName):
            await dns.reverse("192.0.2.1")
        return found

    told: list[Any] = []

    def begin() -> None:
        from reactor.defer import ensureDeferred

        ensureDeferred(program()).addBoth(told.append).addBoth(lambda _: net.reactor.stop())

    net.reactor.callWhenRunning(begin)
    net.reactor.run(installSignalHandlers=False)
    assert [each.exchange for each in told[0]] == ["mx1.example", "mx2.example"]
