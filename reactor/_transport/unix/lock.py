"""The lock beside a UNIX socket: a symbolic link whose target is the number of the process that holds it, Twisted's
convention, so that programs of both keep out of each other's way.

A lock whose process is dead is broken. Only one process does that at a time (flock() on the folder); otherwise two
could find the same dead lock, and the slower one break the other's new one.
"""

from __future__ import annotations

import errno
import os

# The links that this process made, by device and inode. A link with our number that is not among them is of a process
# that had the number before: after the restart of a container, where numbers begin anew, that is the rule.
_held: set[tuple[int, int]] = set()


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
        self.broken = False
        try:
            self._link()
        except FileExistsError:
            if holder(self._path):
                raise self._refusal() from None
            self._break()

    def release(self) -> None:
        """Hold it no longer. Nothing when it is not held, or not ours any more."""
        identity, self._identity = self._identity, None
        if identity is None:
            return
        try:
            # Its number as well: the system gives a new link an old one's inode.
            if _identityOf(self._path) == identity and os.readlink(os.fsdecode(self._path)) == str(os.getpid()):
                os.unlink(self._path)
        except OSError:
            # Gone already, or its folder may not be written to any more.
            pass
        _held.discard(identity)

    def _link(self) -> None:
        os.symlink(str(os.getpid()), self._path)
        self._identity = _identityOf(self._path)
        _held.add(self._identity)

    def _break(self) -> None:
        import fcntl

        folder = os.open(os.path.dirname(self._path), os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if holder(self._path):
                raise self._refusal()
            os.unlink(self._path)
            self._link()
        except (BlockingIOError, FileExistsError, FileNotFoundError):
            # Somebody else broke it first.
            raise self._refusal() from None
        finally:
            os.close(folder)
        self.broken = True

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
        target = os.readlink(path)
        identity = _identityOf(path)
    except FileNotFoundError:
        return None
    except OSError:
        return -1
    # As ASCII digits; int() would take more.
    if not target.isdigit() or not 0 < len(target) < 10 or not int(target):
        return -1
    number = int(target)
    if number == os.getpid():
        return number if identity in _held else None
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return None
    except OSError:
        # There, and somebody else's.
        pass
    return number


def _identityOf(path: bytes) -> tuple[int, int]:
    there = os.lstat(path)
    return there.st_dev, there.st_ino
