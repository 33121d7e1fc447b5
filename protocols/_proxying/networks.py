"""Sets of IP networks: what a list of texts means, and whether an address is in it. Pure."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


def addressOf(host: str) -> IPv4Address | IPv6Address | None:
    """The IP address that `host` is the text of; None when it is none. IPv4 in an IPv6 form is taken for IPv4, since
    that is who is there: mapped addresses (``::ffff:0:0/96``), as sockets for both families have them.
    """
    try:
        address = ip_address(host)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return address if mapped is None else mapped


class Networks:
    """A set of networks, and whether UNIX sockets belong to it."""

    def __init__(self, method: str, argument: str, entries: Iterable[Any]) -> None:
        """
        :param entries: addresses ("10.0.0.1", "::1"), networks ("10.0.0.0/8"), objects of `ipaddress`, and "unix" for
            UNIX sockets. `method` and `argument` are for errors.
        :raises TypeError: when it is no list of those. ValueError: for a text that is none of those, and for a network
            with bits set behind its prefix.
        """
        if isinstance(entries, (str, bytes)):
            raise TypeError(f"{method}: {argument} must be a list, such as [{entries!r}], not {entries!r}")
        self.unix = False
        networks = []
        for entry in entries:
            if entry == "unix":
                self.unix = True
                continue
            if isinstance(entry, (int, bytes)):
                raise TypeError(f"{method}: {argument} must be of str, as '10.0.0.0/8', not {entry!r}")
            try:
                network = ip_network(entry)
            except ValueError as e:
                raise ValueError(
                    f"{method}: {argument} must be of IP addresses, networks or 'unix', not {entry!r}: {e}"
                ) from None
            if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped is not None:
                raise ValueError(f"{method}: {argument}: write {entry!r} as an IPv4 network")
            networks.append(network)
        self._networks = tuple(networks)

    def __contains__(self, host: object) -> bool:
        """Whether the address `host`, a text, is of one of the networks."""
        address = addressOf(host) if isinstance(host, str) else None
        return address is not None and any(address in network for network in self._networks)

    def hasPeer(self, address: Any) -> bool:
        """Whether `address`, one of `reactor.address`, is in the set."""
        host = getattr(address, "host", None)
        if host is not None:
            return host in self
        return self.unix and hasattr(address, "name")

    def __repr__(self) -> str:
        return f"<{', '.join([*map(str, self._networks), *(['unix'] if self.unix else [])]) or 'nobody'}>"
