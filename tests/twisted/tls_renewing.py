"""Cases for `tls_program.py`: a client by tlslite-ng that renews its keys in mid-connection, and asks for new ones of
the other end's (RFC 8446, section 4.6.3), which OpenSSL's own does when a person types K.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from tls_ends import BIG, Case, raw
from tlslite.api import HandshakeSettings, TLSConnection

NOT_REQUESTED, REQUESTED = 0, 1


class Renewing:
    """The client over a socket. What it says is kept until `send`."""

    def __init__(self, sock: socket.socket, case: Case) -> None:
        self.sock = sock
        self.data = b""
        self.heard = case.told.setdefault("thread", [])
        settings = HandshakeSettings()
        settings.minVersion = settings.maxVersion = (3, 4)
        self.tls: Any = TLSConnection(sock)
        self.tls.handshakeClientCert(settings=settings, serverName="localhost")
        self.tls._recordLayer._recordSocket.sock = self
        # Whether the other end has new keys, too.
        self.answered = False
        answered = self.tls._handle_keyupdate_request

        def renewed(message: Any) -> Any:
            self.answered = True
            return answered(message)

        self.tls._handle_keyupdate_request = renewed

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)

    def send(self, data: bytes) -> int:
        # tlslite-ng's, of its socket.
        self.data += data
        return len(data)

    def newKeys(self, kind: int, count: int = 1) -> None:
        for _ in range(count):
            for _ in self.tls.send_keyupdate_request(kind):
                pass

    def write(self, data: bytes) -> None:
        self.tls.write(data)

    def flush(self, cut: int = 1 << 20) -> None:
        data, self.data = self.data, b""
        for at in range(0, len(data), cut):
            self.sock.sendall(data[at : at + cut])

    def hear(self, count: int) -> None:
        self.heard.append(bytes(self.tls.read(count, count)))


def renewing(case: Case, talk: Callable[[Renewing], None]) -> None:
    raw(case, lambda sock: talk(Renewing(sock, case)))


def caseNewKeys(case: Case) -> None:
    """Now and then: alone, before what is said and behind it, whole and cut."""
    case.hooks["server data"] = lambda end, data: end.transport.write(data.upper())

    def talk(peer: Renewing) -> None:
        for kind in (NOT_REQUESTED, REQUESTED):
            for cut in (1 << 20, 3):
                peer.newKeys(kind)
                peer.flush(cut)
                peer.write(b"by itself")
                peer.flush(cut)
                peer.hear(9)
                peer.newKeys(kind, 2)
                peer.write(b"before")
                peer.newKeys(kind)
                peer.write(b"and between")
                peer.newKeys(kind)
                peer.flush(cut)
                peer.hear(17)
            peer.heard.append(peer.answered)

    renewing(case, talk)


def caseNewKeysWhileMuchIsSent(case: Case) -> None:
    """The answer to a request goes out between records that wait."""

    def answer(end: Any, data: bytes) -> None:
        if data == b"go":
            end.transport.write(BIG)
        else:
            end.transport.write(b"heard")

    case.hooks["server data"] = answer

    def talk(peer: Renewing) -> None:
        peer.write(b"go")
        peer.flush()
        for _ in range(16):
            peer.newKeys(REQUESTED)
            peer.flush()
            peer.hear(len(BIG) // 16)
        peer.write(b"all")
        peer.flush()
        peer.hear(5)
        peer.heard.append(peer.answered)

    renewing(case, talk)
