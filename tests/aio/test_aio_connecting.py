"""Connections that do not come about, in asyncio's words: refused, given up at every step, of no use to a protocol."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from aioends import PROTOCOLS, Party, Told, contract, fails, partyOf
from connecting import noDescriptors
from patience import PATIENCE
from tls import issued, plainClientContext, plainServerContext, stranger

Way = Callable[["Servers", Party], Coroutine[Any, Any, Any]]


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> type[Told]:
    return PROTOCOLS[request.param]


@pytest.fixture
def party(request: pytest.FixtureRequest, protocol: type[Told], caplog: pytest.LogCaptureFixture) -> Iterator[Party]:
    yield from partyOf(request, caplog, "tcp4", protocol)


class Servers:
    """Where there is somebody, of every kind."""

    def __init__(self, party: Party, folder: Any) -> None:
        self.party, self.folder = party, folder
        self.path = str(folder / "socket")

    async def listen(self) -> None:
        """Be there."""
        loop, server = self.party.loop, plainServerContext()
        made = [
            await loop.create_server(asyncio.Protocol, "127.0.0.1", 0),
            await loop.create_server(asyncio.Protocol, "127.0.0.1", 0, ssl=server),
            await loop.create_unix_server(asyncio.Protocol, self.path),
            await loop.create_unix_server(asyncio.Protocol, self.path + ".tls", ssl=server),
        ]
        self.plain, self.secure = (each.sockets[0].getsockname()[1] for each in made[:2])
        self.party.servers += made

    async def connected(self, **options: Any) -> Any:
        """A connection by `create_connection`."""
        loop, build = self.party.loop, self.party.keeping(self.party.told)
        return await loop.create_connection(build, **options)


async def plain(servers: Servers, party: Party) -> Any:
    return await servers.connected(host="127.0.0.1", port=servers.plain)


async def byName(servers: Servers, party: Party) -> Any:
    return await servers.connected(host="localhost", port=servers.plain, family=socket.AF_INET)


async def fromAnAddress(servers: Servers, party: Party) -> Any:
    return await servers.connected(host="127.0.0.1", port=servers.plain, local_addr=("127.0.0.1", 0))


async def racing(servers: Servers, party: Party) -> Any:
    # One of the two refuses: nobody listens on ::1.
    return await servers.connected(host="localhost", port=servers.plain, happy_eyeballs_delay=0.001)


async def secure(servers: Servers, party: Party) -> Any:
    tls = {"ssl": plainClientContext(), "server_hostname": "localhost"}
    return await servers.connected(host="127.0.0.1", port=servers.secure, **tls)


async def adopting(servers: Servers, party: Party) -> Any:
    sock = socket.create_connection(("127.0.0.1", servers.secure))
    try:
        return await servers.connected(sock=sock, ssl=plainClientContext(), server_hostname="localhost")
    finally:
        # Whose it is when there is no connection asyncio leaves open: closing it twice must be harmless.
        sock.close()


async def unixPath(servers: Servers, party: Party) -> Any:
    return await party.loop.create_unix_connection(party.keeping(party.told), servers.path)


async def unixSecure(servers: Servers, party: Party) -> Any:
    return await party.loop.create_unix_connection(
        party.keeping(party.told), servers.path + ".tls", ssl=plainClientContext(), server_hostname="localhost"
    )


async def startingTLS(servers: Servers, party: Party) -> Any:
    transport, end = await servers.connected(host="127.0.0.1", port=servers.secure)
    try:
        end.transport = await party.loop.start_tls(transport, end, plainClientContext(), server_hostname="localhost")
    except BaseException:
        transport.abort()
        raise
    return end.transport, end


WAYS = [plain, byName, fromAnAddress, racing, secure, adopting, unixPath, unixSecure, startingTLS]


@pytest.mark.parametrize("way", WAYS)
@contract
async def test_cancelledAtEveryStep(party: Party, way: Way, tmp_path: Any) -> None:
    servers = Servers(party, tmp_path)
    await servers.listen()
    # What is made with the first of a kind.
    transport, end = await way(servers, party)
    transport.abort()
    await party.gone(end)
    await party.turn(20)
    for steps in range(1000):
        connecting = asyncio.create_task(way(servers, party))
        for _ in range(steps):
            await asyncio.sleep(0)
        if connecting.done():
            transport, _ = connecting.result()
            transport.abort()
            break
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        # Whoever gets the number of what was closed keeps it.
        pipes = [fd for _ in range(3) for fd in os.pipe()]
        kept = [os.readlink(f"/proc/self/fd/{fd}") for fd in pipes]
        await party.turn(10)
        assert [os.readlink(f"/proc/self/fd/{fd}") for fd in pipes] == kept
        for fd in pipes:
            os.close(fd)
    assert steps < 999
    for each in party.built:
        # Told of the end if it was told of the beginning.
        await party.until(lambda: each.made == each.lost)  # noqa: B023
        assert each.made <= 1


@contract
async def test_refused(party: Party) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    for options in ({}, {"happy_eyeballs_delay": 0.25}, {"local_addr": ("127.0.0.1", 0)}):
        with pytest.raises(ConnectionRefusedError) as raised:
            await party.loop.create_connection(party.told, "127.0.0.1", port, **options)
        assert raised.value.errno == errno.ECONNREFUSED and str(port) in str(raised.value)
    with pytest.raises(socket.gaierror):
        await party.loop.create_connection(party.told, "nobody.invalid", port)
    with pytest.raises(FileNotFoundError):
        await party.loop.create_unix_connection(party.told, "/nowhere/socket")
    assert party.built == []


@contract
async def test_noDescriptorLeft(party: Party) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, noDescriptors():
        with pytest.raises(OSError) as raised:
            await party.loop.create_connection(party.told, *listening.getsockname())
        assert raised.value.errno == errno.EMFILE
        with pytest.raises(OSError) as raised:
            await party.loop.create_server(party.told, "127.0.0.1", 0)
        assert raised.value.errno == errno.EMFILE


@pytest.mark.parametrize("secure", [False, True])
@contract
async def test_theFactoryRaises(party: Party, secure: bool) -> None:
    tls: dict[str, Any] = {"ssl": plainClientContext(), "server_hostname": "localhost"} if secure else {}

    def build() -> Told:
        raise ZeroDivisionError

    with socket.create_server(("127.0.0.1", 0)) as listening:
        with pytest.raises(ZeroDivisionError):
            await party.loop.create_connection(build, *listening.getsockname(), **tls)
        sock, _ = listening.accept()
        with sock:
            sock.settimeout(PATIENCE)
            assert sock.recv(1) == b""


@contract
async def test_theProtocolRaisesAtTheBeginning(party: Party) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        # There was a connection: that is what whoever asked for it is told.
        _, end = await party.loop.create_connection(
            party.keeping(lambda: party.told(made=fails)), *listening.getsockname()
        )
        await party.gone(end)
        assert end.short == ["CL(ZeroDivisionError)"]
        sock, _ = listening.accept()
        with sock:
            sock.settimeout(PATIENCE)
            assert sock.recv(1) == b""
    party.expected = [ZeroDivisionError]


@contract
async def test_resetAtOnce(party: Party) -> None:
    for _ in range(20):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            connecting = asyncio.create_task(
                party.loop.create_connection(party.keeping(party.told), *listening.getsockname())
            )
            await asyncio.sleep(0)
            sock, _ = listening.accept()
            party.reset(sock)
            try:
                _, end = await connecting
            except ConnectionError:
                continue
            await party.gone(end)
            assert end.short[-1] in ("CL", "CL(ConnectionResetError)")


async def handshaken(party: Party, context: ssl.SSLContext, serverSide: Callable[[socket.socket], object]) -> Any:
    """What comes of a connection under TLS to a plain socket, to which `serverSide` is done in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            sock, _ = listening.accept()
            sock.settimeout(PATIENCE)
            with sock:
                serverSide(sock)

        serving = asyncio.create_task(asyncio.to_thread(serve))
        try:
            return await party.loop.create_connection(
                party.keeping(party.told),
                *listening.getsockname(),
                ssl=context,
                server_hostname="localhost",
                ssl_handshake_timeout=PATIENCE,
            )
        finally:
            await serving


alerts: list[str] = []


def shake(sock: socket.socket, context: ssl.SSLContext) -> None:
    alerts.clear()
    try:
        with context.wrap_socket(sock, server_side=True) as secured:
            secured.recv(1)
    except ssl.SSLError as e:
        alerts.append(str(e.reason))


@contract
async def test_whoIsNotTrusted(party: Party) -> None:
    strange = ssl.create_default_context(cadata=stranger().cert_pem.bytes().decode())
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
        await handshaken(party, strange, lambda sock: shake(sock, plainServerContext()))
    assert alerts == ["TLSV1_ALERT_UNKNOWN_CA"]
    with pytest.raises(ssl.SSLCertVerificationError, match="localhost"):
        await handshaken(
            party, plainClientContext(), lambda sock: shake(sock, plainServerContext(issued("other.test")))
        )
    assert alerts
    # Nobody was told of anything.
    assert [each.events for each in party.built] == [[], []]


@pytest.mark.parametrize("answer", [b"", b"\x15\x03\x03", b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(100)])
@contract
async def test_whoSpeaksNoTLS(party: Party, answer: bytes) -> None:
    def say(sock: socket.socket) -> None:
        sock.recv(100_000)
        sock.sendall(answer)

    with pytest.raises((ssl.SSLError, ConnectionError)):
        await handshaken(party, plainClientContext(), say)
    assert [each.events for each in party.built] == [[]]


@contract
async def test_whoResetsInTheHandshake(party: Party) -> None:
    with pytest.raises(ConnectionError):
        await handshaken(party, plainClientContext(), lambda sock: (sock.recv(10), party.reset(sock)))
    assert [each.events for each in party.built] == [[]]


@contract
async def test_whoNeverAnswers(party: Party) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        tls = {"ssl": plainClientContext(), "server_hostname": "localhost"}
        with pytest.raises(ConnectionAbortedError, match=r"handshakeTimeout=0\.02 s"):
            await party.loop.create_connection(
                party.keeping(party.told), *listening.getsockname(), ssl_handshake_timeout=0.02, **tls
            )
        assert [each.events for each in party.built] == [[]]
        # start_tls tells a protocol that has its connection already.
        transport, end = await party.loop.create_connection(party.keeping(party.told), *listening.getsockname())
        with pytest.raises(ConnectionAbortedError):
            await party.loop.start_tls(
                transport, end, plainClientContext(), server_hostname="localhost", ssl_handshake_timeout=0.02
            )
        await party.gone(end)
        assert end.short == ["CL(ConnectionAbortedError)"]
