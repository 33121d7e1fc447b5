"""Connecting through an HTTP proxy with the method CONNECT (RFC 9110, section 9.3.6).

`Asking` is what is said to the proxy and what is made of its answer, a pure dialogue; the rest of the way is that of
every connection through a proxy.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from protocols._proxying.names import Destination, fromArguments, portAndTimeout
from protocols._proxying.tunnel import connectThrough
from reactor.endpoints import clientFromString
from reactor.error import ConnectError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zope.interface import implementer

    from reactor.defer import Deferred
    from reactor.interfaces import IStreamClientEndpoint, IStreamClientEndpointStringParserWithReactor
else:
    from reactor._ground.declare import IStreamClientEndpoint, IStreamClientEndpointStringParserWithReactor, implementer

__all__ = ["Asking", "HTTPConnectEndpoint", "HTTPConnectError", "HTTPConnectParser"]

_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: ([^\x00-\x08\x0a-\x1f\x7f]*))?")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# What the first line begins with, as far as it is there.
_BEGIN = b"HTTP/1."


class HTTPConnectError(ConnectError):
    """An HTTP proxy was reached, and no connection came about through it: it refused, or it does not speak HTTP.

    :ivar status: the status code of its answer, such as 407; None when it was none.
    :ivar statusLine: its first line, text; empty when it was none.
    """

    headline = "HTTP proxy did not connect"

    def __init__(self, string: object = "", status: int | None = None, statusLine: str = "", **facts: Any) -> None:
        ConnectError.__init__(self, None, string, **facts)
        self.status = status
        self.statusLine = statusLine


class Asking:
    """The request to a proxy, and its answer. Pure.

    :ivar first: the request, bytes.
    :ivar done: whether the proxy has connected.
    :ivar rest: the bytes behind its answer then.
    """

    #: Bytes of an answer's head, and how many answers that are not the last word (1xx) are taken.
    HEAD_LIMIT: int = 16384
    INTERIM_LIMIT: int = 8

    def __init__(
        self,
        destination: Any,
        username: str | None = None,
        password: str | None = None,
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        """See `HTTPConnectEndpoint`."""
        where = str(destination)
        fields = [("Host", where)]
        if (username is None) != (password is None):
            raise ValueError("HTTPConnectEndpoint(): username and password must be given together")
        if username is not None:
            if ":" in username:
                raise ValueError("HTTPConnectEndpoint(): username must be without a colon (RFC 7617)")
            encoded = b64encode(f"{username}:{password}".encode()).decode("ascii")
            fields.append(("Proxy-Authorization", f"Basic {encoded}"))
        lines = [f"CONNECT {where} HTTP/1.1"]
        for name, value in [*fields, *headers]:
            if not _TOKEN.fullmatch(name):
                raise ValueError(f"HTTPConnectEndpoint(): headers: {name!r} is no name of a field")
            if not value.isascii() or not value.isprintable():
                raise ValueError(f"HTTPConnectEndpoint(): headers: {name} must be printable ASCII, not {value!r}")
            lines.append(f"{name}: {value}")
        self.first = "\r\n".join([*lines, "", ""]).encode("ascii")
        self.done = False
        self.rest = b""
        self._head = bytearray()
        self._scanned = 0
        self._interim = 0

    def receive(self, data: bytes) -> bytes:
        """Bytes came: nothing to send for them. HTTPConnectError when the answer is no, or none."""
        head = self._head
        head += data
        while not self.done:
            end = self._endOfHead()
            if not head.startswith(_BEGIN[: len(head)]):
                raise HTTPConnectError(f"it answered what is not HTTP: {bytes(head[:60])!r}")
            if (len(head) if end < 0 else end) > self.HEAD_LIMIT:
                raise HTTPConnectError(f"its answer has a head of more than {self.HEAD_LIMIT} bytes")
            if end < 0:
                break
            line = bytes(head[: head.index(b"\n")]).removesuffix(b"\r")
            self.rest = bytes(head[end:])
            self._answered(line)
            # Behind an answer that is not the last word the next one begins.
            self._head = head = bytearray(self.rest)
            self._scanned = 0
        return b""

    def _endOfHead(self) -> int:
        """Where the empty line ends; -1 while it is not there. Looks at each byte once."""
        head = self._head
        while (end := head.find(b"\n", self._scanned)) >= 0:
            line = head[end - 1 : end] if end and head[end - 1] == 13 else b""
            start = end - len(line)
            self._scanned = end + 1
            if start and head[start - 1] == 10:
                return end + 1
        self._scanned = len(head)
        return -1

    def _answered(self, line: bytes) -> None:
        found = _STATUS.fullmatch(line)
        if found is None:
            raise HTTPConnectError(f"it answered what is not HTTP: {line[:60]!r}")
        status, text = int(found[1]), line.decode("latin-1")[:200]
        if 200 <= status <= 299:
            self.done = True
        elif status < 200 and status != 101:
            self._interim += 1
            if self._interim > self.INTERIM_LIMIT:
                raise HTTPConnectError(f"it answered more than {self.INTERIM_LIMIT} times with {text}", status, text)
        else:
            hint = ": it wants a user name and a password" if status == 407 else ""
            raise HTTPConnectError(f"it answered {text}{hint}", status, text)


@implementer(IStreamClientEndpoint)
class HTTPConnectEndpoint:
    """Connects to a host through an HTTP proxy. The proxy looks the name up."""

    def __init__(
        self,
        proxyEndpoint: Any,
        host: str | bytes,
        port: int,
        username: str | None = None,
        password: str | None = None,
        headers: Iterable[tuple[str, str]] = (),
        timeout: float | None = 30,
        clock: Any = None,
    ) -> None:
        """
        :param proxyEndpoint: a client endpoint that connects to the proxy; `wrapClientTLS` of one for a proxy that
            wants TLS.
        :param host: the address or the name to connect to.
        :param username: who is asking (Basic, RFC 7617), without a colon; None: nobody in particular. It is sent as it
            is, so that whoever can read the connection to the proxy can read it.
        :param password: both or none.
        :param headers: more fields of the request, ``(name, value)``.
        :param timeout: seconds for the proxy to answer, after it was reached; None: no limit.
        :param clock: where the time is from; None: the reactor that runs.
        :raises ValueError, TypeError: for arguments that are not like that.
        """
        self._proxyEndpoint = proxyEndpoint
        self._destination = Destination("HTTPConnectEndpoint()", host, port)
        self._asking = (username, password, list(headers))
        self._timeout = timeout
        self._clock = clock
        Asking(self._destination, *self._asking)

    def connect(self, protocolFactory: Any) -> Deferred[Any]:
        """Connect. The Deferred fires with the protocol; `transport.getPeer()` is the destination as it was asked for.

        It fails with `HTTPConnectError` when the proxy refused, and otherwise as that of other endpoints.
        """
        asking = Asking(self._destination, *self._asking)
        return connectThrough(
            self._proxyEndpoint, protocolFactory, asking, self._destination, self._timeout, self._clock
        )

    def __repr__(self) -> str:
        return f"<HTTPConnectEndpoint {self._destination} through {self._proxyEndpoint!r}>"


@implementer(IStreamClientEndpointStringParserWithReactor)
class HTTPConnectParser:
    r"""The type ``httpconnect:`` of endpoint descriptions:
    ``httpconnect:example.com:443:proxy=tcp\:127.0.0.1\:3128``.
    """

    prefix = "httpconnect"

    def parseStreamClient(self, reactor: Any, *args: str, **kwargs: str) -> Any:
        """The endpoint. `args` are host and port; by name come `proxy`, the description of the endpoint that connects
        to the proxy, `username`, `password` and `timeout` in seconds.

        :raises ValueError: for values that are none.
        """
        return fromArguments("httpconnect", _fromText, reactor, args, kwargs)


def _fromText(
    reactor: Any,
    host: str,
    port: str,
    proxy: str,
    username: str | None = None,
    password: str | None = None,
    timeout: str = "30",
) -> Any:
    number, seconds = portAndTimeout("httpconnect", port, timeout)
    inner = clientFromString(reactor, proxy)
    return HTTPConnectEndpoint(inner, host, number, username, password, timeout=seconds)
