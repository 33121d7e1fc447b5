"""Our engine under Twisted's applications.

`install()` puts a `TwistedReactor` where `twisted.internet.reactor` looks for one, as Twisted's own pluggable reactors
are put: protocols, factories, Deferreds, Failures, errors, addresses and interfaces stay Twisted's; the loop, timers,
descriptors, sockets and transports are ours. `installAsyncio()` puts an `AsyncioTwistedReactor` there, which carries a
loop of asyncio's too. Needs Twisted: ``pip install 'reactor-loop[twisted]'``.
"""

from __future__ import annotations

import sys

try:
    # Other distributions bring plugins for Twisted, which make a folder of that name with nothing in it.
    from twisted import version as _version  # type: ignore[attr-defined]
except ImportError as e:
    raise ImportError("reactor.twisted needs Twisted: pip install 'reactor-loop[twisted]'") from e
if (_version.major, _version.minor) < (24, 11):
    raise ImportError(f"reactor.twisted needs Twisted 24.11 or newer; this is {_version.public()}")

from reactor.twisted import frame
from reactor.twisted.awaiting import fromTwisted, toTwisted
from reactor.twisted.frame import TwistedReactor
from reactor.twisted.loghandler import LogHandler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reactor.twisted.asyncioreactor import AsyncioTwistedReactor

__all__ = [
    "AsyncioTwistedReactor",
    "LogHandler",
    "TwistedReactor",
    "fromTwisted",
    "install",
    "installAsyncio",
    "toTwisted",
]

del _version


def install() -> TwistedReactor:
    """Make a `TwistedReactor` the one that `twisted.internet.reactor` is, and its engine the one that `from reactor
    import reactor` is. What it returns is the former.

    An `AsyncioTwistedReactor` is made where the program has named that class before: Scrapy takes the class from its
    setting, and then calls the `install` that stands beside it.

    :raises twisted.internet.error.ReactorAlreadyInstalledError: when Twisted has one, for example because
        `twisted.internet.reactor` was imported before.
    """
    if "reactor.twisted.asyncioreactor" in sys.modules:
        return installAsyncio()
    return frame.install()


def installAsyncio() -> AsyncioTwistedReactor:
    """As `install`, with an `AsyncioTwistedReactor`, whose loop becomes asyncio's in this thread
    (``asyncio.get_event_loop()``).

    :raises twisted.internet.error.ReactorAlreadyInstalledError: as `install`.
    """
    from reactor.twisted import asyncioreactor

    return asyncioreactor.install()


def __getattr__(name: str) -> Any:
    if name == "AsyncioTwistedReactor":
        # See `install`.
        from reactor.twisted.asyncioreactor import AsyncioTwistedReactor

        return AsyncioTwistedReactor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
