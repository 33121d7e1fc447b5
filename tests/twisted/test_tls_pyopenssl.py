"""TLS by pyOpenSSL on our connections, under Twisted's API: both ends are told what they are told on Twisted's own
reactor, whatever they do, whoever is at the other end, and however the bytes come.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE
from tls import authority, issued
from unchanged import environment, needs

pytestmark = needs("twisted", "OpenSSL", "tlslite")

PROGRAM = Path(__file__).with_name("tls_program.py")
# Ended before there was a handshake, or never begun: what spoke TLS was not asked.
NEVER_SHAKEN = "AbortBeforeHandshake LoseBeforeHandshake NotTrusted OtherName NoContext NotTLS GoneInHandshake".split()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files that the program reads."""
    (tmp_path / "server.pem").write_bytes(issued("localhost").private_key_and_cert_chain_pem.bytes())
    (tmp_path / "ca.pem").write_bytes(authority().cert_pem.bytes())
    return tmp_path


def ran(reactor: str, folder: Path, *cases: str) -> dict[str, Any]:
    """What was told in each case on that reactor, and by which classes TLS was spoken."""
    command = [sys.executable, "-W", "ignore", str(PROGRAM), reactor, str(folder), *cases]
    found = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, env=environment())
    said = [json.loads(line) for line in found.stdout.splitlines()]
    assert said, found.stderr
    return {each["case"]: each for each in said}


def printed(command: list[str]) -> str:
    run = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True, env=environment())
    return run.stdout


@pytest.mark.deadline(240)
@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here for a client")
def test_whatTheEndsAreTold(folder: Path) -> None:
    ours, theirs = ran("ours", folder), ran("epoll", folder)
    assert list(ours) == list(theirs)
    assert len(ours) == 36
    for name, case in ours.items():
        assert "late" not in case["told"], case
        assert case["told"] == theirs[name]["told"], name
        assert "Quick" in case["over"] or name in NEVER_SHAKEN, case
    assert [said for said in ours["NewKeys"]["told"]["thread"] if isinstance(said, bool)] == [False, True]
    assert ours["NewKeysWhileMuchIsSent"]["told"]["thread"][-2:] == ["heard", True]


def test_whoReplacedItKeepsIt(folder: Path) -> None:
    program = """
import sys
import reactor.twisted
reactor.twisted.install()
from twisted.internet import reactor, protocol, ssl
from twisted.protocols import tls
options = ssl.PrivateCertificate.loadPEM(open(sys.argv[1], "rb").read()).options()
def made(port):
    return port.factory.protocol.__name__
listen = lambda factory: print(made(reactor.listenTCP(0, factory, interface="127.0.0.1")))
factory = protocol.Factory()
print(made(reactor.listenSSL(0, factory, options, interface="127.0.0.1")))
class Own(tls.TLSMemoryBIOFactory):
    pass
class Protocol(tls.TLSMemoryBIOProtocol):
    pass
listen(Own(options, False, factory))
given = tls.TLSMemoryBIOFactory(options, False, factory)
given.protocol = Protocol
listen(given)
before = tls.TLSMemoryBIOProtocol.dataReceived
tls.TLSMemoryBIOProtocol.dataReceived = lambda self, data: before(self, data)
listen(tls.TLSMemoryBIOFactory(options, False, factory))
"""
    command = [sys.executable, "-c", program, str(folder / "server.pem")]
    assert printed(command).split() == ["Quick", "BufferingTLSTransport", "Protocol", "BufferingTLSTransport"]


def test_loadedByWhoSpeaksTLS() -> None:
    program = """
import sys
import reactor.twisted
reactor.twisted.install()
from twisted.internet import reactor, protocol
reactor.listenTCP(0, protocol.Factory(), interface="127.0.0.1")
print([name for name in ("reactor.twisted.tls", "reactor.twisted.openssl") if name in sys.modules])
"""
    assert printed([sys.executable, "-c", program]) == "[]\n"
