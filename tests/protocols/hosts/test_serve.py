"""``python -m reactor serve``: what it is told, how it ends, how it is replaced, and whose applications it runs."""

from __future__ import annotations

import http.client
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import trustme
from hostedprogram import FOLDER, Program
from patience import PATIENCE

APPLICATIONS = """
import asyncio, os, time

async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                print("shut down", file=__import__("sys").stderr, flush=True)
                return
    if scope["path"] == "/slow":
        print("slow", file=__import__("sys").stderr, flush=True)
        await asyncio.sleep(0.3)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"asgi %d" % os.getpid()})

def wsgi(environ, start_response):
    start_response("200 OK", [])
    return [b"wsgi " + environ["wsgi.url_scheme"].encode()]

def handler(request):
    from protocols.http import Response
    return Response("handler")

def make():
    return wsgi

async def fails(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})

def both(*arguments):
    pass

text = "no application"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "apps.py").write_text(APPLICATIONS)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "body"), [("asgi", b"asgi"), ("wsgi", b"wsgi http"), ("handler", b"handler"), ("make()", b"wsgi http")]
)
def test_it_serves_what_it_is_given(folder: Path, name: str, body: bytes) -> None:
    with Program(folder, f"apps:{name}", "--access-log") as program:
        status, got = program.get()
        assert (status, got.startswith(body)) == (200, True)
        assert program.end() == 0
        program.says('"GET / HTTP/1.1" 200')


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["apps:missing"], 1, "'apps' has no 'missing'"),
        (["nowhere:app"], 1, "there is no module 'nowhere'"),
        (["apps"], 1, "'apps' is not module:attribute"),
        (["apps:text"], 1, "no application"),
        (["apps:both"], 1, "say --interface"),
        (["apps:fails"], 1, "cannot be started: no database"),
        (["apps:fails", "--workers", "2"], 1, "no database"),
        (["apps:missing", "--workers", "1"], 1, "'apps' has no 'missing'"),
        (["apps:wsgi", "--endpoint", "tcp:http"], 2, "--endpoint: "),
        (["apps:wsgi", "--head-timeout", "0"], 2, "headTimeout must be more than 0"),
        (["apps:wsgi", "--key", "k"], 2, "--key needs --certificate"),
        (["apps:wsgi", "--root-path", "x"], 2, "--root-path must begin"),
        (["apps:wsgi", "--workers", "0"], 2, "--workers"),
    ],
)
def test_what_cannot_be_served_is_said(folder: Path, arguments: list[str], status: int, said: str) -> None:
    if status == 1:
        arguments = [*arguments, "--endpoint", "tcp:0:interface=127.0.0.1"]
    done = subprocess.run(
        [sys.executable, "-m", "reactor", "serve", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, "PYTHONPATH": str(FOLDER)},
        check=False,
    )
    assert done.returncode == status, done.stderr
    assert said in done.stderr


def test_a_port_that_is_in_use(folder: Path) -> None:
    with Program(folder, "apps:wsgi") as first:
        endpoint = f"tcp:{first.port}:interface=127.0.0.1"
        for more in ((), ("--workers", "1")):
            with Program(folder, "apps:wsgi", *more, endpoint=endpoint) as second:
                assert second.wait() == 1
                assert any(f"--endpoint {endpoint}" in line for line in second.lines), second.lines


@pytest.mark.parametrize("workers", [(), ("--workers", "2")])
def test_what_is_in_flight_is_answered(folder: Path, workers: tuple[str, ...]) -> None:
    answers: list[tuple[int, bytes]] = []
    with Program(folder, "apps:asgi", *workers) as program:
        assert program.port
        asking = [threading.Thread(target=lambda: answers.append(program.get("/slow"))) for _ in range(4)]
        for each in asking:
            each.start()
        program.says("^slow", 4)
        assert program.end() == 0
        for each in asking:
            each.join()
        assert [status for status, _ in answers] == [200] * 4
        program.says("shut down")


def test_workers_are_replaced_and_no_request_is_lost(folder: Path) -> None:
    bodies: list[bytes] = []
    problems: list[object] = []
    over = threading.Event()
    enough = threading.Event()
    with Program(folder, "apps:asgi", "--workers", "2") as program:
        program.says("serving", 2)

        def ask() -> None:
            # With a pause in between: what the workers need to start is CPU time, too.
            while not over.wait(0.01):
                try:
                    status, body = program.get()
                    assert status == 200
                    bodies.append(body)
                except Exception as e:
                    problems.append(e)
                if len(bodies) > before + 20:
                    enough.set()

        before = sys.maxsize
        asking = [threading.Thread(target=ask) for _ in range(3)]
        for each in asking:
            each.start()
        try:
            program.send(signal.SIGHUP)
            program.says("serving", 4)
            program.says("shut down", 2)
            before = len(bodies)
            assert enough.wait(PATIENCE)
        finally:
            over.set()
            for each in asking:
                each.join()
        assert problems == []
        assert len(set(bodies)) > 2
        assert program.end() == 0


def test_a_changed_file_is_loaded_anew(folder: Path) -> None:
    with Program(folder, "apps:wsgi", "--reload") as program:
        assert program.get()[1] == b"wsgi http"
        (folder / "apps.py").write_text(APPLICATIONS.replace('b"wsgi "', 'b"anew "'))
        os.utime(folder / "apps.py", (time.time() + 5, time.time() + 5))
        program.says(r"changed: apps\.py")
        program.says("serving", 2)
        program.says("STOPPING|stopping|is closed|closed")
        end = time.monotonic() + PATIENCE
        while program.get()[1] != b"anew http":
            assert time.monotonic() < end
        assert program.end() == 0


@pytest.mark.parametrize("workers", [(), ("--workers", "1")])
def test_tls_by_files(folder: Path, workers: tuple[str, ...]) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with Program(folder, "apps:wsgi", "--certificate", "cert.pem", "--key", "key.pem", *workers) as program:
        connection = http.client.HTTPSConnection("127.0.0.1", program.port, context=context, timeout=PATIENCE)
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"wsgi https"
        connection.close()
        assert program.end() == 0


FRAMEWORKS = {
    "fastapi": """
from fastapi import FastAPI
from pydantic import BaseModel
class Item(BaseModel):
    name: str
app = FastAPI()
@app.get("/")
def root(q: str = "none"):
    return {"q": q}
""",
    "flask": """
from flask import Flask, jsonify, request
app = Flask(__name__)
@app.get("/")
def root():
    return jsonify(q=request.args.get("q", "none"))
""",
    "django": """
import django
from django.conf import settings
settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="x", ALLOWED_HOSTS=["*"])
django.setup()
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path
def root(request):
    return JsonResponse({"q": request.GET.get("q", "none")})
urlpatterns = [path("", root)]
app = get_asgi_application()
waits = get_wsgi_application()
""",
}


@pytest.mark.parametrize(
    ("framework", "name"), [("fastapi", "app"), ("flask", "app"), ("django", "app"), ("django", "waits")]
)
def test_frameworks(tmp_path: Path, framework: str, name: str) -> None:
    pytest.importorskip(framework)
    (tmp_path / "site_of_mine.py").write_text(FRAMEWORKS[framework])
    with Program(tmp_path, f"site_of_mine:{name}") as program:
        status, body = program.get("/?q=yes")
        assert (status, body.replace(b" ", b"").strip()) == (200, b'{"q":"yes"}')
        assert program.get("/missing")[0] == 404
        assert program.end() == 0
