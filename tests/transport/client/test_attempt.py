"""What becomes of a connect that does not succeed, or not at once.

Each `test_C<n>_...` is the row C<n> of the list of faults. Those that take a network namespace stand in
test_connect_in_namespace.py.
"""

from __future__ import annotations

import errno
import socket
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from connecting import BEGUN, Known, before, failedWith, four, noDescriptors, oneSelector, six
from net import DEADLINE, Net, Traced, TracedClient, TracedServer
from script import script
from strace import failing

from reactor.address import IPv4Address
from reactor.endpoints import TCP4ClientEndpoint
from reactor.error import (
    ConnectBindError,
    ConnectError,
    ConnectingCancelledError,
    ConnectionRefusedError,
    NoRouteError,
    NotConnectingError,
    TimeoutError,
    UserError,
)

LOCAL = "127.0.0.1"


# The rows.


def test_C1_closed_port(net: Net) -> None:
    client = net.connect(net.closedPort())
    assert client.events == BEGUN, "told before connectTCP returned"
    net.until(lambda: client.over)
    failedWith(client, ConnectionRefusedError, errno.ECONNREFUSED)


@oneSelector
def test_C1_closed_port_of_an_endpoint(net: Net) -> None:
    endpoint = TCP4ClientEndpoint(net.reactor, LOCAL, net.closedPort())
    with pytest.raises(ConnectionRefusedError) as caught:
        net.result(endpoint.connect(TracedServer()))
    assert caught.value.osError == errno.ECONNREFUSED


def test_C2_syn_dropped(net: Net) -> None:
    port = net.silentPort()
    began = time.monotonic()
    client = net.connect(port, timeout=0.5, failed=before(net, 0.7))
    net.until(lambda: client.over)
    took = time.monotonic() - began
    error = failedWith(client, TimeoutError)
    assert 0.5 <= error.elapsed <= took
    assert "timeout=0.5 s" in str(error)


def test_C2_late_answer_is_ignored(net: Net) -> None:
    listening = net.plainListener(0)
    filling = net.keep(socket.create_connection(listening.getsockname(), DEADLINE))
    client = net.connect(listening.getsockname()[1], timeout=0.02)
    net.until(lambda: client.over)
    # There is room again, and the next SYN would be answered.
    net.keep(listening.accept()[0])
    filling.close()
    net.assertIdle()
    failedWith(client, TimeoutError)


def test_C6_address_not_available(net: Net) -> None:
    server = net.listen()
    local = (LOCAL, net.closedPort())
    first = net.connect(server.port, bindAddress=local)
    net.until(lambda: first.built)
    # The same four numbers again.
    second = net.connect(server.port, bindAddress=local)
    net.until(lambda: second.over)
    failedWith(second, ConnectError, errno.EADDRNOTAVAIL)


INJECTED = """
import selectors, sys
from reactor.base import Reactor
from reactor.protocol import ClientFactory, Protocol, ServerFactory

name = sys.argv[1]
reactor = Reactor(None if name == "default" else getattr(selectors, name)())

class Client(Protocol):
    def connectionMade(self):
        print("CM")
        reactor.stop()

class Clients(ClientFactory):
    noisy = False
    protocol = Client

    def clientConnectionFailed(self, connector, reason):
        print(f"CCF({reason.type.__name__}, {reason.value.osError})")
        reactor.stop()

class Servers(ServerFactory):
    noisy = False
    protocol = Protocol

port = reactor.listenTCP(0, Servers(), interface="127.0.0.1")
reactor.connectTCP("127.0.0.1", port.getHost().port, Clients())
print("begun")
reactor.run()
"""


@pytest.mark.parametrize(("name", "selector"), [("EADDRNOTAVAIL", "default"), ("EACCES", "SelectSelector")])
def test_C6_injected_errors_of_connect(name: str, selector: str) -> None:
    printed = script(INJECTED, selector, prefix=failing(f"connect:error={name}:when=1"))
    assert printed == ["begun", f"CCF(ConnectError, {getattr(errno, name)})"]


def test_C6_interrupted() -> None:
    assert script(INJECTED, "PollSelector", prefix=failing("connect:error=EINTR:when=1")) == ["begun", "CM"]


@oneSelector
@pytest.mark.parametrize("port", [65536, -1])
def test_C9_port_out_of_range(net: Net, port: int) -> None:
    client = TracedClient()
    with pytest.raises(ValueError, match=rf"connectTCP.*{port}"):
        net.reactor.connectTCP(LOCAL, port, client)
    net.turn()
    assert client.events == [] and net.reactor.getDelayedCalls() == []


def test_C9_port_zero(net: Net) -> None:
    client = net.connect(0)
    net.until(lambda: client.over)
    failedWith(client, ConnectionRefusedError, errno.ECONNREFUSED)


def test_C11_no_descriptor_left(net: Net) -> None:
    port = net.listen().port
    with noDescriptors():
        client = net.connect(port)
        begun = list(client.events)
        net.turn()
    assert begun == BEGUN
    error = failedWith(client, ConnectBindError, errno.EMFILE)
    assert error.attempts[0][0] == IPv4Address("TCP", LOCAL, port)


@pytest.mark.parametrize("how", ["stopConnecting", "disconnect"])
@pytest.mark.parametrize("turns", [0, 3])
def test_C12_stopped(net: Net, how: str, turns: int) -> None:
    client = net.connect(net.silentPort())
    net.turn(turns)
    getattr(client.connector, how)()
    # Before that returned.
    error = failedWith(client, UserError)
    assert (error.host, error.port, error.phase) == (LOCAL, client.connector.port, "connect")
    with pytest.raises(NotConnectingError):
        client.connector.stopConnecting()
    client.connector.disconnect()
    net.turn()
    failedWith(client, UserError)


@pytest.mark.parametrize("how", ["stopConnecting", "disconnect"])
def test_C12_stopped_inside_startedConnecting(net: Net, how: str) -> None:
    def started(client: TracedClient, connector: Any) -> None:
        getattr(connector, how)()
        assert client.events[-2:] == ["CCF(UserError)", "doStop"]
        with pytest.raises(NotConnectingError):
            connector.stopConnecting()

    server = net.listen()
    client = net.connect(server.port, started=started)
    net.turn()
    failedWith(client, UserError)
    assert server.built == []


@pytest.mark.parametrize("turns", [0, 3])
def test_C13_cancelled(net: Net, turns: int) -> None:
    server = net.plainListener(0)
    port = server.getsockname()[1]
    net.keep(socket.create_connection((LOCAL, port), DEADLINE))
    factory = TracedServer()
    forgotten = weakref.ref(factory)
    connecting = TCP4ClientEndpoint(net.reactor, LOCAL, port).connect(factory)
    assert factory.events == ["startFactory"]
    net.turn(turns)
    connecting.cancel()
    with pytest.raises(ConnectingCancelledError) as caught:
        net.result(connecting)
    assert (caught.value.host, caught.value.port) == (LOCAL, port)
    assert factory.events == ["startFactory", "stopFactory"]
    assert net.reactor.getWriters() == [] and net.reactor.getDelayedCalls() == []
    connecting.cancel()
    del factory, connecting, caught
    assert forgotten() is None


def test_C15_buildProtocol_raises(net: Net) -> None:
    server = net.listen()
    problem = ZeroDivisionError("in buildProtocol")

    def build(addr: Any) -> Any:
        raise problem

    net.expectErrors(1)
    client = net.connect(server.port, build=build)
    net.until(lambda: client.over and server.built and server.built[0].lost)
    assert client.events == [*BEGUN, "buildProtocol", "CCF(ConnectError)", "doStop"]
    error: Any = client.reasons[0].value
    assert error.__cause__ is problem and "in buildProtocol" in str(error)
    assert (error.host, error.port, error.phase) == (LOCAL, server.port, "connect")


def test_C16_connectionMade_raises(net: Net) -> None:
    server = net.listen()
    problem = ZeroDivisionError()

    def made(protocol: Traced) -> None:
        raise problem

    net.expectErrors(1)
    client = net.connect(server.port, made=made)
    net.until(lambda: client.over)
    assert client.events[2:] == [*["buildProtocol", "CM", "CL(ZeroDivisionError)", "CCL(ZeroDivisionError)", "doStop"]]
    assert client.reasons[0].value is problem and client.built[0].reason is client.reasons[0]


def again(times: int) -> Callable[..., None]:
    """A hook that connects again so many times; it may not be called from inside itself."""
    left = iter(range(times))
    inside: list[Any] = []

    def hook(client: TracedClient, connector: Any, reason: Any) -> None:
        assert not inside and connector.state == "disconnected"
        inside.append(1)
        if next(left, None) is not None:
            connector.connect()
            assert connector.state == "connecting"
        inside.clear()

    return hook


def test_C17_again_inside_failed(net: Net) -> None:
    client = net.connect(net.closedPort(), failed=again(3))
    net.until(lambda: client.over)
    refused = ["startedConnecting", "CCF(ConnectionRefusedError)"]
    assert client.events == ["doStart", *refused * 4, "doStop"]
    # Each is an attempt of its own, with a time of its own.
    assert len({id(reason.value) for reason in client.reasons}) == 4


def test_C17_again_inside_lost(net: Net) -> None:
    server = net.listen()
    client = net.connect(server.port, connectionLost=again(3), made=lambda protocol: protocol.lose())
    net.until(lambda: client.over)
    came = ["startedConnecting", "buildProtocol", "CM", "CL(ConnectionDone)", "CCL(ConnectionDone)"]
    assert client.events == ["doStart", *came * 4, "doStop"]
    net.until(lambda: len(server.built) == 4 and all(protocol.lost for protocol in server.built))


@oneSelector
def test_C17_again_a_thousand_times(net: Net) -> None:
    client = net.connect(net.closedPort(), failed=again(1000))
    net.until(lambda: client.over)
    assert client.events.count("CCF(ConnectionRefusedError)") == 1001


def test_C18_connect_while_connected(net: Net) -> None:
    server = net.listen()
    client = net.connect(server.port)
    with pytest.raises(RuntimeError, match=r"can't connect in this state.*connecting"):
        client.connector.connect()
    net.until(lambda: client.built and server.built)
    with pytest.raises(RuntimeError, match=r"can't connect in this state.*connected"):
        client.connector.connect()
    net.turn()
    assert client.events == [*BEGUN, "buildProtocol", "CM"] and len(server.built) == 1


def test_C19_reset_before_it_is_seen(net: Net) -> None:
    listening = net.plainListener()
    client = net.connect(listening.getsockname()[1])
    # The kernel has connected, and this reactor has not looked yet.
    net.reset(listening.accept()[0])
    net.until(lambda: client.over)
    failedWith(client, ConnectError, errno.ECONNRESET)


def test_C19_reset_after_it_was_seen(net: Net) -> None:
    listening = net.plainListener()
    client = net.connect(listening.getsockname()[1], made=lambda protocol: net.reset(listening.accept()[0]))
    net.until(lambda: client.over)
    assert client.events[2:] == ["buildProtocol", "CM", "CL(ConnectionLost)", "CCL(ConnectionLost)", "doStop"]


def test_C21_the_first_address_is_dead(net: Net) -> None:
    server = net.listen()
    net.reactor.installNameResolver(Known(six(net.closedPort("::1")), four(server.port)))
    client = net.connect(server.port, "two.test")
    net.until(lambda: client.built)
    assert client.built[0].transport.getPeer() == four(server.port)


def test_C21_the_first_address_does_not_answer(net: Net) -> None:
    server = net.listen()
    net.reactor.installNameResolver(Known(four(net.silentPort()), four(server.port)))
    began = time.monotonic()
    # 0.25 s, as RFC 8305 says, and not what a kernel takes to give up.
    client = net.connect(server.port, "two.test", made=before(net, 0.5))
    net.until(lambda: client.built)
    assert time.monotonic() - began >= 0.25
    assert client.events == [*BEGUN, "buildProtocol", "CM"]


def test_C21_all_addresses_are_dead(net: Net) -> None:
    closed = net.closedPort()
    net.reactor.installNameResolver(Known(four(closed), four(9, "224.0.0.1")))
    endpoint = TCP4ClientEndpoint(net.reactor, "two.test", 80)
    with pytest.raises(NoRouteError) as caught:
        net.result(endpoint.connect(TracedServer()))
    # The error is the last one's, and knows the others.
    assert caught.value.osError == errno.ENETUNREACH
    assert [address for address, _ in caught.value.attempts] == [four(closed), four(9, "224.0.0.1")]
