"""The two ends of a connection over TLS, by Twisted's API, for `tls_program.py`; the reactor that its arguments name is
installed when this is imported.
"""

from __future__ import annotations

import socket
import ssl as standard
import sys
from pathlib import Path
from threading import Thread
from typing import Any

if sys.argv[1] == "ours":
    import reactor.twisted

    reactor.twisted.install()
else:
    from twisted.internet import epollreactor

    epollreactor.install()

from twisted.internet import defer, interfaces, protocol, ssl
from twisted.internet import reactor as installed
from zope.interface import implementer

loop: Any = installed
PEM = Path(sys.argv[2], "server.pem").read_bytes()
AUTHORITY = ssl.Certificate.loadPEM(Path(sys.argv[2], "ca.pem").read_bytes())
HOST = "127.0.0.1"
BIG = bytes(range(256)) * 4096


def server(**kw: Any) -> Any:
    """What a server passes."""
    key = ssl.PrivateCertificate.loadPEM(PEM)
    return ssl.CertificateOptions(privateKey=key.privateKey.original, certificate=key.original, **kw)


def client(**kw: Any) -> Any:
    """What a client passes that looks at the certificate."""
    return ssl.optionsForClientTLS("localhost", AUTHORITY, **kw)


@implementer(interfaces.IHandshakeListener)
class Told(protocol.Protocol):
    """Writes down what it is told, data that follows on data as one."""

    def __init__(self, case: Case, name: str) -> None:
        self.case = case
        self.name = name
        # The class that speaks TLS.
        self.over = ""
        self.told = case.told.setdefault(name, [])

    def tell(self, *what: Any) -> None:
        self.told.append(list(what))

    def hook(self, event: str, *args: Any) -> None:
        self.case.hooks.get(f"{self.name} {event}", lambda *_: None)(self, *args)

    def connectionMade(self) -> None:
        transport: Any = self.transport
        self.case.ends[self.name] = self
        names = ("getPeerCertificate", "startTLS", "TLS")
        self.tell("made", [name for name in names if hasattr(transport, name)], self.provided())
        self.hook("made")

    def provided(self) -> list[str]:
        names = ("ISSLTransport", "ITLSTransport", "ITCPTransport", "INegotiated")
        return [name for name in names if getattr(interfaces, name).providedBy(self.transport)]

    def handshakeCompleted(self) -> None:
        transport: Any = self.transport
        self.over = type(transport.getHandle.__self__).__name__
        self.tell("shaken", type(transport.getHandle()).__name__, type(transport.getPeerCertificate()).__name__)
        self.hook("shaken")

    def dataReceived(self, data: bytes) -> None:
        if self.told and self.told[-1][0] == "data":
            self.told[-1][1] += data
        else:
            self.tell("data", data)
        self.hook("data", data)

    def connectionLost(self, reason: Any = None) -> None:
        self.tell("lost", reason.type.__name__, said(reason))
        self.hook("lost")
        self.case.over(self.name)


def said(reason: Any) -> list[str]:
    """What an error says."""
    return [str(reason.value), *(repr(arg) for arg in reason.value.args if not isinstance(arg, str))]


class Case:
    """Two ends, and what is done with them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.told: dict[str, list[Any]] = {}
        self.hooks: dict[str, Any] = {}
        self.ends: dict[str, Any] = {}
        self.waiting = {"server", "client"}
        self.done: defer.Deferred[None] = defer.Deferred()
        self.port: Any = None
        self.late: Any = None

    def factory(self, name: str) -> Any:
        made: Any = protocol.ClientFactory()
        made.noisy = False
        made.buildProtocol = lambda address: Told(self, name)
        made.clientConnectionFailed = lambda connector, reason: self.over(name)
        return made

    def over(self, name: str) -> None:
        self.waiting.discard(name)
        if not self.waiting and not self.done.called:
            self.done.callback(None)

    def listen(self, options: Any, *, over: Any = None) -> int:
        self.port = loop.listenSSL(0, over or self.factory("server"), options, interface=HOST)
        return int(self.port.getHost().port)

    def connect(self, options: Any, port: int, *, over: Any = None) -> None:
        loop.connectSSL(HOST, port, over or self.factory("client"), options)


def raw(case: Case, talk: Any) -> None:
    """The server here, and for a client a thread with a socket."""
    case.waiting = {"server", "thread"}
    port = case.listen(server())

    def run() -> None:
        with socket.create_connection((HOST, port), 20) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            talk(sock)
        loop.callFromThread(case.over, "thread")

    Thread(target=run, daemon=True).start()


class Slow:
    """The standard library's TLS over a socket, what is sent cut as the case wants it."""

    def __init__(self, sock: socket.socket, sizes: tuple[int, ...]) -> None:
        context = standard.create_default_context(cadata=AUTHORITY.dumpPEM().decode())
        self.sock, self.sizes, self.turn = sock, sizes, 0
        self.incoming, self.outgoing = standard.MemoryBIO(), standard.MemoryBIO()
        self.ssl = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self.ask(self.ssl.do_handshake)

    def send(self) -> None:
        data = self.outgoing.read()
        while data:
            size = self.sizes[self.turn % len(self.sizes)]
            self.turn += 1
            self.sock.sendall(data[:size])
            data = data[size:]

    def ask(self, f: Any, *args: Any) -> Any:
        while True:
            try:
                return f(*args)
            except standard.SSLWantReadError:
                self.send()
                data = self.sock.recv(65536)
                if not data:
                    return b""
                self.incoming.write(data)
            finally:
                self.send()
