"""Endpoints on UNIX sockets."""

from __future__ import annotations

from reactor._ground.current import currentReactor
from reactor.defer import Deferred, execute, fail
from reactor.endpoints._connecting import connecting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from typing import Any

    from zope.interface import implementer

    from reactor.interfaces import IStreamClientEndpoint, IStreamServerEndpoint

    Path = str | bytes | PathLike[str] | PathLike[bytes]
else:
    from reactor._ground.declare import IStreamClientEndpoint, IStreamServerEndpoint, implementer


@implementer(IStreamClientEndpoint)
class UNIXClientEndpoint:
    """Connects to a UNIX socket."""

    def __init__(self, reactor: Any, path: Path, timeout: float | None = 30, checkPID: bool | int = False) -> None:
        """The arguments are those of `reactor.connectUNIX`; `reactor` None is the one that runs in this thread, else
        the default one.
        """
        self._reactor = reactor
        self._path = path
        self._timeout = timeout
        self._checkPID = checkPID

    def connect(self, protocolFactory: Any) -> Deferred[Any]:
        """Connect. The Deferred fires with the protocol when its `connectionMade` has returned.

        It fails with a ConnectError, with what the factory or `connectUNIX` raised, with NoProtocol when the factory
        wanted no connection, and when it is cancelled with ConnectingCancelledError; the socket is closed then.
        """

        def begin(factory: Any) -> Any:
            reactor = self._reactor if self._reactor is not None else currentReactor()
            return reactor.connectUNIX(self._path, factory, timeout=self._timeout, checkPID=self._checkPID)

        try:
            return connecting(protocolFactory, begin)
        except Exception:
            return fail()


@implementer(IStreamServerEndpoint)
class UNIXServerEndpoint:
    """Listens on a UNIX socket."""

    def __init__(
        self, reactor: Any, address: Path, backlog: int = 50, mode: int = 0o600, wantPID: bool | int = False
    ) -> None:
        """The arguments are those of `reactor.listenUNIX`; `reactor` None is the one that runs in this thread, else the
        default one.
        """
        self._reactor = reactor
        self._address = address
        self._backlog = backlog
        self._mode = mode
        self._wantPID = wantPID

    def listen(self, protocolFactory: Any) -> Deferred[Any]:
        """Listen. The Deferred fires with the port (`IListeningPort`), or fails as `reactor.listenUNIX` does."""
        reactor = self._reactor if self._reactor is not None else currentReactor()
        return execute(
            reactor.listenUNIX,
            self._address,
            protocolFactory,
            backlog=self._backlog,
            mode=self._mode,
            wantPID=self._wantPID,
        )
