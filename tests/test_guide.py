"""The code blocks of the guide that the project started from (Twisted's "Writing Clients"), those on TCP, as real
processes.

Each is as it stands there but for its imports and `str` that became bytes; what is added around a block is what the
guide leaves to its reader: a host and a port, and an end.
"""

from __future__ import annotations

import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from patience import PATIENCE

SECONDS = PATIENCE


class EchoLines(socketserver.StreamRequestHandler):
    """Keeps and echoes what comes, until the client ends; a line `bye` ends it from here."""

    def handle(self) -> None:
        while line := self.rfile.readline():
            self.server.hear(line)  # type: ignore[attr-defined]
            if line == b"bye\n":
                break
            self.wfile.write(line)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), EchoLines)
        self._lines: list[bytes] = []
        self._heard = threading.Condition()
        self.accepted = 0

    def hear(self, line: bytes) -> None:
        with self._heard:
            self._lines.append(line)
            self._heard.notify_all()

    def lines(self, count: int) -> list[bytes]:
        """The lines that came, once there are `count`: the client may be gone before its last one is read."""
        with self._heard:
            assert self._heard.wait_for(lambda: len(self._lines) >= count, SECONDS), self._lines
            return self._lines

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def process_request(self, request: object, client_address: object) -> None:
        self.accepted += 1
        super().process_request(request, client_address)  # type: ignore[arg-type]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def run(program: str, server: Server) -> str:
    """What the program prints, with `host` and `port` given; it must end by itself and complain of nothing."""
    prelude = f"host, port = 'localhost', {server.port}\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", prelude + program],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    return done.stdout


ECHO = """
from reactor.protocol import Protocol
from sys import stdout

class Echo(Protocol):
    def dataReceived(self, data):
        stdout.buffer.write(data)
"""


def test_the_echo_protocol_prints_what_it_reads(server: Server) -> None:
    program = (
        ECHO
        + """
from reactor import reactor
from reactor.endpoints import TCP4ClientEndpoint, connectProtocol
def connected(p):
    p.transport.write(b"one line\\n")
class EchoOnce(Echo):
    def dataReceived(self, data):
        Echo.dataReceived(self, data)
        self.transport.loseConnection()
p = EchoOnce()
p.connectionLost = lambda reason: reactor.stop()
connectProtocol(TCP4ClientEndpoint(reactor, host, port), p).addCallback(connected)
reactor.run()
"""
    )
    assert run(program, server) == "one line\n"


def test_the_welcome_message_is_sent_and_the_connection_closed(server: Server) -> None:
    program = """
from reactor.protocol import Protocol

class WelcomeMessage(Protocol):
    def connectionMade(self):
        self.transport.write(b"Hello server, I am the client!\\r\\n")
        self.transport.loseConnection()

from reactor import reactor
from reactor.endpoints import TCP4ClientEndpoint, connectProtocol
p = WelcomeMessage()
p.connectionLost = lambda reason: (print(reason.type.__name__), reactor.stop())
connectProtocol(TCP4ClientEndpoint(reactor, host, port), p)
reactor.run()
"""
    assert run(program, server) == "ConnectionDone\n"
    assert server.lines(1) == [b"Hello server, I am the client!\r\n"]


def test_the_greeter_greets_and_greets_again_in_a_second(server: Server) -> None:
    program = """
from reactor import reactor
from reactor.protocol import Protocol
from reactor.endpoints import TCP4ClientEndpoint, connectProtocol

class Greeter(Protocol):
    def sendMessage(self, msg):
        self.transport.write(b"MESSAGE %s\\n" % msg)

def gotProtocol(p):
    p.connectionLost = lambda reason: reactor.stop()
    p.sendMessage(b"Hello")
    reactor.callLater(1, p.sendMessage, b"This is sent in a second")
    reactor.callLater(2, p.transport.loseConnection)

point = TCP4ClientEndpoint(reactor, host, port)
d = connectProtocol(point, Greeter())
d.addCallback(gotProtocol)
reactor.run()
"""
    assert run(program, server) == ""
    assert server.lines(2) == [b"MESSAGE Hello\n", b"MESSAGE This is sent in a second\n"]


FACTORY = """
from reactor.protocol import Protocol, ClientFactory
from sys import stdout

class Echo(Protocol):
    def dataReceived(self, data):
        stdout.buffer.write(data)

class EchoClientFactory(ClientFactory):
    def startedConnecting(self, connector):
        print('Started to connect.')

    def buildProtocol(self, addr):
        print('Connected.')
        return Echo()

    def clientConnectionLost(self, connector, reason):
        print('Lost connection.  Reason:', reason)

    def clientConnectionFailed(self, connector, reason):
        print('Connection failed. Reason:', reason)

from reactor import reactor
"""


def test_the_factory_says_what_state_the_connection_is_in(server: Server) -> None:
    program = (
        FACTORY
        + """
class UntilLost(EchoClientFactory):
    def clientConnectionLost(self, connector, reason):
        EchoClientFactory.clientConnectionLost(self, connector, reason)
        reactor.stop()
connector = reactor.connectTCP(host, port, UntilLost())
Echo.connectionMade = lambda self: connector.disconnect()
reactor.run()
"""
    )
    started, connected, lost = run(program, server).split("\n", 2)
    assert (started, connected) == ("Started to connect.", "Connected.")
    assert lost.startswith("Lost connection.  Reason:") and "ConnectionDone" in lost
    assert lost.count("Reason:") == 1


def test_the_factory_says_that_the_connection_failed(server: Server) -> None:
    program = (
        FACTORY
        + """
import socket
with socket.create_server((host, 0)) as closed:
    port = closed.getsockname()[1]
class UntilFailed(EchoClientFactory):
    def clientConnectionFailed(self, connector, reason):
        EchoClientFactory.clientConnectionFailed(self, connector, reason)
        reactor.stop()
reactor.connectTCP(host, port, UntilFailed())
reactor.run()
"""
    )
    started, failed = run(program, server).split("\n", 1)
    assert started == "Started to connect."
    assert failed.startswith("Connection failed. Reason:") and "ConnectionRefusedError" in failed
    assert "localhost:" in failed, "the error says where"
    assert failed.count("Reason:") == 1


def test_connecting_again_from_the_hook_that_tells_of_the_loss(server: Server) -> None:
    program = """
from reactor.protocol import ClientFactory, Protocol
from reactor import reactor

class EchoClientFactory(ClientFactory):
    def clientConnectionLost(self, connector, reason):
        connector.connect()

class Bye(Protocol):
    made = 0
    def connectionMade(self):
        Bye.made += 1
        self.transport.write(b"bye\\n")
        if Bye.made == 4:
            reactor.stop()

EchoClientFactory.protocol = Bye
reactor.connectTCP(host, port, EchoClientFactory())
reactor.run()
print(Bye.made)
"""
    assert run(program, server) == "4\n"
    assert server.accepted >= 4


@pytest.mark.parametrize(
    "own",
    [
        "def buildProtocol(self, addr):\n        p = LogBot()\n        p.factory = self\n        return p",
        "protocol = LogBot",
    ],
)
def test_persistent_data_is_kept_in_the_factory(server: Server, own: str) -> None:
    program = f"""
from reactor import protocol, reactor

class LogBot(protocol.Protocol):
    def connectionMade(self):
        print(self.factory.channel, self.factory.filename)
        self.transport.loseConnection()
    def connectionLost(self, reason):
        reactor.stop()

class LogBotFactory(protocol.ClientFactory):
    {own}

    def __init__(self, channel, filename):
        self.channel = channel
        self.filename = filename

reactor.connectTCP(host, port, LogBotFactory("#reactor", "log.txt"))
reactor.run()
"""
    assert run(program, server) == "#reactor log.txt\n"
