"""Those who came to a port and have not finished their TLS handshake: how many there may be, and who goes when there
are too many.

A handshake that is not finished costs its sender nothing and us a socket and the memory of a TLS connection. So they
are counted, and one too many sends away the one that has been at it longest: whoever means it is done in a few round
trips, whoever holds connections open is what the oldest ones are. Knows nothing of sockets and TLS.
"""

from __future__ import annotations

from time import monotonic

from reactor._ground.log import message
from reactor._ground.peerlog import PeerLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Member(Protocol):
        """One of them."""

        def sendAway(self) -> None: ...


#: How many there may be at a port.
HANDSHAKE_LIMIT = 1000
# Seconds from one line in the log to the next.
_QUIET = 60.0


class HalfOpen:
    """Who has not finished yet, the oldest first."""

    __slots__ = ("_dropped", "_limit", "_log", "_members", "_quietUntil", "_whose")

    def __init__(self, limit: int | None, whose: object) -> None:
        """`limit` is how many there may be, None for any number; `whose` is named in the log."""
        self._limit = limit
        self._whose = whose
        # A dict for its order.
        self._members: dict[Member, None] = {}
        self._dropped = 0
        self._quietUntil = 0.0
        self._log = PeerLog()

    def __len__(self) -> int:
        return len(self._members)

    def enter(self, member: Member) -> None:
        """`member` begins; the oldest is sent away if that is one too many."""
        members = self._members
        members[member] = None
        if self._limit is not None and len(members) > self._limit:
            oldest = next(iter(members))
            del members[oldest]
            self._tell()
            oldest.sendAway()

    def leave(self, member: Member) -> None:
        """`member` has finished, or is gone. Nothing when it was sent away."""
        self._members.pop(member, None)

    def tellFailure(self, peer: object, text: str, *args: object) -> None:
        """Log that one from `peer`, an address, did not finish; of each host so many a minute."""
        self._log.message(getattr(peer, "host", ""), "info", text, *args)

    def clear(self) -> None:
        """Send all away."""
        members = list(self._members)
        self._members.clear()
        for member in members:
            member.sendAway()

    def _tell(self) -> None:
        self._dropped += 1
        now = monotonic()
        if now >= self._quietUntil:
            self._quietUntil = now + _QUIET
            text = "%s: more than handshakeLimit=%d unfinished TLS handshakes; the oldest are dropped, %d so far"
            message("warning", text, self._whose, self._limit, self._dropped)


def limitOf(contextFactory: Any, method: str) -> int | None:
    """The `handshakeLimit` of a context factory, but no more than half of the descriptors that this process may have:
    the others are for those who have finished.

    In the name of `method`: TypeError and ValueError for one that is none.
    """
    limit = getattr(contextFactory, "handshakeLimit", HANDSHAKE_LIMIT)
    if limit is None:
        return None
    if not isinstance(limit, int) or isinstance(limit, bool):
        raise TypeError(f"{method}(): handshakeLimit of {contextFactory!r} must be an int or None, not {limit!r}")
    if limit < 1:
        raise ValueError(f"{method}(): handshakeLimit of {contextFactory!r} must be 1 or more, not {limit}")
    import resource

    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return limit if soft == resource.RLIM_INFINITY else min(limit, max(soft // 2, 1))
