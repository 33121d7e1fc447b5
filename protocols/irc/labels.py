"""Labeled responses (IRCv3 "Labeled Response"): which answer is to which message."""

from __future__ import annotations

from protocols.irc.batch import Batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from protocols.irc.message import Message

__all__ = ["Labels"]


class Labels:
    """The labels that wait for answers."""

    #: How many may wait; the oldest is forgotten for a new one, since a server may leave one unanswered.
    MAX_WAITING = 1000

    def __init__(self) -> None:
        self._waiting: dict[str, Any] = {}
        self._serial = 0

    def label(self, message: Message, context: Any) -> Message:
        """`message`, with a label that stands for `context` from now on."""
        self._serial += 1
        label = message.tags["label"] = str(self._serial)
        self.makeRoom()
        self._waiting[label] = context
        return message

    def makeRoom(self) -> list[Any]:
        """Forget what is too old for one more to wait: the contexts, in most cases none."""
        forgotten = []
        while len(self._waiting) >= self.MAX_WAITING:
            forgotten.append(self._waiting.pop(next(iter(self._waiting))))
        return forgotten

    def clear(self) -> list[Any]:
        """Nothing will be answered any more: the contexts that waited, the oldest first."""
        waiting = list(self._waiting.values())
        self._waiting.clear()
        return waiting

    def received(self, item: Message | Batch) -> tuple[Any, list[Message | Batch]] | None:
        """The context that `item` answers, and the answer: one message, those of a batch, or none (ACK).

        None when it answers nothing that waits. A label is answered once.
        """
        opening = item.opening if isinstance(item, Batch) else item
        label = opening.tags.get("label")
        if label is None or label not in self._waiting:
            return None
        context = self._waiting.pop(label)
        if isinstance(item, Batch):
            return context, item.contents if item.type == "labeled-response" else [item]
        return context, [] if item.command == "ACK" else [item]
