"""What is TCP, by Twisted's classes: for `isinstance` and annotations.

A connection is a `Client` when this end opened it and a `Server` when it was accepted, with TLS or without, as long as
it stands; afterwards it is a `Connection` only.
"""

from __future__ import annotations

from reactor._transport.client.connector import Connector as _Connector
from reactor._transport.server.port import Port as _Port
from reactor._transport.stream.tcp import TCPTransport as Connection
from reactor.address import UNIXAddress
from reactor.compat._kinds import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Port: TypeAlias = _Port
    Connector: TypeAlias = _Connector
    Client: TypeAlias = Connection
    Server: TypeAlias = Connection

__all__ = ["Client", "Connection", "Connector", "Port", "Server"]


def isOutgoing(transport: Any) -> bool | None:
    """Whether this end opened the connection; None when it is over, and nobody knows any more."""
    if not transport.connected:
        return None
    origin = transport._connector
    return origin is not None and bool(origin.outgoing)


if not TYPE_CHECKING:

    class Port(metaclass=Kind):
        """What `listenTCP` and `listenSSL` return."""

        @classmethod
        def holds(cls, instance: Any) -> bool:
            """Whether `instance` is one."""
            return isinstance(instance, _Port) and not isinstance(instance.getHost(), UNIXAddress)

    class Connector(metaclass=Kind):
        """What `connectTCP` and `connectSSL` return."""

        @classmethod
        def holds(cls, instance: Any) -> bool:
            """Whether `instance` is one."""
            return isinstance(instance, _Connector) and not isinstance(instance.getDestination(), UNIXAddress)

    class Client(metaclass=Kind):
        """The transport of a connection that this end opened."""

        @classmethod
        def holds(cls, instance: Any) -> bool:
            """Whether `instance` is one."""
            return isinstance(instance, Connection) and isOutgoing(instance) is True

    class Server(metaclass=Kind):
        """The transport of a connection that was accepted, or adopted."""

        @classmethod
        def holds(cls, instance: Any) -> bool:
            """Whether `instance` is one."""
            return isinstance(instance, Connection) and isOutgoing(instance) is False
