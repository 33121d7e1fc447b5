"""Two connected ends in asyncio's words, of every kind that a loop makes, and the invariants that hold after all cases.

`Party` is to an asyncio loop what `net.Net` is to a reactor. The fixture `party`, which a test file makes of one of the
lists of kinds, gives one; `contract` lets a coroutine function be the test. When that is over, and has not failed:

- I1: `connection_lost` exactly once for each `connection_made`, and nothing called on a protocol afterwards;
- I4: the descriptors are those of before, and the threads and child processes;
- I6: nothing but `pause_writing` told from inside a call of the transport;
- I7: as many problems reported as the test said it provokes (`party.expected`), each once, and no other;
- I8: no warning (pytest makes them errors).

I5, that nobody spins who waits, is asserted where a test says `await party.assertIdle()`.

Kinds whose name begins with "asyncio's" are made by asyncio's own loop: what is expected of ours is tried on it, too.
Its TLS is not among them: there, much is told after `close` and `abort`, and some of it raises.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import itertools
import logging
import os
import selectors
import socket
import warnings
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any

import pytest
from net import Net, collectOnce, descriptors
from patience import PATIENCE
from tls import plainClientContext, plainServerContext

import reactor.aio as aio
from reactor.base import Reactor
from reactor.testing.leftovers import Before

Build = Callable[[], "Told"]
Make = Callable[["Party", Build, Build], Awaitable[tuple["Told", "Told"]]]
NUMBERS = itertools.count()


class Told(asyncio.Protocol):
    """Keeps in `events` what it is told; `on[hook]`, if given, is called with the protocol and gives the answer."""

    # Any: tests look into corners that asyncio's types do not show.
    transport: Any = None

    def __init__(self, **on: Callable[[Any], Any]) -> None:
        self.events: list[str] = []
        self.received = bytearray()
        self.problem: BaseException | None = None
        self.on = on
        self.busy = False
        self.made = self.lost = 0

    def _heard(self, event: str, hook: str) -> Any:
        assert not self.lost, f"{event} after connection_lost: {self.events}"
        assert not self.busy or event == "PW", f"{event} inside a call of the transport: {self.events}"
        self.events.append(event)
        call = self.on.get(hook)
        if call is None:
            return None
        busy, self.busy = self.busy, False
        try:
            return call(self)
        finally:
            self.busy = busy

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.made += 1
        self._heard("CM", "made")

    def data_received(self, data: bytes) -> None:
        self.received += data
        self._heard("DR", "data")

    def eof_received(self) -> Any:
        return self._heard("EOF", "eof")

    def pause_writing(self) -> None:
        self._heard("PW", "pause")

    def resume_writing(self) -> None:
        self._heard("RW", "resume")

    def connection_lost(self, exc: BaseException | None) -> None:
        self.problem = exc
        try:
            self._heard("CL" if exc is None else f"CL({type(exc).__name__})", "lost")
        finally:
            self.lost += 1

    def ask(self, method: str, *args: Any) -> Any:
        """Call the transport, during which nothing may be told."""
        lost, self.busy = self.lost, True
        try:
            return getattr(self.transport, method)(*args)
        finally:
            self.busy = False
            assert self.lost == lost, f"connection_lost inside {method}"

    def write(self, data: Any) -> None:
        self.ask("write", data)

    def close(self) -> None:
        self.ask("close")

    def abort(self) -> None:
        self.ask("abort")

    def pause(self) -> None:
        self.ask("pause_reading")

    def resume(self) -> None:
        self.ask("resume_reading")

    @property
    def short(self) -> list[str]:
        """The trace behind connection_made, with the data merged: no test depends on how bytes are cut."""
        return [event for event, _ in itertools.groupby(self.events) if event != "CM"]

    @property
    def heard(self) -> list[str]:
        """The same without what is told to who writes."""
        return [event for event, _ in itertools.groupby(e for e in self.short if e not in ("PW", "RW"))]

    @property
    def buffered(self) -> int:
        """Bytes that wait to be sent."""
        return self.transport.get_write_buffer_size()  # type: ignore[no-any-return]


class ToldBuffered(Told, asyncio.BufferedProtocol):
    """The same with a buffer of its own, of an odd size."""

    def __init__(self, **on: Callable[[Any], Any]) -> None:
        super().__init__(**on)
        self.buffer = bytearray(10_007)

    def get_buffer(self, sizehint: int) -> Any:
        assert not self.lost and not self.busy
        call = self.on.get("buffer")
        return memoryview(self.buffer) if call is None else call(self)

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(memoryview(self.buffer)[:nbytes])  # type: ignore[arg-type]


class Party:
    """A loop, and everything that a test opened on it."""

    def __init__(self, kind: str, protocol: type[Told], caplog: pytest.LogCaptureFixture) -> None:
        collectOnce()
        self.before, self.others = descriptors(), Before()
        self.kind, self.protocol, self.caplog = kind, protocol, caplog
        self.ours = not kind.startswith(ASYNCIOS)
        name, _, selector = kind.removeprefix(ASYNCIOS).partition(BY)
        self.make = KINDS[name]
        self.TLS = "tls" in kind.lower()
        self.UNIX = "unix" in kind
        self.reactor: Reactor | None = None
        self.loop: Any
        if self.ours:
            self.reactor = Reactor(getattr(selectors, selector)() if selector else None)
            self.loop = aio.EventLoop(self.reactor)
            self._count()
        else:
            self.loop = asyncio.SelectorEventLoop(selectors.DefaultSelector())
        self.loop.set_exception_handler(lambda _, context: self.reported.append(context))
        # What the test provokes, and what was reported.
        self.expected: list[type[BaseException]] = []
        self.reported: list[dict[str, Any]] = []
        self.built: list[Told] = []
        self.servers: list[Any] = []
        self.sockets: list[socket.socket] = []
        self.turns = 0

    def _count(self) -> None:
        poller = self.loop.reactor._loop.poller
        poll = poller.poll

        def counted(timeout: float) -> Any:
            self.turns += 1
            return poll(timeout)

        poller.poll = counted

    def run(self, program: Coroutine[Any, Any, Any]) -> Any:
        """Run `program` to its end; its result."""
        return self.loop.run_until_complete(asyncio.wait_for(program, PATIENCE))

    # Ends.

    def told(self, **on: Callable[[Any], Any]) -> Told:
        """A protocol of the kind that is tested."""
        return self.protocol(**on)

    def keeping(self, build: Build) -> Build:
        """`build`, whose protocols keep to the invariants."""

        def built() -> Told:
            self.built.append(build())
            return self.built[-1]

        return built

    async def ends(self, first: Build | None = None, second: Build | None = None) -> tuple[Told, Told]:
        """Two connected ends, the client's first."""
        one, other = await self.make(self, self.keeping(first or self.told), self.keeping(second or self.told))
        return one, other

    async def socketPair(self, build: Build | None = None) -> tuple[Told, socket.socket]:
        """A connected protocol on TCP, and a plain socket at its other end, which blocks with a time-out."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            _, protocol = await self.loop.create_connection(self.keeping(build or self.told), *listening.getsockname())
            peer = self.keep(listening.accept()[0])
        peer.settimeout(PATIENCE)
        return protocol, peer

    def keep(self, sock: socket.socket) -> socket.socket:
        """Close it when the test is over."""
        self.sockets.append(sock)
        return sock

    @staticmethod
    def reset(sock: socket.socket) -> None:
        """Close a plain socket so that its peer gets a reset."""
        Net.reset(sock)

    async def all(self, sock: socket.socket, atOnce: int = 1 << 20) -> bytes:
        """What comes to a plain socket up to its end. ConnectionResetError as recv has it."""
        sock.setblocking(False)
        received = bytearray()
        while data := await self.loop.sock_recv(sock, atOnce):
            received += data
        return bytes(received)

    # Time.

    async def until(self, true: Callable[[], Any]) -> None:
        """Wait until `true()`."""
        while not true():
            await asyncio.sleep(0.001)

    async def gone(self, *ends: Told) -> None:
        """Wait until the connections of all of them are lost."""
        await self.until(lambda: all(end.lost for end in ends))

    async def turn(self, count: int = 5) -> None:
        """Let the loop turn."""
        for _ in range(count):
            await asyncio.sleep(0)

    async def assertIdle(self, seconds: float = 0.004) -> None:
        """I5: within `seconds` of leaving it alone, the loop turns a few times at most."""
        await self.turn()
        before = self.turns
        await asyncio.sleep(seconds)
        assert self.turns - before <= 8, f"{self.turns - before} turns in {seconds} s of idleness; {self.story()}"

    def story(self) -> str:
        """What happened so far, for messages."""
        return f"{[each.events for each in self.built]}, reported {self.reported}"

    # The end.

    async def _closeAll(self) -> None:
        await self.assertIdle()
        for each in self.sockets:
            each.close()
        for server in self.servers:
            server.close()
        begun = [each for each in self.built if each.transport is not None]
        for end in begun:
            if not end.lost:
                end.transport.abort()
        await self.gone(*begun)
        for server in self.servers:
            await server.wait_closed()

    def close(self) -> None:
        """Give the loop back."""
        self.loop.close()
        if self.reactor is not None:
            self.reactor.close()

    def finish(self) -> None:
        """Close everything, and assert the invariants."""
        if not self.loop.is_closed():
            self.run(self._closeAll())
        self.close()
        told = [type(context.get("exception")) for context in self.reported]
        assert told == self.expected, f"I7: {self.expected} expected, reported {self.reported}"
        logged = [r.getMessage() for r in self.caplog.records if r.levelno >= logging.ERROR]
        assert logged == [], f"I7: {logged}"
        for each in self.built:
            assert each.made == each.lost, f"I1: {each.events}"
        self.built.clear()
        self.reported.clear()
        gc.collect()
        now = descriptors()
        assert now == self.before, f"I4: {sorted({*now.items()} ^ {*self.before.items()})}"
        assert self.others.since() == [], "I4: threads or processes are left"

    def abandon(self) -> None:
        """Close everything and assert nothing: the test has failed, and the next one is not to suffer from it."""
        for each in self.sockets:
            each.close()
        with contextlib.suppress(BaseException):
            if not self.loop.is_closed():
                self.run(self._closeAll())
        with contextlib.suppress(BaseException):
            self.close()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gc.collect()


def narrow(*ends: Told) -> None:
    """Have the kernel keep little between these ends, so that not all is on its way at once."""
    for end in ends:
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            end.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, option, 65_536)


def fails(end: Told) -> None:
    """For a hook: raise."""
    raise ZeroDivisionError("for the test")


def contract(program: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A test whose body is a coroutine, run on the loop of its argument `party`."""

    @functools.wraps(program)
    def test(party: Party, **arguments: Any) -> None:
        party.run(program(party, **arguments))

    return test


def partyOf(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture, kind: str, protocol: type[Told]
) -> Iterator[Party]:
    """For fixtures: a party, whose invariants are asserted when the test is over and has not failed."""
    made = Party(kind, protocol, caplog)
    failed = request.session.testsfailed
    yield made
    if request.session.testsfailed == failed:
        made.finish()
    else:
        made.abandon()


# The kinds.


async def tcp(party: Party, first: Build, second: Build, host: str, **tls: Any) -> tuple[Told, Told]:
    """A client and a server, with TLS from the first byte if `tls` has a context for either."""
    accepted: list[Told] = []
    server = await party.loop.create_server(
        lambda: accepted.append(second()) or accepted[0], host, 0, ssl=tls.get("server")
    )
    party.servers.append(server)
    name = "localhost" if tls else None
    _, client = await party.loop.create_connection(
        first, *server.sockets[0].getsockname()[:2], ssl=tls.get("client"), server_hostname=name
    )
    await party.until(lambda: accepted and accepted[0].made)
    # The factory is not to keep it.
    return client, accepted.pop()


async def tcp4(party: Party, first: Build, second: Build) -> tuple[Told, Told]:
    """Over IPv4."""
    return await tcp(party, first, second, "127.0.0.1")


async def tcp6(party: Party, first: Build, second: Build) -> tuple[Told, Told]:
    """Over IPv6."""
    return await tcp(party, first, second, "::1")


async def tlsOverTCP(party: Party, first: Build, second: Build) -> tuple[Told, Told]:
    """TLS from the first byte."""
    return await tcp(party, first, second, "127.0.0.1", client=plainClientContext(), server=plainServerContext())


async def adopted(party: Party, first: Build, second: Build) -> tuple[Told, Told]:
    """Two sockets that somebody else connected."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        one, other = socket.create_connection(listening.getsockname()), listening.accept()[0]
    _, client = await party.loop.create_connection(first, sock=one)
    _, server = await party.loop.connect_accepted_socket(second, other)
    return client, server


async def unixPair(party: Party, first: Build, second: Build, **tls: Any) -> tuple[Told, Told]:
    """Over a UNIX socket; the name is abstract, so that nothing is left behind."""
    name = f"\0reactor-aio-{os.getpid()}-{next(NUMBERS)}"
    accepted: list[Told] = []
    server = await party.loop.create_unix_server(
        lambda: accepted.append(second()) or accepted[0], name, ssl=tls.get("server")
    )
    party.servers.append(server)
    _, client = await party.loop.create_unix_connection(
        first, name, ssl=tls.get("client"), server_hostname="localhost" if tls else None
    )
    await party.until(lambda: accepted and accepted[0].made)
    # The factory is not to keep it.
    return client, accepted.pop()


async def tlsOverUnix(party: Party, first: Build, second: Build) -> tuple[Told, Told]:
    """TLS over a UNIX socket."""
    return await unixPair(party, first, second, client=plainClientContext(), server=plainServerContext())


async def secure(party: Party, one: Told, other: Told) -> tuple[Told, Told]:
    """TLS between two connected ends, from here on."""
    if one.lost or other.lost:
        return one, other
    one.transport, other.transport = await asyncio.gather(
        party.loop.start_tls(one.transport, one, plainClientContext(), server_hostname="localhost"),
        party.loop.start_tls(other.transport, other, plainServerContext(), server_side=True),
    )
    return one, other


async def startTLS(party: Party, first: Build, second: Build) -> tuple[Told, Told]:
    """Plain at first."""
    return await secure(party, *await tcp4(party, first, second))


async def tlsInTLS(party: Party, first: Build, second: Build) -> tuple[Told, Told]:
    """TLS in TLS."""
    return await secure(party, *await tlsOverTCP(party, first, second))


KINDS: dict[str, Make] = {
    "tcp4": tcp4,
    "tcp6": tcp6,
    "adopted": adopted,
    "unix": unixPair,
    "tls": tlsOverTCP,
    "startTLS": startTLS,
    "tls in tls": tlsInTLS,
    "tls over unix": tlsOverUnix,
}
ASYNCIOS = "asyncio's "
BY = " by "
# Over other selectors than the usual one, too.
OURS = [*KINDS, f"tcp4{BY}PollSelector", f"tls{BY}SelectSelector"]
ALL_KINDS = [*OURS, *(ASYNCIOS + kind for kind in ("tcp4", "unix"))]
PROTOCOLS: dict[str, type[Told]] = {"Protocol": Told, "BufferedProtocol": ToldBuffered}
