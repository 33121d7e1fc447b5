"""What every backend of the poller has to do, ours on epoll and each selector of the standard library; and what the
poller makes of it: reading that is disarmed late, descriptors that are reused, a process that forks."""

from __future__ import annotations

import os
import select
import selectors
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from script import script

from reactor._core.poller import ERROR, READ, WRITE, Poller, Watch
from reactor.failure import Failure

BACKENDS = ["default", "SelectSelector", "PollSelector", "EpollSelector"]


class Recorded(Watch):
    """A watch that keeps what it is told."""

    def __init__(self, fd: int) -> None:
        super().__init__(fd)
        self.told: list[str] = []

    def readable(self) -> None:
        self.told.append("readable")

    def writable(self) -> None:
        self.told.append("writable")

    def disconnect(self, reason: Failure) -> None:
        self.told.append("disconnect")


@pytest.fixture(params=BACKENDS)
def poller(request: pytest.FixtureRequest) -> Iterator[Poller]:
    name = request.param
    if name != "default" and not hasattr(selectors, name):
        pytest.skip(f"no {name} on this system")
    made = Poller(None if name == "default" else getattr(selectors, name)())
    yield made
    made.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        yield ours, theirs


Pair = tuple[socket.socket, socket.socket]


def happened(poller: Poller, timeout: float = 5.0) -> dict[int, int]:
    return dict(poller.poll(timeout))


def fill(sock: socket.socket) -> None:
    try:
        while True:
            sock.send(b"x" * 65536)
    except BlockingIOError:
        pass


# The contract of a backend, as far as the loop relies on it.


def test_nothingHappens(poller: Poller, pair: Pair) -> None:
    poller.add(Recorded(pair[0].fileno()), READ)
    assert happened(poller, 0.0) == {}
    assert happened(poller, 0.001) == {}


def test_nothingIsWatched(poller: Poller) -> None:
    assert happened(poller, 0.0) == {}
    assert happened(poller, 0.001) == {}


def test_readable(poller: Poller, pair: Pair) -> None:
    fd = pair[0].fileno()
    poller.add(Recorded(fd), READ)
    pair[1].send(b"x")
    assert happened(poller) == {fd: READ}
    # Level-triggered: it stays so until it is read.
    assert happened(poller) == {fd: READ}
    pair[0].recv(1)
    assert happened(poller, 0.0) == {}


def test_aWaitWithoutEndIsNegative(poller: Poller, pair: Pair) -> None:
    fd = pair[0].fileno()
    poller.add(Recorded(fd), READ)
    pair[1].send(b"x")
    assert happened(poller, -1.0) == {fd: READ}


def test_writable(poller: Poller, pair: Pair) -> None:
    fd = pair[0].fileno()
    poller.add(Recorded(fd), WRITE)
    assert happened(poller) == {fd: WRITE}
    fill(pair[0])
    assert happened(poller, 0.0) == {}


def test_both(poller: Poller, pair: Pair) -> None:
    fd = pair[0].fileno()
    poller.add(Recorded(fd), READ | WRITE)
    assert happened(poller) == {fd: WRITE}
    pair[1].send(b"x")
    assert happened(poller) == {fd: READ | WRITE}


def test_oneOfTwo(poller: Poller, pair: Pair) -> None:
    ours, theirs = pair[0].fileno(), pair[1].fileno()
    poller.add(Recorded(ours), READ)
    poller.add(Recorded(theirs), READ)
    pair[1].send(b"x")
    assert happened(poller) == {ours: READ}
    pair[0].send(b"x")
    assert happened(poller) == {ours: READ, theirs: READ}


def test_theEndIsReadable(poller: Poller, pair: Pair) -> None:
    fd = pair[0].fileno()
    poller.add(Recorded(fd), READ)
    pair[1].shutdown(socket.SHUT_WR)
    assert happened(poller)[fd] & READ


def test_whoOnlyWritesHearsOfAnError(poller: Poller) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 65536)
    except BlockingIOError:
        pass
    poller.add(Recorded(writer), WRITE)
    assert happened(poller, 0.0) == {}
    os.close(reader)
    assert happened(poller)[writer] & (WRITE | ERROR)
    os.close(writer)


def test_whatIsForgottenIsSilent(poller: Poller, pair: Pair) -> None:
    watch = Recorded(pair[0].fileno())
    poller.add(watch, READ | WRITE)
    poller.forget(watch)
    assert happened(poller, 0.0) == {}
    assert poller.watches == {}
    # Again is harmless, and it can be added anew.
    poller.forget(watch)
    poller.add(watch, WRITE)
    assert happened(poller) == {watch.fd: WRITE}


def test_interestComesAndGoes(poller: Poller, pair: Pair) -> None:
    fd = pair[0].fileno()
    watch = Recorded(fd)
    pair[1].send(b"x")
    poller.add(watch, READ)
    poller.want(watch, WRITE)
    assert (watch.interest, watch.armed) == (READ | WRITE, READ | WRITE)
    assert happened(poller) == {fd: READ | WRITE}
    poller.drop(watch, WRITE)
    assert (watch.interest, watch.armed) == (READ, READ)
    assert happened(poller) == {fd: READ}


# What the poller makes of it.


def test_readingIsDisarmedWhenAnEventReallyComes(poller: Poller, pair: Pair) -> None:
    fd = pair[0].fileno()
    watch = Recorded(fd)
    poller.add(watch, READ)
    poller.drop(watch, READ)
    # The kernel was not told.
    assert (watch.interest, watch.armed) == (0, READ)
    # It pays when the interest comes back before an event does.
    poller.want(watch, READ)
    assert (watch.interest, watch.armed) == (READ, READ)
    poller.drop(watch, READ)
    pair[1].send(b"x")
    assert happened(poller) == {fd: READ}
    poller.spurious(watch)
    assert (watch.interest, watch.armed) == (0, 0)
    assert happened(poller, 0.0) == {}
    poller.want(watch, READ)
    assert happened(poller) == {fd: READ}


def test_writingStaysArmedWhenReadingIsDisarmed(poller: Poller, pair: Pair) -> None:
    fd = pair[0].fileno()
    watch = Recorded(fd)
    poller.add(watch, READ | WRITE)
    poller.drop(watch, READ)
    pair[1].send(b"x")
    assert happened(poller) == {fd: READ | WRITE}
    poller.spurious(watch)
    assert (watch.interest, watch.armed) == (WRITE, WRITE)
    assert happened(poller) == {fd: WRITE}


def test_aPausedWatchWhosePeerIsGoneIsSilent(poller: Poller, pair: Pair) -> None:
    watch = Recorded(pair[0].fileno())
    poller.add(watch, READ)
    poller.drop(watch, READ)
    pair[1].close()
    # The kernel reports a hang-up even for an empty mask, so it must not be registered at all.
    happened(poller)
    poller.spurious(watch)
    assert happened(poller, 0.0) == {}
    poller.want(watch, READ)
    assert happened(poller)[watch.fd] & READ


def test_knownButNotArmed(poller: Poller, pair: Pair) -> None:
    watch = Recorded(pair[0].fileno())
    pair[1].send(b"x")
    poller.add(watch, 0)
    assert poller.watches == {watch.fd: watch}
    assert happened(poller, 0.0) == {}
    poller.want(watch, READ)
    assert happened(poller) == {watch.fd: READ}
    poller.drop(watch, READ)
    poller.spurious(watch)
    poller.forget(watch)
    assert poller.watches == {}


def test_aWatchInheritsADescriptor(poller: Poller, pair: Pair) -> None:
    fd = pair[0].fileno()
    before, after = Recorded(fd), Recorded(fd)
    poller.add(before, WRITE)
    poller.inherit(after, before)
    # The kernel still watches for what the first one wanted, and whoever asks for something else tells it.
    assert poller.watches == {fd: after}
    assert (after.interest, after.armed, before.interest, before.armed) == (0, WRITE, 0, 0)
    poller.only(after, READ)
    assert (after.interest, after.armed) == (READ, READ)
    assert happened(poller, 0.0) == {}
    pair[1].send(b"x")
    assert happened(poller) == {fd: READ}
    # It is nothing of the first one's any more.
    poller.forget(before)
    assert poller.watches == {fd: after}


def test_whatWasInheritedAndNeverWantedIsSilencedOrForgotten(poller: Poller, pair: Pair) -> None:
    fd = pair[0].fileno()
    for end in (poller.spurious, poller.forget):
        before, after = Recorded(fd), Recorded(fd)
        poller.add(before, WRITE)
        poller.inherit(after, before)
        assert happened(poller) == {fd: WRITE}
        end(after)
        assert (after.interest, after.armed) == (0, 0)
        assert happened(poller, 0.0) == {}
        poller.forget(after)


def test_F4_noDescriptor(poller: Poller) -> None:
    with pytest.raises(ValueError, match=r"has no descriptor to watch: its fileno\(\) is -1"):
        poller.add(Recorded(-1), READ)
    assert poller.watches == {}


def test_watchedForSomebodyElse(poller: Poller, pair: Pair) -> None:
    first, second = Recorded(pair[0].fileno()), Recorded(pair[0].fileno())
    poller.add(first, READ)
    with pytest.raises(ValueError, match="is watched already, for <"):
        poller.add(second, READ)
    poller.forget(second)
    assert poller.watches == {first.fd: first}
    pair[1].send(b"x")
    assert happened(poller) == {first.fd: READ}


def test_closedBeforeItWasForgotten(poller: Poller, pair: Pair) -> None:
    fd = os.dup(pair[0].fileno())
    watch = Recorded(fd)
    poller.add(watch, READ)
    os.close(fd)
    poller.forget(watch)
    # Epoll goes on telling of what somebody else has open, under this number: that is remembered, and nobody's to see.
    assert [each for each in poller.watches.values() if not each.internal()] == []
    assert not poller.doubtful
    again = os.dup(pair[1].fileno())
    assert again == fd
    other = Recorded(again)
    poller.add(other, WRITE)
    assert poller.watches == {again: other}
    if poller.doubtful:
        assert poller.renew() == []
    assert happened(poller) == {again: WRITE}
    poller.forget(other)
    os.close(again)


def test_freshUntilTheNextPoll(poller: Poller, pair: Pair) -> None:
    watch = Recorded(pair[0].fileno())
    poller.add(watch, READ)
    assert poller.fresh == {watch.fd}


def test_withoutEpoll(monkeypatch: pytest.MonkeyPatch, pair: Pair) -> None:
    """The best that the standard library knows for the system."""
    if hasattr(select, "epoll"):
        monkeypatch.delattr(select, "epoll")
    poller = Poller()
    poller.add(Recorded(pair[0].fileno()), WRITE)
    assert happened(poller) == {pair[0].fileno(): WRITE}
    poller.close()


def test_whatASubclassHasToSay() -> None:
    watch = Watch(7)
    assert (watch.public(), watch.internal()) == (watch, False)
    told: list[Any] = [watch.readable, watch.writable, lambda: watch.disconnect(Failure(KeyError()))]
    for method in told:
        with pytest.raises(NotImplementedError):
            method()


# Forks. The child shares the parent's epoll set; what it took out there, the parent would never hear of again.


@pytest.mark.parametrize("name", ["default", "SelectSelector", "PollSelector"])
@pytest.mark.parametrize(
    "call",
    [
        "port.stopListening()",
        "reactor.removeAll()",
        "reactor.listenTCP(0, Factory())",
        "reactor.connectTCP('127.0.0.1', port.getHost().port, ClientFactory())",
        "reactor.run()",
        "reactor.iterate()",
    ],
)
def test_F5_aForkRefuses(name: str, call: str) -> None:
    printed = script(
        """
        import os, selectors, socket, sys
        from reactor.base import Reactor
        from reactor.protocol import ClientFactory, Factory, Protocol
        name, call = sys.argv[1:]
        reactor = Reactor(None if name == "default" else getattr(selectors, name)())
        class Closes(Factory):
            noisy = False
            def buildProtocol(self, addr):
                reactor.stop()
        port = reactor.listenTCP(0, Closes(), interface="127.0.0.1")
        child = os.fork()
        if not child:
            try:
                eval(call)
                reactor.iterate()
            except RuntimeError as e:
                assert f"belongs to process {os.getppid()} and cannot be used in its fork" in str(e)
                os._exit(7)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        # The parent's port still hears of clients.
        with socket.create_connection(("127.0.0.1", port.getHost().port)) as client:
            reactor.run()
            print(client.recv(1))
        """,
        name,
        call,
    )
    assert printed == ["7", "b''"]


def test_F5_aForkInsideACallbackMakesItsOwn() -> None:
    printed = script(
        """
        import os
        from reactor.base import Reactor
        reactor = Reactor()
        def inside():
            child = os.fork()
            if not child:
                own = Reactor()
                own.callLater(0, print, "the child's runs", flush=True)
                own.callLater(0, own.stop)
                own.run()
                os._exit(0)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            reactor.stop()
        reactor.callWhenRunning(inside)
        reactor.run()
        """
    )
    assert printed == ["the child's runs", "0"]
