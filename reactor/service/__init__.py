"""Parts of a program that can be started and stopped.

`Service` is such a part and `MultiService` several of them. `ClientService` keeps a client connected,
`StreamServerEndpointService` listens, `TimerService` calls a function again and again. `run` runs them as a process
that other programs look after: it stops gracefully on SIGTERM, and tells systemd where it stands (`Notifier`).
`TCPServer`, `TCPClient` and their kind listen and connect by the reactor's methods. `IService` and `IServiceCollection`
are those of `reactor.interfaces`, loaded when they are asked for.
"""

from __future__ import annotations

from reactor.service.base import MultiService, Service, drainService
from reactor.service.client import ClientService
from reactor.service.internet import (
    MulticastServer,
    SSLClient,
    SSLServer,
    TCPClient,
    TCPServer,
    UDPServer,
    UNIXClient,
    UNIXDatagramClient,
    UNIXDatagramServer,
    UNIXServer,
)
from reactor.service.listening import StreamServerEndpointService
from reactor.service.notify import Notifier
from reactor.service.policy import backoffPolicy
from reactor.service.ports import PortsService
from reactor.service.running import run
from reactor.service.timer import TimerService

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reactor.interfaces import IService as IService
    from reactor.interfaces import IServiceCollection as IServiceCollection

__all__ = [
    "ClientService",
    "MultiService",
    "MulticastServer",
    "Notifier",
    "PortsService",
    "SSLClient",
    "SSLServer",
    "Service",
    "StreamServerEndpointService",
    "TCPClient",
    "TCPServer",
    "TimerService",
    "UDPServer",
    "UNIXClient",
    "UNIXDatagramClient",
    "UNIXDatagramServer",
    "UNIXServer",
    "backoffPolicy",
    "drainService",
    "run",
]


def __getattr__(name: str) -> Any:
    if name in ("IService", "IServiceCollection"):
        from reactor import interfaces

        return getattr(interfaces, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
