"""The fields of a head out of its bytes: llhttp splits them, by way of httptools, and its count must be ours.

This is the one place that imports httptools (the extra ``http``). llhttp never sees more than one head. Its own start
line is always the same, that of an answer that has no body whatever its fields say: so it frames nothing, takes nothing
for an upgrade, and a single parser serves heads of requests, of responses and trailers for ever. A parser made for each
would take 1.0 times what a small head takes; one that is used again has to be told that the connection goes on behind
"Connection: close" (`lenient_keep_alive`, the only leniency; that is ours to judge).
"""

from __future__ import annotations

from operator import methodcaller

from protocols.http.error import BadMessage

try:
    import httptools
except ImportError as e:  # pragma: no cover
    raise ImportError("HTTP needs httptools: pip install 'reactor-loop[http]'") from e

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Pairs = list[tuple[bytes, bytes]]
    Parser = tuple[Callable[[bytes], None], dict[bytes, bytes]]

__all__ = ["readFields"]

# A status that never has a body.
_START = b"HTTP/1.1 304 \r\n"

# llhttp leaves the space behind a value.
_endsBlank = methodcaller("endswith", (b" ", b"\t"))

# Parsers that nobody uses at the moment; several only if there are threads. A parser that refused something is dropped.
_free: list[Parser] = []


class _Callbacks:
    """What httptools looks for callbacks in. It is one of C's: no Python runs while llhttp does."""

    def __init__(self, field: Callable[[bytes, bytes], object]) -> None:
        self.on_header = field


def _parserFor(field: Callable[[bytes, bytes], object]) -> Callable[[bytes], None]:
    parser = httptools.HttpResponseParser(_Callbacks(field))
    parser.set_dangerous_leniencies(lenient_keep_alive=True)
    return parser.feed_data


def readFields(block: bytes, place: str = "fields") -> tuple[Pairs, dict[bytes, bytes] | None]:
    """The fields of `block`: their lines with CR LF, and the empty line.

    :return: the fields in order, without the space around their values; and the same as a dict, or None if a name is
        there twice, written alike.
    :raises BadMessage: if it is not that and nothing else.
    """
    try:
        feed, named = _free.pop()
        feed(_START + block)
    except (IndexError, httptools.HttpParserError):
        # None is free, or it is not amused: be it by this block, or by what is left of all those before. llhttp goes on
        # counting a Content-Length behind one that came with "Connection: close", for example.
        named = {}
        feed = _parserFor(named.setdefault)
        try:
            feed(_START + block)
        except httptools.HttpParserError as e:
            raise BadMessage(str(e), 400, place, block) from None
    lines = block.count(b"\r\n") - 1
    if len(named) != lines:
        pairs = _readTwice(block, lines, place)
        if len(named) == len({name for name, _ in pairs}):
            named.clear()
            _free.append((feed, named))
        return pairs, None
    fields = dict(named)
    named.clear()
    _free.append((feed, named))
    if True in map(_endsBlank, fields.values()):
        for name, value in fields.items():
            fields[name] = value.rstrip(b" \t")
    return list(fields.items()), fields


def _readTwice(block: bytes, lines: int, place: str) -> Pairs:
    """A name is there twice, or llhttp has taken something for a line that is none."""
    pairs: Pairs = []
    _parserFor(lambda name, value: pairs.append((name, value.rstrip(b" \t"))))(_START + block)
    if len(pairs) != lines:
        raise BadMessage(f"{lines} lines, but {len(pairs)} fields", 400, place, block)
    return pairs
