"""A plugin of pytest for tests that need a reactor. Installing the distribution is enough to have it.

A test that takes the fixture `reactor` gets a new one and may return a Deferred or be an ``async def``; it fails when
it leaves something behind or errors that nobody handled. Async tests that neither take the fixture nor have the marker
``reactor`` are left to other plugins, unless ``reactor_mode = auto`` says otherwise.

Loaded by every run of pytest where this is installed, so all that it stands on (`reactor.testing`) is loaded with the
first test that needs it.
"""

from __future__ import annotations

import inspect
import warnings

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from reactor.base import Reactor
    from reactor.failure import Failure
    from reactor.testing.trial import Trial

_TRIAL: pytest.StashKey[Trial] = pytest.StashKey()
# Who marks a test so runs it.
_OTHERS = ("asyncio", "anyio", "trio", "twisted")
_MODES = ("strict", "auto")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The settings in pytest's configuration file."""
    parser.addini(
        "reactor_mode", "strict: tests with the fixture or marker 'reactor'; auto: all async ones", None, "strict"
    )
    parser.addini("reactor_timeout", "seconds that a test on a reactor may take", None, "30")


def pytest_configure(config: pytest.Config) -> None:
    """The marker; UsageError for settings that are none."""
    config.addinivalue_line(
        "markers", "reactor(timeout=None): run the test on a new reactor, for at most `timeout` seconds"
    )
    if config.getini("reactor_mode") not in _MODES:
        raise pytest.UsageError(f"reactor_mode must be one of {_MODES}, not {config.getini('reactor_mode')!r}")
    _seconds(config.getini("reactor_timeout"), "reactor_timeout")


def _seconds(value: Any, name: str) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = 0.0
    if not 0.0 < seconds < float("inf"):
        raise pytest.UsageError(f"{name} must be a number of seconds more than 0, not {value!r}")
    return seconds


@pytest.fixture(name="reactor")
def _reactor(request: pytest.FixtureRequest) -> Iterator[Reactor]:
    """A new reactor, which is the default one as long as the test lasts. What is left in it then fails the test."""
    from reactor.testing.trial import Trial

    trial = request.node.stash[_TRIAL] = Trial()
    yield trial.reactor
    problem = trial.finish()
    if problem:
        pytest.fail(problem, pytrace=False)


@pytest.fixture
def flushLoggedErrors(reactor: Reactor, request: pytest.FixtureRequest) -> Callable[..., list[Failure]]:
    """A function that forgives the errors which the reactor has logged so far: all, or those of the exception classes
    that it is given. It returns them as Failures.
    """
    take: Callable[..., list[Failure]] = request.node.stash[_TRIAL].errors.take

    def flush(*types: type[BaseException]) -> list[Failure]:
        import gc

        # One that nobody can handle any more may not have been told yet.
        gc.collect()
        return take(*types)

    return flush


def _isOurs(item: pytest.Function) -> bool:
    if any(item.get_closest_marker(name) is not None for name in _OTHERS):
        return False
    if _TRIAL in item.stash or item.get_closest_marker("reactor") is not None:
        return True
    return item.config.getini("reactor_mode") == "auto" and inspect.iscoroutinefunction(item.obj)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> object:
    """Call a test of ours, and wait for what it returns."""
    if not _isOurs(pyfuncitem):
        return None
    if _TRIAL not in pyfuncitem.stash:
        pyfuncitem._request.getfixturevalue("reactor")
        if _TRIAL not in pyfuncitem.stash:
            # Somebody has a fixture of that name of their own.
            return None
    trial = pyfuncitem.stash[_TRIAL]
    try:
        _call(trial, pyfuncitem)
    except BaseException:
        trial.failed = True
        raise
    return True


def _call(trial: Trial, item: pytest.Function) -> None:
    from reactor.defer import Deferred, ensureDeferred

    arguments = {name: item.funcargs[name] for name in item._fixtureinfo.argnames}
    result = item.obj(**arguments)
    if inspect.iscoroutine(result):
        coroutine = result
        _wait(trial, item, lambda: ensureDeferred(coroutine))
    elif isinstance(result, Deferred):
        deferred = result
        _wait(trial, item, lambda: deferred)
    elif result is not None:
        warnings.warn(
            pytest.PytestReturnNotNoneWarning(f"{item.nodeid} returned {result!r}, and no Deferred"), stacklevel=1
        )


def _wait(trial: Trial, item: pytest.Function, begin: Callable[[], Any]) -> None:
    marker = item.get_closest_marker("reactor")
    timeout = None if marker is None else marker.kwargs.get("timeout", marker.args[0] if marker.args else None)
    if timeout is None:
        timeout = item.config.getini("reactor_timeout")
    trial.run(begin, _seconds(timeout, "timeout"))
