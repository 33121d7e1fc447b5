"""examples/asgi_app.py, served from the checkout by its module's name."""

from __future__ import annotations

import http.client
import signal
from pathlib import Path

import pytest
from hostedprogram import Program
from patience import PATIENCE

EXAMPLE = "asgi_app.py"
# The checkout: examples are not in the wheel.
ROOT = Path(__file__).resolve().parents[1]


def test_an_application_of_starlette() -> None:
    pytest.importorskip("starlette")
    from websockets.sync.client import connect

    with Program(ROOT, f"examples.{Path(EXAMPLE).stem}:app") as program:
        assert program.get("/hello/you") == (200, b"Hello, you!\n")
        assert program.get("/count?lines=3") == (200, b"0\n1\n2\n")
        connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=PATIENCE)
        connection.request("POST", "/upload", b"x" * 300_000)
        assert connection.getresponse().read() == b'{"bytes":300000}'
        connection.close()
        with connect(f"ws://127.0.0.1:{program.port}/echo") as socket:
            socket.send("hello")
            assert socket.recv() == "hello"
            program.send(signal.SIGTERM)
            with pytest.raises(Exception, match="1012"):
                socket.recv()
        assert program.wait() == 0
