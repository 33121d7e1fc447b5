"""`succeed`, `fail`, `execute`, `maybeDeferred`, and the callbacks that come ready-made."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from patience import PATIENCE

import reactor.defer
from reactor.defer import (
    Deferred,
    TimeoutError,
    execute,
    fail,
    getDebugging,
    logError,
    maybeDeferred,
    passthru,
    setDebugging,
    succeed,
    timeout,
)
from reactor.failure import Failure


class Boom(Exception):
    """What goes wrong here."""


def told(d: Deferred[Any]) -> Any:
    """The exception of a Deferred that failed; it counts as handled."""
    value = d.result.value
    d.addErrback(lambda _: None)
    return value


def raises(*args: object, **kwargs: object) -> Any:
    raise Boom(args, kwargs)


def test_succeed() -> None:
    d = succeed(3)
    assert (d.called, d.result, d.paused) == (True, 3, 0)
    assert type(told(succeed(Failure(Boom())))) is Boom


def test_fail() -> None:
    error = Boom()
    assert told(fail(error)) is error
    assert told(fail(Failure(error))) is error
    try:
        raise error
    except Boom:
        d = fail()
    assert told(d) is error


def test_execute() -> None:
    assert execute(lambda a, b: (a, b), 1, b=2).result == (1, 2)
    assert told(execute(raises, 1, b=2)).args == ((1,), {"b": 2})
    assert type(told(execute(Failure, Boom()))) is Boom


def test_maybeDeferred() -> None:
    async def coroutine(x: int) -> int:
        return x + 1

    d: Deferred[int] = Deferred()
    assert maybeDeferred(lambda a, b: (a, b), 1, b=2).result == (1, 2)
    assert told(maybeDeferred(raises, 1, b=2)).args == ((1,), {"b": 2})
    assert maybeDeferred(lambda: d) is d
    assert maybeDeferred(coroutine, 1).result == 2
    assert type(told(maybeDeferred(Failure, Boom()))) is Boom


def test_maybeDeferredTakesAnyName() -> None:
    assert maybeDeferred(dict, function=1, args=2).result == {"function": 1, "args": 2}


def test_maybeDeferredInsideItself() -> None:
    inner = maybeDeferred(lambda: maybeDeferred(lambda: maybeDeferred(raises)))
    assert isinstance(told(inner), Boom)


def test_theTracebackBeginsWithTheFunction() -> None:
    d = maybeDeferred(raises)
    assert [frame[0] for frame in d.result.frames] == ["raises"]
    told(d)
    # It cannot be called: there is no frame but ours.
    d = maybeDeferred(3)  # type: ignore[call-overload]
    assert [frame[0] for frame in d.result.frames] == ["_calls"]
    told(d)


def test_passthru() -> None:
    assert passthru(3) == 3


def test_logError(unhandled: Any) -> None:
    d = maybeDeferred(raises).addErrback(logError)
    (text,) = unhandled.texts()
    unhandled.records.clear()
    assert text.startswith("Error in Deferred\nTraceback") and "in raises" in text
    assert isinstance(told(d), Boom)


def test_timeout() -> None:
    d: Deferred[int] = Deferred()
    timeout(d)
    assert type(told(d)) is TimeoutError


def test_debugging() -> None:
    assert getDebugging() is False
    setDebugging(True)
    try:
        assert getDebugging() is True
        assert Deferred.debug is True
    finally:
        setDebugging(False)
    assert getDebugging() is False


@pytest.mark.parametrize("name", reactor.defer.__all__)
def test_namesAreThere(name: str) -> None:
    assert hasattr(reactor.defer, name)


def test_usingTheModuleIsFast() -> None:
    """Python looks up the attributes of a module the slow way if the module has a function `__getattr__`."""
    assert "__getattr__" not in vars(reactor.defer)


def test_importingItIsLight() -> None:
    code = "import sys; before = set(sys.modules); import reactor.defer; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=True)
    heavy = {"traceback", "logging", "inspect", "typing", "dataclasses", "asyncio", "warnings", "zope.interface"}
    assert heavy & set(done.stdout.split()) == set()
