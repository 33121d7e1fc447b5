"""The old services answer as their standards say."""

from __future__ import annotations

import socket
import struct
import time
from typing import Any

import pytest
from net import Net, pattern

from protocols.wire import QOTD, Chargen, Daytime, Discard, Echo, Time, Who
from reactor.protocol import Factory

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


def ask(net: Net, protocol: Any) -> socket.socket:
    factory = Factory.forProtocol(protocol)
    factory.noisy = False
    port = net.reactor.listenTCP(0, factory, interface="127.0.0.1")
    net.ports.append(port)
    return net.keep(socket.create_connection(("127.0.0.1", port.getHost().port), 5))


def test_echo(net: Net) -> None:
    peer, data = ask(net, Echo), pattern(100_000)
    peer.sendall(data)
    peer.shutdown(socket.SHUT_WR)
    # All of it, although the end was there before it was sent.
    assert net.receive(peer) == data


def test_echoReadsNoFasterThanThePeer(net: Net) -> None:
    built: list[Echo] = []
    peer = ask(net, lambda: built.append(Echo()) or built[0])
    peer.setblocking(False)
    sent = full = 0
    while full < 20:
        try:
            sent += peer.send(bytes(1 << 20))
            full = 0
        except BlockingIOError:
            full += 1
        net.turn(2)
    assert built[0].transport.buffered <= 65_536 + 262_144
    net.assertIdle()
    assert len(net.receive(peer, sent)) == sent


def test_discard(net: Net) -> None:
    peer = ask(net, Discard)
    peer.sendall(b"x" * 10_000)
    peer.shutdown(socket.SHUT_WR)
    assert net.receive(peer) == b""


def test_chargen(net: Net) -> None:
    peer = ask(net, Chargen)
    lines = net.receive(peer, 200_000).split(b"\r\n")[:190]
    assert {len(line) for line in lines} == {72}
    assert lines[0] == bytes(range(32, 104)) and lines[1] == bytes(range(33, 105))
    assert lines[94] == b"~" + bytes(range(32, 103)) and lines[95] == lines[0]
    # And no more than is read.
    peer.close()


def test_quoteAndUsers(net: Net) -> None:
    assert net.receive(ask(net, QOTD)).endswith(b".\r\n")
    assert net.receive(ask(net, Who)) == b"root\r\n"


def test_daytime(net: Net) -> None:
    before = int(time.time())
    said = net.receive(ask(net, Daytime)).decode("ascii")
    import calendar

    assert said.endswith("\r\n")
    assert before <= calendar.timegm(time.strptime(said.strip(), "%a %b %d %H:%M:%S %Y")) <= time.time()


@pytest.mark.parametrize("now, said", [(0.9, 2208988800), (2085978495.0, 0xFFFFFFFF), (2085978496.0, 0)])
def test_time(net: Net, monkeypatch: pytest.MonkeyPatch, now: float, said: int) -> None:
    from protocols import wire

    class At:
        time = staticmethod(lambda: now)

    monkeypatch.setattr(wire, "time", At)
    assert net.receive(ask(net, Time)) == struct.pack("!I", said)
