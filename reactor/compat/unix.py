"""What is a UNIX socket, by Twisted's classes: for `isinstance` and annotations. As in `tcp`."""

from __future__ import annotations

from reactor._transport.client.connector import Connector as _Connector
from reactor._transport.server.port import Port as _Port
from reactor._transport.unix.datagram import ConnectedUNIXDatagramPort as ConnectedDatagramPort
from reactor._transport.unix.datagram import UNIXDatagramPort as DatagramPort
from reactor._transport.unix.stream import UNIXTransport as _UNIXTransport
from reactor.address import UNIXAddress
from reactor.compat._kinds import Kind
from reactor.compat.tcp import isOutgoing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Port: TypeAlias = _Port
    Connector: TypeAlias = _Connector
    Client: TypeAlias = _UNIXTransport
    Server: TypeAlias = _UNIXTransport

__all__ = ["Client", "ConnectedDatagramPort", "Connector", "DatagramPort", "Port", "Server"]


if not TYPE_CHECKING:

    class Port(metaclass=Kind):
        """What `listenUNIX` returns."""

        @classmethod
        def holds(cls, instance: Any) -> bool:
            """Whether `instance` is one."""
            return isinstance(instance, _Port) and isinstance(instance.getHost(), UNIXAddress)

    class Connector(metaclass=Kind):
        """What `connectUNIX` returns."""

        @classmethod
        def holds(cls, instance: Any) -> bool:
            """Whether `instance` is one."""
            return isinstance(instance, _Connector) and isinstance(instance.getDestination(), UNIXAddress)

    class Client(metaclass=Kind):
        """The transport of a connection that this end opened."""

        @classmethod
        def holds(cls, instance: Any) -> bool:
            """Whether `instance` is one."""
            return isinstance(instance, _UNIXTransport) and isOutgoing(instance) is True

    class Server(metaclass=Kind):
        """The transport of a connection that was accepted, or adopted."""

        @classmethod
        def holds(cls, instance: Any) -> bool:
            """Whether `instance` is one."""
            return isinstance(instance, _UNIXTransport) and isOutgoing(instance) is False
