"""Why a name could not be resolved, by who is to blame: whoever asked for it, the zone, the name servers, or time.

All are `reactor.error.DNSLookupError`, so that one ``except`` catches whatever a look-up may end in.
"""

from __future__ import annotations

from reactor.error import DNSLookupError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["LookupFailed", "NoData", "NoSuchName", "ServerFailure", "TimedOut"]


class LookupFailed(DNSLookupError):
    """Base of the four below; never raised itself.

    :param string: free text.
    :param type: the type of records asked for, such as ``"MX"``, or None.
    :param rcode: the code of the answer that decided (RFC 1035, section 4.1.1: 2 is a server's failure, 3 that there
        is no such name), or None.
    :param facts: as for any `NetworkError`; `host` is the name, and `attempts` has every server that was asked with
        what it answered.
    """

    def __init__(self, string: object = "", *, type: str | None = None, rcode: int | None = None, **facts: Any) -> None:
        DNSLookupError.__init__(self, None, string, **facts)
        self.type = type
        self.rcode = rcode

    def _place(self) -> str:
        return super()._place() + (f" {self.type}" if self.type is not None else "")


class NoSuchName(LookupFailed):
    """There is no such name, and nothing below it (NXDOMAIN, RFC 8020)."""

    headline = "There is no such name"


class NoData(LookupFailed):
    """The name is there and has no records of the type asked for (RFC 2308, section 2.2)."""

    headline = "The name has no such records"


class ServerFailure(LookupFailed):
    """No server gave an answer that can be used: each failed, refused, could not be reached or said what makes no
    sense. Another time it may be different.
    """

    headline = "Name servers failed"


class TimedOut(LookupFailed):
    """No server answered in time."""

    headline = "No name server answered in time"
