"""`examples/crawler.py` visits a site of the test's own, as its first paragraph says."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from patience import PATIENCE

import reactor

CRAWLER = Path(__file__).resolve().parent.parent / "examples" / "crawler.py"


class Site(http.server.BaseHTTPRequestHandler):
    """Thirty pages that point to each other, one that is not there, a redirect, and what is no page."""

    protocol_version = "HTTP/1.1"
    lock = threading.Lock()
    atWork = 0
    most = 0

    def do_GET(self) -> None:
        with self.lock:
            Site.atWork += 1
            Site.most = max(Site.most, Site.atWork)
        try:
            self.answer()
        finally:
            with self.lock:
                Site.atWork -= 1

    def answer(self) -> None:
        number = int(self.path[1:] or 0) if self.path[1:].isdigit() or self.path == "/" else -1
        kind, status, fields = "text/html; charset=utf-8", 200, []
        links = "".join(f'<a href="/{each}">x</a>' for each in range(30))
        targets = ["none", "old", "file", "mailto:x@y", "//z.invalid/"]
        more = "".join(f'<a href="{each}">x</a>' for each in targets)
        body = f"<title>Page {number}</title>{links}{more}"
        if self.path == "/none":
            status, body = 404, "<title>Nothing</title>"
        elif self.path == "/old":
            status, body, fields = 302, "", [("Location", "/1")]
        elif self.path == "/file":
            kind, body = "application/octet-stream", "<a href='/hidden'>"
        data = body.encode()
        self.send_response(status)
        for name, value in [("Content-Type", kind), ("Content-Length", str(len(data))), *fields]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    Site.most = 0
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def crawl(*arguments: object) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1]), "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, "-X", "dev", str(CRAWLER), *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_crawler(site: str) -> None:
    assert CRAWLER.name == "crawler.py"
    *lines, last = crawl(site)
    # The pages, "/" beside "/0" among them.
    expected = {f"200 {site}/{number} Page {number}" for number in range(30)} | {f"200 {site}/ Page 0"}
    expected |= {f"404 {site}/none Nothing", f"200 {site}/old Page 1", f"200 {site}/file "}
    assert set(lines) == expected and len(lines) == len(expected)
    assert last == f"{len(expected)} pages"
    assert Site.most <= 4


def test_crawlerWithALimitAndWithoutAServer(site: str) -> None:
    lines = crawl(site, 7)
    assert len(lines) == 8 and lines[-1] == "7 pages"
    with http.server.HTTPServer(("127.0.0.1", 0), Site) as closed:
        port = closed.server_address[1]
    first, last = crawl(f"http://127.0.0.1:{port}/")
    assert first.startswith(f"http://127.0.0.1:{port}/ failed: Connection refused") and last == "1 pages"
