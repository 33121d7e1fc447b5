"""A website and a client that asks it, written for Twisted, on our engine: it is asked a few things, and that is all.

    pip install '.[twisted]'
    python under_twisted.py

All of it is twisted.web's, and ``main`` is a program for Twisted like any other, which would run on Twisted's own
reactors too; ours are the two lines at the end that come before ``task.react``. On which reactor it runs is one of the
things that it says.
"""

from __future__ import annotations

from typing import Any

from twisted.internet import defer, endpoints, protocol, task
from twisted.python.failure import Failure
from twisted.web.client import Agent, HTTPConnectionPool
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site


class Hello(Resource):
    """Says hello to who is named: /hello?name=you."""

    def render_GET(self, request: Request) -> bytes:
        name: bytes = request.args.get(b"name", [b"world"])[0]
        return b"hello, " + name


class Later(Resource):
    """Answers when a tenth of a second is over, with how many are waiting for that."""

    def __init__(self, reactor: Any) -> None:
        Resource.__init__(self)
        self._reactor = reactor
        self._waiting: list[Request] = []

    def render_GET(self, request: Request) -> int:
        self._waiting.append(request)
        if len(self._waiting) == 1:
            self._reactor.callLater(0.1, self._answer)
        return NOT_DONE_YET

    def _answer(self) -> None:
        waiting, self._waiting = self._waiting, []
        for request in waiting:
            request.write(b"%d waited" % len(waiting))
            request.finish()


class Body(protocol.Protocol):
    """What a response says: `whole` fires with it."""

    def __init__(self) -> None:
        self._said = b""
        self.whole: defer.Deferred[str] = defer.Deferred()

    def dataReceived(self, data: bytes) -> None:
        self._said += data

    def connectionLost(self, reason: Failure = protocol.connectionDone) -> None:
        self.whole.callback(self._said.decode())


async def program(reactor: Any) -> None:
    root = Resource()
    root.putChild(b"hello", Hello())
    root.putChild(b"later", Later(reactor))
    port = await endpoints.TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(Site(root))
    pool = HTTPConnectionPool(reactor)
    agent = Agent(reactor, pool=pool)

    async def ask(path: str) -> str:
        response = await agent.request(b"GET", f"http://127.0.0.1:{port.getHost().port}{path}".encode())
        body = Body()
        response.deliverBody(body)
        return f"{response.code} {await body.whole}"

    print("runs on", f"{type(reactor).__module__}.{type(reactor).__name__}", flush=True)
    for path in ("/hello", "/hello?name=you"):
        print(path, await ask(path), flush=True)
    asked = [defer.ensureDeferred(ask("/later")) for _ in range(3)]
    print("/later", await defer.gatherResults(asked), flush=True)
    await pool.closeCachedConnections()
    await port.stopListening()


def main(reactor: Any) -> defer.Deferred[None]:
    return defer.ensureDeferred(program(reactor))


if __name__ == "__main__":
    import reactor.twisted

    reactor.twisted.install()
    task.react(main)
