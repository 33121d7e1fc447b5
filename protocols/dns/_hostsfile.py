"""What ``/etc/hosts`` says (hosts(5)): names and their addresses. Pure.

As tolerant as the system: a line that does not begin with an address is passed over, and so is a name that is none.
"""

from __future__ import annotations

import socket

from protocols.dns._names import numeric

# A name has as many addresses at most.
MOST_ADDRESSES = 64

# Family, address and scope.
Found = tuple[int, str, int]
Table = dict[str, tuple[Found, ...]]


def parse(text: bytes) -> Table:
    """Name in small letters -> its addresses, in the order of the lines."""
    known: dict[str, Found | None] = {}
    table: dict[str, tuple[Found, ...]] = {}
    for line in text.decode("utf-8", "replace").lower().split("\n"):
        address, *names = line.partition("#")[0].split() or [""]
        if not names:
            continue
        if address not in known:
            known[address] = _address(address)
        found = known[address]
        if found is None:
            continue
        for name in names:
            there = table.get(name := name.removesuffix("."), ())
            if found not in there and len(there) < MOST_ADDRESSES:
                table[name] = (*there, found)
    return table


def namesOf(table: Table) -> dict[str, list[str]]:
    """The other way round: address -> its names, in the order of the lines."""
    names: dict[str, list[str]] = {}
    for name, addresses in table.items():
        for _, address, _ in addresses:
            names.setdefault(address, []).append(name)
    return names


def _address(text: str) -> Found | None:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            packed = socket.inet_pton(family, text)
            return family, socket.inet_ntop(family, packed), 0
        except (OSError, ValueError):
            pass
    # One with a scope.
    found = numeric(text, socket.AF_INET6) if "%" in text else []
    return found[0] if found else None
