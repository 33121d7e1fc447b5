"""What `Deferred.chainDeferred` puts into the place of a callback."""

from __future__ import annotations

from reactor.defer.debug import stackAbove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reactor.defer.chain import Chain
    from reactor.defer.deferred import Deferred


class Relay:
    """Fires another Deferred with the result that it receives.

    It does not run that one's callbacks but hands it to the loop, so that rows of any length are no recursion.
    """

    __slots__ = ("deferred",)

    _takes = True

    def __init__(self, deferred: Deferred[Any]) -> None:
        self.deferred = deferred

    def _receive(self, fired: Chain) -> Chain | None:
        deferred = self.deferred
        if deferred.called:
            deferred._calledAgain()
        else:
            deferred._settle(fired.result)
            if deferred.debug:
                deferred._info().invoker = stackAbove()
            if deferred._callbacks is not None and not deferred.paused:
                return deferred
        fired.result = None
        return None
