"""A second reading of requests, in the tests' own words: the grammar of RFC 9112 as expressions over all of the bytes.

Slow, without limits, and whole: it is given everything at once. What it refuses that the RFC would have it take is what
can be read in two ways, and stands in doc/http.rst.
"""

from __future__ import annotations

import re
from typing import NamedTuple

TOKEN = rb"[-!#$%&'*+.^_`|~0-9a-zA-Z]+"
FIELD = rb"(?:" + TOKEN + rb"):[\t\x20-\x7e\x80-\xff]*\r\n"
HEAD = re.compile(rb"(" + TOKEN + rb") ([\x21-\x7e]+) HTTP/1\.([01])\r\n((?:" + FIELD + rb")*)\r\n")
QUOTED = rb'"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"'
EXTENSIONS = rb"(?:[\t ]*;[\t ]*" + TOKEN + rb"(?:[\t ]*=[\t ]*(?:" + TOKEN + rb"|" + QUOTED + rb"))?)*"
CHUNK = re.compile(rb"([0-9a-fA-F]{1,16})" + EXTENSIONS + rb"\r\n")
TRAILERS = re.compile(rb"((?:" + FIELD + rb")*)\r\n")
NAME = rb"(?:[-._0-9a-zA-Z]+|\[[0-9a-fA-F:.]{2,45}\])"
PORT = rb"(?::([0-9]{0,5}))?"
NO_TRAILERS = {
    b"content-length",
    b"transfer-encoding",
    b"host",
    b"connection",
    b"upgrade",
    b"expect",
    b"trailer",
    b"te",
}


class Message(NamedTuple):
    method: bytes
    target: bytes
    fields: list[tuple[bytes, bytes]]
    body: bytes
    trailers: list[tuple[bytes, bytes]] | None  # None: it does not end


class Refused(Exception):
    """There is no telling what this means."""


class More(Exception):
    """It may become a message, or not."""


def read(data: bytes) -> tuple[list[Message], str]:
    """The messages in `data`, and how it ends: "refused", "more" (which may be refused), "ready", or "last"."""
    found: list[Message] = []
    at = 0
    try:
        while True:
            empty = 0
            while data.startswith(b"\r\n", at):
                at, empty = at + 2, empty + 1
            if empty > 2:
                raise Refused
            if at == len(data):
                return found, "ready"
            head = HEAD.match(data, at)
            if head is None:
                raise More if b"\r\n\r\n" not in data[at:] else Refused
            at = head.end()
            fields = fieldsOf(head[4])
            goesOn, length = judge(head[1], head[2], head[3], fields)
            found.append(Message(head[1], head[2], fields, b"", None))
            body, trailers, at = bodyOf(data, at, length, found)
            found[-1] = Message(head[1], head[2], fields, body, trailers)
            if not goesOn:
                return found, "last"
    except Refused:
        return found, "refused"
    except More:
        return found, "more"


def fieldsOf(lines: bytes) -> list[tuple[bytes, bytes]]:
    pairs = [line.split(b":", 1) for line in lines.split(b"\r\n")[:-1]]
    return [(name, value.strip(b"\t ")) for name, value in pairs]


def judge(method: bytes, target: bytes, minor: bytes, fields: list[tuple[bytes, bytes]]) -> tuple[bool, int | None]:
    """Whether another request may follow, and the length of the body: None for chunks."""

    def all_(name: bytes) -> list[bytes]:
        return [value for each, value in fields if each.lower() == name]

    def members(name: bytes) -> list[bytes]:
        return [each.strip(b"\t ").lower() for value in all_(name) for each in value.split(b",") if each.strip(b"\t ")]

    hosts, lengths, codings = all_(b"host"), all_(b"content-length"), all_(b"transfer-encoding")
    if len(hosts) > 1 or (not hosts and minor == b"1"):
        raise Refused
    if hosts and hosts[0] and not isPlace(hosts[0]):
        raise Refused
    named = authority(method, target)
    if named is not None and hosts and not areOne(named, hosts[0]):
        raise Refused
    options = members(b"connection")
    if not all(re.fullmatch(TOKEN, each) for each in options):
        raise Refused
    if b"host" in options or b"content-length" in options:
        raise Refused
    length: int | None = 0
    if codings:
        if lengths or minor == b"0" or [each.lower() for each in codings] != [b"chunked"]:
            raise Refused
        length = None
    elif lengths:
        if len(lengths) > 1 or re.fullmatch(rb"[0-9]{1,18}", lengths[0]) is None:
            raise Refused
        length = int(lengths[0])
    if method == b"CONNECT" and length != 0:
        raise Refused
    expected = all_(b"expect")
    if minor == b"1" and expected and [each.lower() for each in expected] != [b"100-continue"]:
        raise Refused
    upgrades = members(b"upgrade")
    changes = minor == b"1" and b"upgrade" in options and bool(upgrades)
    if changes and not all(re.fullmatch(TOKEN + rb"(?:/" + TOKEN + rb")?", each) for each in upgrades):
        raise Refused
    stays = b"close" not in options and (minor == b"1" or b"keep-alive" in options)
    return stays and method != b"CONNECT" and not changes, length


def isPlace(value: bytes) -> bool:
    found = re.fullmatch(NAME + PORT, value)
    return found is not None and int(found[1] or b"0") <= 65535


def areOne(named: bytes, host: bytes) -> bool:
    places = [re.fullmatch(rb"(.*?)(?::([0-9]*))?", each.lower()) for each in (named, host)]
    (name, port), (otherName, otherPort) = ((each[1], each[2] or b"") for each in places if each is not None)
    return name == otherName and (port == otherPort or {port, otherPort} in ({b"", b"80"}, {b"", b"443"}))


def authority(method: bytes, target: bytes) -> bytes | None:
    if method == b"CONNECT":
        if not isPlace(target) or not re.search(rb":[0-9]+$", target):
            raise Refused
        return target
    path, question, query = target.partition(b"?")
    if re.search(rb'["#<>]', target) or b"\\" in path:
        raise Refused
    if path.startswith(b"/"):
        return None
    if target == b"*" and method == b"OPTIONS":
        return None
    absolute = re.match(rb"[a-zA-Z][-+.0-9a-zA-Z]*://([^/]*)", path)
    if absolute is None or not isPlace(absolute[1]):
        raise Refused
    return absolute[1]


def bodyOf(
    data: bytes, at: int, length: int | None, found: list[Message]
) -> tuple[bytes, list[tuple[bytes, bytes]] | None, int]:
    if length is not None:
        body = data[at : at + length]
        found[-1] = found[-1]._replace(body=body)
        if len(body) < length:
            raise More
        return body, [], at + length
    body = b""
    while True:
        chunk = CHUNK.match(data, at)
        if chunk is None:
            raise More if b"\r\n" not in data[at:] else Refused
        at = chunk.end()
        size = int(chunk[1], 16)
        if not size:
            break
        body += data[at : at + size]
        found[-1] = found[-1]._replace(body=body)
        if len(data) < at + size:
            raise More
        at += size
        if data[at : at + 2] != b"\r\n":
            raise Refused if data[at : at + 2] not in (b"", b"\r") else More
        at += 2
    trailers = TRAILERS.match(data, at)
    if trailers is None:
        raise More if b"\r\n\r\n" not in data[at:] and not data.startswith(b"\r\n", at) else Refused
    fields = fieldsOf(trailers[1])
    if any(name.lower() in NO_TRAILERS for name, _ in fields):
        raise Refused
    return body, fields, trailers.end()
