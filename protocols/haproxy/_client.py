"""In front of a server that wants to know for whom one connects: an endpoint that sends a PROXY header first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.haproxy._v1 import formatV1
from protocols.haproxy._v2 import formatV2

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zope.interface import implementer

    from reactor.defer import Deferred
    from reactor.interfaces import IStreamClientEndpoint
else:
    from reactor._ground.declare import IStreamClientEndpoint, implementer


@implementer(IStreamClientEndpoint)
class HAProxyClientEndpoint:
    """Connects through another endpoint and sends a PROXY header before anything else."""

    def __init__(
        self,
        wrappedEndpoint: Any,
        source: Any = None,
        destination: Any = None,
        version: int = 2,
        tlvs: Iterable[tuple[int, bytes]] = (),
        checksum: bool = False,
    ) -> None:
        """
        :param wrappedEndpoint: the client endpoint that connects.
        :param source: for whom: mostly `getPeer()` of the connection that is passed on; None: for oneself.
        :param destination: to where that one connected: mostly its `getHost()`; None as `source`.
        :param version: 1 or 2. Version 1 has no UNIX addresses, and says UNKNOWN then.
        :param tlvs: additional pieces, ``(type, value)``, in version 2 only.
        :param checksum: whether to add a CRC32C, in version 2 only.
        :raises ValueError, TypeError: when no header can be made of these, see `formatV1` and `formatV2`.
        """
        tlvs = list(tlvs)
        if version == 1:
            if tlvs or checksum:
                raise ValueError("HAProxyClientEndpoint(): version 1 has no tlvs and no checksum")
            self._header = formatV1(source, destination)
        elif version == 2:
            self._header = formatV2(source, destination, tlvs, checksum=checksum)
        else:
            raise ValueError(f"HAProxyClientEndpoint(): version must be 1 or 2, not {version!r}")
        self._wrappedEndpoint = wrappedEndpoint

    def connect(self, protocolFactory: Any) -> Deferred[Any]:
        """Connect. The Deferred is that of the wrapped endpoint."""
        connected: Deferred[Any] = self._wrappedEndpoint.connect(_HeaderFirst(self._header, protocolFactory))
        return connected.addCallback(_Sender.whose)

    def __repr__(self) -> str:
        return f"<HAProxyClientEndpoint of {self._wrappedEndpoint!r}>"


class _HeaderFirst:
    """The program's factory, but that each transport has the header written to it before the protocol sees it."""

    def __init__(self, header: bytes, factory: Any) -> None:
        self._header = header
        self._factory = factory

    def __getattr__(self, name: str) -> Any:
        return getattr(self._factory, name)

    def buildProtocol(self, addr: Any) -> Any:
        """What the program's factory builds."""
        protocol = self._factory.buildProtocol(addr)
        return None if protocol is None else _Sender(self._header, protocol)


class _Sender:
    def __init__(self, header: bytes, protocol: Any) -> None:
        self._header = header
        self._protocol = protocol

    def whose(self) -> Any:
        return self._protocol

    def makeConnection(self, transport: Any) -> None:
        transport.protocol = protocol = self._protocol
        transport.write(self._header)
        protocol.makeConnection(transport)
