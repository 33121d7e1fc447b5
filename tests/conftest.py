"""Every test has a deadline.

It may use that many seconds of this process's CPU time, and wait much longer, since other programs may have the
machine. A test that passes either limit fails with the stacks of all threads in its report, and the run goes on. The
first alarm raises in the main thread; the next ones, should something have swallowed that, raise again. What even those
cannot end (a main thread that never comes back to Python) is ended with the whole run by ``faulthandler_timeout`` in
pyproject.toml.
"""

from __future__ import annotations

import faulthandler
import gc
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import settings
from net import net as net
from patience import PATIENCE

import reactor

# pytest has put tests/ at the head of the path. Where the installation is found by a hook only, as an editable one may
# be, `protocols` would be the folder of that name here: no package, but the path is searched before hooks are asked.
if (spec := find_spec("protocols")) is None or spec.origin is None:
    sys.path.insert(0, str(Path(reactor.__file__).parents[1]))

pytest_plugins = ["pytester", "reactor.pytestplugin"]

# Hypothesis looks at the wall's clock for each example; a test's own limit does not.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

PYTEST_ITSELF = ("/_pytest/", "/pluggy/", "<frozen runpy>")
CPU_SECONDS = 30.0
# One wait of a test may take its whole patience, and some wait several times.
SECONDS = 3 * PATIENCE
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
    return CPU_SECONDS if marker is None else float(marker.args[0])


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
    mostWork = deadlineOf(item)
    began, beganWork = time.monotonic(), time.process_time()
    stacks: list[str] = []
    passed = ""

    def alarm(signum: int, frame: FrameType | None) -> None:
        nonlocal passed
        if time.process_time() - beganWork >= mostWork:
            passed = passed or f"longer than {mostWork:g} s of CPU time"
        elif time.monotonic() - began >= SECONDS:
            passed = passed or f"longer than {SECONDS:g} s"
        else:
            return
        stacks.append(stacksOfAllThreads())
        raise DeadlinePassed(passed)

    before = signal.signal(signal.SIGALRM, alarm)
    # By the clock: with a timer of CPU time the system counts that in ticks, for every test that measures some.
    signal.setitimer(signal.ITIMER_REAL, mostWork, AGAIN)
    try:
        yield
    except DeadlinePassed:
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise pytest.fail.Exception(f"{passed}; where it stood:\n{stacks[0]}", pytrace=False) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if stacks:
        pytest.fail(f"{passed}, and swallowed what said so:\n{stacks[0]}", pytrace=False)
