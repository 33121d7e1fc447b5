"""Endpoints on processes: a program as a peer, and standard input and output as a client."""

from __future__ import annotations

from typing import Any

import pytest
from net import Net, Traced, TracedServer
from script import script

from reactor.address import ProcessAddress
from reactor.endpoints import (
    ProcessEndpoint,
    StandardErrorBehavior,
    StandardIOEndpoint,
    connectProtocol,
    serverFromString,
)
from reactor.error import NoProtocol, ProcessTerminated

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


def connected(net: Net, *args: Any, **kw: Any) -> Any:
    return net.result(connectProtocol(ProcessEndpoint(net.reactor, *args, **kw), Traced()))


def test_conversation(net: Net) -> None:
    protocol = connected(net, "cat", ["cat"])
    assert protocol.transport.getPeer() == protocol.transport.getHost() == ProcessAddress()
    protocol.write(b"hello")
    net.until(lambda: protocol.received == b"hello")
    protocol.lose()
    assert net.reasonOf(protocol) == "ConnectionDone"


def test_aProgramThatFails(net: Net) -> None:
    protocol = connected(net, "/bin/sh", ["sh", "-c", "echo said; exit 3"])
    assert net.reasonOf(protocol) == "ProcessTerminated"
    assert protocol.received == b"said\n"
    assert isinstance(protocol.reason.value, ProcessTerminated) and protocol.reason.value.exitCode == 3


def test_standardError(net: Net) -> None:
    arguments = ["/bin/sh", ["sh", "-c", "echo oops >&2"]]
    for flag in StandardErrorBehavior:
        protocol = connected(net, *arguments, errFlag=flag)
        assert net.reasonOf(protocol) == "ConnectionDone"
        assert protocol.received == b""
        said = [record.getMessage() for record in net.logged()]
        assert said == ["program '/bin/sh' wrote to its standard error: b'oops\\n'"]


def test_whatCannotBeConnected(net: Net) -> None:
    with pytest.raises(FileNotFoundError):
        connected(net, "/nonexistent")
    factory = TracedServer(lambda addr: None)
    with pytest.raises(NoProtocol):
        net.result(ProcessEndpoint(net.reactor, "cat").connect(factory))


def test_descriptions(net: Net) -> None:
    for text in ("stdio:", "stdio"):
        assert isinstance(serverFromString(net.reactor, text), StandardIOEndpoint)
    for text in ("stdio:80", "stdio:port=80"):
        with pytest.raises(ValueError, match="expected"):
            serverFromString(net.reactor, text)


def test_standardInputAndOutput(net: Net) -> None:
    source = """
        from reactor import reactor
        from reactor.endpoints import serverFromString
        from reactor.protocol import Factory, Protocol
        class Hello(Protocol):
            def connectionMade(self):
                self.transport.write(b"hello\\n")
                self.transport.loseConnection()
            def connectionLost(self, reason):
                reactor.stop()
        listening = serverFromString(reactor, "stdio:").listen(Factory.forProtocol(Hello))
        reactor.callWhenRunning(listening.addCallback, lambda io: io.write(b"dropped"))
        reactor.run()
        """
    assert script(source) == ["hello"]


def test_standardInputAndOutputFail(net: Net) -> None:
    with pytest.raises(ZeroDivisionError):
        net.result(StandardIOEndpoint(net.reactor).listen(TracedServer(lambda addr: 1 // 0)))
