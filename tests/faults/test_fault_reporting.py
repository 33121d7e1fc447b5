"""Row Y8: what has to be reported cannot be named, or logging itself fails. Whatever is being carried on gets to its
end all the same.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from net import Net, Traced

from reactor.error import ConnectError
from reactor.protocol import DatagramProtocol, ProcessProtocol

RAISING = "of the program"


class Unnamed:
    """Whose every text raises."""

    def __repr__(self) -> str:
        raise KeyError(RAISING)

    __str__ = __repr__

    def logPrefix(self) -> str:
        raise KeyError(RAISING)


class Huge:
    """Whose every text is a megabyte."""

    def __repr__(self) -> str:
        return "x" * 10**6

    __str__ = logPrefix = __repr__


class UnnamedError(Unnamed, Exception):
    pass


class HugeError(Huge, Exception):
    pass


class Full(logging.Handler):
    """Whose disk is."""

    def emit(self, record: logging.LogRecord) -> None:
        raise OSError(28, "No space left on device")


@pytest.fixture(params=[(Unnamed, UnnamedError), (Huge, HugeError)], ids=["unnamed", "huge"])
def kinds(request: pytest.FixtureRequest) -> tuple[type, type[Exception]]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(autouse=True, params=[False, True], ids=["logged", "lost"])
def logging_(net: Net, request: pytest.FixtureRequest) -> Iterator[None]:
    """Logging works, or its handler raises."""
    logger, handler = logging.getLogger("reactor"), Full()
    if request.param:
        logger.addHandler(handler)
        # It is asked ahead of the test's, which hears of nothing then.
        net.expectErrors = lambda count=1: None  # type: ignore[method-assign]
    yield
    logger.removeHandler(handler)
    assert all(len(record.getMessage()) < 20000 for record in net.logged())


def raising(error: Callable[[], BaseException], heard: list[str] | None = None) -> Callable[..., Any]:
    def hook(*args: Any, **kw: Any) -> Any:
        if heard is not None:
            heard.append("called")
        raise error()

    return hook


def test_Y8_timersAndCalls(net: Net, kinds: Any) -> None:
    thing, error = kinds
    heard: list[str] = []

    class Call(thing):  # type: ignore[misc]
        def __call__(self) -> None:
            raising(error, heard)()

    net.expectErrors(4)
    for _ in range(2):
        net.reactor.callLater(0, Call())
        net.reactor.callFromThread(Call())
    net.reactor.callLater(0, heard.append, "last")
    # A turn makes no more calls of threads when they have taken long, as reporting does: the timer may come between.
    net.until(lambda: len(heard) >= 5)
    assert sorted(heard) == ["called"] * 4 + ["last"]


def test_Y8_triggers(net: Net, kinds: Any) -> None:
    """run() returns."""
    thing, error = kinds
    heard: list[str] = []

    class Trigger(thing):  # type: ignore[misc]
        def __call__(self) -> None:
            raising(error, heard)()

    net.expectErrors(6)
    for event in ("startup", "shutdown"):
        for phase in ("before", "during", "after"):
            net.reactor.addSystemEventTrigger(phase, event, Trigger())
    net.reactor.callLater(0, net.reactor.stop)
    net.reactor.run()
    assert heard == ["called"] * 6


def test_Y8_aReader(net: Net, kinds: Any) -> None:
    """It is taken out, and does not spin."""
    thing, error = kinds
    ours, theirs = (net.keep(each) for each in socket.socketpair())
    heard: list[str] = []

    class Reader(thing):  # type: ignore[misc]
        fileno = ours.fileno
        doRead = staticmethod(raising(error, heard))
        connectionLost = staticmethod(raising(error, heard))

    net.expectErrors(2)
    net.reactor.addReader(Reader())
    theirs.sendall(b"x")
    net.until(lambda: not net.reactor.getReaders())
    net.turn()
    assert heard == ["called"] * 2


def test_Y8_aClientsBuildProtocol(net: Net, kinds: Any) -> None:
    """The factory is told that there is no connection."""
    net.expectErrors()
    client = net.connect(net.listen().port, build=raising(kinds[1]))
    net.until(lambda: client.over)
    assert client.events[2:] == ["buildProtocol", "CCF(ConnectError)", "doStop"]
    assert type(client.reasons[0].value) is ConnectError
    assert len(str(client.reasons[0].value)) < 2000


def test_Y8_aServersBuildProtocol(net: Net, kinds: Any) -> None:
    """The port goes on."""
    net.expectErrors(2)
    server = net.listen(build=raising(kinds[1]))
    for _ in range(2):
        client = net.connect(server.port)
        net.until(lambda client=client: client.over)  # type: ignore[misc]
    assert server.listening.connected


@pytest.mark.parametrize("hook", ["made", "data", "lost"])
def test_Y8_aConnection(net: Net, kinds: Any, hook: str) -> None:
    """It ends with what its callback raised, and is told so once."""
    error = kinds[1]

    def build(addr: Any) -> Any:
        return type("Odd", (kinds[0], Traced), {})(**{hook: raising(error)})

    net.expectErrors()
    server = net.listen(made=lambda protocol: protocol.transport.write(b"x"))
    client = net.connect(server.port, build=build)
    net.until(lambda: client.built and (hook != "lost" or client.built[0].received))
    if hook == "lost":
        client.built[0].lose()
    net.until(lambda: client.over)
    name = "ConnectionDone" if hook == "lost" else error.__name__
    assert client.events[-3:] == [f"CL({name})", f"CCL({name})", "doStop"]


def test_Y8_aProcess(net: Net, kinds: Any) -> None:
    """processEnded is called, after processExited raised."""
    thing, error = kinds
    heard: list[str] = []

    class Told(thing, ProcessProtocol):  # type: ignore[misc]
        connectionMade = outReceived = processExited = staticmethod(raising(error, heard))

        def processEnded(self, reason: Any) -> None:
            heard.append("ended")

    net.expectErrors(3)
    net.reactor.spawnProcess(Told(), sys.executable, [sys.executable, "-Sc", "print(1)"], env=dict(os.environ))
    net.until(lambda: "ended" in heard)
    assert heard.count("called") == 3


def test_Y8_aDatagram(net: Net, kinds: Any) -> None:
    thing, error = kinds
    heard: list[str] = []

    class Told(thing, DatagramProtocol):  # type: ignore[misc]
        datagramReceived = staticmethod(raising(error, heard))

    net.expectErrors(2)
    port: Any = net.reactor.listenUDP(0, Told(), interface="127.0.0.1")
    net.ports.append(port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _ in range(2):
            sock.sendto(b"x", ("127.0.0.1", port.getHost().port))
    net.until(lambda: len(heard) == 2)


def test_Y8_aProducer(net: Net, kinds: Any) -> None:
    thing, error = kinds

    class Producer(thing):  # type: ignore[misc]
        pauseProducing = resumeProducing = stopProducing = staticmethod(raising(error))

    net.expectErrors(2)
    client, _ = net.pair()
    client.transport.registerProducer(Producer(), True)
    with pytest.raises(RuntimeError, match="cannot register") as told:
        client.transport.registerProducer(Producer(), True)
    assert len(str(told.value)) < 3000
    client.write(b"x" * 100000)
    assert net.reasonOf(client) == error.__name__


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit])
def test_Y8_aHandlerThatStopsTheReactor(net: Net, raised: type[BaseException]) -> None:
    """As any other callback does; what is being reported comes to its end."""

    class Interrupting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            logger.removeHandler(self)
            raise raised

    logger = logging.getLogger("reactor")
    server = net.listen()
    client = net.connect(server.port, build=lambda addr: Traced(made=raising(KeyError)))
    for each in list(logger.handlers):
        logger.removeHandler(each)
    logger.addHandler(Interrupting())
    with pytest.raises(raised):
        net.reactor.run()
    assert client.events[-3:] == ["CL(KeyError)", "CCL(KeyError)", "doStop"]


def test_Y8_aSignalWhileNothingCanBeLogged(net: Net) -> None:
    net.expectErrors()
    net.reactor.callLater(0, raising(UnnamedError))
    net.reactor.callLater(0, os.kill, os.getpid(), signal.SIGTERM)
    net.reactor.run()
