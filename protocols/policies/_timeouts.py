"""Closing connections on which nothing happens: by a wrapper around any protocol, or by a protocol itself."""

from __future__ import annotations

from typing import Any

from protocols.policies._wrapping import ProtocolWrapper, WrappingFactory
from reactor._ground.current import currentReactor
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def _cancel(call: Any) -> None:
    if call is not None and call.active():
        call.cancel()


class TimeoutProtocol(ProtocolWrapper):
    """Closes the connection when nothing was sent or received for a while."""

    #: Seconds, after `timeoutFunc` asked to close, in which the peer must take at least a byte of what is queued; else
    #: the connection is aborted. None: never.
    abortAfter: float | None = 30

    def __init__(self, factory: Any, wrappedProtocol: Any, timeoutPeriod: float | None) -> None:
        """
        :param factory: a `TimeoutFactory`, or what else has its methods.
        :param wrappedProtocol: whose connection it is.
        :param timeoutPeriod: seconds, counted from when the connection is made; None: no limit.
        """
        super().__init__(factory, wrappedProtocol)
        #: The call of `timeoutFunc` that is to come, or None.
        self.timeoutCall: Any = None
        self.timeoutPeriod = timeoutPeriod
        self._abortCall: Any = None
        self._written = 0

    def setTimeout(self, timeoutPeriod: float | None = None) -> None:
        """Close after `timeoutPeriod` seconds from now without anything sent or received; None: never."""
        self.cancelTimeout()
        self.timeoutPeriod = timeoutPeriod
        if timeoutPeriod is not None:
            self.timeoutCall = self.factory.callLater(timeoutPeriod, self.timeoutFunc)

    def cancelTimeout(self) -> None:
        """Do not close, until `setTimeout` is called again."""
        self.timeoutPeriod = None
        _cancel(self.timeoutCall)
        self.timeoutCall = None

    def resetTimeout(self) -> None:
        """Something happened: count from now."""
        call = self.timeoutCall
        if call is not None and call.active():
            call.reset(self.timeoutPeriod)

    def timeoutFunc(self) -> None:
        """The time is over. Closes the connection; for subclasses, that may do something else."""
        self.loseConnection()
        if self.abortAfter is not None and getattr(self.transport, "buffered", None) is not None:
            self._look(None)

    def _look(self, before: tuple[int, int] | None) -> None:
        now = (self.transport.buffered, self._written)
        if now == before:
            self._abortCall = None
            self.abortConnection()
        else:
            self._abortCall = self.factory.callLater(self.abortAfter, lambda: self._look(now))

    def makeConnection(self, transport: Any) -> None:
        """The connection is there, and the time begins."""
        if self.timeoutCall is None:
            self.setTimeout(self.timeoutPeriod)
        super().makeConnection(transport)

    def write(self, data: Any) -> None:
        """Send `data`, and count from now."""
        self.resetTimeout()
        self._written += 1
        super().write(data)

    def writeSequence(self, data: Any) -> None:
        """Send every piece of `data`, and count from now."""
        self.resetTimeout()
        self._written += 1
        super().writeSequence(data)

    def dataReceived(self, data: bytes) -> None:
        """Hand `data` on, and count from now."""
        self.resetTimeout()
        super().dataReceived(data)

    def connectionLost(self, reason: Failure) -> None:
        """The connection is gone, and the time does not matter any more."""
        self.cancelTimeout()
        _cancel(self._abortCall)
        self._abortCall = None
        super().connectionLost(reason)


class TimeoutFactory(WrappingFactory):
    """Closes those connections of another factory on which nothing is sent or received for a while."""

    protocol = TimeoutProtocol

    def __init__(self, wrappedFactory: Any, timeoutPeriod: float | None = 30 * 60) -> None:
        """Around the protocols of `wrappedFactory`, each with `timeoutPeriod` seconds; None: no limit."""
        if timeoutPeriod is not None and not timeoutPeriod > 0:
            raise ValueError(f"TimeoutFactory(): timeoutPeriod must be above 0 seconds, or None, not {timeoutPeriod!r}")
        super().__init__(wrappedFactory)
        self.timeoutPeriod = timeoutPeriod

    def buildProtocol(self, addr: Any) -> Any:
        """A wrapper around what the wrapped factory builds; None when that refuses the connection."""
        wrapped = self.wrappedFactory.buildProtocol(addr)
        return None if wrapped is None else self.protocol(self, wrapped, timeoutPeriod=self.timeoutPeriod)

    def callLater(self, period: float, func: Callable[[], object]) -> Any:
        """Call `func` in `period` seconds, on the reactor's clock. For subclasses, that may use another."""
        return currentReactor().callLater(period, func)


class TimeoutMixin:
    """For protocols that keep time: one time-out, which calls `timeoutConnection`.

    Call `setTimeout` in `connectionMade`, `resetTimeout` when something happened that counts, and `setTimeout(None)` in
    `connectionLost`.
    """

    #: Seconds, None for no time-out. Changed by `setTimeout`.
    timeOut: float | None = None

    __call: Any = None

    def callLater(self, period: float, func: Callable[[], object]) -> Any:
        """Call `func` in `period` seconds, on the reactor's clock. For subclasses, that may use another."""
        return currentReactor().callLater(period, func)

    def resetTimeout(self) -> None:
        """Count from now. Does nothing if there is no time-out, or it is over."""
        if self.__call is not None and self.timeOut is not None:
            self.__call.reset(self.timeOut)

    def setTimeout(self, period: float | None) -> float | None:
        """Time out in `period` seconds from now; None: never.

        :return: what was set before.
        """
        before, self.timeOut = self.timeOut, period
        call = self.__call
        if period is None:
            self.__call = None
            _cancel(call)
        elif call is None:
            self.__call = self.callLater(period, self.__timedOut)
        else:
            call.reset(period)
        return before

    def __timedOut(self) -> None:
        self.__call = None
        self.timeoutConnection()

    def timeoutConnection(self) -> None:
        """The time is over. Closes the connection; for subclasses, that may do something else."""
        self.transport.loseConnection()  # type: ignore[attr-defined]
