"""The machine under the benchmark: which core is whose, and what a process has used of time and memory.

Time and memory are read from /proc, which makes this package one for Linux.
"""

from __future__ import annotations

import os
import platform
import resource
import time
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_TICKS = os.sysconf("SC_CLK_TCK")


class Cores(NamedTuple):
    """Which core is whose; None for "any", where there is nothing to share out."""

    measured: int | None
    load: tuple[int | None, ...]


@cache
def cores() -> Cores:
    """The first core that this process may use for what is measured, the others for the load on it.

    The first one's other half comes last (two hardware threads of one core share what is measured).
    """
    if not hasattr(os, "sched_setaffinity"):
        return Cores(None, (None,))
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        return Cores(None, (None,))
    siblings = _siblingsOf(allowed[0])
    return Cores(allowed[0], tuple(sorted(allowed[1:], key=lambda core: core in siblings)))


def _siblingsOf(core: int) -> set[int]:
    """The hardware threads that share a core with `core`, itself among them."""
    found = {core}
    try:
        with open(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list") as file:
            ranges = file.read().strip().split(",")
    except OSError:
        return found
    for span in ranges:
        first, _, last = span.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


@contextmanager
def pinnedTo(core: int | None) -> Iterator[None]:
    """Keep this process, and for good what it starts meanwhile, on `core`; on any for None."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def openManyFiles() -> int:
    """Let this process, and what it starts, open as many files as the system permits; how many that is."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


class CpuTime(NamedTuple):
    """The CPU time that a process has used with all its threads.

    `seconds` is exact. `userTicks` and `systemTicks` (of 10 ms, mostly) tell where it was spent, and are too coarse to
    tell how much.
    """

    seconds: float
    userTicks: int
    systemTicks: int

    def since(self, before: CpuTime) -> tuple[float, float]:
        """What was used since `before`: (user, system), in seconds, whose sum is exact."""
        seconds = self.seconds - before.seconds
        user, system = self.userTicks - before.userTicks, self.systemTicks - before.systemTicks
        share = user / (user + system) if user + system else 1.0
        return seconds * share, seconds * (1.0 - share)


def cpuTime(pid: int) -> CpuTime:
    """The CPU time that process `pid` has used so far."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        # Field 2 is the program's name, in parentheses, and may contain anything; 14 and 15 are utime and stime.
        fields = file.read().rpartition(b")")[2].split()
    # The clock is what clock_getcpuclockid(3) makes of a process id.
    return CpuTime(time.clock_gettime((~pid << 3) | 2), int(fields[11]), int(fields[12]))


class Others:
    """How much CPU time programs other than this one and its children take while it exists."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._before = self._used()

    def percent(self) -> float:
        """What they have used so far (also what the hypervisor has kept for itself), in percent of one core's time."""
        return (self._used() - self._before) / (time.perf_counter() - self._began) * 100

    @staticmethod
    def _used() -> float:
        with open("/proc/stat", "rb") as file:
            user, nice, system, _idle, _waiting, _irq, _softIrq, steal = map(int, file.readline().split()[1:9])
        mine = os.times()
        return (user + nice + system + steal) / _TICKS - sum(mine[:4])


def residentKiB(pid: int) -> float:
    """The resident memory (RSS) of process `pid`, in KiB.

    From smaps_rollup, which counts the pages: the figure in statm and status may be off by some hundred KiB since Linux
    6.2.
    """
    with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
        for line in file:
            if line.startswith(b"Rss:"):
                return float(line.split()[1])
    raise OSError(f"/proc/{pid}/smaps_rollup names no Rss")


def description() -> str:
    """The machine in one line: interpreter, system, cores and how they are used."""
    measured, load = cores()
    use = "nothing pinned" if measured is None else f"measured on core {measured}, load on core {load[0]}"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    system = f"{platform.system()} {platform.release().partition('-')[0]}"
    return f"{python}, {system} on {platform.machine()}, {os.cpu_count()} cores: {use}"
