"""The receivers of `protocols.basic` over real connections: what callbacks may do, limits, and TLS that begins behind a
line.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
from net import Net
from tls import clientOptions, serverOptions

from protocols import basic
from reactor.error import ConnectionDone, SSLError
from reactor.interfaces import IPushProducer

onOneSelector = pytest.mark.parametrize("net", ["default"], indirect=True)
pytestmark = onOneSelector


class Heard:
    """Keeps what it is told in `events`, and then does what the test wants."""

    transport: Any

    def __init__(self, on: Callable[[Any, bytes], object] | None = None) -> None:
        self.events: list[Any] = []
        self.reason: Any = None
        self.on = on

    def heard(self, frame: bytes) -> None:
        assert self.reason is None, "after connectionLost"
        self.events.append(frame)
        if self.on is not None:
            self.on(self, frame)

    lineReceived = stringReceived = heard

    def rawDataReceived(self, data: bytes) -> None:
        self.events.append(("raw", data))
        if self.on is not None:
            self.on(self, data)

    def connectionLost(self, reason: Any) -> None:
        assert self.reason is None
        self.reason = reason.value


class Lines(Heard, basic.LineReceiver):
    pass


class OnlyLines(Heard, basic.LineOnlyReceiver):
    pass


class Netstrings(Heard, basic.NetstringReceiver):
    pass


class Int8(Heard, basic.Int8StringReceiver):
    pass


class Int16(Heard, basic.Int16StringReceiver):
    pass


class Int32(Heard, basic.Int32StringReceiver):
    pass


FRAME: dict[Any, Callable[[bytes], bytes]] = {
    Lines: lambda frame: frame + b"\r\n",
    OnlyLines: lambda frame: frame + b"\r\n",
    Netstrings: lambda frame: b"%d:%b," % (len(frame), frame),
    Int8: lambda frame: len(frame).to_bytes(1, "big") + frame,
    Int16: lambda frame: len(frame).to_bytes(2, "big") + frame,
    Int32: lambda frame: len(frame).to_bytes(4, "big") + frame,
}
each = pytest.mark.parametrize("kind", FRAME)


def stream(kind: Any, *frames: bytes) -> bytes:
    return b"".join(map(FRAME[kind], frames))


def send(protocol: Any, frame: bytes) -> None:
    (protocol.sendLine if hasattr(protocol, "sendLine") else protocol.sendString)(frame)


def connected(net: Net, kind: Any, on: Any = None, sent: bytes = b"") -> tuple[Any, socket.socket]:
    """A receiver on a server, and a plain socket that has sent it something in one piece."""
    made = kind(on)
    server = net.listen(lambda address: made)
    peer = net.keep(socket.create_connection(("127.0.0.1", server.port)))
    if sent:
        peer.sendall(sent)
    net.until(lambda: made.connected)
    return made, peer


def lost(net: Net, made: Any) -> Any:
    return net.until(lambda: made.reason)


@each
def test_bothEnds(net: Net, kind: Any) -> None:
    frames = [b"one", b"", b"x" * 200, b"end"]

    def on(protocol: Any, frame: bytes) -> None:
        send(protocol, frame.upper())
        if frame == b"end":
            protocol.transport.loseConnection()

    server = net.listen(lambda address: kind(on))
    client = kind()
    net.connect(server.port, build=lambda address: client)
    net.until(lambda: client.connected)
    for frame in frames:
        send(client, frame)
    assert isinstance(lost(net, client), ConnectionDone)
    assert client.events == [frame.upper() for frame in frames]


@each
def test_pausedInACallback(net: Net, kind: Any) -> None:
    def on(protocol: Any, frame: bytes) -> None:
        if frame in (b"2", b"3"):
            protocol.pauseProducing()

    made, peer = connected(net, kind, on, stream(kind, b"1", b"2", b"3", b"4") + stream(kind, b"5")[:1])
    assert IPushProducer.providedBy(made)
    net.until(lambda: b"2" in made.events)
    peer.sendall(stream(kind, b"5")[1:])
    peer.close()
    net.turn(5)
    assert made.events == [b"1", b"2"] and made.paused
    made.resumeProducing()
    assert made.events == [b"1", b"2", b"3"] and made.paused
    made.resumeProducing()
    assert isinstance(lost(net, made), ConnectionDone)
    assert made.events == [b"1", b"2", b"3", b"4", b"5"]


@each
def test_pausedAndResumedInACallbackTensOfThousandsOfTimes(net: Net, kind: Any) -> None:
    """Nothing recurses: a recursion would end with RecursionError, and in the log."""

    def on(protocol: Any, frame: bytes) -> None:
        protocol.pauseProducing()
        protocol.resumeProducing()

    made, peer = connected(net, kind, on, stream(kind, b"x") * 10_000)
    net.until(lambda: len(made.events) == 10_000)


@each
def test_fedFromInsideACallback(net: Net, kind: Any) -> None:
    def on(protocol: Any, frame: bytes) -> None:
        if frame == b"1":
            protocol.dataReceived(stream(kind, b"3"))
            assert protocol.events == [b"1"]

    made, peer = connected(net, kind, on, stream(kind, b"1", b"2"))
    net.until(lambda: len(made.events) == 3)
    assert made.events == [b"1", b"2", b"3"]


@each
@pytest.mark.parametrize("method", ["loseConnection", "abortConnection", "stopProducing"])
def test_E15_nothingAfterTheConnectionIsLostInACallback(net: Net, kind: Any, method: str) -> None:
    def on(protocol: Any, frame: bytes) -> None:
        getattr(protocol if method == "stopProducing" else protocol.transport, method)()

    made, peer = connected(net, kind, on, stream(kind, b"1", b"2", b"3"))
    lost(net, made)
    assert made.events == [b"1"]


@each
def test_resumedAfterTheConnectionWasLost(net: Net, kind: Any) -> None:
    made, peer = connected(net, kind, lambda protocol, frame: protocol.pauseProducing(), stream(kind, b"1", b"2"))
    net.until(lambda: made.events)
    made.transport.loseConnection()
    made.resumeProducing()
    lost(net, made)
    made.resumeProducing()
    assert made.events == [b"1"]


@each
def test_E18_aCallbackThatRaises(net: Net, kind: Any) -> None:
    net.expectErrors()
    made, peer = connected(net, kind, lambda protocol, frame: 1 // 0, stream(kind, b"1", b"2"))
    assert isinstance(lost(net, made), ZeroDivisionError)
    assert made.events == [b"1"]


@each
def test_textIsRefused(net: Net, kind: Any) -> None:
    made, peer = connected(net, kind)
    send, name = (made.sendLine, "sendLine") if hasattr(made, "sendLine") else (made.sendString, "sendString")
    with pytest.raises(TypeError, match=rf"{name}\(\).*{name}\(data.encode\(\)\)"):
        send("text")
    send(bytearray(b"a"))
    send(memoryview(b"b"))
    assert net.receive(peer, len(stream(kind, b"a", b"b"))) == stream(kind, b"a", b"b")


# Lines.


def test_rawModeAndBack(net: Net) -> None:
    def on(protocol: Any, data: bytes) -> None:
        if data == b"raw":
            protocol.setRawMode()
        elif not protocol.line_mode:
            protocol.setLineMode(data[3:])
            assert protocol.events[-1] == ("raw", data), "delivered inside setLineMode"

    sent = b"1\r\nraw\r\nabcraw\r\ndefcl\r\nclear\r\n"
    made, peer = connected(net, Lines, on, sent)
    net.until(lambda: b"clear" in made.events)
    assert made.events == [b"1", b"raw", ("raw", sent[8:]), b"raw", ("raw", b"defcl\r\nclear\r\n"), b"cl", b"clear"]


def test_rawModeStaysAndGetsWhatComes(net: Net) -> None:
    made, peer = connected(net, Lines, lambda protocol, data: protocol.setRawMode(), b"a\r\nbc")
    net.until(lambda: len(made.events) == 2)
    peer.sendall(b"\r\n")
    net.until(lambda: len(made.events) == 3)
    assert made.events == [b"a", ("raw", b"bc"), ("raw", b"\r\n")]


def test_pausedAndLostInRawMode(net: Net) -> None:
    def on(protocol: Any, data: bytes) -> None:
        if data == b"a":
            protocol.setRawMode()
            protocol.pauseProducing()
        else:
            protocol.setLineMode(b"x\r\ny\r\n")
            protocol.transport.loseConnection()

    made, peer = connected(net, Lines, on, b"a\r\nbc")
    net.until(lambda: made.events)
    net.turn()
    assert made.events == [b"a"]
    made.resumeProducing()
    lost(net, made)
    assert made.events == [b"a", ("raw", b"bc")]


def test_clearLineBuffer(net: Net) -> None:
    cleared = []
    made, peer = connected(
        net, Lines, lambda protocol, line: cleared.append(protocol.clearLineBuffer()), b"a\r\nb\r\nc"
    )
    net.until(lambda: cleared)
    assert (made.events, cleared) == ([b"a"], [b"b\r\nc"])
    assert Lines().clearLineBuffer() == b""


def test_theDelimiterChangedInACallback(net: Net) -> None:
    def on(protocol: Any, line: bytes) -> None:
        protocol.delimiter = b";"

    made, peer = connected(net, Lines, on, b"a\r\nb\r\n;c;")
    net.until(lambda: len(made.events) == 3)
    assert made.events == [b"a", b"b\r\n", b"c"]


# Bad input.


@pytest.mark.parametrize("kind", [Lines, OnlyLines])
@pytest.mark.parametrize("end", [b"", b"\r\nnever\r\n"])
def test_security_lines(net: Net, kind: Any, end: bytes) -> None:
    """LineReceiver/LineOnlyReceiver MAX_LENGTH | 16384; over it: lineLengthExceeded -> loseConnection, nothing more
    delivered
    """
    longest = b"x" * kind.MAX_LENGTH
    assert len(longest) == 16384
    made, peer = connected(net, kind, None, longest + b"\r\n" + longest + b"xx" + end)
    assert isinstance(lost(net, made), ConnectionDone)
    assert made.events == [longest]


@pytest.mark.parametrize("kind", [Lines, OnlyLines])
def test_whatIsDoneAboutALongLineIsTheProtocols(net: Net, kind: Any) -> None:
    made, peer = connected(net, kind)
    made.MAX_LENGTH = 3
    exceeded: list[bytes] = []
    made.lineLengthExceeded = exceeded.append
    peer.sendall(b"a\r\nlong\r\nb\r\n")
    net.until(lambda: exceeded)
    net.turn()
    if kind is Lines:
        assert (made.events, exceeded) == ([b"a"], [b"long\r\nb\r\n"])
    else:
        assert (made.events, exceeded) == ([b"a", b"b"], [b"long"])
    peer.sendall(b"c\r\n")
    net.until(lambda: b"c" in made.events)


BAD = [b"05:", b"+5:", b"5 :", b"-1:", b"1" * 17, b"5:hello;", b":", b"100000", b"00:,", b"x", b"5:hello\n", b"1_0:"]


@pytest.mark.parametrize("bad", BAD, ids=repr)
def test_security_netstrings(net: Net, bad: bytes) -> None:
    """NetstringReceiver / IntN | 99999; `05:`, `+5:`, `5 :`, `-1:`, 17 digits, missing comma -> drop"""
    assert Netstrings.MAX_LENGTH == Int32.MAX_LENGTH == 99999
    made, peer = connected(net, Netstrings, None, stream(Netstrings, b"good") + bad + stream(Netstrings, b"never"))
    assert isinstance(lost(net, made), ConnectionDone)
    assert made.events == [b"good"] and made.brokenPeer == 1


@pytest.mark.parametrize("kind", [Int8, Int16, Int32])
def test_S_prefixes_refusedAtTheHeader(net: Net, kind: Any) -> None:
    """length prefix 0xffffffff | refuse at the header, never allocate"""
    made, peer = connected(net, kind)
    made.MAX_LENGTH = min(kind.MAX_LENGTH, 256 ** (kind.prefixLength) - 2)
    exceeded: list[int] = []
    made.lengthLimitExceeded = lambda length: exceeded.append(length) or peer.sendall(stream(kind, b"never"))
    peer.sendall(stream(kind, b"good") + b"\xff" * kind.prefixLength + stream(kind, b"never"))
    net.until(lambda: exceeded)
    net.turn(5)
    assert exceeded == [256**kind.prefixLength - 1]
    assert made.events == [b"good"] and made.recvd == b""


def test_aLengthAboveTheLimitLosesTheConnection(net: Net) -> None:
    made, peer = connected(net, Int32, None, stream(Int32, b"good") + b"\xff\xff\xff\xff")
    assert isinstance(lost(net, made), ConnectionDone)
    assert made.events == [b"good"]


@pytest.mark.parametrize("kind", [Int8, Int16, Int32])
@pytest.mark.parametrize("alone", [True, False])
def test_recvdInLengthLimitExceeded(net: Net, kind: Any, alone: bool) -> None:
    """As with Twisted: from the length on, for whoever hands the connection over to another protocol."""
    made, peer = connected(net, kind)
    made.MAX_LENGTH = 20
    seen: list[Any] = []

    def exceeded(length: int) -> None:
        seen.append((length, made.recvd, made.recvd))
        if alone:
            made.recvd = b""

    made.lengthLimitExceeded = exceeded
    rest = (21).to_bytes(kind.prefixLength, "big") + b"GET / HTTP/1.1"
    peer.sendall(stream(kind, b"good") + rest)
    net.until(lambda: seen)
    assert seen == [(21, rest, rest)]
    assert made.events == [b"good"] and made.recvd == b""
    # Nothing is cut or kept any more.
    peer.sendall(stream(kind, b"never"))
    net.turn(5)
    assert made.events == [b"good"] and made.recvd == b"" and len(seen) == 1


def test_aStringThatThePrefixCannotTell(net: Net) -> None:
    made, peer = connected(net, Int8)
    with pytest.raises(basic.StringTooLongError, match=r"sendString\(\): 256 bytes.*255 at most"):
        made.sendString(bytes(256))
    made.sendString(bytes(255))
    assert len(net.receive(peer, 256)) == 256


def test_recvdIsHandedOver(net: Net) -> None:
    rest = []

    def on(protocol: Any, string: bytes) -> None:
        rest.append(protocol.recvd)
        if string == b"a":
            protocol.recvd = stream(Int16, b"z")

    made, peer = connected(net, Int16, on, stream(Int16, b"a", b"b") + b"\0")
    net.until(lambda: len(made.events) == 2)
    assert (made.events, rest[0]) == ([b"a", b"z"], stream(Int16, b"b") + b"\0")


def test_stateful(net: Net) -> None:
    class Stateful(basic.StatefulStringProtocol, basic.Int8StringReceiver):
        reason: Any = None

        def proto_init(self, string: bytes) -> str:
            events.append(("init", string))
            return "more"

        def proto_more(self, string: bytes) -> str:
            events.append(("more", string))
            return string.decode()

        def connectionLost(self, reason: Any) -> None:
            self.reason = reason.value

    events: list[Any] = []
    made, peer = connected(net, lambda on: Stateful(), None, stream(Int8, b"a", b"more", b"done", b"never"))
    lost(net, made)
    assert events == [("init", b"a"), ("more", b"more"), ("more", b"done")]
    made, peer = connected(net, lambda on: Stateful(), None, stream(Int8, b"a", b"nowhere", b"dropped"))
    net.until(lambda: any("no method proto_nowhere: 7 bytes dropped" in r.getMessage() for r in net.logged()))
    assert made.connected and made.state == "nowhere"


# TLS behind a line.


def startTLS(protocol: Any, frame: bytes) -> None:
    if frame == b"STARTTLS":
        send(protocol, b"go ahead")
        protocol.transport.startTLS(serverOptions())


@each
@pytest.mark.parametrize("behind", ["frame", "part", "paused"])
def test_T18_bytesBehindTheLineThatBeginsTLS(net: Net, kind: Any, behind: str) -> None:
    def on(protocol: Any, frame: bytes) -> None:
        if behind == "paused":
            protocol.pauseProducing()
        startTLS(protocol, frame)

    sent = stream(kind, b"STARTTLS") + (stream(kind, b"evil") if behind != "part" else FRAME[kind](b"evil")[:-1])
    made, peer = connected(net, kind, on, sent)
    if behind == "paused":
        net.until(lambda: made.events)
        made.resumeProducing()
    reason = lost(net, made)
    assert isinstance(reason, SSLError), reason
    assert "came in the clear behind what began TLS" in str(reason)
    assert made.events == [b"STARTTLS"]


def test_T18_aPartOfALineWhenTLSBeginsLater(net: Net) -> None:
    made, peer = connected(net, Lines, None, b"EHLO\r\nevil")
    net.until(lambda: made.events)
    made.transport.startTLS(serverOptions())
    made.dataReceived(b" line\r\n")
    assert isinstance(lost(net, made), SSLError)
    assert made.events == [b"EHLO"]


@each
def test_T18_TLSBehindALineWithNothingBehindIt(net: Net, kind: Any) -> None:
    made = kind(startTLS)
    server = net.listen(lambda address: made)

    def on(protocol: Any, frame: bytes) -> None:
        if frame == b"go ahead":
            protocol.transport.startTLS(clientOptions())
            protocol.transport.write(stream(kind, b"in secret", b"more"))

    client = kind(on)
    net.connect(server.port, build=lambda address: client)
    net.until(lambda: client.connected)
    client.transport.write(stream(kind, b"STARTTLS"))
    net.until(lambda: b"more" in made.events)
    assert made.events == [b"STARTTLS", b"in secret", b"more"]


def test_T18_clearedByTheProtocol(net: Net) -> None:
    def on(protocol: Any, frame: bytes) -> None:
        assert protocol.clearLineBuffer() == b"evil\r\n"
        startTLS(protocol, frame)

    made, peer = connected(net, Lines, on, b"STARTTLS\r\nevil\r\n")
    net.until(lambda: made.events)
    assert net.receive(peer, 10) == b"go ahead\r\n"
    assert made.events == [b"STARTTLS"] and made.transport.TLS


def test_T18_aTransportOfAnotherKind(net: Net) -> None:
    """A transport that is none of the reactor's: asked by what every transport has."""

    class Fake:
        disconnecting = TLS = False

        def abortConnection(self) -> None:
            self.disconnecting = True

    fake = Fake()
    made = Lines(lambda protocol, line: setattr(fake, "TLS", True) if line == b"tls" else None)
    made.makeConnection(fake)
    made.dataReceived(b"a\r\ntls\r\n")
    made.dataReceived(b"b\r\n")
    assert not fake.disconnecting
    fake.TLS = False
    made.dataReceived(b"tls\r\nevil\r\n")
    assert fake.disconnecting
    assert made.events == [b"a", b"tls", b"b", b"tls"]
    fake.disconnecting = False
    made.on = lambda protocol, line: setattr(fake, "disconnecting", True)
    made.dataReceived(b"c\r\nd\r\n")
    assert made.events[4:] == [b"c"]


def test_aSubclassMustSayWhatItReceives(net: Net) -> None:
    net.expectErrors(4)
    for kind, sent, name in (
        (basic.LineReceiver, b"a\r\n", "lineReceived"),
        (basic.LineOnlyReceiver, b"a\r\n", "lineReceived"),
        (basic.NetstringReceiver, b"0:,", "stringReceived"),
        (basic.Int8StringReceiver, b"\0", "stringReceived"),
    ):
        reasons: list[Any] = []
        made: Any = type("Bare", (kind,), {"connectionLost": lambda self, reason, to=reasons: to.append(reason.value)})
        connected(net, lambda on, made=made: made(), None, sent)
        net.until(lambda reasons=reasons: reasons)
        assert isinstance(reasons[0], NotImplementedError) and f"override {name}" in str(reasons[0])


def test_anotherConnectionIsUntouched(net: Net) -> None:
    other, _ = connected(net, Lines, None, b"a\r\n")
    bad, _ = connected(net, Lines, None, b"x" * 20000)
    lost(net, bad)
    assert other.events == [b"a"] and other.reason is None
