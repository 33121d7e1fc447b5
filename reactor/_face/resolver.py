"""The system's resolver in the older form (`IResolverSimple`), for programs that install one or ask it themselves."""

from __future__ import annotations

from reactor._transport.client.lookup import firstAddress
from reactor._transport.client.resolver import ThreadedResolver as _Names
from reactor._transport.stream.tcp import literal
from reactor.defer import succeed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from zope.interface import implementer

    from reactor.base import Reactor
    from reactor.defer import Deferred
    from reactor.interfaces import IResolverSimple
else:
    from reactor._ground.declare import IResolverSimple, implementer


@implementer(IResolverSimple)
class ThreadedResolver:
    """The system's `getaddrinfo`, in threads."""

    def __init__(self, reactor: Reactor) -> None:
        """For `reactor`, one of ours, in whose thread its Deferreds fire."""
        self.reactor = reactor
        self._names: _Names | None = None

    def getHostByName(self, name: str, timeout: Sequence[int] = (1, 3, 11, 45)) -> Deferred[str]:
        """The first IPv4 address of `name`, as a Deferred of text like '192.0.2.1'; of IPv6 if it has no other. An
        address stands for itself.

        :param timeout: seconds; their sum is when it fails.
        :return: fails with DNSLookupError.
        """
        if literal(name, 0) is not None:
            return succeed(name)
        loop = self.reactor._loop
        if self._names is None:
            self._names = _Names(loop)
        return firstAddress(loop, self._names, name, sum(timeout))
