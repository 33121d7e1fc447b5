"""The life of a connection, as a table.

Two rules. A connection is in exactly one State, and `step` is the only way from one to the next: what is not in the
table is illegal and raises. Closing is final: from CLOSED nothing leads anywhere.

What a state means for the two directions:

=============  =====================  ============================================
state          reading                writing
=============  =====================  ============================================
OPEN           yes                    yes
FINISHING      yes                    sends what is queued, then its end
FINISHED       yes                    ended
HEARD          the peer's end came    yes
HEARD_LAST     the peer's end came    sends what is queued, then its end
CLOSING        no more                sends what is queued, then closes
ENDING         no more                no more; closed in the next turn
CLOSED         closed                 closed
=============  =====================  ============================================
"""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """Where a connection is in its life."""

    OPEN = "open"
    FINISHING = "finishing"
    FINISHED = "finished"
    HEARD = "heard"
    HEARD_LAST = "heard the last"
    CLOSING = "closing"
    ENDING = "ending"
    CLOSED = "closed"

    # By identity, as they compare: Enum's own is Python code, for each look into the table and the sets below.
    __hash__ = object.__hash__


class Event(Enum):
    """What can happen to it."""

    LOSE = "loseConnection"
    FINISH = "loseWriteConnection"
    ABORT = "abortConnection"
    END_HEARD = "the peer ended its half, and the protocol wants to go on"
    DRAINED = "all that was queued is sent"
    END = "it is over"

    __hash__ = object.__hash__


_S, _E = State, Event

TABLE: dict[tuple[State, Event], State] = {
    (_S.OPEN, _E.LOSE): _S.CLOSING,
    (_S.OPEN, _E.FINISH): _S.FINISHING,
    (_S.OPEN, _E.END_HEARD): _S.HEARD,
    (_S.OPEN, _E.ABORT): _S.ENDING,
    (_S.OPEN, _E.END): _S.CLOSED,
    (_S.FINISHING, _E.LOSE): _S.CLOSING,
    (_S.FINISHING, _E.FINISH): _S.FINISHING,
    (_S.FINISHING, _E.END_HEARD): _S.HEARD_LAST,
    (_S.FINISHING, _E.DRAINED): _S.FINISHED,
    (_S.FINISHING, _E.ABORT): _S.ENDING,
    (_S.FINISHING, _E.END): _S.CLOSED,
    (_S.FINISHED, _E.LOSE): _S.CLOSING,
    (_S.FINISHED, _E.FINISH): _S.FINISHED,
    (_S.FINISHED, _E.END_HEARD): _S.CLOSING,
    (_S.FINISHED, _E.ABORT): _S.ENDING,
    (_S.FINISHED, _E.END): _S.CLOSED,
    (_S.HEARD, _E.LOSE): _S.CLOSING,
    (_S.HEARD, _E.FINISH): _S.HEARD_LAST,
    (_S.HEARD, _E.ABORT): _S.ENDING,
    (_S.HEARD, _E.END): _S.CLOSED,
    (_S.HEARD_LAST, _E.LOSE): _S.CLOSING,
    (_S.HEARD_LAST, _E.FINISH): _S.HEARD_LAST,
    (_S.HEARD_LAST, _E.DRAINED): _S.CLOSING,
    (_S.HEARD_LAST, _E.ABORT): _S.ENDING,
    (_S.HEARD_LAST, _E.END): _S.CLOSED,
    (_S.CLOSING, _E.LOSE): _S.CLOSING,
    (_S.CLOSING, _E.FINISH): _S.CLOSING,
    (_S.CLOSING, _E.ABORT): _S.ENDING,
    (_S.CLOSING, _E.END): _S.CLOSED,
    (_S.ENDING, _E.LOSE): _S.ENDING,
    (_S.ENDING, _E.FINISH): _S.ENDING,
    (_S.ENDING, _E.ABORT): _S.ENDING,
    (_S.ENDING, _E.END): _S.CLOSED,
    (_S.CLOSED, _E.LOSE): _S.CLOSED,
    (_S.CLOSED, _E.FINISH): _S.CLOSED,
    (_S.CLOSED, _E.ABORT): _S.CLOSED,
}

READING = frozenset({State.OPEN, State.FINISHING, State.FINISHED})
"""States in which bytes of the peer are delivered."""

WRITING = frozenset({State.OPEN, State.HEARD})
"""States in which what the protocol writes is accepted."""

LEAVING = frozenset({State.CLOSING, State.ENDING})
"""States in which it was asked to close and has not yet."""

HEARD = frozenset({State.HEARD, State.HEARD_LAST})
"""States in which the peer's end has come, and ours has not been asked for."""

DRAINING = frozenset({State.FINISHING, State.HEARD_LAST, State.CLOSING})
"""States in which what is queued is sent, and what a producer writes that was registered before."""


def step(state: State, event: Event) -> State:
    """The state after `event` in `state`; RuntimeError when the table knows no such step (a bug of ours)."""
    try:
        return TABLE[state, event]
    except KeyError:
        raise RuntimeError(f"a connection that is {state.value} cannot take {event.name}") from None
