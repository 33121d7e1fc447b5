"""How the end of a child is noticed: by its pidfd, and by SIGCHLD or a thread where there is none."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from typing import Any

import pytest
from children import Child, ended, shell, spawn
from net import Net, descriptors
from patience import PATIENCE
from script import script

from reactor._core.children import Children
from reactor.base import Reactor
from reactor.error import ProcessTerminated

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


def bySignal(reactor: Reactor) -> Children:
    reactor._children = made = Children(reactor._loop)
    made.usePidfd = False
    return made


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="this system has no pidfd")
def test_byPidfd(net: Net) -> None:
    before = signal.getsignal(signal.SIGCHLD)
    child = spawn(net, "cat")
    assert "anon_inode:[pidfd]" in descriptors().values()
    assert signal.getsignal(signal.SIGCHLD) is before
    child.transport.closeStdin()
    ended(net, child)
    assert "anon_inode:[pidfd]" not in descriptors().values()


def test_bySignal(net: Net) -> None:
    """The handler is there while there are children; the one before is called, and put back."""
    seen: list[int] = []

    def own(number: int, frame: Any) -> None:
        seen.append(number)

    before = signal.signal(signal.SIGCHLD, own)
    try:
        bySignal(net.reactor)
        children = [shell(net, f"read x; exit {code}") for code in (0, 1, 2)]
        assert "anon_inode:[pidfd]" not in descriptors().values()
        assert signal.getsignal(signal.SIGCHLD) is not own
        for child in children:
            child.transport.closeStdin()
        net.until(lambda: all(child.over for child in children))
        assert [child.reason.exitCode for child in children] == [0, 1, 2]
        assert signal.getsignal(signal.SIGCHLD) is own
        assert seen
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_bySignalWithoutPipes(net: Net) -> None:
    """Nothing but the signal wakes the loop."""
    bySignal(net.reactor)
    child = shell(net, "sleep 0.05; exit 7", childFDs={})
    ended(net, child)
    assert child.reason.exitCode == 7


def test_bySignalWhenItEndedBeforeTheHandlerWasThere(net: Net) -> None:
    children, statuses = bySignal(net.reactor), list[Any]()
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    process.returncode = 0
    children.watch(process.pid, statuses.append)
    net.until(lambda: statuses)
    assert statuses == [0]


def test_childrenOfOthersAreLeftAlone(net: Net) -> None:
    bySignal(net.reactor)
    theirs = subprocess.Popen(["sh", "-c", "exit 5"])
    ended(net, shell(net, "exit 6"))
    assert theirs.wait(PATIENCE) == 5


@pytest.mark.parametrize("configure", [bySignal, lambda reactor: None])
def test_inAnotherThread(net: Net, configure: Callable[[Reactor], object]) -> None:
    child = Child()

    def runs() -> None:
        own = Reactor()
        configure(own)
        child.on["ended"] = lambda *_: own.stop()
        own.callWhenRunning(own.spawnProcess, child, "/bin/sh", ["sh", "-c", "exit 9"])
        own.run()
        own.close()

    threads = set(threading.enumerate())
    thread = threading.Thread(target=runs)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert child.reason.exitCode == 9
    for left in set(threading.enumerate()) - threads:
        left.join(PATIENCE)


def test_pidfdRefused(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int) -> int:
        raise OSError(38, "not implemented")

    monkeypatch.setattr(os, "pidfd_open", refuse, raising=False)
    assert ended(net, shell(net, "exit 2")).reason.exitCode == 2


def test_somebodyElseWaited(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(pid: int, options: int) -> tuple[int, int]:
        monkeypatch.undo()
        os.waitpid(pid, options)
        raise ChildProcessError

    child = spawn(net, "cat")
    monkeypatch.setattr(os, "waitpid", gone)
    child.transport.closeStdin()
    ended(net, child)
    assert isinstance(child.reason, ProcessTerminated)
    assert (child.reason.exitCode, child.reason.signal, child.reason.status) == (None, None, None)
    assert "somebody else waited" in net.logged()[0].getMessage()


def test_signalWhileTheReactorRuns(net: Net) -> None:
    """In a process of its own, by run(), whose wait the signal has to end."""
    assert script(
        """
        import sys
        from reactor import reactor
        from reactor._core.children import Children
        from reactor.protocol import ProcessProtocol
        class P(ProcessProtocol):
            def processEnded(self, reason):
                print(reason.value.exitCode)
                reactor.stop()
        reactor._children = Children(reactor._loop)
        reactor._children.usePidfd = False
        reactor.spawnProcess(P(), "sh", ["sh", "-c", "sleep 0.05; exit 8"], childFDs={0: 0, 1: 1, 2: 2})
        reactor.callLater(10, reactor.crash)
        reactor.run()
        """
    ) == ["8"]
