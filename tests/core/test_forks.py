"""A process that forks while its reactor runs: the child does nothing of what its parent does, and the parent notices
nothing of the child.
"""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from script import outputs, script

from reactor._core.forks import tellInFork
from reactor._core.timers import TimerQueue
from reactor._core.triggers import Triggers

# One callback forks; everything that is to be done besides says where it is done. Each is done once, by the parent.
PROGRAM = """
import os, socket, sys
from reactor.base import Reactor
from reactor.protocol import ClientFactory, DatagramProtocol, Factory, ProcessProtocol, Protocol
where, how, folder = sys.argv[1:]
me = os.getpid()
reactor = Reactor()

def note(*words):
    # Not print: a child would have a copy of what is in its buffer.
    os.write(1, (" ".join(map(str, words)) + (" in the child" if os.getpid() != me else "") + "\\n").encode())
    waited.discard(" ".join(map(str, words)))
    if not waited and reactor.running and os.getpid() == me and "stopping" not in globals():
        globals()["stopping"] = reactor.callLater(0, reactor.stop)

waited = {
    "call 1", "call 2", "client lost ConnectionDone", "datagram datagram", "failed ConnectionRefusedError",
    "process ended", "reader read", "server lost ConnectionDone", "started",
    "timer first", "timer second", "timer third",
}
forked = False

def fork(place):
    global forked
    if place != where or forked:
        return
    forked = True
    child = os.fork()
    if child:
        note("status", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        return
    sys.stderr = open(os.devnull, "w")
    if how == "exit":
        sys.exit(3)
    if how == "raise":
        raise KeyError("of the child")
    if how == "use":
        reactor.callLater(0, note, "a timer of the child's")
        reactor.callFromThread(note, "a call of the child's")
        for each in (server, client, raw):
            if each.transport is not None:
                each.transport.write(b"from the child")
                each.transport.loseConnection() if each is not raw else None

class Echo(Protocol):
    def connectionMade(self):
        global server
        server = self
        fork("made")
    def dataReceived(self, data):
        self.transport.write(data)
        fork("data")
    def connectionLost(self, reason):
        note("server lost", reason.type.__name__)
        fork("lost")

class Server(Factory):
    noisy = False
    protocol = Echo
    def buildProtocol(self, address):
        fork("build")
        return super().buildProtocol(address)

class Asks(Protocol):
    def connectionMade(self):
        self.transport.write(b"x" * 5)
    received = b""
    def dataReceived(self, data):
        self.received += data
        if len(self.received) == 5:
            note("client received", self.received.decode())
            self.transport.loseConnection()
    def connectionLost(self, reason):
        note("client lost", reason.type.__name__)

class Client(ClientFactory):
    noisy = False
    def buildProtocol(self, address):
        global client
        client = Asks()
        return client
    def clientConnectionLost(self, connector, reason):
        reactor.callLater(0, last)

class Refused(ClientFactory):
    noisy = False
    def clientConnectionFailed(self, connector, reason):
        note("failed", reason.type.__name__)
        fork("failed")

class Raw(DatagramProtocol):
    def datagramReceived(self, data, address):
        note("datagram", data.decode())
        fork("datagram")

class Told(ProcessProtocol):
    def outReceived(self, data):
        note("process wrote", data.decode().strip())
        fork("process")
    def processEnded(self, reason):
        note("process ended")

class Reader:
    def fileno(self):
        return ours.fileno()
    def doRead(self):
        note("reader", ours.recv(9).decode())
        fork("reader")
    def connectionLost(self, reason):
        note("reader lost", reason.type.__name__)
    def logPrefix(self):
        return "reader"

def timer(name):
    note("timer", name)
    if name == "first":
        fork("timer")

def last():
    process.write(b"written\\n")
    process.closeStdin()

def begin():
    global process, raw, ours, theirs
    fork("startup")
    port = reactor.listenTCP(0, Server(), interface="127.0.0.1")
    number = port.getHost().port
    path = os.path.join(folder, "socket")
    unix = reactor.listenUNIX(path, Server(), wantPID=True)
    there = lambda: note("paths", os.path.exists(path), os.path.lexists(path + ".lock"))
    reactor.addSystemEventTrigger("before", "shutdown", there)
    raw = Raw()
    ours, theirs = socket.socketpair()
    theirs.sendall(b"read")
    reactor.addReader(Reader())
    udp = reactor.listenUDP(0, raw, interface="127.0.0.1")
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"datagram", ("127.0.0.1", udp.getHost().port))
    process = reactor.spawnProcess(Told(), "/bin/cat", ["cat"])
    reactor.connectTCP("127.0.0.1", number, Client())
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = closed.getsockname()[1]
    reactor.connectTCP("127.0.0.1", nobody, Refused())
    for name in ("first", "second", "third"):
        reactor.callLater(0, timer, name)
    reactor.callFromThread(lambda: (note("call 1"), fork("call")))
    reactor.callFromThread(note, "call 2")

def shutdown(phase, number):
    note("shutdown", phase, number)
    fork(f"shutdown {phase}") if number == 1 else None

server = client = None
for phase in ("before", "during", "after"):
    for number in (1, 2):
        reactor.addSystemEventTrigger(phase, "shutdown", shutdown, phase, number)
reactor.addSystemEventTrigger("after", "startup", begin)
reactor.addSystemEventTrigger("after", "startup", note, "started")
reactor.run()
note("run returned")
"""
DONE = sorted(
    """
call 1
call 2
client lost ConnectionDone
client received xxxxx
datagram datagram
failed ConnectionRefusedError
paths True True
process ended
process wrote written
reader lost ConnectionLost
reader read
run returned
server lost ConnectionDone
shutdown after 1
shutdown after 2
shutdown before 1
shutdown before 2
shutdown during 1
shutdown during 2
started
timer first
timer second
timer third
""".split("\n")[1:-1]
)
PLACES = [
    *("startup", "timer", "call", "reader", "build", "made", "data", "lost", "failed", "datagram", "process"),
    *("shutdown before", "shutdown during", "shutdown after"),
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("how", "status"), [("exit", 3), ("raise", 1), ("return", 1), ("use", 1)])
def test_F5_aChildThatLeavesTheCallback(place: str, how: str, status: int, tmp_path: Any) -> None:
    """By sys.exit, by an exception, or as if nothing had happened; and one that goes on using what it finds."""
    if how == "use" and place == "startup":
        pytest.skip("there is nothing yet to be used")
    printed, said = outputs(NOTICED + PROGRAM, place, how, tmp_path)
    assert sorted(printed.splitlines()) == sorted([*DONE, f"status {status}"]), said


# Python's own remarks on forks are not what is tested.
NOTICED = "import warnings\nwarnings.simplefilter('ignore')\n"


def test_F5_whatIsQueuedIsSentOnce() -> None:
    """More than the kernel takes is queued when the child begins to live on."""
    printed = script(
        NOTICED
        + """
import os, socket, sys
from reactor.base import Reactor
from reactor.protocol import Factory, Protocol
reactor = Reactor()
size = 3000000
class Sends(Protocol):
    def connectionMade(self):
        self.transport.write(bytes(range(250)) * (size // 250))
        reactor.callLater(0, self.fork)
        self.transport.loseConnection()
    def fork(self):
        child = os.fork()
        if child:
            os.waitpid(child, 0)
        else:
            sys.stderr = open(os.devnull, "w")
    def connectionLost(self, reason):
        print(reason.type.__name__, flush=True)
        reactor.stop()
factory = Factory.forProtocol(Sends)
factory.noisy = False
port = reactor.listenTCP(0, factory, interface="127.0.0.1")
number = port.getHost().port
reader = os.fork()
if not reader:
    with socket.create_connection(("127.0.0.1", number)) as sock:
        got = b""
        while data := sock.recv(65536):
            got += data
    print(len(got), got == bytes(range(250)) * (size // 250), flush=True)
    os._exit(0)
reactor.run()
os.waitpid(reader, 0)
"""
    )
    assert sorted(printed) == ["3000000 True", "ConnectionDone"]


def test_F5_whatTheChildSees() -> None:
    """Nothing that runs or is connected; what would need the kernel is refused, with what to do instead."""
    printed = script(
        NOTICED
        + """
import os
from reactor.base import Reactor
from reactor.error import ReactorNotRunning
from reactor.protocol import ClientFactory, Factory, Protocol
from reactor._ground.current import runningReactor
reactor = Reactor()
def refused(f, *args):
    try:
        f(*args)
    except (RuntimeError, ReactorNotRunning) as e:
        return type(e).__name__
def look(transport):
    child = os.fork()
    if child:
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        reactor.stop()
        return
    print(reactor.running, runningReactor(), transport.connected, reactor.getReaders(), reactor.getDelayedCalls())
    transport.write(b"x")
    transport.loseConnection()
    transport.abortConnection()
    print(refused(reactor.stop), refused(reactor.run), refused(reactor.iterate), refused(port.stopListening))
    print(refused(reactor.listenTCP, 0, Factory()), refused(reactor.callInThread, int))
    print(refused(reactor.connectTCP, "127.0.0.1", 1, ClientFactory()))
    reactor.callFromThread(print, "never")
    reactor.close()
    own = Reactor()
    own.callLater(0, print, "its own")
    own.callLater(0, own.stop)
    own.run()
    print(flush=True)
    os._exit(0)
class Client(ClientFactory):
    noisy = False
    def buildProtocol(self, address):
        made = Protocol()
        reactor.callLater(0, lambda: look(made.transport))
        return made
factory = Factory.forProtocol(Protocol)
factory.noisy = False
port = reactor.listenTCP(0, factory, interface="127.0.0.1")
reactor.callLater(3600, print, "too late")
reactor.connectTCP("127.0.0.1", port.getHost().port, Client())
reactor.run()
"""
    )
    assert printed == [
        "False None False [] []",
        "ReactorNotRunning RuntimeError RuntimeError RuntimeError",
        "RuntimeError RuntimeError",
        "RuntimeError",
        "its own",
        "",
        "0",
    ]


# Signals.

SIGNALS = """
import os, signal, sys
from reactor.base import Reactor
own = lambda *args: None
before = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)}
reactor = Reactor()
"""


def test_F9_signalsInAFork() -> None:
    """What there was before the reactor ran is there again; the parent keeps its handlers."""
    printed = script(
        NOTICED
        + SIGNALS
        + """
def look():
    child = os.fork()
    if not child:
        print({name: signal.getsignal(name) for name in before} == before, signal.set_wakeup_fd(-1), flush=True)
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
    print(-os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)
reactor.callWhenRunning(look)
reactor.run()
print("stopped")
"""
    )
    assert printed == ["True -1", "True", "stopped"]


def test_F9_handlersOfTheProgramsOwnInAFork() -> None:
    """Those from before, and those that were set while it ran."""
    printed = script(
        NOTICED
        + SIGNALS
        + """
signal.signal(signal.SIGTERM, own)
def look():
    other = lambda *args: None
    signal.signal(signal.SIGINT, other)
    child = os.fork()
    if not child:
        print(signal.getsignal(signal.SIGTERM) is own, signal.getsignal(signal.SIGINT) is other, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    reactor.stop()
reactor.callWhenRunning(look)
reactor.run()
"""
    )
    assert printed == ["True True"]


def test_F9_aHandlerFromOutsidePython() -> None:
    """Python cannot set it again: a fork gets the default, so that it can be ended."""
    printed = script(
        NOTICED
        + SIGNALS
        + """
import ctypes, ctypes.util
libc = ctypes.CDLL(None)
callback = ctypes.CFUNCTYPE(None, ctypes.c_int)(lambda number: None)
libc.signal(signal.SIGTERM, callback)
# Python reads the handlers when it begins; a fresh interpreter would say None of this one.
import reactor._core.signals as module
class Signal:
    def __getattr__(self, name):
        return getattr(signal, name)
    def signal(self, number, handler):
        found = signal.signal(number, handler)
        return None if number == signal.SIGTERM and callable(handler) and handler.__name__ == "stopped" else found
module.signal = Signal()
def look():
    child = os.fork()
    if not child:
        print(signal.getsignal(signal.SIGTERM) == signal.SIG_DFL, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    reactor.stop()
reactor.callWhenRunning(look)
reactor.run()
"""
    )
    assert printed == ["True"]


def test_F9_aPoolOfProcesses() -> None:
    """`terminate()`, as multiprocessing ends its children, from inside a callback."""
    printed = script(
        NOTICED
        + """
import multiprocessing, time
from reactor import reactor
def begin():
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(pool.map(abs, [-1, 2]))
    process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,), daemon=True)
    process.start()
    process.terminate()
    process.join()
    print(process.exitcode)
    reactor.stop()
reactor.callWhenRunning(begin)
reactor.run()
"""
    )
    assert printed == ["[1, 2]", str(-signal.SIGTERM)]


def test_F9_childrenThatAreNoneOfTheForks() -> None:
    """The handler of SIGCHLD, where there are no pidfds."""
    printed = script(
        NOTICED
        + SIGNALS
        + """
from reactor.protocol import ProcessProtocol
class Told(ProcessProtocol):
    def processEnded(self, reason):
        print("ended", reason.type.__name__)
        reactor.stop()
def begin():
    reactor._watched().usePidfd = False
    process = reactor.spawnProcess(Told(), "/bin/cat", ["cat"])
    child = os.fork()
    if not child:
        print(signal.getsignal(signal.SIGCHLD) == before[signal.SIGCHLD], flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    process.closeStdin()
reactor.callWhenRunning(begin)
reactor.run()
"""
    )
    assert printed == ["True", "ended ProcessDone"]


# The parts.


class Told:
    """Counts how often it is told, in a file that both processes have."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def forked(self) -> None:
        os.write(self.fd, b"x")


# The threads of tests before may still be there; the child does nothing that could wait for them.
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_whoIsTold() -> None:
    """Those that live, once, in the child."""
    reads, writes = os.pipe()
    things = [Told(writes), Told(writes), Told(writes)]
    for thing in things:
        tellInFork(thing)
    tellInFork(things[0])
    del things[1]
    del thing
    child = os.fork()
    if not child:
        grandchild = os.fork()
        if grandchild:
            os.waitpid(grandchild, 0)
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writes)
    with open(reads, "rb") as file:
        assert file.read() == b"xx"


def test_timersThatAreAbandoned() -> None:
    """Those that are to come, and those that are about to be made."""
    now = [0.0]
    queue = TimerQueue(lambda: now[0])
    calls = [queue.callLater(delay, print, "made") for delay in (0, 1, 5)]
    now[0] = 2.0
    queue.ready = list(queue.due(now[0]))
    queue.abandon()
    assert [call.active() for call in calls] == [False] * 3
    assert queue.calls() == [] and queue.heap == []


def test_triggersThatAreForgotten() -> None:
    """Those to come, of this event and of others, the end of the event that is being fired included."""
    called: list[str] = []
    triggers = Triggers(lambda problem: None)
    for event in ("this", "other"):
        for phase in ("before", "during", "after"):
            triggers.add(phase, event, called.append, (f"{event} {phase}",), {})
    triggers.add("before", "this", triggers.forget, (), {})
    triggers.add("before", "this", called.append, ("late",), {})
    triggers.fire("this", lambda: called.append("built-in"), lambda: called.append("done"))
    triggers.fire("other")
    assert called == ["this before"]
