"""Cookies (RFC 6265): what servers set, and what goes back to which of them. Pure: the time is an argument.

A cookie for a whole domain is taken only where that is nobody else's: the list of public suffixes (``co.uk``,
``github.io``) is `publicsuffixlist`'s, which the extra ``http`` brings. Without it a cookie is given back to the very
host that set it and to no other: less than servers may ask for, and never too much.
"""

from __future__ import annotations

import re
from calendar import timegm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from protocols.http.client.urls import URL

# RFC 6265bis, section 5.6: longer ones are not taken.
SIZE_LIMIT = 4096
ATTRIBUTE_LIMIT = 1024
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_BETWEEN = re.compile(r"[\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[^0-9].*)?", re.S)
_DAY = re.compile(r"([0-9]{1,2})(?:[^0-9].*)?", re.S)
_YEAR = re.compile(r"([0-9]{2,4})(?:[^0-9].*)?", re.S)
_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_SETTABLE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Cookie:
    """One cookie.

    :ivar domain: the host that set it, or the domain whose hosts all get it (`hostOnly` says which).
    :ivar expires: when it ends, in seconds since 1970; None: with the jar.
    """

    __slots__ = ("domain", "expires", "hostOnly", "httpOnly", "name", "path", "secure", "serial", "value")

    def __init__(
        self,
        name: str,
        value: str,
        domain: str,
        path: str = "/",
        expires: float | None = None,
        secure: bool = False,
        httpOnly: bool = False,
        hostOnly: bool = True,
    ) -> None:
        self.name = name
        self.value = value
        self.domain = domain
        self.path = path
        self.expires = expires
        self.secure = secure
        self.httpOnly = httpOnly
        self.hostOnly = hostOnly
        # Which was there first goes first (section 5.4).
        self.serial = 0

    def __repr__(self) -> str:
        # The value is a secret mostly.
        return f"<Cookie {self.name} of {'' if self.hostOnly else '*.'}{self.domain}{self.path}>"


class CookieJar:
    """The cookies of one user."""

    #: How many cookies of one domain are kept, and how many altogether; the oldest go first.
    DOMAIN_LIMIT: int = 50
    LIMIT: int = 3000

    def __init__(self) -> None:
        # Domain -> (name, path) -> cookie. An empty one is not kept.
        self._domains: dict[str, dict[tuple[str, str], Cookie]] = {}
        self._serial = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Cookie]:
        for cookies in list(self._domains.values()):
            yield from list(cookies.values())

    def set(self, url: URL, name: str, value: str, path: str = "/") -> None:
        """Put a cookie for the host of `url` and no other. ValueError for a name or value that cannot be sent."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"cookie name must be a token, not {name!r}")
        if not _SETTABLE.fullmatch(value):
            raise ValueError(f"cookie {name!r} must have a value without spaces, quotes, commas or semicolons")
        self._put(Cookie(name, value, _plain(url.host), path))

    def clear(self) -> None:
        """Forget all."""
        self._domains.clear()
        self._count = 0

    # ---- What goes out ----

    def header(self, url: URL, now: float) -> str | None:
        """The field Cookie for a request of `url` at the time `now` (seconds since 1970); None for none."""
        found: list[Cookie] = []
        host = domain = _plain(url.host)
        path = url.path
        while domain:
            cookies = self._domains.get(domain)
            if cookies:
                for cookie in list(cookies.values()):
                    if cookie.expires is not None and cookie.expires <= now:
                        self._remove(cookie)
                    elif (
                        (domain == host or not cookie.hostOnly)
                        and _pathMatches(path, cookie.path)
                        and (not cookie.secure or url.scheme == "https")
                    ):
                        found.append(cookie)
            if url.isAddress:
                break
            domain = domain.partition(".")[2]
        if not found:
            return None
        found.sort(key=lambda cookie: (-len(cookie.path), cookie.serial))
        return "; ".join([f"{cookie.name}={cookie.value}" if cookie.name else cookie.value for cookie in found])

    # ---- What comes in ----

    def store(self, url: URL, lines: Iterable[str], now: float) -> None:
        """Take what the fields Set-Cookie of an answer from `url` say. What is not right is left out without a word,
        as the standard has it.
        """
        for line in lines:
            cookie = _read(url, line, now)
            if cookie is None:
                continue
            if cookie.expires is not None and cookie.expires <= now:
                old = self._domains.get(cookie.domain, {}).get((cookie.name, cookie.path))
                if old is not None and not _overlays(old, url):
                    self._remove(old)
            elif not self._isOverlaid(cookie, url):
                self._put(cookie)

    def _isOverlaid(self, cookie: Cookie, url: URL) -> bool:
        old = self._domains.get(cookie.domain, {}).get((cookie.name, cookie.path))
        return old is not None and _overlays(old, url)

    def _put(self, cookie: Cookie) -> None:
        cookies = self._domains.setdefault(cookie.domain, {})
        key = (cookie.name, cookie.path)
        old = cookies.get(key)
        if old is not None:
            cookie.serial = old.serial
            cookies[key] = cookie
            return
        self._serial += 1
        cookie.serial = self._serial
        cookies[key] = cookie
        self._count += 1
        if len(cookies) > self.DOMAIN_LIMIT:
            self._remove(next(iter(cookies.values())))
        elif self._count > self.LIMIT:
            self._remove(next(iter(next(iter(self._domains.values())).values())))

    def _remove(self, cookie: Cookie) -> None:
        cookies = self._domains[cookie.domain]
        del cookies[(cookie.name, cookie.path)]
        self._count -= 1
        if not cookies:
            del self._domains[cookie.domain]


def _plain(host: str) -> str:
    return host.removesuffix(".")


def _overlays(old: Cookie, url: URL) -> bool:
    """Whether `old` was set over TLS and somebody in the clear wants to change it (6265bis, section 5.7)."""
    return old.secure and url.scheme != "https"


def _read(url: URL, line: str, now: float) -> Cookie | None:
    if _FORBIDDEN.search(line):
        return None
    pair, _, rest = line.partition(";")
    name, equals, value = pair.partition("=")
    if not equals:
        name, value = "", name
    name, value = name.strip(" \t"), value.strip(" \t")
    if len(name) + len(value) > SIZE_LIMIT or not (name or value):
        return None
    cookie = Cookie(name, value, _plain(url.host), _defaultPath(url.path))
    wanted = _attributes(cookie, rest, now)
    if wanted and not _domainTaken(cookie, wanted, url):
        return None
    if cookie.secure and url.scheme != "https":
        return None
    return cookie if _prefixKept(cookie, url) else None


def _attributes(cookie: Cookie, text: str, now: float) -> str:
    """Read what stands behind the value into `cookie`; gives the domain that it names. The last of a kind counts."""
    domain, maxAge = "", None
    for attribute in text.split(";") if text else ():
        name, _, value = attribute.partition("=")
        name, value = name.strip(" \t").lower(), value.strip(" \t")
        if len(value) > ATTRIBUTE_LIMIT:
            continue
        if name == "domain":
            domain = value.removeprefix(".").lower()
        elif name == "path":
            cookie.path = value if value.startswith("/") else cookie.path
        elif name == "max-age":
            if re.fullmatch(r"-?[0-9]+", value):
                # Digits without end are a number without end.
                maxAge = float(value)
        elif name == "expires":
            moment = dateOf(value)
            cookie.expires = moment if moment is not None else cookie.expires
        elif name == "secure":
            cookie.secure = True
        elif name == "httponly":
            cookie.httpOnly = True
    if maxAge is not None:
        cookie.expires = now + maxAge if maxAge > 0 else float("-inf")
    return domain


def _domainTaken(cookie: Cookie, domain: str, url: URL) -> bool:
    """Whether `cookie` may be for all of `domain`, and then it is."""
    host = cookie.domain
    if domain != host and (url.isAddress or not host.endswith("." + domain)):
        return False
    if url.isAddress:
        return True
    suffixes = _suffixes()
    if suffixes is None or "." not in domain or suffixes.is_public(domain):
        # Such as github.io itself may have its own; nobody sets one for all that are there.
        return domain == host or suffixes is None
    cookie.domain = domain
    cookie.hostOnly = False
    return True


def _prefixKept(cookie: Cookie, url: URL) -> bool:
    name = cookie.name.lower()
    if name.startswith("__secure-"):
        return cookie.secure and url.scheme == "https"
    if name.startswith("__host-"):
        return cookie.secure and url.scheme == "https" and cookie.hostOnly and cookie.path == "/"
    # Without a name, the value is all that is sent, and must not look like such a one.
    return bool(name) or not cookie.value.lower().startswith(("__secure-", "__host-"))


_list: list[Any] = []


def _suffixes() -> Any:
    """The list of public suffixes, read when it is first needed (45 ms); None where it is not installed."""
    if not _list:
        try:
            from publicsuffixlist import PublicSuffixList
        except ImportError:
            _list.append(None)
        else:
            _list.append(PublicSuffixList())
    return _list[0]


def _defaultPath(path: str) -> str:
    return path.rpartition("/")[0] or "/"


def _pathMatches(path: str, wanted: str) -> bool:
    return path == wanted or (path.startswith(wanted) and (wanted.endswith("/") or path[len(wanted)] == "/"))


def dateOf(text: str) -> float | None:
    """A date as cookies have it, in whatever order and spelling (section 5.1.1); seconds since 1970, None for none."""
    time = day = month = year = None
    for token in _BETWEEN.split(text):
        if time is None and (found := _TIME.fullmatch(token)):
            time = [int(part) for part in found.groups()]
        elif day is None and (found := _DAY.fullmatch(token)):
            day = int(found[1])
        elif month is None and token[:3].lower() in _MONTHS:
            month = _MONTHS.index(token[:3].lower()) + 1
        elif year is None and (found := _YEAR.fullmatch(token)):
            year = int(found[1])
    if time is None or day is None or month is None or year is None:
        return None
    if year < 100:
        year += 1900 if year >= 70 else 2000
    hour, minute, second = time
    if not (1 <= day <= 31 and year >= 1601 and hour < 24 and minute < 60 and second < 60):
        return None
    return float(timegm((year, month, day, hour, minute, second)))
