"""The whole life of connections in asyncio's words: anything that may be done at any time, and that nothing is left."""

from __future__ import annotations

import asyncio
import gc
import tempfile
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from aioends import OURS, PROTOCOLS, Party, Told, contract, narrow, partyOf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from net import pattern


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> type[Told]:
    return PROTOCOLS[request.param]


@pytest.fixture(params=OURS)
def party(request: pytest.FixtureRequest, protocol: type[Told], caplog: pytest.LogCaptureFixture) -> Iterator[Party]:
    yield from partyOf(request, caplog, request.param, protocol)


SIZES = st.one_of(st.integers(0, 100), st.integers(0, 1 << 18))
DEEDS = st.one_of(
    st.tuples(st.just("write"), SIZES),
    st.tuples(st.just("limits"), st.integers(0, 100_000)),
    st.tuples(st.sampled_from(["pause_reading", "resume_reading", "write_eof", "close", "abort"]), st.none()),
    st.tuples(st.just("turn"), st.integers(1, 5)),
)
# Who does it, what is done, and whether it is done while the other one's next data is delivered to whoever does it.
LIVES = st.lists(st.tuples(st.integers(0, 1), DEEDS, st.booleans()), max_size=25)


class Living:
    """One end of a life: what it has sent, and what it is going to do when it hears something."""

    def __init__(self, keepsOpen: bool) -> None:
        self.end: Any = None
        self.keepsOpen = keepsOpen
        self.sent = bytearray()
        self.closed = self.aborted = self.ended = False
        self.later: list[tuple[str, Any]] = []

    def hears(self, end: Told) -> None:
        """Do what was put off."""
        for deed in self.later[:1]:
            del self.later[0]
            self.do(*deed)

    def do(self, what: str, argument: Any) -> None:
        """Do it, unless it would be refused."""
        end = self.end
        if what == "write":
            if not self.ended:
                if not end.transport.is_closing():
                    self.sent += pattern(argument)
                end.write(pattern(argument))
        elif what == "limits":
            end.transport.set_write_buffer_limits(argument)
        elif what == "write_eof":
            if end.transport.can_write_eof():
                self.ended = True
                end.ask(what)
        else:
            self.closed = self.closed or what == "close"
            self.aborted = self.aborted or what == "abort"
            end.ask(what)


@given(life=LIVES, keepsOpen=st.booleans())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_anythingAtAnyTime(party: Party, life: list[tuple[int, tuple[str, Any], bool]], keepsOpen: bool) -> None:
    async def program() -> None:
        both = [Living(keepsOpen and not party.TLS) for _ in range(2)]

        def build(living: Living) -> Told:
            return party.told(data=living.hears, eof=lambda _: living.keepsOpen)

        ends = await party.ends(lambda: build(both[0]), lambda: build(both[1]))
        for living, end in zip(both, ends, strict=True):
            living.end = end
        for who, (what, argument), later in life:
            if what == "turn":
                await party.turn(argument)
            elif later:
                both[who].later.append((what, argument))
            else:
                both[who].do(what, argument)
        for living in both:
            living.later.clear()
            living.do("resume_reading", None)
        await party.turn(20)
        await party.assertIdle(0.002)
        for living in both:
            living.do("close", None) if not living.end.lost else None
        await party.gone(*ends)
        for living, other in (both, both[::-1]):
            # I3: a prefix of what was sent; and all of it, to who was ended in order and had closed nothing itself.
            assert living.sent.startswith(other.end.received)
            assert living.end.buffered == 0
            assert living.end.events.count("PW") - living.end.events.count("RW") in (0, 1)
            assert living.end.events.count("EOF") <= 1
            if "EOF" in other.end.events and not living.aborted:
                assert other.end.received == living.sent
        party.built.clear()

    party.run(program())


@contract
async def test_filesAreSent(party: Party) -> None:
    first, second = await party.ends()
    whole = pattern(1_000_000)
    with tempfile.TemporaryFile() as file:
        file.write(whole)
        first.write(b"before ")
        assert await party.loop.sendfile(first.transport, file) == len(whole)
        first.write(b" between ")
        assert await party.loop.sendfile(first.transport, file, 10, 20) == 20
        assert file.tell() == 30
        first.write(b" behind")
        first.close()
        await party.gone(first, second)
        assert second.received == b"before " + whole + b" between " + whole[10:30] + b" behind"
        with pytest.raises(RuntimeError):
            await party.loop.sendfile(first.transport, file)


@pytest.mark.parametrize("by", ["cancelled", "aborted", "the peer"])
@contract
async def test_filesThatAreNotSent(party: Party, by: str) -> None:
    first, second = await party.ends()
    narrow(first, second)
    second.pause()
    with tempfile.TemporaryFile() as file:
        file.truncate(3_000_000)
        sending = asyncio.create_task(party.loop.sendfile(first.transport, file))
        await party.turn(20)
        await party.assertIdle(0.02)
        assert not sending.done()
        if by == "cancelled":
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            # What was begun stays begun, and the connection is as good as before.
            assert not first.transport.is_closing()
            second.resume()
            first.write(b"behind")
            await party.until(lambda: second.received.endswith(b"behind"))
            return
        (first if by == "aborted" else second).abort()
        with pytest.raises(ConnectionError):
            await sending
        second.resume()
        await party.gone(first, second)


@pytest.mark.parametrize("how", ["close", "abort", "raise", "the reactor's end"])
def test_freedWithTheLastReference(party: Party, how: str) -> None:
    alive: list[weakref.ref[Any]] = []

    def fail(end: Told) -> None:
        raise ZeroDivisionError

    async def program() -> None:
        first, second = await party.ends(None, lambda: party.told(data=fail) if how == "raise" else party.told())
        for end in (first, second):
            parts = [end, end.transport]
            if party.TLS:
                parts.append(end.transport.get_extra_info("ssl_object"))
            alive.extend(map(weakref.ref, parts))
            del parts
        party.built.clear()
        first.write(b"x")
        second.write(bytes(100_000))
        if how == "the reactor's end":
            return
        if how == "raise":
            await party.until(lambda: party.reported)
        else:
            first.ask(how)
        await party.gone(first, second)
        # Its traceback has frames that have the protocol.
        second.problem = None
        await party.turn()

    async def nothing() -> None:
        await party.turn()

    party.run(program())
    gc.collect()
    gc.disable()
    try:
        # Warm; now without the collector.
        alive.clear()
        party.reported.clear()
        party.run(program())
        party.run(nothing())
        if how == "the reactor's end":
            for server in party.servers:
                server.close()
            party.close()
        party.reported.clear()
        party.caplog.clear()
        assert [each() for each in alive] == [None] * (6 if party.TLS else 4)
    finally:
        gc.enable()
