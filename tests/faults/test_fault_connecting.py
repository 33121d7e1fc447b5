"""Rows C1 to C19 and L3 to L9 over every kind of connection and every selector."""

from __future__ import annotations

import errno
import os
import socket
import threading
from typing import Any

import pytest
import unixnet
from connecting import noDescriptors
from net import DEADLINE, Net, Traced, TracedClient, TracedServer
from peers import BEGUN, NUMBERS, connect, dial, ended, everywhere, meet, plainListener
from tls import listenSSL

from reactor._transport.client.resolver import ThreadedResolver
from reactor.endpoints import HostnameEndpoint, UNIXClientEndpoint
from reactor.error import ConnectingCancelledError, NotConnectingError

TRYING = BEGUN[:2]


def closed(net: Net, kind: str) -> Any:
    """Where nobody listens."""
    listening, where = plainListener(net, kind)
    listening.close()
    return where


def serve(net: Net, kind: str, build: Any = None, **on: Any) -> tuple[TracedServer, Any]:
    """A server of ours, and where it listens."""
    if kind == "unix":
        name = f"\0reactor-faults-{os.getpid()}-{next(NUMBERS)}"
        return unixnet.listen(net, name, build, on=on), name
    if kind == "tls":
        server: Any = listenSSL(net, None, build, **on)
    else:
        server = net.listen(build, "::1" if kind == "tcp6" else "127.0.0.1", **on)
    return server, server.port


@everywhere
def test_C1_everyKind(net: Net, kind: str) -> None:
    client = connect(net, kind, closed(net, kind))
    assert client.events == TRYING
    net.until(lambda: client.over)
    assert client.events == [*TRYING, "CCF(ConnectionRefusedError)", "doStop"]
    assert client.reasons[0].value.osError == errno.ECONNREFUSED


def test_C8_everySelector(net: Net) -> None:
    """Everything else goes on while a thread looks the name up, and the thread wakes a loop that waits."""
    looked = threading.Event()

    def unknown(*args: Any, **kw: Any) -> Any:
        assert looked.wait(DEADLINE)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    net.reactor.installNameResolver(ThreadedResolver(net.reactor._loop, getaddrinfo=unknown))
    client = net.connect(9, "x.invalid")
    first, second = net.pair()
    first.write(b"meanwhile")
    net.until(lambda: second.received == b"meanwhile")
    assert client.events == TRYING
    net.reactor.callInThread(looked.set)
    net.until(lambda: client.over)
    assert client.events == [*TRYING, "CCF(DNSLookupError)", "doStop"]
    assert (client.reasons[0].value.host, client.reasons[0].value.phase) == ("x.invalid", "resolve")


@everywhere
def test_C11_everyKind(net: Net, kind: str) -> None:
    warm, peer = meet(net, kind)
    _, where = plainListener(net, kind)
    with noDescriptors():
        client = connect(net, kind, where)
        begun = list(client.events)
        net.turn()
    assert begun == TRYING
    assert client.events == [*TRYING, "CCF(ConnectBindError)", "doStop"]
    assert client.reasons[0].value.osError == errno.EMFILE


@everywhere
@pytest.mark.parametrize("how", ["stopConnecting", "disconnect"])
def test_C12_everyKind(net: Net, kind: str, how: str) -> None:
    listening, client = dial(net, kind)
    getattr(client.connector, how)()
    assert client.events == [*TRYING, "CCF(UserError)", "doStop"]
    with pytest.raises(NotConnectingError):
        client.connector.stopConnecting()
    net.turn()
    assert client.over


@everywhere
def test_C13_everyKind(net: Net, kind: str) -> None:
    _, where = plainListener(net, kind)
    endpoint: Any
    if kind == "unix":
        endpoint = UNIXClientEndpoint(net.reactor, where)
    else:
        endpoint = HostnameEndpoint(net.reactor, "::1" if kind == "tcp6" else "127.0.0.1", where)
    factory = TracedServer()
    connecting = endpoint.connect(factory)
    connecting.cancel()
    with pytest.raises(ConnectingCancelledError):
        net.result(connecting)
    assert factory.built == []
    assert factory.events in ([], ["startFactory", "stopFactory"])


@everywhere
def test_C15_everyKind(net: Net, kind: str) -> None:
    server, where = serve(net, kind)

    def fail(address: Any) -> Any:
        raise ZeroDivisionError("in buildProtocol")

    client = connect(net, kind, where, fail)
    net.until(lambda: client.over and server.built and server.built[0].lost)
    assert client.events == [*TRYING, "buildProtocol", "CCF(ConnectError)", "doStop"]
    assert isinstance(client.reasons[0].value.__cause__, ZeroDivisionError)
    net.expectErrors(1)


@everywhere
def test_C16_everyKind(net: Net, kind: str) -> None:
    def fail(protocol: Traced) -> None:
        raise ZeroDivisionError

    server, where = serve(net, kind)
    client = connect(net, kind, where, made=fail)
    net.until(lambda: client.over)
    assert client.events == ended(by="ZeroDivisionError")
    net.expectErrors(1)


@everywhere
def test_C17_everyKind(net: Net, kind: str) -> None:
    left = iter(range(3))

    def again(client: TracedClient, connector: Any, reason: Any) -> None:
        if next(left, None) is not None:
            connector.connect()

    client = connect(net, kind, closed(net, kind), failed=again)
    net.until(lambda: client.over)
    failed = ["startedConnecting", "CCF(ConnectionRefusedError)"]
    assert client.events == ["doStart", *failed * 4, "doStop"]


@everywhere
def test_C17_everyKindInsideLost(net: Net, kind: str) -> None:
    left = iter(range(3))

    def again(client: TracedClient, connector: Any, reason: Any) -> None:
        if next(left, None) is not None:
            connector.connect()

    server, where = serve(net, kind)
    client = connect(net, kind, where, connectionLost=again, made=lambda p: p.lose())
    net.until(lambda: client.over)
    once = [*BEGUN[1:], "CL(ConnectionDone)", "CCL(ConnectionDone)"]
    assert client.events == ["doStart", *once * 4, "doStop"]


@everywhere
def test_C18_everyKind(net: Net, kind: str) -> None:
    protocol, _ = meet(net, kind)
    with pytest.raises(RuntimeError, match=r"can't connect in this state.*connected"):
        net.clients[0].connector.connect()
    assert protocol.events == BEGUN


@everywhere
def test_C19_everyKind(net: Net, kind: str) -> None:
    listening, client = dial(net, kind)
    net.turn(1)
    net.reset(listening.accept()[0])
    net.until(lambda: client.over)
    # A UNIX socket has an end where others have a reset; TLS has not shaken hands.
    assert client.events == {
        "unix": ended(by="ConnectionDone"),
        "tls": [*TRYING, "CCF(ConnectError)", "doStop"],
    }.get(kind, ended(by="ConnectionLost"))


# Listening.


def knock(net: Net, kind: str, where: Any) -> socket.socket:
    """A plain client that says nothing."""
    family = {"unix": socket.AF_UNIX, "tcp6": socket.AF_INET6}.get(kind, socket.AF_INET)
    address = where if kind == "unix" else ("::1" if kind == "tcp6" else "127.0.0.1", where)
    sock = net.keep(socket.socket(family))
    sock.connect(address)
    return sock


@everywhere
def test_L3_everyKind(net: Net, kind: str) -> None:
    """Whoever waits is turned away, timers go on, nothing spins; and then accepting works again."""
    server, where = serve(net, kind)
    # What is loaded by the first message in the log, and by the first handshake, has its descriptors behind it.
    warm = connect(net, kind, where)
    net.until(lambda: server.built and "CM" in warm.events)
    waiting = [knock(net, kind, where) for _ in range(5)]
    ticks: list[int] = []
    with noDescriptors():
        for client in waiting:
            try:
                assert net.receive(client) == b""
            except ConnectionResetError:
                assert kind != "unix"
        turns = net.turns
        for _ in range(3):
            net.reactor.callLater(0.002, ticks.append, 1)
            net.until(lambda: ticks)
            assert ticks.pop()
        assert net.turns - turns < 15
    assert len(server.built) == 1
    later = connect(net, kind, where)
    net.until(lambda: len(server.built) == 2 and "CM" in later.events)
    assert [record.levelname for record in net.logged()] == ["WARNING"]
    assert warm.events == later.events == BEGUN
    assert [protocol.events for protocol in server.built] == [["CM"], ["CM"]]


@everywhere
def test_L5_everyKind(net: Net, kind: str) -> None:
    builds = iter([ZeroDivisionError("of the factory"), None, Traced()])

    def build(address: Any) -> Any:
        built = next(builds)
        if isinstance(built, Exception):
            raise built
        return built

    server, where = serve(net, kind, build)
    for _ in range(2):
        refused = connect(net, kind, where)
        net.until(lambda refused=refused: refused.over)
        assert refused.events == ended(by="ConnectionDone")
    welcome = connect(net, kind, where)
    net.until(lambda: server.built and "CM" in welcome.events)
    net.expectErrors(1)


@everywhere
def test_L6_everyKind(net: Net, kind: str) -> None:
    def fail(protocol: Traced) -> None:
        raise KeyError("of the protocol")

    server, where = serve(net, kind, made=fail)
    client = connect(net, kind, where)
    net.until(lambda: client.over and server.built[0].lost)
    assert server.built[0].events == ["CM", "CL(KeyError)"]
    # Under TLS there is no farewell of a connection that broke off.
    assert client.events == ended(by="ConnectionLost" if kind == "tls" else "ConnectionDone")
    net.expectErrors(1)


@everywhere
def test_L9_everyKind(net: Net, kind: str) -> None:
    server, where = serve(net, kind)
    client = connect(net, kind, where)
    net.until(lambda: server.built and "CM" in client.events)
    assert net.result(server.listening.stopListening()) is None
    server.listening.stopListening()
    refused = connect(net, kind, where)
    net.until(lambda: refused.over)
    assert refused.events == [*TRYING, "CCF(ConnectionRefusedError)", "doStop"]
    client.built[0].write(b"x")
    net.until(lambda: server.built[0].received == b"x")
    assert client.events == BEGUN
