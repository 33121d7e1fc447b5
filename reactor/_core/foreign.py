"""Descriptors that somebody else owns, added with `addReader` and `addWriter`: the loop tells them, and takes out those
that fail.

Twisted's contract: `fileno()`, `doRead()`, `doWrite()`, `connectionLost(reason)`. What `doRead` or `doWrite` returns,
if true, or raises, is why it is disconnected. One that is an `IHalfCloseableDescriptor` and whose `doRead` returned
ConnectionDone goes on writing.
"""

from __future__ import annotations

from reactor._core.poller import READ, WRITE, Gone, Watch
from reactor._ground.declare import provides
from reactor.error import ConnectionDone, ConnectionFdescWentAway
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reactor._core.loop import Loop


class Foreign(Watch):
    """One object of somebody else's, watched for reading, writing or both."""

    __slots__ = ("_descriptors", "_loop", "selectable")

    def __init__(self, loop: Loop, descriptors: Descriptors, fd: int, selectable: Any) -> None:
        super().__init__(fd)
        self._loop = loop
        self._descriptors = descriptors
        self.selectable = selectable

    def readable(self) -> None:
        """Tell it."""
        self._tell("doRead")

    def writable(self) -> None:
        """Tell it."""
        self._tell("doWrite")

    def _tell(self, method: str) -> None:
        selectable = self.selectable
        try:
            if selectable.fileno() != self.fd:
                # Closed without a word, and the number perhaps somebody else's by now.
                why: Any = ConnectionFdescWentAway()
            else:
                why = getattr(selectable, method)()
        except BaseException as e:
            self._loop.raised("%r.%s raised", e, selectable, method)
            if isinstance(e, (KeyboardInterrupt, SystemExit)):
                return
            why = e
        if why:
            reason = why if isinstance(why, Failure) else Failure(why)
            half = method == "doRead" and reason.check(ConnectionDone)
            if half and provides(selectable, "IHalfCloseableDescriptor"):
                self._descriptors.remove(selectable, READ)
                self._end("readConnectionLost", reason)
            else:
                self.disconnect(reason)

    def disconnect(self, reason: Failure) -> None:
        """Tell it that it is over."""
        self._descriptors.remove(self.selectable, READ | WRITE)
        self._end("connectionLost", reason)

    def _end(self, method: str, reason: Failure) -> None:
        try:
            getattr(self.selectable, method)(reason)
        except BaseException as e:
            self._loop.raised("%r.%s raised", e, self.selectable, method)

    def supersede(self) -> None:
        """The number is a new descriptor's, so its owner closed this one and did not say so."""
        self.disconnect(Failure(ConnectionFdescWentAway()))

    def public(self) -> object:
        """The object that was added."""
        return self.selectable


class Descriptors:
    """All of them."""

    __slots__ = ("_found", "_kind", "_loop")

    def __init__(self, loop: Loop, kind: type[Foreign] = Foreign) -> None:
        """Of `loop`; `kind` is how each is told."""
        self._loop = loop
        self._kind = kind
        # By identity: a selectable need not be hashable, and its fileno() may be gone when it is removed.
        self._found: dict[int, Foreign] = {}

    def add(self, selectable: Any, interest: int) -> None:
        """Watch it for `interest` too.

        ValueError when it has no descriptor, or one that is watched for somebody else.
        """
        known = self._found.get(id(selectable))
        poller = self._loop.poller
        fd = selectable.fileno()
        if not isinstance(fd, int) or fd < 0:
            raise ValueError(f"cannot watch {selectable!r}: its fileno() is {fd!r}")
        if known is not None:
            if known.fd == fd:
                poller.want(known, interest)
                return
            # Closed, and opened anew, since it was added.
            self.remove(selectable, READ | WRITE)
        other = poller.watches.get(fd)
        gone = isinstance(other, Gone) or (isinstance(other, Foreign) and other.selectable.fileno() != fd)
        if other is not None and not gone:
            raise ValueError(f"descriptor {fd} of {selectable!r} is watched already, for {other.public()!r}")
        foreign = self._kind(self._loop, self, fd, selectable)
        poller.add(foreign, interest)
        self._found[id(selectable)] = foreign

    def remove(self, selectable: Any, interest: int) -> None:
        """Watch it no longer for `interest`. Nothing when it was not."""
        foreign = self._found.get(id(selectable))
        if foreign is None:
            return
        poller = self._loop.poller
        if foreign.interest & ~interest:
            try:
                poller.drop(foreign, interest)
                return
            except OSError:
                # Closed by its owner: then there is nothing left to watch.
                pass
        poller.forget(foreign)
        del self._found[id(selectable)]

    def watched(self, interest: int) -> list[Any]:
        """Whose descriptors are watched for `interest`: those that were added, and the reactor's own, its waker
        excepted.
        """
        return [watch.public() for watch in self._watches() if watch.interest & interest]

    def removeAll(self, interest: int | None = None) -> list[Any]:
        """Forget every one of them, or those that are watched for `interest`; whose they were. Nothing is closed."""
        poller = self._loop.poller
        removed = [watch for watch in self._watches() if interest is None or watch.interest & interest]
        for watch in removed:
            poller.forget(watch)
            self._found.pop(id(watch.public()), None)
        return [watch.public() for watch in removed]

    def _watches(self) -> list[Watch]:
        return [watch for watch in self._loop.poller.watches.values() if not watch.internal()]
