"""`Serving`: an application, what it listens on, and its life as one service."""

from __future__ import annotations

from protocols.http import Site
from protocols.http.server.wrappers import forwarded, log
from protocols.serving.loading import interfaceOf, load
from reactor._ground.log import message as say
from reactor._ground.log import reportException
from reactor.defer import Deferred, DeferredList, maybeDeferred
from reactor.endpoints import serverFromString, wrapServerTLS
from reactor.service import Service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from protocols.serving.settings import Settings
    from reactor.failure import Failure

__all__ = ["CannotListen", "Serving"]

# Seconds that an application has to shut down, if it is given more for its requests.
_SHUTDOWN = 10.0


class CannotListen(Exception):
    """An endpoint cannot be listened on: the message names it and says why."""


class Serving(Service):
    """Serves what `settings` say. CannotLoad, and ValueError for a wrong endpoint, as it is made."""

    def __init__(self, settings: Settings, reactor: Any) -> None:
        self._settings = settings
        self._reactor = reactor
        self._ports: list[Any] = []
        self._lifespan: Any = None
        self._host: Any = None
        self._endpoints = [(description, self._endpoint(description, fd)) for description, fd in settings.listening()]
        self.site = Site(self._handler(load(settings.application)), **settings.limits)

    def _endpoint(self, description: str, fd: int | None) -> Any:
        endpoint = serverFromString(self._reactor, description)
        if fd is None:
            return endpoint
        adopted = serverFromString(self._reactor, f"fd:{fd}")
        context = getattr(endpoint, "_sslContextFactory", None)
        return adopted if context is None else wrapServerTLS(context, adopted)

    def _handler(self, application: Any) -> Any:
        settings = self._settings
        interface = settings.interface if settings.interface != "auto" else interfaceOf(application)
        handler = application
        if interface == "asgi":
            from protocols.asgi import ASGI, Lifespan

            self._lifespan = Lifespan(application, settings.lifespan, self._reactor)
            handler = self._host = ASGI(
                application, rootPath=settings.rootPath, state=self._lifespan.state, reactor=self._reactor
            )
        elif interface == "wsgi":
            from protocols.wsgi import WSGI

            handler = WSGI(
                application, rootPath=settings.rootPath, reactor=self._reactor, severalProcesses=settings.several
            )
        if settings.accessLog:
            handler = log(handler)
        if settings.trusted:
            handler = forwarded(handler, settings.trusted)
        return handler

    def startService(self) -> Deferred[None]:
        """Have the application start, then listen. Fires when that is done."""
        super().startService()
        started: Deferred[None] = maybeDeferred(self._startup)
        return started.addCallback(lambda _: self._listen(self._endpoints.copy()))

    def _startup(self) -> Any:
        if self._lifespan is None:
            return None
        return self._lifespan.startup().addCallback(self._isStarted)

    def _isStarted(self, _: object) -> None:
        self._host.state = self._lifespan.state

    def _listen(self, left: list[tuple[str, Any]]) -> Any:
        if not left or not self.running:
            return None
        description, endpoint = left.pop(0)

        def listening(port: Any) -> Any:
            self._ports.append(port)
            say("info", "serving %s on %s", self._settings.application, port.getHost())
            if not self.running:
                return port.stopListening()
            return self._listen(left)

        def failed(failure: Failure) -> None:
            raise CannotListen(f"--endpoint {description}: {failure.value}") from failure.value

        return endpoint.listen(self.site).addErrback(failed).addCallback(listening)

    def drain(self, deadline: float | None) -> Deferred[int]:
        """Answer what is in flight, close WebSockets, then have the application shut down. Fires with how many
        connections were cut off.
        """
        self.running = False
        ports, self._ports = self._ports, []
        drained = DeferredList([port.drain(deadline) for port in ports])
        if self._host is not None:
            self._host.closeSockets()

        def count(results: list[tuple[bool, Any]]) -> Deferred[int]:
            cut = sum([number for succeeded, number in results if succeeded])
            return self._shutdown(deadline).addCallback(lambda _: cut)

        ended: Deferred[int] = drained.addCallback(count)
        if self._host is not None:
            self._host.loop.endAfter(ended)
        return ended

    def stopService(self) -> Deferred[Any]:
        """The same, without waiting for anybody."""
        self.running = False
        ports, self._ports = self._ports, []
        closed = DeferredList([maybeDeferred(port.stopListening) for port in ports])
        return closed.addCallback(lambda _: self._shutdown(0.0))

    def _shutdown(self, deadline: float | None) -> Deferred[Any]:
        if self._lifespan is None:
            return maybeDeferred(lambda: None)
        seconds = _SHUTDOWN if deadline is None else min(deadline, _SHUTDOWN)
        stopped: Deferred[Any] = self._host.whenIdle(seconds)
        lifespan, self._lifespan = self._lifespan, None
        stopped.addCallback(lambda _: lifespan.shutdown(max(seconds, 0.1)))
        return stopped.addErrback(lambda f: reportException("%r could not be shut down", f, self))

    def __repr__(self) -> str:
        return f"<Serving {self._settings.application}>"
