"""A reactor that refuses everything, for tests of what a program does then."""

from __future__ import annotations

from reactor.testing.fakes import SynchronousResolver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from zope.interface import implementer

    from reactor.interfaces import IReactorPluggableNameResolver, IReactorSocket, IReactorSSL, IReactorTCP, IReactorUNIX
else:
    from reactor._ground.declare import (
        IReactorPluggableNameResolver,
        IReactorSocket,
        IReactorSSL,
        IReactorTCP,
        IReactorUNIX,
        implementer,
    )


@implementer(IReactorTCP, IReactorSSL, IReactorUNIX, IReactorSocket, IReactorPluggableNameResolver)
class RaisingMemoryReactor:
    """A reactor that can neither listen nor connect."""

    def __init__(
        self, listenException: BaseException | None = None, connectException: BaseException | None = None
    ) -> None:
        """
        :param listenException: what `listenTCP`, `listenSSL`, `listenUNIX` and `adoptStreamPort` raise.
        :param connectException: what the `connect` methods, `adoptStreamConnection` and `adoptDatagramPort` raise.
        """
        self._listenException = listenException
        self._connectException = connectException
        self.nameResolver: Any = SynchronousResolver()

    def installNameResolver(self, resolver: Any) -> Any:
        """Ask `resolver` from now on; returns the one that was asked before."""
        before, self.nameResolver = self.nameResolver, resolver
        return before

    def _refuse(self, method: str, problem: BaseException | None) -> NoReturn:
        raise TypeError(f"{method}(): this RaisingMemoryReactor was not told what to raise") if not problem else problem

    def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> NoReturn:
        """Raise `listenException`."""
        self._refuse("listenTCP", self._listenException)

    def listenSSL(
        self, port: int, factory: Any, contextFactory: Any, backlog: int = 50, interface: str = ""
    ) -> NoReturn:
        """Raise `listenException`."""
        self._refuse("listenSSL", self._listenException)

    def listenUNIX(
        self, address: Any, factory: Any, backlog: int = 50, mode: int = 0o600, wantPID: bool = False
    ) -> NoReturn:
        """Raise `listenException`."""
        self._refuse("listenUNIX", self._listenException)

    def adoptStreamPort(self, fileDescriptor: int, addressFamily: int, factory: Any) -> NoReturn:
        """Raise `listenException`."""
        self._refuse("adoptStreamPort", self._listenException)

    def connectTCP(
        self, host: str, port: int, factory: Any, timeout: float | None = 30, bindAddress: Any = None
    ) -> NoReturn:
        """Raise `connectException`."""
        self._refuse("connectTCP", self._connectException)

    def connectSSL(
        self,
        host: str,
        port: int,
        factory: Any,
        contextFactory: Any,
        timeout: float | None = 30,
        bindAddress: Any = None,
    ) -> NoReturn:
        """Raise `connectException`."""
        self._refuse("connectSSL", self._connectException)

    def connectUNIX(self, address: Any, factory: Any, timeout: float | None = 30, checkPID: bool = False) -> NoReturn:
        """Raise `connectException`."""
        self._refuse("connectUNIX", self._connectException)

    def adoptStreamConnection(self, fileDescriptor: int, addressFamily: int, factory: Any) -> NoReturn:
        """Raise `connectException`."""
        self._refuse("adoptStreamConnection", self._connectException)

    def adoptDatagramPort(
        self, fileDescriptor: int, addressFamily: int, protocol: Any, maxPacketSize: int = 8192
    ) -> NoReturn:
        """Raise `connectException`."""
        self._refuse("adoptDatagramPort", self._connectException)
