"""One question to whichever resolver is installed, ours or a program's own. Its answers are addresses to connect to, or
an error that says why there are none.
"""

from __future__ import annotations

import socket

from reactor._ground.naming import shown
from reactor.address import IPv4Address, IPv6Address
from reactor.defer import Deferred
from reactor.error import DNSLookupError, getConnectError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from zope.interface import implementer

    from reactor._core.loop import Loop
    from reactor._transport.client.race import Target
    from reactor.interfaces import IResolutionReceiver
else:
    from reactor._ground.declare import IResolutionReceiver, implementer


@implementer(IResolutionReceiver)
class Collector:
    """Collects what a resolver finds and calls one of two functions, once."""

    __slots__ = ("_began", "_done", "_name", "_seconds", "_targets", "resolution")

    def __init__(
        self, name: str, seconds: Callable[[], float], done: Callable[[list[Target] | DNSLookupError], object]
    ) -> None:
        self._name = name
        self._seconds = seconds
        self._done: Callable[[list[Target] | DNSLookupError], object] | None = done
        self._targets: list[Target] = []
        self._began = seconds()
        self.resolution: Any = None

    def resolutionBegan(self, resolutionInProgress: object) -> None:
        self.resolution = resolutionInProgress

    def addressResolved(self, address: Any) -> None:
        if not isinstance(address, (IPv4Address, IPv6Address)):
            address = _ours(address)
        if isinstance(address, IPv6Address):
            self._targets.append((socket.AF_INET6, (address.host, address.port, address.flowInfo, address.scopeID)))
        else:
            self._targets.append((socket.AF_INET, (address.host, address.port)))

    def resolutionComplete(self) -> None:
        done, self._done = self._done, None
        if done is None:
            return
        if self._targets:
            done(self._targets)
            return
        why = getattr(self.resolution, "error", None)
        if isinstance(why, DNSLookupError) and why.__class__ is not DNSLookupError:
            # A resolver with words of its own for it knows more than we would say.
            done(getConnectError(why, host=self._name, elapsed=self._seconds() - self._began))  # type: ignore[arg-type]
            return
        text = (getattr(why, "strerror", None) or str(why)) if why is not None else "the resolver found no address"
        done(self._error(text, why))

    def raised(self, problem: Exception) -> None:
        """The resolver raised instead of answering."""
        done, self._done = self._done, None
        if done is not None:
            done(self._error(f"the resolver raised {shown(problem)}", problem))

    def _error(self, text: str, why: BaseException | None) -> DNSLookupError:
        code = why.errno if isinstance(why, socket.gaierror) else None
        error = DNSLookupError(code, text, host=self._name, phase="resolve", elapsed=self._seconds() - self._began)
        error.__cause__ = why
        return error

    def forget(self) -> None:
        """Tell the resolver that nobody waits any more."""
        resolution, self.resolution, self._done = self.resolution, None, None
        if resolution is not None:
            resolution.cancel()


def _ours(address: Any) -> IPv4Address | IPv6Address:
    # A resolver written for Twisted gives its addresses. ValueError or TypeError, to the resolver, for what is none.
    if ":" in address.host:
        return IPv6Address(
            "TCP", address.host, address.port, getattr(address, "flowInfo", 0), getattr(address, "scopeID", 0)
        )
    return IPv4Address("TCP", address.host, address.port)


class LookUp:
    """One question to a resolver.

    `done(targets or a DNSLookupError)` is called once, never before the constructor returned; not when cancelled.
    """

    __slots__ = ("_collector", "_done", "_loop")

    def __init__(
        self,
        loop: Loop,
        resolver: Any,
        name: str,
        port: int,
        done: Callable[[list[Target] | DNSLookupError], object],
        addressTypes: Sequence[type] | None = None,
    ) -> None:
        self._loop = loop
        self._done: Callable[[list[Target] | DNSLookupError], object] | None = done
        self._collector = Collector(name, loop.timers.seconds, self._answered)
        # In the next turn, since a resolver may answer at once; and it is somebody else's code.
        loop.soon(self._ask, resolver, name, port, addressTypes)

    def _ask(self, resolver: Any, name: str, port: int, addressTypes: Sequence[type] | None) -> None:
        if self._done is None:
            return
        try:
            resolver.resolveHostName(self._collector, name, port, addressTypes, "TCP")
        except Exception as e:
            if self._done is None:
                # It had answered before: what was raised is no answer.
                raise
            self._collector.raised(e)

    def _answered(self, answer: list[Target] | DNSLookupError) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(answer)

    def cancel(self) -> None:
        """Forget the question. Nothing when it was answered."""
        if self._done is None:
            return
        self._done = None
        self._collector.forget()


def firstAddress(loop: Loop, resolver: Any, name: str, timeout: float) -> Deferred[str]:
    """The first IPv4 address of `name`, the first of IPv6 if it has no other, as text. The Deferred fails with
    DNSLookupError, after `timeout` seconds at the latest.
    """

    def cancelled(_: Deferred[str]) -> None:
        timer.cancel()
        lookUp.cancel()

    def found(answer: list[Target] | DNSLookupError) -> None:
        timer.cancel()
        if isinstance(answer, DNSLookupError):
            deferred.errback(answer)
        else:
            deferred.callback(min(answer, key=lambda target: target[0] != socket.AF_INET)[1][0])

    def late() -> None:
        lookUp.cancel()
        text = f"no answer within {timeout} s"
        deferred.errback(DNSLookupError(text, host=name, phase="resolve", elapsed=timeout))

    deferred: Deferred[str] = Deferred(cancelled)
    lookUp = LookUp(loop, resolver, name, 0, found)
    timer = loop.timers.callLater(timeout, late)
    return deferred
