"""What passes is written down: everything, a line each, and nothing a terminal would obey."""

from __future__ import annotations

import io
import logging
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from protocols.policies import SpewingFactory, TrafficLoggingFactory
from reactor.error import ConnectionDone
from reactor.failure import Failure
from reactor.protocol import Factory, Protocol

EVIL = b"x\r\nroot logged in\x1b[2J\x00\xff"


class Pipe:
    disconnecting = False

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def writeSequence(self, data: Any) -> None:
        self.sent += data

    def loseConnection(self) -> None:
        self.disconnecting = True


def made(factory: Any) -> tuple[Any, Pipe]:
    wrapper, pipe = factory.buildProtocol(None), Pipe()
    wrapper.makeConnection(pipe)
    return wrapper, pipe


def test_S_logs_spewingIsEscaped(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    wrapper, pipe = made(SpewingFactory(Factory.forProtocol(Protocol)))
    wrapper.dataReceived(EVIL)
    wrapper.write(EVIL)
    wrapper.writeSequence([EVIL, b"b"])
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [f"Received: {EVIL!r}", f"Sending: {EVIL!r}", f"Sending: [{EVIL!r}, b'b']"]
    assert all(line.isprintable() for line in lines)
    assert pipe.sent == [EVIL, EVIL, b"b"]


def test_S_logs_trafficIsEscaped(tmp_path: Path) -> None:
    factory = TrafficLoggingFactory(Factory.forProtocol(Protocol), str(tmp_path / "log"))
    wrapper, pipe = made(factory)
    wrapper.dataReceived(EVIL)
    wrapper.write(EVIL)
    wrapper.writeSequence((EVIL, b"b"))
    wrapper.loseConnection()
    wrapper.connectionLost(Failure(ValueError("bad: \r\nroot\x1b\x85\u2028\udcff")))
    other, _ = made(factory)
    other.connectionLost(Failure(ConnectionDone()))
    lines = (tmp_path / "log-1").read_text().split("\n")
    assert lines[:5] == ["*", f"C 1: {EVIL!r}", f"S 1: {EVIL!r}", f"SV 1: [{EVIL!r}, b'b']", "S 1: *"]
    assert lines[5].startswith("C 1: ") and "bad" in lines[5] and lines[6:] == [""]
    assert all(line.isprintable() for line in lines)
    assert (tmp_path / "log-2").read_text().startswith("*\nC 2: ")
    assert stat.S_IMODE(os.stat(tmp_path / "log-1").st_mode) == 0o600
    assert wrapper.logfile.closed and other.logfile.closed
    assert pipe.sent == [EVIL, EVIL, b"b"]


def test_longDataIsCut() -> None:
    class Factory_(TrafficLoggingFactory):
        def open(self, name: str) -> Any:
            return io.StringIO()

    factory = Factory_(Factory.forProtocol(Protocol), "", 20)
    wrapper, pipe = made(factory)
    wrapper.dataReceived(b"a" * 20)
    wrapper.write(b"b" * 21)
    wrapper.connectionLost(Failure(ConnectionDone()))
    # What the program opened, it closes.
    lines = wrapper.logfile.getvalue().splitlines()
    assert lines[1:3] == [f"C 1: {b'a' * 20!r}", "S 1: b'bbbbbbbb<... elided>'"]
    assert pipe.sent == [b"b" * 21]
    factory.resetCounter()
    assert made(factory)[0]._number == 1


def test_whatIsNeverConnectedKeepsNoFile(tmp_path: Path) -> None:
    factory = TrafficLoggingFactory(Factory.forProtocol(Protocol), str(tmp_path / "log"))
    wrapper = factory.buildProtocol(None)
    file = wrapper.logfile
    del wrapper
    assert file.closed
