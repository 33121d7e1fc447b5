"""D10 under TLS: what a connection was made of is freed when its last reference goes, without the garbage collector."""

from __future__ import annotations

import gc
import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from connecting import Known, four
from net import Net
from tls import clientOptions, connectSSL, impatient, listenSSL, startTLS, tls, tlsInTLS

from reactor._transport.client.attempt import Attempt, Dial
from reactor._transport.client.destination import Underway
from reactor._transport.stream.wire import Wire
from reactor._transport.tls.layer import Layer
from reactor._transport.tls.secure import _Securing
from reactor._transport.tls.side import Side

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)
KINDS = {"tls": tls, "tls in tls": tlsInTLS, "startTLS": startTLS}


@pytest.fixture(autouse=True)
def noCollector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def left() -> list[str]:
    """What there is of connections, and of the ways to them."""
    kinds = Layer | Wire | ssl.SSLObject | Side | Attempt | Dial | Underway | _Securing
    return [type(it).__name__ for it in gc.get_objects() if isinstance(it, kinds)]


def added(before: Counter[str]) -> list[str]:
    """What there is now and was not before, whatever other tests have left."""
    return sorted((Counter(left()) - before).elements())


def lose(first: Any, second: Any) -> None:
    first.lose()


def abort(first: Any, second: Any) -> None:
    first.abort()


def fail(first: Any, second: Any) -> None:
    second.transport.getHandle().send(b"garbage" * 10)


def silence(first: Any, second: Any) -> None:
    impatient(second)
    first.ask("pauseProducing")
    second.lose()
    first.lose()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("end", [lose, abort, fail, silence])
def test_anEndedConnectionIsFreed(net: Net, kind: str, end: Callable[[Any, Any], None]) -> None:
    from net import Traced

    before = Counter(left())
    first, second = KINDS[kind](net, Traced, Traced)
    assert added(before)
    end(first, second)
    net.until(lambda: first.lost and second.lost)
    net.turn()
    for protocol in (first, second):
        protocol.transport = None
    assert added(before) == []


def test_aFailedHandshakeIsFreed(net: Net) -> None:
    from tls import stranger

    before = Counter(left())
    server = listenSSL(net)
    client = connectSSL(net, server.port, clientOptions(ca=stranger()))
    net.until(lambda: client.over)
    net.turn()
    client.reasons.clear()
    assert added(before) == []


def test_anAttemptGivenUpIsFreed(net: Net) -> None:
    before = Counter(left())
    client = connectSSL(net, net.plainListener().getsockname()[1])
    net.until(lambda: bool(added(before)))
    client.connector.stopConnecting()
    net.turn()
    assert added(before) == []


@pytest.mark.parametrize("addresses", [1, 2])
def test_whatItWasMadeWithIsFreed(net: Net, addresses: int) -> None:
    """While it lasts: the attempts, and what stood between them and the handshake."""
    before = Counter(left())
    server = listenSSL(net)
    net.reactor.installNameResolver(Known(*[four(server.port), four(server.port, "127.0.0.2")][:addresses]))
    client = connectSSL(net, server.port, clientOptions("localhost"), host="name.test")
    net.until(lambda: client.built and server.built)
    net.turn()
    assert sorted(set(added(before))) == ["Layer", "SSLObject", "Side", "Wire"]
