"""`Session`: one connection of HTTP/2, either end of it, without the connection: bytes in, calls out, bytes to send.

`h2` has the states of streams, HPACK and the windows. Here is what it leaves to others: each frame is counted before it
gets one, and what it is made to answer is counted too; a malformed message costs its stream, not the connection; bodies
are tied to who reads and writes them; streams share the connection by turns; GOAWAY ends nothing that is at work.
"""

from __future__ import annotations

from collections import OrderedDict

from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    InformationalResponseReceived,
    RemoteSettingsChanged,
    RequestReceived,
    ResponseReceived,
    SettingsAcknowledged,
    TrailersReceived,
)
from h2.events import StreamReset as ResetEvent
from h2.exceptions import ProtocolError
from hpack.exceptions import HPACKError

from protocols.http.error import BadMessage, HTTPError, TooLarge
from protocols.http.h2 import frames
from protocols.http.h2.beginning import begun
from protocols.http.h2.bounds import Bounds, Budget
from protocols.http.h2.errors import (
    COMPRESSION_ERROR,
    ENHANCE_YOUR_CALM,
    FRAME_SIZE_ERROR,
    INTERNAL_ERROR,
    NO_ERROR,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    ConnectionFailed,
    GoneAway,
    StreamReset,
)
from protocols.http.h2.messages import readRequest, readResponse, readTrailers
from protocols.http.h2.streams import Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from protocols.http.h2.owner import Owner
    from protocols.http.limits import Limits

    Pairs = list[tuple[bytes, bytes]]

__all__ = ["Session"]

# How much is made ready to be sent at a time, so that the transport can say when it has enough.
_FILL = 131072
# How many streams that were reset are remembered: what was on its way to them is nobody's fault.
_REMEMBERED = 1000


class Session:
    """One connection.

    :param owner: see `Owner`.
    :param isServer: which end this is.
    :param limits: of heads and trailers.
    :ivar streams: those that are open, by number.
    :ivar unsent: bytes of bodies that wait to be sent.
    :ivar acknowledged: whether the peer has acknowledged our settings.
    :ivar failed: what ended it; None so far.
    :ivar lastStream: the highest stream of the peer's that was looked at.
    """

    def __init__(self, owner: Owner, isServer: bool, bounds: Bounds, limits: Limits) -> None:
        self._owner = owner
        self._isServer = isServer
        self.bounds = bounds
        self._limits = limits
        self._splitter = frames.Splitter(isServer, bounds.continuations, limits.head)
        self.streams: dict[int, Stream] = {}
        self.unsent = 0
        self.acknowledged = False
        self.failed: HTTPError | None = None
        self.lastStream = 0
        # Whether GOAWAY was sent or received: no stream begins from then on.
        self.leaving = False
        self._out: list[bytes] = []
        self._receiving = False
        self._credit = 0
        # Those with something to send, in turns; those that were reset.
        self._ready: OrderedDict[int, Stream] = OrderedDict()
        self._reset: OrderedDict[int, None] = OrderedDict()
        self._budgets = {
            frames.SETTINGS: ("SETTINGS", Budget(bounds.settings)),
            frames.PING: ("PING", Budget(bounds.pings)),
            frames.PRIORITY: ("PRIORITY and unknown", Budget(bounds.priorities)),
            frames.WINDOW_UPDATE: ("WINDOW_UPDATE", Budget(bounds.windowUpdates)),
        }
        self._emptyData = Budget(bounds.emptyData)
        self._resets = Budget(bounds.resets)
        self._updates = self._budgets[frames.WINDOW_UPDATE][1]
        self._now = 0.0
        self._h2, first = begun(isServer, bounds, limits)
        self._out.append(first)

    # ---- In ----

    @property
    def inHead(self) -> bool:
        """Whether a head has begun and is not whole."""
        return self._splitter.inHead or self._splitter.partial == frames.HEADERS

    @property
    def isSilent(self) -> bool:
        """Whether the peer has not said yet that it speaks HTTP/2: its preface, and SETTINGS."""
        return not self._splitter.begun

    def receive(self, data: bytes, now: float) -> None:
        """Bytes came at the time `now`, in seconds.

        :raises ConnectionFailed: the connection is over; what `take` gives then is the last to be sent.
        """
        if self.failed is not None:
            return
        self._now = now
        self._receiving = True
        try:
            for kind, flags, stream, whole in self._splitter.split(data):
                self._frame(kind, flags, stream, whole)
                if self.failed is not None:
                    return
        except ConnectionFailed as e:
            self.fail(e)
            raise
        finally:
            self._receiving = False

    def _frame(self, kind: int, flags: int, number: int, whole: bytes) -> None:
        if kind == -1:
            self._h2.receive_data(whole)
            return
        if kind == frames.GOAWAY:
            self._goAwayReceived(number, whole)
            return
        budget = self._budgets.get(kind if kind <= frames.CONTINUATION else frames.PRIORITY)
        if budget is not None and not budget[1].spend(self._now):
            raise ConnectionFailed(ENHANCE_YOUR_CALM, f"too many {budget[0]} frames")
        if kind == frames.DATA:
            self._lookAtData(flags, number, whole)
        elif kind == frames.RST_STREAM and self._isIdle(number):
            raise ConnectionFailed(PROTOCOL_ERROR, "RST_STREAM for a stream that has not begun")
        try:
            events = self._h2.receive_data(whole)
        except ProtocolError as e:
            raise ConnectionFailed(*_why(e)) from e
        except HTTPError:
            raise
        except Exception as e:
            # None is known; whatever it may be, it is the peer's bytes that `h2` stumbled over.
            raise ConnectionFailed(INTERNAL_ERROR, f"{type(e).__name__} in h2") from e
        if reaction := self._h2.data_to_send():
            self._react(kind, reaction)
        for event in events:
            self._event(event)
            if self.failed is not None:
                return

    def _isIdle(self, number: int) -> bool:
        inbound = number % 2 == int(self._isServer)
        return number > (self._h2.highest_inbound_stream_id if inbound else self._h2.highest_outbound_stream_id)

    def _react(self, kind: int, reaction: bytes) -> None:
        """What `h2` answers a frame with, by itself."""
        for answered, number, whole in frames.kindsIn(reaction):
            if answered == frames.RST_STREAM:
                if number in self._reset:
                    continue
                self._spendReset()
                self._remember(number)
            self._out.append(whole)

    def _spendReset(self) -> None:
        if not self._resets.spend(self._now):
            raise ConnectionFailed(ENHANCE_YOUR_CALM, "too many streams were given up")

    def _lookAtData(self, flags: int, number: int, whole: bytes) -> None:
        """Section 8.1.1: a body that is not as long as was said is malformed; for `h2` that ends the connection."""
        length = len(whole) - 9
        if flags & frames.PADDED:
            length -= 1 + whole[9] if length else 0
        ended = bool(flags & frames.END_STREAM)
        if length <= 0 and not ended and not self._emptyData.spend(self._now):
            raise ConnectionFailed(ENHANCE_YOUR_CALM, "too many DATA frames with nothing in them")
        stream = self.streams.get(number)
        if stream is not None and stream.expected is not None and not stream.ended:
            came = stream.received + length
            if came > stream.expected or (ended and came != stream.expected):
                self._malformed(stream, BadMessage(f"{came} bytes of {stream.expected} that were said", place="body"))

    def _event(self, event: Any) -> None:
        kind = event.__class__
        if kind is DataReceived:
            self._credit += event.flow_controlled_length
            if self._credit >= self.bounds.connectionWindow // 2:
                # All that may be on its way; what one stream holds up is not to hold up another.
                credit, self._credit = self._credit, 0
                self._h2.increment_flow_control_window(credit)
                self._collect()
            stream = self.streams.get(event.stream_id)
            if stream is not None:
                padding = event.flow_controlled_length - len(event.data)
                stream.deliver(event.data, padding, event.stream_ended is not None)
        elif kind is RequestReceived:
            self._requestReceived(event)
        elif kind is ResponseReceived or kind is InformationalResponseReceived:
            self._responseReceived(event)
        elif kind is TrailersReceived:
            self._trailersReceived(event)
        elif kind is ResetEvent:
            self._resetReceived(event)
        elif kind is RemoteSettingsChanged:
            self._owner.settingsChanged()
        elif kind is SettingsAcknowledged:
            self.acknowledged = True

    def _requestReceived(self, event: Any) -> None:
        number = event.stream_id
        if self.leaving or len(self.streams) >= self.bounds.maxStreams:
            if not self.leaving:
                self._spendReset()
            self._h2.reset_stream(number, REFUSED_STREAM)
            self._remember(number)
            self._collect()
            return
        self.lastStream = number
        ended = event.stream_ended is not None
        stream = self.streams[number] = Stream(self, number, "")
        # It is known now, and told behind the head.
        stream.ended = ended
        try:
            head = readRequest(event.headers, ended, self._limits)
        except HTTPError as e:
            if e.status == 400:
                self._malformed(stream, e)
                return
            self._owner.requestRefused(stream, e)
        else:
            stream.method = head.method
            stream.expected = head.contentLength
            self._owner.requestReceived(stream, head)
        if ended and stream.isOpen:
            stream.deliver(b"", 0, True)

    def _responseReceived(self, event: Any) -> None:
        stream = self.streams.get(event.stream_id)
        if stream is None:
            return
        ended = getattr(event, "stream_ended", None) is not None
        try:
            head = readResponse(event.headers, stream.method, ended, self._limits)
        except HTTPError as e:
            self._malformed(stream, e)
            return
        if head.status >= 200:
            stream.expected = head.contentLength if head.hasBody else 0
        self._owner.responseReceived(stream, head)
        if ended and stream.isOpen:
            stream.deliver(b"", 0, True)

    def _trailersReceived(self, event: Any) -> None:
        stream = self.streams.get(event.stream_id)
        if stream is None:
            return
        try:
            stream.trailers = readTrailers(event.headers, self._limits)
            if stream.expected is not None and stream.received != stream.expected:
                raise BadMessage(f"{stream.received} bytes of {stream.expected} that were said", place="body")
        except HTTPError as e:
            self._malformed(stream, e)
            return
        stream.deliver(b"", 0, True)

    def _malformed(self, stream: Stream, problem: HTTPError) -> None:
        """Section 8.1.1: a stream error."""
        if self._isServer:
            self._spendReset()
        isBig = isinstance(problem, TooLarge)
        stream.isOpen = False
        self.resetStream(stream, ENHANCE_YOUR_CALM if isBig else PROTOCOL_ERROR)
        self._owner.streamBroken(stream, problem)
        stream.fail(problem)

    def _resetReceived(self, event: Any) -> None:
        stream = self.streams.pop(event.stream_id, None)
        if stream is None:
            return
        if event.remote_reset and self._isServer and not stream.sentAll:
            self._spendReset()
        stream.fail(StreamReset(int(event.error_code)))

    def _goAwayReceived(self, number: int, whole: bytes) -> None:
        if number:
            raise ConnectionFailed(PROTOCOL_ERROR, "GOAWAY on a stream")
        if len(whole) < 17:
            raise ConnectionFailed(FRAME_SIZE_ERROR, "GOAWAY of less than 8 bytes")
        if self._splitter.inHead:
            raise ConnectionFailed(PROTOCOL_ERROR, "GOAWAY within a head")
        last, code = int.from_bytes(whole[9:13], "big") & 0x7FFFFFFF, int.from_bytes(whole[13:17], "big")
        self.leaving = True
        if not self._isServer:
            # Those were not looked at (section 6.8), and can be repeated.
            for each in [stream for stream in self.streams.values() if stream.id > last]:
                del self.streams[each.id]
                each.fail(StreamReset(REFUSED_STREAM))
        if code != NO_ERROR:
            for each in list(self.streams.values()):
                del self.streams[each.id]
                each.fail(GoneAway(code, whole[17:]))
        self._owner.goneAway(last, code)

    # ---- Out ----

    def touched(self) -> None:
        """Something is to be sent. While bytes come, whoever gives them sends it afterwards."""
        if not self._receiving:
            self._owner.touched()

    def _collect(self) -> None:
        if data := self._h2.data_to_send():
            self._out.append(data)

    @property
    def mayBegin(self) -> int:
        """How many more streams a client may begin."""
        if self.leaving or self.failed is not None or self._h2.highest_outbound_stream_id > (1 << 31) - 3:
            return 0
        return min(self._h2.remote_settings.max_concurrent_streams, self.bounds.maxStreams) - len(self.streams)

    def begin(self, user: Any, method: str) -> Stream:
        """A client's: a new stream, for a request of `method`. `mayBegin` says whether there is room for one."""
        number = self._h2.get_next_available_stream_id()
        stream = self.streams[number] = Stream(self, number, method)
        stream.user = user
        return stream

    def sendHead(self, stream: Stream, headers: Pairs, end: bool) -> None:
        """A stream's head."""
        self._h2.send_headers(stream.id, headers, end)
        if self._isServer and end:
            self._updates.earn(2)
        self._collect()

    def widen(self, stream: Stream, count: int) -> None:
        """`count` more bytes may come on `stream`."""
        if self.failed is None:
            self._h2.increment_flow_control_window(count, stream.id)
            self._collect()

    def queue(self, stream: Stream, count: int) -> None:
        """`stream` has `count` more bytes to send, or its end."""
        self.unsent += count
        self._ready.setdefault(stream.id, stream)

    def unqueue(self, stream: Stream, count: int) -> None:
        """It has `count` bytes less, and nothing to send any more."""
        self.unsent -= count
        self._ready.pop(stream.id, None)

    def resetStream(self, stream: Stream, code: int) -> None:
        """End a stream; what is on its way to it is dropped when it comes."""
        self.streams.pop(stream.id, None)
        if self.failed is not None:
            return
        try:
            self._h2.reset_stream(stream.id, ErrorCodes(code))
        except ProtocolError:
            # It has not begun, or has ended by now.
            return
        self._remember(stream.id)
        self._collect()

    def _remember(self, number: int) -> None:
        self._reset[number] = None
        if len(self._reset) > _REMEMBERED:
            self._reset.popitem(last=False)

    def forget(self, stream: Stream) -> None:
        """It is whole, both ways."""
        self.streams.pop(stream.id, None)
        self._ready.pop(stream.id, None)

    def fill(self, now: float) -> None:
        """Make ready some of what waits to be sent, as far as the peer's windows allow: one frame of each in turn."""
        ready = self._ready
        if not ready or self.failed is not None:
            return
        left = _FILL
        told: list[Stream] = []
        while ready and left > 0:
            before = left
            for stream in list(ready.values()):
                if stream.since is None:
                    stream.since = now
                count = self._sendSome(stream, now)
                if count >= 0:
                    left -= count + 9
                    if stream.isPressed:
                        told.append(stream)
                if left <= 0:
                    # The next time begins behind it.
                    if stream.id in ready:
                        ready.move_to_end(stream.id)
                    break
            if left == before:
                break
        for stream in told:
            if stream.isOpen:
                stream.sent()

    def _sendSome(self, stream: Stream, now: float) -> int:
        """One frame of `stream`: how many bytes it had, or -1 if there is none now."""
        h2 = self._h2
        count = min(stream.unsent, h2.max_outbound_frame_size)
        if count:
            count = min(count, h2.local_flow_control_window(stream.id))
            if count <= 0:
                return -1
        data, isLast = stream.next(count)
        trailers = stream.lastTrailers
        if data or isLast:
            h2.send_data(stream.id, data, isLast)
            self.unsent -= count
            self._updates.earn(count / 512)
            stream.since = now
        if trailers:
            h2.send_headers(stream.id, trailers, True)
            isLast = True
        self._collect()
        if isLast or not stream.unsent:
            self._ready.pop(stream.id, None)
            stream.since = None
        if isLast:
            self._updates.earn(2)
            stream.finished()
        return count

    def take(self) -> bytes:
        """What is to be sent now."""
        out = self._out
        if not out:
            return b""
        self._out = []
        return b"".join(out)

    # ---- The end ----

    def goAway(self, code: int = NO_ERROR, why: str = "") -> None:
        """Say that no stream begins any more (section 6.8). Those that have begun go on."""
        self.leaving = True
        payload = self.lastStream.to_bytes(4, "big") + code.to_bytes(4, "big") + why.encode("utf-8", "replace")[:128]
        # Not by `h2`, which takes it for the end of all streams.
        self._out.append(frames.frame(frames.GOAWAY, 0, 0, payload))

    def fail(self, problem: ConnectionFailed) -> None:
        """End it: GOAWAY is the last that is sent. Who has streams is to be told by `failStreams`."""
        if self.failed is None:
            self.failed = problem
            self._h2.clear_outbound_data_buffer()
            self.goAway(problem.code, problem.why)

    def failStreams(self, problem: HTTPError) -> None:
        """The connection is over: whoever waits is told so."""
        if self.failed is None:
            self.failed = problem
        streams, self.streams = self.streams, {}
        for stream in streams.values():
            stream.fail(problem)


def _why(problem: ProtocolError) -> tuple[int, str]:
    if isinstance(problem.__cause__, HPACKError) and problem.error_code == ErrorCodes.PROTOCOL_ERROR:
        # Section 4.3.
        return COMPRESSION_ERROR, "a head that HPACK cannot read"
    return int(problem.error_code), str(problem) or type(problem).__name__
