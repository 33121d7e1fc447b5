"""Real IRC servers for tests: InspIRCd (IRCv3) and ngIRCd (little more than RFC 2812), as processes of the test's own.

Each gets a configuration in a folder of the test and two ports on loopback, one of them TLS; it is up when it has said
so itself, and is killed rather than asked to end (InspIRCd 3.15 crashes when it is asked). A server that a package has
installed and started elsewhere on the machine is never touched. `Talker` is a second client on a plain socket.
"""

from __future__ import annotations

import itertools
import os
import random
import re
import resource
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE
from tls import authority, issued

SECONDS = PATIENCE
INSPIRCD_MODULES = Path("/usr/lib/inspircd/modules")
# Below the ports that Linux takes for connections that name none: nobody gets a server's port while it is down.
PORTS = range(20000, 32000)

numbers = itertools.count(1)


def unique(name: str) -> str:
    """A nick or a channel that no other test on the same server has; short enough for ngIRCd's 9 characters."""
    return f"{name}{next(numbers)}"


INSPIRCD = """
<config format="xml">
<server name="irc.test" description="A server for tests" network="TestNet" id="001">
<admin name="Nobody" nick="nobody" email="nobody@irc.test">
<bind address="127.0.0.1" port="{port}" type="clients">
<bind address="127.0.0.1" port="{tlsPort}" type="clients" ssl="gnutls">
<sslprofile name="gnutls" provider="gnutls" certfile="{folder}/cert.pem" keyfile="{folder}/key.pem">
<connect allow="*" resolvehostnames="no" useident="no" timeout="10" pingfreq="{pingFrequency}" recvq="8K"
         softsendq="64K" hardsendq="1M" threshold="{threshold}" commandrate="{commandRate}" fakelag="{fakeLag}"
         localmax="500" globalmax="500" maxconnwarn="no">
<class name="All" commands="*" privs="*">
<type name="All" classes="All" vhost="staff.test">
<oper name="oper" password="secret" host="*@*" type="All">
<files motd="{folder}/motd">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="{folder}/server.log" flush="1">
<path configdir="{folder}" datadir="{folder}" logdir="{folder}" runtimedir="{folder}">
<options casemapping="rfc1459">
<performance nouserdns="yes" softlimit="1000">
{extra}
"""
MODULES = (
    "cap ircv3 ircv3_accounttag ircv3_batch ircv3_capnotify ircv3_chghost ircv3_ctctags ircv3_echomessage"
    " ircv3_invitenotify ircv3_labeledresponse ircv3_msgid ircv3_servertime services_account namesx uhnames setname"
    " ssl_gnutls starttls sha256 monitor chanhistory"
)

NGIRCD = """
[Global]
Name = irc2.test
Info = A server for tests
AdminEMail = nobody@irc2.test
Listen = 127.0.0.1
Ports = {port}
PidFile =
MotdFile = {folder}/motd
[Limits]
MaxConnectionsIP = 0
MaxJoins = 0
MaxPenaltyTime = {penalty}
[Options]
DNS = no
Ident = no
PAM = no
[SSL]
CertFile = {folder}/cert.pem
KeyFile = {folder}/key.pem
DHFile = {folder}/dh.pem
Ports = {tlsPort}
"""
# The group of 2048 bits in RFC 7919 (ffdhe2048): without a file ngIRCd makes up one of its own first.
FFDHE2048 = """-----BEGIN DH PARAMETERS-----
MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz
+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a
87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7
YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi
7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD
ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==
-----END DH PARAMETERS-----
"""


def freePort() -> int:
    """A port on 127.0.0.1 that nobody has."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def noCore() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class IRCServer:
    """A server that can be killed and started again, on the same ports.

    `folder` is its own; it can be written to by the user that the server becomes. `options` change the configuration.
    """

    program: str
    ready: str
    options: dict[str, Any] = {}

    def __init__(self, folder: Path, **options: Any) -> None:
        found = shutil.which(self.program, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
        if found is None:
            pytest.skip(f"{self.program} is not installed")
        self.path = found
        self.folder = folder
        self.settings = {**self.options, **options}
        self.process: subprocess.Popen[str] | None = None
        self.said: list[str] = []
        self.changed = threading.Condition()
        folder.mkdir(exist_ok=True)
        issued().private_key_pem.write_to_path(folder / "key.pem")
        (folder / "cert.pem").write_bytes(b"".join(each.bytes() for each in issued().cert_chain_pems))
        (folder / "ca.pem").write_bytes(authority().cert_pem.bytes())
        (folder / "dh.pem").write_text(FFDHE2048)
        (folder / "motd").write_text("Good day.\n")
        for each in (folder, *folder.iterdir()):
            # ngIRCd started by root becomes another user.
            each.chmod(0o755 if each.is_dir() else 0o644)
        for _ in range(5):
            self.port, self.tlsPort, self.linkPort = freePort(), freePort(), freePort()
            if self.start():
                return
        raise AssertionError(f"{self.program} does not start:\n" + "".join(self.said))

    def command(self) -> list[str]:
        """What starts it in the foreground."""
        raise NotImplementedError

    def start(self) -> bool:
        """Start it. True when it is up, false when it ended instead: somebody else has one of the ports."""
        assert self.process is None, "it is running"
        self.said = []
        command = self.command()
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd=self.folder,
            preexec_fn=noCore,
        )
        self.reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self.reader.start()
        with self.changed:
            # An empty line is the end.
            came = self.changed.wait_for(lambda: any(self.ready in line or not line for line in self.said), SECONDS)
        if came and any(self.ready in line for line in self.said):
            return True
        self.kill()
        return False

    def _read(self, output: Any) -> None:
        while True:
            line = output.readline()
            with self.changed:
                self.said.append(line)
                self.changed.notify_all()
            if not line:
                return

    def kill(self) -> None:
        """End it at once; its clients see their connections end."""
        if self.process is not None:
            process, self.process = self.process, None
            process.kill()
            process.wait()
            self.reader.join()
            assert process.stdout is not None
            process.stdout.close()

    def says(self, text: str) -> None:
        """Wait until the server has printed a line with `text` since it was started."""
        with self.changed:
            came = self.changed.wait_for(lambda: any(text in line for line in self.said), SECONDS)
        assert came, f"no {text!r} within {SECONDS} s, but {self.said}"

    def talkers(self, *nicks: str, tls: bool = False) -> list[Talker]:
        """Further clients, registered."""
        made = [Talker(self.tlsPort if tls else self.port, nick, tls) for nick in nicks]
        for each in made:
            each.wait(rb" 001 ")
        return made

    def talker(self, nick: str, *channels: str, tls: bool = False) -> Talker:
        """A further client, registered and in `channels`."""
        [made] = self.talkers(nick, tls=tls)
        for channel in channels:
            made.join(channel)
        return made


class InspIRCd(IRCServer):
    """The server with IRCv3. `modules` are loaded beyond `MODULES`, `extra` is added to the configuration, with
    `{port}`, `{tlsPort}` and `{linkPort}` (for another server) filled in.

    It registers clients once a second: connect those of a test together.
    """

    program = "inspircd"
    ready = "is now running as"
    options = {
        "pingFrequency": 60,
        "threshold": 1000,
        "commandRate": 1000,
        "fakeLag": "no",
        "modules": "",
        "extra": "",
    }

    def command(self) -> list[str]:
        wanted = f"{MODULES} {self.settings['modules']}".split()
        for name in wanted:
            if not (INSPIRCD_MODULES / f"m_{name}.so").exists():
                pytest.skip(f"this inspircd has no module {name}")
        modules = "\n".join(f'<module name="{name}">' for name in wanted)
        ports = {"port": self.port, "tlsPort": self.tlsPort, "linkPort": self.linkPort}
        extra = modules + self.settings["extra"].format(**ports)
        path = self.folder / "inspircd.conf"
        path.write_text(INSPIRCD.format(**{**self.settings, **ports, "folder": self.folder, "extra": extra}))
        return [self.path, f"--config={path}", "--nofork", "--nopid", "--runasroot"]


class NgIRCd(IRCServer):
    """The server that knows nearly nothing of IRCv3; nicks have nine characters at most.

    `penalty` are the seconds that it may keep a client waiting who says much.
    """

    program = "ngircd"
    ready = " ready."
    options = {"penalty": 0}

    def command(self) -> list[str]:
        path = self.folder / "ngircd.conf"
        path.write_text(NGIRCD.format(**self.settings, port=self.port, tlsPort=self.tlsPort, folder=self.folder))
        return [self.path, "--nodaemon", "--config", str(path)]


class Talker:
    """A client on a blocking socket. Every wait has a deadline.

    `heard` are the lines that came, without their ends; `new` those of them that no wait has looked at.
    """

    def __init__(self, port: int, nick: str, tls: bool = False) -> None:
        self.nick = nick
        self.heard: list[bytes] = []
        self.new: deque[bytes] = deque()
        self._rest = b""
        self.sock: socket.socket = socket.create_connection(("127.0.0.1", port), SECONDS)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            context = ssl.create_default_context(cadata=authority().cert_pem.bytes().decode())
            self.sock = context.wrap_socket(self.sock, server_hostname="localhost")
        self.send(f"NICK {nick}")
        self.send(f"USER {nick} 0 * :{nick}")

    def __enter__(self) -> Talker:
        return self

    def __exit__(self, *exception: object) -> None:
        self.sock.close()

    def join(self, channel: str) -> None:
        """Join, and wait until it is so."""
        self.send(f"JOIN {channel}")
        self.wait(rb" 366 \S+ " + re.escape(channel.encode()) + b" ")

    def send(self, line: str | bytes) -> None:
        """Send a line, which is given without its end."""
        self.sock.sendall((line.encode() if isinstance(line, str) else line) + b"\r\n")

    def say(self, target: str, text: str | bytes) -> None:
        """Send a PRIVMSG."""
        self.send(b"PRIVMSG %s :%s" % (target.encode(), text.encode() if isinstance(text, str) else text))

    def wait(self, pattern: bytes, also: Callable[[], object] | None = None) -> bytes:
        """The next line in which the pattern is found, of those that no earlier call has looked at.

        Between two looks `also` is called: give it a turn of the reactor whose client is to answer.
        """
        end = time.monotonic() + SECONDS
        while True:
            while self.new:
                line = self.new.popleft()
                if re.search(pattern, line):
                    return line
            assert time.monotonic() < end, f"no {pattern!r} within {SECONDS} s, but {self.heard}"
            if also is not None:
                also()
            self._receive(SECONDS if also is None else 0.005)

    def _receive(self, seconds: float) -> None:
        self.sock.settimeout(seconds)
        try:
            data = self.sock.recv(65536)
        except TimeoutError:
            return
        assert data, f"the server closed the connection; it said {self.heard[-3:]}"
        *lines, self._rest = (self._rest + data).split(b"\r\n")
        self.heard += lines
        self.new.extend(lines)
        for line in lines:
            if line.startswith(b"PING "):
                self.send(b"PONG " + line[5:])

    def ping(self, nick: str) -> None:
        """Wait until the client `nick` has answered a CTCP PING: it has dealt with all that came before."""
        token = unique("ping")
        self.say(nick, f"\x01PING {token}\x01")
        self.wait(rb" NOTICE \S+ :\x01PING " + token.encode())

    def sync(self, also: Callable[[], object] | None = None) -> None:
        """Wait until the server has answered everything that was asked so far."""
        token = unique("sync").encode()
        self.send(b"PING " + token)
        self.wait(rb"PONG .*" + token, also)


@contextmanager
def running(kind: type[IRCServer], folder: Path, **options: Any) -> Iterator[Any]:
    """A server, killed at the end of the block."""
    server = kind(folder, **options)
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="module")
def inspircd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InspIRCd]:
    """One for all tests of a module; they must not kill it, and use nicks and channels that are `unique`."""
    with running(InspIRCd, tmp_path_factory.mktemp("inspircd")) as server:
        yield server


@pytest.fixture(scope="module")
def ngircd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NgIRCd]:
    """One for all tests of a module; they must not kill it, and use nicks and channels that are `unique`."""
    with running(NgIRCd, tmp_path_factory.mktemp("ngircd")) as server:
        yield server
