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
    from protocols.http.client import URL as URL
    from protocols.http.client import Client as Client
    from protocols.http.client import ClientClosed as ClientClosed
    from protocols.http.client import Cookie as Cookie
    from protocols.http.client import CookieJar as CookieJar
    from protocols.http.client import RedirectError as RedirectError
    from protocols.http.client import collect as collect
    from protocols.http.client import defaultClient as defaultClient
    from protocols.http.client import delete as delete
    from protocols.http.client import get as get
    from protocols.http.client import head as head
    from protocols.http.client import options as options
    from protocols.http.client import patch as patch
    from protocols.http.client import post as post
    from protocols.http.client import put as put
    from protocols.http.client import request as request
    from protocols.http.message import Response as Response
    from protocols.http.server import Request as Request
    from protocols.http.server import Router as Router
    from protocols.http.server import Site as Site
    from protocols.http.server import files as files
    from protocols.http.server import forwarded as forwarded
    from protocols.http.server import gzip as gzip
    from protocols.http.server import log as log

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
_CLIENT = [
    "Client",
    "ClientClosed",
    "Cookie",
    "CookieJar",
    "RedirectError",
    "URL",
    "collect",
    "defaultClient",
    "delete",
    "get",
    "head",
    "options",
    "patch",
    "post",
    "put",
    "request",
]
_MESSAGE = ["Response"]
_SERVER = ["Request", "Router", "Site", "files", "forwarded", "gzip", "log"]

__all__ = [*_SHARED, *_BODY, *_CLIENT, *_MESSAGE, *_SERVER]  # noqa: PLE0604


def __getattr__(name: str) -> object:
    home: object
    if name in _BODY:
        import protocols.http.body.streams as home
    elif name in _CLIENT:
        import protocols.http.client as home
    elif name in _MESSAGE:
        import protocols.http.message as home
    elif name in _SERVER:
        import protocols.http.server as home
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(home, name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
