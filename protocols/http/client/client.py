"""`Client`: what a program asks for URLs, and what all its requests share: connections, cookies, limits.

A request becomes an `Exchange`, which does the rest. Here is what a program may say, checked where it says it, and how
that is written as the head of a request.
"""

from __future__ import annotations

import time

from protocols.http.body.codings import acceptable
from protocols.http.body.form import FORM_TYPE, formEncoded
from protocols.http.body.sources import Payload, payloadOf
from protocols.http.client.connecting import Connecting
from protocols.http.client.cookies import CookieJar
from protocols.http.client.exchange import Exchange
from protocols.http.client.keeping import Keeper
from protocols.http.client.proxies import basic, choosing
from protocols.http.client.urls import parse
from protocols.http.error import HTTPError
from protocols.http.fields import isToken
from protocols.http.h1 import requestHead
from protocols.http.h1.startlines import isAuthority
from protocols.http.headers import Headers
from protocols.http.limits import RESPONSE_LIMITS, Limits
from reactor._ground.current import currentReactor
from reactor.defer import Deferred, fail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from protocols.http.body.form import Pairs
    from protocols.http.body.multipart import Files
    from protocols.http.client.connection import Connection
    from protocols.http.client.response import Response
    from protocols.http.client.urls import URL
    from protocols.http.h2.bounds import Bounds

USER_AGENT = "reactor"
# Where nothing was said: None means something.
_UNSAID: Any = object()
# What a program may not say since it is ours to say, with what it may do instead.
_OURS = {
    b"transfer-encoding": "the body's length decides that",
    b"connection": "maxUses=1 closes after each request",
    b"keep-alive": "it is not sent any more",
    b"proxy-connection": "it is not sent any more",
    b"upgrade": "see protocols.websocket",
    b"te": "trailers are taken anyway",
}
# A body is expected with these: none is said to be none (RFC 9110, section 8.6).
_WITH_BODY = frozenset(("POST", "PUT", "PATCH"))


class ClientClosed(HTTPError):
    """The client was closed while the request was on its way, or before it began."""

    headline = "HTTP client was closed"


class Client:
    """Asks servers. One for a program, or for each user whose cookies it keeps."""

    def __init__(
        self,
        *,
        maxConnections: int = 100,
        maxPerHost: int = 10,
        timeout: float = 30.0,
        connectTimeout: float | None = None,
        idleTimeout: float = 15.0,
        maxUses: int | None = None,
        maxBody: int = 16 << 20,
        redirects: int | None = 10,
        allowDowngrade: bool = False,
        retries: int = 1,
        cookies: bool | CookieJar = True,
        proxy: str | dict[str, str] | None = None,
        endpoint: Any = None,
        tls: Any = None,
        headers: Any = None,
        continueTimeout: float = 1.0,
        http2: bool = False,
        bounds: Bounds | None = None,
        limits: Limits = RESPONSE_LIMITS,
        reactor: Any = None,
        clock: Any = None,
    ) -> None:
        """
        :param maxConnections: how many connections may be open at a time; more requests wait in line.
        :param maxPerHost: how many of them to one scheme, host and port.
        :param timeout: seconds for a whole request, from the call to the end of the body, redirects included.
        :param connectTimeout: seconds for looking a name up and connecting to it; None: as for all of it.
        :param idleTimeout: seconds for which a connection is kept that nobody uses.
        :param maxUses: requests after which a connection is closed; None: any number.
        :param maxBody: bytes that `Response.content` and its like take.
        :param redirects: how many are followed; 0: the first is an error; None: none is followed, and an answer 3xx is
            an answer.
        :param allowDowngrade: whether a redirect from https to http is followed.
        :param retries: how often a request that may be repeated is sent again when a connection that had been idle was
            gone.
        :param cookies: whether cookies are kept and sent, or the `CookieJar` to use.
        :param proxy: the URL of a proxy (``http``, ``https``, ``socks5``, ``socks4``), a dict of schemes to such,
            ``"environment"``, or None.
        :param endpoint: a client endpoint that every connection is made through, whatever the URL's host: for UNIX
            sockets, and tests. https speaks TLS over it.
        :param tls: whom to trust: an `ssl.SSLContext` for clients, or what `reactor.ssl` makes; None: whom the system
            trusts. There is no way not to verify but by a context that does not.
        :param headers: fields of every request, which a request's own replace.
        :param continueTimeout: seconds for which ``expectContinue=True`` waits for the server's word.
        :param http2: whether HTTP/2 is offered to servers over TLS, by ALPN (extra ``http2``). One connection carries
            all requests to an origin that takes it. A `tls` that is a context has to offer it itself.
        :param bounds: of a connection of HTTP/2, a `protocols.http.h2.Bounds`; None: its defaults.
        :param limits: of the head of an answer, and its framing.
        :param reactor: whose connections; None: the one that runs when the first request is made.
        :param clock: where the time is from; None: the reactor.
        :raises ValueError, TypeError: for arguments that are not like that.
        """
        for name, value in (("timeout", timeout), ("idleTimeout", idleTimeout), ("continueTimeout", continueTimeout)):
            _checkSeconds(name, value)
        if connectTimeout is not None:
            _checkSeconds("connectTimeout", connectTimeout)
        for name, number, least in (("maxBody", maxBody, 0), ("retries", retries, 0)):
            _checkCount(name, number, least)
        for name, optional, least in (("redirects", redirects, 0), ("maxUses", maxUses, 1)):
            if optional is not None:
                _checkCount(name, optional, least)
        if not isinstance(cookies, (bool, CookieJar)):
            raise TypeError(f"cookies must be True, False or a CookieJar, not {cookies!r}")
        if not isinstance(limits, Limits):
            raise TypeError(f"limits must be Limits, not {limits!r}")
        self._options = (maxConnections, maxPerHost, idleTimeout, maxUses, continueTimeout, limits)
        self.timeout = timeout
        self.connectTimeout = connectTimeout
        self.maxBody = maxBody
        self.redirects = redirects
        self.allowDowngrade = allowDowngrade
        self.retries = retries
        #: The cookies, or None.
        self.cookies: CookieJar | None = CookieJar() if cookies is True else cookies or None
        if isinstance(cookies, CookieJar):
            self.cookies = cookies
        self.chooseProxy = choosing(proxy)
        #: The time of cookies, in seconds since 1970.
        self.wallClock = time.time
        self._headers = Headers(headers)
        self._checkFields(self._headers)
        self._defaults = self._defaultFields()
        self._connecting = Connecting(endpoint, tls, http2)
        self._bounds: Bounds | None = None
        if http2:
            # Now, so that what is missing is said where it was asked for.
            from protocols.http.h2 import Bounds

            self._bounds = Bounds() if bounds is None else bounds
        self._reactor = reactor
        self._clock = clock
        self._keeper: Keeper | None = None
        # Scheme, host and port -> what is behind the target in a request that says nothing of its own.
        self.tails: dict[Any, bytes] = {}
        #: Whether `close` was called.
        self.isClosed = False
        # Checked here, where they were said.
        Keeper(None, *self._options)

    def _defaultFields(self) -> list[tuple[bytes, bytes]]:
        found = [(b"User-Agent", USER_AGENT.encode()), (b"Accept", b"*/*"), (b"Accept-Encoding", acceptable().encode())]
        return [pair for pair in found if pair[0].decode() not in self._headers] + self._headers.raw

    # ---- What a program calls ----

    def request(
        self,
        method: str,
        url: str | URL,
        *,
        params: Pairs | None = None,
        headers: Any = None,
        body: Any = None,
        json: Any = _UNSAID,
        form: Pairs | None = None,
        files: Files | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float = _UNSAID,
        maxBody: int | None = None,
        redirects: int | None = _UNSAID,
        decode: bool = True,
        expectContinue: bool = False,
    ) -> Deferred[Response]:
        """Ask. The Deferred fires with the `Response` when its head has come (and the body, if that was there too).

        It fails with what connecting failed with (`reactor.error`, with host, port, phase and seconds), `Timeout` (with
        the phase), `Incomplete` when the server's connection ended too early, `BadResponse` when its answer is none,
        `RedirectError`; not for any status, see `Response.check`. Cancelling it lets go of whatever it holds: the place
        in the line, the attempt to connect, the connection.

        :param method: a token, in the case that it is to have; not CONNECT.
        :param url: of http or https. A user name and password in it become the field Authorization.
        :param params: names and values for the query, behind those that it has.
        :param headers: a mapping, or pairs of names and values.
        :param body: bytes, text (UTF-8), a file opened for reading bytes (a regular one is sent by the kernel), or an
            iterable or async iterable of bytes, or a function that gives one, so that it can be sent again.
        :param json: what is sent as JSON.
        :param form: names and values of a form.
        :param files: files of a form (multipart), with `form` for its other fields; see `multipart`.
        :param auth: user name and password (Basic, RFC 7617).
        :param timeout: seconds for all of it; the client's.
        :param maxBody: bytes that the response's `content` takes; None: the client's.
        :param redirects: as the client's.
        :param decode: whether content codings are undone.
        :param expectContinue: whether to ask the server before a body is sent (100-continue), which it may decline.
        :raises ValueError, TypeError: at once, for arguments that are not like that; bytes that would end a line are
            among them.
        """
        if method not in _METHODS:
            _checkMethod(method)
        where = parse(url)
        if timeout is _UNSAID:
            timeout = self.timeout
        else:
            _checkSeconds("timeout", timeout)
        if maxBody is not None:
            _checkCount("maxBody", maxBody, 0)
        if redirects is not _UNSAID and redirects is not None:
            _checkCount("redirects", redirects, 0)
        payload = _payload(body, json, form, files)
        fields: list[tuple[bytes, bytes]] | None = None
        credentials = auth if auth is not None else where.credentials
        if headers is not None or credentials is not None:
            checked = Headers(headers)
            self._checkFields(checked)
            if auth is not None and (not isinstance(auth, (tuple, list)) or len(auth) != 2):
                raise TypeError(f"auth must be a user name and a password, not {type(auth).__name__}")
            if credentials is not None and "authorization" not in checked:
                checked["Authorization"] = basic(*credentials)
            fields = checked.raw
        if params is not None:
            where = where.withParams(params)
        if where.credentials is not None:
            where = where.withoutCredentials()
        exchange = Exchange(self, method, where, timeout)
        if payload is not None:
            exchange.payload = payload
            if method.upper() == "TRACE":
                raise ValueError("body: a request with TRACE has none (RFC 9110, section 9.3.8)")
            _announce(payload, fields)
            # Nothing may be expected where nothing follows (section 10.1.1).
            exchange.expects = expectContinue and payload.length != 0
        elif fields is None:
            fields = [] if method in _WITH_BODY else None
        elif any(name.lower() == b"content-length" and value != b"0" for name, value in fields):
            # The next request on that connection would be taken for this one's body.
            raise ValueError("headers: Content-Length of a request without a body")
        exchange.fields = fields
        exchange.decode = decode
        if maxBody is not None:
            exchange.maxBody = maxBody
        if redirects is not _UNSAID:
            exchange.redirectsLeft = redirects
        return self._begin(exchange)

    def _begin(self, exchange: Exchange) -> Deferred[Response]:
        if self.isClosed:
            return fail(ClientClosed(**exchange.facts()))
        exchange.start()
        return exchange.deferred

    def get(self, url: str | URL, **options: Any) -> Deferred[Response]:
        """GET; the arguments are those of `request`."""
        if options:
            return self.request("GET", url, **options)
        where = parse(url)
        if where.credentials is not None:
            return self.request("GET", where)
        return self._begin(Exchange(self, "GET", where, self.timeout))

    def head(self, url: str | URL, **options: Any) -> Deferred[Response]:
        """HEAD, likewise."""
        return self.request("HEAD", url, **options)

    def post(self, url: str | URL, **options: Any) -> Deferred[Response]:
        """POST, likewise."""
        return self.request("POST", url, **options)

    def put(self, url: str | URL, **options: Any) -> Deferred[Response]:
        """PUT, likewise."""
        return self.request("PUT", url, **options)

    def patch(self, url: str | URL, **options: Any) -> Deferred[Response]:
        """PATCH, likewise."""
        return self.request("PATCH", url, **options)

    def delete(self, url: str | URL, **options: Any) -> Deferred[Response]:
        """DELETE, likewise."""
        return self.request("DELETE", url, **options)

    def options(self, url: str | URL, **options: Any) -> Deferred[Response]:
        """OPTIONS, likewise."""
        return self.request("OPTIONS", url, **options)

    def close(self) -> Deferred[None]:
        """End: connections are closed, requests on their way fail with `ClientClosed`, and so do later ones. The
        Deferred fires with None when the last socket is closed.
        """
        self.isClosed = True
        done: Deferred[None] = Deferred()
        keeper = self._keeper
        if keeper is None:
            done.callback(None)
            return done
        keeper.closed = True
        for watched in list(keeper.deadlines.watched):
            watched.giveUp(ClientClosed())
        for connection in keeper.pool.idle:
            keeper.close(connection)
        keeper.whenEmpty(lambda: done.callback(None))
        return done

    async def __aenter__(self) -> Client:
        """``async with Client() as client``: closed at the end."""
        return self

    async def __aexit__(self, *about: object) -> None:
        await self.close()

    # ---- What its exchanges need ----

    @property
    def reactor(self) -> Any:
        """Whose connections these are: that of the argument, else the one that ran when this was first asked."""
        if self._reactor is None:
            self._reactor = currentReactor()
        return self._reactor

    @property
    def clock(self) -> Any:
        """Where the time is from."""
        if self._clock is None:
            self._clock = self.reactor
        return self._clock

    @property
    def keeper(self) -> Keeper:
        """The connections."""
        keeper = self._keeper
        if keeper is None:
            keeper = self._keeper = Keeper(self.clock, *self._options)
            if self._bounds is not None:
                from protocols.http.client.sharing import Sharing

                keeper.sharing = Sharing(keeper, self._bounds)
        return keeper

    @property
    def connections(self) -> int:
        """How many connections are open or being made."""
        return 0 if self._keeper is None else self._keeper.pool.places

    def connectTo(self, exchange: Exchange, timeout: float) -> Deferred[Connection]:
        """Connect for `exchange` within `timeout` seconds."""
        if self.connectTimeout is not None:
            timeout = min(timeout, self.connectTimeout)
        return self._connecting.connect(self, exchange, timeout)

    def commonTail(self, url: URL) -> bytes:
        """What is behind the target in a request of `url` that says nothing of its own."""
        tail = self.tails.get(url.origin)
        if tail is None:
            if len(self.tails) >= 1024:
                self.tails.clear()
            whole = requestHead("GET", "/", [(b"Host", url.authority.encode()), *self._defaults])
            tail = self.tails[url.origin] = whole[len(b"GET /") :]
        return tail

    def headOf(self, exchange: Exchange) -> bytes:
        """The head of its request, written out."""
        target, fields = self.fieldsOf(exchange)
        return requestHead(exchange.method, target, fields)

    def fieldsOf(self, exchange: Exchange) -> tuple[str, list[tuple[bytes, bytes]]]:
        """The target of its request, and the fields."""
        url, own = exchange.url, exchange.fields or []
        said = {name.lower() for name, _ in own}
        fields = [] if b"host" in said else [(b"Host", url.authority.encode())]
        fields += [pair for pair in self._defaults if pair[0].lower() not in said]
        proxy = exchange.proxy
        target = url.target
        if proxy is not None:
            target = f"http://{url.authority}{target}"
            if (authorization := proxy.authorization()) is not None:
                fields.append((b"Proxy-Authorization", authorization.encode()))
        jar = exchange.jar
        cookies = None if not jar else jar.header(url, self.wallClock())
        for name, value in own:
            if cookies is not None and name.lower() == b"cookie":
                value, cookies = b"%b; %b" % (value, cookies.encode("latin-1")), None
            fields.append((name, value))
        if cookies is not None:
            fields.append((b"Cookie", cookies.encode("latin-1")))
        payload = exchange.payload
        if payload is not None:
            _framing(payload, said, fields)
            if exchange.expects:
                fields.append((b"Expect", b"100-continue"))
        elif exchange.method in _WITH_BODY and b"content-length" not in said:
            fields.append((b"Content-Length", b"0"))
        return target, fields

    def _checkFields(self, headers: Headers) -> None:
        for name in headers:
            hint = _OURS.get(name.lower().encode("latin-1"))
            if hint is not None:
                raise ValueError(f"headers: {name} is not the program's to say: {hint}")
        if "expect" in headers:
            raise ValueError("headers: Expect is not the program's to say: expectContinue=True asks before a body")
        if len(headers.getAll("host")) > 1 or len(headers.getAll("content-length")) > 1:
            raise ValueError("headers: Host and Content-Length can be there once only")
        if not isAuthority(headers.get("host", "a").encode("latin-1")):
            raise ValueError(f"headers: Host must be a host, or host and port, not {headers['host']!r}")

    def __repr__(self) -> str:
        return f"<Client with {self.connections} connections>"


_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


def _checkMethod(method: object) -> None:
    if not isinstance(method, str):
        raise TypeError(f"method must be a str, not {type(method).__name__}")
    if not method.isascii() or not isToken(method.encode()):
        raise ValueError(f"method must be a token, not {method!r}")
    if method.upper() == "CONNECT":
        raise ValueError("method CONNECT makes a tunnel and has no answer: see protocols.httpconnect")


def _checkSeconds(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number of seconds, not {value!r}")
    if not 0 < value < 1e9:
        raise ValueError(f"{name} must be seconds, more than 0, not {value!r}")


def _checkCount(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {value!r}")
    if value < least:
        raise ValueError(f"{name} must be {least} or more, not {value!r}")


def _payload(body: Any, json: Any, form: Any, files: Any) -> Payload | None:
    given = [name for name, value in (("body", body), ("form", form), ("files", files)) if value is not None]
    if json is not _UNSAID:
        given.append("json")
    if not given:
        return None
    if len(given) > 1 and given != ["form", "files"]:
        raise TypeError(f"a request has one body, not {' and '.join(given)}")
    if files is not None:
        from protocols.http.body.multipart import multipart

        return multipart(form, files)
    if form is not None:
        return Payload([formEncoded(form).encode()], FORM_TYPE)
    if body is not None:
        return payloadOf(body)
    from json import dumps

    try:
        text = dumps(json, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as e:
        raise type(e)(f"json cannot be written: {e}") from None
    return Payload([text.encode()], "application/json")


def _announce(payload: Payload, fields: list[tuple[bytes, bytes]] | None) -> None:
    """Take the length that the program says for a body whose length nobody else knows."""
    for name, value in fields or ():
        if name.lower() == b"content-length":
            if not value.isdigit() or not value.isascii():
                raise ValueError(f"headers: Content-Length must be a number, not {value!r}")
            if payload.length not in (None, int(value)):
                raise ValueError(f"headers: Content-Length is {int(value)}, and the body has {payload.length} bytes")
            payload.length = int(value)


def _framing(payload: Payload, said: set[bytes], fields: list[tuple[bytes, bytes]]) -> None:
    if payload.contentType is not None and b"content-type" not in said:
        fields.append((b"Content-Type", payload.contentType.encode()))
    if payload.length is None:
        fields.append((b"Transfer-Encoding", b"chunked"))
    elif b"content-length" not in said:
        fields.append((b"Content-Length", b"%d" % payload.length))
