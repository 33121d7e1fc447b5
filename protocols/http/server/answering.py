"""What becomes of what a handler gave back, or raised: the same over HTTP/1.1 and HTTP/2.

How an answer is sent is the business of whoever derives from this.
"""

from __future__ import annotations

from types import CoroutineType

from protocols.http.error import BadMessage, HTTPError
from protocols.http.message import Response
from protocols.http.server.calling import outcomeOf
from reactor._ground.log import reportException
from reactor._ground.peerlog import peerMessage
from reactor.defer import CancelledError, Deferred
from reactor.error import ConnectionClosed
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from protocols.http.server.request import Request
    from protocols.http.server.site import Site

__all__ = ["Answering"]


class Answering:
    """Waits for what a handler of `site` gave back for a request."""

    if TYPE_CHECKING:
        site: Site
        transport: Any
        # The request whose answer is not sent, and what its handler is waited for with.
        _request: Request | None
        _work: Deferred[Any] | None

    def _answer(self, response: Any, request: Request) -> None:
        """Send it."""
        raise NotImplementedError

    @property
    def hasBegun(self) -> bool:
        """Whether some of the answer is sent."""
        raise NotImplementedError

    def reset(self) -> None:
        """An answer that has begun cannot be had whole."""
        raise NotImplementedError

    def _leftover(self, failure: Failure, request: Request) -> None:
        """The handler failed, and `request` is answered."""

    def _otherIsOver(self) -> bool:
        """Whether the connection is another protocol's, and ends."""
        return False

    def _wait(self, result: Any, request: Request) -> None:
        """The handler gave back what is no plain Response."""
        if result.__class__ is CoroutineType:
            try:
                result = outcomeOf(result)
            except Exception as e:
                self._failed(Failure(e), request)
                return
        if isinstance(result, Deferred):
            if request is self._request:
                self._work = result
            result.addCallbacks(self._answer, self._failed, (request,), None, (request,))
        else:
            self._answer(result, request)

    def _failed(self, failure: Failure, request: Request) -> None:
        """The handler raised, or what it answered cannot be sent."""
        problem = failure.value
        if request is not self._request:
            mayBe = isinstance(problem, ConnectionClosed) and self._otherIsOver()
            if failure.check(CancelledError) is None and not isinstance(problem, HTTPError) and not mayBe:
                reportException("%r raised at %r, and nobody waits for its answer", failure, self.site.handler, request)
                self._leftover(failure, request)
            return
        self._work = None
        status = 500
        if isinstance(problem, BadMessage) or (request._body is not None and request._body.problem is problem):
            # Not the handler's fault, but what the client has sent, or not.
            status = getattr(problem, "status", 400)
            peerMessage(self, "info", "request from %s refused: %s", self.transport.getPeer(), problem)
        elif isinstance(answer := getattr(problem, "response", None), Response):
            # It knows what is to be answered: a WebSocket that cannot be opened.
            peerMessage(self, "info", "request from %s refused: %s", self.transport.getPeer(), problem)
            self._answer(answer, request)
            return
        else:
            reportException("%r raised at %r", failure, self.site.handler, request)
        if self.hasBegun:
            self.reset()
        else:
            self._answer(self.site.errorPage(status), request)
