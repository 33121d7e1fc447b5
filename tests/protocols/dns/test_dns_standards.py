"""What the standards want of a resolver, by document and section, where no other test here is about it: the questions
as they are on the wire, sizes, and what counts as an answer that there is nothing.
"""

from __future__ import annotations

from typing import Any

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset
import pytest
from nameservers import NameServer, resolved, resolverOf
from net import Net

from protocols.dns import NoData, NoSuchName, ServerFailure
from protocols.dns._tcp import MOST
from protocols.dns._wire import question
from reactor.defer import gatherResults

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


def sent(net: Net, name: str = "host.example", type: str = "A", **options: Any) -> Any:
    """The question as the server read it."""
    queries: list[Any] = []
    server = NameServer(net)

    def instead(query: Any, response: Any, tcp: bool) -> Any:
        queries.append(query)
        return response

    server.instead = instead
    net.result(resolverOf(net, server, **options).lookup(name, type).addErrback(lambda _: None))
    return queries[0]


@pytest.mark.parametrize("tcp", [False, True])
def test_RFC1035_section4_1_1_theHeaderOfAQuestion(net: Net, tcp: bool) -> None:
    """One question, a standard query, recursion desired, and all that is reserved or the server's is zero."""
    query = sent(net, tcp=tcp)
    assert query.flags == dns.flags.RD and query.opcode() == 0 and query.rcode() == 0
    assert len(query.question) == 1 and not query.answer and not query.authority
    assert (query.question[0].rdtype, query.question[0].rdclass) == (1, 1)


def test_RFC6891_section6_1_1_oneOPTRecord(net: Net) -> None:
    """Of the root, version 0, with no flags and no options (section 6.1.3); nothing else in the additional section."""
    query = sent(net)
    assert (query.edns, query.payload, query.ednsflags, query.options) == (0, 1232, 0, ())
    wire = b"\0\0" + question("host.example", "A", 1232)
    assert wire[10:12] == b"\0\1" and wire.endswith(b"\0\0\x29" + (1232).to_bytes(2, "big") + bytes(6))
    assert question("host.example", "A", None)[8:10] == b"\0\0"


def test_RFC1035_section2_3_3_lettersOfEitherCaseAreTheSame(net: Net) -> None:
    """In questions, answers, aliases and the cache."""
    server = NameServer(net)

    def instead(query: Any, response: Any, tcp: bool) -> Any:
        wire = bytearray(response.to_wire())
        end = wire.index(0, 12)
        wire[12:end] = bytes(wire[12:end]).upper()
        return bytes(wire)

    server.instead = instead
    resolver = resolverOf(net, server)
    for name in ("Alias.Example", "aLIAS.eXAMPLE"):
        assert {each.address for each in net.result(resolver.lookup(name))} == {"192.0.2.1", "192.0.2.2"}
    assert len(server.asked) == 1


def test_RFC1035_section2_3_4_theLongestNames(net: Net) -> None:
    """63 bytes of a part, 255 of a whole name on the wire, which is 253 as text."""
    longest = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])
    assert len(longest) == 253
    for name in (longest, longest + "."):
        assert sent(net, name).question[0].name.to_text(omit_final_dot=True) == longest
    resolver = resolverOf(net, NameServer(net))
    for wrong in (longest + "d", "a" * 64 + ".example"):
        with pytest.raises(ValueError, match="is no domain name"):
            resolver.lookup(wrong)
        assert "no host name" in str(resolved(net, resolver, wrong).resolution.error)


def test_RFC1035_section3_1_theRoot(net: Net) -> None:
    query = sent(net, ".", "NS")
    assert query.question[0].name.to_text() == "."
    with pytest.raises(ValueError, match="name must be a domain name"):
        resolverOf(net).lookup("")


@pytest.mark.parametrize(
    "aa, soa, ns, error",
    [
        (True, True, False, NoData),
        (False, True, True, NoData),
        (True, False, False, NoData),
        (False, False, True, ServerFailure),
    ],
)
def test_RFC2308_section2_2_whatMeansThatThereIsNothing(net: Net, aa: bool, soa: bool, ns: bool, error: Any) -> None:
    """With an SOA record, or none at all; with servers' names and none it refers to those."""
    server = NameServer(net)

    def instead(query: Any, response: Any, tcp: bool) -> Any:
        del response.answer[:], response.authority[:]
        response.flags &= ~(0 if aa else dns.flags.AA)
        if soa:
            response.authority.append(dns.rrset.from_text("example.", 60, "IN", "SOA", "a. b. 1 2 3 4 5"))
        if ns:
            response.authority.append(dns.rrset.from_text("example.", 60, "IN", "NS", "ns.example."))
        return response

    server.instead = instead
    with pytest.raises(error):
        net.result(resolverOf(net, server).lookup("host.example"))


@pytest.mark.parametrize("soa, asked", [(True, 1), (False, 2)])
def test_RFC2308_section5_whatIsNotThereIsRemembered(net: Net, soa: bool, asked: int) -> None:
    """For as long as the zone says, and not at all if it does not."""
    server = NameServer(net)

    def instead(query: Any, response: Any, tcp: bool) -> Any:
        if not soa:
            del response.authority[:]
        return response

    server.instead = instead
    resolver = resolverOf(net, server)
    for _ in range(2):
        with pytest.raises(NoSuchName):
            net.result(resolver.lookup("missing.example"))
    assert len(server.asked) == asked


def test_RFC2308_section7_failuresAreNotRemembered(net: Net) -> None:
    server = NameServer(net)
    server.instead = lambda query, response, tcp: response.set_rcode(2) or response
    resolver = resolverOf(net, server)
    for count in (1, 2):
        with pytest.raises(ServerFailure):
            net.result(resolver.lookup("host.example"))
        assert len(server.asked) == count


def test_RFC7766_section7_idsOnOneConnectionAreDifferent(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as they are not answered; and more questions than one connection takes have another."""
    drawn = iter([7, 7, 7, *range(1000)])
    monkeypatch.setattr("protocols.dns._tcp.randomId", lambda: next(drawn))
    held: list[Any] = []
    server = NameServer(net)
    server.instead = lambda query, response, tcp: held.append((server.connections[-1], response))
    resolver = resolverOf(net, server, tcp=True)
    asked = [resolver.lookup(f"n{n}.wild.example") for n in range(MOST + 3)]
    net.until(lambda: len(held) == MOST + 3)
    assert [each.id for _, each in held[:2]] == [7, 0]
    assert len(server.connections) == 2
    server.instead = None
    for each in asked:
        each.addErrback(lambda _: None)
        each.cancel()
    net.until(lambda: not any(each.open for each in server.connections))


def test_RFC7766_section8_lengthAndMessageAreSentTogether(net: Net) -> None:
    """So that they go into one segment where they fit."""
    pieces: list[bytes] = []
    server = net.listen(data=lambda protocol, data: pieces.append(data))
    resolver = resolverOf(net)
    resolver._given |= {"servers": (("127.0.0.1", server.port),), "tcp": True}
    asked = resolver.lookup("host.example")
    net.until(lambda: pieces)
    assert int.from_bytes(pieces[0][:2], "big") == len(pieces[0]) - 2
    asked.addErrback(lambda _: None)
    asked.cancel()
    net.until(lambda: all(each.lost for each in server.built))


def test_RFC8020_nothingIsBelowANameThatIsNotThere(net: Net) -> None:
    """So the answer for one family is that for both, whatever the server says of the other."""
    server = NameServer(net)
    server.instead = lambda query, response, tcp: response if query.question[0].rdtype == 1 else None
    assert isinstance(resolved(net, resolverOf(net, server), "missing.example").resolution.error, NoSuchName)


def test_aLargeAnswerIsReadInTime(net: Net) -> None:
    """As many records as go into 64 KiB, of one name or each of another's."""
    import time

    server = NameServer(net)

    def instead(query: Any, response: Any, tcp: bool) -> Any:
        if not tcp:
            response.flags |= dns.flags.TC
            return response
        record = b"\xc0\x0c\0\1\0\1\0\0\0\5\0\4"
        many = b"".join(record + n.to_bytes(4, "big") for n in range(4000))
        wire = query.to_wire()
        end = wire.index(0, 12) + 5
        return wire[:2] + b"\x81\x80\0\1" + (4000).to_bytes(2, "big") + bytes(4) + wire[12:end] + many

    server.instead = instead
    began = time.process_time()
    assert len(net.result(resolverOf(net, server).lookup("host.example"))) == 4000
    assert time.process_time() - began < 5


def test_manyAtOnce(net: Net) -> None:
    """A thousand names, with the sockets of a few."""
    server = NameServer(net)
    resolver = resolverOf(net, server, maxQuestions=50)
    found = net.result(gatherResults([resolver.lookup(f"n{n}.wild.example") for n in range(1000)]))
    assert len({each[0].name for each in found}) == 1000 and resolver.foreign == 0
