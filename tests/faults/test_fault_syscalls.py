"""Rows E4 to E7 under TLS and over IPv6, and X8 with descriptors on their way: system calls that fail, as strace lets
them, for two ends of one program.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from script import script
from strace import failing
from tls import authority, issued

BOTH = """
import hashlib, os, selectors, sys
from pathlib import Path
from reactor.base import Reactor
from reactor.protocol import ClientFactory, Factory, Protocol
name, kind, folder = sys.argv[1:]
reactor = Reactor(None if name == "default" else getattr(selectors, name)())
data = bytes(range(256)) * 4000
over = []
class End(Protocol):
    received = b""
    def connectionMade(self):
        self.trace = ["CM"]
        if self.factory.client:
            self.transport.write(data)
    def dataReceived(self, received):
        self.received += received
        if self.factory.client:
            self.transport.loseConnection()
        elif len(self.received) == len(data):
            self.transport.write(b"thanks")
    def connectionLost(self, reason):
        who = "client" if self.factory.client else "server"
        intact = self.received == (b"thanks" if self.factory.client else data)
        over.append((who, *self.trace, f"CL({reason.type.__name__})", getattr(reason.value, "osError", None), intact))
        if len(over) == 2:
            reactor.stop()
class Server(Factory):
    noisy, client, protocol = False, False, End
class Client(ClientFactory):
    noisy, client, protocol = False, True, End
if kind == "tls":
    from reactor.ssl import Certificate, PrivateCertificate, optionsForClientTLS, trustRootFromCertificates
    trusted = trustRootFromCertificates([Certificate.loadPEM(Path(folder, "ca").read_bytes())])
    options = PrivateCertificate.loadPEM(Path(folder, "server").read_bytes()).options()
    port = reactor.listenSSL(0, Server(), options, interface="127.0.0.1")
    reactor.connectSSL("127.0.0.1", port.getHost().port, Client(), optionsForClientTLS("localhost", trusted))
else:
    port = reactor.listenTCP(0, Server(), interface="::1")
    reactor.connectTCP("::1", port.getHost().port, Client())
reactor.callLater(60, reactor.stop)
reactor.run()
reactor.close()
for told in sorted(over):
    print(*told)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ca").write_bytes(authority().cert_pem.bytes())
    (tmp_path / "server").write_bytes(issued().private_key_and_cert_chain_pem.bytes())
    return tmp_path


each = pytest.mark.parametrize(("selector", "kind"), [("default", "tls"), ("SelectSelector", "tcp6")])


@each
def test_E5_E6_everyKind(folder: Path, selector: str, kind: str) -> None:
    rules = ("sendto:error=ENOBUFS:when=2+3", "recvfrom:error=EAGAIN:when=2+3", "/^epoll_p*wait$:error=EINTR:when=2+3")
    printed = script(BOTH, selector, kind, folder, prefix=failing(*rules))
    assert printed == ["client CM CL(ConnectionDone) None True", "server CM CL(ConnectionDone) None True"]


@each
def test_E4_everyKind(folder: Path, selector: str, kind: str) -> None:
    # Under TLS, one behind the handshake.
    number = 5 if kind == "tls" else 2
    printed = script(BOTH, selector, kind, folder, prefix=failing(f"recvfrom:error=ENOMEM:when={number}"))
    # Whichever end it was, the other hears of it too.
    assert sorted(line.split()[2] for line in printed) == ["CL(ConnectionLost)", "CL(ConnectionLost)"]
    assert [line.split()[3] for line in printed].count("12") == 1
    assert not all(line.endswith("True") for line in printed)


DESCRIPTORS = """
import os, selectors, sys
from reactor.base import Reactor
from reactor.interfaces import IFileDescriptorReceiver
from reactor.protocol import ClientFactory, Factory, Protocol
from zope.interface import implementer
name = sys.argv[1]
reactor = Reactor(None if name == "default" else getattr(selectors, name)())
@implementer(IFileDescriptorReceiver)
class Takes(Protocol):
    received, taken = b"", 0
    def fileDescriptorReceived(self, descriptor):
        os.close(descriptor)
        self.taken += 1
    def dataReceived(self, data):
        self.received += data
    def connectionLost(self, reason):
        print(self.received.decode(), self.taken, reason.type.__name__, getattr(reason.value, "osError", None))
        reactor.stop()
class Gives(Protocol):
    def connectionMade(self):
        for letter in (b"a", b"b", b"c"):
            self.transport.sendFileDescriptor(0)
            self.transport.write(letter)
        self.transport.loseConnection()
class Server(Factory):
    noisy, protocol = False, Takes
class Client(ClientFactory):
    noisy, protocol = False, Gives
path = f"\\0reactor-syscalls-{os.getpid()}"
reactor.listenUNIX(path, Server())
reactor.connectUNIX(path, Client())
reactor.callLater(60, reactor.stop)
before = len(os.listdir("/proc/self/fd"))
reactor.run()
# But for the port and what connected to it.
print(len(os.listdir("/proc/self/fd")) < before)
reactor.close()
"""


@pytest.mark.parametrize(
    ("selector", "rule", "told"),
    [
        ("default", "sendmsg:error=EAGAIN:when=2..4", "abc 3 ConnectionDone None"),
        ("SelectSelector", "recvmsg:error=EAGAIN:when=1+2", "abc 3 ConnectionDone None"),
        ("PollSelector", "recvmsg:error=ENOMEM:when=2", "a 1 ConnectionLost 12"),
    ],
)
def test_X8_systemCallsThatFail(selector: str, rule: str, told: str) -> None:
    assert script(DESCRIPTORS, selector, prefix=failing(rule)) == [told, "True"]
