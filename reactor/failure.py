"""An exception that travels as a value: what errbacks receive, and what `connectionLost` is told.

A `Failure` is made where an exception is caught. It keeps the exception, and the traceback with it, until somebody
deals with it, may be much later and in another callback. It never holds on to a frame by a local variable of its own
methods: what raises again drops its references first, so that a handled Failure is freed at once and not by the
cyclic collector.

Texts are made by the standard library's `traceback`, which is imported with the first one.
"""

from __future__ import annotations

import builtins
import sys
from _thread import allocate_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import TracebackType
    from typing import Any, NoReturn, Self, TextIO, TypeVar

    Yielded = TypeVar("Yielded")
    # What `frames` lists of one frame: function, file, line, local variables, global variables.
    Frame = tuple[str, str, int, list[tuple[str, Any]] | tuple[()], list[tuple[str, Any]] | tuple[()]]

_made = 0
# What of a Failure may have been set, beside `frames`.
_SET = ("_painted", "_parents", "_stack")
_counting = allocate_lock()


class NoCurrentExceptionError(Exception):
    """A Failure was to be made of the exception that is being handled, and none is. The caller's mistake."""


class Special:
    """Base of the results that do not simply go to a Deferred's next callback: a Failure, and a Deferred itself.

    One `isinstance` after each callback tells both from all others.
    """

    __slots__ = ()


class Failure(Special, BaseException):
    """An exception with the traceback that it had, to be passed around and handled later.

    It derives from `BaseException` only so that ``raise failure`` works as well as `raiseException`; where a Failure
    is made of it again, the exception inside counts.

    :param exc_value: the exception. None: the one that is being handled now.
    :param exc_type: its class, when that is to be reported as another one than `exc_value` has.
    :param exc_tb: its traceback, when that is not to be the one that it carries.
    :param captureVars: whether `frames` and the detailed texts tell the variables of each frame.
    :raises NoCurrentExceptionError: no exception was given, and none is being handled.
    :raises TypeError: `exc_value` is not an exception.
    """

    __slots__ = ("__weakref__", "_frames", "_number", "captureVars", "tb", "type", "value")

    value: BaseException  #: the exception
    type: builtins.type[BaseException]  #: its class
    tb: TracebackType | None  #: its traceback; None if it was never raised, after `cleanFailure` and after pickling
    captureVars: bool  #: whether `frames` tells variables
    #: 1 if this Failure came out of a pickle or is a copy: it knows frames by name only.
    pickled = 0
    # What was set, in an instance's dict if at all.
    _parents: list[str] | None = None
    _stack: list[Frame] | None = None
    _painted = False

    def __init__(
        self,
        exc_value: BaseException | None = None,
        exc_type: builtins.type[BaseException] | None = None,
        exc_tb: TracebackType | None = None,
        captureVars: bool = False,
    ) -> None:
        if exc_value is None:
            exc_value = sys.exception()
            if exc_value is None:
                raise NoCurrentExceptionError("no exception was given, and none is being handled")
        self._frames: list[Frame] | None = None
        self.captureVars = captureVars
        if isinstance(exc_value, Failure):
            self.value = exc_value.value
            self.type = exc_type or exc_value.type
            self.tb = exc_tb or exc_value.tb
            self._frames = exc_value._frames
            for name in _SET:
                if name in exc_value.__dict__:
                    self.__dict__[name] = exc_value.__dict__[name]
            # Where a Failure itself was raised, a variable holds it: that would be a circle, and is not what it tells.
            exc_value.__traceback__ = None
        elif isinstance(exc_value, BaseException):
            self.value = exc_value
            self.type = exc_type or exc_value.__class__
            self.tb = exc_tb or exc_value.__traceback__
        else:
            raise TypeError(f"a Failure is made of an exception, not of {exc_value!r}")

    @classmethod
    def _withoutTraceback(cls, value: BaseException) -> Self:
        """A Failure of `value` without a traceback. The name is Twisted's, which libraries call."""
        failure = cls(value)
        failure.tb = None
        return failure

    # ---- What kind of error is it? ----

    @property
    def parents(self) -> list[str]:
        """The full names of the exception's class and all its bases, nearest first: ``["builtins.KeyError", ...]``.

        May be set, as what sends a Failure to another process does with this, `frames` and `stack`: `check` of names
        then asks what was set, and a pickle keeps it.
        """
        return self._parents if self._parents is not None else [_fullName(cls) for cls in _MRO(self.type)]

    @parents.setter
    def parents(self, names: list[str]) -> None:
        self._parents = names

    def check(self, *errorTypes: builtins.type[BaseException] | str) -> builtins.type[BaseException] | str | None:
        """The first of `errorTypes` that this error is an instance of, or None.

        :param errorTypes: classes, or full names of classes as in `parents`.
        """
        for wanted in errorTypes:
            if isinstance(wanted, str):
                if wanted in self.parents:
                    return wanted
            elif isinstance(wanted, type) and issubclass(self.type, wanted):
                return wanted
        return None

    def trap(self, *errorTypes: builtins.type[BaseException] | str) -> builtins.type[BaseException] | str:
        """Like `check`, but an error that is none of them is raised again, so that the next errback gets it.

        :raises BaseException: the error itself.
        """
        found = self.check(*errorTypes)
        if found is not None:
            return found
        try:
            raise self.value.with_traceback(self.tb)
        finally:
            # This frame becomes part of the exception's traceback. A variable that leads back to the exception would
            # make a circle.
            del self

    def raiseException(self) -> NoReturn:
        """Raise the exception again, with the traceback that it had."""
        try:
            raise self.value.with_traceback(self.tb)
        finally:
            del self

    def throwExceptionIntoGenerator(self, g: Generator[Yielded, Any, Any]) -> Yielded:
        """Raise the exception inside of generator `g`, at the ``yield`` where it waits; returns what it yields next."""
        try:
            return g.throw(self.value.with_traceback(self.tb))
        finally:
            del self, g

    # ---- Where did it happen? ----

    @property
    def count(self) -> int:
        """A number that tells this Failure from all others of this process in logs; given out when first asked for."""
        global _made
        try:
            return self._number
        except AttributeError:
            with _counting:
                _made += 1
                self._number: int = _made
            return self._number

    @count.setter
    def count(self, number: int) -> None:
        self._number = number

    @property
    def stack(self) -> list[Frame]:
        """Empty unless it was set: where the exception was caught is not recorded."""
        return self._stack if self._stack is not None else []

    @stack.setter
    def stack(self, frames: list[Frame]) -> None:
        self._stack = frames

    @property
    def frames(self) -> list[Frame]:
        """The frames from where the exception was caught to where it was raised.

        Each is a tuple (function, file, line, locals, globals). The last two are lists of pairs (name, value) with
        `captureVars`, empty without. May be set; texts tell what was set.
        """
        if self._frames is None:
            self._frames = _framesOf(self.tb, self.captureVars)
        return self._frames

    @frames.setter
    def frames(self, frames: list[Frame]) -> None:
        self._frames = frames
        self._painted = True

    def getTracebackObject(self) -> Any:
        """What to give to the functions of module `traceback`: the traceback, or one painted from `frames`, or None."""
        if self.tb is not None or not self._frames:
            return self.tb
        return _PaintedTraceback(self._frames)

    def cleanFailure(self) -> None:
        """Let go of all frames, and of everything their variables hold, but remember their names and lines for texts.

        Values in `frames` are replaced by their representations, and the exception's own ``__traceback__`` is cleared.
        """
        self._frames = [_withoutValues(frame) for frame in self.frames]
        self.tb = self.value.__traceback__ = None

    # ---- Texts ----

    def getErrorMessage(self) -> str:
        """The text of the exception: ``str(value)``."""
        return _text(self.value)

    def getBriefTraceback(self) -> str:
        """The error and one short line for each frame."""
        return self.getTraceback(detail="brief")

    def getTraceback(self, elideFrameworkCode: int = 0, detail: str = "default") -> str:
        """The traceback as text, ended by a newline.

        :param elideFrameworkCode: whether to leave out frames that are in this package.
        :param detail: ``"default"``: as Python prints it, with causes and notes; ``"brief"``: a line a frame;
            ``"verbose"``: with the variables of each frame if this was made with `captureVars`;
            ``"verbose-vars-not-captured"``: the same without.
        :raises ValueError: `detail` is none of these.
        """
        frames = self.frames
        if elideFrameworkCode:
            home = __file__.rpartition("failure")[0]
            frames = [frame for frame in frames if not frame[1].startswith(home)]
        if detail == "default":
            return self._pythonText(frames if elideFrameworkCode or self._painted or self.tb is None else None)
        if detail == "brief":
            return self._briefText(frames)
        if detail in ("verbose", "verbose-vars-not-captured"):
            return self._verboseText(frames, detail)
        raise ValueError(f"detail must be default, brief, verbose or verbose-vars-not-captured, not {detail!r}")

    def printTraceback(self, file: TextIO | None = None, elideFrameworkCode: int = 0, detail: str = "default") -> None:
        """Write `getTraceback` to `file`; None is standard error."""
        (file or sys.stderr).write(self.getTraceback(elideFrameworkCode, detail))

    def printBriefTraceback(self, file: TextIO | None = None, elideFrameworkCode: int = 0) -> None:
        """Write `getBriefTraceback` to `file`; None is standard error."""
        self.printTraceback(file, elideFrameworkCode, "brief")

    def printDetailedTraceback(self, file: TextIO | None = None, elideFrameworkCode: int = 0) -> None:
        """Write the traceback with variables to `file`; None is standard error."""
        self.printTraceback(file, elideFrameworkCode, "verbose")

    def _pythonText(self, frames: list[Frame] | None) -> str:
        """As Python prints it; of `frames` if given, else of the traceback, which tells columns as well."""
        from traceback import StackSummary, TracebackException

        try:
            report = TracebackException(self.type, self.value, self.tb)
            if frames is not None:
                report.stack = StackSummary.from_list(
                    [(file, line, function, None) for function, file, line, *_ in frames]
                )
            return "".join(report.format())
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException:
            # An exception's __str__ that raises is caught in there, but not whatever else a class may overwrite.
            return self._briefText(self.frames)

    def _briefText(self, frames: list[Frame]) -> str:
        missing = "" if frames else " (failure with no frames)"
        lines = [f"Traceback{missing}: {_text(self.type)}: {_text(self.value)}"]
        lines += [f"{file}:{line}:{function}" for function, file, line, *_ in frames]
        return "\n".join(lines) + "\n"

    def _verboseText(self, frames: list[Frame], detail: str) -> str:
        state = " (pickled)" if self.pickled else ""
        lines = [f"*--- Failure #{self.count}{state} ---"]
        told = self.captureVars and detail == "verbose"
        for function, file, line, localVars, globalVars in frames:
            lines.append(f"{file}:{line}: {function}(...)")
            if told:
                lines += [" [ Locals ]", *[f"  {name} : {_shown(value)}" for name, value in localVars]]
                lines += [" ( Globals )", *[f"  {name} : {_shown(value)}" for name, value in globalVars]]
        if not self.captureVars:
            lines.append(" [Capture of Locals and Globals disabled (use captureVars=True)]")
        lines += [f"{_fullName(self.type)}: {_text(self.value)}", f"*--- End of Failure #{self.count} ---"]
        return "\n".join(lines) + "\n"

    def __repr__(self) -> str:
        return f"<{_fullName(self.__class__)} {_fullName(self.type)}: {_text(self.value)}>"

    def __str__(self) -> str:
        return f"[Failure instance: {self.getBriefTraceback()}]"

    # ---- Pickles and copies ----

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (self.__class__,), self.__getstate__()

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        state.update(value=self.value, type=self.type, captureVars=self.captureVars, tb=None, pickled=1)
        state["_frames"] = [_withoutValues(frame) for frame in self.frames]
        return state

    def __setstate__(self, state: dict[str, Any] | None) -> None:
        for name, value in (state or {}).items():
            setattr(self, name, value)


def _unpickled(cls: builtins.type[Failure]) -> Failure:
    return cls.__new__(cls)


# What a class is called and derives from, whatever its metaclass makes of these attributes.
_MODULE = type.__dict__["__module__"].__get__
_QUALNAME = type.__dict__["__qualname__"].__get__
_MRO = type.__dict__["__mro__"].__get__


def _fullName(cls: builtins.type[Any]) -> str:
    return f"{_text(_MODULE(cls))}.{_QUALNAME(cls)}"


def _text(value: object) -> str:
    return _asked(str, value, "text")


def _shown(value: object) -> str:
    return _asked(repr, value, "representation")


def _asked(how: Callable[[object], str], value: object, what: str) -> str:
    try:
        # A subclass of str could raise where it is used.
        return "".join((how(value),))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as exception:
        return f"<{_fullName(type(value))} whose {what} raises {_QUALNAME(type(exception))}>"


class _Representation(str):
    """The representation of a value that was let go; it represents itself without further quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _framesOf(tb: TracebackType | None, captureVars: bool) -> list[Frame]:
    frames: list[Frame] = []
    while tb is not None:
        frame = tb.tb_frame
        code = frame.f_code
        variables = (list(frame.f_locals.items()), list(frame.f_globals.items())) if captureVars else ((), ())
        frames.append((code.co_name, code.co_filename, tb.tb_lineno, *variables))
        tb = tb.tb_next
    return frames


def _withoutValues(frame: Frame) -> Frame:
    if not frame[3] and not frame[4]:
        return frame
    return (*frame[:3], *([(name, _Representation(_shown(value))) for name, value in part] for part in frame[3:]))  # type: ignore[return-value]


class _PaintedTraceback:
    """Looks like a traceback object to those who read one, with names and lines but no frames."""

    tb_lasti = -1

    def __init__(self, frames: list[Frame]) -> None:
        function, file, line, localVars, globalVars = frames[0]
        self.tb_lineno = line
        self.tb_frame = _PaintedFrame(function, file, line, dict(localVars), dict(globalVars))
        self.tb_next = _PaintedTraceback(frames[1:]) if len(frames) > 1 else None


class _PaintedFrame:
    """The frame, and for brevity the code too, of a `_PaintedTraceback`."""

    f_back = None
    f_lasti = co_firstlineno = -1

    def __init__(
        self, function: str, file: str, line: int, localVars: dict[str, Any], globalVars: dict[str, Any]
    ) -> None:
        self.co_name = self.co_qualname = function
        self.co_filename = file
        self.f_lineno = line
        self.f_locals = localVars
        self.f_globals = globalVars
        self.f_code = self

    def co_positions(self) -> list[tuple[int | None, ...]]:
        """No columns are known."""
        return []
