"""To and from the futures of asyncio, whose cancellation and errors are carried over in both directions."""

from __future__ import annotations

from reactor.defer import driver
from reactor.defer.debug import expect
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future
    from typing import Any

    from reactor.defer.deferred import Deferred


def futureFor(deferred: Deferred[Any], loop: AbstractEventLoop) -> Future[Any]:
    """A future of `loop` that gets the result of `deferred`, which it cancels when it is cancelled."""
    future = loop.create_future()

    def succeeded(result: Any) -> None:
        if not future.cancelled():
            future.set_result(result)

    def failed(failure: Failure) -> None:
        if not future.cancelled():
            future.set_exception(failure.value)

    def done(_: Future[Any]) -> None:
        if future.cancelled():
            deferred.cancel()

    future.add_done_callback(done)
    deferred.addCallbacks(succeeded, failed)
    return future


def fireFromFuture(deferred: Deferred[Any], future: Future[Any]) -> None:
    """Fire `deferred` with the result of `future`, and cancel that when `deferred` is cancelled.

    A future need not obey, and tells what came of it only later: so does the cancelled Deferred, by waiting for
    another one in its place. A cancellation by the end of its loop's run is reported to nobody who does not ask.
    """
    last = deferred

    def cancel(cancelled: Deferred[Any]) -> None:
        nonlocal last
        last = cancelled.__class__(cancel)
        cancelled._supersededBy(last)
        future.cancel()

    def done(_: Future[Any]) -> None:
        if future.cancelled():
            from asyncio import CancelledError

            problem: BaseException | None = CancelledError()
        else:
            problem = future.exception()
        if problem is None:
            last.callback(future.result())
            return
        side = driver.asyncioSide
        if side is not None and side.cancelledByTheEnd(future, problem):
            expect(problem)
        last.errback(Failure(problem))

    deferred._canceller = cancel
    future.add_done_callback(done)
