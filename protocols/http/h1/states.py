"""Where a reader of HTTP/1.1 is, and what leads where: one table for requests and responses.

What is not in the table cannot happen, and raises if it does.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Event", "State", "TABLE", "after"]


class State(IntEnum):
    """What the next byte belongs to. From `HELD` on, none is read."""

    HEAD = 0  # a start line, fields, or between two messages
    LENGTH = 1  # a body of known length
    CHUNK_LINE = 2  # size and extensions of a chunk
    CHUNK_DATA = 3
    CHUNK_END = 4  # the line end behind the data of a chunk
    TRAILERS = 5
    UNTIL_CLOSE = 6  # a response's body that the end of the connection ends
    HELD = 7  # who answers decides whether what follows is HTTP: behind an Upgrade
    TUNNEL = 8  # it is no HTTP: behind CONNECT, or 101
    CLOSED = 9  # the last message said that it is the last
    SWITCHED = 10  # what came was handed over
    FAILED = 11


class Event(IntEnum):
    """What happened to a reader."""

    NO_BODY = 0  # a head whose message ends with it
    LENGTH = 1
    CHUNKED = 2
    UNTIL_CLOSE = 3
    CHUNK = 4  # the line of a chunk that has data
    DATA_ENDED = 5
    LINE_ENDED = 6
    LAST_CHUNK = 7
    MESSAGE = 8  # a message is whole, and another may follow
    LAST_MESSAGE = 9  # is whole, and none follows
    HOLD = 10  # is whole, and asked for another protocol
    TUNNEL = 11  # is whole, and what follows is no HTTP
    RESUME = 12
    SWITCH = 13
    FAIL = 14


TABLE: dict[tuple[State, Event], State] = {
    (State.HEAD, Event.NO_BODY): State.HEAD,
    (State.HEAD, Event.LENGTH): State.LENGTH,
    (State.HEAD, Event.CHUNKED): State.CHUNK_LINE,
    (State.HEAD, Event.UNTIL_CLOSE): State.UNTIL_CLOSE,
    (State.CHUNK_LINE, Event.CHUNK): State.CHUNK_DATA,
    (State.CHUNK_DATA, Event.DATA_ENDED): State.CHUNK_END,
    (State.CHUNK_END, Event.LINE_ENDED): State.CHUNK_LINE,
    (State.CHUNK_LINE, Event.LAST_CHUNK): State.TRAILERS,
    (State.HELD, Event.RESUME): State.HEAD,
    **{
        (whole, event): then
        for whole in (State.HEAD, State.LENGTH, State.TRAILERS, State.UNTIL_CLOSE)
        for event, then in (
            (Event.MESSAGE, State.HEAD),
            (Event.LAST_MESSAGE, State.CLOSED),
            (Event.HOLD, State.HELD),
            (Event.TUNNEL, State.TUNNEL),
        )
    },
    **{(state, Event.SWITCH): State.SWITCHED for state in (State.HEAD, State.HELD, State.TUNNEL)},
    **{(state, Event.FAIL): State.FAILED for state in State},
}


def after(state: State, event: Event) -> State:
    """The state that `event` leads to.

    :raises RuntimeError: if it cannot happen there.
    """
    try:
        return TABLE[state, event]
    except KeyError:
        raise RuntimeError(f"{event.name} cannot happen in state {state.name}") from None
