"""Request lines and status lines (RFC 9112, sections 3 and 4), each read by one regular expression.

Lines that do not match are looked at again, to say what is wrong with them and which status that is.
"""

from __future__ import annotations

import re

from protocols.http.error import BadMessage, TooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocols.http.limits import Limits

__all__ = ["BAD_BYTE", "METHODS", "REQUEST_LINE", "STATUS_LINE", "isAuthority", "readRequestLine", "whyNoStatusLine"]

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
# What may be in a target: all visible characters but those that no URI has and that browsers encode. RFC 3986 has no
# \ ^ ` { | } and no [ ] either, but browsers send them as they are: in the path all but the backslash, which some take
# for a slash. There is no fragment.
_PATH = rb"/[!$-;=@-\[\]-~]*"
_QUERY = rb"(?:\?[!$-;=?-~]*)?"

#: A request as nearly all are: method, path and query, HTTP/1.0 or 1.1, and the line's end.
REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb") (" + _PATH + _QUERY + rb") HTTP/1\.([01])\r\n").match

#: The first line of an answer. Its second space is often missing where there is no reason.
STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: ([\t -~\x80-\xff]*))?\r\n").match

#: What is nowhere in a head: controls, and a CR or LF that is not half of a line's end. A CR at the end may become one.
BAD_BYTE = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?<!\r)\n|\r(?!\n|\Z)").search

#: How methods are told. CONNECT is not among them: its target is another one.
METHODS = {
    method.encode(): method
    for method in (
        "GET HEAD POST PUT DELETE OPTIONS PATCH TRACE QUERY SEARCH REPORT"
        " PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK"
    ).split()
}

# Names as DNS has them, and addresses. RFC 3986 allows more, which is in no name that can be looked up.
_HOST = rb"(?:[A-Za-z0-9._\-]+|\[[0-9A-Fa-f:.]{2,45}\])"
_AUTHORITY = re.compile(_HOST + rb"(?::([0-9]{0,5}))?").fullmatch
_LINE = re.compile(rb"(" + _TOKEN + rb") ([!-~]+) HTTP/([0-9])\.([0-9])").fullmatch
_ANY_LINE = re.compile(rb"[^ ]+ [^ ]+ HTTP/").match
_ORIGIN = re.compile(_PATH + _QUERY).fullmatch
_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+\-.]*://([^/?]*)((?:" + _PATH + rb")?" + _QUERY + rb")").fullmatch


def isAuthority(data: bytes) -> bool:
    """Whether `data` is a host, or host and port: what a Host field says (RFC 9110, section 7.2)."""
    found = _AUTHORITY(data)
    return found is not None and (not found[1] or int(found[1]) < 65536)


def readRequestLine(line: bytes, limits: Limits) -> tuple[bytes, bytes, int, bytes | None]:
    """A request line, without its end: method, target, minor version, and the authority that the target names, if any.

    :raises BadMessage: with 400, 501 (a method longer than any), or 505.
    :raises TooLarge: with 414.
    """
    found = _LINE(line)
    if found is None:
        raise BadMessage(_whatIsWrong(line), 400, "request line", line)
    method, target = found[1], found[2]
    if found[3] != b"1" or found[4] not in b"01":
        raise BadMessage("only HTTP/1.1 and HTTP/1.0 are spoken here", 505, "request line", line)
    if len(method) > limits.method:
        raise BadMessage(f"method of more than {limits.method} bytes", 501, "request line", line)
    if len(target) > limits.target:
        raise TooLarge("target", limits.target, 414)
    return method, target, int(found[4]), _authorityOf(method, target, line)


def _authorityOf(method: bytes, target: bytes, line: bytes) -> bytes | None:
    """Which of the four forms of a target this is (RFC 9112, section 3.2), and the authority that it names."""
    if method == b"CONNECT":
        found = _AUTHORITY(target)
        if found is None or not found[1] or not isAuthority(target):
            raise BadMessage("CONNECT wants host and port", 400, "request line", line)
        return target
    if _ORIGIN(target) is not None:
        return None
    if target == b"*":
        if method != b"OPTIONS":
            raise BadMessage("target * is for OPTIONS", 400, "request line", line)
        return None
    absolute = _ABSOLUTE(target)
    if absolute is None or not isAuthority(absolute[1]):
        raise BadMessage("target is none", 400, "request line", line)
    return absolute[1]


def _whatIsWrong(line: bytes) -> str:
    if BAD_BYTE(line) is not None:
        return "control character"
    if line.count(b" ") == 1 and line.partition(b" ")[2].startswith(b"/"):
        return "no version: HTTP/0.9 is not spoken here"
    return "not a request line"


def whyNoStatusLine(line: bytes) -> str:
    """What is wrong with a line, its end included or not, that is no status line."""
    if BAD_BYTE(line) is not None:
        return "control character"
    if re.match(rb"HTTP/[0-9]\.[0-9] ", line) is not None and re.match(rb"HTTP/1\.[01] ", line) is None:
        return "only HTTP/1.1 and HTTP/1.0 are spoken here"
    return "not a status line"
