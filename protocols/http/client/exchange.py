"""One call of a program's on its way: from the line of the pool to the answer, over redirects and a retry.

It is who waits in the pool, who connects, whose head is written, and who decides what an answer means. At every moment
it holds one thing: a place in the line, an attempt to connect, or a connection; giving up lets go of that one.
"""

from __future__ import annotations

from enum import Enum

from protocols.http.client import redirects
from protocols.http.client.cookies import CookieJar
from protocols.http.client.pool import MAKE
from protocols.http.error import Incomplete, Timeout
from reactor.defer import CancelledError, Deferred, fail
from reactor.error import ConnectionLost, NetworkError
from reactor.error import TimeoutError as ConnectTimeout
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from protocols.http.body.sources import Payload
    from protocols.http.client.client import Client
    from protocols.http.client.connection import Connection
    from protocols.http.client.h2connection import Asked
    from protocols.http.client.proxies import Proxy
    from protocols.http.client.response import Response
    from protocols.http.client.urls import URL

# What may be sent again where nobody knows whether it arrived (RFC 9110, section 9.2.2).
_REPEATABLE = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"))
_PHASES = {"resolve": "resolve", "handshake": "tls"}


class Standing(Enum):
    """Where it stands."""

    LINE = "pool"
    CONNECTING = "connect"
    AT_WORK = "at work"
    OVER = "over"


class Exchange:
    """See the module. `Client.request` has what its attributes mean."""

    __slots__ = (
        "_connecting",
        "_seen",
        "_standing",
        "_why",
        "began",
        "client",
        "connection",
        "deadline",
        "decode",
        "deferred",
        "expects",
        "fields",
        "finds",
        "history",
        "jar",
        "keeper",
        "maxBody",
        "method",
        "origin",
        "payload",
        "proxy",
        "redirectsLeft",
        "retriesLeft",
        "through",
        "timeout",
        "url",
    )

    def __init__(self, client: Client, method: str, url: URL, timeout: float) -> None:
        """A call of `client`'s that begins now."""
        self.client = client
        self.method = method
        self.url = url
        self.timeout = timeout
        keeper = self.keeper = client._keeper or client.keeper
        self.began = began = keeper.clock.seconds()
        self.deadline = began + timeout
        self.fields: list[tuple[bytes, bytes]] | None = None
        self.payload: Payload | None = None
        self.expects = False
        self.decode = True
        self.maxBody = client.maxBody
        self.redirectsLeft = client.redirects
        self.retriesLeft = client.retries
        self.jar: CookieJar | None = client.cookies
        self.history: list[Response] | None = None
        # The proxy that it goes through, and the same if that is asked for the URL itself.
        self.through: Proxy | None = None
        self.proxy: Proxy | None = None
        self._seen: set[Any] | None = None
        self.connection: Connection | Asked | None = None
        self._connecting: Deferred[Any] | None = None
        self._standing = Standing.LINE
        # Why connecting was given up, once it was; `LATE` for the deadline.
        self._why: BaseException | None = None
        self.origin: Any = None
        # Whether others wait to hear what its connection speaks.
        self.finds = False
        self.deferred: Deferred[Any] = Deferred(self._cancel)

    def start(self) -> None:
        """Ask the pool for a connection to where the URL points."""
        client = self.client
        url = self.url
        choose = client.chooseProxy
        if choose is None:
            self.origin = url.origin
        else:
            self._choose(choose(url))
        sharing = self.keeper.sharing
        if sharing is not None and sharing.take(self):
            return
        given = self.keeper.pool.ask(self)
        if given is MAKE:
            self._connect()
        elif given is None:
            self.waitInLine()
        else:
            self._work(given)

    def waitInLine(self) -> None:
        """It stands in a line."""
        self._standing = Standing.LINE
        self.keeper.deadlines.add(self)

    def _choose(self, proxy: Proxy | None) -> None:
        self.through = proxy
        self.proxy = None
        if proxy is None:
            self.origin = self.url.origin
        elif proxy.speaksHTTP and self.url.scheme == "http":
            # Its connections are for all hosts.
            self.proxy = proxy
            self.origin = proxy
        else:
            self.origin = (self.url.origin, proxy)

    # ---- What the pool says ----

    def connectionGiven(self, connection: Connection) -> None:
        """An idle connection is ours."""
        self.keeper.deadlines.discard(self)
        self._work(connection)

    def placeGiven(self) -> None:
        """A connection may be made."""
        self._connect()

    # ---- Connecting ----

    def _connect(self) -> None:
        client = self.client
        self.keeper.deadlines.add(self)
        self._standing = Standing.CONNECTING
        left = max(self.deadline - self.keeper.clock.seconds(), 0.001)
        try:
            connecting = client.connectTo(self, left)
        except Exception:
            # The program's endpoint or context: the place is not to be lost with it.
            connecting = fail()
        if not connecting.called:
            self._connecting = connecting
        connecting.addCallbacks(self._connected, self._notConnected)

    def _connected(self, connection: Connection) -> None:
        self._connecting = None
        keeper = self.keeper
        keeper.made(connection)
        keeper.deadlines.discard(self)
        if self._why is not None or not connection.isOpen:
            # Given up, or lost, at the very moment that it came about.
            connection.abandon()
            self._fire(Failure(self._why or ConnectionLost(**self.facts())))
            return
        finds, self.finds = self.finds, False
        self._work(connection)
        if finds and keeper.sharing is not None:
            keeper.sharing.found(self.origin, connection)

    def _notConnected(self, failure: Failure) -> None:
        self._connecting = None
        keeper = self.keeper
        keeper.deadlines.discard(self)
        self._standing = Standing.OVER
        keeper.pool.lost(self.origin)
        error = failure.value
        if self._why is not None and self._why is not _LATE:
            self._fire(Failure(self._why))
            return
        if self._why is _LATE or (isinstance(error, ConnectTimeout) and not isinstance(error, Timeout)):
            # Whoever was cancelled knows in which phase, too.
            phase = _PHASES.get(getattr(error, "phase", None) or "", "connect")
            limits = (
                [self.timeout] if self._why is _LATE else [self.timeout, self.client.connectTimeout or self.timeout]
            )
            problem = Timeout(phase, min(limits), **self.facts())
            problem.attempts = getattr(error, "attempts", ())
            problem.__cause__ = error
            failure = Failure(problem)
        elif isinstance(error, NetworkError) and error.host is None:
            error._learn({"host": self.url.host, "port": self.url.port})
        self._fire(failure)

    # ---- At work ----

    def _work(self, connection: Any) -> None:
        self._standing = Standing.AT_WORK
        client = self.client
        if connection.isShared:
            connection.ask(self)
            return
        self.connection = connection
        payload = self.payload
        if payload is None and self.fields is None and self.proxy is None and not self.jar:
            # Nothing that is not the same for all requests to this origin.
            url = self.url
            tail = client.tails.get(url.origin) or client.commonTail(url)
            connection.send(self, b"%b %b%b" % (self.method.encode(), url.raw, tail), None, False)
            return
        try:
            head = client.headOf(self)
        except Exception:
            # The program's cookies.
            self.connection = None
            self.keeper.free(connection)
            self._fire(Failure())
            return
        if payload is not None and not self.expects and (whole := payload.whole) is not None:
            head += whole
            payload = None
        connection.send(self, head, payload, self.expects)

    def passesOn(self, response: Response) -> bool:
        """Whether `response` only says where to go on: its body is nobody's."""
        return (
            response.status in redirects.STATUSES and self.redirectsLeft is not None and bool(response._about.locations)
        )

    def answered(self, response: Response) -> None:
        """An answer came, whole or not; the connection is no longer ours, or feeds the answer."""
        try:
            goesOn = self._received(response)
        except Exception:
            # The program's cookies, or what chooses its proxy.
            response.abort()
            self._fire(Failure())
            return
        if goesOn:
            return
        if self.history is not None:
            response.history = self.history
        self._standing = Standing.OVER
        self.deferred.callback(response)

    def _received(self, response: Response) -> bool:
        """Take the cookies of an answer, and go where it sends us; whether it did."""
        jar = self.jar
        goesOn = 300 <= response.status < 400 and self.passesOn(response)
        if (lines := response._about.cookies) and (jar is not None or goesOn):
            if jar is None:
                # For as long as this one call takes.
                jar = self.jar = CookieJar()
            jar.store(self.url, lines, self.client.wallClock())
        if goesOn:
            self._standing = Standing.LINE
            response.history = self.history or []
            try:
                self._redirect(response)
            except redirects.RedirectError as e:
                e.response = response
                e._learn(self.facts())
                self._fire(Failure(e))
        return goesOn

    def _redirect(self, response: Response) -> None:
        client = self.client
        assert self.redirectsLeft is not None
        if not self.redirectsLeft:
            raise redirects.RedirectError(f"too many of them, the last to {self._location(response)}")
        url = self._location(response)
        method = redirects.method(response.status, self.method)
        if self.payload is not None and method == self.method and not self.payload.replayable:
            raise redirects.RedirectError(f"the body cannot be sent again, to {url}")
        cookies = None if self.jar is None else self.jar.header(url, client.wallClock())
        if self._seen is None:
            self._seen = {(self.method, str(self.url), None)}
        if (method, str(url), cookies) in self._seen:
            raise redirects.RedirectError(f"in a circle, to {url}")
        self._seen.add((method, str(url), cookies))
        if self.fields is not None:
            same = url.origin == self.url.origin
            self.fields = redirects.fields(self.fields, same, method == self.method)
        if method != self.method:
            self.payload, self.expects = None, False
        self.redirectsLeft -= 1
        self.history = [*(self.history or ()), response]
        self.method, self.url = method, url
        self.start()

    def _location(self, response: Response) -> URL:
        return redirects.target(self.url, response._about.locations, self.client.allowDowngrade)

    def stale(self, reason: Failure, reused: bool, connection: Connection) -> None:
        """The connection was gone before anything of an answer came; `reused` says whether it had served before."""
        self.connection = None
        repeatable = self.method in _REPEATABLE and (self.payload is None or self.payload.replayable)
        if reused and self.retriesLeft and repeatable:
            self.retriesLeft -= 1
            # With its place, and on a new one: what else is idle may have gone the same way.
            connection.placed = False
            self._connect()
            return
        problem = Incomplete(0, None, "head", **self.facts())
        problem.__cause__ = reason.value
        self.failed(Failure(problem))

    def failed(self, failure: Failure) -> None:
        """It came to nothing; the connection is gone."""
        self._fire(failure)

    def again(self, reason: Failure, refused: bool) -> bool:
        """A shared connection did not answer: ask anew if that is safe; whether it is. `refused`: the server has surely
        not looked at it.
        """
        repeatable = self.payload is None or self.payload.replayable
        if not self.retriesLeft or not repeatable or not (refused or self.method in _REPEATABLE):
            return False
        self.retriesLeft -= 1
        self.connection = None
        self.start()
        return True

    def _fire(self, failure: Failure) -> None:
        self._standing = Standing.OVER
        if self.finds:
            self.finds = False
            if self.keeper.sharing is not None:
                self.keeper.sharing.next(self.origin)
        if not self.deferred.called:
            self.deferred.errback(failure)

    # ---- Giving up ----

    def facts(self) -> Any:
        """What an error is to know."""
        elapsed = self.keeper.clock.seconds() - self.began
        return {"host": self.url.host, "port": self.url.port, "elapsed": elapsed}

    def timedOut(self, phase: str) -> Timeout:
        """The error of a deadline that has passed in `phase`."""
        return Timeout(phase, self.timeout, **self.facts())

    def expired(self) -> None:
        """The deadline has passed while this is in line or connects."""
        if self._standing is Standing.LINE:
            self._letGo()
            self._fire(Failure(self.timedOut("pool")))
        else:
            self._stopConnecting(_LATE)

    def _cancel(self, deferred: Deferred[Any]) -> None:
        self.giveUp(CancelledError())

    def giveUp(self, error: BaseException) -> None:
        """Let go of whatever is held, and fail with `error`."""
        standing = self._standing
        if standing is Standing.AT_WORK:
            if self.connection is not None:
                self.connection.abandon(error)
        elif standing is Standing.CONNECTING:
            self._stopConnecting(error)
        elif standing is Standing.LINE:
            self._letGo()
            self._fire(Failure(error))

    def _letGo(self) -> None:
        keeper = self.keeper
        keeper.deadlines.discard(self)
        if not keeper.pool.withdraw(self) and keeper.sharing is not None:
            keeper.sharing.withdraw(self)

    def _stopConnecting(self, why: BaseException) -> None:
        self._why = why
        connecting = self._connecting
        if connecting is not None:
            # Its error goes to `_notConnected`, which frees the place and fails with `why`.
            connecting.cancel()


# In the place of what connecting was given up with: the deadline, whose error is to know the phase.
_LATE = TimeoutError()
