"""The life of one worker, in its own process: call the program's function, say that it is ready, and stop gracefully
when the supervisor says so, or is gone.
"""

from __future__ import annotations

import signal
import socket
import sys
from pkgutil import resolve_name
from types import CoroutineType

from reactor._ground.current import currentReactor
from reactor._ground.log import reportException
from reactor.defer import Deferred, DeferredList
from reactor.error import ReactorNotRunning
from reactor.service import Notifier, PortsService, Service, run
from reactor.workers.process import CANNOT, READY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reactor.failure import Failure


class Line:
    """The worker's end of the socket that it shares with its supervisor (`IReadDescriptor`)."""

    def __init__(self, reactor: Any, fd: int) -> None:
        """Take over `fd`, for this process alone."""
        self._reactor = reactor
        self._sock = socket.socket(fileno=fd)
        self._sock.set_inheritable(False)
        self._sock.setblocking(False)
        reactor.addReader(self)

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._sock.fileno()

    def ready(self) -> None:
        """Tell the supervisor that this worker serves."""
        try:
            self._sock.send(READY)
        except OSError:
            # It is gone; reading tells.
            pass

    def close(self) -> None:
        """Give the socket back: the supervisor hears that this worker is ending."""
        self._reactor.removeReader(self)
        self._sock.close()

    def doRead(self) -> None:
        """The supervisor closed its end."""
        try:
            if self._sock.recv(100):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._reactor.removeReader(self)
        _forgiveNext(signal.SIGTERM)
        try:
            self._reactor.stop()
        except ReactorNotRunning:
            # A signal was faster.
            pass

    def connectionLost(self, reason: Failure) -> None:
        """The reactor has stopped. The supervisor sees the process's end."""

    def logPrefix(self) -> str:
        """For logs."""
        return "worker"


def _forgiveNext(number: int) -> None:
    """Ignore the next signal of that number. A service manager that stops a whole group sends this process one too: it
    is then not the second one, which would end the run at once.
    """
    before = signal.getsignal(number)
    signal.signal(number, lambda *_: signal.signal(number, before))


class _Line(Notifier):
    """Tells the supervisor what a service that is no worker tells the service manager."""

    def __init__(self, line: Line) -> None:
        super().__init__(None)
        self._line = line

    def ready(self) -> bool:
        """This worker serves."""
        self._line.ready()
        return True


class _Served(PortsService):
    """What the program's function set up, and all ports of the reactor."""

    def __init__(self, returned: Any) -> None:
        super().__init__()
        self._deferred = Deferred.fromCoroutine(returned) if isinstance(returned, CoroutineType) else returned
        if isinstance(returned, Service) or hasattr(returned, "startService"):
            returned.setServiceParent(self)

    def startService(self) -> Any:
        Service.startService(self)
        # It is ready when what it runs is.
        started = [each.startService() for each in self]
        waiting = [each for each in (self._deferred, *started) if isinstance(each, Deferred)]
        if not waiting:
            return None
        if len(waiting) == 1:
            return waiting[0]
        return DeferredList(waiting, fireOnOneErrback=True)


def found(spec: str) -> Callable[..., Any]:
    """The function that ``module:function`` names; the module is imported.

    ImportError, AttributeError, TypeError, or what importing the module raises.
    """
    function = resolve_name(spec)
    if not callable(function):
        raise TypeError(f"{spec} is not a function but {function!r}")
    return function  # type: ignore[no-any-return]


def serve(fd: int, number: int, drain: float | None, spec: str, arguments: list[str]) -> None:
    """Be worker `number`; `fd` is the socket to the supervisor. Returns when it has stopped."""
    # What is left from the supervisor: it decides by itself what SIGHUP means.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    reactor = currentReactor()
    line = Line(reactor, fd)
    try:
        try:
            function = found(spec)
        except Exception as e:
            reportException("worker %s cannot be started: %s is not found", e, number, spec)
            sys.exit(CANNOT)
        run(_Served(function(reactor, number, *arguments)), drain, reactor, _Line(line))
    finally:
        line.close()
