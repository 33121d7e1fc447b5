"""System events: what is to be called before, during and after the reactor's start-up and shutdown, or an event of an
application's own.

Two rules. Each trigger is called once, in the order in which it was added, and a trigger that raises is reported and
does not keep the next from being called. "During" waits until every Deferred that a "before" trigger returned has
fired, whatever its result. Pure: needs no reactor.
"""

from __future__ import annotations

from reactor._ground.log import reportException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Call = tuple[Callable[..., object], tuple[Any, ...], dict[str, Any]]

PHASES = ("before", "during", "after")


class TriggerHandle:
    """What `addSystemEventTrigger` returns and `removeSystemEventTrigger` takes."""

    __slots__ = ("call", "eventType", "phase")

    def __init__(self, phase: str, eventType: str, call: Call) -> None:
        self.phase = phase
        self.eventType = eventType
        self.call = call

    def __repr__(self) -> str:
        return f"<trigger {self.phase} {self.eventType}: {self.call[0]!r}>"


class Triggers:
    """Every trigger that has not been called yet."""

    __slots__ = ("_escape", "_events", "_firing")

    def __init__(self, escape: Callable[[BaseException], object]) -> None:
        """`escape` is given the KeyboardInterrupt or SystemExit that a trigger raises."""
        self._events: dict[str, dict[str, list[TriggerHandle]]] = {}
        self._escape = escape
        # What makes one firing of an event differ from the next: a Deferred that an abandoned one waits for may fire
        # later.
        self._firing: dict[str, object] = {}

    def add(
        self, phase: str, eventType: str, f: Callable[..., object], args: tuple[Any, ...], kw: dict[str, Any]
    ) -> TriggerHandle:
        """Have `f(*args, **kw)` called in `phase` of the next `eventType`."""
        if phase not in PHASES:
            raise KeyError(f"a trigger's phase must be one of {', '.join(PHASES)}, not {phase!r}")
        if not callable(f):
            raise TypeError(f"a trigger must be callable, not {f!r}")
        handle = TriggerHandle(phase, eventType, (f, args, kw))
        self._events.setdefault(eventType, {each: [] for each in PHASES})[phase].append(handle)
        return handle

    def remove(self, handle: TriggerHandle) -> None:
        """Take a trigger back.

        TypeError when `handle` is no such thing; ValueError when it was removed or called before.
        """
        if not isinstance(handle, TriggerHandle):
            raise TypeError(f"removeSystemEventTrigger(): {handle!r} is not what addSystemEventTrigger returned")
        try:
            self._events[handle.eventType][handle.phase].remove(handle)
        except (KeyError, ValueError):
            raise ValueError(f"{handle!r} was removed or called before") from None

    def fire(
        self, eventType: str, during: Callable[[], object] | None = None, done: Callable[[], object] | None = None
    ) -> None:
        """Call the triggers of `eventType`: "before" now, "during" and "after" when no Deferred is waited for any more.

        `during()` is called ahead of the triggers of that phase, `done()` at the very end.
        """
        token = self._firing[eventType] = object()
        waited: list[Any] = []
        for result in self._results(eventType, "before"):
            # A Deferred, by what it can do: this file needs to know no more of it.
            if hasattr(result, "addBoth"):
                waited.append(result)
        left = len(waited) + 1

        def fired(result: object) -> object:
            nonlocal left
            left -= 1
            if not left and self._firing.get(eventType) is token:
                if during is not None:
                    self._call(during, during, (), {})
                self._results(eventType, "during")
                self._results(eventType, "after")
                if done is not None:
                    self._call(done, done, (), {})
            # Whoever else waits for the Deferred is to get its result.
            return result

        for deferred in waited:
            deferred.addErrback(_reportFailure, eventType)
            deferred.addBoth(fired)
        fired(None)

    def abandon(self) -> None:
        """Wait for no Deferred any more: what was to come after them is not called."""
        self._firing.clear()

    def forget(self) -> None:
        """Call none of those that there are, whatever is being fired."""
        self.abandon()
        for phases in self._events.values():
            for handles in phases.values():
                handles.clear()

    def _results(self, eventType: str, phase: str) -> list[object]:
        results: list[object] = []
        handles = self._events.get(eventType, {}).get(phase, [])
        while handles:
            handle = handles.pop(0)
            results.append(self._call(handle, *handle.call))
        return results

    def _call(self, who: object, f: Callable[..., object], args: tuple[Any, ...], kw: dict[str, Any]) -> object:
        try:
            return f(*args, **kw)
        except (KeyboardInterrupt, SystemExit) as e:
            self._escape(e)
        except BaseException as e:
            reportException("%r raised", e, who)
        return None


def _reportFailure(failure: Any, eventType: str) -> None:
    reportException("the Deferred that a trigger before %s returned failed", failure, eventType)
