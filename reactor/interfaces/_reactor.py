"""What a reactor offers, a group of methods each, and what it is given to watch."""

from __future__ import annotations

from zope.interface import Attribute, Interface

from reactor.interfaces._stream import ILoggingContext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from reactor.defer import Deferred
    from reactor.failure import Failure
    from reactor.interfaces._process import IProcessProtocol, IProcessTransport
    from reactor.interfaces._resolve import IHostnameResolver, IResolverSimple
    from reactor.interfaces._stream import IConnector, IListeningPort, IProtocolFactory


class IReactorCore(Interface):
    """Running and stopping."""

    running = Attribute(
        "Whether the reactor runs, a bool; true from the startup triggers to the end of the shutdown ones."
    )

    def resolve(name: str, timeout: Sequence[int] = (1, 3, 11, 45)) -> Deferred[str]:
        """The first IPv4 address of `name`. The Deferred fails with `DNSLookupError`, or after the sum of `timeout`
        seconds with it too.
        """

    def run(installSignalHandlers: bool = True) -> None:
        """Serve events until `stop`; unless told not to, SIGINT and SIGTERM mean `stop`. `ReactorAlreadyRunning` if
        it runs already.
        """

    def stop() -> None:
        """Fire the shutdown triggers, then let `run` return. `ReactorNotRunning` unless it runs, or when it has been
        stopped.
        """

    def crash() -> None:
        """Let `run` return after this turn, without shutdown triggers."""

    def iterate(delay: float = 0) -> None:
        """One turn of the loop: wait at most `delay` seconds for events and serve them."""

    def fireSystemEvent(eventType: str) -> None:
        """Run the triggers of `eventType`, as the reactor does for ``"startup"`` and ``"shutdown"``."""

    def addSystemEventTrigger(
        phase: str, eventType: str, callable: Callable[..., Any], /, *args: object, **kwargs: object
    ) -> Any:
        """Call `callable` in `phase` (``"before"``, ``"during"``, ``"after"``) of the event; what a call before
        returns as a Deferred is awaited.

        The result is for `removeSystemEventTrigger`.
        """

    def removeSystemEventTrigger(triggerID: Any) -> None:
        """Undo `addSystemEventTrigger`. ValueError, KeyError or TypeError if there is no such trigger."""

    def callWhenRunning(callable: Callable[..., Any], /, *args: object, **kwargs: object) -> Any:
        """Call `callable` at startup, or now if the reactor runs. At startup the result is for
        `removeSystemEventTrigger`, else None.
        """


class IReactorTime(Interface):
    """Calls at a later time. The clock is monotonic: setting the system's clock moves nothing."""

    def seconds() -> float:
        """The clock, in seconds from an arbitrary origin."""

    def callLater(delay: float, callable: Callable[..., Any], /, *args: object, **kwargs: object) -> IDelayedCall:
        """Call `callable` in `delay` seconds, 0 or more, not before the next turn. ValueError if it is negative or no
        number.
        """

    def getDelayedCalls() -> Sequence[IDelayedCall]:
        """All calls that are yet to come, in no order."""


class IDelayedCall(Interface):
    """A call that is yet to come, or was. All but `getTime` and `active` raise `AlreadyCalled` or `AlreadyCancelled`
    once it is not to come.
    """

    def getTime() -> float:
        """When it is due, on the clock of `IReactorTime.seconds`."""

    def cancel() -> None:
        """Do not call."""

    def delay(secondsLater: float) -> None:
        """Call so many seconds later than planned; earlier if negative."""

    def reset(secondsFromNow: float) -> None:
        """Call so many seconds from now."""

    def active() -> bool:
        """Whether it is yet to come; false already inside the call."""


class IReactorTCP(Interface):
    """Streams over TCP."""

    def listenTCP(port: int, factory: IProtocolFactory, backlog: int = 50, interface: str = "") -> IListeningPort:
        """Accept connections on `port` (0: any free one) of `interface` (an address literal; empty: all of IPv4).

        `CannotListenError` if the system refuses; ValueError or TypeError if `port` is no port.
        """

    def connectTCP(
        host: str,
        port: int,
        factory: IProtocolFactory,
        timeout: float = 30,
        bindAddress: tuple[str, int] | None = None,
    ) -> IConnector:
        """Connect to `host` (a name or literal) within `timeout` seconds. ValueError or TypeError if `port` is no
        port.

        All else that goes wrong is told to the factory, later.
        """


class IReactorSSL(Interface):
    """Streams over TLS. As `IReactorTCP`, with what makes the TLS context."""

    def connectSSL(
        host: str,
        port: int,
        factory: IProtocolFactory,
        contextFactory: Any,
        timeout: float = 30,
        bindAddress: tuple[str, int] | None = None,
    ) -> IConnector:
        """Connect to `host` and verify that it is `host`."""

    def listenSSL(
        port: int, factory: IProtocolFactory, contextFactory: Any, backlog: int = 50, interface: str = ""
    ) -> IListeningPort:
        """Accept connections that begin with a TLS handshake."""


class IReactorUNIX(Interface):
    """Streams over UNIX sockets."""

    def connectUNIX(
        address: str | bytes, factory: IProtocolFactory, timeout: float = 30, checkPID: bool = False
    ) -> IConnector:
        """Connect to the socket at path `address`; with `checkPID` only if the process that listens holds its lock."""

    def listenUNIX(
        address: str | bytes, factory: IProtocolFactory, backlog: int = 50, mode: int = 0o600, wantPID: bool = False
    ) -> IListeningPort:
        """Listen at path `address`, made with permissions `mode`; with `wantPID` holding a lock beside it.
        `CannotListenError`.
        """


class IReactorUNIXDatagram(Interface):
    """Datagrams over UNIX sockets."""

    def connectUNIXDatagram(
        address: str | bytes,
        protocol: Any,
        maxPacketSize: int = 8192,
        mode: int = 0o600,
        bindAddress: str | bytes | None = None,
    ) -> IListeningPort:
        """A datagram socket that sends to path `address`, itself at `bindAddress` if that is given."""

    def listenUNIXDatagram(
        address: str | bytes, protocol: Any, maxPacketSize: int = 8192, mode: int = 0o600
    ) -> IListeningPort:
        """Receive datagrams at path `address`, each cut at `maxPacketSize` bytes."""


class IReactorUDP(Interface):
    """Datagrams over UDP."""

    def listenUDP(port: int, protocol: Any, interface: str = "", maxPacketSize: int = 8192) -> IListeningPort:
        """Receive datagrams on `port` (0: any free one), each cut at `maxPacketSize` bytes. `CannotListenError`."""


class IReactorMulticast(Interface):
    """Datagrams over UDP to groups of hosts."""

    def listenMulticast(
        port: int, protocol: Any, interface: str = "", maxPacketSize: int = 8192, listenMultiple: bool = False
    ) -> IListeningPort:
        """As `IReactorUDP.listenUDP`, with `IMulticastTransport`; `listenMultiple` lets other sockets listen there
        too.
        """


class IReactorSocket(Interface):
    """Sockets that somebody else has made. Each is duplicated: the caller's stays the caller's to close."""

    def adoptStreamPort(fileDescriptor: int, addressFamily: int, factory: IProtocolFactory) -> IListeningPort:
        """Accept connections on a socket that is bound and listens. `UnsupportedAddressFamily`,
        `UnsupportedSocketType`.
        """

    def adoptStreamConnection(fileDescriptor: int, addressFamily: int, factory: IProtocolFactory) -> Any:
        """Use a socket that is connected, with a protocol that `factory` builds; the result is the transport."""

    def adoptDatagramPort(
        fileDescriptor: int, addressFamily: int, protocol: Any, maxPacketSize: int = 8192
    ) -> IListeningPort:
        """Receive datagrams on a socket that is bound."""


class IReactorProcess(Interface):
    """Child processes."""

    def spawnProcess(
        processProtocol: IProcessProtocol,
        executable: str | bytes,
        args: Sequence[str | bytes] = (),
        env: Mapping[str, str] | Mapping[bytes, bytes] | None = {},
        path: str | bytes | None = None,
        uid: int | None = None,
        gid: int | None = None,
        usePTY: bool = False,
        childFDs: Mapping[int, int | str] | None = None,
    ) -> IProcessTransport:
        """Run `executable` with `args` (the program's name included), in directory `path`, as user `uid` and group
        `gid`.

        `env` is its environment, empty by default, None for this process's. `childFDs` maps the child's descriptors
        to ``"r"`` (this end reads), ``"w"`` or to a descriptor of this process; all others are closed. OSError if
        `executable` cannot be run.
        """


class IReactorFromThreads(Interface):
    """The one way into the reactor for other threads."""

    def callFromThread(callable: Callable[..., Any], /, *args: object, **kwargs: object) -> None:
        """Call `callable` in the reactor's thread, soon, in order of these calls. From any thread, and from signal
        handlers.
        """


class IReactorInThreads(Interface):
    """Work that would block, in other threads."""

    def callInThread(callable: Callable[..., Any], /, *args: object, **kwargs: object) -> None:
        """Call `callable` in a thread of the pool. What it raises is logged."""


class IReactorThreads(IReactorFromThreads, IReactorInThreads):
    """Threads, both ways."""

    def getThreadPool() -> Any:
        """The pool that `callInThread` uses, made on first use."""

    def suggestThreadPoolSize(size: int) -> None:
        """Let the pool grow to `size` threads."""


class IReactorPluggableResolver(Interface):
    """A reactor whose resolver of names can be replaced, in the older form."""

    def installResolver(resolver: IResolverSimple) -> IResolverSimple:
        """Use `resolver` from now on; the one before is returned."""


class IReactorPluggableNameResolver(Interface):
    """A reactor whose resolver of names can be replaced."""

    nameResolver = Attribute("The resolver in use, an `IHostnameResolver`.")

    def installNameResolver(resolver: IHostnameResolver) -> IHostnameResolver:
        """Use `resolver` from now on; the one before is returned."""


class IReactorFDSet(Interface):
    """File descriptors of others, watched by the reactor. ValueError for one whose `fileno` is negative."""

    def addReader(reader: IReadDescriptor) -> None:
        """Call `reader.doRead` whenever it is readable."""

    def addWriter(writer: IWriteDescriptor) -> None:
        """Call `writer.doWrite` whenever it is writable."""

    def removeReader(reader: IReadDescriptor) -> None:
        """Undo `addReader`; nothing if it was not added."""

    def removeWriter(writer: IWriteDescriptor) -> None:
        """Undo `addWriter`; nothing if it was not added."""

    def removeAll() -> Sequence[IReadDescriptor | IWriteDescriptor]:
        """Undo all of them; those that were added are returned."""

    def getReaders() -> Sequence[IReadDescriptor]:
        """Those that were added as readers."""

    def getWriters() -> Sequence[IWriteDescriptor]:
        """Those that were added as writers."""


# ---- What can be watched ----


class ISystemHandle(Interface):
    """Something that wraps an object of the system's."""

    def getHandle() -> Any:
        """That object, a socket mostly."""


class IFileDescriptor(ILoggingContext):
    """Something with a file descriptor that a reactor can watch."""

    def fileno() -> int:
        """Its number; -1 when it is closed, then it is no longer watched."""

    def connectionLost(reason: Failure) -> None:
        """The descriptor cannot be used any longer: it failed, or the reactor stops."""


class IReadDescriptor(IFileDescriptor):
    """A descriptor that is read from."""

    def doRead() -> Failure | Exception | None:
        """It is readable. An exception or Failure that is returned (or raised) ends the watching and goes to
        `connectionLost`.
        """


class IWriteDescriptor(IFileDescriptor):
    """A descriptor that is written to."""

    def doWrite() -> Failure | Exception | None:
        """It is writable. An exception or Failure that is returned (or raised) ends the watching and goes to
        `connectionLost`.
        """


class IReadWriteDescriptor(IReadDescriptor, IWriteDescriptor):
    """A descriptor that is read from and written to."""


class IHalfCloseableDescriptor(Interface):
    """A descriptor whose directions end one by one."""

    def readConnectionLost(reason: Failure) -> None:
        """The peer will send no more."""

    def writeConnectionLost(reason: Failure) -> None:
        """Nothing can be sent any more."""
