"""permessage-deflate, RFC 7692: each test is named after the section."""

from __future__ import annotations

import os
import time
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire import BINARY, CONTINUATION, PING, TEXT, End, built

from protocols.websocket import CloseCode
from protocols.websocket._deflate import Deflate
from protocols.websocket._frames import FIN, RSV1

COMPRESSED = FIN | RSV1


def deflating(fresh: bool = False, bits: int = 15) -> Deflate:
    return Deflate(bits, bits, fresh, fresh, 6)


def server(**options: object) -> End:
    return End(deflate=deflating(), **options)


def test_7_2_3_1_aMessageOfOneBlock() -> None:
    assert server().receive(built(COMPRESSED | TEXT, b"\xf2\x48\xcd\xc9\xc9\x07\x00")).messages == ["Hello"]


def test_7_2_3_1_aMessageInFragments() -> None:
    end = server().receive(built(RSV1 | TEXT, b"\xf2\x48\xcd"), built(FIN | PING), built(FIN, b"\xc9\xc9\x07\x00"))
    assert end.messages == ["Hello"]


def test_7_2_3_2_theWindowIsSharedByMessages() -> None:
    end = server().receive(built(COMPRESSED | TEXT, b"\xf2\x48\xcd\xc9\xc9\x07\x00"))
    assert end.receive(built(COMPRESSED | TEXT, b"\xf2\x00\x11\x00\x00")).messages == ["Hello", "Hello"]


def test_7_2_3_3_aBlockWithoutCompression() -> None:
    assert server().receive(built(COMPRESSED | TEXT, b"\x00\x05\x00\xfa\xffHello\x00")).messages == ["Hello"]


def test_7_2_3_4_aBlockThatSaysItIsTheLast() -> None:
    end = server().receive(built(COMPRESSED | TEXT, b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00"))
    assert end.receive(built(COMPRESSED | TEXT, b"\xf2\x48\xcd\xc9\xc9\x07\x00")).messages == ["Hello", "Hello"]


def test_7_2_3_5_twoBlocksInAMessage() -> None:
    data = b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"
    assert server().receive(built(COMPRESSED | TEXT, data)).messages == ["Hello"]


def test_7_2_3_6_anEmptyMessage() -> None:
    assert server().receive(built(COMPRESSED | TEXT, b"\x00")).messages == [""]


def test_6_1_messagesThatAreNotCompressedMayComeAnyTime() -> None:
    end = server().receive(built(FIN | TEXT, b"a"), built(TEXT, b"b"), built(FIN, b"c"))
    assert end.messages == ["a", "bc"]


@pytest.mark.parametrize("first", [RSV1 | CONTINUATION, COMPRESSED | PING, COMPRESSED | 0x20 | TEXT, 0x90 | TEXT])
def test_6_1_theBitStandsWhereAMessageBegins(first: int) -> None:
    assert server().receive(built(RSV1 | TEXT, b""), built(first)).events == [("failed", CloseCode.PROTOCOL_ERROR)]


def test_7_2_1_whatIsSentIsCompressedAndReadAgain() -> None:
    for fresh in (False, True):
        end, other = End(deflate=deflating(fresh, 9)), End(client=True, deflate=deflating(fresh, 9))
        messages = [b"", b"x" * 5000, os.urandom(3000), b"x" * 5000]
        for message in messages:
            end.write(end.session.pack(FIN | BINARY, message))
        assert len(end.written) < 3200
        assert other.receive(end.written).messages == messages


@given(st.lists(st.text(max_size=500), max_size=5), st.integers(9, 15), st.booleans(), st.integers(1, 50))
@settings(max_examples=40)
def test_everyMessageComesBackHoweverCut(messages: list[str], bits: int, fresh: bool, step: int) -> None:
    end, other = End(True, deflating(fresh, bits)), End(False, deflating(fresh, bits))
    for message in messages:
        end.write(end.session.pack(FIN | TEXT, message.encode()))
    data = end.written
    other.receive(*[data[at : at + step] for at in range(0, len(data), step)])
    assert other.messages == messages and other.events == []


def test_whatIsNotDeflateFails() -> None:
    assert server().receive(built(COMPRESSED | TEXT, b"\xff\xff\xff")).events == [("failed", CloseCode.INVALID_DATA)]


def test_inflatedTextIsUTF8AndIsLookedAtPieceByPiece() -> None:
    deflater = zlib.compressobj(wbits=-15)
    bad = deflater.compress(b"\xff" + os.urandom(5000)) + deflater.flush(zlib.Z_SYNC_FLUSH)
    assert server().receive(built(RSV1 | TEXT, bad[:4000])).events == [("failed", CloseCode.INVALID_DATA)]


def bomb(size: int) -> bytes:
    deflater = zlib.compressobj(9, wbits=-15)
    pieces = [deflater.compress(bytes(1 << 20)) for _ in range(size >> 20)]
    return b"".join(pieces) + deflater.flush(zlib.Z_SYNC_FLUSH)


def test_S_websocket_aBombTakesWhatTheLimitAllows() -> None:
    data = built(COMPRESSED | BINARY, bomb(64 << 20))
    assert len(data) < 100_000
    end = server(maxMessage=1 << 20)
    tracemalloc.start()
    try:
        end.receive(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert end.events == [("failed", CloseCode.TOO_BIG)] and peak < 5 << 20


def test_8_theLimitIsExact() -> None:
    for size, outcome in ((1 << 20, []), ((1 << 20) + 1, [("failed", CloseCode.TOO_BIG)])):
        deflater = zlib.compressobj(wbits=-15)
        data = deflater.compress(bytes(size)) + deflater.flush(zlib.Z_SYNC_FLUSH)
        for step in (len(data), 100):
            end = server(maxMessage=1 << 20)
            pieces = [data[at : at + step] for at in range(0, len(data) - 4, step)]
            frames = [built((RSV1 | BINARY) if not at else 0, each) for at, each in enumerate(pieces)]
            assert end.receive(*frames, built(FIN)).events == outcome


def test_8_aMessageOfManyStreamsEnds() -> None:
    end = server()
    before = time.process_time()
    end.receive(built(COMPRESSED | BINARY, b"\x03\x00" * 500_000))
    assert end.events == [("failed", CloseCode.INVALID_DATA)]
    assert time.process_time() - before < 2
