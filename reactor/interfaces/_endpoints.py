"""Endpoints: where to connect or listen, apart from what to do there."""

from __future__ import annotations

from zope.interface import Attribute, Interface

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reactor.defer import Deferred
    from reactor.interfaces._stream import IListeningPort, IProtocol, IProtocolFactory


class IStreamClientEndpoint(Interface):
    """A place to connect to, as often as one likes."""

    def connect(protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect. The Deferred fires with the protocol once it is connected, or fails with a
        `reactor.error.ConnectError`; cancelling it ends the attempt (`ConnectingCancelledError`).
        """


class IStreamServerEndpoint(Interface):
    """A place to listen at."""

    def listen(protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Listen. The Deferred fires with the port, or fails with `reactor.error.CannotListenError`."""


class IStreamClientEndpointStringParser(Interface):
    """The same from before it was given the reactor. Nothing here asks for it."""

    prefix = Attribute("What stands before the first colon, a str.")

    def parseStreamClient(*args: str, **kwargs: str) -> IStreamClientEndpoint:
        """The endpoint that the parts between colons describe."""


class IStreamClientEndpointStringParserWithReactor(Interface):
    """A plug-in that makes client endpoints of strings."""

    prefix = Attribute("What stands before the first colon, a str.")

    def parseStreamClient(reactor: Any, *args: str, **kwargs: str) -> IStreamClientEndpoint:
        """The endpoint that the parts between colons describe."""


class IStreamServerEndpointStringParser(Interface):
    """A plug-in that makes server endpoints of strings."""

    prefix = Attribute("What stands before the first colon, a str.")

    def parseStreamServer(reactor: Any, *args: str, **kwargs: str) -> IStreamServerEndpoint:
        """The endpoint that the parts between colons describe."""
