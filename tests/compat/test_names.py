"""The thin names, by what programs do with them: ask with isinstance, annotate, derive, call, catch."""

from __future__ import annotations

import os
import re
import signal
import socket
import threading
from functools import reduce
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import tls
from children import SH, Child
from net import Net, TracedClient, TracedServer
from script import script
from zope.interface import Interface, implementer
from zope.interface.verify import verifyClass, verifyObject

from protocols import basic
from reactor import base, components, interfaces, protocol
from reactor.compat import abstract, fdesc, main, process, tcp, threadable, udp, unix
from reactor.defer import Deferred
from reactor.error import DNSLookupError
from reactor.protocol import DatagramProtocol, Protocol
from reactor.task import Clock

KINDS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": getattr(module, name)
    for module in (tcp, unix, udp)
    for name in module.__all__
}

# What has nothing to do with selectors.
default = pytest.mark.parametrize("net", ["default"], indirect=True)


def kinds(thing: object) -> set[str]:
    return {name for name, kind in KINDS.items() if isinstance(thing, kind)}


@default
@pytest.mark.parametrize("how", ["TCP", "SSL", "UNIX"])
def test_whatIsWhat(net: Net, how: str, tmp_path: Path) -> None:
    server, client = TracedServer(), TracedClient()
    net.servers.append(server)
    net.clients.append(client)
    if how == "UNIX":
        port: Any = net.reactor.listenUNIX(str(tmp_path / "s"), server)
        connector: Any = net.reactor.connectUNIX(str(tmp_path / "s"), client)
    elif how == "SSL":
        port = net.reactor.listenSSL(0, server, tls.serverOptions(), interface="127.0.0.1")
        connector = net.reactor.connectSSL("127.0.0.1", port.getHost().port, client, tls.clientOptions("127.0.0.1"))
    else:
        port = net.reactor.listenTCP(0, server, interface="127.0.0.1")
        connector = net.reactor.connectTCP("127.0.0.1", port.getHost().port, client)
    net.ports.append(port)
    module = "unix" if how == "UNIX" else "tcp"
    assert kinds(port) == {f"{module}.Port"}
    assert kinds(connector) == {f"{module}.Connector"}
    net.until(lambda: client.built and client.built[0].transport and server.built)
    net.until(lambda: server.built[0].transport)
    also = set() if how == "UNIX" else {"tcp.Connection"}
    ours, theirs = client.built[0].transport, server.built[0].transport
    assert kinds(ours) == {f"{module}.Client"} | also
    assert kinds(theirs) == {f"{module}.Server"} | also
    client.built[0].lose()
    net.until(lambda: client.over and server.built[0].lost)
    # Nobody knows any more who opened it.
    assert kinds(ours) == kinds(theirs) == also
    assert kinds(net) == kinds(None) == set()


@default
def test_anAdoptedConnectionIsAServers(net: Net) -> None:
    server = TracedServer()
    net.servers.append(server)
    listening = net.plainListener()
    with socket.create_connection(listening.getsockname()) as sock:
        transport = net.reactor.adoptStreamConnection(sock.fileno(), socket.AF_INET, server)
    assert kinds(transport) == {"tcp.Server", "tcp.Connection"}


@default
def test_datagramPorts(net: Net, tmp_path: Path) -> None:
    for port, name in (
        (net.reactor.listenUDP(0, DatagramProtocol(), "127.0.0.1"), {"udp.Port"}),
        (net.reactor.listenMulticast(0, DatagramProtocol(), "127.0.0.1"), {"udp.Port", "udp.MulticastPort"}),
        (net.reactor.listenUNIXDatagram(str(tmp_path / "d"), DatagramProtocol()), {"unix.DatagramPort"}),
    ):
        assert kinds(port) == name
        net.result(port.stopListening())


def test_kindsAreAnnotations() -> None:
    def serve(port: tcp.Port, client: tcp.Client | None, path: unix.Port, datagrams: udp.Port) -> tcp.Connector:
        raise NotImplementedError

    hints = get_type_hints(serve)
    assert hints["port"] is tcp.Port and hints["return"] is tcp.Connector and hints["path"] is unix.Port


def test_kindsAreNotMade() -> None:
    class Mine(tcp.Port):
        pass

    for kind in (tcp.Port, tcp.Client, tcp.Server, unix.Connector, Mine):
        with pytest.raises(TypeError, match="here to be asked about"):
            kind(1234, None)  # type: ignore[call-arg,arg-type]


# Processes.


def test_processes(net: Net) -> None:
    child, onTerminal = Child(), Child()
    net.reactor.spawnProcess(child, SH, ["sh", "-c", "exit 3"])
    net.reactor.spawnProcess(onTerminal, SH, ["sh", "-c", "exit 0"], usePTY=True)
    assert isinstance(child.transport, process.Process) and not isinstance(child.transport, process.PTYProcess)
    assert isinstance(onTerminal.transport, process.PTYProcess)
    net.until(lambda: child.over and onTerminal.over)
    # Nothing to do, and nothing to complain about.
    process.reapAllProcesses()


def test_reapAllProcessesFindsThoseWhoseSignalSomebodyElseTook(net: Net) -> None:
    process.reapAllProcesses()
    child = Child()
    net.reactor.spawnProcess(child, "/bin/true")
    net.until(lambda: child.over)
    children = net.reactor._children
    assert children is not None
    children.usePidfd = False
    late = Child()
    net.reactor.spawnProcess(late, "/bin/cat")
    taken: list[int] = []
    before = signal.signal(signal.SIGCHLD, lambda number, frame: taken.append(number))
    try:
        late.transport.closeStdin()
        net.until(lambda: taken)
        net.turn()
        assert not late.over
        net.reactor.callLater(0, process.reapAllProcesses)
        net.until(lambda: late.over)
    finally:
        signal.signal(signal.SIGCHLD, before)


# Threads.


@default
def test_whichThreadIsTheReactors(net: Net) -> None:
    inReactor: list[bool] = []
    assert not threadable.isInIOThread()

    def look() -> None:
        inReactor.append(threadable.isInIOThread())
        net.reactor.callInThread(lambda: inReactor.append(threadable.isInIOThread()))

    net.reactor.callLater(0, look)
    net.until(lambda: len(inReactor) == 2)
    assert inReactor == [True, False]
    assert threadable.getThreadID() == threading.get_ident()


def test_aThreadThatCountsAsTheReactors() -> None:
    assert script(
        """
        import threading
        from reactor.compat import threadable
        threadable.init()
        threadable.registerAsIOThread()
        print(threadable.isInIOThread())
        thread = threading.Thread(target=lambda: print(threadable.isInIOThread()))
        thread.start()
        thread.join()
        """
    ) == ["True", "False"]


def test_synchronize() -> None:
    class Account:
        synchronized = ("add", "twice")

        def __init__(self) -> None:
            self.inside = self.most = 0
            self.gate = threading.Barrier(2)

        def add(self) -> None:
            self.inside += 1
            self.most = max(self.most, self.inside)
            os.sched_yield()
            self.inside -= 1

        def twice(self) -> None:
            self.add()
            self.add()

    threadable.synchronize(Account)
    account, other = Account(), Account()

    def work() -> None:
        account.gate.wait(10)
        for _ in range(200):
            account.twice()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert account.most == 1
    other.add()
    assert other.most == 1


@default
def test_theThreadPoolAsAnAttribute(net: Net) -> None:
    assert net.reactor.threadpool is None
    pool = net.reactor.getThreadPool()
    assert net.reactor.threadpool is pool


# The reactor.


def test_reactorBase() -> None:
    class Mine(base.ReactorBase):
        pass

    mine = Mine()
    assert isinstance(mine, base.ReactorBase)
    call = mine.callLater(5, lambda: None)
    assert isinstance(call, base.DelayedCall)
    call.cancel()
    mine.close()


def test_installReactor() -> None:
    assert script(
        """
        import reactor
        from reactor.base import Reactor
        from reactor.compat.main import installReactor
        from reactor.error import ReactorAlreadyInstalledError
        mine = Reactor()
        installReactor(mine)
        from reactor import reactor as default
        print(default is mine, reactor.currentReactor() is mine)
        try:
            installReactor(Reactor())
        except ReactorAlreadyInstalledError as e:
            print("there already" in str(e))
        """
    ) == ["True True", "True"]
    assert script(
        """
        from reactor.compat.main import installReactor
        installReactor()
        from reactor import reactor
        reactor.callLater(0, reactor.stop)
        reactor.run()
        print(type(reactor).__name__)
        """
    ) == ["Reactor"]


@default
def test_threadedResolver(net: Net) -> None:
    resolver = base.ThreadedResolver(net.reactor)
    verifyObject(interfaces.IResolverSimple, resolver)
    assert net.result(resolver.getHostByName("127.0.0.1")) == "127.0.0.1"
    assert net.result(resolver.getHostByName("localhost")) in ("127.0.0.1", "::1")
    failed: list[Any] = []
    # A name of labels that are too long needs no server.
    resolver.getHostByName("x" * 70 + ".invalid", (1, 1)).addErrback(lambda failure: failed.append(failure.value))
    net.until(lambda: failed)
    assert isinstance(failed[0], DNSLookupError)
    before = net.reactor.installResolver(resolver)
    assert net.result(net.reactor.resolve("localhost")) in ("127.0.0.1", "::1")
    assert net.reactor.installResolver(before) is resolver


def test_clockCalls() -> None:
    clock = Clock()
    assert clock.calls == []
    later, sooner = clock.callLater(2, print), clock.callLater(1, print)
    assert clock.calls == [sooner, later] and clock.calls[0].getTime() == 1
    later.cancel()
    clock.advance(1)
    assert clock.calls == []


# Protocols.


def test_pauseableMixin() -> None:
    class Lines(Protocol, basic._PauseableMixin):
        def __init__(self) -> None:
            self.kept = b""
            self.lines: list[bytes] = []

        def dataReceived(self, data: bytes) -> None:
            self.kept += data
            while not self.paused and b"\n" in self.kept:
                line, self.kept = self.kept.split(b"\n", 1)
                self.lines.append(line)
                self.pauseProducing()

    class Transport:
        def __init__(self) -> None:
            self.heard: list[str] = []

        def __getattr__(self, name: str) -> Any:
            return lambda: self.heard.append(name)

    lines = Lines()
    transport = Transport()
    lines.makeConnection(transport)
    lines.dataReceived(b"a\nb\n")
    assert lines.lines == [b"a"] and lines.paused
    lines.resumeProducing()
    assert lines.lines == [b"a", b"b"]
    lines.stopProducing()
    assert transport.heard == ["pauseProducing", "resumeProducing", "pauseProducing", "stopProducing"]
    assert lines.paused
    assert isinstance(basic.LineReceiver(), basic._PauseableMixin)
    assert isinstance(basic.Int32StringReceiver(), basic._PauseableMixin)


@default
def test_instanceFactory(net: Net) -> None:
    server = net.listen()
    made: Deferred[Any] = Deferred()
    mine = Protocol()
    factory = protocol._InstanceFactory(net.reactor, mine, made)
    assert isinstance(factory, protocol.ClientFactory)
    net.reactor.connectTCP("127.0.0.1", server.port, factory)
    assert net.result(made) is mine
    mine.transport.loseConnection()
    net.until(lambda: server.built[0].lost)
    refused: Deferred[Any] = Deferred()
    net.reactor.connectTCP("127.0.0.1", net.closedPort(), protocol._InstanceFactory(net.reactor, Protocol(), refused))
    failed: list[str] = []
    refused.addErrback(lambda failure: failed.append(type(failure.value).__name__))
    net.until(lambda: failed)
    assert failed == ["ConnectionRefusedError"]


# Interfaces and adapters.


def test_interfacesToDeclare() -> None:
    @implementer(interfaces.IOpenSSLClientConnectionCreator)
    class Options:
        def clientConnectionForTLS(self, tlsProtocol: Any) -> Any:
            """None."""

    @implementer(interfaces.IStreamClientEndpointStringParser)
    class Parser:
        prefix = "mine"

        def parseStreamClient(self, *args: Any, **kwargs: Any) -> Any:
            """None."""

    @implementer(interfaces.IOpenSSLContextFactory)
    class Contexts:
        def getContext(self) -> Any:
            """None."""

    for name, cls in (
        ("IOpenSSLClientConnectionCreator", Options),
        ("IStreamClientEndpointStringParser", Parser),
        ("IOpenSSLContextFactory", Contexts),
    ):
        verifyClass(getattr(interfaces, name), cls)
        assert getattr(interfaces, name).providedBy(cls())


class IMine(Interface):
    pass


def test_globalRegistry() -> None:
    class Given:
        pass

    assert components.globalRegistry is components.getRegistry()
    components.globalRegistry.register(
        [components._specification(Given)], IMine, "", lambda original: ("adapted", original)
    )
    given = Given()
    assert IMine(given) == ("adapted", given)


def test_cannotAdapt() -> None:
    def adapt(thing: Any) -> Any:
        raise components.CannotAdapt(f"{thing!r} is nothing of the kind")

    with pytest.raises(TypeError, match="nothing of the kind"):
        adapt(3)
    with pytest.raises(NotImplementedError):
        adapt(3)


def test_isIPAddress() -> None:
    assert abstract.isIPAddress("192.0.2.1") and abstract.isIPAddress(b"192.0.2.1")
    assert not abstract.isIPAddress("192.0.2") and not abstract.isIPAddress("name") and not abstract.isIPAddress("²")
    assert not abstract.isIPAddress(b"\xff") and not abstract.isIPAddress("1.2.3.4\0")
    assert abstract.isIPv6Address("2001:db8::1") and abstract.isIPv6Address("fe80::1%eth0")
    assert not abstract.isIPv6Address("192.0.2.1")
    with pytest.raises(ValueError, match="family must be"):
        abstract.isIPAddress("192.0.2.1", socket.AF_UNIX)


# The page that lists them.

PAGE = Path(__file__).parents[2] / "doc" / "compatibility.rst"


# Named there as what is here of packages beside twisted.internet.
NEIGHBOURS = "internet service failure components threadpool threadable".split()


def rows() -> dict[str, list[str]]:
    """What the page says: module -> the names that begin each of its literals."""
    table = PAGE.read_text().split("Names that programs import\n---")[1]
    found = {}
    for row in table.split("   * - ")[2:]:
        module, names = row.split("     - ", 1)
        found[module.strip()] = re.findall(r"``([\w.]+)``", names)
    return found


def test_thePageListsWhatIsThere() -> None:
    table = rows()
    missing = table.pop("modules that are not here")
    assert len(table) > 15 and len(missing) > 15
    assert table.pop("the reactor") == ["threadpool"]
    for module, names in table.items():
        there = import_module(module.strip("`"))
        for name in names:
            *outer, last = name.split(".")
            assert hasattr(reduce(getattr, outer, there), last), f"{module}.{name}"
    for name in [name for name in missing if not name.startswith("twisted.") and name not in NEIGHBOURS]:
        assert find_spec(f"reactor.compat.{name}") is None, name


def test_whatThisRoomHasIsOnThePage() -> None:
    table = " ".join(" ".join([module, *names]) for module, names in rows().items())
    for module in (abstract, fdesc, main, process, tcp, threadable, udp, unix):
        for name in getattr(module, "__all__", ["readFromFD", "writeToFD", "setBlocking", "setNonBlocking"]):
            assert name in table, f"{module.__name__}.{name}"
