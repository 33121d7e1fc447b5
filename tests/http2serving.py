"""A `Site` of HTTP/2 and a client that writes frames, connected in memory, on a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import hpack
from httpserving import RawClient

from protocols.http import Response
from protocols.http.h2 import Bounds
from protocols.http.h2.frames import (
    CONTINUATION,
    DATA,
    GOAWAY,
    HEADERS,
    PREFACE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    frame,
    kindsIn,
)
from protocols.http.server import Request, Site
from reactor.task import Clock
from reactor.testing import connectedPair

END_STREAM, END_HEADERS, PADDED, PRIORITIZED = 0x1, 0x4, 0x8, 0x20
GET = [(":method", "GET"), (":scheme", "http"), (":authority", "example.org"), (":path", "/")]
POST = [(":method", "POST"), *GET[1:]]


class Frame(NamedTuple):
    kind: int
    flags: int
    stream: int
    payload: bytes


def block(headers: Iterable[tuple[Any, Any]], table: bool = False) -> bytes:
    """A head in HPACK; without the dynamic table unless `table`, so that blocks can be used in any order."""
    if table:
        return bytes(hpack.Encoder().encode(list(headers)))
    return b"".join([b"\x00" + _text(name) + _text(value) for name, value in headers])


def _text(text: str | bytes) -> bytes:
    data = text.encode("latin-1") if isinstance(text, str) else text
    return _integer(len(data)) + data


def _integer(number: int) -> bytes:
    if number < 127:
        return bytes([number])
    out, number = bytearray([127]), number - 127
    while number >= 128:
        out.append(number % 128 + 128)
        number //= 128
    return bytes([*out, number])


def head(stream: int, headers: Iterable[tuple[Any, Any]] = GET, flags: int = END_STREAM | END_HEADERS) -> bytes:
    return frame(HEADERS, flags, stream, block(headers))


def body(stream: int, data: bytes = b"", flags: int = END_STREAM) -> bytes:
    return frame(DATA, flags, stream, data)


def more(stream: int, data: bytes, flags: int = END_HEADERS) -> bytes:
    return frame(CONTINUATION, flags, stream, data)


def settings(*pairs: tuple[int, int], flags: int = 0, stream: int = 0) -> bytes:
    payload = b"".join([name.to_bytes(2, "big") + value.to_bytes(4, "big") for name, value in pairs])
    return frame(SETTINGS, flags, stream, payload)


def window(stream: int, count: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream, count.to_bytes(4, "big"))


def reset(stream: int, code: int = 8) -> bytes:
    return frame(RST_STREAM, 0, stream, code.to_bytes(4, "big"))


ACK = settings(flags=1)


class Served2:
    """One connection."""

    def __init__(
        self, handler: Callable[[Request], Any], bounds: Bounds | None = None, began: bool = True, **limits: Any
    ) -> None:
        self.clock = Clock()
        network = limits.pop("network", {})
        self.site = Site(handler, clock=self.clock, http2="prior", bounds=bounds, **limits)
        self.client = RawClient()
        self.pair = connectedPair(self.clock, self.client, self.site.buildProtocol(None), seed=1, **network)
        self.decoder = hpack.Decoder()
        self._seen = 0
        self.frames: list[Frame] = []
        if began:
            self.send(PREFACE + settings() + ACK)

    def send(self, data: bytes) -> None:
        self.client.transport.write(data)
        self.advance(0.01)

    def advance(self, seconds: float) -> None:
        self.pair.advance(seconds)
        new = self.client.got[self._seen :]
        whole = 0
        while len(new) - whole >= 9 and len(new) - whole >= 9 + int.from_bytes(new[whole : whole + 3], "big"):
            whole += 9 + int.from_bytes(new[whole : whole + 3], "big")
        for kind, stream, each in kindsIn(new[:whole]):
            self.frames.append(Frame(kind, each[4], stream, each[9:]))
        self._seen += whole

    def of(self, kind: int, stream: int | None = None) -> list[Frame]:
        return [each for each in self.frames if each.kind == kind and stream in (None, each.stream)]

    @property
    def goneAway(self) -> int | None:
        """The code of GOAWAY, if there was one."""
        found = self.of(GOAWAY)
        return int.from_bytes(found[-1].payload[4:8], "big") if found else None

    def resetOf(self, stream: int) -> int | None:
        found = self.of(RST_STREAM, stream)
        return int.from_bytes(found[0].payload, "big") if found else None

    def heads(self, stream: int) -> list[dict[str, str]]:
        """The heads that came on `stream`. To be asked for in the order in which they came, once."""
        return [dict(self.decoder.decode(each.payload)) for each in self.of(HEADERS, stream)]

    def data(self, stream: int) -> bytes:
        return b"".join([each.payload for each in self.of(DATA, stream)])

    def isWhole(self, stream: int) -> bool:
        """Whether an answer has come and ended on `stream`."""
        return any(each.flags & END_STREAM for each in self.frames if each.stream == stream and each.kind in (0, 1))

    @property
    def isOpen(self) -> bool:
        return self.client.reason is None and not self.client.ended


def hello(request: Request) -> Response:
    return Response("hello")


async def length(request: Request) -> Response:
    return Response(str(len(await request.read())))
