"""`IRCClient` on InspIRCd and ngIRCd: what one client does, the other is told, as the servers put it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ircparty import Party, Recorder, gathering
from ircservers import IRCServer, Talker, unique
from ircservers import inspircd as inspircd
from ircservers import ngircd as ngircd


class Two(Party):
    """Alice and Bob on a server, and Carol, who speaks for herself."""

    alice: Recorder
    bob: Recorder
    carol: Talker


@pytest.fixture(scope="module", params=["inspircd", "ngircd"])
def two(request: pytest.FixtureRequest) -> Iterator[Any]:
    server: IRCServer = request.getfixturevalue(request.param)
    with gathering() as party:
        two: Any = party
        two.alice = party.connect(Recorder(unique("alice")), server.port)
        two.bob = party.connect(Recorder(unique("bob"), versionName="bob", versionNum="1"), server.port)
        with Talker(server.port, unique("carol")) as two.carol:
            party.ready()
            two.carol.wait(b" 001 ")
            yield two


def test_text(two: Two) -> None:
    alice, bob = two.alice, two.bob
    channel = two.together(alice, bob)
    alice.say(channel, "good morning")
    alice.notice(channel, "noticed")
    alice.describe(channel, "waves")
    alice.msg(bob.nickname, "just you")
    two.until(lambda: bob.heard("privmsg", alice.source, bob.nickname))
    assert alice.source.startswith(alice.nickname + "!") and alice.source.endswith("@127.0.0.1")
    assert bob.told == [
        ("privmsg", alice.source, channel, "good morning"),
        ("noticed", alice.source, channel, "noticed"),
        ("action", alice.source, channel, "waves"),
        ("privmsg", alice.source, bob.nickname, "just you"),
    ]


def test_topic(two: Two) -> None:
    alice, bob = two.alice, two.bob
    channel = two.together(alice, bob)
    alice.topic(channel, "on topic: all of it")
    two.until(lambda: bob.heard("topicUpdated", alice.nickname, channel, "on topic: all of it"))
    bob.told.clear()
    bob.topic(channel)
    two.until(lambda: bob.heard("topicUpdated"))
    [(_, about, text)] = bob.all("topicUpdated")
    assert (about, text) == (channel, "on topic: all of it")


def test_modes(two: Two) -> None:
    alice, bob = two.alice, two.bob
    channel = two.together(alice, bob)
    alice.mode(channel, True, "o", user=bob.nickname)
    alice.mode(channel, True, "l", limit=7)
    alice.mode(channel, True, "b", mask="*!*@bad.example")
    alice.mode(channel, False, "l")
    alice.mode(channel, False, "o", user=bob.nickname)
    two.until(lambda: bob.heard("modeChanged", alice.source, channel, False, "o"))
    assert [(set, modes, list(args)) for set, modes, args in bob.all("modeChanged", alice.source, channel)] == [
        (True, "o", [bob.nickname]),
        (True, "l", ["7"]),
        (True, "b", ["*!*@bad.example"]),
        (False, "l", [None]),
        (False, "o", [bob.nickname]),
    ]


def test_kick_and_coming_back_by_invitation(two: Two) -> None:
    alice, bob = two.alice, two.bob
    channel = two.together(alice, bob)
    alice.mode(channel, True, "i")
    alice.kick(channel, bob.nickname, "out of order")
    two.until(lambda: bob.heard("kickedFrom") and alice.heard("userKicked"))
    assert bob.all("kickedFrom") == [(channel, alice.nickname, "out of order")]
    assert alice.all("userKicked") == [(bob.nickname, channel, alice.nickname, "out of order")]
    alice.invite(bob.nickname, channel)
    two.until(lambda: ("INVITE", bob.nickname, channel) in bob.numerics or bob.heard("invited"))
    bob.join(channel)
    two.until(lambda: bob.heard("joined", channel) and alice.heard("userJoined", bob.nickname, channel))


def test_leaving(two: Two) -> None:
    alice, bob = two.alice, two.bob
    channel = two.together(alice, bob)
    bob.leave(channel, "good night")
    two.until(lambda: bob.heard("left", channel) and alice.heard("userLeft", bob.nickname, channel))


def test_a_channel_with_a_key(two: Two) -> None:
    alice, bob = two.alice, two.bob
    channel = two.together(alice)
    alice.sendLine(f"MODE {channel} +k sesame")
    two.until(lambda: alice.heard("modeChanged"))
    bob.numerics.clear()
    bob.join(channel)
    two.until(lambda: any(each[0] == "ERR_BADCHANNELKEY" for each in bob.numerics))
    bob.join(channel, "sesame")
    two.until(lambda: bob.heard("joined", channel))


def test_renaming_there_and_back(two: Two) -> None:
    alice, bob = two.alice, two.bob
    two.together(alice, bob)
    before, after = bob.nickname, unique("robert")
    for old, new in ((before, after), (after, before)):
        bob.setNick(new)
        two.until(lambda: bob.heard("nickChanged", new) and alice.heard("userRenamed", old, new))  # noqa: B023
        assert bob.nickname == new


def test_away_who_and_whois(two: Two) -> None:
    alice, bob = two.alice, two.bob
    channel = two.together(alice, bob)
    bob.away("gone fishing")
    two.until(lambda: any(each[0] == "RPL_NOWAWAY" for each in bob.numerics))
    alice.whois(bob.nickname)
    alice.who(channel)
    two.until(lambda: any(each[0] == "RPL_ENDOFWHO" for each in alice.numerics))
    assert any(each[0] == "RPL_AWAY" and each[-1] == "gone fishing" for each in alice.numerics)
    assert [each[2] for each in alice.numerics if each[0] == "RPL_WHOISUSER"] == [bob.nickname]
    assert {each[6] for each in alice.numerics if each[0] == "RPL_WHOREPLY"} == {alice.nickname, bob.nickname}
    bob.back()
    two.until(lambda: any(each[0] == "RPL_UNAWAY" for each in bob.numerics))


def test_ctcp_there_and_back(two: Two) -> None:
    alice, bob = two.alice, two.bob
    two.together(alice, bob)
    alice.ping(bob.nickname)
    two.until(lambda: alice.heard("pong", bob.source))
    [(seconds,)] = alice.all("pong", bob.source)
    assert 0 <= seconds < 10
    answers: list[Any] = []
    alice.ctcpUnknownReply = lambda *args: answers.append(args)  # type: ignore[method-assign]
    alice.ctcpMakeQuery(bob.nickname, [("VERSION", None)])
    two.until(lambda: answers)
    assert answers[0][0] == bob.source and answers[0][2:] == ("VERSION", "bob:1:")


@pytest.mark.parametrize("letter", ["x", "é", "𝄞"])
def test_long_text_arrives_in_pieces_and_whole(two: Two, letter: str) -> None:
    """No octet is cut off by the server, none between those of one character, with words and without."""
    alice, bob, carol = two.alice, two.bob, two.carol
    channel = two.together(alice, bob)
    carol.join(channel)
    carol.heard.clear()
    unbroken, words = letter * 500, " ".join([letter * 9] * 60)
    alice.msg(channel, unbroken)
    alice.msg(channel, words)
    alice.msg(channel, "last")
    two.until(lambda: bob.heard("privmsg", alice.source, channel, "last"))
    texts = [text for (text,) in bob.all("privmsg", alice.source, channel)][:-1]
    carol.wait(b":last$")
    assert "".join(texts).replace(" ", "") == letter * (500 + 9 * 60)
    split = next(number for number, text in enumerate(texts) if " " in text)
    assert "".join(texts[:split]) == unbroken and " ".join(texts[split:]) == words
    lines = [line for line in carol.heard if b" PRIVMSG " in line and not line.endswith(b":last")]
    assert len(lines) == len(texts) and max(map(len, lines)) <= 510


def test_bytes_that_are_not_UTF8_there_and_back(two: Two) -> None:
    alice, bob = two.alice, two.bob
    channel = two.together(alice, bob)
    odd = b"caf\xe9 \x80\xff\xc3 \xed\xa0\x80 caf\xc3\xa9"
    two.carol.join(channel)
    two.carol.say(channel, odd)
    text = odd.decode("utf-8", "surrogateescape")
    two.until(lambda: any(each[-1] == text for each in alice.told))
    alice.say(channel, text)
    assert two.carol.wait(b"^:%s!.* PRIVMSG " % alice.nickname.encode(), two.turn).endswith(b" :" + odd)


@pytest.mark.parametrize("smuggled", ["x\r\nQUIT", "x\nQUIT", "x\rQUIT", "x\0QUIT"])
def test_nothing_is_smuggled_out_IRC(two: Two, smuggled: str) -> None:
    """A line end in text begins another message of ours, or is refused; nowhere is it a command's beginning."""
    alice, bob = two.alice, two.bob
    channel = two.together(alice, bob)
    for call in (
        lambda: alice.msg(channel, smuggled),
        lambda: alice.notice(channel, smuggled),
        lambda: alice.describe(channel, smuggled),
    ):
        try:
            call()
        except ValueError:
            pass
    for ask in (
        lambda: alice.topic(channel, smuggled),
        lambda: alice.kick(channel, bob.nickname, smuggled),
        lambda: alice.leave(channel, smuggled),
        lambda: alice.join(channel + smuggled),
        lambda: alice.away(smuggled),
        lambda: alice.setNick(smuggled),
        lambda: alice.sendLine(smuggled),
    ):
        with pytest.raises(ValueError):
            ask()
    alice.msg(channel, "still here")
    two.until(lambda: bob.heard("privmsg", alice.source, channel, "still here"))
    assert not bob.heard("userQuit") and not bob.heard("kickedFrom") and not bob.heard("userLeft")
