"""A program with a library for asyncio, run both ways: on a loop of its own, and as a task of a reactor's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from patience import PATIENCE

import reactor.aio
from reactor.base import Reactor
from reactor.task import react

Program = Callable[[], Coroutine[Any, Any, None]]
Run = Callable[[Program], None]


def owned(program: Program) -> None:
    """Run `program` as asyncio's runner does."""
    reactor.aio.run(asyncio.wait_for(program(), PATIENCE))


def carried(program: Program) -> None:
    """Run `program` as a task in a program of a reactor."""

    async def main(reactor_: Any) -> None:
        await reactor.aio.start(asyncio.wait_for(program(), PATIENCE), reactor=reactor_)

    mine = Reactor()
    try:
        with pytest.raises(SystemExit) as ended:
            react(main, _reactor=mine)
        assert not ended.value.code
    finally:
        reactor.aio.install(mine).close()
        mine.close()


@pytest.fixture(params=[owned, carried], ids=["owned", "carried"])
def run(request: pytest.FixtureRequest) -> Run:
    """How a program runs."""
    return request.param  # type: ignore[no-any-return]
