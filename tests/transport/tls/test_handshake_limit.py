"""How many clients of a port may be in the middle of their TLS handshake, and who goes when there are too many."""

from __future__ import annotations

import logging
import resource
import socket
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from net import Net, Traced, TracedServer, descriptors
from tls import clientOptions, connectSSL, listenSSL, plainServerContext, serverOptions

from reactor._transport.tls import halfopen
from reactor._transport.tls.halfopen import HANDSHAKE_LIMIT, HalfOpen, limitOf
from reactor.address import IPv4Address, IPv6Address
from reactor.endpoints import TCP4ServerEndpoint, wrapServerTLS

once = pytest.mark.parametrize("net", ["default"], indirect=True)


class Member:
    def __init__(self) -> None:
        self.away = 0

    def sendAway(self) -> None:
        self.away += 1


def records(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_theOldestGoes(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(halfopen, "monotonic", lambda: now[0])
    open_, members = HalfOpen(3, "the port"), [Member() for _ in range(10)]
    for member in members[:3]:
        open_.enter(member)
    open_.leave(members[1])
    open_.enter(members[3])
    assert [member.away for member in members] == [0] * 10
    open_.enter(members[4])
    assert [member.away for member in members[:5]] == [1, 0, 0, 0, 0]
    # It finishes in this very moment, or hears of its end: nobody minds.
    open_.leave(members[0])
    assert len(open_) == 3
    for member in members[5:]:
        open_.enter(member)
    assert [member.away for member in members] == [1, 0, 1, 1, 1, 1, 1, 0, 0, 0]
    # One line for all of them, and a minute later the next.
    (line,) = records(caplog)
    assert line == (
        "the port: more than handshakeLimit=3 unfinished TLS handshakes; of who has most the oldest goes, 1 so far"
    )
    now[0] += 60
    open_.enter(Member())
    assert records(caplog)[1].endswith("7 so far")
    open_.clear()
    assert (len(open_), members[9].away) == (0, 1)


def at(number: int) -> IPv4Address:
    return IPv4Address("TCP", f"192.0.2.{number}", 40_000 + number)


def test_onePeersFloodCostsNoOtherItsPlace() -> None:
    """At any rate, for as long as a slow handshake may take."""
    open_, honest = HalfOpen(10, "the port"), [Member() for _ in range(8)]
    for number, member in enumerate(honest):
        open_.enter(member, at(number))
    flood = [Member() for _ in range(1000)]
    for number, member in enumerate(flood):
        # Now and then one of the others is done, and comes again.
        if number % 100 == 50:
            open_.leave(honest[0])
            open_.enter(honest[0], at(0))
        open_.enter(member, at(99))
        assert len(open_) <= 10
    assert [member.away for member in honest] == [0] * 8
    assert [member.away for member in flood] == [1] * 998 + [0] * 2


def test_whoHasMostGoesFirst() -> None:
    open_ = HalfOpen(6, "the port")
    one, two, three = ([Member() for _ in range(5)] for _ in range(3))
    for member in one[:3]:
        open_.enter(member, at(1))
    for member in two[:2]:
        open_.enter(member, at(2))
    open_.enter(three[0], at(3))
    open_.enter(three[1], at(3))
    assert [member.away for member in one] == [1, 0, 0, 0, 0]
    # Now all have two: the first to have as many gives way, then the next.
    open_.enter(three[2], at(3))
    assert [member.away for member in three] == [1, 0, 0, 0, 0]
    open_.enter(two[2], at(2))
    assert [member.away for member in two] == [1, 0, 0, 0, 0]
    open_.enter(one[3], at(1))
    assert [member.away for member in one] == [1, 1, 0, 0, 0]


def test_asManyPeersAsPlaces() -> None:
    """Each with one: the oldest goes."""
    open_, members = HalfOpen(5, "the port"), [Member() for _ in range(20)]
    for number, member in enumerate(members):
        open_.enter(member, at(number))
    assert [member.away for member in members] == [1] * 15 + [0] * 5


def test_whoIsOnePeer() -> None:
    """All of a /64, and an IPv4 address in either family."""
    open_, honest = HalfOpen(3, "the port"), Member()
    open_.enter(honest, at(1))
    flood = [Member() for _ in range(10)]
    for number, member in enumerate(flood):
        open_.enter(member, IPv6Address("TCP", f"2001:db8::{number + 1:x}", 1))
    assert honest.away == 0
    both = [Member() for _ in range(3)]
    for member, host in zip(both, ("192.0.2.7", "::ffff:192.0.2.7", "::ffff:c000:207"), strict=True):
        kind = IPv6Address if ":" in host else IPv4Address
        open_.enter(member, kind("TCP", host, 1))
    assert sum(member.away for member in (*flood, *both)) == 11
    assert honest.away == 0


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans())), st.integers(1, 6))
def test_itsBookkeeping(steps: list[tuple[int, bool]], limit: int) -> None:
    """Against what can be counted by hand, whatever comes and goes."""
    open_ = HalfOpen(limit, "the port")
    there: list[tuple[int, Member]] = []
    for peer, comes in steps:
        if comes:
            member = Member()
            there.append((peer, member))
            open_.enter(member, at(peer))
            gone = [each for each in there if each[1].away]
            if len(there) > limit:
                counts = Counter(peer for peer, _ in there)
                (dropped,) = gone
                assert counts[dropped[0]] == max(counts.values())
                assert dropped == next(each for each in there if each[0] == dropped[0])
                there.remove(dropped)
            else:
                assert gone == []
        elif there:
            open_.leave(there.pop(peer % len(there))[1])
        assert len(open_) == len(there)
        counts = Counter(peer for peer, _ in there)
        assert open_._most == max(counts.values(), default=0)
        assert sum(map(len, open_._shares.values())) == sum(n * len(p) for n, p in open_._sizes.items()) == len(there)
    open_.clear()
    assert len(open_) == open_._most == 0 and not open_._shares and not open_._sizes


@once
@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"])
def test_anHonestClientBesideAFlood(net: Net, host: str) -> None:
    """A slow client of another address is let in by a full port; of the same address it is one of the crowd."""
    server = listenSSL(net, serverOptions(handshakeLimit=5))
    slow = net.keep(socket.create_connection(("127.0.0.1", server.port), source_address=(host, 0)))
    slow.sendall(b"\x16\x03\x01\x02")
    slow.setblocking(False)
    net.turn(2)
    halves = [half(net, server) for _ in range(20)]
    net.until(lambda: sum(map(isReset, halves)) >= 15)
    assert isReset(slow) is (host == "127.0.0.1")


def test_noLimit(caplog: pytest.LogCaptureFixture) -> None:
    open_, members = HalfOpen(None, "the port"), [Member() for _ in range(2000)]
    for member in members:
        open_.enter(member)
    assert len(open_) == 2000
    assert records(caplog) == []


def test_howManyTheyMayBe() -> None:
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    most = 10**9 if soft == resource.RLIM_INFINITY else soft // 2
    assert limitOf(plainServerContext(), "f") == min(HANDSHAKE_LIMIT, most)
    assert limitOf(serverOptions(), "f") == min(HANDSHAKE_LIMIT, most)
    assert limitOf(serverOptions(handshakeLimit=7), "f") == 7
    assert limitOf(serverOptions(handshakeLimit=None), "f") is None
    assert limitOf(serverOptions(handshakeLimit=10**9), "f") == most


@once
@pytest.mark.parametrize(("limit", "error"), [(0, ValueError), (-1, ValueError), ("7", TypeError), (True, TypeError)])
def test_whatIsNoLimit(net: Net, limit: Any, error: type[Exception]) -> None:
    options = serverOptions(handshakeLimit=limit)
    with pytest.raises(error, match=r"listenSSL\(\): handshakeLimit"):
        net.reactor.listenSSL(0, TracedServer(), options)
    with pytest.raises(error, match=r"wrapServerTLS\(\): handshakeLimit"):
        wrapServerTLS(options, TCP4ServerEndpoint(net.reactor, 0))


def wrapped(net: Net, options: Any) -> Any:
    """As `listenSSL`, by an endpoint around another."""
    server = TracedServer(lambda address: Traced())
    endpoint = wrapServerTLS(options, TCP4ServerEndpoint(net.reactor, 0, interface="127.0.0.1"))
    port = net.result(endpoint.listen(server))
    server.listening, server.port = port, port.getHost().port
    net.ports.append(port)
    net.servers.append(server)
    return server


def half(net: Net, server: Any) -> socket.socket:
    """A client that begins a handshake and says no more."""
    sock = net.keep(socket.create_connection(("127.0.0.1", server.port)))
    sock.sendall(b"\x16\x03\x01\x02\x00\x01")
    sock.setblocking(False)
    return sock


def isReset(sock: socket.socket) -> bool:
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True
    except BlockingIOError:
        return False


def warnings(net: Net) -> list[str]:
    return [record.getMessage() for record in net.logged() if "handshakeLimit" in record.getMessage()]


@once
@pytest.mark.parametrize("listen", [listenSSL, wrapped])
def test_hundredsOfHalfHandshakes(net: Net, listen: Any) -> None:
    options = serverOptions(handshakeLimit=50, handshakeTimeout=0.5)
    server = listen(net, options)
    before = len(descriptors())
    halves = []
    for _ in range(250):
        halves.append(half(net, server))
        net.turn(1)
    net.until(lambda: sum(map(isReset, halves[:200])) == 200)
    # The youngest are held, with nothing behind those that were dropped.
    assert not any(map(isReset, halves[200:]))
    assert len(descriptors()) == before + 250 + 50
    assert len(warnings(net)) == 1
    # Whoever means it is served meanwhile.
    client = connectSSL(net, server.port)
    net.until(lambda: "CM" in client.events)
    client.built[0].write(b"hello")
    net.until(lambda: server.built and server.built[0].received == b"hello")
    # And in time they are all gone.
    net.until(lambda: all(map(isReset, halves[200:])), 5)
    assert len(server.built) == 1
    client.built[0].lose()
    net.until(lambda: client.over)
    assert len(descriptors()) == before + 250


@once
@pytest.mark.parametrize("listen", [listenSSL, wrapped])
def test_thoseWhoAreDoneCountNoMore(net: Net, listen: Any) -> None:
    server = listen(net, serverOptions(handshakeLimit=2))
    clients = []
    for _ in range(6):
        clients.append(connectSSL(net, server.port))
        net.until(lambda: "CM" in clients[-1].events and len(server.built) == len(clients))
    silent = [half(net, server) for _ in range(2)]
    net.turn()
    assert not any(map(isReset, silent))
    assert warnings(net) == []
    # A handshake that fails, or a client that goes, makes room as well.
    for sock in silent:
        sock.close()
    net.turn()
    silent = [half(net, server) for _ in range(2)]
    net.turn()
    assert not any(map(isReset, silent))
    assert warnings(net) == []
    for client in clients:
        client.built[0].lose()
    net.until(lambda: all(client.over for client in clients))


@once
@pytest.mark.parametrize("listen", [listenSSL, wrapped])
def test_stopListeningSendsThemAway(net: Net, listen: Any) -> None:
    server = listen(net, serverOptions())
    halves = [half(net, server) for _ in range(5)]
    client = connectSSL(net, server.port)
    net.until(lambda: "CM" in client.events and server.built)
    server.listening.stopListening()
    net.until(lambda: all(map(isReset, halves)))
    client.built[0].write(b"stays")
    net.until(lambda: server.built[0].received == b"stays")
    client.built[0].lose()
    net.until(lambda: client.over)


# An endpoint around another.


@once
def test_aWrappedServersFactory(net: Net) -> None:
    """buildProtocol is asked when the handshake is done; it may say no, or raise."""
    server = wrapped(net, serverOptions())
    bad = connectSSL(net, server.port, clientOptions("other.example"))
    net.until(lambda: bad.over)
    net.turn()
    assert "buildProtocol" not in server.events
    server.build = lambda address: None
    refused = connectSSL(net, server.port)
    net.until(lambda: refused.over)
    assert refused.short[-3:] == ["CL(ConnectionDone)", "CCL(ConnectionDone)", "doStop"]

    def fail(address: Any) -> Any:
        raise ValueError

    server.build = fail
    broken = connectSSL(net, server.port)
    net.until(lambda: broken.over)
    net.expectErrors(1)
    assert server.built == []
    assert server.events.count("buildProtocol") == 2
    server.listening.stopListening()
    net.turn()
    assert server.events[-1] == "stopFactory"


@once
def test_wrappedTwice(net: Net) -> None:
    server = TracedServer(lambda address: Traced())
    inner = TCP4ServerEndpoint(net.reactor, 0, interface="127.0.0.1")
    endpoint = wrapServerTLS(serverOptions(), wrapServerTLS(serverOptions(), inner))
    port = net.result(endpoint.listen(server))
    net.ports.append(port)
    net.servers.append(server)
    client = connectSSL(
        net, port.getHost().port, build=lambda a: Traced(made=lambda p: p.transport.startTLS(clientOptions()))
    )
    net.until(lambda: server.built)
    client.built[0].write(b"twice")
    net.until(lambda: server.built[0].received == b"twice")
    assert server.built[0].events == ["CM", "DR(5)"]


def test_itsName() -> None:
    endpoint = wrapServerTLS(plainServerContext(), TCP4ServerEndpoint(None, 443))
    assert repr(endpoint).startswith("<TLS over <TCP4ServerEndpoint")
    with pytest.raises(ValueError, match="wrapServerTLS"):
        wrapServerTLS(clientOptions().getContext(), TCP4ServerEndpoint(None, 443))
    with pytest.raises(TypeError, match="wrapServerTLS"):
        wrapServerTLS("the creator", TCP4ServerEndpoint(None, 443))
