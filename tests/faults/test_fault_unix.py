"""Rows X3 to X8 over every selector, with their whole traces."""

from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path

import pytest
from net import Net, pattern
from unixnet import Taking, connect, listen, pair, staleSocket

from reactor.error import CannotListenError

TRYING = ["doStart", "startedConnecting"]


def test_X3_X7_everySelector(net: Net, tmp_path: Path) -> None:
    path = tmp_path / "s"
    server = listen(net, path, wantPID=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(CannotListenError, match="Cannot acquire"):
        listen(net, path, wantPID=True)
    client = connect(net, path, checkPID=True)
    net.until(lambda: server.built and "CM" in client.events)
    assert net.result(server.listening.stopListening()) is None
    assert os.listdir(tmp_path) == []
    # Who is connected stays so.
    client.built[0].write(b"x")
    net.until(lambda: server.built[0].received == b"x")
    client.built[0].lose()
    net.until(lambda: client.over and server.built[0].lost)
    assert client.events == [*TRYING, "buildProtocol", "CM", "CL(ConnectionDone)", "CCL(ConnectionDone)", "doStop"]
    assert server.events == ["startFactory", "buildProtocol", "stopFactory"]


def test_X4_everySelector(net: Net, tmp_path: Path) -> None:
    staleSocket(tmp_path / "stale")
    (tmp_path / "file").write_text("")
    for name, error, code in (
        ("none", "ConnectError", errno.ENOENT),
        ("stale", "ConnectionRefusedError", errno.ECONNREFUSED),
        ("file", "ConnectionRefusedError", errno.ECONNREFUSED),
    ):
        client = connect(net, tmp_path / name)
        assert client.events == TRYING
        net.until(lambda client=client: client.over)
        assert client.events == [*TRYING, f"CCF({error})", "doStop"]
        assert client.reasons[0].value.osError == code


def test_X5_everySelector(net: Net, tmp_path: Path) -> None:
    listening = net.keep(socket.socket(socket.AF_UNIX))
    listening.bind(str(tmp_path / "s"))
    listening.listen(0)
    net.keep(socket.socket(socket.AF_UNIX)).connect(str(tmp_path / "s"))
    before, turns = net.reactor.seconds(), net.turns
    client = connect(net, tmp_path / "s", timeout=30)
    net.until(lambda: client.over)
    assert net.reactor.seconds() - before < 5 and net.turns - turns < 50
    assert client.events == [*TRYING, "CCF(ConnectError)", "doStop"]
    assert client.reasons[0].value.osError == errno.EAGAIN


def test_X8_everySelector(net: Net, tmp_path: Path) -> None:
    """Ahead of its byte, behind much data; and to a receiver that wants none."""
    data = pattern(1_000_000)
    client, server = pair(net, tmp_path / "wants", serverBuild=Taking)
    reading, writing = os.pipe()
    client.write(data)
    client.ask("sendFileDescriptor", writing)
    client.write(b"x")
    net.until(lambda: len(server.received) > len(data))
    assert server.received == data + b"x"
    assert server.short == ["CM", "DR*", "FD", "DR*"]
    client, other = pair(net, tmp_path / "wants none")
    client.ask("sendFileDescriptor", writing)
    client.write(b"data")
    net.until(lambda: other.received == b"data")
    assert other.events == ["CM", "DR(4)"]
    # No copy but the first receiver's is left.
    (taken,) = server.taken  # type: ignore[attr-defined]
    os.close(writing)
    os.write(taken, b"only")
    os.close(taken)
    assert os.read(reading, 99) == b"only" and os.read(reading, 99) == b""
    os.close(reading)
