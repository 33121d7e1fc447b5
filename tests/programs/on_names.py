"""A program with twisted.names, for Twisted: a name server, and a resolver that asks it over UDP and TCP."""

from __future__ import annotations

from typing import Any

from twisted.internet import defer, reactor, task
from twisted.internet.error import CannotListenError
from twisted.names import authority, client, dns, server
from twisted.names.error import DNSNameError

NAME = "example.org"


class Zone(authority.FileAuthority):
    """What the server knows, without a file."""

    def loadFile(self, name: Any) -> None:
        address = dns.Record_A("192.0.2.1", 60)
        soa = dns.Record_SOA(mname=f"ns.{NAME}", rname=f"root.{NAME}", serial=1, ttl=60)
        self.soa = (NAME.encode(), soa)
        self.records = {
            NAME.encode(): [soa, dns.Record_MX(10, f"mail.{NAME}", 60)],
            f"www.{NAME}".encode(): [address, dns.Record_AAAA("2001:db8::1", 60)],
            f"mail.{NAME}".encode(): [address],
            # More than fits into a datagram.
            f"big.{NAME}".encode(): [dns.Record_TXT(b"x" * 200, b"%d" % number, ttl=60) for number in range(20)],
        }


def listening(factory: Any) -> tuple[Any, Any]:
    """Ports for UDP and TCP, of one number."""
    while True:
        udp = reactor.listenUDP(0, dns.DNSDatagramProtocol(factory), interface="127.0.0.1")
        try:
            return udp, reactor.listenTCP(udp.getHost().port, factory, interface="127.0.0.1")
        except CannotListenError:
            udp.stopListening()


async def program(clock: Any) -> None:
    assert clock is reactor
    factory = server.DNSServerFactory(authorities=[Zone(NAME)])
    ports = listening(factory)
    resolver = client.Resolver(servers=[("127.0.0.1", ports[0].getHost().port)], timeout=(90,))
    (answer,), _, _ = await resolver.lookupAddress(f"www.{NAME}")
    print(answer.payload.dottedQuad(), answer.ttl)
    (answer,), _, _ = await resolver.lookupIPV6Address(f"www.{NAME}")
    print(answer.payload._address)
    (answer,), _, additional = await resolver.lookupMailExchange(NAME)
    print(answer.payload.name, answer.payload.preference, additional[0].payload.dottedQuad())
    answers, _, _ = await resolver.lookupText(f"big.{NAME}")
    print(sorted(int(answer.payload.data[1]) for answer in answers) == list(range(20)))
    many = await defer.gatherResults([resolver.lookupAddress(f"mail.{NAME}") for _ in range(50)])
    print(len(many))
    try:
        await resolver.lookupAddress(f"nobody.{NAME}")
    except DNSNameError:
        print("no such name")
    records, _, _ = await resolver.lookupZone(NAME)
    print(len(records), {dns.QUERY_TYPES[record.type] for record in records} >= {"A", "AAAA", "MX", "SOA", "TXT"})
    # By the reactor, as programs resolve what they connect to.
    reactor.installResolver(resolver)
    print(await reactor.resolve(f"mail.{NAME}"))
    for port in ports:
        await port.stopListening()


task.react(lambda clock: defer.ensureDeferred(program(clock)))
