"""Writing down what passes: to a file for each connection, or to the log.

Whatever the peer sends is one line, without control characters: bytes are written as Python writes them, and of other
text what cannot be printed is escaped.
"""

from __future__ import annotations

import os
import weakref
from typing import Any

from protocols.policies._wrapping import ProtocolWrapper, WrappingFactory
from reactor._ground.log import message
from reactor._ground.naming import shown
from reactor.failure import Failure

_ELIDED = b"<... elided>"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def printable(text: str) -> str:
    """`text` as one line without control characters."""
    return "".join([each if each.isprintable() else ascii(each)[1:-1] for each in text])


class SpewingProtocol(ProtocolWrapper):
    """Logs everything that is received and sent, at level INFO."""

    def dataReceived(self, data: bytes) -> None:
        """Log `data`, and hand it on."""
        message("info", "Received: %r", data, limit=None)
        super().dataReceived(data)

    def write(self, data: Any) -> None:
        """Log `data`, and send it."""
        message("info", "Sending: %r", data, limit=None)
        super().write(data)

    def writeSequence(self, data: Any) -> None:
        """Log every piece of `data`, and send them."""
        pieces = list(data)
        message("info", "Sending: %r", pieces, limit=None)
        super().writeSequence(pieces)


class SpewingFactory(WrappingFactory):
    """Logs everything that the connections of another factory receive and send, at level INFO."""

    protocol = SpewingProtocol


class TrafficLoggingProtocol(ProtocolWrapper):
    """Writes what passes to a file, a line each: ``*`` made, ``C 1: b'...'`` received, ``S 1: b'...'`` sent,
    ``SV 1: [b'...', ...]`` sent in pieces, ``S 1: *`` asked to close, ``C 1: ...`` lost and why.
    """

    def __init__(
        self, factory: Any, wrappedProtocol: Any, logfile: Any, lengthLimit: int | None = None, number: int = 0
    ) -> None:
        """
        :param logfile: what has ``write``, which takes str, and ``flush``.
        :param lengthLimit: bytes of a piece of data that are written; None: all.
        :param number: the connection's, for each line.
        """
        super().__init__(factory, wrappedProtocol)
        self.logfile = logfile
        self.lengthLimit = lengthLimit
        self._number = number

    def _log(self, line: str) -> None:
        self.logfile.write(line + "\n")
        self.logfile.flush()

    def _cut(self, data: Any) -> Any:
        limit = self.lengthLimit
        if limit and len(data) > limit:
            return bytes(data[: max(limit - len(_ELIDED), 0)]) + _ELIDED
        return data

    def connectionMade(self) -> None:
        """The connection is there."""
        self._log("*")

    def dataReceived(self, data: bytes) -> None:
        """Write `data` down, and hand it on."""
        self._log(f"C {self._number}: {self._cut(data)!r}")
        super().dataReceived(data)

    def connectionLost(self, reason: Failure) -> None:
        """The connection is gone. A file that the factory's own `open` opened is closed."""
        try:
            self._log(printable(f"C {self._number}: {shown(reason)}"))
        finally:
            try:
                super().connectionLost(reason)
            finally:
                self.factory.closeLog(self.logfile)

    def write(self, data: Any) -> None:
        """Write `data` down, and send it."""
        self._log(f"S {self._number}: {self._cut(data)!r}")
        super().write(data)

    def writeSequence(self, data: Any) -> None:
        """Write every piece of `data` down, and send them."""
        pieces = list(data)
        self._log(f"SV {self._number}: {[self._cut(piece) for piece in pieces]!r}")
        super().writeSequence(pieces)

    def loseConnection(self) -> None:
        """Write that down, and close."""
        self._log(f"S {self._number}: *")
        super().loseConnection()


class TrafficLoggingFactory(WrappingFactory):
    """Writes what the connections of another factory receive and send to files, one a connection."""

    protocol = TrafficLoggingProtocol

    _counter = 0

    def __init__(self, wrappedFactory: Any, logfilePrefix: str, lengthLimit: int | None = None) -> None:
        """
        :param logfilePrefix: the path of each file, less ``-1``, ``-2`` ...
        :param lengthLimit: bytes of each piece of data that are written; None: all.
        """
        super().__init__(wrappedFactory)
        self.logfilePrefix = logfilePrefix
        self.lengthLimit = lengthLimit
        self._opened: set[Any] = set()

    def open(self, name: str) -> Any:
        """A new file `name`, which only its owner may read. For subclasses, that may write elsewhere, and close it."""
        file = open(name, "w", encoding="utf-8", errors="backslashreplace", opener=_private)
        self._opened.add(file)
        return file

    def closeLog(self, logfile: Any) -> None:
        """Close `logfile` if `open` of this class opened it. Called by the protocols."""
        if logfile in self._opened:
            self._opened.remove(logfile)
            logfile.close()

    def buildProtocol(self, addr: Any) -> Any:
        """A wrapper around what the wrapped factory builds, with a file; None when that refuses the connection."""
        wrapped = self.wrappedFactory.buildProtocol(addr)
        if wrapped is None:
            return None
        self._counter += 1
        logfile = self.open(f"{self.logfilePrefix}-{self._counter}")
        protocol = self.protocol(self, wrapped, logfile, self.lengthLimit, self._counter)
        # One whose connection is never made hears of no end.
        weakref.finalize(protocol, self.closeLog, logfile)
        return protocol

    def resetCounter(self) -> None:
        """Begin again with 1."""
        self._counter = 0
