"""What TLS adds to a transport, from the moment that it is on: the peer's certificate, what the two ends agreed on, and
the interfaces that say so; and how it is put on a connection that stands.

The transport's class changes then, to one that is derived from its own and has no fields of its own. So a plain
connection has none of this, neither for `hasattr` nor in what it costs.
"""

from __future__ import annotations

from reactor._transport.stream.lifecycle import WRITING
from reactor._transport.stream.wire import MIDDLE
from reactor._transport.tls.layer import Layer
from reactor._transport.tls.side import sideOf

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from typing import Any, TypeVar

    from zope.interface import implementer

    from reactor._transport.stream.transport import StreamTransport
    from reactor._transport.stream.wire import Wire
    from reactor.interfaces import INegotiated

    Transport = TypeVar("Transport", bound=StreamTransport)
else:
    from reactor._ground.declare import INegotiated, implementer


class Secured:
    """The half of a transport that speaks TLS which a plain one does not have. Its topmost layer is what is asked."""

    __slots__ = ()

    _top: Layer
    _wire: Wire

    TLS = True

    def getTLS(self) -> ssl.SSLObject:
        """The `ssl.SSLObject` of the topmost TLS layer, for what it tells of the connection."""
        return self._top.sslObject

    def getHandle(self) -> Any:
        """The socket itself; with a context of pyOpenSSL its ``OpenSSL.SSL.Connection``, which such programs expect."""
        return getattr(self._top.sslObject, "connection", None) or self._wire.socket

    def getPeerCertificate(self) -> Any:
        """The peer's certificate (`reactor.ssl.Certificate`); None when it showed none, or has not yet."""
        return peerCertificate(self._top)

    @property
    def negotiatedProtocol(self) -> bytes | None:
        """The protocol that the two ends agreed on (ALPN, RFC 7301); None for none."""
        return negotiatedProtocol(self._top)


def peerCertificate(layer: Layer) -> Any:
    """The certificate that the peer of `layer` showed, a `reactor.ssl.Certificate` or None; with a context of
    pyOpenSSL an ``OpenSSL.crypto.X509``, which such programs expect.
    """
    theirs = getattr(layer.sslObject, "peerCertificate", None)
    if theirs is not None:
        return theirs()
    try:
        der = layer.sslObject.getpeercert(True)
    except ValueError:
        # The handshake is not done.
        return None
    if der is None:
        return None
    from reactor._transport.tls.certificate import Certificate

    return Certificate(der)


def negotiatedProtocol(layer: Layer) -> bytes | None:
    """What `layer` agreed on with its peer by ALPN."""
    chosen = layer.sslObject.selected_alpn_protocol()
    return None if chosen is None else chosen.encode("ascii")


# A transport's class -> that of one like it which speaks TLS.
_classes: dict[type, Any] = {}


def secured(transport: Transport) -> Transport:
    """`transport`, which stands on a layer, with what TLS adds."""
    cls = type(transport)
    if not issubclass(cls, Secured):
        kind = _classes.get(cls)
        if kind is None:
            about = {"__slots__": (), "__module__": __name__, "__doc__": f"A {cls.__name__} that speaks TLS."}
            kind = implementer(INegotiated)(type(f"Secured{cls.__name__}", (Secured, cls), about))
            kind = _classes.setdefault(cls, kind)
        transport.__class__ = kind
    return transport


def startTLS(transport: StreamTransport, contextFactory: Any, normal: bool, hostname: str | None) -> None:
    """Put a layer on `transport`, as its method of this name says."""
    below, connector = transport._top, transport._connector
    if below.state not in WRITING:
        raise RuntimeError(f"startTLS(): {transport!r} is closing or closed")
    peer = transport.getPeer()
    isClient = connector is not None and connector.outgoing
    facts = {"host": getattr(peer, "host", None), "port": getattr(peer, "port", None)}
    if isClient and isinstance(connector.host, str):
        facts["host"] = connector.host
        hostname = hostname or transport._serverName()
    side = sideOf(contextFactory, "startTLS", isClient != normal, hostname)
    if side.context.check_hostname and side.hostname is None and not side.serverSide:
        raise ValueError(f"startTLS(): {contextFactory!r} verifies a name, and there is none: give hostname=")
    wire = transport._wire
    layer = Layer(wire.loop, side, below, facts)
    layer.receiver, layer.owner = transport._protocol, transport
    below.receiver, below.owner = layer, layer
    # One receive of nothing but new keys (RFC 8446, section 4.6.3) takes OpenSSL 0.35 us a byte.
    wire.mostRead = MIDDLE
    transport._top = layer
    secured(transport)
    layer.begin()
