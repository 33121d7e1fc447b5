"""How a question gets to a server and an answer back: which datagrams are answers, TCP, EDNS, servers that are silent,
refuse, or know nothing. The requirements of the standards that concern a stub, by section.
"""

from __future__ import annotations

import socket
import struct
from typing import Any

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest
from nameservers import NameServer, resolverOf
from net import Net, descriptors

from protocols.dns import NoData, NoSuchName, ServerFailure, TimedOut
from protocols.dns._asking import mix
from protocols.dns._udp import randomId
from reactor.defer import CancelledError, gatherResults
from reactor.error import ConnectionLost, ConnectionRefusedError, DNSLookupError
from reactor.task import Clock

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)

HOST = {"192.0.2.1", "192.0.2.2"}


def addresses(found: Any) -> set[str]:
    return {each.address for each in found}


def look(net: Net, resolver: Any, name: str = "host.example", type: str = "A") -> set[str]:
    return addresses(net.result(resolver.lookup(name, type)))


def failure(net: Net, deferred: Any) -> Any:
    """The error that it ends in."""
    with pytest.raises(DNSLookupError) as caught:
        net.result(deferred)
    return caught.value


# ---- Which datagrams are answers (RFC 5452) ----


def changed(response: Any, **how: Any) -> bytes:
    """The answer with something in it that is not as it was asked."""
    wire = bytearray(response.to_wire())
    if "id" in how:
        wire[:2] = ((response.id + how["id"]) & 0xFFFF).to_bytes(2, "big")
    if "flags" in how:
        wire[2] ^= how["flags"]
    if "question" in how:
        wire[13] ^= how["question"]
    if "type" in how:
        end = wire.index(0, 12)
        wire[end + 1 : end + 3] = how["type"].to_bytes(2, "big")
    if "count" in how:
        wire[4:6] = how["count"].to_bytes(2, "big")
    return bytes(wire)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"id": 1}, id="id"),
        pytest.param({"flags": 0x80}, id="no response"),
        pytest.param({"flags": 0x28}, id="opcode"),
        pytest.param({"question": 1}, id="name"),
        pytest.param({"type": 28}, id="type"),
        pytest.param({"count": 2}, id="two questions"),
        pytest.param({"count": 0}, id="no question"),
    ],
)
def test_RFC5452_section9_1_wrongAnswersAreIgnored(net: Net, wrong: dict[str, int]) -> None:
    """They are counted, and the right one is waited for."""
    server = NameServer(net)

    def instead(query: Any, response: Any, tcp: bool) -> Any:
        forged = dns.message.from_wire(response.to_wire())
        del forged.answer[:]
        return [changed(forged, **wrong), response.to_wire()]

    server.instead = instead
    resolver = resolverOf(net, server)
    assert look(net, resolver) == HOST
    assert resolver.foreign == 1 and len(server.asked) == 1


@pytest.mark.parametrize("garbage", [b"", b"x", bytes(11), b"\xff" * 512])
def test_S_dns_garbageIsIgnored(net: Net, garbage: bytes) -> None:
    server = NameServer(net)
    server.instead = lambda query, response, tcp: [garbage, garbage, response.to_wire()]
    resolver = resolverOf(net, server)
    assert look(net, resolver) == HOST
    assert resolver.foreign == 2


def test_RFC5452_section9_1_theAddressMustBeTheServers(net: Net) -> None:
    """The kernel lets nobody else's datagrams in, wherever they come from."""
    server = NameServer(net)
    forger = net.keep(socket.socket(type=socket.SOCK_DGRAM))
    forger.bind(("127.0.0.1", 0))

    def instead(query: Any, response: Any, tcp: bool) -> Any:
        forged = dns.message.from_wire(response.to_wire())
        del forged.answer[:]
        forger.sendto(forged.to_wire(), server.peers[-1])
        return response

    server.instead = instead
    resolver = resolverOf(net, server)
    assert look(net, resolver) == HOST
    assert resolver.foreign == 0


def test_RFC5452_section9_2_idsAndPortsAreRandom(net: Net) -> None:
    """Both from the system's randomness, out of all there are."""
    server, ids = NameServer(net), []

    def instead(query: Any, response: Any, tcp: bool) -> Any:
        ids.append(query.id)
        return response

    server.instead = instead
    resolver = resolverOf(net, server)
    names = [f"n{n}.wild.example" for n in range(100)]
    net.result(gatherResults([resolver.lookup(name, "A") for name in names]))
    ports = [port for _, port in server.peers]
    assert len(set(ids)) > 95 and len(set(ports)) > 95
    assert max(ids) > 50000 and min(ids) < 15000
    # The system's own choice would be from 32768 on.
    assert 1024 <= min(ports) < 30000 < max(ports)
    assert len({randomId() for _ in range(100)}) > 95


def test_S_dns_answersOfTwoQuestionsAreNotMixedUp(net: Net) -> None:
    """Sent to each other's sockets, they are none."""
    held: dict[str, Any] = {}
    server = NameServer(net)

    def instead(query: Any, response: Any, tcp: bool) -> Any:
        held[response.question[0].name.to_text()] = (response.to_wire(), server.peers[-1])

    server.instead = instead
    resolver = resolverOf(net, server)
    asked = [resolver.lookup("four.example", "A"), resolver.lookup("ns.example", "A")]
    net.until(lambda: len(held) == 2)
    udp = server.ports[0]
    (four, first), (other, second) = held["four.example."], held["ns.example."]
    for data, place in ((four, second), (other, first), (four, first), (other, second)):
        udp.write(data, place)
    assert [addresses(each) for each in net.result(gatherResults(asked))] == [{"192.0.2.4"}, {"192.0.2.53"}]
    assert resolver.foreign == 2


def test_RFC2181_section5_4_1_additionalRecordsAreNoAnswers(net: Net) -> None:
    """Nor are those in the answer section of names that were not asked for, and nothing of them is remembered."""
    server = NameServer(net)

    def instead(query: Any, response: Any, tcp: bool) -> Any:
        poison = server.rrset(dns.name.from_text("bank.test."), server.find(dns.name.from_text("four.example."), 1))
        response.answer.append(poison)
        response.additional.append(poison)
        response.authority.append(poison)
        return response

    server.instead = instead
    resolver = resolverOf(net, server)
    assert look(net, resolver) == HOST
    assert len(resolver._cache) == 1
    server.instead = None
    assert isinstance(failure(net, resolver.lookup("bank.test", "A")), DNSLookupError)


def test_mixedCase(net: Net) -> None:
    """What comes back in another case is asked again over TCP: no forger is there."""
    server = NameServer(net)
    resolver = resolverOf(net, server, mixedCase=True, cacheSize=0)
    names = set()
    for _ in range(8):
        assert look(net, resolver, "host.example") == HOST
        names.add(server.questions[-1][0])
    assert len(names) > 4 and {name.lower() for name in names} == {"host.example"}
    assert {how for how, *_ in server.asked} == {"udp"}

    def lowering(query: Any, response: Any, tcp: bool) -> Any:
        return response if tcp else response.to_wire()[:12] + response.to_wire()[12:].lower()

    server.instead = lowering
    for _ in range(8):
        assert look(net, resolver, "host.example") == HOST
    assert "tcp" in {how for how, *_ in server.asked}
    assert mix("abc.d-1", lambda n: 0b0000101) == "AbC.d-1"


# ---- Truncation and TCP (RFC 7766) ----


def test_RFC7766_section5_truncatedAnswersAreAskedForOverTCP(net: Net) -> None:
    texts = " ".join(['"' + "x" * 200 + '"'] * 9)
    server = NameServer(net, f"@ 60 SOA ns a 1 1 1 1 1\nbig 60 TXT {texts}\n")
    (found,) = net.result(resolverOf(net, server).lookup("big.example", "TXT"))
    assert found.text == "x" * 1800
    assert [how for how, *_ in server.asked] == ["udp", "tcp"]


@pytest.mark.parametrize("size", [12, 17, 30, 45, 60])
def test_RFC2181_section9_truncatedAnywhere(net: Net, size: int) -> None:
    """Nothing of such an answer is used, wherever it ends; one without its question is none."""
    server = NameServer(net)

    def instead(query: Any, response: Any, tcp: bool) -> Any:
        if tcp:
            return response
        response.flags |= dns.flags.TC
        return [response.to_wire()[:size], response.to_wire()]

    server.instead = instead
    resolver = resolverOf(net, server)
    assert look(net, resolver) == HOST
    assert [how for how, *_ in server.asked] == ["udp", "tcp"]
    assert resolver.foreign == (size < 30)


def test_overTCPOnly(net: Net) -> None:
    server = NameServer(net, udp=False)
    assert look(net, resolverOf(net, server, tcp=True)) == HOST


def test_RFC7766_section6_2_1_1_questionsArePipelined(net: Net) -> None:
    """On one connection, and answered in whatever order (section 7)."""
    held: list[Any] = []
    server = NameServer(net)
    server.instead = lambda query, response, tcp: held.append(response)
    resolver = resolverOf(net, server, tcp=True)
    asked = [resolver.lookup(f"n{n}.wild.example", "A") for n in range(5)]
    net.until(lambda: len(held) == 5)
    assert len(server.connections) == 1 and len({each.id for each in held}) == 5
    for each in reversed(held):
        server.connections[0].sendString(each.to_wire())
    assert [found[0].name for found in net.result(gatherResults(asked))] == [f"n{n}.wild.example" for n in range(5)]


def test_RFC7766_section6_2_3_aConnectionIsUsedAgainAndThenClosed(net: Net) -> None:
    clock = Clock()
    server = NameServer(net)
    resolver = resolverOf(net, server, tcp=True, clock=clock)
    for name in ("host.example", "four.example"):
        look(net, resolver, name)
    assert len(server.connections) == 1
    clock.advance(1.9)
    net.turn(5)
    assert server.connections[0].open
    clock.advance(0.2)
    net.until(lambda: not server.connections[0].open)
    assert look(net, resolver, "ns.example") == {"192.0.2.53"}
    assert len(server.connections) == 2


def test_RFC7766_section6_2_4_aServerMayCloseAtAnyTime(net: Net) -> None:
    """One that did while nobody asked is connected to again, and the question asked there."""
    server = NameServer(net)
    resolver = resolverOf(net, server, tcp=True, clock=Clock())
    look(net, resolver, "host.example")

    def closing(query: Any, response: Any, tcp: bool) -> Any:
        server.instead = None
        server.connections[0].transport.loseConnection()
        return None

    server.instead = closing
    assert look(net, resolver, "four.example") == {"192.0.2.4"}
    assert len(server.connections) == 2


def test_RFC7766_section8_theLengthMayComeInPieces(net: Net) -> None:
    """And so may everything behind it."""
    server = NameServer(net)
    pieces: list[bytes] = []

    def instead(query: Any, response: Any, tcp: bool) -> Any:
        wire = response.to_wire()
        data = struct.pack("!H", len(wire)) + wire
        pieces.extend(data[at : at + 1] for at in range(len(data)))
        return None

    server.instead = instead
    asked = resolverOf(net, server, tcp=True).lookup("host.example", "A")
    net.until(lambda: pieces)
    for piece in pieces:
        server.connections[0].transport.write(piece)
        net.turn(2)
    assert addresses(net.result(asked)) == HOST


@pytest.mark.parametrize("end", [b"", b"\0", b"\0\x40", b"\0\x40half"])
def test_TCPThatEndsTooEarly(net: Net, end: bytes) -> None:
    server = NameServer(net)

    def instead(query: Any, response: Any, tcp: bool) -> Any:
        server.connections[-1].transport.write(end)
        server.connections[-1].transport.loseConnection()
        return None

    server.instead = instead
    problem = failure(net, resolverOf(net, server, tcp=True).lookup("host.example", "A"))
    assert isinstance(problem, ServerFailure) and len(problem.attempts) == 2
    assert all(isinstance(each, ConnectionLost) for _, each in problem.attempts)


def test_TCPThatIsSilent(net: Net) -> None:
    """The connection is not used again."""
    clock = Clock()
    server = NameServer(net)
    server.instead = lambda query, response, tcp: None
    resolver = resolverOf(net, server, tcp=True, clock=clock, attempts=1)
    asked = resolver.lookup("host.example", "A")
    net.until(lambda: server.asked)
    clock.advance(60)
    assert isinstance(failure(net, asked), TimedOut)
    net.until(lambda: not server.connections[0].open)
    server.instead = None
    assert look(net, resolver) == HOST
    assert len(server.connections) == 2


def test_TCPIsRefusedWhereUDPSaysTruncated(net: Net) -> None:
    server = NameServer(net, tcp=False)

    def instead(query: Any, response: Any, tcp: bool) -> Any:
        response.flags |= dns.flags.TC
        return response

    server.instead = instead
    other = NameServer(net)
    assert look(net, resolverOf(net, server, other)) == HOST
    problem = failure(net, resolverOf(net, server).lookup("host.example", "A"))
    assert isinstance(problem, ServerFailure)
    assert {type(each) for _, each in problem.attempts} == {ConnectionRefusedError}


def test_strayMessagesOverTCP(net: Net) -> None:
    server = NameServer(net)
    server.instead = lambda query, response, tcp: [b"", b"x" * 40, changed(response, id=1), response.to_wire()]
    resolver = resolverOf(net, server, tcp=True)
    assert look(net, resolver) == HOST
    assert resolver.foreign == 3


# ---- EDNS (RFC 6891) ----


def test_RFC6891_section6_2_3_saysHowMuchMayCome(net: Net) -> None:
    server = NameServer(net)
    for edns, told in ((1232, 1232), (4096, 4096), (None, None)):
        look(net, resolverOf(net, server, edns=edns))
        assert server.asked[-1][3] == told


@pytest.mark.parametrize("how", ["FORMERR", "NOTIMP", "bare FORMERR", "BADVERS"])
def test_RFC6891_section6_2_2_aServerThatDoesNotKnowIt(net: Net, how: str) -> None:
    """Is asked again without at once, and not with it for a while."""
    clock = Clock()
    server = NameServer(net)

    def instead(query: Any, response: Any, tcp: bool) -> Any:
        if query.edns < 0:
            return response
        del response.answer[:]
        if how == "BADVERS":
            response.set_rcode(dns.rcode.BADVERS)
            return response
        response = dns.message.make_response(query)
        response.use_edns(None)
        response.set_rcode(dns.rcode.from_text(how.rpartition(" ")[2]))
        return response.to_wire()[:4] + bytes(8) if "bare" in how else response

    server.instead = instead
    resolver = resolverOf(net, server, clock=clock, cacheSize=0)
    assert look(net, resolver) == HOST
    assert [size for *_, size in server.asked] == [1232, None]
    look(net, resolver)
    assert server.asked[-1][3] is None and len(server.asked) == 3
    clock.advance(601)
    look(net, resolver)
    assert [size for *_, size in server.asked[3:]] == [1232, None]


def test_whereEDNSDoesNotGetThrough(net: Net) -> None:
    """The second question goes without, and then all for a while."""
    clock = Clock()
    server = NameServer(net)
    server.instead = lambda query, response, tcp: None if query.edns >= 0 else response
    resolver = resolverOf(net, server, clock=clock)
    asked = resolver.lookup("host.example", "A")
    net.until(lambda: server.asked)
    clock.advance(60)
    assert addresses(net.result(asked)) == HOST
    assert look(net, resolver, "four.example") == {"192.0.2.4"}
    assert [size for *_, size in server.asked] == [1232, None, None]


@pytest.mark.parametrize("how", ["name", "junk"])
def test_whatStandsBehindTheAnswersIsNobodysBusiness(net: Net, how: str) -> None:
    """Routers add records that are none; the answers before them are good."""
    server = NameServer(net)

    def instead(query: Any, response: Any, tcp: bool) -> Any:
        response.use_edns(None)
        wire = response.to_wire()
        if how == "junk":
            return wire + b"more"
        opt = b"\x03abc\0" + struct.pack("!HHIH", 41, 512, 0, 0)
        return wire[:10] + b"\0\1" + wire[12:] + opt

    server.instead = instead
    assert look(net, resolverOf(net, server)) == HOST


def test_largerAnswersThanAskedFor(net: Net) -> None:
    """Some servers send what they have, and it arrives."""
    server = NameServer(net)

    def instead(query: Any, response: Any, tcp: bool) -> Any:
        record = server.rrset(query.question[0].name, server.find(dns.name.from_text("texts.example."), 16))
        return response.to_wire() + bytes(3000) if not tcp else record

    server.instead = instead
    assert look(net, resolverOf(net, server)) == HOST


# ---- Servers ----


def rcode(code: Any) -> Any:
    """An answer of nothing but that code."""

    def instead(query: Any, response: Any, tcp: bool) -> Any:
        del response.answer[:], response.authority[:]
        response.set_rcode(code)
        return response

    return instead


def lame(query: Any, response: Any, tcp: bool) -> Any:
    """Knows nothing, and who would."""
    del response.answer[:], response.authority[:]
    response.flags &= ~(dns.flags.AA | dns.flags.RA)
    return response


def referring(query: Any, response: Any, tcp: bool) -> Any:
    """Says who would know (RFC 2308, section 2.2: no NODATA)."""
    response.authority = [dns.rrset.from_text("example.", 60, "IN", "NS", "ns.example.")]
    del response.answer[:]
    return response


@pytest.mark.parametrize("bad", ["SERVFAIL", "REFUSED", "NOTIMP", "YXDOMAIN", "lame", "referring", "unreadable"])
def test_S_dns_theNextServerIsAsked(net: Net, bad: str) -> None:
    """One that failed is not asked the same again, and if none is left, what each said is told."""
    first, second = NameServer(net), NameServer(net)
    if bad in ("lame", "referring"):
        first.instead = lame if bad == "lame" else referring
    elif bad == "unreadable":
        first.instead = lambda query, response, tcp: response.to_wire()[:40]
    else:
        first.instead = rcode(dns.rcode.from_text(bad))
    assert look(net, resolverOf(net, first, second)) == HOST
    assert len(second.asked) == 1
    problem = failure(net, resolverOf(net, first).lookup("host.example", "A"))
    assert isinstance(problem, ServerFailure)
    ((address, why),) = problem.attempts
    assert (address.host, address.port) == first.address and isinstance(why, ServerFailure)
    if bad.isupper():
        assert problem.rcode == dns.rcode.from_text(bad)
        assert ("RCODE 6" if bad == "YXDOMAIN" else bad) in str(problem)


def test_S_dns_silentServersAreAskedAgainAndComeLast(net: Net) -> None:
    clock = Clock()
    silent, good = NameServer(net), NameServer(net)
    silent.instead = lambda query, response, tcp: None
    resolver = resolverOf(net, silent, good, clock=clock)
    asked = resolver.lookup("host.example", "A")
    net.until(lambda: silent.asked)
    clock.advance(60)
    assert addresses(net.result(asked)) == HOST
    # From now on the other first, for a while.
    assert look(net, resolver, "four.example") == {"192.0.2.4"}
    assert len(silent.asked) == 1
    silent.instead = None
    clock.advance(31)
    assert look(net, resolver, "ns.example") == {"192.0.2.53"}
    assert len(silent.asked) == 2


def test_S_dns_nobodyAnswers(net: Net) -> None:
    clock = Clock()
    servers = [NameServer(net), NameServer(net)]
    for each in servers:
        each.instead = lambda query, response, tcp: None
    resolver = resolverOf(net, *servers, clock=clock, timeout=5, attempts=3)
    asked = resolver.lookup("host.example", "A")
    for count in range(1, 7):
        net.until(lambda: sum(len(each.asked) for each in servers) == count)  # noqa: B023
        clock.advance(5)
    problem = failure(net, asked)
    assert isinstance(problem, TimedOut) and problem.elapsed == 30
    assert [address.port for address, _ in problem.attempts] == [each.port for each in servers] * 3
    assert "no answer within 5 s" in str(problem) and "127.0.0.1" in str(problem)


def test_theLifetimeEndsIt(net: Net) -> None:
    clock = Clock()
    server = NameServer(net)
    server.instead = lambda query, response, tcp: None
    before = descriptors()
    asked = resolverOf(net, server, clock=clock, lifetime=7).lookup("host.example", "A")
    net.until(lambda: server.asked)
    clock.advance(7)
    problem = failure(net, asked)
    assert isinstance(problem, TimedOut) and problem.elapsed == 7
    assert descriptors() == before and clock.getDelayedCalls() == []


def test_aServerThatIsNotThere(net: Net) -> None:
    """ICMP says so at once."""
    good = NameServer(net)
    resolver = resolverOf(net, good)
    resolver._given["servers"] = (("127.0.0.1", net.closedPort()), good.address)
    assert look(net, resolver) == HOST
    resolver = resolverOf(net, good, attempts=1)
    resolver._given["servers"] = resolver._given["servers"] = (("127.0.0.1", net.closedPort()),)
    problem = failure(net, resolver.lookup("host.example", "A"))
    assert isinstance(problem.attempts[0][1], ConnectionRefusedError)


def test_rotation(net: Net) -> None:
    servers = [NameServer(net) for _ in range(3)]
    resolver = resolverOf(net, *servers, rotate=True)
    for n in range(6):
        look(net, resolver, f"n{n}.wild.example")
    assert [len(each.asked) for each in servers] == [2, 2, 2]


def test_overIPv6(net: Net) -> None:
    server = NameServer(net, interface="::1")
    for tcp in (False, True):
        assert look(net, resolverOf(net, server, tcp=tcp)) == HOST
    assert {how for how, *_ in server.asked} == {"udp", "tcp"}


def test_RFC2308_section2_1_noSuchNameWithAnAlias(net: Net) -> None:
    """The code is about the last name (RFC 6604, section 3)."""
    problem = failure(net, resolverOf(net, NameServer(net)).lookup("astray.example", "A"))
    assert isinstance(problem, NoSuchName)


def test_RFC1034_section3_6_2_aliasesThatTheServerDoesNotFollow(net: Net) -> None:
    """Are asked for in turn: it may be one that knows its own zones only."""
    server = NameServer(net)

    def instead(query: Any, response: Any, tcp: bool) -> Any:
        del response.answer[1:], response.authority[:]
        if query.question[0].name.to_text() == "host.elsewhere.test.":
            four = server.find(dns.name.from_text("four.example."), 1)
            response.answer.append(server.rrset(query.question[0].name, four))
        return response

    server.instead = instead
    resolver = resolverOf(net, server)
    assert look(net, resolver, "alias2.example") == HOST
    assert [name for name, _ in server.questions] == ["alias2.example", "alias.example", "host.example"]
    assert look(net, resolver, "away.example") == {"192.0.2.4"}
    # Remembered under the name that was asked for.
    count = len(server.asked)
    assert look(net, resolver, "alias2.example") == HOST and len(server.asked) == count


@pytest.mark.parametrize("whole", [True, False])
def test_S_dns_aliasesWithoutEnd(net: Net, whole: bool) -> None:
    """In a circle, or longer than anybody needs; in one answer or in many."""
    zone = "\n".join(f"a{n} 60 CNAME a{n + 1}" for n in range(40))
    server = NameServer(net, f"@ 60 SOA ns a 1 1 1 1 1\n{zone}\nc1 60 CNAME c2\nc2 60 CNAME c1\n")

    def single(query: Any, response: Any, tcp: bool) -> Any:
        del response.answer[1:], response.authority[:]
        response.set_rcode(0)
        return response

    server.instead = None if whole else single
    resolver = resolverOf(net, server)
    for name in ("a0.example", "c1.example"):
        problem = failure(net, resolver.lookup(name, "A"))
        assert isinstance(problem, ServerFailure) and "aliases" in str(problem)
    assert len(server.asked) <= 22


def test_anEmptyAnswerOfOneWhoAskedIsNoData(net: Net) -> None:
    """Without SOA too, which then nobody remembers (RFC 2308, section 5)."""
    server = NameServer(net)

    def instead(query: Any, response: Any, tcp: bool) -> Any:
        del response.answer[:], response.authority[:]
        response.flags &= ~dns.flags.AA
        return response

    server.instead = instead
    resolver = resolverOf(net, server)
    for count in (1, 2):
        assert isinstance(failure(net, resolver.lookup("host.example", "A")), NoData)
        assert len(server.asked) == count


# ---- The end ----


@pytest.mark.parametrize("tcp", [False, True])
def test_cancelledAtEveryMoment(net: Net, tcp: bool) -> None:
    """Sockets and timers are gone at once, or when the system has let go of a connection."""
    server = NameServer(net)
    held: list[Any] = []
    server.instead = lambda query, response, over: held.append(response)
    net.turn()
    before = descriptors()
    for turns in range(8):
        clock = Clock()
        asked = resolverOf(net, server, clock=clock, tcp=tcp).lookup("host.example", "A")
        net.turn(turns)
        asked.cancel()
        with pytest.raises(CancelledError):
            net.result(asked)
        assert clock.getDelayedCalls() == []
        net.until(lambda: all(not each.open for each in server.connections) and descriptors() == before)
    assert held


def test_closed(net: Net) -> None:
    """Look-ups fail, and it may be asked again."""
    server = NameServer(net)
    server.instead = lambda query, response, tcp: None
    resolver = resolverOf(net, server)
    asked = resolver.lookup("host.example", "A")
    net.until(lambda: server.asked)
    resolver.close()
    assert "the resolver was closed" in str(failure(net, asked))
    server.instead = None
    assert look(net, resolver) == HOST


def test_theReactorStops(net: Net) -> None:
    """Nobody waits for a name then."""
    server = NameServer(net)
    server.instead = lambda query, response, tcp: net.reactor.callLater(0, net.reactor.stop) and None
    resolver = resolverOf(net, server)
    told: list[Any] = []
    net.reactor.callWhenRunning(lambda: resolver.lookup("host.example", "A").addBoth(told.append))
    net.reactor.run(installSignalHandlers=False)
    assert "the resolver was closed" in str(told[0].value)


def test_noDescriptorIsLeft(net: Net) -> None:
    """This machine's trouble is said to be its own, and no other server is asked."""
    import errno

    from reactor.error import CannotListenError

    def full(*args: Any, **options: Any) -> Any:
        raise CannotListenError("", 0, OSError(errno.EMFILE, "Too many open files"))

    server = NameServer(net)
    resolver = resolverOf(net, server, server)
    listenUDP, net.reactor.listenUDP = net.reactor.listenUDP, full  # type: ignore[method-assign]
    try:
        problem = failure(net, resolver.lookup("host.example", "A"))
    finally:
        net.reactor.listenUDP = listenUDP  # type: ignore[method-assign]
    assert not isinstance(problem, ServerFailure) and problem.osError == errno.EMFILE
    assert look(net, resolver) == HOST
