"""Who sent a message: sources are taken apart alike everywhere."""

from __future__ import annotations

from typing import Any

import pytest
from ircfed import feed, welcomed

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
