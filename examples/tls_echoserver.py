"""Send everybody back what they sent, over TLS, and ask the server for it, all in one.

    python tls_echoserver.py key.pem certificate.pem [authority.pem]

Without the third file, serves on a port that the system chooses until Ctrl-C. With it, also connects to itself as a
client that believes certificates of that authority only, prints what it gets, and ends.
"""

from __future__ import annotations

import sys
from pathlib import Path

from reactor import reactor, ssl
from reactor.failure import Failure
from reactor.protocol import ClientFactory, Factory, Protocol, connectionDone


class Echo(Protocol):
    """Sends back what it gets."""

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(data)


class Ask(Protocol):
    """Sends a line, and leaves when it is back."""

    def connectionMade(self) -> None:
        secured = self.transport.getTLS()
        print("connected:", secured.version(), self.transport.getPeerCertificate(), flush=True)
        self.transport.write(b"hello over TLS\n")

    def dataReceived(self, data: bytes) -> None:
        print("echo:", data.decode().rstrip(), flush=True)
        self.transport.loseConnection()


class Asking(ClientFactory):
    """Ends the program with its only connection."""

    protocol = Ask

    def clientConnectionFailed(self, connector: object, reason: Failure) -> None:
        print("connection failed:", reason.getErrorMessage(), flush=True)
        reactor.stop()

    def clientConnectionLost(self, connector: object, reason: Failure = connectionDone) -> None:
        print("connection lost:", reason.getErrorMessage(), flush=True)
        reactor.stop()


def main(key: str, certificate: str, authority: str | None = None) -> None:
    options = ssl.ReloadingCertificate(key, certificate)
    listening = reactor.listenSSL(0, Factory.forProtocol(Echo), options, interface="127.0.0.1")
    port: int = listening.getHost().port
    print("listening on port", port, flush=True)
    if authority is not None:
        trust = ssl.trustRootFromCertificates([ssl.Certificate.loadPEM(Path(authority).read_text())])
        reactor.connectSSL("127.0.0.1", port, Asking(), ssl.optionsForClientTLS("localhost", trust))
    reactor.run()
    print("stopped", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
