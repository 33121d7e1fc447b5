"""Names of UNIX sockets: what is one, how it looks as an address, and the file that binding to a path leaves behind."""

from __future__ import annotations

import errno
import os
import stat

from reactor.address import UNIXAddress

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Any

    Path = str | bytes | os.PathLike[str] | os.PathLike[bytes]


def checkPath(method: str, path: object, name: str = "address") -> bytes:
    """`path` as bytes; with a leading NUL it is a name of Linux's abstract namespace (unix(7)).

    ValueError or TypeError that names it otherwise.
    """
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise TypeError(f"{method}(): {name} must be a path as str, bytes or os.PathLike, not {path!r}")
    encoded = os.fsencode(path)
    if not encoded:
        raise ValueError(f"{method}(): {name} must not be empty")
    if b"\0" in encoded and not isAbstract(encoded):
        # The system would take what stands before it for the path.
        raise ValueError(f"{method}(): {name} must have no NUL but a leading one, not {path!r}")
    return encoded


def checkMode(method: str, mode: object) -> int:
    """`mode` as file permissions. ValueError or TypeError that names it when it is none."""
    if not isinstance(mode, int) or isinstance(mode, bool):
        raise TypeError(f"{method}(): mode must be an int, the file's permissions, not {mode!r}")
    if not 0 <= mode <= 0o777:
        raise ValueError(f"{method}(): mode must be from 0o000 to 0o777, not {mode:#o}")
    return mode


def isAbstract(path: bytes) -> bool:
    """Whether this is a name without a file."""
    return path.startswith(b"\0")


def address(sockaddr: Any) -> UNIXAddress:
    """The address object for what the socket module calls one."""
    return UNIXAddress(sockaddr or None)


def explained(problem: OSError, path: bytes) -> OSError:
    """`problem` with an errno: the socket module says without one that a path is too long."""
    if problem.errno is not None:
        return problem
    return OSError(errno.ENAMETOOLONG, f"{problem}: it has {len(path)} bytes")


class BoundPath:
    """The file of a socket that was bound here."""

    __slots__ = ("_identity", "_path")

    def __init__(self, sock: socket.socket, path: bytes, mode: int) -> None:
        """Bind `sock`, which does not listen yet, so that the file has exactly the permissions `mode`.

        OSError when the system refuses; there is no file then that was not there before.
        """
        # The program may change its folder before the file is removed.
        self._path = b"" if isAbstract(path) else os.path.abspath(path)
        self._identity: tuple[int, int] | None = None
        if self._path:
            try:
                # On Linux the file begins with these permissions less the umask's: there is no moment with more.
                os.fchmod(sock.fileno(), mode)
            except OSError:
                # On other systems a socket has none yet. Nobody can connect before it listens.
                pass
        try:
            sock.bind(path)
        except OSError as e:
            raise explained(e, path) from None
        if not self._path:
            return
        try:
            there = os.lstat(self._path)
            self._identity = there.st_dev, there.st_ino
            if stat.S_IMODE(there.st_mode) != mode:
                # The umask took some away.
                os.chmod(self._path, mode)
        except OSError:
            self.remove()
            raise

    def remove(self) -> None:
        """Remove the file, unless another one has taken its place."""
        try:
            there = os.lstat(self._path)
            if (there.st_dev, there.st_ino) == self._identity:
                os.unlink(self._path)
        except OSError:
            # Gone already, or its folder may not be written to any more.
            pass


def removeStaleSocket(path: bytes) -> None:
    """Remove a socket's file whose owner is known to be dead; nothing else that may stand there."""
    try:
        if stat.S_ISSOCK(os.lstat(path).st_mode):
            os.unlink(path)
    except OSError:
        # Binding will tell.
        pass
