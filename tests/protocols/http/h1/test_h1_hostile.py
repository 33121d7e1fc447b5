"""Hostile requests: each is refused with its status, or read in the one way that it can be read, however it is cut.

The corpus stands in `httphostile`. Two other readers are given the same bytes: the strict reading of the tests' own,
which must come to the same, and h11, which differs for the reasons below and for no others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import h11
import strictly
from httphostile import REQUESTS, Hostile
from httpread import Outcome, Told, fed, pieces, requests

from protocols.http.error import TooLarge
from protocols.http.h1 import RequestReader
from protocols.http.h1.states import State

BY_NAME = {each.name: each for each in REQUESTS}


def wrong(isWrong: Callable[[Hostile], object]) -> list[tuple[str, object]]:
    """The names of those of which `isWrong` says something, and what."""
    return [(case.name, said) for case in REQUESTS if (said := isWrong(case))]


def test_the_corpus_is_large_and_each_of_it_is_there_once() -> None:
    assert len(BY_NAME) == len(REQUESTS) >= 700
    assert Counter(each.status for each in REQUESTS).keys() == {None, 400, 414, 417, 431, 501, 505}


def test_each_is_refused_or_read_as_it_should() -> None:
    def misread(case: Hostile) -> object:
        out = requests(case.data)
        said = (out.status, len(out.heads), tuple(out.bodies))
        return said != (case.status, case.heads, case.bodies) and (said, out.error)

    assert wrong(misread) == []


def test_what_is_behind_an_error_is_not_read_and_the_error_is_one_line() -> None:
    for case in REQUESTS:
        out = requests(case.data)
        if out.error is not None:
            assert not [head for head in out.heads if "smuggled" in head.target], case.name
            assert str(out.error).isprintable() and len(str(out.error)) < 500, case.name


def test_how_it_is_cut_does_not_matter() -> None:
    def depends(case: Hostile) -> object:
        data = case.data
        whole = requests(data).summary()
        cuts = [list(pieces(data, step)) for step in (1, 977) if len(data) < 10_000 or step > 1]
        # Line ends are where it may matter.
        ends = [at for at in range(1, min(len(data), 150)) if data[at - 1] in b"\r\n" or data[at] in b"\r\n"]
        for cut in cuts + [[data[:at], data[at:]] for at in ends]:
            told = Told()
            if fed(RequestReader(told), told, cut).summary() != whole:
                return list(map(len, cut))[:5]
        return None

    assert wrong(depends) == []


# ---- A strict reading ----


def ours(out: Outcome) -> tuple[list[tuple[Any, ...]], str]:
    """What we have read, in the words of `strictly.read`."""
    trailers = [*out.told.trailers, None]
    messages = [
        (head.method.encode(), head.target.encode(), head.fields, body, trailers[at])
        for at, (head, body) in enumerate(zip(out.heads, out.bodies, strict=True))
    ]
    if out.error is not None:
        return messages, "refused"
    if out.reader.state >= State.HELD:
        return messages, "last"
    return messages, "ready" if out.reader.state is State.HEAD and not out.reader.buffered else "more"


def test_a_strict_reading_comes_to_the_same() -> None:
    def differs(case: Hostile) -> object:
        out = requests(case.data)
        if isinstance(out.error, TooLarge) or (case.status == 501 and case.name.startswith("method")):
            return None  # a limit, which the strict reading has none of
        messages, end = ours(out)
        theirs, theirEnd = strictly.read(case.data)
        # Where it cannot tell yet, we may be able to.
        isAlike = end == theirEnd or (end, theirEnd) == ("refused", "more")
        return not isAlike or messages != [tuple(each) for each in theirs]

    assert wrong(differs) == []


# ---- h11 ----

# Why h11 reads what we refuse. The name of a case begins with one of these, or it is read and refused alike.
H11_READS = {
    "both: ": "it goes by Transfer-Encoding, and by both when it has to",
    "both, others": "the same",
    "both, on a GET": "the same",
    "an Upgrade with two framings": "the same",
    "coding in HTTP/1.0": "it does not look at the version",
    "coding and length in HTTP/1.0": "neither at that",
    "length b'5,5'": "it takes a list of the same length for one",
    "length b'5, 5'": "the same",
    "length twice, the same": "the same",
    "length twice, in two": "the same",
    "length b'1000000000000000000'": "we read 18 digits, it 20",
    "length b'18446744073709551621'": "the same",
    "line b'": "any visible characters are a target for it",
    "version b'": "any two digits are a version for it",
    "method too long": "a limit of ours",
    "LF": "a bare LF ends a line for it",
    "CR LF LF": "the same",
    "field b'X: y\\nTransfer": "the same",
    "field b'X: y\\nContent": "the same",
    "field b'A: b\\n": "the same, and folds",
    "field b' ": "it takes folded lines",
    "field b'\\tA": "the same",
    "field b'A: b\\r\\n": "the same",
    "an empty fold": "the same",
    "trailers b'A: b\\r\\n c": "the same",
    "field b'A: \\x": "controls are values for it, but for NUL, CR, LF, VT and FF",
    "129 fields": "a limit of ours",
    "Host b'": "it wants one Host, whatever it says",
    "absolute target, another": "it does not compare the two",
    "absolute target, empty": "the same",
    "absolute target, the port": "the same",
    "absolute target, a name that ends": "the same",
    "chunk b'5 \\r": "spaces end a size for it",
    "chunk b'5\\t": "the same",
    "behind a chunk b'\\r\\n0 ": "the same",
    "chunk b'0000000000000000": "a size may have 20 digits for it",
    "chunk b'FFFFFFFFFFFFFFFFF": "the same",
    "chunk b'1000000000": "the same",
    "chunk b'5;": "anything is an extension for it",
    "chunks: a CR in": "the same",
    "a chunk line of 300": "a limit of ours",
    "trailers b'A: b\\n": "a bare LF ends a line of trailers for it",
    "trailers b'\\n": "the same",
    "chunks: an LF ends all": "the same",
    "trailers b'A: b\\r\\n\\n": "the same",
    "trailers b'A: \\x7f": "a control",
    "trailers b'Con": "any field is a trailer for it",
    "trailers b'con": "the same",
    "trailers b'T": "the same",
    "trailers b'Host": "the same",
    "trailers b'Upgrade": "the same",
    "33 trailers": "a limit of ours",
    "Expect": "any expectation is fine for it",
    "field b'Expect: y": "the same",
    "field b'Expect: \"": "the same",
    "field b'Expect:\\n": "it takes folded lines",
    "field b'Expect: 100-continue\\r\\n": "the same",
    "Connection b'": "it does not look at what is no option",
    "Upgrade b'": "nor at what is no protocol",
    "CONNECT": "any target of CONNECT is fine for it, and a body",
}
# Why it refuses what we read.
H11_REFUSES = {
    "an empty line": "RFC 9112, section 2.2 has a server ignore one",
    "two empty lines": "the same",
    "chunks b'5 ; a": "space around extensions, which RFC 9112, section 7.1.1 has a recipient take",
}
# Why both read it, and not as the same.
H11_DIFFERS = {
    "coding b'C": "it writes codings in lower case",
    "HTTP/1.0 that stays": "it never keeps a connection of HTTP/1.0",
    "an Upgrade that Connection does not name": "it does not ask whether Connection names it",
}


def h11Reads(data: bytes) -> tuple[list[tuple[Any, ...]], str]:
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    connection.receive_data(data)
    found: list[list[Any]] = []
    end = ""
    try:
        while not end:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                found.append([event.method, event.target, event.headers.raw_items(), b"", None])
            elif isinstance(event, h11.Data):
                found[-1][3] += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                found[-1][4] = event.headers.raw_items()
                end = nextCycle(connection)
            else:
                end = "more" if connection.trailing_data[0] else "ready"
    except h11.RemoteProtocolError:
        end = "refused"
    return [tuple(each) for each in found], end


def nextCycle(connection: h11.Connection) -> str:
    if connection.their_state is h11.MIGHT_SWITCH_PROTOCOL:
        return "last"
    connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
    connection.send(h11.EndOfMessage())
    if connection.their_state is not h11.DONE or connection.our_state is not h11.DONE:
        return "last"
    connection.start_next_cycle()
    return ""


def listed(name: str, reasons: dict[str, str]) -> bool:
    return any(name.startswith(each) for each in reasons)


def test_h11_reads_it_alike_or_there_is_a_reason() -> None:
    def differs(case: Hostile) -> object:
        if len(case.data) > 5000:
            return False  # a limit, of which h11 has another
        messages, end = ours(requests(case.data))
        theirs, theirEnd = h11Reads(case.data)
        if end == "refused" == theirEnd:
            # It may have read more before it came to what it refuses too.
            return len(theirs) < len(messages)
        if end == "refused":
            return not listed(case.name, H11_READS)
        if theirEnd == "refused":
            return not listed(case.name, H11_REFUSES)
        isAlike = messages == theirs and (end, theirEnd) in (("ready", "ready"), ("last", "last"), ("more", "ready"))
        return not isAlike and not listed(case.name, H11_DIFFERS)

    assert wrong(differs) == []


def test_every_reason_is_needed() -> None:
    used: set[str] = set()
    reasons = {**H11_READS, **H11_REFUSES, **H11_DIFFERS}
    for case in REQUESTS:
        if len(case.data) <= 5000 and ours(requests(case.data)) != h11Reads(case.data):
            used |= {each for each in reasons if case.name.startswith(each)}
    assert reasons.keys() - used == set()
