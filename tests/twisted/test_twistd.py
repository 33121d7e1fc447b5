"""`twistd` on our reactor: in the foreground, and as the daemon that has forked after the reactor was made."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import servers
from patience import PATIENCE
from unchanged import INSTALLING, commandOf, environment

pytest.importorskip("twisted")

TWISTD = Path(sys.executable).with_name("twistd")
needsTwistd = pytest.mark.skipif(not TWISTD.exists(), reason="no twistd beside this Python")
pytestmark = needsTwistd

APPLICATION = """
from twisted.application import service
from twisted.application.internet import StreamServerEndpointService
from twisted.internet import defer, endpoints, protocol, reactor, task, threads, utils
from twisted.protocols.basic import LineOnlyReceiver


class Server(LineOnlyReceiver):
    def lineReceived(self, line):
        defer.maybeDeferred(getattr(self, line.decode())).addCallback(lambda answer: self.sendLine(answer.encode()))

    def reactor(self):
        return type(reactor).__name__

    def later(self):
        return task.deferLater(reactor, 0.01, lambda: "later")

    def thread(self):
        return threads.deferToThread(lambda: "from a thread")

    def process(self):
        return utils.getProcessOutput("/bin/echo", ["-n", "from a process"]).addCallback(bytes.decode)


factory = protocol.Factory.forProtocol(Server)
application = service.Application("answers")
server = endpoints.serverFromString(reactor, "tcp:0:interface=127.0.0.1")
StreamServerEndpointService(server, factory).setServiceParent(application)
"""
ANSWERS = {
    "reactor": "TwistedReactor",
    "later": "later",
    "thread": "from a thread",
    "process": "from a process",
}


@pytest.fixture
def tac(tmp_path: Path) -> Path:
    path = tmp_path / "answers.tac"
    path.write_text(APPLICATION)
    return path


def twistd(folder: Path, *options: object) -> list[str]:
    return commandOf(INSTALLING, TWISTD, "--rundir", folder, *options)


def portIn(said: str) -> int:
    """The number of the port that a server has begun on, as the log tells it."""
    found = re.search(r"starting on (\d+)", said)
    assert found, said
    return int(found[1])


def asked(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection, connection.makefile("rw") as file:
        for question, answer in ANSWERS.items():
            file.write(f"{question}\r\n")
            file.flush()
            assert file.readline() == f"{answer}\n"


def test_inTheForeground(tac: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    pidFile = tmp_path / "pid"
    command = twistd(tmp_path, "-n", "--pidfile", pidFile, "-y", tac)
    with servers.serving(command, "starting on") as said:
        asked(portIn("\n".join(said)))
        assert int(pidFile.read_text()) > 0
    log = "\n".join(said)
    assert "reactor class: reactor.twisted.TwistedReactor" in log
    assert "Received SIGTERM, shutting down." in log
    assert "Server Shut Down." in log
    assert "Traceback" not in log
    assert not pidFile.exists()


@contextmanager
def daemon(pid: int) -> Iterator[int]:
    """A descriptor that is readable when process `pid`, nobody's child, has ended; when the block is left it has."""
    watched = os.pidfd_open(pid)
    try:
        yield watched
    finally:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(watched, signal.SIGKILL)
        os.close(watched)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="no pidfd_open here")
def test_asADaemon(tac: Path, tmp_path: Path) -> None:
    pidFile, log = tmp_path / "pid", tmp_path / "log"
    command = twistd(tmp_path, "--pidfile", pidFile, "--logfile", log, "-y", tac)
    # It returns when the daemon is up.
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=PATIENCE, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with daemon(int(pidFile.read_text())) as watched:
        asked(portIn(log.read_text()))
        signal.pidfd_send_signal(watched, signal.SIGTERM)
        assert select.select([watched], [], [], PATIENCE)[0]
    said = log.read_text()
    assert "reactor class: reactor.twisted.TwistedReactor" in said
    assert "Server Shut Down." in said
    assert "Traceback" not in said
    assert not pidFile.exists()


def test_web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    curl = servers.found("curl")
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    (tmp_path / "page.html").write_text("<p>a page</p>\n")
    command = twistd(tmp_path, "-n", "--pidfile=", "web", "--listen", "tcp:0:interface=127.0.0.1", "--path", tmp_path)
    with servers.serving(command, "starting on") as said:
        url = f"http://127.0.0.1:{portIn(chr(10).join(said))}"
        done = subprocess.run(
            [curl, "-q", "-sS", "-i", "--noproxy", "*", f"{url}/page.html"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
    assert done.stdout.startswith("HTTP/1.1 200 OK") and done.stdout.endswith("<p>a page</p>\n")
    log = "\n".join(said)
    assert '"GET /page.html HTTP/1.1" 200 14' in log
    assert "Server Shut Down." in log
    assert "Traceback" not in log
