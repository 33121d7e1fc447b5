"""In which order, and when, the addresses of one host are tried (RFC 8305, sections 4 and 5). Pure: starts nothing,
knows no clock.

The families take turns, beginning with that of the first address. The next address is tried at once when one fails, and
after a delay while none has answered; the first to succeed wins. Every failure is kept.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Target = tuple[int, Any]

# Seconds before the next address is tried while the last has not answered (RFC 8305, section 8: "Connection Attempt
# Delay").
ATTEMPT_DELAY = 0.25


def interleave(targets: Iterable[Target]) -> list[Target]:
    """`targets`, pairs of family and socket address, without repetitions and with the families taking turns."""
    families: dict[int, list[Target]] = {}
    targets = list(targets)
    if len(targets) == 1:
        return targets
    for target in targets:
        same = families.setdefault(target[0], [])
        if target not in same:
            same.append(target)
    queues = list(families.values())
    ordered: list[Target] = []
    while any(queues):
        ordered.extend(queue.pop(0) for queue in queues if queue)
    return ordered


class Race:
    """The addresses that wait, how many are being tried, and those that failed."""

    __slots__ = ("failures", "running", "waiting")

    def __init__(self, targets: Iterable[Target]) -> None:
        self.waiting = interleave(targets)
        self.running = 0
        self.failures: list[tuple[Target, BaseException]] = []

    def next(self) -> Target:
        """The address to try now. IndexError when none is waiting."""
        target = self.waiting.pop(0)
        self.running += 1
        return target

    def failed(self, target: Target, problem: BaseException) -> None:
        """The attempt at `target` failed."""
        self.running -= 1
        self.failures.append((target, problem))

    def lost(self) -> bool:
        """Whether all have failed."""
        return not self.waiting and not self.running
