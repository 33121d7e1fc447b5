"""`reactor.service.run` in processes of its own: signals, the service manager, and what goes wrong."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from script import FOLDER, SECONDS, outputs, script

SERVER = """
import sys
from zope.interface import implementer
from reactor.endpoints import serverFromString
from reactor.interfaces import IDrainable
from reactor.protocol import Factory, Protocol
from reactor.service import MultiService, StreamServerEndpointService, run

@implementer(IDrainable)
class Slow(Protocol):
    def dataReceived(self, data):
        self.transport.write(data)

    def drain(self):
        print("drain", flush=True)
        if "polite" in sys.argv:
            self.transport.write(b"bye")
            self.transport.loseConnection()

def tell(port):
    print(port.getHost().port, flush=True)

service = StreamServerEndpointService(serverFromString(None, "tcp:0:interface=127.0.0.1"), Factory.forProtocol(Slow))
everything = MultiService()
service.setServiceParent(everything)
everything.privilegedStartService()
service.whenListening().addCallback(tell)
everything.privilegedStartService = lambda: None
run(everything, drain=float(sys.argv[1]))
print("over", service.running, flush=True)
"""


@contextmanager
def server(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], socket.socket]]:
    """The process, and a connection with it that is being served."""
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", SERVER, *arguments]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": str(FOLDER), **environment},
    ) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            with socket.create_connection(("127.0.0.1", port), SECONDS) as client:
                client.sendall(b"hello")
                assert client.recv(100) == b"hello"
                yield process, client
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_aSignalDrains(number: signal.Signals) -> None:
    with server("20", "polite") as (process, client):
        process.send_signal(number)
        assert client.recv(100) == b"bye"
        assert client.recv(100) == b""
        assert process.communicate(timeout=SECONDS)[0] == "drain\nover False\n"
        assert process.returncode == 0


def test_whoDoesNotFinishIsAbortedAtTheDeadline() -> None:
    with server("0.05") as (process, client):
        process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionResetError):
            client.recv(100)
        said = process.communicate(timeout=SECONDS)[0].splitlines()
        assert said[0] == "drain" and said[-1] == "over False"
        assert "1 were cut off after 0.05 s" in said[1]


def test_aSecondSignalStopsAtOnce() -> None:
    with server("60") as (process, _client):
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None and process.stdout.readline() == "drain\n"
        process.send_signal(signal.SIGTERM)
        # What is said behind it is the interpreter's: nothing was closed any more.
        assert process.communicate(timeout=SECONDS)[0].splitlines()[0] == "over True"
        assert process.returncode == 0


def test_theServiceManagerIsTold(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(SECONDS)
        with server("20", "polite", NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="20000") as (process, client):
            heard = [manager.recv(100) for _ in range(5)]
            assert sorted(heard) == [b"READY=1"] + [b"WATCHDOG=1"] * 4
            process.send_signal(signal.SIGTERM)
            while heard[-1] != b"STOPPING=1":
                heard.append(manager.recv(100))
            assert client.recv(100) == b"bye"
            process.communicate(timeout=SECONDS)
        assert set(heard[5:-1]) <= {b"WATCHDOG=1"}


def test_whatTheStartRaisesComesOut() -> None:
    source = """
    from reactor.defer import Deferred, fail
    from reactor.service import Service, run
    from reactor import reactor
    stops = []
    class Bad(Service):
        def startService(self):
            super().startService()
            return self.problem()
        def stopService(self):
            stops.append(self.running)
            return super().stopService()
    def raising():
        raise KeyError("at once")
    for problem in (raising, lambda: fail(KeyError("later"))):
        service = Bad()
        service.problem = problem
        try:
            run(service)
        except KeyError as e:
            print(e.args, stops)
    """
    assert script(source) == ["('at once',) []", "('later',) [True]"]


def test_readyWhenTheDeferredOfTheStartHasFired() -> None:
    source = """
    from reactor import reactor
    from reactor.defer import Deferred
    from reactor.service import Notifier, Service, run
    class Telling(Notifier):
        def __init__(self): super().__init__(None)
        def notify(self, state):
            print(state)
            return True
    class Slow(Service):
        def startService(self):
            deferred = Deferred()
            reactor.callLater(0.01, print, "starting")
            reactor.callLater(0.02, deferred.callback, None)
            reactor.callLater(0.03, reactor.stop)
            return deferred
    for _ in range(2):
        run(Slow(), notifier=Telling())
    """
    assert script(source) == ["starting", "READY=1", "STOPPING=1"] * 2


def test_aServiceThatNeverStopsIsLeftBehind() -> None:
    source = """
    from reactor import reactor
    from reactor.defer import Deferred, fail
    from reactor.service import Service, run, running
    running.GRACE = 0.02
    class Endless(Service):
        def stopService(self): return Deferred()
    class Failing(Service):
        def stopService(self): return fail(ValueError("no"))
    for each in (Endless, Failing):
        reactor.callWhenRunning(reactor.stop)
        run(each(), drain=0)
    print(reactor.getDelayedCalls())
    """
    printed, said = outputs(source)
    assert printed == "[]\n"
    assert "has not stopped in 0.02 s: left behind" in said
    assert "could not be stopped" in said and "ValueError: no" in said


def test_portsOfTheReactorAreDrained() -> None:
    source = """
    from reactor import reactor
    from reactor.protocol import ClientFactory, Factory, Protocol
    from reactor.service import PortsService, TimerService, run
    class Stopping(Protocol):
        def connectionMade(self): reactor.callLater(0, reactor.stop)
    factories = [Factory.forProtocol(protocol) for protocol in (Protocol, Stopping)]
    ports = [reactor.listenTCP(0, factory, interface="127.0.0.1") for factory in factories]
    for port in ports:
        reactor.connectTCP("127.0.0.1", port.getHost().port, ClientFactory.forProtocol(Protocol))
    service = PortsService()
    timer = TimerService(1, print, "tick")
    timer.setServiceParent(service)
    drained = service.drain
    service.drain = lambda deadline: drained(deadline).addCallback(print, "were aborted")
    run(service, drain=0.01)
    print([port.connected for port in ports], timer.running)
    service.stopService()
    """
    assert script(source) == ["tick", "2 were aborted", "[False, False] False"]


def test_aDeadlineThatIsNone() -> None:
    from reactor.service import Service, run

    with pytest.raises(ValueError, match="drain must not be negative"):
        run(Service(), drain=-1)


def test_theStartFailsWhenSomebodyHasStoppedTheReactor() -> None:
    """In the same turn: what it failed with comes out of `run`, and nothing else is said."""
    said = script("""
from reactor import reactor
from reactor.defer import Deferred
from reactor.service import Service, run

class Failing(Service):
    def startService(self):
        super().startService()
        self.started = Deferred()
        return self.started

def both():
    reactor.stop()
    service.started.errback(KeyError("no start"))

service = Failing()
reactor.callLater(0, both)
try:
    run(service, 1)
except KeyError as e:
    print("raised", e)
""")
    assert said == ["raised 'no start'"]
