"""Fields are split by a parser that is used again and again: none of them may notice what came before."""

from __future__ import annotations

import random
import subprocess
import sys
import threading

import pytest

from protocols.http.error import BadMessage
from protocols.http.h1 import splitting
from protocols.http.h1.splitting import readFields

BLOCKS = (
    b"\r\n",
    b"Host: a\r\n\r\n",
    b"Connection: close\r\nContent-Length: 2\r\n\r\n",
    b"Content-Length: 99\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n\r\n",
    b"Transfer-Encoding: gzip\r\nconnection: CLOSE\r\n\r\n",
    b"Connection: upgrade\r\nUpgrade: x\r\n\r\n",
    b"A: b\r\nA: c\r\na: d\r\n\r\n",
    b"Keep-Alive: x\r\nProxy-Connection: keep-alive\r\nProxy-Connection: close\r\n\r\n",
    b"A: b \r\nB:\t\t\r\nC: d\t\r\n\r\n",
)
BAD = (
    *(b"A : b\r\n\r\n", b"A\r\n\r\n", b"A: b\n\r\n", b"A: b\r\n c\r\n\r\n", b"A: \0\r\n\r\n", b"A: b\rB: c\r\n\r\n"),
    *(b": a\r\n\r\n", b"\n\r\n", b"A: b\r\n\n\r\n", b"\r\nA: b\r\n\r\n", b"A: b\r\n\r\nHTTP/1.1 304 \r\n\r\n"),
)


def plainly(block: bytes) -> list[tuple[bytes, bytes]]:
    lines = [line.split(b":", 1) for line in block.split(b"\r\n")[:-2]]
    return [(name, value.strip(b" \t")) for name, value in lines]


def test_what_came_before_does_not_matter() -> None:
    order = random.Random(3)
    for _ in range(2000):
        block = order.choice(BLOCKS)
        pairs, named = readFields(block)
        assert pairs == plainly(block)
        assert named is None or list(named.items()) == pairs
        if order.random() < 0.2:
            with pytest.raises(BadMessage):
                readFields(order.choice(BAD))
    assert len(splitting._free) <= 1


@pytest.mark.parametrize("block", BLOCKS)
def test_the_same_a_hundred_times(block: bytes) -> None:
    for _ in range(100):
        assert readFields(block)[0] == plainly(block)


@pytest.mark.parametrize("byte", range(256))
def test_each_byte_in_a_name_and_in_a_value(byte: int) -> None:
    one = bytes([byte])
    token = b"!#$%&'*+-.^_`|~" + bytes(range(48, 58)) + bytes(range(65, 91)) + bytes(range(97, 123))
    text = b"\t" + bytes(range(32, 127)) + bytes(range(128, 256))
    for block, isGood in (
        *((b"A" + one + b"B: x\r\n\r\n", one in token), (one + b"B: x\r\n\r\n", one in token)),
        *((b"A" + one + b": x\r\n\r\n", one in token), (b"A: x" + one + b"y\r\n\r\n", one in text)),
        *((b"A: " + one + b"y\r\n\r\n", one in text), (b"A: y" + one + b"\r\n\r\n", one in text)),
        (b"A:" + one + b"\r\n\r\n", one in text),
    ):
        if one == b":" and block.startswith(b"A:"):
            isGood = True  # it ends the name, and is part of the value behind it
        if isGood:
            assert readFields(block)[0] == plainly(block)
        else:
            with pytest.raises(BadMessage):
                readFields(block)


def test_several_threads_have_a_parser_each() -> None:
    wrong: list[object] = []

    def read() -> None:
        order = random.Random(threading.get_ident())
        for _ in range(3000):
            block = order.choice(BLOCKS)
            if readFields(block)[0] != plainly(block):
                wrong.append(block)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert wrong == []


def test_without_httptools_it_says_which_extra_is_missing() -> None:
    program = "import sys; sys.modules['httptools'] = None; import protocols.http; import protocols.http.h1"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stderr.splitlines()[-1] == "ImportError: HTTP needs httptools: pip install 'reactor-loop[http]'"
