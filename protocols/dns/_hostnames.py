"""The addresses of a host's name: from the name itself, the hosts file, or the DNS under each full name that it may
stand for. In the order in which a program is to try them.
"""

from __future__ import annotations

import errno
import socket

from protocols.dns._families import Families
from protocols.dns._names import LOOPBACK, candidates, hostName, numeric, special
from protocols.dns._ordering import ordered
from protocols.dns.error import LookupFailed, NoData, NoSuchName, ServerFailure
from reactor.address import IPv4Address, IPv6Address
from reactor.defer import CancelledError, Deferred
from reactor.error import DNSLookupError
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from zope.interface import implementer

    from protocols.dns._hostsfile import Table
    from protocols.dns._ordering import Found
    from protocols.dns._questions import Questions
    from protocols.dns._resolvconf import Config
    from reactor.interfaces import IHostResolution
else:
    from reactor._ground.declare import IHostResolution, implementer

_FAMILIES = {"A": socket.AF_INET, "AAAA": socket.AF_INET6}
_TYPES: dict[type, str] = {IPv4Address: "A", IPv6Address: "AAAA"}


def typesOf(addressTypes: Sequence[type] | None) -> list[str]:
    """The types of records that are wanted. TypeError for what is no type of addresses."""
    if addressTypes is None:
        return ["A", "AAAA"]
    wrong = [each for each in addressTypes if each not in _TYPES]
    if wrong:
        raise TypeError(f"resolveHostName(): addressTypes must be of IPv4Address and IPv6Address, not {wrong!r}")
    return list(dict.fromkeys(_TYPES[each] for each in addressTypes))


def withoutServers(name: str, types: Sequence[str], table: Table) -> list[Found] | None:
    """The addresses of `name`, spelled as `hostName` has it, if they are known without asking; None if not. NoSuchName
    when nobody may be asked.
    """
    families = [_FAMILIES[each] for each in types]
    known = [found for found in table.get(name.removesuffix("."), ()) if found[0] in families]
    if known:
        return known
    kind = special(name)
    if kind == "nobody":
        raise NoSuchName("no server may be asked for it", host=name)
    return [(_FAMILIES[each], LOOPBACK[each], 0) for each in types] if kind == "localhost" else None


async def addresses(
    reactor: Any,
    questions: Questions,
    config: Config,
    table: Table,
    host: str | bytes,
    types: Sequence[str],
    clock: Any,
    delay: float,
) -> list[Found]:
    """All of `host`, at least one. LookupFailed; ValueError when it is no name."""
    text = host.decode("ascii", "backslashreplace") if isinstance(host, bytes) else host
    numbers = numeric(text)
    if numbers:
        wanted = [found for found in numbers if found[0] in [_FAMILIES[each] for each in types]]
        if wanted:
            return wanted
        raise NoData("it is an address of the other family", host=text)
    name = hostName(host)
    known = withoutServers(name, types, table)
    if known is not None:
        return ordered(known)[0]
    if config.noIPv6:
        types = [each for each in types if each != "AAAA"]
        if not types:
            raise NoData("resolv.conf says not to ask for IPv6 addresses", host=name)
    problem: LookupFailed | None = None
    whole = name.removesuffix(".")
    for full in candidates(name, config.search or (), config.ndots):

        def ask(type: str, full: str = full) -> Deferred[Any]:
            return questions.ask(reactor, config, full, type)

        try:
            return await Families(clock, delay, ask, types, config.oneByOne).found
        except NoData as e:
            if full == whole:
                # The name is there. Another one that begins with it is another host's.
                raise
            problem = problem or e
        except NoSuchName as e:
            problem = problem or e
        except ServerFailure as e:
            # Of that zone perhaps; but if nothing is found, nobody knows whether there is something.
            problem = e if not isinstance(problem, ServerFailure) else problem
    assert problem is not None
    raise problem


@implementer(IHostResolution)
class Resolution:
    """A look-up that is under way.

    :ivar name: the name, as it was given.
    :ivar error: why there are no addresses, when it has ended so.
    """

    __slots__ = ("_asked", "_kind", "_port", "_receiver", "error", "name")

    def __init__(self, receiver: Any, name: str, port: int, kind: Any) -> None:
        self.name = name
        self.error: BaseException | None = None
        self._receiver = receiver
        self._port = port
        self._kind = kind
        self._asked: Deferred[Any] | None = None

    @property
    def over(self) -> bool:
        """Whether the receiver has been told that it is complete."""
        return self._receiver is None

    def wait(self, asked: Deferred[list[Found]]) -> None:
        """Tell the receiver what comes of `asked`."""
        self._asked = asked
        asked.addBoth(self._answered)

    def _answered(self, result: list[Found] | Failure) -> None:
        receiver, self._receiver, self._asked = self._receiver, None, None
        if receiver is None:
            return
        if isinstance(result, Failure):
            problem = result.value
            if isinstance(problem, DNSLookupError) or not isinstance(problem, ValueError | CancelledError):
                self.error = problem
            else:
                self.error = DNSLookupError(str(problem), host=self.name, phase="resolve")
        else:
            for family, address, scope in result:
                if family == socket.AF_INET:
                    receiver.addressResolved(IPv4Address(self._kind, address, self._port))
                else:
                    receiver.addressResolved(IPv6Address(self._kind, address, self._port, 0, scope))
        receiver.resolutionComplete()

    def cancel(self) -> None:
        """Tell the receiver that it is complete, and ask no more. Nothing when it is over."""
        receiver, self._receiver = self._receiver, None
        if receiver is None:
            return
        self.error = OSError(errno.ECANCELED, "the look-up was cancelled")
        if self._asked is not None:
            self._asked.cancel()
        receiver.resolutionComplete()
