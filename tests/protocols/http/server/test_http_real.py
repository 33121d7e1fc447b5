"""A server on real sockets of every kind, with curl at the other end; memory; and SIGTERM under load."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from httpserving import get, hello
from net import Net
from patience import PATIENCE
from tls import authority, plainClientContext, serverOptions

import reactor as package
from protocols.haproxy import HAProxyWrappingFactory
from protocols.http import Client, Response, Router, Site, files, gzip
from protocols.http.server import Request
from protocols.http.server.channel import Channel
from reactor.interfaces import IDrainable

CURL = shutil.which("curl")
needsCurl = pytest.mark.skipif(CURL is None, reason="curl is not installed")

app = Router()


@app.get("/hello/{name}")
async def greet(request: Request, name: str) -> Response:
    return Response(f"hello {name}\n" * 200)


@app.put("/upload")
async def upload(request: Request) -> Response:
    count = 0
    request.maxBody = None
    async for piece in request:
        count += len(piece)
    return Response(json={"count": count, "scheme": request.scheme, "client": request.client})


@app.get("/stream")
def stream(request: Request) -> Response:
    return Response(f"{n}\n" for n in range(1000))


def curl(net: Net, *arguments: str) -> bytes:
    """What it prints; the reactor turns meanwhile."""
    with subprocess.Popen(
        [str(CURL), "-sS", "--max-time", "60", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        done: list[Any] = []
        thread = threading.Thread(target=lambda: done.append(process.communicate()))
        thread.start()
        try:
            net.until(lambda: bool(done))
        finally:
            process.kill()
            thread.join()
    (output, said), *_ = done
    assert process.returncode == 0, said
    return bytes(output)


@needsCurl
@pytest.mark.parametrize("kind", ["tcp4", "tcp6", "unix", "tls"])
def test_curl_reads_every_answer(net: Net, kind: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789" * 100_000)
    app2 = Router()
    app2.mount("/files", files(tmp_path))
    app2.mount("/", gzip(app))
    site = Site(app2)
    more = []
    base = "http://localhost"
    if kind == "unix":
        port: Any = net.reactor.listenUNIX(str(tmp_path / "socket"), site)
        more = ["--unix-socket", str(tmp_path / "socket")]
    elif kind == "tls":
        port = net.reactor.listenSSL(0, site, serverOptions(), interface="127.0.0.1")
        authority().cert_pem.write_to_path(str(tmp_path / "ca"))
        more = ["--cacert", str(tmp_path / "ca")]
        base = f"https://localhost:{port.getHost().port}"
    else:
        port = net.reactor.listenTCP(0, site, interface="127.0.0.1" if kind == "tcp4" else "::1")
        base = f"http://{'127.0.0.1' if kind == 'tcp4' else '[::1]'}:{port.getHost().port}"
    body = tmp_path / "body"
    body.write_bytes(b"x" * 2_000_000)
    assert curl(net, *more, f"{base}/hello/you") == b"hello you\n" * 200
    assert curl(net, *more, "--compressed", f"{base}/hello/you") == b"hello you\n" * 200
    assert curl(net, *more, f"{base}/stream") == "".join(f"{n}\n" for n in range(1000)).encode()
    assert curl(net, *more, "--http1.0", f"{base}/stream") == "".join(f"{n}\n" for n in range(1000)).encode()
    for fields in ((), ("-H", "Transfer-Encoding: chunked")):
        said = json.loads(curl(net, *more, "-T", str(body), *fields, f"{base}/upload"))
        assert said["count"] == 2_000_000
        assert said["scheme"] == ("https" if kind == "tls" else "http")
    assert len(curl(net, *more, f"{base}/files/file")) == 1_000_000
    assert curl(net, *more, "-r", "999990-", f"{base}/files/file") == b"0123456789"
    assert b"405" in curl(net, *more, "-I", "-X", "DELETE", f"{base}/stream")
    # Both on one connection.
    assert curl(net, *more, f"{base}/hello/a", f"{base}/hello/b") == (b"hello a\n" * 200 + b"hello b\n" * 200)
    port.stopListening()
    net.until(lambda: not site.channels)


@needsCurl
def test_an_upload_that_is_refused_gets_its_answer(net: Net, tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(b"x" * 3_000_000)

    async def handler(request: Request) -> Response:
        return Response(await request.read())

    site = Site(handler, maxBody=1000)
    port = net.reactor.listenTCP(0, site, interface="127.0.0.1")
    url = f"http://127.0.0.1:{port.getHost().port}/"
    for fields in (["-H", "Expect:"], ["-H", "Expect:", "-H", "Transfer-Encoding: chunked"], []):
        assert curl(net, "-o", os.devnull, "-w", "%{http_code}", *fields, "-T", str(body), url) == b"413"
    port.stopListening()
    net.until(lambda: not site.channels)


def ask(net: Net, port: int, data: bytes, count: int) -> bytes:
    """The answers on a connection of its own, when as many bytes have come."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(data)
        connection.setblocking(False)
        got = b""

        def hasCome() -> bool:
            nonlocal got
            try:
                got += connection.recv(65536)
            except BlockingIOError:
                pass
            return len(got) >= count

        net.until(hasCome)
        return got


@pytest.mark.parametrize("kind", ["tcp", "tls"])
def test_a_client_that_goes_in_the_middle_of_a_file_is_no_fault_of_the_handlers(
    net: Net, kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(5_000_000))
    told: list[Any] = []

    def handler(request: Request) -> Response:
        request.whenOver(lambda request, status, count, failure: told.append((status, failure is not None)))
        return Response(file=path)

    site = Site(handler)
    if kind == "tls":
        port = net.reactor.listenSSL(0, site, serverOptions(), interface="127.0.0.1")
    else:
        port = net.reactor.listenTCP(0, site, interface="127.0.0.1")
    client = Client(reactor=net.reactor, tls=plainClientContext())
    scheme = "https" if kind == "tls" else "http"
    come: list[Any] = []
    client.get(f"{scheme}://localhost:{port.getHost().port}/").addCallback(come.append)
    net.until(lambda: bool(come) and bool(site.channels))
    come[0].abort()
    net.until(lambda: not site.channels)
    assert told == [(200, True)]
    assert not caplog.records
    client.close()
    port.stopListening()


def test_behind_a_proxy_the_client_is_whom_its_header_names(net: Net) -> None:
    site = Site(lambda request: Response(f"{request.client} {request.peer.port}"))
    factory = HAProxyWrappingFactory(site, trusted=["127.0.0.1"])
    port = net.reactor.listenTCP(0, factory, interface="127.0.0.1")
    data = b"PROXY TCP4 198.51.100.7 192.0.2.1 4711 80\r\n" + get("/", "Connection: close")
    assert ask(net, port.getHost().port, data, 100).endswith(b"198.51.100.7 4711")
    port.stopListening()
    net.until(lambda: not site.channels)


def test_drained_by_its_port(net: Net) -> None:
    site = Site(hello)
    assert IDrainable.implementedBy(Channel)
    port = net.reactor.listenTCP(0, site, interface="127.0.0.1")
    with socket.create_connection(("127.0.0.1", port.getHost().port)) as idle:
        net.until(lambda: bool(site.channels))
        drained = port.drain(5)
        net.until(lambda: drained.called)
        idle.settimeout(PATIENCE)
        assert idle.recv(1) == b""


def test_an_idle_connection_takes_little_memory() -> None:
    class Transport:
        disconnecting = False
        buffered = 0

        def write(self, data: bytes) -> None:
            pass

        def getPeer(self) -> Any:
            return None

    class Clock:
        def seconds(self) -> float:
            return 0.0

        def callLater(self, delay: float, f: Any) -> Any:
            # What a timer of the reactor's takes is told in the architecture: 297 bytes.
            return None

    site = Site(hello, clock=Clock())
    transport: Any = Transport()

    def connected() -> Channel:
        channel = site.buildProtocol(None)
        assert channel is not None
        channel.makeConnection(transport)
        channel.dataReceived(get())
        return channel

    kept = [connected() for _ in range(100)]
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        kept += [connected() for _ in range(500)]
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / 500 + 297 <= 3072


SERVICE = """
import sys
from reactor import reactor
from reactor.endpoints import serverFromString
from reactor.service import StreamServerEndpointService, run
from reactor.task import deferLater
from protocols.http import Response, Site

async def handler(request):
    await deferLater(reactor, 0.01, lambda: None)
    return Response(request.target)

endpoint = serverFromString(reactor, "tcp:0:interface=127.0.0.1")
listening = StreamServerEndpointService(endpoint, Site(handler), raiseSynchronously=True)
def tell(port):
    print(port.getHost().port, flush=True)

reactor.callWhenRunning(lambda: listening.whenListening().addCallback(tell))
run(listening, drain=20)
"""


def test_S_httpStop_SIGTERM_under_load_loses_no_request_that_was_being_answered() -> None:
    """Every client whose request was read is answered, or finds the connection closed before it said a byte of it."""
    folder = str(Path(package.__file__).parents[1])
    source = SERVICE
    with subprocess.Popen(
        [sys.executable, "-c", source], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": folder}
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        answered, said, cut = [0], [0], []
        enough = threading.Event()

        def client(number: int) -> None:
            try:
                connection = socket.create_connection(("127.0.0.1", port), PATIENCE)
            except OSError:
                return
            with connection, connection.makefile("rb") as file:
                for n in range(100000):
                    try:
                        connection.sendall(get(f"/{number}/{n}"))
                        line = file.readline()
                    except OSError:
                        line = b""
                    if not line:
                        # Refused: not a byte of an answer came.
                        return
                    closes = False
                    while (field := file.readline()) not in (b"\r\n", b""):
                        closes = closes or field.lower() == b"connection: close\r\n"
                    wanted = f"/{number}/{n}".encode()
                    if file.read(len(wanted)) != wanted:
                        cut.append((number, n))
                        return
                    answered[0] += 1
                    if answered[0] > 100:
                        enough.set()
                    if closes:
                        said[0] += 1
                        if file.read(1):
                            cut.append((number, "behind close"))
                        return

        threads = [threading.Thread(target=client, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        assert enough.wait(PATIENCE)
        process.send_signal(signal.SIGTERM)
        for thread in threads:
            thread.join(PATIENCE)
        assert process.wait(PATIENCE) == 0
    assert cut == []
    # Who had been answered, and had not asked again, finds the connection closed.
    assert said[0] >= 1
