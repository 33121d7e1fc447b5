"""System calls that fail, as strace lets them, for two ends of one program in asyncio's words."""

from __future__ import annotations

from pathlib import Path

import pytest
from script import script
from strace import failing
from tls import authority, issued

BOTH = """
import asyncio, ssl, sys
from pathlib import Path
import reactor.aio
protocol, kind, folder = sys.argv[1:]
data = bytes(range(256)) * 4000
over = []
class End(asyncio.Protocol):
    def __init__(self, client):
        self.client, self.received = client, b""
    def connection_made(self, transport):
        self.transport, self.trace = transport, ["CM"]
        if self.client:
            transport.write(data)
    def data_received(self, received):
        self.received += received
        if self.client:
            self.transport.close()
        elif len(self.received) == len(data):
            self.transport.write(b"thanks")
    def connection_lost(self, exc):
        self.trace.append(f"CL({type(exc).__name__})")
        intact = self.received == (b"thanks" if self.client else data)
        over.append(("client" if self.client else "server", *self.trace, getattr(exc, "errno", None), intact))
        if len(over) == 2:
            done.set_result(None)
class Buffered(End, asyncio.BufferedProtocol):
    def get_buffer(self, hint):
        self.buffer = bytearray(10000)
        return self.buffer
    def buffer_updated(self, count):
        self.data_received(self.buffer[:count])
kinds = {"Protocol": End, "BufferedProtocol": Buffered}
async def main():
    global done
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    mine = theirs = {}
    if kind == "tls":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(Path(folder, "server"))
        mine = {"ssl": context}
        theirs = {"ssl": ssl.create_default_context(cafile=Path(folder, "ca")), "server_hostname": "localhost"}
    server = await loop.create_server(lambda: kinds[protocol](False), "127.0.0.1", 0, **mine)
    await loop.create_connection(lambda: kinds[protocol](True), *server.sockets[0].getsockname(), **theirs)
    await asyncio.wait_for(done, 60)
    server.close()
reactor.aio.run(main())
for told in sorted(over):
    print(*told)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ca").write_bytes(authority().cert_pem.bytes())
    (tmp_path / "server").write_bytes(issued().private_key_and_cert_chain_pem.bytes())
    return tmp_path


each = pytest.mark.parametrize("protocol", ["Protocol", "BufferedProtocol"])
everyKind = pytest.mark.parametrize("kind", ["tcp", "tls"])


@each
@everyKind
def test_whatIsForNowOnly(folder: Path, protocol: str, kind: str) -> None:
    rules = ("sendto:error=ENOBUFS:when=2+3", "recvfrom:error=EAGAIN:when=2+3", "/^epoll_p*wait$:error=EINTR:when=2+3")
    printed = script(BOTH, protocol, kind, folder, prefix=failing(*rules))
    assert printed == ["client CM CL(NoneType) None True", "server CM CL(NoneType) None True"]


@each
@pytest.mark.parametrize(("error", "number"), [("ETIMEDOUT", 110), ("EHOSTUNREACH", 113), ("ENOMEM", 12)])
def test_receivingFails(folder: Path, protocol: str, error: str, number: int) -> None:
    printed = script(BOTH, protocol, "tcp", folder, prefix=failing(f"recvfrom:error={error}:when=3+"))
    # Whichever end it was that received first.
    assert len(printed) == 2
    assert any(f" {number} False" in line for line in printed), printed


@each
def test_sendingFails(folder: Path, protocol: str) -> None:
    printed = script(BOTH, protocol, "tcp", folder, prefix=failing("sendto:error=EPIPE:when=2+"))
    assert len(printed) == 2
    assert any("CL(BrokenPipeError) 32" in line for line in printed), printed
