"""Descriptors that a program watches, and closes without a word."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Callable, Generator

import pytest
from bothloops import Trace, everyLoop, traceOf

import reactor.aio as aio

Factory = Callable[[], asyncio.AbstractEventLoop]


@everyLoop
def test_removedTwiceAfterItWasClosed(factory: Factory) -> None:
    async def program(trace: Trace) -> None:
        loop = asyncio.get_running_loop()
        one, other = socket.socketpair()
        number = one.fileno()
        loop.add_reader(number, int)
        one.close()
        other.close()
        await asyncio.sleep(0)
        trace(loop.remove_reader(number), loop.remove_reader(number), loop.remove_writer(number))

    assert traceOf(factory, program) == [(True, False, False)]


@everyLoop
@pytest.mark.parametrize("port", [-1, 65536])
def test_aPortThatIsNone(factory: Factory, port: int) -> None:
    async def program(trace: Trace) -> None:
        with pytest.raises(OverflowError, match="0-65535"):
            await asyncio.get_running_loop().create_connection(asyncio.Protocol, "127.0.0.1", port)

    assert traceOf(factory, program) == []


@pytest.fixture
def loop() -> Generator[aio.EventLoop]:
    loop = aio.EventLoop()
    yield loop
    loop.close()


def watch(loop: aio.EventLoop, sock: socket.socket, way: str, callback: Callable[[], object]) -> None:
    getattr(loop, f"add_{way}")(sock, callback)


@pytest.mark.parametrize("way", ["reader", "writer"])
def test_aSocketThatIsClosedAlreadyCanBeTakenBack(loop: aio.EventLoop, way: str) -> None:
    a, b = socket.socketpair()
    with a, b:
        watch(loop, a, way, lambda: None)
        a.close()
        assert getattr(loop, f"remove_{way}")(a) is True
        with pytest.raises(ValueError, match="Invalid file descriptor: -1"):
            getattr(loop, f"remove_{way}")(a)


def test_aClosedSocketTakesNothingFromWhoeverHasItsNumberNow(loop: aio.EventLoop) -> None:
    a, b = socket.socketpair()
    number = a.fileno()
    watch(loop, a, "reader", lambda: pytest.fail("its socket is closed"))
    a.close()
    c, d = socket.socketpair()
    with b, c, d:
        assert c.fileno() == number
        c.setblocking(False)
        watch(loop, c, "reader", lambda: (c.recv(1), loop.stop()))
        with pytest.raises(ValueError, match="Invalid file descriptor: -1"):
            loop.remove_reader(a)
        d.send(b"x")
        loop.run_forever()
        assert loop.remove_reader(c)


def test_aSocketIsKeptForAsLongAsItIsWatched(loop: aio.EventLoop) -> None:
    a, b = socket.socketpair()
    with b:
        watch(loop, a, "reader", loop.stop)
        del a
        gc.collect()
        b.send(b"x")
        loop.run_forever()
        (kept,) = [each.given for each in loop._descriptors.values()]
        assert loop.remove_reader(kept)
        kept.close()


def test_anErrorOfASocketIsNotKeptByItsTraceback(loop: aio.EventLoop) -> None:
    errors: list[OSError] = []

    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as port:
            address = port.getsockname()
        with socket.socket() as sock:
            sock.setblocking(False)
            try:
                await loop.sock_connect(sock, address)
            except ConnectionRefusedError as e:
                errors.append(e)

    loop.run_until_complete(main())
    (error,) = errors
    # A future that failed, and that a frame of the traceback has, would keep both until the collector comes.
    assert [each for each in gc.get_referrers(error) if isinstance(each, asyncio.Future)] == []
