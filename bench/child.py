"""A process that the benchmark starts: on which core, what it says line by line, and that it is gone afterwards."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.machine import pinnedTo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

ROOT = Path(__file__).resolve().parent.parent


class BenchError(Exception):
    """A measurement that could not be made; the message says which process failed, and with which words."""


def python(module: str, *arguments: object) -> list[str]:
    """The command line that runs `module` with `arguments` on this interpreter."""
    return [sys.executable, "-m", module, *map(str, arguments)]


class Child:
    """A process running `command` (in the folder that holds the packages) on `core`, or on any core for None.

    A context manager: whatever happens, the process is ended and waited for.
    """

    def __init__(self, command: list[str], core: int | None) -> None:
        self._name = " ".join(command)
        self._errors = tempfile.TemporaryFile()
        self._received = b""
        self._port: int | None = None
        with pinnedTo(core):
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._errors
            )
        self.pid = self._process.pid

    def line(self, patience: float) -> str:
        """The next line of its standard output, without the end of the line.

        Raises BenchError with what it said on standard error when it ends before, or says nothing for `patience`
        seconds.
        """
        assert self._process.stdout is not None
        output = self._process.stdout.fileno()
        poll = select.poll()
        poll.register(output, select.POLLIN)
        end = time.monotonic() + patience
        while b"\n" not in self._received:
            if not poll.poll(max(0.0, end - time.monotonic()) * 1000):
                raise BenchError(f"{self._name}: no answer for {patience:g} s\n{self.complaint()}")
            piece = os.read(output, 1 << 16)
            if not piece:
                raise BenchError(f"{self._name}: ended with {self._process.wait()}\n{self.complaint()}")
            self._received += piece
        line, _, self._received = self._received.partition(b"\n")
        return line.decode()

    def figures(self, patience: float) -> dict[str, float]:
        """The next line as the JSON object that it is: figures by name."""
        figures: dict[str, float] = json.loads(self.line(patience))
        return figures

    def port(self) -> int:
        """The number of the port that a server announces with its first line, `ready PORT`."""
        if self._port is None:
            word, _, number = self.line(20.0).partition(" ")
            if word != "ready":
                raise BenchError(f"{self._name}: said {word!r} instead of being ready")
            self._port = int(number)
        return self._port

    def complaint(self) -> str:
        """The end of what it has said on standard error so far."""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")[-2000:]

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._errors.close()
