"""What an IRC server sends does not fill the client's memory, whatever it is; each bound is an attribute."""

from __future__ import annotations

import gc
import logging
from types import FunctionType, ModuleType
from typing import Any

import pytest
from ircfed import Wire

from protocols.irc import IRCClient
from reactor.task import Clock

MARK = "y" * 60
CAPS = ("batch", "labeled-response", "message-tags")
# {} is another text each time.
LINES = (
    """:s CAP me ACK :{}|:s CAP me NAK :{}|:s CAP me NEW :{}={}|:s CAP me DEL :{}|:s CAP me LS * :{}|:s CAP {} LS
:s BATCH +{} {}|:s BATCH -{}|@batch=open :s PRIVMSG #c :{}|@{}={} :s PRIVMSG #c :x|@label={} :s ACK
:s 005 me {}={} :x|:s 005 me -{} :x|:me!u@h JOIN #{}|:me!u@h JOIN #{},#{}|:me!u@h PART #{}|:al!u@h JOIN #{}
:{}!u@h NICK {}|:{}!u@h QUIT :x|:s 372 me :{}|:s 375 me :{}|:s 353 me = #{} :{} {}|:s 332 me #{} :{}
:s 433 me {} :x|:s 432 me {} :x|:s 437 me #{} :x|:s 471 me #{} :x|:s 900 me {} {} :x|:s 901 me :x
:s 396 me {}|:s CHGHOST {} {}|AUTHENTICATE {}|:s 908 me {} :x|:{}!u@h PRIVMSG me :{}
:{}!u@h PRIVMSG me :\1PING {}\1|:{}!u@h PRIVMSG me :\1DCC CHAT chat 1 {}\1
:{}!u@h PRIVMSG me :\1DCC SEND {} 134744072 5000 9\1|:{}!u@h NOTICE me :\1PING {}\1
:{}!u@h NOTICE me :\1{} x\1|:{} {} a|:s FAIL {} {} :x|PING {}|PONG {}|:s {}|:s MODE #{} +o {}
:s MODE me +s {}|:s KILL {}|:s 4{}""".replace("\n", "|")
).split("|")


def made() -> Any:
    client, wire = IRCClient(), Wire()
    client.nickname, client.clock, client.capabilities = "me", Clock(), CAPS
    client.makeConnection(wire)  # type: ignore[arg-type]
    said = [":s CAP * LS :" + " ".join(CAPS), ":s CAP me ACK :" + " ".join(CAPS), ":s 001 me :hi", "BATCH +open x"]
    client.dataReceived("".join(line + "\r\n" for line in said))
    # Small enough to be reached soon.
    client.MAX_MOTD = client.session.MAX_CHANNELS = client.supported.MAX_FEATURES = 50
    client._caps.MAX_CAPABILITIES = client._batches.MAX_MESSAGES = client._batches.MAX_OPEN = 50
    return client, wire


def flood(client: Any, wire: Wire, line: str, start: int, count: int) -> None:
    parts = line.split("{}")
    for number in range(start, start + count):
        client.dataReceived(f"x{number}{MARK}".join(parts) + "\r\n")
        wire.data = b""


def kept(client: Any) -> int:
    """How many octets of the server's texts can be reached from `client`, and 100 for each object."""
    seen, waiting, size = set[int](), [client], 0
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, type | ModuleType | FunctionType):
            continue
        seen.add(id(each))
        size += 100
        if isinstance(each, str | bytes) and (MARK if isinstance(each, str) else MARK.encode()) in each:
            size += len(each)
        waiting += gc.get_referents(each)
    return size


@pytest.mark.parametrize("line", LINES)
def test_S_irc_whatAServerSendsIsBounded(line: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "reactor")
    client, wire = made()
    flood(client, wire, line, 0, 200)
    before = kept(client)
    flood(client, wire, line, 200, 600)
    # Of 600 texts of more than 60 characters: 96 000 if they were kept. A nickname may have been tried in between.
    assert kept(client) - before < 2000


def test_longOnesAreNotKept() -> None:
    client, wire = made()
    long = "x" * 5000
    client.dataReceived(f":s 005 me A{long}=1 B={long} C=1 :x\r\n:me!u@h JOIN #{long}\r\n:s CAP me NEW :{long}\r\n")
    assert client.supported.hasFeature("C")
    assert not client.supported.hasFeature("B") and not client.supported.hasFeature("A" + long)
    assert client.session.channels == {} and long not in client._caps.available
