"""`DeferredFilesystemLock`, against a clock, a real directory and a real other process."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE

from reactor._ground import linklock
from reactor.defer import AlreadyTryingToLockError, CancelledError, Deferred, DeferredFilesystemLock, TimeoutError
from reactor.defer.filelock import FilesystemLock, isLocked
from reactor.task import Clock


@pytest.fixture
def name(tmp_path: Path) -> str:
    return str(tmp_path / "lock")


def told(d: Deferred[Any]) -> Any:
    """The exception of a Deferred that failed; it counts as handled."""
    value = d.result.value
    d.addErrback(lambda _: None)
    return value


def goneProcess() -> int:
    """The id of a process that was there and is not."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_lockAndUnlock(name: str) -> None:
    lock, other = FilesystemLock(name), FilesystemLock(name)
    assert lock.lock() is True
    assert (lock.locked, lock.clean, os.readlink(name)) == (True, True, str(os.getpid()))
    assert other.lock() is False
    assert (other.locked, isLocked(name)) == (False, True)
    lock.unlock()
    assert (lock.locked, os.path.lexists(name), isLocked(name)) == (False, False, False)


def test_lockOfAProcessThatIsGone(name: str) -> None:
    os.symlink(str(goneProcess()), name)
    lock = FilesystemLock(name)
    assert lock.lock() is True
    assert (lock.clean, os.readlink(name)) == (False, str(os.getpid()))


def test_lockOfAProcessThatLives(name: str) -> None:
    os.symlink("1", name)
    lock = FilesystemLock(name)
    assert lock.lock() is False
    with pytest.raises(ValueError, match="process 1"):
        lock.unlock()
    assert os.readlink(name) == "1"


def test_aLinkThatIsNoLockOfOursStays(name: str) -> None:
    for target in ("elsewhere", str(2**70)):
        os.symlink(target, name)
        assert FilesystemLock(name).lock() is False
        os.unlink(name)


def test_aLockThatIsReleasedWhileItIsLookedAt(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    os.symlink("1", name)

    def readlink(path: str) -> str:
        os.unlink(path)
        raise FileNotFoundError(path)

    monkeypatch.setattr(os, "readlink", readlink)
    assert FilesystemLock(name).lock() is True


def test_unlockWithoutALock(name: str) -> None:
    with pytest.raises(FileNotFoundError):
        FilesystemLock(name).unlock()


def test_lockedAtOnce(name: str) -> None:
    clock = Clock()
    lock = DeferredFilesystemLock(name, clock)
    d = lock.deferUntilLocked()
    assert (d.called, d.result, lock.locked) == (True, None, True)
    assert clock.getDelayedCalls() == []


def test_waitsUntilItIsFree(name: str) -> None:
    clock = Clock()
    held = FilesystemLock(name)
    held.lock()
    lock = DeferredFilesystemLock(name, scheduler=clock)
    d = lock.deferUntilLocked(timeout=10)
    clock.pump([1, 1])
    assert not d.called
    held.unlock()
    clock.advance(1)
    assert (d.called, lock.locked) == (True, True)
    assert clock.getDelayedCalls() == []


def test_givesUpInTime(name: str) -> None:
    clock = Clock()
    FilesystemLock(name).lock()
    lock = DeferredFilesystemLock(name, clock)
    d = lock.deferUntilLocked(timeout=2.5)
    clock.pump([1, 1, 0.5])
    error = told(d)
    assert type(error) is TimeoutError
    assert str(error) == f"Timed out acquiring lock: {name} after 2.500000s"
    assert clock.getDelayedCalls() == []


def test_cancelled(name: str) -> None:
    clock = Clock()
    held = FilesystemLock(name)
    held.lock()
    lock = DeferredFilesystemLock(name, clock)
    d = lock.deferUntilLocked(timeout=5)
    d.cancel()
    assert type(told(d)) is CancelledError
    assert clock.getDelayedCalls() == []
    held.unlock()
    assert lock.deferUntilLocked().called


def test_oneAtATime(name: str) -> None:
    FilesystemLock(name).lock()
    lock = DeferredFilesystemLock(name, Clock())
    d = lock.deferUntilLocked()
    assert type(told(lock.deferUntilLocked())) is AlreadyTryingToLockError
    d.cancel()
    told(d)


def test_whatTheSystemRefuses(name: str, tmp_path: Path) -> None:
    clock = Clock()
    lock = DeferredFilesystemLock(str(tmp_path / "missing" / "lock"), clock)
    assert isinstance(told(lock.deferUntilLocked()), FileNotFoundError)

    FilesystemLock(name).lock()
    lock = DeferredFilesystemLock(name, clock)
    d = lock.deferUntilLocked()
    os.unlink(name)
    Path(name).touch()
    clock.advance(1)
    # There is a file, but no link that could be read.
    assert isinstance(told(d), OSError)
    assert clock.getDelayedCalls() == []


def test_theReactorIsTheClock(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("reactor.defer.filelock.currentReactor", lambda: clock)
    held = FilesystemLock(name)
    held.lock()
    d = DeferredFilesystemLock(name).deferUntilLocked()
    held.unlock()
    clock.advance(1)
    assert d.called


def test_respectsAnotherProcess(name: str) -> None:
    code = (
        "import sys; from reactor.defer.filelock import FilesystemLock\n"
        "print(FilesystemLock(sys.argv[1]).lock(), flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None and child.stdin is not None
        assert child.stdout.readline() == "True\n"
        assert FilesystemLock(name).lock() is False
        child.stdin.close()
        child.wait(PATIENCE)
    lock = FilesystemLock(name)
    assert lock.lock() is True
    assert lock.clean is False


# Locks that are stale.


def test_D11_ourNumberAndNotOurLock(name: str) -> None:
    """As in a container that starts anew: the process that crashed had the number that this one has."""
    os.symlink(str(os.getpid()), name)
    lock = FilesystemLock(name)
    with pytest.raises(ValueError, match="an earlier process"):
        lock.unlock()
    assert not isLocked(name)
    os.symlink(str(os.getpid()), name)
    assert (lock.lock(), lock.clean) == (True, False)
    assert FilesystemLock(name).lock() is False
    # Any object of the process that has it may release it.
    FilesystemLock(name).unlock()
    assert not os.path.lexists(name)


def test_aStaleLockThatSomebodyElseBreaksFirst(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for other in ("1", None):
        os.symlink(str(goneProcess()), name)

        @contextmanager
        def breaking(folder: bytes, other: str | None = other) -> Iterator[bool]:
            os.unlink(name)
            if other is not None:
                os.symlink(other, name)
            yield True

        with monkeypatch.context() as patched:
            patched.setattr(linklock, "_breaking", breaking)
            lock = FilesystemLock(name)
            assert lock.lock() is (other is None)
            assert os.readlink(name) == (other or str(os.getpid()))
            # It was not this one that broke it.
            assert lock.clean
        os.unlink(name)


def test_whileLocksAreBrokenInItsFolderAStaleOneIsLeftAlone(name: str) -> None:
    os.symlink(str(goneProcess()), name)
    with linklock._breaking(os.fsencode(os.path.dirname(name))) as alone:
        assert alone
        assert FilesystemLock(name).lock() is False
    assert FilesystemLock(name).lock() is True


@pytest.mark.parametrize("refusal", [PermissionError, OSError])
def test_aStaleLockWhereThereIsNothingToLockFoldersWith(
    name: str, monkeypatch: pytest.MonkeyPatch, refusal: type[OSError]
) -> None:
    def refused(*args: Any) -> int:
        raise refusal

    os.symlink(str(goneProcess()), name)
    monkeypatch.setattr(*((os, "open") if refusal is PermissionError else (fcntl, "flock")), refused)
    assert FilesystemLock(name).lock() is True


def test_D11_oneOfTwoThatFindAStaleLock(tmp_path: Path) -> None:
    rounds = 400
    stale = str(goneProcess())
    for number in range(rounds):
        os.symlink(stale, tmp_path / str(number))
    code = (
        "import sys; from reactor.defer.filelock import FilesystemLock\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        f"print(*(int(FilesystemLock(f'{{sys.argv[1]}}/{{n}}').lock()) for n in range({rounds})), flush=True)\n"
        "sys.stdin.readline()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with ExitStack() as stack:
        both = [
            stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            for _ in range(2)
        ]
        for line in ("ready\n", None):
            told = [each.stdout.readline() for each in both]  # type: ignore[union-attr]
            if line is not None:
                assert told == [line] * 2
                for each in both:
                    each.stdin.write("go\n")  # type: ignore[union-attr]
                    each.stdin.flush()  # type: ignore[union-attr]
        # They live until here: a lock whose process has ended is stale, and rightly broken.
        for each in both:
            each.communicate("end\n")
    have = [[number for number, got in enumerate(line.split()) if got == "1"] for line in told]
    assert not set(have[0]) & set(have[1])
    assert have[0] or have[1]
