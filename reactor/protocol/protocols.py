"""What programs subclass: a protocol for each connection, a factory for what outlives connections.

Defaults are class attributes and no base has an `__init__`, so that a connection pays only for what it sets, and
subclasses may do as they like in theirs. Who calls which hook, and when, is the transports' business.
"""

from __future__ import annotations

from reactor.defer.generic import Generic
from reactor.error import ConnectionDone
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self

    from typing_extensions import TypeVar
    from zope.interface import implementer

    from reactor._ground import typing as _typing
    from reactor.interfaces import ILoggingContext, IProcessProtocol, IProtocol, IProtocolFactory

    P = TypeVar("P", bound=_typing.StreamProtocol, default=Any)
else:
    from reactor._ground.declare import ILoggingContext, IProcessProtocol, IProtocol, IProtocolFactory, implementer
    from reactor.defer.generic import T as P

#: The reason of every clean end: a Failure of `reactor.error.ConnectionDone` that knows no facts.
connectionDone = Failure(ConnectionDone())


def _say(text: str, about: object) -> None:
    from reactor._ground.log import message

    message("info", text, about)


# ---- One connection ----


class BaseProtocol:
    """What all protocols with a connection share."""

    #: 1 from `makeConnection` on; nobody sets it back.
    connected: int = 0
    #: What to write to, from `makeConnection` on; None before.
    transport: Any = None

    def makeConnection(self, transport: Any) -> None:
        """The transport calls this once, when the connection is there. Sets `transport` and calls `connectionMade`."""
        self.connected = 1
        self.transport = transport
        self.connectionMade()

    def connectionMade(self) -> None:
        """The connection is there; under TLS, its handshake is verified. For subclasses: greet, or begin to wait."""


@implementer(IProtocol, ILoggingContext)
class Protocol(BaseProtocol):
    """One end of a stream of bytes. Subclass it and override what should not be ignored."""

    #: Who built this protocol, or None. Any for type checkers: a subclass may annotate it with its factory's class.
    factory: Any = None
    transport: _typing.Transport = None  # type: ignore[assignment]

    def dataReceived(self, data: bytes) -> None:
        """Bytes came from the peer: as many as were there, cut anywhere, never none. For subclasses."""

    if TYPE_CHECKING:
        # What a subclass has to accept; its own method need not have the default that the one below has.
        def connectionLost(self, reason: Failure, /) -> None: ...

    else:

        def connectionLost(self, reason: Failure = connectionDone) -> None:
            """The connection is gone; nothing is called afterwards. For subclasses: drop references, stop timers.

            :param reason: a Failure of `reactor.error.ConnectionDone` if it ended cleanly, of `ConnectionLost` or one
                of its subclasses if not, or of the exception that escaped from a method of this protocol.
            """

    def logPrefix(self) -> str:
        """What stands for this protocol in logs: the name of its class."""
        return self.__class__.__name__


# ---- What outlives connections ----


@implementer(IProtocolFactory, ILoggingContext)
class Factory(Generic[P]):
    """Builds a protocol for each connection, and holds what they share. `Factory[P]` is one whose protocols are of the
    class P, for type checkers.

    It is started when the first port or connector uses it and stopped when the last ceases to.
    """

    #: Called without arguments for each connection; mostly a subclass of `Protocol`.
    protocol: Callable[[], P] | None = None
    #: How many ports and connectors use this factory now.
    numPorts: int = 0
    #: Whether starting and stopping are logged, at level INFO.
    noisy: bool = True

    @classmethod
    def forProtocol(cls, protocol: Callable[[], P], *args: Any, **kwargs: Any) -> Self:
        """A factory made with `args` and `kwargs` whose `protocol` is the one given."""
        factory = cls(*args, **kwargs)
        factory.protocol = protocol
        return factory

    def logPrefix(self) -> str:
        """What stands for this factory in logs: the name of its class."""
        return self.__class__.__name__

    def doStart(self) -> None:
        """A port or connector begins to use this factory; the first one starts it. Called by those, not by programs."""
        if self.numPorts == 0:
            if self.noisy:
                _say("Starting factory %r", self)
            self.startFactory()
        self.numPorts += 1

    def doStop(self) -> None:
        """A port or connector no longer uses this factory; the last one stops it. Does nothing when none uses it."""
        if self.numPorts == 0:
            return
        self.numPorts -= 1
        if self.numPorts == 0:
            if self.noisy:
                _say("Stopping factory %r", self)
            self.stopFactory()

    def startFactory(self) -> None:
        """Once, before the first port or connector begins. For subclasses: open files, fill caches."""

    def stopFactory(self) -> None:
        """Once, after the last port or connector has ended. For subclasses: undo `startFactory`."""

    def buildProtocol(self, addr: Any) -> P | None:  # type: ignore[override]
        """A protocol for a new connection, with its `factory` set to this one.

        :param addr: the peer's address, one of `reactor.address`.
        :return: the protocol, or None to refuse the connection, which is then closed.
        """
        if self.protocol is None:
            raise TypeError(f"{self!r} has no protocol: set its attribute `protocol` or override buildProtocol")
        protocol: Any = self.protocol()
        protocol.factory = self
        return protocol  # type: ignore[no-any-return]


class ClientFactory(Factory[P]):
    """A factory for connections that this end opens. Each call tells the connector that it is about."""

    def startedConnecting(self, connector: Any) -> None:
        """An attempt begins. `connector.stopConnecting()` ends it, even now. For subclasses."""

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        """No connection came about, for `reason` (see `reactor.error.ConnectError`). For subclasses;
        `connector.connect()` tries again.
        """

    def clientConnectionLost(self, connector: Any, reason: Failure) -> None:
        """The connection ended, its protocol has been told. For subclasses; `connector.connect()` makes a new one."""


class ServerFactory(Factory[P]):
    """A factory for connections that others open."""


# ---- A child process ----


@implementer(IProcessProtocol)
class ProcessProtocol(BaseProtocol):
    """This end of the pipes of a child process. File descriptors are the child's: 0 stdin, 1 stdout, 2 stderr, or
    what was asked for.
    """

    transport: _typing.ProcessTransport = None  # type: ignore[assignment]

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """The child wrote `data` to `childFD`. Calls `outReceived` or `errReceived`; override it for other
        descriptors.
        """
        if childFD == 1:
            self.outReceived(data)
        elif childFD == 2:
            self.errReceived(data)

    def outReceived(self, data: bytes) -> None:
        """The child wrote to its standard output. For subclasses."""

    def errReceived(self, data: bytes) -> None:
        """The child wrote to its standard error. For subclasses."""

    def childConnectionLost(self, childFD: int) -> None:
        """The pipe of `childFD` was closed. Calls `inConnectionLost`, `outConnectionLost` or `errConnectionLost`."""
        if childFD == 0:
            self.inConnectionLost()
        elif childFD == 1:
            self.outConnectionLost()
        elif childFD == 2:
            self.errConnectionLost()

    def inConnectionLost(self) -> None:
        """The child's standard input was closed, by either end. For subclasses."""

    def outConnectionLost(self) -> None:
        """The child closed its standard output. For subclasses."""

    def errConnectionLost(self) -> None:
        """The child closed its standard error. For subclasses."""

    def processExited(self, reason: Failure) -> None:
        """The child has ended, though its pipes may still hold data. For subclasses. `reason` as in `processEnded`."""

    def processEnded(self, reason: Failure) -> None:
        """The child has ended and all its pipes are closed; the last call. For subclasses.

        :param reason: a Failure of `reactor.error.ProcessDone` (exit code 0) or `ProcessTerminated` (all else).
        """


# ---- Datagrams ----


class AbstractDatagramProtocol:
    """What protocols for datagrams share. One may serve several ports, as long as it has no use for `transport`."""

    #: The port, from `makeConnection` on; None before and after.
    transport: _typing.DatagramTransport = None  # type: ignore[assignment]
    #: How many ports use this protocol now.
    numPorts: int = 0
    #: Whether starting and stopping are logged, at level INFO.
    noisy: bool = True

    def doStart(self) -> None:
        """A port begins to use this protocol; the first one starts it."""
        if self.numPorts == 0:
            if self.noisy:
                _say("Starting protocol %s", self)
            self.startProtocol()
        self.numPorts += 1

    def doStop(self) -> None:
        """A port no longer uses this protocol; the last one stops it. RuntimeError when none uses it."""
        if self.numPorts <= 0:
            raise RuntimeError(f"{self!r} was stopped more often than started")
        self.numPorts -= 1
        self.transport = None  # type: ignore[assignment]
        if self.numPorts == 0:
            if self.noisy:
                _say("Stopping protocol %s", self)
            self.stopProtocol()

    def startProtocol(self) -> None:
        """The first port is there, `transport` can be written to. For subclasses."""

    def stopProtocol(self) -> None:
        """The last port is gone. For subclasses: undo `startProtocol`."""

    def makeConnection(self, transport: Any) -> None:
        """The port calls this once. Sets `transport` and calls `doStart`; RuntimeError if there is a transport
        already.
        """
        if self.transport is not None:
            raise RuntimeError(f"{self!r} has a transport already, {self.transport!r}")
        self.transport = transport
        self.doStart()

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """A datagram came from `addr`, a ``(host, port)`` tuple or a path. For subclasses."""


@implementer(ILoggingContext)
class DatagramProtocol(AbstractDatagramProtocol):
    """A protocol for datagrams to and from anybody (UDP), or one peer after `transport.connect`."""

    def logPrefix(self) -> str:
        """What stands for this protocol in logs: the name of its class."""
        return self.__class__.__name__

    def connectionRefused(self) -> None:
        """The connected peer does not listen, or cannot be reached: something sent before was refused. The port lives
        on. For subclasses.
        """


class ConnectedDatagramProtocol(DatagramProtocol):
    """A protocol for datagrams to and from one peer (a connected UNIX datagram socket)."""

    def datagramReceived(self, datagram: bytes) -> None:  # type: ignore[override]
        """A datagram came from the peer. For subclasses."""

    def connectionFailed(self, failure: Failure) -> None:
        """The socket could not be connected, for `failure`. For subclasses."""
