"""Entries about peers: of each so many in so many seconds, and how many others there were."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from reactor._ground.peerlog import PeerLog, peerException, peerLogOf, peerMessage, peerOf
from reactor.address import IPv4Address, UNIXAddress
from reactor.protocol import Factory, Protocol
from reactor.task import Clock
from reactor.testing import StringTransport


class Small(PeerLog):
    MOST = 3
    SECONDS = 10
    PEERS = 2


@pytest.fixture(autouse=True)
def everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def test_ofEachPeerSoManyAMinute(caplog: pytest.LogCaptureFixture) -> None:
    log = Small(Clock().seconds)
    for number in range(100):
        log.message("192.0.2.1", "info", "entry %d", number)
    log.message("192.0.2.2", "warning", "another")
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "entry 0"),
        ("INFO", "entry 1"),
        ("INFO", "entry 2"),
        ("INFO", "192.0.2.1: more than 3 entries in 10 s; others are left out for 10 s"),
        ("WARNING", "another"),
    ]


def test_afterThatTimeThereAreMoreAndItIsSaidHowManyWereLeftOut(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    log = Small(clock.seconds)
    for _ in range(3):
        log.message("peer", "warning", "entry")
    clock.advance(9)
    for _ in range(7):
        log.message("peer", "warning", "entry")
    caplog.clear()
    clock.advance(1)
    log.message("peer", "info", "again")
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "peer: 7 entries were left out"),
        ("INFO", "again"),
    ]
    clock.advance(10)
    caplog.clear()
    log.message("peer", "info", "quiet")
    assert caplog.messages == ["quiet"]


def test_exceptionsCountToo(caplog: pytest.LogCaptureFixture) -> None:
    log = Small(Clock().seconds)
    for number in range(10):
        log.reportException("peer", "%s failed", ValueError(number), "it")
    assert caplog.messages == ["it failed"] * 3 + ["peer: more than 3 entries in 10 s; others are left out for 10 s"]
    assert all(record.levelno == logging.ERROR for record in caplog.records)
    assert "ValueError: 2" in caplog.text and "ValueError: 3" not in caplog.text


def test_peersThatAreRememberedAreBounded(caplog: pytest.LogCaptureFixture) -> None:
    log = Small(Clock().seconds)
    for _ in range(5):
        log.message("first", "info", "entry")
    caplog.clear()
    for number in range(50):
        log.message(number, "info", "entry")
    assert len(log._peers) == 2
    assert caplog.messages[:2] == ["entry", "first: 2 entries were left out"]


def test_aFactorysConnectionsAreOnePeers(caplog: pytest.LogCaptureFixture) -> None:
    factory = Factory.forProtocol(Protocol)
    assert peerLogOf(factory) is peerLogOf(factory) is not peerLogOf(Factory())
    for _ in range(50):
        protocol: Any = factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 1))
        protocol.makeConnection(StringTransport(peerAddress=IPv4Address("TCP", "192.0.2.1", 1)))
        peerMessage(protocol, "info", "entry")
        peerException(protocol, "failed", KeyError())
    assert len(caplog.records) == PeerLog.MOST + 1
    assert caplog.messages[-1].startswith("192.0.2.1: more than 20 entries")


def test_whoHasNoFactory(caplog: pytest.LogCaptureFixture) -> None:
    protocol = Protocol()
    for _ in range(50):
        peerMessage(protocol, "info", "entry")
    assert len(caplog.records) == PeerLog.MOST + 1

    class Slots:
        __slots__ = ("transport",)

    bare: Any = Slots()
    bare.transport = None
    peerMessage(bare, "info", "of one with slots")
    assert caplog.messages[-1] == "of one with slots"
    assert peerLogOf(object()) is not peerLogOf(object())


@pytest.mark.parametrize(
    ("address", "name"),
    [
        (IPv4Address("TCP", "192.0.2.1", 80), "192.0.2.1"),
        (UNIXAddress("/tmp/\x1b[2J"), repr(UNIXAddress("/tmp/\x1b[2J"))),
        (None, "None"),
    ],
)
def test_whatNamesAPeer(address: Any, name: str) -> None:
    class Transport:
        def getPeer(self) -> Any:
            return address

    assert peerOf(Transport()) == name
    assert peerOf(None) == "a peer"
