"""Connecting through an HTTP proxy: what is said and answered, and a proxy made of the standard library's server."""

from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from net import Net, Traced
from tls import clientOptions, serverOptions

from protocols._proxying.names import Destination
from protocols.httpconnect import Asking, HTTPConnectEndpoint, HTTPConnectError, HTTPConnectParser
from reactor.endpoints import TCP4ClientEndpoint, connectProtocol, wrapClientTLS
from reactor.error import ConnectError

DESTINATION = Destination("test", "example.com", 443)
GRANTED = b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n"


def answered(data: bytes, size: int = 1000) -> Asking:
    asking = Asking(DESTINATION)
    for at in range(0, len(data), size):
        assert asking.receive(data[at : at + size]) == b""
        if asking.done:
            asking.rest += data[at + size :]
            break
    return asking


def test_theRequest() -> None:
    assert Asking(DESTINATION).first == b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n"
    six = Asking(Destination("test", "::1", 80), "Aladdin", "open sesame", [("User-Agent", "us/1")])
    assert six.first.split(b"\r\n") == [
        b"CONNECT [::1]:80 HTTP/1.1",
        b"Host: [::1]:80",
        # RFC 7617, section 2.
        b"Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        b"User-Agent: us/1",
        b"",
        b"",
    ]


@pytest.mark.parametrize(
    "options",
    [
        {"username": "u"},
        {"password": "p"},
        {"username": "a:b", "password": "p"},
        {"headers": [("X", "a\r\nb")]},
        {"headers": [("X Y", "a")]},
        {"headers": [("X:", "a")]},
        {"headers": [("", "a")]},
        {"headers": [("X", "\xe4")]},
    ],
)
def test_whatIsNoRequest(options: Any) -> None:
    with pytest.raises(ValueError, match=r"HTTPConnectEndpoint\(\)"):
        HTTPConnectEndpoint(None, "example.com", 443, **options)


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    "head",
    [
        GRANTED,
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 204\r\n\r\n",
        b"HTTP/1.1 299 \r\n\r\n",
        b"HTTP/1.1 200 OK\n\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + GRANTED,
    ],
)
def test_whatGrants(head: bytes, size: int) -> None:
    for behind in (b"", b"\r\n\r\nHTTP/1.1 500 behind\r\n\r\n"):
        asking = answered(head + behind, size)
        assert asking.done and asking.rest == behind


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nX: y\r\n\r\n", 407, "407 Proxy.*user name and a password"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n<html>", 403, "it answered HTTP/1.1 403 Forbidden"),
        (b"HTTP/1.1 302 Found\r\n\r\n", 302, "302"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", 101, "101"),
        (b"HTTP/1.1 600 What\r\n\r\n", 600, "600"),
        (b"HTTP/1.1 403 \x9b31m\r\n\r\n", 403, r"\\x9b"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 9, 100, "more than 8 times"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", None, "not HTTP"),
        (b"HTTP/1.1 20 OK\r\n\r\n", None, "not HTTP"),
        (b"HTTP/1.1 +20 OK\r\n\r\n", None, "not HTTP"),
        (b"HTTP/1.1  200 OK\r\n\r\n", None, "not HTTP"),
        (b"HTTP/2.0 200 OK\r\n\r\n", None, "not HTTP"),
        (b"HTTP/1.1 200 O\0K\r\n\r\n", None, "not HTTP"),
        (b"\r\nHTTP/1.1 200 OK\r\n\r\n", None, "not HTTP"),
        (b"SSH-2.0-OpenSSH\r\n", None, "not HTTP"),
        (b"\x15\x03\x01", None, "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 16384, None, "more than 16384 bytes"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 16384 + b"\r\n\r\n", None, "more than 16384 bytes"),
    ],
)
def test_whatRefuses(answer: bytes, status: Any, said: str, size: int) -> None:
    with pytest.raises(HTTPConnectError, match=said) as raised:
        answered(answer, size)
    assert raised.value.status == status
    assert "\n" not in str(raised.value)
    if status is not None:
        assert raised.value.statusLine.startswith(f"HTTP/1.1 {status}")


@given(
    st.sampled_from([b"", b"HTTP/1.1 ", b"HTTP/1.1 100 C\r\n\r\n", GRANTED[:-1]]),
    st.binary(max_size=200),
    st.integers(1, 30),
)
def test_onlyItsOwnErrorEscapes(start: bytes, more: bytes, size: int) -> None:
    def outcome(size: int) -> Any:
        try:
            asking = answered(start + more, size)
        except HTTPConnectError as e:
            return e.status
        return asking.done, asking.rest if asking.done else b""

    assert outcome(size) == outcome(1000)


def test_oneByteAtATimeIsLinear() -> None:
    def seconds(size: int) -> float:
        asking = Asking(DESTINATION)
        asking.HEAD_LIMIT = 1 << 20
        data = b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * (size // 6) + b"\r\n"
        began = time.process_time()
        for at in range(len(data)):
            asking.receive(data[at : at + 1])
        assert asking.done
        return time.process_time() - began

    assert min(seconds(64000) for _ in range(3)) < 64 * max(min(seconds(4000) for _ in range(3)), 1e-4)


# A real proxy.


class Connecting(http.server.BaseHTTPRequestHandler):
    """Does CONNECT for who knows the password."""

    protocol_version = "HTTP/1.1"

    def do_CONNECT(self) -> None:
        if self.headers["Proxy-Authorization"] != "Basic bWU6c2VjcmV0":
            self.send_error(407)
            return
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port)), 5) as there:
            self.send_response(200, "Connection established")
            self.end_headers()
            back = threading.Thread(target=self.copy, args=(there, self.connection))
            back.start()
            self.copy(self.connection, there)
            back.join()
        self.close_connection = True

    @staticmethod
    def copy(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            # Whoever closes first need not wait.
            pass

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


class Proxy(http.server.ThreadingHTTPServer):
    # Closing it waits for them: the invariants count descriptors and threads.
    daemon_threads = False


@pytest.fixture
def proxyPort(net: Net) -> Iterator[int]:
    with Proxy(("127.0.0.1", 0), Connecting) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("net", ["default"], indirect=True)
@pytest.mark.parametrize("tls", [False, True])
def test_throughARealProxy(net: Net, proxyPort: int, tls: bool) -> None:
    target = net.listen(
        data=lambda p, data: p.write(data), made=lambda p: p.transport.startTLS(serverOptions()) if tls else None
    )
    endpoint: Any = HTTPConnectEndpoint(
        TCP4ClientEndpoint(net.reactor, "127.0.0.1", proxyPort), "localhost", target.port, "me", "secret"
    )
    assert repr(endpoint).startswith(f"<HTTPConnectEndpoint localhost:{target.port} through <TCP4")
    if tls:
        endpoint = wrapClientTLS(clientOptions("localhost"), endpoint)
    mine = net.result(connectProtocol(endpoint, Traced(made=lambda p: p.write(b"hello"))))
    net.until(lambda: mine.received == b"hello")
    assert mine.transport.TLS is tls
    mine.lose()
    net.until(lambda: mine.lost and target.built[0].lost)


@pytest.mark.parametrize("net", ["default"], indirect=True)
def test_aRealProxyRefuses(net: Net, proxyPort: int) -> None:
    endpoint = HTTPConnectEndpoint(TCP4ClientEndpoint(net.reactor, "127.0.0.1", proxyPort), "example.com", 443)
    with pytest.raises(HTTPConnectError, match=r"HTTP/1\.1 407 Proxy Authentication Required") as raised:
        net.result(connectProtocol(endpoint, Traced()))
    assert (raised.value.status, raised.value.host, raised.value.port) == (407, "example.com", 443)


@pytest.mark.parametrize("net", ["default"], indirect=True)
def test_bytesBehindTheHeadBelongToTheTunnel(net: Net) -> None:
    listening = net.plainListener()
    inner = TCP4ClientEndpoint(net.reactor, "127.0.0.1", listening.getsockname()[1])
    mine = Traced()
    connecting = connectProtocol(HTTPConnectEndpoint(inner, "example.com", 25), mine)
    net.turn(5)
    sock = net.keep(listening.accept()[0])
    assert net.receive(sock, 1).startswith(b"CONNECT example.com:25 ")
    sock.sendall(GRANTED + b"220 ready\r\n")
    assert net.result(connecting) is mine
    net.until(lambda: mine.received == b"220 ready\r\n")
    sock.close()
    net.until(lambda: mine.lost)
    assert mine.short == ["CM", "DR*", "CL(ConnectionDone)"]


@pytest.mark.parametrize("net", ["default"], indirect=True)
def test_aProxyThatHangsUp(net: Net) -> None:
    listening = net.plainListener()
    inner = TCP4ClientEndpoint(net.reactor, "127.0.0.1", listening.getsockname()[1])
    connecting = connectProtocol(HTTPConnectEndpoint(inner, "example.com", 25), Traced())
    net.turn(5)
    listening.accept()[0].close()
    with pytest.raises(ConnectError, match="closed the connection instead of an answer"):
        net.result(connecting)


def test_asText() -> None:
    endpoint = HTTPConnectParser().parseStreamClient(None, "h", "443", proxy="tcp:localhost:3128", timeout="5")
    assert repr(endpoint) == "<HTTPConnectEndpoint h:443 through <TCP4ClientEndpoint localhost:3128>>"
    with pytest.raises(ValueError, match="httpconnect: expected port and timeout to be numbers"):
        HTTPConnectParser().parseStreamClient(None, "h", "x", proxy="tcp:localhost:3128")
