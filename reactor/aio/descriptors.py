"""Callbacks for descriptors that programs own: `add_reader`, `add_writer`."""

from __future__ import annotations

import asyncio
from weakref import ref

from reactor._core.poller import READ, WRITE, Gone, Watch
from reactor.aio.server import Servers

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Any

    from reactor.failure import Failure


class Descriptor(Watch):
    """One descriptor and whom it wakes."""

    __slots__ = ("_loop", "given", "owner", "reader", "writer")

    def __init__(self, loop: Descriptors, fd: int, given: Any = None) -> None:
        super().__init__(fd)
        self._loop = loop
        # What the program named it by: by that it is found when it is closed already, and has no number any more.
        self.given = given
        # Whose descriptor it is, where that is known: as long as that one has it, what the kernel was told holds.
        self.owner: ref[socket.socket] | None = None
        self.reader: asyncio.Handle | None = None
        self.writer: asyncio.Handle | None = None

    def readable(self) -> None:
        """Call the reader."""
        reader = self.reader
        if reader is not None:
            self._loop._runHandle(reader)
        # An exception that the call has kept, a future's, keeps this frame.
        del reader

    def writable(self) -> None:
        """Call the writer."""
        writer = self.writer
        if writer is not None:
            self._loop._runHandle(writer)
        # An exception that the call has kept, a future's, keeps this frame.
        del writer

    def supersede(self) -> None:
        """Whoever comes now with the same number has it: this one was closed, and nobody has said so."""
        self._loop._forgetDescriptor(self)

    def disconnect(self, reason: Failure) -> None:
        """The reactor stops; the descriptor is its owner's."""
        self._loop._forgetDescriptor(self)

    def set(self, interest: int, handle: asyncio.Handle | None) -> asyncio.Handle | None:
        """Put `handle` in the place of who was called for `interest`; who that was."""
        if interest == READ:
            before, self.reader = self.reader, handle
        else:
            before, self.writer = self.writer, handle
        return before


class Descriptors(Servers):
    """The part of `EventLoop` that watches descriptors for others."""

    def __init__(self) -> None:
        super().__init__()
        self._descriptors: dict[int, Descriptor] = {}

    def add_reader(self, fd: Any, callback: Callable[..., object], *args: Any) -> None:  # type: ignore[override]
        """Call `callback(*args)` whenever `fd` (a descriptor, or what has a fileno()) is readable. RuntimeError when a
        transport has it.
        """
        self._addChecked(fd, READ, callback, args)

    def remove_reader(self, fd: Any) -> bool:
        """No longer; whether there was one."""
        self._checkFree(fd)
        return self._remove(fd, READ)

    def add_writer(self, fd: Any, callback: Callable[..., object], *args: Any) -> None:  # type: ignore[override]
        """Call `callback(*args)` whenever `fd` is writable. RuntimeError as `add_reader`."""
        self._addChecked(fd, WRITE, callback, args)

    def remove_writer(self, fd: Any) -> bool:
        """No longer; whether there was one."""
        self._checkFree(fd)
        return self._remove(fd, WRITE)

    def _addChecked(self, fd: Any, interest: int, callback: Callable[..., object], args: tuple[Any, ...]) -> None:
        self._checkFree(fd)
        self._checkClosed()
        self._watch(fileno(fd), interest, asyncio.Handle(callback, args, self, None), None, fd)

    def _watch(
        self,
        number: int,
        interest: int,
        handle: asyncio.Handle,
        owner: socket.socket | None = None,
        given: Any = None,
    ) -> None:
        watch = self._descriptors.get(number)
        poller = self._loop.poller
        if watch is not None and (
            (watch.owner is None or watch.owner() is not owner)
            if watch.reader is watch.writer is None
            else _closed(watch.given)
        ):
            # Somebody else had this number.
            self._forgetDescriptor(watch)
            watch = None
        if watch is None:
            watch = Descriptor(self, number, given)
            poller.add(watch, interest)
            self._descriptors[number] = watch
            if owner is not None:
                watch.owner = ref(owner)
        else:
            poller.want(watch, interest)
        before = watch.set(interest, handle)
        if before is not None:
            before.cancel()

    def _remove(self, fd: Any, interest: int) -> bool:
        if self._closed:
            return False
        try:
            watch = self._descriptors.get(fileno(fd))
        except ValueError:
            watch = next((each for each in self._descriptors.values() if each.given is fd), None)
            if watch is None or fd is None:
                raise
        if watch is None:
            return False
        before = watch.set(interest, None)
        if watch.reader is None and watch.writer is None:
            self._forgetDescriptor(watch)
        else:
            self._loop.poller.only(watch, watch.interest & ~interest)
        if before is None:
            return False
        before.cancel()
        return True

    def _idle(self, number: int, interest: int, handle: asyncio.Handle | None) -> None:
        """Call nobody for `interest` any more, nor `handle` if it is given and still the one that is called. The kernel
        is told when an event comes that nobody wants, or nobody is left: most sockets are waited for again.
        """
        watch = self._descriptors.get(number)
        if watch is None or (handle is not None and handle is not (watch.reader if interest == READ else watch.writer)):
            return
        watch.set(interest, None)
        if watch.owner is None and watch.reader is watch.writer is None:
            self._forgetDescriptor(watch)
        else:
            self._loop.poller.drop(watch, interest)

    def _forgetDescriptor(self, watch: Descriptor) -> None:
        if self._descriptors.get(watch.fd) is watch:
            del self._descriptors[watch.fd]
        self._loop.poller.forget(watch)

    def _checkFree(self, fd: Any) -> None:
        """RuntimeError when a transport has the descriptor."""
        try:
            number = fileno(fd)
        except (AttributeError, TypeError, ValueError):
            # Said by who uses it.
            return
        watch = self._loop.poller.watches.get(number)
        if watch is not None and not isinstance(watch, (Descriptor, Gone)):
            raise RuntimeError(f"File descriptor {fd!r} is used by transport {watch.public()!r}")


def fileno(fd: Any) -> int:
    """The number of a descriptor, or of what has one. ValueError for what has none."""
    if isinstance(fd, int):
        number = fd
    else:
        try:
            number = int(fd.fileno())
        except (AttributeError, TypeError, ValueError):
            raise ValueError(f"Invalid file object: {fd!r}") from None
    if number < 0:
        raise ValueError(f"Invalid file descriptor: {number}")
    return number


def _closed(given: Any) -> bool:
    """Whether what a program named a descriptor by has been closed since."""
    return given is not None and not isinstance(given, int) and given.fileno() < 0
