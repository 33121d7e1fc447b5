"""Batches (IRCv3 "Batch"): messages that belong together, collected until they are complete.

A server decides when a batch ends, and whether: what is collected is bounded, and what finds no room is left out, which
makes the batch an incomplete one. Nothing is held back here; who wants messages in the order in which they come takes
each as it comes, and the batch when it ends.
"""

from __future__ import annotations

from protocols.irc.error import IRCBadMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocols.irc.message import Message

__all__ = ["Batch", "Batches"]


class Batch:
    """Messages that belong together.

    `type` says how (``netjoin``, ``chathistory``, ``labeled-response``), `params` go with the type; `opening` is the
    message that began it, with its tags; `contents` are messages and the batches within, in the order of their ends;
    `complete` is whether it has ended, and had nothing in it that `contents` has not.
    """

    __slots__ = ("_messages", "_octets", "_short", "complete", "contents", "opening", "params", "reference", "type")

    def __init__(self, reference: str, opening: Message) -> None:
        self.reference = reference
        self.type = opening.params[1]
        self.params = opening.params[2:]
        self.opening = opening
        self.contents: list[Message | Batch] = []
        self.complete = False
        # How much is in it and in the batches within, and whether something found no room.
        self._messages = self._octets = 0
        self._short = False

    def __repr__(self) -> str:
        more = "" if self.complete else ", incomplete"
        return f"<Batch {self.type} {self.params!r}: {len(self.contents)}{more}>"


class Batches:
    """The batches of one connection that have begun."""

    #: How many may be open. For one more, that which began first ends as it is.
    MAX_OPEN = 50
    #: How many messages may wait in them together.
    MAX_MESSAGES = 10_000
    #: How many octets of those messages, tags included.
    MAX_OCTETS = 4 * 1024 * 1024

    def __init__(self) -> None:
        # In the order in which they began: a batch stands behind the one around it.
        self._open: dict[str, Batch] = {}
        # Invariant: the sums over _open.
        self._messages = self._octets = 0

    def received(self, message: Message) -> Message | Batch | None:
        """What has ended with `message`: itself when it is in no batch or finds no room in it, a batch that is in none,
        or nothing.

        A batch that is not `complete` made room for another one: a newer one, or one that has its reference.

        :raises IRCBadMessage: when BATCH makes no sense.
        """
        if message.command == "BATCH":
            return self._batch(message)
        batch = self.open(message)
        if batch is None:
            return message
        octets = _octets(message)
        if self._messages >= self.MAX_MESSAGES or self._octets + octets > self.MAX_OCTETS:
            batch._short = True
            return message
        self._add(batch, 1, octets)
        batch.contents.append(message)
        return None

    def open(self, message: Message) -> Batch | None:
        """The batch that `message` is in, or begins in; None when it is in none that is open."""
        return self._open.get(message.tags.get("batch", ""))

    def end(self) -> list[Batch]:
        """No more will come: those that are open and in no other, in the order in which they began, incomplete."""
        ended = [self._close(reference) for reference in reversed(list(self._open))]
        return [batch for batch in reversed(ended) if batch is not None]

    def _batch(self, message: Message) -> Batch | None:
        mark, reference = (message.params[0][:1], message.params[0][1:]) if message.params else ("", "")
        if mark == "+" and reference and len(message.params) > 1:
            ended = None
            if reference in self._open:
                ended = self._close(reference)
            elif len(self._open) >= self.MAX_OPEN:
                ended = self._close(next(iter(self._open)))
            self._open[reference] = Batch(reference, message)
            return ended
        if mark != "-" or reference not in self._open:
            raise IRCBadMessage(f"BATCH of {message.params!r}")
        self._open[reference].complete = not self._open[reference]._short
        return self._close(reference)

    def _close(self, reference: str) -> Batch | None:
        """End a batch. It, if it is in no other."""
        batch = self._open.pop(reference)
        self._messages -= batch._messages
        self._octets -= batch._octets
        outer = self.open(batch.opening)
        if outer is None:
            return batch
        outer._short = outer._short or not batch.complete
        self._add(outer, batch._messages + 1, batch._octets + _octets(batch.opening))
        outer.contents.append(batch)
        return None

    def _add(self, batch: Batch, messages: int, octets: int) -> None:
        batch._messages += messages
        batch._octets += octets
        self._messages += messages
        self._octets += octets


def _octets(message: Message) -> int:
    """About as many as were in its line."""
    text = "".join([message.source, message.command, *message.params, *message.tags, *message.tags.values()])
    return len(text.encode("utf-8", "surrogateescape"))
