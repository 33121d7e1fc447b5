"""An event loop for network programs, with Twisted's API.

`from reactor import reactor` is the process's default reactor, made when it is first asked for; `import reactor;
reactor.run()` is the same one's doing. Importing makes nothing, opens nothing and is fast.
"""

from __future__ import annotations

from _thread import allocate_lock as _allocateLock

from reactor._ground import current as _current
from reactor._ground.current import currentReactor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reactor.base import Reactor

    reactor: Reactor

__all__ = ["currentReactor", "reactor"]
__version__ = "0.1.0"


# `from reactor import defer` asks the package for the attribute before it imports the module, and must make no reactor.
# tests/test_package.py compares this with the folder.
_MODULES = frozenset(
    (
        "address",
        "aio",
        "base",
        "compat",
        "components",
        "defer",
        "endpoints",
        "error",
        "failure",
        "interfaces",
        "protocol",
        "pytestplugin",
        "service",
        "ssl",
        "stdio",
        "task",
        "testing",
        "threadpool",
        "threads",
        "twisted",
        "utils",
        "workers",
    )
)


_making = _allocateLock()
# The default reactor, once it is made. A program that sets `reactor.reactor` itself is believed.
_made: list[Reactor] = []


def _default() -> Reactor:
    given: Reactor | None = globals().get("reactor")
    if given is not None:
        return given
    if not _made:
        # The one late import of the package: a program that only wants a Deferred makes no reactor.
        from reactor.base import Reactor

        with _making:
            if not _made:
                _made.append(Reactor())
    return _made[0]


_current._makeDefault.append(_default)


def __getattr__(name: str) -> Any:
    if name.startswith("_") or name in _MODULES:
        raise AttributeError(f"module 'reactor' has no attribute {name!r}")
    # In the thread of an event loop of asyncio that is on a reactor, that one is meant by whoever does not know of it.
    default = _current.carryingReactor() or _default()
    if name == "reactor":
        return default
    try:
        return getattr(default, name)
    except AttributeError:
        raise AttributeError(
            f"neither the package 'reactor' nor its default reactor has an attribute {name!r}"
        ) from None
