"""Fetch a page through a SOCKS 5 server.

    python socks_client.py serverhost:serverport host [port] [name password]

The server looks the host's name up and connects; this end sees a connection like any other. With port 443 it is TLS,
and the certificate is verified for the host, not for the server in between.
"""

from __future__ import annotations

import sys

from protocols.socks import SOCKS5ClientEndpoint
from reactor import reactor
from reactor.defer import Deferred
from reactor.endpoints import HostnameEndpoint, connectProtocol, wrapClientTLS
from reactor.error import ConnectError
from reactor.failure import Failure
from reactor.protocol import Protocol
from reactor.ssl import optionsForClientTLS


class Page(Protocol):
    """Asks for the page and prints how the answer begins."""

    received = b""

    def __init__(self, host: str) -> None:
        self.host = host
        self.over: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        print("connected to", self.transport.getPeer(), flush=True)
        self.transport.write(f"GET / HTTP/1.1\r\nHost: {self.host}\r\nConnection: close\r\n\r\n".encode())

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def connectionLost(self, reason: Failure) -> None:
        print(self.received.partition(b"\r\n")[0].decode(), flush=True)
        print(len(self.received), "bytes", flush=True)
        self.over.callback(None)


async def fetch(server: str, host: str, port: int, name: str | None, password: str | None) -> None:
    serverHost, _, serverPort = server.rpartition(":")
    endpoint = SOCKS5ClientEndpoint(
        HostnameEndpoint(reactor, serverHost, int(serverPort)), host, port, username=name, password=password
    )
    if port == 443:
        endpoint = wrapClientTLS(optionsForClientTLS(host), endpoint)
    try:
        page = await connectProtocol(endpoint, Page(host))
        await page.over
    except ConnectError as e:
        print("failed:", e, flush=True)
    reactor.stop()


if len(sys.argv) not in (3, 4, 6):
    sys.exit(__doc__)
server, host = sys.argv[1:3]
port = int(sys.argv[3]) if len(sys.argv) > 3 else 80
name, password = sys.argv[4:] or (None, None)
reactor.callWhenRunning(lambda: Deferred.fromCoroutine(fetch(server, host, port, name, password)))
reactor.run()
