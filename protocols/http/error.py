"""What can go wrong in HTTP, by who is to blame: the peer's bytes, the network, a bound, or time.

All are `reactor.error.NetworkError`, with its facts (host, port, elapsed ...), and say in one line what is known. What
the caller has done wrong is a ValueError or TypeError where it did so, and none of these.
"""

from __future__ import annotations

from reactor._ground.naming import visible
from reactor.error import NetworkError
from reactor.error import TimeoutError as _TimeoutError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Unpack

    from reactor._ground.facts import Facts

__all__ = ["HTTPError", "BadMessage", "Incomplete", "TooLarge", "Timeout", "BadResponse", "StatusError"]

#: How many of the peer's bytes an error keeps, and its text shows.
SHOWN = 80


def shortened(data: bytes) -> bytes:
    """The first `SHOWN` bytes of `data`: errors are kept and logged, a flood is not."""
    return bytes(data[:SHOWN])


def shown(data: bytes) -> str:
    """Bytes of a peer for one line of text, nothing in it that ends the line or steers a terminal."""
    return visible(data.decode("latin-1"))


class HTTPError(NetworkError):
    """Base of what goes wrong in HTTP; never raised itself.

    :ivar status: the status that a server answers this with, if it still can.
    """

    headline = "HTTP failed"
    status = 400


class BadMessage(HTTPError):
    """The peer sent what is no HTTP, or what two readers could read in two ways. Nothing that came behind it is read.

    :param why: what is wrong with it.
    :param status: what a server answers: 400, 414, 417, 431, 501 or 505.
    :param place: where: ``"request line"``, ``"status line"``, ``"fields"``, ``"chunk"``, ``"trailers"`` ...
    :param data: the bytes in question; the first `SHOWN` of them are kept.
    """

    headline = "Bad HTTP message"

    def __init__(self, why: str, status: int = 400, place: str = "", data: bytes = b"", **facts: Unpack[Facts]) -> None:
        HTTPError.__init__(self, why, **facts)
        self.status = status
        self.place = place
        self.data = shortened(data)

    def _said(self) -> str:
        where = f" in the {self.place}" if self.place else ""
        what = f": {shown(self.data)}" if self.data else ""
        return f"{self.headline}: {self.args[0]}{where}{what}"


class TooLarge(HTTPError):
    """The peer sends more of something than the limit allows. Nothing that came behind it is read.

    :param what: what there is too much of, as the name of the limit says: ``"head"``, ``"fields"``, ``"body"`` ...
    :param limit: how many bytes (or fields, or lines) are allowed.
    :param status: what a server answers: 413, 414, 431 or 400.
    """

    headline = "HTTP message too large"

    def __init__(self, what: str, limit: int, status: int = 413, **facts: Unpack[Facts]) -> None:
        HTTPError.__init__(self, what, limit, **facts)
        self.what = what
        self.limit = limit
        self.status = status

    def _said(self) -> str:
        return f"{self.headline}: {self.what} is limited to {self.limit}"


class Incomplete(HTTPError):
    """The connection ended in the middle of a message. Not for one that ended between two.

    :param received: how many bytes of the body had come, or of the head if that was not complete.
    :param expected: how many there were to be; None where the message did not say.
    :param part: ``"head"``, ``"body"`` or ``"trailers"``.
    """

    headline = "HTTP message cut off"

    def __init__(
        self, received: int = 0, expected: int | None = None, part: str = "body", **facts: Unpack[Facts]
    ) -> None:
        HTTPError.__init__(self, received, expected, **facts)
        self.received = received
        self.expected = expected
        self.part = part

    def _said(self) -> str:
        of = "" if self.expected is None else f" of {self.expected}"
        return f"{self.headline}: {self.received}{of} bytes of the {self.part} had come"


class Timeout(HTTPError, _TimeoutError):
    """A time limit ended it.

    :param phase: what was being done: ``"pool"``, ``"connect"``, ``"head"``, ``"body"`` ...
    :param seconds: the limit.
    """

    headline = "HTTP timed out"
    status = 408
    phase: Any = None

    def __init__(self, phase: str, seconds: float, **facts: Any) -> None:
        HTTPError.__init__(self, phase, seconds, **facts)
        self.phase = phase
        self.seconds = seconds

    def _said(self) -> str:
        return f"{self.headline}: {self.phase} took more than {self.seconds:g} s"


class BadResponse(HTTPError):
    """The server's answer is none that can be used. Its cause (``__cause__``) says why where a parser did.

    :param why: what is wrong with it.
    """

    headline = "Bad HTTP response"
    status = 502

    def __init__(self, why: str = "", **facts: Unpack[Facts]) -> None:
        HTTPError.__init__(self, why, **facts)


class StatusError(HTTPError):
    """What ``response.check()`` raises: the answer is whole, and its status says that the request failed.

    :param response: the response, which can still be read.
    """

    headline = "HTTP status"

    def __init__(self, response: Any, **facts: Unpack[Facts]) -> None:
        HTTPError.__init__(self, response.status, **facts)
        self.response = response
        self.status = response.status

    def _said(self) -> str:
        reason = getattr(self.response, "reason", "")
        return f"{self.headline} {self.status}" + (f" {visible(str(reason))}" if reason else "")
