"""Some `IRCClient`s on one reactor, which keep what they are told: for tests on a real server.

A server registers clients once a second, so those of a module connect together, once; a test has a channel of its own.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from ircservers import unique
from patience import PATIENCE

from protocols.irc import IRCClient, IRCClientFactory
from protocols.irc.client.hooks import ClientHooks
from reactor.base import Reactor
from reactor.protocol import ClientFactory

SECONDS = PATIENCE


def keeping(name: str) -> Callable[..., None]:
    def hook(self: Recorder, *args: Any) -> None:
        getattr(super(Recorder, self), name)(*args)
        self.told.append((name, *args))
        self.tags.append(dict(self.currentMessage.tags) if self.currentMessage else {})

    return hook


class Recorder(IRCClient):
    """Keeps every hook's call, ("privmsg", user, channel, message), in `told`, and the tags of its message in `tags`.

    `lost` is the reason when the connection is over.
    """

    lost: Any = None

    def __init__(self, nickname: str, **attributes: Any) -> None:
        self.nickname = nickname
        self.told: list[tuple[Any, ...]] = []
        self.tags: list[dict[str, str]] = []
        self.numerics: list[tuple[Any, ...]] = []
        vars(self).update(attributes)

    for _name in [name for name, value in vars(ClientHooks).items() if callable(value)]:
        vars()[_name] = keeping(_name)

    def irc_unknown(self, prefix: str, command: str, params: list[str]) -> None:
        super().irc_unknown(prefix, command, params)
        self.numerics.append((command, *params))

    def connectionLost(self, reason: Any = None) -> None:
        super().connectionLost(reason)
        self.lost = reason

    def heard(self, hook: str, *args: Any) -> bool:
        """Whether the hook was called with arguments that begin with these."""
        return any(each[: len(args) + 1] == (hook, *args) for each in self.told)

    def all(self, hook: str, *args: Any) -> list[tuple[Any, ...]]:
        """The rest of the arguments of each call that begins with these."""
        return [each[len(args) + 1 :] for each in self.told if each[: len(args) + 1] == (hook, *args)]


class Succession(IRCClientFactory):
    """Builds a `Recorder` for each connection that it makes, and keeps them in `built`."""

    noisy = False
    initialDelay = delay = 0.01

    def __init__(self, nickname: str, clients: list[Recorder]) -> None:
        super().__init__()
        self.nickname = nickname
        self.clients = clients
        self.built: list[Recorder] = []

    def buildProtocol(self, addr: Any) -> Recorder:
        client = Recorder(self.nickname, factory=self)
        self.built.append(client)
        self.clients.append(client)
        return client


class Party:
    """Clients on a reactor of their own."""

    def __init__(self) -> None:
        self.reactor = Reactor()
        self.clients: list[Recorder] = []
        self.factories: list[Succession] = []

    def connect(self, client: Recorder, port: int, tls: Any = None) -> Recorder:
        """Begin to connect; `tls` is a context factory."""
        client.clock = self.reactor
        factory = ClientFactory()
        factory.noisy = False
        factory.buildProtocol = lambda address: client  # type: ignore[method-assign, assignment]
        client.factory = factory
        self.clients.append(client)
        if tls is None:
            self.reactor.connectTCP("127.0.0.1", port, factory)
        else:
            self.reactor.connectSSL("127.0.0.1", port, factory, tls)
        return client

    def succession(self, nickname: str) -> Succession:
        """A factory whose clients belong to the party; give it ``reactor=party.reactor`` to connect."""
        made = Succession(nickname, self.clients)
        made.clock = self.reactor
        self.factories.append(made)
        return made

    def until(self, true: Callable[[], Any]) -> Any:
        """Turn the reactor until `true()` is; its value."""
        end = time.monotonic() + SECONDS
        while not (value := true()):
            assert time.monotonic() < end, [(each.told, each.numerics, each.lost) for each in self.clients]
            self.reactor.iterate(0.02)
        return value

    def turn(self) -> None:
        """Turn the reactor for a moment."""
        self.reactor.iterate(0.005)

    def ready(self) -> None:
        """Wait until all are registered and have heard the message of the day."""
        self.until(lambda: all(each.heard("receivedMOTD") for each in self.clients))

    def together(self, *clients: Recorder) -> str:
        """A new channel with these in it; the first is its operator."""
        channel = unique("#party")
        for client in clients:
            client.join(channel)
            self.until(lambda: client.heard("joined", channel))  # noqa: B023
            for other in clients[: clients.index(client)]:
                self.until(lambda: other.heard("userJoined", client.nickname, channel))  # noqa: B023
        for client in clients:
            client.told.clear()
            client.tags.clear()
            client.numerics.clear()
        return channel

    def end(self) -> None:
        """Close everything."""
        for factory in self.factories:
            factory.stopTrying()
        for client in self.clients:
            if client.transport is not None and client.lost is None:
                client.transport.abortConnection()
        self.reactor.callWhenRunning(self.reactor.stop)
        self.reactor.run(installSignalHandlers=False)
        self.reactor.close()
        for client in self.clients:
            assert client.transport is None or client.lost is not None


@contextlib.contextmanager
def gathering() -> Iterator[Party]:
    """A party, ended with the block."""
    party = Party()
    try:
        yield party
    finally:
        party.end()
