"""What messages from the server mean: a method ``irc_COMMAND(prefix, params)`` for each, which calls the hooks.

A message with too few parameters is a bad one: `badMessage` is told, nothing else.
"""

from __future__ import annotations

from itertools import groupby

from protocols.irc.client.dcc import ClientDCC
from protocols.irc.ctcp import X_DELIM, ctcpExtract
from protocols.irc.error import IRCBadMessage, IRCPasswordMismatch
from protocols.irc.message import MAX_BODY, nickOf, splitSource
from protocols.irc.modes import readModes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ClientEvents"]

Params = list[str]
# Characters of what a server said that are shown where it is odd.
MOST_SHOWN = 80


def need(params: Sequence[str], count: int) -> None:
    """IRCBadMessage unless there are `count` parameters or more."""
    if len(params) < count:
        raise IRCBadMessage(f"{len(params)} parameters where there are to be {count}")


def numberIn(params: Sequence[str], index: int) -> int:
    """The parameter as a number. IRCBadMessage if it is none."""
    text = params[index]
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise IRCBadMessage(f"not a number: {text[:40]!r}")
    return int(text)


def listed(text: str) -> list[str]:
    """The names in a list with commas."""
    return [name for name in text.split(",") if name] or [text]


class ClientEvents(ClientDCC):
    """The ``irc_`` methods of `IRCClient`, but those of the registration."""

    #: How many lines of a message of the day are kept; others are dropped.
    MAX_MOTD: int = 2000
    #: The lines of the message of the day while they come.
    motd: list[str] | None = None

    # ---- Channels and who is in them ----

    def irc_JOIN(self, prefix: str, params: Params) -> None:
        """We or somebody joined a channel. Servers are not to send lists (RFC 2812, 3.2.1); one that comes is taken
        apart, here as in PART and KICK.
        """
        need(params, 1)
        nick, channels = nickOf(prefix), listed(params[0])
        if self.isMe(nick):
            self._lookAtSource(prefix)
            for channel in channels:
                self._entered(channel)
            for channel in channels:
                self.joined(channel)
        else:
            for channel in channels:
                self.userJoined(nick, channel)

    def _entered(self, channel: str) -> None:
        """We are in `channel` now; `joined` is told afterwards."""

    def irc_PART(self, prefix: str, params: Params) -> None:
        """We or somebody left a channel."""
        need(params, 1)
        nick, channels = nickOf(prefix), listed(params[0])
        if self.isMe(nick):
            for channel in channels:
                self._gone(channel)
            for channel in channels:
                self.left(channel)
        else:
            for channel in channels:
                self.userLeft(nick, channel)

    def _gone(self, channel: str) -> None:
        """We are not in `channel` any more; `left` or `kickedFrom` is told afterwards."""

    def irc_QUIT(self, prefix: str, params: Params) -> None:
        """Somebody left the network."""
        self.userQuit(nickOf(prefix), params[0] if params else "")

    def irc_KICK(self, prefix: str, params: Params) -> None:
        """We or somebody was thrown out of a channel: one channel and several users, or as many of both."""
        need(params, 2)
        channels, users = listed(params[0]), listed(params[1])
        message = params[2] if len(params) > 2 else ""
        if len(channels) == 1:
            channels *= len(users)
        pairs = list(zip(channels, users, strict=False))
        for channel, kicked in pairs:
            if self.isMe(kicked):
                self._gone(channel)
        for channel, kicked in pairs:
            if self.isMe(kicked):
                self.kickedFrom(channel, nickOf(prefix), message)
            else:
                self.userKicked(kicked, channel, nickOf(prefix), message)

    def irc_TOPIC(self, prefix: str, params: Params) -> None:
        """Somebody set a topic."""
        need(params, 2)
        self.topicUpdated(nickOf(prefix), params[0], params[1])

    def irc_RPL_TOPIC(self, prefix: str, params: Params) -> None:
        """The topic of a channel."""
        need(params, 3)
        self.topicUpdated(nickOf(prefix), params[1], params[2])

    def irc_RPL_NOTOPIC(self, prefix: str, params: Params) -> None:
        """A channel has no topic."""
        need(params, 2)
        self.topicUpdated(nickOf(prefix), params[1], "")

    def irc_MODE(self, user: str, params: Params) -> None:
        """Modes of a channel or of a user changed: tell `modeChanged`, in the order in which it was said."""
        need(params, 2)
        target, modes, args = params[0], params[1], params[2:]
        if modes[:1] not in ("-", "+"):
            modes = "+" + modes
        changes, odd = readModes(modes, args, self._modeParams(target, bool(args)))
        if odd:
            self.quirkyMessage(f"MODE of {target[:MOST_SHOWN]}: {odd[:MOST_SHOWN]}")
        for added, run in groupby(changes, lambda change: change.added):
            some = list(run)
            letters = "".join([change.mode for change in some])
            self.modeChanged(user, target, added, letters, tuple([change.param for change in some]))

    def _modeParams(self, target: str, some: bool) -> Sequence[str]:
        """Which modes of `target` have a parameter; `some` is whether there are any parameters."""
        if self._isChannel(target):
            return self.getChannelModeParams()
        added, removed = self.getUserModeParams()
        # What an operator of the server is shown ("+s +ck"): on some servers s says it, on others it takes nothing.
        return (added + "s", removed) if some else (added, removed)

    def _isChannel(self, name: str) -> bool:
        return self.supported.isChannel(name)

    def getChannelModeParams(self) -> list[str]:
        """The modes of channels that have a parameter when they are added, and those that do when removed."""
        return list(self.supported.paramModes)

    def getUserModeParams(self) -> list[str]:
        """The same for the modes of users."""
        return ["", ""]

    # ---- Text ----

    def irc_PRIVMSG(self, prefix: str, params: Params) -> None:
        """Somebody said something, or sent CTCP requests."""
        self._text(params, prefix, isQuery=True)

    def irc_NOTICE(self, prefix: str, params: Params) -> None:
        """Somebody sent a notice, or CTCP answers."""
        self._text(params, prefix, isQuery=False)

    def _text(self, params: Params, user: str, isQuery: bool) -> None:
        need(params, 2)
        channel, text = params[0], params[-1]
        if not text:
            return
        if text[0] == X_DELIM:
            extracted = ctcpExtract(text)
            if extracted["extended"] and not self._isEcho(user):
                (self.ctcpQuery if isQuery else self.ctcpReply)(user, channel, extracted["extended"])
            elif extracted["extended"] and isQuery:
                self._echoedQuery(user, channel, extracted["extended"])
            if not extracted["normal"]:
                return
            text = " ".join(extracted["normal"])
        (self.privmsg if isQuery else self.noticed)(user, channel, text)

    def _isEcho(self, user: str) -> bool:
        """Whether `user` is ourselves: the server echoes what we sent (IRCv3 echo-message)."""
        return self.isMe(nickOf(user))

    def _echoedQuery(self, user: str, channel: str, messages: list[tuple[str, str | None]]) -> None:
        # We do not answer our own requests; what we did, we want to see.
        for tag, data in messages:
            if tag == "ACTION":
                self.action(user, channel, data)

    # ---- How others see us ----

    def irc_CHGHOST(self, prefix: str, params: Params) -> None:
        """We or somebody got another user name and host (IRCv3 chghost)."""
        need(params, 2)
        nick = nickOf(prefix)
        if self.isMe(nick):
            self._seenAs(params[0], params[1])
        self.irc_unknown(prefix, "CHGHOST", params)

    def irc_RPL_VISIBLEHOST(self, prefix: str, params: Params) -> None:
        """Others see us with another host from now on: ``host``, or ``user@host`` on some servers."""
        need(params, 2)
        if self.isMe(params[0]):
            user, _, host = params[1].rpartition("@")
            self._seenAs(user, host)
        self.irc_unknown(prefix, "RPL_VISIBLEHOST", params)

    def _seenAs(self, user: str, host: str) -> None:
        """`user` is empty where it stays what it was."""
        user = user or splitSource(self.source)[1]
        if not host or " " in user + host:
            raise IRCBadMessage(f"not a host: {host[:40]!r}")
        self._shownHost = host
        if user:
            self.source = f"{self.nickname}!{user}@{host}"

    # ---- The server ----

    def irc_PING(self, prefix: str, params: Params) -> None:
        """The server asks whether we live."""
        need(params, 1)
        token = params[-1]
        if len(token.encode("utf-8", "surrogateescape")) > MAX_BODY - len("PONG :"):
            raise IRCBadMessage("a PING too long to be answered")
        bare = token and token[0] != ":" and " " not in token
        self.sendLine(f"PONG {token}" if bare else f"PONG :{token}")

    def irc_PONG(self, prefix: str, params: Params) -> None:
        """The server answers our PING; that something came has been noticed already."""
        self.irc_unknown(prefix, "PONG", params)

    def irc_ERROR(self, prefix: str, params: Params) -> None:
        """The server is about to close the connection, and says why."""
        if params and self.closeReason is None:
            self.closeReason = f"the server said: {params[-1]}"
        self.irc_unknown(prefix, "ERROR", params)

    def irc_ERR_PASSWDMISMATCH(self, prefix: str, params: Params) -> None:
        """The server wants another password."""
        raise IRCPasswordMismatch(f"the server does not take our password: {params[-1] if params else ''!r}")

    def irc_RPL_YOURHOST(self, prefix: str, params: Params) -> None:
        """Tell `yourHost`."""
        need(params, 2)
        self.yourHost(params[1])

    def irc_RPL_CREATED(self, prefix: str, params: Params) -> None:
        """Tell `created`."""
        need(params, 2)
        self.created(params[1])

    def irc_RPL_MYINFO(self, prefix: str, params: Params) -> None:
        """Tell `myInfo`."""
        need(params, 2)
        # Servers send four parameters; some have sent one with spaces.
        words = params[1:5] if len(params) > 2 else params[1].split(None, 3)
        servername, version, umodes, cmodes = [*words, None, None, None, None][:4]
        self.myInfo(servername, version, umodes, cmodes)

    def irc_RPL_BOUNCE(self, prefix: str, params: Params) -> None:
        """Tell `bounce`."""
        need(params, 2)
        self.bounce(params[1])

    def irc_RPL_ISUPPORT(self, prefix: str, params: Params) -> None:
        """Take in what the server can do, then tell `isupport`."""
        options = params[1:-1]
        self.supported.parse(options)
        self.isupport(options)

    def irc_RPL_LUSERCLIENT(self, prefix: str, params: Params) -> None:
        """Tell `luserClient`."""
        need(params, 2)
        self.luserClient(params[1])

    def irc_RPL_LUSEROP(self, prefix: str, params: Params) -> None:
        """Tell `luserOp`."""
        need(params, 2)
        self.luserOp(numberIn(params, 1))

    def irc_RPL_LUSERCHANNELS(self, prefix: str, params: Params) -> None:
        """Tell `luserChannels`."""
        need(params, 2)
        self.luserChannels(numberIn(params, 1))

    def irc_RPL_LUSERME(self, prefix: str, params: Params) -> None:
        """Tell `luserMe`."""
        need(params, 2)
        self.luserMe(params[1])

    def irc_RPL_MOTDSTART(self, prefix: str, params: Params) -> None:
        """The message of the day begins; the line that says so belongs to it."""
        self.motd = []
        self._addMOTD(params)

    def irc_RPL_MOTD(self, prefix: str, params: Params) -> None:
        """A line of the message of the day."""
        self._addMOTD(params)

    def _addMOTD(self, params: Params) -> None:
        need(params, 2)
        if self.motd is None:
            self.motd = []
        if len(self.motd) < self.MAX_MOTD:
            self.motd.append(params[1].removeprefix("- "))

    def irc_RPL_ENDOFMOTD(self, prefix: str, params: Params) -> None:
        """Tell `receivedMOTD`."""
        motd, self.motd = self.motd, None
        self.receivedMOTD(motd or [])
