"""Which descriptors are watched for what, and who is told. The only file that names `selectors`.

A *watch* is what the loop dispatches to: it has a descriptor and says in `interest` what it wants to hear of. What the
kernel was told is `armed`, and the two may differ: a watch that loses interest in reading is disarmed only when an
event for it really arrives (`spurious`), since most of them regain their interest, or are closed, before that. The
other way round never happens: interest is always armed.

ERROR may be of interest by itself, to who has nothing to read any more: a reset is told by `readable` then. Selectors
of the standard library do not tell of it.

A *backend* is the kernel's side, four methods on plain descriptors: `Epoll` below, straight on epoll, or `Selector`
around any `selectors.BaseSelector`. Masks are those of poll(2): 1 readable, 4 writable, 8 error, 16 hang-up, whatever
the backend.

Level-triggered throughout. A descriptor of no interest is not registered at all, since the kernel reports errors and
hang-ups even for an empty mask: a paused connection whose peer is gone would spin. A descriptor that is closed and
reused within a turn must not get the old one's event; every watch that was added since the last poll is therefore in
`fresh`, and the loop skips its events of this turn (being level-triggered, they come again).

A descriptor that is closed without a word leaves epoll with it, unless somebody else, a forked child perhaps, still has
what it stood for open: then epoll goes on telling of a number that it cannot be asked to forget, nobody's or, by and
by, another descriptor's. Such a number is `Gone`, and when an event or a new descriptor comes to it the poller is
`doubtful`: `renew` makes the kernel's set anew.
"""

from __future__ import annotations

import os
import select
import selectors
from contextvars import copy_context

from reactor._core.alwaysready import AlwaysReady
from reactor._core.forks import tellInFork

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextvars import Context
    from typing import Protocol

    from reactor.failure import Failure

    class Backend(Protocol):
        """The kernel's side of a poller."""

        def register(self, fd: int, mask: int) -> None: ...
        def modify(self, fd: int, mask: int) -> None: ...
        def unregister(self, fd: int) -> None: ...
        def poll(self, timeout: float) -> Sequence[tuple[int, int]]: ...
        def close(self) -> None: ...


READ = 1
WRITE = 4
ERROR = 8 | 16


class Watch:
    """Somebody with a descriptor who wants to be told.

    Only the poller writes `armed`; `fd` is -1 when there is nothing to watch.
    """

    __slots__ = ("armed", "context", "fd", "interest")

    def __init__(self, fd: int) -> None:
        self.fd = fd
        # What it is told in.
        self.context: Context = copy_context()
        self.interest = 0
        self.armed = 0

    def readable(self) -> None:
        """There is something to read, or an error, or the end."""
        raise NotImplementedError

    def writable(self) -> None:
        """There is room to write, or an error."""
        raise NotImplementedError

    def disconnect(self, reason: Failure) -> None:
        """The reactor stops: close, and tell whoever is to be told."""
        raise NotImplementedError

    def forked(self) -> None:
        """This is a fork of the process that watches it: let go of what is to be sent, and let nothing more happen.
        What belongs to the parent is neither closed nor changed.
        """

    def supersede(self) -> None:
        """Another descriptor with this one's number is to be watched. ValueError, unless this one is gone."""
        raise ValueError(f"descriptor {self.fd} is watched already, for {self.public()!r}")

    def unwatchable(self, reason: Failure) -> None:
        """The selector cannot watch a descriptor with this number."""
        self.disconnect(reason)

    def public(self) -> object:
        """The object that a user of the reactor knows this watch by."""
        return self

    def internal(self) -> bool:
        """Whether this watch is the loop's own, which nobody is to see or remove."""
        return False


class Gone(Watch):
    """The number of a descriptor that was closed without a word, and of which the kernel may still tell."""

    __slots__ = ("_poller",)

    def __init__(self, poller: Poller, fd: int) -> None:
        super().__init__(fd)
        self._poller = poller

    def disconnect(self, reason: Failure) -> None:
        """There is nothing to close."""

    def supersede(self) -> None:
        """The number is another descriptor's now, which might be told what is not its own."""
        del self._poller.watches[self.fd]
        self._poller.doubtful = True

    def internal(self) -> bool:
        """Nobody is to see it."""
        return True


class Poller:
    """Descriptor -> watch, and the backend that is kept in step with it."""

    __slots__ = (
        "__weakref__",
        "_backend",
        "_epoll",
        "_pid",
        "doubtful",
        "fresh",
        "goesAlong",
        "inFork",
        "poll",
        "watches",
    )

    def __init__(self, selector: selectors.BaseSelector | Backend | None = None) -> None:
        """Watch with `selector`, which may be a backend itself, or with what suits this system best."""
        backend: Backend
        self._epoll = None
        if hasattr(selector, "poll"):
            backend = selector  # type: ignore[assignment]
        elif selector is not None:
            backend = Selector(selector)
        elif hasattr(select, "epoll"):
            backend = self._epoll = select.epoll(-1, select.EPOLL_CLOEXEC)
        else:
            backend = Selector(selectors.DefaultSelector())
        self._backend = backend
        # poll(timeout): pairs of descriptor and mask of what happened; waits at most `timeout` seconds, for ever when
        # it is negative.
        self.poll = backend.poll
        self.watches: dict[int, Watch] = {}
        self.fresh: set[int] = set()
        # Whether the kernel may tell of descriptors that nobody here has any more: `renew` is due.
        self.doubtful = False
        self._pid = os.getpid()
        # Whether this process is a fork of the one that made it.
        self.inFork = False
        # Asked in a fork: whether the child may go on with what is watched, since nothing runs. None: it may not.
        self.goesAlong: Callable[[], bool] | None = None
        tellInFork(self)

    def add(self, watch: Watch, interest: int) -> None:
        """Begin to watch. A watch that is there may have an interest of 0: it is then known, not armed."""
        fd = watch.fd
        if fd < 0:
            raise ValueError(f"{watch.public()!r} has no descriptor to watch: its fileno() is {fd}")
        while fd in self.watches:
            self.watches[fd].supersede()
        if interest:
            try:
                self._backend.register(fd, interest)
            except PermissionError:
                self._registerFile(fd, interest)
        watch.interest = watch.armed = interest
        self.watches[fd] = watch
        self.fresh.add(fd)

    def inherit(self, watch: Watch, before: Watch) -> None:
        """`watch` is told from now on, of nothing so far, and `before` no more. They have the same descriptor."""
        # Interest may not be armed the other way round only, so that this needs no call of the kernel; the usual next
        # one, for what `watch` wants, changes what is armed, where forgetting and adding would take two.
        watch.armed = before.armed
        watch.interest = before.interest = before.armed = 0
        self.watches[watch.fd] = watch

    def want(self, watch: Watch, interest: int) -> None:
        """From now on tell `watch` of `interest` (and of what it heard of before)."""
        watch.interest = wanted = watch.interest | interest
        armed = watch.armed
        if wanted & ~armed:
            self._arm(watch, armed | wanted)

    def drop(self, watch: Watch, interest: int) -> None:
        """No longer tell `watch` of `interest`. Writing is disarmed at once: a socket is writable nearly always."""
        watch.interest &= ~interest
        if interest & WRITE and watch.armed & WRITE:
            self._arm(watch, watch.armed & ~WRITE)

    def only(self, watch: Watch, interest: int) -> None:
        """From now on tell `watch` of `interest` and of nothing else."""
        watch.interest = interest
        if watch.armed != interest:
            self._arm(watch, interest)

    def spurious(self, watch: Watch) -> None:
        """An event came that `watch` has no interest in: tell the kernel so."""
        if watch.armed != watch.interest:
            try:
                self._arm(watch, watch.interest)
            except OSError:
                self.doubtful = True
        elif isinstance(watch, Gone):
            self.doubtful = True

    def _arm(self, watch: Watch, mask: int) -> None:
        if not watch.armed:
            try:
                self._backend.register(watch.fd, mask)
            except PermissionError:
                self._registerFile(watch.fd, mask)
        elif mask:
            self._backend.modify(watch.fd, mask)
        else:
            self._backend.unregister(watch.fd)
        watch.armed = mask

    def forget(self, watch: Watch) -> None:
        """Never tell `watch` anything again.

        To be called before its descriptor is closed; harmless when it is not watched.
        """
        fd = watch.fd
        if self.watches.get(fd) is not watch:
            return
        del self.watches[fd]
        watch.interest = 0
        if watch.armed:
            watch.armed = 0
            try:
                self._backend.unregister(fd)
            except (OSError, KeyError):
                # Closed behind our back by whoever owns it.
                if self._epoll is not None:
                    self.watches[fd] = Gone(self, fd)

    def _registerFile(self, fd: int, mask: int) -> None:
        """What epoll refuses to watch: a file, which is always ready."""
        self._backend = always = AlwaysReady(self._backend, self.poll)
        self.poll = always.poll
        always.register(fd, mask)

    def renew(self) -> list[Watch]:
        """Make the kernel's set anew, of what is watched. Those whose descriptors are closed, which nobody has said.

        OSError when there is no descriptor left for it.
        """
        self.checkProcess()
        epoll = self._epoll
        if epoll is not None:
            with select.epoll(-1, select.EPOLL_CLOEXEC) as new:
                # Under the number of the old one, so that whoever polls that polls this.
                os.dup2(new.fileno(), epoll.fileno(), inheritable=False)
        self.doubtful = False
        for watch in list(self.watches.values()):
            if isinstance(watch, Gone):
                del self.watches[watch.fd]
        closed: list[Watch] = []
        if epoll is None:
            return closed
        for watch in self.watches.values():
            if watch.armed:
                try:
                    self._backend.register(watch.fd, watch.armed)
                except OSError:
                    watch.armed = 0
                    closed.append(watch)
        return closed

    def close(self) -> None:
        """Give the kernel's side back. The poller is of no use afterwards."""
        self._backend.close()

    def checkProcess(self) -> None:
        """RuntimeError in a fork of the process that made this poller."""
        if self.inFork:
            raise _notHere(self._pid)

    def forked(self) -> bool:
        """This is a fork. The child shares the parent's epoll set: what it unregistered there, the parent would never
        hear of again. Whether the child goes on with this, for which whoever turns it is to `renew` it.
        """
        if self.goesAlong is not None and self._epoll is not None and self.goesAlong():
            self._pid = os.getpid()
            return True
        watches = list(self.watches.values())
        self.inFork = True
        self._backend = backend = _Elsewhere(self._pid, (self._backend, watches))
        self._epoll = None
        self.doubtful = False
        self.poll = backend.poll
        self.watches.clear()
        self.fresh.clear()
        for watch in watches:
            watch.interest = watch.armed = 0
            watch.forked()
        return False


def _notHere(pid: int) -> RuntimeError:
    return RuntimeError(
        f"this reactor belongs to process {pid} and cannot be used in its fork, process {os.getpid()}; "
        "make a new one there: reactor.base.Reactor()"
    )


class _Elsewhere:
    """The backend of a poller in a fork: there is none."""

    __slots__ = ("_kept", "_pid")

    def __init__(self, pid: int, kept: object) -> None:
        self._pid = pid
        # What was there stays as open as it is: whether the child closes its copies is the program's business.
        self._kept = kept

    def register(self, fd: int, mask: int) -> None:
        """RuntimeError."""
        raise _notHere(self._pid)

    modify = register

    def unregister(self, fd: int) -> None:
        """RuntimeError."""
        raise _notHere(self._pid)

    def poll(self, timeout: float) -> list[tuple[int, int]]:
        """RuntimeError."""
        raise _notHere(self._pid)

    def close(self) -> None:
        """Nothing: it is the parent's."""


class Selector:
    """A backend on any selector of the standard library, or one made like them."""

    __slots__ = ("_selector",)

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector

    def register(self, fd: int, mask: int) -> None:
        """Begin to watch `fd`."""
        if events := _events(mask):
            self._selector.register(fd, events)

    def modify(self, fd: int, mask: int) -> None:
        """Watch `fd` for something else."""
        events = _events(mask)
        if not events:
            self.unregister(fd)
            return
        try:
            self._selector.modify(fd, events)
        except KeyError:
            # For errors alone it was not registered.
            self._selector.register(fd, events)

    def unregister(self, fd: int) -> None:
        """No longer watch `fd`."""
        try:
            self._selector.unregister(fd)
        except KeyError:
            # As above.
            pass

    def poll(self, timeout: float) -> list[tuple[int, int]]:
        """What happened within `timeout` seconds.

        A selector tells errors and hang-ups as readable and writable, so there is no mask for them.
        """
        happened = self._selector.select(None if timeout < 0 else timeout)
        return [(key.fd, (events & 1) | (events & 2) << 1) for key, events in happened]

    def close(self) -> None:
        """Give the selector back."""
        self._selector.close()


def selectable(fd: int) -> bool:
    """Whether select(2) can wait for `fd`, which it cannot from 1024 on; epoll and poll can."""
    try:
        select.select([fd], [], [], 0)
    except ValueError:
        return False
    return True


def _events(mask: int) -> int:
    return (selectors.EVENT_READ if mask & READ else 0) | (selectors.EVENT_WRITE if mask & WRITE else 0)
