"""A program's output, its exit code, or both, as a Deferred.

The program is found, and its surroundings are given, as with `reactor.spawnProcess`; `args` are without its name.
Cancelling a Deferred kills the program.

And, since programs look for it here: calls while which warnings are suppressed.
"""

from __future__ import annotations

import warnings
from functools import wraps

from reactor._ground.current import currentReactor
from reactor.defer import CancelledError, Deferred, fail
from reactor.error import ProcessExitedAlready
from reactor.protocol import ProcessProtocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from reactor.failure import Failure

    Text = str | bytes
    Environment = Mapping[str, str] | Mapping[bytes, bytes] | None


class UnexpectedErrorOutput(OSError):
    """The program wrote to its standard error, and `errortoo` was not given.

    :ivar processEnded: a Deferred that fails with how it ended (`ProcessDone`, `ProcessTerminated`), when it has.
    """

    def __init__(self, text: bytes, processEnded: Deferred[Any]) -> None:
        OSError.__init__(self, f"the program wrote to its standard error: {text!r}")
        self.processEnded = processEnded


class EndedBySignal(Exception):
    """A signal ended the program. Can be taken apart as Twisted's tuple: ``out, err, signal = failure.value``."""

    def __init__(self, out: bytes, err: bytes, signal: int) -> None:
        Exception.__init__(self, out, err, signal)
        self.out = out
        self.err = err
        self.signal = signal

    def __iter__(self) -> Iterator[Any]:
        return iter(self.args)

    def __getitem__(self, index: int) -> Any:
        return self.args[index]

    def __len__(self) -> int:
        return len(self.args)

    def __str__(self) -> str:
        return f"the program was ended by signal {self.signal}"


class TooMuchOutput(Exception):
    """The program wrote more than `limit` bytes, and was killed."""

    def __init__(self, limit: int) -> None:
        Exception.__init__(self, limit)
        self.limit = limit

    def __str__(self) -> str:
        return f"the program wrote more than limit={self.limit} bytes and was killed"


class _Getter(ProcessProtocol):
    """Collects what a program writes; `deferred` is None once it has fired."""

    def __init__(self, limit: int | None) -> None:
        self.deferred: Deferred[Any] | None = Deferred(self._cancelled)
        self.out: list[bytes] = []
        self.err: list[bytes] = []
        self._limit = limit
        self._size = 0

    def outReceived(self, data: bytes) -> None:
        self._keep(self.out, data)

    def errReceived(self, data: bytes) -> None:
        self._keep(self.err, data)

    def _keep(self, where: list[bytes], data: bytes) -> None:
        if self.deferred is None:
            return
        where.append(data)
        self._size += len(data)
        if self._limit is not None and self._size > self._limit:
            self._give("errback", TooMuchOutput(self._limit))
            self._kill()

    def _give(self, how: str, result: Any) -> None:
        deferred, self.deferred = self.deferred, None
        self.out, self.err = [], []
        if deferred is not None:
            getattr(deferred, how)(result)

    def _cancelled(self, deferred: Deferred[Any]) -> None:
        self._give("errback", CancelledError())
        self._kill()

    def _kill(self) -> None:
        try:
            self.transport.signalProcess("KILL")
        except ProcessExitedAlready:
            # Then there is only what it left in its pipes.
            pass
        self.transport.loseConnection()


class _Output(_Getter):
    """What it writes to its standard output, and with `errortoo` to its standard error as well."""

    def __init__(self, limit: int | None, errortoo: bool) -> None:
        super().__init__(limit)
        self._errortoo = errortoo
        self._ended: Deferred[Any] | None = None

    def errReceived(self, data: bytes) -> None:
        if self._errortoo:
            self._keep(self.out, data)
        elif self.deferred is not None:
            self._ended = Deferred()
            self._give("errback", UnexpectedErrorOutput(data, self._ended))
            self.transport.loseConnection()

    def processEnded(self, reason: Failure) -> None:
        self._give("callback", b"".join(self.out))
        if self._ended is not None:
            self._ended.errback(reason)


class _Value(_Getter):
    def _keep(self, where: list[bytes], data: bytes) -> None:
        """Nobody asked for it."""

    def processEnded(self, reason: Failure) -> None:
        ended: Any = reason.value
        self._give("callback", ended.exitCode)


class _OutputAndValue(_Getter):
    def __init__(self, limit: int | None, stdinBytes: bytes | None) -> None:
        super().__init__(limit)
        self._stdin = stdinBytes

    def connectionMade(self) -> None:
        if self._stdin is not None:
            self.transport.write(self._stdin)
            self.transport.closeStdin()

    def processEnded(self, reason: Failure) -> None:
        ended: Any = reason.value
        out, err = b"".join(self.out), b"".join(self.err)
        if ended.signal:
            self._give("errback", EndedBySignal(out, err, ended.signal))
        else:
            self._give("callback", (out, err, ended.exitCode))


def _spawn(
    getter: _Getter, reactor: Any, executable: Text, args: Sequence[Text], env: Environment, path: Text | None
) -> Deferred[Any]:
    deferred = getter.deferred
    assert deferred is not None
    try:
        if isinstance(args, (str, bytes)):
            raise TypeError(f"args must be a sequence of str or bytes, not {args!r}")
        on = currentReactor() if reactor is None else reactor
        on.spawnProcess(getter, executable, (executable, *args), env, path)
    except BaseException as e:
        # It can cancel the getter: the two would wait for the garbage collector.
        getter.deferred = None
        if isinstance(e, OSError):
            return fail()
        raise
    return deferred


def getProcessOutput(
    executable: Text,
    args: Sequence[Text] = (),
    env: Environment = {},  # noqa: B006 (it is not changed)
    path: Text | None = None,
    reactor: Any = None,
    errortoo: bool | int = False,
    *,
    limit: int | None = None,
) -> Deferred[bytes]:
    """What a program writes to its standard output, when it has ended, however.

    :param errortoo: add what it writes to its standard error, as it comes; otherwise the Deferred fails with
        UnexpectedErrorOutput (an OSError) when it writes there.
    :param limit: bytes; when it writes more, it is killed and the Deferred fails with TooMuchOutput. None: no limit.
    :return: fails with OSError when the program cannot be run.
    """
    return _spawn(_Output(limit, bool(errortoo)), reactor, executable, args, env, path)


def getProcessValue(
    executable: Text,
    args: Sequence[Text] = (),
    env: Environment = {},  # noqa: B006 (it is not changed)
    path: Text | None = None,
    reactor: Any = None,
) -> Deferred[int | None]:
    """A program's exit code, when it has ended; None when a signal ended it. What it writes is dropped.

    :return: fails with OSError when the program cannot be run.
    """
    return _spawn(_Value(None), reactor, executable, args, env, path)


def getProcessOutputAndValue(
    executable: Text,
    args: Sequence[Text] = (),
    env: Environment = {},  # noqa: B006 (it is not changed)
    path: Text | None = None,
    reactor: Any = None,
    stdinBytes: bytes | None = None,
    *,
    limit: int | None = None,
) -> Deferred[tuple[bytes, bytes, int]]:
    """What a program writes to its standard output and to its standard error, and its exit code.

    :param stdinBytes: what it is given as its standard input, which is closed behind that; None: it stays open.
    :param limit: bytes of both; when it writes more, it is killed and the Deferred fails with TooMuchOutput. None: no
        limit.
    :return: fails with EndedBySignal when a signal ended it, with OSError when the program cannot be run.
    """
    return _spawn(_OutputAndValue(limit, stdinBytes), reactor, executable, args, env, path)


# ---- Warnings ----


def runWithWarningsSuppressed(
    suppressedWarnings: Sequence[tuple[Sequence[Any], Mapping[str, Any]]], f: Callable[..., Any], *a: Any, **kw: Any
) -> Any:
    """Call `f(*a, **kw)` while warnings are suppressed; if it returns a Deferred, until that fires.

    :param suppressedWarnings: of each filter the arguments of `warnings.filterwarnings`, and those by keyword.
    :return: what `f` returns.
    """
    added = []
    for arguments, keywords in suppressedWarnings:
        warnings.filterwarnings(*arguments, **keywords)
        added.append(warnings.filters[0])

    def done(result: Any) -> Any:
        # Others may have put filters of theirs in front meanwhile, which stay.
        filters: Any = warnings.filters
        for filter in added:
            if filter in filters:
                filters.remove(filter)
        return result

    try:
        result = f(*a, **kw)
    except BaseException:
        done(None)
        raise
    return result.addBoth(done) if isinstance(result, Deferred) else done(result)


def suppressWarnings(
    f: Callable[..., Any], *suppressedWarnings: tuple[Sequence[Any], Mapping[str, Any]]
) -> Callable[..., Any]:
    """A function that calls `f` as `runWithWarningsSuppressed` does."""

    @wraps(f)
    def suppressing(*a: Any, **kw: Any) -> Any:
        return runWithWarningsSuppressed(suppressedWarnings, f, *a, **kw)

    return suppressing
