"""``wsgi.input``: a request's body as a file, for a thread that may wait for it."""

from __future__ import annotations

import io

from reactor.threads import blockingCallFromThread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from _typeshed import WriteableBuffer

__all__ = ["Input"]


class Input(io.RawIOBase):
    """Reads what comes; in the reactor nothing waits meanwhile, and the client sends no faster than this is read.

    OSError when the body broke off, is too large or too slow.
    """

    def __init__(self, reactor: Any, body: Any) -> None:
        self._reactor = reactor
        self._body = body
        self._piece = b""
        self._over = False
        super().__init__()

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """As a raw file's: how many bytes, 0 at the end."""
        if not self._piece and not self._over:
            self._piece = self._next()
            self._over = not self._piece
        view = memoryview(buffer).cast("B")
        count = min(len(view), len(self._piece))
        view[:count] = self._piece[:count]
        self._piece = self._piece[count:]
        return count

    def _next(self) -> bytes:
        try:
            return blockingCallFromThread(self._reactor, self._body.__anext__)  # type: ignore[no-any-return]
        except StopAsyncIteration:
            return b""
        except Exception as e:
            raise OSError(f"the request's body cannot be read: {e}") from e
