"""`IRCClient` as tests of bots use it: made, given a transport or not even that, and called; nothing is connected."""

from __future__ import annotations

from typing import Any

import pytest

import reactor
from protocols.irc import IRCClient, Session
from reactor.task import Clock
from reactor.testing import StringTransport


class Bot(IRCClient):
    """Keeps what it is told, and answers."""

    nickname = "bot"
    versionName = "N"

    def __init__(self) -> None:
        self.told: list[Any] = []

    def privmsg(self, user: str, channel: str, message: str) -> None:
        self.told.append((user, channel, message))
        self.msg(channel, f"you said {message}")

    def modeChanged(self, *args: Any) -> None:
        self.told.append(args)


def made() -> tuple[Any, Any]:
    bot, transport = Bot(), StringTransport()
    bot.transport = transport
    return bot, transport


def test_linesAreToldAndAnswered() -> None:
    bot, transport = made()
    bot.lineReceived(b":al!u@h PRIVMSG #c :hi")
    bot.lineReceived(":al!u@h PRIVMSG #c :you")
    bot.irc_PRIVMSG("al!u@h", ["#c", "there"])
    bot.handleCommand("PRIVMSG", "al!u@h", ["#c", "again"])
    assert [told[2] for told in bot.told] == ["hi", "you", "there", "again"]
    assert transport.value().count(b"PRIVMSG #c :you said ") == 4


def test_textIsTakenForUTF8() -> None:
    bot, _ = made()
    bot.dataReceived(":al!u@h PRIVMSG #c :sch\u00f6n\r\n:al!u@h PRIV")
    bot.dataReceived(b"MSG #c :\xff\r\n")
    bot.dataReceived(":al!u@h PRIVMSG #c :\udcff\r\n")
    assert [told[2] for told in bot.told] == ["sch\u00f6n", "\udcff", "\udcff"]


def test_whatIsAskedForIsThere() -> None:
    bot = Bot()
    assert bot.supported.isChannel("#c") and bot.supported is bot.supported
    assert isinstance(bot.session, Session) and bot.session is bot.session
    assert bot.clock is reactor.reactor
    assert Bot().supported is not bot.supported
    bot.clock = clock = Clock()
    assert bot.clock is clock


def test_theFactorysSessionIsTaken() -> None:
    class Factory:
        session = Session()

    bot = Bot()
    bot.factory = Factory()
    assert bot.session is Factory.session
    # Asked for before there was a factory: that of the factory counts when there is a connection.
    early = Bot()
    assert early.session is not Factory.session
    early.clock, early.factory = Clock(), Factory()
    early.makeConnection(StringTransport())
    assert early.session is Factory.session


def test_aConnectionBeginsAnew() -> None:
    bot = Bot()
    bot.supported.parse(["NICKLEN=30"])
    bot.clock = clock = Clock()
    bot.makeConnection(StringTransport())
    assert bot.supported.getFeature("NICKLEN") == 9
    assert bot.clock is clock


@pytest.mark.parametrize("clock", [None, Clock()])
def test_theClockOfAClass(clock: Any) -> None:
    class Timed(Bot):
        pass

    Timed.clock = clock
    bot = Timed()
    bot.registrationTimeout = None
    bot.performLogin = 0
    bot.makeConnection(StringTransport())
    assert bot.clock is (clock or reactor.reactor)


def test_theGreetingLeavesNoTimerAndNobodyWithoutName() -> None:
    bot, transport = made()
    bot.clock = clock = Clock()
    bot.irc_RPL_WELCOME("srv", ["bot"])
    assert bot.nickname == "bot" and clock.getDelayedCalls() == []
    bot.join("#c")
    bot.ping("al", "x")
    bot.irc_NICK("bot!u@h", ["tob"])
    assert bot.nickname == "tob" and clock.getDelayedCalls() == []
    bot.connectionLost()


def test_ctcp() -> None:
    bot, transport = made()
    replies: list[Any] = []
    bot.ctcpMakeReply = lambda user, messages: replies.append((user, messages))
    bot.ctcpQuery_VERSION("al!u@h", "bot", None)
    bot.ctcpQuery_PING("al!u@h", "bot", "12")
    # A list, as Twisted passes one.
    assert replies == [("al", [("VERSION", "N::")]), ("al", [("PING", "12")])]


def test_modesComeInATuple() -> None:
    bot, _ = made()
    bot.irc_MODE("al!u@h", ["#c", "+om-v", "al", "bo"])
    assert bot.told == [("al!u@h", "#c", True, "om", ("al", None)), ("al!u@h", "#c", False, "v", ("bo",))]


def test_dccRequestsComeAsText() -> None:
    class Served(Bot):
        def dcc_SEND(self, user: str, channel: str, data: str) -> None:
            self.told.append(("SEND", data))

        def dcc_ODD(self, user: str, channel: str, data: str) -> None:
            self.told.append(("ODD", data))

        def dccDoChat(self, *args: Any) -> None:
            self.told.append(args)

    bot = Served()
    bot.ctcpQuery_DCC("al!u@h", "bot", 'SEND "a  b" 2130706433 5000 1')
    bot.ctcpQuery_DCC("al!u@h", "bot", "odd")
    bot.ctcpQuery_DCC("al!u@h", "bot", "CHAT chat 2130706433 5000")
    bot.dcc_CHAT("al!u@h", "bot", "chat 2130706433 5001")
    assert bot.told == [
        ("SEND", '"a  b" 2130706433 5000 1'),
        ("ODD", ""),
        ("al!u@h", "bot", "127.0.0.1", 5000, ["chat", "2130706433", "5000"]),
        ("al!u@h", "bot", "127.0.0.1", 5001, ["chat", "2130706433", "5001"]),
    ]


@pytest.mark.parametrize("tag", ["", "A B", "A\1", " "])
def test_whatIsNoTagOfARequestIsNotSent(tag: str) -> None:
    bot, transport = made()
    for make in (bot.ctcpMakeQuery, bot.ctcpMakeReply):
        with pytest.raises(ValueError, match="CTCP request"):
            make("al", [("PING", "1"), (tag, "x")])
    assert transport.value() == b""


@pytest.mark.parametrize("tags", ["", ";", "a;;b", "a@b=c", "=v", "\u00e9=1"])
def test_whatIsNoNameOfATagIsNotSent(tags: str) -> None:
    bot, transport = made()
    with pytest.raises(ValueError, match="name of a tag"):
        bot.sendLine(f"@{tags} TAGMSG #c")
    bot.sendLine("@+draft/reply=12;+typing TAGMSG #c")
    assert transport.value() == b"@+draft/reply=12;+typing TAGMSG #c\r\n"
