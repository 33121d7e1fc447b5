"""The guide's code blocks for its ircLogBot, as real processes on a real server.

As in tests/test_guide.py: each is as it stands there but for its imports; what the guide leaves to its reader comes
around it: `MessageLogger`, a host and a port, and an end.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ircservers import ngircd as ngircd
from ircservers import unique
from script import script

BEFORE = """
import sys, time

class MessageLogger:
    def __init__(self, file):
        self.file = file

    def log(self, message):
        self.file.write(message + "\\n")
"""

BOT = """
from protocols import irc
from reactor import protocol

class LogBot(irc.IRCClient):

    def connectionMade(self):
        irc.IRCClient.connectionMade(self)
        self.logger = MessageLogger(open(self.factory.filename, "a"))
        self.logger.log("[connected at %s]" %
                        time.asctime(time.localtime(time.time())))

    def signedOn(self):
        self.join(self.factory.channel)
"""

FACTORY = """
class LogBotFactory(protocol.ClientFactory):

    def __init__(self, channel, filename):
        self.channel = channel
        self.filename = filename

    def buildProtocol(self, addr):
        p = LogBot()
        p.factory = self
        return p
"""

SHORTER_FACTORY = """
class LogBotFactory(protocol.ClientFactory):
    protocol = LogBot

    def __init__(self, channel, filename):
        self.channel = channel
        self.filename = filename
"""

AFTER = """
from reactor import reactor

def joined(self, channel):
    print("joined", channel)
    self.logger.file.close()
    reactor.stop()

LogBot.joined = joined
LogBot.nickname = sys.argv[4]
reactor.connectTCP("localhost", int(sys.argv[1]), LogBotFactory(sys.argv[2], sys.argv[3]))
reactor.run()
"""


@pytest.mark.parametrize("factory", [FACTORY, SHORTER_FACTORY], ids=["buildProtocol", "protocol"])
def test_the_bot_joins_the_channel_that_its_factory_keeps(factory: str, ngircd: Any, tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text("from yesterday\n")
    channel = unique("#guide")
    with ngircd.talker(unique("alice"), channel) as alice:
        printed = script(BEFORE + BOT + factory + AFTER, ngircd.port, channel, log, unique("bot"))
        assert printed == [f"joined {channel}"]
        alice.wait(b"^:bot.* JOIN :" + channel.encode())
    yesterday, connected = log.read_text().splitlines()
    assert yesterday == "from yesterday"
    assert re.fullmatch(r"\[connected at \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\]", connected)
