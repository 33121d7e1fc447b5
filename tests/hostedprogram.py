"""``python -m reactor serve`` as a program of its own, and what is asked of it."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from patience import PATIENCE

import reactor

FOLDER = Path(reactor.__file__).parents[1]
_ON = re.compile(r"serving .*port=(\d+)")


class Program:
    """It runs; `port` is where it listens. What it says is in `lines`."""

    def __init__(self, folder: Path, *arguments: str, endpoint: str | None = "tcp:0:interface=127.0.0.1") -> None:
        ends = () if endpoint is None else ("--endpoint", endpoint)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "reactor", "serve", *arguments, *ends],
            cwd=folder,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(FOLDER)},
        )
        self.lines: list[str] = []
        self._said = threading.Condition()
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._said:
                self.lines.append(line)
                self._said.notify_all()
        with self._said:
            self.lines.append("")
            self._said.notify_all()

    def says(self, pattern: str, count: int = 1) -> re.Match[str]:
        """Wait until `count` lines match; the last one's match."""
        found: list[Any] = []

        def look() -> bool:
            found[:] = [m for line in self.lines if (m := re.search(pattern, line))]
            return len(found) >= count or self.lines[-1:] == [""]

        with self._said:
            assert self._said.wait_for(look, PATIENCE), self.lines
        assert len(found) >= count, self.lines
        return found[count - 1]  # type: ignore[no-any-return]

    @property
    def port(self) -> int:
        return int(self.says(_ON.pattern)[1])

    def get(self, path: str = "/") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Its exit status, once it was told to stop."""
        self.send(number)
        return self.wait()

    def wait(self) -> int:
        status = self.process.wait(PATIENCE)
        self._reading.join()
        return status

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self._reading.join()
        assert self.process.stderr is not None
        self.process.stderr.close()
