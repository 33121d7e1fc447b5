"""Names to addresses: the system's `getaddrinfo` in threads of the resolver's own, so that a slow name server blocks
neither the loop nor anybody's thread pool.

Speaks `IHostnameResolver`, so that another one can be installed in its place; `LookUp` is how the rest of the package
asks whichever is installed.
"""

from __future__ import annotations

import errno
import socket

from reactor._core.threadpool import Workers
from reactor.address import IPv4Address, IPv6Address
from reactor.defer import Deferred
from reactor.error import DNSLookupError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from zope.interface import implementer

    from reactor._core.loop import Loop
    from reactor._core.timers import DelayedCall
    from reactor._transport.client.race import Target
    from reactor.interfaces import IHostnameResolver, IHostResolution, IResolutionReceiver
else:
    from reactor._ground.declare import IHostnameResolver, IHostResolution, IResolutionReceiver, implementer

# Seconds after which a name counts as unknown, and lookups at a time.
TIMEOUT = 60.0
THREADS = 8

_SOCKET_TYPES = {"TCP": socket.SOCK_STREAM, "UDP": socket.SOCK_DGRAM}


@implementer(IHostResolution)
class HostResolution:
    """A lookup under way."""

    __slots__ = ("_ended", "error", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        # Why there were no addresses, when the system said so.
        self.error: BaseException | None = None
        # Called with the reason if it is cancelled; None when it is over.
        self._ended: Callable[[BaseException], object] | None = None

    def cancel(self) -> None:
        """Tell the receiver that it is complete, and nothing more. The thread that asks goes on until the system
        answers. Nothing when it is over.
        """
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(OSError(errno.ECANCELED, "the look-up was cancelled"))


@implementer(IHostnameResolver)
class ThreadedResolver:
    """The resolver that a reactor has unless told otherwise."""

    __slots__ = ("_getaddrinfo", "_loop", "_workers", "timeout")

    def __init__(
        self, loop: Loop, timeout: float = TIMEOUT, getaddrinfo: Callable[..., Any] = socket.getaddrinfo
    ) -> None:
        """Give up on a name after `timeout` seconds. `getaddrinfo` has the signature of the socket module's."""
        self._loop = loop
        self._workers = Workers(THREADS, "reactor-resolver")
        self._getaddrinfo = getaddrinfo
        self.timeout = timeout

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type] | None = None,
        transportSemantics: str = "TCP",
    ) -> HostResolution:
        """Look `hostName` up; tell the receiver that it began, each address, and that it is complete (with none: it
        failed, `error` says why).
        """
        resolution = HostResolution(hostName)
        families = {IPv4Address: socket.AF_INET, IPv6Address: socket.AF_INET6}
        wanted = {families[each] for each in addressTypes} if addressTypes is not None else set(families.values())
        family = wanted.pop() if len(wanted) == 1 else socket.AF_UNSPEC
        loop, workers, ask = self._loop, self._workers, self._getaddrinfo
        waiting = True

        def inThread() -> None:
            answer: object
            try:
                answer = ask(encoded, portNumber, family, _SOCKET_TYPES[transportSemantics])
            except BaseException as e:
                # This frame is part of the traceback, which would keep both alive in a circle.
                answer = e.with_traceback(None)
            loop.callFromThread(answered, (answer,), {})

        def answered(answer: Any) -> None:
            workers.done(receipt)
            finish(answer)

        def finish(answer: Any) -> None:
            nonlocal waiting
            if not waiting:
                return
            waiting = False
            resolution._ended = None
            if timer.active():
                timer.cancel()
            if isinstance(answer, BaseException):
                resolution.error = answer
            else:
                kind: Any = transportSemantics
                for found in answer:
                    sockaddr = found[4]
                    resolutionReceiver.addressResolved(
                        IPv4Address(kind, *sockaddr) if len(sockaddr) == 2 else IPv6Address(kind, *sockaddr)
                    )
            resolutionReceiver.resolutionComplete()

        timer: DelayedCall = loop.timers.callLater(
            self.timeout, finish, TimeoutError(f"no answer within {self.timeout} s")
        )
        resolution._ended = finish
        resolutionReceiver.resolutionBegan(resolution)
        if waiting:
            try:
                encoded = encode(hostName)
                receipt = workers.do(inThread)
            except (ValueError, RuntimeError, ImportError) as e:
                loop.soon(finish, e.with_traceback(None))
        return resolution

    def close(self) -> None:
        """Let the threads end."""
        self._workers.end()


def encode(name: str) -> str:
    """`name` as the domain name system spells it: what is not ASCII in IDNA 2008 (RFC 5891, by the library `idna`).
    ValueError when it has no such spelling.
    """
    if name.isascii():
        return name
    import idna

    return idna.encode(name, uts46=True).decode("ascii")


@implementer(IResolutionReceiver)
class _Collector:
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
        text = (getattr(why, "strerror", None) or str(why)) if why is not None else "the resolver found no address"
        done(self._error(text, why))

    def raised(self, problem: Exception) -> None:
        """The resolver raised instead of answering."""
        done, self._done = self._done, None
        if done is not None:
            done(self._error(f"the resolver raised {problem!r}", problem))

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
        self._collector = _Collector(name, loop.timers.seconds, self._answered)
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


@implementer(IHostnameResolver)
class SimpleResolver:
    """An `IHostnameResolver` made of an `IResolverSimple`, which knows `getHostByName`: one address a name."""

    __slots__ = ("simple",)

    def __init__(self, simple: Any) -> None:
        self.simple = simple

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type] | None = None,
        transportSemantics: str = "TCP",
    ) -> HostResolution:
        """Ask the simple resolver."""
        resolution = HostResolution(hostName)
        kind: Any = transportSemantics

        def found(host: str) -> IPv4Address | IPv6Address:
            return (IPv6Address if ":" in host else IPv4Address)(kind, host, portNumber)

        def finish(address: IPv4Address | IPv6Address) -> None:
            resolution._ended = None
            resolutionReceiver.addressResolved(address)
            resolutionReceiver.resolutionComplete()

        def failed(failure: Any) -> None:
            resolution._ended = None
            resolution.error = failure.value
            resolutionReceiver.resolutionComplete()

        asked = self.simple.getHostByName(hostName)
        resolution._ended = lambda _: asked.cancel()
        resolutionReceiver.resolutionBegan(resolution)
        asked.addCallback(found).addCallbacks(finish, failed)
        return resolution
