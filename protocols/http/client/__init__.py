"""The client of HTTP: `Client`, and functions such as `get` for programs that need none of their own."""

from __future__ import annotations

from protocols.http.client.calls import (
    collect,
    defaultClient,
    delete,
    get,
    head,
    options,
    patch,
    post,
    put,
    request,
)
from protocols.http.client.client import Client, ClientClosed
from protocols.http.client.cookies import Cookie, CookieJar
from protocols.http.client.redirects import RedirectError
from protocols.http.client.response import Response
from protocols.http.client.urls import URL

__all__ = [
    "Client",
    "ClientClosed",
    "Cookie",
    "CookieJar",
    "RedirectError",
    "Response",
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
