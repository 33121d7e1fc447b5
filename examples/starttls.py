"""A server and a client that talk in the clear, then agree to go on over TLS.

    python starttls.py key.pem certificate.pem authority.pem

Prints what the client hears. Both throw nothing away: bytes that come in one piece with the command that begins TLS
were sent by somebody who did not wait for it, and end the connection.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from zope.interface import implementer

from reactor import reactor, ssl
from reactor.failure import Failure
from reactor.interfaces import IHandshakeListener
from reactor.protocol import ClientFactory, Factory, Protocol, connectionDone

COMMAND, ANSWER = b"STARTTLS\n", b"go ahead\n"


class Server(Protocol):
    """Begins TLS when it is asked to, and greets whoever is secure."""

    options: Any = None

    def dataReceived(self, data: bytes) -> None:
        if not self.transport.TLS:
            if data != COMMAND:
                self.transport.abortConnection()
                return
            self.transport.write(ANSWER)
            self.transport.startTLS(self.options)
        else:
            self.transport.write(b"you said, in secret: " + data)


@implementer(IHandshakeListener)
class Client(Protocol):
    """Asks for TLS before it says anything."""

    options: Any = None

    def connectionMade(self) -> None:
        self.transport.write(COMMAND)

    def dataReceived(self, data: bytes) -> None:
        print("received:", data.decode().rstrip(), flush=True)
        if self.transport.TLS:
            self.transport.loseConnection()
        elif data != ANSWER:
            self.transport.abortConnection()
        else:
            self.transport.startTLS(self.options)

    def handshakeCompleted(self) -> None:
        print("secure:", self.transport.getTLS().version(), flush=True)
        self.transport.write(b"my name\n")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        print("connection lost:", reason.getErrorMessage(), flush=True)
        reactor.stop()


def main(key: str, certificate: str, authority: str) -> None:
    Server.options = ssl.DefaultOpenSSLContextFactory(key, certificate)
    trust = ssl.trustRootFromCertificates([ssl.Certificate.loadPEM(Path(authority).read_text())])
    Client.options = ssl.optionsForClientTLS("localhost", trust)
    listening = reactor.listenTCP(0, Factory.forProtocol(Server), interface="127.0.0.1")
    reactor.connectTCP("127.0.0.1", listening.getHost().port, ClientFactory.forProtocol(Client))
    reactor.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
