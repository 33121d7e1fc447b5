"""The server's side of IRC: what is sent is Twisted's, nothing is smuggled out, lines come over real connections."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from net import Net

from protocols import irc

HOST = "irc.example"


class Sink:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data


def made(kind: Any = irc.IRC) -> tuple[Any, Sink]:
    server, sink = kind(), Sink()
    server.hostname = HOST
    server.transport = sink
    server.connectionMade()
    return server, sink


CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("sendLine", ("hé",), {}),
    ("sendMessage", ("PRIVMSG", "#c", ":hi there"), {"prefix": "a!b@c"}),
    ("sendMessage", ("001", "me", ":hi"), {}),
    ("sendCommand", ("PRIVMSG", ["#c", ":hi"], "srv", {"a": "b;c", "b": None, "c": ""}), {}),
    ("sendCommand", ("X", ()), {}),
    ("privmsg", ("a!b@c", "#c", "hi\r\nQUIT\0"), {}),
    ("notice", ("a", "b", "x"), {}),
    ("topic", ("u", "#c", "t"), {}),
    ("topic", ("u", "#c", "t", "me"), {}),
    ("topic", ("u", "#c", None), {}),
    ("topicAuthor", ("u", "#c", "me", 123.7), {}),
    ("names", ("u", "#c", ["a", "@b"]), {}),
    ("names", ("u", "#c", []), {}),
    ("who", ("u", "#c", [("user", "host", "srv", "nick", "H", 0, "Real Name")]), {}),
    ("whois", ("u", "nick", "user", "host", "Real", "srv", "info", True, 10, 100, ["#a", "#b"]), {}),
    ("whois", ("u", "nick", "user", "host", "Real", "srv", "info", False, 10, 100, []), {}),
    ("join", ("a!b@c", "#c"), {}),
    ("part", ("a!b@c", "#c"), {}),
    ("part", ("a!b@c", "#c", "why not"), {}),
    ("channelMode", ("u", "#c", "+ov", "x", "y"), {}),
]


@pytest.mark.parametrize(("method", "arguments", "keywords"), CALLS, ids=lambda value: str(value)[:40])
def test_sentAsByTwisted(method: str, arguments: Any, keywords: Any) -> None:
    twisted = pytest.importorskip("twisted.words.protocols.irc")
    ours, mine = made()
    theirs, other = made(twisted.IRC)
    getattr(ours, method)(*arguments, **keywords)
    getattr(theirs, method)(*arguments, **keywords)
    assert mine.data == other.data


TEXTS = st.text(st.sampled_from("a\r\n\0 :\x10é"), max_size=8)


@settings(max_examples=200)
@given(
    st.sampled_from(["sendLine", "sendMessage", "join", "part", "topic", "topicAuthor", "notice", "privmsg", "action"]),
    st.lists(TEXTS, min_size=4, max_size=4),
)
def test_noSecondLineIsSmuggledOut(method: str, texts: list[str]) -> None:
    """The row "IRC" of the security table: one call, one line, or a ValueError and nothing."""
    counts = {"sendLine": 1, "sendMessage": 3, "join": 2, "topicAuthor": 3, "topic": 4}
    arguments: list[Any] = texts[: counts.get(method, 3)]
    if method == "topicAuthor":
        arguments.append(1)
    server, sink = made()
    try:
        getattr(server, method)(*arguments)
    except ValueError:
        assert sink.data == b""
        return
    assert sink.data.endswith(b"\r\n")
    assert not set(sink.data[:-2]) & set(b"\r\n\0")


@pytest.mark.parametrize("method", ["names", "who", "whois", "channelMode"])
@pytest.mark.parametrize("bad", ["\r", "\n", "\0"])
def test_repliesSmuggleNothingOut(method: str, bad: str) -> None:
    text = f"a{bad}QUIT"
    arguments: dict[str, tuple[Any, ...]] = {
        "names": (text, "#c", ["a"]),
        "who": ("u", "#c", [(text,) * 5 + (0, text)]),
        "whois": ("u", text, *("x",) * 5, True, 1, 1, []),
        "channelMode": ("u", "#c", "+o", text),
    }
    server, sink = made()
    with pytest.raises(ValueError, match="CR, LF or NUL"):
        getattr(server, method)(*arguments[method])
    assert sink.data == b""


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("", []), "needs a command"),
        (("A B", []), "not a command"),
        ((":A", []), "not a command"),
        (("A", [], "a b"), "space in the prefix"),
        (("A", ["x" * 600]), "A is 602 bytes long, the limit is 510"),
        (("A", [], None, {"a b": "c"}), "name of a tag"),
        (("A", [], None, {"": "c"}), "name of a tag"),
        (("A", [], None, {"a@b": "c"}), "name of a tag"),
        (("A", [], None, {"é": "c"}), "name of a tag"),
        (("A", [], None, {"a+": "c"}), "name of a tag"),
        (("A", [], None, {"/a": "c"}), "name of a tag"),
        (("A", [], None, {"a": "\0"}), "NUL in the tag"),
        (("A", [], None, {"a": "x" * 8200}), "bytes of tags, the limit is 8191"),
    ],
)
def test_commandsThatCannotBeSent(arguments: tuple[Any, ...], reason: str) -> None:
    server, sink = made()
    with pytest.raises(ValueError, match=reason):
        server.sendCommand(*arguments)
    assert sink.data == b""


@pytest.mark.parametrize("name", ["time", "msgid2", "draft/reply", "+typing", "+example.com/a-b", "znc.in/x"])
def test_namesOfTags(name: str) -> None:
    server, sink = made()
    server.sendCommand("A", [], None, {name: "v"})
    assert sink.data == f"@{name}=v A\r\n".encode()


def test_aLineThatIsTooLongIsNotSent() -> None:
    server, _ = made()
    with pytest.raises(ValueError, match="the limit is 8701"):
        server.sendLine(b"x" * 8702)


def test_manyNamesGoInLinesThatFit() -> None:
    server, sink = made()
    names = [f"nick-é{number}" for number in range(300)]
    server.names("u", "#c", names)
    *lines, end, empty = sink.data.split(b"\r\n")
    assert max(map(len, lines)) <= 510
    assert len(lines) > 5
    assert " ".join(irc.Message.parse(line).params[-1] for line in lines).split(" ") == names
    assert end == f":{HOST} 366 u #c :End of /NAMES list".encode()
    assert empty == b""


def test_anActionIsOneForClients() -> None:
    server, sink = made()
    server.action("a!b@c", "#c", "waves")
    message = irc.Message.parse(sink.data)
    assert message.command == "PRIVMSG"
    assert irc.ctcpExtract(message.params[1]) == {"extended": [("ACTION", "waves")], "normal": []}


@pytest.mark.parametrize("text", ["C:\\new\\a", "¯\\_(ツ)_/¯", "a\x10b"])
def test_whatIsSaidIsNotQuoted(text: str) -> None:
    server, sink = made()
    server.action("a!b@c", "#c", text)
    server.privmsg("a!b@c", "#c", text)
    done, said = (irc.Message.parse(line).params[1] for line in sink.data.split(b"\r\n")[:2])
    assert (done, said) == (f"\1ACTION {text}\1", text)
    with pytest.raises(ValueError, match="inside a CTCP request"):
        server.action("a!b@c", "#c", "a\1b")


class Asked(irc.IRC):
    """Keeps what comes."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.lost = 0

    def connectionLost(self, reason: Any = None) -> None:
        self.lost += 1

    def irc_PING(self, prefix: str, params: list[str]) -> None:
        self.asked.append(("PING", prefix, params))
        self.sendMessage("PONG", *params)

    def irc_FAIL(self, prefix: str, params: list[str]) -> None:
        raise RuntimeError("a bug")

    def badMessageReceived(self, line: bytes, error: irc.IRCBadMessage) -> None:
        self.asked.append(line)

    def irc_unknown(self, prefix: str, command: str, params: list[str]) -> None:
        if command == "OTHER":
            super().irc_unknown(prefix, command, params)
        self.asked.append((command, prefix, params))


def asked(net: Net) -> tuple[Asked, Any]:
    made: list[Asked] = []

    def build(addr: Any) -> Asked:
        made.append(Asked())
        return made[-1]

    client = net.keep(socket.create_connection(("127.0.0.1", net.listen(build).port)))
    net.until(lambda: made)
    return made[0], client


STREAM = b"ping a :b c\r\n:p PING x\n\r\n\nBaz\r\n:bad\r\nNUL\0\r\n\xff\xfe y\r\nPING end\r\n"
HEARD = [
    ("PING", "", ["a", "b c"]),
    ("PING", "p", ["x"]),
    ("BAZ", "", []),
    b":bad",
    b"NUL\0",
    ("\udcff\udcfe", "", ["y"]),
    ("PING", "", ["end"]),
]


@pytest.mark.parametrize("net", ["default"], indirect=True)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_linesHoweverTheyAreCut(net: Net, size: int) -> None:
    server, client = asked(net)
    for start in range(0, len(STREAM), size):
        client.sendall(STREAM[start : start + size])
        net.turn(1)
    net.until(lambda: len(server.asked) == len(HEARD))
    assert server.asked == HEARD
    expected = b"PONG a b c\r\nPONG x\r\nPONG end\r\n"
    assert net.receive(client, len(expected)) == expected


@pytest.mark.parametrize("net", ["default"], indirect=True)
def test_aLineThatIsTooLongEndsItsConnectionAlone(net: Net) -> None:
    """The row "IRC" of the security table: 16384 bytes, and not one more."""
    server, client = asked(net)
    client.sendall(b"x" * 16384 + b"\nPING a\n")
    net.until(lambda: len(server.asked) == 2)
    client.sendall(b"x" * 20000)
    net.until(lambda: server.lost)
    assert len(server.asked) == 2


@pytest.mark.parametrize("net", ["default"], indirect=True)
def test_aBugInACommandIsLoggedAndTheConnectionStays(net: Net) -> None:
    server, client = asked(net)
    net.expectErrors(1)
    client.sendall(b"FAIL\r\nOTHER\r\nPING a\r\n")
    net.until(lambda: server.asked)
    assert [record.getMessage() for record in net.logged()] == ["irc_FAIL"]
    assert server.asked == [("PING", "", ["a"])]


def test_theHostsNameIsAskedOfNobody() -> None:
    server = irc.IRC()
    server.connectionMade()
    assert server.hostname
    assert server.channels == []
