"""TLS that is put onto a connection and fails: whoever had been told of the connection is told of its end."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine

import pytest
from bothloops import Peer, Trace, connected, traceOf

import reactor.aio as aio


async def garbage(peer: Peer, _: asyncio.Future[object]) -> None:
    peer.send(b"certainly no handshake")


async def goes(peer: Peer, _: asyncio.Future[object]) -> None:
    peer.reset()


async def isSilent(peer: Peer, _: asyncio.Future[object]) -> None:
    """The handshake's time runs out."""


async def cancels(_: Peer, task: asyncio.Future[object]) -> None:
    task.cancel()


@pytest.mark.parametrize(
    ("does", "timeout", "raised", "lost"),
    [
        (garbage, None, ssl.SSLError, "SSLError"),
        (goes, None, ConnectionResetError, "ConnectionResetError"),
        (isSilent, 0.05, ConnectionAbortedError, "ConnectionAbortedError"),
        (cancels, None, asyncio.CancelledError, None),
    ],
)
def test_thatFails(
    does: Callable[[Peer, asyncio.Future[object]], Coroutine[object, object, None]],
    timeout: float | None,
    raised: type[BaseException],
    lost: str | None,
) -> None:
    async def program(trace: Trace) -> None:
        loop = asyncio.get_running_loop()
        protocol, peer = await connected(trace)
        transport = protocol.transport
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        task = asyncio.ensure_future(
            loop.start_tls(transport, protocol, context, server_hostname="localhost", ssl_handshake_timeout=timeout)
        )
        # Its first words are on their way.
        await loop.sock_recv(peer.sock, 1)
        await does(peer, task)
        with pytest.raises(raised):
            await task
        await protocol.over
        trace("closing", transport.is_closing())
        peer.sock.close()

    assert traceOf(aio.EventLoop, program) == [("made",), ("lost", lost), ("closing", True)]
