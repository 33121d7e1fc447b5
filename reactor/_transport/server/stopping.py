"""How a port comes to its end, whatever it receives: its socket is closed at once, and in the next turn whoever it
serves is told, then whoever waits for that.
"""

from __future__ import annotations

from reactor._core.poller import Watch
from reactor._ground.log import message
from reactor._ground.naming import nameOf
from reactor.defer import Deferred

TYPE_CHECKING = False
if TYPE_CHECKING:
    from socket import socket as Socket
    from typing import Any

    from reactor._core.loop import Loop
    from reactor.failure import Failure


class Stoppable(Watch):
    """A socket that hears from anybody, and the factory or protocol that it serves."""

    # With a place for attributes of the program's own.
    __slots__ = ("__dict__", "__weakref__", "_kept", "_loop", "_opened", "_sock", "_stopping")

    def __init__(self, loop: Loop) -> None:
        """Not open yet."""
        super().__init__(-1)
        self._loop = loop
        # Invariant: there is one while it is open.
        self._sock: Socket | None = None
        # Whether it ever was.
        self._opened = False
        # Whoever waits until the one that is served is told of the end; None when that is not so.
        self._stopping: list[Any] | None = None

    @property
    def connected(self) -> bool:
        """Whether it is open."""
        return self._sock is not None

    @property
    def disconnected(self) -> bool:
        """Whether it was open and is closed."""
        return self._opened and self._sock is None

    @property
    def socket(self) -> Socket | None:
        """The same as `getHandle()`."""
        return self.getHandle()

    def getHandle(self) -> Socket | None:
        """The socket, None when it is closed."""
        return self._sock

    def fileno(self) -> int:
        """The socket's descriptor, -1 when it is closed."""
        return self.fd

    @property
    def reactor(self) -> Any:
        """The reactor that this port is one of."""
        return self._loop.reactor

    def _served(self) -> Any:
        """The factory or protocol, whose `doStop` is called."""
        raise NotImplementedError

    def _undone(self) -> None:
        """The socket was closed: remove what binding it left behind."""

    def stopListening(self) -> Any:
        """Hear from nobody any more. The socket is closed when this returns; the Deferred fires with None in the next
        turn, when the factory or protocol was told. What its `doStop` raises, it fails with.

        Connections that were accepted stay.
        """
        self._loop.poller.checkProcess()
        self._loop.poller.forget(self)
        waiting: Deferred[None] = Deferred()
        if self._sock is not None:
            self._stopping = stopping = [waiting]
            self._close()
            self._loop.soonIn(self.context, self._told, stopping)
        elif self._stopping is not None:
            self._stopping.append(waiting)
        else:
            waiting.callback(None)
        return waiting

    loseConnection = stopListening

    def forked(self) -> None:
        """It is the parent's, and so is what binding it left behind."""
        self._kept = self._sock
        self._sock = None

    def _close(self) -> None:
        sock, self._sock = self._sock, None
        self.fd = -1
        if sock is not None:
            self._opened = True
            sock.close()
        self._undone()

    def _told(self, stopping: list[Any]) -> None:
        self._sayClosed()
        if self._stopping is stopping:
            self._stopping = None
        served = self._served()
        try:
            served.doStop()
        except BaseException as e:
            if stopping and isinstance(e, Exception):
                stopping.pop(0).errback(e)
            else:
                self._loop.raised("%s.doStop raised, for %r", e, nameOf(type(served)), self)
        for waiting in stopping:
            waiting.callback(None)

    def _say(self, level: str, text: str, *args: object) -> None:
        """Log `text % args`, at that level of `logging`."""
        message(level, text, *args)

    def _sayClosed(self) -> None:
        self._say("info", "%r is closed", self)

    def supersede(self) -> None:
        """Somebody else closed the socket, and its number is another descriptor's by now."""
        self._say("error", "%r is closed: somebody else closed its descriptor %d", self, self.fd)
        self._loop.poller.forget(self)
        self.fd = -1
        if self._sock is not None:
            # Closing it would close the other one's.
            self._sock.detach()
        self._loop.soonIn(self.context, self.stopListening)

    def disconnect(self, reason: Failure) -> None:
        """The reactor stops."""
        self._loop.poller.forget(self)
        if self._sock is not None:
            self._close()
            self._told([])
