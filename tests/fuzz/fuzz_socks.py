"""Both dialogues of SOCKS, and that with an HTTP proxy: the first byte says how they are cut and which one it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import harness

from protocols._proxying.names import Destination
from protocols.httpconnect import Asking
from protocols.socks import ServerHandshake, SOCKSError, SOCKSProtocolError, State
from protocols.socks._asking import Asking4, Asking5
from reactor.error import ConnectError

DESTINATION = Destination("fuzz", "example.com", 80)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def heard(data: bytes, size: int, authenticate: bool) -> tuple[Any, ...]:
    """What a server makes of it."""
    server = ServerHandshake(authenticate=authenticate)
    rest = b""
    try:
        for piece in pieces(data, size):
            if server.state in (State.DECIDING, State.OVER):
                rest += piece
                continue
            server.receive(piece)
            if server.state is State.VERIFYING:
                server.verified(True)
    except SOCKSProtocolError:
        return "wrong", server.takeOutput()
    rest = server.takeRest() + rest
    if server.state is State.DECIDING:
        assert server.request is not None and len(server.request.host) <= 255
        server.answered(0, "192.0.2.1", 1)
        return repr(server.request), server.takeOutput(), rest
    return server.state, server.takeOutput()


def answered(data: bytes, size: int, which: int) -> tuple[Any, ...]:
    """What a client makes of it."""
    client: Any = (Asking4, Asking5, Asking)[which % 3](DESTINATION)
    said = client.first
    try:
        for piece in pieces(data, size):
            if client.done:
                client.rest += piece
            else:
                said += client.receive(piece)
    except SOCKSError as e:
        assert which % 3 != 2
        return "refused", e.reply
    except ConnectError as e:
        assert which % 3 == 2
        return "refused", getattr(e, "status", None)
    return client.done, client.rest if client.done else b"", said


def one(data: bytes) -> None:
    if not data:
        return
    how, data = data[0], data[1:]
    size, which = how % 16 + 1, how // 16
    whole = len(data) or 1
    assert heard(data, size, bool(which & 1)) == heard(data, whole, bool(which & 1)), "how it is cut matters"
    assert answered(data, size, which) == answered(data, whole, which), "how it is cut matters"


if __name__ == "__main__":
    harness.main(one)
