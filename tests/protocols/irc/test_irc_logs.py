"""What IRC peers can do to a log: nothing but fill a bounded part of it with what can be printed."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from protocols.irc import IRC, IRCClient
from reactor.protocol import Factory
from reactor.task import Clock
from reactor.testing import StringTransport

EVIL = ["evil\x1b[2J\x9b31m\x85\x0b\x0c\u2028FAKE", "evil\x1b]0;title\x07", "\udc9b31m"]
LINES = """:s 001 nick :hi|ERROR :%s|:s KILL nick :%s|:%s PRIVMSG nick :\1DCC %s x y z\1
:%s PRIVMSG nick :\1VERSION %s\1|:%s NOTICE nick :\1PING %s\1|:s 433 %s %s :x|:s CAP * LS :%s|:s CAP %s|:s 904 nick :%s
AUTHENTICATE %s
:s 005 nick PREFIX=%s CASEMAPPING=%s :x|:s MODE #c +%s|:s MODE %s +o|BATCH %s|BATCH +%s x|:s %s a b|%s|@%s PING x
:s 465 nick :%s|:s 437 * %s :x|:s FAIL %s %s :%s|:s 353 nick|:u!u@h PRIVMSG nick :\1DCC SEND %s 134744072 5000 x\1
:%s BOOM %s|:s 252 nick %s|:s 464 nick :%s""".replace("\n", "|").split("|")


class Server(IRC):
    def irc_BOOM(self, prefix: str, params: list[str]) -> None:
        raise ValueError("".join(params))


class Client(IRCClient):
    saslUsername = saslPassword = "x"

    def irc_BOOM(self, prefix: str, params: list[str]) -> None:
        raise ValueError("".join(params))


def made(kind: Any, factory: Any = None) -> Any:
    protocol = kind()
    protocol.clock, protocol.factory = Clock(), factory
    protocol.makeConnection(StringTransport())
    return protocol


@pytest.mark.parametrize("kind", [Server, Client])
@pytest.mark.parametrize("line", LINES)
def test_S_logs_linesOfIRCAreEscaped(kind: Any, line: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for evil in EVIL:
        protocol = made(kind)
        protocol.dataReceived((line.replace("%s", evil) + "\r\n").encode("utf-8", "surrogateescape"))
        protocol.connectionLost()
    for text in caplog.messages:
        # Behind it may stand a traceback.
        assert text.partition("\nTraceback")[0].isprintable()
    assert [c for c in caplog.text if c != "\n" and not c.isprintable()] == []


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        (Server, "XYZZY a b"),
        (Server, "BOOM a b"),
        (Client, ":srv"),
        (Client, ":srv JOIN"),
        (Client, ":srv BOOM a"),
        (Client, ":al!u@h PRIVMSG x :\1TIME data\1"),
        (Client, ":srv MODE #c +o"),
    ],
)
def test_S_logs_entriesOfOneIRCPeerAreLimited(kind: Any, line: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    factory = Factory()
    for _ in range(5):
        protocol = made(kind, factory)
        protocol.capabilities = None
        protocol.dataReceived((line + "\r\n").encode() * 100)
    assert 1 <= len(caplog.records) <= 21
    sent = 500 * (len(line) + 2)
    assert len(caplog.text) < 1000 + 3 * sent


def test_anUnknownCommandIsOneLine(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    server = made(Server)
    server.dataReceived(b"XYZZY a b\r\n")
    assert caplog.messages == ["Server: the command 'XYZZY' is unknown"]
    assert caplog.records[0].levelno == logging.INFO and caplog.records[0].exc_info is None
    with pytest.raises(NotImplementedError):
        server.irc_unknown("", "XYZZY", [])
    # A method that is there and not finished is the program's business.
    server.irc_TODO = server.irc_unknown
    caplog.clear()
    Server.irc_LATER = lambda self, prefix, params: self.irc_unknown(prefix, "LATER", params)  # type: ignore[attr-defined]
    try:
        server.dataReceived(b"LATER\r\n")
    finally:
        del Server.irc_LATER  # type: ignore[attr-defined]
    assert caplog.messages == ["irc_LATER"] and caplog.records[0].levelno == logging.ERROR
