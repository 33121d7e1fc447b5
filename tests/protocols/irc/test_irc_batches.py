"""Batches and labels of IRC: messages that belong together, which answer is to which question, and what of both
`IRCClient` tells.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ircfed import feed, made

from protocols.irc import Batch, Batches, IRCBadMessage, Labels, Message, UnhandledCommand
from reactor.defer import CancelledError
from reactor.error import ConnectionDone
from reactor.failure import Failure


def test_batchesWithinBatches() -> None:
    batches = Batches()
    alone = Message.parse("PRIVMSG #c :alone")
    assert batches.received(alone) is alone
    assert batches.received(Message.parse("BATCH +1 example.com/foo a b")) is None
    assert batches.received(Message.parse("@batch=1 BATCH +2 inner")) is None
    assert batches.received(Message.parse("@batch=2 X deep")) is None
    assert batches.received(Message.parse("@batch=1 X flat")) is None
    assert batches.received(Message.parse("BATCH -2")) is None
    unknown = Message.parse("@batch=2 X late")
    assert batches.received(unknown) is unknown
    outer = batches.received(Message.parse("BATCH -1"))
    assert isinstance(outer, Batch)
    assert (outer.type, outer.params) == ("example.com/foo", ["a", "b"])
    flat, inner = outer.contents
    assert isinstance(flat, Message)
    assert isinstance(inner, Batch)
    assert inner.contents == [Message("X", ["deep"], tags={"batch": "2"})]
    assert inner.complete and outer.complete
    assert batches._messages == batches._octets == 0


@pytest.mark.parametrize("line", ["BATCH", "BATCH +", "BATCH +1", "BATCH + x", "BATCH -1", "BATCH 1 x", "BATCH :"])
def test_batchesThatMakeNoSense(line: str) -> None:
    with pytest.raises(IRCBadMessage):
        Batches().received(Message.parse(line))


def ended(batches: Batches, *said: str) -> list[Batch]:
    """The batches that end with these lines."""
    items = [batches.received(Message.parse(line)) for line in said]
    return [item for item in items if isinstance(item, Batch)]


def flat(batch: Batch) -> list[str]:
    """What is in it, and in what is in it."""
    return [
        item.params[0] if isinstance(item, Message) else f"{item.reference}({' '.join(flat(item))})"
        for item in batch.contents
    ]


def test_theMessagesOfBatchesAreBounded() -> None:
    batches = Batches()
    batches.MAX_MESSAGES = 3
    left = Message.parse("@batch=1 X 4")
    assert ended(batches, "BATCH +1 x", "BATCH +2 x", "@batch=1 X 1", "@batch=2 X 2", "@batch=1 X 3") == []
    assert batches.received(left) is left
    two, one = ended(batches, "BATCH -2", "BATCH -1")
    assert (two.complete, flat(two)) == (True, ["2"])
    assert (one.complete, flat(one)) == (False, ["1", "3"])
    # And there is room again.
    (again,) = ended(batches, "BATCH +1 x", "@batch=1 X 1", "@batch=1 X 2", "@batch=1 X 3", "BATCH -1")
    assert again.complete and batches._messages == batches._octets == 0


@pytest.mark.parametrize(
    ("line", "octets"),
    [
        ("@batch=1;t={} X a", 8009),
        ("@batch=1;{}=t X a", 8009),
        ("@batch=1 :{} X a", 8008),
        ("@batch=1 X {} a", 8008),
        ("@batch=1 X :{}", 8007),
    ],
)
def test_theOctetsOfBatchesAreBounded(line: str, octets: int) -> None:
    batches = Batches()
    messages = 0
    batches.received(Message.parse("BATCH +1 x"))
    while batches.received(Message.parse(line.format("\u00e9" * 4000))) is None:
        messages += 1
    assert messages == batches.MAX_OCTETS // octets
    (batch,) = ended(batches, "BATCH -1")
    assert not batch.complete and len(batch.contents) == messages
    assert batches._messages == batches._octets == 0


def test_aBatchAroundAnIncompleteOneIsIncomplete() -> None:
    batches = Batches()
    batches.MAX_MESSAGES = 2
    opened = "BATCH +1 x", "@batch=1 BATCH +2 x", "@batch=1 BATCH +3 x"
    (batch,) = ended(
        batches, *opened, "@batch=2 X 1", "@batch=2 X 2", "@batch=3 X 3", "BATCH -2", "BATCH -3", "BATCH -1"
    )
    assert flat(batch) == ["2(1 2)", "3()"]
    assert [item.complete for item in (batch, *batch.contents) if isinstance(item, Batch)] == [False, True, False]


def test_theFirstOfTooManyBatchesMakesRoom() -> None:
    batches = Batches()
    batches.MAX_OPEN = 2
    assert ended(batches, "BATCH +1 x", "@batch=1 X a", "BATCH +2 x") == []
    (first,) = ended(batches, "BATCH +3 x")
    assert (first.reference, first.complete, flat(first)) == ("1", False, ["a"])
    late = Message.parse("@batch=1 X b")
    assert batches.received(late) is late
    with pytest.raises(IRCBadMessage):
        batches.received(Message.parse("BATCH -1"))
    # One that is in another ends there.
    inner = Batches()
    inner.MAX_OPEN = 2
    assert ended(inner, "BATCH +1 x", "@batch=1 BATCH +2 y", "@batch=2 X a") == []
    (outer,) = ended(inner, "@batch=2 BATCH +3 z")
    assert outer.reference == "1" and outer.contents == []
    (rest,) = inner.end()
    assert rest.reference == "2" and flat(rest) == ["a", "3()"]


def test_aReferenceThatIsUsedAgainEndsTheBatchThatHadIt() -> None:
    batches = Batches()
    (first,) = ended(batches, "BATCH +1 x", "@batch=1 X a", "BATCH +1 y")
    assert (first.type, first.complete) == ("x", False)
    (second,) = ended(batches, "@batch=1 X b", "BATCH -1")
    assert (second.type, second.complete, flat(second)) == ("y", True, ["b"])


def test_batchesThatDoNotEndAreThere() -> None:
    batches = Batches()
    ended(batches, "BATCH +1 x", "@batch=1 X a", "@batch=1 BATCH +2 x", "@batch=2 X b", "BATCH +3 x", "@batch=3 X c")
    found = batches.end()
    assert [flat(batch) for batch in found] == [["a", "2(b)"], ["c"]]
    assert not any(batch.complete for batch in found)
    assert "incomplete" in repr(found[0])
    assert batches.end() == [] and batches._messages == batches._octets == 0


def test_whichBatchAMessageIsIn() -> None:
    batches = Batches()
    ended(batches, "BATCH +1 x", "@batch=1 BATCH +2 y")
    inner = batches.open(Message.parse("@batch=2 X"))
    assert inner is not None and inner.type == "y"
    outer = batches.open(inner.opening)
    assert outer is not None and outer.type == "x"
    assert batches.open(outer.opening) is None and batches.open(Message.parse("X")) is None


PLACES = st.sampled_from(["", "@batch=1 ", "@batch=2 ", "@batch=3 "])
WORDS = st.sampled_from(["BATCH +{} t", "BATCH -{}", "X {}"])


@settings(max_examples=200)
@given(st.lists(st.tuples(PLACES, WORDS, st.sampled_from("123")), max_size=30))
def test_noMessageOfABatchIsLost(said: list[tuple[str, str, str]]) -> None:
    batches = Batches()
    batches.MAX_OPEN, batches.MAX_MESSAGES = 2, 4
    sent, found = [], []

    def take(item: Message | Batch | None) -> None:
        if isinstance(item, Message):
            found.append(item)
        elif item is not None:
            for part in item.contents:
                take(part)

    for tags, form, which in said:
        message = Message.parse(tags + form.format(which))
        if message.command == "X":
            sent.append(message)
        try:
            take(batches.received(message))
        except IRCBadMessage:
            assert message.command == "BATCH"
        assert batches._messages <= 4 + 2 * len(said) and len(batches._open) <= 2
    for batch in batches.end():
        take(batch)
    assert sorted(map(id, found)) == sorted(map(id, sent))
    assert batches._messages == batches._octets == 0


def test_labels() -> None:
    labels, batches = Labels(), Batches()
    first = labels.label(Message("WHOIS", ["a"]), "first")
    second = labels.label(Message("PING", ["b"]), "second")
    third = labels.label(Message("JOIN", ["c"]), "third")
    assert labels.received(Message.parse("PRIVMSG a :b")) is None
    assert labels.received(Message("X", tags={"label": "unknown"})) is None
    ack = Message("ACK", tags={"label": second.tags["label"]})
    assert labels.received(ack) == ("second", [])
    assert labels.received(ack) is None
    pong = Message("PONG", tags={"label": third.tags["label"]})
    assert labels.received(pong) == ("third", [pong])
    batches.received(Message("BATCH", ["+x", "labeled-response"], tags={"label": first.tags["label"]}))
    batches.received(Message.parse("@batch=x 311 me a"))
    batch = batches.received(Message("BATCH", ["-x"]))
    assert isinstance(batch, Batch)
    assert labels.received(batch) == ("first", batch.contents)
    assert len(batch.contents) == 1


def test_labelsAreBounded() -> None:
    labels = Labels()
    for number in range(labels.MAX_WAITING + 5):
        labels.label(Message("X"), number)
    assert len(labels._waiting) == labels.MAX_WAITING
    assert labels.makeRoom() == [5] and labels.makeRoom() == []
    assert labels.clear() == list(range(6, labels.MAX_WAITING + 5)) and labels.clear() == []


# The client.

CAPS = ("batch", "labeled-response")


def talking() -> tuple[Any, Any]:
    """A client on a network that has batches and labels."""
    client, wire = made(capabilities=CAPS)
    feed(client, ":srv CAP * LS :" + " ".join(CAPS), ":srv CAP bot ACK :" + " ".join(CAPS), ":srv 001 bot :Welcome")
    wire.taken()
    client.told.clear()
    return client, wire


def test_whatIsInABatchIsToldAsItComes() -> None:
    client, _ = talking()
    seen: list[Any] = []
    object.__setattr__(client, "irc_TAGMSG", lambda *args: seen.append(client.messageBatch()))
    object.__setattr__(client, "batchEnded", lambda batch: seen.append((batch.complete, len(batch.contents))))
    feed(
        client,
        ":srv BATCH +foo netjoin irc.hub other.host",
        "@batch=foo :al!u@h JOIN #c",
        ":bo!u@h MODE #c +o al",
        "@batch=foo :cy!u@h JOIN #c",
        "@batch=foo :cy!u@h TAGMSG #c",
        ":cy!u@h TAGMSG #c",
        ":srv BATCH -foo",
    )
    assert [told[:2] for told in client.told] == [("userJoined", "al"), ("modeChanged", "bo!u@h"), ("userJoined", "cy")]
    assert seen[0].type == "netjoin" and seen[1:] == [None, (True, 3)]
    assert client.messageBatch() is None


@pytest.mark.parametrize("ends", ["lost", "again", "many"])
def test_aBatchThatDoesNotEndIsToldNevertheless(ends: str) -> None:
    client, _ = talking()
    told: list[Any] = []
    answers: list[Any] = []
    object.__setattr__(
        client, "batchEnded", lambda batch: told.append((batch.type, batch.complete, len(batch.contents)))
    )
    client.ask("HISTORY", "#c").addBoth(answers.append)
    feed(client, "@label=1 :srv BATCH +h chathistory #c", *[f"@batch=h :cy!u@h PRIVMSG #c :{n}" for n in range(3)])
    assert [each[3] for each in client.told] == ["0", "1", "2"] and told == []
    if ends == "lost":
        client.connectionLost(Failure(ConnectionDone()))
    elif ends == "again":
        feed(client, ":srv BATCH +h netsplit a b")
    else:
        feed(client, *[f":srv BATCH +{n} netsplit a b" for n in range(client._batches.MAX_OPEN)])
    assert told == [("chathistory", False, 3)]
    assert answers[0].check(ConnectionDone if ends == "lost" else IRCBadMessage)
    assert len(answers) == 1


def test_aHookThatFailsOnTheEndOfABatchIsLogged(caplog: pytest.LogCaptureFixture) -> None:
    client, _ = talking()
    object.__setattr__(client, "batchEnded", lambda batch: 1 / 0)
    answers: list[Any] = []
    client.ask("WHOIS", "al").addBoth(answers.append)
    feed(client, "@label=1 :srv BATCH +r labeled-response", ":srv BATCH -r", ":al!u@h JOIN #c")
    assert answers == [[]] and client.told == [("userJoined", "al", "#c")]
    assert [record.getMessage() for record in caplog.records] == ["Client failed on the end of a batch"]


def test_aBatchTooLargeToBeKeptIsTold() -> None:
    client, _ = talking()
    client._batches.MAX_OCTETS = 1000
    answers: list[Any] = []
    client.ask("WHO", "#c").addBoth(answers.append)
    feed(client, "@label=1 :srv BATCH +r labeled-response")
    feed(client, *[f"@batch=r :al!u@h PRIVMSG #c :{'x' * 300}" for _ in range(10)], ":srv BATCH -r")
    assert len(client.told) == 10
    assert answers[0].check(IRCBadMessage) and "incomplete" in str(answers[0].value)


def test_answersThatAreCancelledOrNeverCome() -> None:
    client, wire = talking()
    client._labels.MAX_WAITING = 2
    answers: dict[str, Any] = {}
    asked = [client.ask("PING", str(n)).addBoth(lambda got, n=n: answers.__setitem__(n, got)) for n in "123"]
    assert list(answers) == ["1"] and answers["1"].check(UnhandledCommand)
    asked[1].cancel()
    feed(client, "@label=2 :srv PONG 2", "@label=1 :srv PONG 1", "@label=3 :srv PONG 3")
    assert answers["2"].check(CancelledError) and answers["3"][0].params == ["3"]
    client.ask("PING", "4").cancel()
    client.connectionLost(Failure(ConnectionDone()))
    assert len(answers) == 3
