"""The resolver: what a program makes, asks and installs. Holds the settings, and what was learnt; the work is done by
those it is made of.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import replace

from protocols.dns import _hostsfile, _resolvconf
from protocols.dns._asking import Asker
from protocols.dns._cache import Cache
from protocols.dns._hostnames import Resolution, addresses, typesOf
from protocols.dns._names import LOOPBACK, candidates, special
from protocols.dns._questions import Questions
from protocols.dns._udp import RANDOM
from protocols.dns._watched import Watched
from protocols.dns._wire import checked, reverse, typeOf
from protocols.dns.error import LookupFailed, NoData, NoSuchName, ServerFailure, TimedOut
from protocols.dns.records import AAAA, PTR, A, inOrderOfUse
from reactor._ground.current import currentReactor
from reactor._transport.client.resolver import encode
from reactor._transport.stream.tcp import literal
from reactor.defer import Deferred
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from zope.interface import implementer

    from protocols.dns._resolvconf import Config
    from protocols.dns.records import Record
    from reactor.interfaces import IHostnameResolver, IResolverSimple
else:
    from reactor._ground.declare import IHostnameResolver, IResolverSimple, implementer

# Bytes that an answer over UDP may have, where nothing on the way cuts it in pieces: what everybody agreed on in 2020.
PAYLOAD = 1232


@implementer(IHostnameResolver, IResolverSimple)
class Resolver:
    """Asks name servers, over sockets of the reactor's.

    It goes by ``/etc/resolv.conf`` and ``/etc/hosts``, read again when they have changed. One resolver belongs to one
    reactor: the one given, else the one that runs when it is asked first.
    """

    def __init__(
        self,
        reactor: Any = None,
        *,
        servers: Iterable[str | tuple[str, int]] | None = None,
        search: Iterable[str] | None = None,
        ndots: int | None = None,
        timeout: float | None = None,
        attempts: int | None = None,
        rotate: bool | None = None,
        tcp: bool | None = None,
        edns: int | None = PAYLOAD,
        mixedCase: bool = False,
        lifetime: float = 30.0,
        resolutionDelay: float = 0.25,
        cacheSize: int = 4096,
        maxTTL: float = 86400.0,
        maxNegativeTTL: float = 900.0,
        maxQuestions: int = 256,
        resolvConf: str = "/etc/resolv.conf",
        hosts: str = "/etc/hosts",
        clock: Any = None,
    ) -> None:
        """Nothing is opened or read yet. What is None is as `resolvConf` says.

        :param servers: addresses, or pairs of address and port (53), in place of the file's.
        :param search: domains for short names; ``[]`` for none.
        :param ndots: with so many dots a name is asked for as it is before it is searched (1 if nobody says otherwise).
        :param timeout: seconds for which one server is waited for (5).
        :param attempts: how often each server is asked (2).
        :param rotate: whether questions begin with one server after another.
        :param tcp: whether to ask over TCP only.
        :param edns: bytes of an answer over UDP that servers are told may come (RFC 6891); None for no EDNS, which is
            512.
        :param mixedCase: whether letters are sent in a random case, and must come back so: as many bits more for who
            would forge an answer to guess. Off, since id and port have 32 and some servers change letters; those are
            asked again over TCP then.
        :param lifetime: seconds for one look-up, whatever it takes.
        :param resolutionDelay: seconds for which the addresses of one family wait for those of the other.
        :param cacheSize: answers that are kept. 0: none.
        :param maxTTL: seconds for which one is kept at most; `maxNegativeTTL` that there is nothing.
        :param maxQuestions: questions that are asked at a time, each with a socket; others wait in a row.
        :param resolvConf: the path of that file; `hosts` of that of hosts.
        :param clock: what tells the time in place of the reactor: it has `seconds` and `callLater`.
        :raises ValueError: for a number out of range, or a server that is no address. TypeError: for what is none.
        """
        for name, value, least in (
            *(("timeout", timeout, 0.001), ("attempts", attempts, 1), ("ndots", ndots, 0), ("edns", edns, 512)),
            *(("lifetime", lifetime, 0.001), ("resolutionDelay", resolutionDelay, 0), ("cacheSize", cacheSize, 0)),
            *(("maxTTL", maxTTL, 0), ("maxNegativeTTL", maxNegativeTTL, 0), ("maxQuestions", maxQuestions, 1)),
        ):
            if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
                raise TypeError(f"Resolver(): {name} must be a number, not {value!r}")
            if value is not None and not value >= least:
                raise ValueError(f"Resolver(): {name} must be at least {least}, not {value!r}")
        if isinstance(servers, (str, bytes)) or (servers is not None and not hasattr(servers, "__iter__")):
            raise TypeError(f"Resolver(): servers must be a list of addresses, not {servers!r}")
        given = {
            "servers": None if servers is None else tuple(_server(each) for each in servers),
            "search": None if search is None else _resolvconf.domains(list(search)),
            "ndots": ndots,
            "timeout": timeout,
            "attempts": attempts,
            "rotate": rotate,
            "tcp": tcp,
        }
        if servers is not None and not given["servers"]:
            raise ValueError("Resolver(): servers must be at least one, or None for those of resolv.conf")
        self._given: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        self._reactor = reactor
        self._clock = clock
        self._settings = edns, mixedCase, maxQuestions
        self._cache = Cache(cacheSize, maxTTL, maxNegativeTTL)
        self._resolvConf = Watched(resolvConf, _resolvconf.parse)
        self._hosts = Watched(hosts, _hostsfile.parse)
        # The names of each address, once somebody has asked for such, of which table.
        self._names: tuple[_hostsfile.Table, dict[str, list[str]]] | None = None
        self._read: Config | None = None
        self._config: Config | None = None
        self._asker: Asker | None = None
        self._questions: Questions | None = None
        self._trigger: Any = None
        self.lifetime = lifetime
        self.resolutionDelay = resolutionDelay

    # What it goes by.

    @property
    def config(self) -> Config:
        """The settings now, those of ``resolv.conf`` included; see `protocols.dns.Config`."""
        read = self._resolvConf.read()
        if self._config is None or read is not self._read:
            # Other servers may say other things, of other networks.
            self._cache.clear()
            self._read = read
            config = replace(read, **self._given)
            if config.search is None:
                domain = socket.gethostname().partition(".")[2]
                config = replace(config, search=_resolvconf.domains([domain]) if domain else ())
            self._config = config
        return self._config

    @property
    def foreign(self) -> int:
        """How many messages came so far that were no answers: with a wrong id or question, or no messages at all. A few
        are late answers; many are somebody's attempts to forge one.
        """
        return 0 if self._asker is None else self._asker.foreign

    def clearCache(self) -> None:
        """Forget all answers."""
        self._cache.clear()

    def close(self) -> None:
        """End all look-ups, as failed with `DNSLookupError`, and close all connections. It may be asked again."""
        if self._questions is not None:
            self._questions.cancel()
        if self._asker is not None:
            self._asker.close()

    def _begun(self) -> tuple[Any, Any, Questions]:
        """The reactor, what tells the time, and the questions."""
        if self._questions is None:
            self._reactor = currentReactor() if self._reactor is None else self._reactor
            self._clock = self._reactor if self._clock is None else self._clock
            payload, mixed, most = self._settings
            self._asker = Asker(self._clock, payload, mixed)
            self._questions = Questions(self._asker, self._cache, self._clock, most)
            self._questions.began, self._questions.ended = self._watchTheEnd, self._endWatching
        return self._reactor, self._clock, self._questions

    def _watchTheEnd(self) -> None:
        # Nobody waits for a name when the reactor stops.
        self._trigger = self._reactor.addSystemEventTrigger("before", "shutdown", self._stopped)

    def _endWatching(self) -> None:
        trigger, self._trigger = self._trigger, None
        if trigger is not None:
            self._reactor.removeSystemEventTrigger(trigger)

    def _stopped(self) -> None:
        self._trigger = None
        self.close()

    # Addresses of hosts.

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type] | None = None,
        transportSemantics: str = "TCP",
    ) -> Resolution:
        """Look `hostName` up; tell the receiver that it began, each address, the best first, and that it is complete
        (with none: it failed, and `error` of what is returned says why).

        :raises ValueError: for another `transportSemantics` than "TCP" and "UDP".
        :raises TypeError: for `addressTypes` other than `IPv4Address` and `IPv6Address`.
        """
        if transportSemantics not in ("TCP", "UDP"):
            raise ValueError(
                f"resolveHostName(): transportSemantics must be 'TCP' or 'UDP', not {transportSemantics!r}"
            )
        types = typesOf(addressTypes)
        resolution = Resolution(resolutionReceiver, hostName, portNumber, transportSemantics)
        resolutionReceiver.resolutionBegan(resolution)
        if not resolution.over:
            resolution.wait(self._addresses(hostName, types))
        return resolution

    def getHostByName(self, name: str, timeout: Sequence[float] = ()) -> Deferred[str]:
        """The first IPv4 address of `name`, of IPv6 if it has no other, as a Deferred of text.

        :param timeout: seconds; their sum is when it fails, if not `lifetime` before.
        :return: fails with DNSLookupError.
        """

        def first(found: list[tuple[int, str, int]]) -> str:
            return min(found, key=lambda each: each[0] != socket.AF_INET)[1]

        def invalid(failure: Failure) -> Failure:
            return Failure(LookupFailed(str(failure.value), host=name)) if failure.check(ValueError) else failure

        asked = self._addresses(name, ["A", "AAAA"], min([self.lifetime, *([sum(timeout)] if timeout else [])]))
        return asked.addCallbacks(first, invalid)

    def _addresses(self, host: str, types: Sequence[str], seconds: float | None = None) -> Deferred[Any]:
        reactor, clock, questions = self._begun()
        config, table = self.config, self._hosts.read()
        found = addresses(reactor, questions, config, table, host, types, clock, self.resolutionDelay)
        return self._limited(Deferred.fromCoroutine(found), host, None, seconds)

    # Records by type.

    def lookup(self, name: str | bytes, type: str | int = "A", *, search: bool = False) -> Deferred[list[Record]]:
        """The records of one type that `name` has.

        :param name: a full name; what is not ASCII is put in IDNA 2008.
        :param type: such as ``"MX"``, or its number; ``"ANY"`` is what the server cares to tell (RFC 8482).
        :param search: whether a short name is looked for in the search list too.
        :return: a Deferred of at least one of `protocols.dns.records`: behind aliases, if there are such; MX, SRV, SVCB
            and HTTPS in the order in which they are to be tried, others in the server's. Fails with a `LookupFailed`
            (`NoSuchName`, `NoData`, `ServerFailure`, `TimedOut`), a DNSLookupError.
        :raises ValueError: for what is no name, or no type that can be looked up. TypeError: for what is neither.
        """
        kind, full = typeOf("lookup", type), _full("lookup", name)
        return self._limited(Deferred.fromCoroutine(self._lookedUp(full, kind, search)), full, kind)

    def reverse(self, address: str) -> Deferred[list[str]]:
        """The names of an IPv4 or IPv6 address: those in the hosts file, else those of its PTR records.

        :return: a Deferred that fails as that of `lookup`. Whoever has the address says what its name is: to be sure,
            look that up.
        :raises ValueError: for what is no address.
        """
        try:
            wanted = ipaddress.ip_address(address.partition("%")[0])
        except (ValueError, AttributeError):
            raise ValueError(f"reverse(): address must be an IPv4 or IPv6 address, not {address!r}") from None

        def targets(found: list[Record]) -> list[str]:
            return [record.target for record in found if isinstance(record, PTR)]

        table = self._hosts.read()
        if self._names is None or self._names[0] is not table:
            self._names = table, _hostsfile.namesOf(table)
        known = self._names[1].get(str(wanted))
        if known:
            asked: Deferred[list[str]] = Deferred()
            asked.callback(known[:])
            return asked
        return self.lookup(reverse(str(wanted)), "PTR").addCallback(targets)

    async def _lookedUp(self, name: str, type: str, search: bool) -> list[Record]:
        reactor, _, questions = self._begun()
        config = self.config
        kind = special(name.lower())
        if kind == "nobody":
            raise NoSuchName("no server may be asked for it", host=name, type=type)
        if kind == "localhost":
            if type not in LOOPBACK:
                raise NoData("it is this machine", host=name, type=type)
            return [A(name, 0, LOOPBACK[type]) if type == "A" else AAAA(name, 0, LOOPBACK[type])]
        problem: LookupFailed | None = None
        whole = name.removesuffix(".") or "."
        names = candidates(name, config.search or (), config.ndots) if search else [whole]
        for full in names:
            try:
                return inOrderOfUse(await questions.ask(reactor, config, full, type), RANDOM.randrange)
            except (NoSuchName, NoData) as e:
                if isinstance(e, NoData) and full == whole:
                    raise
                problem = problem or e
            except ServerFailure as e:
                problem = e if not isinstance(problem, ServerFailure) else problem
        assert problem is not None
        raise problem

    def _limited(
        self, asked: Deferred[Any], name: Any, type: str | None, seconds: float | None = None
    ) -> Deferred[Any]:
        limit = self.lifetime if seconds is None else seconds

        def late(result: Any, _: float) -> Any:
            if not isinstance(result, Failure):
                return result
            raise TimedOut(f"no answer within {limit:g} s", host=name, type=type, elapsed=limit) from None

        return asked if asked.called else asked.addTimeout(limit, self._begun()[1], late)

    def __repr__(self) -> str:
        servers = ", ".join([f"[{h}]:{p}" if ":" in h else f"{h}:{p}" for h, p in self.config.servers])
        return f"<Resolver of {servers}>"


def _server(given: Any) -> tuple[str, int]:
    if not isinstance(given, str) and not (isinstance(given, (tuple, list)) and len(given) == 2):
        raise TypeError(f"Resolver(): a server must be an address, or a pair of address and port, not {given!r}")
    host, port = (given, _resolvconf.PORT) if isinstance(given, str) else given
    if not isinstance(host, str) or literal(host, 0) is None:
        raise ValueError(f"Resolver(): a server must be an IPv4 or IPv6 address, not {host!r}")
    if not isinstance(port, int) or not 1 <= port <= 65535:
        raise ValueError(f"Resolver(): the port of a server must be in 1..65535, not {port!r}")
    return host, port


def _full(method: str, name: Any) -> str:
    """`name` in ASCII. Each part is looked at alone: in ``_sip._tcp.bücher.example`` two are no international names."""
    if isinstance(name, bytes):
        name = name.decode("ascii", "backslashreplace")
    if not isinstance(name, str):
        raise TypeError(f"{method}(): name must be str or bytes, not {name!r}")
    try:
        full = ".".join([label if label.isascii() else encode(label) for label in name.split(".")])
        checked(full)
    except ValueError as e:
        raise ValueError(f"{method}(): name must be a domain name: {e}") from None
    return full
