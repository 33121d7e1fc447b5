"""Child processes: started by the standard library's `subprocess`, whose every option asyncio promises; watched, read
and written by the reactor.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from asyncio.log import logger

from reactor.aio.pipes import Pipes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class _PipeProtocol(asyncio.Protocol):
    """One pipe of a child."""

    def __init__(self, child: ChildTransport, number: int) -> None:
        self.child = child
        self.number = number
        self.pipe: Any = None
        self.lost = False

    def connection_made(self, transport: Any) -> None:
        """The pipe is there."""
        self.pipe = transport

    def data_received(self, data: bytes) -> None:
        """The child said something."""
        self.child._tell("pipe_data_received", self.number, data)

    def connection_lost(self, exc: BaseException | None) -> None:
        """The pipe is closed."""
        self.lost = True
        self.child._pipeLost(self.number, exc)

    def pause_writing(self) -> None:
        """The child does not read."""
        self.child._protocol.pause_writing()

    def resume_writing(self) -> None:
        """It reads again."""
        self.child._protocol.resume_writing()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} fd={self.number} pipe={self.pipe!r}>"


class ChildTransport(asyncio.SubprocessTransport):
    """What `subprocess_exec` and `subprocess_shell` return."""

    def __init__(self, loop: Children, process: subprocess.Popen[bytes], protocol: Any) -> None:
        """`process` runs."""
        super().__init__({"subprocess": process})
        self._loop = loop
        self._process: subprocess.Popen[bytes] | None = process
        self._pid = process.pid
        self._protocol = protocol
        self._returncode: int | None = None
        self._closed = self._told = False
        self._pipes: dict[int, _PipeProtocol] = {}
        self._waiting: list[asyncio.Future[int]] = []
        # What happens before the protocol knows of the child is told afterwards.
        self._early: list[tuple[str, tuple[Any, ...]]] | None = []

    async def _connectPipes(self) -> None:
        process = self._process
        assert process is not None
        loop = self._loop
        if process.stdin is not None:
            await loop.connect_write_pipe(lambda: self._pipe(0), process.stdin)
        if process.stdout is not None:
            await loop.connect_read_pipe(lambda: self._pipe(1), process.stdout)
        if process.stderr is not None:
            await loop.connect_read_pipe(lambda: self._pipe(2), process.stderr)
        loop.call_soon(self._protocol.connection_made, self)
        early, self._early = self._early, None
        for method, args in early or ():
            loop.call_soon(getattr(self._protocol, method), *args)

    def _pipe(self, number: int) -> _PipeProtocol:
        made = self._pipes[number] = _PipeProtocol(self, number)
        return made

    def _tell(self, method: str, *args: Any) -> None:
        if self._early is not None:
            self._early.append((method, args))
        else:
            self._loop.call_soon(getattr(self._protocol, method), *args)

    # The end.

    def _exited(self, status: int | None) -> None:
        """The child has ended; `status` is what ``waitpid`` says, None when somebody else was told."""
        process = self._process
        if status is not None:
            code = os.waitstatus_to_exitcode(status)
        elif process is not None and process.returncode is not None:
            # Sending it a signal has found that it had ended.
            code = process.returncode
        else:
            code = 255
            logger.warning("child process pid %d exit status already read", self._pid)
        self._returncode = code
        if process is not None and process.returncode is None:
            process.returncode = code
        self._tell("process_exited")
        self._settle()

    def _pipeLost(self, number: int, problem: BaseException | None) -> None:
        self._tell("pipe_connection_lost", number, problem)
        self._settle()

    def _settle(self) -> None:
        if self._returncode is None or self._told or not all(pipe.lost for pipe in self._pipes.values()):
            return
        self._told = True
        if self._early is not None:
            self._early.append(("connection_lost", (None,)))
            self._loop.call_soon(self._wakeup)
        else:
            self._loop.call_soon(self._tellLost)

    def _tellLost(self) -> None:
        try:
            self._protocol.connection_lost(None)
        finally:
            self._wakeup()

    def _wakeup(self) -> None:
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                assert self._returncode is not None
                waiter.set_result(self._returncode)
        self._process = None

    async def _wait(self) -> int:
        """Wait until the child has ended and all its pipes are closed; its return code."""
        if self._returncode is not None and self._process is None:
            return self._returncode
        if self._returncode is not None:
            return self._returncode
        waiter = self._loop.create_future()
        self._waiting.append(waiter)
        return await waiter  # type: ignore[no-any-return]

    def is_closing(self) -> bool:
        """Whether it is closed, or asked to close."""
        return self._closed

    def close(self) -> None:
        """Close the pipes, and kill the child if it still runs."""
        if self._closed:
            return
        self._closed = True
        for pipe in self._pipes.values():
            if pipe.pipe is not None:
                pipe.pipe.close()
        process = self._process
        if process is not None and self._returncode is None and process.poll() is None:
            try:
                process.kill()
            except (ProcessLookupError, PermissionError):
                # It ended in the moment, or is somebody else's by now.
                pass

    def __del__(self) -> None:
        if not getattr(self, "_closed", True) and not self._loop.is_closed() and self._returncode is None:
            import warnings

            warnings.warn(f"unclosed transport {self!r}", ResourceWarning, stacklevel=1, source=self)
            self.close()

    # Who and how.

    def get_pid(self) -> int:
        """The child's process id."""
        return self._pid

    def get_returncode(self) -> int | None:
        """Its return code, negative for a signal's number; None while it runs."""
        return self._returncode

    def get_pipe_transport(self, fd: int) -> Any:
        """The transport of its descriptor 0, 1 or 2; None when that is no pipe."""
        pipe = self._pipes.get(fd)
        return None if pipe is None else pipe.pipe

    def send_signal(self, signal: int) -> None:
        """Send it a signal. ProcessLookupError when it has ended."""
        self._running().send_signal(signal)

    def terminate(self) -> None:
        """Send it SIGTERM. ProcessLookupError when it has ended."""
        self._running().terminate()

    def kill(self) -> None:
        """Send it SIGKILL. ProcessLookupError when it has ended."""
        self._running().kill()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._returncode is not None:
            raise ProcessLookupError
        return self._process

    def get_protocol(self) -> Any:
        """Who is told."""
        return self._protocol

    def set_protocol(self, protocol: Any) -> None:
        """Tell `protocol` from now on."""
        self._protocol = protocol

    def __repr__(self) -> str:
        state = "running" if self._returncode is None else f"returncode={self._returncode}"
        return f"<{type(self).__name__} pid={self._pid} {'closed ' if self._closed else ''}{state}>"


class Children(Pipes):
    """The part of `EventLoop` that runs programs."""

    async def subprocess_shell(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], Any],
        cmd: str | bytes,
        *,
        stdin: Any = subprocess.PIPE,
        stdout: Any = subprocess.PIPE,
        stderr: Any = subprocess.PIPE,
        universal_newlines: bool = False,
        shell: bool = True,
        bufsize: int = 0,
        encoding: None = None,
        errors: None = None,
        text: None = None,
        **kwargs: Any,
    ) -> tuple[ChildTransport, Any]:
        """Run a command line by the shell; the transport and `protocol_factory()`."""
        if not isinstance(cmd, (bytes, str)):
            raise ValueError("cmd must be a string")
        if not shell:
            raise ValueError("shell must be True")
        _checkText(universal_newlines, bufsize, encoding, errors, text)
        return await self._child(protocol_factory, cmd, True, stdin, stdout, stderr, kwargs)

    async def subprocess_exec(
        self,
        protocol_factory: Callable[[], Any],
        program: Any,
        *args: Any,
        stdin: Any = subprocess.PIPE,
        stdout: Any = subprocess.PIPE,
        stderr: Any = subprocess.PIPE,
        universal_newlines: bool = False,
        shell: bool = False,
        bufsize: int = 0,
        encoding: None = None,
        errors: None = None,
        text: None = None,
        **kwargs: Any,
    ) -> tuple[ChildTransport, Any]:
        """Run a program with its arguments; the transport and `protocol_factory()`."""
        if shell:
            raise ValueError("shell must be False")
        _checkText(universal_newlines, bufsize, encoding, errors, text)
        return await self._child(protocol_factory, (program, *args), False, stdin, stdout, stderr, kwargs)

    async def _child(
        self,
        protocolFactory: Callable[[], Any],
        args: Any,
        shell: bool,
        stdin: Any,
        stdout: Any,
        stderr: Any,
        options: Any,
    ) -> tuple[ChildTransport, Any]:
        protocol = protocolFactory()
        process = subprocess.Popen(
            args, shell=shell, stdin=stdin, stdout=stdout, stderr=stderr, universal_newlines=False, bufsize=0, **options
        )
        transport = ChildTransport(self, process, protocol)
        self._reactor._watched().watch(process.pid, transport._exited)
        try:
            await transport._connectPipes()
            await asyncio.sleep(0)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException:
            transport.close()
            await transport._wait()
            raise
        return transport, protocol


def _checkText(universalNewlines: object, bufsize: object, encoding: object, errors: object, text: object) -> None:
    if universalNewlines:
        raise ValueError("universal_newlines must be False")
    if bufsize != 0:
        raise ValueError("bufsize must be 0")
    if text:
        raise ValueError("text must be False")
    if encoding is not None:
        raise ValueError("encoding must be None")
    if errors is not None:
        raise ValueError("errors must be None")
