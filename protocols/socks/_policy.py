"""Who may go where through a SOCKS server: predicates of a `Request`, to be put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols._proxying.internet import isPublic
from protocols._proxying.networks import Networks

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.socks._answering import Request

    Policy = Callable[[Request], Any]


def allowNetworks(*networks: str) -> Policy:
    """Destinations with an address in these networks. ValueError, TypeError: for what is none."""
    allowed = Networks("allowNetworks()", "networks", networks)
    return lambda request: request.address in allowed


def allowClients(*networks: str) -> Policy:
    """Clients with an address in these networks; "unix" for those over UNIX sockets."""
    allowed = Networks("allowClients()", "networks", networks)
    return lambda request: allowed.hasPeer(request.peer)


def allowPorts(*ports: int) -> Policy:
    """Destinations with one of these ports."""
    for port in ports:
        if not isinstance(port, int) or not 0 < port < 65536:
            raise ValueError(f"allowPorts(): port must be in 1..65535, not {port!r}")
    return lambda request: request.port in ports


def allowHosts(*names: str) -> Policy:
    """Destinations that were named so; ``.example.com`` stands for all names that end so. An address that was named
    instead of the name is not the name.
    """
    for name in names:
        if not isinstance(name, str) or not name.strip("."):
            raise ValueError(f"allowHosts(): name must be a host's name, not {name!r}")
    known = {name.lower().rstrip(".") for name in names}

    def allows(request: Request) -> bool:
        host = request.host.lower().rstrip(".")
        return host in known or any(name[0] == "." and host.endswith(name) for name in known)

    return allows


def publicOnly(request: Request) -> bool:
    """Destinations in the public Internet: only addresses of global unicast as it is given out today. None that is
    private, of this host, of this link, reserved or of a group, and none of IPv6 that leads to one of IPv4 that is
    (mapped, NAT64, 6to4, ISATAP).
    """
    return isPublic(request.address or "")


def allOf(*policies: Policy) -> Policy:
    """What every one of `policies` allows. They are to give a bool, not a Deferred."""
    return lambda request: all(policy(request) for policy in policies)


def anyOf(*policies: Policy) -> Policy:
    """What at least one of `policies` allows. They are to give a bool, not a Deferred."""
    return lambda request: any(policy(request) for policy in policies)


def refuseAll(request: Request) -> bool:
    """Nothing."""
    return False
