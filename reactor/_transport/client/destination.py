"""Where a TCP client connects to: a host, an address or a name, and a port. Looks the name up, dials the addresses, and
says what went wrong in our words.
"""

from __future__ import annotations

import socket

from reactor._core.contexts import inside
from reactor._core.timers import checkDelay
from reactor._transport.client.attempt import Attempt, BindFailed, Dial
from reactor._transport.client.lookup import LookUp
from reactor._transport.client.race import ATTEMPT_DELAY
from reactor._transport.stream.tcp import TCPTransport, address, checkBindAddress, checkPort, literal, prepare
from reactor._transport.stream.wire import Wire
from reactor.error import ConnectBindError, DNSLookupError, getConnectError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from reactor._core.loop import Loop
    from reactor._transport.client.connector import Connector
    from reactor._transport.client.race import Target
    from reactor._transport.stream.tcp import Address
    from reactor._transport.stream.transport import StreamTransport, Top


class TCPDestination:
    """A host and a port, and the local address to connect from."""

    # Whose end of a connection it is that was made, and what its socket is told first.
    wire = Wire
    prepare = staticmethod(prepare)
    # The address object for what the socket module calls one.
    addressOf: Callable[[Any], Any] = staticmethod(address)

    __slots__ = ("_bindAddress", "_loop", "_resolver", "addressTypes", "attemptDelay", "host", "port")

    def __init__(
        self,
        loop: Loop,
        resolver: Callable[[], Any],
        host: str,
        port: int,
        bindAddress: Any,
        *,
        attemptDelay: float | None = None,
        addressTypes: Sequence[type] | None = None,
    ) -> None:
        """`resolver()` is the name resolver at the time of the question; `bindAddress` is a (host, port) or None."""
        self._loop = loop
        self._resolver = resolver
        self.host = host
        self.port = port
        self._bindAddress = bindAddress
        self.attemptDelay = ATTEMPT_DELAY if attemptDelay is None else attemptDelay
        self.addressTypes = addressTypes

    def address(self) -> Any:
        """What was asked for."""
        found = literal(self.host, self.port)
        if found is not None:
            return self.addressOf(found[1])
        # Twisted's type for a name that a connector was given.
        return self.addressOf((self.host, self.port))

    def dial(self, connector: Connector) -> Underway:
        """Begin; tell the connector how it ended."""
        return Underway(self._loop, self._resolver, self, self._bindAddress, connector)

    def transport(self, wire: Wire, top: Top, peer: Address, protocol: Any, connector: Connector) -> StreamTransport:
        """The transport of a connection that was made."""
        return TCPTransport(wire, top, peer, protocol, connector, connector.factory)


def checkedDestination(
    loop: Loop,
    resolver: Callable[[], Any],
    method: str,
    host: str,
    port: int | str,
    timeout: float | None,
    local: Any,
    *,
    attemptDelay: float | None = None,
    addressTypes: Sequence[type] | None = None,
) -> TCPDestination:
    """Of what a program gave to `method`. ValueError, TypeError that names it when it cannot be used."""
    if not isinstance(host, str):
        raise TypeError(f"{method}(): host must be a str, not {host!r}")
    number = checkPort(method, port, service=True)
    if timeout is not None:
        checkDelay(timeout, method, "timeout")
    if attemptDelay is not None:
        checkDelay(attemptDelay, method, "attemptDelay")
    bindAddress = checkBindAddress(method, local)
    return TCPDestination(
        loop, resolver, host, number, bindAddress, attemptDelay=attemptDelay, addressTypes=addressTypes
    )


class Underway:
    """A connection that is being made: first a question to the resolver, unless the host is an address, then a dial."""

    __slots__ = ("_connector", "_destination", "_dial", "_local", "_lookUp", "_loop")

    def __init__(
        self,
        loop: Loop,
        resolver: Callable[[], Any],
        destination: TCPDestination,
        bindAddress: Any,
        connector: Connector,
    ) -> None:
        self._loop = loop
        self._destination = destination
        self._local = bindAddress
        self._connector = connector
        self._lookUp: LookUp | None = None
        self._dial: Attempt | Dial | None = None
        # An empty host is this one, as for the socket module.
        target = literal(destination.host or "0.0.0.0", destination.port)
        types = destination.addressTypes
        if target is not None and (types is None or type(address(target[1])) in types):
            self._resolved([target])
        else:
            self._lookUp = LookUp(loop, resolver(), destination.host, destination.port, self._lookedUp, types)

    @property
    def phase(self) -> str:
        """What it is doing now."""
        return "resolve" if self._dial is None else "connect"

    @property
    def attempts(self) -> tuple[tuple[Address, BaseException], ...]:
        """Every address that was tried so far, and what came of it."""
        return self._tried(self._dial.tried) if self._dial is not None else ()

    def cancel(self) -> None:
        """Give up, and tell nobody. Called when it is over as well; lets go of what would keep it alive in a circle."""
        lookUp, dial = self._lookUp, self._dial
        self._lookUp = self._dial = None
        if lookUp is not None:
            lookUp.cancel()
        if dial is not None:
            dial.cancel()

    def _lookedUp(self, answer: list[Target] | DNSLookupError) -> None:
        # Told by a resolver, who does so in whatever context.
        inside(self._connector.context, self._resolved, answer)

    def _resolved(self, answer: list[Target] | DNSLookupError) -> None:
        if isinstance(answer, DNSLookupError):
            port, elapsed = self._destination.port, self._connector.elapsed
            self._connector.failed(getConnectError(answer, port=port, elapsed=elapsed))
            return
        if len(answer) == 1:
            # Without a race, which one attempt would win or lose: most connections are to one address.
            self._dial = self._attempt(answer[0])
        else:
            told = self._connected, self._failed
            delay, context = self._destination.attemptDelay, self._connector.context
            self._dial = Dial(self._loop, answer, self._local, *told, delay, context)

    def _attempt(self, target: Target) -> Attempt:
        context = self._connector.context
        # Each by its place: unpacking a pair of them costs a thousand instructions of each connection.
        return Attempt(self._loop, target, self._local, self._connected, self._attemptFailed, context)

    def _connected(self, attempt: Attempt, sock: socket.socket) -> None:
        destination = self._destination
        destination.prepare(sock)
        wire = destination.wire(self._loop, sock, attempt)
        wire.name = attempt.name
        self._connector.connected(wire, wire, destination.addressOf(attempt.target[1]))

    def _attemptFailed(self, attempt: Attempt, problem: OSError) -> None:
        self._failed([(attempt.target, problem)])

    def _failed(self, failures: list[tuple[Target, BaseException]]) -> None:
        destination, connector = self._destination, self._connector
        problem = failures[-1][1]
        facts: dict[str, Any] = {
            "host": destination.host,
            "port": destination.port,
            "elapsed": connector.elapsed,
            "attempts": self._tried(failures),
        }
        if isinstance(problem, BindFailed):
            connector.failed(ConnectBindError(problem.errno, problem.strerror or "", **facts))
        else:
            connector.failed(getConnectError(problem, **facts))

    def _tried(self, tried: list[tuple[Target, BaseException]]) -> tuple[tuple[Address, BaseException], ...]:
        return tuple([(self._destination.addressOf(target[1]), error) for target, error in tried])
