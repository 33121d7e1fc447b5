"""An IRC client: `IRCClient`, and how it comes onto a network.

The parts are, each in its file and each building on those before it: `commands`, the `connection`, `ctcp`, `dcc`, what
messages mean (`events`), the nickname (`nick`), capabilities and authentication (`caps`), the `channels`.
"""

from __future__ import annotations

from protocols.irc.client.channels import ClientChannels
from reactor.protocol import connectionDone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reactor.failure import Failure

__all__ = ["IRCClient"]


# Characters of a user name that every server takes.
_USER = 10


class IRCClient(ClientChannels):
    """A client of an IRC server (RFC 1459, RFC 2812, IRCv3). Subclass it, set `nickname`, override hooks."""

    #: What we are called; until the server has taken us in, what we want to be called.
    nickname = "irc"
    #: The password of the server.
    password: str | None = None
    #: What is shown as our real name; None for the nickname.
    realname: str | None = None
    #: What is shown as our user name; None for the first ten letters and digits (ASCII) of the nickname, since servers
    #: take no others in it, or ``user`` if it has none.
    username: str | None = None
    #: Whether `connectionMade` calls `register`.
    performLogin: int = 1

    def connectionMade(self) -> None:
        """The connection is there: register, if `performLogin` is set. An override calls this one."""
        super().connectionMade()
        if self.performLogin:
            self.register(self.nickname)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone. An override calls this one, which ends the timers."""
        self._stopRegaining()
        super().connectionLost(reason)

    def register(self, nickname: str, hostname: str = "foo", servername: str = "bar") -> None:
        """Ask the server to take us in: CAP, PASS, NICK and USER. `signedOn` follows.

        :param hostname: servers ignore it, as they do `servername`.
        """
        self._startNegotiation()
        if self.password is not None:
            bare = self.password and self.password[0] != ":" and " " not in self.password
            self.sendLine(f"PASS {self.password}" if bare else f"PASS :{self.password}")
        self.setNick(nickname)
        if self.username is None:
            self.username = "".join(c for c in nickname if c.isascii() and c.isalnum())[:_USER] or "user"
        realname = self.realname if self.realname is not None else nickname
        self.sendCommand("USER", self.username, hostname, servername, text=realname)

    def irc_RPL_WELCOME(self, prefix: str, params: list[str]) -> None:
        """We are in: tell `signedOn`, then join the channels that we were in before."""
        self.hostname = prefix
        self._registered = True
        self._endRegistration()
        self._welcomedAs(params[0] if len(params) > 1 and params[0] != "*" else "")
        self._lookAtGreeting(params[-1] if params else "")
        welcomed = getattr(self.factory, "clientWelcomed", None)
        if welcomed is not None:
            welcomed(self)
        try:
            self.signedOn()
        finally:
            self.startHeartbeat()
            self._joinMissing()

    def _lookAtGreeting(self, text: str) -> None:
        # Many a server ends its greeting with what we look like from outside.
        word = text.rpartition(" ")[2]
        self._lookAtSource(word)
