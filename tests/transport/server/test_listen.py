"""Rows L1 to L12: ports. What is refused, what becomes of those who knock when something is wrong, and how to stop."""

from __future__ import annotations

import errno
import gc
import os
import resource
import shutil
import socket
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from net import Net, Traced, TracedServer, descriptors
from patience import PATIENCE
from script import outputs, script
from strace import failing

from reactor._transport.server.port import MOST_ACCEPTS, Port, Reserve
from reactor._transport.stream.tcp import TCPListener
from reactor.address import IPv4Address, IPv6Address
from reactor.defer import Deferred
from reactor.error import CannotListenError, UnsupportedAddressFamily, UnsupportedSocketType
from reactor.protocol import Factory

default = pytest.mark.parametrize("net", ["default"], indirect=True)


def hasIPv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


needsIPv6 = pytest.mark.skipif(not hasIPv6(), reason="there is no IPv6 here")


def knock(net: Net, port: Any) -> socket.socket:
    """A plain client that is connected as far as the kernel is concerned."""
    host = port.getHost()
    sock = net.keep(socket.create_connection((host.host, host.port), timeout=5))
    sock.setblocking(False)
    return sock


def ended(net: Net, sock: socket.socket) -> bytes:
    """What a plain client receives until the end; a reset counts as one."""
    received = b""

    def end() -> bool:
        nonlocal received
        try:
            data = sock.recv(1000)
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True
        received += data
        return not data

    net.until(end)
    return received


# Refused.


@default
def test_L1_portInUse(net: Net) -> None:
    taken = net.plainListener().getsockname()[1]
    before = descriptors()
    factory = TracedServer()
    with pytest.raises(CannotListenError) as caught:
        net.reactor.listenTCP(taken, factory, interface="127.0.0.1")
    e = caught.value
    assert (e.interface, e.port, e.osError) == ("127.0.0.1", taken, errno.EADDRINUSE)
    assert isinstance(e.socketError, OSError)
    assert e.socketError.errno == errno.EADDRINUSE
    assert f"127.0.0.1:{taken}" in str(e)
    # The first port of a reactor takes a reserve, and that is all.
    assert len(descriptors()) == len(before) + 1
    assert factory.events == []


@default
def test_L1_addressOfSomebodyElse(net: Net) -> None:
    # RFC 5737: for documentation, nobody's.
    with pytest.raises(CannotListenError) as caught:
        net.reactor.listenTCP(0, TracedServer(), interface="192.0.2.1")
    assert caught.value.osError == errno.EADDRNOTAVAIL
    assert net.reactor.getReaders() == []


@default
def test_L1_noAddressAtAll(net: Net) -> None:
    with pytest.raises(CannotListenError, match=r"host\.invalid"):
        net.reactor.listenTCP(0, TracedServer(), interface="host.invalid")


@default
@pytest.mark.parametrize("port", [65536, -1, 10**30])
def test_L2_portOutOfRange(net: Net, port: int) -> None:
    with pytest.raises(ValueError, match=rf"listenTCP\(\): port must be from 0 to 65535, not {port}"):
        net.reactor.listenTCP(port, TracedServer())


@default
@pytest.mark.parametrize("port", ["http", None, 1.0, b"80", True])
def test_L2_portOfAnotherType(net: Net, port: Any) -> None:
    with pytest.raises(TypeError, match=r"listenTCP\(\): port must be an int"):
        net.reactor.listenTCP(port, TracedServer())


@default
def test_L2_otherArguments(net: Net) -> None:
    with pytest.raises(TypeError, match="backlog must be an int, not '5'"):
        net.reactor.listenTCP(0, TracedServer(), backlog="5")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="backlog must not be negative, not -1"):
        net.reactor.listenTCP(0, TracedServer(), backlog=-1)
    with pytest.raises(TypeError, match="interface must be a str, not b'::1'"):
        net.reactor.listenTCP(0, TracedServer(), interface=b"::1")  # type: ignore[arg-type]


@default
def test_theFactoryCannotStart(net: Net) -> None:
    class Broken(TracedServer):
        def startFactory(self) -> None:
            raise KeyError("no")

    factory = Broken()
    with pytest.raises(KeyError):
        net.reactor.listenTCP(0, factory, interface="127.0.0.1")
    assert net.reactor.getReaders() == []
    assert factory.events == []


# No descriptor, no memory, or a client that is gone.

STARVED = """
    import logging, os, resource, socket, sys, time
    from reactor.base import Reactor
    from reactor.protocol import Factory, Protocol

    class Handler(logging.Handler):
        def emit(self, record):
            logged.append(record.getMessage())
    logged, ticks, accepted = [], [], []
    {configure}

    class Greets(Protocol):
        def connectionMade(self):
            accepted.append(self)
            self.transport.write(b"hello")
            self.transport.loseConnection()

    class Server(Factory):
        noisy = False
        protocol = Greets

    reactor = Reactor()
    port = reactor.listenTCP(0, Server(), interface="127.0.0.1")
    where = ("127.0.0.1", port.getHost().port)
    clients = [socket.socket() for _ in range(10)]
    later = socket.socket()
    for each in [*clients, later]:
        each.settimeout(60)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    full = []
    try:
        while True:
            full.append(os.dup(0))
    except OSError:
        pass
    for client in clients:
        client.connect(where)

    def tick():
        ticks.append(1)
        reactor.callLater(0.01, tick)
    tick()

    def answer(client):
        client.setblocking(False)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            reactor.iterate(0.05)
            try:
                return client.recv(10)
            except BlockingIOError:
                pass

    answers = [answer(client) for client in clients]
    print(answers == [b""] * 10, len(accepted))

    # Left alone, it does not spin, and time goes on.
    turns, poll = 0, reactor._loop.poller.poll
    def counted(timeout):
        global turns
        turns += 1
        return poll(timeout)
    reactor._loop.poller.poll = counted
    before = len(ticks)
    while len(ticks) < before + 5:
        reactor.iterate(1)
    print(turns < 30)

    for fd in full:
        os.close(fd)
    later.connect(where)
    print(answer(later), len(accepted))
    print(*logged, sep="\\n")
    for each in [*clients, later]:
        each.close()
    reactor.callWhenRunning(reactor.stop)
    reactor.run()
    reactor.close()
"""


def test_L3_noDescriptorLeft() -> None:
    printed = script(STARVED.format(configure="logging.getLogger('reactor').addHandler(Handler(logging.WARNING))"))
    assert printed[:3] == ["True 0", "True", "b'hello' 1"]
    (line,) = printed[3:]
    assert line.startswith("<Port of Server on ")
    assert line.endswith("cannot accept connections for now: [Errno 24] Too many open files")


def test_L3_notEvenOneToLoadTheLoggingWith() -> None:
    """Nothing was logged before: the module that does it is loaded when there is no descriptor left."""
    program = STARVED.format(configure="").replace("import logging, os", "import os")
    program = program.replace("class Handler(logging.Handler):", "class Handler:")
    printed, said = outputs(program)
    assert printed.splitlines()[:3] == ["True 0", "True", "b'hello' 1"]
    assert said.count("\n") == 1
    assert "cannot accept connections for now: [Errno 24] Too many open files" in said


@default
def test_L3_noReserveEither(net: Net) -> None:
    """Then it looks again after a while."""
    server = net.listen()
    port = server.listening  # type: ignore[attr-defined]
    reserve = net.reactor._reserve
    assert reserve is not None
    reserve.give()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    client = knock(net, port)
    try:
        # From here on not one more can be had.
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        net.turn(2)
        assert port not in net.reactor.getReaders()
        before = net.turns
        net.reactor.callLater(0.05, lambda: None)
        net.reactor.iterate(1)
        assert net.turns - before <= 2
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    net.until(lambda: server.built)
    assert port in net.reactor.getReaders()
    (record,) = net.logged()
    assert record.levelname == "WARNING"
    client.close()
    net.until(lambda: server.built[0].lost)


def test_reserve() -> None:
    before = descriptors()
    reserve = Reserve()
    assert len(descriptors()) == len(before) + 1
    reserve.take()
    assert len(descriptors()) == len(before) + 1
    assert reserve.give()
    assert not reserve.give()
    assert descriptors() == before
    reserve.take()
    assert len(descriptors()) == len(before) + 1
    del reserve
    gc.collect()
    assert descriptors() == before


@default
def test_oneReserveForAllPorts(net: Net) -> None:
    net.listen()
    before = len(descriptors())
    net.listen()
    assert len(descriptors()) == before + 1


@pytest.mark.parametrize(
    ("error", "selector", "kind"),
    [
        ("ENFILE", "default", "tcp4"),
        ("EMFILE", "SelectSelector", "unix"),
        ("ENOMEM", "PollSelector", "tcp6"),
        ("ENOBUFS", "default", "unix"),
        ("ECONNABORTED", "SelectSelector", "tcp4"),
        ("EPERM", "PollSelector", "tcp4"),
        ("EPROTO", "default", "tcp6"),
        ("EINTR", "PollSelector", "unix"),
        ("EAGAIN", "SelectSelector", "tcp6"),
        # What the network says of the connection that was to be returned (accept(2)), and what nobody has heard of.
        ("ENETDOWN", "default", "tcp4"),
        ("ENOPROTOOPT", "SelectSelector", "tcp4"),
        ("EHOSTDOWN", "PollSelector", "tcp6"),
        ("ENONET", "default", "tcp4"),
        ("EHOSTUNREACH", "SelectSelector", "tcp6"),
        ("EOPNOTSUPP", "PollSelector", "tcp4"),
        ("ENETUNREACH", "default", "tcp6"),
        ("ETIMEDOUT", "SelectSelector", "tcp4"),
        ("ECONNRESET", "PollSelector", "tcp6"),
        ("EIO", "default", "tcp4"),
    ],
)
def test_L4_acceptFails(error: str, selector: str, kind: str) -> None:
    """With no descriptor to be had the first is turned away; in any other case it is served. The second always is."""
    printed = script(
        """
        import logging, os, selectors, socket, sys
        from reactor.base import Reactor
        from reactor.protocol import Factory, Protocol
        logged = []
        class Handler(logging.Handler):
            def emit(self, record):
                logged.append(record.getMessage())
        logging.getLogger("reactor").addHandler(Handler(logging.WARNING))
        name, kind = sys.argv[1:]
        reactor = Reactor(None if name == "default" else getattr(selectors, name)())
        class Greets(Protocol):
            def connectionMade(self):
                self.transport.write(b"hello")
                self.transport.loseConnection()
        class Server(Factory):
            noisy = False
            protocol = Greets
        where = f"\\0reactor-accept-{os.getpid()}"
        if kind == "unix":
            port = reactor.listenUNIX(where, Server())
        else:
            port = reactor.listenTCP(0, Server(), interface="::1" if kind == "tcp6" else "127.0.0.1")
            where = (port.interface, port.getHost().port)
        family = {"unix": socket.AF_UNIX, "tcp4": socket.AF_INET, "tcp6": socket.AF_INET6}[kind]
        for _ in range(2):
            with socket.socket(family) as client:
                client.connect(where)
                client.setblocking(False)
                while True:
                    reactor.iterate(0.5)
                    try:
                        print(client.recv(10))
                        break
                    except BlockingIOError:
                        pass
        print(len(logged) <= 1, port.connected)
        reactor.callWhenRunning(reactor.stop)
        reactor.run()
        reactor.close()
        """,
        selector,
        kind,
        prefix=failing(f"accept4:error={error}:when=1..3"),
    )
    first = "b''" if error in ("EMFILE", "ENFILE") else "b'hello'"
    assert printed == [first, "b'hello'", "True True"]


@pytest.mark.parametrize(("error", "text"), [("EINVAL", "Invalid argument"), ("ENOTSOCK", "non-socket")])
def test_L4_anErrorThatStays(error: str, text: str) -> None:
    """The socket is no use any more: it is closed, rather than to be tried for ever."""
    printed, said = outputs(
        """
        import socket
        from reactor.base import Reactor
        from reactor.protocol import Factory
        reactor = Reactor()
        class Server(Factory):
            noisy = False
            def stopFactory(self):
                print("stopFactory")
                reactor.stop()
        port = reactor.listenTCP(0, Server(), interface="127.0.0.1")
        with socket.create_connection(("127.0.0.1", port.getHost().port)):
            reactor.run()
        print(port.connected)
        reactor.close()
        """,
        prefix=failing(f"accept4:error={error}"),
    )
    assert printed.splitlines() == ["stopFactory", "False"]
    assert said.count("\n") == 1
    assert text in said


@pytest.mark.parametrize(
    ("error", "entries"), [("ECONNABORTED", 0), ("EHOSTUNREACH", 0), ("EIO", 1), ("ENFILE", 1), ("ENOMEM", 1)]
)
def test_L4_forEver(error: str, entries: int) -> None:
    """Where trying again is of no use, it is not done all the time, and timers go on."""
    printed, said = outputs(
        """
        import socket
        from reactor.base import Reactor
        from reactor.protocol import Factory
        reactor = Reactor()
        port = reactor.listenTCP(0, Factory(), interface="127.0.0.1")
        turns, poll = 0, reactor._loop.poller.poll
        def counted(timeout):
            global turns
            turns += 1
            return poll(timeout)
        reactor._loop.poller.poll = counted
        with socket.create_connection(("127.0.0.1", port.getHost().port)):
            reactor.callLater(0.25, reactor.stop)
            reactor.run()
        # Batches of 1, 2, 4, 8, 16, 32 and 64 at most are a hundred failures, and between them there is a rest.
        print(2 < turns < 40)
        reactor.close()
        """,
        prefix=failing(f"accept4:error={error}"),
    )
    assert printed == "True\n"
    assert said.count("\n") == entries


# Factories and protocols that fail or refuse.


def test_L5_buildProtocolRaises(net: Net) -> None:
    net.expectErrors()
    build = iter([ZeroDivisionError("of the factory")])

    def first(addr: Any) -> Any:
        for error in build:
            raise error
        return Traced()

    server = net.listen(first)
    client = knock(net, server.listening)  # type: ignore[attr-defined]
    assert ended(net, client) == b""
    (record,) = net.logged()
    assert "TracedServer.buildProtocol raised for " in record.getMessage()
    assert "127.0.0.1" in record.getMessage()
    assert record.exc_info
    assert record.exc_info[0] is ZeroDivisionError
    # The next one is welcome.
    again = knock(net, server.listening)  # type: ignore[attr-defined]
    net.until(lambda: server.built)
    again.close()
    net.until(lambda: server.built[0].lost)
    assert server.built[0].events == ["CM", "CL(ConnectionDone)"]


def test_L5_buildProtocolReturnsNone(net: Net) -> None:
    server = net.listen(lambda addr: None)
    assert ended(net, knock(net, server.listening)) == b""  # type: ignore[attr-defined]
    assert ended(net, knock(net, server.listening)) == b""  # type: ignore[attr-defined]
    assert server.events == ["startFactory", "buildProtocol", "buildProtocol"]
    assert net.logged() == []


@default
def test_L5_theFactoryHasNoProtocol(net: Net) -> None:
    net.expectErrors()
    port = net.reactor.listenTCP(0, Factory(), interface="127.0.0.1")
    net.ports.append(port)
    assert ended(net, knock(net, port)) == b""


def test_L6_connectionMadeRaises(net: Net) -> None:
    net.expectErrors()

    def made(protocol: Traced) -> None:
        protocol.transport.write(b"before")
        raise KeyError("of the protocol")

    server = net.listen(made=made)
    client = knock(net, server.listening)  # type: ignore[attr-defined]
    ended(net, client)
    assert server.built[0].events == ["CM", "CL(KeyError)"]
    assert server.built[0].reason is not None
    assert server.built[0].reason.value.args == ("of the protocol",)
    other = net.connect(server.port)  # type: ignore[attr-defined]
    net.until(lambda: len(server.built) == 2)
    net.errors += 1
    net.until(lambda: other.over)


def test_L6_theAcceptedAreAPart(net: Net) -> None:
    """One connection's trouble is not another's, in one batch."""
    net.expectErrors(2)
    count = 0

    def made(protocol: Traced) -> None:
        nonlocal count
        count += 1
        if count in (2, 4):
            raise KeyError

    server = net.listen(made=made)
    clients = [knock(net, server.listening) for _ in range(5)]  # type: ignore[attr-defined]
    net.until(lambda: len(server.built) == 5)
    assert [protocol.events for protocol in server.built] == [["CM"], ["CM", "CL(KeyError)"]] * 2 + [["CM"]]
    for client in clients:
        client.close()
    net.until(lambda: all(protocol.lost for protocol in server.built))


# Stopping.


def test_L9_stopListening(net: Net) -> None:
    client, server = net.pair()
    factory, port = net.servers[0], net.ports[0]
    fd = port.fileno()
    results: list[Any] = []
    port.stopListening().addBoth(results.append)
    # Closed at once, told later.
    assert (port.connected, port.fileno(), port.getHandle()) == (False, -1, None)
    assert fd not in descriptors()
    assert (results, factory.events) == ([], ["startFactory", "buildProtocol"])
    second = port.stopListening()
    second.addBoth(results.append)
    net.turn(1)
    assert results == [None, None]
    assert factory.events == ["startFactory", "buildProtocol", "stopFactory"]
    third = net.result(port.stopListening())
    assert third is None
    # New connects are refused, live connections are untouched.
    refused = net.connect(factory.port)  # type: ignore[attr-defined]
    net.until(lambda: refused.over)
    assert "CCF(ConnectionRefusedError)" in refused.events
    client.write(b"still")
    net.until(lambda: server.received == b"still")
    assert server.events == ["CM", "DR(5)"]


@default
def test_L9_whatTheFactoryRaises(net: Net) -> None:
    class Broken(TracedServer):
        def stopFactory(self) -> None:
            raise KeyError("of the factory")

    port = net.reactor.listenTCP(0, Broken(), interface="127.0.0.1")
    first, second = port.stopListening(), port.stopListening()
    with pytest.raises(KeyError):
        net.result(first)
    assert net.result(second) is None
    assert not port.connected


@default
def test_L9_theDeferredIsCancelled(net: Net) -> None:
    port = net.listen().listening  # type: ignore[attr-defined]
    waiting = port.stopListening()
    waiting.addErrback(lambda failure: None)
    waiting.cancel()
    assert net.result(port.stopListening()) is None
    assert net.servers[0].events == ["startFactory", "stopFactory"]


def test_stopInsideBuildProtocol(net: Net) -> None:
    """The one that is being accepted is served, those behind it are not."""
    stopped: list[Any] = []

    def build(addr: Any) -> Traced:
        server.listening.stopListening().addCallback(stopped.append)  # type: ignore[attr-defined]
        return Traced(data=lambda protocol, data: protocol.write(data))

    server = net.listen(build)
    client = net.connect(server.port, made=lambda protocol: protocol.write(b"x"))  # type: ignore[attr-defined]
    behind = [knock(net, server.listening) for _ in range(3)]  # type: ignore[attr-defined]
    net.until(lambda: server.built)
    for sock in behind:
        assert ended(net, sock) == b""
    net.until(lambda: stopped)
    assert len(server.built) == 1
    assert server.events == ["startFactory", "buildProtocol", "stopFactory"]
    if client.built:
        net.until(lambda: client.built[0].received == b"x" or client.over)


def test_stopInsideConnectionMade(net: Net) -> None:
    stopped: list[Any] = []

    def made(protocol: Traced) -> None:
        server.listening.stopListening().addCallback(stopped.append)  # type: ignore[attr-defined]
        protocol.write(b"last")
        protocol.lose()

    server = net.listen(made=made)
    client = knock(net, server.listening)  # type: ignore[attr-defined]
    assert ended(net, client) == b"last"
    net.until(lambda: stopped)
    assert server.built[0].events == ["CM", "CL(ConnectionDone)"]


@default
def test_stopInsideStopFactory(net: Net) -> None:
    class Again(TracedServer):
        def stopFactory(self) -> None:
            super().stopFactory()
            again.append(port.stopListening())

    again: list[Deferred[None]] = []
    factory = Again()
    port = net.reactor.listenTCP(0, factory, interface="127.0.0.1")
    assert net.result(port.stopListening()) is None
    assert net.result(again[0]) is None
    assert factory.events == ["startFactory", "stopFactory"]


def test_startAgain(net: Net) -> None:
    server = net.listen()
    port = server.listening  # type: ignore[attr-defined]
    host = port.getHost()
    with pytest.raises(CannotListenError, match="listens already"):
        port.startListening()
    stopped = port.stopListening()
    port.startListening()
    # Both the stop and the start count for the factory.
    assert net.result(stopped) is None
    assert port.connected
    assert server.numPorts == 1
    client = net.connect(port.getHost().port)
    net.until(lambda: server.built and client.built)
    assert port.getHost().host == host.host
    first = port.stopListening()
    port.startListening()
    second = port.stopListening()
    assert net.result(second) is None
    assert net.result(first) is None
    assert (port.connected, server.numPorts) == (False, 0)


@default
def test_stopBeforeAnythingTurned(net: Net) -> None:
    server = net.listen()
    port = server.listening  # type: ignore[attr-defined]
    client = knock(net, port)
    stopped = port.stopListening()
    assert ended(net, client) == b""
    assert net.result(stopped) is None
    assert server.built == []


def test_Y6_theReactorStops(net: Net) -> None:
    server = net.listen()
    port = server.listening  # type: ignore[attr-defined]
    net.stopReactor()
    assert server.events == ["startFactory", "stopFactory"]
    assert (port.connected, port.fileno()) == (False, -1)
    assert net.result(port.stopListening()) is None
    assert server.events == ["startFactory", "stopFactory"]


@default
def test_Y6_stoppedWhileTheReactorStops(net: Net) -> None:
    """From a connectionLost that the shutdown calls: the factory is told before run() returns."""
    results: list[Any] = []
    client, _ = net.pair(lost=lambda protocol, reason: later.stopListening().addCallback(results.append))
    # Added last, so it is still open when the connection is closed.
    server = net.listen()
    later = server.listening  # type: ignore[attr-defined]
    net.stopReactor()
    assert client.lost == 1
    assert results == [None]
    assert server.events == ["startFactory", "stopFactory"]


@default
def test_Y6_aStoppedPortsFactoryRaises(net: Net) -> None:
    net.expectErrors()

    class Broken(TracedServer):
        def stopFactory(self) -> None:
            raise KeyError("of the factory")

    net.reactor.listenTCP(0, Broken(), interface="127.0.0.1")
    net.stopReactor()
    assert "Broken.doStop raised" in net.logged()[0].getMessage()


def test_pauseAndResume(net: Net) -> None:
    server = net.listen()
    port = server.listening  # type: ignore[attr-defined]
    port.pauseProducing()
    client = net.connect(server.port)  # type: ignore[attr-defined]
    net.until(lambda: client.built)
    net.assertIdle()
    assert server.built == []
    port.resumeProducing()
    net.until(lambda: server.built)
    port.stopListening()
    port.resumeProducing()
    net.turn()
    assert not port.connected


@default
def test_pausedByTheProgramWhileItRests(net: Net) -> None:
    """The end of the port's own rest is not the end of the program's pause, nor the other way round."""
    server = net.listen()
    port = server.listening
    port._rest()
    assert port not in net.reactor.getReaders()
    port.resumeProducing()
    assert port not in net.reactor.getReaders()
    port.pauseProducing()
    net.until(lambda: port._resting is None)
    assert port not in net.reactor.getReaders()
    port.resumeProducing()
    assert port in net.reactor.getReaders()


@default
def test_pausedInTheMiddleOfACrowd(net: Net) -> None:
    """Who pauses a port in buildProtocol, having enough, gets nobody else."""
    server = net.listen(made=lambda protocol: protocol.factory.listening.pauseProducing())
    port = server.listening
    port._batch = MOST_ACCEPTS
    clients = [knock(net, port) for _ in range(3)]
    net.until(lambda: server.built)
    net.assertIdle()
    assert len(server.built) == 1
    port.resumeProducing()
    net.until(lambda: len(server.built) == 2)
    for client in clients:
        client.close()
    port.resumeProducing()
    net.until(lambda: all(protocol.lost for protocol in server.built))


def test_L10_rebindAtOnce(net: Net) -> None:
    """Though one connection of the port is in TIME_WAIT, where closing first leaves it, and another one stands."""
    server = net.listen(made=lambda protocol: protocol.lose() if len(server.built) == 1 else None)
    number = server.port  # type: ignore[attr-defined]
    first = net.connect(number)
    net.until(lambda: first.over)
    assert server.built[0].events == ["CM", "CL(ConnectionDone)"]
    second = net.connect(number)
    net.until(lambda: second.built and len(server.built) == 2)
    net.result(net.ports[0].stopListening())
    again = TracedServer()
    port = net.reactor.listenTCP(number, again, interface="127.0.0.1")
    net.ports.append(port)
    net.servers.append(again)
    third = net.connect(number)
    net.until(lambda: again.built and third.built)
    second.built[0].write(b"x")
    net.until(lambda: server.built[1].received == b"x")


# A crowd.


@pytest.fixture
def thousands() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4000:
        pytest.skip(f"this process may have {hard} descriptors only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4000), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# Not over select, which knows no descriptor from 1024 on.
@pytest.mark.parametrize("net", ["default", "PollSelector"], indirect=True)
def test_L11_aThousandAtOnce(net: Net, thousands: None) -> None:
    count = 1000
    echo = {"data": lambda protocol, data: protocol.write(data)}
    server = TracedServer(None, **echo)
    port = net.reactor.listenTCP(0, server, backlog=count, interface="127.0.0.1")
    net.servers.append(server)
    net.ports.append(port)
    where = ("127.0.0.1", port.getHost().port)
    old = net.connect(where[1])
    net.until(lambda: old.built and server.built)
    with open("/proc/sys/net/core/somaxconn") as file:
        burst = min(count, int(file.read()))
    crowd = []
    for _ in range(burst):
        sock = net.keep(socket.socket())
        sock.setblocking(False)
        sock.connect_ex(where)
        crowd.append(sock)
    talk = old.built[0]
    while len(server.built) < 1 + burst:
        # A question on the old connection is answered within three turns, whatever the crowd.
        accepted, asked = len(server.built), len(talk.received)
        talk.write(b"?")
        net.until(lambda asked=asked: len(talk.received) > asked)
        assert len(server.built) - accepted <= 3 * MOST_ACCEPTS
    for sock in crowd:
        sock.send(b"x")
    net.until(lambda: sum(len(protocol.received) for protocol in server.built[1:]) == burst)
    for sock in crowd:
        assert net.receive(sock, 1) == b"x"


@default
def test_L11_batchesFollowTheCrowd(net: Net) -> None:
    server = net.listen()
    port = server.listening  # type: ignore[attr-defined]
    crowd = [knock(net, port) for _ in range(40)]
    sizes = []
    while len(server.built) < 40:
        before = len(server.built)
        net.reactor.iterate(1)
        sizes.append(len(server.built) - before)
    assert sizes == [1, 2, 4, 8, 16, 9]
    # Singly they come one at a time again: what a turn finds is what it was ready for.
    for n in range(41, 46):
        crowd.append(knock(net, port))
        net.until(lambda n=n: len(server.built) == n)
    assert port._batch <= 2 < MOST_ACCEPTS == 100
    for sock in crowd:
        sock.close()
    net.until(lambda: all(protocol.lost for protocol in server.built))


# Where.


def test_L12_anyPort(net: Net) -> None:
    server = net.listen()
    port = server.listening  # type: ignore[attr-defined]
    host = port.getHost()
    assert host == IPv4Address("TCP", "127.0.0.1", host.port)
    assert 0 < host.port <= 65535
    assert (port.port, port.interface, port.connected) == (host.port, "127.0.0.1", True)
    assert port.logPrefix() == "TracedServer"
    assert repr(port) == f"<Port of TracedServer on {host}>"
    client, accepted = net.connect(host.port), server.built
    net.until(lambda: client.built and accepted)
    assert accepted[0].transport.getHost() == host
    assert accepted[0].transport.getPeer() == client.built[0].transport.getHost()
    assert client.built[0].transport.getPeer() == host
    net.result(port.stopListening())
    assert port.getHost() == host
    assert "not listening" in repr(port)


@default
def test_L12_everyIPv4Address(net: Net) -> None:
    server = net.listen(interface="")
    port = server.listening  # type: ignore[attr-defined]
    assert port.getHost() == IPv4Address("TCP", "0.0.0.0", port.port)
    clients = [net.connect(port.port, host=host) for host in ("127.0.0.1", "127.0.0.2")]
    net.until(lambda: all(client.built for client in clients) and len(server.built) == 2)
    assert {p.transport.getHost().host for p in server.built} == {"127.0.0.1", "127.0.0.2"}


@needsIPv6
def test_L12_IPv6(net: Net) -> None:
    server = net.listen(interface="::1")
    port = server.listening  # type: ignore[attr-defined]
    assert port.getHost() == IPv6Address("TCP", "::1", port.port, 0, 0)
    client = net.connect(port.port, host="::1")
    net.until(lambda: client.built and server.built)
    assert server.built[0].transport.getPeer() == client.built[0].transport.getHost()
    refused = net.connect(port.port, host="127.0.0.1")
    net.until(lambda: refused.over)
    assert refused.built == []


@needsIPv6
@default
def test_L12_bothAtOnce(net: Net) -> None:
    server = net.listen(interface="::")
    port = server.listening  # type: ignore[attr-defined]
    assert port.getHost() == IPv6Address("TCP", "::", port.port, 0, 0)
    clients = [net.connect(port.port, host=host) for host in ("127.0.0.1", "::1")]
    net.until(lambda: all(client.built for client in clients) and len(server.built) == 2)
    assert {p.transport.getPeer().host for p in server.built} == {"::ffff:127.0.0.1", "::1"}


def test_L12_scope() -> None:
    """An address that is valid on one link only, in a network of its own."""
    if not (shutil.which("unshare") and shutil.which("ip")) or os.geteuid():
        pytest.skip("needs root, unshare and ip for a network of its own")
    tried = subprocess.run(["unshare", "-n", "true"], capture_output=True, timeout=PATIENCE, check=False)
    if tried.returncode:
        pytest.skip("there can be no network of its own here")
    printed = script(
        """
        import socket, subprocess
        def ip(*arguments):
            return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
        try:
            ip("link", "set", "lo", "up")
            ip("link", "add", "link0", "type", "veth", "peer", "name", "link1")
            for name in ("link0", "link1"):
                ip("link", "set", name, "up")
            ip("-6", "addr", "add", "fe80::1234/64", "dev", "link0", "nodad")
        except (OSError, subprocess.CalledProcessError) as e:
            print("cannot:", e)
            raise SystemExit
        from reactor.base import Reactor
        from reactor.protocol import ClientFactory, Factory, Protocol
        reactor = Reactor()
        class Told(Protocol):
            def connectionMade(self):
                here, there = self.transport.getHost(), self.transport.getPeer()
                print(type(here).__name__, here.host, here.scopeID == number, there.host, there.scopeID == number)
                # What a program is told leads there.
                if len(told) < 2:
                    told.append(there)
                    connector = reactor.connectTCP(here.host, here.port, Client(), bindAddress=there.host)
                    print(connector.getDestination() == here)
        class Counted(Protocol):
            def connectionMade(self):
                made.append(1)
                if len(made) == 3:
                    # When the server has heard of it, too.
                    reactor.callLater(0.1, reactor.stop)
        class Server(Factory):
            noisy = False
            protocol = Told
        class Client(ClientFactory):
            noisy = False
            protocol = Counted
            def clientConnectionFailed(self, connector, reason):
                print(reason.value)
                reactor.stop()
        number, told, made = socket.if_nametoindex("link0"), [], []
        port = reactor.listenTCP(0, Server(), interface="fe80::1234%link0")
        host = port.getHost()
        print(host.host, host.scopeID == number, host.port > 0)
        reactor.connectTCP("fe80::1234%link0", host.port, Client())
        reactor.run()
        reactor.close()
        """,
        prefix=("unshare", "-n"),
    )
    if printed[0].startswith("cannot:"):
        pytest.skip(printed[0])
    seen = "IPv6Address fe80::1234%link0 True fe80::1234%link0 True"
    assert printed == ["fe80::1234%link0 True True", seen, "True", seen, "True", seen]


@default
def test_beforeItEverListened(net: Net) -> None:
    listener = TCPListener(net.reactor._loop, 0, "127.0.0.1", 5)
    port = Port(net.reactor._loop, Reserve(), listener, TracedServer())
    assert (port.connected, port.fileno(), port.port) == (False, -1, 0)
    with pytest.raises(RuntimeError, match="never listened"):
        port.getHost()
    assert net.result(port.stopListening()) is None
    assert "not listening on 127.0.0.1:0" in repr(port)


# Sockets of others.


def test_adoptedPort(net: Net) -> None:
    theirs = net.plainListener()
    server = TracedServer()
    net.servers.append(server)
    port = net.reactor.adoptStreamPort(theirs.fileno(), socket.AF_INET, server)
    net.ports.append(port)
    host = IPv4Address("TCP", *theirs.getsockname())
    assert (port.getHost(), port.port, port.interface) == (host, host.port, "127.0.0.1")
    # It is a copy: closing theirs is their business.
    assert port.fileno() != theirs.fileno()
    theirs.close()
    client = net.connect(host.port)
    net.until(lambda: client.built and server.built)
    net.result(port.stopListening())
    assert server.events == ["startFactory", "buildProtocol", "stopFactory"]


@default
def test_adoptedPortIsStopped(net: Net) -> None:
    """And theirs goes on listening."""
    theirs = net.plainListener()
    port = net.reactor.adoptStreamPort(theirs.fileno(), socket.AF_INET, TracedServer())
    net.result(port.stopListening())
    net.keep(socket.create_connection(theirs.getsockname()))
    theirs.setblocking(True)
    theirs.accept()[0].close()


@needsIPv6
@default
def test_adoptedPortOfIPv6(net: Net) -> None:
    theirs = net.keep(socket.create_server(("::1", 0), family=socket.AF_INET6))
    port = net.reactor.adoptStreamPort(theirs.fileno(), socket.AF_INET6, TracedServer())
    net.ports.append(port)
    assert port.getHost() == IPv6Address("TCP", *theirs.getsockname())


@default
@pytest.mark.parametrize("method", ["adoptStreamPort", "adoptStreamConnection"])
def test_whatCannotBeAdopted(net: Net, method: str) -> None:
    adopt = getattr(net.reactor, method)
    datagrams = net.keep(socket.socket(type=socket.SOCK_DGRAM))
    stream = net.keep(socket.socket())
    reader, writer = os.pipe()
    before = descriptors()
    with pytest.raises(UnsupportedAddressFamily, match=rf"{method}\(\): addressFamily"):
        adopt(stream.fileno(), socket.AF_UNIX, TracedServer())
    with pytest.raises(UnsupportedSocketType, match=rf"{method}\(\): descriptor \d+ is a socket, but none for streams"):
        adopt(datagrams.fileno(), socket.AF_INET, TracedServer())
    for fd, code in ((reader, errno.ENOTSOCK), (-1, errno.EBADF)):
        with pytest.raises(OSError, match=os.strerror(code)):
            adopt(fd, socket.AF_INET, TracedServer())
    if method == "adoptStreamConnection":
        with pytest.raises(OSError, match=os.strerror(errno.ENOTCONN)):
            adopt(stream.fileno(), socket.AF_INET, TracedServer())
    assert descriptors() == before
    os.close(reader)
    os.close(writer)


@default
def test_adoptedPortThatDoesNotListen(net: Net) -> None:
    theirs = net.keep(socket.socket())
    theirs.bind(("127.0.0.1", 0))
    with pytest.raises(CannotListenError, match="is not listening"):
        net.reactor.adoptStreamPort(theirs.fileno(), socket.AF_INET, TracedServer())
    assert net.reactor.getReaders() == []


def test_adoptedConnection(net: Net) -> None:
    listening = net.plainListener()
    client = net.keep(socket.create_connection(listening.getsockname()))
    theirs = listening.accept()[0]
    server = TracedServer(data=lambda protocol, data: protocol.write(data.upper()))
    net.servers.append(server)
    transport = net.reactor.adoptStreamConnection(theirs.fileno(), socket.AF_INET, server)
    theirs.close()
    assert transport is server.built[0].transport
    assert server.built[0].events == ["CM"]
    client.send(b"abc")
    assert net.receive(client, 3) == b"ABC"
    client.close()
    net.until(lambda: server.built[0].lost)
    # No port, so nobody starts or stops the factory.
    assert server.events == ["buildProtocol"]


@default
def test_adoptedConnectionNobodyWants(net: Net) -> None:
    listening = net.plainListener()
    for build, raised in ((lambda addr: None, None), (lambda addr: {}[addr], KeyError)):
        client = net.keep(socket.create_connection(listening.getsockname()))
        theirs = listening.accept()[0]
        if raised is None:
            server = TracedServer(build)  # type: ignore[arg-type]
            assert net.reactor.adoptStreamConnection(theirs.fileno(), socket.AF_INET, server) is None
        else:
            with pytest.raises(raised):
                net.reactor.adoptStreamConnection(theirs.fileno(), socket.AF_INET, TracedServer(build))  # type: ignore[arg-type]
        theirs.close()
        assert client.recv(1) == b""
