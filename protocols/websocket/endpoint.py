"""WebSocket as an endpoint: any protocol of bytes, `ClientService` and `portforward` run over it, and so do protocols
of messages (`WebSocketProtocol`), as the factory has it.

`WebSocketClientEndpoint` asks through any client endpoint, `WebSocketServerEndpoint` listens through any server's.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from protocols._proxying.names import Destination, fromArguments
from protocols._proxying.tunnel import connectThrough
from protocols.http.error import HTTPError
from protocols.http.h1 import ResponseReader, requestHead
from protocols.http.headers import Headers as HTTPHeaders
from protocols.http.limits import RESPONSE_LIMITS
from protocols.websocket._agreement import SAME, Agreement, Proposal, checkSubprotocols
from protocols.websocket._library import parse_uri
from protocols.websocket._options import Options, optionsFrom
from protocols.websocket._stream import ByteStream, withMessages
from protocols.websocket._transport import WebSocketTransport
from protocols.websocket.error import HandshakeError
from protocols.websocket.factory import WebSocketFactory
from reactor.endpoints import HostnameEndpoint, clientFromString, quoteStringArgument, serverFromString, wrapClientTLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from zope.interface import implementer

    from protocols.websocket._agreement import Asked
    from reactor.defer import Deferred
    from reactor.interfaces import (
        IStreamClientEndpoint,
        IStreamClientEndpointStringParserWithReactor,
        IStreamServerEndpoint,
        IStreamServerEndpointStringParser,
    )
else:
    from reactor._ground.declare import (
        IStreamClientEndpoint,
        IStreamClientEndpointStringParserWithReactor,
        IStreamServerEndpoint,
        IStreamServerEndpointStringParser,
        implementer,
    )

__all__ = ["WebSocketClientEndpoint", "WebSocketClientParser", "WebSocketServerEndpoint", "WebSocketServerParser"]

# Of the body of a refusal.
_SHOWN = 1024


class _Dialogue:
    """The opening request and its answer, as `connectThrough` wants a dialogue: the way goes on when it is 101. Pure.

    :ivar agreement: what was agreed on, when `done`.
    """

    #: Who is meant in errors.
    who = "the WebSocket server"
    #: It is with that server itself, whatever the connection goes through.
    direct = True

    def __init__(self, proposal: Proposal) -> None:
        self._proposal = proposal
        self._reader = ResponseReader(self, RESPONSE_LIMITS)
        self._reader.expect("GET", True)
        self._head: Any = None
        self._body = b""
        self.first = requestHead("GET", proposal.asked.target, proposal.asked.fields)
        self.done = False
        self.rest = b""
        self.agreement: Agreement | None = None

    def receive(self, data: bytes) -> bytes:
        """Bytes came: nothing to send for them. HandshakeError when the answer is no, or none."""
        try:
            self._reader.receive(data)
        except HTTPError as e:
            raise HandshakeError(f"the answer is no HTTP: {e}") from e
        if self._head is not None and self._head.status == 101:
            self._judge()
            self.rest = self._reader.switch()
            self.done = True
        elif len(self._body) >= _SHOWN:
            self._judge()
        return b""

    def _judge(self) -> None:
        head = self._head
        self.agreement = self._proposal.judge(head.status, head.reason, head.fields, self._body[:_SHOWN])

    def ended(self) -> None:
        """The server ended the connection; an answer that had begun is told as far as it came."""
        if self._head is not None:
            self._judge()

    # What the reader of HTTP tells.

    def informationReceived(self, head: Any) -> None:
        """An answer that is not the last word (1xx), or, with 101, one that is."""
        if head.status == 101:
            self._head = head

    def headReceived(self, head: Any) -> None:
        """The answer begins."""
        self._head = head

    def bodyReceived(self, data: bytes) -> None:
        """Why it is no, perhaps."""
        if len(self._body) < _SHOWN:
            self._body += data

    def messageReceived(self, trailers: Any) -> None:
        """The answer is whole."""
        if self._head.status != 101:
            self._judge()


@implementer(IStreamClientEndpoint)
class WebSocketClientEndpoint:
    """Connects to a WebSocket server. A factory whose protocols are `WebSocketProtocol` has messages; the protocols of
    any other get and send bytes, each write as one binary message.
    """

    def __init__(
        self,
        reactor: Any,
        url: str,
        subprotocols: Iterable[str] = (),
        origin: str | None = None,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        endpoint: Any = None,
        tls: Any = None,
        clock: Any = None,
        **options: Any,
    ) -> None:
        """
        :param reactor: whose connections these are; None: the one that runs.
        :param url: ``ws://host:port/path?query`` or ``wss://...``; with ``user:password@`` these are sent (Basic).
        :param subprotocols: those that are spoken, the best first.
        :param origin: the Origin field, for servers that look at it.
        :param headers: more fields of the request: a mapping, or pairs of a name and a value.
        :param endpoint: what to connect through: any client endpoint, one of a proxy or a UNIX socket, say. None: to
            the host that the URL names. TLS is put on it for ``wss``.
        :param tls: what `reactor.ssl` makes for a client; None: the system's trust, and the URL's host to be verified.
        :param clock: where the time is from; None: the reactor that runs.
        :param options: see `Options`.
        :raises ValueError, TypeError: for arguments that are not like that.
        """
        where = "WebSocketClientEndpoint()"
        self._options: Options = optionsFrom(where, options)
        self._arguments = (
            where,
            url,
            checkSubprotocols(where, subprotocols),
            origin,
            HTTPHeaders(headers).raw,
            self._options,
        )
        proposal = Proposal(*self._arguments)
        requestHead("GET", proposal.asked.target, proposal.asked.fields)
        if tls is not None and not proposal.secure:
            raise ValueError(f"{where}: tls goes with wss, not with {url!r}")
        if endpoint is not None and not hasattr(endpoint, "connect"):
            raise TypeError(f"{where}: endpoint must be a client endpoint, not {endpoint!r}")
        self._destination = Destination(where, proposal.host, proposal.port)
        inner = endpoint if endpoint is not None else HostnameEndpoint(reactor, proposal.host, proposal.port)
        if proposal.secure:
            from reactor.ssl import optionsForClientTLS

            inner = wrapClientTLS(tls if tls is not None else optionsForClientTLS(self._destination.name), inner)
        self._inner = inner
        self._url = url
        self._clock = clock

    def connect(self, protocolFactory: Any) -> Deferred[Any]:
        """Connect, and open the WebSocket. The Deferred fires with the protocol when its `connectionMade` has returned.

        It fails with `HandshakeError` when the server refused, TimeoutError when it took longer than `openTimeout`,
        and otherwise as that of the endpoint below.
        """
        dialogue = _Dialogue(Proposal(*self._arguments))
        built = _Built(protocolFactory, dialogue, self._options, self._clock)
        timeout = self._options.openTimeout
        opened = connectThrough(self._inner, built, dialogue, self._destination, timeout, self._clock)
        return opened.addCallback(_innermost)

    def __repr__(self) -> str:
        return f"<WebSocketClientEndpoint {self._url} through {self._inner!r}>"


def _innermost(carried: WebSocketTransport) -> Any:
    protocol = carried.protocol
    return protocol.protocol if isinstance(protocol, ByteStream) else protocol


class _Built:
    """The program's factory, whose protocols come with a WebSocket below them."""

    def __init__(self, factory: Any, dialogue: _Dialogue, options: Options, clock: Any) -> None:
        self._factory = factory
        self._dialogue = dialogue
        self._options = options
        self._clock = clock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._factory, name)

    def buildProtocol(self, addr: Any) -> Any:
        protocol = self._factory.buildProtocol(addr)
        if protocol is None:
            return None
        agreement = self._dialogue.agreement
        assert agreement is not None
        return WebSocketTransport(True, withMessages(protocol), agreement, self._options, self._clock)


class _Serving(WebSocketFactory):
    """For a server endpoint: the protocols are another factory's."""

    noisy = False

    def __init__(self, factory: Any, path: str | None, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._factory = factory
        self._path = path

    def doStart(self) -> None:
        self._factory.doStart()

    def doStop(self) -> None:
        self._factory.doStop()

    def buildProtocol(self, addr: Any) -> Any:
        opening = super().buildProtocol(addr)
        opening.build = partial(self._built, addr)
        return opening

    def _built(self, addr: Any, request: Asked) -> Any:
        if self._path is not None and request.path != self._path:
            return None
        protocol = self._factory.buildProtocol(addr)
        return None if protocol is None else withMessages(protocol)


@implementer(IStreamServerEndpoint)
class WebSocketServerEndpoint:
    """Listens for WebSockets where another endpoint listens. The factory's `buildProtocol` is called when one is open;
    a factory whose protocols are `WebSocketProtocol` has messages, any other bytes.
    """

    def __init__(
        self,
        endpoint: Any,
        path: str | None = None,
        subprotocols: Iterable[str] = (),
        origins: Any = SAME,
        clock: Any = None,
        **options: Any,
    ) -> None:
        """
        :param endpoint: any server endpoint; for ``wss`` one of TLS.
        :param path: the path that has to be asked for; others are answered with 404. None: any.

        The others as `WebSocketFactory` has them, which says which errors are raised here.
        """
        self._endpoint = endpoint
        self._path = path
        self._arguments = {"subprotocols": subprotocols, "origins": origins, "clock": clock, **options}
        WebSocketFactory(**self._arguments)

    def listen(self, protocolFactory: Any) -> Deferred[Any]:
        """As the wrapped endpoint's."""
        listening: Deferred[Any] = self._endpoint.listen(_Serving(protocolFactory, self._path, **self._arguments))
        return listening

    def __repr__(self) -> str:
        return f"<WebSocket over {self._endpoint!r}>"


def _seconds(name: str, value: str) -> float | None:
    if value == "none":
        return None
    try:
        return float(value)
    except ValueError:
        raise ValueError(
            f"endpoint description: websocket: expected {name} to be a number of seconds, or none, not {value!r}"
        ) from None


def _trusting(url: str, path: str) -> Any:
    """TLS for the host of `url` that trusts the certificates in the PEM file `path`."""
    from reactor.ssl import Certificate, optionsForClientTLS, trustRootFromCertificates

    try:
        roots = trustRootFromCertificates([Certificate.loadPEM(Path(path).read_bytes())])
    except (OSError, ValueError) as e:
        raise ValueError(f"endpoint description: websocket: trustRoots {path!r}: {e}") from e
    return optionsForClientTLS(parse_uri(url).host, roots)


def _listed(value: str) -> list[str]:
    return [each.strip() for each in value.split(",")] if value else []


@implementer(IStreamClientEndpointStringParserWithReactor)
class WebSocketClientParser:
    r"""The type ``websocket:`` of endpoint descriptions of clients: ``websocket:wss\://example.org/path``.

    By name come `subprotocols` (with commas between), `origin`, `endpoint` (the description of what to connect
    through), `trustRoots` (a PEM file of certificates to trust in place of the system's), and `openTimeout`,
    `pingInterval` and `pingTimeout`, in seconds or ``none``.
    """

    prefix = "websocket"

    def parseStreamClient(self, reactor: Any, *args: str, **kwargs: str) -> Any:
        """The endpoint. ValueError for values that are none."""
        return fromArguments("websocket", _clientFromText, reactor, args, kwargs)


def _clientFromText(
    reactor: Any,
    url: str,
    subprotocols: str = "",
    origin: str | None = None,
    endpoint: str | None = None,
    trustRoots: str | None = None,
    openTimeout: str = "10",
    pingInterval: str = "20",
    pingTimeout: str = "20",
) -> Any:
    inner = None if endpoint is None else clientFromString(reactor, endpoint)
    return WebSocketClientEndpoint(
        reactor,
        url,
        _listed(subprotocols),
        origin,
        endpoint=inner,
        tls=None if trustRoots is None else _trusting(url, trustRoots),
        openTimeout=_seconds("openTimeout", openTimeout),
        pingInterval=_seconds("pingInterval", pingInterval),
        pingTimeout=_seconds("pingTimeout", pingTimeout),
    )


@implementer(IStreamServerEndpointStringParser)
class WebSocketServerParser:
    r"""The type ``websocket:`` of endpoint descriptions of servers: ``websocket:tcp:8080:path=/chat``. What is not
    meant for it describes the endpoint that listens.
    """

    prefix = "websocket"

    def parseStreamServer(
        self,
        reactor: Any,
        *args: str,
        path: str | None = None,
        subprotocols: str = "",
        origins: str = SAME,
        pingInterval: str = "20",
        pingTimeout: str = "20",
        **kwargs: str,
    ) -> Any:
        """The endpoint.

        :param origins: ``same``, ``any``, or origins with commas between; colons in them are written ``\\:``.
        :raises ValueError: for values that are none.
        """
        parts = [quoteStringArgument(each) for each in args]
        parts += [f"{name}={quoteStringArgument(value)}" for name, value in kwargs.items()]
        if not parts:
            raise ValueError("endpoint description: websocket: expected another endpoint, as in websocket:tcp:8080")
        allowed: Any = {"same": SAME, "any": None}.get(origins, origins)
        return WebSocketServerEndpoint(
            serverFromString(reactor, ":".join(parts)),
            path,
            _listed(subprotocols),
            _listed(allowed) if allowed not in (SAME, None) else allowed,
            pingInterval=_seconds("pingInterval", pingInterval),
            pingTimeout=_seconds("pingTimeout", pingTimeout),
        )
