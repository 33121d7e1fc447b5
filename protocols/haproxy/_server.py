"""Behind a proxy: connections that begin with a PROXY header, required of peers that are trusted, refused of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols._proxying.handover import FirstReader
from protocols._proxying.networks import Networks
from protocols.haproxy._info import InvalidProxyHeader
from protocols.haproxy._parser import LENGTH_LIMIT, HeaderParser
from reactor._ground.peerlog import peerLogOf, peerMessage
from reactor.endpoints import quoteStringArgument, serverFromString
from reactor.protocol import Factory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zope.interface import implementer

    from reactor.defer import Deferred
    from reactor.interfaces import IStreamServerEndpoint, IStreamServerEndpointStringParser
else:
    from reactor._ground.declare import IStreamServerEndpoint, IStreamServerEndpointStringParser, implementer

#: Seconds that the specification has a receiver wait at least, and that we let it at most.
SHORTEST, LONGEST = 3, 10


class HAProxyProtocolWrapper(FirstReader):
    """One connection until its header has come."""

    def __init__(self, factory: HAProxyWrappingFactory) -> None:
        """For `factory`."""
        self.factory = factory
        self._parser = HeaderParser(factory.lengthLimit)

    def connectionMade(self) -> None:
        """The proxy connected."""
        self.watch(self.factory.timeout, self.factory.clock)

    def firstReceived(self, data: bytes) -> None:
        """A part of the header came, or all of it and more."""
        if self.transport.disconnecting:
            # Nobody wanted it.
            return
        try:
            found = self._parser.feed(data)
        except InvalidProxyHeader as e:
            self._refuse(str(e))
            return
        if found is None:
            return
        info, rest = found
        self.unwatch()
        peer = info.source if info.source is not None else self.transport.getPeer()
        protocol = self.factory.wrappedFactory.buildProtocol(peer)
        if protocol is None:
            self.transport.loseConnection()
            return
        self.handOver(protocol, rest, peer=info.source, host=info.destination, info=info).deliver()

    def expired(self) -> None:
        """No header in time."""
        self._refuse(f"no PROXY header within {self.factory.timeout:g} s")

    def _refuse(self, why: str) -> None:
        self.unwatch()
        peerMessage(self, "info", "connection from %s closed: %s", self.transport.getPeer(), why)
        self.transport.abortConnection()


class HAProxyWrappingFactory(Factory):
    """Takes connections that begin with a PROXY header, and gives them to another factory with the addresses that the
    header says.

    The wrapped factory's `buildProtocol` is called with the address of the client when the header is there, and
    `transport.getPeer` and `getHost` say what the header says; where it says nothing (LOCAL, UNKNOWN), they are the
    connection's own. `transport.proxyInfo` is the header, a `ProxyInfo`. A connection from who is not trusted, one
    without a header and one with a wrong header is closed, and the wrapped factory never hears of it.
    """

    noisy = False

    def __init__(
        self,
        wrappedFactory: Any,
        trusted: Iterable[Any],
        timeout: float = 5,
        lengthLimit: int = LENGTH_LIMIT,
        clock: Any = None,
    ) -> None:
        """
        :param wrappedFactory: whose protocols are connected.
        :param trusted: who may say who somebody is: addresses and networks ("127.0.0.1", "10.0.0.0/8", "fd00::/8"),
            and "unix" for whoever can connect to a UNIX socket. Nobody else may connect; with ``[]`` nobody at all.
        :param timeout: seconds for the header to come, from 3 to 10.
        :param lengthLimit: bytes that a header of version 2 may have, from 232 (two paths) to 65551.
        :param clock: where the time is from; None: the reactor that runs.
        :raises ValueError, TypeError: for arguments that are not like that.
        """
        where = "HAProxyWrappingFactory()"
        if not SHORTEST <= timeout <= LONGEST:
            raise ValueError(f"{where}: timeout must be from {SHORTEST} to {LONGEST} seconds, not {timeout}")
        if not 232 <= lengthLimit <= 65551:
            raise ValueError(f"{where}: lengthLimit must be from 232 to 65551 bytes, not {lengthLimit}")
        self.wrappedFactory = wrappedFactory
        self.trusted = Networks(where, "trusted", trusted)
        self.timeout = timeout
        self.lengthLimit = lengthLimit
        self.clock = clock
        self.writeBufferLimit = getattr(wrappedFactory, "writeBufferLimit", None)

    def logPrefix(self) -> str:
        """What stands for this factory in logs."""
        prefix = getattr(self.wrappedFactory, "logPrefix", None)
        return f"{prefix() if prefix is not None else type(self.wrappedFactory).__name__} (PROXY)"

    def doStart(self) -> None:
        """A port begins to use it."""
        self.wrappedFactory.doStart()

    def doStop(self) -> None:
        """A port ceases to use it."""
        self.wrappedFactory.doStop()

    def buildProtocol(self, addr: Any) -> Any:
        """Who reads the header; None, which closes the connection, for a peer that is not trusted."""
        if not self.trusted.hasPeer(addr):
            text = "connection from %s refused: not trusted to send a PROXY header"
            peerLogOf(self).message(getattr(addr, "host", ""), "info", text, addr)
            return None
        return HAProxyProtocolWrapper(self)


@implementer(IStreamServerEndpoint)
class _ProxyEndpoint:
    def __init__(self, wrappedEndpoint: Any, options: dict[str, Any]) -> None:
        self._wrappedEndpoint = wrappedEndpoint
        self._options = options

    def listen(self, protocolFactory: Any) -> Deferred[Any]:
        """As the wrapped endpoint's."""
        listening: Deferred[Any] = self._wrappedEndpoint.listen(
            HAProxyWrappingFactory(protocolFactory, **self._options)
        )
        return listening

    def __repr__(self) -> str:
        return f"<proxyEndpoint of {self._wrappedEndpoint!r}>"


def proxyEndpoint(wrappedEndpoint: Any, trusted: Iterable[Any], **options: Any) -> Any:
    """A server endpoint that listens where `wrappedEndpoint` does, for connections that begin with a PROXY header.

    `trusted` and `options` are those of `HAProxyWrappingFactory`, which says which errors are raised here.
    """
    trusted = trusted if isinstance(trusted, (str, bytes)) else list(trusted)
    options = {"trusted": trusted, **options}
    HAProxyWrappingFactory(None, **options)
    return _ProxyEndpoint(wrappedEndpoint, options)


@implementer(IStreamServerEndpointStringParser)
class HAProxyServerParser:
    """The type ``haproxy:`` of endpoint descriptions: ``haproxy:tcp:8080:trusted=10.0.0.0/8,127.0.0.1``."""

    prefix = "haproxy"

    def parseStreamServer(self, reactor: Any, *args: str, trusted: str = "", timeout: str = "5", **kwargs: str) -> Any:
        """The endpoint that the rest describes, behind `proxyEndpoint`.

        :param trusted: addresses and networks with commas between, required; colons in them are written ``\\:``.
        :param timeout: seconds for the header, from 3 to 10.
        :raises ValueError: when it does not.
        """
        if not trusted:
            raise ValueError(
                "endpoint description: haproxy: expected trusted=, as in haproxy:tcp:80:trusted=10.0.0.0/8"
            )
        try:
            seconds = float(timeout)
        except ValueError:
            raise ValueError(
                f"endpoint description: haproxy: expected timeout to be a number of seconds, not {timeout!r}"
            ) from None
        parts = [quoteStringArgument(each) for each in args]
        parts += [f"{name}={quoteStringArgument(value)}" for name, value in kwargs.items()]
        inner = serverFromString(reactor, ":".join(parts))
        return proxyEndpoint(inner, [each.strip() for each in trusted.split(",")], timeout=seconds)
