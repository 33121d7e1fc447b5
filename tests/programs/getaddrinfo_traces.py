"""What the system's resolver and ours make of the same files and the same server: addresses, and which names each asked
for, in turn. In a namespace of its own, where it puts its files in the place of the system's.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.append(str(Path(__file__).parents[1]))
from nameservers import NameServer, Receiver

from protocols.dns import Resolver
from protocols.dns._judging import Query
from protocols.dns._wire import question
from reactor.address import IPv4Address, IPv6Address
from reactor.base import Reactor

HOSTS = "127.0.0.1 localhost\n192.0.2.99 pinned.example pinned # comment\n::1 pinned6\n192.0.2.98 Mixed.Case\n"
SEARCH = "search sub.test example\n"
# Options of resolv.conf, names, families.
CASES = [
    (options, name, family)
    for options in (
        SEARCH,
        SEARCH + "options ndots:2\n",
        "search .\n",
        "domain example\n",
        SEARCH + "options ndots:0\n",
    )
    for name in ("host", "host.example", "host.example.", "missing", "missing.example", "a.b", "pinned", "four")
    for family in (0,)
] + [
    (SEARCH, name, family)
    for name, family in (
        *(("host.example", socket.AF_INET), ("host.example", socket.AF_INET6), ("four.example", socket.AF_INET6)),
        *(("pinned", socket.AF_INET), ("pinned6", socket.AF_INET6), ("PINNED.EXAMPLE", 0), ("mixed.case.", 0)),
        *(("alias.example", 0), ("astray.example", 0), ("away.example", 0), ("x.wild.example", 0)),
        *(("192.0.2.5", 0), ("127.1", 0), ("::1", 0), ("localhost", socket.AF_INET), ("empty.example.", 0)),
        *(("a..b", 0), ("", 0), ("a" * 64, 0), ("a b", 0), ("x" * 60 + "." + "y" * 60, 0), ("loop1.example.", 0)),
    )
]


def put(path: str, text: str, folder: Path) -> None:
    """In the place of a file of the system's."""
    (folder / Path(path).name).write_text(text)
    subprocess.run(["mount", "--bind", str(folder / Path(path).name), path], check=True, capture_output=True)


def serve(ready: threading.Event, servers: list[NameServer]) -> Reactor:
    reactor = Reactor()
    servers.append(NameServer(SimpleNamespace(reactor=reactor, ports=[]), number=53))
    threading.Thread(target=reactor.run, args=(False,), daemon=True).start()
    return reactor


def theirs(name: str, family: int) -> list[str]:
    try:
        found = socket.getaddrinfo(name, 80, family, socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [str(each[4][0]) for each in found]


def ours(reactor: Reactor, name: str, family: int) -> list[str]:
    receiver = Receiver()
    types = {0: None, socket.AF_INET: [IPv4Address], socket.AF_INET6: [IPv6Address]}[family]
    Resolver(reactor, lifetime=60).resolveHostName(receiver, name, 80, types)
    while not receiver.complete:
        reactor.iterate(0.02)
    return receiver.hosts


def settle() -> None:
    """Wait until the server has seen all that was sent so far."""
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", 53))
        sock.send(Query(question("settle.example", "A", None)).wire(1))
        sock.recv(512)


def main() -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            put("/etc/resolv.conf", "", folder)
            put("/etc/hosts", HOSTS, folder)
            put("/etc/nsswitch.conf", "hosts: files dns\n", folder)
        except (OSError, subprocess.CalledProcessError) as e:
            print(json.dumps({"unavailable": str(e)}))
            return
        servers: list[NameServer] = []
        serving, mine = serve(threading.Event(), servers), Reactor()
        told: dict[str, Any] = {}
        for options, name, family in CASES:
            (folder / "resolv.conf").write_text(f"nameserver 127.0.0.1\n{options}")
            traces = []
            for ask in (lambda: theirs(name, family), lambda: ours(mine, name, family)):  # noqa: B023
                servers[0].asked.clear()
                found = ask()
                settle()
                names = [each.lower() for each, _ in servers[0].questions]
                names = [each for each in dict.fromkeys(names) if each != "settle.example"]
                traces.append({"found": sorted(set(found)), "first": found[:1] and ":" in found[0], "asked": names})
            told[f"{options!r} {name[:70]} {family}"] = traces
        serving.callFromThread(serving.stop)
        mine.close()
        print(json.dumps(told))


main()
