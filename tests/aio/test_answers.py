"""What is written while something is delivered: in order, however long the pieces are, and whoever writes too much is
told so at once.
"""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator

import pytest
from aioends import KINDS, PROTOCOLS, Party, Told, contract, narrow, partyOf
from net import pattern

from reactor._transport.tls.encrypting import MOST, TOGETHER


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> type[Told]:
    return PROTOCOLS[request.param]


@pytest.fixture(params=KINDS)
def party(request: pytest.FixtureRequest, protocol: type[Told], caplog: pytest.LogCaptureFixture) -> Iterator[Party]:
    yield from partyOf(request, caplog, request.param, protocol)


# Where it changes how a piece is kept.
SIZES = (1, TOGETHER - 1, TOGETHER, MOST, MOST + 1)
ANSWERS = [sizes for count in (1, 2, 3) for sizes in itertools.product(SIZES, repeat=count)]


@pytest.mark.parametrize("high", [None, 0, TOGETHER, 10_000_000])
@contract
async def test_inOrderAndToldWhenItIsTooMuch(party: Party, high: int | None) -> None:
    answers = iter(ANSWERS)
    mistakes: list[object] = []

    def answer(end: Told) -> None:
        sizes = next(answers)
        told = end.events.count("PW") - end.events.count("RW")
        for number, size in enumerate(sizes):
            end.write(pattern(size))
            now = end.events.count("PW") - end.events.count("RW")
            if now > 1 or now < told or (end.buffered > limit and not now):
                mistakes.append((sizes, number, end.buffered, now))
            told = now

    first, second = await party.ends(None, lambda: party.told(data=answer))
    second.transport.set_write_buffer_limits(high)
    limit = 65_536 if high is None else high
    for sizes in ANSWERS:
        expected = b"".join(map(pattern, sizes))
        first.received.clear()
        first.write(b"?")
        await party.until(lambda expected=expected: len(first.received) >= len(expected))
        assert first.received == expected, sizes
    assert mistakes == []
    first.close()
    await party.gone(first, second)


@contract
async def test_moreThanTheKernelTakes(party: Party) -> None:
    """What is left of an answer is sent when there is room, and later answers behind it."""
    piece = pattern(20_000)
    first, second = await party.ends(None, lambda: party.told(data=lambda end: end.write(piece)))
    narrow(first, second)
    first.pause()
    answers = 0
    while not second.buffered or answers < 30:
        first.write(b"?")
        answers += 1
        await party.until(lambda answers=answers: second.events.count("DR") >= answers)
    # The last of them stands behind the rest of another.
    assert second.events.count("PW") == 1
    first.resume()
    await party.until(lambda: len(first.received) >= answers * len(piece))
    assert first.received == answers * piece
    assert second.events.count("RW") == 1 and second.buffered == 0
    first.close()
    await party.gone(first, second)


@pytest.mark.parametrize("party", ["unix"], indirect=True)
@contract
async def test_nobodyIsThereForTheAnswer(party: Party) -> None:
    """Reading ends the connection, with the error of the send."""
    mine, peer = map(party.keep, socket.socketpair())
    peer.sendall(b"?")
    peer.close()
    build = party.keeping(lambda: party.told(data=lambda end: end.write(b"!")))
    _, end = await party.loop.connect_accepted_socket(build, mine)
    await party.gone(end)
    assert end.heard == ["DR", "CL(BrokenPipeError)"]


@contract
async def test_bytesOfEveryKindAreThoseOfNow(party: Party) -> None:
    """What is changed behind `write` is sent as it was."""

    def answer(end: Told) -> None:
        changing = bytearray(b"first")
        end.write(changing)
        changing[:] = b"other"
        end.write(memoryview(changing)[:3])
        changing[:] = b"third"
        end.write(b"")
        end.write(memoryview(b""))
        end.write(b" last")

    first, second = await party.ends(None, lambda: party.told(data=answer))
    first.write(b"?")
    await party.until(lambda: len(first.received) == 13)
    assert first.received == b"firstoth last"
    first.close()
    await party.gone(first, second)


@pytest.mark.parametrize("data", ["text", None, 7, [1, 2]], ids=str)
@contract
async def test_whatIsNoBytesIsRefused(party: Party, data: object) -> None:
    refused: list[str] = []

    def answer(end: Told) -> None:
        with pytest.raises(TypeError, match="bytes-like"):
            end.write(data)
        refused.append("while something is delivered")
        end.write(b"!")

    first, second = await party.ends(None, lambda: party.told(data=answer))
    with pytest.raises(TypeError, match="bytes-like"):
        first.write(data)
    first.write(b"?")
    await party.until(lambda: first.received == b"!")
    assert refused
    first.close()
    await party.gone(first, second)
