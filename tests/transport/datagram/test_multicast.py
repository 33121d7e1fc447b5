"""UDP to groups: who joined hears, who left does not. Over the loopback interface alone."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from datagrams import Anybody
from net import Net
from patience import PATIENCE
from script import FOLDER
from zope.interface.verify import verifyObject

from reactor.error import MulticastJoinError
from reactor.interfaces import IMulticastTransport, IReactorMulticast

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)

# The interface of a namespace in which these tests run once more, since through "lo" Linux sends to no IPv6 group.
IN_NAMESPACE = os.environ.get("REACTOR_TESTS_INTERFACE")
# RFC 5771 section 9.2 and RFC 4291 section 2.7: of this machine, or of this network at most.
GROUPS = [("", "239.255.1.7", "127.0.0.1"), ("::", "ff01::1:7", IN_NAMESPACE or "lo")]
each = pytest.mark.parametrize(("host", "group", "loopback"), GROUPS)


@pytest.fixture
def listen(net: Net) -> Iterator[Any]:
    opened: list[Any] = []

    def open_(host: str, port: int = 0, *, many: bool = False) -> Any:
        opened.append(net.reactor.listenMulticast(port, Anybody(), host, listenMultiple=many))
        return opened[-1]

    yield open_
    for port in opened:
        port.stopListening()


def result(deferred: Any) -> Any:
    """What it fired with, or the exception that it failed with."""
    told: list[Any] = []
    deferred.addCallbacks(told.append, lambda failure: told.append(failure.value))
    assert len(told) == 1
    return told[0]


def needsRoute(group: str) -> None:
    if ":" in group and not IN_NAMESPACE:
        pytest.skip("tested in a namespace, below")


@each
def test_joinAndLeave(net: Net, listen: Any, host: str, group: str, loopback: str) -> None:
    needsRoute(group)
    member = listen(host)
    number = member.getHost().port
    sender = listen(host)
    assert result(sender.setOutgoingInterface(loopback)) == 1
    assert sender.getOutgoingInterface() == (socket.if_nametoindex(loopback) if ":" in group else loopback)
    assert result(member.joinGroup(group, loopback)) is None
    sender.write(b"to all", (group, number))
    net.until(lambda: member.protocol.received)
    assert member.protocol.received[0][0] == b"to all"
    # Sending says where from; there is somebody to answer.
    member.write(b"to you", member.protocol.received[0][1])
    net.until(lambda: sender.protocol.received)
    assert result(member.leaveGroup(group, loopback)) is None
    sender.write(b"unheard", (group, number))
    sender.write(b"heard", ("::1" if ":" in group else "127.0.0.1", number))
    net.until(lambda: len(member.protocol.received) > 1)
    assert [data for data, _ in member.protocol.received] == [b"to all", b"heard"]


@each
def test_severalOnOnePort(net: Net, listen: Any, host: str, group: str, loopback: str) -> None:
    needsRoute(group)
    first = listen(host, many=True)
    number = first.getHost().port
    second = listen(host, number, many=True)
    sender = listen(host)
    sender.setOutgoingInterface(loopback)
    for member in (first, second):
        assert result(member.joinGroup(group, loopback)) is None
    sender.write(b"x", (group, number))
    net.until(lambda: first.protocol.received and second.protocol.received)


@each
def test_loopbackMode(net: Net, listen: Any, host: str, group: str, loopback: str) -> None:
    needsRoute(group)
    member = listen(host)
    member.setOutgoingInterface(loopback)
    result(member.joinGroup(group, loopback))
    assert member.getLoopbackMode() is True
    member.setLoopbackMode(False)
    assert member.getLoopbackMode() is False
    member.setLoopbackMode(True)
    member.write(b"to myself", (group, member.getHost().port))
    net.until(lambda: member.protocol.received)


@each
def test_TTL(net: Net, listen: Any, host: str, group: str, loopback: str) -> None:
    port = listen(host)
    assert port.getTTL() == 1
    for ttl in (0, 5, 255):
        port.setTTL(ttl)
        assert port.getTTL() == ttl
    for wrong, kind in ((-1, ValueError), (256, ValueError), ("1", TypeError), (True, TypeError)):
        with pytest.raises(kind, match="ttl must be"):
            port.setTTL(wrong)


@each
def test_whatCannotBeJoined(net: Net, listen: Any, host: str, group: str, loopback: str) -> None:
    port = listen(host)
    for wrong in ("127.0.0.1", "::1", "localhost", "", "239.1.1.1" if ":" in group else "ff01::1"):
        assert isinstance(result(port.joinGroup(wrong, loopback)), MulticastJoinError)
    assert isinstance(result(port.joinGroup(group, "no such interface")), MulticastJoinError)
    error = result(port.leaveGroup(group, loopback))
    assert isinstance(error, MulticastJoinError) and group in str(error)
    assert isinstance(result(port.setOutgoingInterface("no such interface")), OSError)


@each
def test_interfaceByNameOrIndex(net: Net, listen: Any, host: str, group: str, loopback: str) -> None:
    port = listen(host)
    name = loopback if ":" in group else "lo"
    for interface in (name, str(socket.if_nametoindex(name))):
        assert result(port.joinGroup(group, interface)) is None
        assert result(port.leaveGroup(group, interface)) is None
        assert result(port.setOutgoingInterface(interface)) == 1
    if ":" in group:
        assert result(port.joinGroup(f"{group}%{name}")) is None
        assert result(port.leaveGroup(group, name)) is None


def test_interfaces(net: Net, listen: Any) -> None:
    assert verifyObject(IReactorMulticast, net.reactor)
    assert verifyObject(IMulticastTransport, listen(""))


def test_unspecified(net: Net, listen: Any) -> None:
    assert listen("").getOutgoingInterface() == "0.0.0.0"
    six = listen("::")
    assert six.getOutgoingInterface() == 0
    index = socket.if_nametoindex("lo")
    for interface, said in ((index, index), (0, 0), ("lo", index), ("", 0)):
        assert result(six.setOutgoingInterface(interface)) == 1
        assert six.getOutgoingInterface() == said


@pytest.mark.skipif(shutil.which("unshare") is None, reason="no command unshare, which makes network namespaces")
@pytest.mark.skipif(shutil.which("ip") is None, reason="no command ip, which makes routes")
@pytest.mark.skipif(bool(IN_NAMESPACE), reason="this is the namespace")
def test_IPv6GroupsInANamespace(net: Net) -> None:
    prepare = (
        "ip link set lo up && ip link add here type veth peer name there && ip link set here up && "
        "ip link set there up && ip -6 addr add fd00::1/64 dev here nodad"
    )
    tests = f"{sys.executable} -m pytest -q -p no:cacheprovider -p no:xdist -k ff01 {Path(__file__)}"
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", f"{prepare} || exit 77; exec {tests}"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, "PYTHONPATH": str(FOLDER), "REACTOR_TESTS_INTERFACE": "here"},
        check=False,
    )
    if done.stderr.startswith("unshare") or done.returncode == 77:
        pytest.skip(f"no network namespace with a route: {done.stderr.strip()}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout
