"""Letting two protocols talk to each other, mostly for tests: in memory, over TCP, or over a UNIX socket."""

from __future__ import annotations

from collections import deque
from typing import Any

from protocols.policies import ProtocolWrapper, WrappingFactory
from reactor._ground.current import currentReactor
from reactor._transport.stream.transport import asBytes
from reactor.defer import Deferred
from reactor.error import ConnectionDone
from reactor.failure import Failure
from reactor.protocol import ClientFactory, Factory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from zope.interface import implementer

    from reactor.interfaces import IAddress, IConsumer, ITransport
else:
    from reactor._ground.declare import IAddress, IConsumer, ITransport, implementer

__all__ = [
    "LoopbackClientFactory",
    "collapsingPumpPolicy",
    "identityPumpPolicy",
    "loopbackAsync",
    "loopbackTCP",
    "loopbackUNIX",
]


# ---- In memory ----


class _Queue:
    """What one end wrote and the other has not received yet; None stands for the end."""

    def __init__(self) -> None:
        self._pieces: deque[bytes | None] = deque()
        self.closing = False
        # Called when something is put in.
        self.wake: Callable[[], None] | None = None

    def put(self, piece: bytes | None) -> None:
        """Add a piece."""
        self._pieces.append(piece)
        if self.wake is not None:
            self.wake()

    def get(self) -> bytes | None:
        """Take the oldest piece; None: the end."""
        return self._pieces.popleft()

    def __bool__(self) -> bool:
        return bool(self._pieces)


@implementer(IAddress)
class _LoopbackAddress:
    """Where both ends of a connection in memory are."""


@implementer(ITransport, IConsumer)
class _LoopbackTransport:
    """What one end writes to."""

    producer: Any = None
    _streaming = False

    def __init__(self, queue: _Queue) -> None:
        self._queue = queue

    @property
    def disconnecting(self) -> bool:
        """Whether this end asked to close."""
        return self._queue.closing

    def write(self, data: Any) -> None:
        """Queue `data`."""
        if not self._queue.closing:
            self._queue.put(asBytes("transport.write", data))

    def writeSequence(self, iovec: Iterable[Any]) -> None:
        """Queue all of `iovec`, as one piece."""
        self.write(b"".join([asBytes("transport.writeSequence", piece) for piece in iovec]))

    def loseConnection(self) -> None:
        """Close when what is queued is delivered."""
        if not self._queue.closing:
            self._queue.closing = True
            self._queue.put(None)

    abortConnection = loseConnection

    def getPeer(self) -> _LoopbackAddress:
        """Nowhere in particular."""
        return _LoopbackAddress()

    def getHost(self) -> _LoopbackAddress:
        """Nowhere in particular."""
        return _LoopbackAddress()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Ask `producer` for more whenever all is delivered, unless it is a push producer. RuntimeError when there is
        one.
        """
        if self.producer is not None:
            raise RuntimeError(f"cannot register {producer!r}: {self.producer!r} is registered")
        self.producer, self._streaming = producer, bool(streaming)
        self.drained()

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        self.producer = None

    def drained(self) -> None:
        """All is delivered."""
        if self.producer is not None and not self._streaming:
            self.producer.resumeProducing()


def identityPumpPolicy(queue: Any, target: Any) -> None:
    """Deliver each piece as it was written."""
    while queue:
        piece = queue.get()
        if piece is None:
            break
        target.dataReceived(piece)


def collapsingPumpPolicy(queue: Any, target: Any) -> None:
    """Deliver everything at once."""
    pieces = []
    while queue:
        piece = queue.get()
        if piece is None:
            break
        pieces.append(piece)
    if pieces:
        target.dataReceived(b"".join(pieces))


class _Pump:
    """A connection in memory: delivers what was written, until one end closes."""

    def __init__(self, server: Any, client: Any, policy: Callable[[Any, Any], object]) -> None:
        self._policy = policy
        self._reactor = currentReactor()
        self.done: Deferred[None] = Deferred()
        self._ends = (server, client)
        fromServer, fromClient = _Queue(), _Queue()
        # Who wrote, what, and who receives it.
        self._ways = ((server, fromServer, client), (client, fromClient, server))

    def begin(self) -> None:
        """Tell both ends, and deliver what they greet with. Raises what they raise."""
        for end, queue, _ in self._ways:
            end.makeConnection(_LoopbackTransport(queue))
        self._deliver()

    def _woken(self) -> None:
        for _, queue, _ in self._ways:
            queue.wake = None
        # Later: no transport delivers from inside write().
        self._reactor.callLater(0, self._turn)

    def _turn(self) -> None:
        try:
            self._deliver()
        except Exception:
            self.done.errback(Failure())

    def _deliver(self) -> None:
        while True:
            delivered = [self._pump(*way) for way in self._ways]
            if not any(delivered):
                break
            for way in self._ways:
                if way[1].closing:
                    self._pump(*way)
                    self._end()
                    return
        for _, queue, _ in self._ways:
            queue.wake = self._woken

    def _pump(self, source: Any, queue: _Queue, target: Any) -> bool:
        if not queue:
            return False
        self._policy(queue, target)
        if not queue:
            source.transport.drained()
        return True

    def _end(self) -> None:
        for _, queue, _ in self._ways:
            queue.closing = True
        for end in self._ends:
            end.connectionLost(Failure(ConnectionDone()))
        self.done.callback(None)


def loopbackAsync(
    server: Any, client: Any, pumpPolicy: Callable[[Any, Any], object] = identityPumpPolicy
) -> Deferred[None]:
    """Connect two protocols in memory until one of them closes the connection.

    :param pumpPolicy: called with a queue and a protocol to hand what is in the one to the other's `dataReceived`. The
        queue is true while there is something, and ``get()`` takes the oldest piece, or None for the end.
    :return: a Deferred that fires with None when both have been told of the end; it fails with what a protocol raises.
        What one raises before this returns is raised.
    """
    pump = _Pump(server, client, pumpPolicy)
    pump.begin()
    return pump.done


# ---- Over sockets ----


class LoopbackClientFactory(ClientFactory):
    """A factory for one connection with `protocol`, a protocol. `deferred` fires when it is lost, and fails when there
    was none.
    """

    protocol: Any

    def __init__(self, protocol: Any) -> None:
        """For `protocol`."""
        self.disconnected = 0
        self.deferred: Deferred[Any] = Deferred()
        self.protocol = protocol

    def buildProtocol(self, addr: Any) -> Any:
        """The protocol."""
        return self.protocol

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        """There is no connection."""
        self.deferred.errback(reason)

    def clientConnectionLost(self, connector: Any, reason: Failure) -> None:
        """It is over."""
        self.disconnected = 1
        self.deferred.callback(None)


class _Ending(ProtocolWrapper):
    """Says when the connection is over."""

    def __init__(self, factory: Any, wrappedProtocol: Any) -> None:
        super().__init__(factory, wrappedProtocol)
        self.deferred: Deferred[Any] = Deferred()

    def connectionLost(self, reason: Failure) -> None:
        """It is over."""
        super().connectionLost(reason)
        self.deferred.callback(None)


class _ServerFactory(WrappingFactory):
    """Serves one connection."""

    def __init__(self, server: Any) -> None:
        super().__init__(Factory())
        self.wrappedFactory.noisy = False
        self.ending = _Ending(self, server)

    def buildProtocol(self, addr: Any) -> Any:
        """The protocol."""
        return self.ending


def _over(
    server: Any, client: Any, noisy: bool, listen: Callable[[Any], Any], connect: Callable[[Any, Any], Any]
) -> Deferred[Any]:
    serving, connecting = _ServerFactory(server), LoopbackClientFactory(client)
    serving.noisy = connecting.noisy = noisy
    port = listen(serving)
    connect(port, connecting)
    done = connecting.deferred
    done.addCallback(lambda _: serving.ending.deferred)

    def stop(result: Any) -> Any:
        stopped = port.stopListening()
        return result if stopped is None else stopped.addCallback(lambda _: result)

    return done.addBoth(stop)


def loopbackTCP(server: Any, client: Any, port: int = 0, noisy: bool = True) -> Deferred[Any]:
    """Connect two protocols over TCP until one of them closes the connection.

    :param port: where to listen, on 127.0.0.1; 0: any free port.
    :param noisy: whether the factories' starting and stopping are logged.
    :return: a Deferred that fires with None when both have been told of the end and nobody listens any more. It fails
        if there is no connection.
    """
    reactor = currentReactor()
    return _over(
        server,
        client,
        noisy,
        lambda factory: reactor.listenTCP(port, factory, interface="127.0.0.1"),
        lambda listening, factory: reactor.connectTCP("127.0.0.1", listening.getHost().port, factory),
    )


def loopbackUNIX(server: Any, client: Any, noisy: bool = True) -> Deferred[Any]:
    """Connect two protocols over a UNIX socket, as `loopbackTCP` does over TCP. Its folder is removed at the end."""
    from tempfile import TemporaryDirectory

    reactor = currentReactor()
    folder = TemporaryDirectory(prefix="loopback")
    path = f"{folder.name}/socket"

    def remove(result: Any) -> Any:
        folder.cleanup()
        return result

    try:
        done = _over(
            server,
            client,
            noisy,
            lambda factory: reactor.listenUNIX(path, factory),
            lambda listening, factory: reactor.connectUNIX(path, factory),
        )
    except BaseException:
        folder.cleanup()
        raise
    return done.addBoth(remove)
