"""SASL over IRC (IRCv3 "SASL Authentication"): AUTHENTICATE and its numerics, messages in, messages out.

The mechanisms themselves are in `protocols.irc.mechanisms`.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from enum import Enum

from protocols.irc.mechanisms import SASLError
from protocols.irc.message import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from protocols.irc.mechanisms import Mechanism

__all__ = ["SASLExchange", "SASLState"]

_CHUNK = 400
# ERR_NICKLOCKED, ERR_SASLFAIL, ERR_SASLTOOLONG, ERR_SASLABORTED: this mechanism is over, another one may do.
_FAILED = {"902", "904", "905", "906"}


class SASLState(Enum):
    """Where an exchange is."""

    IDLE = "idle"
    OFFERED = "offered"
    TALKING = "talking"
    ABORTING = "aborting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class SASLExchange:
    """Authentication with the first of several mechanisms that works.

    :param mechanisms: in the order in which they are tried.
    :param secure: whether the connection is encrypted and the server known. Without that, mechanisms that show the
        password (PLAIN) are left out.
    """

    #: How long a challenge may be, in characters of base64.
    MAX_CHALLENGE = 8192

    def __init__(self, mechanisms: Sequence[Mechanism], secure: bool = True) -> None:
        self.state = SASLState.IDLE
        #: Why it failed, for people; the last reason where there are several.
        self.reason = ""
        #: The account, once the server has named it (RPL_LOGGEDIN).
        self.account = ""
        self._left = [mechanism for mechanism in mechanisms if secure or not mechanism.showsPassword]
        if len(self._left) < len(mechanisms):
            self.reason = "not encrypted: " + ", ".join(m.name for m in mechanisms if m not in self._left)
        self._mechanism: Mechanism | None = None
        self._challenge = ""

    @property
    def mechanism(self) -> str:
        """The name of the mechanism that is being tried, empty when there is none."""
        return self._mechanism.name if self._mechanism is not None else ""

    def start(self, offered: str = "") -> list[Message]:
        """What to send first.

        :param offered: the value of the capability ``sasl``: names with commas between; empty when unknown.
        """
        if offered:
            self._restrict(offered)
        return self._next()

    def received(self, message: Message) -> list[Message]:
        """Take a message of the server in; what to send. Every message may be given, only what is about SASL counts."""
        command, params = message.command, message.params
        if self.state in (SASLState.IDLE, SASLState.SUCCEEDED, SASLState.FAILED):
            return []
        if command == "AUTHENTICATE":
            return self._authenticate(params[0] if params else "")
        if command == "900" and len(params) > 2:
            self.account = params[2]
        elif command == "903":
            self._succeeded()
        elif command == "908" and len(params) > 1:
            self._restrict(params[1])
        elif command == "907":
            self.state = SASLState.SUCCEEDED
        elif command in _FAILED:
            if self.state is not SASLState.ABORTING:
                self.reason = params[-1] if params else command
            return self._next()
        elif command == "421" and "AUTHENTICATE" in params[1:2]:
            return self._fail("the server knows no AUTHENTICATE")
        return []

    def _restrict(self, names: str) -> None:
        offered = names.upper().split(",")
        left = [mechanism for mechanism in self._left if mechanism.name in offered]
        if self._left and not left:
            self.reason = f"the server offers {names}"
        self._left = left

    def _next(self) -> list[Message]:
        if not self._left:
            return self._fail(self.reason or "no mechanism to try")
        self._mechanism = self._left.pop(0)
        self._challenge = ""
        self.state = SASLState.OFFERED
        return [Message("AUTHENTICATE", [self._mechanism.name])]

    def _fail(self, reason: str) -> list[Message]:
        self.state = SASLState.FAILED
        self.reason = reason
        return []

    def _succeeded(self) -> None:
        """The server says so; a mechanism that checks the server must have done that before."""
        assert self._mechanism is not None
        if self.state is SASLState.ABORTING or not self._mechanism.complete:
            self.state = SASLState.FAILED
            self.reason = self.reason or f"{self._mechanism.name}: success without the proof that the server owes"
        else:
            self.state = SASLState.SUCCEEDED

    def _authenticate(self, chunk: str) -> list[Message]:
        assert self._mechanism is not None
        if self.state is SASLState.ABORTING:
            return []
        self._challenge += "" if chunk == "+" else chunk
        if len(self._challenge) > self.MAX_CHALLENGE:
            return self._abort(f"a challenge of more than {self.MAX_CHALLENGE} characters")
        if len(chunk) == _CHUNK:
            return []
        challenge, self._challenge = self._challenge, ""
        self.state = SASLState.TALKING
        try:
            answer = self._mechanism.respond(b64decode(challenge, validate=True))
        except (SASLError, binascii.Error, ValueError) as error:
            return self._abort(f"{self._mechanism.name}: {error}")
        return _chunks(answer)

    def _abort(self, reason: str) -> list[Message]:
        """Not even another mechanism is tried with a server that does not know what it should: it may be another's."""
        self.reason = reason
        self._left = []
        self.state = SASLState.ABORTING
        return [Message("AUTHENTICATE", ["*"])]


def _chunks(answer: bytes) -> list[Message]:
    """The messages that carry `answer`: 400 characters each, ``+`` for none and after a full one."""
    text = b64encode(answer).decode()
    chunks = [text[start : start + _CHUNK] for start in range(0, len(text), _CHUNK)]
    if len(text) % _CHUNK == 0:
        chunks.append("+")
    return [Message("AUTHENTICATE", [chunk]) for chunk in chunks]
