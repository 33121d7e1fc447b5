"""What network tests stand on: a reactor of their own, two ends that keep a trace, and the invariants that hold after
every case.

The fixture `net` gives a `Net`. Its `until` turns the reactor until something is true, under a deadline; when the test
is over it asserts

- I1: `connectionLost` exactly once for each `connectionMade`, and nothing called on a protocol afterwards;
- I2: exactly one of `clientConnectionFailed` and `clientConnectionLost` for each `startedConnecting`;
- I4: the descriptors are those of before, and the threads and child processes;
- I5: the reactor, left alone, does not spin;
- I6: nothing told from inside `write`, `loseConnection` or `abortConnection`;
- I7: as many errors in the log as the test said it provokes (`net.expectErrors`), and no other;
- I8: no warning (pytest makes them errors).
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import random
import selectors
import socket
import struct
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from patience import PATIENCE

from reactor._ground.naming import said
from reactor.base import Reactor
from reactor.defer import Deferred
from reactor.failure import Failure
from reactor.protocol import ClientFactory, Factory, Protocol
from reactor.testing.leftovers import Before

DEADLINE = PATIENCE
PHASES: tuple[Literal["setup", "call", "teardown"], ...] = ("setup", "call", "teardown")
SELECTORS = [
    getattr(selectors, name) for name in ("SelectSelector", "PollSelector", "EpollSelector") if hasattr(selectors, name)
]


class Traced(Protocol):
    """A protocol that keeps a trace in `events`.

    `on[hook]`, if given, is called with the protocol (and the data or reason).
    """

    # Any: tests look into corners that the public types do not show.
    transport: Any

    def __init__(self, **on: Callable[..., Any]) -> None:
        self.events: list[str] = []
        self.received = b""
        self.reason: Any = None
        self.busy = False
        self.on = on
        self.lost = 0

    def _heard(self, event: str, hook: str, *args: Any) -> None:
        assert not self.lost, f"{event} after connectionLost: {self.events}"
        assert not self.busy, f"{event} inside a call of the transport: {self.events}"
        self.events.append(event)
        call = self.on.get(hook)
        if call is not None:
            call(self, *args)

    def connectionMade(self) -> None:
        self._heard("CM", "made")

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        self._heard(f"DR({len(data)})", "data", data)

    def connectionLost(self, reason: Failure) -> None:
        self.reason = reason
        try:
            self._heard(f"CL({type(reason.value).__name__})", "lost", reason)
        finally:
            self.lost += 1

    def write(self, data: Any) -> None:
        self.ask("write", data)

    def lose(self) -> None:
        self.ask("loseConnection")

    def abort(self) -> None:
        self.ask("abortConnection")

    def ask(self, method: str, *args: Any) -> None:
        """Call the transport, during which nothing may be told."""
        lost, self.busy = self.lost, True
        try:
            getattr(self.transport, method)(*args)
        finally:
            self.busy = False
        assert self.lost == lost, f"connectionLost inside {method}"

    @property
    def short(self) -> list[str]:
        """The trace with the data merged: no test depends on how bytes are cut."""
        merged: list[str] = []
        for event in self.events:
            if event.startswith("DR"):
                if merged and merged[-1] == "DR*":
                    continue
                event = "DR*"
            merged.append(event)
        return merged


class TracedServer(Factory):
    """Builds `Traced` protocols and keeps them."""

    noisy = False
    port: int
    listening: Any

    def __init__(self, build: Callable[[Any], Any] | None = None, **on: Callable[..., Any]) -> None:
        self.built: list[Traced] = []
        self.events: list[str] = []
        self.build = build
        self.on = on

    def startFactory(self) -> None:
        self.events.append("startFactory")

    def stopFactory(self) -> None:
        self.events.append("stopFactory")

    def buildProtocol(self, addr: Any) -> Any:
        self.events.append("buildProtocol")
        protocol = self.build(addr) if self.build is not None else Traced(**self.on)
        if isinstance(protocol, Traced):
            protocol.factory = self
            self.built.append(protocol)
        return protocol


class TracedClient(ClientFactory):
    """A client factory that keeps the trace of its hooks and its protocols'."""

    noisy = False
    connector: Any

    def __init__(self, build: Callable[[Any], Any] | None = None, **on: Callable[..., Any]) -> None:
        self.events: list[str] = []
        self.built: list[Traced] = []
        self.reasons: list[Failure] = []
        self.build = build
        self.on = on

    def _heard(self, event: str, hook: str, *args: Any) -> None:
        self.events.append(event)
        call = self.on.get(hook)
        if call is not None:
            call(self, *args)

    def doStart(self) -> None:
        self.events.append("doStart")
        super().doStart()

    def doStop(self) -> None:
        self.events.append("doStop")
        super().doStop()

    def startedConnecting(self, connector: Any) -> None:
        self._heard("startedConnecting", "started", connector)

    def buildProtocol(self, addr: Any) -> Any:
        self.events.append("buildProtocol")
        protocol = self.build(addr) if self.build is not None else Traced(**self.on)
        if isinstance(protocol, Traced):
            protocol.factory = self
            protocol.events = self.events
            self.built.append(protocol)
        return protocol

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        self.reasons.append(reason)
        self._heard(f"CCF({type(reason.value).__name__})", "failed", connector, reason)

    def clientConnectionLost(self, connector: Any, reason: Failure) -> None:
        self.reasons.append(reason)
        self._heard(f"CCL({type(reason.value).__name__})", "connectionLost", connector, reason)

    @property
    def over(self) -> bool:
        return self.events[-1:] == ["doStop"]

    @property
    def short(self) -> list[str]:
        merged: list[str] = []
        for event in self.events:
            if event.startswith("DR"):
                if merged and merged[-1] == "DR*":
                    continue
                event = "DR*"
            merged.append(event)
        return merged


def collectOnce() -> None:
    """Collect garbage; what is left is looked through by no later collection, which is about one test's things."""
    gc.collect()
    gc.freeze()


class Net:
    """A reactor, and everything that a test opened on it."""

    def __init__(self, selector: selectors.BaseSelector | None, caplog: pytest.LogCaptureFixture) -> None:
        collectOnce()
        self.before = descriptors()
        self.others = Before()
        self.reactor = Reactor(selector)
        self.caplog = caplog
        self.errors = 0
        self.clients: list[TracedClient] = []
        self.servers: list[TracedServer] = []
        self.ports: list[Any] = []
        self.sockets: list[socket.socket] = []
        self.turns = 0
        self._count()

    def _count(self) -> None:
        poller: Any = self.reactor._loop.poller
        poll = poller.poll

        def counted(timeout: float) -> Any:
            self.turns += 1
            return poll(timeout)

        poller.poll = counted

    # Ends.

    def listen(
        self, build: Callable[[Any], Any] | None = None, interface: str = "127.0.0.1", **on: Any
    ) -> TracedServer:
        """A server on a free port; `server.port` is its number."""
        server = TracedServer(build, **on)
        port: Any = self.reactor.listenTCP(0, server, interface=interface)
        server.listening = port
        server.port = port.getHost().port
        self.ports.append(port)
        self.servers.append(server)
        return server

    def connect(
        self,
        port: int,
        host: str = "127.0.0.1",
        timeout: float | None = 5,
        bindAddress: Any = None,
        build: Any = None,
        **on: Any,
    ) -> TracedClient:
        """A client on its way; `client.connector` is its connector."""
        client = TracedClient(build, **on)
        self.clients.append(client)
        client.connector = self.reactor.connectTCP(host, port, client, timeout, bindAddress)
        return client

    def pair(self, server: dict[str, Any] | None = None, **on: Any) -> tuple[Traced, Traced]:
        """Two connected protocols, the client's and the server's.

        `on` are the client's hooks, `server` the server's.
        """
        listening = self.listen(**(server or {}))
        client = self.connect(listening.port, **on)
        self.until(lambda: client.built and listening.built and "CM" in listening.built[0].events)
        return client.built[0], listening.built[0]

    def socketPair(self, **on: Any) -> tuple[Traced, socket.socket]:
        """A connected client protocol and a plain blocking socket (with a time-out) at its other end."""
        listening = self.plainListener()
        client = self.connect(listening.getsockname()[1], **on)
        self.until(lambda: client.built and "CM" in client.built[0].events)
        peer = self.keep(listening.accept()[0])
        peer.settimeout(DEADLINE)
        return client.built[0], peer

    def plainListener(self, backlog: int = 50) -> socket.socket:
        """A plain listening socket on 127.0.0.1."""
        listening = self.keep(socket.create_server(("127.0.0.1", 0), backlog=backlog))
        listening.settimeout(DEADLINE)
        return listening

    def keep(self, sock: socket.socket) -> socket.socket:
        """Close it when the test is over."""
        self.sockets.append(sock)
        return sock

    def receive(self, sock: socket.socket, most: int | None = None, atOnce: int = 1 << 20) -> bytes:
        """What a plain socket receives until its end, or until it is `most` bytes, while the reactor turns.

        ConnectionResetError as recv has it.
        """
        sock.setblocking(False)
        received, end = bytearray(), time.monotonic() + DEADLINE
        while most is None or len(received) < most:
            assert time.monotonic() < end, f"{len(received)} bytes and no end within {DEADLINE} s; " + self.story()
            try:
                data = sock.recv(atOnce)
            except BlockingIOError:
                self.reactor.iterate(0.005)
                continue
            if not data:
                break
            received += data
            self.reactor.iterate(0)
        return bytes(received)

    def closedPort(self, interface: str = "127.0.0.1") -> int:
        """The number of a port on which nobody listens."""
        with socket.create_server(
            (interface, 0), family=socket.AF_INET6 if ":" in interface else socket.AF_INET
        ) as sock:
            return int(sock.getsockname()[1])

    def silentPort(self) -> int:
        """The number of a port on 127.0.0.1 that does not answer: its queue is full, and the system drops the SYN."""
        port = int(self.plainListener(0).getsockname()[1])
        self.keep(socket.create_connection(("127.0.0.1", port), DEADLINE))
        return port

    # Time.

    def until(self, true: Callable[[], Any], deadline: float = DEADLINE) -> Any:
        """Turn the reactor until `true()` is; its value. Of what is not yet there (`built[0]`) nothing is true."""

        def found() -> Any:
            with contextlib.suppress(LookupError):
                return true()
            return None

        end = time.monotonic() + deadline
        while not (value := found()):
            assert time.monotonic() < end, f"not within {deadline} s; " + self.story()
            self.reactor.iterate(0.02)
        return value

    def reasonOf(self, protocol: Traced) -> str:
        """Turn the reactor until `protocol` has lost its connection; the name of the reason's class."""
        self.until(lambda: protocol.lost)
        return type(protocol.reason.value).__name__

    def result(self, deferred: Deferred[Any], deadline: float = DEADLINE) -> Any:
        """Turn the reactor until `deferred` fires; its result, or its failure raised."""
        results: list[Any] = []
        deferred.addBoth(results.append)
        self.until(lambda: results, deadline)
        if isinstance(results[0], Failure):
            results[0].raiseException()
        return results[0]

    def turn(self, count: int = 3) -> None:
        """Turn the reactor `count` times without waiting."""
        for _ in range(count):
            self.reactor.iterate(0)

    def assertIdle(self, seconds: float = 0.004) -> None:
        """I5: within `seconds` of leaving it alone, the reactor turns a few times at most."""
        self.turn(5)
        before, end = self.turns, time.monotonic() + seconds
        while (rest := end - time.monotonic()) > 0:
            self.reactor.iterate(rest)
        assert self.turns - before <= 8, f"{self.turns - before} turns in {seconds} s of idleness; " + self.story()

    def story(self) -> str:
        """What happened so far, for messages."""
        return (
            f"clients {[c.events for c in self.clients]}, servers {[[p.events for p in s.built] for s in self.servers]}"
        )

    # Faults.

    @staticmethod
    def reset(sock: socket.socket) -> None:
        """Close a plain socket so that its peer gets a reset."""
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()

    def expectErrors(self, count: int = 1) -> None:
        """The test provokes `count` entries of level ERROR in the log."""
        self.errors += count

    def logged(self) -> list[logging.LogRecord]:
        """The entries of level WARNING and above that the reactor made."""
        # `caplog.records` are those of this phase of the test only.
        records = [record for phase in PHASES for record in self.caplog.get_records(phase)]
        return [r for r in records if r.name.startswith("reactor") and r.levelno >= logging.WARNING]

    # The end.

    def finish(self) -> None:
        """Close everything, and assert the invariants."""
        self.assertIdle()
        self.caplog_errors = [r for r in self.logged() if r.levelno >= logging.ERROR]
        entries = "\n".join(r.getMessage() + (said(r.exc_info[1]) if r.exc_info else "") for r in self.caplog_errors)
        for client in self.clients:
            client.on = {key: value for key, value in client.on.items() if key in ("made", "data")}
        for port in self.ports:
            port.stopListening()
        self.turn()
        for each in self.sockets:
            each.close()
        self.stopReactor()
        assert len(self.caplog_errors) == self.errors, f"I7: {self.errors} errors expected in the log, not:\n{entries}"
        for client in self.clients:
            self._invariants(client.events, client.built)
            started = client.events.count("startedConnecting")
            ended = sum(event.startswith(("CCF", "CCL")) for event in client.events)
            assert started == ended, f"I2: {client.events}"
            assert client.events.count("doStart") == client.events.count("doStop"), client.events
        for server in self.servers:
            for protocol in server.built:
                self._invariants(protocol.events, [protocol])
        self.reactor.close()
        self.clients.clear()
        self.servers.clear()
        gc.collect()
        assert descriptors() == self.before, "I4: descriptors differ"
        assert self.others.since() == [], "I4: threads or processes are left"

    def abandon(self) -> None:
        """Close everything and assert nothing: the test has failed, and the next one is not to suffer from it."""
        for each in self.sockets:
            each.close()
        with contextlib.suppress(BaseException):
            self.stopReactor()
        with contextlib.suppress(BaseException):
            self.reactor.close()
        self.clients.clear()
        self.servers.clear()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()

    def stopReactor(self) -> None:
        """Run the reactor's shutdown, as stop() does."""
        self.reactor.callWhenRunning(self.reactor.stop)
        self.reactor.run(installSignalHandlers=False)

    def _invariants(self, events: list[str], protocols: list[Traced]) -> None:
        made = events.count("CM")
        lost = sum(event.startswith("CL") for event in events)
        assert made == lost, f"I1: connectionMade {made} times, connectionLost {lost} times: {events}"


def pattern(size: int) -> bytes:
    """Bytes in which a piece that is missing, doubled or misplaced shows; the same ones for the same size."""
    return random.Random(size).randbytes(size)


def descriptors() -> dict[int, str]:
    """Every open descriptor of this process, and what it is."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            # The one that lists the directory.
            pass
    return found


@pytest.fixture(params=["default", "SelectSelector", "PollSelector"])
def net(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[Net]:
    """A `Net` over each kind of selector; the invariants are asserted when the test is over and has not failed."""
    made = Net(None if request.param == "default" else getattr(selectors, request.param)(), caplog)
    failed = request.session.testsfailed
    yield made
    if request.session.testsfailed == failed:
        made.finish()
    else:
        made.abandon()
