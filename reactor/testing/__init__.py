"""For tests of programs that use the reactor: transports, reactors and networks in memory.

`StringTransport` for one protocol alone, `connectedPair` for two that talk to each other over a bad network,
`MemoryReactor` for what asks a reactor for ports and connections, `reactor.task.Clock` for time. Tests that need a real
reactor are run by `reactor.pytestplugin`.
"""

from __future__ import annotations

from reactor.testing.fakes import FakeConnector, FakePort, SynchronousResolver
from reactor.testing.memory import MemoryReactor, MemoryReactorClock
from reactor.testing.pair import ConnectedPair, connectedPair
from reactor.testing.raising import RaisingMemoryReactor
from reactor.testing.strings import (
    AccumulatingProtocol,
    FakeDatagramTransport,
    NonStreamingProducer,
    StringIOWithoutClosing,
    StringTransport,
    StringTransportWithDisconnection,
)
from reactor.testing.waiting import waitUntilAllDisconnected

# Under which names Twisted's users know them.
_FakeConnector, _FakePort = FakeConnector, FakePort

__all__ = [
    "AccumulatingProtocol",
    "ConnectedPair",
    "FakeConnector",
    "FakeDatagramTransport",
    "FakePort",
    "MemoryReactor",
    "MemoryReactorClock",
    "NonStreamingProducer",
    "RaisingMemoryReactor",
    "StringIOWithoutClosing",
    "StringTransport",
    "StringTransportWithDisconnection",
    "SynchronousResolver",
    "connectedPair",
    "waitUntilAllDisconnected",
]
