"""socat at the other end: a program that knows nothing of us, over TCP, UNIX sockets and TLS, as client and server."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import unixnet
from net import Net, Traced
from tls import authority, connectSSL, issued, listenSSL

pytestmark = [
    pytest.mark.skipif(shutil.which("socat") is None, reason="needs the program socat"),
    pytest.mark.parametrize("net", ["default"], indirect=True),
]

DATA = os.urandom(300_000)


def echo(protocol: Traced, data: bytes) -> None:
    protocol.write(data)


def throughSocat(net: Net, address: str) -> bytes:
    """What comes back when socat sends DATA to `address` and ends its half."""
    command = ["socat", "-t10", "-b65536", "-", address]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        # Neither pipe may be waited for: the reactor has to be turned meanwhile.
        os.set_blocking(process.stdout.fileno(), False)
        os.set_blocking(process.stdin.fileno(), False)
        waiting, came = memoryview(DATA), b""

        def both() -> bool:
            nonlocal waiting, came
            if waiting:
                try:
                    waiting = waiting[os.write(process.stdin.fileno(), waiting[:65536]) :]  # type: ignore[union-attr]
                except BlockingIOError:
                    pass
            try:
                came += os.read(process.stdout.fileno(), 1 << 20)  # type: ignore[union-attr]
            except BlockingIOError:
                pass
            return len(came) == len(DATA)

        net.until(both)
        process.stdin.close()
        # It says its end to our server, and waits for the answer.
        net.until(lambda: process.poll() is not None)
    return came


def test_clientOverTCP(net: Net) -> None:
    server: Any = net.listen(data=echo)
    assert throughSocat(net, f"TCP4:127.0.0.1:{server.port}") == DATA
    net.until(lambda: server.built[0].lost)
    assert server.built[0].short == ["CM", "DR*", "CL(ConnectionDone)"]


def test_clientOverUNIX(net: Net, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    server = unixnet.listen(net, str(path), on={"data": echo})
    assert throughSocat(net, f"UNIX-CONNECT:{path}") == DATA
    net.until(lambda: server.built[0].lost)
    assert server.built[0].short == ["CM", "DR*", "CL(ConnectionDone)"]


def test_clientOverTLS(net: Net, tmp_path: Path) -> None:
    server = listenSSL(net, data=echo)
    authority().cert_pem.write_to_path(str(tmp_path / "root.pem"))
    where = f"OPENSSL:localhost:{server.port},pf=ip4,cafile={tmp_path / 'root.pem'},verify=1"
    assert throughSocat(net, where) == DATA
    net.until(lambda: server.built[0].lost)
    assert server.built[0].short[:2] == ["CM", "DR*"]


def whenItListens(process: subprocess.Popen[bytes]) -> str:
    """The last word of what socat says when it is ready, from its log."""
    assert process.stderr is not None
    for line in process.stderr:
        if b"listening on" in line:
            return line.decode().rsplit(" ", 1)[1].strip()
    raise AssertionError("socat ended without listening")


def exchange(net: Net, client: Any) -> None:
    net.until(lambda: client.built and len(client.built[0].received) == len(DATA))
    assert client.built[0].received == DATA
    client.built[0].lose()
    net.until(lambda: client.over)
    assert client.short[-3:] == ["CL(ConnectionDone)", "CCL(ConnectionDone)", "doStop"]


def test_serverOverUNIX(net: Net, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    command = ["socat", "-d", "-d", f"UNIX-LISTEN:{path}", "EXEC:cat"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        whenItListens(process)
        exchange(net, unixnet.connect(net, str(path), made=lambda p: p.write(DATA)))


def test_serverOverTLS(net: Net, tmp_path: Path) -> None:
    pem = tmp_path / "server.pem"
    issued().private_key_and_cert_chain_pem.write_to_path(str(pem))
    command = ["socat", "-d", "-d", f"OPENSSL-LISTEN:0,bind=127.0.0.1,cert={pem},verify=0", "EXEC:cat"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        port = int(whenItListens(process).rsplit(":", 1)[1])
        client = connectSSL(net, port, made=lambda p: p.write(DATA))
        exchange(net, client)
