"""Prints what services do when they are started, stopped and fail: on Twisted (`twisted`) or here (`here`).

Only what both are to have in common; what differs on purpose has tests of its own.
"""

from __future__ import annotations

import sys
from typing import Any

HERE = sys.argv[1] == "here"
if HERE:
    from reactor.defer import Deferred, fail
    from reactor.protocol import Factory
    from reactor.service import MultiService, Service, StreamServerEndpointService, TimerService
    from reactor.task import Clock
else:
    from twisted.application.internet import StreamServerEndpointService, TimerService  # type: ignore[assignment]
    from twisted.application.service import MultiService, Service  # type: ignore[assignment]
    from twisted.internet.defer import Deferred, fail  # type: ignore[assignment]
    from twisted.internet.protocol import Factory  # type: ignore[assignment]
    from twisted.internet.task import Clock  # type: ignore[assignment]

log: list[str] = []


def say(what: str, *more: object) -> None:
    print(what, *more, log)
    log.clear()


def heard(deferred: Any) -> list[Any]:
    results: list[Any] = []
    deferred.addBoth(results.append)
    return results


class Port:
    def __init__(self) -> None:
        self.stopped: Any = Deferred()

    def stopListening(self) -> Any:
        log.append("stopListening")
        return self.stopped


class Endpoint:
    def __init__(self) -> None:
        self.listening: Any = Deferred(lambda _: log.append("cancelled"))

    def listen(self, factory: Any) -> Any:
        log.append("listen")
        return self.listening


class Broken:
    def listen(self, factory: Any) -> Any:
        return fail(ValueError("no"))


def timer() -> None:
    clock = Clock()
    service: Any = TimerService(2, lambda *args, **kw: log.append(f"called {args} {kw}"), 1, two=2)
    service.clock = clock
    say("made", service.step, bool(service.running))
    service.startService()
    say("started", bool(service.running))
    clock.advance(1)
    say("too early")
    clock.pump([1, 5, 1, 2])
    say("later")
    stopped = heard(service.stopService())
    say("stopped", stopped, bool(service.running))
    clock.advance(10)
    say("nothing more", heard(service.stopService()))
    service.startService()
    say("again", bool(service.running))
    service.stopService()
    say("end", clock.getDelayedCalls())


def timerInACall() -> None:
    clock, call = Clock(), Deferred()  # type: ignore[var-annotated]
    service: Any = TimerService(1, lambda: call)
    service.clock = clock
    service.startService()
    stopped = heard(service.stopService())
    say("asked", stopped, bool(service.running))
    call.callback(None)
    say("ended", stopped, bool(service.running), clock.getDelayedCalls())


def timerThatFails() -> None:
    clock = Clock()
    service: Any = TimerService(1, lambda: 1 / 0)
    service.clock = clock
    service.startService()
    say("failed", bool(service.running), clock.getDelayedCalls())
    say("stopped", heard(service.stopService()), bool(service.running))


def listening() -> None:
    endpoint, port = Endpoint(), Port()
    service: Any = StreamServerEndpointService(endpoint, Factory())
    say("made", bool(service.running))
    say("privileged", service.privilegedStartService(), bool(service.running))
    say("started", service.startService(), bool(service.running))
    endpoint.listening.callback(port)
    say("listens")
    stopped = heard(service.stopService())
    say("asked", stopped, bool(service.running))
    port.stopped.callback("whatever")
    say("stopped", stopped, bool(service.running))


def listeningCancelled() -> None:
    service: Any = StreamServerEndpointService(Endpoint(), Factory())
    service.startService()
    say("started", bool(service.running))
    say("stopped", heard(service.stopService()), bool(service.running))


def listeningFails() -> None:
    for atOnce in (False, True):
        service: Any = StreamServerEndpointService(Broken(), Factory())
        service._raiseSynchronously = atOnce
        try:
            service.privilegedStartService()
        except ValueError as e:
            say("raised", repr(e), bool(service.running))
        if not atOnce:
            service.startService()
            say("started", bool(service.running))
            say("stopped", heard(service.stopService()), bool(service.running))
    endpoint = Endpoint()
    service = StreamServerEndpointService(endpoint, Factory())
    service._raiseSynchronously = True
    service.startService()
    endpoint.listening.errback(ValueError("late"))
    say("late", bool(service.running), heard(service.stopService()))


def together() -> None:
    class Told(Service):
        def __init__(self, name: str) -> None:
            self.setName(name)

        def privilegedStartService(self) -> None:
            log.append(f"{self.name} privileged")

        def startService(self) -> None:
            log.append(f"{self.name} start")

        def stopService(self) -> None:
            log.append(f"{self.name} stop")

    parent = MultiService()
    for name in ("a", "b"):
        Told(name).setServiceParent(parent)  # type: ignore[arg-type]
    parent.privilegedStartService()
    parent.startService()
    say("started")
    Told("c").setServiceParent(parent)  # type: ignore[arg-type]
    say("added")
    say("stopped", heard(parent.stopService()))


PROGRAMS = {
    each.__name__: each
    for each in (timer, timerInACall, timerThatFails, listening, listeningCancelled, listeningFails, together)
}

for name in sys.argv[2:]:
    print("#", name)
    PROGRAMS[name]()
