"""Socket activation: what the environment says, and a program that is really started with sockets."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PATIENCE

import reactor
from reactor.endpoints._systemd import inherited


def environment(fds: str = "2", names: str | None = None, pid: str = "7") -> dict[str, str]:
    return {"LISTEN_PID": pid, "LISTEN_FDS": fds} | ({} if names is None else {"LISTEN_FDNAMES": names})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({"LISTEN_FDS": "1"}, []),
        (environment(pid="8"), []),
        (environment("0"), []),
        (environment("2"), [(3, "unknown"), (4, "unknown")]),
        (environment("2", "http:"), [(3, "http"), (4, "")]),
    ],
)
def test_inherited(given: dict[str, str], expected: list[tuple[int, str]]) -> None:
    assert inherited(given, 7) == expected


@pytest.mark.parametrize(
    "given",
    [environment("x"), environment("-1"), environment("9" * 9), environment("2", "one"), environment(pid="me")],
)
def test_anEnvironmentThatCannotBeUnderstood(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="LISTEN_"):
        inherited(given, 7)


PROGRAM = """
import os, sys
os.environ["LISTEN_PID"] = str(os.getpid())
from reactor import reactor
from reactor.endpoints import serverFromString
from reactor.protocol import Factory, Protocol

class Once(Protocol):
    def connectionMade(self):
        self.transport.write(sys.argv[1].encode())
        self.transport.loseConnection()
    def connectionLost(self, reason):
        reactor.stop()

try:
    serverFromString(reactor, sys.argv[1]).listen(Factory.forProtocol(Once)).addErrback(lambda f: f.printTraceback())
except ValueError as e:
    sys.exit(str(e))
reactor.run()
"""


def activated(description: str, *listening: socket.socket, names: str = "") -> subprocess.Popen[str]:
    """A process whose descriptors 3, 4, ... are `listening`."""
    shell = " ".join([f"{3 + i}<&{sock.fileno()}" for i, sock in enumerate(listening)])
    return subprocess.Popen(
        ["bash", "-c", f'exec "$@" {shell}', "bash", sys.executable, "-c", PROGRAM, description],
        stderr=subprocess.PIPE,
        text=True,
        close_fds=False,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(reactor.__file__).parents[1]),
            "LISTEN_FDS": str(len(listening)),
            "LISTEN_FDNAMES": names or ":".join(["unknown"] * len(listening)),
        },
    )


@pytest.fixture
def two() -> tuple[socket.socket, socket.socket]:
    made = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))
    for sock in made:
        sock.set_inheritable(True)
    return made


@pytest.mark.parametrize("description", ["systemd:domain=INET:index=1", "systemd:INET:1", "systemd:name=b"])
def test_aServiceThatIsGivenItsSockets(description: str, two: tuple[socket.socket, socket.socket]) -> None:
    with two[0], two[1], activated(description, *two, names="a:b") as process:
        with socket.create_connection(two[1].getsockname(), timeout=PATIENCE) as client:
            assert client.makefile().read() == description
        assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    ("description", "said"),
    [
        ("systemd:INET:2", "no socket of that index was given by the service manager; expected one of: 0 'a', 1 'a'"),
        ("systemd:INET:name=b", "no socket of that name"),
        ("systemd:INET:name=a", "more than one socket of that name"),
    ],
)
def test_aSocketThatWasNotGiven(description: str, said: str, two: tuple[socket.socket, socket.socket]) -> None:
    with two[0], two[1], activated(description, *two, names="a:a") as process:
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert said in errors
    assert description in errors
