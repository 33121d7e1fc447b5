"""``http.get(url)`` and its like: for programs that need no `Client` of their own.

They share one for each reactor, which keeps its connections. It keeps no cookies: one part of a program is not to be
known by what another did. A chain of redirects has its own jar, since many begin by setting a cookie.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from protocols.http.client.client import Client
from reactor._ground.current import currentReactor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from protocols.http.client.response import Response
    from protocols.http.client.urls import URL
    from reactor.defer import Deferred

__all__ = ["collect", "defaultClient", "delete", "get", "head", "options", "patch", "post", "put", "request"]

_clients: WeakKeyDictionary[Any, Client] = WeakKeyDictionary()


def defaultClient() -> Client:
    """The client that the functions of this module use in the reactor that runs. A program that ends before its reactor
    does may close it, and gets a new one the next time.
    """
    reactor = currentReactor()
    client = _clients.get(reactor)
    if client is None or client.isClosed:
        client = _clients[reactor] = Client(cookies=False)
        # Its connections end there, and it knows its reactor.
        reactor.addSystemEventTrigger("after", "shutdown", _clients.pop, reactor, None)
    return client


def request(method: str, url: str | URL, **options: Any) -> Deferred[Response]:
    """Ask; see `Client.request`."""
    return defaultClient().request(method, url, **options)


def get(url: str | URL, **options: Any) -> Deferred[Response]:
    """GET; see `Client.request`."""
    return defaultClient().get(url, **options)


def head(url: str | URL, **options: Any) -> Deferred[Response]:
    """HEAD; see `Client.request`."""
    return defaultClient().request("HEAD", url, **options)


def post(url: str | URL, **options: Any) -> Deferred[Response]:
    """POST; see `Client.request`."""
    return defaultClient().request("POST", url, **options)


def put(url: str | URL, **options: Any) -> Deferred[Response]:
    """PUT; see `Client.request`."""
    return defaultClient().request("PUT", url, **options)


def patch(url: str | URL, **options: Any) -> Deferred[Response]:
    """PATCH; see `Client.request`."""
    return defaultClient().request("PATCH", url, **options)


def delete(url: str | URL, **options: Any) -> Deferred[Response]:
    """DELETE; see `Client.request`."""
    return defaultClient().request("DELETE", url, **options)


def options(url: str | URL, **more: Any) -> Deferred[Response]:
    """OPTIONS; see `Client.request`."""
    return defaultClient().request("OPTIONS", url, **more)


def collect(response: Response, collector: Callable[[bytes], Any]) -> Deferred[None]:
    """``response.collect(collector)``, as treq has it."""
    return response.collect(collector)
