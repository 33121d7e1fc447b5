"""DCC connections, between two clients without a server: files that are sent or received, and chats.

Who connects to whom, and whether that is wise, is decided before: see `dcc`. What comes is limited: a file to the
size that was announced, and to `MAX_SIZE` in any case; silence to `timeout` seconds.
"""

from __future__ import annotations

import os

from protocols.basic import FileSender, LineReceiver
from protocols.irc.dcc import safeFileName
from reactor._ground.current import currentReactor
from reactor._ground.log import message as logMessage
from reactor._ground.naming import prefixOf
from reactor.defer import Deferred, fail, succeed
from reactor.error import ConnectionLost
from reactor.failure import Failure
from reactor.protocol import ClientFactory, Factory, Protocol, connectionDone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = [
    "DccChat",
    "DccChatFactory",
    "DccFileReceive",
    "DccFileReceiveBasic",
    "DccSendFactory",
    "DccSendProtocol",
]

_ACK = 4


class _Timed(Protocol):
    """A connection that is closed when nothing comes for long."""

    #: Seconds without a byte from the peer after which the connection is closed; None to wait for ever.
    timeout: float | None = 180
    #: What has ``callLater``; None is the reactor that runs.
    clock: Any = None

    _call: Any = None

    def _heard(self) -> None:
        if self.timeout is None:
            return
        if self._call is not None:
            self._call.reset(self.timeout)
        else:
            clock = self.clock if self.clock is not None else currentReactor()
            self._call = clock.callLater(self.timeout, self._silent)

    def _silent(self) -> None:
        self._call = None
        logMessage("warning", "%s: nothing came for %g s", prefixOf(self), self.timeout)
        self.transport.abortConnection()

    def _over(self) -> None:
        if self._call is not None:
            self._call.cancel()
            self._call = None


class DccFileReceiveBasic(_Timed):
    """Receives a file without keeping it; each piece is acknowledged.

    :param resumeOffset: how many bytes are here already.
    """

    #: Bytes that are here, those from before included.
    bytesReceived: int = 0

    def __init__(self, resumeOffset: int = 0) -> None:
        self.bytesReceived = resumeOffset
        self.resume = resumeOffset != 0

    def connectionMade(self) -> None:
        """The connection is there."""
        self._heard()

    def dataReceived(self, data: bytes) -> None:
        """A piece of the file came: say how many bytes that makes (32 bits of it, DCC has no more)."""
        self._heard()
        self.bytesReceived += len(data)
        self.transport.write((self.bytesReceived & 0xFFFFFFFF).to_bytes(_ACK, "big"))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone."""
        self._over()


class DccFileReceive(DccFileReceiveBasic):
    """Receives a file into a directory.

    Of `filename`, which the peer chose, only what can be a name in that directory is used. A file that is there is not
    overwritten unless `overwrite` is set.

    :param filename: what the peer calls it.
    :param fileSize: how many bytes the peer says it has; -1 if it does not say.
    :param queryData: whom it is from: (user, channel, the request).
    :param destDir: the directory.
    :param resumeOffset: where to go on in the file that is there.
    :raises ValueError: when the file is larger than `MAX_SIZE`.
    """

    #: The most bytes of a file, announced or not.
    MAX_SIZE: int = 2**32
    filename: str = "dcc"
    fileSize: int = -1
    destDir: str = "."
    overwrite: bool = False
    fromUser: str | None = None
    queryData: Sequence[Any] | None = None

    def __init__(
        self,
        filename: str,
        fileSize: int = -1,
        queryData: Sequence[Any] | None = None,
        destDir: str = ".",
        resumeOffset: int = 0,
    ) -> None:
        super().__init__(resumeOffset)
        if fileSize > self.MAX_SIZE:
            raise ValueError(f"a file of {fileSize} bytes; the limit is {self.MAX_SIZE}")
        self.filename = filename
        self.fileSize = fileSize
        self.destDir = destDir
        self.queryData = queryData
        if queryData:
            self.fromUser = queryData[0]
        self.file: Any = None
        self._result: str | Failure | None = None
        self._waiting: list[Deferred[str]] = []

    @property
    def path(self) -> str:
        """Where the file is put."""
        return os.path.join(self.destDir, safeFileName(self.filename))

    def set_directory(self, directory: str) -> None:
        """Put the file into `directory`. OSError if it is none, or nothing can be put there."""
        if not os.path.isdir(directory):
            raise NotADirectoryError(f"not a directory: {directory!r}")
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError(f"no permission to write into {directory!r}")
        self.destDir = directory

    def set_filename(self, filename: str) -> None:
        """Call the file `filename`, or what of that can be a name."""
        self.filename = filename

    def set_overwrite(self, boolean: bool) -> None:
        """Whether a file by that name is overwritten."""
        self.overwrite = bool(boolean)

    def connectionMade(self) -> None:
        """The connection is there: open the file."""
        super().connectionMade()
        try:
            if self.resume:
                self.file = open(self.path, "r+b")
                if self.file.seek(0, os.SEEK_END) < self.bytesReceived:
                    raise ValueError(f"{self.path!r} has no {self.bytesReceived} bytes to go on from")
                self.file.seek(self.bytesReceived)
                self.file.truncate()
            else:
                self.file = open(self.path, "wb" if self.overwrite else "xb")
        except (OSError, ValueError) as e:
            self._fail(e)

    def dataReceived(self, data: bytes) -> None:
        """A piece of the file came."""
        limit = self.fileSize if self.fileSize >= 0 else self.MAX_SIZE
        if self.file is None:
            return
        if self.bytesReceived + len(data) > limit:
            self._fail(ValueError(f"the peer sends more than {limit} bytes"))
            return
        try:
            self.file.write(data)
        except OSError as e:
            self._fail(e)
            return
        super().dataReceived(data)

    def _fail(self, error: Exception) -> None:
        logMessage("warning", "%s: %s", prefixOf(self), error)
        self._end(Failure(error))
        self.transport.abortConnection()

    def whenFinished(self) -> Deferred[str]:
        """A Deferred of the path when the whole file is here; it fails with the reason if it does not come."""
        if isinstance(self._result, Failure):
            return fail(self._result)
        if self._result is not None:
            return succeed(self._result)
        deferred: Deferred[str] = Deferred(self._waiting.remove)
        self._waiting.append(deferred)
        return deferred

    def _end(self, result: str | Failure) -> None:
        if self.file is not None:
            self.file.close()
            self.file = None
        if self._result is None:
            self._result = result
            waiting, self._waiting = self._waiting, []
            for deferred in waiting:
                # A Failure makes it fail.
                deferred.callback(result)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone: the file is complete, or it is not."""
        super().connectionLost(reason)
        if self.file is None:
            return
        if self.fileSize < 0 or self.bytesReceived == self.fileSize:
            self._end(self.path)
            return
        error = ConnectionLost(f"{self.bytesReceived} of {self.fileSize} bytes of {self.path!r} came")
        logMessage("warning", "%s: %s", prefixOf(self), error)
        self._end(Failure(error))


class DccSendProtocol(_Timed):
    """Sends a file, and closes the connection when the peer has acknowledged all of it.

    :param file: a path, or what has ``read``; closed at the end.
    """

    #: Bytes that are read at a time.
    blocksize: int = 16384
    #: 1 when the peer has acknowledged the whole file.
    completed: int = 0
    #: Bytes that were given to the connection.
    bytesSent: int = 0

    def __init__(self, file: Any) -> None:
        self.file: Any = open(file, "rb") if isinstance(file, str | os.PathLike) else file
        self._sender = FileSender()
        self._acks = b""
        self._allSent = False

    def connectionMade(self) -> None:
        """The connection is there: send."""
        self._heard()
        self._sender.CHUNK_SIZE = self.blocksize
        self._sender.beginFileTransfer(self.file, self.transport, self._counted).addCallbacks(self._sent, self._failed)

    def _counted(self, data: bytes) -> bytes:
        self.bytesSent += len(data)
        return data

    def _sent(self, _: object) -> None:
        self._allSent = True
        if not self.bytesSent:
            self._complete()

    def _failed(self, failure: Failure) -> None:
        if not failure.check(ConnectionLost):
            logMessage("warning", "%s: %s", prefixOf(self), failure.getErrorMessage())
            self.transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        """The peer says how much it has."""
        self._heard()
        acks = self._acks + data
        whole = len(acks) - len(acks) % _ACK
        self._acks = acks[whole:]
        if whole and self._allSent:
            if int.from_bytes(acks[whole - _ACK : whole], "big") == self.bytesSent & 0xFFFFFFFF:
                self._complete()

    def _complete(self) -> None:
        self.completed = 1
        self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone."""
        self._over()
        self.file.close()


class DccSendFactory(Factory):
    """Sends a file to the first who connects, and to nobody else.

    :param file: as for `DccSendProtocol`.
    """

    protocol: Any = DccSendProtocol
    noisy = False

    def __init__(self, file: Any) -> None:
        self.file = file
        #: The port that is open for it; closed when somebody has connected.
        self.port: Any = None
        #: What closes it if nobody does.
        self.deadline: Any = None
        self._taken = False

    def giveUp(self) -> None:
        """Nobody came in time: close the port."""
        self.deadline = None
        if self.port is not None:
            self.port.stopListening()

    def stopFactory(self) -> None:
        """The port is closed; if nobody came, the file is as well."""
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None
        if not self._taken and hasattr(self.file, "close"):
            self.file.close()

    def buildProtocol(self, addr: Any) -> Any:
        """A `DccSendProtocol` for the first, None for others."""
        if self._taken:
            return None
        self._taken = True
        if self.port is not None:
            self.port.stopListening()
        protocol = self.protocol(self.file)
        protocol.factory = self
        return protocol


class DccChat(LineReceiver):
    """A chat: each line that comes is told to `client` as `privmsg`, from whom it is said to be with.

    :param client: an `IRCClient`.
    :param queryData: (user, channel, the request).
    """

    delimiter = b"\n"
    remoteParty: str | None = None
    queryData: Sequence[Any] | None = None

    def __init__(self, client: Any, queryData: Sequence[Any] | None = None) -> None:
        self.client = client
        self.queryData = queryData
        if queryData:
            self.remoteParty = queryData[0]

    def lineReceived(self, line: bytes) -> None:
        """A line came."""
        text = line.decode("utf-8", "surrogateescape").removesuffix("\r")
        self.client.privmsg(self.remoteParty, self.client.nickname, text)

    def sendLine(self, line: bytes | str) -> None:
        """Send `line`, text or bytes. ValueError when it has CR, LF or NUL."""
        data = line.encode("utf-8", "surrogateescape") if isinstance(line, str) else line
        if any(octet in data for octet in b"\r\n\0"):
            raise ValueError(f"CR, LF or NUL in a line: {line!r}")
        self.transport.write(data + b"\r\n")


class DccChatFactory(ClientFactory):
    """Builds one `DccChat`, and takes itself out of the client's ``dcc_sessions`` when that is over."""

    protocol: Any = DccChat
    noisy = False

    def __init__(self, client: Any, queryData: Sequence[Any]) -> None:
        self.client = client
        self.queryData = queryData

    def buildProtocol(self, addr: Any) -> Any:
        """A `DccChat`."""
        protocol = self.protocol(client=self.client, queryData=self.queryData)
        protocol.factory = self
        return protocol

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        """Nobody is there."""
        self._forget()

    def clientConnectionLost(self, connector: Any, reason: Failure) -> None:
        """The chat is over."""
        self._forget()

    def _forget(self) -> None:
        if self.client.dcc_sessions and self in self.client.dcc_sessions:
            self.client.dcc_sessions.remove(self)
