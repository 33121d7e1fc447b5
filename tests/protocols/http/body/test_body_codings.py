"""Content codings undone: whole, cut at every byte, cut off, twice, with something behind, and bombs."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib
from collections.abc import Callable

import brotli
import pytest

from protocols.http.body import codings
from protocols.http.body.codings import PIECE, Decoder, acceptable, codingsOf
from protocols.http.error import BadMessage, Incomplete

TEXT = b"".join(b"line %d of a text that can be compressed\n" % number for number in range(2000)) + random.Random(
    1
).randbytes(3000)


def raw(data: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(data) + deflater.flush()


def zstd(data: bytes) -> bytes:
    return bytes(codings._zstdModule().compress(data))


CODED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw),
    "br": ("br", lambda data: bytes(brotli.compress(data, quality=1))),
    "zstd": ("zstd", zstd),
}


def decode(names: list[str], data: bytes, cut: int = 1 << 20) -> bytes:
    decoder = Decoder(names)
    out = []
    for at in range(0, len(data), cut):
        decoder.feed(data[at : at + cut])
        while piece := decoder.take():
            out.append(piece)
    decoder.end()
    return b"".join(out)


@pytest.fixture(params=sorted(CODED))
def coding(request: pytest.FixtureRequest) -> tuple[str, Callable[[bytes], bytes]]:
    return CODED[request.param]


def test_what_was_coded_comes_back(coding: tuple[str, Callable[[bytes], bytes]]) -> None:
    name, encode = coding
    for data in (b"", b"x", TEXT, bytes(300_000)):
        assert decode([name], encode(data)) == data
        assert decode([name], encode(data), 1 if len(data) < 100 else 7) == data


def test_what_is_cut_off_is_incomplete(coding: tuple[str, Callable[[bytes], bytes]]) -> None:
    name, encode = coding
    whole = encode(b"some text, some text, some text")
    for length in range(1, len(whole)):
        with pytest.raises(Incomplete, match=f"coded with {name}"):
            decode([name], whole[:length])
    assert decode([name], b"") == b""


def test_what_stands_behind_the_end_is_refused(coding: tuple[str, Callable[[bytes], bytes]]) -> None:
    name, encode = coding
    for rest in (b"x", b"garbage behind", bytes(10)):
        for cut in (1, 1000):
            with pytest.raises((BadMessage, Incomplete)):
                decode([name], encode(b"text") + rest, cut)


def test_what_is_not_coded_so_is_refused(coding: tuple[str, Callable[[bytes], bytes]]) -> None:
    name, _ = coding
    with pytest.raises(BadMessage, match=f"no {name}"):
        decode([name], b"\xff\xfe this is text and nothing else" * 10)


def test_a_flipped_bit_is_noticed_or_decoded_within_bounds() -> None:
    whole = bytearray(gzip.compress(b"some text"))
    whole[-6] ^= 1
    with pytest.raises(BadMessage, match="no gzip"):
        decode(["gzip"], bytes(whole))


def test_members_and_frames_may_follow_each_other() -> None:
    for name in ("gzip", "zstd"):
        encode = CODED[name][1]
        for cut in (1, 1000):
            assert decode([name], encode(b"one ") + encode(b"two ") + encode(b"three"), cut) == b"one two three"


def test_several_codings_lie_over_each_other() -> None:
    data = gzip.compress(zlib.compress(brotli.compress(zstd(TEXT))))
    for cut in (5, 1 << 20):
        assert decode(["zstd", "br", "deflate", "gzip"], data, cut) == TEXT
    assert decode(["gzip", "gzip"], gzip.compress(gzip.compress(TEXT))) == TEXT
    with pytest.raises(Incomplete):
        decode(["gzip", "gzip"], gzip.compress(gzip.compress(TEXT)[:-1]))
    with pytest.raises(BadMessage, match="4 are allowed"):
        Decoder(["gzip"] * 5)


def test_a_bomb_comes_in_pieces(coding: tuple[str, Callable[[bytes], bytes]]) -> None:
    name, encode = coding
    bomb = encode(bytes(16 << 20))
    tracemalloc.start()
    try:
        decoder = Decoder([name])
        decoder.feed(bomb)
        total = 0
        while piece := decoder.take():
            # Brotli's library rounds up.
            assert len(piece) <= 4 * PIECE
            total += len(piece)
        decoder.end()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == decoder.given == 16 << 20
    assert peak < 4 << 20


def test_a_bomb_in_a_bomb() -> None:
    decoder = Decoder(["gzip", "gzip"])
    decoder.feed(gzip.compress(gzip.compress(bytes(16 << 20))))
    for _ in range(100):
        assert len(decoder.take()) == PIECE


def test_unknown_codings_are_refused_and_known_ones_named() -> None:
    with pytest.raises(BadMessage, match="'compress' is not known"):
        Decoder(["compress"])
    assert acceptable() == "gzip, deflate, br, zstd"
    assert codingsOf(" GZip , identity,, br") == ["gzip", "br"]


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "brotli", None)
    with pytest.raises(BadMessage, match=r"reactor-loop\[brotli\]"):
        Decoder(["br"])
