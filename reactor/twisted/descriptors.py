"""Descriptors that programs add by `addReader` and `addWriter`, told in Twisted's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.error import ConnectionDone, ConnectionFdescWentAway
from twisted.internet.interfaces import IHalfCloseableDescriptor
from twisted.python import log
from twisted.python.failure import Failure as TwistedFailure

from reactor._core.foreign import Foreign
from reactor._core.poller import READ, WRITE
from reactor.twisted.words import DONE, LOST, reasonOf

if TYPE_CHECKING:
    from typing import Any

    from reactor.failure import Failure

_GONE = TwistedFailure(ConnectionFdescWentAway("File descriptor lost"))


class Selectable(Foreign):
    """One of them."""

    __slots__ = ()

    def _tell(self, method: str) -> None:
        # Without a context around it: whom a message is about is worked out when something is logged.
        try:
            self._do(method)
        except BaseException:
            # Of its connectionLost.
            log.err()

    def _do(self, method: str) -> None:
        selectable = self.selectable
        why: Any = None
        try:
            if selectable.fileno() != self.fd:
                why = _GONE.value
            else:
                why = getattr(selectable, method)()
        except BaseException as e:
            log.err()
            why = e
        if why:
            self._over(why, method == "doRead")

    def _over(self, why: Any, reading: bool) -> None:
        selectable = self.selectable
        if isinstance(why, TwistedFailure):
            reason = why
        elif type(why) is ConnectionDone:
            reason = DONE
            if reading and IHalfCloseableDescriptor.providedBy(selectable):
                self._descriptors.remove(selectable, READ)
                selectable.readConnectionLost(reason)
                return
        elif type(why) is type(LOST.value):
            reason = LOST
        else:
            reason = TwistedFailure(why)
        self._descriptors.remove(selectable, READ | WRITE)
        selectable.connectionLost(reason)

    def _end(self, method: str, reason: Failure) -> None:
        log.callWithLogger(self.selectable, getattr(self.selectable, method), reasonOf(reason))

    def internal(self) -> bool:
        """Whether it is the frame's own."""
        return any(self.selectable is reader for reader in self._loop.reactor.frame._internalReaders)
