"""Descriptors that are always ready, and that epoll therefore refuses to watch (EPERM): regular files, and devices such
as /dev/null. They are ready in every turn, which does not wait as long as there is one.

A backend around another one, put there when the first such descriptor comes, so that a loop without any pays nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reactor._core.poller import Backend


class AlwaysReady:
    """A backend, and the descriptors that it refused."""

    __slots__ = ("_backend", "_poll", "_ready")

    def __init__(self, backend: Backend, poll: Callable[[float], Sequence[tuple[int, int]]]) -> None:
        """Around `backend`, of which `poll` asks what has happened."""
        self._backend = backend
        self._poll = poll
        # Descriptor -> what it is watched for.
        self._ready: dict[int, int] = {}

    def register(self, fd: int, mask: int) -> None:
        """Begin to watch `fd`."""
        # Whatever had this number is closed.
        self._ready.pop(fd, None)
        try:
            self._backend.register(fd, mask)
        except PermissionError:
            self._ready[fd] = mask

    def modify(self, fd: int, mask: int) -> None:
        """Watch `fd` for something else."""
        if fd in self._ready:
            self._ready[fd] = mask
        else:
            self._backend.modify(fd, mask)

    def unregister(self, fd: int) -> None:
        """No longer watch `fd`."""
        if self._ready.pop(fd, None) is None:
            self._backend.unregister(fd)

    def poll(self, timeout: float) -> Sequence[tuple[int, int]]:
        """What happened within `timeout` seconds; at once when something is always ready."""
        ready = self._ready
        if not ready:
            return self._poll(timeout)
        return [*self._poll(0.0), *ready.items()]

    def close(self) -> None:
        """Give the kernel's side back."""
        self._backend.close()
