"""The table of a connection's life: complete, nothing beside it, every state reachable, one of them final."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor._transport.stream.lifecycle import READING, TABLE, WRITING, Event, State, step

STATES, EVENTS = list(State), list(Event)
# What a program may ask for at any time, and what the wire says of itself.
ASKED = [Event.LOSE, Event.FINISH, Event.ABORT]
ILLEGAL = [(state, event) for state in STATES for event in EVENTS if (state, event) not in TABLE]


def reachable(start: State) -> set[State]:
    found, border = {start}, [start]
    while border:
        state = border.pop()
        for (before, _), after in TABLE.items():
            if before is state and after not in found:
                found.add(after)
                border.append(after)
    return found


@pytest.mark.parametrize(("state", "event"), list(TABLE))
def test_eachStepOfTheTableIsTaken(state: State, event: Event) -> None:
    assert step(state, event) is TABLE[state, event]


@pytest.mark.parametrize(("state", "event"), ILLEGAL)
def test_whatIsNotInTheTableRaises(state: State, event: Event) -> None:
    with pytest.raises(RuntimeError, match=f"a connection that is {state.value} cannot take {event.name}") as caught:
        step(state, event)
    assert caught.value.__suppress_context__


def test_whatIsIllegal() -> None:
    # Written out, so that a row more or less in the table is seen here.
    over = {(State.CLOSED, event) for event in (Event.END_HEARD, Event.DRAINED, Event.END)}
    neverDrained = {(state, Event.DRAINED) for state in (State.OPEN, State.FINISHED, State.HEARD)}
    nothingIsRead = {(state, Event.END_HEARD) for state in (State.HEARD, State.HEARD_LAST, State.CLOSING, State.ENDING)}
    endsByItself = {(state, Event.DRAINED) for state in (State.CLOSING, State.ENDING)}
    assert set(ILLEGAL) == over | neverDrained | nothingIsRead | endsByItself


@pytest.mark.parametrize("event", ASKED)
@pytest.mark.parametrize("state", STATES)
def test_whatAProgramAsksForIsAlwaysLegal(state: State, event: Event) -> None:
    step(state, event)


@pytest.mark.parametrize("event", ASKED)
@pytest.mark.parametrize("state", STATES)
def test_askingTwiceIsAskingOnce(state: State, event: Event) -> None:
    once = step(state, event)
    assert step(once, event) is once


def test_everyStateIsReachable() -> None:
    assert reachable(State.OPEN) == set(State)


@pytest.mark.parametrize("state", STATES)
def test_everyStateLeadsToClosed(state: State) -> None:
    assert State.CLOSED in reachable(state)


def test_closedIsFinal() -> None:
    assert reachable(State.CLOSED) == {State.CLOSED}
    assert [state for state in STATES if reachable(state) == {state}] == [State.CLOSED]


def test_everyOpenStateCanEndAtOnce() -> None:
    assert [state for state in STATES if (state, Event.END) not in TABLE] == [State.CLOSED]


def test_whatIsReadAndWrittenInEachState() -> None:
    # The peer's end can be heard exactly where something is read.
    assert {state for state in STATES if (state, Event.END_HEARD) in TABLE} == READING
    # Our half can be ended, with a change of state, exactly where something may be written.
    assert {state for state in STATES if step(state, Event.FINISH) is not state} == WRITING


@given(st.lists(st.sampled_from(EVENTS)))
def test_aWalk(events: list[Event]) -> None:
    state, read, wrote = State.OPEN, True, True
    for event in events:
        try:
            state = step(state, event)
        except RuntimeError:
            assert (state, event) not in TABLE
            continue
        # What ended stays ended: reading, writing, and the connection.
        assert read or state not in READING
        assert wrote or state not in WRITING
        read, wrote = state in READING, state in WRITING
    assert (state is State.CLOSED) <= (not read and not wrote)
