"""Write down what is said on an IRC channel.

    python irclogbot.py [--tls | --plain] [--ca FILE] [--nick NICK] HOST[:PORT] CHANNEL FILE

Connects to a server, joins CHANNEL and appends everything that happens there to FILE, a line each, with the time. Who
speaks to the bot ("logbot: hello", or in private) gets an answer. When the connection is lost it connects again, and
waits longer each time that fails. It speaks TLS, to port 6697 unless another is given; with `--plain` it does not, to
port 6667. `--ca` is a file of certificates (PEM) that are believed instead of the system's. Ctrl-C ends it.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from protocols import irc
from reactor import reactor, ssl
from reactor.defer import Deferred
from reactor.failure import Failure
from reactor.protocol import connectionDone

# Control characters, as \x1b: nobody else begins a line of the log, or moves the cursor of who reads it.
VISIBLE = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


class MessageLogger:
    """Writes lines into a file, each with its time, and so that they are there at once."""

    def __init__(self, file: TextIO) -> None:
        self.file = file

    def log(self, message: str, when: float | None = None) -> None:
        """Write `message` as one line, whatever is in it; `when` are seconds since the epoch, None is now."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(when))
        self.file.write(f"[{stamp}] {message.translate(VISIBLE)}\n")
        self.file.flush()

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class LogBot(irc.IRCClient):
    """One connection. What outlives it (which channel, which file) is the factory's."""

    ABOUT = "I am a bot that keeps the log of this channel"
    WHISPERED = "I keep the log of a channel, please talk to me there"

    factory: LogBotFactory
    realname = "keeps a log"
    # Some servers take nine characters at most.
    erroneousNickFallback = "logbot"
    # No answers faster than servers like: ten at once, then one a second.
    lineRate = 1
    lineBurst = 10

    def connectionMade(self) -> None:
        super().connectionMade()
        # Bytes that are not UTF-8 go into the file as they came.
        self.logger = MessageLogger(open(self.factory.filename, "a", encoding="utf-8", errors="surrogateescape"))
        self.logger.log("[connected]")
        self.ended: Deferred[None] = Deferred()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        self.logger.log(f"[disconnected: {self.closeReason or reason.getErrorMessage()}]")
        self.logger.close()
        self.ended.callback(None)

    def signedOn(self) -> None:
        self.join(self.factory.channel)

    def note(self, text: str) -> None:
        """Write down what the server tells us right now, with the time that it gives."""
        self.logger.log(text, self.messageTime())

    def answer(self, target: str, text: str) -> None:
        """Say something, and keep that too: a server does not send us what we said ourselves."""
        self.msg(target, text)
        self.logger.log(f"<{self.nickname}> {text}")

    # What others say.

    def privmsg(self, user: str, channel: str, message: str) -> None:
        nick = irc.nickOf(user)
        self.note(f"<{nick}> {message}")
        if message.endswith((self.ABOUT, self.WHISPERED)):
            # One of our kind. Two bots that answer each other never stop.
            return
        if self.currentMessage is not None and "batch" in self.currentMessage.tags:
            # What was said before we came.
            return
        if channel.lower() == self.nickname.lower():
            self.answer(nick, self.WHISPERED)
        elif message.lower().startswith((f"{self.nickname.lower()}:", f"{self.nickname.lower()},")):
            self.answer(channel, f"{nick}: {self.ABOUT}")

    def noticed(self, user: str, channel: str, message: str) -> None:
        # Never answered: that is what a notice is (RFC 2812, section 3.3.2).
        self.note(f"-{irc.nickOf(user)}- {message}")

    def action(self, user: str, channel: str, data: str | None) -> None:
        self.note(f"* {irc.nickOf(user)} {data or ''}")

    def irc_unknown(self, prefix: str, command: str, params: list[str]) -> None:
        if irc.isError(command, params):
            # That the channel is not for us, say, whichever of a dozen numerics says so.
            self.note(f"[the server says: {' '.join(params[1:])}]")

    # What happens on the channel.

    def joined(self, channel: str) -> None:
        self.note(f"[I have joined {channel} as {self.nickname}]")

    def left(self, channel: str) -> None:
        self.note(f"[I have left {channel}]")

    def kickedFrom(self, channel: str, kicker: str, message: str) -> None:
        self.note(f"[I was kicked from {channel} by {irc.nickOf(kicker)}: {message}]")

    def userJoined(self, user: str, channel: str) -> None:
        self.note(f"[{irc.nickOf(user)} joined {channel}]")

    def userLeft(self, user: str, channel: str) -> None:
        self.note(f"[{irc.nickOf(user)} left {channel}]")

    def userQuit(self, user: str, quitMessage: str) -> None:
        self.note(f"[{irc.nickOf(user)} quit: {quitMessage}]")

    def userKicked(self, kickee: str, channel: str, kicker: str, message: str) -> None:
        self.note(f"[{irc.nickOf(kicker)} kicked {kickee} from {channel}: {message}]")

    def userRenamed(self, oldname: str, newname: str) -> None:
        self.note(f"[{oldname} is now {newname}]")

    def topicUpdated(self, user: str, channel: str, newTopic: str) -> None:
        self.note(f"[{irc.nickOf(user)} set the topic of {channel}: {newTopic}]")

    def modeChanged(self, user: str, channel: str, set: bool, modes: str, args: Sequence[str | None]) -> None:
        sign = "+" if set else "-"
        of = "".join(f" {argument}" for argument in args if argument is not None)
        self.note(f"[{irc.nickOf(user)} set {sign}{modes}{of} on {channel}]")


class LogBotFactory(irc.IRCClientFactory):
    """What outlives a connection: the channel, the file, the nick that we want. Connects again when one is lost."""

    protocol = LogBot

    def __init__(self, channel: str, filename: str, nickname: str = "logbot") -> None:
        super().__init__()
        self.channel = channel
        self.filename = filename
        self.session.nickname = nickname

    def leave(self) -> Deferred[None] | None:
        """Say good-bye, for a few seconds at most, and do not come back."""
        self.stopTrying()
        bot = self.client
        if not isinstance(bot, LogBot) or bot.ended.called:
            return None
        bot.quit("the log ends here")
        return bot.ended.addTimeout(3, reactor).addErrback(lambda reason: None)


def destination(text: str, default: int) -> tuple[str, int]:
    """HOST[:PORT], [HOST]:PORT for an IPv6 address.

    :raises ValueError: when the port is no number from 1 to 65535, or there is no host.
    """
    host, colon, port = text.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")) or text.endswith("]"):
        host, port = text, str(default)
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"{text!r} is not HOST or HOST:PORT")
    return host, int(port)


def certificatesIn(path: Path) -> list[ssl.Certificate]:
    """All certificates in a file (PEM).

    :raises ValueError: when there is none. OSError when the file cannot be read.
    """
    end = "-----END CERTIFICATE-----"
    first, *rest = path.read_text(encoding="latin-1").split(end)
    return [ssl.Certificate.loadPEM(piece + end) for piece in (first, *rest[:-1])]


def main() -> None:
    parser = argparse.ArgumentParser(description="Write down what is said on an IRC channel.")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--tls", action="store_true", help="connect over TLS, to port 6697 by default; the default")
    way.add_argument(
        "--plain", action="store_true", help="connect without TLS, to port 6667 by default; a server may insist on TLS"
    )
    parser.add_argument("--ca", metavar="FILE", type=Path, help="believe these certificates (PEM), not the system's")
    parser.add_argument("--nick", default="logbot", help="the bot's nick (default: logbot)")
    parser.add_argument("host", metavar="HOST[:PORT]")
    parser.add_argument("channel", metavar="CHANNEL")
    parser.add_argument("file", metavar="FILE", help="the log; lines are appended")
    arguments = parser.parse_args()
    try:
        host, port = destination(arguments.host, 6667 if arguments.plain else 6697)
        open(arguments.file, "a").close()
        trust = None
        if arguments.ca:
            trust = ssl.trustRootFromCertificates(certificatesIn(arguments.ca))
        context = ssl.optionsForClientTLS(host, trust)
    except (ValueError, OSError) as e:
        parser.error(str(e))
    # Each attempt to reconnect, and why.
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    factory = LogBotFactory(arguments.channel, arguments.file, arguments.nick)
    # Also for a server that sends us from a plain connection to TLS.
    factory.contextFactory = context
    factory.connect(host, port, tls=not arguments.plain, reactor=reactor)
    reactor.addSystemEventTrigger("before", "shutdown", factory.leave)
    reactor.run()


if __name__ == "__main__":
    main()
