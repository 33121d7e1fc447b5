"""Reading from and writing to a descriptor that does not block: what a `FileDescriptor` is mostly made with."""

from __future__ import annotations

import errno
import os

from reactor.compat.main import CONNECTION_DONE, CONNECTION_LOST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# What one read takes at most.
_MOST = 65536
_LATER = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR})


def setNonBlocking(fd: int) -> None:
    """Let nobody wait in a read or a write of `fd`."""
    os.set_blocking(fd, False)


def setBlocking(fd: int) -> None:
    """Let whoever reads or writes wait until it can be done."""
    os.set_blocking(fd, True)


def readFromFD(fd: int, callback: Callable[[bytes], object]) -> Exception | None:
    """Read once, up to 64 KiB, and call `callback` with what came. To be returned by a `doRead`.

    :return: None; `CONNECTION_DONE` at the end; `CONNECTION_LOST` when it cannot be read.
    """
    try:
        data = os.read(fd, _MOST)
    except OSError as e:
        return None if e.errno in _LATER else CONNECTION_LOST
    if not data:
        return CONNECTION_DONE
    callback(data)
    return None


def writeToFD(fd: int, data: bytes | bytearray | memoryview) -> int | Exception:
    """Write once. To be returned by a `writeSomeData`.

    :return: how many bytes were taken, 0 when there is no room now; `CONNECTION_LOST` when it cannot be written to.
    """
    try:
        return os.write(fd, data)
    except OSError as e:
        return 0 if e.errno in _LATER else CONNECTION_LOST
