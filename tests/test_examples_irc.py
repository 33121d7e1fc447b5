"""`examples/irclogbot.py` on real servers: it joins, writes down all that happens, answers, and comes back after the
server does.
"""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ircservers import InspIRCd, IRCServer, NgIRCd, Talker, running
from ircservers import ngircd as ngircd
from patience import PATIENCE
from script import script

import reactor
from reactor.task import Clock
from reactor.testing import StringTransport

BOT = Path(__file__).resolve().parent.parent / "examples" / "irclogbot.py"
STAMP = re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] ")


class Bot:
    """The example as a process, in a folder; `lines` is the log without the times.

    It has written down what came before a PING that it has answered (`Talker.ping`).
    """

    def __init__(self, folder: Path, *arguments: object) -> None:
        self.log = folder / "channel.log"
        environment = {**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1]), "PYTHONWARNINGS": "error"}
        self.process = subprocess.Popen(
            [sys.executable, "-X", "dev", str(BOT), *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env=environment,
        )

    @property
    def lines(self) -> list[str]:
        text = self.log.read_text(encoding="utf-8", errors="surrogateescape")
        lines = text.split("\n")
        assert lines.pop() == "", "the last line is whole"
        assert all(STAMP.match(line) for line in lines), lines
        return [STAMP.sub("", line) for line in lines]

    def ended(self, status: int = 0) -> str:
        """What it has printed, when it ends by itself."""
        printed, _ = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == status, printed
        assert "Traceback" not in printed
        return printed

    def interrupted(self) -> str:
        self.process.send_signal(signal.SIGINT)
        return self.ended()


REFUSALS = "405 437 448 471 473 474 475 477 479 480 489 495 500 519 520 550 609 926".split()


@pytest.mark.parametrize("numeric", REFUSALS)
def test_whyItIsNotInTheChannelIsWrittenDown(tmp_path: Path, numeric: str) -> None:
    spec = importlib.util.spec_from_file_location("irclogbot", BOT)
    assert spec is not None and spec.loader is not None
    irclogbot = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(irclogbot)
    bot = irclogbot.LogBot()
    bot.factory = irclogbot.LogBotFactory("#c", str(tmp_path / "log"))
    bot.clock = Clock()
    bot.makeConnection(StringTransport())
    bot.dataReceived(f":srv 001 logbot :hi\r\n:srv {numeric} logbot #c :Cannot join, because\r\n")
    bot.connectionLost()
    assert "[the server says: #c Cannot join, because]" in (tmp_path / "log").read_text()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Bot]]:
    """Starts bots, and ends what is left of them."""
    bots: list[Bot] = []

    def begin(*arguments: object) -> Bot:
        bots.append(Bot(tmp_path, *arguments))
        return bots[-1]

    yield begin
    for bot in bots:
        with bot.process:
            bot.process.kill()


def way(server: IRCServer, tls: bool) -> list[object]:
    if tls:
        return ["--tls", "--ca", server.folder / "ca.pem", f"localhost:{server.tlsPort}"]
    return ["--plain", f"127.0.0.1:{server.port}"]


def converse(alice: Talker, bob: Talker, channel: str, nick: str) -> list[str]:
    """Say and do all sorts of things; the lines that they make in the log."""
    alice.say(channel, "good morning")
    alice.say(channel, b"caf\xe9 caf\xc3\xa9 \x1b[2J \x02bold\x02")
    alice.say(channel, f"{nick}: who are you?")
    alice.wait(b"PRIVMSG %s :%s: I am a bot" % (channel.encode(), alice.nick.encode()))
    alice.say(nick, "psst")
    alice.wait(b"PRIVMSG %s :.*talk to me there" % alice.nick.encode())
    alice.say(channel, b"\x01ACTION waves\x01")
    alice.send(f"NOTICE {channel} :{nick}: no answer to this")
    alice.send(f"TOPIC {channel} :on topic")
    alice.send(f"MODE {channel} +v {nick}")
    alice.send(f"MODE {channel} +l 7")
    alice.send(f"MODE {channel} -l")
    alice.sync()
    bob.join(channel)
    bob.say(channel, "hello")
    alice.wait(b"PRIVMSG %s :hello" % channel.encode())
    old, bob.nick = bob.nick, "robert"
    bob.send(f"NICK {bob.nick}")
    alice.wait(b" NICK :" + bob.nick.encode())
    alice.send(f"KICK {channel} {bob.nick} :out of order")
    bob.wait(b" KICK ")
    bob.join(channel)
    bob.send(f"PART {channel}")
    bob.wait(b" PART ")
    bob.join(channel)
    bob.send("QUIT :good night")
    alice.wait(b" QUIT :")
    alice.say(channel, "the end")
    alice.ping(nick)
    return [
        f"<{alice.nick}> good morning",
        f"<{alice.nick}> caf\udce9 café \\x1b[2J \\x02bold\\x02",
        f"<{alice.nick}> {nick}: who are you?",
        f"<{nick}> {alice.nick}: I am a bot that keeps the log of this channel",
        f"<{alice.nick}> psst",
        f"<{nick}> I keep the log of a channel, please talk to me there",
        f"* {alice.nick} waves",
        f"-{alice.nick}- {nick}: no answer to this",
        f"[{alice.nick} set the topic of {channel}: on topic]",
        f"[{alice.nick} set +v {nick} on {channel}]",
        f"[{alice.nick} set +l 7 on {channel}]",
        f"[{alice.nick} set -l on {channel}]",
        f"[{old} joined {channel}]",
        f"<{old}> hello",
        f"[{old} is now {bob.nick}]",
        f"[{alice.nick} kicked {bob.nick} from {channel}: out of order]",
        f"[{bob.nick} joined {channel}]",
        f"[{bob.nick} left {channel}]",
        f"[{bob.nick} joined {channel}]",
        f"[{bob.nick} quit: good night]",
        f"<{alice.nick}> the end",
    ]


@pytest.mark.parametrize(("kind", "tls"), [(InspIRCd, True), (NgIRCd, False)])
def test_the_log_holds_every_line_and_goes_on_after_the_server_was_down(
    kind: type[IRCServer], tls: bool, tmp_path: Path, start: Callable[..., Bot]
) -> None:
    with running(kind, tmp_path / "server") as server:
        alice, bob = server.talkers("alice", "bob")
        with alice, bob:
            alice.join("#log")
            before: list[str] = []
            if kind is InspIRCd:
                # Who joins gets the last lines; those are not answered.
                alice.send("MODE #log +H 10:1h")
                alice.say("#log", "logbot: too early")
                before = ["<alice> logbot: too early"]
            bot = start(*way(server, tls), "#log", "channel.log")
            alice.wait(rb"^:logbot!\S+ JOIN ")
            expected = converse(alice, bob, "#log", "logbot")
            server.kill()
            assert server.start()
        with server.talker("alice", "#log") as alice:
            alice.send("NAMES #log")
            alice.wait(rb" 353 .*[:@ ]logbot|^:logbot!\S+ JOIN ")
            alice.say("#log", "logbot: again")
            alice.wait(b"alice: I am a bot")
            printed = bot.interrupted()
            assert b"the log ends here" in alice.wait(b" QUIT :")
    # What the server itself says to each client is its own affair.
    said = [line for line in bot.lines if not line.startswith("-irc")]
    once = ["[connected]", "[I have joined #log as logbot]"]
    again = ["<alice> logbot: again", "<logbot> alice: I am a bot that keeps the log of this channel"]
    lost = [line for line in said if line.startswith("[disconnected: ")]
    quit = next(line for line in said if " quit: " in line and "good night" in line)
    expected = [quit if "good night" in line else line for line in expected]
    if "[alice joined #log]" in said:
        again.insert(0, "[alice joined #log]")
    assert said == [*once, *before, *expected, *lost[:1], *once, *again, *lost[1:]]
    assert len(lost) == 2
    assert re.search(r"attempt 2 in \S+ s, because: ", printed)


def test_a_channel_and_a_nick_that_are_not_for_us(ngircd: Any, start: Callable[..., Bot]) -> None:
    with ngircd.talker("alice", "#secret") as alice:
        alice.send("MODE #secret +i")
        alice.sync()
        bot = start("--nick", "tenletters", *way(ngircd, False), "#secret", "channel.log")
        ngircd.says('User "logbot!')
        alice.ping("logbot")
        bot.interrupted()
    assert "[the server says: #secret Cannot join channel (+i) -- Invited users only]" in bot.lines


def test_a_server_that_is_not_who_it_should_be(ngircd: Any, start: Callable[..., Bot], tmp_path: Path) -> None:
    """Over TLS the certificate is verified: without the authority, the bot says why it does not connect."""
    bot = start(f"localhost:{ngircd.tlsPort}", "#log", "channel.log")
    assert bot.process.stdout is not None
    said = ""
    while "because" not in said:
        said = bot.process.stdout.readline()
        assert said
    assert "certificate" in said
    bot.interrupted()
    assert bot.log.read_text() == ""


# Runs the example's main() with each of several command lines.
COMMAND_LINES = """
import runpy, sys
example = runpy.run_path(sys.argv[1])
for line in sys.stdin.read().splitlines():
    sys.argv[1:] = line.split()
    try:
        example["main"]()
    except SystemExit as e:
        print("status", e.code, file=sys.stderr)
"""


def test_what_the_command_line_does_not_take(tmp_path: Path) -> None:
    wrong = {
        "--tls --plain host #log file": "not allowed with",
        "host:port #log file": "not HOST or HOST:PORT",
        "host:0 #log file": "not HOST or HOST:PORT",
        ":6697 #log file": "not HOST or HOST:PORT",
        "host #log no/such/folder/file": "No such file",
        f"--ca {BOT} host #log file": "no CERTIFICATE",
        "host #log": "required: FILE",
    }
    done = subprocess.run(
        [sys.executable, "-c", COMMAND_LINES, str(BOT)],
        input="\n".join(wrong),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1])},
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = done.stderr.split("status 2\n")
    assert len(said) == len(wrong) + 1 and said[-1] == "", done.stderr
    for (line, why), text in zip(wrong.items(), said, strict=False):
        assert why in text, line


def test_destinations(tmp_path: Path) -> None:
    wanted = {
        "irc.example.org": ("irc.example.org", 6697),
        "irc.example.org:7000": ("irc.example.org", 7000),
        "::1": ("::1", 6697),
        "[::1]": ("::1", 6697),
        "[::1]:7000": ("::1", 7000),
        "127.0.0.1:1": ("127.0.0.1", 1),
    }
    source = """
    import runpy, sys
    destination = runpy.run_path(sys.argv[1])["destination"]
    for text in sys.argv[2:]:
        print(destination(text, 6697))
    """
    assert script(source, BOT, *wanted) == [str(each) for each in wanted.values()]
