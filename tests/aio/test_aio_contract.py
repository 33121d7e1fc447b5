"""What every kind of stream connection does in asyncio's words: the contracts of `test_stream_contract`, for both kinds
of protocols and both ends.
"""

from __future__ import annotations

import asyncio
import errno
from asyncio.trsock import TransportSocket
from collections.abc import Callable, Iterator

import pytest
from aioends import ALL_KINDS, OURS, PROTOCOLS, Party, Told, contract, fails, narrow, partyOf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from net import pattern


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> type[Told]:
    return PROTOCOLS[request.param]


@pytest.fixture(params=ALL_KINDS)
def party(request: pytest.FixtureRequest, protocol: type[Told], caplog: pytest.LogCaptureFixture) -> Iterator[Party]:
    yield from partyOf(request, caplog, request.param, protocol)


# For what asyncio's own loop does otherwise.
onOurs = pytest.mark.parametrize("party", OURS, indirect=True)


def cut(whole: bytes, sizes: list[int]) -> list[bytes]:
    """`whole` in pieces of these sizes, and the rest, which may be empty."""
    pieces, begin = [], 0
    for size in sizes:
        pieces.append(whole[begin : begin + size])
        begin += size
    return [*pieces, whole[begin:]]


SIZES = st.lists(st.one_of(st.integers(0, 10), st.integers(0, 1 << 18)), max_size=8)
# Ahead of or behind a piece: let the loop send what there is.
TURNS = st.lists(st.booleans(), max_size=20)


@given(there=SIZES, back=SIZES, turns=TURNS)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bytesInBothDirections(party: Party, there: list[int], back: list[int], turns: list[bool]) -> None:
    async def program() -> None:
        first, second = await party.ends()
        toSecond, toFirst = pattern(sum(there) + 1), pattern(sum(back) + 2)
        pieces = [(first, piece) for piece in cut(toSecond, there)]
        for number, piece in enumerate(cut(toFirst, back)):
            pieces.insert(2 * number, (second, piece))
        for number, (end, piece) in enumerate(pieces):
            end.write(piece)
            if number < len(turns) and turns[number]:
                await asyncio.sleep(0)
        await party.until(lambda: len(first.received) >= len(toFirst) and len(second.received) >= len(toSecond))
        assert first.received == toFirst
        assert second.received == toSecond
        first.close()
        await party.gone(first, second)
        assert first.heard == ["DR", "CL"]
        assert second.heard == ["DR", "EOF", "CL"]

    party.run(program())


@contract
async def test_whoAndWhere(party: Party) -> None:
    first, second = await party.ends()
    for one, other in ((first, second), (second, first)):
        transport = one.transport
        assert isinstance(transport, asyncio.Transport)
        assert isinstance(transport.get_extra_info("socket"), TransportSocket)
        assert transport.get_extra_info("peername") == other.transport.get_extra_info("sockname")
        assert transport.get_extra_info("nothing of the kind", 7) == 7
        assert (transport.get_extra_info("ssl_object") is not None) == party.TLS
        assert transport.get_protocol() is one
        assert transport.is_reading() and not transport.is_closing()
        assert transport.can_write_eof() is not party.TLS
    # As long as anybody asks.
    names = first.transport.get_extra_info("peername"), first.transport.get_extra_info("sockname")
    first.close()
    await party.gone(first, second)
    assert names == (first.transport.get_extra_info("peername"), first.transport.get_extra_info("sockname"))
    assert first.transport.is_closing() and not first.transport.is_reading()


@contract
async def test_closeSendsAll(party: Party) -> None:
    first, second = await party.ends()
    whole = pattern(5_000_000)
    first.write(whole)
    first.close()
    assert first.transport.is_closing()
    assert "CL" not in first.events
    await party.gone(first, second)
    assert second.received == whole
    assert first.short[-1] == "CL" and "DR" not in first.short
    assert second.short == ["DR", "EOF", "CL"]


@contract
async def test_closeWithASlowReader(party: Party) -> None:
    def slowly(end: Told) -> None:
        end.pause()
        party.loop.call_later(0.0001, end.resume)

    first, second = await party.ends(None, lambda: party.told(data=slowly))
    whole = pattern(1_000_000)
    first.write(whole)
    first.close()
    await party.gone(first, second)
    assert second.received == whole
    assert second.short == ["DR", "EOF", "CL"]


@contract
async def test_closeOnBothEndsAtOnce(party: Party) -> None:
    first, second = await party.ends()
    for end in (first, second):
        end.write(b"bye")
        end.close()
    await party.gone(first, second)
    # Neither hears any more, and what the other said is no reset.
    assert first.short == ["CL"]
    # A UNIX socket knows at once that nobody is there to take it, and ours was closed as it was asked to.
    assert second.short == ["CL(BrokenPipeError)" if party.UNIX and party.ours and not party.TLS else "CL"]


@contract
async def test_closeTwice(party: Party) -> None:
    first, second = await party.ends()
    first.write(b"bye")
    for _ in range(2):
        first.close()
        await asyncio.sleep(0)
    first.abort()
    await party.gone(first, second)
    for method in ("close", "abort", "pause_reading", "resume_reading"):
        first.ask(method)
    await party.turn()
    assert first.short == ["CL"]
    assert second.received == b"bye"


@contract
async def test_abort(party: Party) -> None:
    first, second = await party.ends()
    first.write(pattern(5_000_000))
    first.abort()
    first.abort()
    first.close()
    first.write(b"never sent")
    assert "CL" not in first.events
    await party.gone(first, second)
    assert first.short[-1] == "CL"
    assert first.transport.is_closing() and first.buffered == 0
    assert pattern(5_000_000).startswith(second.received)
    assert len(second.received) < 5_000_000


@contract
async def test_abortOnBothEndsAtOnce(party: Party) -> None:
    first, second = await party.ends()
    first.abort()
    second.abort()
    await party.gone(first, second)
    assert first.short == second.short == ["CL"]


@contract
async def test_writeAfterTheClose(party: Party) -> None:
    first, second = await party.ends()
    first.write(b"before")
    # On its way before anybody closes.
    await party.until(lambda: second.received)
    first.close()
    first.write(b"after")
    await party.gone(first, second)
    first.write(b"after")
    second.write(b"after")
    await party.turn()
    assert second.received == b"before"
    assert not (first.buffered or second.buffered)


@contract
async def test_halfClose(party: Party) -> None:
    first, second = await party.ends(*[lambda: party.told(eof=lambda _: True)] * 2)
    if party.TLS:
        with pytest.raises(NotImplementedError):
            first.ask("write_eof")
        return
    question, answer = pattern(1_000_000), pattern(1_000_001)
    first.write(question)
    first.ask("write_eof")
    first.ask("write_eof")
    with pytest.raises(RuntimeError):
        first.write(b"more")
    await party.until(lambda: "EOF" in second.events)
    assert second.received == question
    await party.assertIdle()
    assert not first.lost and not second.lost
    second.write(answer)
    second.ask("write_eof")
    await party.until(lambda: "EOF" in first.events)
    assert first.received == answer
    for end in (first, second):
        # Both halves have ended: with ours, that is the end.
        if not party.ours:
            end.close()
    await party.gone(first, second)
    assert first.heard == ["DR", "EOF", "CL"]
    assert second.heard == ["DR", "EOF", "CL"]


@contract
async def test_halfCloseThatTheOtherEndDoesNotWant(party: Party) -> None:
    first, second = await party.ends(None, lambda: party.told(eof=lambda p: p.write(pattern(1_000_000))))
    if party.TLS:
        return
    first.write(b"question")
    first.ask("write_eof")
    await party.gone(first, second)
    # What was written is sent before the end.
    assert first.received == pattern(1_000_000)
    assert first.short == ["DR", "EOF", "CL"]
    assert second.heard == ["DR", "EOF", "CL"]


@contract
async def test_pauseAndResume(party: Party) -> None:
    first, second = await party.ends(lambda: party.told(data=lambda p: p.pause()))
    whole = pattern(600_000)
    second.write(whole)
    second.close()
    while not first.lost:
        portions = first.events.count("DR")
        await party.turn(3)
        # The one that came before it was paused.
        assert first.events.count("DR") - portions <= 1
        first.resume()
    assert first.received == whole
    assert first.short == ["DR", "EOF", "CL"]


@contract
async def test_theEndWaitsForResume(party: Party) -> None:
    first, second = await party.ends()
    first.pause()
    first.pause()
    assert not first.transport.is_reading()
    second.write(b"last words")
    second.close()
    if not party.TLS:
        # Else it waits for an answer.
        await party.gone(second)
    await party.assertIdle(0.02)
    assert first.short == []
    first.resume()
    first.resume()
    await party.gone(first)
    assert first.received == b"last words"
    assert first.short == ["DR", "EOF", "CL"]


@contract
async def test_aResetWaitsForResume(party: Party) -> None:
    first, second = await party.ends()
    first.pause()
    second.write(b"last words")
    await party.turn()
    second.abort()
    await party.gone(second)
    await party.assertIdle(0.02)
    assert first.short == []
    first.resume()
    await party.gone(first)
    assert b"last words".startswith(first.received)


@pytest.mark.parametrize("method", ["close", "abort"])
@contract
async def test_theEndInsideData(party: Party, method: str) -> None:
    first, second = await party.ends(None, lambda: party.told(data=lambda p: p.ask(method)))
    first.write(pattern(300_000))
    await party.gone(second)
    first.abort()
    await party.gone(first)
    assert second.short[0] == "DR" and second.events.count("DR") == 1
    assert second.short[-1] == "CL"


class Writer:
    """Writes `whole` in pieces of 20 000 bytes as long as it is not told to pause."""

    def __init__(self, whole: bytes, close: Callable[[Told], object]) -> None:
        self.pieces = [piece for piece in cut(whole, [20_000] * (len(whole) // 20_000)) if piece]
        self.close = close
        self.paused = False
        self.peak = 0

    def go(self, end: Told) -> None:
        self.paused = False
        while self.pieces and not self.paused:
            end.write(self.pieces.pop(0))
            self.peak = max(self.peak, end.buffered)
        if not self.pieces:
            self.close(end)

    def pause(self, end: Told) -> None:
        self.paused = True


# What TLS in TLS adds to 20 000 bytes, at most.
OVERHEAD = 200


@pytest.mark.parametrize("high", [None, 0, 10_000, 1_000_000])
@contract
async def test_flowControl(party: Party, high: int | None) -> None:
    def close(end: Told) -> None:
        if party.ours:
            end.close()
        else:
            # asyncio's loop closes its socket twice when it is done in resume_writing.
            party.loop.call_soon(end.close)

    whole = pattern(3_000_000 if high == 1_000_000 else 1_000_000)
    writer = Writer(whole, close)
    first, second = await party.ends(lambda: party.told(resume=writer.go, pause=writer.pause))
    narrow(first, second)
    second.pause()
    first.transport.set_write_buffer_limits(high)
    high = 65_536 if high is None else high
    assert first.transport.get_write_buffer_limits() == (high // 4, high)
    writer.go(first)
    assert first.events.count("PW") == 1 and first.events.count("RW") == 0
    assert high < first.buffered
    await party.assertIdle(0.01)
    second.resume()
    await party.gone(first, second)
    assert second.received == whole
    assert first.events.count("PW") - first.events.count("RW") in (0, 1)
    assert first.heard[-1] == "CL"
    assert writer.peak <= high + 20_000 + OVERHEAD


@contract
async def test_thePeerGoesWhileMuchIsQueued(party: Party) -> None:
    first, second = await party.ends()
    narrow(first, second)
    second.pause()
    first.write(bytes(2_000_000))
    await party.turn()
    assert first.events.count("PW") == 1
    second.abort()
    await party.gone(first, second)
    assert first.buffered == 0
    assert first.short[:1] == ["PW"] and "RW" not in first.short
    assert isinstance(first.problem, OSError)


@contract
async def test_closeWhileThePeerReadsNothing(party: Party) -> None:
    first, second = await party.ends()
    narrow(first, second)
    second.pause()
    first.write(bytes(2_000_000))
    first.close()
    await party.turn()
    await party.assertIdle(0.01)
    assert not first.lost
    first.abort()
    await party.gone(first)
    assert first.buffered == 0
    assert first.problem is None


@pytest.mark.parametrize("hook", ["made", "data", "eof", "lost"])
@contract
async def test_aCallbackRaises(party: Party, hook: str) -> None:
    if hook == "made" and (party.make.__name__ in ("startTLS", "tlsInTLS") or not party.ours):
        # There is nothing to put TLS on then; and asyncio leaves the connection open.
        return
    first, second = await party.ends(None, lambda: party.told(**{hook: fails}))
    other, another = await party.ends()
    if hook == "data":
        first.write(b"x")
    elif hook in ("eof", "lost"):
        first.close()
    await party.gone(first, second)
    assert second.short[-1] == ("CL" if hook == "lost" else "CL(ZeroDivisionError)")
    assert [each["exception"].args for each in party.reported] == [("for the test",)]
    # Nobody else has a part in it.
    other.write(b"still there")
    await party.until(lambda: another.received == b"still there")
    party.expected = [ZeroDivisionError]


@pytest.mark.parametrize("hook", ["pause", "resume"])
@contract
async def test_aCallbackOfFlowControlRaises(party: Party, hook: str) -> None:
    first, second = await party.ends(lambda: party.told(**{hook: fails}))
    narrow(first, second)
    whole = pattern(1_000_000)
    first.write(whole)
    await party.until(lambda: second.received == whole)
    # Reported, and no more.
    assert first.short == ["PW", "RW"]
    party.expected = [ZeroDivisionError]


@onOurs
@pytest.mark.parametrize("hook", ["made", "data", "eof", "lost"])
@pytest.mark.parametrize("problem", [SystemExit, KeyboardInterrupt])
def test_whatEndsTheRun(party: Party, hook: str, problem: type[BaseException]) -> None:
    def ends(end: Told) -> None:
        raise problem

    async def program() -> None:
        first, _ = await party.ends(None, lambda: party.told(**{hook: ends}))
        first.write(b"x")
        await party.turn()
        first.close()
        await asyncio.Event().wait()

    with pytest.raises(problem):
        party.run(program())
    # It can be run again; `wait_for` had no turn any more to cancel what it waits for.
    for task in asyncio.all_tasks(party.loop):
        task.cancel()
    party.run(asyncio.sleep(0))


@contract
async def test_whatCanBeWritten(party: Party) -> None:
    first, second = await party.ends()
    changing = bytearray(b"3")
    for data in (b"1", bytearray(b"2"), memoryview(changing), memoryview(b"4 4 ")[::2], b"", memoryview(b"")):
        # asyncio's loop takes no views with gaps.
        first.write(data if party.ours else bytes(data))
    changing[:] = b"x"
    first.ask("writelines", [b"5", bytearray(b"6"), memoryview(b"7")])
    first.ask("writelines", (bytes([each]) for each in b"89"))
    first.ask("writelines", [])
    for wrong in ("text", 1, None, [b"x"]):
        with pytest.raises(TypeError):
            first.write(wrong)
    await party.until(lambda: len(second.received) >= 10)
    assert second.received == b"1234456789"


@contract
async def test_manySmallWrites(party: Party) -> None:
    first, second = await party.ends()
    whole = pattern(20_000 if party.ours else 200)
    for index in range(len(whole)):
        first.transport.write(whole[index : index + 1])
    await party.until(lambda: len(second.received) >= len(whole))
    assert second.received == whole


@contract
async def test_anotherProtocol(party: Party) -> None:
    first, second = await party.ends()
    later = [party.told(), Told()]
    for number, end in enumerate((second, *later)):
        if number:
            end.transport = second.transport
            end.made = 1
            second.transport.set_protocol(end)
            assert second.transport.get_protocol() is end
        first.write(b"for %d" % number)
        await party.until(lambda: end.received)  # noqa: B023
        assert end.received == b"for %d" % number
    first.close()
    await party.gone(later[-1], first)
    assert later[-1].short == ["DR", "EOF", "CL"]
    assert second.short == later[0].short == ["DR"]
    second.lost = second.made


@onOurs
def test_theLoopIsClosed(party: Party) -> None:
    async def program() -> tuple[Told, Told]:
        first, second = await party.ends()
        first.write(pattern(100))
        return first, second

    first, second = party.run(program())
    for each in party.sockets + party.servers:
        each.close()
    party.close()
    # No loop, nobody to tell.
    assert not first.lost and not second.lost
    for end in (first, second):
        assert end.transport.is_closing()
        end.transport.close()
        end.transport.abort()
        end.lost = end.made


@contract
async def test_theDescriptorIsGone(party: Party) -> None:
    first, second = await party.ends()
    socket_ = first.transport.get_extra_info("socket")
    first.close()
    await party.gone(first, second)
    with pytest.raises(OSError) as raised:
        socket_.getpeername()
    assert raised.value.errno == errno.EBADF
