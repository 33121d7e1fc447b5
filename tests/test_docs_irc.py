"""The programs in doc/irc-bot.rst run, each as a process on a real server, and do what the page says."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ircservers import Talker, unique
from ircservers import ngircd as ngircd
from test_docs import ROOT, blocksOf, outputOf, running

PROGRAMS = {block.name: block.body for block in blocksOf(ROOT / "doc" / "irc-bot.rst") if block.name}


def nickOfBot(alice: Talker) -> str:
    """That of who joins next."""
    return alice.wait(b" JOIN ").split(b"!")[0].decode().removeprefix(":")


def listen(alice: Talker, channel: str, process: subprocess.Popen[str], folder: Path) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == f"joined {channel}\n"
    alice.say(channel, "hello")
    assert process.stdout.readline() == f"{channel} {alice.nick}!~{alice.nick}@127.0.0.1 hello\n"
    process.send_signal(signal.SIGINT)
    assert outputOf(process) == ""


def log(alice: Talker, channel: str, process: subprocess.Popen[str], folder: Path) -> None:
    nick = nickOfBot(alice)
    alice.say(channel, b"hello \x1b")
    alice.ping(nick)
    process.send_signal(signal.SIGINT)
    assert outputOf(process) == ""
    lines = [line.split("] ", 1)[1] for line in (folder / "channel.log").read_text().splitlines()]
    assert lines == ["'connected'", f"'{alice.nick}!~{alice.nick}@127.0.0.1: hello \\x1b'", "'disconnected'"]


def answer(alice: Talker, channel: str, process: subprocess.Popen[str], folder: Path) -> None:
    nick = nickOfBot(alice)
    alice.send(f"NOTICE {channel} :{nick}: hello")
    alice.say(nick, "hello")
    first = alice.wait(b"^:" + nick.encode())
    assert first.endswith(f" PRIVMSG {alice.nick} :please talk to me on the channel".encode())
    alice.say(channel, f"{nick}: hello")
    assert alice.wait(b"^:" + nick.encode()).endswith(f" PRIVMSG {channel} :{alice.nick}: I am a bot".encode())
    process.send_signal(signal.SIGINT)
    assert outputOf(process) == ""


def quit(alice: Talker, channel: str, process: subprocess.Popen[str], folder: Path) -> None:
    alice.wait(b" PRIVMSG .*just looking")
    alice.wait(b" QUIT .*good-bye")
    printed = outputOf(process)
    assert printed.startswith("the server said: ") and printed.endswith("\n"), printed


@pytest.mark.parametrize(
    ("name", "judge"), [("irc-listen", listen), ("irc-log", log), ("irc-answer", answer), ("irc-quit", quit)]
)
def test_the_program_does_what_the_page_says(
    name: str, judge: Callable[..., None], ngircd: Any, tmp_path: Path
) -> None:
    channel = unique("#doc")
    source = PROGRAMS[name].replace("6667", str(ngircd.port)).replace("#reactor", channel)
    with ngircd.talker(unique("alice"), channel) as alice, running(source, tmp_path) as process:
        judge(alice, channel, process, tmp_path)


def test_every_program_of_the_page_is_judged() -> None:
    assert set(PROGRAMS) == {"irc-listen", "irc-log", "irc-answer", "irc-quit"}
