"""Questions to one server over TCP (RFC 7766): one connection for all that are asked at the same time, each behind its
length, answered in whatever order.

A connection that is no longer needed stays for a moment, since truncated answers come in groups, and is closed then.
One that was silent for as long as a question was waited for is not used again.
"""

from __future__ import annotations

from protocols.basic import Int16StringReceiver
from protocols.dns._judging import Verdict
from protocols.dns._udp import randomId
from reactor.defer import Deferred
from reactor.error import ConnectionDone, ConnectionLost
from reactor.protocol import ClientFactory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from protocols.dns._judging import Query
    from protocols.dns._resolvconf import Server
    from reactor.failure import Failure

# Seconds for which a connection stays that nobody needs.
IDLE = 2.0
# Questions on one connection at a time.
MOST = 64


class _Asked:
    __slots__ = ("answer", "heard", "id", "query")

    def __init__(self, query: Query, id: int, answer: Deferred[tuple[Verdict, bytes]], heard: int) -> None:
        self.query = query
        self.id = id
        self.answer = answer
        # How much the connection had received when it was asked.
        self.heard = heard


class Conversation(Int16StringReceiver):
    """A connection to a server, on its way or made.

    :ivar usable: whether it may be asked more.
    :ivar answered: whether it has given an answer.
    """

    MAX_LENGTH = 65535

    def __init__(self, clock: Any, stray: Callable[[], object]) -> None:
        """`clock` has `callLater`; `stray()` is called for each message that answers nothing."""
        self._clock = clock
        self._stray = stray
        self._asked: dict[int, _Asked] = {}
        self._heard = 0
        self._idle: Any = None
        self._made = False
        self.connector: Any = None
        self.usable = True
        self.answered = False

    @property
    def full(self) -> bool:
        """Whether so much is asked that the next question needs another one."""
        return len(self._asked) >= MOST

    def ask(self, query: Query) -> Deferred[tuple[Verdict, bytes]]:
        """The verdict and the message; fails when the connection does."""
        id = randomId()
        while id in self._asked:
            id = randomId()
        answer: Deferred[tuple[Verdict, bytes]] = Deferred(lambda _: self._cancelled(id))
        self._asked[id] = _Asked(query, id, answer, self._heard)
        self._stopIdling()
        if self._made:
            self.sendString(query.wire(id))
        return answer

    def connectionMade(self) -> None:
        """Send what has waited."""
        self._made = True
        for asked in self._asked.values():
            self.sendString(asked.query.wire(asked.id))

    def dataReceived(self, data: bytes) -> None:
        """A part of an answer is a sign of life as well."""
        self._heard += len(data)
        super().dataReceived(data)

    def stringReceived(self, string: bytes) -> None:
        """One message."""
        asked = self._asked.get(int.from_bytes(string[:2], "big"))
        verdict = Verdict.FOREIGN if asked is None else asked.query.judge(asked.id, string)
        if asked is None or verdict is Verdict.FOREIGN:
            self._stray()
            return
        self.answered = True
        del self._asked[asked.id]
        self._rest()
        asked.answer.callback((verdict, string))

    def connectionLost(self, reason: Failure) -> None:
        """All that was asked is not answered any more."""
        super().connectionLost(reason)
        self.failed(reason)

    def failed(self, reason: Failure) -> None:
        """The connection did not come about, or is gone."""
        self.usable = False
        self._stopIdling()
        asked, self._asked = self._asked, {}
        problem: BaseException = reason.value
        if isinstance(problem, ConnectionDone):
            problem = ConnectionLost("closed before it had answered")
        for each in asked.values():
            each.answer.errback(problem)

    def close(self) -> None:
        """End it at once."""
        self.usable = False
        self._stopIdling()
        if self._made:
            self.transport.abortConnection()
        elif self.connector is not None:
            self.connector.disconnect()

    def _cancelled(self, id: int) -> None:
        asked = self._asked.pop(id)
        if asked.heard == self._heard:
            self.usable = False
        if not self._asked:
            self.close()

    def _rest(self) -> None:
        if self._asked:
            return
        if self.usable:
            self._idle = self._clock.callLater(IDLE, self._idled)
        else:
            self.transport.loseConnection()

    def _idled(self) -> None:
        self._idle = None
        self.usable = False
        self.transport.loseConnection()

    def _stopIdling(self) -> None:
        idle, self._idle = self._idle, None
        if idle is not None:
            idle.cancel()


class _Once(ClientFactory):
    """For one conversation."""

    noisy = False

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    def buildProtocol(self, addr: object) -> Any:
        return self._conversation

    def clientConnectionFailed(self, connector: object, reason: Failure) -> None:
        self._conversation.failed(reason)


class Conversations:
    """The connections to all servers."""

    __slots__ = ("_clock", "_stray", "_there")

    def __init__(self, clock: Any, stray: Callable[[], object]) -> None:
        self._clock = clock
        self._stray = stray
        self._there: dict[Server, Conversation] = {}

    async def ask(self, reactor: Any, server: Server, query: Query) -> tuple[Verdict, bytes]:
        """The verdict and the message. One that was there before may be closed by the server at any time: the question
        is asked again then (RFC 7766, section 6.2.4).
        """
        conversation = self._there.get(server)
        if conversation is not None and conversation.usable and conversation.answered and not conversation.full:
            try:
                return await conversation.ask(query)
            except ConnectionLost:
                conversation = None
        if conversation is None or not conversation.usable or conversation.full:
            conversation = self._there[server] = Conversation(self._clock, self._stray)
            answer = conversation.ask(query)
            # The question has its own limit of time.
            conversation.connector = reactor.connectTCP(*server, _Once(conversation), timeout=None)
            return await answer
        return await conversation.ask(query)

    def close(self) -> None:
        """End them all."""
        there, self._there = self._there, {}
        for each in there.values():
            each.close()
