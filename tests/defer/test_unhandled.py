"""D6: an error that nobody handled is logged once, with its traceback, when its Deferred is freed; others never."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from patience import PATIENCE

from reactor.defer import (
    AlreadyCalledError,
    DebugInfo,
    Deferred,
    ensureDeferred,
    fail,
    gatherResults,
    inlineCallbacks,
    maybeDeferred,
    setDebugging,
    succeed,
)
from reactor.failure import Failure

pytestmark = pytest.mark.usefixtures("noCollector")


class Boom(Exception):
    """What goes wrong here."""


def boom(_: object = None) -> Any:
    raise Boom("out of luck")


def theOne(unhandled: Any) -> str:
    """The text of the only entry."""
    (record,) = unhandled.records
    assert (record.name, record.levelno) == ("reactor.defer", logging.ERROR)
    (text,) = unhandled.texts()
    unhandled.records.clear()
    assert isinstance(text, str)
    return text


@pytest.fixture
def debugging() -> Iterator[None]:
    setDebugging(True)
    yield
    setDebugging(False)


def inChain() -> Deferred[Any]:
    d: Deferred[Any] = Deferred()
    d.addCallback(boom).addCallback(str)
    d.callback(None)
    return d


def atOnce() -> Deferred[Any]:
    return succeed(None).addCallback(boom)


def throughAnother() -> Deferred[Any]:
    inner: Deferred[Any] = Deferred()
    inner.addCallback(boom)
    d = succeed(None).addCallback(lambda _: inner)
    inner.callback(None)
    return d


def throughAnotherThatFailed() -> Deferred[Any]:
    return succeed(None).addCallback(lambda _: atOnce())


def fromErrback() -> Deferred[Any]:
    return fail(ValueError()).addErrback(boom)


def passedOn() -> Deferred[Any]:
    return succeed(None).addCallback(boom).addErrback(lambda failure: failure)


def trapped() -> Deferred[Any]:
    return succeed(None).addCallback(boom).addErrback(lambda failure: failure.trap(ValueError))


def relayed() -> Deferred[Any]:
    d: Deferred[Any] = Deferred()
    inChain().chainDeferred(d)
    return d


def generator() -> Deferred[Any]:
    @inlineCallbacks
    def run() -> Any:
        yield succeed(1)
        boom()

    return run()


def coroutine() -> Deferred[Any]:
    async def run(d: Deferred[Any]) -> None:
        await d
        boom()

    d: Deferred[None] = Deferred()
    whole = ensureDeferred(run(d))
    d.callback(None)
    return whole


def maybe() -> Deferred[Any]:
    return maybeDeferred(boom)


WAYS = [
    inChain,
    atOnce,
    throughAnother,
    throughAnotherThatFailed,
    fromErrback,
    passedOn,
    trapped,
    relayed,
    generator,
    coroutine,
    maybe,
]


@pytest.mark.parametrize("way", WAYS)
def test_D6_logged(way: Any, unhandled: Any) -> None:
    d = way()
    assert unhandled.records == []
    del d
    text = theOne(unhandled)
    assert text.startswith("Unhandled error in Deferred\nTraceback (most recent call last):\n")
    assert re.search(r'File ".*test_unhandled.py", line \d+, in boom\n    raise Boom\("out of luck"\)\n', text)
    assert text.endswith("Boom: out of luck")


@pytest.mark.parametrize("way", WAYS)
def test_D6_handledLaterIsNotLogged(way: Any, unhandled: Any) -> None:
    d = way()
    d.addErrback(lambda _: None)
    del d
    assert unhandled.records == []


@pytest.mark.parametrize("way", WAYS)
def test_D6_awaitedLaterIsNotLogged(way: Any, unhandled: Any) -> None:
    async def handle(d: Deferred[Any]) -> str:
        try:
            await d
        except Boom:
            return "handled"
        return "no error"

    @inlineCallbacks
    def handleToo(d: Deferred[Any]) -> Any:
        try:
            yield d
        except Boom:
            return "handled"

    assert ensureDeferred(handle(way())).result == "handled"
    assert handleToo(way()).result == "handled"
    assert unhandled.records == []


def test_D6_firedWithoutCallbacks(unhandled: Any) -> None:
    d: Deferred[None] = Deferred()
    d.errback(Boom("never raised"))
    del d
    # There is no traceback to tell.
    assert theOne(unhandled).rstrip().endswith("Boom: never raised")


def test_D6_theLastOfSeveralErrors(unhandled: Any) -> None:
    d = inChain()
    d.addErrback(lambda _: 1 / 0)
    del d
    assert "ZeroDivisionError" in theOne(unhandled)


def test_D6_handledAndFailedAgain(unhandled: Any) -> None:
    d = inChain()
    d.addErrback(lambda _: None)
    d.addCallback(boom)
    del d
    assert "in boom" in theOne(unhandled)


def test_D6_cancelledAndForgotten(unhandled: Any) -> None:
    Deferred[None]().cancel()
    assert "reactor.defer.CancelledError" in theOne(unhandled)


def test_D6_gatherResultsTellsEachOnce(unhandled: Any) -> None:
    ds: list[Deferred[None]] = [Deferred(), Deferred()]
    all_ = gatherResults(ds, consumeErrors=True)
    for d in ds:
        d.errback(Boom())
    del d, ds
    assert unhandled.records == []
    del all_
    assert "reactor.defer.FirstError" in theOne(unhandled)


def test_D6_aCleanedFailureKeepsItsLines(unhandled: Any) -> None:
    d = inChain()
    d.result.cleanFailure()
    del d
    text = theOne(unhandled)
    assert "in boom" in text and "Boom: out of luck" in text


def test_D6_notWhileAnybodyHasTheDeferred(unhandled: Any) -> None:
    d = inChain()
    same = d
    del d
    assert unhandled.records == []
    same.addErrback(lambda _: None)


@pytest.mark.usefixtures("debugging")
def test_D6_whereItWasMadeAndFired(unhandled: Any) -> None:
    def makes() -> Deferred[None]:
        return Deferred()

    def fires(d: Deferred[None]) -> None:
        d.callback(None)

    d = makes().addCallback(boom)
    fires(d)
    with pytest.raises(AlreadyCalledError, match=r"(?s)C: Deferred was created:.*in makes.*I: First Invoker.*in fires"):
        d.callback(None)
    del d
    text = theOne(unhandled)
    assert re.search(r"(?s)C: Deferred was created:.*in makes\n C:    return Deferred\(\)", text)
    assert re.search(r"(?s)I: First Invoker was:.*in fires\n I:    d\.callback\(None\)", text)
    assert "reactor/defer" not in text
    assert "in boom" in text


@pytest.mark.usefixtures("debugging")
def test_D6_whereSucceedErrbackAndChainsWereCalled(unhandled: Any) -> None:
    def here() -> Deferred[Any]:
        return succeed(None).addCallback(boom)

    d = here()
    del d
    assert "in here\n C:    return succeed(None).addCallback(boom)" in theOne(unhandled)

    target: Deferred[Any] = Deferred()
    source: Deferred[Any] = Deferred()
    source.chainDeferred(target)
    source.errback(Boom())
    del target
    text = theOne(unhandled)
    assert "I:    source.errback(Boom())" in text


@pytest.mark.usefixtures("debugging")
def test_debuggingLogsNothingThatWasHandled(unhandled: Any) -> None:
    d = inChain()
    d.addErrback(lambda _: None)
    del d
    waiting: Deferred[None] = Deferred()
    del waiting
    assert unhandled.records == []


def test_D6_whenTheInterpreterEnds() -> None:
    program = """
from reactor.defer import succeed
def boom(_):
    raise ValueError("at the end")
d = succeed(None).addCallback(boom)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stderr == (
        "Unhandled error in Deferred\nTraceback: <class 'ValueError'>: at the end\n<string>:4:boom\n"
    )


def test_debugInfo(unhandled: Any) -> None:
    info = DebugInfo()
    assert (info.failResult, info.creator, info.invoker, info.describe()) == (None, None, None, "")
    info.failResult = Failure(Boom())
    del info
    assert "Boom" in theOne(unhandled)
