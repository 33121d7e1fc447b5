"""Who is compared: the loops by name, whether they are installed, which version, and how a process gets at one.

The loops are imported by name, when asked for: nothing but the process that is measured loads one, and no type checker
needs them all installed. Twisted's names and ours are the same, so one program serves both.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module, metadata
from importlib.util import find_spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OURS = "ours"
# The floors: an echo server in C, and plain sockets on epoll in Python. What no loop can be faster than, roughly.
C, RAW = "C", "raw"

MODULES = {
    OURS: "reactor",
    "uvloop": "uvloop",
    "asyncio": "asyncio",
    "twisted": "twisted.internet",
    "aiofastnet": "aiofastnet",
    "tornado": "tornado",
    "gevent": "gevent",
    "trio": "trio",
}
_DISTRIBUTIONS = {
    "uvloop": "uvloop",
    "twisted": "Twisted",
    "aiofastnet": "aiofastnet",
    "tornado": "tornado",
    "gevent": "gevent",
    "trio": "trio",
}
# Those with callbacks: what they have of loops and timers is their own.
LOOPS = (OURS, "uvloop", "asyncio", "twisted")
# Those that call no protocol: a connection is a stream, awaited or blocked on.
GUESTS = ("tornado", "gevent", "trio")
# Those that asyncio's own programs run on unchanged.
ASYNCIO = (OURS, "uvloop", "asyncio")
# Those that programs for Twisted run on unchanged.
TWISTED = (OURS, "twisted")


def isInstalled(name: str) -> bool:
    """Whether the loop called `name` can be imported (what is no loop, "C" and "raw", counts as there)."""
    return name not in MODULES or find_spec(MODULES[name].partition(".")[0]) is not None


def versionOf(name: str) -> str | None:
    """The version of the distribution that the loop comes from; None for ours, Python's own, and what is not there."""
    try:
        return metadata.version(_DISTRIBUTIONS[name])
    except (KeyError, metadata.PackageNotFoundError):
        return None


def hasReactor(name: str) -> bool:
    """Whether `reactorOf(name)` works: ours and Twisted."""
    return name in (OURS, "twisted")


def reactorOf(name: str) -> tuple[Any, Any]:
    """The reactor of "ours" or "twisted", and the module that has its Protocol and Factory."""
    # As `from ... import reactor` does: it is an attribute of our package, and a module of Twisted's.
    reactor = __import__(MODULES[name], fromlist=("reactor",)).reactor
    return reactor, import_module(MODULES[name] + ".protocol")


def deferOf(name: str) -> Any:
    """The module of "ours" or "twisted" that has Deferred."""
    return import_module(MODULES[name] + ".defer")


def ircOf(name: str) -> Any:
    """The module of "ours" or "twisted" that has the IRC parser."""
    return import_module("protocols.irc" if name == OURS else "twisted.words.protocols.irc")


def loopFactoryOf(name: str) -> Any:
    """What makes an event loop of asyncio's kind: that of "asyncio", "uvloop" or ours; aiofastnet has transports for
    asyncio's.
    """
    if name == OURS:
        return import_module("reactor.aio").EventLoop
    module = import_module("asyncio" if name == "aiofastnet" else MODULES[name])
    return module.new_event_loop


def creatorOf(name: str, method: str) -> Any:
    """What makes transports on asyncio's running loop: that method of the loop, or aiofastnet's function in its place.

    To be called as the loop's method is.
    """
    loop = import_module("asyncio").get_running_loop()
    return partial(getattr(import_module(name), method), loop) if name == "aiofastnet" else getattr(loop, method)
