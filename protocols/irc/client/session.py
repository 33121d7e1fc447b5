"""What an IRC client knows that outlives a connection: its nickname, and the channels it is in.

No connection and no clock. A client factory holds one as ``session``; the client that it builds next takes up what the
one before left.
"""

from __future__ import annotations

from protocols.irc.sts import STSPolicies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Session"]

# Channels in one JOIN: few enough for any server's TARGMAX, and octets of their names and keys.
_AT_ONCE = 10
_OCTETS = 400
# A server says which channels we are in: so many, and names of so many characters, are believed.
_MOST = 1000
_LONGEST = 80


def _asIs(name: str) -> str:
    return name.lower()


class Session:
    """The nickname and the channels of a client, over all its connections."""

    def __init__(self) -> None:
        #: What the client wants to be called; None for what its class says.
        self.nickname: str | None = None
        #: Name of each channel that the client is in, and its key or None, by the name as the server compares names.
        self.channels: dict[str, tuple[str, str | None]] = {}
        #: Which hosts are to be talked to by TLS only.
        self.policies = STSPolicies()
        # Keys of JOINs that were not answered yet.
        self._keys: dict[str, str | None] = {}

    def asked(self, channels: str, keys: str | None, fold: Callable[[str], str] = _asIs) -> None:
        """The client asks to join; both are lists with commas, as in JOIN."""
        left = keys.split(",") if keys else []
        for number, channel in enumerate(channels.split(",")):
            self._keys[fold(channel)] = left[number] if number < len(left) else None

    def joined(self, channel: str, fold: Callable[[str], str] = _asIs) -> None:
        """The client is in `channel` now. What could not be asked for again is not remembered."""
        for one in channel.split(","):
            if not one or one[0] == ":" or " " in one or len(one) > _LONGEST or len(self.channels) >= _MOST:
                continue
            name = fold(one)
            before = self.channels.get(name, (one, None))[1]
            self.channels[name] = one, self._keys.pop(name, None) or before

    def left(self, channel: str, fold: Callable[[str], str] = _asIs) -> None:
        """The client left `channel`, or was thrown out of it: it does not come back by itself."""
        self.channels.pop(fold(channel), None)

    def connected(self) -> None:
        """A new connection begins: it has asked for nothing yet."""
        self._keys.clear()

    def missing(self) -> Iterator[tuple[str, str | None]]:
        """What to JOIN so that the client is where it was: pairs of channels and keys, each a list with commas.

        Channels that the client has asked for on this connection are left out.
        """
        # A key belongs to the channel at its place in the list: those that have one come first.
        wanted = [pair for name, pair in self.channels.items() if name not in self._keys]
        wanted.sort(key=lambda pair: pair[1] is None)
        names: list[str] = []
        keys: list[str] = []
        octets = 0
        for channel, key in wanted:
            more = (
                len(channel.encode("utf-8", "surrogateescape"))
                + len((key or "").encode("utf-8", "surrogateescape"))
                + 2
            )
            if names and (len(names) >= _AT_ONCE or octets + more > _OCTETS):
                yield ",".join(names), ",".join(keys) or None
                names, keys, octets = [], [], 0
            names.append(channel)
            if key is not None:
                keys.append(key)
            octets += more
        if names:
            yield ",".join(names), ",".join(keys) or None
