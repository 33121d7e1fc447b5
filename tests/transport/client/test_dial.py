"""One attempt at one address, and the race of several: what is told, once, and what is closed."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
from net import Net, descriptors

from reactor._transport.client.attempt import Attempt, BindFailed, Dial

V4, V6 = socket.AF_INET, socket.AF_INET6
LOCAL = "127.0.0.1"
oneSelector = pytest.mark.parametrize("net", ["default"], indirect=True)
# Long beyond every deadline: what happens meanwhile did not wait for it.
NEVER = 1000.0
# A signal came before the kernel had begun to connect.
NOT_BEGUN = -1


class Told:
    """What attempts and dials tell, in order."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.heard: list[tuple[Any, ...]] = []

    def connected(self, attempt: Attempt, sock: socket.socket) -> None:
        self.heard.append(("connected", attempt, sock))
        self.net.reactor._loop.poller.forget(attempt)
        self.net.keep(sock)

    def failed(self, *args: Any) -> None:
        self.heard.append(("failed", *args))

    def attempt(self, target: Any, bindAddress: Any = None) -> Attempt:
        attempt = Attempt(self.net.reactor._loop, target, bindAddress, self.connected, self.failed)
        assert self.heard == [], "told before the constructor returned"
        return attempt

    def dial(self, *targets: Any, bindAddress: Any = None, attemptDelay: float = NEVER) -> Dial:
        dial = Dial(self.net.reactor._loop, targets, bindAddress, self.connected, self.failed, attemptDelay)
        assert self.heard == [], "told before the constructor returned"
        return dial

    def one(self) -> tuple[Any, ...]:
        """The one thing that is told, once it is."""
        self.net.until(lambda: self.heard)
        self.net.turn()
        assert len(self.heard) == 1, self.heard
        return self.heard[0]


@pytest.fixture
def told(net: Net) -> Told:
    return Told(net)


def at(port: int, host: str = LOCAL) -> tuple[int, tuple[Any, ...]]:
    return (V6, (host, port, 0, 0)) if ":" in host else (V4, (host, port))


def listening(net: Net, host: str = LOCAL) -> tuple[int, tuple[Any, ...]]:
    """The target of a plain listener."""
    if ":" not in host:
        return at(net.plainListener().getsockname()[1], host)
    sock = net.keep(socket.create_server((host, 0), family=V6))
    return at(sock.getsockname()[1], host)


# One attempt.


@pytest.mark.parametrize("host", [LOCAL, "::1"])
def test_anAttemptConnects(net: Net, told: Told, host: str) -> None:
    target = listening(net, host)
    attempt = told.attempt(target)
    what, who, sock = told.one()
    assert (what, who) == ("connected", attempt)
    assert sock.getpeername() == target[1]
    assert sock.gettimeout() == 0.0
    assert not sock.get_inheritable()
    # It is the callee's now.
    attempt.cancel()
    attempt.writable()
    assert sock.fileno() != -1 and len(told.heard) == 1


def test_anAttemptIsRefused(net: Net, told: Told) -> None:
    before = descriptors()
    attempt = told.attempt(at(net.closedPort()))
    what, who, problem = told.one()
    assert (what, who) == ("failed", attempt)
    assert isinstance(problem, OSError) and problem.errno == errno.ECONNREFUSED
    assert problem.__traceback__ is None
    assert descriptors() == before


@oneSelector
def test_whatFailsAtOnceIsToldLater(net: Net, told: Told) -> None:
    before = descriptors()
    # TCP to a multicast group.
    told.attempt(at(9, "224.0.0.1"))
    what, _, problem = told.one()
    assert what == "failed" and problem.errno == errno.ENETUNREACH
    # It was raised and is kept by the error that the program gets, without what that would keep alive.
    assert problem.__traceback__ is None and problem.__context__ is None
    assert descriptors() == before


@oneSelector
@pytest.mark.parametrize("sockaddr", [(LOCAL, 65536), (LOCAL, -1), (LOCAL, "1"), (LOCAL,), None])
def test_aTargetThatIsNoAddress(net: Net, told: Told, sockaddr: Any) -> None:
    before = descriptors()
    told.attempt((V4, sockaddr))
    what, _, problem = told.one()
    assert what == "failed" and problem.errno == errno.EINVAL
    assert repr(sockaddr) in problem.strerror
    assert descriptors() == before


@oneSelector
@pytest.mark.parametrize("turns", [0, 3])
def test_aCancelledAttemptTellsNothing(net: Net, told: Told, turns: int) -> None:
    port = net.silentPort()
    before = descriptors()
    attempt = told.attempt(at(port))
    net.turn(turns)
    attempt.cancel()
    assert descriptors() == before
    attempt.cancel()
    attempt.writable()
    net.turn()
    assert told.heard == []


@oneSelector
def test_anAttemptThatFailedAtOnceAndIsCancelled(net: Net, told: Told) -> None:
    told.attempt(at(9, "224.0.0.1")).cancel()
    net.turn()
    assert told.heard == []


@oneSelector
def test_aLocalAddress(net: Net, told: Told) -> None:
    told.attempt(listening(net), ("127.0.0.7", 0))
    _, _, sock = told.one()
    assert sock.getsockname()[0] == "127.0.0.7"


@oneSelector
@pytest.mark.parametrize("local", ["192.0.2.1", "2001:db8::1", "::1"])
def test_aLocalAddressThatIsNone(net: Net, told: Told, local: str) -> None:
    target = listening(net)
    before = descriptors()
    told.attempt(target, (local, 0))
    what, _, problem = told.one()
    assert what == "failed" and isinstance(problem, BindFailed)
    assert problem.errno == (errno.EADDRNOTAVAIL if local == "192.0.2.1" else socket.EAI_ADDRFAMILY)
    assert descriptors() == before


@pytest.mark.parametrize("host", [LOCAL, "0.0.0.0", "::1"])
def test_aSocketThatMetItselfIsRefused(net: Net, told: Told, host: str) -> None:
    # The kernel may choose the very port that is asked for; here it has no choice.
    local = "::1" if ":" in host else LOCAL
    port = net.closedPort(local)
    before = descriptors()
    told.attempt(at(port, host), (local, port))
    what, _, problem = told.one()
    assert what == "failed" and problem.errno == errno.ECONNREFUSED
    assert descriptors() == before


@oneSelector
def test_whoMetNobodyHasNotMetItself(net: Net, told: Told) -> None:
    # Reset between the kernel's word and our look at it.
    with socket.create_server((LOCAL, 0)) as sock:
        attempt = told.attempt((V4, sock.getsockname()))
        assert not attempt._toItself(sock)
        attempt.cancel()


@oneSelector
def test_theReactorStopsDuringAnAttempt(net: Net, told: Told) -> None:
    told.attempt(at(net.silentPort()))
    net.stopReactor()
    what, _, problem = told.one()
    assert what == "failed" and problem.errno == errno.ECONNABORTED


# The race of several.


@oneSelector
def test_theFirstAddressAnswers(net: Net, told: Told) -> None:
    good, other = listening(net), listening(net)
    told.dial(good, other)
    what, attempt, _ = told.one()
    assert (what, attempt.target) == ("connected", good)
    assert net.reactor.getDelayedCalls() == []


def test_theNextAddressAtOnceWhenOneFails(net: Net, told: Told) -> None:
    good = listening(net)
    dial = told.dial(at(net.closedPort()), at(9, "224.0.0.1"), good)
    what, attempt, _ = told.one()
    assert (what, attempt.target) == ("connected", good)
    assert [problem.errno for _, problem in dial.tried] == [errno.ECONNREFUSED, errno.ENETUNREACH]  # type: ignore[attr-defined]
    assert net.reactor.getDelayedCalls() == []


@oneSelector
def test_theNextAddressAfterADelay(net: Net, told: Told) -> None:
    silent, good = at(net.silentPort()), listening(net)
    began, before = time.monotonic(), len(descriptors())
    dial = told.dial(silent, good, attemptDelay=0.05)
    net.turn()
    assert len(descriptors()) == before + 1
    what, attempt, _ = told.one()
    assert (what, attempt.target) == ("connected", good)
    assert time.monotonic() - began >= 0.05
    # The one that did not answer is closed.
    assert len(descriptors()) == before + 1
    assert dial.tried == []


@oneSelector
def test_theDelayBeginsAnewWithEachAddress(net: Net, told: Told) -> None:
    silent = [at(net.silentPort()) for _ in range(3)]
    began = time.monotonic()
    told.dial(*silent, listening(net), attemptDelay=0.03)
    told.one()
    assert time.monotonic() - began >= 0.09


@oneSelector
def test_oneThatFailsBringsTheNextForward(net: Net, told: Told) -> None:
    silent, closed, good = at(net.silentPort()), at(net.closedPort()), listening(net)
    dial = told.dial(silent, closed, good, attemptDelay=0.02)
    # After a delay the second is tried, and refused: then the third waits for nothing.
    dial._delay = NEVER
    what, attempt, _ = told.one()
    assert (what, attempt.target) == ("connected", good)
    assert net.reactor.getDelayedCalls() == []


def test_twoThatAnswerAtTheSameTime(net: Net, told: Told) -> None:
    first, second = listening(net), listening(net)
    before = len(descriptors())
    told.dial(first, second, attemptDelay=0)
    what, attempt, sock = told.one()
    assert what == "connected" and sock.getpeername() == attempt.target[1]
    assert len(descriptors()) == before + 1


@oneSelector
def test_allAddressesFail(net: Net, told: Told) -> None:
    before = descriptors()
    refused, unreachable = at(net.closedPort()), at(9, "224.0.0.1")
    dial = told.dial(refused, unreachable)
    what, failures = told.one()
    assert what == "failed"
    assert [target for target, _ in failures] == [refused, unreachable]
    assert [problem.errno for _, problem in failures] == [errno.ECONNREFUSED, errno.ENETUNREACH]
    assert dial.tried == failures
    assert descriptors() == before and net.reactor.getDelayedCalls() == []


@oneSelector
def test_theLastToFailIsTheLastToldOf(net: Net, told: Told) -> None:
    # The silent one is reset after the refused one was, though it was tried first.
    listener = net.plainListener(0)
    silent = at(listener.getsockname()[1])
    net.keep(socket.create_connection(silent[1]))
    refused = at(net.closedPort())
    dial = told.dial(silent, refused, attemptDelay=0.01)
    net.until(lambda: len(dial._race.failures) == 1)
    assert told.heard == []
    assert [(target, problem.errno) for target, problem in dial.tried] == [  # type: ignore[attr-defined]
        (refused, errno.ECONNREFUSED),
        (silent, errno.EINPROGRESS),
    ]
    dial._attempts[0]._fail(OSError(errno.ETIMEDOUT, "timed out"))
    what, failures = told.one()
    assert what == "failed" and [target for target, _ in failures] == [refused, silent]


@oneSelector
@pytest.mark.parametrize("count", [1, 3])
def test_cancelClosesAll(net: Net, told: Told, count: int) -> None:
    silent = [at(net.silentPort()) for _ in range(3)]
    before = descriptors()
    dial = told.dial(*silent, attemptDelay=NEVER if count == 1 else 0)
    net.until(lambda: len(descriptors()) == len(before) + count)
    dial.cancel()
    assert descriptors() == before and net.reactor.getDelayedCalls() == []
    dial.cancel()
    net.turn()
    assert told.heard == [] and descriptors() == before


@oneSelector
def test_cancelBeforeAFailureIsTold(net: Net, told: Told) -> None:
    dial = told.dial(at(9, "224.0.0.1"), listening(net))
    dial.cancel()
    net.turn()
    assert told.heard == [] and dial.tried == []


@oneSelector
@pytest.mark.parametrize(("local", "reached"), [("127.0.0.7", LOCAL), ("::1", "::1")])
def test_onlyAddressesOfTheLocalOnesFamily(net: Net, told: Told, local: str, reached: str) -> None:
    told.dial(listening(net, "::1"), listening(net), bindAddress=(local, 0))
    what, attempt, sock = told.one()
    assert what == "connected" and attempt.target[1][0] == reached
    assert sock.getsockname()[0] == local


@oneSelector
def test_whatIsOfTheOtherFamilyIsNotTried(net: Net, told: Told) -> None:
    refused = at(net.closedPort())
    told.dial(refused, listening(net, "::1"), bindAddress=(LOCAL, 0))
    what, failures = told.one()
    assert what == "failed" and [target for target, _ in failures] == [refused]


@oneSelector
def test_noAddressOfTheLocalOnesFamily(net: Net, told: Told) -> None:
    told.dial(listening(net, "::1"), bindAddress=(LOCAL, 0))
    what, failures = told.one()
    assert what == "failed" and isinstance(failures[0][1], BindFailed)


@oneSelector
@pytest.mark.parametrize("reached", [LOCAL, "::1"])
def test_aLocalPortOnAnyAddress(net: Net, told: Told, reached: str) -> None:
    port = net.closedPort(reached)
    other = "::1" if reached == LOCAL else LOCAL
    told.dial(listening(net, reached), listening(net, other), bindAddress=("", port))
    what, _, sock = told.one()
    assert what == "connected" and sock.getsockname()[:2] == (reached, port)


def interrupted(*answers: int | None) -> Callable[..., int]:
    """A `connect_ex` that gives these answers in turn; None is the kernel's own. The kernel is asked each time, except
    for NOT_BEGUN.
    """
    real, left = socket.socket.connect_ex, iter(answers)

    def connect_ex(sock: socket.socket, sockaddr: Any) -> int:
        answer = next(left)
        if answer == NOT_BEGUN:
            return errno.EINTR
        own = real(sock, sockaddr)
        return own if answer is None else answer

    return connect_ex


@oneSelector
@pytest.mark.parametrize(
    "answers",
    [
        # The kernel had not begun; had begun; says so; says that it has ended by now.
        (NOT_BEGUN, None),
        (errno.EINTR, None),
        (errno.EINTR, errno.EALREADY),
        (errno.EINTR, errno.EISCONN),
    ],
)
def test_aConnectThatASignalInterrupts(
    net: Net, told: Told, monkeypatch: pytest.MonkeyPatch, answers: tuple[int | None, ...]
) -> None:
    target = listening(net)
    monkeypatch.setattr(socket.socket, "connect_ex", interrupted(*answers))
    told.attempt(target)
    what, _, sock = told.one()
    assert what == "connected" and sock.getpeername() == target[1]


@oneSelector
@pytest.mark.parametrize("first", [NOT_BEGUN, errno.EINTR])
def test_aConnectThatASignalInterruptsAndThatIsRefused(
    net: Net, told: Told, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    target = at(net.closedPort())
    monkeypatch.setattr(socket.socket, "connect_ex", interrupted(first, None))
    told.attempt(target)
    what, _, problem = told.one()
    assert what == "failed" and problem.errno == errno.ECONNREFUSED
