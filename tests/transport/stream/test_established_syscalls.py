"""Rows E4 to E8: system calls that fail, or do less than they were asked for, as strace lets them.

The client is a process of its own under strace; its peer is a plain socket here.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE
from strace import whyNot

ROOT = Path(__file__).parents[3]
DEADLINE = PATIENCE

CLIENT = """
import json, logging, selectors, sys
from reactor.base import Reactor
from reactor.protocol import ClientFactory, Protocol

logging.basicConfig(level=logging.DEBUG)
count = int(sys.argv[2])
reactor = Reactor(None if sys.argv[4] == "default" else getattr(selectors, sys.argv[4])())
trace, reason, received = [], None, bytearray()

class Client(Protocol):
    def connectionMade(self):
        trace.append("CM")
        if sys.argv[3] != "answer":
            self.speak()
    def speak(self):
        for number in range(count // 40_000):
            self.transport.write(bytes([number % 251]) * 40_000)
        if sys.argv[3] != "keep":
            self.transport.loseConnection()
    def dataReceived(self, data):
        received.extend(data)
        if sys.argv[3] == "answer":
            self.speak()
    def connectionLost(self, reason):
        trace.append(f"CL({type(reason.value).__name__})")
        global code
        code = getattr(reason.value, "osError", None)

class Clients(ClientFactory):
    noisy = False
    protocol = Client
    def clientConnectionFailed(self, connector, reason):
        reactor.stop()
    def clientConnectionLost(self, connector, reason):
        trace.append(f"CCL({type(reason.value).__name__})")
        reactor.stop()

if sys.argv[1].isdigit():
    reactor.connectTCP("127.0.0.1", int(sys.argv[1]), Clients())
else:
    reactor.connectUNIX(sys.argv[1], Clients())
reactor.run()
print(json.dumps({"trace": trace, "errno": code, "received": received.decode()}))
"""


def written(count: int) -> bytes:
    """What the client writes."""
    return b"".join(bytes([number % 251]) * 40_000 for number in range(count // 40_000))


class Peer(threading.Thread):
    """Sends `data`, then reads to the end."""

    def __init__(self, listening: socket.socket, data: bytes, close: bool) -> None:
        super().__init__()
        self.listening = listening
        self.data = data
        self.close = close
        self.received = bytearray()
        self.problem: OSError | None = None

    def run(self) -> None:
        sock, _ = self.listening.accept()
        sock.settimeout(DEADLINE)
        with sock:
            try:
                for begin in range(0, len(self.data), 1000):
                    sock.sendall(self.data[begin : begin + 1000])
                if self.close:
                    return
                while data := sock.recv(262_144):
                    self.received += data
            except OSError as e:
                self.problem = e


def injected(
    log: Path,
    *rules: str,
    write: int = 0,
    lose: bool = True,
    data: bytes = b"",
    close: bool = False,
    unix: bool = False,
    selector: str = "default",
) -> tuple[dict[str, Any], Peer]:
    """What the client told, with `rules` injected, and its peer, which sends `data` and then closes or reads.

    The client writes so many bytes and then asks to `lose` its connection, if it wrote any; if there is `data`, when
    it has come (a byte that came behind the close would make a reset of it). strace writes to `log`.
    """
    if reason := whyNot():
        pytest.skip(reason)
    with socket.socket(socket.AF_UNIX) if unix else socket.socket() as listening:
        listening.bind(str(log.with_name("socket")) if unix else ("127.0.0.1", 0))
        listening.listen()
        listening.settimeout(DEADLINE)
        peer = Peer(listening, data, close)
        peer.start()
        where = listening.getsockname() if unix else str(listening.getsockname()[1])
        how = ["keep" if not (write and lose) else "answer" if data else "lose", selector]
        inject = [part for rule in rules for part in ("-e", f"inject={rule}")]
        calls = ",".join(rule.partition(":")[0] for rule in rules)
        strace = ["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={calls}", *inject]
        done = subprocess.run(
            [*strace, sys.executable, "-c", CLIENT, where, str(write), *how],
            capture_output=True,
            timeout=DEADLINE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
        )
        peer.join(DEADLINE)
    assert not peer.is_alive()
    # No traceback, and nothing in the log.
    assert (done.returncode, done.stderr) == (0, b""), done.stderr.decode()
    lines = [line for line in log.read_text().splitlines() if line.endswith("(INJECTED)")]
    for rule in rules:
        name = "".join(re.findall("^[/^]*([a-z]+)", rule))
        assert any(f" {name}" in line for line in lines), f"{rule}: nothing injected"
    told: dict[str, Any] = json.loads(done.stdout)
    return told, peer


@pytest.mark.parametrize(
    ("name", "number", "selector"),
    [("ETIMEDOUT", 110, "default"), ("EHOSTUNREACH", 113, "SelectSelector"), ("ENOMEM", 12, "PollSelector")],
)
def test_E4_receiveFails(tmp_path: Path, name: str, number: int, selector: str) -> None:
    told, _ = injected(tmp_path / "log", f"recvfrom:error={name}:when=1", data=b"x" * 10, selector=selector)
    assert told == {"trace": ["CM", "CL(ConnectionLost)", "CCL(ConnectionLost)"], "errno": number, "received": ""}


@pytest.mark.parametrize("name", ["EINTR", "EAGAIN"])
def test_E5_interrupted(tmp_path: Path, name: str) -> None:
    waits = "/^epoll_p*wait$:error=EINTR:when=1+2"
    told, peer = injected(tmp_path / "in", f"recvfrom:error={name}:when=1+2", waits, data=b"x" * 50_000, close=True)
    assert told == {
        "trace": ["CM", "CL(ConnectionDone)", "CCL(ConnectionDone)"],
        "errno": None,
        "received": "x" * 50_000,
    }
    told, peer = injected(tmp_path / "out", f"sendto:error={name}:when=1+2", waits, write=1_000_000)
    assert told["trace"] == ["CM", "CL(ConnectionDone)", "CCL(ConnectionDone)"]
    assert peer.received == written(1_000_000)


WAITS = {"SelectSelector": "/^(p?select6?|_newselect)$", "PollSelector": "/^p?poll$"}


@pytest.mark.parametrize("selector", WAITS)
def test_E5_interruptedInEverySelector(tmp_path: Path, selector: str) -> None:
    rules = ("recvfrom:error=EINTR:when=1+2", "sendto:error=EINTR:when=1+2", f"{WAITS[selector]}:error=EINTR:when=1+2")
    told, peer = injected(tmp_path / "log", *rules, write=1_000_000, data=b"x", selector=selector)
    assert told == {"trace": ["CM", "CL(ConnectionDone)", "CCL(ConnectionDone)"], "errno": None, "received": "x"}
    assert peer.received == written(1_000_000)


def test_E4_receiveFailsOnAUnixSocket(tmp_path: Path) -> None:
    told, _ = injected(tmp_path / "log", "recvfrom:error=ENOMEM:when=1", data=b"x" * 10, unix=True)
    assert told == {"trace": ["CM", "CL(ConnectionLost)", "CCL(ConnectionLost)"], "errno": 12, "received": ""}


def test_E7_sendFailsForGoodOnAUnixSocket(tmp_path: Path) -> None:
    told, peer = injected(tmp_path / "log", "sendto:error=EPIPE:when=2", write=2_000_000, unix=True)
    assert told == {"trace": ["CM", "CL(ConnectionLost)", "CCL(ConnectionLost)"], "errno": 32, "received": ""}
    assert written(2_000_000).startswith(peer.received)


@pytest.mark.parametrize(
    ("name", "selector", "unix"),
    [("EAGAIN", "default", False), ("ENOBUFS", "SelectSelector", False), ("ENOBUFS", "PollSelector", True)],
)
def test_E6_sendFailsForNow(tmp_path: Path, name: str, selector: str, unix: bool) -> None:
    size = 2_000_000 if unix else 10_000_000
    rule = f"sendto:error={name}:when=2..6"
    told, peer = injected(tmp_path / "log", rule, write=size, unix=unix, selector=selector)
    assert told == {"trace": ["CM", "CL(ConnectionDone)", "CCL(ConnectionDone)"], "errno": None, "received": ""}
    assert peer.received == written(size)


@pytest.mark.parametrize(("lose", "selector"), [(True, "SelectSelector"), (False, "PollSelector")])
def test_E7_sendFailsForGood(tmp_path: Path, lose: bool, selector: str) -> None:
    # The peer is there, and neither end hears anything else: it is over nevertheless.
    rule = "sendto:error=EPIPE:when=2"
    told, peer = injected(tmp_path / "log", rule, write=10_000_000, lose=lose, selector=selector)
    assert told == {"trace": ["CM", "CL(ConnectionLost)", "CCL(ConnectionLost)"], "errno": 32, "received": ""}
    assert written(10_000_000).startswith(peer.received)


def test_E7_theFirstErrorIsTold(tmp_path: Path) -> None:
    rules = ("sendto:error=EPIPE:when=1", "recvfrom:error=ENOMEM:when=1")
    told, _ = injected(tmp_path / "log", *rules, write=10_000_000, lose=False)
    assert told == {"trace": ["CM", "CL(ConnectionLost)", "CCL(ConnectionLost)"], "errno": 32, "received": ""}


def test_E8_sendTakesOneByte(tmp_path: Path) -> None:
    # strace says that one byte was sent and sends nothing: those fifty bytes are missing, and none is there twice.
    told, peer = injected(tmp_path / "log", "sendto:retval=1:when=1..50", write=1_000_000)
    assert told["trace"] == ["CM", "CL(ConnectionDone)", "CCL(ConnectionDone)"]
    assert peer.received == written(1_000_000)[50:]
