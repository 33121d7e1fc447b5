"""A server endpoint on a socket that listens already: of a parent process, a service manager, a test."""

from __future__ import annotations

from reactor._ground.current import currentReactor
from reactor.defer import fail, succeed
from reactor.error import AlreadyListened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zope.interface import implementer

    from reactor.defer import Deferred
    from reactor.interfaces import IStreamServerEndpoint
else:
    from reactor._ground.declare import IStreamServerEndpoint, implementer


@implementer(IStreamServerEndpoint)
class AdoptedStreamServerEndpoint:
    """Listens on a socket that somebody else opened, once."""

    def __init__(self, reactor: Any, fileno: int, addressFamily: int) -> None:
        """The arguments are those of `reactor.adoptStreamPort`; `reactor` None is the one that runs in this thread,
        else the default one. `fileno` is closed when `listen` has duplicated it.
        """
        self._reactor = reactor
        self._fileno = fileno
        self._addressFamily = addressFamily
        self._used = False

    def listen(self, factory: Any) -> Deferred[Any]:
        """Listen. The Deferred fires with the port (`IListeningPort`), or fails as `reactor.adoptStreamPort` does; with
        AlreadyListened the second time.
        """
        if self._used:
            return fail(AlreadyListened(f"descriptor {self._fileno}"))
        reactor = self._reactor if self._reactor is not None else currentReactor()
        try:
            port = reactor.adoptStreamPort(self._fileno, self._addressFamily, factory)
        except Exception:
            return fail()
        import os

        self._used = True
        os.close(self._fileno)
        return succeed(port)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} on descriptor {self._fileno}>"
