"""Waiting for what goes on by itself."""

from __future__ import annotations

from reactor.defer import Deferred
from reactor.task.clock import deferLater

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_AGAIN = 0.01


def waitUntilAllDisconnected(reactor: Any, protocols: Iterable[Any]) -> Deferred[None]:
    """A Deferred that fires with None when the transports of all of `protocols` are no longer connected.

    They are looked at every hundredth of a second, on the clock `reactor`. Cancelling it ends that.
    """
    return Deferred.fromCoroutine(_wait(reactor, [protocol.transport for protocol in protocols]))


async def _wait(clock: Any, transports: list[Any]) -> None:
    while any(transport.connected for transport in transports):
        await deferLater(clock, _AGAIN)
