"""A client's connection as its factory knows it: who is asked for a protocol, told of failure and loss, and may be told
to connect again.

Holds the factory, the destination and where it stands; an attempt while it connects, a transport while it is connected.
Makes no system call.
"""

from __future__ import annotations

from contextvars import copy_context
from enum import Enum

from reactor._core.contexts import inside
from reactor._ground.naming import nameOf, said
from reactor.error import ConnectError, NotConnectingError, TimeoutError, UserError
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from zope.interface import implementer

    from reactor._core.loop import Loop
    from reactor._core.timers import DelayedCall
    from reactor._transport.stream.tcp import Address
    from reactor._transport.stream.transport import StreamTransport, Top
    from reactor._transport.stream.wire import Wire
    from reactor.interfaces import IConnector

    class Underway(Protocol):
        """An attempt that can be given up."""

        @property
        def phase(self) -> str: ...
        @property
        def attempts(self) -> tuple[tuple[Address, BaseException], ...]: ...
        def cancel(self) -> None: ...

    class Destination(Protocol):
        """Where to connect, and how."""

        host: Any
        port: Any

        def address(self) -> Address: ...
        def dial(self, connector: Connector) -> Underway: ...
        def transport(
            self, wire: Wire, top: Top, peer: Address, protocol: Any, connector: Connector
        ) -> StreamTransport: ...
else:
    from reactor._ground.declare import IConnector, implementer


class Standing(Enum):
    """Where a connector stands. The values are what programs see as `connector.state`."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    CONNECTED = "connected"


@implementer(IConnector)
class Connector:
    """What `reactor.connectTCP` returns and a factory's hooks are given."""

    # Whether a connection with this as its origin was made from here.
    outgoing = True

    __slots__ = (
        # With a place for attributes of the program's own.
        "__dict__",
        "__weakref__",
        "_began",
        "_destination",
        "_loop",
        "_pending",
        "_standing",
        "_started",
        "_timer",
        "_underway",
        "_waits",
        "context",
        "factory",
        "timeout",
        "transport",
    )

    def __init__(
        self, loop: Loop, pending: set[Connector], destination: Destination, factory: Any, timeout: float | None
    ) -> None:
        """Not connecting yet.

        `pending` is where it is listed while it is neither connected nor failed; `timeout` is in seconds, 0 or None for
        none.
        """
        self._loop = loop
        self._pending = pending
        self._destination = destination
        self.factory = factory
        self.timeout = timeout
        self._standing = Standing.DISCONNECTED
        # Whether the factory was told to start for this connector, and not to stop yet.
        self._started = False
        # Invariant: CONNECTING has an attempt under way (from the moment startedConnecting returns), CONNECTED a
        # transport, DISCONNECTED neither.
        self._underway: Underway | None = None
        self.transport: StreamTransport | None = None
        self._timer: DelayedCall | None = None
        # Invariant: True while `_dial` is going to be called by the loop.
        self._waits = False
        self._began = 0.0

    @property
    def state(self) -> str:
        """'disconnected', 'connecting' or 'connected'."""
        return self._standing.value

    @property
    def host(self) -> Any:
        """The host asked for."""
        return self._destination.host

    @property
    def port(self) -> Any:
        """The port asked for."""
        return self._destination.port

    @property
    def reactor(self) -> Any:
        """The reactor that it connects with."""
        return self._loop.reactor

    def getDestination(self) -> Address:
        """The address that was asked for; a name is not resolved."""
        return self._destination.address()

    def connect(self) -> None:
        """Connect, again if need be. RuntimeError while it is connecting or connected."""
        if self._standing is not Standing.DISCONNECTED:
            raise RuntimeError(f"can't connect in this state: {self!r} is {self.state}")
        self._loop.poller.checkProcess()
        self._standing = Standing.CONNECTING
        self.context = copy_context()
        self._began = self._loop.timers.seconds()
        self._pending.add(self)
        try:
            if not self._started:
                self.factory.doStart()
                self._started = True
            if self.timeout:
                self._timer = self._loop.timers.callLater(self.timeout, self._timedOut)
            # A factory that can stop all its connectors wants to know them, whatever a subclass makes of the hook.
            began = getattr(self.factory, "_attemptBegan", None)
            if began is not None:
                began(self)
            self.factory.startedConnecting(self)
        except BaseException:
            self._forget()
            self._standing = Standing.DISCONNECTED
            self._stopped()
            raise
        if not self._loop.closing:
            self.context.run(self._dial)
        elif not self._waits:
            self._waits = True
            self._loop.soonIn(self.context, self._dial)

    def _dial(self) -> None:
        self._waits = False
        # startedConnecting may have given up, or given up and begun again.
        if self._standing is Standing.CONNECTING and self._underway is None:
            if self._loop.closing:
                # Nobody's server is to see a connection that ends at once.
                self.shutDown()
            else:
                self._underway = self._destination.dial(self)

    def disconnect(self) -> None:
        """Give up connecting, or close the connection (`loseConnection`). Nothing when it is disconnected."""
        if self._standing is Standing.CONNECTING:
            self.stopConnecting()
        elif self.transport is not None:
            self.transport.loseConnection()
        elif self._standing is Standing.CONNECTED:
            # From inside buildProtocol: there is a transport when that has returned.
            self._loop.soonIn(self.context, self._disconnectMade)

    def _disconnectMade(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()

    def stopConnecting(self) -> None:
        """Give up connecting: the factory's `clientConnectionFailed` is called with a UserError before this returns.
        NotConnectingError when it is not.
        """
        if self._standing is not Standing.CONNECTING:
            raise NotConnectingError(f"{self!r} is {self.state}, not connecting")
        self.failed(UserError(**self._facts()))

    def _timedOut(self) -> None:
        self._timer = None
        error = TimeoutError(string=f"no connection within timeout={self.timeout} s", **self._facts())
        inside(self.context, self.failed, error)

    # What the destination's attempt tells.

    def failed(self, error: BaseException) -> None:
        """No connection came about."""
        self._over(self._reason(error), "clientConnectionFailed")

    def _reason(self, error: BaseException) -> Failure:
        """What the factory is told when `error` is why there is no connection."""
        return Failure(error)

    def connected(self, wire: Wire, top: Top, peer: Address) -> None:
        """The connection is made, as far as `top`: ask the factory for a protocol, and tell it."""
        self._forget()
        self._standing = Standing.CONNECTED
        try:
            protocol = self.factory.buildProtocol(peer)
        except BaseException as e:
            top.discard()
            self._raised("buildProtocol", e)
            self.failed(self._notBuilt(e))
            return
        # An object less for each connection that is held.
        self._began = 0.0
        self.transport = transport = self._destination.transport(wire, top, peer, protocol, self)
        if protocol is not None:
            transport.begin()
        else:
            transport.refuse()

    def lost(self, reason: Failure) -> None:
        """The connection is over; its protocol knows."""
        self.transport = None
        self._over(reason, "clientConnectionLost")

    def shutDown(self) -> None:
        """The reactor stops while it connects."""
        self.failed(ConnectError(string="the reactor stopped", **self._facts()))

    def _facts(self) -> dict[str, Any]:
        facts = {"host": self.host, "port": self.port, "elapsed": self.elapsed}
        underway = self._underway
        return facts if underway is None else {**facts, "phase": underway.phase, "attempts": underway.attempts}

    # Not in the frame that catches it: that one is part of its traceback, and would keep the error alive in a circle.
    def _notBuilt(self, problem: BaseException) -> ConnectError:
        text = f"{nameOf(type(self.factory))}.buildProtocol raised {nameOf(type(problem))}: {said(problem)}"
        error = ConnectError(string=text, **self._facts())
        error.__cause__ = problem
        return error

    @property
    def elapsed(self) -> float:
        """Seconds since this attempt began."""
        return self._loop.timers.seconds() - self._began

    def _over(self, reason: Failure, hook: str) -> None:
        self._forget()
        self._standing = Standing.DISCONNECTED
        try:
            getattr(self.factory, hook)(self, reason)
        except BaseException as e:
            self._raised(hook, e)
        # The hook may have begun to connect again.
        if self._standing is Standing.DISCONNECTED:
            self._stopped()

    def _forget(self) -> None:
        self._pending.discard(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        underway, self._underway = self._underway, None
        if underway is not None:
            underway.cancel()

    def _stopped(self) -> None:
        if self._started:
            self._started = False
            try:
                self.factory.doStop()
            except BaseException as e:
                self._raised("doStop", e)

    def _raised(self, hook: str, problem: BaseException) -> None:
        self._loop.raised("%s.%s raised, for %r", problem, nameOf(type(self.factory)), hook, self)

    def __repr__(self) -> str:
        return f"<Connector to {self.getDestination()}, {self.state}, of {type(self.factory).__name__}>"
