"""Timers: one that is moved, one that is cancelled, one that repeats, and one that ends the program.

python timers.py
"""

from __future__ import annotations

from reactor import reactor

start = reactor.seconds()


def say(text: str) -> None:
    print(f"{reactor.seconds() - start:.1f} s: {text}", flush=True)


def tick(times: int) -> None:
    """Something every tenth of a second: each call makes the next."""
    say(f"tick {times}")
    if times < 3:
        reactor.callLater(0.1, tick, times + 1)


def finish() -> None:
    say(f"{cancelled.active()=}, {moved.active()=}")
    reactor.stop()


reactor.callWhenRunning(say, "running")
reactor.callLater(0.1, tick, 1)

moved = reactor.callLater(60, say, "moved from a minute to 0.4 seconds")
moved.reset(0.4)

cancelled = reactor.callLater(0.2, say, "this is never said")
cancelled.cancel()

reactor.callLater(0.5, finish)
reactor.run()
print("timers left:", len(reactor.getDelayedCalls()), flush=True)
