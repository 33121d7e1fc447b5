"""The guide's code blocks for `ClientCreator` and `ReconnectingClientFactory`, as real processes.

As in tests/test_guide.py: each is as it stands there but for its imports and `str` that became bytes, with the host,
the port and the end that the guide leaves to its reader.
"""

from __future__ import annotations

from test_guide import Server, run
from test_guide import server as server


def test_the_greeter_by_ClientCreator(server: Server) -> None:
    program = """
from reactor import reactor
from reactor.protocol import Protocol

class Greeter(Protocol):
    def sendMessage(self, msg):
        self.transport.write(b"MESSAGE %s\\n" % msg)

def gotProtocol(p):
    p.connectionLost = lambda reason: reactor.stop()
    p.sendMessage(b"Hello")
    reactor.callLater(1, p.sendMessage, b"This is sent in a second")
    reactor.callLater(2, p.transport.loseConnection)

from reactor.protocol import ClientCreator

creator = ClientCreator(reactor, Greeter)
d = creator.connectTCP(host, port)
d.addCallback(gotProtocol)
reactor.run()
"""
    assert run(program, server) == ""
    assert server.lines(2) == [b"MESSAGE Hello\n", b"MESSAGE This is sent in a second\n"]


def linesOf(printed: str) -> list[str]:
    """A Failure is printed in two lines; the second closes its bracket."""
    return [line for line in printed.splitlines() if line != "]"]


RECONNECTING = """
from reactor.protocol import Protocol, ReconnectingClientFactory
from sys import stdout

class Echo(Protocol):
    def dataReceived(self, data):
        stdout.buffer.write(data)

class EchoClientFactory(ReconnectingClientFactory):
    def startedConnecting(self, connector):
        print('Started to connect.')

    def buildProtocol(self, addr):
        print('Connected.')
        print('Resetting reconnection delay')
        self.resetDelay()
        return Echo()

    def clientConnectionLost(self, connector, reason):
        print('Lost connection.  Reason:', reason)
        ReconnectingClientFactory.clientConnectionLost(self, connector, reason)

    def clientConnectionFailed(self, connector, reason):
        print('Connection failed. Reason:', reason)
        ReconnectingClientFactory.clientConnectionFailed(self, connector,
                                                         reason)

from reactor import reactor
"""


def test_it_reconnects_when_the_connection_is_lost(server: Server) -> None:
    program = (
        RECONNECTING
        + """
EchoClientFactory.initialDelay = 0.01
made = []
def connectionMade(self):
    made.append(self)
    if len(made) == 3:
        reactor.stop()
    else:
        self.transport.write(b"bye\\n")
Echo.connectionMade = connectionMade
reactor.connectTCP(host, port, EchoClientFactory())
reactor.run()
"""
    )
    lines = linesOf(run(program, server))
    attempt = ["Started to connect.", "Connected.", "Resetting reconnection delay"]
    assert [line for line in lines if not line.startswith("Lost connection.")] == attempt * 3
    assert [lines.index(line) > 2 for line in lines if line.startswith("Lost connection.  Reason:")] == [True] * 3
    assert "ConnectionDone" in lines[3]


def test_it_delays_attempts_that_fail_and_ends_them_when_told(server: Server) -> None:
    program = (
        RECONNECTING
        + """
import socket
with socket.create_server((host, 0)) as closed:
    port = closed.getsockname()[1]
EchoClientFactory.initialDelay = EchoClientFactory.delay = 0.01
EchoClientFactory.maxRetries = 3
EchoClientFactory.stopFactory = lambda self: reactor.stop() if self.retries > 3 else None
factory = EchoClientFactory()
reactor.connectTCP(host, port, factory)
reactor.run()
print(round(factory.delay / 0.01 / factory.factor ** 3, 6))
"""
    )
    lines = linesOf(run(program, server))
    assert lines[-1] == "1.0"
    assert [line.partition("Reason:")[0] for line in lines[:-1]] == ["Started to connect.", "Connection failed. "] * 4
    assert all("ConnectionRefusedError" in line for line in lines[1:-1:2])
