"""Child processes under Twisted: what a program is told is what Twisted's own reactor tells it, and no fork is made."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("twisted")

from bothreactors import Log, Told, sameOnBoth, tracesOf
from twisted.internet import interfaces, process
from twisted.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from twisted.internet.protocol import ProcessProtocol
from zope.interface.verify import verifyObject

from reactor.twisted import TwistedReactor
from reactor.twisted.processes import Process, Reader, Writer

# Twisted forks by itself, whatever threads there are.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

SH = "/bin/sh"


class Noting(ProcessProtocol):
    """Writes down what it is told, and stops the reactor at the child's end."""

    def __init__(self, reactor: Any, told: Told) -> None:
        self.reactor, self.told = reactor, told
        self.read: dict[int, bytes] = {}
        self.lost: list[int] = []

    def connectionMade(self) -> None:
        self.told.append(("made", sorted(self.transport.pipes), self.transport.status))

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        self.read[childFD] = self.read.get(childFD, b"") + data

    def childConnectionLost(self, childFD: int) -> None:
        self.lost.append(childFD)

    def processExited(self, reason: Any) -> None:
        self.told.append(("exited", said(reason), self.transport.pid, self.transport.status))

    def processEnded(self, reason: Any) -> None:
        # In which order pipes are closed is the system's affair.
        self.told.append(("ended", said(reason), self.read, sorted(self.lost), dict(self.transport.pipes)))
        self.reactor.callLater(0, self.reactor.crash)


def said(reason: Any) -> Any:
    value = reason.value
    return reason.type, str(value), value.exitCode, value.signal, value.status


def spawned(
    protocol: Any, script: str = "", args: Sequence[str] = (), env: Mapping[str, str] | None = None, **more: Any
) -> Any:
    """A shell that runs `script`."""
    return protocol.reactor.spawnProcess(protocol, SH, args or ["sh", "-c", script], env=env, **more)


@pytest.fixture
def noFork(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise AssertionError("a fork")

    monkeypatch.setattr(os, "fork", refuse)


def test_toAndFro() -> None:
    def scene(reactor: Any, told: Told) -> None:
        transport = spawned(Noting(reactor, told), "cat; echo more >&2")
        told.append((isinstance(transport, process.Process), type(transport).__name__, transport.pid > 0))
        told.append(repr(transport).replace(str(transport.pid), "PID"))
        transport.write(b"one ")
        transport.writeSequence([b"two ", b"three "])
        transport.writeToChild(0, b"four")
        transport.closeStdin()

    told = sameOnBoth(scene, signals=True)
    assert told[0] == ("made", [0, 1, 2], -1)
    assert told[-1][2] == {1: b"one two three four", 2: b"more\n"}
    assert told[-1][1][:3] == (ProcessDone, told[-1][1][1], 0)


@pytest.mark.parametrize("how", ["exit 3", "kill -9 $$", "kill -TERM $$"])
def test_howItEnded(how: str) -> None:
    def scene(reactor: Any, told: Told) -> None:
        spawned(Noting(reactor, told), how)

    assert sameOnBoth(scene, signals=True)[-1][1][0] is ProcessTerminated


@pytest.mark.parametrize("name", ["KILL", "TERM", "INT", signal.SIGHUP])
def test_signals(name: Any) -> None:
    class Signalling(Noting):
        def childDataReceived(self, childFD: int, data: bytes) -> None:
            self.transport.signalProcess(name)

        def processEnded(self, reason: Any) -> None:
            super().processEnded(reason)
            try:
                self.transport.signalProcess(name)
            except ProcessExitedAlready as e:
                self.told.append(str(e))

    def scene(reactor: Any, told: Told) -> None:
        spawned(Signalling(reactor, told), "echo up; exec sleep 1000")

    assert len(sameOnBoth(scene, signals=True)) == 4


def test_otherDescriptors(tmp_path: Path) -> None:
    def scene(reactor: Any, told: Told) -> None:
        file = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            transport = spawned(
                Noting(reactor, told),
                "cat <&5 >&3; echo to the file >&4; ls /proc/self/fd >&3",
                childFDs={3: "r", 4: file, 5: "w", 1: file},
            )
        finally:
            os.close(file)
        transport.writeToChild(5, b"through\n")
        transport.closeChildFD(5)
        transport.closeChildFD(9)
        # There is no standard input.
        transport.write(b"dropped")

    told = sameOnBoth(scene, signals=True)
    # 2 is the directory that `ls` reads, or 0.
    assert told[-1][2][3].startswith(b"through\n")
    assert (tmp_path / "file").read_text() == "to the file\n"


@pytest.mark.usefixtures("noFork")
def test_elsewhereWithoutAFork(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "program").write_text("#!/bin/sh\npwd; echo $HOME; exec ls /proc/self/fd\n")
    (folder / "program").chmod(0o755)
    more = [os.open(os.devnull, os.O_RDONLY) for _ in range(50)]
    for fd in more:
        os.set_inheritable(fd, True)

    def scene(reactor: Any, told: Told) -> None:
        # Relative to where it runs, not to where we are.
        reactor.spawnProcess(
            *(Noting(reactor, told), "./program", ["program"]),
            env={"HOME": "/nowhere", "PATH": os.defpath},
            path=str(folder),
        )

    try:
        told = tracesOf(scene, TwistedReactor, signals=True)
    finally:
        for fd in more:
            os.close(fd)
    # 3 is the directory that `ls` reads.
    assert told[-1][2] == {1: f"{folder}\n/nowhere\n0\n1\n2\n3\n".encode()}


@pytest.mark.parametrize("elsewhere", [False, True])
def test_environments(elsewhere: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a program without a slash is found, and what it finds."""
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "which-one").write_text(f'#!/bin/sh\necho {place} "$OURS" "$THEIRS"\n')
        (tmp_path / place / "which-one").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'here'}:{os.environ['PATH']}")
    monkeypatch.setenv("OURS", "ours")

    def scene(reactor: Any, told: Told) -> None:
        left = [2]

        class Two(Noting):
            def processEnded(self, reason: Any) -> None:
                super().processEnded(reason)
                left[0] -= 1

        folder = str(tmp_path) if elsewhere else None
        env = {"PATH": str(tmp_path / "there"), "THEIRS": "theirs"}
        first = Noting(reactor, told)
        first.processEnded = lambda reason: (  # type: ignore[method-assign]
            told.append(first.read),
            reactor.spawnProcess(Noting(reactor, told), "which-one", ["which-one"], env=None, path=folder),
        )
        reactor.spawnProcess(first, "which-one", [b"which-one"], env=env, path=folder)

    told = sameOnBoth(scene, signals=True)
    assert told[-1][2] == {1: b"here ours \n"}


def test_whatCannotBeRun(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no program")

    def scene(reactor: Any, told: Told) -> None:
        # What others have left is not to go meanwhile.
        gc.collect()
        before = len(os.listdir("/proc/self/fd"))
        for what, name in [(FileNotFoundError, "missing"), (PermissionError, "file")]:
            with pytest.raises(what):
                reactor.spawnProcess(Noting(reactor, told), str(tmp_path / name), ["it"])
        told.append(len(os.listdir("/proc/self/fd")) - before)
        # In another directory it is the child that says so.
        reactor.spawnProcess(Last(reactor, told), str(tmp_path / "missing"), ["it"], path="/")

    class Last(Noting):
        def processEnded(self, reason: Any) -> None:
            self.read = {fd: data[:13] for fd, data in self.read.items()}
            super().processEnded(reason)

    told = sameOnBoth(scene, signals=True)
    assert told[-1][1][2] == 1
    assert told[-1][2] == {2: b"Upon execvpe "}


def test_aChildThatHearsNothingMore() -> None:
    class Writing(Noting):
        def childConnectionLost(self, childFD: int) -> None:
            super().childConnectionLost(childFD)
            if childFD == 0:
                self.told.append(sorted(self.transport.pipes))
                # Goes nowhere.
                self.transport.write(b"x")
                self.transport.signalProcess("KILL")

    def scene(reactor: Any, told: Told) -> None:
        transport = spawned(Writing(reactor, told), "exec <&-; exec sleep 1000")
        transport.write(b"x" * 200_000)

    assert [1, 2] in sameOnBoth(scene, signals=True)


def test_pausedAndResumed() -> None:
    class Pausing(Noting):
        def childDataReceived(self, childFD: int, data: bytes) -> None:
            super().childDataReceived(childFD, data)
            if data == b"1":
                self.transport.pauseProducing()
                self.transport.write(b"x")
                self.reactor.callLater(0.05, self.resume)

        def resume(self) -> None:
            self.told.append(dict(self.read))
            self.transport.resumeProducing()

    def scene(reactor: Any, told: Told) -> None:
        spawned(Pausing(reactor, told), "printf 1; head -c 1 >/dev/null; printf 2")

    told = sameOnBoth(scene, signals=True)
    assert {1: b"1"} in told
    assert told[-1][2] == {1: b"12"}


@pytest.mark.parametrize("streaming", [True, False])
def test_producers(streaming: bool) -> None:
    class Producing(Noting):
        def connectionMade(self) -> None:
            self.left = 8
            self.transport.registerProducer(self, streaming)
            with pytest.raises(RuntimeError):
                self.transport.registerProducer(self, streaming)
            if streaming:
                self.resumeProducing()

        def resumeProducing(self) -> None:
            if self.left:
                self.left -= 1
                self.transport.write(b"x" * 100_000)
                if not self.left:
                    self.transport.unregisterProducer()
                    self.transport.closeStdin()

        def pauseProducing(self) -> None:
            self.told.append("pause")

        def stopProducing(self) -> None:
            self.told.append("stop")

    def scene(reactor: Any, told: Told) -> None:
        spawned(Producing(reactor, told), "wc -c")

    told = sameOnBoth(scene, signals=True)
    assert told[-1][2] == {1: b"800000\n"}
    assert ("pause" in told) is streaming


def test_aProtocolThatRaises() -> None:
    class Raising(Noting):
        def childDataReceived(self, childFD: int, data: bytes) -> None:
            self.told.append(data)
            raise ZeroDivisionError

        def childConnectionLost(self, childFD: int) -> None:
            super().childConnectionLost(childFD)
            raise KeyError(childFD)

    class Killing(Raising):
        def childConnectionLost(self, childFD: int) -> None:
            if childFD == 1:
                self.transport.signalProcess("KILL")
            super().childConnectionLost(childFD)

    def killing(reactor: Any, told: Told) -> None:
        spawned(Killing(reactor, told), "echo; exec sleep 1000")

    with Log() as events:
        told = sameOnBoth(killing, signals=True)
    assert told[-1][3] == [0, 1, 2]
    assert sorted(kind.__name__ for kind in events.failures()) == ["KeyError"] * 6 + ["ZeroDivisionError"] * 2


def test_manyAtOnce() -> None:
    def scene(reactor: Any, told: Told) -> None:
        left = [30]

        class One(Noting):
            def processEnded(self, reason: Any) -> None:
                told.append((said(reason), self.read))
                left[0] -= 1
                if not left[0]:
                    reactor.crash()

        for number in range(30):
            spawned(One(reactor, []), f"echo {number % 3}; exit {number % 3}")

    told = tracesOf(scene, TwistedReactor, signals=True)
    assert sorted(reads[1] for _, reads in told) == [b"%d\n" % (number // 10) for number in range(30)]


def test_terminals() -> None:
    def scene(reactor: Any, told: Told) -> None:
        class Typing(Noting):
            def connectionMade(self) -> None:
                self.told.append(type(self.transport) is process.PTYProcess)

            def processExited(self, reason: Any) -> None:
                self.told.append(said(reason))

            def processEnded(self, reason: Any) -> None:
                self.told.append((said(reason), self.read))
                self.reactor.callLater(0, self.reactor.crash)

        reactor.spawnProcess(
            Typing(reactor, told), SH, ["sh", "-c", "tty >/dev/null && echo yes"], env=None, usePTY=True
        )
        with pytest.raises(ValueError, match="childFDs"):
            reactor.spawnProcess(Typing(reactor, told), SH, ["sh"], usePTY=True, childFDs={})

    assert sameOnBoth(scene, signals=True)[-1][1] == {1: b"yes\r\n"}


def test_aProgramsOwnProcess() -> None:
    """A subclass of Twisted's class, as buildbot's, given our reactor: its child's code runs, and its pipes do."""

    class Own(process.Process):
        def _trySpawnInsteadOfFork(self, *args: Any) -> bool:
            return False

        def _setupChild(self, *args: Any, **kw: Any) -> None:
            super()._setupChild(*args, **kw)
            os.setpgid(0, 0)

    def scene(reactor: Any, told: Told) -> None:
        script = "import os, sys; print(os.getpgid(0) == os.getpid(), sys.stdin.read())"
        args = [sys.executable, "-c", script]
        own = Own(reactor, sys.executable, args, dict(os.environ), None, Noting(reactor, told))
        own.write(b"heard")
        own.closeStdin()

    assert sameOnBoth(scene, signals=True)[-1][2] == {1: b"True heard\n"}


def test_otherPipesInTheirPlaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever replaces what Twisted's class makes of pipes, or how it starts a child, is heard."""
    made: list[Any] = []

    class Own(process.ProcessReader):
        def dataReceived(self, data: bytes) -> None:
            made.append(data)
            super().dataReceived(data)

    monkeypatch.setattr(process.Process, "processReaderFactory", Own)
    monkeypatch.setattr(process.Process, "_trySpawnInsteadOfFork", lambda *args: made.append("asked"))

    def scene(reactor: Any, told: Told) -> None:
        transport = spawned(Noting(reactor, told), "echo hello")
        told.append(type(transport.pipes[1]) is Own)

    assert sameOnBoth(scene, signals=True)[-1][2] == {1: b"hello\n"}
    assert made == ["asked", b"hello\n"] * 2


def test_thePipesInTwistedsWords() -> None:
    reactor = TwistedReactor()
    assert interfaces.IReactorProcess.providedBy(reactor)
    told: Told = []

    def scene() -> None:
        transport = spawned(Noting(reactor, told), "cat")
        assert isinstance(transport, Process)
        assert verifyObject(interfaces.IProcessTransport, transport)
        reader, writer = transport.pipes[1], transport.pipes[0]
        assert isinstance(reader, Reader)
        assert isinstance(writer, Writer)
        assert verifyObject(interfaces.IPushProducer, reader)
        assert verifyObject(interfaces.IConsumer, writer)
        for pipe in (reader, writer):
            assert os.fstat(pipe.fileno())
            assert pipe.connected
            assert not pipe.disconnecting
            assert pipe.proc is transport
            assert pipe.reactor is reactor
            pipe.somethingOfTheirs = 1
        assert reader in reactor.getReaders()
        reader.stopReading()
        assert reader not in reactor.getReaders()
        reader.startReading()
        writer.write(b"x")
        writer.loseConnection()
        assert writer.disconnecting
        with pytest.raises(TypeError):
            writer.write("text")
        told.append((reader, writer))

    reactor.callWhenRunning(scene)
    reactor.run()
    for pipe in told[1]:
        assert pipe.fileno() == -1
        assert not pipe.connected
    reactor.disconnectAll()


def test_withoutSignals() -> None:
    """Ours alone: Twisted's reactor does not hear of a child that ends after its pipes did, unless by a signal."""

    def scene(reactor: Any, told: Told) -> None:
        class Ending(Noting):
            def childConnectionLost(self, childFD: int) -> None:
                super().childConnectionLost(childFD)
                if len(self.lost) == 3:
                    reactor.callLater(0, self.transport.signalProcess, "TERM")

        spawned(Ending(reactor, told), "exec <&- >&- 2>&-; exec sleep 1000")

    told = tracesOf(scene, TwistedReactor)
    assert [each[0] for each in told] == ["made", "exited", "ended"]
    assert told[-1][1][3] == signal.SIGTERM
    assert process.reapProcessHandlers == {}


def test_theReactorStopsWithALiveChild() -> None:
    reactor = TwistedReactor()
    told: Told = []

    def scene() -> None:
        protocol = Noting(reactor, told)
        told.append(spawned(protocol, "exec cat"))
        told.append(protocol)
        reactor.stop()

    reactor.callWhenRunning(scene)
    reactor.run()
    # It hears that by its standard input.
    assert sorted(told[2].lost) == [0, 1, 2]
    assert os.waitpid(told[1].pid, 0)[1] == 0
    process.reapProcessHandlers.clear()
