"""Two protocols talk to each other, in memory and over sockets."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from net import Net, Traced
from zope.interface.verify import verifyObject

from protocols import loopback
from protocols.loopback import collapsingPumpPolicy, identityPumpPolicy, loopbackAsync, loopbackTCP, loopbackUNIX
from reactor.error import ConnectError
from reactor.interfaces import IAddress, IConsumer, ITransport
from reactor.protocol import Protocol


@pytest.fixture
def inside(net: Net, monkeypatch: pytest.MonkeyPatch) -> Net:
    """`net`, whose reactor is the one that is meant when none is named."""
    monkeypatch.setattr(loopback, "currentReactor", lambda: net.reactor)
    return net


pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


@pytest.mark.parametrize("connect", [loopbackAsync, loopbackTCP, loopbackUNIX])
def test_aConversation(inside: Net, connect: Callable[..., Any], tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    server = Traced(
        made=lambda self: self.write(b"hello"), data=lambda self, data: data == b"abc" and self.write(b"ABC")
    )
    client = Traced()

    def answered(self: Any, data: bytes) -> None:
        if self.received == b"hello":
            self.write(b"abc")
        elif self.received == b"helloABC":
            self.write(b"bye")
            self.lose()

    client.on = {"data": answered}
    noisy = {} if connect is loopbackAsync else {"noisy": False}
    assert inside.result(connect(server, client, **noisy)) is None
    assert (server.received, client.received[:8]) == (b"abcbye", b"helloABC")
    assert (server.events[-1], client.events[-1]) == ("CL(ConnectionDone)",) * 2
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "policy, events", [(identityPumpPolicy, ["DR(1)", "DR(2)", "DR(3)"]), (collapsingPumpPolicy, ["DR(6)"])]
)
def test_policies(inside: Net, policy: Any, events: list[str]) -> None:
    def greet(self: Any) -> None:
        self.write(b"a")
        self.transport.writeSequence([b"b", b"b"])
        self.write(b"ccc")
        self.lose()
        self.write(b"dropped")

    server, client = Traced(made=greet), Traced()
    assert loopbackAsync(server, client, policy).called
    assert client.events == ["CM", *events, "CL(ConnectionDone)"]
    assert client.transport.disconnecting
    client.transport.write(b"dropped")


def test_theTransport(inside: Net) -> None:
    server, client = Traced(), Traced()
    done = loopbackAsync(server, client)
    assert verifyObject(ITransport, server.transport) and verifyObject(IConsumer, server.transport)
    assert verifyObject(IAddress, server.transport.getPeer()) and verifyObject(IAddress, server.transport.getHost())
    with pytest.raises(TypeError, match=r"transport.write\(\): data must be bytes, not str"):
        server.transport.write("text")
    server.transport.abortConnection()
    assert not client.lost
    inside.result(done)


def test_aPullProducer(inside: Net) -> None:
    class Source:
        left = 3

        def resumeProducing(self) -> None:
            self.left -= 1
            server.write(b"x")
            if not self.left:
                server.transport.unregisterProducer()
                server.lose()

    server, client = Traced(made=lambda self: self.transport.registerProducer(Source(), False)), Traced()
    inside.result(loopbackAsync(server, client))
    assert client.events == ["CM", "DR(1)", "DR(1)", "DR(1)", "CL(ConnectionDone)"]
    with pytest.raises(RuntimeError, match="is registered"):
        server.transport.registerProducer(1, True)
        server.transport.registerProducer(2, True)


def test_whatIsRaised(inside: Net) -> None:
    def raising(self: Any, data: bytes) -> None:
        raise KeyError(data)

    with pytest.raises(KeyError):
        loopbackAsync(Traced(made=lambda self: self.write(b"now")), Traced(data=raising))
    server, client = Traced(), Traced(data=raising)
    done = loopbackAsync(server, client)
    server.write(b"later")
    assert not done.called
    with pytest.raises(KeyError):
        inside.result(done)


def test_noConnection(inside: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = inside.closedPort()
    connectTCP = inside.reactor.connectTCP
    monkeypatch.setattr(inside.reactor, "connectTCP", lambda host, port, factory: connectTCP(host, refused, factory))
    with pytest.raises(ConnectError):
        inside.result(loopbackTCP(Protocol(), Protocol(), noisy=False))


def test_noUNIXSocket(inside: Net, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def refuse(*args: Any) -> None:
        raise OSError("no more")

    monkeypatch.setattr(inside.reactor, "listenUNIX", refuse)
    with pytest.raises(OSError, match="no more"):
        loopbackUNIX(Protocol(), Protocol())
    assert os.listdir(tmp_path) == []
