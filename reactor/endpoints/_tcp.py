"""Endpoints on TCP."""

from __future__ import annotations

from reactor._current import currentReactor
from reactor.defer import Deferred, execute, fail
from reactor.endpoints._connecting import connecting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zope.interface import implementer

    from reactor.interfaces import IStreamClientEndpoint, IStreamServerEndpoint
else:
    from reactor._declare import IStreamClientEndpoint, IStreamServerEndpoint, implementer


@implementer(IStreamClientEndpoint)
class TCP4ClientEndpoint:
    """Connects to a TCP server."""

    def __init__(
        self,
        reactor: Any,
        host: str,
        port: int | str,
        timeout: float | None = 30,
        bindAddress: tuple[str, int] | str | None = None,
    ) -> None:
        """The arguments are those of `reactor.connectTCP`; `reactor` None is the one that runs in this thread, else the
        default one.
        """
        self._reactor = reactor
        self._host = host
        self._port = port
        self._timeout = timeout
        self._bindAddress = bindAddress

    def connect(self, protocolFactory: Any) -> Deferred[Any]:
        """Connect. The Deferred fires with the protocol when its `connectionMade` has returned.

        It fails with a ConnectError, with what the factory or `connectTCP` raised, with NoProtocol when the factory
        wanted no connection, and when it is cancelled with ConnectingCancelledError; the socket is closed then.
        """

        def begin(factory: Any) -> Any:
            reactor = self._reactor if self._reactor is not None else currentReactor()
            return reactor.connectTCP(
                self._host, self._port, factory, timeout=self._timeout, bindAddress=self._bindAddress
            )

        try:
            return connecting(protocolFactory, begin)
        except Exception:
            return fail()


@implementer(IStreamServerEndpoint)
class TCP4ServerEndpoint:
    """Listens for TCP clients."""

    def __init__(self, reactor: Any, port: int, backlog: int = 50, interface: str = "") -> None:
        """The arguments are those of `reactor.listenTCP`; `reactor` None is the one that runs in this thread, else the
        default one.
        """
        self._reactor = reactor
        self._port = port
        self._backlog = backlog
        self._interface = interface

    def listen(self, protocolFactory: Any) -> Deferred[Any]:
        """Listen. The Deferred fires with the port (`IListeningPort`), or fails as `reactor.listenTCP` does."""
        reactor = self._reactor if self._reactor is not None else currentReactor()
        return execute(reactor.listenTCP, self._port, protocolFactory, backlog=self._backlog, interface=self._interface)
