"""A program with twisted.web, for Twisted: a folder's files, and proxies before them, asked by curl.

`on_web.py CURL FOLDER`: the client's path, and an empty folder.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from twisted.internet import defer, reactor, task, utils
from twisted.web import static
from twisted.web.http import HTTPFactory
from twisted.web.proxy import Proxy, ReverseProxyResource
from twisted.web.resource import Resource
from twisted.web.server import Site

CURL, FOLDER = sys.argv[1], Path(sys.argv[2])
BIG = bytes(range(256)) * 20_000


class Upper(Resource):
    """Says what it was sent, in capitals."""

    isLeaf = True

    def render_POST(self, request: Any) -> Any:
        return request.content.read().upper()


class Proxies(HTTPFactory):
    """Of a proxy that clients are told of."""

    protocol = Proxy


async def curl(*arguments: str, given: bytes = b"") -> tuple[bytes, int]:
    """What it prints, and its status."""
    command = ["-q", "-sS", "--noproxy", "", "--max-time", "90", *arguments]
    output, errors, status = await utils.getProcessOutputAndValue(CURL, command, {}, stdinBytes=given)
    assert not errors, errors
    return output, status


async def asked(name: str, url: str, *options: str) -> None:
    print(name, await curl(*options, f"{url}/small.txt"))
    output, status = await curl(*options, f"{url}/big")
    print(name, output == BIG, status)
    # All on one connection.
    count = ["-w", "%{num_connects} ", "-o", "/dev/null"]
    output, status = await curl(*options, *count, f"{url}/small.txt", *count, f"{url}/small.txt")
    print(name, sorted(output.split()), status)
    output, status = await curl(*options, "-I", f"{url}/big")
    print(name, f"Content-Length: {len(BIG)}".lower().encode() in output.lower(), status)
    output, status = await curl(*options, "-r", "1000-1999", f"{url}/big")
    print(name, output == BIG[1000:2000], status)
    print(name, (await curl(*options, "-o", "/dev/null", "-w", "%{http_code}", f"{url}/nothing")))
    output, status = await curl(*options, "--data-binary", "@-", f"{url}/upper", given=b"x" * 500_000)
    print(name, output == b"X" * 500_000, status)


async def program(clock: Any) -> None:
    assert clock is reactor
    (FOLDER / "small.txt").write_text("small\n")
    (FOLDER / "big").write_bytes(BIG)
    root = static.File(str(FOLDER))
    root.putChild(b"upper", Upper())
    site = reactor.listenTCP(0, Site(root), interface="127.0.0.1")
    number = site.getHost().port
    reverse = reactor.listenTCP(0, Site(ReverseProxyResource("127.0.0.1", number, b"")), interface="127.0.0.1")

    proxy = reactor.listenTCP(0, Proxies(), interface="127.0.0.1")
    await asked("site", f"http://127.0.0.1:{number}")
    await asked("reverse", f"http://127.0.0.1:{reverse.getHost().port}")
    await asked("proxy", f"http://127.0.0.1:{number}", "-x", f"http://127.0.0.1:{proxy.getHost().port}")
    await defer.gatherResults([port.stopListening() for port in (site, reverse, proxy)])


task.react(lambda clock: defer.ensureDeferred(program(clock)))
