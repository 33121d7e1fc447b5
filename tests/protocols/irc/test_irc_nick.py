"""The nickname of `IRCClient`: what the server takes of it, what it is asked for, and when. Time is a `Clock`."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ircfed import Wire, feed, made, welcomed

from protocols.irc import IRCClientFactory
from protocols.irc.casemapping import fold
from protocols.irc.client.nickchoice import NickChoice
from reactor.error import ConnectionDone
from reactor.failure import Failure


def asked(wire: Wire) -> list[str]:
    """The nicknames that were asked for since the last time."""
    return [line.removeprefix("NICK ") for line in wire.taken() if line.startswith("NICK ")]


def called(wanted: str, name: str, *isupport: str, **attributes: Any) -> tuple[Any, Wire]:
    """A client that wants to be called `wanted`, and that the server calls `name`."""
    client, wire = made(nickname=wanted, heartbeatInterval=None, **attributes)
    feed(client, f":srv 001 {name} :Welcome", f":srv 005 {name} {' '.join(isupport)} :are supported")
    wire.taken()
    return client, wire


def forAWeek(client: Any, wire: Wire, answer: str = "") -> list[str]:
    """What is asked for in a week, each time answered so."""
    names = []
    for _ in range(7 * 24 * 6):
        client.clock.advance(600)
        for name in asked(wire):
            names.append(name)
            if answer:
                feed(client, answer.format(name))
    return names


# ---- What the server takes ----


@pytest.mark.parametrize("isupport", [(), ("NICKLEN=9",), ("NICKLEN=",), ("NICKLEN=9", "-NICKLEN")])
def test_S_ircAgain_aNicknameThatIsCutIsNotAskedForAgain(isupport: tuple[str, ...]) -> None:
    client, wire = called("omgthisisalongnick", "omgthisis", *isupport)
    assert client.nickname == "omgthisis"
    assert forAWeek(client, wire) == []


def test_aNicknameThatIsCutOnTheNetwork() -> None:
    client, wire = called("bot", "bot")
    client.setNick("averylongnickname")
    feed(client, ":bot!u@h NICK :averylong")
    assert (client.nickname, client.session.nickname) == ("averylong", "averylongnickname")
    wire.taken()
    assert forAWeek(client, wire) == []


def test_aNicknameThatIsCutWhenItIsRegained() -> None:
    client, wire = called("averylongnickname", "guest")
    client.clock.advance(60)
    assert asked(wire) == ["averylongnickname"]
    feed(client, ":guest!u@h NICK :averylong")
    assert forAWeek(client, wire) == []


def test_whatTheServerSaysIsAskedFor() -> None:
    client, wire = called("averylongnickname", "bot_", "NICKLEN=12")
    client.clock.advance(60)
    assert asked(wire) == ["averylongnic"]
    feed(client, ":srv 433 bot_ averylongnic :in use", ":averylongnic!u@h QUIT :gone")
    assert asked(wire) == ["averylongnic"]
    feed(client, ":bot_!u@h NICK :averylongnic")
    assert forAWeek(client, wire) == []


def test_aServerThatHasRoomAfterAll() -> None:
    client, wire = called("averylongnickname", "averylong", "NICKLEN=30")
    client.clock.advance(60)
    assert asked(wire) == ["averylongnickname"]


def test_aNicknameThatIsCutAndTaken() -> None:
    client, wire = made(nickname="averylongnickname")
    names = asked(wire)
    taken = {"averylong", "averylon_"}
    while names[-1][:9] in taken:
        feed(client, f":srv 433 * {names[-1][:9]} :in use")
        names += asked(wire)
    assert names == ["averylongnickname", "averylon_", "averylo__"]
    feed(client, ":srv 001 averylo__ :Welcome", ":averylong!u@h QUIT :gone")
    assert asked(wire) == ["averylong"]


def test_aRegainedNicknameThatIsCutAndTakenChangesNothing() -> None:
    client, wire = called("averylongnickname", "guest")
    client.clock.advance(60)
    assert asked(wire) == ["averylongnickname"]
    feed(client, ":srv 433 guest averylong :in use")
    assert asked(wire) == []
    client.clock.advance(120)
    assert asked(wire) == ["averylong"]


class Server:
    """Takes nicknames of so many characters, and cuts or refuses longer ones; not those that are taken."""

    def __init__(self, longest: int, cuts: bool, taken: set[str]) -> None:
        self.longest, self.cuts, self.taken = longest, cuts, taken

    def answer(self, name: str) -> tuple[str, str]:
        if len(name) > self.longest and not self.cuts:
            return "432", name
        name = name[: self.longest]
        return ("433" if fold(name) in self.taken else "001"), name


NICKS = st.text(st.sampled_from("ab_[A"), min_size=1, max_size=24)
ALTERED = st.sampled_from(
    [lambda nick: nick + "_", lambda nick: "_" + nick, lambda nick: nick + "x1", lambda nick: nick]
)


@settings(max_examples=300)
@given(NICKS, st.integers(9, 20), st.booleans(), st.sets(NICKS, max_size=5), ALTERED)
def test_asking_ends(wanted: str, longest: int, cuts: bool, taken: set[str], alter: Any) -> None:
    """With a nickname that the server takes, or with the end of the connection; no one is refused twice."""
    server = Server(longest, cuts, {fold(name[:longest]) for name in taken})
    client, wire = made(nickname=wanted, alterCollidedNick=alter, heartbeatInterval=None)
    erroneous: list[str] = []
    for _ in range(30):
        for name in asked(wire):
            number, told = server.answer(name)
            assert number != "432" or name not in erroneous
            erroneous += [name] if number == "432" else []
            feed(client, f":srv {number} * {told} :no" if number != "001" else f":srv 001 {told} :Welcome")
    if client.nickname and ("signedOn",) in client.told:
        assert fold(client.nickname) not in server.taken
        if cuts and fold(wanted[:longest]) == fold(client.nickname):
            assert forAWeek(client, wire) == []
    else:
        assert wire.aborted and "nicknames" in client.closeReason
    client.connectionLost(Failure(ConnectionDone()))
    assert client.clock.getDelayedCalls() == []


def test_whatIsLeftWhenTheServerLikesNothing() -> None:
    client, wire = made(nickname="1bad", erroneousNickFallback="2badtoobad")
    for name in ("1bad", "2badtoobad", "2badtooba"):
        assert asked(wire) == [name]
        feed(client, f":srv 432 * {name} :Erroneous Nickname")
    assert wire.aborted
    assert client.closeReason == "the server took none of 3 nicknames, the last was '2badtooba'"


def test_howManyAreTriedCanBeSaid() -> None:
    client, wire = made(nickTries=2)
    for _ in range(3):
        feed(client, f":srv 433 * {asked(wire)[-1]} :in use")
    assert wire.aborted and "none of 2 nicknames" in client.closeReason


# ---- What is refused ----

REFUSALS = [
    ":srv 432 bot {0} :Erroneous Nickname",
    ":srv 432 bot :Erroneous Nickname",
    ":srv 435 bot {0} #c :Cannot change nickname while banned on channel",
    ":srv 438 bot bot {0} :Nick change too fast. Please wait 20 seconds.",
    ":srv 447 bot :Can not change nickname while on #c (+N)",
    ":srv 484 bot :Your connection is restricted!",
    ":srv FAIL NICK NICKNAME_RESERVED {0} :It is somebody's",
]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_aRefusedNicknameIsForgotten(refusal: str) -> None:
    factory = IRCClientFactory()
    client, wire = welcomed(factory, heartbeatInterval=None)
    client.setNick("other")
    feed(client, refusal.format("other"))
    wire.taken()
    assert forAWeek(client, wire) == []
    client.connectionLost(Failure(ConnectionDone()))
    _, wire = made(factory)
    assert asked(wire) == ["bot"]


def test_whatWasNotAnsweredIsNotWhatTheNextOneAsksFor() -> None:
    factory = IRCClientFactory()
    client, _ = welcomed(factory)
    client.setNick("killer")
    client.connectionLost(Failure(ConnectionDone()))
    _, wire = made(factory)
    assert asked(wire) == ["bot"]


def test_whatIsTakenIsStillWanted() -> None:
    factory = IRCClientFactory()
    client, wire = welcomed(factory, heartbeatInterval=None)
    client.setNick("other")
    feed(client, ":srv 433 bot other :in use", ":bot!u@h NICK :other_")
    assert asked(wire) == ["other", "other_"]
    client.clock.advance(60)
    assert asked(wire) == ["other"]
    client.connectionLost(Failure(ConnectionDone()))
    _, wire = made(factory)
    assert asked(wire) == ["other"]


def test_severalWishesAreAnsweredInTurn() -> None:
    client, wire = called("bot", "bot")
    for name in ("one", "2", "three", "four"):
        client.setNick(name)
    feed(client, ":bot!u@h NICK :one", ":srv 432 one 2 :Erroneous", ":one!u@h NICK :three")
    feed(client, ":srv 438 three three four :too fast")
    wire.taken()
    assert (client.nickname, client.session.nickname) == ("three", "three")
    assert forAWeek(client, wire) == []


def test_aRefusedWishLeavesTheEarlierOneOpen() -> None:
    client, wire = called("bot", "bot_")
    client.setNick("1bad")
    feed(client, ":srv 432 bot_ 1bad :Erroneous Nickname")
    wire.taken()
    client.clock.advance(60)
    assert asked(wire) == ["bot"]


@pytest.mark.parametrize("wanted", ["1bad", "fourteenchars_"])
def test_whatTheServerNeverTakesIsAskedForOnce(wanted: str) -> None:
    client, wire = made(nickname=wanted, heartbeatInterval=None, erroneousNickFallback="spare")
    feed(client, f":srv 432 * {wanted} :Erroneous Nickname", ":srv 001 spare :Welcome")
    assert asked(wire) == [wanted, "spare"]
    assert forAWeek(client, wire) == []
    feed(client, ":srv 005 spare NICKLEN=9 :are supported")
    client.clock.advance(60)
    # It may have been too long only.
    assert asked(wire) == ([] if len(wanted) <= 9 else ["fourteenc"])


def test_S_ircAgain_aRefusalWhenItIsRegained() -> None:
    client, wire = called("bot", "guest")
    assert forAWeek(client, wire, ":srv 432 guest {} :Erroneous Nickname") == ["bot"]


# ---- How often it is asked for ----


def test_S_ircAgain_theTimesBetweenGrow() -> None:
    client, wire = called("bot", "guest")
    waits = []
    for _ in range(9):
        [call] = client.clock.getDelayedCalls()
        waits.append(call.getTime() - client.clock.seconds())
        client.clock.advance(waits[-1])
        assert asked(wire) == ["bot"]
        feed(client, ":srv 433 guest bot :in use")
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    client.setNick("rob")
    feed(client, ":srv 433 guest rob :in use", ":guest!u@h NICK :rob_")
    [call] = client.clock.getDelayedCalls()
    client.clock.advance(call.getTime() - client.clock.seconds())
    wire.taken()
    [call] = client.clock.getDelayedCalls()
    assert call.getTime() - client.clock.seconds() == 60


def test_aServerThatSaysNothingIsAskedLessAndLess() -> None:
    client, wire = called("bot", "guest")
    assert len(forAWeek(client, wire)) < 7 * 24 + 8


def test_S_ircAgain_noWarWithServices() -> None:
    """They rename us each time, and let the nickname go themselves."""
    client, wire = called("bot", "bot")
    count = 0
    feed(client, ":bot!u@h NICK :guest1")
    for _ in range(24 * 60):
        client.clock.advance(30)
        if asked(wire):
            count += 1
            feed(client, ":guest1!u@h NICK :bot")
            client.clock.advance(30)
            feed(client, ":bot!u@h NICK :guest1", ":bot!services@enforcer QUIT :released")
        else:
            client.clock.advance(30)
    assert 7 < count <= 24 + 7


def test_whoWasCalledSoForLongIsImpatientAgain() -> None:
    client, wire = called("bot", "guest")
    client.clock.advance(60)
    client.clock.advance(120)
    feed(client, ":guest!u@h NICK :bot")
    wire.taken()
    client.clock.advance(3600)
    feed(client, ":bot!u@h NICK :guest", ":bot!x@y QUIT :gone")
    assert asked(wire) == ["bot"], "its holder gave it up"
    client.clock.advance(60)
    assert asked(wire) == ["bot"]


def test_nobodyIsAskedWhenThatIsNotWanted() -> None:
    client, wire = called("bot", "guest", nickRegainInterval=None)
    feed(client, ":bot!x@y QUIT :gone")
    assert forAWeek(client, wire) == []


# ---- The choice alone ----


def test_whatIsCutKeepsWhatMakesItAnotherName() -> None:
    choice = NickChoice()
    choice.limit(9)
    choice.wish("ninechars", answered=False)
    names = [choice.altered(lambda nick: nick + "12") for _ in range(5)]
    assert names == ["ninecha12", "ninec1212", "nin121212", "n12121212", "ninechars"]
    choice.wish("bot", answered=False)
    assert choice.altered(lambda nick: "quite another one") == "quite ano"


def test_wishesThatAreNeverAnsweredAreFew() -> None:
    choice = NickChoice()
    choice.wish("bot", answered=False)
    for number in range(1000):
        choice.wish(f"n{number}", answered=True)
    refusals = 0
    while choice.wanted != "bot":
        choice.takeBack(())
        refusals += 1
    assert refusals == 10
    choice.takeBack(())
    assert choice.wanted == choice.obtainable == "bot"
