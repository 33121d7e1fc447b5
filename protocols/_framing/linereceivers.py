"""Protocols of lines: what a program subclasses. The cutting is `_lines`', the passing on `_framed`'s."""

from __future__ import annotations

from protocols._framing.framed import OPEN, FramedProtocol
from protocols._framing.lines import LineSplitter, LineTooLong
from reactor._transport.stream.transport import asBytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class LineOnlyReceiver(FramedProtocol):
    """Receives lines, and nothing but lines. Subclass it and override `lineReceived`."""

    #: What ends a line.
    delimiter: bytes = b"\r\n"
    #: The length that a line may have without its delimiter, in bytes; one that is longer is for `lineLengthExceeded`.
    MAX_LENGTH: int = 16384

    def lineReceived(self, line: bytes) -> None:
        """A line came; `line` has no delimiter. For subclasses, which must override this."""
        raise NotImplementedError(f"{type(self).__name__} does not say what to do with a line: override lineReceived")

    def sendLine(self, line: bytes) -> None:
        """Send `line` and the delimiter. TypeError for anything but bytes (bytearray and memoryview included).

        Whether a delimiter is in `line` is not looked at.
        """
        try:
            data = line + self.delimiter
        except TypeError:
            data = asBytes("sendLine", line) + self.delimiter
        self.transport.write(data)

    def lineLengthExceeded(self, line: bytes) -> None:
        """A line is longer than `MAX_LENGTH`. Loses the connection; for subclasses that know better.

        :param line: the line, if all of it came, else what came of it. What comes next is taken for the next line.
        """
        self.transport.loseConnection()

    def _makeSplitter(self) -> LineSplitter:
        return LineSplitter()

    def _step(self, holder: Any, top: Any) -> bool:
        splitter = self._splitter
        delimiter = self.delimiter
        try:
            lines = splitter.batch(delimiter, self.MAX_LENGTH)
        except LineTooLong as e:
            self._exceeded(e.complete)
            self._look(holder, top)
            return bool(splitter)
        if not lines:
            return False
        self._frames = frames = iter(lines)
        for line in frames:
            self.lineReceived(line)
            if top.state is not OPEN or holder._top is not top:
                self._look(holder, top)
            elif self.delimiter is not delimiter:
                self._putBack()
        more: bool = splitter.advance()
        return more

    def _exceeded(self, complete: bool) -> None:
        self.lineLengthExceeded(self._splitter.takeLine() if complete else self._splitter.take())


class LineReceiver(LineOnlyReceiver):
    """Receives lines, and in between, when it asks for them with `setRawMode`, bytes as they come. Subclass it and
    override `lineReceived`, and `rawDataReceived` if that is wanted.
    """

    #: 1 when lines are received, 0 when bytes are. `setLineMode` and `setRawMode` set it.
    line_mode: int = 1

    def setRawMode(self) -> None:
        """From now on, and beginning with what is behind the line that is being received, bytes are for
        `rawDataReceived`.
        """
        self.line_mode = 0
        self._putBack()

    def setLineMode(self, extra: bytes = b"") -> None:
        """From now on there are lines again; `extra` is what `rawDataReceived` was given and has no use for."""
        self.line_mode = 1
        if extra:
            self.dataReceived(extra)

    def clearLineBuffer(self) -> bytes:
        """Throw away what has come and is not delivered yet; it is returned."""
        return self._takeAll()

    def rawDataReceived(self, data: bytes) -> None:
        """Bytes came in raw mode, cut anywhere, never none. For subclasses, which must override this if they
        `setRawMode`.
        """
        raise NotImplementedError(f"{type(self).__name__} is in raw mode: override rawDataReceived")

    def lineLengthExceeded(self, line: bytes) -> None:
        """A line is longer than `MAX_LENGTH`. Loses the connection; for subclasses that know better.

        :param line: the line, or what came of it, and all that came behind it: nothing of that is delivered any more.
        """
        self.transport.loseConnection()

    def _exceeded(self, complete: bool) -> None:
        self.lineLengthExceeded(self._splitter.take())

    def _step(self, holder: Any, top: Any) -> bool:
        if self.line_mode:
            return super()._step(holder, top)
        data = self._splitter.take()
        if not data:
            return False
        self.rawDataReceived(data)
        if top.state is not OPEN or holder._top is not top:
            self._look(holder, top)
        return True
