"""The client with nginx at the other end: keep-alive, TLS, large files, gzip, ranges, uploads, and its own ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import servers
from net import pattern
from tls import issued, plainClientContext
from webbing import Web

from protocols import http
from reactor.defer import gatherResults

LARGE = 8_000_000
TEXT = b"a line of text\n" * 20_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Nginx]:
    """An nginx."""
    leaf = issued()
    folder = tmp_path_factory.mktemp("nginx")
    certificate, key = b"".join(pem.bytes() for pem in leaf.cert_chain_pems), leaf.private_key_pem.bytes()
    with servers.nginx(folder, certificate, key) as made:
        (made.files / "16k").write_bytes(pattern(16384))
        (made.files / "large").write_bytes(pattern(LARGE))
        (made.files / "text").write_bytes(TEXT)
        yield made


@pytest.fixture(params=["http", "https", "http2"])
def asked(request: pytest.FixtureRequest, server: servers.Nginx, web: Web) -> tuple[http.Client, str]:
    """A client, and where the server is."""
    secure = request.param != "http"
    context = plainClientContext() if secure else None
    if context is not None and request.param == "http2":
        context.set_alpn_protocols(["h2", "http/1.1"])
    client = web.client(tls=context, timeout=90, http2=request.param == "http2")
    return client, f"http{'s' * secure}://127.0.0.1:{server.secure if secure else server.plain}"


def test_a_connection_is_kept(web: Web, asked: tuple[http.Client, str]) -> None:
    client, base = asked
    found = [web.fetch(client, base + "/who")[1].split()[:2] for _ in range(20)]
    assert len({connection for connection, _ in found}) == 1
    assert [int(number) for _, number in found] == list(range(1, 21))


def test_many_at_once_share_a_few(web: Web, asked: tuple[http.Client, str]) -> None:
    client, base = asked

    async def one() -> tuple[bytes, bytes]:
        response = await client.get(base + "/who")
        connection = (await response.content()).split()[0]
        return connection, await (await client.get(base + "/16k")).content()

    from reactor.defer import ensureDeferred

    found: Any = web.run(gatherResults([ensureDeferred(one()) for _ in range(200)]))
    assert len({connection for connection, _ in found}) <= 10
    assert all(content == pattern(16384) for _, content in found)


def test_a_large_file_whole_and_as_a_stream(web: Web, asked: tuple[http.Client, str]) -> None:
    client, base = asked

    async def stream() -> bytes:
        response = await client.get(base + "/large")
        return b"".join([piece async for piece in response])

    assert web.run(stream()) == web.fetch(client, base + "/large")[1] == pattern(LARGE)


def test_ranges(web: Web, asked: tuple[http.Client, str]) -> None:
    client, base = asked
    response, content = web.fetch(client, base + "/large", headers={"Range": "bytes=1000-1999"})
    assert response.status == 206 and content == pattern(LARGE)[1000:2000]
    assert response.headers["content-range"] == f"bytes 1000-1999/{LARGE}"
    response, content = web.fetch(client, base + "/large", headers={"Range": f"bytes={LARGE}-"})
    assert response.status == 416


def test_gzip_in_chunks(web: Web, asked: tuple[http.Client, str]) -> None:
    client, base = asked
    response, content = web.fetch(client, base + "/packed/text")
    assert response.headers["content-encoding"] == "gzip" and content == TEXT
    packed = web.fetch(client, base + "/packed/text", decode=False)[1]
    assert len(packed) < 10_000


def test_uploads(web: Web, asked: tuple[http.Client, str], server: servers.Nginx, tmp_path: Path) -> None:
    client, base = asked
    path = tmp_path / "file"
    path.write_bytes(pattern(LARGE))
    with path.open("rb") as file:
        bodies: list[Any] = [pattern(LARGE), file, lambda: (pattern(100_000) for _ in range(20))]
        for number, body in enumerate(bodies):
            name = f"/stored/{base[:5]}{number}"
            assert web.run(client.put(base + name, body=body)).check().status in (201, 204)
            expected = pattern(LARGE) if number < 2 else pattern(100_000) * 20
            assert (server.folder / name[1:]).read_bytes() == expected
    assert client.connections == 1


def test_what_is_not_there_and_what_was_not_changed(web: Web, asked: tuple[http.Client, str]) -> None:
    client, base = asked
    response = web.run(client.get(base + "/none"))
    with pytest.raises(http.StatusError, match="404"):
        response.check()
    first = web.run(client.head(base + "/16k"))
    again = web.run(client.get(base + "/16k", headers={"If-None-Match": first.headers["etag"]}))
    assert again.status == 304 and web.run(again.content()) == b""
    assert web.run(client.request("TRACE", base + "/")).status == 405


def test_a_reload_and_an_end_are_no_errors_for_who_comes_later(web: Web, server: servers.Nginx) -> None:
    client = web.client()
    url = f"http://127.0.0.1:{server.plain}/who"
    web.fetch(client, url)
    gone = server.gone
    server.reload()
    web.net.until(lambda: server.gone > gone)
    assert web.fetch(client, url)[0].status == 200
