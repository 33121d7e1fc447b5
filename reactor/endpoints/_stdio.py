"""A server endpoint with one client, who is there already: standard input and output."""

from __future__ import annotations

from reactor.defer import Deferred, execute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zope.interface import implementer

    from reactor.interfaces import IStreamServerEndpoint
else:
    from reactor._ground.declare import IStreamServerEndpoint, implementer


@implementer(IStreamServerEndpoint)
class StandardIOEndpoint:
    """Connects one protocol to standard input and output."""

    def __init__(self, reactor: Any) -> None:
        """`reactor` None is the one that runs in this thread, else the default one."""
        self._reactor = reactor

    def listen(self, stdioProtocolFactory: Any) -> Deferred[Any]:
        """Build a protocol and connect it. The Deferred fires with its transport, a `reactor.stdio.StandardIO`, or
        fails as that does, or with what the factory raises.
        """
        return execute(self._connected, stdioProtocolFactory)

    def _connected(self, factory: Any) -> Any:
        from reactor.stdio import PipeAddress, StandardIO

        return StandardIO(factory.buildProtocol(PipeAddress()), reactor=self._reactor)
