"""Files that are to be sent: whether the kernel can send them by itself, and what is none."""

from __future__ import annotations

import asyncio
import io
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def regularFile(file: Any) -> int:
    """The descriptor of a file that the kernel can send. SendfileNotAvailableError when there is none."""
    try:
        fd = int(file.fileno())
    except (AttributeError, io.UnsupportedOperation, TypeError, ValueError) as e:
        raise asyncio.SendfileNotAvailableError("not a regular file") from e
    try:
        regular = stat.S_ISREG(os.fstat(fd).st_mode)
    except OSError as e:
        raise asyncio.SendfileNotAvailableError("not a regular file") from e
    if not regular or not hasattr(os, "sendfile"):
        raise asyncio.SendfileNotAvailableError("not a regular file")
    return fd


def checkSendFile(file: Any, offset: object, count: object) -> None:
    """ValueError, TypeError for what `sendfile` cannot send."""
    if "b" not in getattr(file, "mode", "b"):
        raise ValueError("file should be opened in binary mode")
    if count is not None:
        if not isinstance(count, int):
            raise TypeError(f"count must be a positive integer (got {count!r})")
        if count <= 0:
            raise ValueError(f"count must be a positive integer (got {count!r})")
    if not isinstance(offset, int):
        raise TypeError(f"offset must be a non-negative integer (got {offset!r})")
    if offset < 0:
        raise ValueError(f"offset must be a non-negative integer (got {offset!r})")
