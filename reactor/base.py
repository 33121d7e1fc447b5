"""The reactor: what programs call. It holds what is pending and the resolver, and delegates everything else, a line a
method.

A reactor may run again after it stopped, several may live in one process, one a thread. `reactor.reactor` is the
process's default one.
"""

from __future__ import annotations

from socket import AF_UNIX
from time import monotonic

from reactor._core.contexts import inside
from reactor._core.foreign import Descriptors
from reactor._core.poller import READ, WRITE
from reactor._core.running import Run, RunState
from reactor._core.timers import DelayedCall, checkDelay
from reactor._face.process import ReactorProcess
from reactor._face.resolver import ThreadedResolver
from reactor._face.threads import InThreads
from reactor._face.tls import OverTLS
from reactor._face.udp import ReactorUDP
from reactor._face.unix import ReactorUNIX
from reactor._transport.client.connector import Connector
from reactor._transport.client.destination import checkedDestination
from reactor._transport.client.lookup import firstAddress
from reactor._transport.client.resolver import SimpleResolver
from reactor._transport.client.resolver import ThreadedResolver as _Names
from reactor._transport.server.port import Port, Reserve
from reactor._transport.stream.tcp import TCPListener, adopt, adoptConnection, checkedListener, literal
from reactor.defer import Deferred, succeed
from reactor.error import ConnectionLost
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    import selectors
    from collections.abc import Callable, Sequence
    from typing import Any

    from zope.interface import implementer

    from reactor._core.triggers import TriggerHandle
    from reactor._transport.stream.transport import StreamTransport
    from reactor.interfaces import (
        IReactorCore,
        IReactorFDSet,
        IReactorPluggableNameResolver,
        IReactorPluggableResolver,
        IReactorSocket,
        IReactorSSL,
        IReactorTCP,
        IReactorThreads,
        IReactorTime,
    )
else:
    from reactor._ground.declare import (
        IReactorCore,
        IReactorFDSet,
        IReactorPluggableNameResolver,
        IReactorPluggableResolver,
        IReactorSocket,
        IReactorSSL,
        IReactorTCP,
        IReactorThreads,
        IReactorTime,
        implementer,
    )

__all__ = ["DelayedCall", "Reactor", "ReactorBase", "ThreadedResolver"]

# How often a program may connect anew from the callbacks that tell it that the reactor stops.
_ROUNDS = 10


@implementer(
    IReactorCore,
    IReactorTime,
    IReactorTCP,
    IReactorSSL,
    IReactorSocket,
    IReactorFDSet,
    IReactorThreads,
    IReactorPluggableResolver,
    IReactorPluggableNameResolver,
)
class Reactor(ReactorUNIX, ReactorUDP, ReactorProcess, OverTLS, InThreads):
    """An event loop for network programs."""

    def __init__(self, selector: selectors.BaseSelector | None = None) -> None:
        """Not running yet.

        :param selector: what to watch descriptors with, any selector of the standard library or made like them; None:
            epoll where there is one, else the best that this system has.
        """
        self._run = Run(selector, self._disconnectAll, self._closed)
        self._loop = self._run.loop
        self._loop.reactor = self
        self._descriptors = Descriptors(self._loop)
        self._pending: set[Connector] = set()
        self._reserve: Reserve | None = None
        self._ownResolver: _Names | None = None
        self._nameResolver: Any = None
        # Bound once: every connector keeps it.
        self._askResolver = self._resolver
        # Straight to the timers: one frame less, and its arguments are packed once.
        self.callLater = self._loop.timers.callLater  # type: ignore[method-assign]

    # Running.

    @property
    def running(self) -> bool:
        """Whether the reactor is up: from the startup event's "during" phase to that of the shutdown event."""
        return self._run.running

    def run(self, installSignalHandlers: bool = True) -> None:
        """Run until `stop()`, then return.

        :param installSignalHandlers: in the main thread, let SIGINT and SIGTERM stop the reactor (a SIGINT handler of
            the program's own is kept). What was there before is put back.
        :raises ReactorAlreadyRunning: when this reactor runs, or another one in this thread.
        :raises KeyboardInterrupt, SystemExit: when a callback raised it: the reactor then stops as by `stop()`, and it
            comes out here.
        """
        try:
            self._run.run(self, installSignalHandlers)
        finally:
            self._refuseBlocked()

    def stop(self) -> None:
        """Stop: fire the shutdown event, close what is open, and let `run()` return. ReactorNotRunning when it is not
        running, or stopping already.
        """
        self._run.stop()

    def crash(self) -> None:
        """Let `run()` return at the end of this turn, without the shutdown event and without closing anything.

        The reactor may be run again.
        """
        self._run.crash()

    def iterate(self, delay: float = 0.0) -> None:
        """Make one turn of the loop, waiting at most `delay` seconds for events.

        For tests, and for programs with a loop of their own.
        """
        self._run.iterate(self, checkDelay(delay, "iterate", "delay"))

    def close(self) -> None:
        """Give this reactor's descriptors back to the system. It cannot be used afterwards. RuntimeError while it runs.

        For programs that make reactors of their own; what nobody refers to any more is closed by itself.
        """
        if self._run.state is not RunState.STOPPED:
            raise RuntimeError(f"close(): {self!r} is {self._run.state.value}; stop() it first")
        self._loop.closing = True
        self._disconnectAll()
        if self._reserve is not None:
            self._reserve.give()
        self._run.over = True
        self._closed(None)
        self._loop.close()

    def _closed(self, done: Callable[[], object] | None) -> None:
        if self._ownResolver is not None:
            self._ownResolver.close()
        self._endThreads(done)

    def _disconnectAll(self) -> None:
        if self._loop.poller.inFork:
            return
        # In rounds: a program that is told of the loss may connect again at once, as the guide's example does.
        poller = self._loop.poller
        for _ in range(_ROUNDS):
            open_ = [watch for watch in poller.watches.values() if not watch.internal()]
            if not open_ and not self._pending:
                return
            for connector in list(self._pending):
                inside(connector.context, connector.shutDown)
            for watch in open_:
                if poller.watches.get(watch.fd) is watch:
                    inside(watch.context, watch.disconnect, Failure(ConnectionLost("the reactor stopped")))
            # Those who were told may have something to finish in the next turn, which does not come.
            self._loop.runCalls()

    # Triggers.

    def callWhenRunning(self, f: Callable[..., object], /, *args: Any, **kw: Any) -> TriggerHandle | None:
        """Call `f(*args, **kw)` now if the reactor is `running`, else when it has started; the handle is None in the
        first case.
        """
        if self.running:
            f(*args, **kw)
            return None
        return self.addSystemEventTrigger("after", "startup", f, *args, **kw)

    def addSystemEventTrigger(
        self, phase: str, eventType: str, f: Callable[..., object], /, *args: Any, **kw: Any
    ) -> TriggerHandle:
        """Call `f(*args, **kw)` once, at the next `eventType`.

        :param phase: "before", "during" or "after". "during" waits for the Deferreds that "before" triggers return.
        :param eventType: "startup", "shutdown", or a name of the program's own, see `fireSystemEvent`.
        :return: what `removeSystemEventTrigger` takes.
        :raises KeyError: for another phase.
        """
        return self._run.triggers.add(phase, eventType, f, args, kw)

    def removeSystemEventTrigger(self, triggerID: TriggerHandle) -> None:
        """Take a trigger back. ValueError when it was called or removed before, TypeError when it is none."""
        self._run.triggers.remove(triggerID)

    def fireSystemEvent(self, eventType: str) -> None:
        """Call the triggers of `eventType`. "startup" and "shutdown" are fired by `run` and `stop`; firing "shutdown"
        closes what is open and ends the run, as after `stop`.
        """
        if eventType == "shutdown":
            self._run.shutDown()
        else:
            self._run.triggers.fire(eventType)

    # Time.

    def seconds(self) -> float:
        """The time in seconds on this reactor's clock, which is monotonic and no time of day."""
        return monotonic()

    def callLater(self, delay: float, f: Callable[..., object], /, *args: Any, **kw: Any) -> DelayedCall:
        """Call `f(*args, **kw)` when `delay` seconds have passed, in the context variables of now.

        ValueError for a delay that is negative or nan, TypeError for one that is no number and for an `f` that
        cannot be called.
        """
        return self._loop.timers.callLater(delay, f, *args, **kw)

    def getDelayedCalls(self) -> list[DelayedCall]:
        """Every call that is still to come."""
        return self._loop.timers.calls()

    # Threads.

    def callFromThread(self, f: Callable[..., object], /, *args: Any, **kw: Any) -> None:
        """Call `f(*args, **kw)` in this reactor's thread, in the context variables of now, soon.

        The one method that any thread, and a signal handler, may call.
        """
        if not callable(f):
            raise TypeError(f"callFromThread(): {f!r} is not callable")
        self._loop.callFromThread(f, args, kw)

    # Descriptors of others.

    def addReader(self, reader: Any) -> None:
        """Call `reader.doRead()` whenever its `fileno()` is readable.

        ValueError when it has no descriptor, or one that is watched for somebody else.
        """
        self._descriptors.add(reader, READ)

    def addWriter(self, writer: Any) -> None:
        """Call `writer.doWrite()` whenever its `fileno()` is writable. ValueError as `addReader`."""
        self._descriptors.add(writer, WRITE)

    def removeReader(self, reader: Any) -> None:
        """No longer call `doRead`. Nothing when it was not added."""
        self._descriptors.remove(reader, READ)

    def removeWriter(self, writer: Any) -> None:
        """No longer call `doWrite`. Nothing when it was not added."""
        self._descriptors.remove(writer, WRITE)

    def removeAll(self) -> list[Any]:
        """Forget every descriptor but the reactor's own, ports and connections included, and return whose they were.

        Nothing is closed.
        """
        return self._descriptors.removeAll()

    def getReaders(self) -> list[Any]:
        """What is watched for reading: what `addReader` was given, ports and transports."""
        return self._descriptors.watched(READ)

    def getWriters(self) -> list[Any]:
        """What is watched for writing."""
        return self._descriptors.watched(WRITE)

    # TCP.

    def connectTCP(
        self,
        host: str,
        port: int | str,
        factory: Any,
        timeout: float | None = 30,
        bindAddress: tuple[str, int] | str | None = None,
        *,
        attemptDelay: float | None = None,
        addressTypes: Sequence[type] | None = None,
    ) -> Connector:
        """Connect to a TCP server. What becomes of it is told to `factory`, a `ClientFactory`, and never before this
        returns.

        :param host: a name or an IPv4 or IPv6 address, "" for this machine. A name's addresses are all tried, as RFC
            8305 says.
        :param port: 0 to 65535, or the name of a service.
        :param timeout: seconds until the attempt fails with TimeoutError, the look-up of the name included; None or 0:
            as long as the system tries.
        :param bindAddress: the local address to connect from, (host, port) or a host. Only addresses of its family are
            tried then.
        :param attemptDelay: seconds until the next address is tried while none has answered; None: 0.25.
        :param addressTypes: which addresses to try, classes of `reactor.address`; None: all.
        :raises ValueError: for a port out of range. TypeError: for a host or a port that is none.
        """
        place = checkedDestination(
            self._loop,
            self._askResolver,
            "connectTCP",
            host,
            port,
            timeout,
            bindAddress,
            attemptDelay=attemptDelay,
            addressTypes=addressTypes,
        )
        return self._connect(place, factory, timeout)

    def _connect(self, destination: Any, factory: Any, timeout: float | None) -> Connector:
        connector = Connector(self._loop, self._pending, destination, factory, timeout)
        connector.connect()
        return connector

    def listenTCP(
        self, port: int, factory: Any, backlog: int = 50, interface: str = "", *, reusePort: bool = False
    ) -> Port:
        """Listen for TCP clients; `factory.buildProtocol(address)` is called for each.

        :param port: 0 to 65535; 0: one that is free, see `getHost()` of what is returned.
        :param backlog: how many clients the system lets wait to be accepted.
        :param interface: the local address to listen on; "" is every IPv4 address of the machine, "::" every one, IPv4
            and IPv6.
        :param reusePort: share the port with other processes of this user that say so too; each new client is given to
            one of them (SO_REUSEPORT, see socket(7)). ValueError where the system cannot.
        :raises CannotListenError: when the system refuses. ValueError, TypeError: for a port or backlog that is none.
        """
        return self._listen(checkedListener(self._loop, "listenTCP", port, backlog, interface, reusePort), factory)

    def adoptStreamPort(self, fileDescriptor: int, addressFamily: int, factory: Any) -> Port:
        """Listen on a socket that listens already, of another process perhaps. The descriptor is duplicated: closing
        the original stays the caller's business.

        :param addressFamily: `socket.AF_INET`, `socket.AF_INET6` or `socket.AF_UNIX`.
        :raises UnsupportedAddressFamily: for another one. UnsupportedSocketType: for a socket that is not for streams.
        """
        if addressFamily == AF_UNIX:
            return self._adoptUNIXPort(fileDescriptor, factory)
        sock = adopt("adoptStreamPort", fileDescriptor, addressFamily)
        try:
            sockaddr = sock.getsockname()
            listener = TCPListener(self._loop, sockaddr[1], sockaddr[0], 0, sock)
            return self._listen(listener, factory)
        except BaseException:
            sock.close()
            raise

    def adoptStreamConnection(self, fileDescriptor: int, addressFamily: int, factory: Any) -> StreamTransport | None:
        """Take over a connected socket; `factory.buildProtocol` is asked for its protocol. The descriptor is
        duplicated, as in `adoptStreamPort`.

        :return: the transport; None when the factory did not want the connection, which is then closed.
        """
        if addressFamily == AF_UNIX:
            return self._adoptUNIXConnection(fileDescriptor, factory)
        sock = adopt("adoptStreamConnection", fileDescriptor, addressFamily)
        return adoptConnection(TCPListener(self._loop, 0, "", 0), sock, factory)

    def _listen(self, listener: Any, factory: Any) -> Port:
        port = Port(self._loop, self._reserved(), listener, factory)
        port.startListening()
        return port

    def _reserved(self) -> Reserve:
        if self._reserve is None:
            self._reserve = Reserve()
        return self._reserve

    # Names.

    @property
    def nameResolver(self) -> Any:
        """The resolver that is asked for the addresses of names (`IHostnameResolver`)."""
        return self._resolver()

    def installNameResolver(self, resolver: Any) -> Any:
        """Ask `resolver` (`IHostnameResolver`) from now on; returns the one that was asked before."""
        before = self._resolver()
        self._nameResolver = resolver
        return before

    def installResolver(self, resolver: Any) -> Any:
        """Ask `resolver` (`IResolverSimple`: `getHostByName` only) from now on; returns the one asked before."""
        before = self._resolver()
        self._nameResolver = SimpleResolver(resolver)
        return before.simple if isinstance(before, SimpleResolver) else before

    def resolve(self, name: str, timeout: Sequence[int] = (1, 3, 11, 45)) -> Deferred[str]:
        """The first IPv4 address of `name`, as a Deferred of text like '192.0.2.1'; of IPv6 if it has no other. An
        address stands for itself.

        :param timeout: seconds; their sum is when it fails.
        :return: fails with DNSLookupError.
        """
        if not isinstance(name, str):
            raise TypeError(f"resolve(): name must be a str, not {name!r}")
        if literal(name, 0) is not None:
            return succeed(name)
        return firstAddress(self._loop, self._resolver(), name, sum(timeout))

    def _resolver(self) -> Any:
        if self._nameResolver is None:
            self._nameResolver = self._ownResolver = _Names(self._loop)
        return self._nameResolver

    def __repr__(self) -> str:
        return f"<Reactor {self._run.state.value} at {id(self):#x}>"


#: The same, as programs call it that derive from it or ask whether something is a reactor.
ReactorBase = Reactor
