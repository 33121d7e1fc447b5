"""What an IRC client is called: what to do when its nickname is taken, or not liked, and how it comes by it again."""

from __future__ import annotations

from functools import cached_property

from protocols.irc.client.events import ClientEvents, need
from protocols.irc.client.session import Session
from protocols.irc.message import nickOf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["ClientNick"]

_MOST_TRIES = 20
# Characters of a nickname that every server takes (RFC 2812, section 1.2.1).
_EVERYWHERE = 9


class ClientNick(ClientEvents):
    """The nickname of `IRCClient`."""

    #: What we are called when the server does not like our nickname.
    erroneousNickFallback: str = "defaultnick"
    #: Seconds between two attempts to get the nickname that we want, when we had to take another; None to leave it. It
    #: is also tried when its holder is seen to give it up.
    nickRegainInterval: float | None = 60
    if TYPE_CHECKING:
        #: What outlives the connection; taken from the factory, if that has a ``session``.
        session: Session
    else:

        @cached_property
        def session(self) -> Session:
            """What outlives the connection; taken from the factory, if that has a ``session``."""
            session = getattr(self.factory, "session", None)
            return session if isinstance(session, Session) else Session()

    _wantedNick: str = ""
    _tries = 0
    _instead = False
    # When it is tried again, while we are called otherwise than we want.
    _regain: Any = None
    # Whether the wanted nickname was asked for by that, and not refused yet.
    _asked = False

    def makeConnection(self, transport: Any) -> None:
        """The transport calls this once, when the connection is there."""
        # The factory may be another one than when it was first asked for.
        self.__dict__.pop("session", None)
        self.session.connected()
        if self.session.nickname is not None:
            self.nickname = self.session.nickname
        super().makeConnection(transport)

    def setNick(self, nickname: str) -> None:
        """Ask for another nickname; `nickChanged` follows. One that is taken is altered by `alterCollidedNick`."""
        super().setNick(nickname)
        self._asked = False
        if not self._instead:
            self._wantedNick = nickname
            if self._registered:
                self.session.nickname = nickname
                self._tries = 0

    def alterCollidedNick(self, nickname: str) -> str:
        """What to try instead of `nickname`, which is taken: it with ``_`` behind it."""
        return nickname + "_"

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
        self.nickname = new
        self.nickChanged(new)
        self._startRegaining()

    def irc_QUIT(self, prefix: str, params: list[str]) -> None:
        """Somebody left the network."""
        super().irc_QUIT(prefix, params)
        self._givenUp(nickOf(prefix))

    def irc_ERR_NICKNAMEINUSE(self, prefix: str, params: list[str]) -> None:
        """A nickname is taken: try what `alterCollidedNick` makes of it, unless we have one that will do."""
        taken = params[1] if len(params) > 1 else self._attemptedNick
        if self._asked and self._isWanted(taken):
            self._asked = False
            return
        self._tryInstead(self.alterCollidedNick(self._attemptedNick))

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
        ourselves may only be too long, and is cut to what every server takes.
        """
        if not self._registered:
            refused = self._attemptedNick
            shorter = _cut(refused) if self._tries else refused
            self._tryInstead(shorter if shorter != refused else self.erroneousNickFallback)

    def _tryInstead(self, nickname: str) -> None:
        self._tries += 1
        if self._tries > _MOST_TRIES:
            # A server that cuts nicknames to its length would have us try for ever.
            if not self._registered:
                self._close(f"the server took none of {_MOST_TRIES} nicknames, the last was {self._attemptedNick!r}")
            return
        self._instead = True
        try:
            self.setNick(nickname)
        finally:
            self._instead = False

    # ---- Getting it back ----

    def _isWanted(self, nickname: str) -> bool:
        fold = self.supported.fold
        return bool(self._wantedNick) and fold(nickname) == fold(self._wantedNick)

    def _startRegaining(self) -> None:
        """We are in, or have another nickname, perhaps not the one that we want."""
        self._stopRegaining()
        if self.nickRegainInterval is not None and self._wantedNick and not self._isWanted(self.nickname):
            self._regain = self.clock.callLater(self.nickRegainInterval, self._tryAgain)

    def _tryAgain(self) -> None:
        self._regain = None
        if self.nickRegainInterval is not None:
            self._regain = self.clock.callLater(self.nickRegainInterval, self._tryAgain)
            self._ask()

    def _ask(self) -> None:
        # Not setNick: when that is refused, another name is tried.
        self._asked = True
        self.sendCommand("NICK", self._wantedNick)

    def _givenUp(self, nickname: str) -> None:
        if self._regain is not None and self._isWanted(nickname):
            self._ask()

    def _stopRegaining(self) -> None:
        if self._regain is not None:
            self._regain.cancel()
            self._regain = None


def _cut(nickname: str) -> str:
    """`nickname` as it fits everywhere, with the underscores at its end that make it another one."""
    name = nickname.rstrip("_")
    underscores = nickname[len(name) :][: _EVERYWHERE - 1]
    return name[: _EVERYWHERE - len(underscores)] + underscores
