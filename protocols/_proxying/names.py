"""The destination of a connection through a proxy: an address or a name that is to go into a request, and what endpoint
descriptions say of it. Pure.
"""

from __future__ import annotations

from inspect import signature
from typing import Any

from protocols._proxying.networks import addressOf
from reactor.address import HostnameAddress, IPv4Address, IPv6Address


class Destination:
    """A host and a port that were checked.

    :ivar name: the host as ASCII text: an address, or a name in the form that DNS has.
    :ivar ip: the `ipaddress` object of an address; None for a name.
    :ivar port: from 1 to 65535.
    :ivar address: both, as one of `reactor.address`.
    """

    __slots__ = ("address", "ip", "name", "port")

    def __init__(self, method: str, host: Any, port: Any) -> None:
        """`method` is for errors. TypeError, ValueError: when `host` or `port` is none."""
        if isinstance(host, bytes):
            host = host.decode("ascii", "replace")
        if not isinstance(host, str):
            raise TypeError(f"{method}: host must be str or bytes, not {host!r}")
        if not isinstance(port, int):
            raise TypeError(f"{method}: port must be an int, not {port!r}")
        if not 1 <= port <= 65535:
            raise ValueError(f"{method}: port must be in 1..65535, not {port}")
        self.port = port
        self.ip = addressOf(host)
        if self.ip is None:
            self.name = _ascii(method, host)
            self.address: Any = HostnameAddress(self.name, port)
        else:
            self.name = str(self.ip)
            self.address = (IPv4Address if self.ip.version == 4 else IPv6Address)("TCP", self.name, port)

    def __repr__(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


def _ascii(method: str, host: str) -> str:
    if not host.isascii():
        import idna

        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except idna.IDNAError as e:
            raise ValueError(f"{method}: host {host!r} is no name: {e}") from None
    # Nothing that could end a line or a field of a request.
    if not 1 <= len(host) <= 255 or not host.isprintable() or set(host) & set(' :/@[]%"<>\\'):
        raise ValueError(f"{method}: host must be an address or a name of 1 to 255 bytes, not {host[:300]!r}")
    return host


def portAndTimeout(type: str, port: str, timeout: str) -> tuple[int, float]:
    """The two as numbers; ValueError, which names `type`, when they are none."""
    try:
        return int(port), float(timeout)
    except ValueError:
        raise ValueError(
            f"endpoint description: {type}: expected port and timeout to be numbers, not {port!r}, {timeout!r}"
        ) from None


def fromArguments(type: str, make: Any, reactor: Any, args: Any, kwargs: Any) -> Any:
    """``make(reactor, *args, **kwargs)`` with the parts of an endpoint description; ValueError, which names `type`,
    when it takes others.
    """
    try:
        signature(make).bind(reactor, *args, **kwargs)
    except TypeError as e:
        raise ValueError(f"endpoint description: {type}: {e}") from None
    return make(reactor, *args, **kwargs)
