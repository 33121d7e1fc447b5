"""What is told of faults in asyncio's words: of peers by hand, on plain sockets, and of callbacks at every moment."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator

import pytest
from aioends import PROTOCOLS, Party, Told, contract, partyOf
from tls import plainClientContext, plainServerContext


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> type[Told]:
    return PROTOCOLS[request.param]


@pytest.fixture
def party(request: pytest.FixtureRequest, protocol: type[Told], caplog: pytest.LogCaptureFixture) -> Iterator[Party]:
    yield from partyOf(request, caplog, "tcp4", protocol)


async def secured(party: Party, peer: socket.socket, end: Told) -> ssl.SSLSocket:
    """TLS between a protocol, which is the client, and a plain socket at its other end."""
    wrapped = asyncio.to_thread(plainServerContext().wrap_socket, peer, server_side=True)
    sock, end.transport = await asyncio.gather(
        wrapped, party.loop.start_tls(end.transport, end, plainClientContext(), server_hostname="localhost")
    )
    party.keep(sock)
    return sock


@contract
async def test_closeWhileThePeerTalksWithoutEnd(party: Party) -> None:
    end, peer = await party.socketPair()
    sock = await secured(party, peer, end)

    def talk() -> int:
        sent = 0
        try:
            # And hears nothing: no close_notify either.
            while True:
                sent += sock.send(bytes(16_384))
        except OSError:
            return sent

    talking = asyncio.create_task(asyncio.to_thread(talk))
    await party.until(lambda: end.received)
    end.write(b"bye")
    end.close()
    before = len(end.received)
    await party.gone(end)
    assert end.short == ["DR", "CL"] and len(end.received) == before
    # What is on its way, and not what comes until an answer has taken too long.
    assert await talking < 16_000_000
