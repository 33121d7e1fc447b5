"""Who sent a message: sources are taken apart alike everywhere, and ours is known as others see it."""

from __future__ import annotations

from typing import Any

import pytest
from ircfed import feed, made, welcomed

from protocols.irc import Message, nickOf, splitSource

SOURCES = [
    ("al!u@h", ("al", "u", "h")),
    ("al@h", ("al", "", "h")),
    ("al!u", ("al", "u", "")),
    ("al", ("al", "", "")),
    ("irc.example", ("irc.example", "", "")),
    ("al!u@h@x", ("al", "u", "h@x")),
    ("", ("", "", "")),
]


@pytest.mark.parametrize(("source", "parts"), SOURCES)
def test_partsOfASource(source: str, parts: tuple[str, str, str]) -> None:
    assert splitSource(source) == parts
    assert nickOf(source) == parts[0]
    message = Message("X", source=source)
    assert (message.nick, message.user, message.host) == parts


@pytest.mark.parametrize("who", ["!u@h", "@h", ""])
def test_whoeverItIsIsKnownByNickname(who: str) -> None:
    client, wire = welcomed()
    told: list[Any] = client.told
    feed(client, f":bot{who} JOIN #c", f":al{who} JOIN #c", f":al{who} QUIT :x", f":bot{who} PART #c")
    feed(client, f":al{who} KICK #c bot :out", f":bot{who} NICK :tob")
    assert told == [
        ("joined", "#c"),
        ("userJoined", "al", "#c"),
        ("userQuit", "al", "x"),
        ("left", "#c"),
        ("kickedFrom", "#c", "al", "out"),
    ]
    assert client.nickname == "tob"
    feed(client, f":al{who} PRIVMSG tob :\1PING 1\1")
    assert wire.taken() == ["NOTICE al :\1PING 1\1"]
    client.ping("al", "xyz")
    client.clock.advance(2)
    feed(client, f":al{who} NOTICE tob :\1PING xyz\1")
    assert told[-1] == ("pong", f"al{who}", 2.0)


def test_whatWeSaidOurselvesIsNotAnswered() -> None:
    client, wire = welcomed()
    feed(client, ":bot@h PRIVMSG #c :\1PING 1\1")
    assert wire.taken() == []


# ---- Our own ----

CLOAK = "user/some/quite/long/cloak/as/services/give/them/x-00000001"
SHOWN = [
    ([f":srv 396 bot {CLOAK} :is now your hidden host"], f"bot!user@{CLOAK}"),
    ([f":srv 396 bot other@{CLOAK} :is now your hidden host"], f"bot!other@{CLOAK}"),
    ([f":srv 396 BOT {CLOAK}"], f"bot!user@{CLOAK}"),
    ([f":srv 396 al {CLOAK} :is now your hidden host"], "bot!user@host.example"),
    ([f":bot!user@host.example CHGHOST new {CLOAK}"], f"bot!new@{CLOAK}"),
    ([f":al!u@h CHGHOST new {CLOAK}"], "bot!user@host.example"),
    ([f":bot!user@host.example CHGHOST new {CLOAK}", ":bot!user@host.example NICK tob"], "tob!user@host.example"),
    ([f":bot!user@{CLOAK} MODE bot +x"], f"bot!user@{CLOAK}"),
    ([f":bot!user@{CLOAK} PRIVMSG #c :an echo"], f"bot!user@{CLOAK}"),
    ([f":bot!user@{CLOAK} NICK tob"], f"tob!user@{CLOAK}"),
    ([f":BOT!user@{CLOAK} JOIN #c"], f"BOT!user@{CLOAK}"),
    (
        [f":bottle!user@{CLOAK} JOIN #c", f":bot!@{CLOAK} PRIVMSG #c :x", ":bot!u PRIVMSG #c :x"],
        "bot!user@host.example",
    ),
    ([":bot PRIVMSG #c :x", ":bot@h PRIVMSG #c :x", ":srv PRIVMSG #c :x"], "bot!user@host.example"),
]


@pytest.mark.parametrize(("lines", "source"), SHOWN)
def test_howOthersSeeUs(lines: list[str], source: str) -> None:
    client, wire = welcomed()
    assert client.source == "bot!user@host.example"
    feed(client, *lines)
    assert client.source == source
    client.msg("#c", "x" * 900)
    first = wire.taken()[0]
    assert len(f":{source} {first}\r\n".encode()) == 512


def test_aHostBeforeAnyUserName() -> None:
    client, wire = made()
    feed(client, ":srv 001 bot :Welcome", f":srv 396 bot {CLOAK}xxxxxxxxxx :is now your hidden host")
    assert client.source == ""
    wire.taken()
    client.msg("#c", "x" * 900)
    assert len(f":bot!{'u' * 11}@{CLOAK}xxxxxxxxxx {wire.taken()[0]}\r\n".encode()) == 512


@pytest.mark.parametrize("bad", ["396 bot", "396 bot :", "396 bot :a b", "396 bot u@", "CHGHOST x", "CHGHOST x :"])
def test_aHostThatIsNone(bad: str) -> None:
    client, _ = welcomed()
    feed(client, f":bot!user@host.example {bad}")
    assert [told[0] for told in client.told] == ["badMessage"]
    assert client.source == "bot!user@host.example"


def test_whoLooksForHostsStillHearsOfThem() -> None:
    client, _ = welcomed()
    heard: list[str] = []
    client.irc_unknown = lambda prefix, command, params: heard.append(command)
    feed(client, ":srv 396 bot h :is now your hidden host", ":al!u@h CHGHOST v w")
    assert heard == ["RPL_VISIBLEHOST", "CHGHOST"]


@pytest.mark.parametrize(
    ("nickname", "user"),
    [
        ("|bot", "bot"),
        ("[b_o-t]", "bot"),
        ("bot`", "bot"),
        ("b0t", "b0t"),
        ("[]_", "user"),
        ("é²x", "x"),
        ("a" * 30, "a" * 10),
    ],
)
def test_aUserNameThatAllServersTake(nickname: str, user: str) -> None:
    client, wire = made(nickname=nickname)
    assert wire.taken() == [f"NICK {nickname}", f"USER {user} foo bar :{nickname}"]
    assert client.username == user


def test_aUserNameThatIsGivenIsSent() -> None:
    _, wire = made(nickname="bot", username="_a-b.c_")
    assert wire.taken() == ["NICK bot", "USER _a-b.c_ foo bar :bot"]
