"""What comes on a WebSocket, however cut, with and without compression: nothing is raised, cutting makes no difference,
nothing is told behind the end, and every message that is told was in the limits.
"""

from __future__ import annotations

from typing import Any

import harness

from protocols.websocket._deflate import Deflate
from protocols.websocket._options import Options
from protocols.websocket._session import LISTENING, Session

LIMIT = 300


class End:
    def __init__(self, client: bool, compress: bool) -> None:
        self.told: list[Any] = []
        self.written: list[int] = []
        deflate = Deflate(9, 9, False, False, 1) if compress else None
        options = Options(maxMessage=LIMIT, maxFragments=20)
        self.session = Session(client, self, self, lambda data: self.written.append(len(data)), options, deflate)

    def messageReceived(self, message: str | bytes) -> None:
        assert self.session.state in LISTENING
        assert len(message.encode() if isinstance(message, str) else message) <= LIMIT
        self.told.append(message)

    def pinged(self, payload: bytes) -> None:
        self.told.append(("ping", payload))

    def ponged(self, payload: bytes) -> None:
        self.told.append(("pong", payload))

    def closed(self) -> None:
        self.told.append(("closed", self.session.code, self.session.reason))

    def failed(self) -> None:
        self.told.append(("failed", self.session.code))

    def raised(self, problem: Exception) -> None:
        raise problem


def told(client: bool, compress: bool, pieces: list[bytes]) -> Any:
    end = End(client, compress)
    for piece in pieces:
        end.session.reader.receive(piece)
    if compress and end.told and isinstance(end.told[-1], tuple) and end.told[-1][0] == "failed":
        # Of two things that are wrong with what was inflated, the piece says which is seen first.
        return end.told[:-1], "failed"
    return end.told, sum(end.written)


def one(data: bytes) -> None:
    if not data:
        return
    kind, pieces = data[0], list(harness.cuts(data[1:]))
    client, compress = bool(kind & 1), bool(kind & 2)
    whole = b"".join(pieces)
    assert told(client, compress, pieces) == told(client, compress, [whole] if whole else []), "cutting matters"


if __name__ == "__main__":
    harness.main(one)
