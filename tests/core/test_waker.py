"""The pipe that ends a loop's wait: rung from threads and signal handlers, one byte however often, never full."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Iterator

import pytest
from net import Net, descriptors
from patience import PATIENCE

from reactor._core.waker import Waker

default = pytest.mark.parametrize("net", ["default"], indirect=True)


@pytest.fixture
def waker() -> Iterator[Waker]:
    made = Waker()
    yield made
    made.close()


def rung(waker: Waker) -> bool:
    return bool(select.select([waker.fd], [], [], 0)[0])


def test_rungAndHeard(waker: Waker) -> None:
    assert not rung(waker)
    waker.ring()
    assert rung(waker)
    waker.readable()
    assert not rung(waker)
    waker.ring()
    assert rung(waker)


def test_H1_oneByteHoweverOften(waker: Waker) -> None:
    for _ in range(100_000):
        waker.ring()
    assert os.read(waker.fd, 100_000) == b"\0"


def test_S3_fullOfTheInterpretersBytes(waker: Waker) -> None:
    try:
        while True:
            os.write(waker.writer, b"\x02" * 4096)
    except BlockingIOError:
        pass
    waker.ring()
    assert rung(waker)
    waker.readable()
    assert not rung(waker)
    waker.ring()
    assert os.read(waker.fd, 10) == b"\0"


def test_neitherEndIsInherited(waker: Waker) -> None:
    assert not os.get_inheritable(waker.fd)
    assert not os.get_inheritable(waker.writer)
    assert not os.get_blocking(waker.fd)
    assert not os.get_blocking(waker.writer)


def test_closedOnce() -> None:
    before = descriptors()
    waker = Waker()
    assert len(descriptors()) == len(before) + 2
    waker.close()
    waker.close()
    assert descriptors() == before
    # Rung by a thread that did not hear: nothing happens.
    waker.ring()


def test_closedWhenNobodyRefersToIt() -> None:
    before = descriptors()
    Waker()
    assert descriptors() == before


def test_theReactorsOwn(net: Net) -> None:
    waker = net.reactor._loop.waker
    assert waker.internal()
    assert net.reactor.getReaders() == []
    assert net.reactor.removeAll() == []
    done: list[int] = []
    thread = threading.Thread(target=net.reactor.callFromThread, args=(done.append, 1))
    thread.start()
    net.reactor.iterate(5)
    net.until(lambda: done)
    thread.join()


@default
def test_H1_aHundredThousandCallsFromAThread(net: Net) -> None:
    count = 100_000
    done: list[int] = []

    def work() -> None:
        for n in range(count):
            net.reactor.callFromThread(done.append, n)

    thread = threading.Thread(target=work)
    thread.start()
    net.until(lambda: len(done) == count)
    thread.join()
    assert done == list(range(count))


@default
def test_H1_allAreQueuedBeforeTheLoopLooks(net: Net) -> None:
    count = 100_000
    done: list[int] = []
    threads = [
        threading.Thread(target=lambda: [net.reactor.callFromThread(done.append, n) for n in range(count // 4)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        # It waits for nobody: the pipe holds less than that many bytes.
        thread.join(PATIENCE)
        assert not thread.is_alive()
    net.until(lambda: len(done) == count)
    assert sorted(done) == sorted(list(range(count // 4)) * 4)
