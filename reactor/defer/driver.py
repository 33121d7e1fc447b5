"""Runs a generator or coroutine that waits for Deferreds, one step at a time.

A step goes from one wait to the next: what the generator yields is a Deferred that has a result, which is sent back
at once, or one that has not, and then the driver puts itself on its list and is received there when the result comes.
All steps run in one context of variables, copied when the first one began. What the Deferred of the whole calls when
it ends runs in the context of whoever brought that about.

Steps are the body of generators that are kept and used again, for the reason that `reactor.defer.chain` tells.
"""

from __future__ import annotations

from contextvars import copy_context
from types import CoroutineType, GeneratorType

from reactor.defer.chain import Chain, caught
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextvars import Context
    from typing import Any, Protocol

    class AsyncioSide(Protocol):
        """What `reactor.aio` knows that nobody here does."""

        def futureForTask(self, deferred: Any) -> Any: ...
        def deferredFor(self, future: Any, made: type) -> Any: ...
        def outsideTasks(self, f: Callable[[Driver], None], driver: Driver) -> None: ...
        def cancelledByTheEnd(self, future: Any, problem: BaseException) -> bool: ...

    class TwistedSide(Protocol):
        """And what `reactor.twisted` does."""

        def isDeferred(self, awaited: object) -> bool: ...
        def deferredFor(self, awaited: Any, made: type) -> Any: ...
        def awaitFor(self, awaited: Any) -> Generator[Any, Any, Any]: ...
        def isDriving(self) -> bool: ...


# Set as soon as a program imports `reactor.aio`, whose loops' futures can be waited for here then.
asyncioSide: AsyncioSide | None = None
# The same for `reactor.twisted` and the Deferreds of Twisted's.
twistedSide: TwistedSide | None = None


class Return(BaseException):
    """Ends a generator from anywhere in it, see `reactor.defer.returnValue`."""

    def __init__(self, value: object) -> None:
        super().__init__(value)
        self.value = value


class Driver:
    """A generator or coroutine on its way.

    `generator` and `deferred`, which will have its result, are None when it has ended. `waitingOn` is None while a
    step runs.
    """

    __slots__ = ("context", "deferred", "generator", "waitingOn")

    _takes = True
    context: Context
    deferred: Any
    generator: Any
    waitingOn: Any

    def _receive(self, awaited: Chain) -> Chain | None:
        """`awaited` has the result that was waited for.

        Returns the chain that is to be run next, if this was the last step.
        """
        try:
            steps = _resting.pop()
        except IndexError:
            steps = _newSteps()
        if asyncioSide is None:
            steps(self)
        else:
            asyncioSide.outsideTasks(steps, self)
        _resting.append(steps)
        if self.generator is None:
            deferred = self.deferred
            self.deferred = None
            if deferred._callbacks is not None and not deferred.paused:
                return deferred  # type: ignore[no-any-return]
        awaited.result = None
        return None

    def ended(self, result: Any) -> None:
        """The generator returned `result`, or raised what is in a Failure."""
        self.generator = None
        deferred = self.deferred
        if isinstance(result, Chain):
            result = Failure(TypeError(f"returned {result!r}, not its result: await or yield it"))
        if not deferred.called:
            deferred._settle(result)

    def cancel(self, deferred: Any) -> None:
        """The canceller of `deferred`: cancels what the generator waits for, and what that does about it decides.

        It may catch the error and go on. So the Deferred that everybody has is fired, but made to wait, ahead of all
        its callbacks, for a new one, which will have the result.
        """
        deferred._callbacks = [self._cancelAwaited, *(deferred._callbacks or ())]
        deferred.callback(None)

    def _cancelAwaited(self, _: None) -> Any:
        replacement = self.deferred = self.deferred.__class__(self.cancel)
        if self.waitingOn is not None:
            self.waitingOn.cancel()
        return replacement


def drive(generator: Any, deferred: Any, context: Context) -> None:
    """Run the first step of `generator`, and each further one when what it waits for is there.

    :param generator: a generator or coroutine that was not begun.
    :param deferred: a new Deferred, fired with what the generator returns or raises.
    :param context: in which all steps run.
    """
    driver = Driver()
    driver.generator = generator
    driver.deferred = deferred
    driver.context = context
    driver.waitingOn = None
    try:
        steps = _resting.pop()
    except IndexError:
        steps = _newSteps()
    if asyncioSide is None:
        steps(driver)
    else:
        asyncioSide.outsideTasks(steps, driver)
    _resting.append(steps)


def _steps() -> Generator[None, Driver, None]:
    """Runs one step of each driver that is sent in: all that is waited for and is there already, up to what is not."""
    driver: Any
    result: Any
    while True:
        driver = yield
        awaited = driver.waitingOn
        driver.waitingOn = None
        result = None if awaited is None else awaited.result
        failed = isinstance(result, Failure)
        inContext = driver.context.run
        generator = driver.generator
        send = generator.send
        while True:
            try:
                if failed:
                    result = inContext(generator.throw, result.value.with_traceback(result.tb))
                    failed = False
                else:
                    result = inContext(send, result)
            except StopIteration as stop:
                driver.ended(stop.value)
                break
            except Return as stop:
                driver.ended(stop.value)
                break
            except BaseException as exception:
                driver.ended(caught(exception))
                break
            if isinstance(result, Chain):
                awaited = result
            elif isinstance(result, (CoroutineType, GeneratorType)):
                awaited = driver.deferred.__class__()
                drive(result, awaited, inContext(copy_context))
            elif asyncioSide is not None and hasattr(result, "_asyncio_future_blocking"):
                awaited = asyncioSide.deferredFor(result, driver.deferred.__class__)
            elif twistedSide is not None and twistedSide.isDeferred(result):
                awaited = twistedSide.deferredFor(result, driver.deferred.__class__)
            else:
                failed = isinstance(result, Failure)
                continue
            if awaited.called and not awaited.paused and awaited._callbacks is None:
                result = awaited.result
                awaited.result = None
                if isinstance(result, Failure):
                    failed = True
                    awaited._handled()
                continue
            driver.waitingOn = awaited
            if driver.deferred._canceller is None:
                driver.deferred._canceller = driver.cancel
            awaited._addReceiver(driver)
            break
        driver = awaited = result = inContext = generator = send = None


# Those that are at rest. As many are made as ever run inside of each other, in all threads.
_resting: list[Callable[[Driver], None]] = []


def _newSteps() -> Callable[[Driver], None]:
    steps = _steps()
    next(steps)
    return steps.send
