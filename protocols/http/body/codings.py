"""Content codings (RFC 9110, section 8.4.1), undone: gzip and deflate, and by extras br (RFC 7932) and zstd (8878).

A `Decoder` is fed and gives pieces of a bound, whatever a byte of input may become: nothing is decoded before a piece
is asked for. It knows where the coded data ends: a body that is cut off, or goes on behind its end, is an error. Pure.
"""

from __future__ import annotations

import zlib
from importlib.util import find_spec

from protocols.http.error import BadMessage, Incomplete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

#: Bytes that come out at a time, and how many codings may lie over each other.
PIECE = 65536
CODINGS_LIMIT = 4
# A window larger than that needs as much memory (RFC 9659: 8 MiB at most).
_ZSTD_WINDOW_LOG = 23


class _Stage:
    """One coding. `take(room)` gives at most `room` bytes; none when it wants more."""

    name = ""

    def __init__(self) -> None:
        # What has come and was not looked at yet.
        self.waiting = b""
        self.before: _Stage | None = None
        self.begun = False

    def take(self, room: int) -> bytes:
        """The next bytes."""
        while True:
            if self.waiting:
                self.begun = True
            out = self.decode(room)
            if out:
                return out
            if self.before is None:
                return b""
            more = self.before.take(PIECE)
            if not more:
                return b""
            self.waiting += more

    def decode(self, room: int) -> bytes:
        """What comes of `waiting`, at most `room` bytes; none only if all of `waiting` was used."""
        raise NotImplementedError

    def isWhole(self) -> bool:
        """Whether the coded data is at its end."""
        raise NotImplementedError

    def behind(self, data: bytes) -> None:
        """There is something behind the end."""
        raise BadMessage(f"bytes behind the end of what is coded with {self.name}", place="body", data=data[:60])


class _Zlib(_Stage):
    wbits = 15

    def __init__(self) -> None:
        super().__init__()
        self._inflater: Any = None

    def _begin(self) -> None:
        self._inflater = zlib.decompressobj(self.wbits)

    def decode(self, room: int) -> bytes:
        while True:
            inflater = self._inflater
            if inflater is None:
                if not self._ready():
                    return b""
                self._begin()
                continue
            if inflater.eof:
                if not self.waiting or not self._again():
                    return b""
                continue
            try:
                out: bytes = inflater.decompress(self.waiting, room)
            except zlib.error as e:
                raise BadMessage(f"no {self.name}: {e}", place="body", data=self.waiting[:60]) from None
            self.waiting = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
            if out or not (self.waiting or inflater.eof):
                return out

    def _ready(self) -> bool:
        return bool(self.waiting)

    def _again(self) -> bool:
        self.behind(self.waiting)
        return False

    def isWhole(self) -> bool:
        return self._inflater is not None and self._inflater.eof and not self.waiting


class _Gzip(_Zlib):
    name = "gzip"
    wbits = 31

    def _again(self) -> bool:
        # Members may follow each other (RFC 1952, section 2.2).
        if not b"\x1f\x8b".startswith(self.waiting[:2]):
            self.behind(self.waiting)
        if len(self.waiting) < 2:
            return False
        self._begin()
        return True


class _Deflate(_Zlib):
    name = "deflate"

    def _ready(self) -> bool:
        if len(self.waiting) < 2:
            return False
        # The standard means zlib's form; many servers leave its head out.
        first, second = self.waiting[:2]
        isZlib = first & 15 == 8 and first >> 4 <= 7 and (first << 8 | second) % 31 == 0
        self.wbits = 15 if isZlib else -15
        return True


class _Brotli(_Stage):
    name = "br"

    def __init__(self) -> None:
        super().__init__()
        import brotli

        self._error: Any = brotli.error
        self._decompressor = brotli.Decompressor()
        self._mayHaveMore = False

    def decode(self, room: int) -> bytes:
        decompressor = self._decompressor
        while True:
            if decompressor.is_finished():
                if self.waiting:
                    self.behind(self.waiting)
                return b""
            data = b""
            # It may have more to give though it has taken all, and may keep what it did not look at.
            if decompressor.can_accept_more_data():
                data, self.waiting = self.waiting, b""
                if not data and not self._mayHaveMore:
                    return b""
            try:
                out: bytes = decompressor.process(data, output_buffer_limit=room)
            except self._error as e:
                raise BadMessage(f"no br: {e}", place="body", data=data[:60]) from None
            self._mayHaveMore = bool(out)
            if out:
                return out

    def isWhole(self) -> bool:
        return bool(self._decompressor.is_finished()) and not self.waiting


class _Zstd(_Stage):
    name = "zstd"

    def __init__(self) -> None:
        super().__init__()
        self._zstd = _zstdModule()
        self._begin()

    def _begin(self) -> None:
        zstd = self._zstd
        options = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}
        self._decompressor = zstd.ZstdDecompressor(options=options)

    def decode(self, room: int) -> bytes:
        while True:
            decompressor = self._decompressor
            if decompressor.eof:
                # Frames may follow each other (RFC 8878, section 3).
                self.waiting = decompressor.unused_data + self.waiting
                if not self.waiting:
                    return b""
                self._begin()
                continue
            data, self.waiting = self.waiting, b""
            if not data and decompressor.needs_input:
                return b""
            try:
                out: bytes = decompressor.decompress(data, room)
            except self._zstd.ZstdError as e:
                raise BadMessage(f"no zstd: {e}", place="body", data=data[:60]) from None
            if out or (decompressor.needs_input and not decompressor.eof):
                return out
            if decompressor.eof and not decompressor.unused_data:
                return out

    def isWhole(self) -> bool:
        return bool(self._decompressor.eof) and not self.waiting and not self._decompressor.unused_data


def _zstdModule() -> Any:
    try:
        from compression import zstd  # type: ignore[import-not-found, unused-ignore]  # Python 3.14
    except ImportError:
        from backports import zstd
    return zstd


_STAGES: dict[str, type[_Stage]] = {"gzip": _Gzip, "x-gzip": _Gzip, "deflate": _Deflate, "br": _Brotli, "zstd": _Zstd}
_NEEDED = {"br": ("brotli", "brotli"), "zstd": ("backports.zstd", "zstd")}


def _isThere(coding: str) -> bool:
    if coding == "zstd" and _found("compression.zstd"):
        return True
    return _found(_NEEDED[coding][0])


def _found(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:
        return False


_accepted: list[str] = []


def acceptable() -> str:
    """The field Accept-Encoding: what can be undone with what is installed."""
    if not _accepted:
        _accepted.append(", ".join(["gzip", "deflate", *filter(_isThere, _NEEDED)]))
    return _accepted[0]


def codingsOf(value: str) -> list[str]:
    """The codings that a field Content-Encoding names, in the order in which they were applied."""
    names = [name.strip(" \t").lower() for name in value.split(",")]
    return [name for name in names if name and name != "identity"]


class Decoder:
    """Undoes codings."""

    def __init__(self, codings: Sequence[str]) -> None:
        """`codings` are in the order in which they were applied.

        BadMessage for one that is not known, one whose library is not installed, and more than `CODINGS_LIMIT`.
        """
        if len(codings) > CODINGS_LIMIT:
            raise BadMessage(f"{len(codings)} codings over each other, {CODINGS_LIMIT} are allowed", place="body")
        stages: list[_Stage] = []
        for coding in reversed(codings):
            stage = _stage(coding)
            if stages:
                stage.before = stages[-1]
            stages.append(stage)
        self._stages = stages
        #: Bytes that came in, and that came out.
        self.taken = 0
        self.given = 0

    def feed(self, data: bytes) -> None:
        """Coded data came."""
        self.taken += len(data)
        self._stages[0].waiting += data

    def take(self, room: int = PIECE) -> bytes:
        """The next piece, at most `room` bytes; empty when all that was fed is decoded. BadMessage for bad data."""
        piece = self._stages[-1].take(room)
        self.given += len(piece)
        return piece

    def end(self) -> None:
        """No more is fed, and all was taken. Incomplete when the coded data was not at its end."""
        if not self.taken:
            # No body at all: to HEAD, or an empty one that was named gzip all the same.
            return
        for stage in self._stages:
            if not stage.isWhole():
                raise Incomplete(self.taken, None, f"body coded with {stage.name}")


def _stage(coding: str) -> _Stage:
    kind = _STAGES.get(coding)
    if kind is None:
        raise BadMessage(f"content coding {coding[:40]!r} is not known", place="content-encoding")
    try:
        return kind()
    except ImportError:
        extra = _NEEDED[coding][1]
        raise BadMessage(
            f"content coding {coding!r} needs a library: pip install 'reactor-loop[{extra}]'", place="content-encoding"
        ) from None
