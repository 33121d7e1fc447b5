"""The examples that take descriptions of endpoints: "echo_anywhere.py" and "ask_anywhere.py"."""

from __future__ import annotations

import pytest
from test_examples import Run, closedPort, run

__all__ = ["closedPort", "run"]


@pytest.mark.parametrize("server", ["tcp:0:interface=127.0.0.1", r"tcp6:0:interface=\:\:1", None])
def test_aLineThereAndBack(run: Run, server: str | None) -> None:
    echo = run("echo_anywhere.py", *([] if server is None else [server]))
    announced = echo.line()
    assert announced.startswith("listening on IPv")
    port = announced.partition("port=")[2].partition(",")[0].rstrip(")")
    host = r"\:\:1" if "IPv6" in announced else "localhost"
    lines = run("ask_anywhere.py", f"tcp:{host}:{port}", "Who is there?").ended()
    assert lines[0].startswith("connected to IPv")
    assert lines[1:] == ["answer: Who is there?"]
    assert echo.interrupted() == []


def test_nobodyListens(run: Run, closedPort: int) -> None:
    (line,) = run("ask_anywhere.py", f"tcp:127.0.0.1:{closedPort}").ended()
    assert line.startswith("failed: Connection refused")


def test_aDescriptionThatIsWrong(run: Run) -> None:
    lines = run("ask_anywhere.py", "tcp:localhost:http").ended()
    assert lines[0].startswith("failed: endpoint description: expected port to be a number")
    assert lines[1:] == ["  tcp:localhost:http", "                ^"]
    assert run("echo_anywhere.py", "8000").ended()[1:] == ["  8000", "  ^"]
