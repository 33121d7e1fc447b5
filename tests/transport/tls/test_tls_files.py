"""Files over TLS between two real ends: read and encrypted, since the kernel cannot."""

from __future__ import annotations

import io
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from net import Net, Traced, pattern
from tls import startTLS, tls, tlsInTLS

from protocols.basic import FileSender
from reactor.defer import Deferred
from reactor.error import ConnectionLost

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)
KINDS = pytest.mark.parametrize("kind", [tls, tlsInTLS, startTLS])

CONTENT = pattern(1_500_000)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file; the kernel must not be asked to send it."""

    def refuse(*args: Any) -> int:
        raise AssertionError("os.sendfile under TLS would send it in the clear")

    monkeypatch.setattr(os, "sendfile", refuse)
    (tmp_path / "file").write_bytes(CONTENT)
    return tmp_path / "file"


def heard(deferred: Deferred[Any]) -> list[Any]:
    results: list[Any] = []
    deferred.addBoth(results.append)
    return results


@KINDS
def test_sendFile(net: Net, path: Path, kind: Callable[..., Any]) -> None:
    first, second = kind(net, Traced, Traced)
    with open(path, "rb") as file:
        first.write(b"before,")
        done = heard(first.transport.sendFile(file))
        net.until(lambda: len(second.received) >= len(CONTENT) + 7 and done)
        first.write(b",behind")
        first.lose()
        net.until(lambda: first.lost and second.lost)
    assert done == [len(CONTENT)]
    assert second.received == b"before," + CONTENT + b",behind"
    assert second.short[-1] == "CL(ConnectionDone)"


def test_aPartAndThenTheEnd(net: Net, path: Path) -> None:
    first, second = tls(net, Traced, Traced)
    with open(path, "rb") as file:
        done = heard(first.transport.sendFile(file, 1000, 200_000))
        # It waits for the file, as for any producer.
        first.lose()
        net.until(lambda: first.lost and second.lost)
    assert done == [200_000]
    assert second.received == CONTENT[1000:201_000]


def paused(net: Net) -> tuple[Traced, Traced]:
    """Two ends, with little room between them, of which the second reads nothing."""
    first, second = tls(net, Traced, Traced)
    first.transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
    second.transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    second.ask("pauseProducing")
    return first, second


def test_theReaderPauses(net: Net, path: Path) -> None:
    """What waits at our side is a piece or two, not the file."""
    first, second = paused(net)
    with open(path, "rb") as file, open(path, "rb") as again:
        done = heard(first.transport.sendFile(file))
        net.turn(50)
        net.assertIdle()
        assert (done, 0 < first.transport.buffered < 70_000) == ([], True)
        with pytest.raises(RuntimeError, match=r"registered|being sent"):
            first.transport.sendFile(again)
        second.ask("resumeProducing")
        net.until(lambda: done)
    net.until(lambda: second.received == CONTENT)
    first.lose()
    net.until(lambda: first.lost and second.lost)


@pytest.mark.parametrize("who", [0, 1])
def test_theConnectionEndsInTheMiddle(net: Net, path: Path, who: int) -> None:
    first, second = ends = paused(net)
    with open(path, "rb") as file:
        done = heard(first.transport.sendFile(file))
        net.turn(5)
        ends[who].abort()
        second.ask("resumeProducing")
        net.until(lambda: first.lost and second.lost)
    assert done[0].type is ConnectionLost
    assert first.transport.producer is None


@KINDS
@pytest.mark.parametrize("lose", [False, True])
def test_FileSender(net: Net, path: Path, kind: Callable[..., Any], lose: bool) -> None:
    first, second = kind(net, Traced, Traced)
    with open(path, "rb") as file:
        done = heard(FileSender().beginFileTransfer(file, first.transport))
        if lose:
            first.lose()
        net.until(lambda: done)
        assert done == [CONTENT[-1:]]
        if not lose:
            first.lose()
        net.until(lambda: first.lost and second.lost)
    assert second.received == CONTENT
    assert second.short[-1] == "CL(ConnectionDone)"


def test_FileSenderWhoseConnectionIsLost(net: Net) -> None:
    first, second = paused(net)
    done = heard(FileSender().beginFileTransfer(io.BytesIO(CONTENT), first.transport))
    net.turn(5)
    assert done == []
    second.abort()
    net.until(lambda: first.lost and second.lost)
    assert done[0].type is ConnectionLost
