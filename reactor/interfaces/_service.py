"""Services: parts of a program that are started and stopped."""

from __future__ import annotations

from zope.interface import Attribute, Interface

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from reactor.defer import Deferred


class IService(Interface):
    """A part of a program that runs between `startService` and `stopService`."""

    name = Attribute("A str that its parent finds it by, or None.")
    running = Attribute("Whether it was started and not stopped since.")
    parent = Attribute("The `IServiceCollection` that it belongs to, or None.")

    def setName(name: str) -> None:
        """Give it a name. RuntimeError when it belongs to a parent already."""

    def setServiceParent(parent: Any) -> None:
        """Belong to `parent` from now on, and be started now if that runs. RuntimeError when it has a service of this
        name.
        """

    def disownServiceParent() -> Deferred[Any] | None:
        """Belong to nobody; stopped, if the parent runs. What `stopService` returned, or None."""

    def privilegedStartService() -> None:
        """Do what has to be done before the process gives up its privileges."""

    def startService() -> None:
        """Start."""

    def stopService() -> Deferred[Any] | None:
        """Stop. None, or a Deferred that fires when it has."""


class IServiceCollection(Interface):
    """Services that belong together."""

    def getServiceNamed(name: str) -> IService:
        """The service of that name. KeyError when there is none."""

    def __iter__() -> Iterator[IService]:
        """Each of them."""

    def addService(service: IService) -> None:
        """Called by the service's `setServiceParent`. RuntimeError when there is one of its name."""

    def removeService(service: IService) -> Deferred[Any] | None:
        """Called by the service's `disownServiceParent`. ValueError when it is not here. What its `stopService`
        returned, if this runs, else None.
        """
