"""The examples of HTTP do what their first paragraphs say, each as a process of its own."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from patience import PATIENCE
from test_examples import Run, run

__all__ = ["run"]


def test_theWebserverAsksItself(run: Run) -> None:
    first, *rest = run("webserver.py", "--ask").ended()
    assert first.startswith("serving http://127.0.0.1:")
    assert [line.split()[:2] for line in rest] == [
        ["200", "/hello/you?times=2"],
        ["201", "/upload/x"],
        ["200", "/events"],
        ["200", "/files/webserver.py"],
        ["404", "/nothing"],
        ["405", "/hello/you"],
    ]
    assert "'Hello, you\\nHello, you\\n'" in rest[0]
    assert '"bytes":100000' in rest[1]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_theReverseProxy(run: Run) -> None:
    server = run("webserver.py")
    base = server.line().split()[1]
    proxy = run("reverse_proxy.py", base)
    port = proxy.line().split()[-1]

    def asked(*arguments: str) -> bytes:
        command = ["curl", "-sS", *arguments]
        return subprocess.run(command, capture_output=True, check=True, timeout=PATIENCE).stdout

    assert asked(f"http://127.0.0.1:{port}/hello/you") == b"Hello, you\n"
    assert asked("--compressed", f"http://127.0.0.1:{port}/hello/you?times=100") == b"Hello, you\n" * 100
    assert b'"bytes":13' in asked("-X", "PUT", "-d", "x" * 13, f"http://127.0.0.1:{port}/upload/x")
    assert asked("-N", f"http://127.0.0.1:{port}/events").count(b"data: ") == 5
    assert asked("-o", "/dev/null", "-w", "%{http_code}", f"http://127.0.0.1:{port}/nothing") == b"404"
    proxy.interrupted()
    server.interrupted()
