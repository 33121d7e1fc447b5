"""Every hostile request meets a server on a real socket: what must be refused is answered once with its status and
`Connection: close`, nothing behind it is asked, and every answer is one for h11, httptools and ourselves.
"""

from __future__ import annotations

from typing import Any

import httptools
import pytest
from httphostile import REQUESTS, Hostile
from httpserving import answersIn
from net import Net

from protocols.http import Response
from protocols.http.h1 import ResponseReader
from protocols.http.server import Request, Site
from reactor.protocol import ClientFactory, Protocol


class Asking(Protocol):
    """Sends one of them and keeps the answer, until the server has closed or has answered what there is."""

    transport: Any

    def __init__(self, case: Hostile, done: Any) -> None:
        self.case = case
        self.done = done
        self.got = b""

    def connectionMade(self) -> None:
        self.transport.write(self.case.data)

    def dataReceived(self, data: bytes) -> None:
        self.got += data
        if self.case.status is None and self.got.count(b"HTTP/1.1 200") + self.got.count(b"HTTP/1.1 405") >= max(
            self.case.heads, 1
        ):
            self.transport.loseConnection()

    def connectionLost(self, reason: Any = None) -> None:
        self.done(self)


class Hostiles:
    """Asks one after the other, a few at a time, and keeps what each got."""

    def __init__(self, net: Net, cases: list[Hostile], seconds: float) -> None:
        self.asked: list[str] = []
        self.results: dict[str, bytes] = {}
        self.waiting = list(cases)
        self.reactor: Any = net.reactor
        site = Site(self.handle, headTimeout=seconds, bodyTimeout=seconds, idleTimeout=seconds, lingerTimeout=seconds)
        self.port = net.reactor.listenTCP(0, site, interface="127.0.0.1")
        for _ in range(20):
            self.next()
        net.until(lambda: len(self.results) == len(cases))
        self.port.stopListening()
        net.until(lambda: not site.channels)

    async def handle(self, request: Request) -> Response:
        self.asked.append(request.target)
        data = await request.read()
        # A tunnel is made by nobody here.
        return Response(data, 405 if request.method == "CONNECT" else 200)

    def next(self) -> None:
        if self.waiting:
            case = self.waiting.pop()
            factory = ClientFactory()
            factory.noisy = False
            factory.buildProtocol = lambda addr: Asking(case, self.done)  # type: ignore[method-assign]
            self.reactor.connectTCP("127.0.0.1", self.port.getHost().port, factory)

    def done(self, protocol: Asking) -> None:
        self.results[protocol.case.name] = protocol.got
        self.next()


def toHttptools(data: bytes) -> list[tuple[int, bytes]]:
    found: list[Any] = []

    class Sink:
        def on_message_begin(self) -> None:
            found.append([0, b""])

        def on_body(self, body: bytes) -> None:
            found[-1][1] += body

        def on_headers_complete(self) -> None:
            found[-1][0] = parser.get_status_code()

    parser = httptools.HttpResponseParser(Sink())
    parser.feed_data(data)
    return [(status, body) for status, body in found if status != 100]


def toOurs(data: bytes) -> list[tuple[int, bytes]]:
    found: list[Any] = []

    class Sink:
        def informationReceived(self, head: Any) -> None:
            pass

        def headReceived(self, head: Any) -> None:
            found.append([head.status, b""])

        def bodyReceived(self, body: bytes) -> None:
            found[-1][1] += body

        def messageReceived(self, trailers: Any) -> None:
            pass

    reader = ResponseReader(Sink())
    for _ in range(data.count(b"HTTP/1.1 ")):
        reader.expect("GET")
    reader.receive(data)
    return [(status, body) for status, body in found]


@pytest.mark.parametrize("isRefused", [True, False])
def test_S_httpRequest_each_is_answered_as_it_should_and_in_one_way(net: Net, isRefused: bool) -> None:
    cases = [each for each in REQUESTS if (each.status is not None) is isRefused and not each.data.startswith(b"HEAD ")]
    # Some of those that are read are not whole, and wait; those that are refused are so at once.
    hostiles = Hostiles(net, cases, 10 if isRefused else 0.5)
    wrong: list[tuple[Any, ...]] = []
    for case in cases:
        data = hostiles.results[case.name]
        answers = answersIn(data)
        statuses = [each.status for each in answers]
        simple = [(each.status, each.body) for each in answers]
        if isRefused:
            # 408 is for what is no whole request, and might have become one.
            if statuses[-1:] != [case.status] or answers[-1].fields["connection"] != "close":
                wrong.append((case.name, statuses, case.status))
            del statuses[-1:]
        if not all(status in (200, 405) for status in statuses if isRefused or status != 408):
            wrong.append((case.name, "refused", statuses))
        if toOurs(data) != simple:
            wrong.append((case.name, "ours", toOurs(data)))
        if toHttptools(data) != simple:
            wrong.append((case.name, "httptools", toHttptools(data)))
    assert wrong == []
    assert len(cases) > 100
    assert not isRefused or not [target for target in hostiles.asked if "smuggled" in target]
