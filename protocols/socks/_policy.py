"""Who may go where through a SOCKS server: predicates of a `Request`, to be put together."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import TYPE_CHECKING, Any

from protocols._proxying.networks import Networks, addressOf

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.socks._answering import Request

    Policy = Callable[[Request], Any]

_NAT64 = IPv6Network("64:ff9b::/96")


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
    """Destinations in the public Internet: no address that is private, of this host, of this link, reserved or of a
    group, and none of IPv6 that stands for one of IPv4 that is.
    """
    address = addressOf(request.address or "")
    return address is not None and _public(address)


def _public(address: IPv4Address | IPv6Address) -> bool:
    if not address.is_global or address.is_multicast:
        return False
    if isinstance(address, IPv4Address):
        return True
    inner = [address.ipv4_mapped, address.sixtofour]
    if address in _NAT64:
        inner.append(IPv4Address(address.packed[-4:]))
    return all(each is None or _public(each) for each in inner)


def allOf(*policies: Policy) -> Policy:
    """What every one of `policies` allows. They are to give a bool, not a Deferred."""
    return lambda request: all(policy(request) for policy in policies)


def anyOf(*policies: Policy) -> Policy:
    """What at least one of `policies` allows. They are to give a bool, not a Deferred."""
    return lambda request: any(policy(request) for policy in policies)


def refuseAll(request: Request) -> bool:
    """Nothing."""
    return False
