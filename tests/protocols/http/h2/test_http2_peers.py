"""Our server of HTTP/2 over TLS, and the clients that people have: curl, nghttp, h2load, httpx."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from net import Net

from protocols import http
from reactor.ssl import PrivateCertificate
from reactor.utils import getProcessOutputAndValue

BIG = bytes(range(256)) * 4000


async def handler(request: Any) -> http.Response:
    if request.path == "/echo":

        async def pieces() -> Any:
            async for piece in request:
                yield piece

        return http.Response(pieces(), headers={"X-Version": request.version})
    return http.Response(BIG if request.path == "/big" else request.version)


class Site:
    def __init__(self, net: Net, folder: Path) -> None:
        authority = trustme.CA()
        self.trusted = folder / "authority.pem"
        authority.cert_pem.write_to_path(self.trusted)
        issued = authority.issue_cert("localhost")
        pem = issued.private_key_pem.bytes() + b"".join(each.bytes() for each in issued.cert_chain_pems)
        site = http.Site(handler, http2=True)
        self.port = net.reactor.listenSSL(0, site, PrivateCertificate.loadPEM(pem).options(), interface="127.0.0.1")
        net.ports.append(self.port)
        self.url = f"https://localhost:{self.port.getHost().port}"
        self.net = net

    def run(self, program: str, *arguments: str) -> bytes:
        """What a program writes, which must end well."""
        path = shutil.which(program)
        if path is None:
            pytest.skip(f"there is no {program} here")
        running = getProcessOutputAndValue(path, arguments, reactor=self.net.reactor)
        out, errors, code = self.net.result(running)
        assert code == 0, errors
        return bytes(out)


@pytest.fixture
def site(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> Iterator[Site]:
    net = Net(None, caplog)
    yield Site(net, tmp_path)
    net.finish()


def test_curl(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.write_bytes(BIG)
    always = ("-s", "--cacert", str(site.trusted), "-m", "30")
    assert site.run("curl", *always, "--http2", site.url) == b"2"
    assert site.run("curl", *always, "--http1.1", site.url) == b"1.1"
    assert site.run("curl", *always, "--http2", site.url + "/big") == BIG
    assert site.run("curl", *always, "--http2", "--data-binary", f"@{path}", site.url + "/echo") == BIG
    assert b"x-version: 2" in site.run("curl", *always, "--http2", "-I", site.url + "/echo")
    # One connection, several requests.
    assert site.run("curl", *always, "--http2", "-Z", *[f"{site.url}/{n}" for n in range(20)]) == b"2" * 20


def test_nghttp(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.write_bytes(BIG)
    said = site.run("nghttp", "-nv", "--no-verify-peer", "-m", "20", site.url + "/big").decode()
    assert said.count(":status: 200") == 20 and "GOAWAY" not in said.split("send GOAWAY")[0]
    # With a body, padding, and trailers.
    more = ("-d", str(path), "-b", "7", "--trailer", "x-sum: 1", "--no-verify-peer")
    assert site.run("nghttp", *more, site.url + "/echo") == BIG


def test_h2load(site: Site) -> None:
    said = site.run("h2load", "-n", "500", "-c", "5", "-m", "20", site.url + "/").decode()
    assert "500 succeeded, 0 failed, 0 errored" in said


def test_httpx(site: Site) -> None:
    found: list[Any] = []

    def ask() -> None:
        import ssl

        try:
            context = ssl.create_default_context(cafile=str(site.trusted))
            with httpx.Client(http2=True, verify=context, trust_env=False, timeout=30) as client:
                for path in ("/", "/big"):
                    answer = client.get(site.url + path)
                    found.append((answer.http_version, answer.content))
                answer = client.post(site.url + "/echo", content=BIG)
                found.append((answer.http_version, answer.content))
        finally:
            site.net.reactor.callFromThread(found.append, None)

    thread = threading.Thread(target=ask)
    thread.start()
    site.net.until(lambda: None in found)
    thread.join()
    assert found == [("HTTP/2", b"2"), ("HTTP/2", BIG), ("HTTP/2", BIG), None]
