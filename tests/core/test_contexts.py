"""Each connection's callbacks are made in a context of its own: what one sets there is seen by its own later, and by
nobody else.
"""

from __future__ import annotations

import os
import socket
import sys
from contextvars import ContextVar, copy_context
from typing import Any

import pytest
from net import Net, Traced
from peers import KINDS_ONCE, meet, over

from reactor._core.contexts import inside, isEntered
from reactor.defer import Deferred
from reactor.protocol import ClientFactory, DatagramProtocol, ProcessProtocol, Protocol
from reactor.stdio import StandardIO

user: ContextVar[str] = ContextVar("user", default="nobody")
default = pytest.mark.parametrize("net", ["default"], indirect=True)


class Logged(Traced):
    """Sets the variable when its connection is made, and says in each callback what it is."""

    def __init__(self, name: str, seen: list[str]) -> None:
        super().__init__()
        self.name = name
        self.seen = seen

    def _heard(self, event: str, hook: str, *args: Any) -> None:
        super()._heard(event, hook, *args)
        self.seen.append(f"{event[:2]} {user.get()}")
        user.set(self.name)


@over(*KINDS_ONCE)
def test_connections(net: Net, kind: str) -> None:
    """Two of the same kind, one after the other, with something else in between."""
    seen: list[str] = []

    def hook(name: str) -> Any:
        def called(protocol: Any, *args: Any) -> None:
            seen.append(f"{name} {user.get()}")
            user.set(name)

        return called

    for _ in range(2):
        seen.clear()
        client, peer = meet(net, kind, made=hook("made"), data=hook("data"), lost=hook("lost"))
        for count in (2, 3):
            peer.send(b"x")
            net.until(lambda count=count: len(seen) == count)  # type: ignore[misc]
        net.reactor.callLater(0, seen.append, f"elsewhere {user.get()}")
        net.until(lambda: len(seen) == 4)
        peer.finish()
        net.until(lambda client=client: client.lost)  # type: ignore[misc]
        assert seen == ["made nobody", "data made", "data data", "elsewhere nobody", "lost data"]
        peer.close()
    assert user.get() == "nobody"


@default
@pytest.mark.parametrize("ending", ["lose", "abort", "reactor stops", "written from elsewhere"])
def test_howeverItEnds(net: Net, ending: str) -> None:
    """Asked for from outside of the connection, whose callbacks are made in its context all the same."""
    seen: list[str] = []

    def hook(name: str) -> Any:
        def called(protocol: Any, *args: Any) -> None:
            seen.append(f"{name} {user.get()}")
            user.set(name)

        return called

    client, server = net.pair(made=hook("made"), data=hook("data"), lost=hook("lost"))
    net.clients[0].on["connectionLost"] = lambda *args: seen.append(f"CCL {user.get()}")
    if ending == "lose":
        client.lose()
    elif ending == "abort":
        client.abort()
    elif ending == "reactor stops":
        net.stopReactor()
    else:
        client.write(b"x")
        client.lose()
    net.until(lambda: client.lost)
    assert seen == ["made nobody", "lost made", "CCL lost"]
    assert user.get() == "nobody"


@default
def test_acceptedOnes(net: Net) -> None:
    """Each in a copy of the port's, which is that of listenTCP."""
    seen: list[str] = []

    def build(addr: Any) -> Any:
        seen.append(f"build {user.get()}")
        user.set("built")
        return Logged("logged", seen)

    def listen() -> None:
        user.set("listener")
        net.listen(build)

    copy_context().run(listen)
    server = net.servers[0]
    for _ in range(2):
        client = net.connect(server.port)
        net.until(lambda client=client: client.built)  # type: ignore[misc]
    net.until(lambda: len(seen) == 4)
    assert seen == ["build listener", "CM built"] * 2


@default
def test_aClientsIsThatOfConnect(net: Net) -> None:
    """Of the names and addresses in between too; a new attempt begins with what the last one has set."""
    seen: list[str] = []
    port = net.closedPort()

    class Client(ClientFactory):
        noisy = False

        def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
            seen.append(user.get())
            user.set(user.get() + "+")
            if len(seen) < 3:
                connector.connect()

    def connect(host: str) -> None:
        user.set("caller")
        net.reactor.connectTCP(host, port, Client())

    for host in ("127.0.0.1", "localhost"):
        seen.clear()
        copy_context().run(connect, host)
        net.until(lambda: len(seen) == 3)
        assert seen == ["caller", "caller+", "caller++"]


@default
def test_timersOfAConnection(net: Net) -> None:
    """Begin with what it has set, and set nothing for it."""
    seen: list[str] = []

    def later() -> None:
        seen.append(f"timer {user.get()}")
        user.set("timer")

    def data(protocol: Any, data: bytes) -> None:
        seen.append(f"data {user.get()}")
        user.set("data")
        net.reactor.callLater(0, later)

    client, server = net.pair(data=data)
    for count in (2, 4):
        server.write(b"x")
        net.until(lambda count=count: len(seen) == count)  # type: ignore[misc]
    assert seen == ["data nobody", "timer data", "data data", "timer data"]


@default
def test_producers(net: Net) -> None:
    """Are asked for more in the connection's, whatever sent the last byte."""
    seen: list[str] = []

    class Pull:
        def resumeProducing(self) -> None:
            seen.append(user.get())
            if len(seen) < 4:
                client.transport.write(b"x")
            else:
                client.transport.unregisterProducer()

        def stopProducing(self) -> None:
            seen.append("stopped")

    client, _ = net.pair(made=lambda protocol: user.set("made") and None)
    client.transport.registerProducer(Pull(), False)
    net.until(lambda: len(seen) == 4)
    # The first time by the call itself.
    assert seen == ["nobody", "made", "made", "made"]


@default
def test_datagrams(net: Net) -> None:
    seen: list[str] = []

    class Told(DatagramProtocol):
        def startProtocol(self) -> None:
            seen.append(f"start {user.get()}")
            user.set("started")

        def datagramReceived(self, data: bytes, addr: Any) -> None:
            seen.append(f"datagram {user.get()}")
            user.set("received")

        def stopProtocol(self) -> None:
            seen.append(f"stop {user.get()}")

    port: Any = net.reactor.listenUDP(0, Told(), interface="127.0.0.1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _ in range(2):
            sock.sendto(b"x", ("127.0.0.1", port.getHost().port))
    net.until(lambda: len(seen) == 3)
    net.result(port.stopListening())
    assert seen == ["start nobody", "datagram started", "datagram received", "stop received"]
    assert user.get() == "nobody"


@default
@pytest.mark.parametrize("usePTY", [False, True])
def test_processes(net: Net, usePTY: bool) -> None:
    """One for all pipes of a child, and for its end."""
    seen: list[str] = []

    class Told(ProcessProtocol):
        def heard(self, name: str, *args: Any) -> None:
            seen.append(f"{name} {user.get()}")
            user.set(name)

        def connectionMade(self) -> None:
            self.heard("made")

        def outReceived(self, data: bytes) -> None:
            self.heard("out")

        def errReceived(self, data: bytes) -> None:
            self.heard("err")

        def processExited(self, reason: Any) -> None:
            self.heard("exited")

        def processEnded(self, reason: Any) -> None:
            self.heard("ended")

    source = "import os; os.write(1, b'out'); os.write(2, b'err')"
    args = [sys.executable, "-I", "-S", "-c", source]
    net.reactor.spawnProcess(Told(), sys.executable, args, dict(os.environ), usePTY=usePTY)
    net.until(lambda: seen and seen[-1].startswith("ended"))
    names = [each.split()[0] for each in seen]
    # Each sees what the one before it has set.
    assert [each.split()[1] for each in seen] == ["nobody", *names[:-1]]
    assert user.get() == "nobody"


@default
def test_descriptorsAndStandardIO(net: Net) -> None:
    seen: list[str] = []
    ours, theirs = (net.keep(each) for each in socket.socketpair())

    class Reader:
        fileno = ours.fileno

        def doRead(self) -> None:
            ours.recv(1)
            seen.append(f"read {user.get()}")
            user.set("reader")

        def connectionLost(self, reason: Any) -> None:
            """Not here."""

    class Filter(Protocol):
        def connectionMade(self) -> None:
            seen.append(f"made {user.get()}")
            user.set("made")

        def dataReceived(self, data: bytes) -> None:
            seen.append(f"data {user.get()}")
            user.set("data")

        def connectionLost(self, reason: Any = None) -> None:
            seen.append(f"lost {user.get()}")

    reader = Reader()
    net.reactor.addReader(reader)
    for count in (1, 2):
        theirs.send(b"x")
        net.until(lambda count=count: len(seen) == count)  # type: ignore[misc]
    net.reactor.removeReader(reader)
    assert seen == ["read nobody", "read reader"]
    seen.clear()
    reads, writes = os.pipe()
    out = os.open(os.devnull, os.O_WRONLY)
    StandardIO(Filter(), reads, out, net.reactor)
    os.write(writes, b"x")
    net.until(lambda: len(seen) == 2)
    os.close(writes)
    net.until(lambda: len(seen) == 3)
    os.close(reads)
    os.close(out)
    assert seen == ["made nobody", "data made", "lost data"]
    assert user.get() == "nobody"


@default
def test_aCallbackThatTurnsTheLoop(net: Net) -> None:
    """It is told of what comes meanwhile: in a copy, since its own context is entered."""
    seen: list[str] = []

    def data(protocol: Any, data: bytes) -> None:
        seen.append(f"{data.decode()} {user.get()}")
        user.set(data.decode())
        if data == b"1":
            server.transport.write(b"2")
            net.until(lambda: len(seen) == 2)
            seen.append(f"back {user.get()}")

    client, server = net.pair(data=data)
    server.write(b"1")
    net.until(lambda: len(seen) == 3)
    assert seen == ["1 nobody", "2 1", "back 1"]


@default
def test_aRuntimeErrorIsTheProgramsOwn(net: Net) -> None:
    """Not taken for that of a context that is entered."""
    calls: list[bytes] = []

    def data(protocol: Any, data: bytes) -> None:
        calls.append(data)
        raise RuntimeError("of the program")

    net.expectErrors()
    client, server = net.pair(data=data)
    server.write(b"x")
    assert net.reasonOf(client) == "RuntimeError"
    assert calls == [b"x"]


@default
def test_coroutinesKeepTheirs(net: Net) -> None:
    """One that waits for a connection's bytes goes on in its own."""
    seen: list[str] = []
    waiting: Deferred[bytes] = Deferred()

    async def program() -> None:
        user.set("program")
        await waiting
        seen.append(user.get())

    def data(protocol: Any, data: bytes) -> None:
        user.set("connection")
        waiting.callback(data)

    Deferred.fromCoroutine(program())
    client, server = net.pair(data=data)
    server.write(b"x")
    net.until(lambda: seen)
    assert seen == ["program"]


def test_inside() -> None:
    context = copy_context()
    context.run(user.set, "set")
    assert inside(context, user.get) == "set" and user.get() == "nobody"
    assert inside(context, inside, context, user.get) == "set"
    # What is set in the copy is not seen in the context itself.
    inside(context, inside, context, user.set, "copied")
    assert context[user] == "set"
    assert [isEntered(context), context.run(isEntered, context)] == [False, True]
    called: list[int] = []

    def fail() -> None:
        called.append(1)
        raise RuntimeError("of the program")

    with pytest.raises(RuntimeError, match="of the program"):
        inside(context, fail)
    assert called == [1]
