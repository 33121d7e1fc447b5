"""abstract.FileDescriptor under a program for a serial line, on a real terminal whose other end the test holds."""

from __future__ import annotations

import os
import tty
from collections.abc import Iterator
from typing import Any

import pytest
from net import Net, pattern
from zope.interface.verify import verifyClass, verifyObject

from protocols.basic import LineReceiver
from reactor import interfaces
from reactor.compat import fdesc
from reactor.compat.abstract import FileDescriptor
from reactor.compat.main import CONNECTION_DONE, CONNECTION_LOST
from reactor.error import ConnectionDone, ConnectionLost
from reactor.failure import Failure


class SerialPort(FileDescriptor):
    """As libraries for serial lines write it."""

    connected = 1

    def __init__(self, protocol: Any, path: str, reactor: Any) -> None:
        super().__init__(reactor)
        self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._fd)
        self.protocol = protocol
        protocol.makeConnection(self)
        self.startReading()

    def fileno(self) -> int:
        return self._fd

    def doRead(self) -> Any:
        return fdesc.readFromFD(self._fd, self.protocol.dataReceived)

    def writeSomeData(self, data: Any) -> Any:
        return fdesc.writeToFD(self._fd, data)

    def connectionLost(self, reason: Failure) -> None:
        super().connectionLost(reason)
        os.close(self._fd)
        self._fd = -1
        self.protocol.connectionLost(reason)


class Talk(LineReceiver):
    delimiter = b"\r"

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.lost: list[Any] = []

    def lineReceived(self, line: bytes) -> None:
        self.lines.append(line)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self.lost.append(reason.value)


class Device:
    """What is at the other end of the line."""

    def __init__(self) -> None:
        self.fd, self._slave = os.openpty()
        self.path = os.ttyname(self._slave)
        tty.setraw(self._slave)
        os.set_blocking(self.fd, False)

    def write(self, data: bytes) -> None:
        assert os.write(self.fd, data) == len(data)

    def read(self) -> bytes:
        try:
            return os.read(self.fd, 1 << 20)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        for fd in (self.fd, self._slave):
            if fd >= 0:
                os.close(fd)
        self.fd = self._slave = -1


@pytest.fixture
def device() -> Iterator[Device]:
    device = Device()
    yield device
    device.close()


@pytest.fixture
def port(net: Net, device: Device) -> Iterator[SerialPort]:
    port = SerialPort(Talk(), device.path, net.reactor)
    yield port
    if port.connected:
        port.connectionLost(Failure(CONNECTION_DONE))


def collected(net: Net, device: Device, size: int) -> bytes:
    """The next `size` bytes that arrive at the device."""
    got = bytearray()

    def enough() -> bool:
        got.extend(device.read())
        return len(got) >= size

    net.until(enough)
    return bytes(got)


def test_linesBothWays(net: Net, port: SerialPort, device: Device) -> None:
    device.write(b"OK\rERR")
    net.until(lambda: port.protocol.lines)
    device.write(b"OR\r")
    net.until(lambda: len(port.protocol.lines) == 2)
    assert port.protocol.lines == [b"OK", b"ERROR"]
    port.protocol.sendLine(b"AT")
    port.writeSequence([b"AT", bytearray(b"Z"), memoryview(b"\r")])
    assert collected(net, device, 7) == b"AT\rATZ\r"
    # What is written is no longer wanted to be told, what is read still is.
    net.until(lambda: port not in net.reactor.getWriters())
    assert port in net.reactor.getReaders()
    net.assertIdle()


def test_whatIsQueuedArrivesBeforeTheClose(net: Net, port: SerialPort, device: Device) -> None:
    # Far more than a terminal holds.
    sent = pattern(300_000)
    port.write(sent)
    port.loseConnection()
    assert port.disconnecting
    port.resumeProducing()
    assert port not in net.reactor.getReaders()
    assert collected(net, device, len(sent)) == sent
    net.until(lambda: port.protocol.lost)
    assert [type(why) for why in port.protocol.lost] == [ConnectionDone]
    assert (port.connected, port.disconnected, port.fileno()) == (0, 1, -1)
    port.write(b"nowhere")
    port.loseConnection()
    net.turn()
    assert len(port.protocol.lost) == 1


def test_theLineIsCut(net: Net, port: SerialPort, device: Device) -> None:
    device.close()
    net.until(lambda: port.protocol.lost)
    assert isinstance(port.protocol.lost[0], (ConnectionDone, ConnectionLost))
    assert port not in [*net.reactor.getReaders(), *net.reactor.getWriters()]


def test_paused(net: Net, port: SerialPort, device: Device) -> None:
    port.pauseProducing()
    device.write(b"one\r")
    net.turn()
    assert port.protocol.lines == []
    port.resumeProducing()
    net.until(lambda: port.protocol.lines == [b"one"])


class Producer:
    """Writes a piece whenever it may."""

    def __init__(self, port: Any, left: int) -> None:
        self.port, self.left = port, left
        self.heard: list[str] = []

    def resumeProducing(self) -> None:
        self.heard.append("resume")
        if not self.left:
            self.port.unregisterProducer()
            return
        self.left -= 1
        self.port.write(bytes(5000))

    def pauseProducing(self) -> None:
        self.heard.append("pause")

    def stopProducing(self) -> None:
        self.heard.append("stop")


def test_aPullProducer(net: Net, port: SerialPort, device: Device) -> None:
    producer = Producer(port, 10)
    port.registerProducer(producer, False)
    port.loseConnection()
    assert collected(net, device, 50_000) == bytes(50_000)
    net.until(lambda: port.protocol.lost)
    assert producer.heard == ["resume"] * 11


def test_aPushProducerIsToldToWait(net: Net, port: SerialPort, device: Device) -> None:
    producer = Producer(port, 0)
    port.registerProducer(producer, True)
    with pytest.raises(RuntimeError, match="is registered already"):
        port.registerProducer(Producer(port, 0), True)
    port.write(bytes(port.bufferSize))
    assert producer.heard == []
    port.write(b"x")
    port.write(b"y")
    assert producer.heard == ["pause"]
    collected(net, device, port.bufferSize + 2)
    net.until(lambda: producer.heard == ["pause", "resume"])


def test_aProducerIsStoppedWithTheLine(net: Net, port: SerialPort, device: Device) -> None:
    producer = Producer(port, 0)
    port.registerProducer(producer, True)
    device.close()
    net.until(lambda: port.protocol.lost)
    assert producer.heard == ["stop"]
    port.registerProducer(producer, True)
    assert producer.heard == ["stop", "stop"] and port.producer is None


def test_whatRaisesEndsIt(net: Net, port: SerialPort, device: Device) -> None:
    def lineReceived(line: bytes) -> None:
        raise ZeroDivisionError(line)

    port.protocol.lineReceived = lineReceived
    device.write(b"one\r")
    net.until(lambda: port.protocol.lost)
    assert [type(why) for why in port.protocol.lost] == [ZeroDivisionError]
    net.expectErrors()


@pytest.mark.parametrize("bad", ["text", None, 5])
def test_whatCannotBeWritten(net: Net, port: SerialPort, bad: Any) -> None:
    with pytest.raises(TypeError, match=r"transport\.write"):
        port.write(bad)
    with pytest.raises(TypeError, match="writeSequence"):
        port.writeSequence([b"good", bad])
    with pytest.raises(TypeError, match="iterable of bytes, not bytes"):
        port.writeSequence(b"one")
    assert port not in net.reactor.getWriters()


def test_aDescriptorThatCannotBeWrittenTo(net: Net, port: SerialPort) -> None:
    def writeSomeData(data: Any) -> int:
        return -1

    port.writeSomeData = writeSomeData  # type: ignore[method-assign]
    port.write(b"x")
    net.until(lambda: port.protocol.lost)
    assert port.protocol.lost == [CONNECTION_LOST]


def test_whatASubclassOwes(net: Net) -> None:
    plain = FileDescriptor(net.reactor)
    for method, *arguments in (("doRead",), ("writeSomeData", b""), ("getHost",), ("getPeer",)):
        with pytest.raises(NotImplementedError, match="FileDescriptor"):
            getattr(plain, method)(*arguments)
    assert plain.fileno() == -1
    # Not connected: nothing happens to what is written.
    plain.write(b"x")
    plain.loseConnection()
    for name in ("IReadWriteDescriptor", "IConsumer", "IPushProducer", "ITransport", "IHalfCloseableDescriptor"):
        verifyClass(getattr(interfaces, name), FileDescriptor)
        verifyObject(getattr(interfaces, name), plain)


def test_theReactorOfThisThread() -> None:
    from reactor import reactor

    assert FileDescriptor().reactor is reactor


def test_descriptors(net: Net, device: Device) -> None:
    fd = device.fd
    fdesc.setBlocking(fd)
    assert os.get_blocking(fd)
    fdesc.setNonBlocking(fd)
    assert not os.get_blocking(fd)
    got: list[bytes] = []
    assert fdesc.readFromFD(fd, got.append) is None and got == []
    while taken := fdesc.writeToFD(fd, bytes(1000)):
        assert isinstance(taken, int)
    read, write = os.pipe()
    assert fdesc.writeToFD(write, memoryview(b"abc")) == 3
    assert fdesc.readFromFD(read, got.append) is None and got == [b"abc"]
    os.close(write)
    assert fdesc.readFromFD(read, got.append) is CONNECTION_DONE
    os.close(read)
    assert fdesc.readFromFD(read, got.append) is CONNECTION_LOST is fdesc.writeToFD(read, b"x")
