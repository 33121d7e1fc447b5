"""A lock that processes share: a symbolic link whose target is the number of the process that holds it. Twisted's
convention, so that programs of both keep out of each other's way.

To make a link that exists fails, in one system call, and needs no file system that knows of locks. A lock whose process
is dead is broken. Only one process does that at a time (flock() on the folder); otherwise two could find the same dead
lock, and the slower one break the other's new one.
"""

from __future__ import annotations

import errno
import os
from _thread import allocate_lock
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# The links that this process made, by device and inode. A link with our number that is not among them is of a process
# that had the number before: after the restart of a container, where numbers begin anew, that is the rule.
_held: set[tuple[int, int]] = set()
# Held while a link and its entry in there come or go: in between, another thread would take it for a dead process's.
_changing = allocate_lock()


def _inChild() -> None:
    global _changing
    _changing = allocate_lock()


os.register_at_fork(after_in_child=_inChild)


class Lock:
    """One lock file, held or not."""

    __slots__ = ("_identity", "_path", "broken")

    def __init__(self, path: bytes) -> None:
        """The lock at `path`, not held yet."""
        self._path = os.path.abspath(path)
        self._identity: tuple[int, int] | None = None
        # Whether a dead process's lock was broken to take this one.
        self.broken = False

    def take(self) -> None:
        """Hold the lock. OSError, with EADDRINUSE when a living process holds it."""
        broken = False
        while True:
            try:
                self._link()
                break
            except FileExistsError:
                # Else it was released just now.
                broken = self._removed() or broken
        self.broken = broken

    def release(self) -> None:
        """Hold it no longer. Nothing when it is not held, or not ours any more."""
        identity, self._identity = self._identity, None
        if identity is None:
            return
        with _changing:
            try:
                # Its number as well: the system gives a new link an old one's inode.
                if _identityOf(self._path) == identity and os.readlink(os.fsdecode(self._path)) == str(os.getpid()):
                    os.unlink(self._path)
            except OSError:
                # Gone already, or its folder may not be written to any more.
                pass
            _held.discard(identity)

    def _link(self) -> None:
        with _changing:
            os.symlink(str(os.getpid()), self._path)
            self._identity = _identityOf(self._path)
            _held.add(self._identity)

    def _removed(self) -> bool:
        """Whether the link was there, and a dead process's; it is gone then."""
        try:
            self._refuseUnlessStale()
            with _breaking(os.path.dirname(self._path)) as alone:
                if not alone:
                    # Whoever is breaking locks in this folder may be at this one.
                    raise self._refusal()
                # From here on nobody else removes a link that is stale, and a link that is gone is left alone: what is
                # there instead by now may be a living process's.
                self._refuseUnlessStale()
                os.unlink(self._path)
        except FileNotFoundError:
            return False
        return True

    def _refuseUnlessStale(self) -> None:
        if _holder(self._path) is not None:
            raise self._refusal()

    def _refusal(self) -> OSError:
        link = os.fsdecode(self._path)
        try:
            who = f"process {os.readlink(link)} holds {link}"
        except OSError:
            who = f"{link} is no lock, or has changed hands this moment"
        return OSError(errno.EADDRINUSE, f"Cannot acquire lock: {who}")


def holder(path: bytes) -> int | None:
    """The number of the living process that holds the lock at `path`, None when there is none.

    What is no lock counts as held by process -1: nobody is to break what he does not understand.
    """
    try:
        return _holder(path)
    except FileNotFoundError:
        return None


def _holder(path: bytes) -> int | None:
    """As `holder`, but FileNotFoundError when there is no lock: None is a dead process's."""
    try:
        target = os.readlink(path)
        identity = _identityOf(path)
    except FileNotFoundError:
        raise
    except OSError:
        return -1
    # As ASCII digits; int() would take more.
    if not target.isdigit() or not 0 < len(target) < 10 or not int(target):
        return -1
    number = int(target)
    if number == os.getpid():
        with _changing:
            return number if identity in _held else None
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return None
    except OSError:
        # There, and somebody else's.
        pass
    return number


def isOurs(path: bytes) -> bool:
    """Whether this process holds the lock at `path`, by whichever object. OSError when there is none."""
    return os.readlink(path) == str(os.getpid()).encode() and _identityOf(path) in _held


def remove(path: bytes) -> None:
    """Release the lock at `path`, which this process holds."""
    _held.discard(_identityOf(path))
    os.unlink(path)


@contextmanager
def _breaking(folder: bytes) -> Iterator[bool]:
    """While nobody else breaks a lock in `folder`; whether that is so."""
    import fcntl

    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:
        # A folder that may be written to and not read; nobody can say then whether somebody else is at it.
        yield True
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        except OSError:
            # This file system (NFS) has no such locks for folders.
            yield True
        else:
            yield True
    finally:
        os.close(descriptor)


def _identityOf(path: bytes) -> tuple[int, int]:
    there = os.lstat(path)
    return there.st_dev, there.st_ino
