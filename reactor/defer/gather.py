"""Waiting for several Deferreds: for all of them, for the first one, or for the first one that fails."""

from __future__ import annotations

from reactor.defer.debug import report
from reactor.defer.deferred import Deferred
from reactor.defer.errors import FailureGroup, FirstError
from reactor.defer.generic import T
from reactor.defer.shortcuts import FAILURE, SUCCESS
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


class DeferredList(Deferred["list[tuple[bool, Any]]"]):
    """The Deferred of the results of all in `deferredList`: a list of pairs (success, result or Failure), in their
    order.

    Each Deferred of the list goes on with its own result as if nobody had looked, so an error in it is still to be
    handled. Cancelling this one cancels those that are not there yet.

    :param fireOnOneCallback: fire with (result, index) as soon as one has a result.
    :param fireOnOneErrback: fire with `FirstError` as soon as one has failed.
    :param consumeErrors: count the errors as handled: the result of each that failed is None.
    """

    fireOnOneCallback = False
    fireOnOneErrback = False

    def __init__(
        self,
        deferredList: Iterable[Deferred[Any]],
        fireOnOneCallback: bool = False,
        fireOnOneErrback: bool = False,
        consumeErrors: bool = False,
    ) -> None:
        super().__init__()
        self._deferredList = list(deferredList)
        #: the pairs that are there, None for the others
        self.resultList: list[Any] = [None] * len(self._deferredList)
        self.finishedCount = 0
        if not self._deferredList and not fireOnOneCallback:
            self.callback([])
        self.fireOnOneCallback = fireOnOneCallback
        self.fireOnOneErrback = fireOnOneErrback
        self.consumeErrors = consumeErrors
        for index, deferred in enumerate(self._deferredList):
            deferred.addCallbacks(
                self._received, self._received, callbackArgs=(index, SUCCESS), errbackArgs=(index, FAILURE)
            )

    def _received(self, result: Any, index: int, succeeded: bool) -> Any:
        self.resultList[index] = (succeeded, result)
        self.finishedCount += 1
        if not self.called:
            if succeeded == SUCCESS and self.fireOnOneCallback:
                self.callback((result, index))  # type: ignore[arg-type]
            elif succeeded == FAILURE and self.fireOnOneErrback:
                self.errback(Failure(FirstError(result, index)))
            elif self.finishedCount == len(self.resultList):
                self.callback(self.resultList)
        return None if succeeded == FAILURE and self.consumeErrors else result

    def cancel(self) -> None:
        """Cancel all Deferreds of the list, if this one was not fired. What a canceller raises is logged."""
        if self.called:
            super().cancel()
            return
        for deferred in self._deferredList:
            try:
                deferred.cancel()
            except Exception as exception:
                report("Exception raised from user supplied canceller", Failure(exception))


def gatherResults(deferredList: Iterable[Deferred[T]], consumeErrors: bool = False) -> Deferred[list[T]]:
    """The Deferred of the list of all results, or of a `FirstError` as soon as one fails. Cancelling it cancels all.

    :param consumeErrors: count the errors as handled. Otherwise those of the others, which this one does not tell,
        are logged when nobody handles them.
    """

    def results(pairs: list[tuple[bool, T]]) -> list[T]:
        return [result for _, result in pairs]

    return DeferredList(deferredList, fireOnOneErrback=True, consumeErrors=consumeErrors).addCallback(results)


def race(ds: Iterable[Deferred[T]]) -> Deferred[tuple[int, T]]:
    """The Deferred of (index, result) of the first one that has a result; the others are cancelled.

    If all fail it fails with a `FailureGroup`. Cancelling it cancels all. All results and errors of the Deferreds in
    `ds` are consumed.
    """
    racers = list(ds)
    failures: list[tuple[int, Failure]] = []
    won = False

    def cancelAll(_: object) -> None:
        for racer in racers:
            racer.cancel()

    def succeeded(result: T, index: int) -> None:
        nonlocal won
        if won:
            return
        won = True
        for racer in racers:
            racer.cancel()
        outcome.callback((index, result))

    def failed(failure: Failure, index: int) -> None:
        failures.append((index, failure))
        if not won and len(failures) == len(racers):
            outcome.errback(FailureGroup([failure for _, failure in sorted(failures, key=lambda pair: pair[0])]))

    outcome: Deferred[tuple[int, T]] = Deferred(cancelAll)
    for index, racer in enumerate(racers):
        racer.addCallbacks(succeeded, failed, callbackArgs=(index,), errbackArgs=(index,))
    return outcome
