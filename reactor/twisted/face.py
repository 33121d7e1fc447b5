"""What a reactor for Twisted's applications offers over streams: what makes ports and connections."""

from __future__ import annotations

import sys
from os import fsencode
from socket import AF_INET, AF_INET6, AF_UNIX
from typing import TYPE_CHECKING

from twisted.internet.error import UnsupportedAddressFamily
from twisted.internet.interfaces import IReactorSSL, IReactorTCP, IReactorUNIX
from twisted.internet.posixbase import PosixReactorBase
from zope.interface import implementer

from reactor._transport.stream.tcp import adopt, adoptConnection
from reactor._transport.unix import stream as unix
from reactor.twisted import unixstreams
from reactor.twisted.connectors import Connector, Destination
from reactor.twisted.ports import Listener, Port
from reactor.twisted.words import isStandard

if TYPE_CHECKING:
    from typing import Any

    from reactor.twisted.frame import Engine


@implementer(IReactorTCP, IReactorSSL, IReactorUNIX)
class ReactorStreams:
    """A part of `TwistedReactor`."""

    if TYPE_CHECKING:
        engine: Engine

    def listenTCP(self, port: Any, factory: Any, backlog: int = 50, interface: str = "") -> Any:
        """Listen for TCP clients, on `port` or what a `Binding` says. CannotListenError when the system refuses."""
        return self._listen(Listener(self.engine, port, interface, backlog), quickened(factory))

    def connectTCP(self, host: Any, port: Any, factory: Any, timeout: float = 30, bindAddress: Any = None) -> Any:
        """Connect to a TCP server. What becomes of it is told to `factory`.

        :param bindAddress: the local address to connect from: (host, port) or a `Binding`.
        :raises ServiceNameUnknownError: for a `port` that is a name which the system does not know.
        """
        place = Destination(self.engine, host, port, bindAddress)
        connector = Connector(self.engine, place, quickened(factory), timeout, bindAddress)
        connector.connect()
        return connector

    def listenSSL(self, port: Any, factory: Any, contextFactory: Any, backlog: int = 50, interface: str = "") -> Any:
        """Listen for clients that speak TLS. CannotListenError when the system refuses.

        :param contextFactory: as Twisted takes it; or an `ssl.SSLContext`, or what `reactor.ssl` makes: then our own
            layer speaks TLS, and a protocol is built when the handshake is verified.
        """
        if not isStandard(contextFactory):
            return PosixReactorBase.listenSSL(self, port, factory, contextFactory, backlog, interface)  # type: ignore[arg-type]
        from reactor.twisted import secure

        inner: Any = Listener(self.engine, port, interface, backlog)
        made = Port(self.engine, secure.Listener(self.engine._loop, inner, contextFactory, "listenSSL"), factory)
        made._type = "TLS"
        made.startListening()
        return made

    def connectSSL(
        self,
        host: Any,
        port: Any,
        factory: Any,
        contextFactory: Any,
        timeout: float = 30,
        bindAddress: Any = None,
    ) -> Any:
        """Connect to a server that speaks TLS. What becomes of it is told to `factory`.

        :param contextFactory: as for `listenSSL`. The name that is verified is the options', or `host`.
        """
        if not isStandard(contextFactory):
            return PosixReactorBase.connectSSL(self, host, port, factory, contextFactory, timeout, bindAddress)  # type: ignore[arg-type]
        from reactor.twisted import secure

        inner = Destination(self.engine, host, port, bindAddress)
        place = secure.Destination(self.engine._loop, inner, contextFactory, "connectSSL")
        connector = Connector(self.engine, place, factory, timeout, bindAddress)
        connector.connect()
        return connector

    def adoptStreamPort(self, fileDescriptor: int, addressFamily: Any, factory: Any) -> Any:
        """Listen on a copy of a socket that listens already. UnsupportedAddressFamily for one that is none."""
        sock = _adopted("adoptStreamPort", fileDescriptor, addressFamily)
        if addressFamily == AF_UNIX:
            path = fsencode(sock.getsockname())
            return self._listenUNIX(unixstreams.Listener(self.engine._loop, path, 50, 0o666, False, sock), factory)
        host, port = sock.getsockname()[:2]
        return self._listen(Listener(self.engine, port, host, 0, sock), factory)

    def adoptStreamConnection(self, fileDescriptor: int, addressFamily: Any, factory: Any) -> Any:
        """Take over a copy of a connected socket, with a protocol that `factory` builds."""
        sock = _adopted("adoptStreamConnection", fileDescriptor, addressFamily)
        if addressFamily == AF_UNIX:
            listener = unixstreams.Listener(self.engine._loop, b"", 0, 0, False)
            return unix.adoptConnection(listener, sock, factory)
        return adoptConnection(Listener(self.engine, 0, "", 0), sock, factory)

    def listenUNIX(
        self, address: Any, factory: Any, backlog: int = 50, mode: int = 0o666, wantPID: bool | int = 0
    ) -> Any:
        """Listen on a UNIX socket. CannotListenError when the system refuses, or somebody holds its lock."""
        path = unixstreams.pathOf(address)
        return self._listenUNIX(unixstreams.Listener(self.engine._loop, path, backlog, mode, bool(wantPID)), factory)

    def connectUNIX(self, address: Any, factory: Any, timeout: float = 30, checkPID: bool | int = 0) -> Any:
        """Connect to a UNIX socket. What becomes of it is told to `factory`."""
        connector = unixstreams.UNIXConnector(self.engine, address, quickened(factory), timeout, checkPID)
        connector.connect()
        return connector

    def _listenUNIX(self, listener: Any, factory: Any) -> Port:
        port = unixstreams.UNIXPort(self.engine, listener, quickened(factory))
        port.startListening()
        return port

    def _listen(self, listener: Any, factory: Any) -> Port:
        port = Port(self.engine, listener, factory)
        port.startListening()
        return port


def quickened(factory: Any) -> Any:
    """`factory`; if it, or what it wraps, makes connections of TLS by pyOpenSSL, such as cost less on ours."""
    # There when pyOpenSSL is.
    tls = sys.modules.get("twisted.protocols.tls")
    wrapped = factory
    while tls is not None and wrapped is not None:
        if type(wrapped) is tls.TLSMemoryBIOFactory:
            from reactor.twisted.tls import quicken

            quicken(wrapped)
        about = getattr(wrapped, "__dict__", {})
        wrapped = about.get("wrappedFactory") or about.get("_wrappedFactory")
    return factory


def _adopted(method: str, fileDescriptor: int, addressFamily: Any) -> Any:
    if addressFamily not in (AF_INET, AF_INET6, AF_UNIX):
        raise UnsupportedAddressFamily(addressFamily)
    return adopt(method, fileDescriptor, addressFamily)
