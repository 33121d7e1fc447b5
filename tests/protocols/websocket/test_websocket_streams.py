"""Bytes over WebSocket: endpoints, by objects and by text, with TLS, a proxy, IRC and a relay above or below."""

from __future__ import annotations

import logging
from configparser import ConfigParser
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from net import Net, Traced, TracedClient, TracedServer, pattern
from wsnet import Echo
from wsnet import Traced as TracedMessages
from zope.interface import implementedBy
from zope.interface.verify import verifyObject

from protocols.irc import IRC, IRCClient
from protocols.portforward import ProxyFactory
from protocols.websocket import (
    HandshakeError,
    WebSocketClientEndpoint,
    WebSocketClientParser,
    WebSocketServerEndpoint,
    WebSocketServerParser,
    connect,
)
from reactor.endpoints import TCP4ServerEndpoint, clientFromString, quoteStringArgument, serverFromString, wrapServerTLS
from reactor.error import ConnectionDone, ConnectionLost
from reactor.interfaces import (
    IConsumer,
    IPushProducer,
    IStreamClientEndpoint,
    IStreamClientEndpointStringParserWithReactor,
    IStreamServerEndpoint,
    IStreamServerEndpointStringParser,
    ITransport,
)
from reactor.protocol import Factory
from reactor.service import ClientService

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


def listening(net: Net, factory: Any, tls: Any = None, **options: Any) -> str:
    """A server's URL."""
    below: Any = TCP4ServerEndpoint(net.reactor, 0, interface="127.0.0.1")
    endpoint = WebSocketServerEndpoint(below if tls is None else wrapServerTLS(tls, below), **options)
    port = net.result(endpoint.listen(factory))
    net.ports.append(port)
    return f"{'ws' if tls is None else 'wss'}://127.0.0.1:{port.getHost().port}/there"


def pair(net: Net, first: Any = Traced, second: Any = Traced, **options: Any) -> tuple[Any, Any]:
    server = TracedServer(lambda address: second())
    client = Factory()
    client.noisy = False
    client.buildProtocol = lambda address: first()  # type: ignore[method-assign]
    url = listening(net, server, **options)
    end = net.result(WebSocketClientEndpoint(net.reactor, url).connect(client))
    return end, net.until(lambda: server.built[0])


def test_bytesGoBothWaysAndTheCloseIsOrderly(net: Net) -> None:
    client, server = pair(net, second=lambda: Traced(data=lambda end, data: end.transport.write(data)))
    assert verifyObject(ITransport, client.transport) and IConsumer.providedBy(client.transport)
    assert IPushProducer.providedBy(client.transport)
    data = pattern(500_000)
    client.transport.write(data)
    client.transport.writeSequence([b"a", bytearray(b"b")])
    client.transport.write(b"")
    net.until(lambda: len(client.received) == len(data) + 2)
    assert client.received == data + b"ab"
    client.transport.loseConnection()
    client.transport.write(b"dropped")
    assert client.transport.disconnecting
    net.until(lambda: client.lost and server.lost)
    assert client.reason.check(ConnectionDone) and server.reason.check(ConnectionDone)
    assert server.received == data + b"ab"
    client.transport.write(b"late")
    client.transport.abortConnection()


def test_writesThatAreNone(net: Net) -> None:
    client, _ = pair(net)
    for wrong in ("text", None, 5):
        with pytest.raises(TypeError, match=r"transport\.write\(\)"):
            client.transport.write(wrong)


def test_whatGoesPastTheWebSocketIsNotThereAndTheRestIs(net: Net) -> None:
    client, _ = pair(net)
    for name in ("startTLS", "sendFile", "loseWriteConnection", "_wire"):
        assert not hasattr(client.transport, name)
    client.transport.setTcpNoDelay(True)
    assert client.transport.getPeer().port == client.transport.transport.getPeer().port


def test_aCloseWithAnErrorIsNoOrderlyEnd(net: Net) -> None:
    client, server = pair(net)
    server.transport.transport.loseConnection(1011, "broken")
    net.until(lambda: client.lost)
    assert client.reason.check(ConnectionLost) and client.reason.value.code == 1011


def test_anAbortAndAnException(net: Net) -> None:
    client, server = pair(net)
    client.transport.abortConnection()
    net.until(lambda: client.lost and server.lost)
    assert server.reason.check(ConnectionLost)

    def fail(end: Any, data: bytes) -> None:
        raise RuntimeError("mine")

    client, server = pair(net, second=lambda: Traced(data=fail))
    net.expectErrors(1)
    client.transport.write(b"x")
    net.until(lambda: client.lost and server.lost)
    assert server.reason.check(RuntimeError) and client.reason.check(ConnectionLost)


def test_pausingAndProducing(net: Net) -> None:
    client, server = pair(net)
    server.transport.pauseProducing()
    # An echo's two ends: each the other's producer.
    client.transport.registerProducer(server.transport, True)
    for _ in range(20):
        client.transport.write(bytes(100_000))
    client.transport.unregisterProducer()
    net.turn(20)
    assert server.received == b""
    server.transport.resumeProducing()
    net.until(lambda: len(server.received) == 2_000_000)


def test_aFactoryOfMessagesHasMessages(net: Net) -> None:
    built: list[Any] = []

    class Server(Factory):
        noisy = False

        def buildProtocol(self, addr: Any) -> Any:
            built.append(Echo())
            return built[-1]

    client = net.result(connect(listening(net, Server()), reactor=net.reactor, protocol=TracedMessages))
    client.sendMessage("text")
    net.until(lambda: client.messages == ["text"])


def test_onlyThatPath(net: Net) -> None:
    url = listening(net, TracedServer(), path="/there")
    net.result(connect(url, reactor=net.reactor)).abort()
    with pytest.raises(HandshakeError) as caught:
        net.result(connect(url + "/else", reactor=net.reactor))
    assert caught.value.status == 404


# TLS and proxies.


def test_wss(net: Net) -> None:
    from tls import clientOptions, serverOptions

    url = listening(net, Factory.forProtocol(Echo), tls=serverOptions()).replace("127.0.0.1", "localhost")
    client = net.result(connect(url, reactor=net.reactor, protocol=TracedMessages, tls=clientOptions()))
    client.sendMessage("x" * 100_000)
    net.until(lambda: client.messages)
    assert client.transport.below.TLS and client.transport.request.get("Host").startswith("localhost:")
    with pytest.raises(Exception, match="certificate"):
        net.result(connect(url, reactor=net.reactor))


def test_throughAProxy(net: Net) -> None:
    from protocols.httpconnect import HTTPConnectEndpoint
    from reactor.endpoints import TCP4ClientEndpoint

    url = listening(net, Factory.forProtocol(Echo))
    port = int(url.split(":")[2].split("/")[0])

    def relay(end: Any, data: bytes) -> None:
        if end.received.endswith(b"\r\n\r\n") and not hasattr(end, "asked"):
            end.asked = end.received
            end.transport.write(b"HTTP/1.1 200 OK\r\n\r\n")
            back = {
                "data": lambda other, data: end.transport.write(data),
                "lost": lambda *_: end.transport.loseConnection(),
            }
            end.other = net.connect(port, **back).built
        elif hasattr(end, "asked"):
            net.until(lambda: end.other)
            end.other[0].transport.write(data)

    proxy = net.listen(data=relay)
    through = HTTPConnectEndpoint(TCP4ClientEndpoint(net.reactor, "127.0.0.1", proxy.port), "ws.example", 80)
    client = net.result(connect("ws://ws.example/there", reactor=net.reactor, endpoint=through))
    client.send("hello")
    assert net.result(client.receive()) == "hello"
    assert proxy.built[0].asked.startswith(b"CONNECT ws.example:80 ")
    net.result(client.close())


# As text.


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry points of this source tree, installed or not."""
    config = ConfigParser()
    config.read(Path(__file__).resolve().parents[3] / "setup.cfg")
    found = []
    for side in ("client", "server"):
        group = f"reactor.endpoints.{side}"
        for line in config["options.entry_points"][group].strip().splitlines():
            name, _, value = line.partition("=")
            found.append(EntryPoint(name.strip(), value.strip(), group))
    points = lambda group: [each for each in found if each.group == group]  # noqa: E731
    monkeypatch.setattr("importlib.metadata.entry_points", points)


def fromText(net: Net, factory: Any, text: str = "websocket:tcp:0:interface=127.0.0.1") -> int:
    port = net.result(serverFromString(net.reactor, text).listen(factory))
    net.ports.append(port)
    return int(port.getHost().port)


def test_descriptions(net: Net, registered: None) -> None:
    server = TracedServer(data=lambda end, data: end.transport.write(data.upper()))
    port = fromText(net, server, r"websocket:tcp:0:interface=127.0.0.1:path=/irc:subprotocols=a,b:pingInterval=none")
    text = rf"websocket:ws\://127.0.0.1\:{port}/irc:subprotocols=b:pingInterval=5"
    client = net.result(clientFromString(net.reactor, text).connect(TracedClient()))
    client.transport.write(b"bytes")
    net.until(lambda: client.received == b"BYTES")
    assert client.transport.transport.subprotocol == "b"
    inner = quoteStringArgument(f"tcp:127.0.0.1:{port}")
    text = rf"websocket:ws\://else.example/irc:endpoint={inner}"
    other = net.result(clientFromString(net.reactor, text).connect(TracedClient()))
    assert other.transport.transport.request.get("Host") == "else.example"
    for end in (client, other):
        end.transport.loseConnection()
        net.until(lambda end=end: end.lost)


@pytest.mark.parametrize(
    "make, text, says",
    [
        (clientFromString, r"websocket:http\://x", "no URL"),
        (clientFromString, "websocket:", "no URL"),
        (clientFromString, r"websocket:ws\://x:pingInterval=soon", "number of seconds"),
        (clientFromString, r"websocket:wss\://x:trustRoots=/nowhere", "trustRoots"),
        (clientFromString, r"websocket:ws\://x:nonsense=1", "nonsense"),
        (serverFromString, "websocket:", "another endpoint|expected"),
        (serverFromString, "websocket:tcp:80:pingInterval=x", "number of seconds"),
        (serverFromString, "websocket:tcp:80:subprotocols=a b", "token"),
    ],
)
def test_descriptionsThatAreNone(net: Net, registered: None, make: Any, text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make(net.reactor, text)


def test_whatTheyProvide(net: Net) -> None:
    assert IStreamClientEndpoint.implementedBy(WebSocketClientEndpoint)
    assert IStreamServerEndpoint.implementedBy(WebSocketServerEndpoint)
    assert IStreamClientEndpointStringParserWithReactor in implementedBy(WebSocketClientParser)
    assert IStreamServerEndpointStringParser in implementedBy(WebSocketServerParser)
    assert "ws://x" in repr(WebSocketClientEndpoint(net.reactor, "ws://x"))


# What runs over it.


class IRCServer(IRC):
    def irc_NICK(self, prefix: str, params: list[str]) -> None:
        self.sendMessage("001", params[0], ":Welcome", prefix="irc.example")

    def irc_PRIVMSG(self, prefix: str, params: list[str]) -> None:
        self.sendMessage("PRIVMSG", "bot", f":{params[1]}!", prefix="somebody!u@h")


class Bot(IRCClient):
    nickname = "bot"

    def __init__(self) -> None:
        self.heard: list[str] = []

    def signedOn(self) -> None:
        self.msg("somebody", "hello")

    def privmsg(self, user: str, channel: str, message: str) -> None:
        self.heard.append(message)


def test_ircWithAServiceThatReconnects(net: Net, registered: None) -> None:
    servers: list[Any] = []

    class Servers(Factory):
        noisy = False

        def buildProtocol(self, addr: Any) -> Any:
            servers.append(IRCServer())
            return servers[-1]

    logging.getLogger("reactor").setLevel(logging.INFO)
    port = fromText(net, Servers())
    bots: list[Bot] = []

    class Bots(Factory):
        noisy = False

        def buildProtocol(self, addr: Any) -> Any:
            bots.append(Bot())
            return bots[-1]

    endpoint = clientFromString(net.reactor, rf"websocket:ws\://127.0.0.1\:{port}/")
    service = ClientService(endpoint, Bots(), retryPolicy=lambda attempt: 0.01, clock=net.reactor)
    service.startService()
    net.until(lambda: bots and bots[0].heard == ["hello!"])
    servers[0].transport.abortConnection()
    net.until(lambda: len(bots) == 2 and bots[1].heard == ["hello!"])
    net.result(service.stopService())
    net.until(lambda: all(not each.transport.transport.connected for each in servers))


def test_portforwardBehindIt(net: Net) -> None:
    target = net.listen(data=lambda end, data: end.transport.write(data[::-1]))
    relay = ProxyFactory("127.0.0.1", target.port)
    relay.reactor = net.reactor
    relay.noisy = False
    client = TracedClient()
    end = net.result(WebSocketClientEndpoint(net.reactor, listening(net, relay)).connect(client))
    end.transport.write(b"abc")
    net.until(lambda: end.received == b"cba")
    end.transport.loseConnection()
    net.until(lambda: end.lost and target.built[0].lost)
