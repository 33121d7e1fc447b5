"""What tests of datagrams share: a protocol that keeps what it hears."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reactor.protocol import DatagramProtocol


class Anybody(DatagramProtocol):
    """Keeps what it hears."""

    noisy = False

    def __init__(self, **on: Callable[..., Any]) -> None:
        self.events: list[str] = []
        self.received: list[tuple[bytes, Any]] = []
        self.on = on

    def _heard(self, event: str, *args: Any) -> None:
        self.events.append(event)
        if event in self.on:
            self.on[event](self, *args)

    def startProtocol(self) -> None:
        self._heard("start")

    def stopProtocol(self) -> None:
        self._heard("stop")

    def datagramReceived(self, datagram: bytes, addr: Any = None) -> None:
        self.received.append((datagram, addr))
        self._heard("datagram", datagram)

    def connectionRefused(self) -> None:
        self._heard("refused")
