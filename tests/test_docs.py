"""The code in the documentation and in the README is right: every block compiles, those that are programs run.

A program runs as a process of its own. In a page of ``doc/`` its block has a ``:name:``, in the README a comment above:

- ``run-X`` (``<!-- run -->``) ends by itself. Where it connects to port 1234 there is an echo server; if there is a
  block ``output-X``, that is what it prints.
- ``serve-X`` (``<!-- serve -->``) listens on port 1234 (the test lets the system choose), prints the port, and serves
  until it is interrupted: it answers a line with something that has the line in it, and ends well on Ctrl-C.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import socketserver
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from patience import PATIENCE

import reactor

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "doc").rglob("*.rst"))]

RST_BLOCK = re.compile(
    r"^(?P<indent> *)\.\. code-block:: (?P<language>\w+)\n(?P<options>(?:(?P=indent) +:\w+:.*\n)*)\n"
    r"(?P<body>(?:(?:(?P=indent) +.*)?\n)+)",
    re.MULTILINE,
)
MARKDOWN_BLOCK = re.compile(
    r"(?:<!-- (?P<mark>\w+) -->\n)?^```(?P<language>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)


class Block(NamedTuple):
    """A piece of code in a page: where it stands, what language, and the name that says what to do with it."""

    where: str
    language: str
    name: str
    body: str


def blocksOf(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for found in (MARKDOWN_BLOCK if page.suffix == ".md" else RST_BLOCK).finditer(text):
        where = f"{page.relative_to(ROOT)}:{text.count(chr(10), 0, found.start()) + 1}"
        if page.suffix == ".md":
            name = f"{found['mark']}-readme" if found["mark"] else ""
        else:
            named = re.search(r":name: (\S+)", found["options"])
            name = named[1] if named else ""
        yield Block(where, found["language"], name, textwrap.dedent(found["body"]).strip("\n") + "\n")


BLOCKS = [block for page in PAGES for block in blocksOf(page)]
PYTHON = [block for block in BLOCKS if block.language == "python"]
PROGRAMS = [block for block in PYTHON if block.name.startswith("run-")]
SERVERS = [block for block in PYTHON if block.name.startswith("serve-")]
OUTPUTS = {block.name.removeprefix("output-"): block.body for block in BLOCKS if block.name.startswith("output-")}


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(65536):
            self.request.sendall(data)


@pytest.fixture(scope="module")
def echoPort() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def each(blocks: list[Block]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("block", [pytest.param(block, id=block.where) for block in blocks])


@contextmanager
def running(source: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A Python process that runs `source` in `folder`; ended with the block, if it has not ended by then."""
    program = folder / "program.py"
    program.write_text(source)
    environment = {**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1]), "PYTHONWARNINGS": "error"}
    with subprocess.Popen(
        [sys.executable, "-X", "dev", str(program)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env=environment,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def outputOf(process: subprocess.Popen[str]) -> str:
    """What a process that ends well has printed."""
    printed, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, printed
    assert "Traceback" not in printed
    return printed


@each(PYTHON)
def test_blockCompiles(block: Block) -> None:
    try:
        compile(block.body, block.where, "exec")
    except SyntaxError:
        # A piece out of a function, with its return or await.
        compile("async def piece():\n" + textwrap.indent(block.body, "    "), block.where, "exec")


@each(PROGRAMS)
def test_programRuns(block: Block, echoPort: int, tmp_path: Path) -> None:
    with running(re.sub(r"\b1234\b", str(echoPort), block.body), tmp_path) as process:
        printed = outputOf(process)
    assert printed == OUTPUTS.get(block.name.removeprefix("run-"), printed)


@each(SERVERS)
def test_serverServes(block: Block, tmp_path: Path) -> None:
    with running(block.body.replace("listenTCP(1234,", "listenTCP(0,"), tmp_path) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().split()[-1])
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
            client.sendall(b"hello\n")
            assert b"hello" in client.recv(1000).lower()
        process.send_signal(signal.SIGINT)
        assert outputOf(process) == ""


def test_everyOutputBelongsToAProgram() -> None:
    assert set(OUTPUTS) <= {block.name.removeprefix("run-") for block in PROGRAMS}


def test_everyPageWithAProgramIsSeen() -> None:
    """As many blocks as the pages have directives: the pattern that finds them misses none."""
    for page in PAGES:
        directives = page.read_text().count("```python" if page.suffix == ".md" else ".. code-block:: python")
        assert len([block for block in PYTHON if block.where.startswith(f"{page.relative_to(ROOT)}:")]) == directives
