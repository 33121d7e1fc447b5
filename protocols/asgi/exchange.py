"""One request of HTTP as an application of ASGI works on it: its `receive` and its `send`.

The application runs as a task of asyncio's. Its first step is run at once where this Python can do that, so that one
which never waits has answered when the handler returns, and nothing was made to wait for it.
"""

from __future__ import annotations

from contextvars import copy_context

from protocols.asgi.error import stemsFromDisconnected
from protocols.asgi.pieces import Pieces, gone
from protocols.http import HTTPError, Response
from reactor._ground.log import reportException
from reactor._ground.naming import shown
from reactor.defer import Deferred
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from contextvars import Context
    from typing import Any

    from protocols.asgi.host import ASGI
    from protocols.http import Request
    from protocols.http.body.streams import Body

__all__ = ["Exchange"]

_NO_BODY = frozenset({204, 304})


class Exchange:
    """What is between one request and the application."""

    __slots__ = (
        "_asked",
        "_body",
        "_complete",
        "_context",
        "_failed",
        "_fields",
        "_gone",
        "_host",
        "_left",
        "_over",
        "_pieces",
        "_request",
        "_status",
        "_watchers",
        "response",
    )

    def __init__(self, host: ASGI, request: Request) -> None:
        self._host = host
        self._request = request
        # None when the application has been told all of it.
        self._body: Body | bool | None = request._body if request._body is not None else True
        self._status = 0
        self._fields: Any = ()
        # What Content-Length promises and is to come.
        self._left: int | None = None
        self._pieces: Pieces | None = None
        self._complete = False
        # The client has its answer, or nobody waits for it any more.
        self._over = False
        self._gone = False
        self._watchers: list[asyncio.Future[None]] = []
        # Who waits for `response`, if the handler has returned before there was one.
        self._asked: Deferred[Response] | None = None
        # Where the connection goes on from inside a step of the application's: the next request is not to be in the
        # context of this one.
        self._context: Context | None = None
        # What the server answers in place of the application.
        self._failed: BaseException | None = None
        self.response: Response | None = None

    # ---- The application ----

    async def receive(self) -> dict[str, Any]:
        """ASGI's ``receive``: the next piece of the body, or that the client is gone or has its answer."""
        body = self._body
        if body is not None and not self._gone:
            if body is True:
                self._body = None
                return {"type": "http.request", "body": b"", "more_body": False}
            return await self._bodyReceived(body)
        while not (self._gone or self._over):
            watcher = self._host.loop.create_future()
            self._watchers.append(watcher)
            await watcher
        return {"type": "http.disconnect"}

    async def _bodyReceived(self, body: Any) -> dict[str, Any]:
        # For the request's limit to be looked at, too.
        body = self._request.body
        try:
            data = await body.__anext__()
        except StopAsyncIteration:
            data = b""
        except HTTPError as e:
            # It was larger than it may be, came too slowly, or broke off: the server answers that, not the application.
            self._broken(e)
            return {"type": "http.disconnect"}
        more = not body.isWhole or body.buffered > 0
        if not more:
            self._body = None
        return {"type": "http.request", "body": data, "more_body": more}

    async def send(self, message: dict[str, Any]) -> None:
        """ASGI's ``send``.

        :raises RuntimeError: for what may not come now, or is no message; `Disconnected`: the client is gone.
        """
        kind = message["type"]
        if kind == "http.response.body":
            if self._gone:
                raise gone()
            body = message.get("body", b"")
            if body.__class__ is not bytes:
                body = _bytesOf(body)
            if message.get("more_body", False) or self._pieces is not None:
                await self._piece(body, bool(message.get("more_body", False)))
                return
            if self._complete or not self._status:
                raise self._wrong(kind)
            self._complete = True
            if self._left is not None and self._left != len(body) and not self._isEmpty():
                self._status = 0
                raise RuntimeError(f"send(): Content-Length is {self._left}, but the body has {len(body)} bytes")
            self._answer(body)
        elif kind == "http.response.start":
            if self._gone:
                raise gone()
            if self._status or self._complete:
                raise self._wrong(kind)
            self._start(message)
        else:
            raise RuntimeError(f"send(): no message of type {shown(kind)} can be sent in an exchange of HTTP")

    def _start(self, message: dict[str, Any]) -> None:
        status = message["status"]
        if not isinstance(status, int) or not 200 <= status <= 999:
            raise RuntimeError(f"send(): status must be an int from 200 to 999, not {shown(status)}")
        fields = []
        left = None
        for name, value in message.get("headers", ()):
            key = name.lower()
            if key == b"content-length":
                if not bytes(value).isdigit():
                    raise RuntimeError(f"send(): Content-Length must be a number of bytes, not {shown(value)}")
                left = int(value)
            elif key == b"transfer-encoding":
                # The server's business: applications are to be ignored here, ASGI says.
                continue
            fields.append((name, value))
        self._left = left
        self._fields = fields
        self._status = int(status)

    def _isEmpty(self) -> bool:
        return self._request.method == "HEAD" or self._status in _NO_BODY

    async def _piece(self, data: bytes, more: bool) -> None:
        pieces = self._pieces
        if self._complete or not self._status:
            raise self._wrong("http.response.body")
        if self._left is not None and not self._isEmpty():
            left = self._left - len(data)
            if left < 0 or (left and not more):
                raise RuntimeError(f"send(): the body is {'longer' if left < 0 else 'shorter'} than its Content-Length")
            self._left = left
        if pieces is None:
            pieces = self._pieces = Pieces(self._host.loop.create_future, self._outside)
            self._answer(pieces)
        await pieces.put(data)
        if self._gone:
            raise gone()
        # It may have been wrong meanwhile.
        if not more and not self._complete:
            self._complete = True
            await pieces.finish()

    def _answer(self, body: Any) -> None:
        try:
            response = Response(body, self._status, self._fields, contentType="")
        except (TypeError, ValueError) as e:
            self._complete, self._pieces, self._status = True, None, 0
            raise RuntimeError(f"send(): {e}") from e
        self.response = response
        asked, self._asked = self._asked, None
        if asked is not None:
            self._outside(asked.callback, response)

    def _wrong(self, kind: str) -> RuntimeError:
        if self._complete:
            return RuntimeError(f"send(): {kind} after the answer was complete")
        if self._status:
            return RuntimeError(f"send(): {kind} after the answer has begun")
        return RuntimeError(f"send(): {kind} before http.response.start")

    # ---- The task ----

    def taskDone(self, task: asyncio.Task[None]) -> None:
        """The application has returned, or raised."""
        problem = RuntimeError("the application was cancelled") if task.cancelled() else task.exception()
        if problem is None:
            if self._complete or self._gone:
                return
            what = "the last piece of its answer" if self._pieces is not None else "an answer"
            problem = RuntimeError(f"the application returned without {what}")
        elif self._gone:
            if not stemsFromDisconnected(problem) and not task.cancelled():
                reportException("%r raised when its client was gone", problem, self._host)
            return
        if self._pieces is not None and not self._complete:
            # The connection is reset by this, which the channel logs.
            self._complete = True
            self._pieces.fail(problem)
        elif self.response is None:
            self._complete = True
            self._problem(problem)
        elif not task.cancelled():
            reportException("%r raised behind its answer", problem, self._host)

    def _problem(self, problem: BaseException) -> None:
        asked, self._asked = self._asked, None
        if asked is not None:
            self._outside(asked.errback, Failure(problem))
        else:
            self._failed = problem

    def _broken(self, problem: BaseException) -> None:
        self._isGone()
        asked, self._asked = self._asked, None
        if asked is not None:
            self._outside(asked.errback, Failure(problem))
        elif self._pieces is not None:
            self._pieces.fail(problem)
        elif self.response is None:
            self._failed = problem

    def _outside(self, f: Callable[..., object], argument: object) -> None:
        if self._context is None:
            f(argument)
        else:
            self._context.run(f, argument)

    # ---- The server ----

    def answer(self) -> Response:
        """What an application that has ended answered. Raises what it raised before it had."""
        if self.response is None:
            assert self._failed is not None
            raise self._failed
        return self.response

    def wait(self) -> Any:
        """The application still runs. What there is of its answer: the response, or the Deferred of it."""
        if self._failed is not None:
            raise self._failed
        self._context = copy_context()
        self._request.whenOver(self._whenOver)
        if self.response is not None:
            return self.response
        self._asked = Deferred(self._cancelled)
        return self._asked

    def _cancelled(self, deferred: Deferred[Response]) -> None:
        self._asked = None
        self._isGone()

    def _whenOver(self, request: Request, status: int, count: int, failure: Failure | None) -> None:
        self._over = True
        if failure is not None:
            self._isGone()
        else:
            self._wake()

    def _isGone(self) -> None:
        self._gone = True
        if self._pieces is not None:
            self._pieces.close()
        self._wake()

    def _wake(self) -> None:
        watchers, self._watchers = self._watchers, []
        for each in watchers:
            if not each.done():
                each.set_result(None)


def _bytesOf(body: Any) -> bytes:
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    raise RuntimeError(f"send(): body must be bytes, not {shown(body)}")
