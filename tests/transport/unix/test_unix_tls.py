"""TLS over a UNIX socket: who is verified, what the kernel still tells, and what becomes of descriptors."""

from __future__ import annotations

import array
import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from net import Net, Traced, TracedServer, descriptors
from tls import Shaken, clientOptions, issued, plainClientContext, serverOptions, shaken, startBoth
from unixnet import Taking, listen, pair

from reactor.endpoints import UNIXClientEndpoint, UNIXServerEndpoint, connectProtocol, wrapClientTLS, wrapServerTLS
from reactor.error import PeerVerifyError

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Both ends of a pipe; the reading one does not block."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    yield reader, writer
    os.close(reader)
    os.close(writer)


def secured(net: Net, path: Path, first: Any = None, second: Any = None) -> tuple[Traced, Traced]:
    one, other = pair(net, path, first, second)
    startBoth(net, one, other)
    return one, other


def test_aConversation(net: Net, tmp_path: Path) -> None:
    client, server = secured(net, tmp_path / "s", Shaken, Shaken)
    assert (client.events[-2:], server.events) == (["CM", "HC"], ["CM", "HC"])
    client.write(b"there")
    server.write(b"back")
    net.until(lambda: server.received == b"there" and client.received == b"back")
    assert client.transport.TLS and client.transport.getTLS().version() == "TLSv1.3"
    assert client.transport.getPeerCertificate().serialNumber() > 0
    for end in (client, server):
        assert tuple(end.transport.getPeerCredentials()) == (os.getpid(), os.getuid(), os.getgid())
        assert type(end.transport.getHandle()) is socket.socket
    client.lose()
    net.until(lambda: client.lost and server.lost)
    assert server.short[-1] == client.short[-3] == "CL(ConnectionDone)"


def test_aPathIsNoNameToVerify(net: Net, tmp_path: Path) -> None:
    client, server = pair(net, tmp_path / "localhost")
    with pytest.raises(ValueError, match="hostname"):
        client.transport.startTLS(plainClientContext())
    # Nothing has happened to the connection.
    server.transport.startTLS(serverOptions())
    client.transport.startTLS(plainClientContext(), hostname="localhost")
    net.until(lambda: shaken(client) and shaken(server))


def test_theWrongName(net: Net, tmp_path: Path) -> None:
    client, server = pair(net, tmp_path / "s")
    server.transport.startTLS(serverOptions(issued("other.example")))
    client.transport.startTLS(clientOptions())
    net.until(lambda: client.lost and server.lost)
    assert "CL(PeerVerifyError)" in client.events
    assert client.reason.value.host == str(tmp_path / "s")
    assert "other.example" in str(client.reason.value)


def test_endpoints(net: Net, tmp_path: Path) -> None:
    server = listen(net, tmp_path / "s", build=lambda address: Shaken(made=startsTLS))
    endpoint = wrapClientTLS(clientOptions(), UNIXClientEndpoint(net.reactor, tmp_path / "s"))
    client = net.result(connectProtocol(endpoint, Shaken()))
    assert client.events == ["CM", "HC"]
    client.write(b"hello")
    net.until(lambda: server.built[0].received == b"hello")
    client.lose()
    net.until(lambda: client.lost and server.built[0].lost)


def startsTLS(protocol: Traced) -> None:
    protocol.transport.startTLS(serverOptions())


def test_anEndpointThatDoesNotTrust(net: Net, tmp_path: Path) -> None:
    server = listen(net, tmp_path / "s", build=lambda address: Traced(made=startsTLS))
    endpoint = wrapClientTLS(clientOptions("other.example"), UNIXClientEndpoint(net.reactor, tmp_path / "s"))
    with pytest.raises(PeerVerifyError):
        net.result(connectProtocol(endpoint, Traced()))
    net.until(lambda: server.built[0].lost)


def test_bothEndpointsWrapped(net: Net, tmp_path: Path) -> None:
    server = TracedServer(lambda address: Shaken())
    port: Any = net.result(
        wrapServerTLS(serverOptions(), UNIXServerEndpoint(net.reactor, tmp_path / "s")).listen(server)
    )
    net.ports.append(port)
    net.servers.append(server)
    endpoint = wrapClientTLS(clientOptions(), UNIXClientEndpoint(net.reactor, tmp_path / "s"))
    client = net.result(connectProtocol(endpoint, Shaken()))
    net.until(lambda: server.built)
    assert server.built[0].events == client.events == ["CM", "HC"]
    assert server.built[0].transport.getPeerCredentials().pid == os.getpid()
    client.lose()
    net.until(lambda: client.lost and server.built[0].lost)


# Descriptors.


def test_X8_noneIsSentUnderTLS(net: Net, tmp_path: Path, pipe: tuple[int, int]) -> None:
    client, server = secured(net, tmp_path / "s", None, Taking)
    before = descriptors()
    with pytest.raises(RuntimeError, match="speaks TLS"):
        client.transport.sendFileDescriptor(pipe[1])
    assert descriptors() == before
    client.write(b"still here")
    net.until(lambda: server.received == b"still here")
    assert "FD" not in server.events


def test_X8_sentBeforeTLS(net: Net, tmp_path: Path, pipe: tuple[int, int]) -> None:
    def upgrade(protocol: Traced, data: bytes) -> None:
        if data == b"go":
            protocol.transport.startTLS(serverOptions())

    client, server = pair(net, tmp_path / "s", None, lambda: Taking(data=upgrade))
    client.ask("sendFileDescriptor", pipe[1])
    client.write(b"go")
    net.until(lambda: server.received == b"go")
    client.transport.startTLS(clientOptions())
    client.write(b"encrypted")
    net.until(lambda: server.received == b"goencrypted")
    assert server.events[:3] == ["CM", "FD", "DR(2)"]
    close(server)


def test_X8_queuedWhenTLSBegins(net: Net, tmp_path: Path, pipe: tuple[int, int]) -> None:
    client, server = pair(net, tmp_path / "s", None, Taking)
    client.ask("sendFileDescriptor", pipe[1])
    client.write(b"go")
    client.transport.startTLS(clientOptions())
    # The ClientHello is right behind.
    net.until(lambda: len(server.received) > 2)
    assert server.received.startswith(b"go\x16\x03")
    assert server.short == ["CM", "FD", "DR*"]
    close(server)


def test_X8_aDescriptorWithoutAByteBeforeTLS(net: Net, tmp_path: Path, pipe: tuple[int, int]) -> None:
    client, server = pair(net, tmp_path / "s", None, Taking)
    client.ask("sendFileDescriptor", pipe[1])
    with pytest.raises(RuntimeError, match="closing"):
        client.transport.startTLS(clientOptions())
    net.until(lambda: client.lost and server.lost)
    assert "CL(FileDescriptorOverrun)" in client.events
    assert "FD" not in server.events


def rawTLS(net: Net, path: Path) -> tuple[Any, Taking]:
    """A plain socket that has shaken hands with a server that takes descriptors; send(data, descriptors) encrypts."""
    server = listen(net, path, build=lambda address: Taking(made=startsTLS))
    sock = net.keep(socket.socket(socket.AF_UNIX))
    sock.connect(str(path))
    sock.setblocking(False)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    end = plainClientContext().wrap_bio(incoming, outgoing, False, "localhost")

    def done() -> bool:
        try:
            end.do_handshake()
            return True
        except ssl.SSLWantReadError:
            return False
        finally:
            if data := outgoing.read():
                sock.sendall(data)
            try:
                incoming.write(sock.recv(65536))
            except BlockingIOError:
                pass

    net.until(done)

    def send(data: bytes, *carried: int) -> None:
        end.write(data)
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", carried))] if carried else []
        sock.sendmsg([outgoing.read()], rights)

    built: Any = server.built[0]
    return send, built


def test_X8_receivedUnderTLSIsClosed(net: Net, tmp_path: Path) -> None:
    send, server = rawTLS(net, tmp_path / "s")
    net.until(lambda: shaken(server))
    before = set(descriptors())
    for number in range(50):
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        send(b"x", writer, writer)
        os.close(writer)
        net.until(lambda wanted=number + 1: len(server.received) == wanted)
        # No copy of the writing end is open.
        assert os.read(reader, 1) == b""
        os.close(reader)
    assert set(descriptors()) == before
    assert "FD" not in server.events


def test_X8_receivedDuringTheHandshakeIsClosed(net: Net, tmp_path: Path) -> None:
    server = listen(net, tmp_path / "s", build=lambda address: Taking(made=startsTLS))
    sock = net.keep(socket.socket(socket.AF_UNIX))
    sock.connect(str(tmp_path / "s"))
    net.until(lambda: server.built)
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    # The beginning of a ClientHello.
    sock.sendmsg([b"\x16\x03\x01"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [writer]))])
    os.close(writer)
    net.turn()
    assert os.read(reader, 1) == b""
    os.close(reader)
    assert server.built[0].events == ["CM"]


# A pause at a descriptor.


def pausing(net: Net, path: Path, pipe: tuple[int, int], count: int = 2, **on: Any) -> tuple[Any, Any]:
    """A server that pauses at each descriptor, and a plain socket that has sent it `count` with one byte "x"."""
    hooks = {"descriptor": lambda protocol, descriptor: protocol.ask("pauseProducing"), **on}
    server = listen(net, path, build=lambda address: Taking(**hooks))
    sock = net.keep(socket.socket(socket.AF_UNIX))
    sock.connect(str(path))
    sock.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [pipe[1]] * count))])
    net.until(lambda: server.built and "FD" in server.built[0].events)
    return server.built[0], sock


def close(protocol: Any) -> None:
    for descriptor in protocol.taken:
        os.close(descriptor)


def test_X8_aPauseHoldsTheRest(net: Net, tmp_path: Path, pipe: tuple[int, int]) -> None:
    server, sock = pausing(net, tmp_path / "s", pipe)
    sock.sendall(b"yz")
    net.turn()
    net.assertIdle()
    assert server.events == ["CM", "FD"]
    server.ask("resumeProducing")
    assert server.events == ["CM", "FD"]
    net.turn()
    assert server.events == ["CM", "FD", "FD"]
    # Paused again: once more, and then twice at once.
    server.ask("resumeProducing")
    server.ask("pauseProducing")
    net.turn()
    assert server.events == ["CM", "FD", "FD"]
    server.ask("resumeProducing")
    server.ask("resumeProducing")
    net.until(lambda: server.received == b"xyz")
    assert server.short == ["CM", "FD", "FD", "DR*"]
    close(server)


def test_X8_pausedAndResumedAtOnce(net: Net, tmp_path: Path, pipe: tuple[int, int]) -> None:
    def both(protocol: Traced, descriptor: int) -> None:
        protocol.ask("pauseProducing")
        protocol.ask("resumeProducing")

    server, sock = pausing(net, tmp_path / "s", pipe, descriptor=both)
    net.until(lambda: server.received == b"x")
    assert server.events == ["CM", "FD", "FD", "DR(1)"]
    close(server)


@pytest.mark.parametrize("how", ["loseConnection", "abortConnection"])
def test_X8_closedWhilePaused(net: Net, tmp_path: Path, pipe: tuple[int, int], how: str) -> None:
    server, sock = pausing(net, tmp_path / "s", pipe, 5)
    server.ask(how)
    server.ask("resumeProducing")
    net.until(lambda: server.lost)
    assert len(server.events) == 3
    # The four that it never got are closed; the invariants of `net` look.
    close(server)


def test_X8_theEndWaitsForWhatIsHeld(net: Net, tmp_path: Path, pipe: tuple[int, int]) -> None:
    server, sock = pausing(net, tmp_path / "s", pipe, 1)
    sock.close()
    net.turn()
    net.assertIdle()
    assert server.events == ["CM", "FD"]
    server.ask("resumeProducing")
    net.until(lambda: server.lost)
    assert server.events == ["CM", "FD", "DR(1)", "CL(ConnectionDone)"]
    close(server)


def test_X8_whatIsHeldRaises(net: Net, tmp_path: Path, pipe: tuple[int, int]) -> None:
    def fail(protocol: Traced, data: bytes) -> None:
        raise ValueError

    server, sock = pausing(net, tmp_path / "s", pipe, 1, data=fail)
    server.ask("resumeProducing")
    net.until(lambda: server.lost)
    assert server.events == ["CM", "FD", "DR(1)", "CL(ValueError)"]
    net.expectErrors(1)
    close(server)


def test_X8_whatIsHeldGoesToWhoTakesOver(net: Net, tmp_path: Path, pipe: tuple[int, int]) -> None:
    server, sock = pausing(net, tmp_path / "s", pipe)
    successor = Traced()
    successor.transport = server.transport
    server.transport.protocol = successor
    successor.ask("resumeProducing")
    net.until(lambda: successor.received == b"x")
    assert server.events == ["CM", "FD"]
    close(server)
    server.transport.protocol = server


def test_X8_anAnswerToWhatIsHeld(net: Net, tmp_path: Path, pipe: tuple[int, int]) -> None:
    server, sock = pausing(net, tmp_path / "s", pipe, 1, data=lambda protocol, data: protocol.write(data * 3))
    server.ask("resumeProducing")
    assert net.receive(sock, 3) == b"xxx"
    close(server)


def test_X8_TLSBeginsWhilePaused(net: Net, tmp_path: Path, pipe: tuple[int, int]) -> None:
    server, sock = pausing(net, tmp_path / "s", pipe, 2)
    server.transport.startTLS(serverOptions())
    sock.sendall(b"and more in the clear")
    net.until(lambda: server.lost)
    # What came in the clear is not taken for what was encrypted.
    assert server.events == ["CM", "FD", "CL(SSLError)"]
    close(server)
