"""A program with conch, for Twisted: an SSH server that runs commands, asked by OpenSSH's client.

`on_conch.py SSH FOLDER`: the client's path, and a folder for the keys.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from twisted.conch.avatar import ConchUser
from twisted.conch.checkers import InMemorySSHKeyDB, SSHPublicKeyChecker
from twisted.conch.interfaces import IConchUser, ISession
from twisted.conch.ssh.factory import SSHFactory
from twisted.conch.ssh.forwarding import openConnectForwardingClient
from twisted.conch.ssh.keys import Key
from twisted.conch.ssh.session import SSHSession, wrapProtocol
from twisted.cred.portal import IRealm, Portal
from twisted.internet import defer, protocol, reactor, task, utils
from twisted.python.components import registerAdapter
from zope.interface import implementer

SSH, FOLDER = sys.argv[1], Path(sys.argv[2])
BIG = bytes(range(256)) * 8000


class User(ConchUser):
    """May open sessions, and connections through us."""

    def __init__(self) -> None:
        super().__init__()
        self.channelLookup[b"session"] = SSHSession
        self.channelLookup[b"direct-tcpip"] = openConnectForwardingClient


class Greeter(protocol.Protocol):
    """The shell: one line in, one out."""

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(b"hello, " + data)
        self.transport.loseConnection()


@implementer(ISession)
class Sessions:
    """What a user's session does: commands are run by sh, and the shell greets."""

    def __init__(self, user: User) -> None:
        self.process: Any = None

    def execCommand(self, proto: Any, command: bytes) -> None:
        self.process = reactor.spawnProcess(proto, "/bin/sh", ["sh", "-c", command.decode()], {"PATH": "/usr/bin:/bin"})

    def openShell(self, proto: Any) -> None:
        greeter = Greeter()
        greeter.makeConnection(proto)
        proto.makeConnection(wrapProtocol(greeter))

    def eofReceived(self) -> None:
        if self.process is not None:
            self.process.closeStdin()

    def closed(self) -> None:
        pass


registerAdapter(Sessions, User, ISession)


@implementer(IRealm)
class Realm:
    """Of users that are all alike."""

    def requestAvatar(self, name: Any, mind: Any, *interfaces: Any) -> Any:
        return IConchUser, User(), lambda: None


class Echo(protocol.Protocol):
    """What a connection through the server leads to."""

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(data)
        self.transport.loseConnection()


def keyIn(name: str) -> Key:
    key = Key(Ed25519PrivateKey.generate())
    path = FOLDER / name
    path.touch(0o600)
    path.write_bytes(key.toString("OPENSSH"))
    return key


async def program(clock: Any) -> None:
    assert clock is reactor
    host, user = Key(Ed25519PrivateKey.generate()), keyIn("user")
    keyIn("stranger")
    factory = SSHFactory()
    factory.publicKeys, factory.privateKeys = {host.sshType(): host.public()}, {host.sshType(): host}
    factory.portal = Portal(Realm(), [SSHPublicKeyChecker(InMemorySSHKeyDB({b"user": [user.public()]}))])
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    number = port.getHost().port
    (FOLDER / "known").write_text(f"[127.0.0.1]:{number} {host.public().toString('OPENSSH').decode()}\n")
    settings = {
        "BatchMode": "yes",
        "GlobalKnownHostsFile": "/dev/null",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "LogLevel": "ERROR",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": str(FOLDER / "known"),
    }

    async def ssh(*arguments: str, key: str = "user", given: bytes = b"") -> tuple[bytes, bytes, int]:
        options = [f"-o{name}={value}" for name, value in settings.items()]
        command = ["-F", "/dev/null", *options, "-T", "-i", str(FOLDER / key), "-p", str(number), "user@127.0.0.1"]
        return await utils.getProcessOutputAndValue(SSH, [*command, *arguments], {}, stdinBytes=given)

    print(await ssh("echo out; echo err >&2; exit 3"))
    output, errors, status = await ssh("sha256sum", given=BIG)
    print(output.split()[0].decode() == hashlib.sha256(BIG).hexdigest(), errors, status)
    output, errors, status = await ssh("cat", given=BIG)
    print(output == BIG, errors, status)
    print((await ssh(given=b"you\n"))[0])
    outcomes = await defer.gatherResults([defer.ensureDeferred(ssh(f"echo {number}")) for number in range(5)])
    print([int(output) for output, _, _ in outcomes])
    _, errors, status = await ssh("true", key="stranger")
    print(b"Permission denied" in errors, status)
    echo = reactor.listenTCP(0, protocol.Factory.forProtocol(Echo), interface="127.0.0.1")
    print((await ssh("-W", f"127.0.0.1:{echo.getHost().port}", given=b"through"))[0])
    await echo.stopListening()
    await port.stopListening()


task.react(lambda clock: defer.ensureDeferred(program(clock)))
