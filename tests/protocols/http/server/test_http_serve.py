"""`python -m protocols.http serve`."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from httpserving import answersIn, get
from patience import PATIENCE

import reactor
from protocols.http.__main__ import handlerOf, main

FOLDER = str(Path(reactor.__file__).parents[1])


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = [sys.executable, "-m", "protocols.http", "serve", *arguments, "--listen", "tcp:0:interface=127.0.0.1"]
    environment = {**os.environ, "PYTHONPATH": FOLDER}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder, env=environment) as process:
        assert process.stdout is not None
        try:
            found = re.search(r"(\d+)\)?$", process.stdout.readline().rstrip("\n)'> "))
            assert found is not None
            yield process, int(found[1])
        finally:
            process.kill()


def asked(port: int, path: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(get(path, "Connection: close"))
        data = b""
        while piece := connection.recv(65536):
            data += piece
        return answersIn(data)[0].body


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "a.txt").write_text("hello")
    with serving(tmp_path, "public", "--log") as (process, port):
        assert asked(port, "/a.txt") == b"hello"
        assert b"a.txt" in asked(port, "/")
        assert process.stdout is not None
        assert '"GET /a.txt HTTP/1.1" 200 5' in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


def test_a_handler(tmp_path: Path) -> None:
    (tmp_path / "site.py").write_text("")
    (tmp_path / "mysite.py").write_text(
        "from protocols import http\nasync def app(request):\n    return http.Response('mine')\n"
    )
    with serving(tmp_path, "mysite:app", "--gzip") as (_, port):
        assert asked(port, "/") == b"mine"


@pytest.mark.parametrize("what", ["no folder", "no_such_module:app", "json:nothing", "json:__name__", "x y:z"])
def test_what_is_neither(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match=what.partition(":")[0]):
        handlerOf(what)
    with pytest.raises(SystemExit) as ended:
        main(["serve", what])
    assert ended.value.code == 2
    assert what in capsys.readouterr().err
