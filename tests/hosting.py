"""An application behind a `Site` on a reactor of the test's own, and plain sockets that ask it."""

from __future__ import annotations

import contextlib
import socket
from typing import Any

from httpserving import Answer, answersIn
from net import DEADLINE, Net

from protocols.asgi import ASGI
from protocols.http import Site


class Asking:
    """One connection to it."""

    def __init__(self, net: Net, port: int) -> None:
        self.net = net
        self.sock = net.keep(socket.create_connection(("127.0.0.1", port)))
        self.sock.setblocking(False)
        self.got = bytearray()
        self.ended = False

    def send(self, data: bytes) -> None:
        self.sock.setblocking(True)
        self.sock.settimeout(DEADLINE)
        self.sock.sendall(data)
        self.sock.setblocking(False)

    def receive(self) -> None:
        """Take what has come."""
        with contextlib.suppress(BlockingIOError):
            while not self.ended:
                try:
                    data = self.sock.recv(1 << 20)
                except ConnectionResetError:
                    data = b""
                self.got += data
                self.ended = not data

    def until(self, true: Any) -> None:
        def look() -> Any:
            self.receive()
            return true()

        self.net.until(look)

    def answers(self, count: int, *methods: str) -> list[Answer]:
        """As many answers as are asked for, when they are whole."""
        found: list[Answer] = []

        def whole() -> bool:
            with contextlib.suppress(Exception):
                found[:] = answersIn(bytes(self.got), *methods)
            return len(found) >= count

        self.until(whole)
        return found

    def close(self) -> None:
        self.sock.close()


class Hosted:
    """A handler, or an application of ASGI, that is served."""

    def __init__(self, net: Net, handler: Any, **limits: Any) -> None:
        self.net = net
        self.site = Site(handler, **limits)
        self.listening: Any = net.reactor.listenTCP(0, self.site, interface="127.0.0.1")
        self.port: int = self.listening.getHost().port
        net.ports.append(self.listening)

    @classmethod
    def asgi(cls, net: Net, application: Any, state: Any = None, rootPath: str = "", **limits: Any) -> Hosted:
        return cls(net, ASGI(application, state=state, rootPath=rootPath, reactor=net.reactor), **limits)

    def connect(self) -> Asking:
        return Asking(self.net, self.port)

    def ask(self, data: bytes, *methods: str, count: int = 1) -> Answer:
        """The answer to `data`, the last one if there are several; the connection is closed then."""
        asking = self.connect()
        asking.send(data)
        answer = asking.answers(count, *methods)[-1]
        asking.close()
        return answer
