"""`IRCClient`, fed with a server's lines: what Twisted's has not, or does otherwise. Time is a `Clock`."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import random
from typing import Any

import pytest
from ircfed import Client, Wire, feed, made, welcomed

from protocols.irc import FloodQueueFull, IRCClient, IRCClientFactory, Session, UnhandledCommand
from reactor.defer import Deferred
from reactor.error import ConnectionDone
from reactor.failure import Failure
from reactor.task import Clock

# ---- What is sent ----


@pytest.mark.parametrize("bad", ["\r", "\n", "\0", "\r\nQUIT :x"])
@pytest.mark.parametrize(
    "call",
    [
        lambda c, x: c.sendLine("PRIVMSG #c :a" + x),
        lambda c, x: c.join("#c" + x),
        lambda c, x: c.join("#c", "key" + x),
        lambda c, x: c.leave("#c", "why" + x),
        lambda c, x: c.kick("#c", "u" + x),
        lambda c, x: c.topic("#c", "t" + x),
        lambda c, x: c.mode("#c", True, "o", user="u" + x),
        lambda c, x: c.msg("u" + x, "text"),
        lambda c, x: c.setNick("n" + x),
        lambda c, x: c.away("a" + x),
        lambda c, x: c.quit("q" + x),
        lambda c, x: c.whois("w" + x),
        lambda c, x: c.ctcpMakeQuery("u", [("PING", "1" + x)]),
        lambda c, x: c.ctcpMakeReply("u", [("PING", "1" + x)]),
        lambda c, x: c.describe("#c" + x, "waves"),
        lambda c, x: c.dccResume("u", "file" + x, 5000, 1),
    ],
)
def test_noLineIsSmuggledOut(call: Any, bad: str) -> None:
    client, wire = welcomed()
    with pytest.raises(ValueError):
        call(client, bad)
    assert wire.data == b""


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.ctcpMakeQuery("u", [("PING", "1\1")]),
        lambda c: c.ctcpMakeReply("u", [("PING", "1\1")]),
        lambda c: c.describe("#c", "waves\1"),
        lambda c: c.dccResume("u", "file\1", 5000, 1),
    ],
)
def test_noRequestIsSmuggledOut(call: Any) -> None:
    client, wire = welcomed()
    with pytest.raises(ValueError, match="x01"):
        call(client)
    assert wire.data == b""


@pytest.mark.parametrize("text", ["C:\\new\\a", "¯\\_(ツ)_/¯", "\\"])
def test_aBackslashIsABackslash(text: str) -> None:
    client, wire = welcomed()
    client.describe("#c", text)
    client.ctcpMakeQuery("u", [("PING", text)])
    assert wire.taken() == [f"PRIVMSG #c :\1ACTION {text}\1", f"PRIVMSG u :\1PING {text}\1"]
    feed(client, f":al!u@h PRIVMSG #c :\1ACTION {text}\1", f":al!u@h PRIVMSG bot :\1PING {text}\1")
    assert client.told == [("action", "al!u@h", "#c", text)]
    assert wire.taken() == [f"NOTICE al :\1PING {text}\1"]
    feed(client, f':al!u@h PRIVMSG bot :\1DCC SEND "C:\\Users\\al\\{text}" 134744072 5000 3\1')
    assert client.told[1:] == [
        (
            "dccDoSend",
            "al!u@h",
            "8.8.8.8",
            5000,
            f"C:\\Users\\al\\{text}",
            3,
            [f"C:\\Users\\al\\{text}", "134744072", "5000", "3"],
        )
    ]


@pytest.mark.parametrize("word", ["", ":x", "a b"])
def test_aWordIsOneParameter(word: str) -> None:
    client, wire = welcomed()
    for call in (
        client.whois,
        client.setNick,
        client.who,
        lambda w: client.kick("#c", w),
        lambda w: client.msg(w, "x"),
    ):
        with pytest.raises(ValueError):
            call(word)
    assert wire.data == b""


def test_textGoesOutLineByLineAndOctetByOctet() -> None:
    client, wire = welcomed()
    prefix = len(":bot!user@host.example ")
    client.msg("#c", "é" * 600 + "\nshort\n\n" + "€" * 200)
    lines = wire.taken()
    assert "".join(line.removeprefix("PRIVMSG #c :") for line in lines) == "é" * 600 + "short" + "€" * 200
    sizes = [prefix + len(line.encode()) + 2 for line in lines]
    assert max(sizes) <= 512
    assert sizes[0] >= 510
    client.describe("#c", "x" * 600)
    assert all(line.startswith("PRIVMSG #c :\1ACTION x") and line.endswith("\1") for line in wire.taken())


def test_roomForASourceThatIsNotKnown() -> None:
    client, wire = made()
    wire.taken()
    client.msg("u", "x" * 600)
    longest = len(wire.taken()[0].encode()) + 2
    assert longest + len(":bot!" + "u" * 11 + "@" + "h" * 63 + " ") == 512


def test_bytesThatAreNoTextSurvive() -> None:
    client, wire = welcomed()
    client.dataReceived(b":al!u@h PRIVMSG #c :caf\xe9 \xff\r\n")
    [(_, _, _, text)] = client.told
    client.msg("#c", text)
    assert wire.data == b"PRIVMSG #c :caf\xe9 \xff\r\n"


def test_limitsOfALine() -> None:
    client, wire = welcomed()
    client.sendLine("PRIVMSG #c :" + "x" * 498)
    with pytest.raises(ValueError, match="513 octets"):
        client.sendLine("PRIVMSG #c :" + "x" * 499)
    with pytest.raises(TypeError, match=r"str, not bytes"):
        client.sendLine(b"x")
    with pytest.raises(ValueError) as error:
        client.sendLine("PASS secret\r\n")
    assert "secret" not in str(error.value)
    assert len(wire.taken()) == 1


def test_pongGoesFirstAndBurstsAreAllowed() -> None:
    client, wire = made(lineRate=2, lineBurst=3, maximumWaiting=4)
    assert wire.taken() == ["NICK bot", "USER bot foo bar :bot"]
    for n in range(5):
        client.msg("u", str(n))
    assert wire.taken() == ["PRIVMSG u :0"]
    with pytest.raises(FloodQueueFull):
        client.msg("u", "too many")
    feed(client, "PING :x")
    assert wire.taken() == ["PONG x"]
    client.clock.pump([1] * 20)
    assert wire.taken() == [f"PRIVMSG u :{n}" for n in range(1, 5)]


def test_linesThatTheConnectionTakesWithItAreSaid(caplog: pytest.LogCaptureFixture) -> None:
    client, wire = made(lineRate=2)
    client.msg("u", "never")
    client.connectionLost(Failure(ConnectionDone()))
    assert "2 lines were still waiting" in caplog.text
    assert client.clock.getDelayedCalls() == []


def test_whatIsSaidAfterTheEndWaitsForNothing() -> None:
    client, wire = made(lineRate=2)
    client.connectionLost(Failure(ConnectionDone()))
    for _ in range(3):
        client.msg("u", "too late")
    assert client.clock.getDelayedCalls() == []


def test_theQuestionWhetherTheServerLivesDoesNotWaitBehindWhatWeSay() -> None:
    client, wire = welcomed(lineRate=1, maximumWaiting=200)
    client.clock.advance(100)
    for n in range(200):
        client.msg("u", str(n))
    for _ in range(200):
        client.clock.advance(1)
        for line in wire.taken():
            if line.startswith("PING"):
                feed(client, ":srv PONG srv :srv")
    assert not wire.aborted and client.closeReason is None


# ---- What comes ----


def test_badMessagesAreToldAndNothingElse() -> None:
    client, wire = welcomed()
    bad = [
        ":srv",
        ":",
        "PRIVMSG",
        ":a PRIVMSG irc",
        ":a JOIN",
        ":a MODE #c",
        ":s KICK #c",
        ":s 332",
    ]
    feed(client, *bad, ":srv 252 bot x :ops", "PING", "PRIVMSG #c :a\0b", "PRIVMSG #c :a\rb", ":a!b@c PRIVMSG #c :good")
    assert [told[0] for told in client.told] == ["badMessage"] * 12 + ["privmsg"]
    assert not wire.aborted


@pytest.mark.parametrize(
    ("said", "told", "odd"),
    [
        ("#c -o+o bob bob", [(False, "o", ("bob",)), (True, "o", ("bob",))], False),
        ("#c +o-v+vb al bo bo m", [(True, "o", ("al",)), (False, "v", ("bo",)), (True, "vb", ("bo", "m"))], False),
        ("#c +o al bo cy", [(True, "o", ("al",))], True),
        ("#c +m surplus", [(True, "m", (None,))], True),
        ("#c +ovv al bo", [(True, "ovv", ("al", "bo", None))], True),
        ("#c +k", [(True, "k", (None,))], True),
        ("#c +-o al", [(False, "o", ("al",))], True),
        ("#c m+-", [(True, "m", (None,))], True),
        ("#c +", [], True),
        ("#c :", [], True),
        ("bot +s +lLA", [(True, "s", ("+lLA",))], False),
        ("bot +ws-x +lLA", [(True, "ws", (None, "+lLA")), (False, "x", (None,))], False),
        ("bot :+swx", [(True, "swx", (None, None, None))], False),
        ("bot -s +lLA", [(False, "s", (None,))], True),
    ],
)
def test_modesAreToldInTheirOrderWhateverIsOddAboutThem(said: str, told: Any, odd: bool) -> None:
    quirks: list[str] = []
    client, _ = welcomed(quirkyMessage=quirks.append)
    feed(client, f":al!u@h MODE {said}")
    assert client.told == [("modeChanged", "al!u@h", said.split()[0], *change) for change in told]
    assert bool(quirks) is odd


def test_whatIsOddAboutModesIsShort() -> None:
    quirks: list[str] = []
    client, _ = welcomed(quirkyMessage=quirks.append)
    feed(client, f":al!u@h MODE #{'c' * 300} +o{'m' * 400} {'x' * 400} {'y' * 400}")
    assert len(quirks) == 1 and len(quirks[0]) < 200
    assert len(client.told) == 1


def test_aHookThatRaisesIsLogged(caplog: pytest.LogCaptureFixture) -> None:
    class Raises(IRCClient):
        capabilities = None

        def privmsg(self, user: str, channel: str, message: str) -> None:
            raise ZeroDivisionError("in a hook")

    client, wire = Raises(), Wire()
    client.clock = Clock()
    client.makeConnection(wire)
    feed(client, ":al!u@h PRIVMSG #c :x", "PING :still")
    assert "in a hook" in caplog.text
    assert wire.taken()[-1] == "PONG still"


def test_aLineThatIsTooLongCloses() -> None:
    client, wire = welcomed()
    client.dataReceived(b"x" * 20000)
    assert wire.aborted
    assert "16384" in client.closeReason


def test_everyParameterOfMyInfo() -> None:
    client, _ = welcomed()
    feed(client, ":srv 004 bot srv ver aio bkl", ":srv 004 bot :srv ver aio bkl", ":srv 004 bot srv")
    assert client.told == [("myInfo", "srv", "ver", "aio", "bkl")] * 2 + [("myInfo", "srv", None, None, None)]


def test_quotedLineEndsStayQuoted() -> None:
    client, _ = welcomed()
    feed(client, ":al!u@h PRIVMSG #c :a\x10nb", ":al!u@h PRIVMSG #c :\1ACTION a\x10nb\1")
    assert [told[3] for told in client.told] == ["a\x10nb"] * 2
    client.lowQuoting = True
    feed(client, ":al!u@h PRIVMSG #c :a\x10nb")
    assert client.told[-1][3] == "a\nb"


@pytest.mark.parametrize(
    "request_",
    ["PING " + "x" * 480, "CLIENTINFO " + "é" * 240, "ERRMSG " + "é" * 240, "DCC " + "é" * 240, "PING \x10n"],
)
def test_noRequestMakesUsFail(request_: str, caplog: pytest.LogCaptureFixture) -> None:
    client, wire = welcomed()
    feed(client, f":al!u@h PRIVMSG bot :\1{request_}\1")
    assert caplog.records == []
    assert all(len(line.encode()) < 300 for line in wire.taken())


def test_manyRequestsAreNotAllAnswered() -> None:
    client, wire = welcomed()
    feed(client, *[":al!u@h PRIVMSG bot :\1PING 1\1"] * 50)
    assert len(wire.taken()) == 10
    client.clock.advance(10)
    feed(client, ":al!u@h PRIVMSG bot :\1PING 1\1")
    assert len(wire.taken()) == 1


def test_pingMeasures() -> None:
    client, wire = welcomed()
    client.ping("Al")
    text = wire.taken()[0].split("PING ")[1][:-1]
    client.clock.advance(3)
    feed(client, f":al!u@h NOTICE bot :\1PING {text}\1", ":zz!u@h NOTICE bot :\1PING other\1")
    assert client.told == [("pong", "al!u@h", 3.0)]


# ---- Whether the server is there ----


def test_aDeadLinkIsNoticed() -> None:
    client, wire = welcomed()
    client.clock.advance(120)
    assert wire.taken() == ["PING srv"]
    client.clock.advance(59)
    feed(client, ":srv PONG srv :srv")
    client.clock.advance(61)
    assert wire.taken() == ["PING srv"]
    client.clock.advance(60)
    assert wire.aborted
    assert "121 s" in client.closeReason
    client.connectionLost(Failure(ConnectionDone()))
    assert client.clock.getDelayedCalls() == []


def test_aServerThatDoesNotWelcomeIsLeft() -> None:
    client, wire = made()
    client.clock.advance(120)
    assert wire.aborted
    assert "welcome" in client.closeReason


# ---- The nickname ----


def test_theServersWordIsOurNickname() -> None:
    client, wire = made(nickname="averylongnickname")
    feed(client, ":srv 001 averylong :hi")
    assert client.nickname == "averylong"


def test_aServerThatCutsNicknamesIsLeft() -> None:
    client, wire = made(nickname="ninechars")
    for _ in range(30):
        feed(client, ":srv 433 * ninechars :in use")
    assert wire.aborted
    assert len(wire.taken()) < 30


@pytest.mark.parametrize("wanted", ["ninechars", "fourteenchars_"])
def test_aServerThatTakesNineCharacters(wanted: str) -> None:
    taken = {"ninechars", "ninechar_"}
    client, wire = made(nickname=wanted)
    asked = [wanted]
    for _ in range(10):
        nick = asked[-1]
        if len(nick) <= 9 and nick not in taken:
            break
        wire.taken()
        feed(client, f":srv {432 if len(nick) > 9 else 433} * {nick} :no")
        asked += [line.removeprefix("NICK ") for line in wire.taken()]
    assert asked[-1] == ("ninecha__" if len(wanted) == 9 else "defaultni"), asked


def test_theNicknameIsTakenBack() -> None:
    client, wire = made(heartbeatInterval=None)
    feed(client, ":srv 433 * bot :in use", ":srv 001 bot_ :hi")
    wire.taken()
    client.clock.advance(60)
    assert wire.taken() == ["NICK bot"]
    feed(client, ":srv 433 bot_ bot :in use")
    assert wire.taken() == []
    feed(client, ":bot!x@y QUIT :gone")
    assert wire.taken() == ["NICK bot"]
    feed(client, ":bot_!u@h NICK :bot")
    assert client.nickname == "bot"
    client.clock.advance(100)
    assert wire.taken() == []
    client.setNick("other")
    feed(client, ":srv 433 bot other :in use")
    assert wire.taken() == ["NICK other", "NICK other_"]


# ---- What outlives a connection ----


def test_channelsAreJoinedAgain() -> None:
    factory = IRCClientFactory()
    client, wire = welcomed(factory)
    client.join("#a", "key")
    feed(client, ":bot!u@h JOIN #b", ":bot!u@h JOIN #A", ":bot!u@h JOIN #gone", ":bot!u@h JOIN #kicked")
    feed(client, ":bot!u@h PART #gone", ":op!u@h KICK #kicked bot :out")
    client.setNick("new")
    feed(client, ":bot!u@h NICK new")
    client.connectionLost(Failure(ConnectionDone()))

    class Joins(Client):
        def __getattribute__(self, name: str) -> Any:
            if name == "signedOn":
                return lambda: self.join("#b")
            return super().__getattribute__(name)

    again, wire = Joins(), Wire()
    again.factory = factory
    again.makeConnection(wire)
    feed(again, ":srv 001 new :hi")
    assert wire.taken() == ["NICK new", "USER new foo bar :new", "JOIN #b", "JOIN #A key"]
    assert factory.client is again


def test_joinsFitIntoLines() -> None:
    session = Session()
    for number in range(40):
        session.asked(f"#{number:0>40}", f"k{number}" if number % 2 else None)
        session.joined(f"#{number:0>40}")
    session.connected()
    joins = list(session.missing())
    assert all(len(channels) <= 400 for channels, _ in joins)
    asked: dict[str, str | None] = {}
    for channels, keys in joins:
        names, values = channels.split(","), keys.split(",") if keys else []
        asked |= dict(zip(names, values + [None] * len(names), strict=False))
    assert asked == {f"#{n:0>40}": f"k{n}" if n % 2 else None for n in range(40)}


# ---- IRCv3 ----

CAPS = ("message-tags", "batch", "labeled-response", "server-time", "account-tag", "echo-message")


def negotiated(**attributes: Any) -> tuple[Any, Wire]:
    client, wire = made(capabilities=CAPS, **attributes)
    assert wire.taken() == ["CAP LS 302", "NICK bot", "USER bot foo bar :bot"]
    feed(client, ":srv CAP * LS * :multi-prefix " + " ".join(CAPS[:3]), ":srv CAP * LS :" + " ".join(CAPS[3:]))
    assert wire.taken() == ["CAP REQ :" + " ".join(CAPS)]
    feed(client, ":srv CAP bot ACK :" + " ".join(CAPS))
    assert wire.taken() == ["CAP END"]
    feed(client, ":srv 001 bot :Welcome")
    client.told.clear()
    return client, wire


@pytest.mark.parametrize("said", [[], [":srv CAP * LS * :batch"], [":srv CAP * LS :batch message-tags"]])
def test_aServerThatIsSilentAboutCapabilitiesIsGoneOnWith(said: list[str], caplog: pytest.LogCaptureFixture) -> None:
    client, wire = made(capabilities=CAPS)
    feed(client, *said)
    wire.taken()
    client.clock.advance(29)
    assert wire.taken() == [] and caplog.records == []
    client.clock.advance(1)
    assert wire.taken() == ["CAP END"]
    assert [record.getMessage() for record in caplog.records] == [
        "Client: the server leaves CAP unanswered for 30 s; on is: nothing"
    ]
    feed(client, ":srv 001 bot :Welcome")
    assert ("signedOn",) in client.told
    if len(said) and "LS :" in said[0]:
        feed(client, ":srv CAP bot ACK :batch message-tags")
        assert client.enabledCapabilities == {"batch", "message-tags"}


@pytest.mark.parametrize("answers", [[":srv CAP * LS "], [":srv CAP * LS :batch", ":srv CAP * NAK "]])
def test_aNegotiationThatIsOverLeavesNoTimer(answers: list[str]) -> None:
    client, wire = made(capabilities=CAPS, registrationTimeout=None, heartbeatInterval=None)
    feed(client, *answers)
    assert wire.taken()[-1] == "CAP END"
    feed(client, ":srv 001 bot :Welcome")
    assert client.clock.getDelayedCalls() == []
    lost, _ = made(capabilities=CAPS)
    lost.connectionLost(Failure(ConnectionDone()))
    assert lost.clock.getDelayedCalls() == []


def test_aServerThatIsSilentAboutCapabilitiesIsNotTakenWhereWeMustAuthenticate() -> None:
    client, wire = made(capabilities=CAPS, saslUsername="u", saslPassword="p")
    client.clock.advance(30)
    assert wire.aborted and "could not authenticate" in client.closeReason
    assert client.clock.getDelayedCalls() == []


def test_thePatienceWithCapabilitiesIsASetting() -> None:
    client, wire = made(capabilities=CAPS, negotiationTimeout=None)
    wire.taken()
    client.clock.advance(119)
    assert wire.taken() == []
    client.clock.advance(1)
    assert wire.aborted


def test_whoLeavesSASLUnansweredIsNamed() -> None:
    client, wire = made(capabilities=CAPS, saslUsername="u", saslPassword="p")
    feed(client, ":srv CAP * LS :sasl", ":srv CAP * ACK :sasl")
    assert wire.taken()[-1] == "AUTHENTICATE SCRAM-SHA-256"
    client.clock.advance(120)
    assert client.closeReason == (
        "the server did not welcome us within 120 s: it offers SASL and has not answered SCRAM-SHA-256"
    )


def test_whoWantsSASLAndHasNothingToSayIsNotWaitedFor() -> None:
    client, wire = made(capabilities=[*CAPS, "sasl"])
    feed(client, ":srv CAP * LS :sasl=PLAIN")
    feed(client, ":srv CAP * ACK :sasl")
    assert wire.taken()[-2:] == ["CAP REQ sasl", "CAP END"]


def test_tagsAreThereInHooks() -> None:
    client, _ = negotiated()
    seen: list[Any] = []
    object.__setattr__(
        client,
        "irc_TAGMSG",
        lambda *args: seen.append((client.currentMessage.tags, client.messageTime(), client.messageAccount())),
    )
    feed(client, "@time=2011-10-19T16:40:51.620Z;account=al :al!u@h TAGMSG #c", "@time=nonsense :al!u@h TAGMSG #c")
    assert seen[0] == ({"time": "2011-10-19T16:40:51.620Z", "account": "al"}, 1319042451.62, "al")
    assert seen[1][2] is None
    assert client.currentMessage is None


def test_aLeapSecondIsTold() -> None:
    client, _ = negotiated()
    times: list[float] = []
    object.__setattr__(client, "irc_TAGMSG", lambda *args: times.append(client.messageTime()))
    feed(client, "@time=2016-12-31T23:59:60.000Z  :al!u@h TAGMSG #c")
    assert times == [1483228800]


def test_anEmptyLineIsNoMessageAndNothingIsWrong() -> None:
    client, _ = welcomed()
    feed(client, "", " ", "   ")
    client.dataReceived(b"\n\r\n")
    assert client.told == []
    feed(client, ":srv", "@a ")
    assert [name for name, *_ in client.told] == ["badMessage", "badMessage"]


def test_ourOwnEchoedRequestsAreNotAnswered() -> None:
    client, wire = negotiated(versionName="N")
    feed(client, ":bot!u@h PRIVMSG #c :\1VERSION\1", ":bot!u@h PRIVMSG #c :\1ACTION waves\1", ":bot!u@h PRIVMSG #c :hi")
    assert client.told == [("action", "bot!u@h", "#c", "waves"), ("privmsg", "bot!u@h", "#c", "hi")]
    assert wire.taken() == []


def test_batchesAndLabels() -> None:
    client, wire = negotiated()
    answers: list[Any] = []
    client.ask("WHOIS", "al").addCallback(answers.append)
    client.ask("PING", "x").addCallback(answers.append)
    assert wire.taken() == ["@label=1 WHOIS al", "@label=2 PING x"]
    feed(client, "@label=1 :srv BATCH +r labeled-response", "@batch=r :srv 311 bot al u h * :Al")
    feed(client, ":srv BATCH +n netsplit a b", "@batch=n :al!u@h QUIT :a b")
    assert client.told == [("userQuit", "al", "a b")] and answers == []
    feed(client, "@batch=r :srv 318 bot al :End", ":srv BATCH -r", "@label=2 :srv ACK", ":srv BATCH -n")
    assert [[message.command for message in answer] for answer in answers] == [["311", "318"], []]
    assert client.told == [("userQuit", "al", "a b")]
    failed: list[Any] = []
    client.ask("WHO", "#c").addErrback(failed.append)
    client.connectionLost(Failure(ConnectionDone()))
    assert failed[0].check(ConnectionDone)


def test_askingAServerWithoutLabels() -> None:
    client, wire = welcomed()
    failed: list[Any] = []
    deferred: Deferred[Any] = client.ask("WHOIS", "al")
    deferred.addErrback(failed.append)
    assert failed[0].check(UnhandledCommand)
    assert wire.data == b""


def test_aServerThatKnowsNoCAP() -> None:
    client, wire = made(capabilities=CAPS)
    feed(client, ":srv 421 * CAP :Unknown command", ":srv 001 bot :hi")
    assert "CAP END" not in wire.taken()
    assert client.told[-1] == ("signedOn",)


def test_aSubclassThatNegotiatesByItself() -> None:
    class Own(Client):
        def irc_CAP(self, prefix: str, params: list[str]) -> None:
            self.told.append(params)

    client, wire = Own(capabilities=CAPS), Wire()
    client.makeConnection(wire)
    feed(client, ":srv CAP * LS :sasl")
    assert client.told == [["*", "LS", "sasl"]]
    assert wire.taken()[0] == "NICK bot"


def sasl(secure: bool, **attributes: Any) -> tuple[Any, Wire]:
    client = Client(capabilities=(), **attributes)
    wire = Wire()
    wire.TLS = secure
    client.makeConnection(wire)
    feed(client, ":srv CAP * LS :sasl=PLAIN,EXTERNAL")
    assert wire.taken()[-1] == "CAP REQ sasl"
    feed(client, ":srv CAP * ACK :sasl")
    return client, wire


def test_saslPlain() -> None:
    client, wire = sasl(True, saslUsername="me", saslPassword="pw")
    assert wire.taken() == ["AUTHENTICATE PLAIN"]
    feed(client, "AUTHENTICATE +")
    assert wire.taken() == ["AUTHENTICATE " + base64.b64encode(b"\0me\0pw").decode()]
    feed(client, ":srv 900 * bot!u@h me :You are me", ":srv 903 * :done")
    assert wire.taken() == ["CAP END"]
    assert ("loggedIn", "me") in client.told and client.account == "me"


def test_saslExternal() -> None:
    client, wire = sasl(True, saslExternal=True)
    assert wire.taken() == ["AUTHENTICATE EXTERNAL"]
    feed(client, "AUTHENTICATE +")
    assert wire.taken() == ["AUTHENTICATE +"]
    feed(client, ":srv 903 * :done")
    assert wire.taken() == ["CAP END"]


@pytest.mark.parametrize("honest", [True, False])
def test_saslScram(honest: bool) -> None:
    client, wire = Client(capabilities=(), saslUsername="user", saslPassword="pencil"), Wire()
    client.makeConnection(wire)
    feed(client, ":srv CAP * LS :sasl=SCRAM-SHA-256,PLAIN", ":srv CAP * ACK :sasl")
    assert wire.taken()[-1] == "AUTHENTICATE SCRAM-SHA-256"
    feed(client, "AUTHENTICATE +")
    bare = base64.b64decode(wire.taken()[0].split()[1]).decode()[3:]
    salt = b"0123456789abcdef"
    challenge = f"r={bare.split('r=')[1]}srv,s={base64.b64encode(salt).decode()},i=4096"
    feed(client, "AUTHENTICATE " + base64.b64encode(challenge.encode()).decode())
    proofless, _, proof = base64.b64decode(wire.taken()[0].split()[1]).decode().rpartition(",p=")
    # RFC 5802, section 3, the server's side of it.
    salted = hashlib.pbkdf2_hmac("sha256", b"pencil", salt, 4096)
    key = hmac.digest(salted, b"Client Key", "sha256")
    text = f"{bare},{challenge},{proofless}".encode()
    signature = hmac.digest(hashlib.sha256(key).digest(), text, "sha256")
    assert base64.b64decode(proof) == bytes(a ^ b for a, b in zip(key, signature, strict=True))
    verifier = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), text, "sha256") if honest else b"x" * 32
    feed(client, "AUTHENTICATE " + base64.b64encode(b"v=" + base64.b64encode(verifier)).decode())
    feed(client, ":srv 903 * :done")
    assert wire.taken() == (["AUTHENTICATE +", "CAP END"] if honest else ["AUTHENTICATE *"])
    assert wire.aborted is not honest


def test_noPasswordInTheClear() -> None:
    client, wire = sasl(False, saslUsername="me", saslPassword="pw")
    assert wire.taken() == []
    assert wire.aborted
    assert "not authenticate" in client.closeReason


def test_authenticationThatFails(caplog: pytest.LogCaptureFixture) -> None:
    client, wire = sasl(True, saslUsername="me", saslPassword="wrong")
    feed(client, ":srv 904 * :Invalid credentials")
    assert wire.aborted
    assert "Invalid credentials" in client.closeReason
    client, wire = sasl(True, saslUsername="me", saslPassword="wrong", saslRequired=False)
    feed(client, ":srv 904 * :Invalid credentials")
    assert wire.taken()[-1] == "CAP END"
    assert "without authentication" in caplog.text


def test_aServerWithoutSASL() -> None:
    client, wire = made(capabilities=(), saslUsername="me", saslPassword="pw")
    feed(client, ":srv CAP * LS :batch")
    assert wire.aborted and "offers no SASL" in client.closeReason
    client, wire = made(capabilities=(), saslUsername="me", saslPassword="pw")
    feed(client, ":srv 001 bot :hi")
    assert wire.aborted
    assert client.told == []


def later() -> tuple[Any, Wire]:
    """A client that is on the network without SASL, which the server then offers."""
    client, wire = Client(capabilities=(), saslUsername="me", saslPassword="pw", saslRequired=False), Wire()
    wire.TLS = True
    client.makeConnection(wire)
    feed(client, ":srv CAP * LS :batch", ":srv 001 bot :hi")
    wire.taken()
    feed(client, ":srv CAP bot NEW :sasl=PLAIN")
    assert wire.taken() == ["CAP REQ sasl"]
    feed(client, ":srv CAP bot ACK :sasl")
    return client, wire


def test_saslThatIsThereLater() -> None:
    client, wire = later()
    assert wire.taken() == ["AUTHENTICATE PLAIN"]
    feed(client, "AUTHENTICATE +")
    assert wire.taken() == ["AUTHENTICATE " + base64.b64encode(b"\0me\0pw").decode()]
    feed(client, ":srv 900 bot bot!u@h me :You are me", ":srv 903 bot :done")
    assert wire.taken() == [] and client.account == "me"
    # The services leave and come back: the server has not forgotten who we are.
    feed(client, ":srv CAP bot DEL :sasl", ":srv CAP bot NEW :sasl=PLAIN", ":srv CAP bot ACK :sasl")
    assert wire.taken() == ["CAP REQ sasl"] and client.account == "me"


def test_whoIsLoggedOutLogsInWhenThatIsPossible() -> None:
    client, wire = later()
    feed(client, "AUTHENTICATE +", ":srv 900 bot bot!u@h me :You are me", ":srv 903 bot :done")
    wire.taken(), client.told.clear()
    feed(client, ":srv 901 bot bot!u@h :You are nobody")
    assert client.told == [("loggedOut",)] and client.account == ""
    assert wire.taken() == [], "the user may have asked for it"
    feed(client, ":srv CAP bot DEL :sasl", ":srv CAP bot NEW :sasl=PLAIN", ":srv CAP bot ACK :sasl")
    assert wire.taken() == ["CAP REQ sasl", "AUTHENTICATE PLAIN"]


def test_saslThatIsThereLaterAndFails(caplog: pytest.LogCaptureFixture) -> None:
    """It costs nobody a connection that was good without."""
    client, wire = later()
    client.saslRequired = True
    feed(client, ":srv 904 bot :Invalid credentials")
    assert not wire.aborted and "Invalid credentials" in caplog.text
    wire.taken()
    feed(client, ":srv CAP bot DEL :sasl", ":srv CAP bot NEW :sasl=PLAIN", ":srv CAP bot ACK :sasl")
    assert wire.taken() == ["CAP REQ sasl", "AUTHENTICATE PLAIN"], "each time it is there, it is tried"


def test_aServerThatWantsTLS() -> None:
    client, wire = made(capabilities=())
    wire.taken()
    feed(client, ":srv CAP * LS :sts=port=6697,duration=10 batch")
    assert wire.aborted and wire.taken() == []
    assert "6697" in client.closeReason
    client, wire = made(capabilities=(), strictTransport=False)
    feed(client, ":srv CAP * LS :sts=port=6697")
    assert not wire.aborted


def test_standardReplies() -> None:
    client, _ = welcomed()
    feed(client, ":srv FAIL JOIN BANNED #c :You are banned", ":srv NOTE * X :hello")
    assert client.told == [
        ("serverSaid", "FAIL", "JOIN", "BANNED", "You are banned"),
        ("serverSaid", "NOTE", "*", "X", "hello"),
    ]


def test_passwordMismatchIsLogged(caplog: pytest.LogCaptureFixture) -> None:
    client, wire = made(password="a secret")
    assert wire.taken()[0] == "PASS :a secret"
    feed(client, ":srv 464 * :Password incorrect")
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "Password incorrect" in caplog.text


# ---- A server that is up to no good ----

COMMANDS = """CAP AUTHENTICATE BATCH PRIVMSG NOTICE JOIN PART KICK MODE NICK QUIT TOPIC PING PONG ERROR
FAIL NOTE TAGMSG ACK 001 004 005 252 254 332 372 375 376 421 432 433 436 437 900 901 903 904 908
396 CHGHOST 438 477 484""".split()
WORDS = [
    *"bot * #c LS ACK NAK NEW DEL + - +o-v +r -r labeled-response PREFIX=( CHANTYPES= CASEMAPPING=".split(),
    *["#a,#c", "a,bot", "NICKLEN=0", "NICKLEN=9", "-PREFIX", "é\udcff", ":"],
    *[
        ":sasl=PLAIN,EXTERNAL sts=port=1 batch",
        ":sasl batch labeled-response message-tags",
        "x" * 450,
        "9" * 21,
        "\1\\\1",
    ],
    *[
        f":\1{text}\1"
        for text in ("PING " + "y" * 300, "DCC SEND a 1 2 3", 'DCC SEND " 1 2', "CLIENTINFO " + "z" * 400)
    ],
]
SOURCES = ["", ":srv", ":al!u@h", ":bot!u@h", "::x!y@z", ":" + "q" * 600 + "!a@b"]
TAGS = ["", "", "@label=1 ", "@batch=r ", "@time=x;account ", "@label=1;batch=r "]


@pytest.mark.parametrize("seed", range(40))
def test_noServerMakesUsFail(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    choose = random.Random(seed)
    for rate in (None, 1):
        client, wire = IRCClient(), Wire()
        client.nickname, client.clock, client.versionName, client.lineRate = "bot", Clock(), "N", rate
        client.saslUsername, client.saslPassword, client.saslRequired = "u", "p", False
        client.makeConnection(wire)
        for _ in range(100):
            words = [choose.choice(SOURCES), choose.choice(COMMANDS), *choose.choices(WORDS, k=choose.randrange(5))]
            feed(client, choose.choice(TAGS) + " ".join(words).lstrip())
            client.clock.advance(choose.choice([0, 0, 0, 1, 30]))
            wire.disconnecting = False
        assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
        assert all(len(line.encode("utf-8", "surrogateescape")) <= 510 for line in wire.taken())
        client.connectionLost(Failure(ConnectionDone()))
        assert client.clock.getDelayedCalls() == []
