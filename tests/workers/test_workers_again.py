"""`reactor.workers.Workers`, stopped and started anew before those of the first time have ended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from script import FOLDER, SECONDS

# The first worker takes the second half of a minute over its end, unless somebody kills it: its successor must not be
# taken for it.
PROGRAM = """
import os
from reactor import reactor
from reactor.workers import Workers

workers = Workers(2, "slow:main", drain=0.5)
workers.grace = 0.5
first = []

def again(_):
    first.extend(workers.processes)
    workers.stopService().addCallback(stopped)
    workers.startService()

def stopped(killed):
    print("stopped", killed, len(workers.processes), set(first) & set(workers.processes))
    ready()

def ready():
    # Their successors live on, and are known.
    if all(worker.state.value == "ready" for worker in workers._workers.values()):
        print("second", sorted(workers._workers), workers._pauses)
        workers.stopService().addCallback(end)
    else:
        reactor.callLater(0.01, ready)

def end(killed):
    print("end", workers.processes)
    reactor.stop()

reactor.callWhenRunning(lambda: workers.startService().addCallback(again))
reactor.run()
try:
    os.waitpid(-1, os.WNOHANG)
    print("a child is left")
except ChildProcessError:
    print("no child is left")
"""

SLOW = """
from reactor.defer import Deferred

def main(reactor, number):
    reactor.addSystemEventTrigger("before", "shutdown", Deferred)
"""


def run(program: str, folder: Path) -> str:
    """What `program` prints, with the module `slow` at hand."""
    (folder / "slow.py").write_text(SLOW)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env={**os.environ, "PYTHONPATH": f"{FOLDER}{os.pathsep}{folder}"},
    )
    assert not done.returncode, done
    return done.stdout


def test_startedWhileTheFirstOnesStop(tmp_path: Path) -> None:
    assert run(PROGRAM, tmp_path).splitlines() == [
        "stopped 2 2 set()",
        "second [0, 1] {}",
        "end []",
        "no child is left",
    ]


STOPPED = """
from reactor import reactor
from reactor.workers import Workers

workers = Workers(2, "slow:main")

def start():
    workers.startService().addCallbacks(lambda _: print("ready"), lambda failure: print(repr(failure.value)))
    getattr(workers, METHOD)(*ARGUMENTS)
    reactor.callLater(0, gone)

def gone():
    if workers.processes:
        reactor.callLater(0.01, gone)
    else:
        reactor.stop()

reactor.callWhenRunning(start)
reactor.run()
"""


@pytest.mark.parametrize(("method", "arguments"), [("stopService", ()), ("drain", (0.1,)), ("killAll", ())])
def test_whoWaitsForThemHearsThatTheyWereStopped(tmp_path: Path, method: str, arguments: tuple[float, ...]) -> None:
    program = STOPPED.replace("METHOD", repr(method)).replace("ARGUMENTS", repr(arguments))
    assert run(program, tmp_path) == "CancelledError('stopped before all workers were ready')\n"
