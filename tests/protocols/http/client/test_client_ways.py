"""The ways to a server: TLS, UNIX sockets, proxies of all kinds, endpoints; and where a client runs."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
import trustme
from webbing import Script, Server, Web, reply

from protocols import http
from protocols.http.client import proxies
from protocols.http.client.proxies import Proxy, fromEnvironment
from protocols.http.client.redirects import RedirectError
from protocols.http.client.urls import parse
from protocols.httpconnect import HTTPConnectError
from protocols.socks import SOCKSServerFactory
from reactor.endpoints import UNIXClientEndpoint
from reactor.error import CertificateError, NetworkError
from reactor.ssl import Certificate, PrivateCertificate, trustRootFromCertificates


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def certified(authority: trustme.CA, *names: str) -> Any:
    """The options of a server that has a certificate for these names."""
    issued = authority.issue_cert(*names)
    pem = issued.private_key_pem.bytes() + b"".join(each.bytes() for each in issued.cert_chain_pems)
    return PrivateCertificate.loadPEM(pem).options()


def trusting(authority: trustme.CA) -> Any:
    return trustRootFromCertificates([Certificate.loadPEM(authority.cert_pem.bytes())])


# ---- TLS ----


def test_a_server_is_verified_by_the_name_in_the_url(web: Web, authority: trustme.CA) -> None:
    server = web.serve(reply(), certified(authority, "localhost", "127.0.0.1"))
    client = web.client(tls=trusting(authority))
    for host in ("localhost", "127.0.0.1"):
        assert web.fetch(client, f"https://{host}:{server.port}/")[1] == b"hello"
    assert server.requests[0].get("host") == f"localhost:{server.port}"
    assert web.fetch(client, f"https://localhost:{server.port}/")[1] == b"hello" and server.made == 2


def test_nobody_is_trusted_who_is_not(web: Web, authority: trustme.CA) -> None:
    server = web.serve(reply(), certified(authority, "elsewhere.example"))
    url = f"https://localhost:{server.port}/"
    for tls in (None, trusting(authority)):
        with pytest.raises((CertificateError, NetworkError)) as raised:
            web.run(web.client(tls=tls).get(url))
        assert raised.value.phase == "handshake" and raised.value.host
    web.net.until(lambda: not server.open)
    assert server.received == b""


def test_what_ends_without_a_word_of_tls_is_cut_off(web: Web, authority: trustme.CA) -> None:
    def answer(connection: Script, request: Any) -> None:
        connection.say(b"HTTP/1.1 200 OK\r\n\r\nsome of it")
        connection.server.last = connection  # type: ignore[attr-defined]

    server = web.serve(answer, certified(authority, "localhost"))
    response = web.run(web.client(tls=trusting(authority)).get(f"https://localhost:{server.port}/"))
    server.last.transport.abortConnection()  # type: ignore[attr-defined]
    with pytest.raises(http.Incomplete):
        web.run(response.content())


def test_from_https_nobody_is_sent_to_http(web: Web, authority: trustme.CA) -> None:
    plain = web.serve(reply(b"plain"))
    moved = reply(b"", "302 Found", f"Location: {plain.url()}")
    server = web.serve(moved, certified(authority, "localhost"))
    url = f"https://localhost:{server.port}/"
    with pytest.raises(RedirectError, match="from https"):
        web.run(web.client(tls=trusting(authority)).get(url))
    client = web.client(tls=trusting(authority), allowDowngrade=True)
    assert web.fetch(client, url, headers={"Authorization": "x"})[1] == b"plain"
    assert plain.requests[0].get("authorization") is None


def test_what_is_no_context_is_refused(web: Web) -> None:
    with pytest.raises(TypeError, match="tls must be"):
        web.client(tls="yes")
    with pytest.raises(TypeError, match="endpoint must be"):
        web.client(endpoint="unix:x")


def test_what_the_programs_own_things_raise_frees_what_was_held(web: Web) -> None:
    class Context:
        def getContext(self) -> Any:
            raise RuntimeError("no context")

    class Endpoint:
        def connect(self, factory: Any) -> Any:
            raise RuntimeError("no connection")

    class Jar(http.CookieJar):
        def __init__(self, place: str) -> None:
            super().__init__()
            self.place = place

        def __len__(self) -> int:
            return 1

        def header(self, url: Any, now: float) -> str | None:
            if self.place == "header":
                raise RuntimeError("no cookies")
            return None

        def store(self, *about: Any) -> None:
            raise RuntimeError("no room")

    server = web.serve(reply(bytes(200_000), "200 OK", "Set-Cookie: a=b"))
    for options, url, why in [
        ({"tls": Context()}, "https://127.0.0.1:1/", "no context"),
        ({"endpoint": Endpoint()}, "http://127.0.0.1:1/", "no connection"),
        ({"cookies": Jar("header")}, server.url(), "no cookies"),
        ({"cookies": Jar("store")}, server.url(), "no room"),
    ]:
        client = web.client(maxConnections=1, **options)
        for _ in range(2):
            with pytest.raises(RuntimeError, match=why):
                web.run(client.get(url))
        web.net.until(lambda: client.connections == len(client.keeper.pool.idle))  # noqa: B023


# ---- Endpoints ----


def test_a_unix_socket(web: Web, tmp_path: Path) -> None:
    server = Server(reply(b"from a file"))
    web.net.ports.append(web.net.reactor.listenUNIX(str(tmp_path / "socket"), server))
    client = web.client(endpoint=UNIXClientEndpoint(web.net.reactor, str(tmp_path / "socket")))
    assert web.fetch(client, "http://docker/version")[1] == b"from a file"
    assert server.requests[0].get("host") == "docker"
    with pytest.raises(NetworkError):
        web.run(web.client(endpoint=UNIXClientEndpoint(web.net.reactor, str(tmp_path / "none"))).get("http://x/"))


# ---- Proxies ----


class Tunnel(Script):
    """An HTTP proxy that connects to wherever its test says."""

    def dataReceived(self, data: bytes) -> None:
        if getattr(self, "peer", None) is not None:
            self.peer.transport.write(data)
            return
        self.data += data
        if b"\r\n\r\n" not in self.data:
            return
        self.server.received += self.data
        from net import Traced

        from reactor.endpoints import TCP4ClientEndpoint, connectProtocol

        there: Any = Traced(data=lambda protocol, data: self.say(data))
        endpoint = TCP4ClientEndpoint(self.server.reactor, "127.0.0.1", self.server.behind)  # type: ignore[attr-defined]

        def connected(protocol: Any) -> None:
            self.peer = protocol
            self.say(b"HTTP/1.1 200 Connected\r\n\r\n")

        connectProtocol(endpoint, there).addCallback(connected)

    def connectionLost(self, reason: Any) -> None:
        if getattr(self, "peer", None) is not None:
            self.peer.transport.loseConnection()
        super().connectionLost(reason)


def test_http_through_an_http_proxy_is_asked_for_in_absolute_form(web: Web) -> None:
    proxy = web.serve(reply(b"by proxy"))
    client = web.client(proxy=f"http://me:pass@127.0.0.1:{proxy.port}")
    for host in ("a.example", "b.example:8080", "a.example"):
        assert web.fetch(client, f"http://{host}/x?y")[1] == b"by proxy"
    first = proxy.requests[0]
    assert (first.target, first.get("host")) == ("http://a.example/x?y", "a.example")
    assert first.get("proxy-authorization") == "Basic bWU6cGFzcw=="
    assert proxy.requests[1].target == "http://b.example:8080/x?y" and proxy.made == 1


def test_https_through_an_http_proxy_is_a_tunnel(web: Web, authority: trustme.CA) -> None:
    server = web.serve(reply(b"behind"), certified(authority, "a.example"))
    proxy = web.serve(reply())
    proxy.protocol = Tunnel
    proxy.reactor, proxy.behind = web.net.reactor, server.port  # type: ignore[attr-defined]
    client = web.client(proxy=f"127.0.0.1:{proxy.port}", tls=trusting(authority))
    for _ in range(2):
        assert web.fetch(client, "https://a.example/x")[1] == b"behind"
    assert proxy.received.startswith(b"CONNECT a.example:443 HTTP/1.1\r\n") and proxy.made == 1
    assert (server.requests[0].target, server.requests[0].get("host")) == ("/x", "a.example")
    assert server.requests[0].get("proxy-authorization") is None


def test_a_proxy_that_refuses(web: Web) -> None:
    proxy = web.serve(reply(b"", "407 Proxy Authentication Required"))
    with pytest.raises(HTTPConnectError, match="407"):
        web.run(web.client(proxy=f"http://127.0.0.1:{proxy.port}").get("https://a.example/"))


def test_through_socks(web: Web) -> None:
    server = web.serve(reply(b"hello"))
    factory = SOCKSServerFactory(lambda asking: True, reactor=web.net.reactor)
    port: Any = web.net.reactor.listenTCP(0, factory, interface="127.0.0.1")
    web.net.ports.append(port)
    for scheme in ("socks:", "socks5://", "socks5h://"):
        client = web.client(proxy=f"{scheme}127.0.0.1:{port.getHost().port}")
        response, content = web.fetch(client, server.url())
        assert content == b"hello" and server.requests[-1].target == "/"
        web.net.result(client.close())


def test_what_a_proxy_may_be() -> None:
    for text, kind, place in [
        ("proxy:3128", "http", ("http", "proxy", 3128)),
        ("http://proxy", "http", ("http", "proxy", 80)),
        ("https://u:p@proxy:8443/", "https", ("https", "proxy", 8443)),
        ("socks5://[::1]", "socks5", ("http", "::1", 1080)),
        ("socks:127.0.0.1:9050", "socks5", ("http", "127.0.0.1", 9050)),
        ("socks4a://x:80", "socks4", ("http", "x", 80)),
    ]:
        proxy = Proxy(text)
        assert (proxy.kind, proxy.url.origin) == (kind, place)
    assert "p@" not in repr(Proxy("https://u:p@proxy"))
    for text in ("ftp://x", "http://", "http://x/path", "x:y", "socks5://x:0"):
        with pytest.raises(ValueError, match=r"proxy|url"):
            Proxy(text)
    with pytest.raises(TypeError, match="proxy"):
        Proxy(b"x")  # type: ignore[arg-type]


def test_what_the_environment_says() -> None:
    said = {
        "http_proxy": "http://plain:1",
        "HTTPS_PROXY": "http://secure:2",
        "no_proxy": "localhost, .internal.example,10.0.0.0/8, [fd00::]/8 exact.example:8080 *.star.example",
    }
    choose = fromEnvironment(said)

    def host(url: str) -> str | None:
        proxy = choose(parse(url))
        return None if proxy is None else proxy.url.host

    assert host("http://a.example/") == "plain" and host("https://a.example/") == "secure"
    direct = ["localhost:80", "x.internal.example", "internal.example", "10.1.2.3", "[fd12::1]", "exact.example:8080"]
    assert [host(f"http://{each}/") for each in [*direct, "a.star.example"]] == [None] * 7
    assert [host(f"http://{each}/") for each in ("11.1.2.3", "exact.example", "xinternal.example")] == ["plain"] * 3
    # A web server puts a client's field Proxy there.
    assert fromEnvironment({"HTTP_PROXY": "http://evil"})(parse("http://a/")) is None
    assert fromEnvironment({"all_proxy": "http://x", "no_proxy": "*"})(parse("http://a/")) is None
    every = fromEnvironment({"ALL_PROXY": "socks5://x"})(parse("https://a/"))
    assert every is not None and every.kind == "socks5"


def test_the_environment_counts_when_it_is_asked_for_only(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, server = web.serve(reply(b"proxy")), web.serve(reply(b"direct"))
    monkeypatch.setenv("http_proxy", proxy.url())
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert web.fetch(web.client(), server.url())[1] == b"direct"
    assert web.fetch(web.client(proxy="environment"), server.url())[1] == b"proxy"
    assert web.fetch(web.client(proxy={"https": proxy.url()}), server.url())[1] == b"direct"
    assert proxies.choosing(None) is None


# ---- Where it runs ----


def test_inside_tasks_of_asyncio() -> None:
    import asyncio

    from reactor import aio
    from reactor._ground.current import currentReactor

    server = Server(reply(b"x" * 200_000))

    async def main() -> list[int]:
        reactor: Any = currentReactor()
        port = reactor.listenTCP(0, server, interface="127.0.0.1")
        url = f"http://127.0.0.1:{port.getHost().port}/"
        async with http.Client() as client:

            async def one() -> int:
                response = await client.get(url)
                await asyncio.sleep(0)
                total = 0
                async for piece in response:
                    total += len(piece)
                return total

            async def body() -> Any:
                await asyncio.sleep(0)
                yield b"from a generator of asyncio's world"

            found = await asyncio.gather(*[one() for _ in range(5)])
            await client.post(url, body=body())
            task = asyncio.ensure_future(one())
            await asyncio.sleep(0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await port.stopListening()
        return found

    assert aio.run(main()) == [200_000] * 5
    assert server.requests[-1].body.startswith(b"from a") or server.requests[-2].body.startswith(b"from a")


def test_functions_share_a_client_that_keeps_connections_and_no_cookies(web: Web) -> None:
    server = web.serve(reply(b"x", "200 OK", "Set-Cookie: a=b"))

    async def main() -> Any:
        client = http.defaultClient()
        assert client is http.defaultClient()
        first = await http.get(server.url())
        second = await http.post(server.url(), json=1)
        third = await http.request("PUT", server.url())
        for call in (http.head, http.delete, http.options, http.patch, http.put):
            assert callable(call)
        got: list[bytes] = []
        await http.collect(await http.get(server.url()), got.append)
        await client.close()
        assert http.defaultClient() is not client
        return [first.status, second.status, third.status, got]

    results: list[Any] = []

    def begin() -> None:
        from reactor.defer import ensureDeferred

        ensureDeferred(main()).addBoth(results.append).addBoth(lambda _: web.net.reactor.crash())

    web.net.reactor.callWhenRunning(begin)
    web.net.reactor.run(installSignalHandlers=False)
    assert results == [[200, 200, 200, [b"x"]]], results
    assert server.made == 1 and all(request.get("cookie") is None for request in server.requests)


def test_nothing_heavy_is_loaded_before_it_is_needed() -> None:
    import subprocess
    import sys

    program = (
        "import sys\n"
        "from protocols import http\n"
        "http.Client\n"
        "heavy = {'ssl', 'asyncio', 'brotli', 'backports.zstd', 'publicsuffixlist', 'idna', 'logging', 'h2', 'json',\n"
        "         'mimetypes', 'email'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "[]"
