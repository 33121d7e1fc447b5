"""What needs no socket: the files' readers, full names, the cache, which bytes are answers, what a response has for a
question, and the order of records.
"""

from __future__ import annotations

import socket
from random import Random
from typing import Any

import dns.message
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.dns import MX, SRV, A, Config, records
from protocols.dns import _hostsfile as hostsfile
from protocols.dns import _resolvconf as resolvconf
from protocols.dns._answers import Found, Loop
from protocols.dns._cache import Cache
from protocols.dns._judging import Query, Verdict
from protocols.dns._names import candidates, hostName
from protocols.dns._watched import Watched
from protocols.dns._wire import Malformed, question, read

# ---- resolv.conf ----


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", {}),
        ("nameserver 192.0.2.1\n", {"servers": (("192.0.2.1", 53),)}),
        (
            "nameserver\t192.0.2.1   # comment\nnameserver 2001:db8::1",
            {"servers": (("192.0.2.1", 53), ("2001:db8::1", 53))},
        ),
        ("nameserver fe80::1%lo\n", {"servers": (("fe80::1%lo", 53),)}),
        # No address, no server; more than three are not used.
        ("nameserver ns.example\nnameserver\nnameserver 1.2.3.4.5\n", {}),
        (
            "".join(f"nameserver 192.0.2.{n}\n" for n in range(5)),
            {"servers": tuple((f"192.0.2.{n}", 53) for n in range(3))},
        ),
        # Comments begin a line.
        ("#nameserver 192.0.2.1\n;nameserver 192.0.2.1\n", {}),
        # A keyword begins a line, or it is indented as some programs write it.
        ("  nameserver 192.0.2.1\n", {"servers": (("192.0.2.1", 53),)}),
        ("NAMESERVER 192.0.2.1\n", {}),
        # The last of `search` and `domain` counts.
        ("search One.test two.test.\n", {"search": ("one.test", "two.test")}),
        ("search one.test\nsearch two.test\n", {"search": ("two.test",)}),
        ("search one.test\ndomain two.test three.test\n", {"search": ("two.test",)}),
        ("domain one.test\nsearch two.test\n", {"search": ("two.test",)}),
        ("search\nsearch .\n", {"search": ("",)}),
        ("search a..b ok.test\n", {"search": ("ok.test",)}),
        ("options ndots:3 timeout:7 attempts:4 rotate\n", {"ndots": 3, "timeout": 7.0, "attempts": 4, "rotate": True}),
        ("options ndots:99 timeout:99 attempts:99\n", {"ndots": 15, "timeout": 30.0, "attempts": 5}),
        ("options ndots:0 timeout:0 attempts:0\n", {"ndots": 0, "timeout": 1.0, "attempts": 1}),
        ("options ndots:" + "9" * 10000 + "\n", {"ndots": 15}),
        ("options ndots:-1 ndots: ndots:x timeout:1.5 rotate:1 unknown edns0 trust-ad\n", {}),
        ("options use-vc single-request no-aaaa\n", {"tcp": True, "oneByOne": True, "noIPv6": True}),
        ("options single-request-reopen\noptions ndots:2\n", {"oneByOne": True, "ndots": 2}),
        ("sortlist 192.0.2.0\nlookup file bind\nfamily inet4\n\n \n\x00\xff\n", {}),
        ("nameserver 192.0.2.1\r\nsearch a.test\r\n", {"servers": (("192.0.2.1", 53),), "search": ("a.test",)}),
    ],
)
def test_resolvConf(text: str, expected: dict[str, Any]) -> None:
    assert resolvconf.parse(text.encode("latin-1")) == Config(**expected)


words = st.sampled_from(
    [
        "nameserver",
        "search",
        "domain",
        "options",
        "192.0.2.1",
        "::1",
        "a.test",
        ".",
        "ndots:2",
        "timeout:",
        "rotate",
        "#",
        ";",
    ]
)
lines = st.lists(st.lists(words | st.text(max_size=6), max_size=5).map(" ".join), max_size=8).map("\n".join)


@given(lines.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary())
def test_resolvConfOfAnyBytes(text: bytes) -> None:
    config = resolvconf.parse(text)
    assert 1 <= len(config.servers) <= 3 and 0 <= config.ndots <= 15
    assert 1 <= config.timeout <= 30 and 1 <= config.attempts <= 5
    for host, port in config.servers:
        assert socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)
    for domain in config.search or ():
        assert domain == "" or all(0 < len(label) < 64 for label in domain.split("."))


# ---- hosts ----


def test_hosts() -> None:
    text = (
        b"127.0.0.1\tlocalhost\n::1 localhost ip6-localhost # a comment\n#192.0.2.1 no\n192.0.2.2 Mixed.Case. mixed\n"
        b"host 192.0.2.3\n192.0.2.999 wrong\n192.0.2.4\n192.0.2.5 twice\n192.0.2.6 twice twice\n192.0.2.5 twice\n"
        b"fe80::1%lo scoped\r\n127.1 short\n\xff\xfe \xc3\xa4 x\n"
    )
    four, six, scope = socket.AF_INET, socket.AF_INET6, socket.if_nametoindex("lo")
    assert hostsfile.parse(text) == {
        "localhost": ((four, "127.0.0.1", 0), (six, "::1", 0)),
        "ip6-localhost": ((six, "::1", 0),),
        "mixed.case": ((four, "192.0.2.2", 0),),
        "mixed": ((four, "192.0.2.2", 0),),
        "twice": ((four, "192.0.2.5", 0), (four, "192.0.2.6", 0)),
        "scoped": ((six, "fe80::1", scope),),
    }


@given(st.binary() | st.text("012.:af x#\n\t").map(str.encode))
def test_hostsOfAnyBytes(text: bytes) -> None:
    for name, addresses in hostsfile.parse(text).items():
        assert name and not set(name) & set(" \t\n#")
        for family, address, _ in addresses:
            socket.inet_pton(family, address.partition("%")[0])


def test_aLargeHostsFileIsReadInTime() -> None:
    """Some block a hundred thousand names in it."""
    import time

    text = "".join(f"0.0.0.0 host{n}.example\n" for n in range(100_000)).encode()
    began = time.process_time()
    assert len(hostsfile.parse(text)) == 100_000
    assert time.process_time() - began < 2


def test_oneNameWithManyAddresses() -> None:
    text = "".join(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255} one\n" for n in range(50_000)).encode()
    assert len(hostsfile.parse(text)["one"]) == hostsfile.MOST_ADDRESSES


def test_watched(tmp_path: Any) -> None:
    """The value is the same object until the file changes; a file that is gone is an empty one."""
    path, parsed = tmp_path / "file", []

    def parse(text: bytes) -> list[bytes]:
        parsed.append(text)
        return [text]

    watched = Watched(str(path), parse)
    assert watched.read() == [b""] == watched.read() and parsed == [b""]
    path.write_text("one")
    value = watched.read()
    assert value == [b"one"] and watched.read() is value
    path.write_text("other")
    assert watched.read() == [b"other"]
    path.unlink()
    assert watched.read() == [b""]
    path.mkdir()
    assert watched.read() == [b""]


# ---- Names ----


def test_hostNames() -> None:
    assert hostName("Host.Example.") == "host.example."
    assert hostName(b"_srv.x-1.example") == "_srv.x-1.example"
    assert hostName("b\u00fccher.example") == "xn--bcher-kva.example"
    assert hostName("a" * 63 + ".b") == "a" * 63 + ".b"


@given(st.text(max_size=80))
def test_hostNamesOfAnyText(name: str) -> None:
    try:
        found = hostName(name)
    except ValueError as e:
        assert "\n" not in str(e)
    else:
        # What has passed can be sent.
        question(found, "A", None)


@given(
    st.text("ab.", min_size=1, max_size=12), st.lists(st.sampled_from(["", "one.test", "two.test"])), st.integers(0, 3)
)
def test_candidates(name: str, search: list[str], ndots: int) -> None:
    found = candidates(name, search, ndots)
    whole = name.removesuffix(".")
    assert whole in found and len(set(found)) == len(found)
    if name != whole:
        assert found == [whole]
    elif search and "" not in search:
        assert found[0 if whole.count(".") >= ndots else -1] == whole


def test_candidatesThatWouldBeTooLongAreLeftOut() -> None:
    name = ".".join(["a" * 60] * 4)
    assert candidates(name, ["example", "x" * 20 + ".test"], 9) == [f"{name}.example", name]


# ---- The cache ----


def test_cache() -> None:
    cache = Cache(3, 100, 10)
    a, b, c, d = [("name" + letter, "A") for letter in "abcd"]
    cache.put(a, (A("x", 50, "192.0.2.1"),), 50, 1000)
    assert cache.get(a, 1000.5) == (A("x", 50, "192.0.2.1"),)
    assert cache.get(a, 1020) == (A("x", 30, "192.0.2.1"),)
    assert cache.get(a, 1049.9) == (A("x", 1, "192.0.2.1"),)
    assert cache.get(a, 1050) is None and len(cache) == 0
    # Bounds on both kinds.
    cache.put(a, (A("x", 5000, "192.0.2.1"),), 5000, 0)
    cache.put(b, "NoData", 5000, 0)
    assert cache.get(a, 99) and cache.get(b, 9) == "NoData"
    assert cache.get(a, 100) is None and cache.get(b, 10) is None
    # What may not be kept is not, and takes the place of what was.
    cache.put(a, "NoData", 5, 0)
    cache.put(a, "NoData", 0, 0)
    assert cache.get(a, 0) is None
    # The one that was not used for longest goes.
    for each in (a, b, c):
        cache.put(each, "NoData", 5, 0)
    cache.get(a, 1)
    cache.put(d, "NoData", 5, 1)
    assert [cache.get(each, 1) for each in (a, b, c, d)] == ["NoData", None, "NoData", "NoData"]
    cache.clear()
    assert len(cache) == 0
    none = Cache(0, 100, 100)
    none.put(a, "NoData", 5, 0)
    assert none.get(a, 0) is None


# ---- Which bytes are answers ----


@given(st.binary(max_size=80), st.integers(0, 65535), st.booleans())
def test_anyBytesAreForeign(data: bytes, id: int, exact: bool) -> None:
    query = Query(question("host.example", "A", 1232), exact)
    wire = query.wire(id)
    assert query.judge(id, data) in (Verdict.FOREIGN, Verdict.BARE)
    # The question itself, sent back, is no answer; with the bit of a response it is.
    assert query.judge(id, wire) is Verdict.FOREIGN
    response = wire[:2] + bytes([wire[2] | 0x80]) + wire[3:]
    assert query.judge(id, response) is Verdict.ANSWER
    assert query.judge(id ^ 1, response) is Verdict.FOREIGN


def test_typesThatLookLikeLetters() -> None:
    """65 is HTTPS and "A", 97 is "a"."""
    query = Query(question("host.example", "HTTPS", None))
    other = Query(question("host.example", "TYPE97", None)).wire(5)
    assert query.judge(5, other[:2] + bytes([other[2] | 0x80]) + other[3:]) is Verdict.FOREIGN


def test_letters() -> None:
    body = question("HoSt.example", "A", None)
    answer = Query(question("hoSt.example", "A", None)).wire(5)
    answer = answer[:2] + bytes([answer[2] | 0x80]) + answer[3:]
    assert Query(body).judge(5, answer) is Verdict.ANSWER
    assert Query(body, exact=True).judge(5, answer) is Verdict.OTHER_CASE


# ---- Responses ----


def response(*answers: str, authority: str = "", rcode: int = 0) -> Any:
    message = dns.message.make_response(dns.message.make_query("a.test", "A"))
    message.answer = [dns.rrset.from_text(*each.split(None, 4)) for each in answers]
    if authority:
        message.authority = [dns.rrset.from_text(*authority.split(None, 4))]
    message.set_rcode(rcode)
    return read(message.to_wire())


def test_theTTLIsThatOfTheShortestLife() -> None:
    found = Found(response("a.test. 9 IN CNAME b.test.", "b.test. 5 IN A 192.0.2.1"), "A.test", "A")
    assert (found.ttl, found.name, found.unfinished, found.noSuchName) == (5, "b.test", False, False)
    found = Found(response("a.test. 3 IN CNAME b.test.", "b.test. 5 IN A 192.0.2.1"), "a.test", "A")
    assert found.ttl == 3


def test_RFC2308_section5_theLesserOfTTLAndMinimum() -> None:
    for ttl, minimum in ((60, 30), (30, 60)):
        found = Found(response(authority=f"test. {ttl} IN SOA a. b. 1 2 3 4 {minimum}"), "a.test", "A")
        assert (found.records, found.ttl) == ((), 30)
    # Without one it is not to be remembered.
    assert Found(response(), "a.test", "A").ttl == 0
    assert Found(response(rcode=3), "a.test", "A").noSuchName


def test_RFC2181_section8_aTTLWithTheHighestBitIsZero() -> None:
    wire = bytearray(question("a.test", "A", None))
    record = b"\xc0\x0c\0\1\0\1\x80\0\0\5\0\4\xc0\0\2\1"
    data = b"\0\0\x81\x80\0\1\0\1\0\0\0\0" + bytes(wire[10:]) + record
    assert Found(read(data), "a.test", "A").ttl == 0


def test_recordsOfOthersAreNotTaken() -> None:
    found = Found(response("b.test. 5 IN A 192.0.2.1", "c.test. 5 IN CNAME a.test."), "a.test", "A")
    assert found.records == ()
    found = Found(
        response("a.test. 5 CH A b.test. 1") if False else response("a.test. 5 IN A 192.0.2.1"), "a.test", "AAAA"
    )
    assert found.records == ()


def test_circles() -> None:
    for answers in (["a.test. 5 IN CNAME a.test."], ["a.test. 5 IN CNAME b.test.", "b.test. 5 IN CNAME a.test."]):
        with pytest.raises(Loop):
            Found(response(*answers), "a.test", "A")
        assert Found(response(*answers), "a.test", "CNAME").records


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(11),
        # A name that points to itself, and one that points ahead.
        bytes(5) + b"\1" + bytes(6) + b"\xc0\x0c\0\1\0\1",
        b"\0\0\x81\x80\0\0\0\1\0\0\0\0" + b"\xc0\x0e\xc0\x0c\0\1\0\1" + bytes(6),
        # An address of three bytes.
        b"\0\0\x81\x80\0\0\0\1\0\0\0\0" + b"\0\0\1\0\1\0\0\0\5\0\3\1\2\3",
        # More records than there are.
        b"\0\0\x81\x80\0\0\xff\xff\0\0\0\0",
    ],
)
def test_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        read(data)


@given(st.binary(max_size=120))
def test_readOfAnyBytes(data: bytes) -> None:
    try:
        found = read(data)
    except Malformed:
        return
    assert found.rcode >= 0
    for owner, _, record in found.answers:
        assert owner == record.name.lower() and owner.isprintable() and record.ttl >= 0


# ---- The order of use ----


def test_mailByPreference() -> None:
    several = [MX("x", 1, preference, str(preference)) for preference in (30, 10, 20, 10)]
    assert [each.preference for each in records.inOrderOfUse(several, Random(1).randrange)] == [10, 10, 20, 30]  # type: ignore[attr-defined]
    assert records.inOrderOfUse([], Random(1).randrange) == []


def test_RFC2782_servicesByPriorityAndWeight() -> None:
    """Those of a priority as often first as their weight says; one of weight 0 seldom, but sometimes."""
    random = Random(5)
    services = [SRV("x", 1, 1, weight, 1, str(weight)) for weight in (0, 10, 30)] + [SRV("x", 1, 0, 0, 1, "first")]
    first = []
    for _ in range(1000):
        ordered = records.inOrderOfUse(services, random.randrange)
        assert ordered[0] == services[3] and sorted(ordered, key=repr) == sorted(services, key=repr)
        first.append(ordered[1].weight)  # type: ignore[attr-defined]
    assert 0 < first.count(0) < first.count(10) < first.count(30)


def test_recordsCanBeKeptInSets() -> None:
    web = records.HTTPS("x", 1, 1, ".", {"alpn": "h2"})
    assert len({web, records.HTTPS("x", 1, 1, ".", {"alpn": "h2"}), A("x", 1, "192.0.2.1")}) == 2
    with pytest.raises(AttributeError):
        web.ttl = 5  # type: ignore[misc]
