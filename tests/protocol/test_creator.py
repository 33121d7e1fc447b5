"""`ClientCreator` over real connections; tests/protocol/test_reconnecting.py compares it with Twisted's."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import pytest
from net import Net, Traced

from reactor.defer import CancelledError
from reactor.error import ConnectionRefusedError, TimeoutError
from reactor.protocol import ClientCreator


class Greeter(Traced):
    def __init__(self, name: str, **on: Any) -> None:
        super().__init__(**on)
        self.name = name


def test_the_protocol_is_made_of_the_arguments_and_connected(net: Net) -> None:
    listening = net.listen(data=lambda protocol, data: protocol.write(data))
    creator = ClientCreator(net.reactor, Greeter, "one", lost=lambda *_: None)
    protocol = net.result(creator.connectTCP("127.0.0.1", listening.port))  # type: ignore[attr-defined]
    assert (protocol.name, protocol.events) == ("one", ["CM"])
    protocol.write(b"hello")
    net.until(lambda: protocol.received == b"hello")
    protocol.lose()
    net.until(lambda: protocol.lost)


def test_each_connection_has_a_protocol_of_its_own(net: Net) -> None:
    listening = net.listen()
    creator = ClientCreator(net.reactor, Greeter, "many")
    made = [net.result(creator.connectTCP("127.0.0.1", listening.port)) for _ in range(3)]  # type: ignore[attr-defined]
    assert len(set(made)) == 3
    for protocol in made:
        protocol.abort()
    net.until(lambda: all(protocol.lost for protocol in made))


def test_refused(net: Net) -> None:
    closed = net.plainListener()
    port = closed.getsockname()[1]
    closed.close()
    with pytest.raises(ConnectionRefusedError, match=str(port)):
        net.result(ClientCreator(net.reactor, Greeter, "x").connectTCP("127.0.0.1", port))


def test_a_wrong_argument_is_raised_at_once(net: Net) -> None:
    with pytest.raises(ValueError, match="65536"):
        ClientCreator(net.reactor, Greeter, "x").connectTCP("127.0.0.1", 65536)


def test_timeout_and_bind_address_are_passed_on(net: Net) -> None:
    listening = net.listen()
    creator = ClientCreator(net.reactor, Greeter, "bound")
    connecting = creator.connectTCP("127.0.0.1", listening.port, bindAddress=("127.0.0.2", 0))  # type: ignore[attr-defined]
    protocol = net.result(connecting)
    assert protocol.transport.getHost().host == "127.0.0.2"
    protocol.abort()
    net.until(lambda: protocol.lost)


def test_the_timeout(net: Net) -> None:
    # A name that nobody answers for: the resolver is asked, and silent.
    class Silent:
        def getHostByName(self, name: str, timeout: Any = None) -> Any:
            from reactor.defer import Deferred

            return Deferred()

    net.reactor.installResolver(Silent())
    with pytest.raises(TimeoutError):
        net.result(ClientCreator(net.reactor, Greeter, "x").connectTCP("silent.example", 1, timeout=0.02))


def test_cancelled_while_it_connects(net: Net) -> None:
    listening = net.plainListener()
    connecting = ClientCreator(net.reactor, Greeter, "x").connectTCP("127.0.0.1", listening.getsockname()[1])
    connecting.cancel()
    with pytest.raises(CancelledError):
        net.result(connecting)
    net.turn()


def test_cancelled_between_connected_and_fired(net: Net) -> None:
    listening = net.listen()
    made: list[Greeter] = []

    def cancel(protocol: Greeter) -> None:
        made.append(protocol)
        connecting.cancel()

    connecting = ClientCreator(net.reactor, Greeter, "x", made=cancel).connectTCP("127.0.0.1", listening.port)  # type: ignore[attr-defined]
    with pytest.raises(CancelledError):
        net.result(connecting)
    net.until(lambda: made[0].lost)
    assert made[0].events == ["CM", "CL(ConnectionDone)"]


def test_a_connection_that_is_over_is_freed_at_once(net: Net) -> None:
    listening = net.listen(made=lambda protocol: protocol.lose())
    protocol = net.result(ClientCreator(net.reactor, Greeter, "x").connectTCP("127.0.0.1", listening.port))  # type: ignore[attr-defined]
    kept = [protocol]
    gone = weakref.ref(protocol)
    del protocol
    net.until(lambda: kept[0].lost)
    gc.disable()
    try:
        kept.clear()
        net.turn()
        assert gone() is None
    finally:
        gc.enable()


def test_unix(net: Net, tmp_path: Path) -> None:
    if not hasattr(net.reactor, "connectUNIX"):
        pytest.skip("this reactor has no UNIX sockets")
    path = str(tmp_path / "socket")
    from net import TracedServer

    server = TracedServer(data=lambda protocol, data: protocol.write(data))
    net.servers.append(server)
    net.ports.append(net.reactor.listenUNIX(path, server))
    protocol = net.result(ClientCreator(net.reactor, Greeter, "unix").connectUNIX(path))
    protocol.write(b"hello")
    net.until(lambda: protocol.received == b"hello")
    protocol.lose()
    net.until(lambda: protocol.lost)
