"""Which rows of doc/compatibility.rst are told of which names of Twisted's.

A row is told where a program that works with Twisted may have to be changed, or looked at, because it uses the name.
Not told is what only happens where Twisted fails, hangs or warns, what is only better here, and what no name shows: how
transports behave, texts of errors, what is logged.

The names are Twisted's without ``twisted.`` in front; a module that has no counterpart stands for all that is in it.
``name(argument)`` means calls that give the argument, ``name(-argument)`` those that leave it out; `VALUES` says what
is asked of an argument in ``name(argument=value)``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_KINDS = (
    "internet.tcp.Client internet.tcp.Connection internet.tcp.Connector internet.tcp.Port internet.tcp.Server"
    " internet.unix.Client internet.unix.ConnectedDatagramPort internet.unix.Connector internet.unix.DatagramPort"
    " internet.unix.Port internet.unix.Server internet.udp.Port internet.udp.MulticastPort"
    " internet.process.Process internet.process.PTYProcess"
)
_TLS_CLIENTS = (
    "internet.reactor.connectSSL internet.endpoints.SSL4ClientEndpoint internet.endpoints.wrapClientTLS"
    " application.internet.SSLClient"
)
_TESTS = "internet.testing.{0} test.proto_helpers.{0}"
_NO_PYOPENSSL = " ".join(
    "internet.ssl." + name
    for name in (
        "AcceptableCiphers(ciphers) Certificate(original) DiffieHellmanParameters(parameters)"
        " KeyPair(osslpkey) PrivateCertificate(original) CertificateRequest Certificate.getPublicKey"
        " Certificate.hostFromTransport Certificate.dump(format) Certificate.load(format)"
        " CertificateOptions(method) CertificateOptions(verify) CertificateOptions(caCerts)"
        " CertificateOptions(verifyDepth) CertificateOptions(verifyOnce)"
        " CertificateOptions(enableSingleUseKeys) CertificateOptions(enableSessions)"
        " CertificateOptions(fixBrokenPeers) CertificateOptions(contextForServerName) KeyPair.load(format)"
        " PrivateCertificate.getPublicKey PrivateCertificate.hostFromTransport PrivateCertificate.load(format)"
        " ProtocolNegotiationSupport optionsForClientTLS(sendServerName) protocolNegotiationMechanisms"
    ).split()
)

#: The title of the row, without its marks of literals -> the names.
ROWS = {
    "Where the reactor comes from": (
        "internet.default internet.epollreactor internet.kqreactor internet.pollreactor internet.selectreactor"
        " internet.main.installReactor"
    ),
    "Running again": "internet.error.ReactorNotRestartable",
    "Logging": "python.log logger",
    "The client description ssl:": "internet.endpoints.clientFromString(description=ssl)",
    "The server description unix: without mode": "internet.endpoints.serverFromString(description=unix)",
    "Plug-ins for descriptions": (
        "internet.interfaces.IStreamClientEndpointStringParserWithReactor"
        " internet.interfaces.IStreamServerEndpointStringParser"
    ),
    "TCP4ClientEndpoint with a name": "internet.endpoints.TCP4ClientEndpoint(host=name)",
    "connectTCP(timeout=0)": "internet.reactor.connectTCP(timeout=0)",
    "Positional arguments": (
        "internet.reactor.addSystemEventTrigger(phase) internet.reactor.addSystemEventTrigger(eventType)"
        " internet.reactor.addSystemEventTrigger(callable) internet.reactor.callFromThread(f)"
        " internet.reactor.callLater(delay) internet.reactor.callLater(callable)"
        " internet.reactor.callWhenRunning(callable)"
    ),
    "reactor.seconds()": "internet.reactor.seconds",
    "DNSLookupError": "internet.error.DNSLookupError",
    "Addresses": "internet.address.UNIXAddress",
    "Mode of a UNIX socket's file": (
        "internet.reactor.listenUNIX(-mode) internet.reactor.listenUNIXDatagram(-mode)"
        " internet.endpoints.UNIXServerEndpoint(-mode) application.internet.UNIXServer(-mode)"
        " application.internet.UNIXDatagramServer(-mode)"
    ),
    "Verification by a TLS client": "internet.ssl.CertificateOptions(-trustRoot) internet.ssl.ClientContextFactory",
    "When a TLS connection is made": _TLS_CLIENTS,
    "A TLS connection cut without close_notify": _TLS_CLIENTS,
    "reactor.ssl without pyOpenSSL": _NO_PYOPENSSL,
    "KeyPair.generate, certificateRequest, signCertificateRequest, selfSignedCert": "internet.ssl.KeyPair.generate",
    "Contexts of pyOpenSSL, from a getContext()": "internet.ssl.ClientContextFactory internet.ssl.ContextFactory",
    "sslmethod of DefaultOpenSSLContextFactory": "internet.ssl.DefaultOpenSSLContextFactory(sslmethod)",
    "TLSMemoryBIOFactory": "protocols.tls.TLSMemoryBIOFactory",
    "TimeoutProtocol: a peer that does not take what is queued": (
        "protocols.policies.TimeoutFactory protocols.policies.TimeoutProtocol"
    ),
    "portforward: the end of one half": "protocols.portforward.ProxyFactory",
    "loopbackAsync: transport.disconnecting; LoopbackRelay": "protocols.loopback.LoopbackRelay",
    "wire: Time, Daytime, Echo": "protocols.wire.Time",
    "StatefulProtocol: how much a state may ask for": "protocols.stateful.StatefulProtocol",
    "HAProxyWrappingFactory, proxyEndpoint, haproxy:": "protocols.haproxy",
    "SOCKSv4": (
        "protocols.socks.SOCKSv4 protocols.socks.SOCKSv4Factory protocols.socks.SOCKSv4Incoming"
        " protocols.socks.SOCKSv4IncomingFactory"
    ),
    "reactor.testing": " ".join(_TESTS.format(name) for name in "LineSendingProtocol EventLoggingObserver".split()),
    "Tests that return a Deferred": "trial",
    "spawnProcess of what cannot be run": "internet.reactor.spawnProcess",
    "application.internet.CooperatorService": "application.internet.CooperatorService",
    "tcp.Port, tcp.Client, tcp.Server, tcp.Connector and those of unix": _KINDS,
    "application.service: Application, Process, ServiceMaker, loadApplication": (
        "application.service.Application application.service.IProcess application.service.IServiceMaker"
        " application.service.Process application.service.ServiceMaker application.service.loadApplication"
    ),
    'errback("text"), Failure("text")': "python.failure.Failure(exc_value=str) internet.defer.fail(result=str)",
    'IPv4Address("TCP", b"192.0.2.1", 80): a host that is bytes': (
        "internet.address.IPv4Address(host=bytes) internet.address.IPv6Address(host=bytes)"
    ),
    "IRC: irc.split": "words.protocols.irc.split",
    "IRC: CR, LF or NUL in what IRC for servers sends": "words.protocols.irc.IRC",
    "IRC: backslashes in CTCP (ctcpExtract, ctcpStringify, describe, action, DCC)": (
        "words.protocols.irc.ctcpExtract words.protocols.irc.ctcpStringify"
    ),
    "IRCClient: CR, LF or NUL in what is sent": "words.protocols.irc.IRCClient",
    "IRCClient: a parameter with a space, or a line of more than 512 bytes": "words.protocols.irc.IRCClient",
    "IRCClient: registration": "words.protocols.irc.IRCClient",
    "IRCClient.modeChanged": "words.protocols.irc.IRCClient",
    "IRCClient: a server that says nothing": "words.protocols.irc.IRCClient",
}

#: The arguments of those callables that are told by argument, in Twisted's order, as far as they can be given by
#: position.
SIGNATURES = {
    "application.internet.UNIXDatagramServer": "address protocol maxPacketSize mode",
    "application.internet.UNIXServer": "address factory backlog mode wantPID",
    "internet.address.IPv4Address": "type host port",
    "internet.address.IPv6Address": "type host port flowInfo scopeID",
    "internet.defer.fail": "result",
    "internet.endpoints.TCP4ClientEndpoint": "reactor host port timeout bindAddress",
    "internet.endpoints.UNIXServerEndpoint": "reactor address backlog mode wantPID",
    "internet.endpoints.clientFromString": "reactor description",
    "internet.endpoints.serverFromString": "reactor description",
    "internet.reactor.addSystemEventTrigger": "",
    "internet.reactor.callFromThread": "",
    "internet.reactor.callLater": "",
    "internet.reactor.callWhenRunning": "",
    "internet.reactor.connectTCP": "host port factory timeout bindAddress",
    "internet.reactor.listenUNIX": "address factory backlog mode wantPID",
    "internet.reactor.listenUNIXDatagram": "address protocol maxPacketSize mode",
    "internet.ssl.AcceptableCiphers": "ciphers",
    "internet.ssl.Certificate": "original",
    "internet.ssl.Certificate.dump": "format",
    "internet.ssl.Certificate.load": "requestData format args",
    "internet.ssl.CertificateOptions": (
        "privateKey certificate method verify caCerts verifyDepth requireCertificate verifyOnce enableSingleUseKeys"
        " enableSessions fixBrokenPeers enableSessionTickets extraCertChain acceptableCiphers dhParameters trustRoot"
        " acceptableProtocols raiseMinimumTo insecurelyLowerMinimumTo lowerMaximumSecurityTo contextForServerName"
    ),
    "internet.ssl.DefaultOpenSSLContextFactory": "privateKeyFileName certificateFileName sslmethod",
    "internet.ssl.DiffieHellmanParameters": "parameters",
    "internet.ssl.KeyPair": "osslpkey",
    "internet.ssl.KeyPair.load": "data format",
    "internet.ssl.PrivateCertificate": "original",
    "internet.ssl.PrivateCertificate.load": "data privateKey format",
    "internet.ssl.optionsForClientTLS": "hostname trustRoot clientCertificate acceptableProtocols",
    "python.failure.Failure": "exc_value exc_type exc_tb captureVars",
}


class Value(NamedTuple):
    """What is asked of an argument: a literal that `type` and `pattern` (of its beginning) fit, or, if `unseen`, also
    what is no literal, since it may be one that fits.
    """

    type: type
    pattern: str
    unseen: bool


VALUES = {
    "0": Value(int, "0$", False),
    "bytes": Value(bytes, "", False),
    "name": Value(str, r"(?![0-9.]+$)", True),
    "ssl": Value(str, "ssl:", True),
    "str": Value(str, "", False),
    "unix": Value(str, "unix:(?!.*mode=)", True),
}


class Condition(NamedTuple):
    """Of which calls a row is told: by an argument that is given, or left out, and by its value."""

    row: str
    argument: str
    leftOut: bool
    value: Value | None


_ENTRY = re.compile(r"([\w.]+)(?:\((-?)(\w+)(?:=(\w+))?\))?")

#: Twisted's name in full -> the rows that are told wherever it is used; and those that are told of some calls.
TOLD: dict[str, list[str]] = {}
CONDITIONS: dict[str, list[Condition]] = {}
for _row, _names in ROWS.items():
    for _name, _minus, _argument, _value in _ENTRY.findall(_names):
        if _argument:
            _condition = Condition(_row, _argument, bool(_minus), VALUES[_value] if _value else None)
            CONDITIONS.setdefault(f"twisted.{_name}", []).append(_condition)
        else:
            TOLD.setdefault(f"twisted.{_name}", []).append(_row)
