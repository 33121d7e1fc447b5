"""`IRCClientFactory` on a server that goes and comes: its clients are one client to the network."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ircparty import Party, gathering
from ircservers import NgIRCd, running


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Any]:
    with running(NgIRCd, tmp_path / "server") as server:
        yield server


@pytest.fixture
def party() -> Iterator[Any]:
    with gathering() as party:
        yield party


def test_the_next_client_is_where_the_last_one_was(server: NgIRCd, party: Party) -> None:
    """Its nickname, and its channels, those with a key too; not what it had left, or been thrown out of."""
    factory = party.succession("first")
    factory.connect("127.0.0.1", server.port, tls=False, reactor=party.reactor)
    party.until(lambda: factory.built and factory.built[0].heard("signedOn"))
    first = factory.built[0]
    with server.talker("alice", "#kicked") as alice:
        alice.send("JOIN #key sesame")
        alice.send("MODE #key +k sesame")
        alice.sync()
        first.setNick("second")
        for channel in ("#one", "#left", "#kicked"):
            first.join(channel)
        first.join("#key", "sesame")
        party.until(lambda: len(first.all("joined")) == 4 and first.heard("nickChanged", "second"))
        first.leave("#left")
        alice.send("KICK #kicked second")
        party.until(lambda: first.heard("left", "#left") and first.heard("kickedFrom", "#kicked"))
    server.kill()
    party.until(lambda: first.lost)
    assert server.start()
    party.until(lambda: len(factory.built) > 1 and len(factory.built[-1].all("joined")) == 2)
    next = factory.built[-1]
    next.sendLine("PING :all")
    party.until(lambda: any(each[0] == "PONG" and each[-1] == "all" for each in next.numerics))
    assert next.nickname == "second"
    assert {channel for (channel,) in next.all("joined")} == {"#one", "#key"}
    assert factory.client is next


def test_a_dead_link_is_noticed(server: NgIRCd, party: Party) -> None:
    """The server is stopped: it says nothing, and nobody says that it is gone."""
    factory = party.succession("patient")
    factory.connect("127.0.0.1", server.port, tls=False, reactor=party.reactor)
    party.until(lambda: factory.built)
    client = factory.built[0]
    client.heartbeatInterval, client.heartbeatTimeout = 0.1, 0.1
    party.until(lambda: client.heard("receivedMOTD"))
    assert server.process is not None
    server.process.send_signal(signal.SIGSTOP)
    party.until(lambda: client.lost)
    assert "nothing came from the server" in (client.closeReason or "")
    server.process.send_signal(signal.SIGCONT)
    party.until(lambda: len(factory.built) > 1 and factory.built[-1].heard("signedOn"))
