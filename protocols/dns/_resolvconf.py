"""What ``/etc/resolv.conf`` says (resolv.conf(5)): which servers to ask, how long and how often, and where short names
are looked for. Pure.

As tolerant as the system's own reader, since a program cannot know who wrote the file: a line or an option that is not
understood is passed over, a number out of range is brought into it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from protocols.dns._names import numeric

# The system's limits.
MOST_SERVERS, MOST_NDOTS, MOST_TIMEOUT, MOST_ATTEMPTS = 3, 15, 30, 5
# Domains that are tried for one name at most; the system has no such limit any more, and each costs two questions.
MOST_DOMAINS = 32
PORT = 53

Server = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Config:
    """What a resolver goes by.

    :ivar servers: addresses and ports.
    :ivar search: domains for short names, without a dot at the end; ``""`` is the root. None when nothing is said:
        the domain that this machine is in.
    :ivar ndots: with so many dots a name is asked for as it is first.
    :ivar timeout: seconds for which one server is waited for.
    :ivar attempts: how often each is asked.
    :ivar rotate: whether questions begin with one server after another, and not always with the first.
    :ivar tcp: whether to ask over TCP only.
    :ivar oneByOne: whether to ask for IPv6 addresses when the answer for those of IPv4 is there, and not at once: some
        routers take the second question for the first.
    :ivar noIPv6: whether not to ask for IPv6 addresses.
    """

    servers: tuple[Server, ...] = (("127.0.0.1", PORT),)
    search: tuple[str, ...] | None = None
    ndots: int = 1
    timeout: float = 5.0
    attempts: int = 2
    rotate: bool = False
    tcp: bool = False
    oneByOne: bool = False
    noIPv6: bool = False


def parse(text: bytes) -> Config:
    """What a file with that text says; of any bytes."""
    servers: list[Server] = []
    search: tuple[str, ...] | None = None
    options: dict[str, object] = {}
    for line in text.decode("utf-8", "replace").split("\n"):
        if line[:1] in ("#", ";"):
            continue
        keyword, *values = line.split()[: 2 + MOST_DOMAINS] or [""]
        if keyword == "nameserver" and values and len(servers) < MOST_SERVERS:
            if _isAddress(values[0]):
                servers.append((values[0], PORT))
        elif keyword == "search" and values:
            # The last such line counts, and so does the last of these two keywords.
            search = domains(values)
        elif keyword == "domain" and values:
            search = domains(values[:1])
        elif keyword == "options":
            for each in line.split()[1:]:
                _option(each, options)
    made = Config(search=search, **options)  # type: ignore[arg-type]
    return replace(made, servers=tuple(servers)) if servers else made


def domains(names: list[str]) -> tuple[str, ...]:
    """The domains of a search list that names can stand before."""
    found = [name.lower().strip(".") for name in names[:MOST_DOMAINS]]
    return tuple(name for name in found if all(0 < len(label) < 64 for label in name.split(".")) or not name)


def _isAddress(text: str) -> bool:
    return bool(numeric(text))


def _option(text: str, found: dict[str, object]) -> None:
    name, _, value = text.partition(":")
    switch = _SWITCHES.get(name)
    if switch is not None and not value:
        found[switch] = True
    elif name in _NUMBERS and value.isascii() and value.isdigit():
        least, most = _NUMBERS[name]
        # More digits than that are above any limit, and too many are slow to read.
        number = int(value[:6])
        found[name] = float(max(least, min(number, most))) if name == "timeout" else max(least, min(number, most))


_SWITCHES = {
    "rotate": "rotate",
    "use-vc": "tcp",
    "single-request": "oneByOne",
    "single-request-reopen": "oneByOne",
    "no-aaaa": "noIPv6",
}
_NUMBERS = {"ndots": (0, MOST_NDOTS), "timeout": (1, MOST_TIMEOUT), "attempts": (1, MOST_ATTEMPTS)}
