"""The policy that older libraries ask for, in Pythons that still have policies (asyncio drops them in 3.16)."""

from __future__ import annotations

import asyncio
import warnings

from reactor.aio.loop import EventLoop

with warnings.catch_warnings():
    # From 3.14 on: whoever asks for a policy has been told, or is told by what it gives the policy to.
    warnings.simplefilter("ignore", DeprecationWarning)
    _Default = asyncio.DefaultEventLoopPolicy


class EventLoopPolicy(_Default):
    """Makes an `EventLoop` wherever a loop is made, once ``asyncio.set_event_loop_policy`` was given one."""

    _loop_factory = EventLoop
