"""Protocols and factories to put around others: limits on connections, time and bandwidth, and logs of what passes.

Each wraps a factory and is given to `listenTCP`, `connectTCP` or an endpoint in its place; they may be put around each
other. `TimeoutMixin` is for protocols that keep their own time.
"""

from __future__ import annotations

from protocols.policies._limits import LimitConnectionsByPeer, LimitTotalConnectionsFactory
from protocols.policies._throttling import ThrottlingFactory, ThrottlingProtocol
from protocols.policies._timeouts import TimeoutFactory, TimeoutMixin, TimeoutProtocol
from protocols.policies._traffic import (
    SpewingFactory,
    SpewingProtocol,
    TrafficLoggingFactory,
    TrafficLoggingProtocol,
)
from protocols.policies._wrapping import ProtocolWrapper, WrappingFactory

__all__ = [
    "ProtocolWrapper",
    "WrappingFactory",
    "LimitConnectionsByPeer",
    "LimitTotalConnectionsFactory",
    "TimeoutFactory",
    "TimeoutProtocol",
    "TimeoutMixin",
    "ThrottlingFactory",
    "ThrottlingProtocol",
    "TrafficLoggingFactory",
    "TrafficLoggingProtocol",
    "SpewingFactory",
    "SpewingProtocol",
]
