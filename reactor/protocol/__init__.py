"""What programs subclass: a protocol for each connection, a factory for what outlives connections.

Here are only the names; what is rarely wanted is loaded when it is asked for.
"""

from __future__ import annotations

from reactor._ground.declare import whenInterfacesLoaded
from reactor.protocol.protocols import (
    AbstractDatagramProtocol,
    BaseProtocol,
    ClientFactory,
    ConnectedDatagramProtocol,
    DatagramProtocol,
    Factory,
    ProcessProtocol,
    Protocol,
    ServerFactory,
    connectionDone,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reactor.protocol.adapters import ConsumerToProtocolAdapter as ConsumerToProtocolAdapter
    from reactor.protocol.adapters import FileWrapper as FileWrapper
    from reactor.protocol.adapters import ProtocolToConsumerAdapter as ProtocolToConsumerAdapter
    from reactor.protocol.creator import ClientCreator as ClientCreator
    from reactor.protocol.reconnecting import ReconnectingClientFactory as ReconnectingClientFactory

__all__ = [
    "AbstractDatagramProtocol",
    "BaseProtocol",
    "ClientFactory",
    "ConnectedDatagramProtocol",
    "DatagramProtocol",
    "Factory",
    "ProcessProtocol",
    "Protocol",
    "ServerFactory",
    "connectionDone",
]


def __getattr__(name: str) -> Any:
    if name in ("FileWrapper", "ProtocolToConsumerAdapter", "ConsumerToProtocolAdapter"):
        from reactor.protocol import adapters

        return getattr(adapters, name)
    if name in ("ClientCreator", "_InstanceFactory"):
        from reactor.protocol import creator

        return getattr(creator, name)
    if name == "ReconnectingClientFactory":
        from reactor.protocol.reconnecting import ReconnectingClientFactory

        return ReconnectingClientFactory
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _registerAdapters() -> None:
    from reactor.protocol.adapters import register

    register()


# Nobody can call IConsumer(protocol) before there is an IConsumer.
whenInterfacesLoaded(_registerAdapters)
