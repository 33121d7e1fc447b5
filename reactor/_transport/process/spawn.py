"""Starts a child process: a program, its descriptors, its surroundings in; a process id out. What cannot be run is an
OSError here and now, with nothing left behind.

No Python runs between fork and exec, which other threads make unsafe. There are two ways:

- `subprocess.Popen`, where the child has just the descriptors 0, 1 and 2: in C, by vfork, and with close_range.
- `os.posix_spawn`, which puts any descriptor at any number, makes a session with a terminal, and resets every signal
  and the signal mask; but knows no directory, user or group. Where those are asked for as well, it runs a small Python
  program that sees to them (`stage`).

Every signal that is ignored here (SIGPIPE, by Python itself) has its default again in the child, and none is blocked.
"""

from __future__ import annotations

import errno
import os
import signal
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, NamedTuple

    Text = str | bytes

    class Program(NamedTuple):
        """What to run: a file, its arguments, its environment, its directory, its user and its group."""

        file: Text
        args: Sequence[Text]
        env: Mapping[str, str] | Mapping[bytes, bytes] | None
        path: Text | None
        uid: int | None
        gid: int | None

else:
    from collections import namedtuple

    Program = namedtuple("Program", "file args env path uid gid")

_STANDARD = {0, 1, 2}


def located(executable: Text) -> Text:
    """`executable` itself if it has a slash, else where this process's PATH has it.

    FileNotFoundError when it is nowhere, PermissionError when what is there cannot be run.
    """
    name = os.fsdecode(executable)
    if "/" in name:
        return executable
    problem = errno.ENOENT
    for folder in os.get_exec_path():
        file = os.path.join(folder, name)
        try:
            if not stat.S_ISREG(os.stat(file).st_mode):
                continue
        except OSError:
            continue
        if os.access(file, os.X_OK):
            return file
        problem = errno.EACCES
    raise OSError(problem, os.strerror(problem), name)


# Without the enums that `signal` puts around what it returns: 3 us for all signals, and 36 with them, at each child.
try:
    from _signal import getsignal as _getsignal  # type: ignore[import-not-found,unused-ignore]
except ImportError:
    _getsignal = signal.getsignal
_IGNORED = int(signal.SIG_IGN)


def ignoredSignals() -> set[int]:
    """The signals that this process ignores."""
    return {number for number in range(1, signal.NSIG) if _getsignal(number) == _IGNORED}


def groupsOf(uid: int | None, gid: int | None) -> list[int] | None:
    """The groups of user `uid`, and `gid`, for a child that becomes that user; None when it keeps those it has."""
    if os.geteuid() != 0:
        # The system would refuse; the rest is refused as well unless nothing changes.
        return None
    group = os.getegid() if gid is None else gid
    if uid is None:
        return [group]
    import pwd

    try:
        return os.getgrouplist(pwd.getpwuid(uid).pw_name, group)
    except KeyError:
        return [group]


def isPlain(fds: Mapping[int, int], ignored: set[int]) -> bool:
    """Whether `popen` can start a child with these descriptors, all signals being as Python has them but for `ignored`
    ones.
    """
    return set(fds) == _STANDARD and ignored <= _RESTORED and not signal.pthread_sigmask(signal.SIG_BLOCK, ())


def spawn(program: Program, fds: Mapping[int, int], terminal: str | None = None) -> int:
    """Start `program`, and return its process id.

    :param fds: its descriptors: the number in the child -> the one here. It gets no other.
    :param terminal: the file of a terminal to begin a session on, which becomes 0, 1 and 2.
    :raises OSError: when it cannot be run.
    """
    ignored = ignoredSignals()
    if terminal is not None or not isPlain(fds, ignored):
        if program.path is None and program.uid is None and program.gid is None:
            return _posixSpawn(program.file, program.args, program.env, fds, terminal, ignored)
        from reactor._transport.process.launcher import staged

        def start(args: Sequence[Text], extra: Mapping[int, int]) -> int:
            return _posixSpawn(args[0], args, None, {**fds, **extra}, terminal, ignored)

        groups = None if program.uid is None and program.gid is None else groupsOf(program.uid, program.gid)
        return staged(program, groups, 1 + max([2, *fds]), start)
    return popen(program, fds)


# What Popen resets in the child, and this process ignores because Python does.
_RESTORED = {getattr(signal, name) for name in ("SIGPIPE", "SIGXFZ", "SIGXFSZ") if hasattr(signal, name)}


def popen(program: Program, fds: Mapping[int, int]) -> int:
    """Start `program`, whose descriptors are 0, 1 and 2, and return its process id. A file without a slash is looked
    for on the PATH of the child's environment, in its directory. OSError when it cannot be run.
    """
    from subprocess import Popen

    options: dict[str, Any] = {}
    if program.uid is not None or program.gid is not None:
        options = {"user": program.uid, "group": program.gid, "extra_groups": groupsOf(program.uid, program.gid)}
    child = Popen(
        program.args,
        executable=program.file,
        stdin=fds[0],
        stdout=fds[1],
        stderr=fds[2],
        cwd=program.path,
        env=program.env,
        **options,
    )
    # It is the loop that waits for it.
    child.returncode = 0
    return child.pid


def _posixSpawn(
    file: Text,
    args: Sequence[Text],
    env: Mapping[str, str] | Mapping[bytes, bytes] | None,
    fds: Mapping[int, int],
    terminal: str | None,
    ignored: set[int],
) -> int:
    targets = set(fds) if terminal is None else set(fds) | _STANDARD
    above = 1 + max(targets, default=-1)
    moved: list[int] = []
    actions: list[tuple[Any, ...]] = []
    try:
        if terminal is not None:
            # The first terminal that the leader of a session opens is its controlling one.
            actions.append((os.POSIX_SPAWN_OPEN, 0, terminal, os.O_RDWR, 0))
            actions += [(os.POSIX_SPAWN_DUP2, 0, 1), (os.POSIX_SPAWN_DUP2, 0, 2)]
        for target, source in fds.items():
            if source < above:
                # Out of the way of those that are put at its number; and dup2() of a descriptor onto itself would
                # leave it close-on-exec.
                source = _duplicated(source, above)
                moved.append(source)
            actions.append((os.POSIX_SPAWN_DUP2, source, target))
        actions += _closing(targets, above)
        return os.posix_spawn(
            file,
            tuple(args),
            os.environ if env is None else env,
            file_actions=actions,
            setsigmask=[],
            setsigdef=ignored,
            setsid=terminal is not None,
        )
    finally:
        for fd in moved:
            os.close(fd)


def _duplicated(fd: int, least: int) -> int:
    import fcntl

    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, least)


def _closing(targets: set[int], above: int) -> list[tuple[Any, ...]]:
    """What closes the descriptors that are inheritable here, but not the child's `targets`, all below `above`."""
    if hasattr(os, "POSIX_SPAWN_CLOSEFROM") and above <= 256:
        closing: list[tuple[Any, ...]] = [(os.POSIX_SPAWN_CLOSE, fd) for fd in range(above) if fd not in targets]
        return [*closing, (os.POSIX_SPAWN_CLOSEFROM, above)]
    return [(os.POSIX_SPAWN_CLOSE, fd) for fd in _inheritable() if fd not in targets]


def _inheritable() -> list[int]:
    found = []
    for name in os.listdir("/dev/fd"):
        try:
            if os.get_inheritable(int(name)):
                found.append(int(name))
        except OSError:
            # The one that lists the directory.
            pass
    return found
