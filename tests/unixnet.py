"""What tests of UNIX sockets share: ends on a path, and a folder of its own for each test."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from typing import Any

from net import Net, Traced, TracedClient, TracedServer
from zope.interface import implementer

from reactor.interfaces import IFileDescriptorReceiver


def listen(net: Net, path: Any, build: Any = None, backlog: int = 50, on: Any = None, **options: Any) -> TracedServer:
    """A server at `path`; `options` are listenUNIX's."""
    server = TracedServer(build, **(on or {}))
    server.listening = net.reactor.listenUNIX(path, server, backlog, **options)
    net.ports.append(server.listening)
    net.servers.append(server)
    return server


def connect(
    net: Net, path: Any, build: Any = None, timeout: float | None = 5, checkPID: bool = False, **on: Any
) -> Any:
    """A client on its way to `path`."""
    client = TracedClient(build, **on)
    net.clients.append(client)
    client.connector = net.reactor.connectUNIX(path, client, timeout, checkPID)
    return client


def pair(net: Net, path: Any, build: Any = None, serverBuild: Any = None) -> tuple[Traced, Traced]:
    """Two connected protocols, the client's and the server's."""
    server = listen(net, path, None if serverBuild is None else lambda address: serverBuild())
    client = connect(net, path, None if build is None else lambda address: build())
    net.until(lambda: client.built and server.built and "CM" in client.events and "CM" in server.built[0].events)
    return client.built[0], server.built[0]


def staleSocket(path: Path) -> None:
    """The file of a socket that nobody listens on any more."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))


def deadProcess() -> int:
    """The number of a process that has ended."""
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


@implementer(IFileDescriptorReceiver)
class Taking(Traced):
    """Keeps the descriptors that come."""

    def __init__(self, **on: Any) -> None:
        super().__init__(**on)
        self.taken: list[int] = []

    def fileDescriptorReceived(self, descriptor: int) -> None:
        self.taken.append(descriptor)
        self._heard("FD", "descriptor", descriptor)
