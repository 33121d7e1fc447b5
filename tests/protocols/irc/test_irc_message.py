"""IRC messages: the public vectors of irc-parser-tests, Twisted's parser beside ours, round trips, limits."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from protocols.irc import (
    IRCBadMessage,
    Message,
    isHostname,
    matchesMask,
    parseMessage,
    parsemsg,
    parseServerTime,
    splitSource,
)
from protocols.irc import message as messages

twisted: Any = None
try:
    from twisted.words.protocols import irc as twisted
except ImportError:
    pass
vectors = pytest.importorskip("parser_tests.data", reason="irc-parser-tests is not installed")


@pytest.mark.parametrize("vector", vectors.msg_split["tests"], ids=lambda vector: vector["input"])
def test_splitVector(vector) -> None:
    atoms = vector["atoms"]
    for line in (vector["input"], vector["input"].encode(), vector["input"] + "\r\n"):
        message = Message.parse(line)
        assert message.tags == atoms.get("tags", {})
        assert message.source == (atoms.get("source") or "")
        assert message.command == atoms["verb"]
        assert message.params == atoms.get("params", [])
    assert Message.parse(message.format()) == message


@pytest.mark.parametrize("spaces", [1, 2, 7])
def test_spacesBehindTags(spaces: int) -> None:
    gap = " " * spaces
    with_, without = (Message.parse(f"@a=b;c{gap}{source}PRIVMSG{gap}#c :d  e") for source in (":x!y@z" + gap, ""))
    assert (with_.tags, with_.source, with_.command, with_.params) == (
        {"a": "b", "c": ""},
        "x!y@z",
        "PRIVMSG",
        ["#c", "d  e"],
    )
    assert (without.source, without.command, without.params) == ("", "PRIVMSG", ["#c", "d  e"])
    with pytest.raises(IRCBadMessage, match="an empty line"):
        Message.parse("@a=b" + gap)


NEW_YEAR = 1483228800


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2017-01-01T00:00:00.000Z", NEW_YEAR),
        ("2016-12-31T23:59:59.250Z", NEW_YEAR - 0.75),
        ("2016-12-31T23:59:60.000Z", NEW_YEAR),
        ("2016-12-31T23:59:60.250Z", NEW_YEAR + 0.25),
        ("2016-12-31T23:59:60Z", NEW_YEAR),
        ("2016-12-31T23:59:60", NEW_YEAR),
        ("20161231T235960Z", NEW_YEAR),
        ("2017-01-01T05:29:60.5+05:30", NEW_YEAR + 0.5),
        ("2017-01-01T01:00:00+01:00", NEW_YEAR),
        ("2016-12-31T23:59:61Z", None),
        ("2016-12-31T23:60:00Z", None),
        ("2016-12-31T24:59:60Z", None),
        ("nonsense", None),
        ("", None),
        ("0001-01-01T00:00:00+23:59", -62135683140),
        ("9999-12-31T23:59:60Z", 253402300800),
    ],
)
def test_serverTime(text: str, seconds: float | None) -> None:
    assert parseServerTime(text) == seconds


@pytest.mark.parametrize("vector", vectors.msg_join["tests"], ids=lambda vector: vector["desc"])
def test_joinVector(vector) -> None:
    atoms = vector["atoms"]
    message = Message(atoms["verb"], atoms.get("params", ()), atoms.get("source", ""), atoms.get("tags"))
    assert message.format().decode() in vector["matches"]


@pytest.mark.parametrize("vector", vectors.userhost_split["tests"], ids=lambda vector: vector["source"])
def test_userhostVector(vector) -> None:
    expected = tuple(vector["atoms"].get(name, "") for name in ("nick", "user", "host"))
    assert splitSource(vector["source"]) == expected
    message = Message("X", source=vector["source"])
    assert (message.nick, message.user, message.host) == expected


@pytest.mark.parametrize("vector", vectors.mask_match["tests"], ids=lambda vector: vector["mask"])
def test_maskVector(vector) -> None:
    assert [text for text in vector["matches"] if not matchesMask(vector["mask"], text)] == []
    assert [text for text in vector["fails"] if matchesMask(vector["mask"], text)] == []


@pytest.mark.parametrize("vector", vectors.validate_hostname["tests"], ids=lambda vector: vector["host"])
def test_hostnameVector(vector) -> None:
    assert isHostname(vector["host"]) is vector["valid"]


# Letters that mean something, so that short texts come upon everything.
lines = st.text(st.sampled_from("aB1:;= @!\\+-,*\t\x01é\udcff"), max_size=30)


@pytest.mark.skipif(twisted is None, reason="Twisted is not installed")
@settings(max_examples=300)
@given(lines)
@example(":a PING :b CMD :x")
@example("PING :b CMD :x")
def test_parsemsgIsTwisteds(line: str) -> None:
    # Twisted takes any white space for the space between parameters.
    line = line.replace("\t", "")
    rest = line.partition(" ")[2] if line.startswith(":") else line
    if not rest.strip(" ") or rest.lstrip(" ").startswith(":"):
        # No command. Twisted raises what happens to be raised there, or takes the last parameter for one.
        with pytest.raises(IRCBadMessage):
            parsemsg(line)
        return
    expected = twisted.parsemsg(line)
    assert parsemsg(line) == expected
    assert parsemsg(line) == expected  # the second time, it is remembered


@settings(max_examples=300)
@given(st.binary(max_size=40) | lines.map(lambda text: text.encode("utf-8", "surrogateescape")))
def test_whatWasParsedIsTheSameWhenFormattedAndParsed(line: bytes) -> None:
    try:
        message = Message.parse(line)
    except IRCBadMessage:
        return
    if message.command[0] in ":@":
        with pytest.raises(ValueError, match="not a command"):
            message.format()
        return
    formatted = message.format()
    assert Message.parse(formatted) == message
    assert formatted.count(b"\n") == formatted.count(b"\r") == formatted.count(b"\0") == 0


words = st.text(st.characters(exclude_characters=" \r\n\0", codec="utf-8"), min_size=1).filter(
    lambda w: w[0] not in ":@"
)
texts = st.text(st.characters(exclude_characters="\r\n\0", codec="utf-8"))
names = st.text(st.characters(exclude_characters=" ;=\r\n\0", codec="utf-8"), min_size=1)
values = st.text(st.characters(exclude_characters="\0", codec="utf-8"))


@settings(max_examples=100)
@given(words, st.lists(words, max_size=4), texts, st.dictionaries(names, values, max_size=3))
def test_whatWasFormattedIsTheSameWhenParsed(command: str, middle: list[str], last: str, tags: dict[str, str]) -> None:
    message = Message(command, [*middle, last], "a!b@c", tags)
    assert parseMessage(message.format(maximum=10**6)) == message


def test_bytesThatAreNotUTF8ComeOutAsTheyWentIn() -> None:
    line = b"@k=\xff :n\xe9 PRIVMSG #\xa4 :caf\xe9 \xc3\xa9 \xed\xa0\x80"
    message = Message.parse(line)
    assert message.params[1].startswith("caf\udce9 é")
    assert message.format() == line


@pytest.mark.parametrize("bad", ["\r", "\n", "\0"])
@pytest.mark.parametrize("part", ["command", "source", "middle", "last", "tag name"])
def test_nothingIsSmuggledOut(part: str, bad: str) -> None:
    text = f"a{bad}QUIT"
    message = Message(
        text if part == "command" else "X",
        [text if part == "middle" else "m", text if part == "last" else "l"],
        text if part == "source" else "",
        {text: "v"} if part == "tag name" else None,
    )
    with pytest.raises(ValueError, match=r"CR, LF or NUL|not the name of a tag"):
        message.format()


def test_aTagsValueIsEscapedButForNUL() -> None:
    message = Message("X", tags={"a": "\r\n; \\"})
    assert message.format() == rb"@a=\r\n\:\s\\ X"
    message.tags["a"] = "\0"
    with pytest.raises(ValueError, match="NUL in the tag a"):
        message.format()


@pytest.mark.parametrize(
    "message",
    [
        Message(""),
        Message("A B"),
        Message(":A"),
        Message("@A"),
        Message("A", ["", "x"]),
        Message("A", [":x", "x"]),
        Message("A", ["x y", "x"]),
        Message("A", source="x y"),
        Message("A", tags={"": "x"}),
        Message("A", tags={"a b": "x"}),
        Message("A", tags={"a;b": "x"}),
        Message("A", tags={"a=b": "x"}),
        Message("A", ["\ud800"]),
    ],
    ids=repr,
)
def test_whatWouldBeReadAsSomethingElseIsRefused(message: Message) -> None:
    with pytest.raises(ValueError):
        message.format()


def test_limitsOfWhatIsSent() -> None:
    assert len(Message("X", ["é" * 254]).format()) == messages.MAX_BODY
    with pytest.raises(ValueError, match="X is 511 bytes long, the limit is 510"):
        Message("X", ["é" * 254 + "a"]).format()
    assert len(Message("X", ["a" * 600]).format(maximum=1000)) == 602
    longest = Message("X", tags={"k": "v" * (messages.MAX_TAGS - 4)})
    assert longest.format().index(b" ") == messages.MAX_TAGS - 1
    assert Message.parse(longest.format()) == longest
    longest.tags["k"] += "v"
    with pytest.raises(ValueError, match="X has 8192 bytes of tags, the limit is 8191"):
        longest.format()


BAD = [b"", b" ", b":", b":a", b":a ", b"@a", b"@a ", b"@a :b", b" :a", b"A\rB", b"A\nB", b"A\0", b"A\r\r\n", b"\r\n"]


@pytest.mark.parametrize(
    "line",
    [*BAD, b"@" + b"v" * 8190 + b" X", "@{} X".format("é" * 4096).encode()],
)
def test_whatIsNoMessage(line: bytes) -> None:
    with pytest.raises(IRCBadMessage):
        Message.parse(line)


def test_aParsedMessageIsItsOwn() -> None:
    first, second = Message.parse("X a :b"), Message.parse("X a :b")
    first.params.append("c")
    first.tags["t"] = "v"
    assert second == Message("X", ["a", "b"])
    assert first != second
    assert first != "X"
    assert repr(second) == "Message('X', ['a', 'b'])"
    assert parsemsg("X a :b")[2] == ["a", "b"]


def test_whatIsRememberedIsBounded() -> None:
    for number in range(3000):
        parsemsg(f":n{number} X")
        parsemsg(f"X {'long ' * 100}{number}")
    assert len(messages._heads) <= messages._HEADS
    assert max(map(len, messages._heads)) <= messages._LONGEST_HEAD


@pytest.mark.parametrize(
    "line", ["@" + ";" * 8000 + " X", "X" + " " * 16000 + "a", "X" + " a" * 8000, ":" * 16000 + " X"]
)
def test_manyPartsTakeNoTime(line: str) -> None:
    began = time.process_time()
    for _ in range(10):
        Message.parse(line)
    assert time.process_time() - began < 1


def test_aMaskOfStarsTakesNoTime() -> None:
    began = time.process_time()
    assert not matchesMask("*a" * 40 + "*b", "a" * 400)
    assert time.process_time() - began < 1


def test_masksFoldNames() -> None:
    assert matchesMask("NICK[1]!*", "nick{1}!x@y")
    assert not matchesMask("NICK[1]!*", "nick{1}!x@y", "ascii")
    assert matchesMask("", "")
    assert not matchesMask("", "a")
    assert matchesMask("**", "")
