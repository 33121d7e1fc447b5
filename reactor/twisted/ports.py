"""Ports of ours in Twisted's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.tcp import Port as TwistedPort
from twisted.python import log
from twisted.python.reflect import qual
from zope.interface import implementer

from reactor._transport.server import port as server
from reactor._transport.stream.tcp import TCPListener
from reactor.twisted.streams import Server, TwistedWire
from reactor.twisted.words import addressOf, prefixOf

if TYPE_CHECKING:
    import socket
    from typing import Any

    from reactor.twisted.frame import Engine


class Listener(TCPListener):
    """What one of them that listens on TCP is made of."""

    __slots__ = ("reuseAddress",)

    wire = TwistedWire
    address = staticmethod(addressOf)

    def __init__(
        self, engine: Engine, port: Any, interface: str, backlog: Any, adopted: socket.socket | None = None
    ) -> None:
        """Of what a program gave to `listenTCP`; `port` may be a `Binding`."""
        # Twisted's own reads what it is given, in whatever form its release knows.
        read: Any = TwistedPort(port, None, backlog, interface, engine.frame)  # type: ignore[arg-type]
        self.reuseAddress = getattr(read, "_reuseAddress", True)
        reusePort = getattr(read, "_reusePort", False)
        super().__init__(engine._loop, read.port, read.interface, read.backlog, adopted, reusePort)

    @staticmethod
    def prepare(sock: socket.socket) -> None:
        """Small writes are held back until a program says otherwise, as there."""

    def transport(self, wire: Any, top: Any, peer: Any, protocol: Any, factory: Any) -> Server:
        """The transport of a connection that was accepted."""
        return Server(wire, top, peer, protocol, None, factory)


@implementer(IListeningPort)
class Port(server.Port):
    """What `listenTCP` returns, and what others are made of."""

    __slots__ = ()

    _type = "TCP"

    def __init__(self, engine: Engine, listener: Any, factory: Any) -> None:
        """Not listening yet."""
        super().__init__(engine._loop, engine._reserved(), listener, factory)

    @property
    def reactor(self) -> Any:
        """The `TwistedReactor`."""
        return self._loop.reactor.frame

    @property
    def port(self) -> Any:
        """The port number asked for."""
        return self._listener.port

    @property
    def backlog(self) -> Any:
        """How many clients the system lets wait to be accepted."""
        return self._listener.backlog  # type: ignore[attr-defined]

    @property
    def _realPortNumber(self) -> Any:
        return self._number() if self.connected else None

    def _number(self) -> Any:
        return getattr(self._host, "port", None)

    @property
    def disconnecting(self) -> bool:
        """Whether it was asked to stop, and its factory does not know yet."""
        return self._stopping is not None

    def stopListening(self) -> Deferred[None]:
        """Hear from nobody any more, and close in the next turn, as there: what a program does with the port until then
        is still done. The Deferred fires with None when the factory was told; what its `doStop` raises, it fails with.
        """
        self._loop.poller.checkProcess()
        if self._sock is None:
            return succeed(None)
        self._loop.poller.forget(self)
        waiting: Deferred[None] = Deferred()
        if self._stopping is None:
            self._stopping = [waiting]
            self._loop.soonIn(self.context, self.connectionLost)
        else:
            self._stopping.append(waiting)
        return waiting

    loseConnection = stopListening

    def connectionLost(self, reason: object = None) -> None:
        """Close at once, and tell the factory, then whoever waits for that; to whom, or else to the caller, what its
        `doStop` raises.
        """
        self._loop.poller.forget(self)
        if self._sock is None:
            return
        self._close()
        if self._stopping is not None:
            self._told(self._stopping)
        else:
            self._sayClosed()
            self.factory.doStop()

    # Said and raised in Twisted's words.

    def _refused(self, problem: OSError) -> Exception:
        return CannotListenError(self.interface, self.port, problem)

    def _sayOpen(self) -> None:
        """Said before it listens."""

    def _opens(self) -> None:
        log.msg(f"{prefixOf(self.factory)} starting on {self._number()}")

    def _sayClosed(self) -> None:
        log.msg(f"({self._type} Port {self._number()} Closed)")

    def _say(self, level: str, text: str, *args: object) -> None:
        log.msg(text % args, isError=level == "error")

    def logPrefix(self) -> str:
        """The factory's class, for logs."""
        return qual(type(self.factory))

    def __repr__(self) -> str:
        where = f"on {self._number()}" if self.connected else "(not listening)"
        return f"<{type(self)} of {type(self.factory)} {where}>"
