"""Streams of bytes: the protocol above, the transport below, and what passes between them."""

from __future__ import annotations

from zope.interface import Attribute, Interface

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from reactor._ground.typing import Bytes
    from reactor.defer import Deferred
    from reactor.failure import Failure


class IAddress(Interface):
    """Where one end of a connection is. A value: equal addresses are the same place."""


class ILoggingContext(Interface):
    """Something that logs under a name of its own."""

    def logPrefix() -> str:
        """A short name for log entries, mostly that of the class."""


# ---- Above a transport ----


class IProtocol(Interface):
    """One end of a stream. The transport calls these in this order, and nothing after `connectionLost`."""

    def makeConnection(transport: ITransport) -> None:
        """The connection is there: remember `transport` and call `connectionMade`."""

    def connectionMade() -> None:
        """The connection can be used; under TLS, the peer has been verified."""

    def dataReceived(data: bytes) -> None:
        """Some bytes of the stream, at least one, cut anywhere."""

    def connectionLost(reason: Failure) -> None:
        """The connection is gone. `reason` is a Failure of `reactor.error.ConnectionDone`, `ConnectionLost` or of
        what a method raised.
        """


class IProtocolFactory(Interface):
    """Makes a protocol for each connection."""

    def buildProtocol(addr: IAddress) -> IProtocol | None:
        """A protocol for the connection with `addr`, or None to refuse it."""

    def doStart() -> None:
        """A port or connector begins to use this factory."""

    def doStop() -> None:
        """A port or connector ceases to use this factory; as often as `doStart`."""


class IHalfCloseableProtocol(Interface):
    """A protocol that wants to know of each direction's end. With any other, the peer's end of sending ends the
    connection.
    """

    def readConnectionLost() -> None:
        """The peer will send no more; writing goes on."""

    def writeConnectionLost() -> None:
        """This end can send no more; reading goes on."""


class IHandshakeListener(Interface):
    """A protocol that wants to know when TLS that was started on its connection is ready."""

    def handshakeCompleted() -> None:
        """The handshake is done and the peer verified; not called if it fails, then the connection is lost."""


class IFileDescriptorReceiver(Interface):
    """A protocol on a UNIX socket that takes file descriptors."""

    def fileDescriptorReceived(descriptor: int) -> None:
        """The peer sent `descriptor`, which is now the protocol's to close. Called before the byte that it came with
        is received.
        """


class IDrainable(Interface):
    """A protocol that can come to an end gracefully, because the program does. Not in Twisted."""

    def drain() -> None:
        """The port that this connection came through is drained: finish what is going on, begin nothing new, and close
        the connection. What is left at the deadline is aborted.
        """


# ---- Flow control ----


class IProducer(Interface):
    """Something that writes to a consumer of its own accord."""

    def stopProducing() -> None:
        """Never write again: the consumer is gone."""


class IPushProducer(IProducer):
    """A producer that writes until it is paused."""

    def pauseProducing() -> None:
        """Write nothing until `resumeProducing`: the consumer's buffer is full."""

    def resumeProducing() -> None:
        """Go on writing."""


class IPullProducer(IProducer):
    """A producer that writes when it is asked."""

    def resumeProducing() -> None:
        """Write one piece, now or later, or unregister: the consumer has room."""


class IConsumer(Interface):
    """Something that takes bytes and can say when it has enough."""

    def registerProducer(producer: IProducer, streaming: bool) -> None:
        """`producer` will write, an `IPushProducer` if `streaming`, else an `IPullProducer`. RuntimeError if there is
        one already.
        """

    def unregisterProducer() -> None:
        """The producer has written all it had."""

    def write(data: bytes) -> None:
        """Take `data`."""


# ---- Transports ----


class ITransport(Interface):
    """What a protocol writes to. No method calls the protocol before it returns."""

    def write(data: Bytes) -> None:
        """Send `data`, in order, as soon as can be. TypeError unless it is bytes, bytearray or memoryview. Dropped
        after the connection ended.
        """

    def writeSequence(data: Iterable[Bytes]) -> None:
        """Send all of `data` in order, as if joined."""

    def loseConnection() -> None:
        """Close when all that was written has been sent and the producer, if there is one, has unregistered."""

    def getPeer() -> IAddress:
        """The other end's address; the same after the connection ended."""

    def getHost() -> IAddress:
        """This end's address; the same after the connection ended."""


class ITCPTransport(ITransport):
    """A transport over TCP."""

    def loseWriteConnection() -> None:
        """End this direction when all that was written has been sent; the other goes on (`IHalfCloseableProtocol`)."""

    def abortConnection() -> None:
        """Close at once with a reset; what was not sent is dropped. `connectionLost` comes in a later turn, with
        `ConnectionAborted`.
        """

    def getTcpNoDelay() -> bool:
        """Whether small writes are sent at once (RFC 896's delay switched off)."""

    def setTcpNoDelay(enabled: bool) -> None:
        """Send small writes at once, or not."""

    def getTcpKeepAlive() -> bool:
        """Whether the system asks a silent peer if it is still there (RFC 9293, section 3.8.4)."""

    def setTcpKeepAlive(enabled: bool) -> None:
        """Let the system ask, or not."""


class ITLSTransport(ITCPTransport):
    """A transport over TCP that can begin to speak TLS."""

    def startTLS(contextFactory: Any) -> None:
        """Whatever is written from now on is encrypted, and whatever is received must be. `IHandshakeListener` is
        told when it is ready.
        """


class ISSLTransport(ITCPTransport):
    """A transport that speaks TLS."""

    def getPeerCertificate() -> Any:
        """The certificate that the peer showed, or None."""


class INegotiated(ISSLTransport):
    """A TLS transport that agrees with its peer on the protocol above (ALPN, RFC 7301)."""

    negotiatedProtocol = Attribute("The agreed protocol's name as bytes, or None.")


class IProtocolNegotiationFactory(Interface):
    """A factory that knows which protocols may be agreed on (ALPN, RFC 7301)."""

    def acceptableProtocols() -> list[bytes]:
        """Their names, the one liked best first."""


class IUNIXTransport(ITransport):
    """A transport over a UNIX socket."""

    def sendFileDescriptor(descriptor: int) -> None:
        """Send a copy of `descriptor` ahead of the byte that is written next; it may be closed when this returns. Each
        needs a byte of its own, else the connection ends with `FileDescriptorOverrun`.
        """

    def getPeerCredentials() -> tuple[int, int, int]:
        """The process, user and group of the peer, as the kernel knows them. OSError where the system does not tell."""


# ---- What holds a connection, or waits for one ----


class IConnector(Interface):
    """One destination, with an attempt to connect to it, a connection, or neither."""

    def connect() -> None:
        """Try (again). RuntimeError unless it is disconnected."""

    def stopConnecting() -> None:
        """End the attempt: the factory's `clientConnectionFailed` gets `UserError`. `NotConnectingError` if there is
        none.
        """

    def disconnect() -> None:
        """End the attempt or close the connection, whichever there is."""

    def getDestination() -> IAddress:
        """Where this connects to."""


class IListeningPort(Interface):
    """A place where connections are accepted."""

    def startListening() -> None:
        """Listen (again). `reactor.error.CannotListenError` if the system refuses."""

    def stopListening() -> Deferred[None] | None:
        """Accept no more; connections there are live on. A Deferred that fires with None when it is done, or None if
        it is.
        """

    def getHost() -> IAddress:
        """Where this listens, with the real port number."""
