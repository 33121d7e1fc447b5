"""Name servers for tests, in the reactor of the test: one that knows a zone and answers by the book, over UDP and TCP
on the same port of loopback, and lets a test put anything in the place of an answer. And those by others, as processes.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.zone
from net import Net
from servers import found, serving

from protocols.basic import Int16StringReceiver
from protocols.dns import Resolver
from reactor.error import CannotListenError
from reactor.protocol import DatagramProtocol, Factory

ZONE = """
$TTL 300
@ SOA ns.example. admin.example. 1 3600 600 86400 60
  NS ns
ns A 192.0.2.53
host A 192.0.2.1
host A 192.0.2.2
host AAAA 2001:db8::1
four A 192.0.2.4
six AAAA 2001:db8::6
alias CNAME host
alias2 CNAME alias
away CNAME host.elsewhere.test.
astray CNAME missing
loop1 CNAME loop2
loop2 CNAME loop1
mail MX 20 mx2
mail MX 10 mx1
texts TXT "one" "two \\195\\164"
_sip._tcp SRV 10 60 5060 big
_sip._tcp SRV 10 20 5060 small
_sip._tcp SRV 20 0 5061 backup
caa CAA 0 issue "ca.example.net"
web HTTPS 1 . alpn="h2,h3" port=8443 ipv4hint=192.0.2.7
svc SVCB 0 web
key SSHFP 1 1 123456789abcdef67890123456789abcdef67890
odd TYPE65280 \\# 3 0a0b0c
1.2.0.192.in-addr.arpa PTR host
a.b.empty A 192.0.2.9
*.wild A 192.0.2.77
short 0 A 192.0.2.10
"""


class NameServer:
    """Knows `ZONE` below ``example.``.

    :ivar asked: of each question how it came ("udp", "tcp"), the name, the type, and the size that EDNS allows or None.
    :ivar instead: called with the query, the answer and whether it came over TCP, if a test has set it; gives bytes,
        several of them, None for silence, or a message.
    """

    def __init__(
        self,
        net: Any,
        zone: str = ZONE,
        interface: str = "127.0.0.1",
        udp: bool = True,
        tcp: bool = True,
        number: int = 0,
    ) -> None:
        """On a free port, or that `number`. `net` has a `reactor`, and `ports` that it closes in the end."""
        self.asked: list[tuple[str, str, str, int | None]] = []
        self.instead: Callable[[Any, Any, bool], Any] | None = None
        self.zone = dns.zone.from_text(zone, origin="example.", relativize=False, check_origin=False)
        self.connections: list[Any] = []
        self.peers: list[Any] = []
        self.ports: list[Any] = []
        self.problem: Exception | None = None
        factory = Factory.forProtocol(lambda: _TCP(self))  # type: ignore[arg-type]
        factory.noisy = False
        while True:
            port = net.reactor.listenUDP(number, _UDP(self), interface=interface)
            self.port = port.getHost().port
            try:
                self.ports = [port, net.reactor.listenTCP(self.port, factory, interface=interface)] if tcp else [port]
                break
            except CannotListenError:
                port.stopListening()
        if not udp:
            self.ports.pop(0).stopListening()
        net.ports += self.ports
        self.address = (interface, self.port)

    @property
    def questions(self) -> list[tuple[str, str]]:
        """Names and types, in order."""
        return [(name, type) for _, name, type, _ in self.asked]

    def answer(self, data: bytes, tcp: bool) -> list[bytes]:
        """What is sent for the message `data`."""
        query = dns.message.from_wire(data)
        question = query.question[0]
        payload = query.payload if query.edns >= 0 else None
        name = question.name.to_text(omit_final_dot=True)
        self.asked.append(("tcp" if tcp else "udp", name, dns.rdatatype.to_text(question.rdtype), payload))
        response = self.respond(query)
        try:
            said = response if self.instead is None else self.instead(query, response, tcp)
        except Exception as e:
            # The test is to fail, and soon.
            self.problem = e
            said = b"".join([data[:2], b"\x80\x0f", bytes(8)])
        if said is None:
            return []
        if isinstance(said, dns.message.Message):
            wire = said.to_wire(max_size=65535)
            if not tcp and len(wire) > (payload or 512):
                del said.answer[:], said.authority[:]
                said.flags |= dns.flags.TC
                wire = said.to_wire()
            return [wire]
        return [said] if isinstance(said, bytes) else list(said)

    def respond(self, query: Any) -> Any:
        """By the book."""
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA | dns.flags.RA
        name, kind = query.question[0].name, query.question[0].rdtype
        if kind == dns.rdatatype.ANY and self.zone.get_node(name):
            response.answer += [self.rrset(name, each) for each in self.zone.get_node(name).rdatasets]
            return response
        for _ in range(20):
            rdatas = self.find(name, kind)
            if rdatas is not None:
                response.answer.append(self.rrset(name, rdatas))
                return response
            alias = self.find(name, dns.rdatatype.CNAME)
            if alias is None:
                break
            response.answer.append(self.rrset(name, alias))
            if alias[0].target in [rrset.name for rrset in response.answer]:
                return response
            name = alias[0].target
            if not name.is_subdomain(self.zone.origin):
                return response
        response.authority.append(self.rrset(self.zone.origin, self.find(self.zone.origin, dns.rdatatype.SOA)))
        if not any(node.is_subdomain(name) for node in self.zone.nodes) and not self.wild(name):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response

    def wild(self, name: Any) -> Any:
        return self.zone.get_node(dns.name.from_text("*", name.parent())) if name != dns.name.root else None

    def find(self, name: Any, kind: Any) -> Any:
        node = self.zone.get_node(name) if name.is_subdomain(self.zone.origin) else None
        node = node or (self.wild(name) if name.is_subdomain(self.zone.origin) else None)
        return node and node.get_rdataset(dns.rdataclass.IN, kind)

    def rrset(self, name: Any, rdatas: Any) -> Any:
        return dns.rrset.from_rdata_list(name, rdatas.ttl, list(rdatas))


class _UDP(DatagramProtocol):
    noisy = False

    def __init__(self, server: NameServer) -> None:
        self.server = server

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        self.server.peers.append(addr)
        for said in self.server.answer(datagram, False):
            self.transport.write(said, addr)


class _TCP(Int16StringReceiver):
    def __init__(self, server: NameServer) -> None:
        self.server = server
        self.open = True
        server.connections.append(self)

    def connectionLost(self, reason: Any) -> None:
        super().connectionLost(reason)
        self.open = False

    def stringReceived(self, string: bytes) -> None:
        for said in self.server.answer(string, True):
            self.sendString(said)


def resolverOf(net: Net, *servers: NameServer, **options: Any) -> Resolver:
    """A resolver that asks these, and knows no files of the machine's."""
    options = {
        "search": [],
        "hosts": "/nonexistent/hosts",
        "resolvConf": "/nonexistent/resolv.conf",
        "timeout": 60.0,
        "lifetime": 600.0,
        "resolutionDelay": 60.0,
        **options,
    }
    return Resolver(net.reactor, servers=[each.address for each in servers] or None, **options)


class Receiver:
    """Is told addresses."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.resolution: Any = None
        self.complete = 0

    def resolutionBegan(self, resolution: Any) -> None:
        self.resolution = resolution

    def addressResolved(self, address: Any) -> None:
        assert not self.complete
        self.told.append(address)

    def resolutionComplete(self) -> None:
        self.complete += 1

    @property
    def hosts(self) -> list[str]:
        return [each.host for each in self.told]


def resolved(net: Net, resolver: Any, name: Any, **options: Any) -> Receiver:
    """What a resolver tells of a name."""
    receiver = Receiver()
    receiver.resolution = resolver.resolveHostName(receiver, name, **options)
    net.until(lambda: receiver.complete)
    assert receiver.complete == 1
    return receiver


def freePort() -> int:
    """One that is free for UDP and TCP at this moment."""
    while True:
        with socket.socket(type=socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            udp.bind(("127.0.0.1", 0))
            try:
                tcp.bind(udp.getsockname())
            except OSError:
                continue
            return int(udp.getsockname()[1])


@contextmanager
def dnsmasq(folder: Path) -> Iterator[tuple[str, int]]:
    """dnsmasq with a few names; its address."""
    port = freePort()
    hosts = folder / "hosts"
    big = ",".join(["x" * 200] * 9)
    known = ("192.0.2.1 host", "192.0.2.2 host", "2001:db8::1 host", "192.0.2.4 four")
    hosts.write_text("".join(f"{each}.example\n" for each in known))
    command = [found("dnsmasq"), "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", f"--port={port}"]
    command += [f"--addn-hosts={hosts}", "--listen-address=127.0.0.1", "--bind-interfaces", "--local=/example/"]
    command += ["--mx-host=mail.example,mx1.example,10", "--cname=alias.example,host.example", "--user=root"]
    command += [
        "--srv-host=_sip._tcp.example,sip.example,5060,1,2",
        f"--txt-record=big.example,{big}",
    ]
    command += ["--txt-record=texts.example,one,two", "--auth-ttl=60", "--local-ttl=60", "--pid-file="]
    with serving(command, "started"):
        yield "127.0.0.1", port


@contextmanager
def unbound(folder: Path) -> Iterator[tuple[str, int]]:
    """unbound with the same names; its address."""
    port = freePort()
    big = " ".join(['"' + "x" * 200 + '"'] * 9)
    names = [
        *("host.example. A 192.0.2.1", "host.example. A 192.0.2.2", "host.example. AAAA 2001:db8::1"),
        *("four.example. A 192.0.2.4", "mail.example. MX 10 mx1.example.", 'texts.example. TXT "one" "two"'),
        *("_sip._tcp.example. SRV 1 2 5060 sip.example.", "alias.example. CNAME host.example."),
        f"big.example. TXT {big}",
    ]
    lines = [
        *("server:", f"  interface: 127.0.0.1@{port}", "  do-daemonize: no", '  username: ""', '  chroot: ""'),
        *(f'  directory: "{folder}"', '  pidfile: ""', "  use-syslog: no", '  logfile: ""', "  verbosity: 1"),
        *("  module-config: iterator", "  local-zone: example. static"),
        *(f"  local-data: '{name}'" for name in names),
    ]
    config = folder / "unbound.conf"
    config.write_text("\n".join(lines) + "\n")
    with serving([found("unbound"), "-d", "-c", str(config)], "start of service"):
        yield "127.0.0.1", port
