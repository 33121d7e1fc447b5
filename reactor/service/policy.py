"""How long a client waits before it tries again."""

from __future__ import annotations

from reactor._core.backoff import grown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

#: The longest delay of `backoffPolicy` unless told otherwise, in seconds.
LONGEST = 60.0


def backoffPolicy(
    initialDelay: float = 1.0,
    maxDelay: float = LONGEST,
    factor: float = 1.5,
    jitter: Callable[[], float] | None = None,
) -> Callable[[int], float]:
    """A retry policy: a function from the number of failures in a row to the delay before the next attempt, in seconds.

    The delay is `initialDelay` times `factor` for each failure, `maxDelay` at most, plus what `jitter()` returns.

    :param jitter: None is `random.random`: up to a second more.
    """

    def policy(failures: int) -> float:
        if jitter is not None:
            extra = jitter()
        else:
            # Loaded by those who connect again, not by everybody.
            from random import random

            extra = random()
        return grown(initialDelay, factor, maxDelay, failures) + extra

    return policy
