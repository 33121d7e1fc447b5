"""`IRCClient` on InspIRCd and what goes beyond RFC 2812: capabilities, SASL against services, tags, labels, batches,
strict transport security, flood control, nicknames that are taken.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ircparty import Party, Recorder, gathering
from ircservers import InspIRCd, NgIRCd, running
from ircservices import CONFIGURATION, MODULES, Services
from tls import clientOptions, issued, private

from protocols.irc.mechanisms import Plain

PASSWORD = "correct horse"


class ByPlain(Recorder):
    """Tries no better mechanism first."""

    def saslMechanisms(self) -> list[Any]:
        return [Plain("plain", PASSWORD)]


class Guests(Party):
    """Clients who came in by different doors."""

    server: InspIRCd
    services: Services
    guests: dict[str, Recorder]


@pytest.fixture(scope="module")
def guests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("network")
    with (
        running(InspIRCd, folder / "server", modules=MODULES, extra=CONFIGURATION) as server,
        gathering() as party,
    ):
        guests: Any = party
        guests.server = server
        guests.services = Services(server.linkPort, {"scram": PASSWORD, "plain": PASSWORD, "échte": "pässwörd"})
        certified = clientOptions(clientCertificate=private(issued("holder.test")))
        wrong = {"saslUsername": "scram", "saslPassword": "wrong"}
        guests.guests = {
            "scram": party.connect(Recorder("scram", saslUsername="scram", saslPassword=PASSWORD), server.port),
            "unicode": party.connect(Recorder("unicode", saslUsername="échte", saslPassword="pässwörd"), server.port),
            "plain": party.connect(ByPlain("plain"), server.tlsPort, clientOptions()),
            "external": party.connect(Recorder("external", saslExternal=True), server.tlsPort, certified),
            "clear": party.connect(ByPlain("clear"), server.port),
            "wrong": party.connect(Recorder("wrong", **wrong), server.port),
            "lenient": party.connect(Recorder("lenient", saslRequired=False, **wrong), server.port),
            "bare": party.connect(Recorder("bare", capabilities=None), server.port),
            "brief": party.connect(Recorder("brief"), server.port),
            "echo": party.connect(Recorder("echo", capabilities=(*Recorder.capabilities, "echo-message")), server.port),
        }
        try:
            party.until(lambda: all(each.lost or each.heard("receivedMOTD") for each in party.clients))
            yield guests
        finally:
            guests.services.close()


@pytest.mark.parametrize(
    ("name", "mechanism", "account"),
    [
        ("scram", "SCRAM-SHA-256", "scram"),
        ("unicode", "SCRAM-SHA-256", "échte"),
        ("plain", "PLAIN", "plain"),
        ("external", "EXTERNAL", "holder"),
    ],
)
def test_who_has_an_account_is_logged_in(guests: Guests, name: str, mechanism: str, account: str) -> None:
    guest = guests.guests[name]
    assert guest.lost is None
    assert (mechanism, account, True) in guests.services.asked
    assert guest.account == account
    assert guest.told.index(("loggedIn", account)) < guest.told.index(("signedOn",)), "before anybody can see us"


def test_who_has_another_password_stays_outside(guests: Guests) -> None:
    guest = guests.guests["wrong"]
    assert guest.lost is not None and not guest.heard("signedOn")
    assert "authenticate" in (guest.closeReason or "")
    assert ("SCRAM-SHA-256", "scram", False) in guests.services.asked


def test_a_wrong_password_may_do_no_harm(guests: Guests) -> None:
    guest = guests.guests["lenient"]
    assert guest.lost is None and guest.heard("signedOn") and guest.account == ""


def test_no_password_goes_over_the_wire_in_the_clear(guests: Guests) -> None:
    """PLAIN is not used where everybody on the way reads it."""
    guest = guests.guests["clear"]
    assert guest.lost is not None and not guest.heard("signedOn")
    assert not [each for each in guests.services.asked if each[0] == "PLAIN" and each[1] != "plain"]
    assert sum(each[0] == "PLAIN" for each in guests.services.asked) == 1


def test_what_is_negotiated(guests: Guests) -> None:
    alice, bare, echo = (guests.guests[name] for name in ("scram", "bare", "echo"))
    wanted = {"server-time", "account-tag", "batch", "labeled-response", "message-tags", "sasl"}
    assert wanted <= set(alice.enabledCapabilities)
    assert bare.enabledCapabilities == frozenset()
    assert "echo-message" in echo.enabledCapabilities and "echo-message" not in alice.enabledCapabilities


def test_times_and_accounts(guests: Guests) -> None:
    alice, bob, bare = (guests.guests[name] for name in ("scram", "echo", "bare"))
    channel = guests.together(alice, bob, bare)
    times: list[float] = []
    accounts: list[Any] = []
    bob.privmsg = lambda *args: (times.append(bob.messageTime()), accounts.append(bob.messageAccount()))  # type: ignore[assignment, method-assign, func-returns-value]
    try:
        before = time.time()
        alice.say(channel, "hello")
        bare.say(channel, "hello")
        guests.until(lambda: len(times) == 2)
        after = time.time()
    finally:
        del bob.privmsg
    assert accounts == ["scram", None]
    # The server tells the time in milliseconds, and looks at its clock now and then only.
    assert before - 1.1 <= times[0] <= times[1] <= after + 0.1
    guests.until(lambda: bare.heard("privmsg", alice.source, channel, "hello"))
    assert bare.tags == [{}], "who asked for no tags gets none"


def test_echo(guests: Guests) -> None:
    echo, alice = guests.guests["echo"], guests.guests["scram"]
    channel = guests.together(echo, alice)
    echo.say(channel, "hello")
    echo.describe(channel, "waves")
    echo.ctcpMakeQuery(channel, [("PING", "1")])
    alice.say(channel, "mine")
    guests.until(lambda: echo.heard("privmsg", alice.source) and alice.heard("action"))
    assert echo.told[:3] == [
        ("privmsg", echo.source, channel, "hello"),
        ("action", echo.source, channel, "waves"),
        ("privmsg", alice.source, channel, "mine"),
    ]
    assert not alice.all("privmsg", alice.source)


def test_labels_and_batches(guests: Guests) -> None:
    """An answer of several messages, of one, and of none; those that another client provokes are not among them."""
    alice, bob = guests.guests["scram"], guests.guests["echo"]
    channel = guests.together(alice, bob)
    answers: list[Any] = [None, None, None]
    bob.say(channel, "in between")
    for number, question in enumerate([("WHOIS", bob.nickname), ("WHO", "nobody"), ("PONG", "x")]):
        alice.ask(*question).addCallback(lambda messages, number=number: answers.__setitem__(number, messages))
    guests.until(lambda: None not in answers and alice.heard("privmsg", bob.source))
    several, one, none = answers
    commands = [message.command for message in several]
    assert commands[0] == "311" and commands[-1] == "318" and len(commands) > 3
    assert all(message.params[1] == bob.nickname for message in several)
    assert [message.command for message in one] == ["315"]
    assert none == []
    assert [each[0] for each in alice.numerics].count("RPL_WHOISUSER") == 1, "the hooks are told as well"


def test_labels_where_there_are_none(guests: Guests) -> None:
    failures: list[Any] = []
    guests.guests["bare"].ask("WHO", "nobody").addErrback(failures.append)
    assert "labeled-response" in failures[0].getErrorMessage()


def test_an_answer_that_the_connection_takes_with_it(guests: Guests) -> None:
    client = guests.guests["brief"]
    failures: list[Any] = []
    client.ask("WHO", "nobody").addErrback(failures.append)
    client.transport.abortConnection()
    guests.until(lambda: failures)
    assert client.lost is not None


def test_a_batch_that_is_the_history_of_a_channel(guests: Guests) -> None:
    """Who joins later is told what was said before: in one batch, in its order, each with the time when it was said."""
    alice, bob = guests.guests["scram"], guests.guests["echo"]
    channel = guests.together(alice)
    alice.sendLine(f"MODE {channel} +H 10:1h")
    guests.until(lambda: alice.heard("modeChanged", alice.source, channel, True, "H"))
    said = ["one", "two", "three"]
    for text in said:
        alice.say(channel, text)
    alice.describe(channel, "waves")
    alice.sendLine("PING :said")
    guests.until(lambda: any(each[0] == "PONG" and each[-1] == "said" for each in alice.numerics))
    bob.told.clear()
    bob.tags.clear()
    bob.join(channel)
    guests.until(lambda: bob.heard("action", alice.source, channel, "waves"))
    assert [text for (text,) in bob.all("privmsg", alice.source, channel)] == said
    tags = [tags for tags, told in zip(bob.tags, bob.told, strict=True) if told[0] in ("privmsg", "action")]
    assert len({each["batch"] for each in tags}) == 1 and all("time" in each for each in tags)


def test_services_that_come_later(tmp_path: Path) -> None:
    """Who may be nobody is on the network before the services are, and is logged in as soon as they are."""
    with (
        running(InspIRCd, tmp_path / "server", modules=MODULES, extra=CONFIGURATION) as server,
        gathering() as party,
    ):
        known = {"saslUsername": "scram", "saslPassword": PASSWORD, "saslRequired": False}
        early = party.connect(Recorder("early", **known), server.port)
        wrong = party.connect(Recorder("wrong", **known | {"saslPassword": "wrong"}), server.port)
        party.ready()
        assert early.account == "" and "sasl" not in early.enabledCapabilities
        services = Services(server.linkPort, {"scram": PASSWORD})
        try:
            party.until(lambda: [each for each in early.numerics if each[0] == "RPL_SASLSUCCESS"])
            party.until(lambda: [each for each in wrong.numerics if each[0] == "ERR_SASLFAIL"])
        finally:
            services.close()
        assert sorted(services.asked) == [("SCRAM-SHA-256", "scram", False), ("SCRAM-SHA-256", "scram", True)]
        assert early.all("loggedIn") == [("scram",)] and "sasl" in early.enabledCapabilities
        early.sendLine("WHOIS early")
        party.until(lambda: any(each[0] == "RPL_WHOISACCOUNT" and each[3] == "scram" for each in early.numerics))
        assert early.lost is None and wrong.lost is None and wrong.account == ""


def test_strict_transport(tmp_path: Path) -> None:
    """A server that wants TLS gets no nickname in the clear; the policy it tells over TLS is kept."""
    with (
        running(
            InspIRCd,
            tmp_path / "server",
            modules="ircv3_sts",
            extra='<sts host="localhost" duration="1h" port="{tlsPort}">',
        ) as server,
        gathering() as party,
    ):
        strict = party.connect(Recorder("strict"), server.port)
        told: list[Any] = []
        # Any: a factory need not have it.
        factory: Any = strict.factory
        factory.clientMustBeSecure = lambda client, port: told.append((client, port))
        relaxed = party.connect(Recorder("relaxed", strictTransport=False), server.port)
        secure = party.connect(Recorder("secure"), server.tlsPort, clientOptions())
        secure.factory.host = "localhost"
        party.until(lambda: strict.lost)
        assert told == [(strict, server.tlsPort)]
        assert "STS" in (strict.closeReason or "") and not strict.enabledCapabilities
        party.until(lambda: secure.enabledCapabilities and relaxed.enabledCapabilities)
        following = party.succession("following")
        following.contextFactory = clientOptions()
        following.connect("localhost", server.port, tls=False, reactor=party.reactor)
        party.until(lambda: len(following.built) == 2 and following.built[1].enabledCapabilities)
        assert [each.transport.TLS for each in following.built] == [False, True]
        assert secure.session.policies.portFor("localhost", time.time()) == server.tlsPort
        assert relaxed.session.policies.portFor("127.0.0.1", time.time()) is None


def test_flood_control(tmp_path: Path) -> None:
    """The server throws out who says much at once; with `lineRate` all of it arrives, and nobody is thrown out."""
    options = {"threshold": 100, "commandRate": 80000, "fakeLag": "no"}
    with running(InspIRCd, tmp_path / "server", **options) as server, gathering() as party:
        hasty = party.connect(Recorder("hasty"), server.port)
        steady = party.connect(Recorder("steady", lineRate=0.015, lineBurst=5), server.port)
        witness = party.connect(Recorder("witness"), server.port)
        party.ready()
        channel = party.together(steady, hasty, witness)
        lines = [f"line {number}" for number in range(70)]
        for line in lines:
            steady.say(channel, line)
            hasty.say(channel, f"{line}\n{line}")
        party.until(lambda: hasty.lost)
        assert "Excess Flood" in (hasty.closeReason or "")
        party.until(lambda: steady.lost or witness.heard("privmsg", steady.source, channel, lines[-1]))
        assert steady.lost is None
        assert [line for (line,) in witness.all("privmsg", steady.source, channel)] == lines


def test_a_nickname_that_is_taken_and_then_is_not(tmp_path: Path) -> None:
    with running(NgIRCd, tmp_path / "server") as server, gathering() as party:
        first = party.connect(Recorder("taken"), server.port)
        party.ready()
        second = party.connect(Recorder("taken"), server.port)
        fallen = party.connect(Recorder("9lives", erroneousNickFallback="fallen"), server.port)
        party.ready()
        assert (second.nickname, fallen.nickname) == ("taken_", "fallen")
        party.together(first, second)
        first.quit("good-bye")
        party.until(lambda: second.heard("nickChanged", "taken"))
        assert second.nickname == "taken" and first.lost is not None
