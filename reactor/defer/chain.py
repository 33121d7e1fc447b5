"""What a Deferred holds, and the loop that runs its callbacks.

`Chain` is the state, `run` is the loop. The loop never calls itself: a Deferred that waited for another is continued by
the same loop when that one gets there, so chains may be as long as memory allows. The API around the state is
`reactor.defer.deferred`'s; coroutines wait in `reactor.defer.driver`.

The entries of a list of callbacks have five shapes, the frequent ones cheapest::

    callback                                         addCallback without further arguments
    (receiver,)                                      what waits for this one: receiver._receive(chain) is called
    (errback, None)                                  addErrback without further arguments
    (callback, errback, None)                        both, without further arguments
    (callback, args, kwargs, errback, args, kwargs)  everything else; `passthru` stands for what is not there

The loop is the body of generators that are kept and used again. That is not for speed, though it costs nothing. An
exception that a callback raises keeps the frames that it went through alive, and these keep those that called them:
also that of whoever fired the Deferred, which has a variable for the Deferred, whose result is the exception. This
circle is open here, and no cyclic collector needed, because what a generator that is at rest was called by is
forgotten.
"""

from __future__ import annotations

from reactor.defer.debug import DebugInfo, stackAbove
from reactor.failure import Failure, Special

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any, TypeVar

    from reactor.defer.deferred import Deferred

    Passed = TypeVar("Passed")

# How many links are looked at to find out that Deferreds wait for each other in a circle. Looking at all of them would
# make building a long chain quadratic.
_LOOK_AHEAD = 16


def passthru(arg: Passed) -> Passed:
    """`arg` itself: the callback that changes nothing."""
    return arg


class Chain(Special):
    """A result that is or will be there, and what is to be called with it.

    - `result` is set when `called` is true, and not before. It is another Chain while, and only while, this one
      waits for that one.
    - `_callbacks` is None or a list. Once `called`, it is None unless this chain is paused or is being run: what is
      in it will be run by somebody.
    - `_debugInfo.failResult` is `result` when that is a Failure for which no callback was there, and None otherwise.

    `_running` and `_debugInfo` do not exist before they are first needed, which in most chains is never.
    """

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_callbacks",
        "_canceller",
        "_debugInfo",
        "_running",
        "called",
        "paused",
        "result",
    )

    _takes = True
    called: bool  #: whether it was fired
    paused: int  #: how many pauses are not undone, of `pause` and of waiting for another Deferred
    result: Any  #: the latest result; no such attribute before it was fired
    _callbacks: list[Any] | None
    _canceller: Any
    _debugInfo: DebugInfo
    _running: bool

    def _waitFor(self, awaited: Chain) -> None:
        """Pause until `awaited` has a result, which it has not yet, and go on with that.

        Warns (RuntimeWarning) when that can never be, because `awaited` waits for this one.
        """
        link = awaited
        for _ in range(_LOOK_AHEAD):
            if link is self:
                self._warnOfCircle(awaited)
                break
            if not link.called or not isinstance(link.result, Chain):
                break
            link = link.result
        self.result = awaited
        self.paused += 1
        awaited._addReceiver(self)

    def _warnOfCircle(self, awaited: Chain) -> None:
        import warnings

        how = "its callback returned it" if awaited is self else f"its callback returned {awaited!r}"
        warnings.warn(f"{self!r} waits for itself, for ever: {how}", RuntimeWarning, stacklevel=3)

    def _addReceiver(self, receiver: Any) -> None:
        """Have `receiver._receive(self)` called when the result is there, which it is not yet.

        It may return a chain that is to be run next. Otherwise what it leaves in `self.result` is the result from then
        on; if it does, the result is None when that one was run, or stays if `receiver._takes` is false.
        """
        if self._callbacks is not None:
            self._callbacks.append((receiver,))
        else:
            self._callbacks = [(receiver,)]

    def _receive(self, awaited: Chain) -> Chain | None:
        """Take over the result of `awaited`, for which this one waits."""
        self.result = awaited.result
        awaited.result = None
        self.paused -= 1
        return None if self.paused else self

    def _take(self) -> Any:
        """The result, which must be there, for somebody who goes on with it; None is left."""
        result = self.result
        self.result = None
        if isinstance(result, Failure):
            self._handled()
        return result

    def _settle(self, result: Any) -> None:
        """Be fired with `result`, which is no Chain, without running any callbacks yet."""
        self.called = True
        self.result = result
        self._canceller = None
        if self._callbacks is None and isinstance(result, Failure):
            self._notHandled()

    def _supersededBy(self, other: Chain) -> None:
        """Be fired with the result that `other` will have."""
        self.called = True
        self._canceller = None
        self._waitFor(other)

    def _notHandled(self) -> None:
        """The chain ended with a Failure: should it be freed so, that is logged."""
        self._info().failResult = self.result

    def _handled(self) -> None:
        """Somebody goes on with the Failure that the chain ended with."""
        info = getattr(self, "_debugInfo", None)
        if info is not None:
            info.failResult = None

    def _info(self) -> DebugInfo:
        """What this chain remembers about itself, from now on."""
        info: DebugInfo | None = getattr(self, "_debugInfo", None)
        if info is None:
            info = self._debugInfo = DebugInfo()
        return info


class Relay:
    """In the place of a callback, fires another Deferred with the result: what `Deferred.chainDeferred` adds.

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


def _loop() -> Generator[None, Any, None]:
    """Runs the callbacks of each chain that is sent in, and of all that go on because of it.

    All of it is one function, because a call takes as long as what is done for a callback.
    """
    # Chains that were overtaken by one that waited for them; their remaining entries; whether their result is gone.
    overtaken: list[tuple[Chain, Any, bool]] = []
    rest: list[Any] | None = None
    entries: Any
    while True:
        following = yield
        while True:
            if following is not None:
                current = following
                following = None
                entries = iter(current._callbacks or ())
                current._running = True
            result = current.result
            failed = isinstance(result, Failure)
            if failed:
                current._handled()
            for entry in entries:
                try:
                    if type(entry) is not tuple:
                        if failed:
                            continue
                        result = entry(result)
                    elif len(entry) == 1:
                        following = entry[0]._receive(current)
                        result = current.result
                    elif len(entry) == 2:
                        if not failed:
                            continue
                        result = entry[0](result)
                    elif len(entry) == 3:
                        result = entry[failed](result)
                    else:
                        function, args, kwargs = entry[3:] if failed else entry[:3]
                        if function is passthru:
                            continue
                        result = function(result, *args, **kwargs)
                    failed = False
                    if result is not None and isinstance(result, Special):
                        if isinstance(result, Chain):
                            if result.called and not result.paused and result is not current:
                                result = result._take()
                            else:
                                current._waitFor(result)
                                rest = list(entries) or None
                        failed = isinstance(result, Failure)
                except BaseException as exception:
                    if failed and exception is result.value:
                        # Raised again, as trap() does: the same Failure goes on. It is not told of the errback's frame,
                        # which has a variable that holds the Failure.
                        exception.__traceback__ = result.tb
                    else:
                        failed = True
                        result = caught(exception)
                current.result = result
                if following is not None:
                    break
            if following is None or (entry[0] is following and not entries.__length_hint__()):
                current._callbacks = rest
                rest = None
                current._running = False
                if failed:
                    current._notHandled()
            else:
                overtaken.append((current, entries, entry[0]._takes))
            if following is None:
                if not overtaken:
                    break
                current, entries, taken = overtaken.pop()
                if taken:
                    current.result = None
        current = entries = entry = result = function = args = kwargs = None


def caught(exception: BaseException) -> Failure:
    """A Failure of `exception`, whose first frame, that of whoever caught it, is left out."""
    trace = exception.__traceback__
    exception.__traceback__ = trace.tb_next or trace  # type: ignore[union-attr]
    return Failure(exception)


# Loops that are at rest. As many are made as ever run inside of each other, in all threads.
_resting: list[Callable[[Chain], None]] = []


def run(chain: Chain) -> None:
    """Call what is in `chain._callbacks`; it must have been fired, and be neither paused nor run already."""
    try:
        loop = _resting.pop()
    except IndexError:
        loop = _newLoop()
    loop(chain)
    _resting.append(loop)


def _newLoop() -> Callable[[Chain], None]:
    loop = _loop()
    next(loop)
    return loop.send
