"""Row F6: descriptors that cannot be watched; and row R2 where the system has no more of what a child takes."""

from __future__ import annotations

from script import script
from strace import failing

# A client comes when 1024 and more are open, and an older one is answered behind that.
MANY = """
import fcntl, resource, selectors, socket
from reactor.base import Reactor
from reactor.protocol import ClientFactory, Factory, Protocol
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(2048, hard), hard))
reactor = Reactor(selectors.SelectSelector())
class Echo(Protocol):
    def connectionMade(self):
        print(self.factory.name, "made")
    def dataReceived(self, data):
        print(self.factory.name, data)
        self.transport.write(data)
    def connectionLost(self, reason):
        print(self.factory.name, reason.type.__name__, "descriptor" in str(reason.value))
class Server(Factory):
    noisy, name, protocol = False, "server", Echo
class Client(ClientFactory):
    noisy, name, protocol = False, "client", Echo
    def clientConnectionFailed(self, connector, reason):
        print(self.name, reason.type.__name__)
port = reactor.listenTCP(0, Server(), interface="127.0.0.1")
where = ("127.0.0.1", port.getHost().port)
def turn(count=10):
    for _ in range(count):
        reactor.iterate(0)
old = socket.create_connection(where)
turn()
filling = [socket.socket() for _ in range(1100 - old.fileno())]
print("full")
late = socket.create_connection(where)
turn()
late.settimeout(10)
try:
    print(late.recv(1))
except ConnectionResetError:
    print("reset")
paused = reactor.connectTCP(*where, Client())
turn()
old.sendall(b"still here")
turn()
print(old.recv(99))
for each in [old, late, *filling]:
    each.close()
turn()
print("over", len(reactor.getReaders()))
print(reactor.connectTCP(*where, Client()).disconnect())
reactor.callWhenRunning(reactor.stop)
reactor.run()
reactor.close()
"""


def test_F6_aNumberTooHighForSelect() -> None:
    """A peer that opens a thousand connections must not end the reactor of a program that waits with select."""
    printed = script(MANY)
    assert printed[:2] == ["server made", "full"]
    assert printed[2:5] == ["server made", "server ConnectionLost True", "b''"]
    # Our own client there fares as badly, before or behind its connectionMade, and so does what it connected to.
    ours = printed[5 : printed.index("b'still here'")]
    assert "client ConnectionLost True" in ours or "client ConnectError" in ours
    assert "server b'still here'" in ours
    assert printed[printed.index("b'still here'") :] == [
        *("b'still here'", "server ConnectionDone False", "over 1", "client UserError", "None")
    ]


def test_F6_aChildsNumberTooHighForSelect() -> None:
    """Its end is noticed in another way; its pipes fare as connections do."""
    printed = script(
        CHILD.replace(
            "reactor = Reactor()",
            """
import resource, selectors
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(2048, hard), hard))
reactor = Reactor(selectors.SelectSelector())
filling = [os.dup(0) for _ in range(1100)]
""",
        )
    )
    assert printed == ["made", "exited 3", "ended 3 [0, 1, 2]", "True"]


def test_F6_theSystemWatchesNoMore() -> None:
    printed = script(
        """
        import socket
        from reactor.base import Reactor
        from reactor.protocol import Factory, Protocol
        reactor = Reactor()
        class Greets(Protocol):
            def connectionMade(self):
                print("made")
                self.transport.write(b"hello")
                self.transport.loseConnection()
            def connectionLost(self, reason):
                print(reason.type.__name__, getattr(reason.value, "osError", None))
        class Server(Factory):
            noisy = False
            protocol = Greets
        port = reactor.listenTCP(0, Server(), interface="127.0.0.1")
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", port.getHost().port)) as client:
                for _ in range(5):
                    reactor.iterate(0)
                client.settimeout(10)
                try:
                    print(client.recv(10))
                except ConnectionResetError:
                    print("reset")
        reactor.callWhenRunning(reactor.stop)
        reactor.run()
        reactor.close()
        """,
        # The third is that of the first client: there is one for the waker, and one for the port.
        prefix=failing("epoll_ctl:error=ENOSPC:when=3"),
    )
    served = ["made", "ConnectionDone None", "b'hello'"]
    assert printed == ["made", "ConnectionLost 28", "reset", *served, *served]


CHILD = """
import os
from reactor.base import Reactor
from reactor.protocol import ProcessProtocol
reactor = Reactor()
class Child(ProcessProtocol):
    def connectionMade(self):
        print("made")
    def childConnectionLost(self, childFD):
        lost.append(childFD)
    def processExited(self, reason):
        print("exited", reason.value.exitCode)
    def processEnded(self, reason):
        print("ended", reason.value.exitCode, sorted(lost))
        reactor.stop()
before, lost = os.listdir("/proc/self/fd"), []
def run():
    try:
        reactor.spawnProcess(Child(), "/bin/sh", ["sh", "-c", "exit 3"])
    except OSError as e:
        print(type(e).__name__)
        reactor.callLater(0, reactor.stop)
reactor.callWhenRunning(run)
reactor.run()
print(os.listdir("/proc/self/fd") == before)
reactor.close()
"""


def test_F6_aChildsDescriptors() -> None:
    """One for the waker and one for the child's end, which is waited for in another way; and then for its pipes."""
    printed = script(CHILD, prefix=failing("epoll_ctl:error=ENOSPC:when=2..4"))
    assert printed == ["made", "exited 3", "ended 3 [0, 1, 2]", "True"]


def test_R2_noMoreProcesses() -> None:
    """And nothing is left of the pipes that were made for it."""
    printed = script(CHILD, prefix=failing("/^(v?fork|clone3?)$:error=EAGAIN"))
    assert printed == ["BlockingIOError", "True"]


def test_R2_noDescriptorForAPipe() -> None:
    assert script(CHILD, prefix=failing("pipe2:error=EMFILE:when=3")) == ["OSError", "True"]
