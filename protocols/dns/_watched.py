"""A file of settings, read when it is first asked for and again when it has changed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Watched(Generic[T]):
    """One file, and what was made of its text.

    One that is not there, or may not be read, is as an empty one: so it is for the system's resolver, and while
    another program puts a new one in its place.
    """

    __slots__ = ("_parse", "_version", "path", "value")

    def __init__(self, path: str, parse: Callable[[bytes], T]) -> None:
        """`parse(text)` makes the value, and takes any bytes."""
        self.path = path
        self._parse = parse
        # What tells one version of the file from another, and what tells files of the same time: systems exist where
        # all are of the same second.
        self._version: tuple[int, ...] | None = None
        self.value: T = parse(b"")

    def read(self) -> T:
        """The value now. The same object as before while the file has not changed."""
        try:
            found = os.stat(self.path)
            version = (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)
            if version != self._version:
                with open(self.path, "rb") as file:
                    self.value = self._parse(file.read())
                self._version = version
        except OSError:
            if self._version is not None:
                self._version, self.value = None, self._parse(b"")
        return self.value
