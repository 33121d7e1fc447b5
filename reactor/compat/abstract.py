"""Whether a text is an IP address, and the base of transports that programs make on descriptors of their own."""

from __future__ import annotations

import socket

from reactor.compat._filedescriptor import FileDescriptor

__all__ = ["FileDescriptor", "isIPAddress", "isIPv6Address"]


def isIPAddress(addr: str | bytes, family: int = socket.AF_INET) -> bool:
    """Whether `addr` is an address of IPv4 in four decimal parts; with `socket.AF_INET6` for `family`, one of IPv6,
    which may have a zone. False for what is not ASCII.

    :raises ValueError: for another `family`.
    """
    if family not in (socket.AF_INET, socket.AF_INET6):
        raise ValueError(f"isIPAddress(): family must be AF_INET or AF_INET6, not {family!r}")
    try:
        text = addr.decode("ascii") if isinstance(addr, bytes) else addr
        if family == socket.AF_INET6:
            text = text.partition("%")[0]
        # Of IPv4 this takes four decimal parts only, where inet_aton takes "1" and "0x7f.1" as well.
        socket.inet_pton(family, text)
    except (OSError, ValueError):
        return False
    return True


def isIPv6Address(addr: str | bytes) -> bool:
    """Whether `addr` is an address of IPv6, with a zone or without."""
    return isIPAddress(addr, socket.AF_INET6)
