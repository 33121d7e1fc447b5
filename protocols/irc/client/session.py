"""What an IRC client knows that outlives a connection: its nickname, and the channels it is in.

No connection and no clock. A client factory holds one as ``session``; the client that it builds next takes up what the
one before left.
"""

from __future__ import annotations

from protocols.irc.casemapping import fold
from protocols.irc.sts import STSPolicies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Session"]

# Channels in one JOIN: few enough for any server's TARGMAX, and octets of their names and keys.
_AT_ONCE = 10
_OCTETS = 400


class Session:
    """The nickname and the channels of a client, over all its connections.

    Names compare as the server says, once it has said it (`compareBy`). Until then two names are the same only where
    all servers take them for the same, and each is kept as it is written: so nothing is mistaken for another thing, and
    nothing has to be forgotten when the server has spoken.
    """

    #: A server says which channels we are in. So many are believed...
    MAX_CHANNELS = 1000
    #: ... and names of so many characters.
    MAX_NAME = 80

    def __init__(self) -> None:
        #: What the client wants to be called; None for what its class says.
        self.nickname: str | None = None
        #: Name of each channel that the client is in, and its key or None, by the name folded as `casemapping` says.
        self.channels: dict[str, tuple[str, str | None]] = {}
        #: How names compare, see `fold`.
        self.casemapping = "ascii"
        #: Which hosts are to be talked to by TLS only.
        self.policies = STSPolicies()
        # On this connection, by the same names: what was asked for and is not answered yet, with its key; which of
        # those were refused; which the client is in.
        self._asked: dict[str, tuple[str, str | None]] = {}
        self._refused: set[str] = set()
        self._here: set[str] = set()

    def compareBy(self, casemapping: str) -> None:
        """Names compare so from now on."""
        if casemapping == self.casemapping:
            return
        self.casemapping = casemapping
        known = {**self.channels, **self._asked}
        self._refused = {self._fold(known[name][0]) for name in self._refused if name in known}
        self._here = {self._fold(known[name][0]) for name in self._here if name in known}
        self.channels = {self._fold(pair[0]): pair for pair in self.channels.values()}
        self._asked = {self._fold(pair[0]): pair for pair in self._asked.values()}

    def _fold(self, name: str) -> str:
        return fold(name, self.casemapping)

    def asked(self, channels: str, keys: str | None) -> None:
        """The client asks to join; both are lists with commas, as in JOIN."""
        left = keys.split(",") if keys else []
        for number, channel in enumerate(channels.split(",")):
            name = self._fold(channel)
            self._asked[name] = channel, left[number] if number < len(left) else None
            self._refused.discard(name)

    def refused(self, channel: str) -> bool:
        """The server does not let the client in, or refuses something else about `channel`.

        :return: whether it was to get in there, and was in there on a connection before: `missing` has it again.
        """
        name = self._fold(channel)
        if name not in self._asked or name not in self.channels:
            return False
        self._refused.add(name)
        return True

    def joined(self, channel: str) -> None:
        """The client is in `channel` now. What could not be asked for again is not remembered."""
        name = self._fold(channel)
        key = self._asked.pop(name, (channel, None))[1]
        self._refused.discard(name)
        if not channel or channel[0] == ":" or " " in channel or "," in channel or len(channel) > self.MAX_NAME:
            return
        if name not in self.channels and len(self.channels) >= self.MAX_CHANNELS:
            return
        before = self.channels.get(name, (channel, None))[1]
        self.channels[name] = channel, key or before
        self._here.add(name)

    def left(self, channel: str) -> None:
        """The client left `channel`, or was thrown out of it: it does not come back by itself."""
        name = self._fold(channel)
        self.channels.pop(name, None)
        self._here.discard(name)
        self._refused.discard(name)

    def connected(self) -> None:
        """A new connection begins: it has asked for nothing yet, and is nowhere."""
        self._asked.clear()
        self._refused.clear()
        self._here.clear()

    def missing(self) -> Iterator[tuple[str, str | None]]:
        """What to JOIN so that the client is where it was: pairs of channels and keys, each a list with commas.

        Channels that the client is in, or has asked for on this connection and not been refused, are left out.
        """
        there = self._here | (self._asked.keys() - self._refused)
        # A key belongs to the channel at its place in the list: those that have one come first.
        wanted = [pair for name, pair in self.channels.items() if name not in there]
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
