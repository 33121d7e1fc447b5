"""Those who came to a port and have not finished their TLS handshake: how many there may be, and who goes when there
are too many.

A handshake that is not finished costs its sender nothing and us a socket and the memory of a TLS connection. So they
are counted, and one too many sends away one of the peer that has most of them, the one that has been at it longest.
Whoever means it has one, or a few, and is done in a few round trips: whatever one peer does, it costs no other peer its
place. Only as many peers as there are places, each with one, push each other out, the oldest first. Knows nothing of
sockets and TLS.
"""

from __future__ import annotations

from time import monotonic

from reactor._ground.log import message
from reactor._ground.peerlog import PeerLog
from reactor._ground.peers import peerOf

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
    """Who has not finished yet, by peers."""

    __slots__ = ("_dropped", "_limit", "_log", "_members", "_most", "_quietUntil", "_shares", "_sizes", "_whose")

    def __init__(self, limit: int | None, whose: object) -> None:
        """`limit` is how many there may be, None for any number; `whose` is named in the log."""
        self._limit = limit
        self._whose = whose
        # Who it is -> of which peer. The dicts here are dicts, or have None for values, for their order.
        self._members: dict[Member, object] = {}
        # Each peer's, the oldest first; and the peers that have so many. Invariant: _most is the largest of those
        # numbers, so that who has most is found at once.
        self._shares: dict[object, dict[Member, None]] = {}
        self._sizes: dict[int, dict[object, None]] = {}
        self._most = 0
        self._dropped = 0
        self._quietUntil = 0.0
        self._log = PeerLog()

    def __len__(self) -> int:
        return len(self._members)

    def enter(self, member: Member, address: object = None) -> None:
        """`member`, from `address`, begins. One is sent away if that is one too many."""
        peer = peerOf(address)
        share = self._shares.setdefault(peer, {})
        self._resize(peer, len(share), len(share) + 1)
        share[member] = None
        self._members[member] = peer
        if self._limit is not None and len(self._members) > self._limit:
            oldest = next(iter(self._shares[next(iter(self._sizes[self._most]))]))
            self.leave(oldest)
            self._tell()
            oldest.sendAway()

    def leave(self, member: Member) -> None:
        """`member` has finished, or is gone. Nothing when it was sent away."""
        if member in self._members:
            peer = self._members.pop(member)
            share = self._shares[peer]
            self._resize(peer, len(share), len(share) - 1)
            del share[member]
            if not share:
                del self._shares[peer]

    def _resize(self, peer: object, before: int, after: int) -> None:
        sizes = self._sizes
        if before:
            del sizes[before][peer]
            if not sizes[before]:
                del sizes[before]
        if after:
            sizes.setdefault(after, {})[peer] = None
        # By one, up or down: the largest moves with it, or stays.
        if after > self._most or (before == self._most and before not in sizes):
            self._most = after

    def tellFailure(self, peer: object, text: str, *args: object) -> None:
        """Log that one from `peer`, an address, did not finish; of each host so many a minute."""
        self._log.message(getattr(peer, "host", ""), "info", text, *args)

    def clear(self) -> None:
        """Send all away."""
        for member in list(self._members):
            self.leave(member)
            member.sendAway()

    def _tell(self) -> None:
        self._dropped += 1
        now = monotonic()
        if now >= self._quietUntil:
            self._quietUntil = now + _QUIET
            text = (
                "%s: more than handshakeLimit=%d unfinished TLS handshakes; of who has most the oldest goes, %d so far"
            )
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
