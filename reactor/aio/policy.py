"""The policy that older libraries ask for, in Pythons that still have policies (asyncio drops them in 3.16)."""

from __future__ import annotations

import asyncio

from reactor.aio.loop import EventLoop


class EventLoopPolicy(asyncio.DefaultEventLoopPolicy):
    """Makes an `EventLoop` wherever a loop is made, once ``asyncio.set_event_loop_policy`` was given one."""

    _loop_factory = EventLoop
