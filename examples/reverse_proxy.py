"""A reverse proxy: what it is asked, it asks another server, and hands on the answer, both as they come.

    python reverse_proxy.py URL [description of the endpoint]

URL is where the other server is, such as ``http://127.0.0.1:8000``. It prints the port that it listens on.
Needs httptools: ``pip install 'reactor-loop[http]'``.
"""

from __future__ import annotations

import sys
from typing import Any

from protocols import http
from reactor import reactor
from reactor.endpoints import serverFromString
from reactor.error import NetworkError

# What is between two neighbours and is not handed on (RFC 9110, section 7.6.1).
HOPS = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect"}


def handedOn(headers: http.Headers) -> list[tuple[str, str]]:
    named = {each.strip().lower() for each in headers.get("connection", "").split(",")}
    return [(name, value) for name, value in headers.items() if name.lower() not in HOPS | named]


def proxy(client: http.Client, base: str) -> Any:
    async def handler(request: http.Request) -> http.Response:
        request.maxBody = None
        fields = [pair for pair in handedOn(request.headers) if pair[0].lower() not in ("host", "content-length")]
        fields.append(("Forwarded", f'for="{request.client}";proto={request.scheme};host="{request.host}"'))
        if "accept-encoding" not in request.headers:
            # Our client would say what it understands, which this one's need not.
            fields.append(("Accept-Encoding", "identity"))
        body = None if request.method in ("GET", "HEAD") else request.body
        try:
            answer = await client.request(
                request.method, base + request.target, headers=fields, body=body, redirects=None, decode=False
            )
        except NetworkError as problem:
            print("no answer:", problem, file=sys.stderr, flush=True)
            return http.Response("502 Bad Gateway\n", 502)
        return http.Response(answer, answer.status, handedOn(answer.headers), contentType="")

    return handler


def main(base: str, description: str = "tcp:0:interface=127.0.0.1") -> None:
    site = http.Site(proxy(http.Client(cookies=False), base.rstrip("/")))
    listening = serverFromString(reactor, description).listen(site)
    listening.addCallback(lambda port: print("listening on port", port.getHost().port, flush=True))
    reactor.run()


main(*sys.argv[1:])
