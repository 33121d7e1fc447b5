"""An `IRCClient` that is fed with a server's lines: what it writes is kept, and what it tells. Time is a `Clock`."""

from __future__ import annotations

from typing import Any

from protocols.irc import IRCClient
from reactor.task import Clock


class Wire:
    """What the client writes, as lines."""

    TLS = False
    disconnecting = False

    def __init__(self) -> None:
        self.data = b""
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.data += data

    def abortConnection(self) -> None:
        self.aborted = self.disconnecting = True

    def getPeer(self) -> Any:
        class Peer:
            host, port = "127.0.0.1", 6667

        return Peer()

    def taken(self) -> list[str]:
        """The lines since the last time."""
        data, self.data = self.data, b""
        assert data.endswith(b"\r\n") or not data
        return data.decode("utf-8", "surrogateescape").split("\r\n")[:-1]


class Client(IRCClient):
    """Keeps what it is told."""

    nickname = "bot"
    capabilities: Any = None

    def __init__(self, **attributes: Any) -> None:
        self.told: list[Any] = []
        self.clock = Clock()
        for name, value in attributes.items():
            setattr(self, name, value)

    def __getattribute__(self, name: str) -> Any:
        hooks = "privmsg action noticed joined left kickedFrom userJoined userQuit myInfo modeChanged pong serverSaid"
        hooks += " userKicked userLeft"
        if name in [
            *hooks.split(),
            "signedOn",
            "loggedIn",
            "loggedOut",
            "badMessage",
            "capabilitiesChanged",
            "dccDoSend",
        ]:
            return lambda *args: self.told.append((name, *args))
        return super().__getattribute__(name)


def made(factory: Any = None, **attributes: Any) -> tuple[Any, Wire]:
    client, wire = Client(**attributes), Wire()
    client.factory = factory
    client.makeConnection(wire)
    return client, wire


def welcomed(factory: Any = None, nick: str = "bot", **attributes: Any) -> tuple[Any, Wire]:
    client, wire = made(factory, **attributes)
    feed(client, f":srv 001 {nick} :Welcome {nick}!user@host.example")
    wire.taken()
    client.told.clear()
    return client, wire


def feed(client: Any, *lines: str) -> None:
    client.dataReceived("".join(line + "\r\n" for line in lines).encode("utf-8", "surrogateescape"))
