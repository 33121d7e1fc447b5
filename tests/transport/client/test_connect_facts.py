"""What an error of a connect tells: where to, in which phase, after how long, and what was tried. And the odds and ends
of `connectTCP`'s arguments: time limits, services, factories that want no connection.
"""

from __future__ import annotations

import errno
import socket
import time
from typing import Any

import pytest
from connecting import BEGUN, Known, before, failedWith, four, six
from net import Net, TracedClient

from reactor.error import (
    ConnectBindError,
    ConnectionRefusedError,
    DNSLookupError,
    ServiceNameUnknownError,
    TimeoutError,
    UserError,
)
from reactor.protocol import ClientFactory, Factory

LOCAL = "127.0.0.1"
pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


def facts(error: Any) -> tuple[Any, ...]:
    return error.host, error.port, error.phase, error.osError


@pytest.mark.parametrize("host", [LOCAL, "::1"])
def test_factsOfOneAddress(net: Net, host: str) -> None:
    port = net.closedPort(host)
    began = time.monotonic()
    client = net.connect(port, host)
    net.until(lambda: client.over)
    error: Any = client.reasons[0].value
    assert facts(error) == (host, port, "connect", errno.ECONNREFUSED)
    ((address, problem),) = error.attempts
    assert address == (six(port) if host == "::1" else four(port)) and problem.errno == errno.ECONNREFUSED
    assert 0 < error.elapsed <= time.monotonic() - began
    assert str(error).startswith(
        f"Connection refused: could not connect to {'[::1]' if host == '::1' else host}:{port}"
    )


def test_factsOfTwoAddresses(net: Net) -> None:
    port = net.closedPort()
    net.reactor.installNameResolver(Known(six(port), four(9, "224.0.0.1"), four(port)))
    client = net.connect(port, "two.test")
    net.until(lambda: client.over)
    error: Any = client.reasons[0].value
    assert type(error) is ConnectionRefusedError
    assert facts(error) == ("two.test", port, "connect", errno.ECONNREFUSED)
    tried = [(address, getattr(problem, "errno", None)) for address, problem in error.attempts]
    assert tried == [
        (six(port), errno.ECONNREFUSED),
        (four(9, "224.0.0.1"), errno.ENETUNREACH),
        (four(port), errno.ECONNREFUSED),
    ]
    text = str(error)
    assert f"two.test:{port}" in text and f"[::1]:{port}: Connection refused" in text and "224.0.0.1:9: " in text


@pytest.mark.parametrize("how", ["timeout", "stopConnecting"])
def test_factsOfAddressesThatHadNotAnswered(net: Net, how: str) -> None:
    closed, silent = net.closedPort(), net.silentPort()
    net.reactor.installNameResolver(Known(four(silent), four(closed), four(1)))
    client = net.connect(80, "two.test", timeout=0.3 if how == "timeout" else None)
    if how == "timeout":
        net.until(lambda: client.over)
        # 0.25 s later came the second, at once the third.
        tried = [(four(closed), errno.ECONNREFUSED), (four(1), errno.ECONNREFUSED), (four(silent), errno.EINPROGRESS)]
    else:
        net.turn()
        client.connector.stopConnecting()
        tried = [(four(silent), errno.EINPROGRESS)]
    error: Any = client.reasons[0].value
    assert type(error) is (TimeoutError if how == "timeout" else UserError)
    assert facts(error) == ("two.test", 80, "connect", None)
    assert [(address, getattr(problem, "errno", None)) for address, problem in error.attempts] == tried
    if how == "timeout":
        assert f"{LOCAL}:{silent}: no answer" in str(error)


def test_factsOfANameThatIsBeingLookedUp(net: Net) -> None:
    class Slow:
        def resolveHostName(self, receiver: Any, *args: Any) -> Any:
            receiver.resolutionBegan(self)

        def cancel(self) -> None:
            cancelled.append(1)

    cancelled: list[int] = []
    net.reactor.installNameResolver(Slow())
    client = net.connect(80, "slow.test", timeout=0.02)
    net.until(lambda: client.over)
    stopped = net.connect(80, "slow.test", timeout=None)
    net.turn()
    stopped.connector.stopConnecting()
    for each, error in ((client, TimeoutError), (stopped, UserError)):
        assert type(each.reasons[0].value) is error
        assert facts(each.reasons[0].value) == ("slow.test", 80, "resolve", None)
        assert each.reasons[0].value.attempts == ()
    assert cancelled == [1, 1]


def test_factsOfAnUnknownName(net: Net) -> None:
    net.reactor.installNameResolver(Known())
    client = net.connect(80, "none.test")
    net.until(lambda: client.over)
    error: Any = client.reasons[0].value
    assert type(error) is DNSLookupError
    assert facts(error) == ("none.test", 80, "resolve", None)
    assert error.elapsed > 0 and error.attempts == ()


def test_factsOfALocalAddressThatIsNotOurs(net: Net) -> None:
    port = net.closedPort()
    client = net.connect(port, bindAddress=("192.0.2.1", 0))
    net.until(lambda: client.over)
    error = failedWith(client, ConnectBindError, errno.EADDRNOTAVAIL)
    assert facts(error)[:3] == (LOCAL, port, "connect")
    assert [(address, getattr(problem, "errno", None)) for address, problem in error.attempts] == [
        (four(port), errno.EADDRNOTAVAIL)
    ]


# Times and ports.


@pytest.mark.parametrize("timeout", [None, 0, float("inf"), 1e300])
def test_noTimeLimit(net: Net, timeout: float | None) -> None:
    client = net.connect(net.silentPort(), timeout=timeout)
    net.assertIdle(0.1)
    assert client.events == BEGUN
    client.connector.stopConnecting()
    assert net.reactor.getDelayedCalls() == []


def test_theTimeLimitIncludesTheLookUp(net: Net) -> None:
    class Slow:
        def resolveHostName(self, receiver: Any, *args: Any) -> Any:
            receiver.resolutionBegan(None)
            receiver.addressResolved(four(silent))
            net.reactor.callLater(0.05, receiver.resolutionComplete)

    silent = net.silentPort()
    net.reactor.installNameResolver(Slow())
    began = time.monotonic()
    client = net.connect(80, "slow.test", timeout=0.1, failed=before(net, 0.14))
    net.until(lambda: client.over)
    assert time.monotonic() - began >= 0.1
    assert facts(failedWith(client, TimeoutError)) == ("slow.test", 80, "connect", None)


def test_theTimeLimitEndsWithTheConnect(net: Net) -> None:
    client = net.connect(net.listen().port, timeout=0.05)
    net.until(lambda: client.built)
    assert net.reactor.getDelayedCalls() == []


def test_theNameOfAService(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    server = net.listen()
    monkeypatch.setattr(socket, "getservbyname", lambda *asked: {("our-service", "tcp"): server.port}[asked])
    client = TracedClient()
    net.clients.append(client)
    connector = net.reactor.connectTCP(LOCAL, "our-service", client)
    assert connector.getDestination() == four(server.port)
    net.until(lambda: client.built)


def test_theNameOfNoService(net: Net) -> None:
    client = TracedClient()
    with pytest.raises(ServiceNameUnknownError, match="no such service"):
        net.reactor.connectTCP(LOCAL, "no such service", client)
    assert client.events == []


def test_aFactoryThatWantsNoConnection(net: Net) -> None:
    server = net.listen()
    client = net.connect(server.port, build=lambda addr: None)
    net.until(lambda: client.over and server.built and server.built[0].lost)
    assert client.events[2:] == ["buildProtocol", "CCL(ConnectionDone)", "doStop"]


def test_theDefaultFactories(net: Net) -> None:
    # Straight from the package, with nothing overridden: what a beginner writes.
    factory = ClientFactory()
    connector = net.reactor.connectTCP(LOCAL, net.closedPort(), factory)
    net.until(lambda: connector.state == "disconnected")
    assert isinstance(factory, Factory) and factory.numPorts == 0
