"""Protocols of strings that say how long they are: what a program subclasses. The cutting is `_netstrings`' and
`_lengths`', the passing on `_framed`'s.
"""

from __future__ import annotations

from struct import Struct, pack
from struct import error as StructError

from protocols._framing.framed import OPEN, FramedProtocol
from protocols._framing.lengths import LengthSplitter
from protocols._framing.netstrings import NetstringSplitter
from protocols._framing.splitter import Deaf, FrameError
from reactor._ground.log import message
from reactor._ground.peerlog import peerMessage
from reactor._transport.stream.transport import asBytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class StringTooLongError(AssertionError):
    """`sendString` was given more than the prefix can say the length of. An AssertionError as in Twisted."""


class _StringReceiver(FramedProtocol):
    #: The length that a received string may have, in bytes.
    MAX_LENGTH: int = 99999

    def stringReceived(self, string: bytes) -> None:
        """A string came. For subclasses, which must override this."""
        raise NotImplementedError(
            f"{type(self).__name__} does not say what to do with a string: override stringReceived"
        )

    def _step(self, holder: Any, top: Any) -> bool:
        splitter = self._splitter
        try:
            strings = splitter.batch(self.MAX_LENGTH)
        except FrameError as e:
            self._splitter = Deaf()
            self._broken(e)
            return False
        if not strings:
            return False
        self._frames = frames = iter(strings)
        for string in frames:
            self.stringReceived(string)
            if top.state is not OPEN or holder._top is not top:
                self._look(holder, top)
        more: bool = splitter.advance()
        return more

    def _broken(self, problem: Any) -> None:
        """What came is nothing that strings can be cut from."""
        raise NotImplementedError


class NetstringReceiver(_StringReceiver):
    """Receives netstrings, ``5:hello,`` (https://cr.yp.to/proto/netstrings.txt). Subclass it and override
    `stringReceived`.

    What is no netstring, or longer than `MAX_LENGTH`, loses the connection, and nothing is received after it.
    """

    #: 1 when the peer sent what is no netstring.
    brokenPeer: int = 0

    def makeConnection(self, transport: Any) -> None:
        """The transport calls this once, when the connection is there."""
        self.brokenPeer = 0
        self._splitter = None
        super().makeConnection(transport)

    def sendString(self, string: bytes) -> None:
        """Send `string` as a netstring. TypeError for anything but bytes (bytearray and memoryview included)."""
        if string.__class__ is not bytes:
            string = asBytes("sendString", string)
        self.transport.write(b"%d:%b," % (len(string), string))

    def _makeSplitter(self) -> NetstringSplitter:
        return NetstringSplitter()

    def _broken(self, problem: Any) -> None:
        self.brokenPeer = 1
        message("info", "%r: %s", self.transport, problem)
        self.transport.loseConnection()


class IntNStringReceiver(_StringReceiver):
    """Receives strings behind their length in binary. `Int8StringReceiver` and the like say how long the length is;
    subclass one of them and override `stringReceived`.
    """

    #: The format of the length, as `struct` has it: one unsigned number.
    structFormat: str = ""
    #: The bytes of the length.
    prefixLength: int = 0

    def sendString(self, string: bytes) -> None:
        """Send `string` behind its length. TypeError for anything but bytes (bytearray and memoryview included).

        :raises StringTooLongError: when the length does not fit into the prefix. Nothing is sent.
        """
        if string.__class__ is not bytes:
            string = asBytes("sendString", string)
        try:
            prefix = pack(self.structFormat, len(string))
        except StructError:
            raise StringTooLongError(
                f"sendString(): {len(string)} bytes; a length of {self.prefixLength} bytes "
                f"can say {2 ** (8 * self.prefixLength) - 1} at most"
            ) from None
        self.transport.write(prefix + string)

    def lengthLimitExceeded(self, length: int) -> None:
        """A string was announced that is longer than `MAX_LENGTH`. Loses the connection; for subclasses that have
        something to say first. Nothing is received any more in any case: where the next string begins nobody knows.
        `recvd` is what has come from the length on.

        :param length: the length that was announced, in bytes.
        """
        self.transport.loseConnection()

    @property
    def recvd(self) -> bytes:
        """What has come and is not delivered yet. May be taken over by another protocol, and set to ``b""``."""
        self._putBack()
        return b"" if self._splitter is None else self._splitter.waiting()

    @recvd.setter
    def recvd(self, data: bytes) -> None:
        self._takeAll()
        if data:
            if self._splitter is None:
                self._splitter = self._makeSplitter()
            self._splitter.feed(data)

    def _makeSplitter(self) -> LengthSplitter:
        return LengthSplitter(Struct(self.structFormat))

    def _broken(self, problem: Any) -> None:
        # Until the program has seen it.
        self._splitter.head, problem.rest = problem.rest, b""
        try:
            self.lengthLimitExceeded(problem.length)
        finally:
            self._splitter = Deaf()


class Int32StringReceiver(IntNStringReceiver):
    """Receives strings behind a length of 32 bits, big-endian."""

    structFormat = "!I"
    prefixLength = 4


class Int16StringReceiver(IntNStringReceiver):
    """Receives strings behind a length of 16 bits, big-endian."""

    structFormat = "!H"
    prefixLength = 2


class Int8StringReceiver(IntNStringReceiver):
    """Receives strings behind a length of 8 bits."""

    structFormat = "!B"
    prefixLength = 1


class StatefulStringProtocol:
    """Gives each string to the method of the present state: for a class that is a receiver of strings as well, behind
    this one among its bases.

    For a state ``x`` that is ``proto_x``, which takes a string and returns the name of the next state. The state
    ``"done"`` loses the connection.
    """

    #: The present state.
    state: str = "init"
    transport: Any

    def stringReceived(self, string: bytes) -> None:
        """Give `string` to the method of the present state. If there is none, that is logged and the string dropped."""
        receive = getattr(self, f"proto_{self.state}", None)
        if receive is None:
            peerMessage(self, "warning", "%r has no method proto_%s: %d bytes dropped", self, self.state, len(string))
            return
        self.state = receive(string)
        if self.state == "done":
            self.transport.loseConnection()
