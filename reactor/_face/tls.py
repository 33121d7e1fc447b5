"""The reactor's methods for TLS, apart from it since most programs need none: what they stand on is loaded when one of
them is called.
"""

from __future__ import annotations

from reactor._transport.client.destination import checkedDestination
from reactor._transport.stream.tcp import checkedListener

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reactor._core.loop import Loop
    from reactor._transport.client.connector import Connector
    from reactor._transport.server.port import Port


class OverTLS:
    """A reactor's `connectSSL` and `listenSSL`."""

    if TYPE_CHECKING:
        # The reactor's own.
        _loop: Loop
        _askResolver: Callable[[], Any]

        def _connect(self, destination: Any, factory: Any, timeout: float | None) -> Connector: ...
        def _listen(self, listener: Any, factory: Any) -> Port: ...

    def connectSSL(
        self,
        host: str,
        port: int | str,
        factory: Any,
        contextFactory: Any,
        timeout: float | None = 30,
        bindAddress: tuple[str, int] | str | None = None,
    ) -> Connector:
        """Connect to a server that speaks TLS. The connection counts as made, and `factory` is asked for a protocol,
        when the handshake is verified; a handshake that fails is a `clientConnectionFailed`.

        :param contextFactory: an `ssl.SSLContext`, or what `reactor.ssl.optionsForClientTLS` returns. `host` is the
            name that the server is asked for and verified against, unless `contextFactory` has a `hostname`.
        :param timeout: seconds until it fails with TimeoutError, the handshake included.
        :raises TypeError: for a context factory that is none; otherwise as `connectTCP`.
        """
        # Not before it is needed: the standard library's ssl takes as long to import as this whole package.
        from reactor._transport.tls.secure import SecureDestination

        inner = checkedDestination(self._loop, self._askResolver, "connectSSL", host, port, timeout, bindAddress)
        return self._connect(SecureDestination(self._loop, inner, contextFactory, "connectSSL"), factory, timeout)

    def listenSSL(
        self,
        port: int,
        factory: Any,
        contextFactory: Any,
        backlog: int = 50,
        interface: str = "",
        *,
        reusePort: bool = False,
    ) -> Port:
        """Listen for clients that speak TLS; `factory.buildProtocol(address)` is called when the handshake is done.

        :param contextFactory: an `ssl.SSLContext`, or `reactor.ssl.CertificateOptions`.
        :param reusePort: as for `listenTCP`.
        :raises TypeError: for a context factory that is none; otherwise as `listenTCP`.
        """
        from reactor._transport.tls.secure import SecureListener

        inner = checkedListener(self._loop, "listenSSL", port, backlog, interface, reusePort)
        return self._listen(SecureListener(self._loop, inner, contextFactory, "listenSSL"), factory)
