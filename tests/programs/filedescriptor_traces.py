"""Programs with transports of their own on `abstract.FileDescriptor`, to be run on Twisted and here:
`filedescriptor_traces.py here|twisted PROGRAM...`. Each prints what its transport and its protocol hear.
"""

from __future__ import annotations

import os
import socket
import sys
import tty
from importlib import import_module
from typing import Any

HERE = sys.argv[1] == "here"
PACKAGE, PROTOCOLS = ("reactor", "protocols") if HERE else ("twisted.internet", "twisted.protocols")
abstract, fdesc, main = (
    import_module(f"{PACKAGE}.{'compat.' if HERE else ''}{name}") for name in ("abstract", "fdesc", "main")
)
protocol, basic = import_module(f"{PACKAGE}.protocol"), import_module(f"{PROTOCOLS}.basic")
# One for each program, made in its fork.
reactor: Any = None


def tell(*words: object) -> None:
    print(*words, flush=True)


class Line(abstract.FileDescriptor):  # type: ignore[name-defined,misc]
    """A serial line: what programs make of a FileDescriptor."""

    connected = 1

    def __init__(self, fd: int, protocol: Any) -> None:
        abstract.FileDescriptor.__init__(self, reactor)
        self.fd = fd
        fdesc.setNonBlocking(fd)
        self.protocol = protocol
        self.protocol.makeConnection(self)
        self.startReading()

    def fileno(self) -> int:
        return self.fd

    def doRead(self) -> Any:
        return fdesc.readFromFD(self.fd, self.protocol.dataReceived)

    def writeSomeData(self, data: Any) -> Any:
        return fdesc.writeToFD(self.fd, data)

    def connectionLost(self, reason: Any) -> None:
        abstract.FileDescriptor.connectionLost(self, reason)
        os.close(self.fd)
        self.protocol.connectionLost(reason)


class HalfLine(Line):
    """A line on a socket, whose halves end one by one."""

    def _closeWriteConnection(self) -> Any:
        tell("half closed")
        with socket.socket(fileno=os.dup(self.fd)) as sock:
            sock.shutdown(socket.SHUT_WR)

    def readConnectionLost(self, reason: Any) -> None:
        tell("other half", type(reason.value).__name__, self.connected, self.disconnected)


class Said(basic.LineReceiver):  # type: ignore[name-defined,misc]
    """Tells what it hears."""

    def __init__(self, name: str, **on: Any) -> None:
        self.name = name
        self.on = on

    def connectionMade(self) -> None:
        tell(self.name, "made", self.transport.connected)

    def lineReceived(self, line: bytes) -> None:
        tell(self.name, "line", line)
        if "line" in self.on:
            self.on["line"](self, line)

    def connectionLost(self, reason: Any) -> None:
        transport = self.transport
        # How a terminal's master learns that nobody has the slave any more differs between Twisted's own reactors.
        why = "" if self.name == "device" else type(reason.value).__name__
        tell(self.name, "lost", why, transport.connected, transport.disconnected)
        if "lost" in self.on:
            self.on["lost"](self)


class Producer:
    """Tells what it is told."""

    def __init__(self, line: Any, pieces: int = 3) -> None:
        self.line = line
        self.left = pieces

    def resumeProducing(self) -> None:
        tell("resume")
        if self.left:
            self.left -= 1
            self.line.write(b"piece\r\n")
        else:
            self.line.unregisterProducer()
            self.line.loseConnection()

    def pauseProducing(self) -> None:
        tell("pause")

    def stopProducing(self) -> None:
        tell("stop")


def stop(_: object = None) -> None:
    reactor.stop()


def sockets(one: Any, two: Any, kind: type[Line] = Line) -> tuple[Any, Any]:
    first, second = (end.detach() for end in socket.socketpair())
    return kind(first, one), kind(second, two)


def terminal() -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    Line(master, Said("device", line=lambda self, line: self.sendLine(b"heard " + line), lost=stop))

    def heard(self: Any, line: bytes) -> None:
        if line == b"heard two":
            self.transport.loseConnection()
            self.sendLine(b"last")

    port = Line(slave, Said("port", line=heard))
    port.protocol.sendLine(b"one")
    port.writeSequence([b"tw", b"o", b"\r\n"])


def closing() -> None:
    one, _ = sockets(Said("one"), Said("two", lost=stop))
    one.write(b"a\r\n")
    one.loseConnection()
    one.loseConnection()
    tell(one.connected, one.disconnected, one.disconnecting)
    one.resumeProducing()


def lost() -> None:
    one, _ = sockets(Said("one"), Said("two", lost=stop))
    one.connectionLost(protocol.connectionDone)


def pull() -> None:
    one, _ = sockets(Said("one"), Said("two", lost=stop))
    one.registerProducer(Producer(one), False)


def push() -> None:
    one, two = sockets(Said("one"), Said("two", lost=stop))
    one.bufferSize = 100_000
    producer = Producer(one, 1)
    one.registerProducer(producer, True)
    two.pauseProducing()
    try:
        one.registerProducer(producer, True)
    except RuntimeError:
        tell("RuntimeError")
    two.protocol.setRawMode()
    got = []

    def raw(data: bytes) -> None:
        got.append(data)
        if sum(map(len, got)) == 1_000_007:
            tell("all", b"".join(got)[-7:])
            one.stopConsuming()

    two.protocol.rawDataReceived = raw
    one.write(bytes(1_000_000))
    tell("written")
    reactor.callLater(0, two.resumeProducing)


def producerAndTheEnd() -> None:
    one, _ = sockets(Said("one"), Said("two", lost=stop))
    one.registerProducer(Producer(one), True)
    one.connectionLost(protocol.connectionDone)
    one.registerProducer(Producer(one), True)
    tell(one.producer)


def halves() -> None:
    one, _ = sockets(Said("one", lost=stop), Said("two", line=lambda self, line: self.sendLine(line)), HalfLine)
    one.write(b"a\r\n")
    one.loseWriteConnection()

    def later() -> None:
        one.write(b"dropped\r\n")
        one.loseConnection()

    reactor.callLater(0.2, later)


def stopped() -> None:
    sockets(Said("one"), Said("two"))
    reactor.callLater(0, stop)


def errors() -> None:
    one, _ = sockets(Said("one"), Said("two", lost=stop))
    for bad in ("text", None, 3):
        try:
            one.write(bad)
        except TypeError:
            tell("TypeError")
    plain = abstract.FileDescriptor(reactor)
    tell(plain.connected, plain.disconnected, plain.disconnecting, plain.fileno(), plain.logPrefix(), plain.producer)
    plain.write(b"nowhere")
    plain.loseConnection()
    for method, *arguments in (("getHost",), ("getPeer",), ("doRead",), ("writeSomeData", b"")):
        try:
            getattr(plain, method)(*arguments)
        except NotImplementedError:
            tell(method, "NotImplementedError")
    tell(type(main.CONNECTION_DONE).__name__, type(main.CONNECTION_LOST).__name__)
    for text in ("1.2.3.4", "1.2.3", "::1", "fe80::1%eth0", "x", "1.2.3.4.5", "256.1.1.1", b"1.2.3.4", ""):
        tell(text, abstract.isIPAddress(text), abstract.isIPv6Address(text))  # type: ignore[arg-type]
    one.loseConnection()


for name in sys.argv[2:]:
    tell("#", name)
    pid = os.fork()
    if pid:
        if os.waitpid(pid, 0)[1]:
            tell("failed")
        continue
    reactor = import_module(PACKAGE).reactor if HERE else import_module(f"{PACKAGE}.reactor")
    reactor.callWhenRunning(globals()[name])
    reactor.callLater(15, os._exit, 1)
    reactor.run()
    os._exit(0)
