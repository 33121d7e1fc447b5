"""HTTP: what both ends share, and the names that programs use.

The client and the server are loaded when one of their names is asked for: ``import protocols.http`` costs what fields
and errors do, and loads no TLS. Which module a name is from stands below; each is that module's own, with its
documentation there.
"""

from __future__ import annotations

from protocols.http.error import BadMessage as BadMessage
from protocols.http.error import BadResponse as BadResponse
from protocols.http.error import HTTPError as HTTPError
from protocols.http.error import Incomplete as Incomplete
from protocols.http.error import StatusError as StatusError
from protocols.http.error import Timeout as Timeout
from protocols.http.error import TooLarge as TooLarge
from protocols.http.headers import Headers as Headers
from protocols.http.limits import Limits as Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocols.http.body.streams import Body as Body

_SHARED = [
    "BadMessage",
    "BadResponse",
    "HTTPError",
    "Headers",
    "Incomplete",
    "Limits",
    "StatusError",
    "Timeout",
    "TooLarge",
]
# What is taken from where it is when somebody asks for it.
_BODY = ["Body"]

__all__ = [*_SHARED, *_BODY]


def __getattr__(name: str) -> object:
    home: object
    if name in _BODY:
        import protocols.http.body.streams as home
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(home, name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
