"""A function that is called again and again while its service runs."""

from __future__ import annotations

from reactor._core.timers import checkDelay
from reactor._ground.log import message, reportException
from reactor.defer import Deferred, succeed
from reactor.service.base import Service
from reactor.task.looping import LoopingCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reactor.failure import Failure


class TimerService(Service):
    """Calls a function when it starts and every `step` seconds from then on (`reactor.task.LoopingCall`).

    A call that raises, or whose Deferred fails, is logged and was the last one: the service goes on `running`, without
    calls, until it is started anew.
    """

    #: What has the methods ``callLater`` and ``seconds``; None is the reactor that runs. To be set before the start.
    clock: Any = None
    _loop: LoopingCall | None = None
    # Invariant: fires when no call is to come and none is going on any more.
    _ended: Deferred[Any] | None = None

    def __init__(self, step: float, callable: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        """Not started. `callable(*args, **kwargs)` is called; it may return a Deferred or be an ``async def``, and the
        next call waits for that.

        :param step: seconds from call to call. ValueError when negative.
        """
        # Says so if it is not callable; the argument has the name of the function that would.
        LoopingCall(callable)
        self.step = checkDelay(step, "TimerService", "step")
        self.call = (callable, args, kwargs)

    def startService(self) -> None:
        """Make the first call, and schedule the next. Nothing, but a warning in the log, when calls go on already."""
        if self._loop is not None and self._loop.running:
            message("warning", "%r: startService() was called, but it is running already", self)
            return
        super().startService()
        function, args, kwargs = self.call
        self._loop = loop = LoopingCall(function, *args, **kwargs)
        if self.clock is not None:
            loop.clock = self.clock
        self._ended = loop.start(self.step).addErrback(self._failed)

    def stopService(self) -> Deferred[None]:
        """Make no more calls. The Deferred fires, and `running` ends, when the call that is going on has ended."""
        loop, ended = self._loop, self._ended
        if loop is None or ended is None:
            super().stopService()
            return succeed(None)
        if loop.running:
            loop.stop()
        stopped: Deferred[None] = Deferred()

        def over(result: Any) -> Any:
            # It may have been started anew meanwhile.
            if self._loop is loop:
                Service.stopService(self)
            stopped.callback(None)
            return result

        ended.addBoth(over)
        return stopped

    def _failed(self, failure: Failure) -> None:
        reportException("%r makes no more calls: one of them failed", failure, self)

    def __getstate__(self) -> dict[str, Any]:
        left = ("_loop", "_ended", "clock")
        return {name: value for name, value in super().__getstate__().items() if name not in left}

    def __repr__(self) -> str:
        name = getattr(self.call[0], "__qualname__", None) or repr(self.call[0])
        return f"<TimerService of {name} every {self.step:g} s, {'running' if self.running else 'not running'}>"
