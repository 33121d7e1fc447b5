"""The transports and reactors in memory do what Twisted's do: the same program with both, and what a test can see."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

import reactor.protocol
from reactor import testing as ours

theirs = pytest.importorskip("twisted.internet.testing", reason="Twisted is not installed")
theirProtocol = pytest.importorskip("twisted.internet.protocol", reason="Twisted is not installed")

SIDES = (
    SimpleNamespace(testing=ours, protocol=reactor.protocol),
    SimpleNamespace(testing=theirs, protocol=theirProtocol),
)


def seen(value: Any) -> Any:
    """What both sides show alike: values as they are, objects by the name of their class."""
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return value
    if isinstance(value, (list, tuple)):
        return [seen(each) for each in value]
    if isinstance(value, dict):
        return {key: seen(each) for key, each in value.items()}
    if hasattr(value, "host") and hasattr(value, "type"):
        return type(value).__name__, value.type, value.host, value.port
    if type(value).__name__ == "UNIXAddress":
        return "UNIXAddress", value.name
    return type(value).__name__.lstrip("_")


def told(f: Callable[..., Any], *args: Any, **kw: Any) -> Any:
    """What a call returns, or the class of what it raises."""
    try:
        return seen(f(*args, **kw))
    except Exception as e:
        return type(e).__name__


def strings(side: Any) -> Iterator[Any]:
    transport = side.testing.StringTransport()
    names = "disconnecting disconnected connected producer streaming producerState hostAddr peerAddr".split()

    def state() -> list[Any]:
        return [transport.value(), *(seen(getattr(transport, name)) for name in names)]

    yield state()
    for call in ("write(b'a')", "writeSequence([b'b', b'c'])", "getPeer()", "getHost()", "write('text')",
                 "registerProducer(1, True)", "registerProducer(2, False)", "unregisterProducer()",
                 "unregisterProducer()", "pauseProducing()", "resumeProducing()", "clear()", "write(b'd')",
                 "loseConnection()", "write(b'e')", "pauseProducing()", "resumeProducing()", "stopProducing()",
                 "abortConnection()"):  # fmt: skip
        yield call, told(eval, f"transport.{call}", {"transport": transport}), state()
    lenient = side.testing.StringTransport("host", "peer", lenient=True)
    yield told(lenient.getHost), told(lenient.getPeer), lenient.hostAddr, lenient.peerAddr
    lenient.loseConnection()
    yield told(lenient.resumeProducing), told(lenient.stopProducing), told(lenient.resumeProducing)


def disconnections(side: Any) -> Iterator[Any]:
    for end in ("loseConnection", "abortConnection"):
        transport = side.testing.StringTransportWithDisconnection()
        protocol = transport.protocol = side.testing.AccumulatingProtocol()
        protocol.makeConnection(transport)
        protocol.dataReceived(b"x")
        yield protocol.made, protocol.closed, protocol.data
        yield told(getattr(transport, end)), told(getattr(transport, end))
        yield protocol.closed, seen(protocol.closedReason.value)
        yield transport.connected, transport.disconnecting, transport.disconnected
    file = side.testing.StringIOWithoutClosing()
    file.write(b"y")
    yield file.close(), file.getvalue(), file.closed, isinstance(file, io.BytesIO)


def datagrams(side: Any) -> Iterator[Any]:
    transport = side.testing.FakeDatagramTransport()
    transport.write(b"a", ("h", 1))
    transport.write(b"b")
    yield transport.written[0], transport.written[1][1] is transport.noAddr


def producers(side: Any) -> Iterator[Any]:
    for stop in (False, True):
        transport = side.testing.StringTransport()
        producer = side.testing.NonStreamingProducer(transport)
        transport.registerProducer(producer, False)
        ended: list[Any] = []
        producer.result.addCallback(ended.append)
        for _ in range(3 if stop else 11):
            yield told(producer.resumeProducing), producer.counter, seen(transport.producer), list(ended)
        yield told(producer.pauseProducing), transport.value()
        if stop:
            yield told(producer.stopProducing), producer.stopped, ended, told(producer.resumeProducing)


RECORDS = (
    "tcpServers tcpClients sslServers sslClients unixServers unixClients adoptedPorts adoptedStreamConnections"
    " connectors whenRunningHooks triggers running hasRun hasStopped hasCrashed hasInstalled readers writers"
).split()


def reactors(side: Any) -> Iterator[Any]:
    for kind in (side.testing.MemoryReactor, side.testing.MemoryReactorClock):
        made = kind()
        factory = side.protocol.ClientFactory()
        called: list[Any] = []

        def state(made: Any = made) -> dict[str, Any]:
            # Twisted's `running` is None after a crash.
            return {name: seen(getattr(made, name)) for name in RECORDS} | {"running": bool(made.running)}

        yield state()
        for method, *args in (
            ("listenTCP", 1, factory), ("listenTCP", 2, factory, 5, "::1"), ("listenTCP", 3, factory, 5, "192.0.2.1"),
            ("connectTCP", "h.example", 1, factory), ("connectTCP", "::1", 2, factory, 7, ("192.0.2.1", 0)),
            ("listenSSL", 1, factory, "context"), ("connectSSL", "h.example", 1, factory, "context"),
            ("listenUNIX", "/a", factory, 5, 0o600, 1), ("connectUNIX", "/b", factory),
            ("connectUNIX", "/b", factory, 3),
            ("adoptStreamPort", 5, socket.AF_INET, factory), ("adoptStreamPort", 5, socket.AF_INET6, factory),
            ("adoptStreamPort", 5, socket.AF_UNIX, factory), ("adoptStreamConnection", 5, socket.AF_INET, factory),
            ("adoptDatagramPort", 5, socket.AF_INET, factory), ("adoptDatagramPort", 5, socket.AF_UNIX, factory),
            ("adoptDatagramPort", 5, socket.AF_INET6, factory, 77),
            ("addSystemEventTrigger", "before", "shutdown", called.append, 1), ("callWhenRunning", called.append, 2),
            ("addReader", 8), ("addWriter", 9), ("getReaders",), ("getWriters",), ("removeReader", 8),
            ("removeReader", 8), ("addReader", 9), ("removeAll",), ("removeWriter", 1), ("iterate",), ("run",),
            ("callWhenRunning", called.append, 3), ("crash",), ("stop",), ("resolve", "h"), ("fireSystemEvent", "x"),
            ("removeSystemEventTrigger", 0), ("run",),
        ):  # fmt: skip
            returned = told(getattr(made, method), *args)
            yield method, returned, state(), list(called)
        port, connector = made.listenTCP(1, factory, interface="::1"), made.connectTCP("192.0.2.1", 1, factory)
        yield told(port.getHost), told(port.startListening), told(port.stopListening)
        yield told(connector.getDestination), connector.stoppedConnecting, connector._disconnected
        yield told(connector.connect), told(connector.disconnect), told(connector.stopConnecting)
        yield connector.stoppedConnecting, connector._disconnected, made.connectors[-1] is connector
    made.callLater(2, called.append, "late")
    made.advance(1)
    made.advance(1)
    yield called, made.seconds(), made.installNameResolver(1) is not None, made.nameResolver


def raising(side: Any) -> Iterator[Any]:
    made = side.testing.RaisingMemoryReactor(ZeroDivisionError("listening"), OverflowError("connecting"))
    for method, count in (
        ("listenTCP", 2), ("listenSSL", 3), ("listenUNIX", 2), ("adoptStreamPort", 3), ("connectTCP", 3),
        ("connectSSL", 4), ("connectUNIX", 2), ("adoptStreamConnection", 3), ("adoptDatagramPort", 4),
    ):  # fmt: skip
        yield method, told(getattr(made, method), *range(count))
    yield told(side.testing.RaisingMemoryReactor().listenTCP, 1, 2)


def resolving(side: Any) -> Iterator[Any]:
    heard: list[Any] = []
    receiver = SimpleNamespace(
        resolutionBegan=lambda resolution: heard.append(("began", resolution.name)),
        addressResolved=lambda address: heard.append(seen(address)),
        resolutionComplete=lambda: heard.append("complete"),
    )
    resolution = side.testing.MemoryReactor().nameResolver.resolveHostName(receiver, "h.example", portNumber=5)
    yield heard, resolution.name


@pytest.mark.parametrize("program", [strings, disconnections, datagrams, producers, reactors, raising, resolving])
def test_theSameAsTwisteds(program: Callable[[Any], Iterator[Any]]) -> None:
    mine, its = (list(program(side)) for side in SIDES)
    assert len(mine) > 0
    for mineAt, itsAt in zip(mine, its, strict=True):
        assert mineAt == itsAt


def test_waitUntilAllDisconnected() -> None:
    for side in SIDES:
        clock = side.testing.MemoryReactorClock()
        ends = [SimpleNamespace(transport=SimpleNamespace(connected=True)) for _ in range(2)]
        fired: list[Any] = []
        side.testing.waitUntilAllDisconnected(clock, ends).addCallback(lambda _: fired.append(clock.seconds()))  # noqa: B023
        trace = []
        for end in ends:
            clock.pump([0.01] * 3)
            trace.append(list(fired))
            end.transport.connected = False
        clock.pump([0.01] * 3)
        assert trace == [[], []], side
        assert [round(moment, 3) for moment in fired] == [0.07], side
        assert clock.getDelayedCalls() == []


def test_whatIsNotThere() -> None:
    missing = {name for name in theirs.__all__ if not hasattr(ours, name)}
    # The one needs protocols, which the reactor knows nothing of, the other Twisted's own log.
    assert missing == {"LineSendingProtocol", "EventLoggingObserver"}
