"""Child processes: how they are run, what they have, what is heard of them, and what is left of them."""

from __future__ import annotations

import gc
import os
import selectors
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from children import Child, children, ended, python, shell, spawn
from net import Net, descriptors, pattern
from script import script

from reactor.base import Reactor
from reactor.error import ProcessDone, ProcessExitedAlready, ProcessTerminated

default = pytest.mark.parametrize("net", ["default"], indirect=True)
asRoot = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture(autouse=True)
def noZombie() -> Iterator[None]:
    before = children()
    yield
    assert children() <= before


# Every way to start one: Popen, posix_spawn, and the stage in between.
WAYS: dict[str, dict[str, Any]] = {
    "popen": {},
    "popen in a directory": {"path": "/usr"},
    "posix_spawn": {"childFDs": {0: "w", 1: "r", 2: "r", 3: "r"}},
    "stage": {"childFDs": {0: "w", 1: "r", 2: "r", 3: "r"}, "path": "/usr"},
}
everyWay = pytest.mark.parametrize("how", WAYS.values(), ids=WAYS)


# R1.


def test_R1_exitZero(net: Net) -> None:
    child = ended(net, shell(net, "exit 0"))
    assert isinstance(child.reason, ProcessDone)
    assert (child.reason.exitCode, child.reason.signal, child.reason.status) == (0, None, 0)
    assert child.reasons[0].value is child.reason
    assert sorted(child.events[1:4] + child.events[4:-1]) == ["exited", "lost 0", "lost 1", "lost 2"]


@everyWay
def test_R1_exitThree(net: Net, how: dict[str, Any]) -> None:
    child = ended(net, shell(net, "exit 3", **how))
    assert isinstance(child.reason, ProcessTerminated)
    assert (child.reason.exitCode, child.reason.signal, child.reason.status) == (3, None, 3 << 8)


@pytest.mark.parametrize("by", ["KILL", "SIGTERM", signal.SIGINT, 1])
def test_R1_killed(net: Net, by: Any) -> None:
    child = spawn(net, "sleep", "60", on={"made": lambda child: child.transport.signalProcess(by)})
    number = {"KILL": 9, "SIGTERM": 15}.get(by, by)
    ended(net, child)
    assert isinstance(child.reason, ProcessTerminated)
    assert (child.reason.exitCode, child.reason.signal) == (None, number)
    with pytest.raises(ProcessExitedAlready):
        child.transport.signalProcess("KILL")


def test_R1_endedOnlyAfterAllPipesAreClosed(net: Net) -> None:
    """A grandchild keeps the pipes: exited comes long before ended, and what it writes meanwhile is heard."""
    child = shell(net, "exec 3<&0; (read line <&3; echo $line) & exit 4")
    net.until(lambda: "exited" in child.events)
    net.turn(5)
    assert not child.over
    child.transport.write(b"late\n")
    ended(net, child)
    assert child.out == b"late\n"
    assert child.reason.exitCode == 4


# R2.


@default
@pytest.mark.parametrize("how", [{}, {"path": "/"}, {"usePTY": True}, {"usePTY": True, "path": "/"}, {"childFDs": {}}])
@pytest.mark.parametrize(
    ("executable", "error"),
    [
        ("/nonexistent/program", FileNotFoundError),
        ("no-such-program-anywhere", FileNotFoundError),
        ("/etc/passwd", PermissionError),
        ("/", PermissionError),
    ],
)
def test_R2_whatCannotBeRun(net: Net, executable: str, error: type[OSError], how: dict[str, Any]) -> None:
    before, child, family = descriptors(), Child(), children()
    with pytest.raises(error):
        net.reactor.spawnProcess(child, executable, [executable], **how)
    assert descriptors() == before
    assert children() == family
    net.turn()
    assert child.events == []


@default
@pytest.mark.parametrize("how", [{}, {"usePTY": True}])
def test_R2_aDirectoryThatIsNotThere(net: Net, how: dict[str, Any]) -> None:
    before = descriptors()
    with pytest.raises(FileNotFoundError):
        net.reactor.spawnProcess(Child(), "true", ["true"], path="/nonexistent", **how)
    assert descriptors() == before


@default
@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"executable": 3}, TypeError),
        ({"executable": "true", "args": "true"}, TypeError),
        ({"executable": "true", "args": ["true", 1]}, TypeError),
        ({"executable": "true", "args": ["tr\0ue"]}, ValueError),
        ({"executable": "true", "env": {"A": None}}, TypeError),
        ({"executable": "true", "env": {"A=B": "c"}}, ValueError),
        ({"executable": "true", "path": 1}, TypeError),
        ({"executable": "true", "uid": "root"}, TypeError),
        ({"executable": "true", "childFDs": {0: "x"}}, ValueError),
        ({"executable": "true", "childFDs": {-1: "r"}}, ValueError),
        ({"executable": "true", "childFDs": {0: 5}, "usePTY": True}, ValueError),
        ({"processProtocol": None, "executable": "true"}, TypeError),
    ],
)
def test_R2_argumentsThatAreNone(net: Net, arguments: dict[str, Any], error: type[Exception]) -> None:
    before = descriptors()
    with pytest.raises(error):
        net.reactor.spawnProcess(**{"processProtocol": Child(), **arguments})
    assert descriptors() == before


# R4.


def test_R4_fiftyAtOnce(net: Net) -> None:
    before = descriptors()
    all_ = [spawn(net, "cat") for _ in range(50)]
    for child in all_:
        child.transport.closeStdin()
    net.until(lambda: all(child.over for child in all_))
    assert {type(child.reason) for child in all_} == {ProcessDone}
    assert descriptors() == before


# R5.


def test_R5_theChildClosesStdin(net: Net) -> None:
    child = shell(net, "exec 0<&-; echo closed; read x <&3", childFDs={0: "w", 1: "r", 2: "r", 3: "w"})
    net.until(lambda: child.out)
    child.transport.write(pattern(200_000))
    net.until(lambda: "lost 0" in child.events)
    # Nowhere to go any more.
    child.transport.write(b"more")
    child.transport.writeToChild(3, b"end\n")
    ended(net, child)


@default
def test_R5_theChildClosesStdinAndNobodyWrites(net: Net) -> None:
    child = shell(net, "exec 0<&-; read x <&3", childFDs={0: "w", 1: "r", 2: "r", 3: "w"})
    net.until(lambda: "lost 0" in child.events)
    child.transport.closeChildFD(3)
    ended(net, child)


# R7.

_OPEN = (
    "import os; print(*sorted(int(n) for n in os.listdir('/proc/self/fd') if os.path.lexists(f'/proc/self/fd/{n}')))"
)


@default
@everyWay
def test_R7_noDescriptorButItsOwn(net: Net, how: dict[str, Any]) -> None:
    reads, writes = os.pipe()
    for fd in (reads, writes):
        os.set_inheritable(fd, True)
    try:
        child = ended(net, python(net, _OPEN, **how))
    finally:
        os.close(reads)
        os.close(writes)
    assert child.out.split() == [str(fd).encode() for fd in how.get("childFDs", (0, 1, 2))]


@default
def test_R7_onATerminalToo(net: Net) -> None:
    reads, writes = os.pipe()
    os.set_inheritable(writes, True)
    try:
        child = ended(net, python(net, _OPEN, usePTY=True))
    finally:
        os.close(reads)
        os.close(writes)
    assert child.out.split() == [b"0", b"1", b"2"]


# R8.


@pytest.mark.parametrize("selector", [None, selectors.SelectSelector, selectors.PollSelector])
def test_R8_stopWithALivingChild(selector: Any) -> None:
    own, child = Reactor(selector and selector()), Child()
    own.callWhenRunning(own.spawnProcess, child, "sleep", ["sleep", "60"])
    own.callLater(0, own.stop)
    own.run(installSignalHandlers=False)
    assert child.events == ["made", "lost 0", "lost 1", "lost 2"] or sorted(child.events) == sorted(
        ["made", "lost 0", "lost 1", "lost 2"]
    )
    # It lives on, and its end is heard of when the reactor runs again.
    child.on["ended"] = lambda *_: own.stop()
    own.callWhenRunning(child.transport.signalProcess, "KILL")
    own.run(installSignalHandlers=False)
    assert child.reason.signal == 9
    own.close()


def test_R8_closingAReactorWithALivingChild() -> None:
    before = descriptors()
    own, child = Reactor(), Child()
    process = own.spawnProcess(child, "sleep", ["sleep", "60"])
    own.close()
    pid = process.pid
    assert pid is not None
    del own, process
    child.transport = None
    gc.collect()
    assert descriptors() == before
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


# R9, S4.


def masks(child: Child) -> dict[str, int]:
    lines = [line.split() for line in child.out.decode().splitlines() if line.startswith("Sig")]
    return {name.rstrip(":"): int(value, 16) for name, value in lines if name != "SigQ:"}


@default
@pytest.mark.parametrize("how", [{}, {"path": "/usr"}, {"usePTY": True}, {"usePTY": True, "path": "/usr"}])
def test_R9_noSignalIsBlocked(net: Net, how: dict[str, Any]) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGCHLD])
    try:
        child = ended(net, spawn(net, "cat", "/proc/self/status", **how))
        assert signal.SIGUSR1 in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert masks(child)["SigBlk"] == 0


@default
@everyWay
def test_S4_sigpipeIsDefaultInTheChild(net: Net, how: dict[str, Any]) -> None:
    assert signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN
    child = ended(net, spawn(net, "cat", "/proc/self/status", **how))
    assert masks(child)["SigIgn"] & 1 << (signal.SIGPIPE - 1) == 0


@default
@pytest.mark.parametrize("how", [{}, {"path": "/usr"}])
def test_S4_allThatIsIgnoredHereIsDefaultInTheChild(net: Net, how: dict[str, Any]) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        child = ended(net, spawn(net, "cat", "/proc/self/status", **how))
    finally:
        signal.signal(signal.SIGHUP, before)
    assert masks(child)["SigIgn"] & 1 == 0


# What a child has.


@default
@everyWay
def test_environmentAndDirectory(net: Net, how: dict[str, Any]) -> None:
    child = ended(net, spawn(net, "/usr/bin/env", env={"ONE": "1", "TWO": "zwei"}, **how))
    assert sorted(child.out.split()) == [b"ONE=1", b"TWO=zwei"]
    assert ended(net, spawn(net, "/usr/bin/env", **how)).out == b""
    inherited = ended(net, spawn(net, "/usr/bin/env", env=None, **how))
    assert f"PATH={os.environ['PATH']}".encode() in inherited.out.splitlines()
    where = ended(net, spawn(net, "/bin/pwd", **how))
    assert where.out.strip().decode() == how.get("path", str(Path.cwd()))


@default
@everyWay
def test_arguments(net: Net, how: dict[str, Any]) -> None:
    child = ended(
        net, python(net, "import sys; print(ascii(sys.argv[1:]))", "a b", b"\xff", "", env={b"A": b"b"}, **how)
    )
    assert child.out.strip() == b"['a b', '\\udcff', '']"


@default
def test_withoutArgumentsItsNameIsTheOnlyOne(net: Net) -> None:
    child = Child()
    net.reactor.spawnProcess(child, b"/bin/pwd", path=b"/usr")
    assert ended(net, child).out == b"/usr\n"


@default
@asRoot
@pytest.mark.parametrize("how", [{}, {"usePTY": True}])
def test_userAndGroup(net: Net, how: dict[str, Any]) -> None:
    child = ended(net, spawn(net, "id", uid=65534, gid=12345, **how))
    assert child.out.startswith(b"uid=65534") and b"gid=12345" in child.out
    assert b"(root)" not in child.out
    child = ended(net, shell(net, "id -u; id -g; id -G", gid=12345, **how))
    assert child.out.split() == [b"0", b"12345", b"12345"]


# Pipes.


def test_everyByteBothWays(net: Net) -> None:
    data = pattern(1_000_000)
    child = spawn(net, "cat")
    child.transport.write(data[:10])
    child.transport.writeSequence([data[10:1000], bytearray(data[1000:300_000])])
    child.transport.write(memoryview(data)[300_000:])
    child.transport.closeStdin()
    child.transport.write(b"dropped")
    ended(net, child)
    assert child.out == data


@default
@pytest.mark.parametrize("how", [{}, {"path": "/usr"}])
def test_descriptorsOfEveryKind(net: Net, how: dict[str, Any], tmp_path: Path) -> None:
    """Swapped, doubled, high, and missing ones."""
    with open(tmp_path / "file", "wb") as file:
        child = python(
            net,
            "import os\n"
            "a, b = os.read(4, 9), os.read(7, 9)\n"
            "os.write(3, a); os.write(200, b); os.write(1, b'file')\n"
            "for closed in (0, 2, 5, 6, 8):\n"
            "    try: os.fstat(closed)\n"
            "    except OSError: continue\n"
            "    os.write(3, b'open %d' % closed)\n",
            childFDs={4: "w", 7: "w", 3: "r", 200: "r", 1: file.fileno()},
            **how,
        )
        child.transport.writeToChild(4, b"four")
        child.transport.writeToChild(7, b"seven")
        ended(net, child)
    assert child.received == {3: b"four", 200: b"seven"}
    assert (tmp_path / "file").read_bytes() == b"file"


@default
def test_descriptorsSwapped(net: Net) -> None:
    (outReads, outWrites), (errReads, errWrites) = os.pipe(), os.pipe()
    low, high = sorted((outWrites, errWrites))
    child = Child()
    # Each stands where the other is wanted.
    source = f"import os; os.write({low}, b'low'); os.write({high}, b'high')"
    args = [sys.executable, "-I", "-S", "-c", source]
    net.reactor.spawnProcess(child, sys.executable, args, childFDs={low: high, high: low, 0: 0, 1: 1, 2: 2})
    ended(net, child)
    for fd in (outWrites, errWrites):
        os.close(fd)
    ends = {outWrites: outReads, errWrites: errReads}
    assert (os.read(ends[high], 9), os.read(ends[low], 9)) == (b"low", b"high")
    for fd in (outReads, errReads):
        os.close(fd)


@default
def test_withoutProtocol(net: Net, tmp_path: Path) -> None:
    with open(tmp_path / "file", "wb") as file:
        process = net.reactor.spawnProcess(
            None, "/bin/sh", ["sh", "-c", "echo done"], childFDs={0: 0, 1: file.fileno(), 2: 2}
        )
        net.until(lambda: process.pid is None)
    assert (tmp_path / "file").read_bytes() == b"done\n"
    assert process.status == 0


@default
def test_errorsOfUse(net: Net) -> None:
    child = spawn(net, "cat")
    transport = child.transport
    with pytest.raises(TypeError, match=r"transport\.write\(\).*encode"):
        transport.write("text")
    with pytest.raises(TypeError, match="one piece"):
        transport.writeSequence(b"x")
    with pytest.raises(KeyError):
        transport.writeToChild(5, b"x")
    with pytest.raises(ValueError, match="child writes"):
        transport.writeToChild(1, b"x")
    with pytest.raises(ValueError, match="no signal called 'NOPE'"):
        transport.signalProcess("NOPE")
    with pytest.raises(TypeError, match="signalID"):
        transport.signalProcess(None)
    transport.closeChildFD(17)
    assert repr(transport) == f"<Process pid={transport.pid} status=-1>"
    transport.loseConnection()
    assert len(child.events) == 1
    ended(net, child)


@default
def test_closingOutputs(net: Net) -> None:
    child = shell(net, "read x; echo out; echo err >&2; exit 5")
    child.transport.closeStdout()
    child.transport.closeStderr()
    assert child.events == ["made"]
    net.until(lambda: {"lost 1", "lost 2"} <= set(child.events))
    child.transport.write(b"\n")
    ended(net, child)
    assert child.received == {}


def test_pushProducer(net: Net) -> None:
    """Paused while the child does not read, resumed when it has read."""

    class Producer:
        calls: list[str] = []

        def pauseProducing(self) -> None:
            self.calls.append("pause")

        def resumeProducing(self) -> None:
            self.calls.append("resume")

        def stopProducing(self) -> None:
            self.calls.append("stop")

    producer = Producer()
    producer.calls.clear()
    child = shell(net, "read x <&3; exec cat", childFDs={0: "w", 1: "r", 2: "r", 3: "w"})
    data = pattern(500_000)
    child.transport.registerProducer(producer, True)
    with pytest.raises(RuntimeError, match="registered"):
        child.transport.registerProducer(producer, True)
    child.transport.write(data)
    assert producer.calls == ["pause"]
    child.transport.closeStdin()
    net.turn(5)
    assert producer.calls == ["pause"]
    child.transport.writeToChild(3, b"\n")
    net.until(lambda: producer.calls == ["pause", "resume"])
    child.transport.write(b"tail")
    child.transport.unregisterProducer()
    ended(net, child)
    assert child.out == data + b"tail"
    child.transport.registerProducer(producer, True)
    assert producer.calls[-1] == "stop"


@default
def test_pullProducer(net: Net) -> None:
    pieces = [pattern(50_000 + n) for n in range(10)]
    left = pieces[:]
    child = spawn(net, "cat")

    class Producer:
        def resumeProducing(self) -> None:
            if left:
                child.transport.write(left.pop(0))
            else:
                child.transport.unregisterProducer()
                child.transport.closeStdin()

        def stopProducing(self) -> None:
            raise AssertionError

    child.transport.registerProducer(Producer(), False)
    ended(net, child)
    assert child.out == b"".join(pieces)


@default
def test_pausedProcess(net: Net) -> None:
    child = shell(net, "echo out; echo err >&2")
    child.transport.pauseProducing()
    net.until(lambda: "exited" in child.events)
    net.assertIdle()
    assert child.received == {} and not child.over
    child.transport.resumeProducing()
    ended(net, child)
    assert child.received == {1: b"out\n", 2: b"err\n"}


def boom(*args: Any) -> None:
    raise RuntimeError("boom")


@default
@pytest.mark.parametrize("hook", ["made", "lost", "exited", "ended"])
def test_I7_aHookThatRaises(net: Net, hook: str) -> None:
    child = shell(net, "echo x", on={hook: boom})
    ended(net, child)
    assert child.out == b"x\n"
    net.expectErrors(3 if hook == "lost" else 1)


@default
def test_I7_dataThatRaisesClosesThatPipe(net: Net) -> None:
    child = shell(net, "echo x; echo y >&2; read z", on={"data": lambda child, fd, data: fd == 1 and boom()})
    net.until(lambda: "lost 1" in child.events)
    net.until(lambda: 2 in child.received)
    child.transport.closeStdin()
    ended(net, child)
    net.expectErrors(1)


# Terminals.


def test_terminal(net: Net) -> None:
    child = shell(net, "tty; echo there > /dev/tty; read x; echo got $x", env=None, usePTY=True)
    child.transport.write(b"this\n")
    ended(net, child)
    lines = child.out.replace(b"\r", b"").split(b"\n")
    assert any(line.startswith(b"/dev/") for line in lines)
    assert b"there" in lines and b"got this" in lines
    assert isinstance(child.reason, ProcessDone)
    assert not any(event.startswith("lost") for event in child.events)


@default
def test_terminalThatIsGiven(net: Net) -> None:
    master, slave = os.openpty()
    name = os.ttyname(slave)
    child = shell(net, "tty; read x", env=None, usePTY=(master, slave, name))
    net.until(lambda: child.out.endswith(b"\n"))
    assert child.out.split() == [name.encode()]
    for method, args in (("writeToChild", (0, b"x")), ("closeChildFD", (0,))):
        with pytest.raises(NotImplementedError):
            getattr(child.transport, method)(*args)
    for method in ("closeStdin", "closeStdout", "closeStderr"):
        getattr(child.transport, method)()
    # Its terminal is gone, and that kills it.
    child.transport.loseConnection()
    ended(net, child)
    assert child.reason.signal == signal.SIGHUP


@default
def test_muchOverATerminal(net: Net) -> None:
    child = shell(net, "stty raw -echo; echo; head -c 300000; sleep 0.05", env=None, usePTY=True)
    net.until(lambda: child.out)
    child.received.clear()
    data = pattern(300_000)
    child.transport.write(data)
    ended(net, child)
    assert child.out == data or child.out == b"\n" + data


# One process of its own for what concerns the whole of it.


def test_threadsRunOnAndNoneIsForked() -> None:
    """Spawned from a reactor in another thread, while others allocate: nothing hangs, nothing warns."""
    assert script(
        """
        import threading
        from reactor.base import Reactor
        from reactor.utils import getProcessOutput
        stop = threading.Event()
        def busy():
            while not stop.is_set():
                [bytes(1000) for _ in range(100)]
        threads = [threading.Thread(target=busy) for _ in range(3)]
        own = Reactor()
        results = []
        def begin():
            for _ in range(10):
                getProcessOutput("echo", ["x"], reactor=own).addCallback(got)
        def got(out):
            results.append(out)
            if len(results) == 10:
                own.stop()
        own.callWhenRunning(begin)
        for thread in threads: thread.start()
        runs = threading.Thread(target=own.run)
        runs.start(); runs.join(); stop.set()
        for thread in threads: thread.join()
        own.close()
        print(set(results))
        """
    ) == ["{b'x\\n'}"]
