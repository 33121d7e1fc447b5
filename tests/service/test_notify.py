"""What the service manager is told, and what in the environment is understood."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from patience import PATIENCE

from reactor.service import Notifier
from reactor.task import Clock


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """The name of the socket as the environment has it, and the socket."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@reactor-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("\0" + name[1:] if name[0] == "@" else name)
        sock.settimeout(PATIENCE)
        yield name, sock


def test_tells(manager: tuple[str, socket.socket]) -> None:
    name, sock = manager
    notifier = Notifier(name)
    assert notifier.ready() and notifier.stopping() and notifier.status("two\nlines") and notifier.notify("A=1\nB=2")
    assert [sock.recv(100) for _ in range(4)] == [b"READY=1", b"STOPPING=1", b"STATUS=two lines", b"A=1\nB=2"]


def test_givesSignsOfLifeTwiceAsOftenAsWanted(manager: tuple[str, socket.socket]) -> None:
    name, sock = manager
    sock.setblocking(False)
    clock, notifier = Clock(), Notifier(name, watchdog=10)
    notifier.beat(clock)
    counts = []
    for _ in range(3):
        counts.append(0)
        try:
            while sock.recv(100) == b"WATCHDOG=1":
                counts[-1] += 1
        except BlockingIOError:
            clock.advance(5)
    assert counts == [1, 1, 1]
    notifier.rest()
    notifier.rest()
    assert clock.getDelayedCalls() == []


def test_begunAnewItBeatsOnce(manager: tuple[str, socket.socket]) -> None:
    clock, notifier = Clock(), Notifier(manager[0], watchdog=10)
    notifier.beat(clock)
    notifier.beat(clock)
    assert len(clock.getDelayedCalls()) == 1


def test_nobodyIsTold() -> None:
    clock = Clock()
    notifier = Notifier.fromEnvironment({"WATCHDOG_USEC": "1000000"})
    notifier.beat(clock)
    assert not notifier.ready() and clock.getDelayedCalls() == []


def test_aManagerThatIsGoneIsLogged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert not Notifier(str(tmp_path / "gone")).ready()
    assert "could not be told 'READY=1'" in caplog.text


def test_theEnvironmentIsUsedUp() -> None:
    environment = {"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": "2500000", "WATCHDOG_PID": str(os.getpid()), "HOME": "/"}
    notifier = Notifier.fromEnvironment(environment)
    assert (notifier.address, notifier.watchdog) == ("/run/n", 2.5)
    assert environment == {"HOME": "/"}


def test_theWatchdogOfAnotherProcess() -> None:
    notifier = Notifier.fromEnvironment({"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"})
    assert notifier.watchdog is None and notifier.address == "/run/n"


@pytest.mark.parametrize("usec", ["", "0", "-1", "1.5", "many", "\N{SUPERSCRIPT TWO}"])
def test_aWatchdogThatCannotBeUnderstood(usec: str, caplog: pytest.LogCaptureFixture) -> None:
    assert Notifier.fromEnvironment({"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": usec}).watchdog is None
    assert ("WATCHDOG_USEC" in caplog.text) == bool(usec)


@pytest.mark.parametrize("address", ["", "relative", "@", "/", "vsock:2:3", "/with\0nul"])
def test_anAddressThatCannotBeUnderstood(address: str, caplog: pytest.LogCaptureFixture) -> None:
    assert Notifier.fromEnvironment({"NOTIFY_SOCKET": address}).address is None
    assert ("NOTIFY_SOCKET" in caplog.text) == bool(address)
    with pytest.raises(ValueError, match="absolute path"):
        Notifier(address)
