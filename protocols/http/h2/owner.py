"""Who has a connection of HTTP/2: what a `Session` tells it. What is about one stream goes to that stream's `user`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from protocols.http.error import HTTPError
    from protocols.http.h1.heads import RequestHead, ResponseHead
    from protocols.http.h2.streams import Stream

    class Owner(Protocol):
        """Who has the connection. Heads come to it, the rest to each stream's `user`, which it sets."""

        def requestReceived(self, stream: Stream, head: RequestHead) -> None:
            """A server's: a request begins."""

        def requestRefused(self, stream: Stream, problem: HTTPError) -> None:
            """A server's: one that is well formed and not served here: to be answered with the problem's status."""

        def streamBroken(self, stream: Stream, problem: HTTPError) -> None:
            """The peer sent something malformed, and the stream was reset; for a log."""

        def responseReceived(self, stream: Stream, head: ResponseHead) -> None:
            """A client's: an answer, or one with 1xx."""

        def goneAway(self, last: int, code: int) -> None:
            """The peer ends the connection: streams above `last` were not looked at."""

        def settingsChanged(self) -> None:
            """The peer has other limits."""

        def touched(self) -> None:
            """There is something to send."""
