"""What an IRC client and a server agree on before they talk: capabilities, SASL, STS. And flood control.

All pure: the other side is a script, or the same mechanism's arithmetic done by hand.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.irc import (
    CapNegotiation,
    CapState,
    External,
    FloodQueue,
    FloodQueueFull,
    IRCBadMessage,
    Message,
    Plain,
    SASLError,
    SASLExchange,
    SASLState,
    ScramSHA256,
    STSPolicies,
    saslprep,
)

# Capabilities.


def lines(messages: list[Message]) -> list[str]:
    return [message.format().decode() for message in messages]


def feed(negotiation: CapNegotiation, line: str) -> tuple[list[str], list[str], list[str]]:
    step = negotiation.received(Message.parse(line))
    return lines(step.send), step.enabled, step.disabled


def test_capabilitiesInSeveralLines() -> None:
    caps = CapNegotiation(["server-time", "batch", "nothing", "sts"])
    assert lines(caps.start()) == ["CAP LS 302"]
    assert feed(caps, ":s CAP * LS * :multi-prefix sts=port=6697") == ([], [], [])
    assert caps.state is CapState.LISTING
    assert feed(caps, ":s CAP * LS :server-time batch sasl=PLAIN,EXTERNAL") == (["CAP REQ :server-time batch"], [], [])
    assert caps.available["sasl"] == "PLAIN,EXTERNAL"
    assert feed(caps, ":s CAP me ACK :server-time batch ") == (["CAP END"], ["server-time", "batch"], [])
    assert caps.state is CapState.DONE
    assert caps.enabled == {"server-time", "batch"}


def test_capabilitiesThatNothingIsWantedOf() -> None:
    caps = CapNegotiation(["x"])
    caps.start()
    assert feed(caps, "CAP * LS :") == (["CAP END"], [], [])


def test_capabilitiesRefusedTogetherAreAskedForAlone() -> None:
    caps = CapNegotiation(["a", "b", "c"])
    caps.start()
    assert feed(caps, "CAP * LS :a b c")[0] == ["CAP REQ :a b c"]
    assert feed(caps, "CAP * NAK :a b")[0] == ["CAP REQ a", "CAP REQ b", "CAP REQ c"]
    assert feed(caps, "CAP * ACK :a") == ([], ["a"], [])
    assert feed(caps, "CAP * NAK :b") == ([], [], [])
    assert feed(caps, "CAP * ACK :c") == (["CAP END"], ["c"], [])


def test_anAnswerInPieces() -> None:
    caps = CapNegotiation(["a", "b"])
    caps.start()
    feed(caps, "CAP * LS :a b")
    assert feed(caps, "CAP * ACK * :a") == ([], ["a"], [])
    assert feed(caps, "CAP * ACK :b") == (["CAP END"], ["b"], [])


def test_saslHoldsRegistration() -> None:
    caps = CapNegotiation(["sasl"])
    caps.start()
    feed(caps, "CAP * LS :sasl")
    assert caps.release() == []
    assert feed(caps, "CAP * ACK :sasl") == ([], ["sasl"], [])
    assert caps.state is CapState.HELD
    assert lines(caps.release()) == ["CAP END"]
    assert caps.release() == []


def test_capabilitiesThatComeAndGo() -> None:
    caps = CapNegotiation(["away-notify", "batch"])
    caps.start()
    feed(caps, "CAP * LS :batch")
    feed(caps, "CAP * ACK :batch")
    assert feed(caps, "CAP me NEW :away-notify other=1") == (["CAP REQ away-notify"], [], [])
    assert feed(caps, "CAP me ACK :away-notify") == ([], ["away-notify"], [])
    assert feed(caps, "CAP me DEL :batch never") == ([], [], ["batch"])
    assert "batch" not in caps.available
    assert lines(caps.request(["-away-notify"])) == ["CAP REQ -away-notify"]
    assert feed(caps, "CAP me ACK :-away-notify") == ([], [], ["away-notify"])


def test_manyCapabilitiesAreAskedForInLinesThatFit() -> None:
    names = [f"example.org/capability-{number}" for number in range(50)]
    caps = CapNegotiation(names)
    caps.start()
    requests = caps.received(Message("CAP", ["*", "LS", " ".join(names)])).send
    assert [name for message in requests for name in message.params[1].split()] == names
    assert max(len(message.format()) for message in requests) < 450
    for message in requests:
        caps.received(Message("CAP", ["*", "ACK", message.params[1]]))
    assert caps.state is CapState.DONE


@pytest.mark.parametrize("line", [":s 001 me :Welcome", ":s 421 me CAP :Unknown command"])
def test_aServerWithoutCapabilities(line: str) -> None:
    caps = CapNegotiation(["a"])
    caps.start()
    assert feed(caps, line) == ([], [], [])
    assert caps.state is CapState.DONE


def test_capabilitiesThatMakeNoSense() -> None:
    caps = CapNegotiation(["a"])
    caps.start()
    with pytest.raises(IRCBadMessage, match="CAP with 1 parameters"):
        feed(caps, "CAP *")
    assert feed(caps, "CAP * WHAT :x") == ([], [], [])
    assert feed(caps, "CAP * WHAT") == ([], [], [])
    assert feed(caps, "CAP * NAK :") == ([], [], [])
    assert feed(caps, "CAP * NAK :a") == ([], [], [])
    assert feed(caps, "CAP * ACK") == ([], [], [])
    assert caps.state is CapState.LISTING


@pytest.mark.parametrize("line", [":s CAP * LS ", ":s CAP * LS", ":s CAP * LS :", ":s CAP * ls :", ":s 410 * LS :x"])
def test_aListOfNoCapabilitiesIsAList(line: str) -> None:
    caps = CapNegotiation(["a"])
    caps.start()
    assert feed(caps, line) == (["CAP END"], [], [])
    assert caps.state is CapState.DONE and caps.available == {}


def test_aListOfNoneMayGoOn() -> None:
    caps = CapNegotiation(["a"])
    caps.start()
    for line in (":s CAP * LS * :", ":s CAP * LS * ", ":s CAP * LS *"):
        assert feed(caps, line) == ([], [], [])
    assert caps.available == {} and caps.state is CapState.LISTING
    assert feed(caps, ":s CAP * LS :a")[0] == ["CAP REQ a"]


@pytest.mark.parametrize(
    "line",
    [
        *("CAP * NAK", "CAP * NAK ", "CAP * NAK :", "CAP * NAK :other", "CAP * ACK", "CAP * ACK :"),
        *("410 * REQ :Invalid CAP command", "461 * CAP :Not enough parameters"),
    ],
)
def test_anAnswerThatNamesNothingIsAnAnswer(line: str) -> None:
    caps = CapNegotiation(["a"])
    caps.start()
    assert feed(caps, "CAP * LS :a b")[0] == ["CAP REQ a"]
    assert feed(caps, line) == (["CAP END"], [], [])
    assert caps.state is CapState.DONE and caps.enabled == set()
    # And when the right one comes late, it counts.
    assert feed(caps, "CAP * ACK :a") == ([], ["a"], [])


def test_aRefusalThatNamesNothingHasEachAskedForAlone() -> None:
    caps = CapNegotiation(["a", "b"])
    caps.start()
    feed(caps, "CAP * LS :a b")
    assert feed(caps, "CAP * NAK")[0] == ["CAP REQ a", "CAP REQ b"]
    assert feed(caps, "CAP * NAK") == ([], [], [])
    assert feed(caps, "CAP * ACK :b") == (["CAP END"], ["b"], [])


@pytest.mark.parametrize(
    "said", [[], ["CAP * LS * :a sasl"], ["CAP * LS :a sasl"], ["CAP * LS :a sasl", "CAP * ACK :a"]]
)
def test_aServerThatFallsSilentIsGivenUp(said: list[str]) -> None:
    caps = CapNegotiation(["a", "sasl"])
    caps.start()
    for line in said:
        feed(caps, line)
    step = caps.giveUp()
    assert lines(step.send) == ["CAP END"] and caps.state is CapState.DONE
    assert caps.giveUp().send == []
    if len(said) and "LS :" in said[0]:
        assert feed(caps, "CAP * ACK :sasl") == ([], ["sasl"], [])


def test_whatIsOnIsWaitedForThoughTheRestIsGivenUp() -> None:
    caps = CapNegotiation(["a", "sasl"])
    caps.start()
    feed(caps, "CAP * LS :a sasl")
    feed(caps, "CAP * ACK * :sasl")
    assert caps.giveUp() == ([], [], []) and caps.state is CapState.HELD
    assert lines(caps.release()) == ["CAP END"]


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["LS", "LS *", "ACK", "ACK *", "NAK", "NEW", "DEL", "LIST", "WHAT", "410", "421", "461", "001"]
            ),
            st.lists(st.sampled_from(["a", "b=1", "sasl", "-a", "~b", "x", "-x", "=", "-", "*"]), max_size=3),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_everyNegotiationEndsAndEndsOnce(said: list[tuple[str, list[str], bool]]) -> None:
    caps = CapNegotiation(["a", "b", "sasl"])
    sent = lines(caps.start())
    for word, names, colon in said:
        text = (":" if colon else "") + " ".join(names)
        if word.isdigit():
            sent += feed(caps, f":s {word} me {'REQ' if word == '410' else 'CAP'} :x")[0]
        else:
            sent += feed(caps, f":s CAP me {word} {text}")[0]
        sent += lines(caps.release())
    sent += lines(caps.giveUp().send) + lines(caps.release())
    assert caps.state is CapState.DONE
    # None at all where the server has gone on by itself.
    assert sent.count("CAP END") == 1 or any(word in ("001", "421") for word, _, _ in said)
    assert sent.count("CAP END") <= 1
    assert caps.enabled <= {"a", "b", "sasl"}
    assert sent.count("CAP REQ a") <= 1 + sum(word in ("NAK", "NEW") for word, _, _ in said)


def test_whatAServerSaysDoesNotFillTheMemory() -> None:
    caps = CapNegotiation(["wanted", "sasl"])
    caps.start()
    for number in range(2000):
        feed(caps, f"CAP * ACK :x{number} y{number}")
        feed(caps, f"CAP * LS * :c{number}={'v' * 400} d{number}")
        feed(caps, f"CAP * LS * :{'n' * 600}{number}")
    assert caps.enabled == set()
    assert len(caps.available) == caps.MAX_CAPABILITIES
    assert max(map(len, caps.available)) < 20
    # What is wanted has its place nevertheless.
    assert feed(caps, "CAP * LS :wanted sts=port=6697 sasl other")[0] == ["CAP REQ :wanted sasl"]
    assert caps.available["sts"] == "port=6697" and "other" not in caps.available
    caps.MAX_LENGTH = 3
    feed(caps, "CAP * NEW :abcd ab=c")
    assert "abcd" not in caps.available


def test_endlessCapabilitiesAreNotKept() -> None:
    caps = CapNegotiation(["batch"])
    caps.start()
    for n in range(20):
        names = " ".join(f"example.org/{n}-{m}" for m in range(100))
        caps.received(Message("CAP", ["*", "LS", "*", names]))
    assert len(caps.available) == caps.MAX_CAPABILITIES
    # What is known may still change.
    caps.received(Message("CAP", ["*", "NEW", "example.org/0-0=new"]))
    assert caps.available["example.org/0-0"] == "new"


# SASL.


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_plain() -> None:
    sasl = SASLExchange([Plain("jilles", "sesame", "jilles")])
    assert lines(sasl.start("PLAIN,EXTERNAL")) == ["AUTHENTICATE PLAIN"]
    sent = sasl.received(Message.parse("AUTHENTICATE +"))
    assert lines(sent) == ["AUTHENTICATE amlsbGVzAGppbGxlcwBzZXNhbWU="]  # the example of the IRCv3 page
    sasl.received(Message.parse(":s 900 me me!a@b jilles :You are now logged in as jilles"))
    sasl.received(Message.parse(":s 903 me :SASL authentication successful"))
    assert sasl.state is SASLState.SUCCEEDED
    assert sasl.account == "jilles"


def test_external() -> None:
    sasl = SASLExchange([External()])
    sasl.start()
    assert lines(sasl.received(Message.parse("AUTHENTICATE +"))) == ["AUTHENTICATE +"]


def test_longResponsesGoInChunks() -> None:
    for size, chunks in ((297, [396]), (299, [400, 1]), (300, [400, 1]), (301, [400, 4]), (600, [400, 400, 1])):
        sasl = SASLExchange([Plain("u", "p" * (size - 3))])
        sasl.start()
        sent = sasl.received(Message.parse("AUTHENTICATE +"))
        assert [len(message.params[0]) for message in sent] == chunks
        joined = "".join(m.params[0] for m in sent if m.params[0] != "+")
        assert base64.b64decode(joined) == b"\0u\0" + b"p" * (size - 3)


# RFC 7677, section 3.
NONCE = "rOprNGfwEbeRWgbNEkqO"
FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
FINAL = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def scram() -> ScramSHA256:
    return ScramSHA256("user", "pencil", nonce=NONCE)


def test_scramOfTheRFC() -> None:
    mechanism = scram()
    assert mechanism.respond(b"") == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    assert mechanism.respond(FIRST) == (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    assert not mechanism.complete
    assert mechanism.respond(FINAL) == b""
    assert mechanism.complete
    with pytest.raises(SASLError, match="after the last"):
        mechanism.respond(b"")


@pytest.mark.parametrize(
    ("first", "final", "reason"),
    [
        (FIRST.replace(b"rOpr", b"xxxx"), b"", "nonce"),
        (FIRST.replace(b"%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", b""), b"", "nonce"),
        (FIRST.replace(b"4096", b"4095"), b"", "4095 iterations"),
        (FIRST.replace(b"4096", b"900000000"), b"", "900000000 iterations"),
        (FIRST.replace(b"4096", b"\xc2\xb2"), b"", "not a number"),
        (FIRST.replace(b"4096", b"9" * 5000), b"", "not a number"),
        (FIRST.replace(b"s=W22Z", b"s=!"), b"", "not base64"),
        (FIRST.replace(b"s=W22ZaJ0SNY7soEsUEjb6gQ==", b"s="), b"", "empty value"),
        (b"m=x," + FIRST, b"", "not r="),
        (b"\xff", b"", "UTF-8"),
        (b"", b"", "not r="),
        (FIRST, b"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "signature is wrong"),
        (FIRST, b"e=invalid-proof", "invalid-proof"),
        (FIRST, b"", "not v="),
    ],
)
def test_scramWithAServerThatIsWrong(first: bytes, final: bytes, reason: str) -> None:
    mechanism = scram()
    mechanism.respond(b"")
    with pytest.raises(SASLError, match=reason):
        mechanism.respond(first)
        mechanism.respond(final)
    assert not mechanism.complete


def test_scramOverIRC() -> None:
    """With a server that knows the password: a name that needs preparing and quoting, a nonce of our own."""
    mechanism = ScramSHA256("a,b=c\u00ad", "p\u2168")
    sasl = SASLExchange([mechanism])
    assert lines(sasl.start("SCRAM-SHA-256")) == ["AUTHENTICATE SCRAM-SHA-256"]

    def say(data: bytes) -> str:
        sent = sasl.received(Message("AUTHENTICATE", [b64(data) or "+"]))
        return base64.b64decode(
            sent[0].params[0].replace("+", "") if sent[0].params[0] == "+" else sent[0].params[0]
        ).decode()

    first = say(b"")
    assert first.startswith("n,,n=a=2Cb=3Dc,r=")
    nonce = first.rpartition("r=")[2] + "server"
    challenge = f"r={nonce},s={b64(b'salt')},i=4096"
    final, _, proof = say(challenge.encode()).rpartition(",p=")
    salted = hashlib.pbkdf2_hmac("sha256", b"pIX", b"salt", 4096)
    signed = f"{first[3:]},{challenge},{final}".encode()

    def mac(key: bytes, text: bytes) -> bytes:
        return hmac.digest(key, text, "sha256")

    stored = hashlib.sha256(mac(salted, b"Client Key")).digest()
    key = bytes(a ^ b for a, b in zip(base64.b64decode(proof), mac(stored, signed), strict=True))
    assert hashlib.sha256(key).digest() == stored
    assert say(b"v=" + b64(mac(mac(salted, b"Server Key"), signed)).encode()) == ""
    sasl.received(Message("903", ["me", "ok"]))
    assert sasl.state is SASLState.SUCCEEDED


def test_successWithoutProofIsNone() -> None:
    sasl = SASLExchange([scram()])
    sasl.start()
    sasl.received(Message("AUTHENTICATE", ["+"]))
    sasl.received(Message("903", ["me", "ok"]))
    assert sasl.state is SASLState.FAILED
    assert "proof" in sasl.reason


def test_aServerThatIsNotWhatItSaysIsShownNoPassword() -> None:
    sasl = SASLExchange([scram(), Plain("user", "pencil")])
    sasl.start()
    sasl.received(Message("AUTHENTICATE", ["+"]))
    sasl.received(Message("AUTHENTICATE", [b64(FIRST)]))
    assert lines(sasl.received(Message("AUTHENTICATE", [b64(b"v=AAAA")]))) == ["AUTHENTICATE *"]
    assert sasl.received(Message("AUTHENTICATE", ["+"])) == []
    assert sasl.received(Message("906", ["me", "aborted"])) == []
    assert sasl.state is SASLState.FAILED
    assert "signature is wrong" in sasl.reason


def test_theNextMechanismIsTried() -> None:
    sasl = SASLExchange([External(), scram(), Plain("u", "p")])
    sasl.start()
    assert sasl.received(Message("908", ["me", "PLAIN,EXTERNAL", "are available"])) == []
    assert lines(sasl.received(Message("904", ["me", "failed"]))) == ["AUTHENTICATE PLAIN"]
    sasl.received(Message("AUTHENTICATE", ["+"]))
    assert sasl.received(Message("904", ["me", "wrong password"])) == []
    assert sasl.state is SASLState.FAILED
    assert sasl.reason == "wrong password"
    assert sasl.received(Message("AUTHENTICATE", ["+"])) == []


def test_noPasswordGoesOverAPlainConnection() -> None:
    sasl = SASLExchange([Plain("u", "p")], secure=False)
    assert sasl.start("PLAIN") == []
    assert sasl.state is SASLState.FAILED
    assert sasl.reason == "not encrypted: PLAIN"
    assert lines(SASLExchange([Plain("u", "p"), scram()], secure=False).start()) == ["AUTHENTICATE SCRAM-SHA-256"]


@pytest.mark.parametrize("chunk", ["!", "é", "AAA", "A=A", "A"])
def test_challengesThatAreNotBase64(chunk: str) -> None:
    sasl = SASLExchange([External()])
    sasl.start()
    assert lines(sasl.received(Message("AUTHENTICATE", [chunk]))) == ["AUTHENTICATE *"]


def test_aChallengeWithoutEnd() -> None:
    sasl = SASLExchange([External()])
    sasl.start()
    answers = [sasl.received(Message("AUTHENTICATE", ["A" * 400])) for _ in range(30)]
    assert [lines(answer) for answer in answers if answer] == [["AUTHENTICATE *"]]


@pytest.mark.parametrize(
    ("message", "state"),
    [
        (Message("421", ["me", "AUTHENTICATE", "unknown"]), SASLState.FAILED),
        (Message("907", ["me", "already"]), SASLState.SUCCEEDED),
        (Message("902", ["me", "locked"]), SASLState.FAILED),
        (Message("PRIVMSG", ["me", "hi"]), SASLState.OFFERED),
        (Message("AUTHENTICATE", []), SASLState.TALKING),
    ],
)
def test_otherAnswers(message: Message, state: SASLState) -> None:
    sasl = SASLExchange([External()])
    assert sasl.received(message) == []
    sasl.start()
    sasl.received(message)
    assert sasl.state is state


def test_credentialsThatCannotBe() -> None:
    with pytest.raises(ValueError, match="NUL in password"):
        Plain("u", "\0")
    with pytest.raises(ValueError, match="username"):
        Plain("", "x")
    with pytest.raises(ValueError, match="username"):
        ScramSHA256("", "x")


@pytest.mark.parametrize(
    ("text", "prepared"),
    # The examples of RFC 4013, section 3, and a space that is another one.
    [
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
        ("", ""),
    ],
)
def test_saslprep(text: str, prepared: str) -> None:
    assert saslprep(text) == prepared


@pytest.mark.parametrize("text", ["\x07", "\u0627\u0031", "\u0627a\u0627", "\ud800", "\ue000"])
def test_saslprepRefuses(text: str) -> None:
    with pytest.raises(ValueError, match="RFC"):
        saslprep(text)


# STS.


def test_stsUpgradesAndRemembers() -> None:
    sts = STSPolicies()
    assert sts.portFor("irc.example", 0) is None
    assert sts.advertised("irc.example", "port=6697,duration=1000", 0, None) == 6697
    assert sts.portFor("irc.example", 0) is None  # an attacker may have said it
    assert sts.advertised("IRC.example.", "duration=1000,preload", 0, 6697) is None
    assert sts.portFor("irc.example", 999) == 6697
    sts.disconnected("irc.example", 500)
    sts.disconnected("other", 500)
    again = STSPolicies(json.loads(json.dumps(sts.asDict())))
    assert again.portFor("irc.example", 1499) == 6697
    assert again.portFor("irc.example", 1500) is None
    assert again.asDict() == {}


def test_stsIsTakenBackOverTLSAlone() -> None:
    sts = STSPolicies()
    sts.advertised("h", "duration=1000", 0, 7000)
    sts.advertised("h", "port=1,duration=0", 0, None)
    assert sts.portFor("h", 1) == 7000
    sts.advertised("h", "duration=0", 0, 7000)
    assert sts.portFor("h", 1) is None


@pytest.mark.parametrize(
    "value", ["", "port", "port=", "port=0", "port=65536", "port=-1", "port=²", "port=" + "9" * 5000]
)
def test_stsPortsThatAreNone(value: str) -> None:
    assert STSPolicies().advertised("h", value, 0, None) is None


@pytest.mark.parametrize("value", ["", "duration", "duration=-1", "duration=x", "duration=" + "9" * 5000])
def test_stsDurationsThatAreNone(value: str) -> None:
    sts = STSPolicies()
    sts.advertised("h", value, 0, 6697)
    assert sts.asDict() == {}


def test_stsIsBounded() -> None:
    sts = STSPolicies()
    sts.advertised("first", "duration=999999999999", 0, 6697)
    assert sts.portFor("first", sts.MAX_DURATION) is None
    for number in range(1100):
        sts.advertised(f"h{number}", f"duration={1000 + number}", 0, 6697)
    assert len(sts.asDict()) == sts.MAX_POLICIES
    assert sts.portFor("h0", 0) is None


@pytest.mark.parametrize(
    "policy",
    [None, {}, {"port": 1}, {"port": "1", "duration": 1, "expires": 1}, {"port": 0, "duration": 1, "expires": 1}]
    + [{"port": 1, "duration": 1, "expires": number} for number in (float("nan"), float("inf"), True, -1)],
)
def test_savedStsThatMakesNoSense(policy: object) -> None:
    assert STSPolicies({"h": policy}).asDict() == {}


# Flood control.


def test_linesWaitForTheirTurn() -> None:
    queue = FloodQueue(2.0)
    for line in (b"a", b"b", b"c"):
        queue.push(line)
    assert queue.wait(10) == 0
    assert queue.due(10) == [b"a"]
    assert queue.wait(10) == 2
    assert queue.due(11.9) == []
    assert queue.due(12) == [b"b"]
    assert queue.due(100) == [b"c"]
    assert queue.wait(100) is None
    queue.push(b"d")
    assert queue.due(101) == []
    assert queue.due(102) == [b"d"]


def test_aBurstNeedsNoWaiting() -> None:
    queue = FloodQueue(1.0, burst=3)
    for number in range(6):
        queue.push(b"%d" % number)
    assert queue.due(0) == [b"0", b"1", b"2"]
    assert queue.due(0.5) == []
    assert queue.due(1) == [b"3"]
    assert queue.due(2.5) == [b"4"]
    assert queue.due(3) == [b"5"]
    for number in range(6):
        queue.push(b"%d" % number)
    assert len(queue.due(100)) == 3  # never more than the bucket holds


def test_urgentLinesGoFirstAndAtOnce() -> None:
    queue = FloodQueue(2.0)
    queue.push(b"a")
    queue.push(b"b")
    assert queue.due(0) == [b"a"]
    queue.push(b"PONG", urgent=True)
    assert queue.wait(0.1) == 0
    assert queue.due(0.1) == [b"PONG"]
    assert queue.due(2) == []
    assert queue.wait(2) == 2
    assert queue.due(4) == [b"b"]


def test_whoeverWaitsAsToldHasNotToWaitAgain() -> None:
    queue = FloodQueue(0.1, burst=2)
    now = 0.3
    for _ in range(100):
        queue.push(b"x")
    while (seconds := queue.wait(now)) is not None:
        now += seconds
        assert queue.due(now)


def test_noLimit() -> None:
    for rate in (None, 0):
        queue = FloodQueue(rate)
        queue.push(b"a")
        queue.push(b"b")
        assert queue.due(0) == [b"a", b"b"]


def test_aFullQueueSaysSo() -> None:
    queue = FloodQueue(1, maximum=2)
    queue.push(b"a")
    queue.push(b"b", urgent=True)
    with pytest.raises(FloodQueueFull, match="2 lines"):
        queue.push(b"c")
    assert len(queue) == 2
    assert queue.clear() == [b"b", b"a"]
    assert len(queue) == 0


@pytest.mark.parametrize(
    "arguments",
    [{"lineRate": -1}, {"lineRate": 1, "burst": 0}, {"lineRate": float("nan")}, {"lineRate": 1, "maximum": 0}],
)
def test_floodLimitsThatCannotBe(arguments: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        FloodQueue(**arguments)
