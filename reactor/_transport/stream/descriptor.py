"""What programs for Twisted do with a transport as the descriptor that it is there: look at its socket, its reactor and
its connector, hold its two directions back by themselves, and set attributes of their own on it.

All of it is asked rarely, and costs the others nothing: what somebody sets gets a dictionary then.
"""

from __future__ import annotations

from reactor._transport.stream.producers import HIGH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from socket import socket as Socket
    from typing import Any

    from reactor._transport.stream.transport import Top
    from reactor._transport.stream.wire import Wire


class Descriptor:
    """The part of a stream's transport that is about its descriptor."""

    # An instance gets its dictionary when an attribute is set that is none of ours. From CPython 3.12 on its place is
    # there with that of the weak references.
    __slots__ = ("__dict__", "__weakref__")

    _bufferSize = HIGH

    if TYPE_CHECKING:
        _wire: Wire
        _top: Top
        _connector: Any

    def getHandle(self) -> Socket:
        """The socket itself."""
        return self._wire.socket

    @property
    def socket(self) -> Socket:
        """The same as `getHandle()`."""
        return self.getHandle()

    def fileno(self) -> int:
        """The socket's descriptor, -1 when the connection is over."""
        return self._wire.fd

    @property
    def reactor(self) -> Any:
        """The reactor that this connection is one of."""
        return self._wire.loop.reactor

    @property
    def connector(self) -> Any:
        """What `connectTCP` and its like returned, until the connection is over, its `connectionLost` included.

        AttributeError from then on, and for a connection that was not made from here.
        """
        connector = self._connector
        if connector is None or not connector.outgoing:
            raise AttributeError(f"{self!r} has no connector")
        return connector

    @property
    def sessionno(self) -> int:
        """A number of this connection among those that its port accepted; they are given out as they are asked for. 0
        when it was adopted. AttributeError for a connection that was made from here.
        """
        known: int | None = self.__dict__.get("_session")
        if known is None:
            connector = self._connector
            if connector is not None and connector.outgoing:
                raise AttributeError(f"{self!r} has no session number")
            known = self.__dict__["_session"] = 0 if connector is None else connector.nextSession()
        return known

    @property
    def bufferSize(self) -> int:
        """Bytes that may be queued; one more pauses a push producer. 65536 unless it is set."""
        return self._bufferSize

    @bufferSize.setter
    def bufferSize(self, size: int) -> None:
        self._bufferSize = size
        source = self._wire.source
        if source is not None:
            source.high = size

    # The two directions.

    def stopReading(self) -> None:
        """The same as `pauseProducing`."""
        self._top.pause()

    def startReading(self) -> None:
        """The same as `resumeProducing`."""
        self._top.resume()

    def stopWriting(self) -> None:
        """Keep what is queued until `startWriting`, the next write or `loseConnection`, as with Twisted. To write less
        is what producers are for.
        """
        from reactor._transport.stream.withholding import withhold

        withhold(self._wire)

    def startWriting(self) -> None:
        """Send what is queued when the callback that is being made returns."""
        from reactor._transport.stream.withholding import release

        release(self._wire)
