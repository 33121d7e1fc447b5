"""The numbers of SOCKS (RFC 1928, section 6; SOCKS 4: its description by Ying-Da Lee), and its errors."""

from __future__ import annotations

from typing import Any

from reactor.error import ConnectError

#: Replies of SOCKS 5.
SUCCEEDED, FAILURE, NOT_ALLOWED, NETWORK_UNREACHABLE, HOST_UNREACHABLE, REFUSED, TTL_EXPIRED = range(7)
COMMAND_NOT_SUPPORTED, ADDRESS_TYPE_NOT_SUPPORTED = 7, 8
#: Replies of SOCKS 4.
GRANTED, REJECTED = 90, 91
#: Commands.
CONNECT, BIND, UDP_ASSOCIATE = 1, 2, 3
#: Ways to authenticate in SOCKS 5, and the reply that none will do.
NO_AUTHENTICATION, USERNAME_PASSWORD, NO_METHOD = 0, 2, 255
#: Types of addresses in SOCKS 5.
IPV4, NAME, IPV6 = 1, 3, 4

TEXTS = {
    FAILURE: "the server failed",
    NOT_ALLOWED: "not allowed",
    NETWORK_UNREACHABLE: "network unreachable",
    HOST_UNREACHABLE: "host unreachable",
    REFUSED: "connection refused",
    TTL_EXPIRED: "no answer in time",
    COMMAND_NOT_SUPPORTED: "the server does not know the command",
    ADDRESS_TYPE_NOT_SUPPORTED: "the server does not know this type of address",
    REJECTED: "rejected or failed",
    92: "rejected, the server could not reach identd on this host",
    93: "rejected, identd told another user",
}


class SOCKSError(ConnectError):
    """A SOCKS server was reached, and no connection came about through it: it refused, or it does not speak SOCKS.

    :ivar reply: the number that it replied with, of SOCKS 5 (1 to 255) or SOCKS 4 (91 to 93); None when it was no
        reply to the request.
    """

    headline = "SOCKS server did not connect"

    def __init__(self, string: object = "", reply: int | None = None, **facts: Any) -> None:
        ConnectError.__init__(self, None, string, **facts)
        self.reply = reply


class SOCKSProtocolError(Exception):
    """A client of our SOCKS server said what no client may say. Nothing else comes out of parsing any bytes."""


def refused(reply: int) -> SOCKSError:
    """The error for a reply."""
    return SOCKSError(f"{TEXTS.get(reply, 'for a reason of its own')} (reply {reply})", reply)
