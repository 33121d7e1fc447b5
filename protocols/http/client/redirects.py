"""Where an answer 3xx sends its client, and what goes along (RFC 9110, section 15.4; Fetch, section 4.4). Pure.

301 and 302 turn a POST into a GET, as everybody does, 303 all but HEAD; 307 and 308 repeat the request, with its body.
What identifies somebody (Authorization, Cookie, the credentials of a URL) goes to the origin it was meant for and no
further. From https nobody is sent to http, unless the program allows it.
"""

from __future__ import annotations

from protocols.http.error import BadResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from protocols.http.client.urls import URL

STATUSES = frozenset((301, 302, 303, 307, 308))
# Said of the body, and gone with it.
_OF_BODY = frozenset((b"content-encoding", b"content-language", b"content-location", b"content-type", b"content-length",
                      b"content-digest", b"repr-digest", b"digest", b"trailer"))  # fmt: skip
# What is for one origin only.
_CREDENTIALS = frozenset((b"authorization", b"cookie", b"cookie2", b"proxy-authorization", b"host", b"origin"))


class RedirectError(BadResponse):
    """An answer sends the client where it does not go: in a circle, too often, to another scheme, from https to http,
    or with a body that cannot be sent again.

    :ivar response: the answer, whose body was not read.
    """

    headline = "Redirect was not followed"
    response: Any = None


def method(status: int, asked: str) -> str:
    """The method of the request that follows an answer of `status` to the method `asked`."""
    if (status == 303 and asked != "HEAD") or (status in (301, 302) and asked == "POST"):
        return "GET"
    return asked


def target(url: URL, locations: list[str], downgrade: bool) -> URL:
    """Where an answer to a request of `url` with these fields Location points.

    RedirectError when that is nowhere, or several places, another scheme than http and https, or from https to http
    and `downgrade` is false. Credentials in it are left out: nobody sends us anywhere under a name of his choice.
    """
    if len(set(locations)) != 1:
        raise RedirectError(f"{len(locations)} fields Location that differ")
    location = locations[0]
    try:
        found = url.join(_writable(location)).withoutCredentials()
    except ValueError as e:
        raise RedirectError(f"Location {location[:200]!r}: {e}") from None
    if url.scheme == "https" and found.scheme != "https" and not downgrade:
        raise RedirectError(f"from https to {found}; allowDowngrade=True would follow")
    return found


def _writable(location: str) -> str:
    """What servers write raw is UTF-8 mostly, and was read as if it were latin-1."""
    if location.isascii():
        return location
    try:
        return location.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return location


def fields(pairs: Iterable[tuple[bytes, bytes]], sameOrigin: bool, sameMethod: bool) -> list[tuple[bytes, bytes]]:
    """What the program's own fields become for the next request."""
    kept = []
    for name, value in pairs:
        lower = name.lower()
        if (sameOrigin or lower not in _CREDENTIALS) and (sameMethod or lower not in _OF_BODY):
            kept.append((name, value))
    return kept
