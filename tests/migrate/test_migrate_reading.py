"""Which names of Twisted's are found in a program, where, and which of them a row of the page is told of."""

from __future__ import annotations

import textwrap

import pytest

from reactor._migrate.knowledge import Kind
from reactor._migrate.reading import Finding, Program, findings


def found(source: str) -> list[Finding]:
    return findings(Program(textwrap.dedent(source)))


def names(source: str) -> list[str]:
    """``line name``, as they are told: shortened by what all have in front."""
    return [f"{each.lines[0]} {each.name.removeprefix('twisted.')}" for each in found(source)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from twisted.internet import reactor, defer", ["1 internet.defer", "1 internet.reactor"]),
        ("import twisted.internet.reactor", ["1 internet.reactor"]),
        ("import twisted.internet.defer, os, twisted.web.server", ["1 internet.defer", "1 web.server"]),
        ("from twisted.internet.defer import inlineCallbacks as ic", ["1 internet.defer.inlineCallbacks"]),
        ("import twisted.internet.defer as d\nd.Deferred", ["1 internet.defer", "2 internet.defer.Deferred"]),
        ("from twisted.python import failure, log", ["1 python.failure", "1 python.log"]),
        (
            "from twisted.internet import defer\ndefer.DeferredList([])",
            ["1 internet.defer", "2 internet.defer.DeferredList"],
        ),
        ("from twisted.internet.protocol import Factory\nFactory.forProtocol(x)", ["1 internet.protocol.Factory"]),
        ("import twisted.internet.task\ntwisted.internet.task.react(f)", ["1 internet.task", "2 internet.task.react"]),
        # What was imported elsewhere is there as well.
        ("import twisted.internet.task\ntwisted.internet.defer.fail", ["1 internet.task", "2 internet.defer.fail"]),
        ("import twisted\ntwisted.__version__", ["2 __version__"]),
        ("from twisted import internet\ninternet.defer.fail", ["2 internet.defer.fail"]),
        ("import twisted.internet\ntwisted.internet.ssl.Certificate", ["2 internet.ssl.Certificate"]),
        ("def f():\n    from twisted.internet import ssl", ["2 internet.ssl"]),
        (
            "try:\n    from twisted.internet import ssl\nexcept ImportError:\n    ssl = None\nssl.DN",
            ["2 internet.ssl", "5 internet.ssl.DN"],
        ),
        ("if TYPE_CHECKING:\n    from twisted.internet.tcp import Port", ["2 internet.tcp.Port"]),
        ("from twisted.internet.defer import *", ["1 internet.defer.*"]),
        ("from twisted.web.server import *", ["1 web.server.*"]),
        (
            "from twisted.internet import reactor\nreactor.run()\nreactor.__class__",
            ["1 internet.reactor", "2 internet.reactor.run"],
        ),
        (
            "from twisted.internet.ssl import Certificate\nCertificate.getPublicKey\nCertificate.loadPEM",
            ["1 internet.ssl.Certificate", "2 internet.ssl.Certificate.getPublicKey"],
        ),
        ("from twisted.web import client\nclient.Agent.request", ["1 web.client", "2 web.client.Agent"]),
        # Not Twisted's.
        ("TWISTED_REACTOR = 'twisted.internet.asyncioreactor.AsyncioSelectorReactor'", []),
        ("from .twisted import defer\nfrom . import twisted\ntwisted.x", []),
        ("from twistedcaldav.x import y\nimport twistedchecker", []),
        ("reactor.callLater(1, f)", []),
        ("from twisted.internet import defer\ndef f(defer):\n    return defer.nothing", ["1 internet.defer"]),
    ],
)
def test_names(source: str, expected: list[str]) -> None:
    assert [name.replace("twisted", "") for name in names(source)] == expected


@pytest.mark.parametrize(
    "shadowing",
    [
        "def f(log):\n    log.gone",
        "def f(*log):\n    log.gone",
        "def f(**log):\n    log.gone",
        "def f(*, log):\n    log.gone",
        "def f(log, /):\n    log.gone",
        "lambda log: log.gone",
        "def f():\n    log = 1\n    log.gone",
        "def f():\n    log.gone\n    log = 1",
        "def f():\n    import log\n    log.gone",
        "def f():\n    for log in x:\n        log.gone",
        "def f():\n    with x as log:\n        log.gone",
        "def f():\n    try:\n        pass\n    except E as log:\n        log.gone",
        "def f():\n    def log(): pass\n    log.gone",
        "def f():\n    class log: pass\n    log.gone",
        "def f():\n    if (log := x):\n        log.gone",
        "def f():\n    match x:\n        case {'a': log}:\n            log.gone",
        "def f():\n    match x:\n        case {**log}:\n            log.gone",
        "def f():\n    match x:\n        case [*log]:\n            log.gone",
        "[log.gone for log in x]",
        "{log.gone for log in x}",
        "{log.gone: 1 for log in x}",
        "list(log.gone for log in x)",
        "class C:\n    log = 1\n    log.gone",
        "def f():\n    log = 1\n    def g():\n        nonlocal log\n        log = 2\n        log.gone",
        "def f(log):\n    return [log.gone for x in y]",
    ],
)
def test_aNameThatMeansSomethingElse(shadowing: str) -> None:
    assert names(f"from twisted.python import log\n{shadowing}") == ["1 python.log"]


@pytest.mark.parametrize(
    "using",
    [
        "def f():\n    log.msg",
        "class C:\n    log = 1\n    def f(self):\n        log.msg",
        "def f():\n    global log\n    log.msg",
        "def f(x=log.msg, log=1): pass",
        "def f(x: log.msg, log=1): pass",
        "def f(log) -> log.msg: pass",
        "class C(log.msg):\n    log = 1",
        "@log.msg\ndef f(log): pass",
        "[log for log in log.msg]",
        "async def f():\n    async with log.msg: pass",
        "f'{log.msg}'",
        "f(x)[log.msg].y",
        "x = log.msg.y().z",
        "lambda x=log.msg, *, log: 1",
    ],
)
def test_aNameThatMeansTwisteds(using: str) -> None:
    assert [name.split(" ")[1] for name in names(f"from twisted.python import log\n{using}")] == [
        "python.log",
        "python.log.msg",
    ]


def test_aNameBoundInTwoWaysMayBeEither() -> None:
    source = """
    try:
        from twisted.internet.testing import StringTransport
    except ImportError:
        from twisted.test.proto_helpers import StringTransport
    StringTransport()
    """
    assert [(each.name, each.lines) for each in found(source)] == [
        ("twisted.internet.testing.StringTransport", [3, 6]),
        ("twisted.test.proto_helpers.StringTransport", [5, 6]),
    ]


def test_eachNameOnce() -> None:
    [module, name] = found("from twisted.python import log\nlog.msg(1)\nlog.msg(2); log.msg(3)")
    assert (name.name, name.lines) == ("twisted.python.log.msg", [2, 3])
    assert module.answer.kind is name.answer.kind is Kind.ABSENT


# Calls.

PROLOGUE = """
from twisted.internet import address, defer, endpoints, reactor, ssl
from twisted.application.internet import UNIXServer
from twisted.python.failure import Failure
"""


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("reactor.connectTCP(h, 1, f, timeout=0)", "timeout"),
        ("reactor.connectTCP(h, 1, f, 0)", "timeout"),
        ("reactor.connectTCP(h, 1, f, timeout=1)", None),
        ("reactor.connectTCP(h, 1, f, timeout=x)", None),
        ("reactor.connectTCP(h, 1, f)", None),
        ("reactor.listenUNIX(p, f)", "without mode"),
        ("reactor.listenUNIX(p, f, 50)", "without mode"),
        ("reactor.listenUNIX(p, f, 50, 0o666)", None),
        ("reactor.listenUNIX(p, f, mode=0o666)", None),
        ("reactor.listenUNIX(*a)", None),
        ("reactor.listenUNIX(p, **k)", None),
        ("UNIXServer(p, f)", "without mode"),
        ("endpoints.UNIXServerEndpoint(reactor, p)", "without mode"),
        ("reactor.callLater(1, f, x=1)", None),
        ("reactor.callLater(1, callable=f)", "callable"),
        ("reactor.callLater(delay=1, callable=f)", "delay callable"),
        ("ssl.CertificateOptions(k, c, trustRoot=t)", None),
        ("ssl.CertificateOptions(k, c, 3, trustRoot=t)", "method"),
        ("ssl.CertificateOptions(k, c, trustRoot=t, verify=True)", "verify"),
        ("ssl.CertificateOptions(k, c)", "without trustRoot"),
        ("ssl.Certificate.load(x, ssl.FORMAT)", "format"),
        ("ssl.KeyPair(x)", "osslpkey"),
        ("ssl.KeyPair.load(x)", None),
        ("endpoints.clientFromString(reactor, 'ssl:h:1')", "description"),
        ("endpoints.clientFromString(reactor, 'tcp:h:1')", None),
        ("endpoints.clientFromString(reactor, f'tcp:{h}:1')", None),
        ("endpoints.clientFromString(reactor, f'{kind}:h:1')", "description"),
        ("endpoints.clientFromString(reactor, text)", "description"),
        ("endpoints.serverFromString(reactor, description='unix:/p')", "description"),
        ("endpoints.serverFromString(reactor, 'unix:/p:mode=666')", None),
        ("endpoints.TCP4ClientEndpoint(reactor, '192.0.2.1', 1)", None),
        ("endpoints.TCP4ClientEndpoint(reactor, 'a.example', 1)", "host"),
        ("endpoints.TCP4ClientEndpoint(reactor, host, 1)", "host"),
        ("Failure('text')", "exc_value"),
        ("Failure(error)", None),
        ("Failure()", None),
        ("defer.fail('text')", "result"),
        ("address.IPv4Address('TCP', b'192.0.2.1', 1)", "host"),
        ("address.IPv4Address('TCP', '192.0.2.1', 1)", None),
    ],
)
def test_argumentsThatDiffer(call: str, told: str | None) -> None:
    calls = [each for each in found(PROLOGUE + call) if each.name.endswith(")")]
    assert sorted(each.name.partition("(")[2].rstrip(")") for each in calls) == sorted(
        told.split(" ") if told and "without" not in told else [told] if told else []
    )
    for each in calls:
        assert each.lines == [5] and each.answer.kind is Kind.DIFFERENT and each.answer.rows


# What does not parse.


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("x = 1\nprint 'x'\n", 2),
        ("x = 1\n\ny = '\0'\n", 3),
        ("(" * 10_000, 1),
        ("x = 1\nif x:\n\ty\n        z\n", 4),
    ],
)
def test_whatDoesNotParse(source: str, line: int) -> None:
    with pytest.raises(SyntaxError) as raised:
        Program(source)
    assert raised.value.lineno == line and raised.value.msg


def test_longExpressionsAreRead() -> None:
    source = "from twisted.python import log\nx = " + " + ".join(["1"] * 2000) + " + log.msg"
    assert names(source) == ["1 python.log", "2 python.log.msg"]


def test_warningsOfTheProgramsAreNotOurs() -> None:
    assert names("from twisted.python import log\n'\\d'\nx is 3") == ["1 python.log"]
