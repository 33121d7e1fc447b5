"""Datagrams to where a router or firewall answers with ICMP, in a network namespace of its own: ``unshare --user
--map-root-user --net python datagrams_in_namespace.py`` prints a JSON object: name of the case -> what the protocol
heard, for each kind of selector. When it cannot be set up here, the object is ``{"unavailable": why}``.

Each peer is bound, so that it can speak to us; what is sent to it, a rule of the packet filter turns away.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
from typing import Any

from namespace_rules import applied

from reactor.base import Reactor
from reactor.protocol import DatagramProtocol

SETUP = """
ip link set lo up
nft add table inet faults
nft add chain inet faults input { type filter hook input priority 0 ; }
nft add rule inet faults input udp dport 7001 reject with icmpx type port-unreachable
nft add rule inet faults input udp dport 7002 reject with icmpx type admin-prohibited
nft add rule inet faults input udp dport 7003 reject with icmp type net-prohibited
nft add rule inet faults input udp dport 7004 reject with icmp type prot-unreachable
nft add rule inet faults input udp dport 7005 reject with icmpx type host-unreachable
"""
CASES = {
    "port": ("127.0.0.1", 7001),
    "port, IPv6": ("::1", 7001),
    "prohibited": ("127.0.0.1", 7002),
    "prohibited, IPv6": ("::1", 7002),
    "net prohibited": ("127.0.0.1", 7003),
    "protocol": ("127.0.0.1", 7004),
    # Which the kernel takes for something that passes, and does not tell.
    "host": ("127.0.0.1", 7005),
}
running: set[Talker] = set()


class Talker(DatagramProtocol):
    """Writes twice to its peer, and then hears what there is to be heard until the peer's last word."""

    noisy = False

    def __init__(self, reactor: Reactor, where: tuple[str, int], connected: bool) -> None:
        self.reactor, self.where, self.connected = reactor, where, connected
        self.trace: list[str] = []
        running.add(self)

    def startProtocol(self) -> None:
        self.trace.append("start")
        family = socket.AF_INET6 if ":" in self.where[0] else socket.AF_INET
        self.peer = socket.socket(family, socket.SOCK_DGRAM)
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.peer.bind(self.where)
        if self.connected:
            self.transport.connect(*self.where)
        for question in (b"one", b"two"):
            # Over loopback the filter has answered when this returns: it is the second that the kernel refuses.
            self.trace.append(repr(self.transport.write(question, None if self.connected else self.where)))
        self.reactor.callLater(0.02, self.speak, (self.where[0], self.transport.getHost().port))

    def speak(self, where: tuple[str, int]) -> None:
        if self in running:
            self.peer.sendto(b"last word", where)

    def connectionRefused(self) -> None:
        self.trace.append("refused")

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        self.trace.append(datagram.decode())
        self.transport.stopListening()

    def stopProtocol(self) -> None:
        self.trace.append("stop")
        self.peer.close()
        running.discard(self)
        if not running:
            self.reactor.stop()


def run(selector: selectors.BaseSelector | None, connected: bool) -> dict[str, list[str]]:
    reactor = Reactor(selector)
    talkers = {name: Talker(reactor, where, connected) for name, where in CASES.items()}
    for talker in talkers.values():
        reactor.listenUDP(0, talker, "::1" if ":" in talker.where[0] else "127.0.0.1")
    late = reactor.callLater(60, reactor.stop)
    reactor.run()
    if late.active():
        late.cancel()
    reactor.close()
    for talker in list(running):
        talker.peer.close()
    running.clear()
    return {name: talker.trace for name, talker in talkers.items()}


def main() -> None:
    if not applied(SETUP):
        return
    results: dict[str, Any] = {}
    for kind in ("default", "SelectSelector", "PollSelector"):
        for connected in (True, False):
            selector = None if kind == "default" else getattr(selectors, kind)()
            told = run(selector, connected)
            results |= {f"{name}, {kind}, {connected}": trace for name, trace in told.items()}
    json.dump(results, sys.stdout)


main()
