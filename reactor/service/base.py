"""What all services share: a name, a parent, and that they are started, stopped or drained; and those that are made of
others.
"""

from __future__ import annotations

from reactor._ground.log import reportException
from reactor.defer import Deferred, DeferredList, maybeDeferred

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from zope.interface import implementer

    from reactor.failure import Failure
    from reactor.interfaces import IService, IServiceCollection
else:
    from reactor._ground.declare import IService, IServiceCollection, implementer


@implementer(IService)
class Service:
    """Something that runs between `startService` and `stopService`. For subclasses."""

    #: Whether it was started and not stopped since.
    running: int = False
    #: What `MultiService.getServiceNamed` finds it by, or None.
    name: str | None = None
    #: The service that this one belongs to, or None.
    parent: MultiService | None = None

    def setName(self, name: str) -> None:
        """Give it a name. RuntimeError when it belongs to a parent already."""
        if self.parent is not None:
            raise RuntimeError(f"cannot name {self!r} {name!r}: it belongs to {self.parent!r} already")
        self.name = name

    def setServiceParent(self, parent: MultiService) -> None:
        """Belong to `parent` from now on, and be started and stopped with it; started now if that runs. RuntimeError
        when it has a service of this name.
        """
        if self.parent is not None:
            self.disownServiceParent()
        parent.addService(self)
        self.parent = parent

    def disownServiceParent(self) -> Any:
        """Belong to nobody. If the parent runs, this is stopped; returns what `stopService` returns, else None.

        RuntimeError when it has no parent.
        """
        if self.parent is None:
            raise RuntimeError(f"{self!r} has no parent to be taken from")
        stopped = self.parent.removeService(self)
        self.parent = None
        return stopped

    def privilegedStartService(self) -> None:
        """Do what has to be done before the process gives up its privileges, such as listening on a low port."""

    def startService(self) -> Any:
        """Start. What it returns is nobody's business, unless this is what `run` runs."""
        self.running = True

    def stopService(self) -> Any:
        """Stop. Returns None, or a Deferred that fires when it has stopped."""
        self.running = False

    def drain(self, deadline: float | None) -> Deferred[int]:
        """Stop gracefully: finish what is going on, for `deadline` seconds at most (None: as long as it takes), then
        end the rest. Not in Twisted.

        What a service can let finish its subclass says; here it is the same as `stopService`.

        :return: the Deferred of how many connections, or whatever else it is that has to finish, were cut off; it fires
            when the service has stopped.
        """
        return maybeDeferred(self.stopService).addCallback(lambda _: 0)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "running"}


@implementer(IServiceCollection)
class MultiService(Service):
    """Services that are started and stopped together; iterating gives them in the order in which they were added."""

    # Those that `drain` has stopped already, while it goes on.
    _drained: list[Any] | None = None

    def __init__(self) -> None:
        self.services: list[Any] = []
        self.namedServices: dict[str, Any] = {}

    def __iter__(self) -> Iterator[Any]:
        return iter(self.services)

    def getServiceNamed(self, name: str) -> Any:
        """The service of that name. KeyError when there is none."""
        return self.namedServices[name]

    def addService(self, service: Any) -> None:
        """Called by the service's `setServiceParent`. RuntimeError when there is one of its name."""
        if service.name is not None:
            if service.name in self.namedServices:
                raise RuntimeError(f"cannot add {service!r}: {self!r} has a service named {service.name!r} already")
            self.namedServices[service.name] = service
        self.services.append(service)
        if self.running:
            service.privilegedStartService()
            service.startService()

    def removeService(self, service: Any) -> Any:
        """Called by the service's `disownServiceParent`. ValueError when it is not here. If this runs, the service is
        stopped, and what its `stopService` returns is returned.
        """
        self.services.remove(service)
        if service.name is not None:
            del self.namedServices[service.name]
        return service.stopService() if self.running else None

    def privilegedStartService(self) -> None:
        """The same for each, in order."""
        for service in self.services[:]:
            service.privilegedStartService()

    def startService(self) -> None:
        """Start each, in order."""
        super().startService()
        for service in self.services[:]:
            service.startService()

    def stopService(self) -> Deferred[Any]:
        """Stop each, the last one first. The Deferred fires with a list of (succeeded, result) when all have
        stopped, in that order.
        """
        super().stopService()
        done = self._drained or ()
        left = [service for service in reversed(self.services) if not any(service is each for each in done)]
        return DeferredList([maybeDeferred(service.stopService) for service in left])

    def drain(self, deadline: float | None) -> Deferred[int]:
        """Drain all of them at once, then `stopService`. The Deferred fires with the sum of what was cut off; what goes
        wrong with one of them is logged and holds up none of the others.
        """
        drained = self._drained = self.services[::-1]
        each = [drainService(service, deadline).addErrback(_reported, service) for service in drained]

        def stop(results: list[tuple[bool, int]]) -> Deferred[int]:
            def stopped(result: Any) -> Any:
                self._drained = None
                return result

            stopping = maybeDeferred(self.stopService)
            return stopping.addBoth(stopped).addCallback(lambda _: sum([count for _, count in results]))

        return DeferredList(each).addCallback(stop)


def drainService(service: Any, deadline: float | None) -> Deferred[int]:
    """Drain `service`, or stop it where it is one that cannot be drained; see `Service.drain`."""
    if hasattr(service, "drain"):
        return maybeDeferred(service.drain, deadline)
    return maybeDeferred(service.stopService).addCallback(lambda _: 0)


def _reported(failure: Failure, service: Any) -> int:
    reportException("%r could not be drained", failure, service)
    return 0
