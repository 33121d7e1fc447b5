"""What is logged about peers: escaped and bounded as all is, and of each peer so many entries in so many seconds.

A peer chooses how often it does what is worth an entry, and an entry costs us more than a line costs it. What is left
out is said once when that begins, and counted. One of these is kept by whatever peers come to: a port, a factory; by a
connection if it has no factory. Knows `logging` and a clock, and peers by whatever names them.
"""

from __future__ import annotations

from time import monotonic

from reactor._ground.log import message, reportException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reactor.failure import Failure


class _Entries:
    """Those about one peer."""

    __slots__ = ("leftOut", "level", "until", "written")

    def __init__(self, until: float) -> None:
        self.until = until
        self.written = 0
        self.leftOut = 0
        # Of the last one that was left out.
        self.level = ""


class PeerLog:
    """Entries about peers.

    :param now: the time in seconds, on a clock that never goes back.
    """

    #: How many entries there may be about one peer...
    MOST = 20
    #: ... in so many seconds.
    SECONDS = 60.0
    #: How many peers are remembered; who was first makes room.
    PEERS = 1000

    __slots__ = ("_now", "_peers")

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._peers: dict[object, _Entries] = {}

    def message(self, peer: object, level: str, text: str, *args: object) -> None:
        """As `log.message`, about `peer`."""
        if self._mayWrite(peer, level):
            message(level, text, *args)

    def reportException(self, peer: object, text: str, problem: BaseException | Failure, *args: object) -> None:
        """As `log.reportException`, about `peer`."""
        if self._mayWrite(peer, "error"):
            reportException(text, problem, *args)

    def _mayWrite(self, peer: object, level: str) -> bool:
        now = self._now()
        entries = self._peers.get(peer)
        if entries is None or now >= entries.until:
            if entries is not None:
                self._forget(peer)
            elif len(self._peers) >= self.PEERS:
                self._forget(next(iter(self._peers)))
            entries = self._peers[peer] = _Entries(now + self.SECONDS)
        if entries.written < self.MOST:
            entries.written += 1
            return True
        if not entries.leftOut:
            text = "%s: more than %d entries in %g s; others are left out for %.0f s"
            message(level, text, peer, self.MOST, self.SECONDS, entries.until - now)
        entries.leftOut += 1
        entries.level = level
        return False

    def _forget(self, peer: object) -> None:
        entries = self._peers.pop(peer)
        if entries.leftOut:
            message(entries.level, "%s: %d entries were left out", peer, entries.leftOut)


def peerLogOf(owner: Any) -> PeerLog:
    """The one that `owner` keeps, made when it is first asked for."""
    kept = getattr(owner, "_peerLog", None)
    if isinstance(kept, PeerLog):
        return kept
    made = PeerLog()
    try:
        owner._peerLog = made
    except AttributeError:
        # It has slots. Better an entry too many than none.
        pass
    return made


def peerOf(transport: Any) -> object:
    """What names the other end of `transport` in the log: its host, else its address. Whatever `transport` is."""
    try:
        address = transport.getPeer()
        return getattr(address, "host", None) or repr(address)
    except Exception:
        return "a peer"


def peerMessage(protocol: Any, level: str, text: str, *args: object) -> None:
    """Log something that the peer of `protocol` did, by the `PeerLog` of its factory, or of itself if it has none."""
    _of(protocol).message(peerOf(protocol.transport), level, text, *args)


def peerException(protocol: Any, text: str, problem: BaseException | Failure, *args: object) -> None:
    """Log an exception to which the peer of `protocol` led, likewise."""
    _of(protocol).reportException(peerOf(protocol.transport), text, problem, *args)


def _of(protocol: Any) -> PeerLog:
    factory = getattr(protocol, "factory", None)
    return peerLogOf(protocol if factory is None else factory)
