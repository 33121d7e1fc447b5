"""Requests out of the bytes of a connection: what a server reads."""

from __future__ import annotations

from protocols.http.error import TooLarge
from protocols.http.h1.bodies import Reader
from protocols.http.h1.heads import RequestHead, plainRequest, requestHead
from protocols.http.h1.splitting import readFields
from protocols.http.h1.startlines import METHODS, REQUEST_LINE, readRequestLine
from protocols.http.h1.states import Event, State
from protocols.http.limits import REQUEST_LIMITS, Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from protocols.http.h1.bodies import BodySink

    class RequestSink(BodySink, Protocol):
        """What a `RequestReader` calls."""

        def headReceived(self, head: RequestHead, /) -> object:
            """A head is there, and what belongs to it follows."""


__all__ = ["RequestReader"]

# A global is found faster than a member of an enum.
_HEAD = State.HEAD
# Heads as they were read before, byte for byte -> what they are: a client on a connection that is kept says the same
# again and again (measured: 44 k instructions of its reading become 16 k). Only of short ones without a body, and none
# with credentials, which are secrets. Bounded by emptying it.
_known: dict[bytes, RequestHead] = {}
_KNOWN = 128
_LONGEST = 512
_MOST_FIELDS = 12
_SECRET = frozenset((b"cookie", b"authorization", b"proxy-authorization"))

# Of a request line besides method and target: two spaces and the version.
_REST_OF_LINE = 10


class RequestReader(Reader):
    """Requests, one behind the other.

    For each one the sink's ``headReceived(head)`` is called, ``bodyReceived(data)`` for each piece of its body, and
    ``messageReceived(trailers)``, with ``[]`` where there were none. Behind a request that asks for another protocol
    (``head.upgrade``) and behind CONNECT, nothing more is read: whoever answers calls `switch`, or for an Upgrade that
    is not taken up `resume`. Behind a request that is the last one (``head.keepAlive`` is False), what comes is not
    looked at.

    :param sink: who is told.
    :param limits: how much there may be of what; by default ``Limits()``.
    """

    __slots__ = ("_emptyLines", "_knows", "_shortest", "_sink")

    _sink: RequestSink

    def __init__(self, sink: RequestSink, limits: Limits | None = None) -> None:
        limits = REQUEST_LIMITS if limits is None else limits
        Reader.__init__(self, limits)
        # What is known was within these limits.
        self._knows = limits is REQUEST_LIMITS
        self._sink = sink
        self._emptyLines = 0
        # A head that is not longer than this passes all limits but that of how many fields it has.
        self._shortest = min(limits.head, limits.line, limits.target)

    def _readHead(self) -> bool:
        data, at = self._data, self._at
        end = data.find(b"\r\n\r\n", at)
        if end < 0:
            return self._skipEmptyLines()
        stop = end + 4
        whole: bytes | None = None
        if self._knows and stop - at <= _LONGEST:
            whole = data[at:stop]
            known = _known.get(whole)
            if known is not None:
                self._at = stop
                self._tell(known)
                return True
        found = REQUEST_LINE(data, at)
        if found is None or stop - at > self._shortest:
            return self._readOther(stop)
        name, target, minor = found.groups()
        method = METHODS.get(name)
        if method is None:
            return self._readOther(stop)
        pairs, named = readFields(data[found.end() : stop])
        if len(pairs) > self.limits.fields:
            raise TooLarge("fields", self.limits.fields, 431)
        self._at = stop
        version = 1 if minor == b"1" else 0
        head = None if named is None else plainRequest(method, target.decode(), version, pairs, named)
        if head is None:
            self._tell(requestHead(method, target.decode(), version, None, pairs))
            return True
        if whole is not None and named is not None and len(pairs) <= _MOST_FIELDS:
            _keep(whole, head, named)
        self._emptyLines = 0
        sink = self._sink
        sink.headReceived(head)
        if self.state is _HEAD:
            if self._paused:
                self._begin(Event.LENGTH, 0, Event.MESSAGE)
            else:
                sink.messageReceived([])
        return True

    def _readOther(self, stop: int) -> bool:
        """Not a head as most are: another target or method, a large one, an empty line, or none at all."""
        at = self._at
        if self._data.startswith(b"\r\n", at):
            return self._skipEmptyLines()
        head = self._data[at:stop]
        if len(head) > self._shortest:
            self._examineWhole(head)
        line, _, block = head.partition(b"\r\n")
        name, target, minor, authority = readRequestLine(line, self.limits)
        pairs, _ = readFields(block)
        if len(pairs) > self.limits.fields:
            raise TooLarge("fields", self.limits.fields, 431)
        self._at = stop
        self._tell(requestHead(name.decode(), target.decode(), minor, authority, pairs))
        return True

    def _tell(self, head: RequestHead) -> None:
        self._emptyLines = 0
        then = Event.HOLD if head.upgrade else Event.MESSAGE if head.keepAlive else Event.LAST_MESSAGE
        if head.method == "CONNECT":
            then = Event.TUNNEL
        self._begin(Event.CHUNKED if head.chunked else Event.LENGTH, head.contentLength or 0, then)
        self._sink.headReceived(head)
        if self.state is State.LENGTH and not (self._left or self._paused):
            self._whole([])

    def _skipEmptyLines(self) -> bool:
        """RFC 9112, section 2.2: an empty line before a request is none, and some clients send one."""
        data, at = self._data, self._at
        while data.startswith(b"\r\n", self._at):
            self._at += 2
            self._countEmptyLine()
        return self._at != at

    def _countEmptyLine(self) -> None:
        self._emptyLines += 1
        if self._emptyLines > self.limits.emptyLines:
            raise TooLarge("emptyLines", self.limits.emptyLines, 400)

    def _lookAtHead(self, tail: bytearray) -> bool:
        while tail.startswith(b"\r\n"):
            del tail[:2]
            self._scanned = 0
            self._countEmptyLine()
        if not tail:
            self._tail = None
            self._isPartial = False
            return False
        if tail.find(b"\r\n\r\n", max(self._scanned - 3, 0)) >= 0:
            return True
        self._examineHead(tail)
        return False

    def _examineHead(self, head: bytes | bytearray) -> None:
        limits = self.limits
        self._examine(head, limits.method + limits.target + _REST_OF_LINE, limits.head, "request line", "fields")

    def _firstLine(self, line: bytes) -> None:
        readRequestLine(line, self.limits)

    def _firstLineTooLong(self) -> TooLarge:
        return TooLarge("target", self.limits.target, 414)


# By state, in order of their numbers. The parts of a chunk are gathered by one function.
RequestReader._steps = (
    RequestReader._readHead,
    RequestReader._readLength,
    RequestReader._readChunks,
    RequestReader._readChunks,
    RequestReader._readChunks,
    RequestReader._readTrailers,
)


def _keep(whole: bytes, head: RequestHead, named: dict[bytes, bytes]) -> None:
    """Know `head` from now on, if it may be."""
    if head.chunked or head.contentLength or head.upgrade or not _SECRET.isdisjoint(map(bytes.lower, named)):
        return
    if len(_known) >= _KNOWN:
        _known.clear()
    _known[whole] = head
