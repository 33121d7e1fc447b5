"""Batches (IRCv3 "Batch"): messages that belong together, collected until they are complete."""

from __future__ import annotations

from protocols.irc.error import IRCBadMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocols.irc.message import Message

__all__ = ["Batch", "Batches"]


class Batch:
    """Messages that belong together.

    `type` says how (``netjoin``, ``chathistory``, ``labeled-response``), `params` go with the type; `opening` is the
    message that began it, with its tags; `contents` are messages and the batches within, in the order of their ends.
    """

    __slots__ = ("contents", "opening", "params", "reference", "type")

    def __init__(self, reference: str, opening: Message) -> None:
        self.reference = reference
        self.type = opening.params[1]
        self.params = opening.params[2:]
        self.opening = opening
        self.contents: list[Message | Batch] = []

    def __repr__(self) -> str:
        return f"<Batch {self.type} {self.params!r}: {len(self.contents)}>"


class Batches:
    """The batches of one connection that have begun."""

    #: How many may be open.
    MAX_OPEN = 50
    #: How many messages may wait in them together.
    MAX_MESSAGES = 10_000

    def __init__(self) -> None:
        self._open: dict[str, Batch] = {}
        # Invariant: as many as in the batches of _open, and in what those hold.
        self._waiting = 0

    def received(self, message: Message) -> Message | Batch | None:
        """What is complete with `message`: itself when it is in no batch, a batch that is in none, or nothing.

        :raises IRCBadMessage: when BATCH makes no sense, or too much would wait.
        """
        if message.command == "BATCH":
            return self._batch(message)
        batch = self._open.get(message.tags.get("batch", ""))
        if batch is None:
            return message
        self._count()
        batch.contents.append(message)
        return None

    def _count(self) -> None:
        if self._waiting >= self.MAX_MESSAGES:
            raise IRCBadMessage(f"more than {self.MAX_MESSAGES} messages in open batches")
        self._waiting += 1

    def _batch(self, message: Message) -> Batch | None:
        mark, reference = (message.params[0][:1], message.params[0][1:]) if message.params else ("", "")
        if mark == "+" and reference and len(message.params) > 1:
            if reference in self._open:
                raise IRCBadMessage(f"batch {reference} begins twice")
            if len(self._open) >= self.MAX_OPEN:
                raise IRCBadMessage(f"more than {self.MAX_OPEN} open batches")
            self._open[reference] = Batch(reference, message)
            return None
        if mark != "-" or reference not in self._open:
            raise IRCBadMessage(f"BATCH of {message.params!r}")
        batch = self._open.pop(reference)
        outer = self._open.get(batch.opening.tags.get("batch", ""))
        if outer is not None:
            try:
                self._count()
            except IRCBadMessage:
                # What is in it goes with it.
                self._waiting -= _size(batch)
                raise
            outer.contents.append(batch)
            return None
        self._waiting -= _size(batch)
        return batch


def _size(batch: Batch) -> int:
    """How many messages and batches are in `batch`, at any depth."""
    todo, size = [batch], 0
    while todo:
        contents = todo.pop().contents
        size += len(contents)
        todo += [item for item in contents if isinstance(item, Batch)]
    return size
