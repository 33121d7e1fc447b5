"""Each example does what its first paragraph says, as a process of its own, started from another folder."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from patience import PATIENCE

import reactor

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


class Running:
    """A process that runs an example: `line()` waits for what it prints next, `ended()` for the rest and a good end."""

    def __init__(self, folder: Path, name: str, arguments: tuple[object, ...]) -> None:
        environment = {**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1]), "PYTHONWARNINGS": "error"}
        self.process = subprocess.Popen(
            [sys.executable, "-X", "dev", str(EXAMPLES / name), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env=environment,
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def type(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def ended(self, status: int = 0) -> list[str]:
        printed, _ = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == status, printed
        assert "Traceback" not in printed
        return printed.splitlines()

    def interrupted(self) -> list[str]:
        self.process.send_signal(signal.SIGINT)
        return self.ended()


Run = Callable[..., Running]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """run(name, *arguments) starts an example; what still runs when the test ends is killed."""
    started: list[Running] = []

    def start(name: str, *arguments: object) -> Running:
        started.append(Running(tmp_path, name, arguments))
        return started[-1]

    yield start
    for running in started:
        with running.process:
            running.process.kill()


def portOf(server: Running) -> int:
    announced = re.fullmatch(r"listening on port (\d+)", server.line())
    assert announced
    return int(announced[1])


@pytest.fixture
def closedPort() -> Iterator[int]:
    """A port that is taken, so that nobody else can listen there, and where nobody does."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_greeterAgainstItsOwnServer(run: Run) -> None:
    lines = run("greeter.py").ended()
    assert lines[0].startswith("connected to IPv4Address(")
    assert lines[1:] == [
        "sent: Hello",
        "received: MESSAGE Hello",
        "sent: This is sent in a second",
        "received: MESSAGE This is sent in a second",
        "connection lost: Connection closed cleanly",
    ]


def test_greeterWithoutServer(run: Run, closedPort: int) -> None:
    (line,) = run("greeter.py", "127.0.0.1", closedPort).ended(status=1)
    assert line.startswith("could not connect: ")
    assert "refused" in line


def test_echo(run: Run) -> None:
    server = run("echoserver.py")
    client = run("echoclient.py", "127.0.0.1", portOf(server), "one", "two")
    lines = client.ended()
    assert lines[0].startswith("connecting to IPv4Address(")
    assert lines[1:] == ["connected", "echo: one", "echo: two", "connection lost: Connection closed cleanly"]
    assert server.line().startswith("connected: IPv4Address(")
    assert server.line().startswith("gone: IPv4Address(")
    assert server.interrupted() == ["stopped"]


def test_echoClientWithoutServer(run: Run, closedPort: int) -> None:
    lines = run("echoclient.py", "127.0.0.1", closedPort).ended(status=1)
    assert lines[-1].startswith("connection failed: ")


def test_chat(run: Run) -> None:
    server = run("chatserver.py")
    port = portOf(server)
    alice, bob = run("chatclient.py", "127.0.0.1", port), run("chatclient.py", "127.0.0.1", port)
    for client in alice, bob:
        assert client.line().startswith("connected to IPv4Address(")
        assert client.line() == "What is your name?"

    alice.type("alice\n")
    assert alice.line() == "Welcome, alice. Here: nobody."
    bob.type("alice\nbob\n")
    assert bob.line() == "Another name, please: letters and digits that nobody here has."
    assert bob.line() == "Welcome, bob. Here: alice."
    assert alice.line() == "* bob has come"
    alice.type("Hi, ")
    alice.type("bob!\n")
    assert bob.line() == "<alice> Hi, bob!"

    assert bob.ended() == ["connection lost: Connection closed cleanly"]  # its input has ended
    assert alice.line() == "* bob has left"
    assert server.interrupted() == [
        "* alice has come",
        "* bob has come",
        "<alice> Hi, bob!",
        "* bob has left",
        "* alice has left",
        "stopped",
    ]
    assert len(alice.ended()) == 1


def test_chatClientWithoutServer(run: Run, closedPort: int) -> None:
    (line,) = run("chatclient.py", "127.0.0.1", closedPort).ended()
    assert line.startswith("connection failed: ")


def test_timers(run: Run) -> None:
    lines = run("timers.py").ended()
    assert [line.partition(" s: ")[2] or line for line in lines] == [
        "running",
        "tick 1",
        "tick 2",
        "tick 3",
        "moved from a minute to 0.4 seconds",
        "cancelled.active()=False, moved.active()=False",
        "timers left: 0",
    ]


def test_reconnectByHand(run: Run) -> None:
    lines = run("reconnect_by_hand.py").ended()
    assert lines[0].startswith("failed: ")
    assert lines[1] == "next attempt in 0.1 s"
    assert lines[2:] == ["received: Good day, and good-bye!", "lost: Connection closed cleanly"] * 3


def test_asyncClient(run: Run) -> None:
    server = run("echoserver.py")
    client = run("async_client.py", "127.0.0.1", portOf(server))
    expected = [
        "answer: Who are you?",
        "answer: Where do you come from?",
        "answer: Where are you going?",
        "connection lost: Connection closed cleanly",
    ]
    assert client.ended() == expected
    assert run("async_client.py").ended() == expected


def test_asyncClientWithoutServer(run: Run, closedPort: int) -> None:
    (line,) = run("async_client.py", "127.0.0.1", closedPort).ended()
    assert line.startswith("could not connect: ")


def test_everyExampleIsTested() -> None:
    here = "".join(path.read_text() for path in Path(__file__).parent.glob("test_examples*.py"))
    assert [path.name for path in EXAMPLES.glob("*.py") if f'"{path.name}"' not in here] == []
