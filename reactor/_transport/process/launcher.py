"""A small Python program between this process and a child, for what `os.posix_spawn` cannot do: change to a directory,
become another user and group. It is told what to do over a socket, then becomes the child; or says on the socket why
not.

It takes 20 ms (a mere exec 0.3), during which the loop waits, as it does for every exec. All else (descriptors,
session, terminal, signals) was done by whoever started it.
"""

from __future__ import annotations

import marshal
import os
import socket
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reactor._transport.process.spawn import Program, Text

# Python ignores SIGPIPE and SIGXFSZ from its start on, and what is ignored stays so over an exec.
_PROGRAM = """
import marshal, os, signal, sys
told = int(sys.argv[1])
os.set_inheritable(told, False)
read = b""
while data := os.read(told, 65536):
    read += data
file, args, env, path, uid, gid, groups = marshal.loads(read)
name = file
try:
    if path is not None:
        name = path
        os.chdir(path)
        name = file
    if groups is not None:
        os.setgroups(groups)
    if gid is not None:
        os.setregid(gid, gid)
    if uid is not None:
        os.setreuid(uid, uid)
    for each in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(each, signal.SIG_DFL)
    os.execve(file, args, env)
except OSError as e:
    os.write(told, marshal.dumps((e.errno, os.fsdecode(name))))
os._exit(127)
"""


def staged(
    program: Program, groups: list[int] | None, free: int, start: Callable[[Sequence[Text], Mapping[int, int]], int]
) -> int:
    """Have `start(args, extra descriptors)` run it, and the process id of what it then is: `program`, in its directory
    and as its user, with `groups` if those are given. OSError when it cannot be run.

    :param free: a number that is no descriptor of the child's.
    """
    if not sys.executable:
        raise RuntimeError("spawnProcess(): needs a Python interpreter in between, and sys.executable names none")
    args = [os.fsencode(each) for each in program.args]
    env = {os.fsencode(k): os.fsencode(v) for k, v in (os.environ if program.env is None else program.env).items()}
    path = None if program.path is None else os.fsencode(program.path)
    told = marshal.dumps((os.fsencode(program.file), args, env, path, program.uid, program.gid, groups))
    ours, its = socket.socketpair()
    with ours:
        with its:
            pid = start([sys.executable, "-I", "-S", "-c", _PROGRAM, str(free)], {free: its.fileno()})
        try:
            ours.sendall(told)
            ours.shutdown(socket.SHUT_WR)
            answer = ours.recv(65536)
        except OSError:
            # It ended before it could hear what to do: killed, or without an interpreter's library.
            answer = b""
        if answer:
            os.waitpid(pid, 0)
            number, name = marshal.loads(answer)
            raise OSError(number, os.strerror(number), name)
    return pid
