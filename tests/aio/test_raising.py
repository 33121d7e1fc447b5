"""A protocol of asyncio that raises: it is reported once, to the loop's exception handler, and its connection ends;
what it wrote before is still sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from bothloops import Told, ToldBuffered, Trace, connected, everyLoop, fails, named, traceOf

import reactor.aio as aio

Factory = Callable[[], asyncio.AbstractEventLoop]


def writesAndFails(protocol: Told) -> None:
    protocol.transport.write(b"bye")
    fails(protocol)


def closesAndFails(protocol: Told) -> None:
    protocol.transport.close()
    fails(protocol)


def writesClosesAndFails(protocol: Told) -> None:
    protocol.transport.write(b"bye")
    closesAndFails(protocol)


def abortsAndFails(protocol: Told) -> None:
    protocol.transport.abort()
    fails(protocol)


@everyLoop
@pytest.mark.parametrize("kind", [Told, ToldBuffered])
@pytest.mark.parametrize(
    ("does", "problem", "sent"),
    [
        (fails, "ZeroDivisionError", b""),
        (writesAndFails, "ZeroDivisionError", b"bye"),
        (closesAndFails, None, b""),
        (writesClosesAndFails, None, b"bye"),
        (abortsAndFails, None, b""),
    ],
)
def test_whileItIsToldOfBytes(
    factory: Factory, kind: type[Told], does: Callable[[Told], None], problem: str | None, sent: bytes
) -> None:
    async def program(trace: Trace) -> None:
        protocol, peer = await connected(trace, kind, data=does)
        peer.send(b"x")
        await protocol.over
        trace("sent", await peer.all())

    assert traceOf(factory, program) == [
        ("made",),
        ("data", b"x"),
        ("reported", "ZeroDivisionError"),
        ("lost", problem),
        ("sent", sent),
    ]


@everyLoop
@pytest.mark.parametrize("buffer", [b"only to be read", 17, bytearray()], ids=["read-only", "none", "empty"])
def test_aBufferThatNothingCanBeReceivedInto(factory: Factory, buffer: object) -> None:
    async def program(trace: Trace) -> None:
        protocol, peer = await connected(trace, ToldBuffered, buffer=lambda _: buffer)
        peer.send(b"x")
        await protocol.over
        peer.sock.close()

    made, (reported, problem), lost = traceOf(factory, program)
    assert (made, reported, lost) == (("made",), "reported", ("lost", problem))


@everyLoop
def test_atThePeersEnd(factory: Factory) -> None:
    async def program(trace: Trace) -> None:
        protocol, peer = await connected(trace, eof=fails)
        peer.sock.shutdown(1)
        await protocol.over
        peer.sock.close()

    assert traceOf(factory, program) == [
        ("made",),
        ("eof",),
        ("reported", "ZeroDivisionError"),
        ("lost", "ZeroDivisionError"),
    ]


@everyLoop
def test_atTheEnd(factory: Factory) -> None:
    async def program(trace: Trace) -> None:
        protocol, peer = await connected(trace, lost=fails)
        protocol.transport.close()
        await protocol.over
        peer.sock.close()

    assert traceOf(factory, program) == [("made",), ("lost", None), ("reported", "ZeroDivisionError")]


def test_atTheBeginning() -> None:
    """asyncio's own loop reports it, and goes on with a protocol that has not begun."""

    async def program(trace: Trace) -> None:
        protocol, peer = await connected(trace, made=writesAndFails)
        await protocol.over
        trace("sent", await peer.all())

    assert traceOf(aio.EventLoop, program) == [
        ("made",),
        ("reported", "ZeroDivisionError"),
        ("lost", "ZeroDivisionError"),
        ("sent", b"bye"),
    ]


@everyLoop
def test_aProtocolThatIsNoneForBytes(factory: Factory) -> None:
    """It has a connection until a byte comes."""

    async def program(trace: Trace) -> None:
        reported = asyncio.Event()
        loop = asyncio.get_running_loop()
        protocol, peer = await connected(trace)
        protocol.transport.set_protocol(asyncio.BaseProtocol())
        loop.set_exception_handler(lambda _, context: (trace(named(context["exception"])), reported.set()))
        peer.send(b"x")
        await reported.wait()
        trace("closing", protocol.transport.is_closing())
        peer.sock.close()

    assert traceOf(factory, program) == [("made",), ("AttributeError",), ("closing", True)]
