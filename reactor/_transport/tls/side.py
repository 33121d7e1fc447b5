"""What one end of a connection brings to TLS, and what a program may give for it."""

from __future__ import annotations

import ssl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# Seconds that a handshake may take, and the peer to answer our close_notify.
HANDSHAKE_TIMEOUT = 60.0
SHUTDOWN_TIMEOUT = 10.0


class Side:
    """A context, and what is asked of the peer."""

    __slots__ = (
        "chooses",
        "context",
        "handshakeTimeout",
        "hostname",
        "remember",
        "serverSide",
        "session",
        "shutdownTimeout",
    )

    def __init__(
        self,
        context: ssl.SSLContext,
        serverSide: bool,
        hostname: str | None = None,
        session: ssl.SSLSession | None = None,
        handshakeTimeout: float | None = HANDSHAKE_TIMEOUT,
        shutdownTimeout: float | None = SHUTDOWN_TIMEOUT,
        remember: Callable[[ssl.SSLSession | None], object] | None = None,
        chooses: Callable[[str | None], ssl.SSLContext] | None = None,
    ) -> None:
        """`remember(session)` is called when a connection ends. `chooses(name)`, if there is one, says for a server
        which context the handshake begins with, by the name that the client asks for (None: for none).

        `hostname` is the name that a server is asked for (SNI) and verified against; `session` is one to resume.
        """
        self.context = context
        self.serverSide = serverSide
        self.hostname = hostname
        self.session = session
        self.handshakeTimeout = handshakeTimeout
        self.shutdownTimeout = shutdownTimeout
        self.remember = remember
        self.chooses = chooses


def sideOf(contextFactory: Any, method: str, serverSide: bool, hostname: str | None = None) -> Side:
    """The side that `contextFactory` stands for: an `ssl.SSLContext`, or an object with `contextFor(serverSide)` or
    `getContext()` that returns one, or a context of pyOpenSSL.

    Such an object may have attributes of a Side's names as well, and `contextForName(name)`, which chooses a server's
    context. `hostname` is used where it has none. In the name of `method`: TypeError for anything else, ValueError for
    a context that is for the other side only.
    """
    context: Any = contextFactory
    if not isinstance(context, ssl.SSLContext):
        contextFor = getattr(contextFactory, "contextFor", None)
        getContext = getattr(contextFactory, "getContext", None)
        if contextFor is None and getContext is None:
            raise TypeError(
                f"{method}(): the context factory must be an ssl.SSLContext or have getContext(), "
                f"not {contextFactory!r}"
            )
        context = contextFor(serverSide) if contextFor is not None else getContext()  # type: ignore[misc]
    if type(context).__module__.partition(".")[0] == "OpenSSL":
        from reactor._transport.tls.pyopenssl import Context

        context = Context(context)
    elif not isinstance(context, ssl.SSLContext):
        raise TypeError(
            f"{method}(): getContext() of {contextFactory!r} must return an ssl.SSLContext of the standard library, "
            f"not {context!r}"
        )
    elif context.protocol == (ssl.PROTOCOL_TLS_CLIENT if serverSide else ssl.PROTOCOL_TLS_SERVER):
        mine, other = ("server", "client") if serverSide else ("client", "server")
        raise ValueError(f"{method}(): a {mine}'s context is needed, and {contextFactory!r} is a {other}'s")
    if serverSide:
        name = session = remember = None
    else:
        name = getattr(contextFactory, "hostname", None) or serverName(hostname)
        session = getattr(contextFactory, "session", None)
        remember = getattr(contextFactory, "rememberSession", None)
    return Side(
        context,
        serverSide,
        name,
        session,
        getattr(contextFactory, "handshakeTimeout", HANDSHAKE_TIMEOUT),
        getattr(contextFactory, "shutdownTimeout", SHUTDOWN_TIMEOUT),
        remember,
        getattr(contextFactory, "contextForName", None) if serverSide else None,
    )


def offer(side: Side, factory: Any) -> None:
    """Have `side` agree on one of the protocols that `factory` says it accepts (`IProtocolNegotiationFactory`), if it
    says any: those that the context was made with are for factories that say none.
    """
    acceptable = getattr(factory, "acceptableProtocols", None)
    if acceptable is not None and isinstance(side.context, ssl.SSLContext):
        names = acceptable()
        if names:
            side.context.set_alpn_protocols([name.decode("ascii") for name in names])


def serverName(host: str | None) -> str | None:
    """`host` as a server is asked for it and as a certificate names it: IDNA, without a final dot or an IPv6 scope.

    None for no host. ValueError when it has no such spelling.
    """
    from reactor._transport.client.resolver import encode

    return encode(host.partition("%")[0].removesuffix(".")) or None if host else None
