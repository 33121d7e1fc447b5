"""TLS by the standard library on connections for Twisted's API: for programs that pass an `ssl.SSLContext`, or what
`reactor.ssl` makes, where Twisted takes what stands for a context of pyOpenSSL.

Our own layer then, and as our API has it: a connection is made when its handshake is verified, and a client hears
clientConnectionFailed when its server is not who it should be. Words are Twisted's. Imported by who speaks it only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.interfaces import INegotiated, ISSLTransport
from zope.interface import implementer

from reactor._transport.tls import secure
from reactor._transport.tls import transport as tls
from reactor._transport.tls.side import sideOf

if TYPE_CHECKING:
    from typing import Any

# Classes that say what they provide in Twisted's words.
_declared: set[type] = set()


def declared(transport: Any) -> Any:
    """`transport`, which speaks TLS and provides Twisted's interfaces of those that do."""
    cls = type(transport)
    if cls not in _declared:
        implementer(ISSLTransport, INegotiated)(cls)
        _declared.add(cls)
    return transport


def startTLS(transport: Any, contextFactory: Any, normal: bool, hostname: str | None) -> None:
    """Put our layer on `transport`, as its method of this name says."""
    tls.startTLS(transport, contextFactory, normal, hostname)
    declared(transport)


class Listener(secure.SecureListener):
    """What one that listens for TLS is made of, around one that listens on TCP."""

    __slots__ = ()

    @property
    def backlog(self) -> Any:
        """How many clients the system lets wait to be accepted."""
        return self._inner.backlog  # type: ignore[attr-defined]

    def transport(self, wire: Any, top: Any, peer: Any, protocol: Any, factory: Any) -> Any:
        """The transport of a connection that was made."""
        return declared(super().transport(wire, top, peer, protocol, factory))


class Destination(secure.SecureDestination):
    """A host and a port that speak TLS, around the same over TCP."""

    __slots__ = ()

    @property
    def name(self) -> Any:
        """The host as it was given."""
        return self._inner.name  # type: ignore[attr-defined]

    def early(self) -> Any:
        """The socket that is to be connected, before it is begun with. OSError when there is none."""
        return self._inner.early()  # type: ignore[attr-defined]

    def dial(self, connector: Any) -> Any:
        """Begin; tell the connector how it ended."""
        side = sideOf(self._contextFactory, self._method, False, self._name())
        return _Securing(self._loop, self._inner, side, connector)

    def transport(self, wire: Any, top: Any, peer: Any, protocol: Any, connector: Any) -> Any:
        """The transport of a connection that was made."""
        return declared(super().transport(wire, top, peer, protocol, connector))


class _Securing(secure._Securing):
    """An attempt, whose socket programs may see before it is connected, and while it shakes hands."""

    __slots__ = ()

    @property
    def transport(self) -> Any:
        """What stands for the transport meanwhile."""
        return self._connector.transport  # type: ignore[union-attr]

    @property
    def _dial(self) -> Any:
        return self._shaking._wire if self._inner is None and self._shaking else getattr(self._inner, "_dial", None)
