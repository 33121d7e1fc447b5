"""Both worlds in one program: our endpoints, services and protocols on the engine, beside Twisted's on the frame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("twisted.internet")

from onframe import madeFor, runOn
from twisted.application import service as theirServices
from twisted.internet import defer as theirs
from twisted.internet import endpoints as theirEndpoints
from twisted.internet import protocol as theirProtocol
from twisted.protocols.basic import LineReceiver as TheirLineReceiver
from twisted.words.protocols import irc as theirIRC

import reactor.twisted
from protocols import irc
from protocols.basic import LineReceiver
from reactor import currentReactor
from reactor.defer import Deferred, ensureDeferred
from reactor.endpoints import TCP4ServerEndpoint, clientFromString, serverFromString
from reactor.protocol import Factory, Protocol
from reactor.service import ClientService, MultiService, StreamServerEndpointService, TimerService
from reactor.task import deferLater
from reactor.threads import deferToThread


@pytest.fixture(params=[reactor.twisted.TwistedReactor, reactor.twisted.AsyncioTwistedReactor])
def frame(request: Any) -> Iterator[Any]:
    with madeFor(request.param) as made:
        yield made


class TheirUpper(TheirLineReceiver):
    def lineReceived(self, line: bytes) -> None:
        self.sendLine(line.upper())


class OurUpper(LineReceiver):
    def lineReceived(self, line: bytes) -> None:
        self.sendLine(line.upper())


class OurAsking(LineReceiver):
    def __init__(self) -> None:
        self.answer: Deferred[bytes] = Deferred()

    def connectionMade(self) -> None:
        self.sendLine(b"ours asks")

    def lineReceived(self, line: bytes) -> None:
        self.answer.callback(line)
        self.transport.loseConnection()


class TheirAsking(TheirLineReceiver):
    def __init__(self) -> None:
        self.answer: theirs.Deferred[bytes] = theirs.Deferred()

    def connectionMade(self) -> None:
        self.sendLine(b"theirs asks")

    def lineReceived(self, line: bytes) -> None:
        self.answer.callback(line)
        self.transport.loseConnection()  # type: ignore[union-attr]


@pytest.mark.parametrize("drive", [ensureDeferred, theirs.ensureDeferred], ids=["ours", "theirs"])
def test_endpointsOfBothInOneCoroutine(frame: Any, drive: Any) -> None:
    async def program() -> list[Any]:
        assert currentReactor() is frame.engine
        listening = await theirEndpoints.TCP4ServerEndpoint(frame, 0, interface="127.0.0.1").listen(
            theirProtocol.Factory.forProtocol(TheirUpper)
        )
        ours = await clientFromString(frame.engine, f"tcp:127.0.0.1:{listening.getHost().port}").connect(
            Factory.forProtocol(OurAsking)
        )
        said: list[Any] = [await ours.answer]
        await listening.stopListening()
        ourPort = await serverFromString(frame.engine, "tcp:0:interface=127.0.0.1").listen(
            Factory.forProtocol(OurUpper)
        )
        made = await theirEndpoints.clientFromString(frame, f"tcp:127.0.0.1:{ourPort.getHost().port}").connect(
            theirProtocol.Factory.forProtocol(TheirAsking)
        )
        said.append(await made.answer)
        await ourPort.stopListening()
        said.append(await deferToThread(lambda: "from a thread"))
        said.append(await deferLater(frame.engine, 0.001, lambda: "later"))
        return said

    assert runOn(frame, program(), drive) == [b"OURS ASKS", b"THEIRS ASKS", "from a thread", "later"]


def test_servicesOfBoth(frame: Any) -> None:
    told: list[Any] = []
    enough: Deferred[None] = Deferred()

    class Client(Protocol):
        def connectionMade(self) -> None:
            told.append("connected")
            if told.count("connected") == 3:
                enough.callback(None)
            else:
                self.transport.loseConnection()

    class Theirs(theirServices.Service):
        def startService(self) -> None:
            super().startService()
            told.append("theirs started")

        def stopService(self) -> None:
            super().stopService()
            told.append("theirs stopped")

    async def program() -> None:
        everything, application = MultiService(), theirServices.MultiService()
        listening = StreamServerEndpointService(
            TCP4ServerEndpoint(frame.engine, 0, interface="127.0.0.1"), Factory.forProtocol(OurUpper)
        )
        listening.setServiceParent(everything)
        ticks: list[int] = []
        timer = TimerService(0.001, ticks.append, 1)
        timer.setServiceParent(everything)
        Theirs().setServiceParent(application)
        everything.startService()
        application.startService()
        port = await listening.whenListening()
        # Connects anew each time.
        client = ClientService(
            clientFromString(frame.engine, f"tcp:127.0.0.1:{port.getHost().port}"),
            Factory.forProtocol(Client),
            retryPolicy=lambda _: 0.001,
        )
        client.setServiceParent(everything)
        await enough
        while not ticks:
            await deferLater(frame.engine, 0.001)
        await application.stopService()
        await everything.stopService()

    runOn(frame, program(), ensureDeferred)
    assert told == ["theirs started", "connected", "connected", "connected", "theirs stopped"]


class Room(Factory):
    """A server that lets everybody in, and hands on what is said to the others."""

    def __init__(self) -> None:
        self.present: list[Any] = []

    def buildProtocol(self, addr: object) -> Any:
        return Guest(self)


class Guest(irc.IRC):
    hostname = "room.example"
    nick = "*"

    def __init__(self, room: Room) -> None:
        self.room = room

    def irc_NICK(self, prefix: str, params: list[str]) -> None:
        self.nick = params[0]

    def irc_USER(self, prefix: str, params: list[str]) -> None:
        self.room.present.append(self)
        self.sendMessage(irc.RPL_WELCOME, self.nick, f":welcome {self.nick}", prefix=self.hostname)

    def irc_CAP(self, prefix: str, params: list[str]) -> None:
        if params[0] == "LS":
            self.sendCommand("CAP", ["*", "LS", ""], self.hostname)

    def irc_PRIVMSG(self, prefix: str, params: list[str]) -> None:
        for guest in self.room.present:
            if guest.nick == params[0]:
                guest.privmsg(f"{self.nick}!u@h", *params)

    def irc_unknown(self, prefix: str, command: str, params: list[str]) -> None:
        pass


def test_twoIRCClientsOnOneServer(frame: Any) -> None:
    """Ours and Twisted's talk over a server of ours."""
    told: list[Any] = []
    over: Deferred[None] = Deferred()

    class Ours(irc.IRCClient):
        nickname = "ours"

        def signedOn(self) -> None:
            frame.connectTCP("127.0.0.1", number(), theirFactory)

        def privmsg(self, user: str, channel: str, message: str) -> None:
            told.append((user, channel, message))
            self.msg("theirs", "hello, theirs")

    class Theirs(theirIRC.IRCClient):
        nickname = "theirs"

        def signedOn(self) -> None:
            self.msg("ours", "hello, ours")

        def privmsg(self, user: str, channel: str, message: str) -> None:
            told.append((user, channel, message))
            over.callback(None)

    def number() -> int:
        return port.getHost().port  # type: ignore[no-any-return]

    theirFactory = theirProtocol.ClientFactory.forProtocol(Theirs)
    port = frame.engine.listenTCP(0, Room(), interface="127.0.0.1")

    async def program() -> None:
        client = await clientFromString(frame.engine, f"tcp:127.0.0.1:{number()}").connect(Factory.forProtocol(Ours))
        await over
        client.transport.loseConnection()

    runOn(frame, program(), ensureDeferred)
    assert told == [("theirs!u@h", "ours", "hello, ours"), ("ours!u@h", "theirs", "hello, theirs")]
