"""Who is compared: the loops by name, whether they are installed, which version, and how a process gets at one.

The loops are imported by name, when asked for: nothing but the process that is measured loads one, and no type checker
needs them all installed. Twisted's names and ours are the same, so one program serves both.
"""

from __future__ import annotations

from importlib import import_module, metadata
from importlib.util import find_spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OURS = "ours"
# The floors: an echo server in C, and plain sockets on epoll in Python. What no loop can be faster than, roughly.
C, RAW = "C", "raw"

MODULES = {OURS: "reactor", "uvloop": "uvloop", "asyncio": "asyncio", "twisted": "twisted.internet"}
_DISTRIBUTIONS = {"uvloop": "uvloop", "twisted": "Twisted"}


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
    """What makes an event loop of "asyncio" or "uvloop"."""
    module = import_module(MODULES[name])
    return module.new_event_loop
