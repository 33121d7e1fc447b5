"""A limit to the time that a Deferred may take."""

from __future__ import annotations

from reactor.defer.errors import CancelledError, TimeoutError
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reactor.defer.deferred import Deferred


def limitTime(
    deferred: Deferred[Any], seconds: float, clock: Any, onTimeoutCancel: Callable[[Any, float], Any] | None
) -> None:
    """Cancel `deferred` in `seconds` of `clock` unless its chain so far has ended by then, and say that this is why."""
    timedOut = False

    def expired() -> None:
        nonlocal timedOut
        timedOut = True
        deferred.cancel()

    def ended(result: Any) -> Any:
        if call.active():
            call.cancel()
        if not timedOut:
            return result
        if onTimeoutCancel is not None:
            return onTimeoutCancel(result, seconds)
        if isinstance(result, Failure) and result.check(CancelledError):
            return Failure(TimeoutError(seconds, "Deferred"))
        return result

    call = clock.callLater(seconds, expired)
    deferred.addBoth(ended)
