"""Two protocols that are connected in memory, over a network that is as slow and as bad as the test wants it.

All that stands between them is the real thing: the transports, wires and pollers that carry bytes over TCP, TLS too.
Only the sockets are in memory (`reactor.testing.sockets`), and time is that of a clock: everything happens in calls
that are scheduled on it, so on a `Clock` nothing happens but in `advance`, and always in the same order. What is left
to chance is drawn from one generator, whose seed brings it back.
"""

from __future__ import annotations

import random
from collections import deque
from errno import ECONNRESET
from typing import Any

from reactor._core.contexts import inside
from reactor._core.loop import Loop
from reactor._core.poller import Poller
from reactor._transport.stream.tcp import TCPTransport, address
from reactor._transport.stream.wire import Wire
from reactor.error import ConnectionLost
from reactor.failure import Failure
from reactor.testing.sockets import Link, MemorySelector, MemorySocket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# Addresses that RFC 5737 sets apart for documentation.
CLIENT, SERVER = ("192.0.2.1", 49152), ("192.0.2.2", 7)


class _Dirty(list[Any]):
    """Wires with something to send; each has the loop turn."""

    def __init__(self, wake: Callable[[], object]) -> None:
        super().__init__()
        self._wake = wake

    def append(self, wire: Any) -> None:
        super().append(wire)
        self._wake()


class _Calls(deque[Any]):
    """Calls for the next turn; each has the loop turn."""

    def __init__(self, wake: Callable[[], object]) -> None:
        super().__init__()
        self._wake = wake

    def append(self, call: Any) -> None:
        super().append(call)
        self._wake()


class MemoryLoop(Loop):
    """A loop without descriptors of its own, which turns in calls of a clock and only when there is something to do."""

    __slots__ = ("_turning", "selector")

    def __init__(self, clock: Any) -> None:
        """Turn in calls of `clock` (anything with `callLater` and `seconds`)."""
        # Without Loop.__init__, which opens a selector and a pipe.
        self.selector = MemorySelector(self.wake)
        self.poller = Poller(self.selector)  # type: ignore[arg-type]
        # What asks a transport for its reactor asks that for its time.
        self.timers = self.reactor = clock
        self.dirty = _Dirty(self.wake)
        self.calls = _Calls(self.wake)
        self.escape = _raise
        self.ending = None
        self._renewed = 0.0
        self._turning: Any = None

    def wake(self) -> None:
        """Have a turn made soon."""
        if self._turning is None:
            self._turning = self.timers.callLater(0, self._turn)

    def _turn(self) -> None:
        self._turning = None
        try:
            self.flush()
            self.runCalls()
            self._dispatch(0.0)
        except BaseException as e:
            self.raised("a turn of the loop raised", e)
        if self.dirty or self.calls or self.selector.select():
            self.wake()

    @property
    def idle(self) -> bool:
        """Whether no turn is scheduled."""
        return self._turning is None

    def disconnectAll(self) -> None:
        """The reactor stops: close what is open."""
        for watch in list(self.poller.watches.values()):
            inside(watch.context, watch.disconnect, Failure(ConnectionLost("the reactor stopped")))
        self.runCalls()


def _raise(problem: BaseException) -> None:
    raise problem


class _Server:
    """What a client's transport knows of where it was connected to: TLS verifies that name."""

    outgoing = True

    def __init__(self, host: str) -> None:
        self.host = host

    def lost(self, reason: Failure) -> None:
        """Nobody connects again."""


class ConnectedPair:
    """Two connected protocols, and their network.

    :ivar client, server: the protocols.
    :ivar clock: whose time it is.
    :ivar seed: what `connectedPair` takes to have the same happen again.
    """

    def __init__(self, clock: Any, client: Any, server: Any, seed: int, makeLink: Callable[..., Link]) -> None:
        """What `connectedPair` does."""
        self.clock, self.client, self.server, self.seed = clock, client, server, seed
        self._random = random.Random(seed)
        # The other end of a connection that was cut is about to hear of it.
        self._cutting: Any = None
        self._loop = MemoryLoop(clock)
        self._toServer = makeLink(self._random, "server", lambda: self.cut("server"))
        self._toClient = makeLink(self._random, "client", lambda: self.cut("client"))
        selector = self._loop.selector
        self._clientEnd = MemorySocket(selector, self._toClient, self._toServer, CLIENT, SERVER)
        self._serverEnd = MemorySocket(selector, self._toServer, self._toClient, SERVER, CLIENT)

    def _begin(self, hostname: str) -> None:
        ends = (
            (self._clientEnd, SERVER, self.client, _Server(hostname)),
            (self._serverEnd, CLIENT, self.server, None),
        )
        for sock, peer, protocol, connector in ends:
            wire = Wire(self._loop, sock)  # type: ignore[arg-type]
            factory = getattr(protocol, "factory", None)
            transport = TCPTransport(wire, wire, address(peer), protocol, connector, factory)
            wire.context.run(transport.begin)

    # Time, on a clock that is moved by hand.

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass, from one call that is due to the next. TypeError when the clock moves by itself."""
        clock = self.clock
        if not hasattr(clock, "advance"):
            raise TypeError(f"advance(): {clock!r} is no Clock; its time passes by itself")
        end = clock.seconds() + seconds
        while (due := self._nextCall()) is not None and due <= end:
            clock.advance(max(0.0, due - clock.seconds()))
        clock.advance(max(0.0, end - clock.seconds()))

    def settle(self, longest: float = 60.0) -> None:
        """Let time pass until all that was sent has arrived and nobody has more to say at once. Timers of the program
        run as they come; nobody waits for those that come later.

        :param longest: seconds on the clock, at most; AssertionError when there is no rest before.
        """
        end = self.clock.seconds() + longest
        while self.busy:
            due = self._nextCall()
            assert due is not None and due <= end, f"{self!r} did not come to rest within {longest} s"
            self.advance(max(0.0, due - self.clock.seconds()))

    def _nextCall(self) -> float | None:
        return min((call.getTime() for call in self.clock.getDelayedCalls()), default=None)

    @property
    def busy(self) -> bool:
        """Whether something is on its way, or about to be read or sent."""
        cutting = self._cutting is not None and self._cutting.active()
        return cutting or self._toServer.busy or self._toClient.busy or not self._loop.idle

    # Faults.

    def cut(self, first: str | None = None) -> None:
        """Break the connection: what is on its way is lost, both ends are reset, and hear `ConnectionLost`.

        :param first: "client" or "server": who hears of it first, the other one a delay later; None: left to chance.
        """
        _oneOf("cut", "first", first, ("client", "server", None))
        if first is None:
            first = self._random.choice(("client", "server"))
        now, later = (self._clientEnd, self._serverEnd) if first == "client" else (self._serverEnd, self._clientEnd)
        for link in (self._toServer, self._toClient):
            link.drop()
            link.held = True
        now.fail(ECONNRESET)
        self._cutting = self.clock.callLater(self._toServer.delay(), later.fail, ECONNRESET)

    def hold(self, towards: str | None = None) -> None:
        """Let nothing arrive until `release`, as when a cable is pulled: nobody is told.

        :param towards: "client" or "server": in that direction only; None: in both.
        """
        for link in self._links("hold", towards):
            link.held = True

    def release(self, towards: str | None = None) -> None:
        """Let arrive what was held back, and what is sent from now on."""
        for link in self._links("release", towards):
            link.release()

    def _links(self, method: str, towards: str | None) -> tuple[Link, ...]:
        _oneOf(method, "towards", towards, ("client", "server", None))
        links = {"client": (self._toClient,), "server": (self._toServer,), None: (self._toClient, self._toServer)}
        return links[towards]

    def __repr__(self) -> str:
        return (
            f"<ConnectedPair of {self.client!r} and {self.server!r}, seed {self.seed}: {self._toServer.received} bytes"
            f" to the server, {self._toClient.received} to the client>"
        )


def connectedPair(
    clock: Any,
    client: Any,
    server: Any,
    *,
    seed: int | None = None,
    chunk: int | tuple[int, int] | None = None,
    delay: float | tuple[float, float] = 0.001,
    capacity: int = 262144,
    cutToServer: int | None = None,
    cutToClient: int | None = None,
    hostname: str = "localhost",
) -> ConnectedPair:
    """Connect the protocols `client` and `server` in memory; both have had their `connectionMade` when this returns.

    :param clock: whose time it is: a `Clock`, which the test moves (best by the pair's `advance` and `settle`), or a
        reactor, which does it by itself, and on whose end the connection is lost.
    :param seed: of what is left to chance; None: a new one, see `ConnectedPair.seed`.
    :param chunk: bytes that one `dataReceived` gives at most, 1 for byte by byte; a pair: any number between these two,
        new each time; None: as they were sent.
    :param delay: seconds that bytes are on their way, more than 0; a pair: any time between these two, in order all the
        same.
    :param capacity: bytes that fit on the way in each direction and into the receiver's memory together; a sender waits
        for more. 1 makes every send a short one.
    :param cutToServer: break the connection when the server has received that many bytes: it hears of it first.
    :param cutToClient: break it when the client has received that many; it is the first then.
    :param hostname: what `startTLS` of the client verifies if nothing else is said.
    :raises ValueError, TypeError: for a number that is none or is out of its range.
    """
    chunks = _range("chunk", chunk, 1) if chunk is not None else None
    delays = _range("delay", delay, 0)
    if delays[0] <= 0:
        raise ValueError(f"connectedPair(): delay must be more than 0 seconds, not {delay!r}")
    _range("capacity", capacity, 1)
    cuts = {"server": cutToServer, "client": cutToClient}
    for name, cutAfter in (("cutToServer", cutToServer), ("cutToClient", cutToClient)):
        if cutAfter is not None:
            _range(name, cutAfter, 1)

    def makeLink(chance: random.Random, towards: str, cut: Callable[[], object]) -> Link:
        return Link(
            clock,
            lambda: delays[0] if delays[0] == delays[1] else chance.uniform(*delays),
            lambda: 1 << 62 if chunks is None else chance.randint(int(chunks[0]), int(chunks[1])),
            capacity,
            cuts[towards],
            cut,
        )

    pair = ConnectedPair(clock, client, server, random.getrandbits(32) if seed is None else seed, makeLink)
    if hasattr(clock, "addSystemEventTrigger"):
        clock.addSystemEventTrigger("during", "shutdown", pair._loop.disconnectAll)
    pair._begin(hostname)
    return pair


def _range(name: str, value: Any, least: float) -> tuple[Any, Any]:
    bounds = value if isinstance(value, tuple) else (value, value)
    kinds = (int, float) if name == "delay" else int
    if len(bounds) != 2 or not all(isinstance(bound, kinds) and not isinstance(bound, bool) for bound in bounds):
        what = "a number of seconds" if name == "delay" else "an int"
        pair = " or a pair of them" if name in ("chunk", "delay") else ""
        raise TypeError(f"connectedPair(): {name} must be {what}{pair}, not {value!r}")
    if not least <= bounds[0] <= bounds[1] < float("inf"):
        raise ValueError(f"connectedPair(): {name} must be at least {least} (the smaller bound first), not {value!r}")
    return bounds


def _oneOf(method: str, name: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{method}(): {name} must be one of {', '.join(map(repr, allowed))}, not {value!r}")
