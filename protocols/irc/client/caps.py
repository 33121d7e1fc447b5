"""How an IRC client comes onto a network: capabilities (IRCv3), authentication (SASL), the greeting.

What is negotiated and how is decided by `CapNegotiation`, `SASLExchange`, `Batches` and `Labels`; here messages are
carried between them and the connection. A server that knows nothing of it is not troubled: it gets one CAP.
"""

from __future__ import annotations

import time

from protocols.irc.batch import Batch, Batches
from protocols.irc.caps import CapNegotiation, CapState, CapStep
from protocols.irc.client.nick import ClientNick
from protocols.irc.error import IRCBadMessage, UnhandledCommand
from protocols.irc.labels import Labels
from protocols.irc.mechanisms import External, Mechanism, Plain, ScramSHA256
from protocols.irc.message import Message
from protocols.irc.sasl import SASLExchange, SASLState
from protocols.irc.servertime import parseServerTime
from reactor._ground.log import message as logMessage
from reactor._ground.naming import prefixOf
from reactor._ground.peerlog import peerException
from reactor.defer import Deferred, fail
from reactor.failure import Failure
from reactor.protocol import connectionDone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

__all__ = ["ClientCaps"]

_OVER = (SASLState.SUCCEEDED, SASLState.FAILED)


class ClientCaps(ClientNick):
    """The capabilities of `IRCClient`, and what they are good for."""

    #: The capabilities that we ask for where the server has them; None to negotiate nothing, not even STS. Add
    #: ``echo-message`` to be told our own messages, and ``sasl`` is added when there is something to say.
    capabilities: Sequence[str] | None = (
        "account-tag",
        "batch",
        "labeled-response",
        "message-tags",
        "server-time",
        "standard-replies",
    )
    #: Whom SASL is to make us, with `saslPassword`: by SCRAM-SHA-256, else by PLAIN if the connection is encrypted.
    saslUsername: str | None = None
    saslPassword: str | None = None
    #: Whether to authenticate by the certificate that we show in TLS (SASL EXTERNAL).
    saslExternal: bool = False
    #: Whether to close the connection when we are to authenticate and cannot, before we are on the network. Later, when
    #: a server that had none offers SASL, a failure is only logged.
    saslRequired: bool = True
    #: Seconds that the server has to say which capabilities it has and which are on; then we go on without those that
    #: it is silent about. None to wait for `registrationTimeout`, and close the connection.
    negotiationTimeout: float | None = 30
    #: Whether to close a connection in the clear to a server that wants none (STS).
    strictTransport: bool = True
    #: Our account, once the server has named it; else empty.
    account: str = ""

    _caps: CapNegotiation | None = None
    _negotiating: Any = None
    _sasl: SASLExchange | None = None
    _batches: Batches | None = None
    # What stands for a label is the Deferred that `ask` returned.
    _labels: Labels | None = None

    @property
    def enabledCapabilities(self) -> frozenset[str]:
        """The capabilities that are on."""
        return frozenset(self._caps.enabled) if self._caps is not None else frozenset()

    def saslMechanisms(self) -> list[Mechanism]:
        """What to authenticate with, in the order in which it is tried. For subclasses that know others."""
        mechanisms: list[Mechanism] = [External()] if self.saslExternal else []
        if self.saslUsername is not None and self.saslPassword is not None:
            name, password = self.saslUsername, self.saslPassword
            mechanisms += [ScramSHA256(name, password), Plain(name, password)]
        return mechanisms

    # ---- Negotiation ----

    def irc_CAP(self, prefix: str, params: list[str]) -> None:
        """CAP has been dealt with already. A subclass that has its own negotiates by itself: see `capabilities`."""

    def _startNegotiation(self) -> None:
        """Before PASS, NICK and USER."""
        if self.capabilities is None or type(self).irc_CAP is not ClientCaps.irc_CAP:
            return
        mechanisms = self.saslMechanisms()
        wanted = [*self.capabilities, *(["sasl"] if mechanisms else [])]
        # A program that says itself that it wants sasl, and gives us nothing to say, does not have us wait for it.
        self._caps = CapNegotiation(wanted, hold=["sasl"] if mechanisms else [])
        self._sasl = self._exchange(mechanisms) if mechanisms else None
        self._batches, self._labels = Batches(), Labels()
        if self.negotiationTimeout is not None:
            self._negotiating = self.clock.callLater(self.negotiationTimeout, self._notAnswered)
        self._sendAll(self._caps.start())

    def _notAnswered(self) -> None:
        self._negotiating = None
        caps = self._caps
        assert caps is not None
        was = caps.state
        step = caps.giveUp()
        if caps.state is not was:
            text = "%s: the server leaves CAP unanswered for %g s; on is: %s"
            names = " ".join(sorted(caps.enabled)) or "nothing"
            logMessage("warning", text, prefixOf(self), self.negotiationTimeout, names)
            self._advanced(was, step)

    def _endRegistration(self) -> None:
        super()._endRegistration()
        if self._negotiating is not None:
            self._negotiating.cancel()
            self._negotiating = None

    def _exchange(self, mechanisms: Sequence[Mechanism]) -> SASLExchange:
        return SASLExchange(mechanisms, self._isSecure())

    def _isSecure(self) -> bool:
        return bool(getattr(self.transport, "TLS", False))

    def _sendAll(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.sendLine(message.format().decode("utf-8", "surrogateescape"))

    def _negotiate(self, message: Message) -> bool:
        """Whether the connection goes on."""
        caps = self._caps
        assert caps is not None
        was = caps.state
        step = caps.received(message)
        if message.command == "CAP" and message.params[1:2] == ["NEW"] and not self._mayStay():
            return False
        return self._advanced(was, step)

    def _advanced(self, was: CapState, step: CapStep) -> bool:
        """The negotiation has come on from `was`: do what follows. Whether the connection goes on."""
        caps = self._caps
        assert caps is not None
        if was is CapState.LISTING and caps.state is not was and not self._mayStay():
            return False
        if caps.state is CapState.DONE and was is not CapState.DONE and not self._mayBeNobody():
            return False
        self._sendAll(step.send)
        if was is CapState.DONE and "sasl" in step.enabled:
            # It is there later, or again: the services had gone, perhaps. Who is known to them stays so.
            if self._sasl is not None and self._sasl.state is not SASLState.SUCCEEDED:
                self._sasl = self._exchange(self.saslMechanisms())
                self._startSASL(self._sasl)
        elif caps.state is CapState.HELD and self._sasl is not None and self._sasl.state is SASLState.IDLE:
            if not self._startSASL(self._sasl):
                return False
        if step.enabled or step.disabled:
            self.capabilitiesChanged(step.enabled, step.disabled)
        return True

    def _owes(self) -> str:
        if self._sasl is not None and self._sasl.state not in (SASLState.IDLE, *_OVER):
            return f": it offers SASL and has not answered {self._sasl.mechanism}"
        return super()._owes()

    def _startSASL(self, sasl: SASLExchange) -> bool:
        """Whether the connection goes on."""
        assert self._caps is not None
        self._sendAll(sasl.start(self._caps.available.get("sasl", "")))
        return self._authenticated()

    def _authenticate(self, message: Message) -> bool:
        """Whether the connection goes on."""
        assert self._sasl is not None
        self._sendAll(self._sasl.received(message))
        return self._authenticated()

    def _authenticated(self) -> bool:
        if self._sasl is not None and self._sasl.state in _OVER:
            if not self._mayBeNobody():
                return False
            if self._caps is not None:
                self._sendAll(self._caps.release())
        return True

    def _mayBeNobody(self) -> bool:
        """Whether we need no authentication, or have it; if not, the connection is closed."""
        sasl = self._sasl
        if sasl is None or sasl.state is SASLState.SUCCEEDED:
            return True
        reason = "the server offers no SASL" if sasl.state is SASLState.IDLE else sasl.reason
        if self.saslRequired and not self._registered:
            self._close(f"we could not authenticate: {reason}")
            return False
        logMessage("warning", "%s goes on without authentication: %s", prefixOf(self), reason)
        return True

    def _mayStay(self) -> bool:
        """Whether the server does not mind how we are connected (STS); if it does, the connection is closed."""
        assert self._caps is not None
        value = self._caps.available.get("sts")
        if value is None or not self.strictTransport:
            return True
        told = getattr(self.factory, "clientMustBeSecure", None)
        secure = self.transport.getPeer().port if self._isSecure() else None
        host = getattr(self.factory, "host", None) or self.transport.getPeer().host
        port = self.session.policies.advertised(host, value, time.time(), secure)
        if port is None:
            return True
        self._close(f"the server is to be talked to by TLS only, at port {port} (STS)")
        if told is not None:
            told(self, port)
        return False

    # ---- In ----

    def messageReceived(self, message: Message) -> None:
        """`message` came: what is about negotiation goes there. It is told as it comes, also what is in a batch."""
        caps = self._caps
        if caps is None:
            super().messageReceived(message)
            return
        ended: Message | Batch | None = message
        batches = self._batches if "batch" in caps.enabled else None
        try:
            if caps.state is not CapState.DONE or message.command == "CAP":
                if not self._negotiate(message):
                    return
            if self._sasl is not None and self._sasl.state not in _OVER:
                if not self._authenticate(message):
                    return
            if batches is not None:
                ended = batches.received(message)
        except IRCBadMessage as e:
            self.badMessage(repr(message), type(e), e, e.__traceback__)
            return
        if message.command != "ACK" and not (batches is not None and message.command == "BATCH"):
            super().messageReceived(message)
        if isinstance(ended, Batch):
            self._tellEnd(ended)
        elif ended is not None and ended.tags:
            self._answer(ended)

    def _tellEnd(self, batch: Batch) -> None:
        try:
            self.batchEnded(batch)
        except Exception as e:
            peerException(self, "%s failed on the end of a batch", e, prefixOf(self))
        self._answer(batch)

    def _answer(self, item: Message | Batch) -> None:
        answered = self._labels.received(item) if self._labels is not None else None
        if answered is None:
            return
        deferred, items = answered
        if deferred.called:
            return
        if isinstance(item, Batch) and not item.complete:
            deferred.errback(IRCBadMessage("the batch that answers is incomplete: too much, or not ended"))
        else:
            deferred.callback([message for part in items for message in _messages(part)])

    def messageBatch(self) -> Batch | None:
        """The batch that the message that is being told is in, as far as it has come; None if it is in none. Of one
        within another, the inner one: what is around that, its ``opening.tags`` name.
        """
        message, batches = self.currentMessage, self._batches
        return batches.open(message) if message is not None and batches is not None else None

    def messageTime(self) -> float:
        """When the message that is being told was sent, in seconds since the epoch: by the server if it says so
        (server-time), else now.
        """
        text = self.currentMessage.tags.get("time", "") if self.currentMessage is not None else ""
        when = parseServerTime(text) if text else None
        return time.time() if when is None else when

    def messageAccount(self) -> str | None:
        """The account of who sent the message that is being told (account-tag); None if nobody says."""
        return self.currentMessage.tags.get("account") if self.currentMessage is not None else None

    # ---- Answers to what we ask ----

    def ask(self, command: str, *params: str) -> Deferred[list[Message]]:
        """Send `command` with a label, and have its answer (labeled-response); the hooks are told as well.

        :return: a Deferred of the messages that answer it: none, one, or those of a batch. It fails with
            UnhandledCommand if the server has no labels or answers too many others first, with IRCBadMessage if the
            batch is not complete, and with the reason if the connection is lost before.
        :raises ValueError: as `sendCommand`.
        """
        labels = self._labels
        if labels is None or "labeled-response" not in self.enabledCapabilities:
            return fail(
                UnhandledCommand(f"this server answers {command} without saying so: it has no labeled-response")
            )
        message = Message(command, params)
        message.format()
        forgotten = labels.makeRoom()
        deferred: Deferred[list[Message]] = Deferred()
        self._sendAll([labels.label(message, deferred)])
        for old in forgotten:
            if not old.called:
                old.errback(UnhandledCommand(f"not answered, though {labels.MAX_WAITING} others were asked since"))
        return deferred

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone. An override calls this one."""
        labels, self._labels = self._labels, None
        super().connectionLost(reason)
        answers = labels.clear() if labels is not None else []
        for batch in self._batches.end() if self._batches is not None else ():
            self._tellEnd(batch)
        for deferred in answers:
            if not deferred.called:
                deferred.errback(reason)

    # ---- What else the server tells ----

    def irc_RPL_LOGGEDIN(self, prefix: str, params: list[str]) -> None:
        """We are known as an account: tell `loggedIn`."""
        if len(params) < 3:
            raise IRCBadMessage("no account in RPL_LOGGEDIN")
        if self._registered and "!" in params[1]:
            self.source = params[1]
        self.account = params[2]
        self.loggedIn(params[2])

    def irc_RPL_LOGGEDOUT(self, prefix: str, params: list[str]) -> None:
        """We are nobody any more: tell `loggedOut`."""
        self.account = ""
        if self._sasl is not None and self._sasl.state is SASLState.SUCCEEDED:
            # For the next time that SASL is offered.
            self._sasl = self._exchange(self.saslMechanisms())
        self.loggedOut()

    def irc_AUTHENTICATE(self, prefix: str, params: list[str]) -> None:
        """AUTHENTICATE has been dealt with already."""

    def irc_FAIL(self, prefix: str, params: list[str]) -> None:
        """Tell `serverSaid`."""
        self._standardReply("FAIL", params)

    def irc_WARN(self, prefix: str, params: list[str]) -> None:
        """Tell `serverSaid`."""
        self._standardReply("WARN", params)

    def irc_NOTE(self, prefix: str, params: list[str]) -> None:
        """Tell `serverSaid`."""
        self._standardReply("NOTE", params)

    def _standardReply(self, kind: str, params: list[str]) -> None:
        if len(params) < 3:
            raise IRCBadMessage(f"{kind} with {len(params)} parameters")
        self.serverSaid(kind, params[0], params[1], params[-1])


def _messages(item: Message | Batch) -> Iterable[Message]:
    """The messages of `item`, in their order."""
    if isinstance(item, Message):
        return [item]
    found: list[Message] = []
    todo: list[Message | Batch] = [item]
    while todo:
        part = todo.pop()
        if isinstance(part, Message):
            found.append(part)
        else:
            todo.extend(reversed(part.contents))
    return found
