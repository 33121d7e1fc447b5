"""The channels of `IRCClient`: which it is in, and how it comes into them again. Time is a `Clock`."""

from __future__ import annotations

from typing import Any

import pytest
from ircfed import Wire, feed, made, welcomed

from protocols.irc import IRCClientFactory, Session
from reactor.error import ConnectionDone
from reactor.failure import Failure

NAMES = [("ascii", "#A[b]", "#a[b]"), ("rfc1459", "#a[b]^", "#a{b}~"), ("strict-rfc1459", "#a[b]", "#A{B}")]


def greet(client: Any, *isupport: str) -> None:
    feed(client, ":srv 001 bot :Welcome", f":srv 005 bot NETWORK=x {' '.join(isupport)} :are supported")


def lost(client: Any) -> None:
    client.connectionLost(Failure(ConnectionDone()))
    assert client.clock.getDelayedCalls() == []


# ---- Which names are the same one ----


@pytest.mark.parametrize(("casemapping", "written", "shown"), NAMES)
@pytest.mark.parametrize("join", ["before 005", "after 005"])
def test_aKeyIsKeptHoweverTheServerCompares(casemapping: str, written: str, shown: str, join: str) -> None:
    factory = IRCClientFactory()
    client, wire = made(factory)
    feed(client, ":srv 001 bot :Welcome")
    if join == "before 005":
        client.join(written, "secret")
    feed(client, f":srv 005 bot CASEMAPPING={casemapping} :are supported")
    if join == "after 005":
        client.join(written, "secret")
    feed(client, f":bot!u@h JOIN {shown}")
    lost(client)
    client, wire = made(factory)
    wire.taken()
    feed(client, ":srv 001 bot :Welcome")
    assert wire.taken() == [f"JOIN {shown} secret"]
    feed(client, f":srv 005 bot CASEMAPPING={casemapping} :are supported", f":bot!u@h JOIN {shown}")
    feed(client, f":bot!u@h PART {written}")
    assert factory.session.channels == {}


def test_whatTheProgramAsksForIsNotAskedForTwice() -> None:
    session = Session()
    session.compareBy("rfc1459")
    session.asked("#a[b]", "key")
    session.joined("#a[b]")
    session.connected()
    session.asked("#A{B}", None)
    assert list(session.missing()) == []


def test_namesThatOneServerTellsApartAreNotMistaken() -> None:
    session = Session()
    session.asked("#a[,#a{", "one,two")
    session.compareBy("ascii")
    session.joined("#a[")
    session.joined("#a{")
    session.connected()
    assert list(session.missing()) == [("#a[,#a{", "one,two")]
    session.compareBy("rfc1459")
    assert len(session.channels) == 1


def test_howNamesCompareIsLearntWhileMuchIsGoingOn() -> None:
    session = Session()
    session.joined("#HERE[")
    session.joined("#away[")
    session.connected()
    session.joined("#HERE[")
    session.asked("#away[", None)
    assert session.refused("#AWAY[")
    session.channels.pop("#here[")
    session.compareBy("rfc1459")
    assert list(session.missing()) == [("#away[", None)]
    session.joined("#AWAY{")
    assert list(session.missing()) == []


def test_anAnswerToAPingIsKnownHoweverNamesCompareByThen() -> None:
    client, _ = made()
    feed(client, ":srv 001 bot :Welcome")
    client.ping("Al[1]", "text")
    client.clock.advance(2)
    feed(client, ":srv 005 bot CASEMAPPING=ascii :are supported", ":al[1]!u@h NOTICE bot :\1PING text\1")
    assert client.told[-1] == ("pong", "al[1]!u@h", 2.0)


# ---- Lists ----


def test_listsOfChannelsAreTakenApart() -> None:
    factory = IRCClientFactory()
    client, _ = welcomed(factory)
    feed(client, ":bot!u@h JOIN #a,#b,#c,#d", ":al!u@h JOIN #a,#b", ":bot!u@h PART #a,#b :bye")
    feed(client, ":op!u@h KICK #c al,bot :out", ":op!u@h KICK #c,#d zoe,bot :both")
    assert client.told == [
        *[("joined", channel) for channel in ("#a", "#b", "#c", "#d")],
        ("userJoined", "al", "#a"),
        ("userJoined", "al", "#b"),
        ("left", "#a"),
        ("left", "#b"),
        ("userKicked", "al", "#c", "op", "out"),
        ("kickedFrom", "#c", "op", "out"),
        ("userKicked", "zoe", "#c", "op", "both"),
        ("kickedFrom", "#d", "op", "both"),
    ]
    assert factory.session.channels == {}


# ---- A channel that does not let us in again ----


def again(*channels: str, **attributes: Any) -> tuple[Any, Wire]:
    """A client whose predecessor was in `channels`; it has asked for them."""
    factory = IRCClientFactory()
    client, wire = welcomed(factory)
    feed(client, *[f":bot!u@h JOIN {channel}" for channel in channels])
    lost(client)
    client, wire = made(factory, heartbeatInterval=None, **attributes)
    greet(client)
    assert wire.taken()[2:] == ["JOIN " + ",".join(channels)]
    return client, wire


REFUSALS = [
    ":srv 437 bot #c :Nick/channel is temporarily unavailable",
    ":srv 477 bot #C :Cannot join channel (+r) - you need to be identified with services",
    ":srv 471 bot #c :Cannot join channel (+l)",
    ":srv 474 bot #c :Cannot join channel (+b)",
    ":srv 480 bot #c :Cannot join channel (+j)",
    ":srv 599 bot #c :A reason of this server's own",
    ":srv 470 bot #c ##overflow :Forwarding to another channel",
    ":srv FAIL JOIN NOT_NOW #c :Not now",
]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_S_ircAgain_whoWasThereAsksAgainLaterEachTime(refusal: str) -> None:
    client, wire = again("#b", "#c")
    feed(client, ":bot!u@h JOIN #b", refusal)
    waits = []
    for _ in range(14):
        [call] = client.clock.getDelayedCalls()
        waits.append(call.getTime() - client.clock.seconds())
        client.clock.advance(waits[-1])
        assert wire.taken() == ["JOIN #c"]
        assert client.clock.getDelayedCalls() == []
        feed(client, refusal)
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600, 3600]
    client.clock.advance(3600)
    assert wire.taken() == ["JOIN #c"]
    feed(client, ":bot!u@h JOIN #c")
    client.clock.advance(10_000)
    assert wire.taken() == []
    lost(client)


def test_itsKeyIsKept() -> None:
    factory = IRCClientFactory()
    client, wire = welcomed(factory)
    client.join("#c", "sesame")
    feed(client, ":bot!u@h JOIN #c")
    lost(client)
    client, wire = made(factory, heartbeatInterval=None)
    greet(client)
    wire.taken()
    feed(client, ":srv 437 bot #c :unavailable")
    client.clock.advance(2)
    assert wire.taken() == ["JOIN #c sesame"]


def test_whoLogsInAsksAgainAtOnce() -> None:
    client, wire = again("#c", rejoinInterval=500)
    feed(client, ":srv 900 bot bot!u@h bot :You are logged in")
    assert wire.taken() == []
    feed(client, ":srv 477 bot #c :Only for who is identified", ":srv 900 bot bot!u@h bot :You are logged in")
    assert wire.taken() == ["JOIN #c"]
    lost(client)


def test_aChannelThatWeWereNeverInIsTheProgramsBusiness() -> None:
    client, wire = welcomed(IRCClientFactory(), heartbeatInterval=None)
    client.join("#c")
    wire.taken()
    feed(client, ":srv 474 bot #c :banned", ":srv 482 bot #d :not an operator", ":srv 403 bot", ":srv FAIL JOIN X :y")
    assert client.clock.getDelayedCalls() == []


def test_otherErrorsAboutAChannelThatWeAreInDoNothing() -> None:
    client, wire = again("#c")
    feed(client, ":bot!u@h JOIN #c", ":srv 482 bot #c :not an operator", ":srv 404 bot #c :moderated")
    assert client.clock.getDelayedCalls() == []


def test_whatWasLeftInTheMeantimeIsNotAskedFor() -> None:
    client, wire = again("#b", "#c")
    feed(client, ":srv 437 bot #b :unavailable", ":srv 437 bot #c :unavailable")
    client.factory.session.left("#b")
    client.clock.advance(2)
    assert wire.taken() == ["JOIN #c"]


def test_noTimeToAskAgain() -> None:
    client, wire = again("#c", rejoinInterval=None)
    feed(client, ":srv 437 bot #c :unavailable")
    assert client.clock.getDelayedCalls() == []


def test_aQueueThatIsFullIsTriedLater() -> None:
    client, wire = again("#c")
    feed(client, ":srv 437 bot #c :unavailable")
    client.lineRate, client.maximumWaiting = 10, 1
    for number in range(2):
        client.msg("u", str(number))
    client.clock.advance(2)
    assert wire.taken() == ["PRIVMSG u :0"]
    client.clock.pump([4, 8, 8, 8])
    assert wire.taken() == ["PRIVMSG u :1", "JOIN #c"]
