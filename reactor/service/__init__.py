"""Parts of a program that can be started and stopped.

`Service` is such a part and `MultiService` several of them. `ClientService` keeps a client connected,
`StreamServerEndpointService` listens, `TimerService` calls a function again and again. `run` runs them as a process
that other programs look after: it stops gracefully on SIGTERM, and tells systemd where it stands (`Notifier`).
"""

from __future__ import annotations

from reactor.service.base import MultiService, Service, drainService
from reactor.service.client import ClientService
from reactor.service.listening import StreamServerEndpointService
from reactor.service.notify import Notifier
from reactor.service.policy import backoffPolicy
from reactor.service.ports import PortsService
from reactor.service.running import run
from reactor.service.timer import TimerService

__all__ = [
    "ClientService",
    "MultiService",
    "Notifier",
    "PortsService",
    "Service",
    "StreamServerEndpointService",
    "TimerService",
    "backoffPolicy",
    "drainService",
    "run",
]
