"""Connections of every kind whose other end is no reactor's: what a peer does wrong, it does by hand on a plain socket.

`meet` makes one: a traced client of ours, and a `Peer` (or a `SecurePeer`, which speaks TLS) that does what it is told
and nothing else. While a peer waits, the reactor turns.
"""

from __future__ import annotations

import functools
import itertools
import os
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

import pytest
import unixnet
from net import DEADLINE, Net, Traced, TracedClient
from tls import connectSSL, plainServerContext

BEGUN = ["doStart", "startedConnecting", "buildProtocol", "CM"]
KINDS = ("tcp4", "tcp6", "unix", "tls")
NUMBERS = itertools.count()


def over(*pairs: tuple[str, str]) -> pytest.MarkDecorator:
    """The test runs over these pairs of a selector and a kind."""
    return pytest.mark.parametrize(("net", "kind"), pairs, indirect=["net"])


KINDS_ONCE = tuple(("default", kind) for kind in KINDS)
# For what is the same whatever the selector.
eachKind = over(*KINDS_ONCE)
# Every kind and every selector, not all of their pairs: TCP over each selector is what the other tests do.
everywhere = over(*KINDS_ONCE, ("SelectSelector", "tls"), ("PollSelector", "unix"))


def ended(*between: str, by: str) -> list[str]:
    """The whole trace of a client whose connection ended by `by`."""
    return [*BEGUN, *between, f"CL({by})", f"CCL({by})", "doStop"]


class Peer:
    """The other end of a connection, without a reactor."""

    def __init__(self, net: Net, sock: socket.socket) -> None:
        self.net = net
        self.sock = net.keep(sock)
        sock.setblocking(False)

    def send(self, data: bytes) -> None:
        """All of it, while the reactor turns where the kernel has no room."""
        while data:
            try:
                data = data[self.sock.send(data) :]
            except BlockingIOError:
                self.net.reactor.iterate(0.005)

    def receive(self, most: int | None = None, atOnce: int = 1 << 20) -> bytes:
        """What comes until the end, or until it is `most` bytes; ConnectionResetError as recv has it."""
        return self.net.receive(self.sock, most, atOnce)

    def finish(self) -> None:
        """End our direction, as the kind of connection has it."""
        self.sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.sock.close()

    def reset(self) -> None:
        """Close so that the other end gets a reset. A UNIX socket resets only what has left something unread."""
        self.net.reset(self.sock)


class SecurePeer(Peer):
    """A TLS server, by hand."""

    def __init__(self, net: Net, sock: socket.socket) -> None:
        super().__init__(net, sock)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = serverContext().wrap_bio(self.incoming, self.outgoing, True)
        self._do(self.tls.do_handshake)

    def _do(self, call: Callable[[], Any], atOnce: int = 1 << 16) -> Any:
        """Call it as often as it wants to read."""
        end = time.monotonic() + DEADLINE
        while True:
            assert time.monotonic() < end, self.net.story()
            try:
                done = call()
            except ssl.SSLWantReadError:
                self._push()
                try:
                    data = self.sock.recv(atOnce)
                except BlockingIOError:
                    self.net.reactor.iterate(0.005)
                    continue
                if data:
                    self.incoming.write(data)
                else:
                    self.incoming.write_eof()
            else:
                self._push()
                return done

    def _push(self) -> None:
        super().send(self.outgoing.read())

    def send(self, data: bytes) -> None:
        for begin in range(0, len(data), 16_384):
            self.tls.write(data[begin : begin + 16_384])
        self._push()

    def receive(self, most: int | None = None, atOnce: int = 1 << 16) -> bytes:
        """As a plain peer's; the end is a close_notify, which is answered."""
        received = bytearray()
        while most is None or len(received) < most:
            try:
                data = self._do(lambda: self.tls.read(1 << 16), atOnce)
            except ssl.SSLZeroReturnError:
                # What it is called when both have said it.
                data = b""
            if not data:
                self.finish()
                break
            received += data
        return bytes(received)

    def finish(self) -> None:
        """Say close_notify."""
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        self._push()

    def close(self) -> None:
        self.finish()
        self.sock.close()


@functools.cache
def serverContext() -> ssl.SSLContext:
    context = plainServerContext()
    # Tickets that nobody read would make a reset of every close.
    context.num_tickets = 0
    return context


def meet(net: Net, kind: str, build: Any = None, **on: Any) -> tuple[Traced, Any]:
    """A connected client of ours and its peer."""
    listening, client = dial(net, kind, build, **on)
    # A UNIX socket connects in the next turn.
    net.turn(1)
    sock = listening.accept()[0]
    peer = SecurePeer(net, sock) if kind == "tls" else Peer(net, sock)
    net.until(lambda: client.built and "CM" in client.events)
    return client.built[0], peer


def dial(net: Net, kind: str, build: Any = None, **on: Any) -> tuple[socket.socket, TracedClient]:
    """A plain listening socket, and a client of ours on its way to it."""
    listening, where = plainListener(net, kind)
    return listening, connect(net, kind, where, build, **on)


def plainListener(net: Net, kind: str) -> tuple[socket.socket, Any]:
    """A plain listening socket, and where it listens: a port, or the name of a UNIX socket."""
    if kind == "unix":
        name = f"\0reactor-peers-{os.getpid()}-{next(NUMBERS)}"
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(name)
        listening.listen(50)
        where: Any = name
    else:
        family, host = (socket.AF_INET6, "::1") if kind == "tcp6" else (socket.AF_INET, "127.0.0.1")
        listening = socket.create_server((host, 0), family=family)
        where = listening.getsockname()[1]
    listening.settimeout(DEADLINE)
    return net.keep(listening), where


def connect(net: Net, kind: str, where: Any, build: Any = None, timeout: float | None = 5, **on: Any) -> Any:
    """A client of ours on its way."""
    if kind == "unix":
        return unixnet.connect(net, where, build, timeout, **on)
    if kind == "tls":
        return connectSSL(net, where, None, build, timeout=timeout, **on)
    return net.connect(where, "::1" if kind == "tcp6" else "127.0.0.1", timeout, build=build, **on)
