"""RFC 6455, sections 5 to 7, of one end: each test is named after the section whose MUST it holds to."""

from __future__ import annotations

import os
import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from wire import BINARY, CLOSE, CONTINUATION, KEY, PING, PONG, TEXT, End, built

from protocols.websocket import CloseCode
from protocols.websocket._frames import FIN, frame, maskedFrame
from protocols.websocket._session import TABLE, Event, State, closing

FAILED = ("failed", CloseCode.PROTOCOL_ERROR)


def closes(code: int) -> bytes:
    return code.to_bytes(2, "big")


def test_5_1_aServerTakesOnlyMaskedFrames() -> None:
    end = End().receive(built(FIN | TEXT, b"x", key=None))
    assert end.events == [FAILED] and end.messages == []


def test_5_1_aClientTakesOnlyFramesWithoutAMask() -> None:
    assert End(client=True).receive(built(FIN | TEXT, b"x")).events == [FAILED]
    assert End(client=True).receive(built(FIN | TEXT, b"x", key=None)).messages == ["x"]


def test_5_1_aServerMasksNothingAndAClientEverything() -> None:
    server, client = End(), End(client=True)
    for end in (server, client):
        end.write(end.session.pack(FIN | TEXT, b"Hello"))
        end.session.ping(b"p")
        end.session.close(1000, b"")
    assert server.written == b"\x81\x05Hello\x89\x01p\x88\x02\x03\xe8"
    assert [client.written[at] & 0x80 for at in (1, 12, 19)] == [0x80] * 3
    assert End().receive(client.written).messages == ["Hello"]


@pytest.mark.parametrize("bits", [0x40, 0x20, 0x10, 0x70])
def test_5_2_reservedBitsWithoutAnExtensionFail(bits: int) -> None:
    for opcode in (TEXT, BINARY, PING):
        assert End().receive(built(FIN | bits | opcode, b"x")).events == [FAILED]


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
def test_5_2_unknownOpcodesFail(opcode: int) -> None:
    assert End().receive(built(FIN | opcode)).events == [FAILED]


@pytest.mark.parametrize(
    "length",
    [b"\x7e\0\x7d", b"\x7f" + bytes(7) + b"\x7d", b"\x7f" + bytes(6) + b"\xff\xff", b"\x7f\x80" + bytes(7)],
    ids=["125 in 2", "125 in 8", "65535 in 8", "the highest bit"],
)
def test_5_2_lengthsHaveTheirShortestForm(length: bytes) -> None:
    assert End(maxMessage=None).receive(built(FIN | BINARY, length=length)).events == [FAILED]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 70001])
def test_5_2_everyLengthGoesBothWays(size: int) -> None:
    payload = os.urandom(size)
    assert frame(FIN | BINARY, payload) == built(FIN | BINARY, payload, key=None)
    assert maskedFrame(FIN | BINARY, payload, KEY) == built(FIN | BINARY, payload)
    assert End().receive(built(FIN | BINARY, payload)).messages == [payload]


def test_5_3_everyFrameHasAKeyOfItsOwn() -> None:
    session = End(client=True).session
    keys = {session.pack(FIN | TEXT, b"")[2:] for _ in range(300)}
    assert len(keys) == 300


def test_5_4_fragmentsMakeAMessageAndControlFramesMayStandBetween() -> None:
    end = End().receive(built(TEXT, b"Hel"), built(FIN | PING, b"?"), built(CONTINUATION), built(FIN, b"lo"))
    assert end.messages == ["Hello"] and end.events == [("ping", b"?")]


def test_5_4_aContinuationOfNothingFails() -> None:
    assert End().receive(built(FIN, b"x")).events == [FAILED]
    assert End().receive(built(FIN | TEXT, b"x"), built(CONTINUATION, b"x")).events == [FAILED]


def test_5_4_aMessageInsideAMessageFails() -> None:
    assert End().receive(built(TEXT, b"x"), built(FIN | TEXT, b"x")).events == [FAILED]


def test_5_4_whatIsSentInFragmentsArrivesWhole() -> None:
    for client in (False, True):
        end, other = End(client), End(not client)
        for part, last in ((b"ab", False), (b"", False), (b"c", True), (b"de", False), (b"", True)):
            end.session.fragment(TEXT, part, last)
        assert other.receive(end.written).messages == ["abc", "de"]


@pytest.mark.parametrize("opcode", [CLOSE, PING, PONG])
def test_5_5_controlFramesAreShortAndWhole(opcode: int) -> None:
    assert End().receive(built(opcode, b"")).events == [FAILED]
    assert End().receive(built(FIN | opcode, bytes(126))).events == [FAILED]
    # Before the length is there.
    assert End().receive(built(FIN | opcode, bytes(126))[:2]).events == [FAILED]


def test_5_5_1_aCloseIsAnsweredWithItsCodeAndNothingIsReadBehindIt() -> None:
    end = End().receive(built(FIN | CLOSE, closes(4000) + b"bye") + built(FIN | TEXT, b"x"))
    assert end.written == built(FIN | CLOSE, closes(4000) + b"bye", key=None)
    assert end.events == [("closed", 4000, "bye")] and end.messages == [] and end.session.byPeer
    end = End().receive(built(FIN | CLOSE))
    assert end.written == b"\x88\0" and end.events == [("closed", 1005, "")]


def test_5_5_1_noDataIsSentBehindAClose() -> None:
    end = End()
    end.session.close(1000, b"")
    written = end.written
    end.session.fragment(TEXT, b"x", True)
    assert end.written == written
    end.receive(built(FIN | TEXT, b"late"), built(FIN | CLOSE, closes(1000)))
    assert end.messages == [] and end.written == written and end.events == [("closed", 1000, "")]


def test_5_5_2_aPingIsAnsweredWithWhatItCarried() -> None:
    end = End().receive(built(FIN | PING, bytes(125)))
    assert end.written == built(FIN | PONG, bytes(125), key=None)


def test_5_5_3_aPongIsNotAnswered() -> None:
    end = End().receive(built(FIN | PONG, b"x"))
    assert end.written == b"" and end.events == [("pong", b"x")]


@pytest.mark.parametrize(
    "text",
    [
        b"\xce\xba\xe1\xbd",
        b"\xff",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"a\x80",
        b"\xf8\x88\x80\x80\x80",
    ],
)
def test_5_6_textIsUTF8(text: bytes) -> None:
    invalid = ("failed", CloseCode.INVALID_DATA)
    assert End().receive(built(FIN | TEXT, text)).events == [invalid]
    assert End().receive(built(TEXT, text[:1]), built(FIN, text[1:])).events == [invalid]


def test_8_1_whatIsNoUTF8IsSeenBeforeTheMessageEnds() -> None:
    whole = built(TEXT, "κόσμε".encode() + b"\xf4\x90" + bytes(1000))
    end = End()
    for at in range(len(whole)):
        end.receive(whole[at : at + 1])
        if end.events:
            break
    assert end.events == [("failed", CloseCode.INVALID_DATA)] and at < 6 + 15


def test_8_1_aCharacterMayBeCutBetweenFragments() -> None:
    text = "κόσμε \U0001f642".encode()
    pieces = [built(TEXT)] + [built(CONTINUATION, text[at : at + 1]) for at in range(len(text))] + [built(FIN)]
    assert End().receive(*pieces).messages == [text.decode()]


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
def test_7_4_codesThatMayNotBeSent(code: int) -> None:
    assert End().receive(built(FIN | CLOSE, closes(code))).events == [FAILED]
    if code != CloseCode.NO_STATUS:
        with pytest.raises(ValueError, match=str(code)):
            closing("close()", code, "")


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1014, 3000, 3999, 4999])
def test_7_4_codesThatMayBeSent(code: int) -> None:
    assert End().receive(built(FIN | CLOSE, closes(code))).events == [("closed", code, "")]
    assert closing("close()", code, "") == b""


def test_5_5_1_reasonsAreUTF8AndHaveACode() -> None:
    assert End().receive(built(FIN | CLOSE, b"\x03")).events == [FAILED]
    assert End().receive(built(FIN | CLOSE, closes(1000) + b"\xff")).events == [("failed", CloseCode.INVALID_DATA)]
    with pytest.raises(ValueError, match="123 bytes"):
        closing("close()", 1000, "é" * 62)
    with pytest.raises(ValueError, match="needs a code"):
        closing("close()", CloseCode.NO_STATUS, "why")


def test_7_1_7_whoBreaksTheProtocolIsToldWhyAndNothingIsReadBehindIt() -> None:
    end = End().receive(built(FIN | 3) + built(FIN | TEXT, b"x"), built(FIN | PING, b"x"))
    assert end.written[:4] == bytes([FIN | CLOSE, len(end.written) - 2]) + closes(1002)
    assert end.events == [FAILED] and end.messages == []
    # Not twice, and not behind a Close.
    end.session.fail(1011, "")
    assert end.events == [FAILED]
    end = End()
    end.session.close(1000, b"")
    written = end.written
    assert end.receive(built(FIN | 3)).events == [FAILED] and end.written == written


def test_10_4_messagesHaveALimitOfSizeWhateverTheyAreCutInto() -> None:
    tooBig = [("failed", CloseCode.TOO_BIG)]
    assert End(maxMessage=100).receive(built(FIN | BINARY, bytes(100))).messages == [bytes(100)]
    assert End(maxMessage=100).receive(built(FIN | BINARY, bytes(101))).events == tooBig
    # Seen in the head.
    assert End(maxMessage=100).receive(built(FIN | BINARY, bytes(101))[:6]).events == tooBig
    assert End(maxMessage=100).receive(built(BINARY, bytes(60)), built(FIN, bytes(41))[:6]).events == tooBig
    assert End(maxMessage=100).receive(built(BINARY, bytes(60)), built(FIN, bytes(40))).messages == [bytes(100)]
    assert End(maxMessage=None).receive(built(FIN | BINARY, bytes(2 << 20))).messages == [bytes(2 << 20)]


def test_10_4_messagesHaveALimitOfFragments() -> None:
    pieces = [built(BINARY), *[built(CONTINUATION)] * 9]
    assert End(maxFragments=10).receive(*pieces, built(FIN)).events == [("failed", CloseCode.TOO_BIG)]
    assert End(maxFragments=11).receive(*pieces, built(FIN)).messages == [b""]


def test_manySmallFragmentsTakeLittleMoreThanTheirBytes() -> None:
    end = End()
    end.receive(built(BINARY))
    piece = built(CONTINUATION, b"xy") * 1000
    tracemalloc.start()
    try:
        for _ in range(30):
            end.receive(piece)
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size < 150_000
    assert end.receive(built(FIN)).messages == [b"xy" * 30_000]


MESSAGES = st.lists(st.one_of(st.text(max_size=300), st.binary(max_size=300)), max_size=6)


def sent(messages: list[str | bytes], sizes: list[int]) -> bytes:
    """These messages as a client sends them, cut into frames of `sizes` in turn, with pings between."""
    found = b""
    for message in messages:
        opcode, payload = (TEXT, message.encode()) if isinstance(message, str) else (BINARY, message)
        while True:
            size = sizes[len(found) % len(sizes)] if sizes else len(payload)
            last = size >= len(payload)
            found += built((FIN if last else 0) | opcode, payload[:size]) + built(FIN | PING, b"%d" % len(found))
            payload, opcode = payload[size:], CONTINUATION
            if last:
                break
    return found


@given(MESSAGES, st.lists(st.integers(1, 200), max_size=5), st.lists(st.integers(1, 400), min_size=1, max_size=5))
@settings(max_examples=60)
def test_cutsMakeNoDifference(messages: list[str | bytes], sizes: list[int], cuts: list[int]) -> None:
    data = sent(messages, sizes)
    whole = End().receive(data)
    assert whole.messages == messages
    end, at, turn = End(), 0, 0
    while at < len(data):
        size = cuts[turn % len(cuts)]
        end.receive(data[at : at + size])
        at, turn = at + size, turn + 1
    assert (end.messages, end.events, end.written) == (whole.messages, whole.events, whole.written)


def test_everyCut() -> None:
    data = sent(["héllo", b"x" * 200, ""], [3, 50]) + built(FIN | CLOSE, closes(1000))
    whole = End().receive(data)
    for at in range(len(data)):
        end = End().receive(data[:at], data[at:])
        assert (end.messages, end.events, end.written) == (whole.messages, whole.events, whole.written), at
    end = End().receive(*[data[at : at + 1] for at in range(len(data))])
    assert (end.messages, end.events, end.written) == (whole.messages, whole.events, whole.written)


@given(st.binary(max_size=200), st.booleans())
@example(b"\x00~\x00\x00", True)
@settings(max_examples=150)
def test_whateverComesEndsInOneWay(data: bytes, client: bool) -> None:
    whole = End(client).receive(data)
    end = End(client).receive(*[data[at : at + 1] for at in range(len(data))])
    assert (end.messages, end.events) == (whole.messages, whole.events)
    # A client's masks differ.
    assert len(end.written) == len(whole.written) if client else end.written == whole.written
    assert sum(event[0] in ("closed", "failed") for event in end.events) <= 1


def test_whatIsPausedWaitsAndIsNotCopiedEachTime() -> None:
    count = 5_000
    end = End()

    def pause(end: End) -> None:
        end.session.reader.stopped = True

    end.on = pause
    end.receive(built(FIN | BINARY, b"16 bytes a piece") * count, built(FIN | TEXT, b"last"))
    assert len(end.messages) == 1
    tracemalloc.start()
    try:
        while end.session.reader.holding:
            end.session.reader.stopped = False
            end.receive(b"")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(end.messages) == count + 1 and end.messages[-1] == "last"
    assert peak < 500_000


def test_whatTheProtocolRaisesIsToldAndNothingIsReadBehindIt() -> None:
    problem = RuntimeError("mine")

    def fail(end: End) -> None:
        raise problem

    end = End()
    end.on = fail
    end.receive(built(FIN | TEXT, b"a") + built(FIN | TEXT, b"b"), built(FIN | TEXT, b"c"))
    assert end.events == [("raised", problem)] and end.messages == ["a"]


def test_theTableIsWhole() -> None:
    # What is not listed cannot happen: nothing is said or heard when both have said Close, or when it failed.
    for state in State:
        for event in Event:
            over = state in (State.CLOSED, State.FAILED)
            saysTwice = state is State.CLOSING and event is Event.SAY_CLOSE
            assert ((state, event) in TABLE) == (event is Event.END if over else not saysTwice)
