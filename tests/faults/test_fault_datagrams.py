"""Rows U1 to U3 where the network itself says no, and system calls on a datagram socket that fail."""

from __future__ import annotations

import pytest
from namespaced import toldByProgram
from script import outputs, script
from strace import failing

eachSelector = pytest.mark.parametrize("selector", ["default", "SelectSelector", "PollSelector"])
ANSWERED = ("port", "port, IPv6", "prohibited", "prohibited, IPv6", "net prohibited", "protocol")


@pytest.fixture(scope="module")
def inNamespace() -> dict[str, list[str]]:
    """What the program in the namespace says: case, selector, whether it was connected -> what its protocol heard."""
    return toldByProgram("datagrams_in_namespace")


@eachSelector
@pytest.mark.parametrize("case", ANSWERED)
def test_U1_U2_icmp(inNamespace: dict[str, list[str]], case: str, selector: str) -> None:
    """Two are written; the second is sent though the first was refused, and refused in its turn. The port lives on, and
    hears its peer's last word.
    """
    assert inNamespace[f"{case}, {selector}, True"] == [
        *("start", "None", "None", "refused", "refused", "last word", "stop")
    ]


@eachSelector
def test_U1_icmpThatPasses(inNamespace: dict[str, list[str]], selector: str) -> None:
    """A host that cannot be reached for now: the kernel says nothing, and so do we."""
    assert inNamespace[f"host, {selector}, True"] == ["start", "None", "None", "last word", "stop"]


@eachSelector
@pytest.mark.parametrize("case", [*ANSWERED, "host"])
def test_U3_icmpToNobodyConnected(inNamespace: dict[str, list[str]], case: str, selector: str) -> None:
    assert inNamespace[f"{case}, {selector}, False"] == ["start", "None", "None", "last word", "stop"]


ECHO = """
import selectors, sys
from reactor.base import Reactor
from reactor.protocol import DatagramProtocol
name = sys.argv[1]
reactor = Reactor(None if name == "default" else getattr(selectors, name)())
class Hears(DatagramProtocol):
    def startProtocol(self):
        print("start")
    def connectionRefused(self):
        print("refused")
    def stopProtocol(self):
        print("stop")
    def datagramReceived(self, datagram, addr):
        print(datagram.decode())
        if datagram == b"3":
            reactor.stop()
here, there = Hears(), DatagramProtocol()
reactor.listenUDP(0, here, "127.0.0.1")
reactor.listenUDP(0, there, "127.0.0.1")
here.transport.connect("127.0.0.1", there.transport.getHost().port)
def send():
    for number in range(4):
        there.transport.write(b"%d" % number, ("127.0.0.1", here.transport.getHost().port))
reactor.callWhenRunning(send)
reactor.callLater(60, reactor.stop)
reactor.run()
reactor.close()
"""


# ENOMEM and EINTR pass; EMSGSIZE comes of a router that asks for smaller ones, and is the kernel's business.
@pytest.mark.parametrize(
    ("error", "selector"), [("ENOMEM", "default"), ("EMSGSIZE", "SelectSelector"), ("EINTR", "PollSelector")]
)
def test_U5_receivingFailsForNow(error: str, selector: str) -> None:
    printed = script(ECHO, selector, prefix=failing(f"recvfrom:error={error}:when=2..3"))
    assert printed == ["start", "0", "1", "2", "3", "stop"]


@pytest.mark.parametrize(
    ("error", "selector"),
    [("ENETDOWN", "default"), ("ETIMEDOUT", "SelectSelector"), ("ENETRESET", "PollSelector"), ("EIO", "default")],
)
def test_U13_theNetworkFailsForNow(error: str, selector: str) -> None:
    """One line in the log, and the next datagram is received."""
    # What belongs together may come late on a machine that others use.
    patient = "from reactor._transport.server import pausing\npausing.REST = 60\n" + ECHO
    printed, said = outputs(patient, selector, prefix=failing(f"recvfrom:error={error}:when=2..3"))
    assert printed.splitlines() == ["start", "0", "1", "2", "3", "stop"]
    assert said.count("\n") == 1
    assert "cannot receive for now" in said


def test_U13_forEver() -> None:
    """It is not tried all the time: after a hundred times, not for a tenth of a second."""
    printed, said = outputs(
        ECHO.replace("reactor.callLater(60, reactor.stop)", COUNTED), "default", prefix=failing("recvfrom:error=EIO")
    )
    assert printed.splitlines() == ["start", "resting True", "stop"]
    # One line a rest; on a busy machine it comes to another rest before it ends.
    assert 1 <= said.count("\n") <= 3


COUNTED = """
port = here.transport
def look():
    if port in reactor.getReaders():
        reactor.callLater(0.001, look)
        return
    print("resting", port.connected)
    reactor.stop()
reactor.callLater(0.001, look)
"""


@pytest.mark.parametrize("error", ["ENOTSOCK", "EINVAL"])
def test_U13_noUseAnyMore(error: str) -> None:
    printed, said = outputs(
        ECHO.replace("(60, reactor.stop)", "(0.2, reactor.stop)"), "default", prefix=failing(f"recvfrom:error={error}")
    )
    assert printed.splitlines() == ["start", "stop"]
    assert said.count("\n") == 1
    assert "is closed" in said


@pytest.mark.parametrize("error", ["ENOBUFS", "EAGAIN"])
def test_U12_noRoomToSend(error: str) -> None:
    """Dropped, as the network would drop it."""
    printed = script(ECHO, "default", prefix=failing(f"sendto:error={error}:when=2"))
    assert printed == ["start", "0", "2", "3", "stop"]
