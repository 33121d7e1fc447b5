"""Answers, for as long as they may be used (RFC 1035, section 3.2.1; RFC 2308 for what is not there). Pure: time is an
argument.

Only what was asked for is kept, under the question. The oldest by use go when there are too many.
"""

from __future__ import annotations

from dataclasses import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocols.dns.records import Record

    Question = tuple[str, str]

# What is kept of a name that is not there, or has nothing of the type.
Nothing = str


class Cache:
    """As many answers as `size`.

    An answer is records, or a `Nothing`: the name of the class of the error.
    """

    __slots__ = ("_answers", "_mostNegative", "_mostTTL", "size")

    def __init__(self, size: int, mostTTL: float, mostNegative: float) -> None:
        """None is kept for more than `mostTTL` seconds, or `mostNegative` when there is nothing."""
        self.size = size
        self._mostTTL = mostTTL
        self._mostNegative = mostNegative
        # Question -> answer, when it came, when it ends. In the order of use.
        self._answers: dict[Question, tuple[tuple[Record, ...] | Nothing, float, float]] = {}

    def __len__(self) -> int:
        return len(self._answers)

    def put(self, question: Question, answer: tuple[Record, ...] | Nothing, ttl: float, now: float) -> None:
        """Keep `answer` for `ttl` seconds. Nothing when that is 0."""
        ttl = min(ttl, self._mostNegative if isinstance(answer, Nothing) else self._mostTTL)
        self._answers.pop(question, None)
        if ttl <= 0 or self.size <= 0:
            return
        while len(self._answers) >= self.size:
            del self._answers[next(iter(self._answers))]
        self._answers[question] = (answer, now, now + ttl)

    def get(self, question: Question, now: float) -> tuple[Record, ...] | Nothing | None:
        """The answer, its records with the seconds that are left to them; None when there is none any more."""
        found = self._answers.pop(question, None)
        if found is None or now >= found[2]:
            return None
        self._answers[question] = found
        answer, came, _ = found
        age = int(now - came)
        if isinstance(answer, Nothing) or age <= 0:
            return answer
        return tuple(replace(record, ttl=max(0, record.ttl - age)) for record in answer)

    def clear(self) -> None:
        """Forget all."""
        self._answers.clear()
