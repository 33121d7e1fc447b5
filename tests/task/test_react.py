"""`react`: a program's exit status, beside Twisted's where that is installed."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from patience import PATIENCE

import reactor

PROGRAM = """
import os, signal, sys
from {0} import defer, task

def later(reactor, f, *args):
    return task.deferLater(reactor, 0.001, f, *args)

def raises(reactor):
    raise ValueError("at once")

def exits(reactor):
    sys.exit(5)

def nothing(reactor):
    return None

def succeeded(reactor, *argv):
    print(*argv)
    return defer.succeed(3)

def failed(reactor):
    return defer.fail(ValueError("failed"))

def exitedWithCode(reactor):
    return defer.fail(SystemExit(7))

def exitedWithText(reactor):
    return later(reactor, sys.exit, "a text")

def succeeds(reactor):
    return later(reactor, int)

def fails(reactor):
    return later(reactor, int, "x")

def stopped(reactor):
    later(reactor, reactor.stop)
    return defer.Deferred()

def stoppedTwice(reactor):
    later(reactor, reactor.stop)
    return later(reactor, int)

def failsWhenStopped(reactor):
    d = defer.Deferred()
    reactor.addSystemEventTrigger("before", "shutdown", lambda: d.errback(ValueError("stopped")))
    later(reactor, reactor.stop)
    return d

def killed(reactor):
    later(reactor, os.kill, os.getpid(), signal.SIGTERM)
    return defer.Deferred()

async def coroutine(reactor):
    await later(reactor, int)

async def coroutineFails(reactor):
    await later(reactor, int, "x")

async def coroutineExits(reactor):
    await later(reactor, int)
    sys.exit(4)

names = [name for name, f in list(globals().items()) if getattr(f, "__module__", "") == "__main__" and name != "later"]
for name in names:
    sys.stdout.flush()
    child = os.fork()
    if not child:
        sys.stderr = open(os.devnull, "w")
        try:
            task.react(globals()[name], ["a", "b"] if name == "succeeded" else [])
        except BaseException as e:
            print(name, type(e).__name__, getattr(e, "code", ""), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""
EXPECTED = """
raises ValueError
exits SystemExit 5
nothing NotACoroutineError
a b
succeeded SystemExit 0
failed SystemExit 1
exitedWithCode SystemExit 7
exitedWithText SystemExit a text
succeeds SystemExit 0
fails SystemExit 1
stopped SystemExit 0
stoppedTwice SystemExit 0
failsWhenStopped SystemExit 1
killed SystemExit 0
coroutine SystemExit 0
coroutineFails SystemExit 1
coroutineExits SystemExit 4
""".split("\n")[1:-1]


@cache
def printed(package: str) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM.format(package)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return [line.rstrip() for line in done.stdout.splitlines()]


def test_exitStatus() -> None:
    assert printed("reactor") == EXPECTED


@pytest.mark.skipif(importlib.util.find_spec("twisted") is None, reason="there is no Twisted to compare with")
def test_exitStatusOfTwisted() -> None:
    assert printed("twisted.internet") == EXPECTED


def test_theErrorIsLoggedAndTheReactorMayBeAnother(caplog: pytest.LogCaptureFixture) -> None:
    from reactor.base import Reactor
    from reactor.task import react

    mine = Reactor()
    seen: list[object] = []

    async def main(reactor: object, argument: int) -> None:
        seen.extend([reactor, argument])
        raise ValueError("of main")

    with pytest.raises(SystemExit) as raised:
        react(main, [1], _reactor=mine)
    assert (raised.value.code, seen) == (1, [mine, 1])
    assert "main function encountered error" in caplog.text and "of main" in caplog.text
    mine.close()
