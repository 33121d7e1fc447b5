"""What a reactor offers for child processes. What it is made of is loaded when it is first used."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from zope.interface import implementer

    from reactor._core.children import Children
    from reactor._core.loop import Loop
    from reactor._transport.process.process import Process, PTYProcess
    from reactor._transport.process.spawn import Program
    from reactor.interfaces import IReactorProcess

    Text = str | bytes
    Terminal = bool | int | tuple[int, int, str] | list[Any]
else:
    from reactor._ground.declare import IReactorProcess, implementer

# What childFDs=None stands for: we write to its standard input, and read its output and errors.
_PIPES: dict[int, int | str] = {0: "w", 1: "r", 2: "r"}


@implementer(IReactorProcess)
class ReactorProcess:
    """A part of `reactor.base.Reactor`."""

    # Whose end is waited for; made with the first.
    _children: Children | None = None

    if TYPE_CHECKING:
        _loop: Loop

    def spawnProcess(
        self,
        processProtocol: Any,
        executable: Text,
        args: Sequence[Text] = (),
        env: Mapping[str, str] | Mapping[bytes, bytes] | None = {},
        path: Text | None = None,
        uid: int | None = None,
        gid: int | None = None,
        usePTY: Terminal = False,
        childFDs: Mapping[int, int | str] | None = None,
    ) -> Process:
        """Run a program. `processProtocol`, a `ProcessProtocol`, is told what it writes and how it ends.

        :param executable: its file; without a slash it is looked for on this process's PATH.
        :param args: its arguments, the first is what it is called; none: just that.
        :param env: its environment, empty unless given; None: that of this process.
        :param path: its directory; None: that of this process.
        :param uid: the number of the user that it is to run as, and with whose groups. For root.
        :param gid: the number of its group. For root.
        :param usePTY: run it on a new terminal (a session of its own, SIGHUP when we close it). A tuple (master,
            slave, name) of descriptors, as `os.openpty` makes them, is taken over.
        :param childFDs: its descriptors: "r" for a pipe that we read, "w" for one that we write, or a descriptor of
            this process. It gets no other. None: {0: "w", 1: "r", 2: "r"}.
        :return: the process (`IProcessTransport`), which is `processProtocol.transport` as well.
        :raises OSError: FileNotFoundError, PermissionError and others, when it cannot be run. TypeError, ValueError:
            for arguments that are none.
        """
        from reactor._transport.process.process import Process, PTYProcess
        from reactor._transport.process.spawn import spawn

        self._loop.poller.checkProcess()
        program = _program(executable, args, env, path, uid, gid)
        if usePTY:
            if childFDs is not None:
                raise ValueError("spawnProcess(): childFDs cannot be given with usePTY")
            return self._onTerminal(PTYProcess(self._loop, processProtocol), program, usePTY)
        targets = _checkedFDs(_PIPES if childFDs is None else childFDs)
        if processProtocol is None and not all(isinstance(target, int) for target in targets.values()):
            raise TypeError('spawnProcess(): processProtocol is None, so childFDs must have no "r" and no "w"')
        import os

        process = Process(self._loop, processProtocol)
        ends: dict[str, dict[int, int]] = {"r": {}, "w": {}}
        fds: dict[int, int] = {}
        its: list[int] = []
        try:
            for childFD, target in targets.items():
                if isinstance(target, int):
                    fds[childFD] = target
                    continue
                reads, writes = os.pipe()
                ours, fds[childFD] = (reads, writes) if target == "r" else (writes, reads)
                ends[target][childFD] = ours
                its.append(fds[childFD])
            pid = spawn(program, fds)
        except BaseException:
            for fd in [*its, *ends["r"].values(), *ends["w"].values()]:
                os.close(fd)
            raise
        for fd in its:
            os.close(fd)
        process.begin(pid, self._watched(), ends["r"], ends["w"])
        return process

    def _onTerminal(self, process: PTYProcess, program: Program, usePTY: Any) -> Process:
        import os

        from reactor._transport.process.spawn import spawn

        given = isinstance(usePTY, (tuple, list))
        master, slave = usePTY[:2] if given else os.openpty()
        ends = [] if given else [master, slave]
        try:
            # One to read, one to write: two watches need two descriptors.
            writes = os.dup(master)
            ends.append(writes)
            pid = spawn(program, {}, os.ttyname(slave))
        except BaseException:
            for fd in ends:
                os.close(fd)
            raise
        os.close(slave)
        process.onTerminal(pid, self._watched(), master, writes)
        return process

    def _watched(self) -> Children:
        if self._children is None:
            from reactor._core.children import Children

            self._children = Children(self._loop)
        return self._children


def _program(executable: Any, args: Any, env: Any, path: Any, uid: int | None, gid: int | None) -> Program:
    from reactor._transport.process.spawn import Program, located

    _text("executable", executable)
    if isinstance(args, (str, bytes)):
        raise TypeError(f"spawnProcess(): args must be a sequence of str or bytes, not {args!r}")
    words = list(args) or [executable]
    for each in words:
        _text("args", each)
    if env is not None:
        env = dict(env)
        for name, value in env.items():
            _text("env", name)
            _text("env", value)
    if path is not None:
        _text("path", path)
    for what, number in (("uid", uid), ("gid", gid)):
        if number is not None and (not isinstance(number, int) or number < 0):
            raise TypeError(f"spawnProcess(): {what} must be a number or None, not {number!r}")
    return Program(located(executable), words, env, path, uid, gid)


def _text(what: str, value: object) -> None:
    if not isinstance(value, (str, bytes)):
        raise TypeError(f"spawnProcess(): {what}: must be str or bytes, not {value!r}")
    if ("\0" if isinstance(value, str) else b"\0") in value:  # type: ignore[operator]
        raise ValueError(f"spawnProcess(): {what}: {value!r} has a NUL in it")


def _checkedFDs(childFDs: Mapping[int, int | str]) -> dict[int, int | str]:
    for childFD, target in childFDs.items():
        if not isinstance(childFD, int) or not 0 <= childFD < 1 << 20:
            raise ValueError(f"spawnProcess(): childFDs: {childFD!r} is no descriptor that a child can have")
        if target not in ("r", "w") and (not isinstance(target, int) or target < 0):
            raise ValueError(f'spawnProcess(): childFDs[{childFD}] must be "r", "w" or a descriptor, not {target!r}')
    return dict(childFDs)
