"""In which channels an IRC client is, and how it comes into them again after its connection was lost.

What is remembered is the `Session`'s business, which outlives the connection.
"""

from __future__ import annotations

from protocols.irc.client.again import Again
from protocols.irc.client.caps import ClientCaps
from protocols.irc.flood import FloodQueueFull
from reactor.protocol import connectionDone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocols.irc.message import Message
    from reactor.failure import Failure

__all__ = ["ClientChannels"]


class ClientChannels(ClientCaps):
    """The channels of `IRCClient`."""

    #: Seconds after which a channel that we were in before, and that does not let us in again (it is not available
    #: after a split, or only for who is logged in), is asked for again; each further time twice as many. None: never.
    rejoinInterval: float | None = 2
    #: Seconds that it takes at most.
    rejoinMaximum: float = 3600

    _rejoin: Again | None = None

    def join(self, channel: str, key: str | None = None) -> None:
        """Ask to join `channel`; `joined` follows. A name without a prefix gets ``#``.

        When the connection is lost, and the factory has a ``session``, the next one joins it again.

        :param key: the channel's password.
        """
        super().join(channel, key)
        self.session.asked(channel if channel[0] in "#&!+" else "#" + channel, key)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone. An override calls this one, which ends the timers."""
        if self._rejoin is not None:
            self._rejoin.stop()
        super().connectionLost(reason)

    def irc_RPL_LOGGEDIN(self, prefix: str, params: list[str]) -> None:
        """We are known as an account: tell `loggedIn`. A channel that kept us out may let us in now."""
        super().irc_RPL_LOGGEDIN(prefix, params)
        if self._rejoin is not None:
            self._rejoin.hurry()

    def _entered(self, channel: str) -> None:
        # What the server tells of channels comes after it has told how names compare, if it does.
        self.session.compareBy(self.supported.casemapping)
        self.session.joined(channel)

    def _gone(self, channel: str) -> None:
        self.session.compareBy(self.supported.casemapping)
        self.session.left(channel)

    def _joinMissing(self) -> None:
        """Ask for the channels that we were in before, on another connection, and are not in now."""
        for channels, keys in list(self.session.missing()):
            self.join(channels, keys)

    def _joinLater(self) -> None:
        try:
            self._joinMissing()
        except FloodQueueFull:
            self._askAgain()

    def _askAgain(self) -> None:
        if self.rejoinInterval is not None:
            if self._rejoin is None:
                self._rejoin = Again(self.clock, self._joinLater)
            self._rejoin.later(self.rejoinInterval, self.rejoinMaximum)

    def _refused(self, message: Message) -> None:
        super()._refused(message)
        # Whatever the reason is, and however the server numbers it.
        params = message.params
        about = params[2:-1] if message.command == "FAIL" else params[1:2]
        refused = [one for one in about if self.session.refused(one)]
        if refused:
            self._askAgain()
