"""Programs made up by chance, on Twisted's Deferreds and on ours: all their steps must show the same.

Not in them is, besides what other tests leave out too, a callback that looks at a Deferred while that one is calling
it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from beside import OURS, THEIRS, Boom, Library, plain, trace, unhandled

__all__ = ["unhandled"]

DEFERREDS = 5
STEPS = "cb cb cb eb both cbs fire fire err cancel chain coroutine generator".split()
CALLBACKS = "const const same raise failure deferred succeeded failed none fire errback trap cancel".split()
CANCELLERS = "none none silent fire errback raise".split()


class Step:
    """One step of a program, decided by chance: what to do, to which Deferred, and what its callbacks do."""

    def __init__(self, chance: random.Random) -> None:
        self.what = chance.choice(STEPS)
        self.which = chance.randrange(DEFERREDS)
        self.callback = (chance.choice(CALLBACKS), chance.randrange(DEFERREDS), chance.randrange(100))
        self.errback = (chance.choice(CALLBACKS), chance.randrange(DEFERREDS), chance.randrange(100))
        self.value = chance.randrange(100)


class Program:
    """A program made up from a number; the same number makes the same program."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(seed)
        self.cancellers = [chance.choice(CANCELLERS) for _ in range(DEFERREDS)]
        self.steps = [Step(chance) for _ in range(chance.randint(3, 25))]

    def __call__(self, library: Library, log: list[Any]) -> None:
        self.library, self.log = library, log
        self.ds = [library.defer.Deferred(self.canceller(kind)) for kind in self.cancellers]
        for number, step in enumerate(self.steps):
            log.append(("step", number, step.what, step.which))
            self.attempt(lambda step=step, number=number: self.take(step, f"{number}:{step.which}"))
            log.append([plain(library, d) for d in self.ds])

    def attempt(self, f: Callable[[], object]) -> None:
        try:
            f()
        except Exception as error:
            self.log.append(("raised", type(error).__name__))

    def canceller(self, kind: str) -> Any:
        def cancel(d: Any) -> None:
            self.log.append(("canceller", kind))
            if kind == "fire":
                d.callback("canceller")
            elif kind == "errback":
                d.errback(Boom("canceller"))
            elif kind == "raise":
                raise Boom("canceller")

        return None if kind == "none" else cancel

    def function(self, owner: int, spec: tuple[str, int, int], tag: str) -> Callable[[Any], Any]:
        kind, other, value = spec
        library, d = self.library, self.ds[other]

        def callback(result: Any) -> Any:
            self.log.append((tag, result))
            if kind == "same":
                return result
            if kind == "raise":
                raise Boom(value)
            if kind == "failure":
                return library.Failure(Boom(value))
            if kind == "deferred" and other > owner:
                return d
            if kind == "succeeded":
                return library.defer.succeed(value)
            if kind == "failed":
                return library.defer.fail(Boom(value))
            if kind == "none":
                return None
            if kind == "fire":
                self.attempt(lambda: d.callback(value))
            elif kind == "errback":
                self.attempt(lambda: d.errback(Boom(value)))
            elif kind == "cancel":
                self.attempt(d.cancel)
            elif kind == "trap" and isinstance(result, library.Failure):
                result.trap(KeyError)
            return value

        return callback

    def take(self, step: Step, tag: str) -> None:
        d, owner = self.ds[step.which], step.which
        if step.what == "cb":
            d.addCallback(self.function(owner, step.callback, tag))
        elif step.what == "eb":
            d.addErrback(self.function(owner, step.errback, tag))
        elif step.what == "both":
            d.addBoth(self.function(owner, step.callback, tag))
        elif step.what == "cbs":
            d.addCallbacks(
                self.function(owner, step.callback, tag + "c"), self.function(owner, step.errback, tag + "e")
            )
        elif step.what == "fire":
            d.callback(step.value)
        elif step.what == "err":
            d.errback(Boom(step.value))
        elif step.what == "cancel":
            d.cancel()
        elif step.what == "chain":
            if step.callback[1] > owner:
                d.chainDeferred(self.ds[step.callback[1]])
        else:
            self.run(step, tag)

    def run(self, step: Step, tag: str) -> None:
        ds = [self.ds[number] for number in sorted({step.callback[1], step.errback[1]}, reverse=True)]

        @self.library.defer.inlineCallbacks
        def generator() -> Any:
            for d in ds:
                try:
                    self.log.append((tag, (yield d)))
                except Exception as error:
                    self.log.append((tag, error))
            return self.end(step)

        async def coroutine() -> Any:
            for d in ds:
                try:
                    self.log.append((tag, await d))
                except Exception as error:
                    self.log.append((tag, error))
            return self.end(step)

        whole = generator() if step.what == "generator" else self.library.defer.ensureDeferred(coroutine())
        whole.addBoth(self.function(DEFERREDS, step.errback, tag + "end"))
        if step.value % 3 == 0:
            self.attempt(whole.cancel)

    def end(self, step: Step) -> str:
        if step.callback[0] == "raise":
            raise Boom(step.value)
        return "end"


@pytest.mark.parametrize("hundred", range(10))
def test_sameTraceOfProgramsMadeUp(hundred: int) -> None:
    for seed in range(hundred * 100, hundred * 100 + 100):
        theirs = trace(THEIRS, Program(seed))
        if any("AssertionError" in str(entry) for entry in theirs):
            # Twisted does not expect that what a coroutine awaits is the Deferred whose error it is being told.
            continue
        assert trace(OURS, Program(seed)) == theirs, f"program {seed}"
