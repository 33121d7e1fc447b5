"""Every test has a deadline.

A test that passes it fails with the stacks of all threads in its report, and the run goes on. The first alarm raises in
the main thread; the next ones, should something have swallowed that, raise again. What even those cannot end (a main
thread that never comes back to Python) is ended with the whole run by ``faulthandler_timeout`` in pyproject.toml.
"""

from __future__ import annotations

import faulthandler
import gc
import signal
import tempfile
from collections.abc import Iterator
from types import FrameType

import pytest
from net import net as net

pytest_plugins = ["pytester", "reactor.pytestplugin"]

PYTEST_ITSELF = ("/_pytest/", "/pluggy/", "<frozen runpy>")
SECONDS = 30.0
AGAIN = 2.0


class DeadlinePassed(KeyboardInterrupt):
    """The test has had its time. A KeyboardInterrupt: that is what a reactor lets out of run() from any callback."""


def pytest_collection_finish(session: pytest.Session) -> None:
    # Network tests collect garbage before and after, each time through all that pytest and the tests are made of.
    gc.collect()
    gc.freeze()


def stacksOfAllThreads() -> str:
    with tempfile.TemporaryFile("w+") as file:
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        return "".join(line for line in file if not any(part in line for part in PYTEST_ITSELF))


def deadlineOf(item: pytest.Item) -> float:
    marker = item.get_closest_marker("deadline")
    return SECONDS if marker is None else float(marker.args[0])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    yield from underDeadline(item)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    yield from underDeadline(item)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    yield from underDeadline(item)


def underDeadline(item: pytest.Item) -> Iterator[None]:
    seconds = deadlineOf(item)
    stacks: list[str] = []

    def alarm(signum: int, frame: FrameType | None) -> None:
        stacks.append(stacksOfAllThreads())
        raise DeadlinePassed(f"longer than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, alarm)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    except DeadlinePassed:
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise pytest.fail.Exception(f"longer than {seconds:g} s; where it stood:\n{stacks[0]}", pytrace=False) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if stacks:
        pytest.fail(f"longer than {seconds:g} s, and swallowed what said so:\n{stacks[0]}", pytrace=False)
