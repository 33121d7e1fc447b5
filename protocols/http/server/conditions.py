"""Conditions and ranges of requests: what If-Match and its like, and Range, mean for something that has an entity tag
and a date (RFC 9110, sections 13 and 14). Pure.
"""

from __future__ import annotations

import re
from calendar import timegm
from email.utils import parsedate_tz

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocols.http.headers import Headers

__all__ = ["UNSATISFIABLE", "rangeOf", "statusOf", "timeOf"]

#: What `rangeOf` says of a range that is none of these bytes.
UNSATISFIABLE = (-1, -1)

_RANGE = re.compile(r"[ \t]*(\d{1,18})?[ \t]*-[ \t]*(\d{1,18})?[ \t]*")
_TAG = re.compile(r'(?:W/)?"[^"]*"')


def timeOf(date: str) -> int | None:
    """A date of HTTP in seconds since 1970; None for what is none."""
    parsed = parsedate_tz(date)
    if parsed is None:
        return None
    try:
        return timegm((*parsed[:6], 0, 0, 0)) - (parsed[9] or 0)
    except (ValueError, OverflowError):
        return None


def _matches(values: list[str], tag: str, weakly: bool) -> bool:
    value = ", ".join(values)
    if value.strip() == "*":
        return True
    for each in _TAG.findall(value):
        if each == tag and (weakly or not tag.startswith("W/")):
            return True
        if weakly and each.removeprefix("W/") == tag.removeprefix("W/"):
            return True
    return False


def statusOf(method: str, headers: Headers, tag: str, modified: float) -> int | None:
    """304 or 412 where the request's conditions say so, in the order of RFC 9110, section 13.2.2; else None.

    :param tag: the entity tag, with its quotes.
    :param modified: when it was last changed, in seconds since 1970.
    """
    second = int(modified)
    if "if-match" in headers:
        if not _matches(headers.getAll("if-match"), tag, False):
            return 412
    elif "if-unmodified-since" in headers:
        since = timeOf(headers["if-unmodified-since"])
        if since is not None and second > since:
            return 412
    reads = method in ("GET", "HEAD")
    if "if-none-match" in headers:
        if _matches(headers.getAll("if-none-match"), tag, True):
            return 304 if reads else 412
    elif "if-modified-since" in headers and reads:
        since = timeOf(headers["if-modified-since"])
        if since is not None and second <= since:
            return 304
    return None


def rangeOf(headers: Headers, size: int, tag: str, modified: float) -> tuple[int, int] | None:
    """The bytes that are asked for, as offset and count; None for all of them, UNSATISFIABLE for none of these.

    One range is kept to; of several all is sent, which RFC 9110, section 14.2 allows, and which costs us no more than
    it does others.
    """
    values = headers.getAll("range")
    if len(values) != 1:
        return None
    unit, equals, text = values[0].partition("=")
    if not equals or unit.strip().lower() != "bytes" or "," in text:
        return None
    found = _RANGE.fullmatch(text)
    if found is None or not (found[1] or found[2]):
        return None
    since = headers.get("if-range")
    if since is not None and not _isOf(since, tag, modified):
        return None
    if not found[1]:
        count = min(int(found[2]), size)
        return (size - count, count) if count else UNSATISFIABLE
    first = int(found[1])
    last = int(found[2]) if found[2] else size - 1
    if found[2] and last < first:
        return None
    if first >= size:
        return UNSATISFIABLE
    return first, min(last, size - 1) - first + 1


def _isOf(since: str, tag: str, modified: float) -> bool:
    """Whether what If-Range names is what is there."""
    if since.startswith('"'):
        return since == tag
    return timeOf(since) == int(modified)
