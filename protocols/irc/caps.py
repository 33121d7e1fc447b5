"""Capability negotiation (IRCv3 "Capability Negotiation", CAP 302): messages in, messages out, no connection.

    IDLE --start()--> LISTING --last LS--> REQUESTING --every REQ answered, nothing held--> DONE
                                                      --answered, something held--> HELD --release()--> DONE

A server that knows no CAP, or welcomes us, ends it from anywhere. One that was asked CAP LS holds our registration back
until CAP END, so a negotiation must end: an answer that names nothing is one, and if none comes there is `giveUp`.
After DONE the server may still offer (NEW) and take away (DEL); what is wanted of that is requested too.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import NamedTuple

from protocols.irc.error import IRCBadMessage
from protocols.irc.message import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CapNegotiation", "CapState", "CapStep"]

# Bytes of names in one REQ: what is left of 510 is enough for "CAP REQ :", and for a server that puts itself and our
# nickname in front of what it says in return.
_REQUEST = 400
# Never asked for: the first is no capability (IRCv3 "Strict Transport Security"), the second comes with 302.
_NOT_REQUESTED = {"sts", "cap-notify"}


class CapState(Enum):
    """Where a negotiation is."""

    IDLE = "idle"
    LISTING = "listing"
    REQUESTING = "requesting"
    HELD = "held"
    DONE = "done"


class CapStep(NamedTuple):
    """What came of one message: what to send, and which capabilities are on and off from now on."""

    send: list[Message]
    enabled: list[str]
    disabled: list[str]


class CapNegotiation:
    """One connection's capabilities.

    :param wanted: the capabilities to ask for where the server has them.
    :param hold: those of them after which registration must wait for `release`, as ``sasl`` for authentication.
    """

    #: How many capabilities of a server are kept; of others, those that are wanted.
    MAX_CAPABILITIES = 500
    #: Characters of a capability and its value; one that is longer, which no line has room for, is not kept.
    MAX_LENGTH = 512

    def __init__(self, wanted: Iterable[str], hold: Iterable[str] = ("sasl",)) -> None:
        self.wanted = list(dict.fromkeys(wanted))
        self.hold = frozenset(hold)
        self.state = CapState.IDLE
        #: What the server has, with values (empty where it gives none).
        self.available: dict[str, str] = {}
        #: What is on.
        self.enabled: set[str] = set()
        # What each REQ that waits for its answer still asks for, oldest first.
        self._asked: deque[list[str]] = deque()
        # All that was ever asked for. Nothing else is ever on: a server could fill our memory with it.
        self._everAsked: set[str] = set()

    def start(self) -> list[Message]:
        """What to send first, before NICK and USER: CAP LS."""
        self.state = CapState.LISTING
        return [Message("CAP", ["LS", "302"])]

    def release(self) -> list[Message]:
        """What was held for is over: what to send."""
        if self.state is not CapState.HELD:
            return []
        self.state = CapState.DONE
        return [Message("CAP", ["END"])]

    def received(self, message: Message) -> CapStep:
        """Take a message of the server in; every message may be given, only what concerns capabilities counts.

        :raises IRCBadMessage: when it is a CAP that makes no sense.
        """
        step = CapStep([], [], [])
        if message.command == "CAP":
            self._cap(message.params, step)
        elif self.state is not CapState.DONE:
            if _endsIt(message):
                self.state = CapState.DONE
                self._asked.clear()
            elif _notUnderstood(message):
                self._unanswered(step)
        return step

    def giveUp(self) -> CapStep:
        """The server has not answered for too long: go on with what is on, until now. What it answers later counts."""
        step = CapStep([], [], [])
        if self.state in (CapState.LISTING, CapState.REQUESTING):
            self._settle(step)
        return step

    def _cap(self, params: list[str], step: CapStep) -> None:
        if len(params) < 2:
            raise IRCBadMessage(f"CAP with {len(params)} parameters: {params!r}")
        # A list of none may come without its colon, and then it is not there.
        names = [word for word in params[-1].split(" ") if word] if len(params) > 2 else []
        match params[1].upper():
            case "LS":
                # An asterisk before the last parameter: more follows.
                more = params[2:3] == ["*"]
                self._offered(names if len(params) > 3 or not more else [])
                if self.state is CapState.LISTING and not more:
                    self.state = CapState.REQUESTING
                    self._request([name for name in self.wanted if name in self.available], step)
                    self._proceed(step)
            case "NEW":
                self._offered(names)
                new = {name.partition("=")[0] for name in names}
                self._request([name for name in self.wanted if name in new - self.enabled], step)
            case "DEL":
                for name in names:
                    self.available.pop(name, None)
                    self._switch(name, False, step)
            case "ACK":
                self._accepted(names, step)
                self._proceed(step)
            case "NAK":
                self._refused(names, step)
                self._proceed(step)

    def _offered(self, names: list[str]) -> None:
        for word in names:
            name, _, value = word.partition("=")
            if len(word) > self.MAX_LENGTH:
                continue
            known = name in self.available or name in self.wanted or name in _NOT_REQUESTED
            if known or len(self.available) < self.MAX_CAPABILITIES:
                self.available[name] = value

    def request(self, names: Iterable[str]) -> list[Message]:
        """What to send to have `names` on, or off those that begin with ``-``. The answer comes through `received`."""
        step = CapStep([], [], [])
        self._request(list(names), step)
        return step.send

    def _request(self, names: list[str], step: CapStep) -> None:
        line: list[str] = []
        for name in names:
            if name in _NOT_REQUESTED:
                continue
            if line and sum(map(len, line)) + len(line) + len(name) > _REQUEST:
                self._ask(line, step)
                line = []
            line.append(name)
        if line:
            self._ask(line, step)

    def _ask(self, names: list[str], step: CapStep) -> None:
        self._asked.append(list(names))
        self._everAsked.update([name.removeprefix("-") for name in names])
        step.send.append(Message("CAP", ["REQ", " ".join(names)]))

    def _accepted(self, names: list[str], step: CapStep) -> None:
        if not names and self._asked:
            # Whatever it is that the server has accepted, the question is not open any more.
            self._asked.popleft()
        for word in names:
            # Before it may stand what the names of capabilities once had (CAP 3.1).
            asked = word.lstrip("~=").partition("=")[0]
            name = asked.removeprefix("-").lstrip("~=")
            if name in self._everAsked:
                self._switch(name, not asked.startswith("-"), step)
                self._answered(asked)

    def _answered(self, name: str) -> None:
        for asked in self._asked:
            if name in asked:
                asked.remove(name)
                if not asked:
                    self._asked.remove(asked)
                return

    def _refused(self, names: list[str], step: CapStep) -> None:
        """A REQ holds for all its names or for none: where it was for several, each is asked for alone."""
        if not self._asked:
            return
        # What a server repeats may be cut short, or missing: it answers in the order in which it was asked.
        asked = next((asked for asked in self._asked if names and names[0] in asked), self._asked[0])
        self._asked.remove(asked)
        if len(asked) > 1:
            for name in asked:
                self._ask([name], step)

    def _unanswered(self, step: CapStep) -> None:
        """The server knows CAP, but not what we said."""
        if self.state is CapState.LISTING:
            self.state = CapState.REQUESTING
        elif self._asked:
            self._asked.popleft()
        self._proceed(step)

    def _switch(self, name: str, on: bool, step: CapStep) -> None:
        if on and name not in self.enabled:
            self.enabled.add(name)
            step.enabled.append(name)
        elif not on and name in self.enabled:
            self.enabled.remove(name)
            step.disabled.append(name)

    def _proceed(self, step: CapStep) -> None:
        if self.state is CapState.REQUESTING and not self._asked:
            self._settle(step)

    def _settle(self, step: CapStep) -> None:
        if self.hold & self.enabled:
            self.state = CapState.HELD
        else:
            self.state = CapState.DONE
            step.send.append(Message("CAP", ["END"]))


def _endsIt(message: Message) -> bool:
    """Whether the server goes on without negotiation: RPL_WELCOME, or ERR_UNKNOWNCOMMAND for CAP."""
    return message.command == "001" or (message.command == "421" and "CAP" in message.params[1:2])


def _notUnderstood(message: Message) -> bool:
    """ERR_INVALIDCAPCMD, or ERR_NEEDMOREPARAMS for CAP."""
    return message.command == "410" or (message.command == "461" and "CAP" in message.params[1:2])
