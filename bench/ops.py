"""What costs no system call: `python -m bench.ops PEER timers|deferred|irc SECONDS`.

Prints microseconds per operation as JSON. Each operation is repeated in batches for SECONDS; the figure is the median
batch, with what the garbage collector did in it.
"""

from __future__ import annotations

import json
import random
import signal
import sys
from importlib import import_module
from statistics import median
from time import perf_counter, process_time

from bench import peers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any

BATCH = 10_000
_FEWEST = 3


def nothing(*_: object) -> None:
    """The callback that does nothing."""


def perOperation(batch: Callable[[int], None], count: int, seconds: float) -> float:
    """The microseconds for each of the `count` operations of `batch(count)`: the median of what `seconds` allow."""
    took: list[float] = []
    end = perf_counter() + seconds
    while len(took) < _FEWEST or perf_counter() < end:
        began = perf_counter()
        batch(count)
        took.append(perf_counter() - began)
    return median(took) / count * 1e6


def timers(name: str, seconds: float) -> dict[str, float]:
    """Delayed calls: made and cancelled again; put off; made and waited for until they have run."""
    later, stop, run = loopOf(name)

    def cancelled(count: int) -> None:
        for _ in range(count):
            later(60, nothing).cancel()

    def reset(count: int) -> None:
        call = later(60, nothing)
        for _ in range(count):
            call.reset(60)
        call.cancel()

    def replaced(count: int) -> None:
        call = later(60, nothing)
        for _ in range(count):
            call.cancel()
            call = later(60, nothing)
        call.cancel()

    figures = {
        "cancel": perOperation(cancelled, BATCH, seconds),
        "reset": perOperation(reset if peers.hasReactor(name) else replaced, BATCH, seconds),
    }
    took: list[float] = []
    began = 0.0
    end = perf_counter() + seconds

    # All in one run of the loop: Twisted's cannot be run twice. CPU time, because nobody is to blame for the wait; that
    # is so long because uvloop counts in milliseconds, and makes no timer of none.
    def schedule() -> None:
        nonlocal began
        began = process_time()
        for _ in range(BATCH):
            later(0.002, nothing)
        later(0.003, finish)

    def finish() -> None:
        took.append(process_time() - began)
        if len(took) < _FEWEST or perf_counter() < end:
            schedule()
        else:
            stop()

    later(0, schedule)
    run()
    figures["fire"] = median(took) / BATCH * 1e6
    return figures


def loopOf(name: str) -> tuple[Callable[..., Any], Callable[[], object], Callable[[], object]]:
    """What schedules, what stops and what runs the loop by that name."""
    if name == "tornado":
        loop = import_module("tornado.ioloop").IOLoop()
        return loop.call_later, loop.stop, loop.start
    if peers.hasReactor(name):
        reactor, _ = peers.reactorOf(name)
        return reactor.callLater, reactor.stop, reactor.run
    loop = peers.loopFactoryOf(name)()
    return loop.call_later, loop.stop, loop.run_forever


def deferred(name: str, seconds: float) -> dict[str, float]:
    """Deferreds: three callbacks; an error and an errback; ten results awaited in a generator, and in a coroutine; ten
    that wait for one another.
    """
    defer = peers.deferOf(name)
    Deferred, succeed = defer.Deferred, defer.succeed

    def callbacks(count: int) -> None:
        for _ in range(count):
            d = Deferred()
            d.addCallback(nothing)
            d.addCallback(nothing)
            d.addCallback(nothing)
            d.callback(1)

    def fail(_: object) -> None:
        raise ValueError("x")

    def errback(count: int) -> None:
        for _ in range(count):
            d = Deferred()
            d.addCallback(fail)
            d.addErrback(nothing)
            d.callback(1)

    @defer.inlineCallbacks  # type: ignore[untyped-decorator]
    def generator() -> Generator[Any, Any, None]:
        for i in range(10):
            yield succeed(i)

    def inline(count: int) -> None:
        for _ in range(count):
            generator()

    async def coroutine() -> None:
        for i in range(10):
            await succeed(i)

    def await_(count: int) -> None:
        for _ in range(count):
            defer.ensureDeferred(coroutine())

    def chain(count: int) -> None:
        for _ in range(count):
            last = inner = Deferred()
            for _ in range(10):
                outer = succeed(None)
                outer.addCallback(lambda _, inner=inner: inner)
                inner = outer
            inner.addCallback(nothing)
            last.callback(1)

    return {
        "callbacks": perOperation(callbacks, BATCH, seconds),
        "errback": perOperation(errback, BATCH // 10, seconds),
        "inline": perOperation(inline, BATCH // 10, seconds),
        "await": perOperation(await_, BATCH // 10, seconds),
        "chain": perOperation(chain, BATCH // 10, seconds),
    }


def irc(name: str, seconds: float) -> dict[str, float]:
    """A channel's talk: its lines taken apart, and from bytes to all that a client needs to know of them."""
    module = peers.ircOf(name)
    lines = ircLines()
    received = [line.encode() for line in lines]
    parse = module.parsemsg

    def whole(line: bytes) -> object:
        return parse(module.lowDequote(line.decode("utf-8")))

    if name == peers.OURS:
        whole = module.Message.parse

    def repeated(function: Callable[[Any], object], data: list[Any]) -> Callable[[int], None]:
        def batch(count: int) -> None:
            for _ in range(count // len(data)):
                for line in data:
                    function(line)

        return batch

    count = BATCH // len(lines) * len(lines)
    return {
        "split": perOperation(repeated(parse, lines), count, seconds),
        "message": perOperation(repeated(whole, received), count, seconds),
    }


def ircLines() -> list[str]:
    """What a hundred people say in a channel, eight lines of ten; the rest is coming and going, names and PING."""
    chance = random.Random(1)

    def words(count: int) -> str:
        return " ".join("".join(chance.choices("abcdefghij", k=chance.randint(3, 9))) for _ in range(count))

    people = [f":{words(1)}!~{words(1)}@{words(1)}.{words(1)}.example" for _ in range(100)]
    lines = []
    for number in range(400):
        who = chance.choice(people)
        if number % 10 < 8:
            lines.append(f"{who} PRIVMSG #channel :{words(8)}")
        elif number % 10 == 8:
            lines.append(
                f"{who} {chance.choice(('JOIN #channel', 'PART #channel', 'QUIT :bye', 'MODE #channel +o bob'))}"
            )
        else:
            lines.append(chance.choice((f":irc.example 353 me = #channel :{words(30)}", "PING :irc.example")))
    return lines


def main() -> None:
    """Measure what the command line names."""
    name, kind, seconds = sys.argv[1:]
    signal.alarm(int(float(seconds)) * 8 + 60)
    figures = {"timers": timers, "deferred": deferred, "irc": irc}[kind](name, float(seconds))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
