"""Runs a program on Twisted's Deferreds and on ours, and puts down what it does in words that are the same for both."""

from __future__ import annotations

import gc
import logging
import warnings
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

import reactor.defer
import reactor.failure
import reactor.task

defer = pytest.importorskip("twisted.internet.defer", reason="Twisted, to compare with, is not installed")
failure = pytest.importorskip("twisted.python.failure")
task = pytest.importorskip("twisted.internet.task")

THEIRS = SimpleNamespace(defer=defer, Failure=failure.Failure, Clock=task.Clock, path="twisted.internet.defer")
OURS = SimpleNamespace(
    defer=reactor.defer, Failure=reactor.failure.Failure, Clock=reactor.task.Clock, path="reactor.defer"
)
Library = SimpleNamespace
Scenario = Callable[[Library, list[Any]], object]


class Boom(Exception):
    """What goes wrong here."""


# Those whose arguments are not a text that may differ.
TELLING = (Boom, defer.TimeoutError, reactor.defer.TimeoutError)


@pytest.fixture(autouse=True)
def unhandled() -> Iterator[None]:
    """In place of the one of all other tests here: errors that nobody handles are part of these programs."""
    logger = logging.getLogger("reactor.defer")
    logger.disabled = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
        gc.collect()
    logger.disabled = False


def plain(library: Library, value: Any) -> Any:
    """`value` in words that are the same for both libraries."""
    if isinstance(value, library.Failure):
        return ("Failure", plain(library, value.value))
    if isinstance(value, library.defer.Deferred):
        result = plain(library, value.result) if value.called else "none"
        return (type(value).__name__, value.called, value.paused, result)
    if isinstance(value, BaseException):
        return (type(value).__name__, plain(library, value.args) if isinstance(value, TELLING) else "")
    if isinstance(value, list | tuple):
        return type(value)(plain(library, item) for item in value)
    if value is None or isinstance(value, str | int | float | bool | bytes | dict):
        return value
    return type(value).__name__


def trace(library: Library, program: Scenario) -> list[Any]:
    """What `program` logs, each entry as it is at that moment, and what it returns or raises in the end."""
    told: list[Any] = []

    class Log(list[Any]):
        """Puts down what is logged as it is at that moment."""

        def append(self, value: Any) -> None:
            told.append(plain(library, value))

    log = Log()
    try:
        told.append(("returned", plain(library, program(library, log))))
    except Exception as error:
        told.append(("raised", type(error).__name__))
    return told
