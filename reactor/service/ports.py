"""Every port of a reactor as one service: for programs that call `reactor.listenTCP` themselves and want to stop
gracefully all the same.
"""

from __future__ import annotations

from reactor._ground.current import currentReactor
from reactor._transport.server.port import Port
from reactor.defer import Deferred, DeferredList, maybeDeferred
from reactor.service.base import MultiService

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class PortsService(MultiService):
    """Has nothing to start. When it is stopped or drained so are the ports for streams that the reactor has then, and
    the services that were added. Ports for datagrams stay open until the reactor stops: what is still to finish may
    need them, to look up names for one.
    """

    def __init__(self, reactor: Any = None) -> None:
        """Those of `reactor`; None: of the one that runs, else of the default one."""
        super().__init__()
        self._reactor = reactor

    def ports(self) -> list[Any]:
        """Those that listen now."""
        reactor = self._reactor if self._reactor is not None else currentReactor()
        return [watch for watch in reactor._loop.poller.watches.values() if isinstance(watch, Port)]

    def stopService(self) -> Deferred[Any]:
        """Close the ports; connections live on."""
        closed = [maybeDeferred(port.stopListening) for port in self.ports()]
        return DeferredList([*closed, super().stopService()])

    def drain(self, deadline: float | None) -> Deferred[int]:
        """Drain the ports: the Deferred fires with the number of connections that had to be aborted."""
        drained = [port.drain(deadline) for port in self.ports()]

        def add(results: list[Any]) -> int:
            return sum([count for succeeded, count in results if succeeded])

        return DeferredList([*drained, super().drain(deadline)]).addCallback(add)
