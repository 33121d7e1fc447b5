"""Names to addresses: literals at once, names in threads, and other resolvers in the place of ours."""

from __future__ import annotations

import errno
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from net import DEADLINE, Net
from zope.interface.verify import verifyObject

from reactor._transport.client.admission import AT_ONCE, MOST, Admission
from reactor._transport.client.hosts import Hosts
from reactor._transport.client.lookup import LookUp
from reactor._transport.client.resolver import HostResolution, SimpleResolver, ThreadedResolver
from reactor.address import IPv4Address, IPv6Address
from reactor.defer import CancelledError, Deferred, fail, succeed
from reactor.error import DNSLookupError, TimeoutError
from reactor.interfaces import IHostnameResolver, IHostResolution, IResolutionReceiver

V4, V6 = socket.AF_INET, socket.AF_INET6
# None of these tests needs what the kinds of selectors differ in.
pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


class Receiver:
    """Keeps what a resolver tells."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.resolution: Any = None

    def resolutionBegan(self, resolutionInProgress: Any) -> None:
        assert self.resolution is None
        self.resolution = resolutionInProgress

    def addressResolved(self, address: Any) -> None:
        assert self.resolution is not None
        self.told.append(address)

    def resolutionComplete(self) -> None:
        assert self.resolution is not None
        self.told.append("complete")

    @property
    def complete(self) -> bool:
        return self.told[-1:] == ["complete"]


class Names:
    """A `getaddrinfo` for tests. `known` says what each name gives: a list of addresses, or what is raised."""

    def __init__(self) -> None:
        self.known: dict[str, Any] = {}
        self.asked: list[tuple[Any, ...]] = []
        self.threads: set[str] = set()
        self.gates: dict[str, Callable[[], object]] = {}

    def getaddrinfo(self, host: str, port: int, family: int, kind: int) -> list[tuple[Any, ...]]:
        self.asked.append((host, port, family, kind))
        self.threads.add(threading.current_thread().name)
        self.gates.get(host, lambda: None)()
        found = self.known[host]
        if isinstance(found, BaseException):
            raise found
        return [
            (V6, kind, 6, "", (each, port, 0, 7)) if ":" in each else (V4, kind, 6, "", (each, port)) for each in found
        ]


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
def resolver(net: Net, names: Names) -> Iterator[ThreadedResolver]:
    """A resolver in threads, installed, whose names are `names`."""
    before = set(threading.enumerate())
    made = ThreadedResolver(net.reactor._loop, getaddrinfo=names.getaddrinfo)
    net.reactor.installNameResolver(made)
    yield made
    made.close()
    # The gate is open. What threads still have to say is no activity of the reactor's that is looked at next.
    for thread in set(threading.enumerate()) - before:
        thread.join(DEADLINE)
    net.turn()


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Where a `getaddrinfo` hangs until the test is over."""
    opened = threading.Event()
    yield opened
    opened.set()


def ask(resolver: ThreadedResolver, name: str, *args: Any) -> Receiver:
    receiver = Receiver()
    resolution = resolver.resolveHostName(receiver, name, *args)
    assert resolution is receiver.resolution and resolution.name == name
    return receiver


def lookUp(net: Net, name: str, port: int = 80) -> list[Any]:
    answers: list[Any] = []
    LookUp(net.reactor._loop, net.reactor.nameResolver, name, port, answers.append)
    assert not answers, "answered before the constructor returned"
    return answers


# Addresses that are there already.


def test_literalsAskNobody(net: Net, resolver: ThreadedResolver, names: Names) -> None:
    client = net.connect(net.listen().port)
    net.until(lambda: client.built)
    assert net.result(net.reactor.resolve("192.0.2.7")) == "192.0.2.7"
    assert net.result(net.reactor.resolve("fe80::1%lo")) == "fe80::1%lo"
    assert names.asked == []


# The resolver in threads.


def test_allAddressesOfAName(net: Net, resolver: ThreadedResolver, names: Names) -> None:
    names.known["two.test"] = ["2001:db8::1", "192.0.2.1"]
    receiver = ask(resolver, "two.test", 25)
    assert receiver.told == []
    net.until(lambda: receiver.complete)
    assert receiver.told == [
        IPv6Address("TCP", "2001:db8::1", 25, 0, 7),
        IPv4Address("TCP", "192.0.2.1", 25),
        "complete",
    ]
    assert names.asked == [("two.test", 25, socket.AF_UNSPEC, socket.SOCK_STREAM)]
    assert names.threads == {"reactor-resolver-1"}
    assert receiver.resolution.error is None
    verifyObject(IHostnameResolver, resolver)
    verifyObject(IHostResolution, receiver.resolution)


@pytest.mark.parametrize(
    ("types", "family"),
    [
        ([IPv4Address], V4),
        ([IPv6Address], V6),
        ([IPv6Address, IPv4Address], socket.AF_UNSPEC),
        (None, socket.AF_UNSPEC),
    ],
)
def test_kindsOfAddresses(net: Net, resolver: ThreadedResolver, names: Names, types: Any, family: int) -> None:
    names.known["one.test"] = ["192.0.2.1"]
    receiver = ask(resolver, "one.test", 53, types, "UDP")
    net.until(lambda: receiver.complete)
    assert names.asked == [("one.test", 53, family, socket.SOCK_DGRAM)]
    assert receiver.told == [IPv4Address("UDP", "192.0.2.1", 53), "complete"]


def test_anUnknownName(net: Net, resolver: ThreadedResolver, names: Names) -> None:
    problem = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    names.known["none.test"] = problem
    receiver = ask(resolver, "none.test")
    net.until(lambda: receiver.complete)
    assert receiver.told == ["complete"]
    assert receiver.resolution.error is problem
    # What a traceback would keep alive goes with the thread's frame.
    assert problem.__traceback__ is None
    assert net.reactor.getDelayedCalls() == []


def test_noAnswerInTime(net: Net, names: Names, gate: threading.Event) -> None:
    resolver = ThreadedResolver(net.reactor._loop, 0.02, names.getaddrinfo)
    names.known["slow.test"] = ["192.0.2.1"]
    names.gates["slow.test"] = lambda: gate.wait(DEADLINE)
    receiver = ask(resolver, "slow.test")
    net.until(lambda: receiver.complete)
    assert receiver.told == ["complete"]
    assert str(receiver.resolution.error) == "no answer within 0.02 s"
    # The answer that comes too late is told to nobody.
    resolver.timeout = DEADLINE
    gate.set()
    again = ask(resolver, "slow.test")
    net.until(lambda: again.complete)
    assert receiver.told == ["complete"]
    assert again.told == [IPv4Address("TCP", "192.0.2.1", 0), "complete"]
    resolver.close()


def test_cancel(net: Net, resolver: ThreadedResolver, names: Names, gate: threading.Event) -> None:
    names.known["slow.test"] = ["192.0.2.1"]
    names.gates["slow.test"] = lambda: gate.wait(DEADLINE)
    receiver = ask(resolver, "slow.test")
    receiver.resolution.cancel()
    assert receiver.told == ["complete"]
    assert net.reactor.getDelayedCalls() == []
    receiver.resolution.cancel()
    gate.set()
    other = ask(resolver, "slow.test")
    net.until(lambda: other.complete)
    assert receiver.told == ["complete"]
    other.resolution.cancel()
    assert other.told.count("complete") == 1


def test_cancelBeforeItWasAsked(net: Net, resolver: ThreadedResolver, names: Names) -> None:
    class Hasty(Receiver):
        def resolutionBegan(self, resolutionInProgress: Any) -> None:
            super().resolutionBegan(resolutionInProgress)
            resolutionInProgress.cancel()

    receiver = Hasty()
    resolver.resolveHostName(receiver, "any.test")
    net.turn()
    assert receiver.told == ["complete"]
    # No thread was asked to.
    assert resolver._workers._jobs is None


def test_namesAreLookedUpAtTheSameTime(net: Net, resolver: ThreadedResolver, names: Names) -> None:
    meeting = threading.Barrier(AT_ONCE)
    receivers = []
    for number in range(AT_ONCE):
        name = f"{number}.test"
        names.known[name] = [f"192.0.2.{number}"]
        # None goes on before all are being asked.
        names.gates[name] = lambda: meeting.wait(DEADLINE)
        receivers.append(ask(resolver, name))
    net.until(lambda: all(receiver.complete for receiver in receivers))
    assert [receiver.told[0].host for receiver in receivers] == [f"192.0.2.{number}" for number in range(AT_ONCE)]
    assert len(names.threads) == AT_ONCE


def test_moreNamesThanLanes(net: Net, resolver: ThreadedResolver, names: Names, gate: threading.Event) -> None:
    receivers = []
    for number in range(3 * AT_ONCE):
        name = f"{number}.test"
        names.known[name] = [f"192.0.2.{number}"]
        names.gates[name] = lambda: gate.wait(DEADLINE)
        receivers.append(ask(resolver, name))
    gate.set()
    net.until(lambda: all(receiver.complete for receiver in receivers))
    assert all(len(receiver.told) == 2 for receiver in receivers)
    assert len(names.threads) <= MOST
    assert net.reactor.getDelayedCalls() == []


# Names that hang.


@pytest.fixture
def hanging(
    net: Net, resolver: ThreadedResolver, names: Names, gate: threading.Event
) -> Callable[[int], list[Receiver]]:
    """Ask for so many names that do not answer before the test is over."""

    def hang(count: int) -> list[Receiver]:
        for number in range(count):
            names.known[f"hang{number}.test"] = ["192.0.2.1"]
            names.gates[f"hang{number}.test"] = lambda: gate.wait(2 * DEADLINE)
        return [ask(resolver, f"hang{number}.test") for number in range(count)]

    return hang


def askedFor(names: Names) -> set[str]:
    return {name for name, *_ in names.asked}


def test_C22_aGoodNameBehindNamesThatHang(
    net: Net, resolver: ThreadedResolver, names: Names, hanging: Callable[[int], list[Receiver]]
) -> None:
    """Five hundred names hang: one that is asked for after them is answered all the same, and soon."""
    before = hanging(500)
    net.until(lambda: len(names.asked) >= AT_ONCE)
    names.known["good.test"] = ["192.0.2.7"]
    good = ask(resolver, "good.test")
    net.until(lambda: good.complete)
    assert good.told[0].host == "192.0.2.7"
    assert not any(receiver.complete for receiver in before)
    assert len(names.threads) <= 2 * AT_ONCE


def test_C22_whatNeedsNoServerWaitsForNone(
    net: Net, resolver: ThreadedResolver, names: Names, hanging: Callable[[int], list[Receiver]], tmp_path: Path
) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 known.test\n")
    resolver._hosts = Hosts(str(hosts))
    # No further lane comes to its help.
    resolver._admission = Admission(AT_ONCE, AT_ONCE)
    hanging(3 * AT_ONCE)
    names.known["known.test"] = names.known["127.1"] = ["127.0.0.1"]
    receivers = [ask(resolver, "Known.test".lower()), ask(resolver, "127.1")]
    net.until(lambda: all(receiver.complete for receiver in receivers))
    assert [receiver.told[0].host for receiver in receivers] == ["127.0.0.1"] * 2
    assert len(askedFor(names)) <= AT_ONCE + 2


def test_C22_whatIsAbandonedIsNotAsked(
    net: Net, resolver: ThreadedResolver, names: Names, hanging: Callable[[int], list[Receiver]], gate: threading.Event
) -> None:
    receivers = hanging(500)
    for receiver in receivers:
        receiver.resolution.cancel()
    assert all(receiver.complete for receiver in receivers)
    assert net.reactor.getDelayedCalls() == []
    gate.set()
    names.known["good.test"] = ["192.0.2.7"]
    good = ask(resolver, "good.test")
    net.until(lambda: good.complete)
    assert len(askedFor(names)) <= AT_ONCE + 1


def test_C22_whatTookTooLongIsNotAsked(
    net: Net, names: Names, resolver: ThreadedResolver, hanging: Callable[[int], list[Receiver]]
) -> None:
    resolver.timeout = 0.05
    receivers = hanging(500)
    net.until(lambda: all(receiver.complete for receiver in receivers))
    resolver.timeout = DEADLINE
    names.known["good.test"] = ["192.0.2.7"]
    good = ask(resolver, "good.test")
    net.until(lambda: good.complete)
    assert good.told[0].host == "192.0.2.7"
    assert len(askedFor(names)) < 100


def test_aStopEndsAllThatIsUnderWay(
    net: Net, resolver: ThreadedResolver, names: Names, hanging: Callable[[int], list[Receiver]], gate: threading.Event
) -> None:
    receivers = hanging(100)
    receivers[50].addressResolved = receivers[50].resolutionComplete = None  # type: ignore[assignment,method-assign]
    net.expectErrors(1)
    # What a reactor's stop() does.
    resolver.close()
    others = receivers[:50] + receivers[51:]
    assert all(receiver.told == ["complete"] for receiver in others)
    assert {str(receiver.resolution.error) for receiver in others} == {f"[Errno {errno.ECANCELED}] the reactor stopped"}
    assert net.reactor.getDelayedCalls() == []
    gate.set()
    # And then it is run again.
    names.known["good.test"] = ["192.0.2.7"]
    good = ask(resolver, "good.test")
    net.until(lambda: good.complete)
    assert len(askedFor(names)) <= AT_ONCE + 1
    assert all(receiver.told == ["complete"] for receiver in others)


def test_threadsThatWereNeededForNamesThatHungEnd(
    net: Net, resolver: ThreadedResolver, names: Names, hanging: Callable[[int], list[Receiver]], gate: threading.Event
) -> None:
    before = set(threading.enumerate())

    def threads() -> int:
        return len(set(threading.enumerate()) - before)

    resolver._admission = Admission(AT_ONCE, 3 * AT_ONCE, 0.0)
    receivers = hanging(3 * AT_ONCE)
    net.until(lambda: len(names.asked) == 3 * AT_ONCE)
    assert threads() >= 3 * AT_ONCE
    gate.set()
    net.until(lambda: all(receiver.complete for receiver in receivers) and threads() <= AT_ONCE)


def test_whenFree(net: Net, resolver: ThreadedResolver, names: Names, gate: threading.Event) -> None:
    names.known["slow.test"] = ["192.0.2.1"]
    names.gates["slow.test"] = lambda: gate.wait(DEADLINE)
    receiver = ask(resolver, "slow.test")
    freed: list[str] = []
    net.until(lambda: names.asked)
    receiver.resolution.cancel()
    receiver.resolution.whenFree(lambda: freed.append("then"))
    net.turn()
    assert freed == []
    gate.set()
    net.until(lambda: freed)
    receiver.resolution.whenFree(lambda: freed.append("now"))
    assert freed == ["then", "now"]


def test_C8_aHangingNameBlocksNobody(net: Net, resolver: ThreadedResolver, names: Names, gate: threading.Event) -> None:
    names.known["slow.test"] = names.known["quick.test"] = ["127.0.0.1"]
    names.gates["slow.test"] = lambda: gate.wait(DEADLINE)
    server = net.listen()
    slow = net.connect(server.port, "slow.test", None)
    quick = net.connect(server.port, "quick.test")
    ticks: list[int] = []
    net.reactor.callLater(0.01, ticks.append, 1)
    net.until(lambda: quick.built and ticks)
    assert slow.events == ["doStart", "startedConnecting"]
    net.assertIdle()
    slow.connector.stopConnecting()
    error: Any = slow.reasons[0].value
    assert slow.over and error.phase == "resolve"


def test_aHangingNameKeepsNoProcess(net: Net) -> None:
    program = """
import threading
from reactor import reactor, protocol
from reactor._transport.client.resolver import ThreadedResolver

def hang(*args):
    reactor.callFromThread(reactor.stop)
    threading.Event().wait()

class Factory(protocol.ClientFactory):
    def clientConnectionFailed(self, connector, reason):
        print(reason.type.__name__)

reactor.installNameResolver(ThreadedResolver(reactor._loop, getaddrinfo=hang))
reactor.connectTCP("hang.test", 1, Factory())
reactor.run()
print("end")
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=DEADLINE)
    assert (ended.stdout, ended.stderr, ended.returncode) == ("ConnectError\nend\n", "", 0)


def test_aReactorThatRunsAgainWhileAnOldNameHangs(
    net: Net, resolver: ThreadedResolver, names: Names, gate: threading.Event
) -> None:
    names.known["slow.test"] = names.known["quick.test"] = ["192.0.2.1"]
    names.gates["slow.test"] = lambda: gate.wait(DEADLINE)
    first = ask(resolver, "slow.test")
    net.until(lambda: names.asked)
    # What a reactor's stop() does.
    resolver.close()
    gate.set()
    net.until(lambda: first.complete)
    for _ in range(AT_ONCE + 1):
        receiver = ask(resolver, "quick.test")
        net.until(lambda receiver=receiver: receiver.complete)  # type: ignore[misc]


def test_theSystemsOwnResolver(net: Net) -> None:
    server = net.listen()
    client = net.connect(server.port, "localhost")
    net.until(lambda: client.built)
    assert client.built[0].transport.getPeer() == IPv4Address("TCP", "127.0.0.1", server.port)
    assert client.connector.getDestination() == IPv4Address("TCP", "localhost", server.port)
    assert net.result(net.reactor.resolve("localhost")) == "127.0.0.1"


def test_wrongArguments(net: Net, resolver: ThreadedResolver) -> None:
    with pytest.raises(ValueError, match="transportSemantics must be 'TCP' or 'UDP', not 'SCTP'"):
        resolver.resolveHostName(Receiver(), "any.test", 1, None, "SCTP")
    with pytest.raises(TypeError, match=r"addressTypes must be of .*, not \[<class 'str'>\]"):
        resolver.resolveHostName(Receiver(), "any.test", 1, [IPv4Address, str])
    assert net.reactor.getDelayedCalls() == []


# Names beyond ASCII.


def test_anInternationalNameIsAskedForInItsEncoding(net: Net, resolver: ThreadedResolver, names: Names) -> None:
    names.known["xn--bcher-kva.example"] = ["192.0.2.1"]
    assert net.result(net.reactor.resolve("bücher.example")) == "192.0.2.1"


@pytest.mark.parametrize("name", ["bü cher.example", "ü" * 64, "\udc80.example", "-ü.example"])
def test_noEncoding(net: Net, resolver: ThreadedResolver, names: Names, name: str) -> None:
    assert ask(resolver, name).told == [], "told before it returned"
    answers = lookUp(net, name)
    net.until(lambda: answers)
    assert isinstance(answers[0], DNSLookupError) and answers[0].host == name
    assert isinstance(answers[0].__cause__, ValueError)
    assert names.asked == [] and net.reactor.getDelayedCalls() == []
    assert str(answers[0]).isprintable()


def test_withoutTheLibraryForIt(net: Net, resolver: ThreadedResolver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "idna", None)
    answers = lookUp(net, "bücher.example")
    net.until(lambda: answers)
    assert isinstance(answers[0].__cause__, ImportError)
    assert net.reactor.getDelayedCalls() == []


@pytest.mark.parametrize("name", ["a" * 64 + ".test", "a..test", "nul\0.test", "."])
def test_namesThatCannotBe(net: Net, name: str) -> None:
    answers = lookUp(net, name)
    net.until(lambda: answers)
    assert isinstance(answers[0], DNSLookupError)
    assert (answers[0].host, answers[0].phase) == (name, "resolve")


# One question.


def test_lookUp(net: Net, resolver: ThreadedResolver, names: Names) -> None:
    names.known["two.test"] = ["2001:db8::1", "192.0.2.1"]
    answers = lookUp(net, "two.test")
    net.until(lambda: answers)
    assert answers == [[(V6, ("2001:db8::1", 80, 0, 7)), (V4, ("192.0.2.1", 80))]]


def test_lookUpOfAnUnknownName(net: Net, resolver: ThreadedResolver, names: Names) -> None:
    problem = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    names.known["none.test"] = problem
    answers = lookUp(net, "none.test")
    net.until(lambda: answers)
    (error,) = answers
    assert isinstance(error, DNSLookupError)
    assert (error.host, error.phase, error.attempts) == ("none.test", "resolve", ())
    assert error.elapsed is not None and 0 < error.elapsed < DEADLINE
    assert error.__cause__ is problem
    assert error.osError == socket.EAI_NONAME
    assert str(error).startswith(
        "Host name could not be resolved: could not resolve none.test: Name or service not known"
    )


def test_lookUpThatIsCancelled(net: Net, resolver: ThreadedResolver, names: Names, gate: threading.Event) -> None:
    names.known["slow.test"] = ["192.0.2.1"]
    names.gates["slow.test"] = lambda: gate.wait(DEADLINE)
    answers: list[Any] = []
    question = LookUp(net.reactor._loop, resolver, "slow.test", 1, answers.append)
    net.until(lambda: names.asked)
    question.cancel()
    assert net.reactor.getDelayedCalls() == []
    gate.set()
    other = ask(resolver, "slow.test")
    net.until(lambda: other.complete)
    question.cancel()
    assert answers == []


def test_lookUpThatIsCancelledBeforeItAsks(net: Net, resolver: ThreadedResolver, names: Names) -> None:
    question = LookUp(net.reactor._loop, resolver, "any.test", 1, lambda _: None)
    question.cancel()
    net.turn()
    assert names.asked == []


# Other resolvers.


class Own:
    """A program's own resolver: `does` is called with the receiver."""

    def __init__(self, does: Callable[[Any], Any]) -> None:
        self.does = does
        self.asked: list[tuple[Any, ...]] = []

    def resolveHostName(
        self, receiver: Any, name: str, port: int = 0, addressTypes: Any = None, transportSemantics: str = "TCP"
    ) -> HostResolution:
        self.asked.append((name, port, addressTypes, transportSemantics))
        verifyObject(IResolutionReceiver, receiver)
        resolution = HostResolution(name)
        receiver.resolutionBegan(resolution)
        self.does(receiver)
        return resolution


def test_installNameResolver(net: Net) -> None:
    server = net.listen()
    own = Own(lambda receiver: (receiver.addressResolved(address), receiver.resolutionComplete()))
    address = IPv4Address("TCP", "127.0.0.1", server.port)
    before = net.reactor.nameResolver
    assert isinstance(before, ThreadedResolver)
    assert net.reactor.installNameResolver(own) is before
    assert net.reactor.nameResolver is own
    client = net.connect(server.port, "own.test")
    # It answers at once, and yet nothing happens before the call has returned.
    assert client.events == ["doStart", "startedConnecting"] and own.asked == []
    net.until(lambda: client.built)
    assert own.asked == [("own.test", server.port, None, "TCP")]
    assert net.reactor.installNameResolver(before) is own


def test_theResolverAtTheTimeOfTheConnect(net: Net) -> None:
    server = net.listen()
    own = Own(lambda receiver: receiver.resolutionComplete())
    client = net.connect(server.port, "localhost")
    net.until(lambda: client.built)
    client.built[0].abort()
    client.on["connectionLost"] = lambda factory, connector, reason: connector.connect()
    net.reactor.installNameResolver(own)
    net.until(lambda: own.asked and client.over)
    assert client.events[-2:] == ["CCF(DNSLookupError)", "doStop"]


def test_aResolverThatRaises(net: Net) -> None:
    net.reactor.installNameResolver(Own(lambda receiver: 1 / 0))
    client = net.connect(1, "own.test")
    net.until(lambda: client.over)
    error = client.reasons[0].value
    assert isinstance(error, DNSLookupError) and isinstance(error.__cause__, ZeroDivisionError)
    assert "the resolver raised ZeroDivisionError" in str(error)
    assert (error.host, error.port, error.phase) == ("own.test", 1, "resolve")


def test_aResolverThatFindsNothing(net: Net) -> None:
    net.reactor.installNameResolver(Own(lambda receiver: receiver.resolutionComplete()))
    client = net.connect(1, "own.test")
    net.until(lambda: client.over)
    assert "the resolver found no address" in str(client.reasons[0].value)


def test_aResolverThatIsCompleteTwice(net: Net) -> None:
    server = net.listen()

    def does(receiver: Any) -> None:
        receiver.addressResolved(IPv4Address("TCP", "127.0.0.1", server.port))
        receiver.resolutionComplete()
        receiver.addressResolved(IPv4Address("TCP", "127.0.0.1", server.port))
        receiver.resolutionComplete()

    net.reactor.installNameResolver(Own(does))
    client = net.connect(server.port, "own.test")
    net.until(lambda: client.built and server.built)
    net.turn()
    assert len(client.built) == len(server.built) == 1


def test_aResolverThatRaisesAfterItAnswered(net: Net) -> None:
    server = net.listen()

    def does(receiver: Any) -> None:
        receiver.addressResolved(IPv4Address("TCP", "127.0.0.1", server.port))
        receiver.resolutionComplete()
        raise ZeroDivisionError

    net.reactor.installNameResolver(Own(does))
    net.expectErrors(1)
    client = net.connect(server.port, "own.test")
    net.until(lambda: client.built)


@pytest.mark.parametrize("port", [65536, -1, "80", None])
def test_aResolverThatGivesNonsense(net: Net, port: Any) -> None:
    def does(receiver: Any) -> None:
        receiver.addressResolved(SimpleNamespace(host="127.0.0.1", port=port))
        receiver.resolutionComplete()

    net.reactor.installNameResolver(Own(does))
    client = net.connect(1, "own.test")
    net.until(lambda: client.over)
    assert client.events == ["doStart", "startedConnecting", "CCF(DNSLookupError)", "doStop"]
    assert repr(port) in str(client.reasons[0].value)


def test_aResolverWithItsOwnAddresses(net: Net) -> None:
    def does(receiver: Any) -> None:
        receiver.addressResolved(SimpleNamespace(host="::1", port=80, flowInfo=1, scopeID=2))
        receiver.addressResolved(SimpleNamespace(host="127.0.0.1", port=81))
        receiver.resolutionComplete()

    net.reactor.installNameResolver(Own(does))
    answers = lookUp(net, "own.test")
    net.until(lambda: answers)
    assert answers == [[(V6, ("::1", 80, 1, 2)), (V4, ("127.0.0.1", 81))]]


def test_aResolverThatNeverAnswers(net: Net) -> None:
    receivers: list[Any] = []
    net.reactor.installNameResolver(Own(receivers.append))
    client = net.connect(1, "own.test", timeout=0.02)
    net.until(lambda: client.over)
    error = client.reasons[0].value
    assert type(error) is TimeoutError
    assert (error.host, error.port, error.phase, error.attempts) == ("own.test", 1, "resolve", ())
    # And then it does.
    receivers[0].addressResolved(IPv4Address("TCP", "127.0.0.1", 1))
    receivers[0].resolutionComplete()
    net.turn()
    assert client.events == ["doStart", "startedConnecting", "CCF(TimeoutError)", "doStop"]


class Simple:
    """An `IResolverSimple` whose answer is `answer`."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def getHostByName(self, name: str, timeout: Any = ()) -> Any:
        self.asked.append(name)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_installResolver(net: Net) -> None:
    server, simple, other = net.listen(), Simple(succeed("127.0.0.1")), Simple(None)
    before = net.reactor.nameResolver
    assert net.reactor.installResolver(simple) is before
    assert net.reactor.installResolver(other) is simple
    net.reactor.installResolver(simple)
    verifyObject(IHostnameResolver, net.reactor.nameResolver)
    client = net.connect(server.port, "simple.test")
    net.until(lambda: client.built)
    assert simple.asked == ["simple.test"]


def test_aSimpleResolverThatKnowsIPv6(net: Net) -> None:
    server = net.listen(interface="::1")
    net.reactor.installResolver(Simple(succeed("::1")))
    client = net.connect(server.port, "simple.test")
    net.until(lambda: client.built)
    assert client.built[0].transport.getPeer() == IPv6Address("TCP", "::1", server.port)


@pytest.mark.parametrize("answer", [fail(DNSLookupError("not here")), ValueError("not here"), succeed(None)])
def test_aSimpleResolverThatFails(net: Net, answer: Any) -> None:
    net.reactor.installResolver(Simple(answer))
    client = net.connect(1, "simple.test")
    net.until(lambda: client.over)
    error = client.reasons[0].value
    assert isinstance(error, DNSLookupError) and error.host == "simple.test"
    assert error.__cause__ is not None


def test_aSimpleResolverThatIsCancelled(net: Net) -> None:
    cancelled: list[Any] = []
    resolver = SimpleResolver(Simple(Deferred(cancelled.append)))
    receiver = Receiver()
    resolution = resolver.resolveHostName(receiver, "simple.test")
    assert receiver.told == [] and resolution is receiver.resolution
    resolution.cancel()
    assert len(cancelled) == 1 and receiver.told == ["complete"]
    assert isinstance(resolution.error, CancelledError)
    resolution.cancel()
    assert len(cancelled) == 1 and receiver.told == ["complete"]


# resolve().


def test_resolvePrefersIPv4(net: Net, resolver: ThreadedResolver, names: Names) -> None:
    names.known["two.test"] = ["2001:db8::1", "192.0.2.1", "192.0.2.2"]
    names.known["six.test"] = ["2001:db8::2", "2001:db8::1"]
    assert net.result(net.reactor.resolve("two.test")) == "192.0.2.1"
    assert net.result(net.reactor.resolve("six.test")) == "2001:db8::2"
    assert net.reactor.getDelayedCalls() == []


def test_resolveOfAnUnknownName(net: Net, resolver: ThreadedResolver, names: Names) -> None:
    names.known["none.test"] = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    with pytest.raises(DNSLookupError, match=r"none\.test"):
        net.result(net.reactor.resolve("none.test"))
    assert net.reactor.getDelayedCalls() == []


def test_resolveInTime(net: Net, resolver: ThreadedResolver, names: Names, gate: threading.Event) -> None:
    names.gates["slow.test"] = lambda: gate.wait(DEADLINE)
    names.known["slow.test"] = ["192.0.2.1"]
    began = time.monotonic()
    with pytest.raises(DNSLookupError, match=r"no answer within 0\.03 s"):
        net.result(net.reactor.resolve("slow.test", (0.01, 0.02)))  # type: ignore[arg-type]
    assert time.monotonic() - began >= 0.03
    assert net.reactor.getDelayedCalls() == []


def test_resolveCancelled(net: Net, resolver: ThreadedResolver, names: Names, gate: threading.Event) -> None:
    names.gates["slow.test"] = lambda: gate.wait(DEADLINE)
    names.known["slow.test"] = ["192.0.2.1"]
    resolving = net.reactor.resolve("slow.test", (1000,))
    net.until(lambda: names.asked)
    resolving.cancel()
    with pytest.raises(CancelledError):
        net.result(resolving)
    assert net.reactor.getDelayedCalls() == []


def test_resolveWhatIsNoName(net: Net) -> None:
    with pytest.raises(TypeError, match=r"resolve.*b'localhost'"):
        net.reactor.resolve(b"localhost")  # type: ignore[arg-type]


def test_aResolversOwnErrorIsWhatTheConnectionFailsWith(net: Net) -> None:
    """With what the connection was for, where the resolver did not know that."""

    class Refused(DNSLookupError):
        pass

    def answer(receiver: Any) -> None:
        receiver.resolution.error = Refused("not today")
        receiver.resolutionComplete()

    net.reactor.installNameResolver(Own(answer))
    client = net.connect(81, "own.test")
    net.until(lambda: client.over)
    problem = client.reasons[0].value
    assert isinstance(problem, Refused) and "not today" in str(problem)
    assert (problem.host, problem.port, problem.phase) == ("own.test", 81, "resolve") and problem.elapsed is not None
