"""What an IRC client tells a program: methods that do nothing until a subclass overrides them.

Who calls them, and when, is `events`' and `ctcp`'s business. `user` is ``nick!user@host`` or the name of a
server, as it was sent; text is UTF-8 with `surrogateescape` for bytes that are none. While one of these runs,
`currentMessage` is the whole message, with its tags.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from protocols.irc.batch import Batch

__all__ = ["ClientHooks"]


class ClientHooks:
    """The hooks of `IRCClient`."""

    nickname: str

    # ---- The server ----

    def signedOn(self) -> None:
        """The server has accepted us (RPL_WELCOME); from here on channels can be joined."""

    def yourHost(self, info: str) -> None:
        """RPL_YOURHOST: which server this is, in its own words."""

    def created(self, when: str) -> None:
        """RPL_CREATED: since when the server runs, in its own words."""

    def myInfo(self, servername: str | None, version: str | None, umodes: str | None, cmodes: str | None) -> None:
        """RPL_MYINFO: name and version of the server, the modes of users and of channels; None for what is missing."""

    def bounce(self, info: str) -> None:
        """RPL_BOUNCE: the server sends us elsewhere."""

    def isupport(self, options: Sequence[str]) -> None:
        """RPL_ISUPPORT: ``NAME=value`` or ``NAME`` each; `supported` has taken them in already."""

    def luserClient(self, info: str) -> None:
        """RPL_LUSERCLIENT: how many users there are, in the server's words."""

    def luserOp(self, ops: int) -> None:
        """RPL_LUSEROP: how many operators are there."""

    def luserChannels(self, channels: int) -> None:
        """RPL_LUSERCHANNELS: how many channels there are."""

    def luserMe(self, info: str) -> None:
        """RPL_LUSERME: how many clients and servers this server has, in its words."""

    def receivedMOTD(self, motd: list[str]) -> None:
        """The message of the day, a list of lines."""

    def serverSaid(self, kind: str, command: str, code: str, text: str) -> None:
        """A standard reply (IRCv3): `kind` is ``FAIL``, ``WARN`` or ``NOTE``, `command` what it is about."""

    def batchEnded(self, batch: Batch) -> None:
        """All that came in `batch` (IRCv3) has been told. If `batch.complete` is False it has not come to its end, or
        was too large to be kept: then `batch.contents` are not all.
        """

    # ---- This client ----

    def joined(self, channel: str) -> None:
        """We are in `channel` now."""

    def left(self, channel: str) -> None:
        """We left `channel`."""

    def kickedFrom(self, channel: str, kicker: str, message: str) -> None:
        """`kicker`, a nickname, threw us out of `channel`."""

    def nickChanged(self, nick: str) -> None:
        """Our nickname is `nick` now. An override calls this one, which sets `nickname`."""
        self.nickname = nick

    def loggedIn(self, account: str) -> None:
        """The services know us as `account` now (RPL_LOGGEDIN)."""

    def loggedOut(self) -> None:
        """The services know us no more (RPL_LOGGEDOUT)."""

    def capabilitiesChanged(self, added: Iterable[str], removed: Iterable[str]) -> None:
        """Capabilities (IRCv3) became effective, or ceased to be."""

    # ---- Others ----

    def privmsg(self, user: str, channel: str, message: str) -> None:
        """`user` said `message` in `channel`, or to us if `channel` is our nickname."""

    def noticed(self, user: str, channel: str, message: str) -> None:
        """As `privmsg`, for a notice. Nothing may be answered to one by itself (RFC 1459, 4.4.2)."""

    def action(self, user: str, channel: str, data: str | None) -> None:
        """`user` does `data` in `channel`: ``/me data``. None if it is empty."""

    def userJoined(self, user: str, channel: str) -> None:
        """`user`, a nickname, joined `channel`."""

    def userLeft(self, user: str, channel: str) -> None:
        """`user`, a nickname, left `channel`."""

    def userQuit(self, user: str, quitMessage: str) -> None:
        """`user`, a nickname, left the network."""

    def userKicked(self, kickee: str, channel: str, kicker: str, message: str) -> None:
        """`kicker` threw `kickee` out of `channel`; both are nicknames."""

    def userRenamed(self, oldname: str, newname: str) -> None:
        """A user changed nickname."""

    def topicUpdated(self, user: str, channel: str, newTopic: str) -> None:
        """The topic of `channel`: changed by `user`, a nickname, or told by the server, of that name, at a join."""

    def modeChanged(self, user: str, channel: str, set: bool, modes: str, args: Sequence[str | None]) -> None:
        """`user` added (`set`) or removed modes. What is added and what is removed by one message is told in its order,
        in several calls if that takes them.

        :param channel: the channel, or the nickname whose modes they are.
        :param modes: letters.
        :param args: a tuple: for each letter its parameter, or None.
        """

    def pong(self, user: str, secs: float) -> None:
        """`user` answered our `ping` after `secs` seconds."""
