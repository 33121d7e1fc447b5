"""A program with crochet, for Twisted: the reactor runs in a thread of its own, and this one asks it."""

from __future__ import annotations

import sys
import threading
from typing import Any

import crochet

crochet.setup()

from twisted.internet import defer, protocol, reactor, task, utils  # noqa: E402 (it runs by now)
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol  # noqa: E402


class Echo(protocol.Protocol):
    """Says it again."""

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(data)


class Asking(protocol.Protocol):
    """Asks once."""

    def connectionMade(self) -> None:
        self.answer: Any = defer.Deferred()
        self.transport.write(b"hello")

    def dataReceived(self, data: bytes) -> None:
        self.answer.callback(data)
        self.transport.loseConnection()


class Child(protocol.ProcessProtocol):
    """Waits for the end of a process."""

    def __init__(self) -> None:
        self.ended: Any = defer.Deferred()

    def processEnded(self, reason: Any) -> None:
        self.ended.callback(["processEnded", reason.value.exitCode])


@crochet.wait_for(timeout=10)
def listen() -> Any:
    return TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(protocol.Factory.forProtocol(Echo))


@crochet.wait_for(timeout=10)
async def ask(port: int) -> Any:
    asking = await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port), Asking())
    return await asking.answer


@crochet.run_in_reactor
def later() -> Any:
    return task.deferLater(reactor, 0, lambda: threading.current_thread().name)


@crochet.wait_for(timeout=0.1)
def never() -> Any:
    return defer.Deferred(lambda deferred: deferred.callback(None))


@crochet.wait_for(timeout=10)
def wrong() -> None:
    raise ZeroDivisionError


@crochet.wait_for(timeout=10)
def output() -> Any:
    return utils.getProcessOutput("/bin/echo", ["x"])


@crochet.run_in_reactor
def inside() -> str:
    result = later()
    try:
        result.wait(1)
    except RuntimeError:
        return "RuntimeError"
    return "waited for itself"


@crochet.wait_for(timeout=10)
def process() -> Any:
    child = Child()
    reactor.spawnProcess(child, "/bin/sh", ["sh", "-c", "exit 3"])
    return child.ended


port = listen()
print(ask(port.getHost().port), later().wait(10))
for function in (never, wrong):
    try:
        function()
    except (crochet.TimeoutError, ZeroDivisionError) as e:
        print(type(e).__name__)
print(output())
print(inside().wait(10))
print(process())
sys.stdout.flush()
