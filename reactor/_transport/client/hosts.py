"""The names that this machine knows without asking a server: those in its hosts file.

Only a hint, for who is to be asked first: what the addresses are is the system's resolver's to say, which may be told
to look elsewhere (nsswitch.conf).
"""

from __future__ import annotations

import os
import socket

HOSTS = "/etc/hosts"


class Hosts:
    """A hosts file, read when it is first asked for and again when it has changed. May be used in any one thread."""

    __slots__ = ("_names", "_path", "_version")

    def __init__(self, path: str = HOSTS) -> None:
        self._path = path
        # What tells one version of the file from another.
        self._version: tuple[int, int, int] | None = None
        self._names: frozenset[bytes] = frozenset()

    def knows(self, name: str) -> bool:
        """Whether `name` is there, or is no name but an address; letters of either case are the same."""
        return isNumeric(name) or os.fsencode(name).lower().removesuffix(b".") in self._read()

    def _read(self) -> frozenset[bytes]:
        try:
            found = os.stat(self._path)
            version = (found.st_mtime_ns, found.st_size, found.st_ino)
            if version != self._version:
                with open(self._path, "rb") as file:
                    self._names = frozenset(namesIn(file.read()))
                self._version = version
        except OSError:
            self._version, self._names = None, frozenset()
        return self._names


def namesIn(text: bytes) -> set[bytes]:
    """The names in the text of a hosts file, in small letters: behind the address of each line, up to a ``#``."""
    return {name for line in text.lower().splitlines() for name in line.partition(b"#")[0].split()[1:]}


def isNumeric(host: str) -> bool:
    """Whether the system takes `host` for an address, in whatever spelling."""
    if ":" in host:
        return True
    try:
        socket.inet_aton(host)
    except (OSError, ValueError):
        return False
    return True
