"""`Deferred`: a result that is not there yet, and what is to be done with it when it is.

This is the API: adding callbacks, firing, cancelling, pausing, waiting. The loop that runs callbacks is
`reactor.defer.chain`'s, coroutines are run by `reactor.defer.driver`, and what other event loops call a future is dealt
with in `reactor.defer.futures`.
"""

from __future__ import annotations

from collections.abc import Coroutine
from contextvars import copy_context
from types import CoroutineType, GeneratorType

from reactor._ground.current import currentReactor
from reactor.defer import driver
from reactor.defer.chain import Chain, Relay, passthru, run
from reactor.defer.debug import stackAbove
from reactor.defer.driver import drive
from reactor.defer.errors import AlreadyCalledError, CancelledError, NotACoroutineError
from reactor.defer.generic import Generic, T
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future
    from collections.abc import Callable, Generator, Mapping
    from typing import Any, Concatenate, ParamSpec, Self, TypeVar, overload

    from reactor.interfaces import IReactorTime

    P = ParamSpec("P")
    S = TypeVar("S")
    R = TypeVar("R")

# In the place of the canceller when there was none and `cancel` was called: whoever still works for the Deferred
# does not know that, and may fire it once.
_IGNORE_NEXT_CALL = object()


class Deferred(Chain, Generic[T]):
    """A result that is not there yet.

    Whoever waits for it adds callbacks and errbacks; whoever gets it fires it, once, with `callback` or `errback`.
    Each callback gets what the one before it returned. A callback that raises, or returns a Failure, sends the rest
    of the chain to its errbacks; an errback that returns anything else sends it back to its callbacks. A callback
    that returns a Deferred makes the rest of the chain wait for that one's result.

    An error that is still there when the Deferred is freed is logged, by logger ``reactor.defer``.

    :param canceller: called with this Deferred by `cancel`: should stop what is going on, and may fire the Deferred.
    """

    __slots__ = ()

    #: Whether to record where Deferreds are made and fired, see `setDebugging`.
    debug = False

    def __init__(self, canceller: Callable[[Deferred[Any]], object] | None = None) -> None:
        self.called = False
        self.paused = 0
        self._callbacks = None
        self._canceller = canceller
        if Deferred.debug:
            self._info().creator = stackAbove()

    def __repr__(self) -> str:
        name = f"{self.__class__.__name__} at {id(self):#x}"
        if not self.called:
            return f"<{name}>"
        if isinstance(self.result, Chain):
            return f"<{name} waiting on {self.result.__class__.__name__} at {id(self.result):#x}>"
        return f"<{name} current result: {self.result!r}>"

    @property
    def callbacks(self) -> list[Any]:
        """What is still to be called, as Twisted has it: for each place a pair, what is called with a result and what
        with an error, each a tuple (function, arguments, keywords). A list made now: changing it changes nothing.
        """
        return [_asPair(entry) for entry in self._callbacks or ()]

    # ---- Adding callbacks ----

    if TYPE_CHECKING:

        @overload
        def addCallback(
            self, callback: Callable[Concatenate[T, P], Failure], *args: P.args, **kwargs: P.kwargs
        ) -> Deferred[Any]: ...
        @overload
        def addCallback(
            self, callback: Callable[Concatenate[T, P], Deferred[S]], *args: P.args, **kwargs: P.kwargs
        ) -> Deferred[S]: ...
        @overload
        def addCallback(
            self, callback: Callable[Concatenate[T, P], Deferred[S] | S], *args: P.args, **kwargs: P.kwargs
        ) -> Deferred[S]: ...
        def addCallback(self, callback: Any, *args: Any, **kwargs: Any) -> Deferred[Any]: ...

        @overload
        def addErrback(
            self, errback: Callable[Concatenate[Failure, P], Failure], *args: P.args, **kwargs: P.kwargs
        ) -> Deferred[T]: ...
        @overload
        def addErrback(
            self, errback: Callable[Concatenate[Failure, P], Deferred[S]], *args: P.args, **kwargs: P.kwargs
        ) -> Deferred[T | S]: ...
        @overload
        def addErrback(
            self, errback: Callable[Concatenate[Failure, P], Deferred[S] | S], *args: P.args, **kwargs: P.kwargs
        ) -> Deferred[T | S]: ...
        def addErrback(self, errback: Any, *args: Any, **kwargs: Any) -> Deferred[Any]: ...

        @overload
        def addBoth(
            self, callback: Callable[Concatenate[T | Failure, P], Failure], *args: P.args, **kwargs: P.kwargs
        ) -> Deferred[Any]: ...
        @overload
        def addBoth(
            self, callback: Callable[Concatenate[T | Failure, P], Deferred[S]], *args: P.args, **kwargs: P.kwargs
        ) -> Deferred[S]: ...
        @overload
        def addBoth(
            self, callback: Callable[Concatenate[T | Failure, P], Deferred[S] | S], *args: P.args, **kwargs: P.kwargs
        ) -> Deferred[S]: ...
        def addBoth(self, callback: Any, *args: Any, **kwargs: Any) -> Deferred[Any]: ...

        @overload
        def addCallbacks(
            self,
            callback: Callable[..., Deferred[S]],
            errback: Callable[..., Failure] | None = ...,
            callbackArgs: tuple[Any, ...] | None = ...,
            callbackKeywords: Mapping[str, Any] | None = ...,
            errbackArgs: tuple[Any, ...] | None = ...,
            errbackKeywords: Mapping[str, Any] | None = ...,
        ) -> Deferred[S]: ...
        @overload
        def addCallbacks(
            self,
            callback: Callable[..., S],
            errback: Callable[..., Failure] | None = ...,
            callbackArgs: tuple[Any, ...] | None = ...,
            callbackKeywords: Mapping[str, Any] | None = ...,
            errbackArgs: tuple[Any, ...] | None = ...,
            errbackKeywords: Mapping[str, Any] | None = ...,
        ) -> Deferred[S]: ...
        @overload
        def addCallbacks(
            self,
            callback: Callable[..., Any],
            errback: Callable[..., Any],
            callbackArgs: tuple[Any, ...] | None = ...,
            callbackKeywords: Mapping[str, Any] | None = ...,
            errbackArgs: tuple[Any, ...] | None = ...,
            errbackKeywords: Mapping[str, Any] | None = ...,
        ) -> Deferred[Any]: ...
        def addCallbacks(self, *args: Any, **kwargs: Any) -> Deferred[Any]: ...

    else:

        def addCallback(self, callback, *args, **kwargs):
            """Call `callback(result, *args, **kwargs)` when there is a result that is not an error. Returns this
            Deferred.

            What it returns is the result from then on; what it raises is the error.
            """
            if args or kwargs:
                callback = (callback, args, kwargs, passthru, (), {})
            callbacks = self._callbacks
            if callbacks is not None:
                callbacks.append(callback)
            else:
                self._callbacks = [callback]
                if self.called and not self.paused:
                    run(self)
            return self

        def addErrback(self, errback, *args, **kwargs):
            """Call `errback(failure, *args, **kwargs)` when there is an error. Returns this Deferred.

            What it returns is the result from then on, and no error unless it is a Failure; what it raises is the
            error.
            """
            return self._add((passthru, (), {}, errback, args, kwargs) if args or kwargs else (errback, None))

        def addBoth(self, callback, *args, **kwargs):
            """Call `callback(resultOrFailure, *args, **kwargs)` in either case. Returns this Deferred."""
            if args or kwargs:
                return self._add((callback, args, kwargs, callback, args, kwargs))
            return self._add((callback, callback, None))

        def addCallbacks(
            self,
            callback,
            errback=None,
            callbackArgs=(),
            callbackKeywords=None,
            errbackArgs=(),
            errbackKeywords=None,
        ):
            """Add a callback and an errback to the same place in the chain: one of them is called. Returns this
            Deferred.

            :param callbackArgs: further arguments of `callback`, with `callbackKeywords`.
            :param errbackArgs: further arguments of `errback`, with `errbackKeywords`.
            """
            if errback is None:
                errback = passthru
            if callbackArgs or callbackKeywords or errbackArgs or errbackKeywords:
                forError = (errback, errbackArgs or (), errbackKeywords or {})
                return self._add((callback, callbackArgs or (), callbackKeywords or {}, *forError))
            return self._add((callback, errback, None))

    def _add(self, entry: tuple[Any, ...]) -> Self:
        callbacks = self._callbacks
        if callbacks is not None:
            callbacks.append(entry)
        else:
            self._callbacks = [entry]
            if self.called and not self.paused:
                run(self)
        return self

    def chainDeferred(self, d: Deferred[T]) -> Deferred[None]:
        """Fire `d` with the result or error of this one, whose own result is None from then on.

        Returns this Deferred.
        """
        if d.__class__.callback is Deferred.callback and d.__class__.errback is Deferred.errback:
            return self._add((Relay(d),))  # type: ignore[return-value]
        return self.addCallbacks(d.callback, d.errback)

    # ---- Firing ----

    def callback(self, result: T | Failure) -> None:
        """The result is there: begin to call what was added. A Failure goes to the errbacks.

        :raises AlreadyCalledError: this was fired before.
        :raises TypeError: `result` is a Deferred; only what callbacks return may be one.
        """
        if self.called:
            self._calledAgain()
            return
        if isinstance(result, Chain):
            raise TypeError(
                f"callback() takes a result, not {result!r}: return that from a callback, or chainDeferred()"
            )
        self.called = True
        self.result = result
        if self._canceller is not None and self._canceller is not _IGNORE_NEXT_CALL:
            self._canceller = None
        if Deferred.debug:
            self._info().invoker = stackAbove()
        if self._callbacks is not None:
            if not self.paused:
                run(self)
        elif isinstance(result, Failure):
            self._notHandled()

    def errback(self, fail: Failure | BaseException | None = None) -> None:
        """It went wrong: begin to call the errbacks.

        :param fail: the error. None: the exception that is being handled now.
        :raises AlreadyCalledError: this was fired before.
        :raises NoCurrentExceptionError: no error was given, and none is being handled.
        :raises TypeError: `fail` is no exception.
        """
        Deferred.callback(self, fail if isinstance(fail, Failure) else Failure(fail))

    def _calledAgain(self) -> None:
        if self._canceller is _IGNORE_NEXT_CALL:
            self._canceller = None
            return
        info = getattr(self, "_debugInfo", None)
        details = "" if info is None else info.describe()
        raise AlreadyCalledError(f"\n{details}" if details else "this Deferred was fired already")

    # ---- Giving up ----

    def cancel(self) -> None:
        """Nobody wants the result any more: call the canceller; if it does not fire this, fire it with a
        `CancelledError`.

        While this waits for another Deferred, that one is cancelled. Does nothing when the result is there. Without
        a canceller, whoever would have fired this may still do so once, to no effect. What the canceller raises
        comes out.
        """
        if self.called:
            awaited = self._lastAwaited()
            if awaited is not None:
                awaited.cancel()
            return
        if self._canceller is None:
            self._canceller = _IGNORE_NEXT_CALL
        else:
            self._canceller(self)
        if not self.called:
            Deferred.callback(self, Failure(CancelledError()))

    def _lastAwaited(self) -> Deferred[Any] | None:
        """The end of the row of Deferreds that wait for each other; None if this one does not wait, or in a circle."""
        link: Any = self
        seen: Any = self
        steps = limit = 1
        while link.called and isinstance(link.result, Deferred):
            link = link.result
            if link is seen:
                return None
            if link.__class__.cancel is not Deferred.cancel:
                break
            steps += 1
            if steps > limit:
                # Brent's way to notice a circle: one comparison a step.
                seen, steps, limit = link, 1, limit * 2
        return None if link is self else link

    def addTimeout(
        self,
        timeout: float,
        clock: IReactorTime | None = None,
        onTimeoutCancel: Callable[[T | Failure, float], Any] | None = None,
    ) -> Self:
        """Cancel this Deferred if its chain, as far as it was added before this, has not ended in `timeout` seconds.

        The error is then `TimeoutError` where it would have been `CancelledError`. Returns this Deferred.

        :param clock: what has the method ``callLater``; None is the reactor of this thread.
        :param onTimeoutCancel: called with the result or Failure that cancelling brought about, and `timeout`; what it
            returns or raises takes that one's place.
        """
        from reactor.defer.timeouts import limitTime

        limitTime(self, timeout, currentReactor() if clock is None else clock, onTimeoutCancel)
        return self

    # ---- Waiting ----

    def pause(self) -> None:
        """Begin no more callbacks until `unpause` was called as often as this."""
        self.paused += 1

    def unpause(self) -> None:
        """Undo one `pause`."""
        self.paused -= 1
        if self.called and not self.paused and not getattr(self, "_running", False):
            run(self)

    def __await__(self) -> Generator[Deferred[Any], Any, T]:
        """Wait for the result in a coroutine that `ensureDeferred` runs; an error is raised there."""
        if not self.called or self.paused:
            if driver.asyncioSide is not None:
                future = driver.asyncioSide.futureForTask(self)
                if future is not None:
                    # A task of asyncio's waits for it, and takes nothing but futures.
                    return (yield from future)  # type: ignore[no-any-return]
            result = yield self
            if result is self and driver.twistedSide is not None:
                # A driver that does not know us hands back what it was given: Twisted's.
                return (yield from driver.twistedSide.awaitFor(self))  # type: ignore[no-any-return]
            return result  # type: ignore[no-any-return]
        result = self.result
        if isinstance(result, Failure):
            self._handled()
            try:
                raise result.value.with_traceback(result.tb)
            finally:
                # This frame becomes part of the exception's traceback: a variable that leads to it would make a circle.
                del self, result
        return result  # type: ignore[no-any-return]

    __iter__ = __await__

    # ---- From and to other things that come later ----

    @classmethod
    def fromCoroutine(cls, coro: Coroutine[Deferred[Any], Any, S] | Generator[Deferred[Any], Any, S]) -> Deferred[S]:
        """Run a coroutine that awaits Deferreds, its first step at once; the Deferred of its result.

        It keeps one context of variables of its own, copied now. Cancelling the Deferred cancels what the coroutine
        waits for, which it sees as an error at that place and may catch.

        :raises NotACoroutineError: `coro` is none.
        """
        if type(coro) is not CoroutineType and not isinstance(coro, (GeneratorType, Coroutine)):
            raise NotACoroutineError(f"{coro!r} is not a coroutine")
        deferred: Deferred[S] = Deferred()
        drive(coro, deferred, copy_context())
        return deferred

    def asFuture(self, loop: AbstractEventLoop) -> Future[T]:
        """A future of asyncio's `loop` that gets the result of this Deferred, and cancels it when cancelled itself."""
        from reactor.defer.futures import futureFor

        return futureFor(self, loop)

    @classmethod
    def fromFuture(cls, future: Future[S]) -> Deferred[S]:
        """The Deferred of the result of an asyncio future.

        Cancelling it cancels the future; what comes of that comes.
        """
        from reactor.defer.futures import fireFromFuture

        deferred: Deferred[S] = Deferred()
        fireFromFuture(deferred, future)
        return deferred


def _asPair(entry: Any) -> tuple[Any, Any]:
    """An entry of a list of callbacks (see `chain`) with both of its halves spelled out."""
    nothing: tuple[Any, Any, dict[str, Any]] = (passthru, (), {})
    if type(entry) is not tuple:
        return (entry, (), {}), nothing
    if len(entry) == 1:
        receive: Any = (entry[0]._receive, (), {})
        return receive, receive
    if len(entry) == 2:
        return nothing, (entry[0], (), {})
    if len(entry) == 3:
        return (entry[0], (), {}), (entry[1], (), {})
    return tuple(entry[:3]), tuple(entry[3:])


def setDebugging(on: bool) -> None:
    """Whether Deferreds record from now on where they are made and fired: slow, and for finding unhandled errors."""
    Deferred.debug = bool(on)


def getDebugging() -> bool:
    """Whether Deferreds record where they are made and fired."""
    return Deferred.debug
