"""Listening on a UNIX socket: who may connect, what is left behind, what a lock is good for."""

from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path
from typing import Any

import pytest
from net import Net, Traced, TracedServer
from unixnet import connect, deadProcess, listen, staleSocket
from zope.interface.verify import verifyObject

from reactor._ground.linklock import Lock, holder
from reactor.address import UNIXAddress
from reactor.error import CannotListenError, UnsupportedAddressFamily
from reactor.interfaces import IListeningPort, IReactorUNIX

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


def refused(net: Net, path: Any, **options: Any) -> CannotListenError:
    server = TracedServer()
    with pytest.raises(CannotListenError) as caught:
        net.reactor.listenUNIX(path, server, **options)
    assert server.events == []
    return caught.value


def serves(net: Net, path: Any) -> bool:
    client = connect(net, path, made=lambda protocol: protocol.lose())
    net.until(lambda: client.over)
    return "CM" in client.events


def test_interfaces(net: Net, tmp_path: Path) -> None:
    assert verifyObject(IReactorUNIX, net.reactor)
    assert verifyObject(IListeningPort, listen(net, tmp_path / "s").listening)


@pytest.mark.parametrize("kind", [str, os.fsencode, Path])
def test_aPathOfEveryType(net: Net, tmp_path: Path, kind: Any) -> None:
    path = kind(str(tmp_path / "ß"))
    port = listen(net, path).listening
    assert port.getHost() == UNIXAddress(os.fspath(path))
    assert serves(net, path)
    net.result(port.stopListening())
    assert os.listdir(tmp_path) == []


def test_aPathThatIsNoText(net: Net, tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff"
    assert listen(net, path).listening.getHost() == UNIXAddress(path)
    assert serves(net, path)


def test_X1_aFileThatIsThereIsNotTouched(net: Net, tmp_path: Path) -> None:
    staleSocket(tmp_path / "stale")
    (tmp_path / "file").write_text("mine")
    for name in ("stale", "file"):
        before = os.lstat(tmp_path / name)
        error = refused(net, tmp_path / name)
        assert error.osError == errno.EADDRINUSE
        assert os.fspath(tmp_path / name) in str(error)
        assert os.lstat(tmp_path / name).st_ino == before.st_ino


def test_X2_theLockOfADeadProcessIsBroken(net: Net, tmp_path: Path) -> None:
    path, lock = tmp_path / "s", tmp_path / "s.lock"
    staleSocket(path)
    os.symlink(str(deadProcess()), lock)
    port = listen(net, path, wantPID=True).listening
    assert os.readlink(lock) == str(os.getpid())
    assert serves(net, path)
    net.result(port.stopListening())
    assert os.listdir(tmp_path) == []


def test_X2_theLockOfAnEarlierProcessWithOurNumberIsBroken(net: Net, tmp_path: Path) -> None:
    # As after the restart of a container.
    staleSocket(tmp_path / "s")
    os.symlink(str(os.getpid()), tmp_path / "s.lock")
    listen(net, tmp_path / "s", wantPID=True)
    assert serves(net, tmp_path / "s")


def test_X2_onlyASocketIsReplaced(net: Net, tmp_path: Path) -> None:
    (tmp_path / "s").write_text("mine")
    os.symlink(str(deadProcess()), tmp_path / "s.lock")
    assert refused(net, tmp_path / "s", wantPID=True).osError == errno.EADDRINUSE
    assert (tmp_path / "s").read_text() == "mine"
    assert os.listdir(tmp_path) == ["s"]


def test_X2_aStaleSocketWithoutALockIsNotTouched(net: Net, tmp_path: Path) -> None:
    staleSocket(tmp_path / "s")
    assert refused(net, tmp_path / "s", wantPID=True).osError == errno.EADDRINUSE
    # The lock that was taken for it is not left behind.
    assert os.listdir(tmp_path) == ["s"]


def test_X3_theLockIsHeld(net: Net, tmp_path: Path) -> None:
    path = tmp_path / "s"
    port = listen(net, path, wantPID=True).listening
    error = refused(net, path, wantPID=True)
    assert f"Cannot acquire lock: process {os.getpid()} holds {path}.lock" in str(error)
    assert (error.port, error.osError) == (str(path), errno.EADDRINUSE)
    assert serves(net, path)
    net.result(port.stopListening())
    assert os.listdir(tmp_path) == []
    net.ports.append(net.reactor.listenUNIX(path, TracedServer(), wantPID=True))


def test_X3_ofAnotherProcess(net: Net, tmp_path: Path) -> None:
    # Process 1 is always there, and nobody else's to signal unless this is root.
    os.symlink("1", tmp_path / "s.lock")
    assert "Cannot acquire lock: process 1 holds" in str(refused(net, tmp_path / "s", wantPID=True))
    assert os.readlink(tmp_path / "s.lock") == "1"


@pytest.mark.parametrize("target", ["", "0", "-1", "x", "12x", "99999999999999999999", "²"])
def test_X3_whatIsNoLockIsNotBroken(net: Net, tmp_path: Path, target: str) -> None:
    lock = tmp_path / "s.lock"
    if target:
        os.symlink(target, lock)
    else:
        lock.write_text("a file")
    assert "Cannot acquire lock: " in str(refused(net, tmp_path / "s", wantPID=True))
    assert os.path.lexists(lock)
    assert holder(os.fsencode(lock)) == -1


def test_aLockThatChangesHandsIsNotBroken(net: Net, tmp_path: Path) -> None:
    # Two processes found the same dead lock; the other one breaks it first.
    import fcntl

    os.symlink(str(deadProcess()), tmp_path / "s.lock")
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        lock = Lock(os.fsencode(tmp_path / "s.lock"))
        with pytest.raises(OSError, match="Cannot acquire lock"):
            lock.take()
    finally:
        os.close(folder)
    lock.take()
    assert lock.broken
    # Not ours any more: it is left alone.
    os.unlink(tmp_path / "s.lock")
    os.symlink("1", tmp_path / "s.lock")
    lock.release()
    lock.release()
    assert os.readlink(tmp_path / "s.lock") == "1"


def test_aLockThatIsGoneAlready(net: Net, tmp_path: Path) -> None:
    lock = Lock(os.fsencode(tmp_path / "s.lock"))
    lock.take()
    os.unlink(tmp_path / "s.lock")
    lock.release()
    assert holder(os.fsencode(tmp_path / "s.lock")) is None


def test_X6_aPathThatIsTooLong(net: Net, tmp_path: Path) -> None:
    path = "/tmp/" + "x" * 200
    error = refused(net, path)
    assert error.osError == errno.ENAMETOOLONG
    assert "too long: it has 205 bytes" in str(error)


@pytest.mark.parametrize(("umask", "mode"), [(0o022, None), (0, None), (0, 0o666), (0o077, 0o666), (0o777, 0o640)])
def test_X7_whoMayConnect(net: Net, tmp_path: Path, umask: int, mode: int | None) -> None:
    before = os.umask(umask)
    try:
        listen(net, tmp_path / "s", **({} if mode is None else {"mode": mode}))
    finally:
        os.umask(before)
    expected = 0o600 if mode is None else mode
    assert stat.S_IMODE(os.stat(tmp_path / "s").st_mode) == expected


def test_X7_thereIsNoMomentWithMore(net: Net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without chmod() afterwards: so the file had these permissions from the start.
    monkeypatch.setattr(os, "chmod", lambda *args: pytest.fail("changed afterwards"))
    before = os.umask(0)
    try:
        listen(net, tmp_path / "s")
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(tmp_path / "s").st_mode) == 0o600


def test_anAbstractName(net: Net, tmp_path: Path) -> None:
    name = f"\0{tmp_path}"
    port = listen(net, name).listening
    assert port.getHost() == UNIXAddress(name)
    assert serves(net, name)
    assert serves(net, name.encode())
    assert refused(net, name).osError == errno.EADDRINUSE
    with pytest.raises(ValueError, match="wantPID needs a path"):
        net.reactor.listenUNIX(name, TracedServer(), wantPID=True)
    net.result(port.stopListening())
    net.ports.append(net.reactor.listenUNIX(name, TracedServer()))


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((7,), TypeError, "address must be a path as str, bytes or os.PathLike, not 7"),
        (("",), ValueError, "address must not be empty"),
        (("a\0b",), ValueError, "address must have no NUL but a leading one"),
        (("s", None, "5"), TypeError, "backlog must be an int, not '5'"),
        (("s", None, -1), ValueError, "backlog must not be negative, not -1"),
        (("s", None, 5, "600"), TypeError, "mode must be an int, the file's permissions, not '600'"),
        (("s", None, 5, 0o1666), ValueError, "mode must be from 0o000 to 0o777, not 0o1666"),
    ],
)
def test_whatIsNoArgument(net: Net, arguments: tuple[Any, ...], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=f"listenUNIX\\(\\): {text}"):
        address, *more = arguments
        net.reactor.listenUNIX(address, TracedServer(), *more[1:])


def test_theFolderIsMissing(net: Net, tmp_path: Path) -> None:
    for wantPID in (False, True):
        assert refused(net, tmp_path / "none" / "s", wantPID=wantPID).osError == errno.ENOENT


def test_theFileIsRemovedWhateverTheFolderIsNow(net: Net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    port = listen(net, "s", wantPID=True).listening
    monkeypatch.chdir("/")
    net.result(port.stopListening())
    assert os.listdir(tmp_path) == []


def test_aSuccessorsFileIsLeft(net: Net, tmp_path: Path) -> None:
    port = listen(net, tmp_path / "s").listening
    os.rename(tmp_path / "s", tmp_path / "old")
    listen(net, tmp_path / "s")
    net.result(port.stopListening())
    assert serves(net, tmp_path / "s")
    net.result(net.ports[-1].stopListening())
    assert os.listdir(tmp_path) == ["old"]


def test_aFileThatIsGoneAlready(net: Net, tmp_path: Path) -> None:
    port = listen(net, tmp_path / "s").listening
    os.unlink(tmp_path / "s")
    net.result(port.stopListening())


def test_whenTheReactorStops(net: Net, tmp_path: Path) -> None:
    listen(net, tmp_path / "s", wantPID=True)
    assert sorted(os.listdir(tmp_path)) == ["s", "s.lock"]
    net.stopReactor()
    assert os.listdir(tmp_path) == []


def test_listeningAgain(net: Net, tmp_path: Path) -> None:
    port = listen(net, tmp_path / "s", wantPID=True).listening
    net.result(port.stopListening())
    port.startListening()
    assert serves(net, tmp_path / "s")
    assert os.readlink(tmp_path / "s.lock") == str(os.getpid())


def test_aDoStartThatRaises(net: Net, tmp_path: Path) -> None:
    class Failing(TracedServer):
        def doStart(self) -> None:
            raise KeyError("not today")

    with pytest.raises(KeyError, match="not today"):
        net.reactor.listenUNIX(tmp_path / "s", Failing(), wantPID=True)
    # Nobody holds on to the path.
    listen(net, tmp_path / "t")


def test_adoptedPort(net: Net, tmp_path: Path) -> None:
    theirs = net.keep(socket.socket(socket.AF_UNIX))
    theirs.bind(str(tmp_path / "s"))
    theirs.listen()
    server = TracedServer()
    net.servers.append(server)
    port: Any = net.reactor.adoptStreamPort(theirs.fileno(), socket.AF_UNIX, server)
    assert port.getHost() == UNIXAddress(str(tmp_path / "s"))
    assert serves(net, tmp_path / "s")
    net.until(lambda: server.built)
    net.result(port.stopListening())
    # The file is theirs, as is the socket.
    assert os.listdir(tmp_path) == ["s"]
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "s"))


def test_adoptedConnection(net: Net) -> None:
    ours, theirs = socket.socketpair()
    net.keep(theirs)
    server = TracedServer()
    net.servers.append(server)
    with ours:
        transport: Any = net.reactor.adoptStreamConnection(ours.fileno(), socket.AF_UNIX, server)
    assert (transport.getHost(), transport.getPeer()) == (UNIXAddress(None), UNIXAddress(None))
    theirs.sendall(b"hello")
    net.until(lambda: server.built[0].received == b"hello")
    refuser = TracedServer(lambda address: None)
    assert net.reactor.adoptStreamConnection(theirs.fileno(), socket.AF_UNIX, refuser) is None


@pytest.mark.parametrize("method", ["adoptStreamPort", "adoptStreamConnection"])
def test_whatCannotBeAdopted(net: Net, method: str) -> None:
    adopt = getattr(net.reactor, method)
    with pytest.raises(UnsupportedAddressFamily, match="addressFamily is AF_UNIX, descriptor"):
        adopt(net.keep(socket.socket()).fileno(), socket.AF_UNIX, TracedServer())
    with pytest.raises((OSError, CannotListenError)):
        adopt(net.keep(socket.socket(socket.AF_UNIX)).fileno(), socket.AF_UNIX, TracedServer())

    def fail(address: Any) -> Traced:
        raise KeyError("not today")

    if method == "adoptStreamConnection":
        ours, theirs = map(net.keep, socket.socketpair())
        with pytest.raises(KeyError, match="not today"):
            adopt(ours.fileno(), socket.AF_UNIX, TracedServer(fail))
