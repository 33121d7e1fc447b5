"""From names to addresses."""

from __future__ import annotations

from zope.interface import Attribute, Interface

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from reactor.defer import Deferred
    from reactor.interfaces._stream import IAddress


class IResolverSimple(Interface):
    """A resolver that knows one address for a name."""

    def getHostByName(name: str, timeout: Sequence[int] = ()) -> Deferred[str]:
        """The IPv4 address of `name`. The Deferred fails with `reactor.error.DNSLookupError`, at the latest after the
        sum of `timeout` seconds.
        """


class IHostnameResolver(Interface):
    """A resolver that tells all addresses of a name, one by one."""

    def resolveHostName(
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        """Tell `resolutionReceiver` the addresses of `hostName`, with `portNumber` in each; nothing is raised for a
        name that has none.

        Only those of `addressTypes` (None: `IPv4Address` and `IPv6Address`), in order of preference.
        `transportSemantics` is ``"TCP"`` or ``"UDP"``.
        """


class IHostResolution(Interface):
    """A resolution that is under way."""

    name = Attribute("The name that is resolved, a str.")

    def cancel() -> None:
        """Stop it: `resolutionComplete` is called at once, and nothing thereafter."""


class IResolutionReceiver(Interface):
    """Whoever is told addresses. The calls come in this order, the second for each address."""

    def resolutionBegan(resolutionInProgress: IHostResolution) -> None:
        """The resolution began; before `resolveHostName` returns, or later."""

    def addressResolved(address: IAddress) -> None:
        """One of the addresses, the preferred ones first."""

    def resolutionComplete() -> None:
        """There are no (more) addresses."""


class IResolver(IResolverSimple):
    """A resolver of the DNS (RFC 1035).

    Each Deferred fires with three lists of records (answers, authority, additional), or fails with an error of the
    resolver's. `timeout` is a sequence of seconds to wait for an answer, one for each try, or None.
    """

    def query(query: Any, timeout: Sequence[int] | None) -> Deferred[Any]:
        """Records that answer `query`."""

    def lookupAddress(name: str, timeout: Sequence[int] | None) -> Deferred[Any]:
        """A records: IPv4 addresses."""

    def lookupAddress6(name: str, timeout: Sequence[int] | None) -> Deferred[Any]:
        """A6 records (RFC 2874, historic)."""

    def lookupIPV6Address(name: str, timeout: Sequence[int] | None) -> Deferred[Any]:
        """AAAA records (RFC 3596): IPv6 addresses."""

    def lookupMailExchange(name: str, timeout: Sequence[int] | None) -> Deferred[Any]:
        """MX records: where mail goes."""

    def lookupNameservers(name: str, timeout: Sequence[int] | None) -> Deferred[Any]:
        """NS records: the servers of the zone."""

    def lookupCanonicalName(name: str, timeout: Sequence[int] | None) -> Deferred[Any]:
        """CNAME records: what `name` is an alias of."""

    def lookupMailBox(name: str, timeout: Sequence[int] | None) -> Deferred[Any]:
        """MB records."""

    def lookupMailGroup(name: str, timeout: Sequence[int] | None) -> Deferred[Any]:
        """MG records."""

    def lookupMailRename(name: str, timeout: Sequence[int] | None) -> Deferred[Any]:
        """MR records."""

    def lookupPointer(name: str, timeout: Sequence[int] | None) -> Deferred[Any]:
        """PTR records: from an address back to a name."""

    def lookupAuthority(name: str, timeout: Sequence[int] | None) -> Deferred[Any]:
        """SOA records: who is in charge of the zone."""

    def lookupNull(name: str, timeout: Sequence[int] | None) -> Deferred[Any]:
        """NULL records."""

    def lookupWellKnownServices(name: str, timeout: Sequence[int] | None) -> Deferred[Any]:
        """WKS records."""

    def lookupHostInfo(name: str, timeout: Sequence[int] | None) -> Deferred[Any]:
        """HINFO records."""

    def lookupMailboxInfo(name: str, timeout: Sequence[int] | None) -> Deferred[Any]:
        """MINFO records."""

    def lookupText(name: str, timeout: Sequence[int] | None) -> Deferred[Any]:
        """TXT records."""

    def lookupResponsibility(name: str, timeout: Sequence[int] | None) -> Deferred[Any]:
        """RP records (RFC 1183)."""

    def lookupAFSDatabase(name: str, timeout: Sequence[int] | None) -> Deferred[Any]:
        """AFSDB records (RFC 1183)."""

    def lookupService(name: str, timeout: Sequence[int] | None) -> Deferred[Any]:
        """SRV records (RFC 2782): host and port of a service."""

    def lookupAllRecords(name: str, timeout: Sequence[int] | None) -> Deferred[Any]:
        """Records of all types that the server cares to tell (RFC 8482)."""

    def lookupSenderPolicy(name: str, timeout: Sequence[int] | None) -> Deferred[Any]:
        """SPF records (RFC 4408)."""

    def lookupNamingAuthorityPointer(name: str, timeout: Sequence[int] | None) -> Deferred[Any]:
        """NAPTR records (RFC 3403)."""

    def lookupZone(name: str, timeout: Sequence[int] | None) -> Deferred[Any]:
        """All records of the zone `name` (AXFR, RFC 5936)."""
