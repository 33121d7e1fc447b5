"""Responses out of the bytes of a connection: what a client reads."""

from __future__ import annotations

from collections import deque

from protocols.http.error import BadMessage, TooLarge
from protocols.http.h1.bodies import Reader
from protocols.http.h1.heads import ResponseHead, responseHead
from protocols.http.h1.splitting import readFields
from protocols.http.h1.startlines import STATUS_LINE, whyNoStatusLine
from protocols.http.h1.states import Event, State
from protocols.http.limits import RESPONSE_LIMITS, Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from protocols.http.h1.bodies import BodySink

    class ResponseSink(BodySink, Protocol):
        """What a `ResponseReader` calls."""

        def headReceived(self, head: ResponseHead, /) -> object:
            """The answer's head is there, and what belongs to it follows."""

        def informationReceived(self, head: ResponseHead, /) -> object:
            """A head with 1xx: another one follows."""


__all__ = ["ResponseReader"]

# Of a status line besides the reason: version, status and two spaces. The reason may be as long as a field line.
_REST_OF_LINE = 13

# Heads as they were read before, byte for byte -> what they are. Servers say the same again and again but for the Date,
# which is good for a second. Only of answers whose request's method has no say, and none with cookies, which are
# secrets. Bounded by emptying it.
_known: dict[bytes, ResponseHead] = {}
_KNOWN = 128
_LONGEST = 1024
_METHODS_WITH_A_SAY = ("HEAD", "CONNECT")


class ResponseReader(Reader):
    """Responses, one for each request that was sent.

    For each one the sink's ``informationReceived(head)`` is called for each 1xx that comes before it (but 101), then
    ``headReceived(head)``, ``bodyReceived(data)`` for each piece of its body, and ``messageReceived(trailers)``, with
    ``[]`` where there were none. Behind 101, and behind success in answer to CONNECT, nothing more is read: call
    `switch`. Behind an answer that is the last one (``head.keepAlive`` is False), what comes is not looked at. Behind
    any other, bytes that nobody asked for are a `BadMessage`.

    :param sink: who is told.
    :param limits: how much there may be of what; by default `RESPONSE_LIMITS`.
    """

    __slots__ = ("_informational", "_knows", "_methods", "_shortest", "_sink")

    _sink: ResponseSink

    def __init__(self, sink: ResponseSink, limits: Limits | None = None) -> None:
        limits = RESPONSE_LIMITS if limits is None else limits
        Reader.__init__(self, limits)
        self._sink = sink
        # Of the requests that were not answered yet: method, and whether it asked for another protocol.
        self._methods: deque[tuple[str, bool]] = deque()
        self._informational = 0
        self._shortest = min(limits.head, limits.line)
        # What is known was within these limits.
        self._knows = limits is RESPONSE_LIMITS

    def expect(self, method: str, upgrade: bool = False) -> None:
        """A request was sent (or is about to be), and an answer may come. Once for each, in order.

        :param upgrade: whether it asked for another protocol, so that 101 may come.
        """
        self._methods.append((method, upgrade))

    def _readHead(self) -> bool:
        if not self._methods:
            raise BadMessage("nothing was asked for", 400, "", self._data[self._at : self._at + 80])
        data, at = self._data, self._at
        end = data.find(b"\r\n\r\n", at)
        if end < 0:
            return False
        stop = end + 4
        known = _known.get(data[at:stop]) if self._knows and stop - at <= _LONGEST else None
        if known is not None and self._methods[0][0] not in _METHODS_WITH_A_SAY:
            self._at = stop
            self._informational = 0
            self._tell(known, self._methods.popleft()[0])
            return True
        if stop - at > self._shortest:
            self._examineWhole(data[at:stop])
        found = STATUS_LINE(data, at)
        if found is None:
            line = data[at : data.find(b"\r\n", at)]
            raise BadMessage(whyNoStatusLine(line), 400, "status line", line)
        minor, code, reason = found.groups()
        status = int(code)
        pairs, _ = readFields(data[found.end() : stop])
        if len(pairs) > self.limits.fields:
            raise TooLarge("fields", self.limits.fields, 431)
        self._at = stop
        method, upgrade = self._methods[0]
        said = reason.decode("latin-1") if reason else ""
        head = responseHead(status, said, 1 if minor == b"1" else 0, pairs, method)
        if status < 200:
            if status != 101:
                self._inform(head)
                return True
            if not upgrade:
                raise BadMessage("101, and no other protocol was asked for", 400, "status line", data[at : at + 80])
        self._informational = 0
        self._methods.popleft()
        if self._knows and method not in _METHODS_WITH_A_SAY and status >= 200 and stop - at <= _LONGEST:
            self._learn(data[at:stop], head)
        self._tell(head, method)
        return True

    def _learn(self, block: bytes, head: ResponseHead) -> None:
        if block.lower().find(b"set-cookie") < 0:
            if len(_known) >= _KNOWN:
                _known.clear()
            _known[block] = head

    def _inform(self, head: ResponseHead) -> None:
        self._informational += 1
        if self._informational > self.limits.informational:
            raise TooLarge("informational", self.limits.informational, 400)
        self._sink.informationReceived(head)

    def _tell(self, head: ResponseHead, method: str) -> None:
        status = head.status
        if status == 101 or (method == "CONNECT" and status < 300):
            then = Event.TUNNEL
        else:
            then = Event.MESSAGE if head.keepAlive else Event.LAST_MESSAGE
        if not head.hasBody:
            self._begin(Event.LENGTH, 0, then)
        elif head.chunked:
            self._begin(Event.CHUNKED, None, then)
        elif head.contentLength is not None:
            self._begin(Event.LENGTH, head.contentLength, then)
        else:
            self._begin(Event.UNTIL_CLOSE, None, then)
        self._sink.headReceived(head)
        if self.state is State.LENGTH and not (self._left or self._paused):
            self._whole([])

    def _isAwaited(self) -> bool:
        return bool(self._methods)

    def _lookAtHead(self, tail: bytearray) -> bool:
        if tail.find(b"\r\n\r\n", max(self._scanned - 3, 0)) >= 0:
            return True
        self._examineHead(tail)
        return False

    def _examineHead(self, head: bytes | bytearray) -> None:
        limits = self.limits
        self._examine(head, limits.line + _REST_OF_LINE, limits.head, "status line", "fields")

    def _firstLine(self, line: bytes) -> None:
        if STATUS_LINE(line + b"\r\n") is None:
            raise BadMessage(whyNoStatusLine(line), 400, "status line", line)

    def _firstLineTooLong(self) -> TooLarge:
        return TooLarge("line", self.limits.line, 431)


# By state, in order of their numbers. The parts of a chunk are gathered by one function.
ResponseReader._steps = (
    ResponseReader._readHead,
    ResponseReader._readLength,
    ResponseReader._readChunks,
    ResponseReader._readChunks,
    ResponseReader._readChunks,
    ResponseReader._readTrailers,
    ResponseReader._readUntilClose,
)
