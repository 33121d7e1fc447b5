"""The two reasons that a `doRead` or `doWrite` returns when it is over, and which reactor is the default one."""

from __future__ import annotations

from reactor.error import ConnectionDone, ConnectionLost, ReactorAlreadyInstalledError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["CONNECTION_DONE", "CONNECTION_LOST", "installReactor"]

#: It ended cleanly.
CONNECTION_DONE = ConnectionDone()
#: It was lost.
CONNECTION_LOST = ConnectionLost()


def installReactor(reactor: Any = None) -> None:
    """Make `reactor` the process's default one, which `from reactor import reactor` gives; None: one of our own, made
    now.

    :raises ReactorAlreadyInstalledError: when there is one already.
    """
    import reactor as package

    if "reactor" in vars(package) or package._made:
        raise ReactorAlreadyInstalledError(f"the default reactor is there already: {package.reactor!r}")
    if reactor is None:
        from reactor.base import Reactor

        reactor = Reactor()
    package.reactor = reactor
