"""What is told of faults in asyncio's words: of peers by hand, on plain sockets, and of callbacks at every moment."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator

import pytest
from aioends import PROTOCOLS, Party, Told, contract, partyOf
from tls import plainClientContext, plainServerContext

import reactor.aio as aio


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


@contract
async def test_thePeerEnds(party: Party) -> None:
    end, peer = await party.socketPair()
    peer.sendall(b"all of it")
    peer.close()
    await party.gone(end)
    assert end.received == b"all of it"
    assert end.short == ["DR", "EOF", "CL"]


@contract
async def test_thePeerResets(party: Party) -> None:
    end, peer = await party.socketPair()
    peer.sendall(b"before")
    await party.until(lambda: end.received == b"before")
    party.reset(peer)
    await party.gone(end)
    assert end.short == ["DR", "CL(ConnectionResetError)"]


@pytest.mark.parametrize("by", ["end", "reset"])
@contract
async def test_thePeerGoesWhileNothingIsRead(party: Party, by: str) -> None:
    end, peer = await party.socketPair()
    end.pause()
    peer.sendall(b"last words")
    await party.turn()
    if by == "end":
        peer.close()
    else:
        party.reset(peer)
    await party.assertIdle(0.02)
    assert end.short == []
    end.resume()
    await party.gone(end)
    # The kernel keeps what came before a reset, or does not.
    assert end.short[-1] == ("CL" if by == "end" else "CL(ConnectionResetError)")
    assert end.received == b"last words" or (by == "reset" and not end.received)


@pytest.mark.parametrize("by", ["end", "reset"])
@contract
async def test_writingToAPeerThatIsGone(party: Party, by: str) -> None:
    end, peer = await party.socketPair(lambda: party.told(eof=lambda _: True))
    if by == "end":
        peer.close()
        await party.until(lambda: "EOF" in end.events or end.lost)
    else:
        party.reset(peer)
    for _ in range(100):
        if end.lost:
            break
        end.write(b"into the void")
        await party.turn(1)
    await party.gone(end)
    # As the kernel has it; never a word of it in the log but once.
    assert end.short[-1].startswith("CL")
    for _ in range(10):
        end.write(b"into the void")
    late = [r for r in party.caplog.records if "is over" in r.getMessage()]
    assert len(late) == 1
    assert end.buffered == 0


@contract
async def test_outOfBandDataIsSkipped(party: Party) -> None:
    end, peer = await party.socketPair()
    peer.sendall(b"before")
    peer.send(b"!", socket.MSG_OOB)
    peer.sendall(b"after")
    await party.until(lambda: len(end.received) >= 11)
    await party.assertIdle(0.02)
    assert end.received == b"beforeafter"


@contract
async def test_oneThatFloodsStarvesNobody(party: Party) -> None:
    end, peer = await party.socketPair()
    other, friend = await party.socketPair()
    flooding = True

    def flood() -> None:
        try:
            while flooding:
                peer.sendall(bytes(1 << 20))
        except OSError:
            pass

    thread = asyncio.create_task(asyncio.to_thread(flood))
    await party.until(lambda: len(end.received) > 1 << 20)
    for number in range(1, 20):
        turns, got = party.turns, len(end.received)
        friend.sendall(b"x")
        await party.until(lambda: len(other.received) == number)  # noqa: B023
        # One receive a turn, of 256 KiB at most.
        assert len(end.received) - got <= (party.turns - turns + 1) * (1 << 18)
        del end.received[:]
    flooding = False
    end.abort()
    peer.settimeout(0.01)
    await thread


@contract
async def test_truncatedTLS(party: Party) -> None:
    for by in ("end", "reset"):
        end, peer = await party.socketPair()
        sock = await secured(party, peer, end)
        await asyncio.to_thread(sock.sendall, b"before")
        await party.until(lambda: end.received == b"before")  # noqa: B023
        # Without a close_notify; to asyncio's programs that is an end.
        raw = socket.socket(fileno=sock.detach())
        if by == "end":
            raw.close()
        else:
            party.reset(raw)
        await party.gone(end)
        assert end.short == (["DR", "EOF", "CL"] if by == "end" else ["DR", "CL(ConnectionResetError)"])


@contract
async def test_garbageUnderTLS(party: Party) -> None:
    end, peer = await party.socketPair()
    sock = await secured(party, peer, end)
    raw = party.keep(socket.socket(fileno=sock.detach()))
    raw.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
    await party.gone(end)
    assert end.short == ["CL(SSLError)"]


@contract
async def test_closeNotifyThatIsNeverAnswered(party: Party) -> None:
    end, peer = await party.socketPair()
    wrapped = asyncio.to_thread(plainServerContext().wrap_socket, peer, server_side=True)
    starting = party.loop.start_tls(
        end.transport, end, plainClientContext(), server_hostname="localhost", ssl_shutdown_timeout=0.02
    )
    sock, end.transport = await asyncio.gather(wrapped, starting)
    party.keep(sock)
    end.write(b"last words")
    end.close()
    await party.assertIdle()
    await party.gone(end)
    assert end.short == ["CL"]
    assert await asyncio.to_thread(sock.recv, 100) == b"last words"


@pytest.mark.parametrize("method", ["close", "abort"])
@contract
async def test_endedInsideTheHandshake(party: Party, method: str) -> None:
    end, peer = await party.socketPair()
    plain = end.transport
    starting = asyncio.create_task(party.loop.start_tls(plain, end, plainClientContext(), server_hostname="localhost"))
    assert (await asyncio.to_thread(peer.recv, 5)).startswith(b"\x16\x03\x01")
    getattr(plain, method)()
    with pytest.raises((ConnectionError, ssl.SSLError, asyncio.CancelledError)):
        await starting
    await party.gone(end)
    assert end.short[-1].startswith("CL")


@contract
async def test_whatCameBehindTheCommandIsTheHandshake(party: Party) -> None:
    # Both what the protocol has not been given yet, and what comes while start_tls is asked for.
    end, peer = await party.socketPair()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = plainClientContext().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    peer.sendall(b"STARTTLS\r\n")
    await party.until(lambda: end.received)
    end.pause()
    peer.sendall(outgoing.read())
    await party.turn()
    starting = asyncio.create_task(party.loop.start_tls(end.transport, end, plainServerContext(), server_side=True))

    def shake() -> None:
        while True:
            try:
                client.do_handshake()
            except ssl.SSLWantReadError:
                peer.sendall(outgoing.read())
                incoming.write(peer.recv(1 << 16))
            else:
                client.write(b"under TLS")
                peer.sendall(outgoing.read())
                return

    await asyncio.to_thread(shake)
    end.transport = await starting
    await party.until(lambda: end.received == b"STARTTLS\r\nunder TLS")
    end.abort()


@pytest.mark.parametrize("secure", [False, True])
def test_theReactorStops(party: Party, secure: bool) -> None:
    ends: list[Told] = []

    async def program() -> None:
        end, peer = await party.socketPair()
        if secure:
            peer = await secured(party, peer, end)
        ends.append(end)
        peers.append(peer)
        end.write(b"famous last words")
        party.reactor.stop()  # type: ignore[union-attr]
        await asyncio.Event().wait()

    peers: list[socket.socket] = []
    aio.start(program(), reactor=party.reactor)
    party.reactor.run(installSignalHandlers=False)  # type: ignore[union-attr]
    # One last attempt to send, and the end is told once.
    assert ends[0].events[-1].startswith("CL")
    assert peers[0].recv(100) == b"famous last words"
    assert peers[0].recv(100) == b""
