"""`python -m reactor workers` and `reactor.workers.Workers`, with real processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from script import FOLDER, SECONDS

from reactor.__main__ import _count, main
from reactor.workers import Workers
from reactor.workers.serving import found

APP = """
import os, signal, sys, time
from reactor.protocol import Factory, Protocol
from reactor.service import Service

class Who(Protocol):
    def connectionMade(self):
        self.transport.write(b"%d %d\\n" % (self.factory.number, os.getpid()))
    def dataReceived(self, data):
        if data == b"die":
            os._exit(3)
        if data == b"hang":
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
            self.transport.write(b"hangs")
            from reactor import reactor
            reactor.callLater(0, time.sleep, 60)
            return
        self.transport.write(data)

def main(reactor, number, port):
    factory = Factory.forProtocol(Who)
    factory.number = number
    factory.noisy = False
    reactor.listenTCP(int(port), factory, interface="127.0.0.1", reusePort=True)

class Told(Service):
    def startService(self):
        super().startService()
        print("service started", flush=True)
    def stopService(self):
        print("service stopped", flush=True)
        return super().stopService()

def service(reactor, number):
    return Told()

async def coroutine(reactor, number):
    from reactor.task import deferLater
    await deferLater(reactor, 0.01)
    print("coroutine done", flush=True)

def failing(reactor, number):
    raise ValueError("not today")

def flaky(reactor, number, port, folder):
    # Fails when its successor is started, not the first time.
    mark = os.path.join(folder, str(number))
    if os.path.exists(mark):
        raise ValueError("broken by now")
    open(mark, "w").close()
    main(reactor, number, port)

notAFunction = 5
"""


class Supervisor:
    """A supervisor and what it says."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []

    def hear(self, *texts: str) -> list[str]:
        """Read lines until each of `texts` was in one of them (the order does not matter); those lines."""
        left, found = list(texts), []
        assert self.process.stdout is not None
        while left:
            line = self.process.stdout.readline()
            assert line, f"{left} not said: {self.said}"
            self.said.append(line)
            for text in left:
                if text in line:
                    left.remove(text)
                    found.append(line)
                    break
        return found

    def ended(self) -> int:
        rest, _ = self.process.communicate(timeout=SECONDS)
        self.said += rest.splitlines(keepends=True)
        return self.process.returncode

    @property
    def text(self) -> str:
        return "".join(self.said)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


@pytest.fixture
def port() -> Iterator[int]:
    """A port that nobody else gets: it is bound, shared, and not listened on."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


@contextmanager
def supervisor(folder: Path, *arguments: object) -> Iterator[Supervisor]:
    with subprocess.Popen(
        [sys.executable, "-m", "reactor", "workers", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(FOLDER), "PYTHONDEVMODE": "1", "PYTHONWARNINGS": "error"},
    ) as process:
        try:
            yield Supervisor(process)
        finally:
            process.kill()


def ask(port: int, say: bytes = b"") -> tuple[int, int, socket.socket]:
    """Who answers: the worker's number and process, and the connection."""
    sock = socket.create_connection(("127.0.0.1", port), SECONDS)
    line = b""
    while not line.endswith(b"\n"):
        line += sock.recv(1)
    number, pid = map(int, line.split())
    if say:
        sock.sendall(say)
    return number, pid, sock


def until(true: Callable[[], Any]) -> None:
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end, "not in time"
        os.sched_yield()


def gone(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            # Whoever takes over orphans may leave it a zombie for a while.
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_theyShareThePortAndStopGracefully(folder: Path, port: int) -> None:
    with supervisor(folder, 2, "app:main", port) as workers:
        workers.hear("ready", "ready")
        answers = {}
        connections = []
        while len(answers) < 2:
            number, pid, sock = ask(port)
            answers[number] = pid
            connections.append(sock)
        assert set(answers) == {0, 1} and len(set(answers.values())) == 2
        # One connection stays: its worker waits for it, served to the last.
        last = connections.pop()
        for each in connections:
            each.close()
        workers.process.send_signal(signal.SIGTERM)
        last.sendall(b"still here")
        assert last.recv(100) == b"still here"
        last.close()
        assert workers.ended() == 0
        assert all(gone(pid) for pid in answers.values())
    assert "WARNING" not in workers.text and "Traceback" not in workers.text


def test_oneThatDiesIsStartedAnew(folder: Path, port: int) -> None:
    with supervisor(folder, 1, "app:main", port) as workers:
        workers.hear("ready")
        _, first, sock = ask(port, b"die")
        with sock:
            assert sock.recv(100) == b""
        workers.hear("exited with status 3", "worker 0 is started anew in 0.5 s", "ready")
        _, second, sock = ask(port)
        sock.close()
        assert first != second and gone(first)
        workers.process.send_signal(signal.SIGINT)
        assert workers.ended() == 0


def test_oneThatHangsIsKilledAtTheDeadline(folder: Path, port: int) -> None:
    source = """
import sys
from reactor.service import run
from reactor.workers import Workers
import logging
logging.basicConfig(level=logging.INFO)
workers = Workers(1, "app:main", sys.argv[1:], drain=0)
workers.grace = 0.05
run(workers, drain=0)
"""
    (folder / "program.py").write_text(source)
    with subprocess.Popen(
        [sys.executable, "program.py", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(FOLDER)},
    ) as process:
        workers = Supervisor(process)
        workers.hear("ready")
        _, pid, sock = ask(port, b"hang")
        assert sock.recv(100) == b"hangs"
        process.send_signal(signal.SIGTERM)
        assert workers.ended() == 0
        sock.close()
        assert gone(pid)
    assert "has not stopped in time and is killed" in workers.text


def test_aSecondSignalEndsAllAtOnce(folder: Path, port: int) -> None:
    with supervisor(folder, 1, "app:main", port, "--drain", "60") as workers:
        workers.hear("ready")
        _, pid, sock = ask(port)
        with sock:
            workers.process.send_signal(signal.SIGTERM)
            # The worker listens no more: the first signal has arrived.
            until(lambda: not listens(port))
            workers.process.send_signal(signal.SIGTERM)
            assert workers.ended() == 0
        assert gone(pid)


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), SECONDS).close()
    except ConnectionRefusedError:
        return False
    return True


def test_theyStopWhenTheSupervisorIsKilled(folder: Path, port: int) -> None:
    with supervisor(folder, 1, "app:main", port) as workers:
        workers.hear("ready")
        _, pid, sock = ask(port)
        workers.process.kill()
        sock.sendall(b"still here")
        assert sock.recv(100) == b"still here"
        sock.close()
        until(lambda: gone(pid))


def test_aSignalToTheWholeGroupIsOneStop(folder: Path, port: int) -> None:
    """As a service manager does it: the worker's own SIGTERM and its supervisor's word are not two."""
    with supervisor(folder, 1, "app:main", port) as workers:
        workers.hear("ready")
        _, pid, sock = ask(port)
        workers.process.send_signal(signal.SIGTERM)
        until(lambda: not listens(port))
        os.kill(pid, signal.SIGTERM)
        # The first may be answered in the turn in which the signal is heard of, the others not.
        for _ in range(3):
            sock.sendall(b"still here")
            assert sock.recv(100) == b"still here"
        sock.close()
        assert workers.ended() == 0


def test_hangupReplacesThem(folder: Path, port: int) -> None:
    with supervisor(folder, 2, "app:main", port) as workers:
        workers.hear("ready", "ready")
        before = set()
        while len(before) < 2:
            _, pid, sock = ask(port)
            before.add(pid)
            sock.close()
        workers.process.send_signal(signal.SIGHUP)
        workers.hear("replaced", "ready", "ready")
        until(lambda: all(gone(pid) for pid in before))
        _, after, sock = ask(port)
        sock.close()
        assert after not in before
        workers.process.send_signal(signal.SIGTERM)
        assert workers.ended() == 0
    assert "WARNING" not in workers.text


def test_hangupWithABrokenProgramLeavesThemAsTheyAre(folder: Path, port: int) -> None:
    with supervisor(folder, 2, "app:flaky", port, folder) as workers:
        workers.hear("ready", "ready")
        workers.process.send_signal(signal.SIGHUP)
        workers.hear("replaced", "ValueError: broken by now", "the others are not replaced")
        numbers = set()
        while len(numbers) < 2:
            number, _, sock = ask(port)
            numbers.add(number)
            sock.close()
        workers.process.send_signal(signal.SIGTERM)
        assert workers.ended() == 0


@pytest.mark.parametrize(
    ("function", "error"),
    [("math:missing", AttributeError), ("math:pi", TypeError), ("no_such_module:main", ImportError)],
)
def test_aFunctionThatIsNotFound(function: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        found(function)


def test_aFunctionThatIsNotFoundEndsItAll(folder: Path) -> None:
    with supervisor(folder, 2, "app:notAFunction") as workers:
        assert workers.ended() == 1
    assert "app:notAFunction is not found" in workers.text
    assert "cannot be started: it exited with status 78" in workers.text


def test_aFunctionThatFailsIsTriedAgain(folder: Path) -> None:
    with supervisor(folder, 1, "app:failing") as workers:
        workers.hear("ValueError: not today", "exited with status 1", "is started anew in 0.5 s")
        workers.process.send_signal(signal.SIGTERM)
        assert workers.ended() == 0


def test_aFunctionMayReturnAServiceOrBeAsync(folder: Path) -> None:
    with supervisor(folder, 1, "app:service") as workers:
        workers.hear("service started", "ready>")
        workers.process.send_signal(signal.SIGTERM)
        workers.hear("service stopped")
        assert workers.ended() == 0
    with supervisor(folder, 1, "app:coroutine") as workers:
        workers.hear("coroutine done", "ready>")
        workers.process.send_signal(signal.SIGTERM)
        assert workers.ended() == 0


def test_nothingIsInheritedAndNothingLeaks(folder: Path) -> None:
    (folder / "look.py").write_text(
        """
import os
def main(reactor, number):
    links = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
    names = [os.readlink(link) for link in links if os.path.lexists(link)]
    sockets, kept = sum(name.startswith("socket:") for name in names), any("kept" in name for name in names)
    os.write(1, f"{sockets} socket, kept: {kept}\\n".encode())
"""
    )
    (folder / "program.py").write_text(
        """
import os
from reactor import reactor
from reactor.workers import Workers

def descriptors():
    return sorted(os.listdir("/proc/self/fd"))

kept = open("kept", "w")
os.set_inheritable(kept.fileno(), True)
before = descriptors()
workers = Workers(2, "look:main")

def stop(_):
    assert len(descriptors()) == len(before) + 4, descriptors()
    workers.stopService().addCallback(ended)

def ended(killed):
    print("killed", killed, descriptors() == before, workers.processes, reactor.getDelayedCalls(), flush=True)
    reactor.stop()

workers.startService().addCallback(stop)
reactor.run()
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("no child is left", flush=True)
"""
    )
    done = subprocess.run(
        [sys.executable, "program.py"],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=SECONDS,
        env={**os.environ, "PYTHONPATH": str(FOLDER)},
    )
    lines = done.stdout.splitlines()
    # The supervisor's line, and nothing else.
    assert lines.count("1 socket, kept: False") == 2, done
    assert lines[-2:] == ["killed 0 True [] []", "no child is left"], done


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "required"),
        (["no", "app:main"], "COUNT"),
        (["0", "app:main"], "count must be from 1"),
        (["1", "app"], "must be module:function"),
        (["1", "app:main", "--drain", "-1"], "drain must not be negative"),
        (["1", "app:main", "--drain", "x"], "--drain"),
    ],
)
def test_aCommandLineThatCannotBeUnderstood(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["workers", *arguments])
    assert said in capsys.readouterr().err + str(ended.value)


@pytest.mark.parametrize(
    ("count", "function", "drain", "error"),
    [
        (0, "a:b", 1, ValueError),
        (True, "a:b", 1, TypeError),
        ("2", "a:b", 1, TypeError),
        (5000, "a:b", 1, ValueError),
        (1, "a:", 1, ValueError),
        (1, ":b", 1, ValueError),
        (1, "a:b", -1, ValueError),
    ],
)
def test_argumentsThatAreNone(count: Any, function: str, drain: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="Workers"):
        Workers(count, function, drain=drain)


def test_onePerProcessor() -> None:
    assert _count("auto") == len(os.sched_getaffinity(0))
