"""Delayed calls of a simulation, set, put off and cancelled at random: each is made once, in time and in order."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from reactor.interfaces import IDelayedCall
    from reactor.testing.simulation.reactor import SimulatedReactor

# Seconds that a call may be late: what the turns take in which other things are done.
_LATE = 0.01


class Alarm:
    """One that was set."""

    call: IDelayedCall

    def __init__(self, when: float, serial: int) -> None:
        self.place = when, serial


class Alarms:
    """Those of one reactor."""

    def __init__(self, reactor: SimulatedReactor, tell: Callable[[str], object]) -> None:
        """`tell` keeps the trace."""
        self._reactor = reactor
        self._tell = tell
        self._serial = 0
        # Those that are still to ring, in the order in which they were set.
        self.waiting: list[Alarm] = []
        # What a check failed with: what an alarm raises, the reactor would only report.
        self.wrong: list[str] = []

    def do(self, what: str) -> None:
        """A step of the plan: "set" or "set SECONDS", else something that is done to the first that waits."""
        reactor = self._reactor
        verb, _, seconds = what.partition(" ")
        if verb == "set":
            self._set(float(seconds or 0.01))
            return
        if not self.waiting:
            return
        alarm = self.waiting[0]
        if verb == "cancel":
            self.waiting.remove(alarm)
            alarm.call.cancel()
        elif verb == "reset":
            alarm.call.reset(0.5)
            self._move(alarm, reactor.seconds() + 0.5)
        else:
            later = 1.0 if verb == "delay" else -0.005
            alarm.call.delay(later)
            self._move(alarm, alarm.place[0] + later)

    def _set(self, seconds: float) -> None:
        self._serial += 1
        alarm = Alarm(self._reactor.seconds() + seconds, self._serial)
        alarm.call = self._reactor.callLater(seconds, self._ring, alarm)
        self.waiting.append(alarm)

    def _move(self, alarm: Alarm, when: float) -> None:
        self._serial += 1
        alarm.place = when, self._serial

    def _ring(self, alarm: Alarm) -> None:
        late = self._reactor.seconds() - alarm.place[0]
        self._tell(f"alarm {alarm.place[1]}")
        if alarm not in self.waiting:
            self.wrong.append("a call that was made or cancelled before")
            return
        self.waiting.remove(alarm)
        if not -1e-9 <= late <= _LATE:
            self.wrong.append(f"a call {late} s late")
        if any(other.place < alarm.place for other in self.waiting):
            self.wrong.append("a call before one that was due earlier")

    def clear(self) -> None:
        """Cancel those that are left."""
        for alarm in self.waiting:
            alarm.call.cancel()
        self.waiting.clear()

    def check(self) -> None:
        """AssertionError when something did not hold, or one that is due was not made."""
        assert not self.wrong, f"I10: {self.wrong}"
        now = self._reactor.seconds()
        assert all(alarm.place[0] > now - _LATE for alarm in self.waiting), "I10: a call was not made"
