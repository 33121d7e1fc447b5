"""What programs find that measure a loop's turns: its selector, by the private name that it has in asyncio's loops.

Synapse, for one, puts an object of its own around ``reactor._asyncioEventloop._selector._selector``, of which ``poll``
takes the time between two waits. Here that is the one poller of the engine.
"""

from __future__ import annotations

import selectors
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from reactor._core.poller import Poller


class Polled(selectors.EpollSelector):
    """Passes for a selector on epoll, of which nothing but what is polled is there."""

    def __init__(self, poller: Poller) -> None:
        """Of this poller."""
        # Not what is derived from, which would open a descriptor.
        self._poller = poller
        self._around: Any = poller

    @property
    def _selector(self) -> Any:
        return self._around

    @_selector.setter
    def _selector(self, around: Any) -> None:
        self._around = around
        self._poller.poll = around.poll
