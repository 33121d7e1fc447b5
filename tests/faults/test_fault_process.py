"""Rows M7, M9, H1, S1 and S3 over every selector: what befalls a whole process."""

from __future__ import annotations

import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from net import DEADLINE, Net
from patience import PATIENCE
from script import script

eachSelector = pytest.mark.parametrize("selector", ["EpollSelector", "PollSelector", "SelectSelector"])

# Whoever asks for the time of day gets it three hours earlier every other time.
STEPPING = """
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static int steps;
int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) && ++steps % 2) now->tv_sec -= 10800;
    return failed;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec precise;
    int failed = clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return failed;
}
time_t time(time_t *at) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (at) *at = precise.tv_sec;
    return precise.tv_sec;
}
"""


@pytest.fixture(scope="module")
def stepping(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that, loaded ahead of all others, steps the wall clock to and fro."""
    if shutil.which("cc") is None:
        pytest.skip("no compiler cc, to make a wall clock that steps")
    folder = tmp_path_factory.mktemp("clock")
    (folder / "clock.c").write_text(STEPPING)
    command = ["cc", "-shared", "-fPIC", "-o", str(folder / "clock.so"), str(folder / "clock.c")]
    made = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert made.returncode == 0, made.stderr
    return folder / "clock.so"


@eachSelector
def test_M9_theWallClockIsStepped(stepping: Path, selector: str) -> None:
    printed = script(
        """
        import selectors, sys, time
        from reactor.base import Reactor
        from reactor.protocol import ClientFactory, Factory, Protocol
        backwards = [time.time() for _ in range(4)]
        print(any(later < earlier for earlier, later in zip(backwards, backwards[1:])))
        reactor = Reactor(getattr(selectors, sys.argv[1])())
        seen, began = [], time.monotonic()
        for number in range(5):
            reactor.callLater(0.01 * number, lambda number=number: seen.append((number, reactor.seconds())))
        reactor.callLater(0.05, reactor.stop)
        reactor.run()
        took = time.monotonic() - began
        print([number for number, _ in seen], all(when - began >= 0.01 * number for number, when in seen), took < 60)
        reactor.close()
        """,
        selector,
        prefix=("env", f"LD_PRELOAD={stepping}"),
    )
    assert printed == ["True", "[0, 1, 2, 3, 4] True True"]


def test_M7_everySelector(net: Net) -> None:
    count = 0

    def again() -> None:
        nonlocal count
        count += 1
        net.reactor.callLater(0, again)

    client, _ = net.pair(server={"data": lambda protocol, data: protocol.write(data)})
    net.reactor.callLater(0, again)
    for rounds in range(1, 101):
        asked = count
        client.write(b"x")
        net.until(lambda rounds=rounds: len(client.received) == rounds)
        # There and back: a few turns, in each of which it ran once.
        assert count - asked <= 6
    (call,) = net.reactor.getDelayedCalls()
    call.cancel()


def test_H1_everySelector(net: Net) -> None:
    """From a thread, while the reactor waits in the kernel with nothing else to do."""
    count = 20_000
    seen: list[int] = []

    def calls() -> None:
        for number in range(count):
            net.reactor.callFromThread(seen.append, number)
        net.reactor.callFromThread(net.reactor.stop)

    thread = threading.Thread(target=calls)
    net.reactor.callWhenRunning(thread.start)
    net.reactor.run(installSignalHandlers=False)
    thread.join(DEADLINE)
    assert seen == list(range(count))


@eachSelector
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_S1_everySelector(selector: str, name: str) -> None:
    """Sent from outside while the reactor waits in the kernel."""
    printed = script(
        """
        import os, selectors, signal, subprocess, sys
        from reactor.base import Reactor
        reactor = Reactor(getattr(selectors, sys.argv[1])())
        other = []
        def send():
            killer = f"sleep 0.05; kill -{sys.argv[2][3:]} {os.getpid()}"
            other.append(subprocess.Popen(["/bin/sh", "-c", killer]))
        reactor.callWhenRunning(send)
        for phase in ("before", "during", "after"):
            reactor.addSystemEventTrigger(phase, "shutdown", print, phase)
        reactor.callLater(3600, print, "too late")
        reactor.run()
        print("returned", other[0].wait())
        reactor.close()
        """,
        selector,
        name,
    )
    assert printed == ["before", "during", "after", "returned 0"]


@eachSelector
def test_S3_everySelector(selector: str) -> None:
    """From another process, as fast as it can, while the reactor serves a connection."""
    printed = script(
        """
        import os, selectors, signal, socket, subprocess, sys
        from reactor.base import Reactor
        from reactor.protocol import Factory, Protocol
        reactor = Reactor(getattr(selectors, sys.argv[1])())
        handled = []
        signal.signal(signal.SIGUSR1, lambda number, frame: handled.append(number))
        class Echo(Protocol):
            def dataReceived(self, data):
                self.transport.write(data)
        class Echoes(Factory):
            noisy = False
            protocol = Echo
        port = reactor.listenTCP(0, Echoes(), interface="127.0.0.1")
        client = socket.create_connection(("127.0.0.1", port.getHost().port))
        client.setblocking(False)
        source = "import os, sys; [os.kill(int(sys.argv[1]), 10) for _ in range(20000)]"
        flood = subprocess.Popen([sys.executable, "-I", "-S", "-c", source, str(os.getpid())])
        rounds = 0
        while flood.poll() is None or not rounds:
            client.send(b"x")
            while True:
                reactor.iterate(1)
                try:
                    assert client.recv(1) == b"x"
                    break
                except BlockingIOError:
                    pass
            rounds += 1
        for _ in range(20_000):
            os.kill(os.getpid(), signal.SIGUSR1)
        print(rounds > 0, len(handled) >= 20_000, flood.wait())
        client.close()
        reactor.callWhenRunning(reactor.stop)
        reactor.run()
        reactor.close()
        """,
        selector,
    )
    assert printed == ["True True 0"]
