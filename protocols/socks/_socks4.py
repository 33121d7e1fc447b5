"""The names of ``twisted.protocols.socks``: a server for version 4 whose subclasses decide in `authorize`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from protocols._proxying.relay import OutgoingSide
from protocols.socks._server import SOCKSServerProtocol
from reactor.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, connectProtocol
from reactor.protocol import Factory

if TYPE_CHECKING:
    from protocols.socks._answering import Request
    from reactor.defer import Deferred


class SOCKSv4Outgoing(OutgoingSide):
    """The connection to the destination."""

    def __init__(self, socks: SOCKSv4) -> None:
        """For `socks`, the client's protocol."""
        self.socks = socks


class SOCKSv4(SOCKSServerProtocol):
    """A client of a server for SOCKS 4 and 4a. Nothing is allowed unless a subclass says so in `authorize`."""

    def __init__(self, logging: str | None = None, reactor: Any = None) -> None:
        """
        :param logging: the path of a file to which a line is appended for each request; None: none is.
        :param reactor: to connect with; None: the one that runs.
        """
        super().__init__(None, (4,), reactor)
        self.logging = logging

    def permits(self, request: Request) -> Any:
        """Asks `authorize`."""
        allowed = self.authorize(1, request.address or "", request.port, request.user or b"")
        if self.logging is not None:
            with open(self.logging, "a", encoding="utf-8") as file:
                when = time.strftime("%Y-%m-%d %H:%M:%S")
                print(when, request.peer, repr(request), request.address, bool(allowed), file=file)
        return True if allowed == 1 else allowed

    def authorize(self, code: int, server: str, port: int, user: bytes) -> Any:
        """Whether the client may: true, or a Deferred of True. For subclasses; refuses everything.

        :param code: 1, to connect. :param server: the address. :param port: its port. :param user: the name that the
            client says it has.
        """
        return False

    def opens(self, address: str, port: int) -> Deferred[Any]:
        """Asks `connectClass`."""
        return self.connectClass(address, port, SOCKSv4Outgoing, self)

    def connectClass(self, host: str, port: int, klass: Any, *args: Any) -> Deferred[Any]:
        """Connect ``klass(*args)`` to there; a Deferred of it. For subclasses that connect in another way."""
        kind = TCP6ClientEndpoint if ":" in host else TCP4ClientEndpoint
        return connectProtocol(kind(self.reactor, host, port, timeout=self.connectTimeout), klass(*args))


class SOCKSv4Factory(Factory):
    """Builds `SOCKSv4`, or what its attribute `protocol` is: a subclass that authorizes."""

    protocol: Any = SOCKSv4

    def __init__(self, log: str | None = None) -> None:
        """`log` is the argument `logging` of `SOCKSv4`."""
        self.logging = log

    def buildProtocol(self, addr: Any) -> Any:
        """For a new client."""
        protocol = self.protocol(self.logging)
        protocol.factory = self
        return protocol
