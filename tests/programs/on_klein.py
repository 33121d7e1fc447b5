"""A program with klein and treq, for Twisted: a service over https, and a client that uses it.

`on_klein.py CHAIN KEY ROOT`: the files of a certificate for localhost, of its key, and of who signed it.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from klein import Klein
from treq.client import HTTPClient
from twisted.internet import defer, endpoints, reactor, ssl, task
from twisted.web.client import (
    Agent,
    BrowserLikePolicyForHTTPS,
    HTTPConnectionPool,
    ResponseFailed,
    ResponseNeverReceived,
)
from twisted.web.server import Site

CHAIN, KEY, ROOT = sys.argv[1:]
BIG = bytes(range(256)) * 8000

app = Klein()


@app.route("/hello/<name>")
def hello(request: Any, name: str) -> str:
    return f"hello, {name}"


@app.route("/sum", methods=["POST"])
async def add(request: Any) -> str:
    numbers = json.load(request.content)
    request.setHeader("content-type", "application/json")
    return await task.deferLater(reactor, 0.01, lambda: json.dumps({"sum": sum(numbers)}))


@app.route("/digest", methods=["PUT"])
def digest(request: Any) -> str:
    return hashlib.sha256(request.content.read()).hexdigest()


@app.route("/big")
def big(request: Any) -> bytes:
    return BIG


@app.route("/moved")
def moved(request: Any) -> None:
    request.redirect("/hello/moved")


@app.route("/cookie")
def cookie(request: Any) -> bytes:
    before = request.getCookie(b"seen") or b"never"
    request.addCookie("seen", "once")
    return before


@app.route("/never")
def never(request: Any) -> Any:
    return defer.Deferred()


@app.route("/error")
def error(request: Any) -> Any:
    raise ZeroDivisionError


@app.handle_errors(ZeroDivisionError)
def divided(request: Any, failure: Any) -> str:
    request.setResponseCode(500)
    return "by nothing"


async def asked(url: str) -> None:
    root = ssl.Certificate.loadPEM(Path(ROOT).read_bytes())
    policy = BrowserLikePolicyForHTTPS(ssl.trustRootFromCertificates([root]))
    pool = HTTPConnectionPool(reactor)
    client = HTTPClient(Agent(reactor, policy, pool=pool))
    print(await (await client.get(f"{url}/hello/you")).text())
    print(await (await client.post(f"{url}/sum", json=[1, 2, 3])).json())
    response = await client.put(f"{url}/digest", data=BIG)
    print((await response.text()) == hashlib.sha256(BIG).hexdigest())
    pieces: list[bytes] = []
    await (await client.get(f"{url}/big")).collect(pieces.append)
    print(b"".join(pieces) == BIG, len(pieces) > 1)
    print(await (await client.get(f"{url}/moved")).text())
    first = await client.get(f"{url}/cookie")
    print(await first.text(), await (await client.get(f"{url}/cookie", cookies=first.cookies())).text())
    response = await client.get(f"{url}/error")
    print(response.code, await response.text())
    responses = await defer.gatherResults([client.get(f"{url}/hello/{number}") for number in range(30)])
    print(len({await response.text() for response in responses}))
    for wrong, options in ((f"{url}/never", {"timeout": 0.2}), (url.replace("localhost", "127.0.0.2") + "/big", {})):
        try:
            await client.get(wrong, **options)
        except (ResponseFailed, ResponseNeverReceived) as e:
            print(type(e.reasons[0].value).__name__)
        except Exception as e:
            print(type(e).__name__)
    await pool.closeCachedConnections()


async def program(clock: Any) -> None:
    assert clock is reactor
    where = f"ssl:0:interface=127.0.0.1:certKey={CHAIN}:privateKey={KEY}"
    # Also where nobody is expected by that name.
    ports = [await endpoints.serverFromString(reactor, where).listen(Site(app.resource()))]
    number = ports[0].getHost().port
    other = where.replace("ssl:0:interface=127.0.0.1", f"ssl:{number}:interface=127.0.0.2")
    ports.append(await endpoints.serverFromString(reactor, other).listen(Site(app.resource())))
    await asked(f"https://localhost:{number}")
    for port in ports:
        await port.stopListening()


task.react(lambda clock: defer.ensureDeferred(program(clock)))
