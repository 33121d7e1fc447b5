"""What a reactor for Twisted's applications offers over streams: what makes ports and connections."""

from __future__ import annotations

from socket import AF_INET, AF_INET6
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IReactorTCP
from twisted.internet.posixbase import PosixReactorBase
from zope.interface import implementer

from reactor._transport.stream.tcp import adopt, adoptConnection
from reactor.twisted.connectors import Connector, Destination
from reactor.twisted.ports import Listener, Port

if TYPE_CHECKING:
    from typing import Any

    from reactor.twisted.frame import Engine


@implementer(IReactorTCP)
class ReactorStreams:
    """A part of `TwistedReactor`."""

    if TYPE_CHECKING:
        engine: Engine

    def listenTCP(self, port: Any, factory: Any, backlog: int = 50, interface: str = "") -> Any:
        """Listen for TCP clients, on `port` or what a `Binding` says. CannotListenError when the system refuses."""
        return self._listen(Listener(self.engine, port, interface, backlog), factory)

    def connectTCP(self, host: Any, port: Any, factory: Any, timeout: float = 30, bindAddress: Any = None) -> Any:
        """Connect to a TCP server. What becomes of it is told to `factory`.

        :param bindAddress: the local address to connect from: (host, port) or a `Binding`.
        :raises ServiceNameUnknownError: for a `port` that is a name which the system does not know.
        """
        place = Destination(self.engine, host, port, bindAddress)
        connector = Connector(self.engine, place, factory, timeout, bindAddress)
        connector.connect()
        return connector

    def adoptStreamPort(self, fileDescriptor: int, addressFamily: Any, factory: Any) -> Any:
        """Listen on a copy of a socket that listens already. UnsupportedAddressFamily for one that is none."""
        if addressFamily not in (AF_INET, AF_INET6):
            return PosixReactorBase.adoptStreamPort(self, fileDescriptor, addressFamily, factory)  # type: ignore[arg-type]
        sock = adopt("adoptStreamPort", fileDescriptor, addressFamily)
        host, port = sock.getsockname()[:2]
        return self._listen(Listener(self.engine, port, host, 0, sock), factory)

    def adoptStreamConnection(self, fileDescriptor: int, addressFamily: Any, factory: Any) -> Any:
        """Take over a copy of a connected socket, with a protocol that `factory` builds."""
        if addressFamily not in (AF_INET, AF_INET6):
            return PosixReactorBase.adoptStreamConnection(self, fileDescriptor, addressFamily, factory)  # type: ignore[arg-type]
        sock = adopt("adoptStreamConnection", fileDescriptor, addressFamily)
        return adoptConnection(Listener(self.engine, 0, "", 0), sock, factory)

    def _listen(self, listener: Any, factory: Any) -> Port:
        port = Port(self.engine, listener, factory)
        port.startListening()
        return port
