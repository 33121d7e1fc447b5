"""Ask name servers for the records of a name.

    python dns_lookup.py name [type] [server[:port] ...]

The type is A if none is given; of an address in place of a name, its names are told. The servers are those of
/etc/resolv.conf, or those that are given.
"""

from __future__ import annotations

import ipaddress
import sys

from protocols import dns
from reactor import reactor
from reactor.defer import ensureDeferred
from reactor.error import DNSLookupError


def serverOf(text: str) -> tuple[str, int]:
    """``192.0.2.53`` or ``192.0.2.53:5353``, and IPv6 in brackets where it has a port."""
    host, _, port = text.rpartition(":") if text.count(":") == 1 or "]" in text else (text, "", "53")
    return host.strip("[]"), int(port)


def isAddress(name: str) -> bool:
    try:
        return bool(ipaddress.ip_address(name))
    except ValueError:
        return False


async def ask(resolver: dns.Resolver, name: str, type: str) -> None:
    try:
        if isAddress(name):
            for found in await resolver.reverse(name):
                print(found)
            return
        for record in await resolver.lookup(name, type):
            print(record)
    except dns.NoSuchName:
        print(name, "is not there")
    except dns.NoData:
        print(name, "has no", type)
    except DNSLookupError as e:
        print("nobody knows:", e)


def main(name: str, type: str = "A", *servers: str) -> None:
    resolver = dns.Resolver(servers=[serverOf(each) for each in servers] or None)

    def begin() -> None:
        # What is no name or no type raises here, at once.
        asked = ensureDeferred(ask(resolver, name, type))
        asked.addErrback(lambda failure: print(failure.value)).addBoth(lambda _: reactor.stop())

    reactor.callWhenRunning(begin)
    reactor.run()


if len(sys.argv) < 2:
    sys.exit(__doc__)
main(*sys.argv[1:])
