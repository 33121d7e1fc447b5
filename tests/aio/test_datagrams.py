"""Datagrams of asyncio: a protocol that raises is reported and goes on; what the kernel has no room for waits."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest
from bothloops import Trace, everyLoop, named, traceOf, until

import reactor.aio as aio

Factory = Callable[[], asyncio.AbstractEventLoop]


class Heard(asyncio.DatagramProtocol):
    def __init__(self, trace: Trace, fails: str = "") -> None:
        self.trace, self.fails = trace, fails

    def _tell(self, what: str, *args: Any) -> None:
        self.trace(what, *args)
        if what == self.fails:
            raise ZeroDivisionError("for the test")

    def connection_made(self, transport: Any) -> None:
        self._tell("made")

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._tell("data", data)

    def error_received(self, exc: BaseException) -> None:
        self._tell("error", named(exc))

    def pause_writing(self) -> None:
        self._tell("pause")

    def resume_writing(self) -> None:
        self._tell("resume")

    def connection_lost(self, exc: BaseException | None) -> None:
        self._tell("lost", named(exc))


@everyLoop
@pytest.mark.parametrize("where", ["made", "data", "lost"])
def test_aProtocolThatRaises(factory: Factory, where: str) -> None:
    async def program(trace: Trace) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: Heard(trace, where), ("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for data in (b"one", b"two"):
                sock.sendto(data, transport.get_extra_info("sockname"))
                await until(lambda data=data: ("data", data) in trace)  # type: ignore[misc]
        trace("closing", transport.is_closing())
        transport.close()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    expected: list[tuple[Any, ...]] = []
    for each in [("made",), ("data", b"one"), ("data", b"two"), ("closing", False), ("lost", None)]:
        expected.append(each)
        if each[0] == where:
            expected.append(("reported", "ZeroDivisionError"))
    assert traceOf(factory, program) == expected


@everyLoop
def test_oneThatRaisesAtAnError(factory: Factory) -> None:
    async def program(trace: Trace) -> None:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.1", 0))
            nobody = sock.getsockname()
        transport, _ = await loop.create_datagram_endpoint(lambda: Heard(trace, "error"), remote_addr=nobody)
        transport.sendto(b"x")
        await until(lambda: trace[-1][0] == "reported")
        trace("closing", transport.is_closing())
        transport.close()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    assert traceOf(factory, program) == [
        ("made",),
        ("error", "ConnectionRefusedError"),
        ("reported", "ZeroDivisionError"),
        ("closing", False),
        ("lost", None),
    ]


def test_whatHasNoRoomWaits() -> None:
    """On a pair of sockets that have no addresses, where asyncio of 3.13 fails."""

    async def program(trace: Trace) -> None:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        theirs.setblocking(False)
        transport, _ = await loop.create_datagram_endpoint(lambda: Heard(trace), sock=ours)
        transport.set_write_buffer_limits(high=50_000)
        for number in range(200):
            transport.sendto(b"%05d" % number * 2000)
        for number in range(200):
            assert await loop.sock_recv(theirs, 20_000) == b"%05d" % number * 2000
        trace("left", transport.get_write_buffer_size())
        transport.close()
        await until(lambda: trace[-1][0] == "lost")
        theirs.close()

    assert traceOf(aio.EventLoop, program) == [("made",), ("pause",), ("resume",), ("left", 0), ("lost", None)]
