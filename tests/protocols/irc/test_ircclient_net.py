"""`IRCClient` and its factory against a small server, over real connections; DCC between two ends."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from net import Net
from tls import clientOptions, serverOptions

from protocols.basic import LineReceiver
from protocols.irc import (
    DccChat,
    DccChatFactory,
    DccFileReceive,
    DccSendFactory,
    IRCBadMessage,
    IRCClient,
    IRCClientFactory,
)
from reactor.error import ConnectionLost
from reactor.failure import Failure
from reactor.protocol import Factory

oneSelector = pytest.mark.parametrize("net", ["default"], indirect=True)


class Server(LineReceiver):
    """Welcomes everybody, lets everybody in, says each line of text back."""

    def connectionMade(self) -> None:
        self.nick = "*"
        self.factory.servers.append(self)

    def lineReceived(self, line: bytes) -> None:
        self.factory.lines.append(line)
        command, _, rest = line.partition(b" ")
        if command == b"CAP" and rest.startswith(b"LS"):
            self.sendLine(b":srv CAP * LS :" + self.factory.caps)
        elif command == b"CAP" and rest.startswith(b"REQ"):
            self.sendLine(b":srv CAP * ACK " + rest[4:])
        elif command == b"NICK":
            self.nick = rest.decode()
        elif (command, rest) == (b"CAP", b"END") or (command == b"USER" and self.factory.silentOnCap):
            self.sendLine(f":srv 001 {self.nick} :Welcome {self.nick}!u@h".encode())
        elif command == b"JOIN":
            self.sendLine(f":{self.nick}!u@h ".encode() + line)
        elif command == b"PRIVMSG":
            self.sendLine(b":al!u@h " + line)
        elif command == b"QUIT":
            self.sendLine(b"ERROR :Closing link")
            self.transport.loseConnection()


class Network(Factory):
    noisy = False
    protocol = Server
    silentOnCap = False
    caps = b"message-tags server-time"

    def __init__(self) -> None:
        self.servers: list[Server] = []
        self.lines: list[bytes] = []


class Bot(IRCClient):
    nickname = "bot"
    heartbeatInterval = None

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.offers: list[Any] = []

    def signedOn(self) -> None:
        self.told.append("signedOn")

    def joined(self, channel: str) -> None:
        self.told.append(("joined", channel))

    def privmsg(self, user: str, channel: str, message: str) -> None:
        self.told.append(("privmsg", user, channel, message))

    def dccDoSend(self, user: str, address: str, port: int, fileName: str, size: int, data: list[str]) -> None:
        self.offers.append((user, address, port, fileName, size))

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        super().connectionLost(reason)
        self.reason = reason


class Bots(IRCClientFactory):
    noisy = False
    protocol = Bot
    initialDelay = delay = 0.01
    jitter = 0

    def __init__(self) -> None:
        super().__init__()
        self.bots: list[Bot] = []

    def buildProtocol(self, addr: Any) -> Any:
        bot: Any = super().buildProtocol(addr)
        self.bots.append(bot)
        return bot


class Case:
    """A network, and bots on it."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.network = Network()
        self.port: Any = net.reactor.listenTCP(0, self.network, interface="127.0.0.1")
        net.ports.append(self.port)
        self.bots = Bots()

    def connected(self) -> Bot:
        self.bots.connect("127.0.0.1", self.port.getHost().port, tls=False, reactor=self.net.reactor)
        return self.welcomed(0)

    def welcomed(self, number: int) -> Bot:
        self.net.until(lambda: len(self.bots.bots) > number and "signedOn" in self.bots.bots[number].told)
        return self.bots.bots[number]

    def end(self) -> None:
        self.bots.stopTrying()
        for bot in self.bots.bots:
            bot.transport.loseConnection()
        self.net.until(lambda: all(hasattr(bot, "reason") for bot in self.bots.bots))


@pytest.fixture
def case(net: Net) -> Any:
    made = Case(net)
    yield made
    made.end()


@oneSelector
def test_aConversation(net: Net, case: Case) -> None:
    bot = case.connected()
    bot.join("c")
    bot.msg("#c", "hello")
    net.until(lambda: len(bot.told) == 3)
    assert bot.told[1:] == [("joined", "#c"), ("privmsg", "al!u@h", "#c", "hello")]
    assert bot.enabledCapabilities == {"message-tags", "server-time"}
    case.bots.stopTrying()
    bot.quit("bye")
    net.until(lambda: hasattr(bot, "reason"))
    assert bot.closeReason == "the server said: Closing link"
    assert case.network.lines[-1] == b"QUIT :bye"


@oneSelector
def test_aServerThatGoesAndComesBack(net: Net, case: Case) -> None:
    bot = case.connected()
    bot.join("#a", "key")
    bot.join("#b")
    net.until(lambda: ("joined", "#b") in bot.told)
    case.network.lines.clear()
    case.network.servers[0].transport.abortConnection()
    again = case.welcomed(1)
    net.until(lambda: ("joined", "#b") in again.told)
    assert ("joined", "#a") in again.told
    assert case.network.lines[-1] == b"JOIN #a,#b key"
    assert case.bots.delay > case.bots.initialDelay


@oneSelector
def test_aConnectionThatLastedMakesTheNextDelayAShortOne(net: Net, case: Case) -> None:
    case.bots.steadyAfter, case.bots.delay, case.bots.retries = 0, 300, 7
    bot = case.connected()
    case.network.servers[0].transport.abortConnection()
    assert case.welcomed(1) is not bot
    assert case.bots.retries == 1


@oneSelector
def test_aDeadLinkSaysWhy(net: Net, case: Case) -> None:
    bot = case.connected()
    case.bots.stopTrying()
    case.network.servers[0].transport.pauseProducing()
    bot.heartbeatInterval, bot.heartbeatTimeout = 0.01, 0.05
    bot.startHeartbeat()
    net.until(lambda: hasattr(bot, "reason"))
    assert bot.reason.check(ConnectionLost)
    assert "nothing came from the server" in bot.reason.getErrorMessage()


@oneSelector
def test_aServerThatWantsTLSGetsIt(net: Net, case: Case) -> None:
    secure = Network()
    port: Any = net.reactor.listenSSL(0, secure, serverOptions(), interface="127.0.0.1")
    net.ports.append(port)
    case.network.caps = f"sts=port={port.getHost().port}".encode()
    secure.caps = b"sts=duration=1000"
    case.bots.contextFactory = clientOptions("127.0.0.1")
    case.bots.connect("127.0.0.1", case.port.getHost().port, tls=False, reactor=net.reactor)
    bot = case.welcomed(1)
    assert bot.transport.TLS
    assert not any(line.startswith(b"CAP END") for line in case.network.lines)
    assert len(case.network.servers) == 1
    # From now on it is TLS at once.
    secure.servers[0].transport.abortConnection()
    assert case.welcomed(2).transport.TLS
    assert len(case.network.servers) == 1


# ---- DCC ----


@oneSelector
def test_dccDoesNothingByItself_connectBack(net: Net, case: Case) -> None:
    bot = case.connected()
    listening = net.listen()
    bot.lineReceived(f":al!u@h PRIVMSG bot :\1DCC SEND f 2130706433 {listening.port} 3\1")
    bot.lineReceived(f":al!u@h PRIVMSG bot :\1DCC CHAT chat 2130706433 {listening.port}\1")
    assert bot.offers == [("al!u@h", "127.0.0.1", listening.port, "f", 3)]
    for address in ("127.0.0.1", "10.0.0.1", "::1", "169.254.169.254", "0.0.0.0", "::ffff:127.0.0.1", "224.0.0.1"):
        with pytest.raises(ValueError, match="not an address of the Internet"):
            bot.dccReceive("al", address, listening.port, "f", 3, reactor=net.reactor)
        with pytest.raises(ValueError, match="not an address of the Internet"):
            bot.dccChat("al", address, listening.port, reactor=net.reactor)
    net.turn(5)
    assert listening.built == []


@oneSelector
def test_aFileIsSent(net: Net, case: Case, tmp_path: Path) -> None:
    bot = case.connected()
    source, received = tmp_path / "the file.bin", tmp_path / "received"
    content = os.urandom(100_000)
    source.write_bytes(content)
    received.mkdir()
    net.ports.append(bot.dccSend("bot", str(source), reactor=net.reactor))
    net.until(lambda: bot.offers)
    user, address, port, name, size = bot.offers[0]
    assert (name, size) == ("the file.bin", 100_000)
    bot.dccAllowPrivate, bot.dcc_destdir = True, str(received)
    path = net.result(bot.dccReceive(user, address, port, "../../etc/" + name, size, reactor=net.reactor))
    assert path == str(received / "the file.bin")
    assert Path(path).read_bytes() == content


def sent(net: Net, content: bytes, tmp_path: Path, **attributes: Any) -> DccFileReceive:
    """What a receiver makes of `content`, from a peer that never looks at what it gets back."""
    receiver = DccFileReceive(
        attributes.pop("name", "f"), attributes.pop("size", -1), None, str(tmp_path), **attributes
    )
    listening = net.listen(made=lambda p: (p.write(content), p.lose()))
    net.connect(listening.port, build=lambda _: receiver)
    return receiver


@oneSelector
def test_moreThanWasAnnounced(net: Net, tmp_path: Path) -> None:
    receiver = sent(net, b"x" * 5000, tmp_path, size=10)
    with pytest.raises(ValueError, match="more than 10 bytes"):
        net.result(receiver.whenFinished())
    assert len((tmp_path / "f").read_bytes()) <= 10


@oneSelector
def test_lessThanWasAnnounced(net: Net, tmp_path: Path) -> None:
    with pytest.raises(ConnectionLost, match="5 of 10 bytes"):
        net.result(sent(net, b"x" * 5, tmp_path, size=10).whenFinished())


@oneSelector
def test_aFileThatIsThereStays(net: Net, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        net.result(sent(net, b"theirs", tmp_path).whenFinished())
    assert (tmp_path / "f").read_bytes() == b"mine"


@oneSelector
def test_aFileIsResumed(net: Net, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"0123456")
    net.result(sent(net, b"abcdef", tmp_path, size=10, resumeOffset=4).whenFinished())
    assert (tmp_path / "f").read_bytes() == b"0123abcdef"


def test_aSizeThatIsTooMuch() -> None:
    with pytest.raises(ValueError, match="the limit is"):
        DccFileReceive("f", DccFileReceive.MAX_SIZE + 1)


def test_onlyTheFirstGetsTheFile(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    with open(tmp_path / "f", "rb") as file:
        factory = DccSendFactory(file)
        assert factory.buildProtocol(None) is not None
        assert factory.buildProtocol(None) is None


@oneSelector
def test_aChat(net: Net, case: Case) -> None:
    bot = case.connected()
    peer: Any = net.listen(made=lambda p: p.write(b"hi\r\nthere\n"))
    bot.dccAllowPrivate = True
    factory = bot.dccChat("al!u@h", "127.0.0.1", peer.port, reactor=net.reactor)
    assert bot.dcc_sessions == [factory]
    net.until(lambda: ("privmsg", "al!u@h", "bot", "there") in bot.told)
    assert ("privmsg", "al!u@h", "bot", "hi") in bot.told
    peer.built[0].lose()
    net.until(lambda: bot.dcc_sessions == [])


def test_aChatSendsLines() -> None:
    class Wire:
        data = b""

        def write(self, data: bytes) -> None:
            self.data += data

    chat, wire = DccChat(None, ("al", "bot", "")), Wire()
    chat.transport = wire  # type: ignore[assignment]
    chat.sendLine("é")
    with pytest.raises(ValueError):
        chat.sendLine("a\nb")
    assert wire.data == "é\r\n".encode()
    assert isinstance(DccChatFactory(None, ("al", "bot", "")).buildProtocol(None), DccChat)
    assert issubclass(IRCBadMessage, Exception)
