"""A small site: a greeting with a parameter, an upload that is read as it comes, events, and a folder of files.

    python webserver.py [description of the endpoint [folder]]

The description is as for ``serverFromString``; without one it listens on this machine only, on a port that the system
chooses. It prints the address. With ``--ask`` in place of a description it asks itself for everything and ends.
Needs httptools: ``pip install 'reactor-loop[http]'``.

    curl localhost:8000/hello/you
    curl -T some.iso localhost:8000/upload/some.iso
    curl -N localhost:8000/events
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from protocols import http
from reactor import reactor
from reactor.endpoints import serverFromString
from reactor.service import StreamServerEndpointService, run
from reactor.task import deferLater

app = http.Router()


@app.get("/")
def root(request: http.Request) -> http.Response:
    page = "<!DOCTYPE html><title>Hello</title><p><a href=/hello/you>Hello</a>, <a href=/files/>files</a>"
    return http.Response(page, contentType="text/html; charset=utf-8")


@app.get("/hello/{name}")
async def hello(request: http.Request, name: str) -> http.Response:
    times = int(request.query.get("times", "1")) if request.query.get("times", "1").isdigit() else 1
    return http.Response(f"Hello, {name}\n" * min(times, 100))


@app.put("/upload/{name}")
async def upload(request: http.Request, name: str) -> http.Response:
    """Tells the hash of what is sent, however much that is, and keeps none of it."""
    request.maxBody = None
    digest, count = sha256(), 0
    async for piece in request:
        digest.update(piece)
        count += len(piece)
    return http.Response(json={"name": name, "bytes": count, "sha256": digest.hexdigest()}, status=201)


@app.get("/events")
def events(request: http.Request) -> http.Response:
    """Five events, one each tenth of a second; a client that goes ends it."""

    async def each() -> AsyncIterator[str]:
        for n in range(5):
            yield f"data: {n}\n\n"
            await deferLater(reactor, 0.1, lambda: None)

    return http.Response(each(), contentType="text/event-stream")


async def ask(base: str) -> None:
    """What its own client says to it."""
    for method, path, body in (
        ("GET", "/hello/you?times=2", b""),
        ("PUT", "/upload/x", b"x" * 100_000),
        ("GET", "/events", b""),
        ("GET", "/files/webserver.py", b""),
        ("GET", "/nothing", b""),
        ("POST", "/hello/you", b""),
    ):
        response = await http.request(method, base + path, body=body)
        text = await response.text()
        print(response.status, path, repr(text if len(text) < 200 else text[:20] + "..."), flush=True)
    await http.defaultClient().close()


def main(description: str = "tcp:0:interface=127.0.0.1", folder: str = str(Path(__file__).parent)) -> None:
    asks = description == "--ask"
    app.mount("/files", http.files(folder, listing=True))
    endpoint = serverFromString(reactor, "tcp:0:interface=127.0.0.1" if asks else description)
    site = http.Site(http.log(http.gzip(app)))
    listening = StreamServerEndpointService(endpoint, site, raiseSynchronously=True)

    async def started() -> None:
        port: Any = await listening.whenListening()
        host = port.getHost()
        base = f"http://127.0.0.1:{host.port}" if hasattr(host, "port") else str(host)
        print("serving", base, flush=True)
        if asks:
            await ask(base)
            reactor.stop()

    from reactor.defer import ensureDeferred

    reactor.callWhenRunning(lambda: ensureDeferred(started()))
    run(listening, drain=10)


if __name__ == "__main__":
    main(*sys.argv[1:])
