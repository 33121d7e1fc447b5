"""What programs with pyOpenSSL call what they bring to TLS. Nothing of the house provides these: it stands on the
standard library's `ssl`. They are here to be named, by libraries that declare them or ask for them.
"""

from __future__ import annotations

from zope.interface import Attribute, Interface

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


class IOpenSSLClientConnectionCreator(Interface):
    """Makes the pyOpenSSL connection of each client."""

    def clientConnectionForTLS(tlsProtocol: Any) -> Any:
        """An ``OpenSSL.SSL.Connection`` that has not shaken hands yet, for the TLS protocol given."""


class IOpenSSLServerConnectionCreator(Interface):
    """Makes the pyOpenSSL connection of each client of a server."""

    def serverConnectionForTLS(tlsProtocol: Any) -> Any:
        """An ``OpenSSL.SSL.Connection`` that has not shaken hands yet, for the TLS protocol given."""


class IOpenSSLContextFactory(Interface):
    """Brings the context of connections, the older way. `reactor.ssl` has `ssl.SSLContext` where this has
    ``OpenSSL.SSL.Context``.
    """

    def getContext() -> Any:
        """The context."""


class ICipher(Interface):
    """A cipher."""

    fullName = Attribute("Its name, as OpenSSL writes it.")


class IAcceptableCiphers(Interface):
    """Which ciphers are good enough."""

    def selectCiphers(availableCiphers: Sequence[ICipher]) -> Sequence[ICipher]:
        """Those that are, of those that there are, the preferred one first."""
