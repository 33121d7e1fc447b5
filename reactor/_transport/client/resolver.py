"""Names to addresses: the system's `getaddrinfo` in threads of the resolver's own, so that a slow name server blocks
neither the loop nor anybody's thread pool.

Which of many names is asked next is `admission`'s to say. What needs no server does not wait for those that do.

Speaks `IHostnameResolver`, so that another one can be installed in its place; `lookup` is how the rest of the package
asks whichever is installed.
"""

from __future__ import annotations

import errno
import socket
from functools import partial

from reactor._core.threadpool import Workers
from reactor._transport.client.admission import AT_ONCE, MOST, Admission
from reactor._transport.client.hosts import HOSTS, Hosts
from reactor.address import IPv4Address, IPv6Address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from zope.interface import implementer

    from reactor._core.loop import Loop
    from reactor._core.timers import DelayedCall
    from reactor.interfaces import IHostnameResolver, IHostResolution
else:
    from reactor._ground.declare import IHostnameResolver, IHostResolution, implementer

# Seconds after which a name counts as unknown.
TIMEOUT = 60.0

_SOCKET_TYPES = {"TCP": socket.SOCK_STREAM, "UDP": socket.SOCK_DGRAM}
_FAMILIES: dict[type, int] = {IPv4Address: socket.AF_INET, IPv6Address: socket.AF_INET6}


@implementer(IHostResolution)
class HostResolution:
    """A lookup under way."""

    __slots__ = ("_busy", "_ended", "_free", "error", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        # Why there were no addresses, when the system said so.
        self.error: BaseException | None = None
        # Called with the reason if it is cancelled; None when it is over.
        self._ended: Callable[[BaseException], object] | None = None
        # Whether a thread is busy with it, also when nobody waits any more; who wants to know when it is not.
        self._busy = False
        self._free: Callable[[], object] | None = None

    def whenFree(self, f: Callable[[], object]) -> None:
        """Call `f()` when no thread is busy with it; now, when none is. For who gives a user's names only so many
        threads: a look-up that was cancelled keeps its own until the system answers. For one `f` only.
        """
        if self._busy:
            self._free = f
        else:
            f()

    def _freed(self) -> None:
        free, self._free, self._busy = self._free, None, False
        if free is not None:
            free()

    def cancel(self) -> None:
        """Tell the receiver that it is complete, and nothing more. A name that waits for a thread is not asked for any
        more; a thread that asks goes on until the system answers. Nothing when it is over.
        """
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(OSError(errno.ECANCELED, "the look-up was cancelled"))


class _Question:
    """One name that a `ThreadedResolver` was asked for, until it is answered or nobody waits any more."""

    __slots__ = ("args", "kind", "name", "over", "receiver", "resolution", "timer")

    def __init__(self, name: str, args: tuple[Any, ...], kind: Any, receiver: Any) -> None:
        """`args` are what `getaddrinfo` takes behind the name, `kind` is "TCP" or "UDP"."""
        self.name = name
        self.args = args
        self.kind = kind
        self.receiver = receiver
        self.resolution = HostResolution(name)
        self.timer: DelayedCall | None = None
        self.over = False

    def finish(self, answer: Any) -> None:
        """Tell the receiver `answer`: what getaddrinfo returned, or the error. Nothing when it is over."""
        if self.over:
            return
        self.over = True
        resolution, receiver, timer = self.resolution, self.receiver, self.timer
        resolution._ended = self.receiver = self.timer = None
        if timer is not None and timer.active():
            timer.cancel()
        if isinstance(answer, BaseException):
            resolution.error = answer
        else:
            for found in answer:
                sockaddr = found[4]
                receiver.addressResolved(
                    IPv4Address(self.kind, *sockaddr) if len(sockaddr) == 2 else IPv6Address(self.kind, *sockaddr)
                )
        receiver.resolutionComplete()


@implementer(IHostnameResolver)
class ThreadedResolver:
    """The resolver that a reactor has unless told otherwise."""

    __slots__ = (
        "_admission",
        "_asked",
        "_getaddrinfo",
        "_hosts",
        "_loop",
        "_sorting",
        "_timer",
        "_unsorted",
        "_workers",
        "timeout",
    )

    def __init__(
        self,
        loop: Loop,
        timeout: float = TIMEOUT,
        getaddrinfo: Callable[..., Any] = socket.getaddrinfo,
        hosts: str = HOSTS,
    ) -> None:
        """Give up on a name after `timeout` seconds. `getaddrinfo` has the signature of the socket module's; `hosts` is
        the path of the file whose names need no server.
        """
        self._loop = loop
        # One more than there are lanes, for the names that need none.
        self._workers = Workers(MOST + 1, "reactor-resolver", keep=AT_ONCE)
        self._getaddrinfo = getaddrinfo
        self._hosts = Hosts(hosts)
        self._admission: Admission[_Question] = Admission()
        # Runs while something waits and another lane is to be opened.
        self._timer: DelayedCall | None = None
        # Those that are being asked.
        self._asked: set[_Question] = set()
        # Those that wait and of which nobody has looked yet whether they need a server; whether a thread is at it.
        self._unsorted: list[_Question] = []
        self._sorting = False
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

        :raises ValueError: for another `transportSemantics` than "TCP" and "UDP".
        :raises TypeError: for `addressTypes` other than `IPv4Address` and `IPv6Address`.
        """
        if transportSemantics not in _SOCKET_TYPES:
            raise ValueError(
                f"resolveHostName(): transportSemantics must be 'TCP' or 'UDP', not {transportSemantics!r}"
            )
        args = (portNumber, _familyOf(addressTypes), _SOCKET_TYPES[transportSemantics])
        question = _Question(hostName, args, transportSemantics, resolutionReceiver)
        late = TimeoutError(f"no answer within {self.timeout} s")
        question.timer = self._loop.timers.callLater(self.timeout, self._givenUp, question, late)
        resolution = question.resolution
        resolution._ended = partial(self._givenUp, question)
        resolutionReceiver.resolutionBegan(resolution)
        if not question.over:
            try:
                question.name = encode(hostName)
            except (ValueError, ImportError) as e:
                self._loop.soon(question.finish, e.with_traceback(None))
            else:
                self._enter(question)
        return resolution

    def close(self) -> None:
        """Let the threads end, and end all that is under way: nobody waits for a name when the reactor stops."""
        self._workers.end()
        unanswered = [*self._admission.waiting, *self._asked]
        self._stopTimer()
        self._admission, self._asked = Admission(), set()
        self._unsorted, self._sorting = [], False
        for question in unanswered:
            try:
                question.finish(OSError(errno.ECANCELED, "the reactor stopped"))
            except BaseException as e:
                self._loop.raised(f"a receiver of addresses raised: {question.name}", e)

    def _givenUp(self, question: _Question, why: BaseException) -> None:
        """Nobody waits for it any more. A thread that asks goes on, one that would have asked does not."""
        if question in self._admission.waiting:
            del self._admission.waiting[question]
            self._askOn()
        question.finish(why)

    # Who asks, and when.

    def _enter(self, question: _Question) -> None:
        self._admission.waiting[question] = None
        self._askOn()
        if question in self._admission.waiting:
            self._unsorted.append(question)
            self._sort()

    def _askOn(self) -> None:
        """Ask what may be asked now; come back when more may."""
        admission, timers = self._admission, self._loop.timers
        now = timers.seconds()
        while (question := admission.next(now)) is not None:
            self._ask(question)
        delay = admission.delay(now)
        if delay is None:
            self._stopTimer()
        elif self._timer is None:
            self._timer = timers.callLater(delay, self._due)

    def _stopTimer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _due(self) -> None:
        self._timer = None
        self._askOn()

    def _ask(self, question: _Question) -> None:
        admission, loop, ask = self._admission, self._loop, self._getaddrinfo

        def inThread() -> None:
            loop.callFromThread(answered, (_answer(ask, question),), {})

        def answered(answer: Any) -> None:
            self._workers.done(receipt)
            admission.ended()
            if admission is self._admission:
                # Else the reactor was stopped meanwhile: the lanes of now are others.
                self._asked.discard(question)
                self._askOn()
            try:
                question.finish(answer)
            finally:
                question.resolution._freed()

        try:
            receipt = self._workers.do(inThread)
        except RuntimeError as e:
            admission.ended()
            loop.soon(question.finish, e.with_traceback(None))
        else:
            self._asked.add(question)
            question.resolution._busy = True

    # What needs no server.

    def _sort(self) -> None:
        """Have a thread of its own look which of those that wait need no server, and ask for these."""
        if self._sorting or not self._unsorted:
            return
        questions, self._unsorted = self._unsorted, []
        admission, loop, ask, knows = self._admission, self._loop, self._getaddrinfo, self._hosts.knows

        def inThread() -> None:
            for question in questions:
                if not question.over and knows(question.name):
                    loop.callFromThread(known, (question, _answer(ask, question)), {})
            loop.callFromThread(sorted_, (), {})

        def known(question: _Question, answer: Any) -> None:
            if question in admission.waiting:
                del admission.waiting[question]
                if admission is self._admission:
                    self._askOn()
            question.finish(answer)

        def sorted_() -> None:
            self._workers.done(receipt)
            if admission is self._admission:
                self._sorting = False
                self._sort()

        try:
            receipt = self._workers.do(inThread)
        except RuntimeError:
            # No thread to give: they wait with the others.
            return
        self._sorting = True


def _familyOf(addressTypes: Sequence[type] | None) -> int:
    """What getaddrinfo is asked for."""
    wrong = [each for each in addressTypes or () if each not in _FAMILIES]
    if wrong:
        raise TypeError(f"resolveHostName(): addressTypes must be of IPv4Address and IPv6Address, not {wrong!r}")
    wanted = {_FAMILIES[each] for each in (_FAMILIES if addressTypes is None else addressTypes)}
    return wanted.pop() if len(wanted) == 1 else socket.AF_UNSPEC


def _answer(ask: Callable[..., Any], question: _Question) -> Any:
    """What `ask` says, or the error that it raised; None, unasked, when nobody waits any more."""
    if question.over:
        return None
    try:
        return ask(question.name, *question.args)
    except BaseException as e:
        # This frame is part of the traceback, which would keep both alive in a circle.
        return e.with_traceback(None)


def encode(name: str) -> str:
    """`name` as the domain name system spells it: what is not ASCII in IDNA 2008 (RFC 5891, by the library `idna`).
    ValueError when it has no such spelling.
    """
    if name.isascii():
        return name
    import idna

    return idna.encode(name, uts46=True).decode("ascii")


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
