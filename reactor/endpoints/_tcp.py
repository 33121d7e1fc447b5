"""Endpoints on TCP. Addresses are looked up and raced by `reactor.connectTCP`; here is only what each asks of it."""

from __future__ import annotations

import socket
from functools import partial

from reactor._ground.current import currentReactor
from reactor._transport.stream.tcp import literal
from reactor.address import HostnameAddress, IPv6Address
from reactor.defer import Deferred, execute, fail
from reactor.endpoints._connecting import connecting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zope.interface import implementer

    from reactor.interfaces import IStreamClientEndpoint, IStreamServerEndpoint
else:
    from reactor._ground.declare import IStreamClientEndpoint, IStreamServerEndpoint, implementer


def _shown(host: Any) -> str:
    text = str(host)
    return text if text.isprintable() else ascii(text)[1:-1]


def isOurs(reactor: Any) -> bool:
    """Whether its `connectTCP` looks names up and races addresses."""
    from reactor.base import Reactor

    return isinstance(reactor, Reactor)


@implementer(IStreamClientEndpoint)
class TCP4ClientEndpoint:
    """Connects to a TCP server: a name, whose addresses are all tried, or an address."""

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

        try:
            reactor: Any = self._reactor if self._reactor is not None else currentReactor()
            return self._connect(reactor, protocolFactory)
        except Exception:
            return fail()

    def _connect(self, reactor: Any, protocolFactory: Any) -> Deferred[Any]:
        return self._ask(reactor, protocolFactory, self._host, self._port, **self._more())

    def _ask(self, reactor: Any, protocolFactory: Any, host: str, port: int | str, **more: Any) -> Deferred[Any]:
        def begin(factory: Any) -> Any:
            return reactor.connectTCP(host, port, factory, timeout=self._timeout, bindAddress=self._bindAddress, **more)

        return connecting(protocolFactory, begin, self._address())

    def _race(self, reactor: Any, protocolFactory: Any, **options: Any) -> Deferred[Any]:
        """Connect to the name by another's reactor, which has our arguments of `connectTCP` or has not."""
        if not hasattr(reactor, "nameResolver") or literal(self._host, 0) is not None:
            return self._ask(reactor, protocolFactory, self._host, self._port)
        from reactor.endpoints._racing import Racing

        port: Any = self._port
        ask = partial(self._ask, reactor, protocolFactory)
        return Racing(reactor, self._host, port, ask, self._address(), **options).connected

    def _address(self) -> Any:
        """What the error of a cancelled attempt names; None for the destination of the connector."""

    def _more(self) -> dict[str, Any]:
        """What `connectTCP` is asked for besides."""
        return {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {_shown(self._host)}:{self._port}>"


class TCP6ClientEndpoint(TCP4ClientEndpoint):
    """Connects to a TCP server over IPv6 only: an IPv6 address, or a name, of which only such addresses are tried."""

    def _address(self) -> Any:
        return IPv6Address("TCP", self._host, self._port) if isinstance(self._port, int) else None

    def _connect(self, reactor: Any, protocolFactory: Any) -> Deferred[Any]:
        if isOurs(reactor):
            return super()._connect(reactor, protocolFactory)
        return self._race(reactor, protocolFactory, family=socket.AF_INET6)

    def _more(self) -> dict[str, Any]:
        return {"addressTypes": (IPv6Address,)}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} [{_shown(self._host)}]:{self._port}>"


class HostnameEndpoint(TCP4ClientEndpoint):
    """Connects to a TCP server by its name, over IPv4 or IPv6, whichever answers first (RFC 8305).

    The families take turns; the next address is tried at once when one fails, and after `attemptDelay` seconds while
    none has answered. When all fail, the error is that of the last, and its `attempts` has every address with what
    went wrong there. A reactor of another kind, such as a `MemoryReactor`, is asked for its `nameResolver`, and to
    connect to each address.
    """

    def __init__(
        self,
        reactor: Any,
        host: str | bytes,
        port: int | str,
        timeout: float | None = 30,
        bindAddress: tuple[str, int] | str | None = None,
        attemptDelay: float | None = None,
    ) -> None:
        """As `TCP4ClientEndpoint`; `timeout` is that of looking the name up and connecting together.

        :param attemptDelay: seconds, see above; None: 0.25, which the standard recommends.
        """
        # What is no ASCII in there is no name; the resolver is to say so, when it is asked.
        name = host.decode("ascii", "surrogateescape") if isinstance(host, bytes) else host
        super().__init__(reactor, name, port, timeout, bindAddress)
        self._attemptDelay = attemptDelay

    def _address(self) -> Any:
        if not isinstance(self._port, int):
            return None
        try:
            return HostnameAddress(self._host, self._port)
        except UnicodeError:
            # No name that can be looked up; the resolver is to say so.
            return HostnameAddress(self._host.encode("utf-8", "backslashreplace"), self._port)

    def _connect(self, reactor: Any, protocolFactory: Any) -> Deferred[Any]:
        if isOurs(reactor):
            return super()._connect(reactor, protocolFactory)
        return self._race(reactor, protocolFactory, attemptDelay=self._attemptDelay)

    def _more(self) -> dict[str, Any]:
        return {} if self._attemptDelay is None else {"attemptDelay": self._attemptDelay}


@implementer(IStreamServerEndpoint)
class TCP4ServerEndpoint:
    """Listens for TCP clients."""

    def __init__(
        self, reactor: Any, port: int, backlog: int = 50, interface: str = "", *, reusePort: bool = False
    ) -> None:
        """The arguments are those of `reactor.listenTCP`; `reactor` None is the one that runs in this thread, else the
        default one.
        """
        self._reactor = reactor
        self._port = port
        self._backlog = backlog
        self._interface = interface
        # Said only where it is wanted: other reactors may not know of it.
        self._more: dict[str, Any] = {"reusePort": True} if reusePort else {}

    def listen(self, protocolFactory: Any) -> Deferred[Any]:
        """Listen. The Deferred fires with the port (`IListeningPort`), or fails as `reactor.listenTCP` does."""
        reactor: Any = self._reactor if self._reactor is not None else currentReactor()
        return execute(
            reactor.listenTCP,
            self._port,
            protocolFactory,
            backlog=self._backlog,
            interface=self._interface,
            **self._more,
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._interface or '*'}:{self._port}>"


class TCP6ServerEndpoint(TCP4ServerEndpoint):
    """Listens for TCP clients over IPv6; on the interface "::" for those over IPv4 as well."""

    def __init__(
        self, reactor: Any, port: int, backlog: int = 50, interface: str = "::", *, reusePort: bool = False
    ) -> None:
        """As `TCP4ServerEndpoint`."""
        super().__init__(reactor, port, backlog, interface, reusePort=reusePort)
