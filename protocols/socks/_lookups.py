"""The names that a SOCKS server looks up for its clients: some at a time for each of them, whatever it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reactor._ground.peers import peerOf
from reactor.defer import Deferred, DeferredSemaphore

if TYPE_CHECKING:
    from collections.abc import Callable


class LookUps:
    """So many at a time for each client; the others of the same one wait in a row. All clients over UNIX sockets, which
    nothing tells apart, are one.

    A look-up that its client gives up still counts while a thread of the resolver is busy with it.
    """

    def __init__(self, most: Callable[[], int]) -> None:
        """`most()` is asked when a client begins."""
        self._most = most
        # Client -> its row, and how many have it or wait in it; no entry for who has none.
        self._rows: dict[Any, tuple[DeferredSemaphore, int]] = {}

    async def lookUp(self, reactor: Any, host: str, address: Any) -> list[str]:
        """The addresses of `host`, for the client at `address`; none when it has none."""
        client = peerOf(address)
        row, count = self._rows.get(client) or (DeferredSemaphore(self._most()), 0)
        self._rows[client] = (row, count + 1)
        try:
            await row.acquire()
        except BaseException:
            self._leave(client)
            raise

        def free() -> None:
            row.release()
            self._leave(client)

        receiver = _Addresses()
        try:
            receiver.resolution = reactor.nameResolver.resolveHostName(receiver, host)
            return await receiver.found
        finally:
            # Resolvers of the program's own mostly have no threads that hang.
            whenFree = getattr(receiver.resolution, "whenFree", None)
            if whenFree is None:
                free()
            else:
                whenFree(free)

    def _leave(self, client: Any) -> None:
        row, count = self._rows.pop(client)
        if count > 1:
            self._rows[client] = (row, count - 1)


class _Addresses:
    """Collects what a resolver tells."""

    resolution: Any = None

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self.found: Deferred[list[str]] = Deferred(lambda _: self.resolution.cancel())

    def resolutionBegan(self, resolution: Any) -> None:
        self.resolution = resolution

    def addressResolved(self, address: Any) -> None:
        if address.host not in self.addresses:
            self.addresses.append(address.host)

    def resolutionComplete(self) -> None:
        if not self.found.called:
            self.found.callback(self.addresses)
