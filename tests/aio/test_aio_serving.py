"""Servers in asyncio's words, when things go wrong: without descriptors, with protocols that raise, at their end."""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from aioends import PROTOCOLS, Party, Told, contract, fails, partyOf
from connecting import noDescriptors
from patience import PATIENCE
from tls import plainClientContext, plainServerContext


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> type[Told]:
    return PROTOCOLS[request.param]


@pytest.fixture
def party(request: pytest.FixtureRequest, protocol: type[Told], caplog: pytest.LogCaptureFixture) -> Iterator[Party]:
    yield from partyOf(request, caplog, "tcp4", protocol)


async def serving(party: Party, build: Any = None, **options: Any) -> tuple[Any, Any]:
    """A server and its address."""
    build = party.keeping(build or (lambda: party.told(data=lambda p: p.write(bytes(p.received)))))
    server = await party.loop.create_server(build, "127.0.0.1", 0, **options)
    party.servers.append(server)
    return server, server.sockets[0].getsockname()


def asked(party: Party, address: Any) -> socket.socket:
    """A client that has said something."""
    sock = party.keep(socket.create_connection(address))
    sock.settimeout(PATIENCE)
    sock.sendall(b"x")
    return sock


async def answer(sock: socket.socket) -> bytes:
    """What comes next; b"" for an end or a reset."""

    def receive() -> bytes:
        try:
            return sock.recv(100)
        except ConnectionError:
            return b""

    return await asyncio.to_thread(receive)


@contract
async def test_withoutDescriptors(party: Party) -> None:
    _, address = await serving(party)
    before = asked(party, address)
    assert await answer(before) == b"x"
    clients = [party.keep(socket.socket()) for _ in range(10)]
    with noDescriptors():
        for sock in clients:
            sock.settimeout(PATIENCE)
            sock.connect(address)
        ticks, used = 0, time.process_time()
        for _ in range(20):
            await asyncio.sleep(0.01)
            ticks += 1
        # Turned away, without a wait and without a spin, and who is there is served.
        assert [await answer(sock) for sock in clients] == [b""] * 10
        before.sendall(b"y")
        await party.until(lambda: party.built[0].received == b"xy")
        assert time.process_time() - used < 1
        assert ticks == 20
    assert await answer(asked(party, address)) == b"x"
    assert len(party.built) == 2
    # The port says it once.
    assert [record.levelname for record in party.caplog.records] == ["WARNING"]


@contract
async def test_theFactoryRaises(party: Party) -> None:
    def build() -> Told:
        if raising:
            raise ZeroDivisionError("for the test")
        return party.told(data=lambda p: p.write(bytes(p.received)))

    _, address = await serving(party, build)
    raising = True
    for _ in range(3):
        assert await answer(asked(party, address)) == b""
    raising = False
    assert await answer(asked(party, address)) == b"x"
    party.expected = [ZeroDivisionError] * 3


@contract
async def test_theProtocolRaisesAtTheBeginning(party: Party) -> None:
    _, address = await serving(party, lambda: party.told(made=fails))
    assert await answer(asked(party, address)) == b""
    await party.gone(*party.built)
    assert party.built[0].short == ["CL(ZeroDivisionError)"]
    party.expected = [ZeroDivisionError]


@contract
async def test_closedWithClients(party: Party) -> None:
    server, address = await serving(party)
    clients = [asked(party, address) for _ in range(3)]
    assert [await answer(sock) for sock in clients] == [b"x"] * 3
    server.close()
    server.close()
    assert not server.is_serving() and server.sockets == ()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
    # Who is connected stays, and is waited for.
    waiting = asyncio.create_task(server.wait_closed())
    clients[0].sendall(b"y")
    assert await answer(clients[0]) == b"xy"
    await party.assertIdle()
    assert not waiting.done()
    clients[0].close()
    await party.gone(party.built[0])
    server.close_clients()
    assert [await answer(sock) for sock in clients[1:]] == [b""] * 2
    await waiting
    await server.wait_closed()
    assert [each.short[-1] for each in party.built] == ["CL"] * 3
    # At once, whoever was there a moment ago.
    again = await party.loop.create_server(party.told, *address)
    party.servers.append(again)


@pytest.mark.parametrize("secure", [False, True])
@contract
async def test_clientsAborted(party: Party, secure: bool) -> None:
    server, address = await serving(party, party.told, ssl=plainServerContext() if secure else None)
    tls = {"ssl": plainClientContext(), "server_hostname": "localhost"} if secure else {}
    ends = [(await party.loop.create_connection(party.keeping(party.told), *address, **tls))[1] for _ in range(3)]
    await party.until(lambda: sum(each.made for each in party.built) == 6)
    for each in party.built:
        if each not in ends:
            each.write(bytes(20_000_000))
    server.close()
    server.abort_clients()
    await server.wait_closed()
    await party.gone(*party.built)


@contract
async def test_theLimitOfTheHandshake(party: Party) -> None:
    _, address = await serving(party, ssl=plainServerContext(), ssl_handshake_timeout=0.02)
    silent = party.keep(socket.create_connection(address))
    silent.settimeout(PATIENCE)
    assert await answer(silent) == b""
    # Nobody was told of a connection, and nothing is wrong with the program.
    assert [each.events for each in party.built] == [[]]


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\n\r\n", bytes(1000), b"\x16\x03\x01\xff\xff" + bytes(70_000)])
@contract
async def test_whoSpeaksNoTLS(party: Party, said: bytes) -> None:
    _, address = await serving(party, ssl=plainServerContext())
    wrong = party.keep(socket.create_connection(address))
    wrong.settimeout(PATIENCE)
    wrong.sendall(said)
    # It may be told why, in an alert.
    while await answer(wrong):
        pass
    assert [each.events for each in party.built] == [[]]
    # Nobody else has a part in it.
    tls = {"ssl": plainClientContext(), "server_hostname": "localhost"}
    _, end = await party.loop.create_connection(party.keeping(party.told), *address, **tls)
    end.write(b"x")
    await party.until(lambda: end.received == b"x")


@contract
async def test_manyAtOnce(party: Party) -> None:
    _, address = await serving(party, backlog=500)
    old = asked(party, address)
    assert await answer(old) == b"x"
    clients = []
    for _ in range(300):
        sock = party.keep(socket.socket())
        sock.setblocking(False)
        sock.connect_ex(address)
        clients.append(sock)
    await party.until(lambda: sum(each.made for each in party.built) == 301)
    for sock in clients:
        sock.sendall(b"x")
    await party.until(lambda: all(each.received for each in party.built))
    for sock in clients:
        sock.setblocking(True)
        sock.settimeout(PATIENCE)
        assert sock.recv(10) == b"x"


@contract
async def test_wherePortsAreTaken(party: Party) -> None:
    _, address = await serving(party)
    with pytest.raises(OSError) as raised:
        await party.loop.create_server(party.told, *address)
    assert raised.value.errno == errno.EADDRINUSE and str(address[1]) in str(raised.value)
    with pytest.raises(OSError) as raised:
        await party.loop.create_server(party.told, "192.0.2.1", 0)
    assert raised.value.errno == errno.EADDRNOTAVAIL and "192.0.2.1" in str(raised.value)
    with pytest.raises(OverflowError):
        await party.loop.create_server(party.told, "127.0.0.1", 70_000)
