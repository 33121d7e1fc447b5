"""The files of a program: which of those that paths name, what is in them, and how they are changed."""

from __future__ import annotations

import io
import os
import tempfile
import tokenize
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

#: What is read of a folder: Python, also that which twistd and type checkers read.
SUFFIXES = (".py", ".pyi", ".pyw", ".tac")


def filesOf(paths: Iterable[str], refused: Callable[[OSError], object]) -> Iterator[str]:
    """Each path that is a file, or is none; of a folder what has one of `SUFFIXES`, in order and each file once.

    Folders that are hidden, called __pycache__ or virtual environments are passed over, links to folders not followed.
    `refused` is told of folders that cannot be read.
    """
    seen = set()
    for path in paths:
        for file in _below(path, refused) if os.path.isdir(path) else [path]:
            real = os.path.realpath(file)
            if real not in seen:
                seen.add(real)
                yield file


def _below(top: str, refused: Callable[[OSError], object]) -> Iterator[str]:
    for folder, folders, files in os.walk(top, onerror=refused):
        folders[:] = sorted(name for name in folders if not _isPassedOver(folder, name))
        paths = (os.path.normpath(os.path.join(folder, name)) for name in sorted(files) if name.endswith(SUFFIXES))
        # A pipe or a device would be waited for. A link that leads nowhere is told of when it is read.
        yield from (path for path in paths if os.path.isfile(path) or not os.path.exists(path))


def _isPassedOver(folder: str, name: str) -> bool:
    return name.startswith(".") or name == "__pycache__" or os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))


def topLevel(path: str) -> str:
    """The name by which a program imports the package that a file is in, or the file itself if it is in none."""
    folder, name = os.path.split(os.path.splitext(os.path.abspath(path))[0])
    while os.path.exists(os.path.join(folder, "__init__.py")):
        folder, name = os.path.split(folder)
    return name


class File:
    """What is in a file: bytes, their encoding, as the file itself says, and the text."""

    def __init__(self, path: str) -> None:
        """OSError if it cannot be read; SyntaxError, with the line, for an encoding that is unknown or does not fit."""
        self.path = path
        with open(path, "rb") as file:
            self.data = file.read()
        self.encoding, _ = tokenize.detect_encoding(io.BytesIO(self.data).readline)
        try:
            self.text = self.data.decode(self.encoding)
            #: Whether the text gives the same bytes again: there are encodings that say one thing in several ways.
            self.faithful = self.text.encode(self.encoding) == self.data
        except UnicodeDecodeError as e:
            line = self.data.count(b"\n", 0, e.start) + 1
            raise SyntaxError(f"it is not {self.encoding}: {e.reason}", (path, line, 0, "")) from None

    def write(self, text: str) -> None:
        """Put this text in its place, all of it or nothing. OSError if that cannot be done.

        A file that a link leads to is changed, not the link; who may read and write it stays as it was.
        """
        real = os.path.realpath(self.path)
        handle, new = tempfile.mkstemp(prefix=".migrate-", dir=os.path.dirname(real))
        try:
            with open(handle, "wb") as file:
                file.write(text.encode(self.encoding))
                before = os.stat(real)
                # Only root may give a file away; of others a file of somebody else's becomes their own.
                with suppress(PermissionError):
                    os.fchown(handle, before.st_uid, before.st_gid)
                os.fchmod(handle, before.st_mode & 0o7777)
            os.replace(new, real)
        except BaseException:
            os.unlink(new)
            raise
