"""What builds IRC clients one after the other, so that they are one client to the network: `IRCClientFactory`.

It holds the `Session`, connects again when a connection is lost, and goes to TLS where the server wants that (IRCv3
"Strict Transport Security").
"""

from __future__ import annotations

import time

from protocols.irc.client.client import IRCClient
from protocols.irc.client.session import Session
from reactor._ground.current import currentReactor
from reactor.protocol import ReconnectingClientFactory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reactor.failure import Failure

__all__ = ["IRCClientFactory"]


class IRCClientFactory(ReconnectingClientFactory):
    """Builds a client for each connection and connects again when one is lost; the next joins the channels of the last.

    The delays are `ReconnectingClientFactory`'s. The delay is a short one again, and retries are counted anew, after a
    connection that lasted for `steadyAfter`. To be welcomed is not enough: many a network welcomes before it looks for
    open proxies and bans, and who comes back each second is banned for good.
    """

    #: The class of the clients.
    protocol: Any = IRCClient
    #: The longest delay, in seconds.
    maxDelay = 300
    #: Seconds on a network, from RPL_WELCOME on, after which a connection has proved good.
    steadyAfter: float = 60
    #: The server's name, once `connect` was called.
    host: str | None = None
    #: What verifies the server's certificate, as for ``reactor.connectSSL``; None for
    #: ``reactor.ssl.optionsForClientTLS(host)``.
    contextFactory: Any = None

    # Invariant: the connector whose hooks count; an older one of a connection in the clear may still tell its end.
    _connector: Any = None
    _reactor: Any = None
    # The clock of the client that was welcomed last, and when that was; None when its connection is over.
    _welcomed: tuple[Any, float] | None = None

    def __init__(self) -> None:
        #: The nickname, the channels and the STS policies, over all connections.
        self.session = Session()
        #: The client that a server has taken in last.
        self.client: IRCClient | None = None

    def connect(self, host: str, port: int | None = None, tls: bool = True, reactor: Any = None) -> None:
        """Connect to an IRC server, and again whenever the connection is lost, until `stopTrying`.

        :param port: None for 6697, or 6667 in the clear.
        :param tls: False for a connection in the clear; a server that wants TLS gets it nevertheless.
        """
        self.host = host
        self._reactor = reactor if reactor is not None else currentReactor()
        known = self.session.policies.portFor(host, time.time())
        if known is not None and not tls:
            tls, port = True, known
        if tls:
            self._secure(host, 6697 if port is None else port)
        else:
            self._connector = self._reactor.connectTCP(host, 6667 if port is None else port, self)

    def _secure(self, host: str, port: int) -> None:
        context = self.contextFactory
        if context is None:
            # Not before it is needed: loading TLS takes long.
            from reactor.ssl import optionsForClientTLS

            context = optionsForClientTLS(host)
        self._connector = self._reactor.connectSSL(host, port, self, context)

    def clientWelcomed(self, client: IRCClient) -> None:
        """A server has taken `client` in. `IRCClient` calls this, before `signedOn`."""
        self.client = client
        self._welcomed = client.clock, client.clock.seconds()

    def clientMustBeSecure(self, client: IRCClient, port: int) -> None:
        """The server wants TLS, at `port`: go there. `IRCClient` calls this, and closes its connection."""
        if self.host is not None:
            self._secure(self.host, port)

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        """No connection came about: try again, unless `stopTrying` was called."""
        if self._connector in (None, connector):
            super().clientConnectionFailed(connector, reason)

    def clientConnectionLost(self, connector: Any, reason: Failure) -> None:
        """The connection ended: make another, unless `stopTrying` was called."""
        if self.host is not None:
            self.session.policies.disconnected(self.host, time.time())
        if self._connector in (None, connector):
            welcomed, self._welcomed = self._welcomed, None
            # Not after stopTrying, which a reset would undo.
            if welcomed is not None and self.continueTrying and welcomed[0].seconds() - welcomed[1] >= self.steadyAfter:
                self.resetDelay()
            super().clientConnectionLost(connector, reason)
