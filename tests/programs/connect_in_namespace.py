"""Connects where the network says no, in a network namespace of its own: ``unshare --user --map-root-user --net python
connect_in_namespace.py`` prints a JSON object: name of the case -> what became of it, for each kind of selector. When
it cannot be set up here, the object is ``{"unavailable": why}``.

Nothing but loopback exists in the namespace, so all that happens is the kernel's answer to the rules below.
"""

from __future__ import annotations

import json
import selectors
import sys
import time
from typing import Any

from namespace_rules import applied

from reactor.base import Reactor
from reactor.protocol import ClientFactory

SETUP = """
ip link set lo up
ip route add unreachable 192.0.2.0/26
ip route add prohibit 192.0.2.64/26
ip route add blackhole 192.0.2.128/26
ip -6 route add unreachable 2001:db8::/32
nft add table inet faults
nft add chain inet faults input { type filter hook input priority 0 ; }
nft add rule inet faults input tcp dport 7001 reject with icmpx type port-unreachable
nft add rule inet faults input tcp dport 7002 reject with icmpx type host-unreachable
nft add rule inet faults input tcp dport 7003 reject with icmp type net-unreachable
nft add rule inet faults input tcp dport 7004 reject with icmpx type admin-prohibited
nft add rule inet faults input tcp dport 7005 reject with tcp reset
nft add rule inet faults input tcp dport 7006 drop
sysctl -q -w net.ipv4.tcp_syn_retries=1
"""
CASES = {
    "no route": ("198.51.100.1", 9),
    "no route, IPv6": ("2001:db9::1", 9),
    "unreachable": ("192.0.2.1", 9),
    "unreachable, IPv6": ("2001:db8::1", 9),
    "prohibited": ("192.0.2.65", 9),
    "blackhole": ("192.0.2.129", 9),
    "icmp port": ("127.0.0.1", 7001),
    "icmp port, IPv6": ("::1", 7001),
    "icmp host": ("127.0.0.1", 7002),
    "icmp net": ("127.0.0.1", 7003),
    "icmp prohibited": ("127.0.0.1", 7004),
    "icmp prohibited, IPv6": ("::1", 7004),
    "reset": ("127.0.0.1", 7005),
    "dropped": ("127.0.0.1", 7006),
    "unknown name": ("x.invalid", 9),
}


class Client(ClientFactory):
    noisy = False

    def __init__(self, reactor: Reactor) -> None:
        self.trace: list[str] = []
        self.told: dict[str, Any] = {"trace": self.trace}
        self.reactor = reactor
        self.began = time.monotonic()

    def doStart(self) -> None:
        self.trace.append("doStart")

    def startedConnecting(self, connector: Any) -> None:
        self.trace.append("startedConnecting")

    def buildProtocol(self, addr: Any) -> Any:
        self.trace.append("buildProtocol")

    def clientConnectionLost(self, connector: Any, reason: Any) -> None:
        self.trace.append("CCL")

    def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
        error = reason.value
        self.trace.append(f"CCF({type(error).__name__})")
        self.told |= {
            "errno": error.osError,
            "host": error.host,
            "port": error.port,
            "phase": error.phase,
            "elapsed": error.elapsed,
            "measured": time.monotonic() - self.began,
            "attempts": [(str(address), problem.errno) for address, problem in error.attempts],
            "text": str(error),
        }

    def doStop(self) -> None:
        self.trace.append("doStop")
        running.remove(self)
        if not running:
            self.reactor.stop()


running: list[Client] = []


def run(selector: selectors.BaseSelector | None, cases: dict[str, tuple[str, int]]) -> dict[str, Any]:
    reactor = Reactor(selector)
    clients = {}
    for name, (host, port) in cases.items():
        clients[name] = client = Client(reactor)
        running.append(client)
        reactor.connectTCP(host, port, client, None)
    reactor.run()
    return {name: client.told for name, client in clients.items()}


def main() -> None:
    if not applied(SETUP):
        return
    results: dict[str, Any] = {}
    # ICMP over IPv6 comes while the kernel is at it, and is heard with the next try only, a second later.
    slow = ("dropped", "unknown name", "icmp port, IPv6", "icmp prohibited, IPv6")
    quick = {name: case for name, case in CASES.items() if name not in slow}
    for kind in ("SelectSelector", "PollSelector"):
        results |= {f"{name}, {kind}": told for name, told in run(getattr(selectors, kind)(), quick).items()}
    results |= {f"{name}, default": told for name, told in run(None, CASES).items()}
    json.dump(results, sys.stdout)


main()
