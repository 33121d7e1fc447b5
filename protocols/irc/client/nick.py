"""What an IRC client is called: what to do when its nickname is taken, or not liked, and how it comes by it again.

Which name is asked for is `NickChoice`'s business; here are the messages, and when.
"""

from __future__ import annotations

from functools import cached_property

from protocols.irc.client.again import Again
from protocols.irc.client.events import ClientEvents, need
from protocols.irc.client.nickchoice import NickChoice
from protocols.irc.client.session import Session
from protocols.irc.message import nickOf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from protocols.irc.message import Message

__all__ = ["ClientNick"]

# No change of nickname now: on a channel where we are banned, too fast, not on this channel, not for us at all.
_NOT_NOW = frozenset(("435", "438", "447", "484"))


class ClientNick(ClientEvents):
    """The nickname of `IRCClient`."""

    #: What we are called when the server does not like our nickname.
    erroneousNickFallback: str = "defaultnick"
    #: Nicknames that are tried in place of one that is taken or not liked. When the server took none of them, the
    #: connection is closed, or, on the network, we stay what we are.
    nickTries: int = 20
    #: Seconds until we ask for the nickname that we want, when we had to take another; each further time twice as many.
    #: None to leave it. It is also asked for when its holder is seen to give it up, unless it was taken from us.
    nickRegainInterval: float | None = 60
    #: Seconds that it takes at most. Whoever had the nickname for so long has the short times again when it is lost.
    nickRegainMaximum: float = 3600
    if TYPE_CHECKING:
        #: What outlives the connection; taken from the factory, if that has a ``session``.
        session: Session
        _choice: NickChoice
    else:

        @cached_property
        def session(self) -> Session:
            """What outlives the connection; taken from the factory, if that has a ``session``."""
            session = getattr(self.factory, "session", None)
            return session if isinstance(session, Session) else Session()

        @cached_property
        def _choice(self) -> NickChoice:
            return NickChoice()

    # A name of our own making is being asked for.
    _instead = False
    # When it is tried again, while we are called otherwise than we want.
    _regain: Again | None = None
    # Whether the wanted nickname was asked for by that, and not refused yet.
    _asked = False
    # Since when we are called as we want, and whether somebody else changed that.
    _calledSince = 0.0
    _takenAway = False

    def makeConnection(self, transport: Any) -> None:
        """The transport calls this once, when the connection is there."""
        # The factory may be another one than when it was first asked for.
        self.__dict__.pop("session", None)
        self.session.connected()
        if self.session.nickname is not None:
            self.nickname = self.session.nickname
        super().makeConnection(transport)

    def setNick(self, nickname: str) -> None:
        """Ask for another nickname; `nickChanged` follows. One that is taken is altered by `alterCollidedNick`; when
        one is refused for another reason, we want what we wanted before.
        """
        super().setNick(nickname)
        self._asked = False
        if not self._instead:
            self._choice.wish(nickname, self._registered)
            self._takenAway = False
            if self._regain is not None:
                self._regain.reset()

    def alterCollidedNick(self, nickname: str) -> str:
        """What to try instead of `nickname`, which is taken: it with ``_`` behind it."""
        return nickname + "_"

    # ---- What the server calls us ----

    def _welcomedAs(self, nickname: str) -> None:
        """We are in, as `nickname`; empty if the server does not say."""
        self.nickname = nickname or self._attemptedNick or self.nickname
        self._choice.tries = 0
        self._choice.compare(self._attemptedNick, self.nickname)
        self._calledSince = self.clock.seconds()
        self._startRegaining()

    def irc_NICK(self, prefix: str, params: list[str]) -> None:
        """We or somebody changed nickname."""
        need(params, 1)
        old, new = nickOf(prefix), params[0]
        if not self.isMe(old):
            self.userRenamed(old, new)
            self._givenUp(old)
            return
        if self.source:
            self.source = new + "!" + self.source.partition("!")[2]
        wasWanted = self._choice.isWanted(old)
        if self._choice.given(new):
            self.session.nickname = self._choice.settled
        elif wasWanted:
            self._takenFromUs()
        if self._asked and self._choice.compare(self._choice.obtainable, new):
            self._asked = False
        if self._choice.isWanted(new):
            self._calledSince = self.clock.seconds()
        self.nickname = new
        self._startRegaining()
        self.nickChanged(new)

    def _takenFromUs(self) -> None:
        """Services do this, say, and will do it again: who insists at constant pace is at war with them."""
        self._takenAway = self.clock.seconds() - self._calledSince < self.nickRegainMaximum
        if not self._takenAway and self._regain is not None:
            self._regain.reset()

    def irc_QUIT(self, prefix: str, params: list[str]) -> None:
        """Somebody left the network."""
        super().irc_QUIT(prefix, params)
        self._givenUp(nickOf(prefix))

    def irc_RPL_ISUPPORT(self, prefix: str, params: list[str]) -> None:
        """Take in what the server can do, then tell `isupport`."""
        super().irc_RPL_ISUPPORT(prefix, params)
        choice, options = self._choice, params[1:-1]
        choice.casemapping = self.supported.casemapping
        if "-NICKLEN" in options:
            choice.limit(None)
        elif any(option.startswith("NICKLEN=") for option in options):
            choice.limit(self.supported.getFeature("NICKLEN") or None)
        if self._registered:
            self._startRegaining()

    # ---- What it does not call us ----

    def irc_ERR_NICKNAMEINUSE(self, prefix: str, params: list[str]) -> None:
        """A nickname is taken: try what `alterCollidedNick` makes of it, unless we have one that will do."""
        choice = self._choice
        asked = choice.obtainable if self._asked else self._attemptedNick
        taken = params[1] if len(params) > 1 else asked
        # A server may have cut it, and say so only here.
        same = choice.compare(asked, taken)
        if self._asked and same:
            self._asked = False
            return
        if self._registered:
            choice.keep()
            self.session.nickname = choice.settled
        self._tryInstead(choice.altered(self.alterCollidedNick))

    def irc_ERR_NICKCOLLISION(self, prefix: str, params: list[str]) -> None:
        """Two servers have our nickname: as if it were taken."""
        self.irc_ERR_NICKNAMEINUSE(prefix, params)

    def irc_ERR_UNAVAILRESOURCE(self, prefix: str, params: list[str]) -> None:
        """A nickname is not to be had for now: as if it were taken. That of a channel is not our business."""
        if len(params) > 1 and self.supported.isChannel(params[1]):
            self.irc_unknown(prefix, "ERR_UNAVAILRESOURCE", params)
        else:
            self.irc_ERR_NICKNAMEINUSE(prefix, params)

    def irc_ERR_ERRONEUSNICKNAME(self, prefix: str, params: list[str]) -> None:
        """The server does not like our nickname: until we are in, try `erroneousNickFallback`. One that we made up
        ourselves may only be too long, and is cut to what every server takes. Later, we stay what we are.
        """
        if not self._registered:
            self._tryInstead(self._choice.other(self._attemptedNick, self.erroneousNickFallback))
        elif self._asked:
            self._asked = False
            self._choice.refuse(self._choice.obtainable)
            self._startRegaining()
        else:
            self._takeBack(params)

    def _refused(self, message: Message) -> None:
        super()._refused(message)
        about = message.command in _NOT_NOW or (message.command == "FAIL" and message.params[:1] == ["NICK"])
        if about and self._asked:
            self._asked = False
        elif about and self._registered:
            self._takeBack(message.params)

    def _takeBack(self, params: list[str]) -> None:
        """What the program asked for is refused."""
        self._choice.takeBack(params[1:])
        self._startRegaining()

    def _tryInstead(self, nickname: str) -> None:
        choice = self._choice
        choice.tries += 1
        if not nickname or choice.tries > self.nickTries:
            # A server that cuts nicknames to its length would have us try for ever.
            if not self._registered:
                tried = min(choice.tries, self.nickTries)
                self._close(f"the server took none of {tried} nicknames, the last was {self._attemptedNick!r}")
            return
        self._instead = True
        try:
            self.setNick(nickname)
        finally:
            self._instead = False

    # ---- Getting it back ----

    def _startRegaining(self) -> None:
        """We have a nickname, perhaps not the one that we want; or know better what the server takes."""
        choice = self._choice
        if self.nickRegainInterval is None or not choice.obtainable or choice.isWanted(self.nickname):
            self._stopRegaining()
            return
        if self._regain is None:
            self._regain = Again(self.clock, self._tryAgain)
        self._regain.later(self.nickRegainInterval, self.nickRegainMaximum)

    def _tryAgain(self) -> None:
        self._startRegaining()
        if self._regain is not None and self._regain.waits:
            self._ask()

    def _ask(self) -> None:
        # Not setNick: when that is refused, another name is tried.
        self._asked = True
        self.sendCommand("NICK", self._choice.obtainable)

    def _givenUp(self, nickname: str) -> None:
        waits = self._regain is not None and self._regain.waits
        if waits and not self._takenAway and self._choice.isWanted(nickname):
            self._ask()

    def _stopRegaining(self) -> None:
        if self._regain is not None:
            self._regain.stop()
