"""What can go wrong, by who is to blame, and what was known when it did.

Names, hierarchy and positional arguments are those of Twisted's ``twisted.internet.error``. Every error of the
network is a `NetworkError`: which host and port, in which phase, after how long, with which errno and what else was
tried are attributes that are always there, and arguments by keyword. ``str(e)`` is one line that names those that are
known. Each can be copied and pickled.
"""

from __future__ import annotations

import errno as _errno

from reactor._ground.facts import NetworkError as NetworkError
from reactor._ground.facts import Said as _Said
from reactor._ground.facts import hostAndPort as _hostAndPort
from reactor._ground.facts import oneLine as _oneLine
from reactor._ground.facts import place as _place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Unpack

    from reactor._ground.facts import Circumstances as _Circumstances
    from reactor._ground.facts import Facts, Phase

# ---- Connecting failed ----


class ConnectError(NetworkError):
    """No connection came about. The classes below say why where the system's reason has a class of its own.

    Not for a connection that was made and then broke: that is `ConnectionClosed`.

    :param osError: errno; a text in this place is taken for `string`.
    :param string: free text, mostly the system's.
    """

    headline = "Connection failed"
    phase: Phase | None = "connect"

    def __init__(self, osError: int | str | None = None, string: object = "", **facts: Unpack[_Circumstances]) -> None:
        if isinstance(osError, str):
            osError, string = None, string or osError
        NetworkError.__init__(self, string, **facts)
        if osError is not None:
            self.osError = osError


class ConnectBindError(ConnectError):
    """This end could not be set up: no socket could be made, or not be bound to `bindAddress`. The peer was not
    asked.
    """

    headline = "Could not set up the local end"


class UnknownHostError(ConnectError):
    """``getaddrinfo`` failed, as `getConnectError` sees it. The reactor's own resolver says `DNSLookupError`."""

    headline = "Host name could not be looked up"
    phase: Phase | None = "resolve"


class DNSLookupError(ConnectError, OSError):
    """The host name has no address, or none could be found out in time. No address was tried.

    Is an `OSError` as in Twisted, and a `ConnectError` besides, so that one ``except`` catches whatever a connect may
    end in.
    """

    headline = "Host name could not be resolved"
    phase: Phase | None = "resolve"


class NoRouteError(ConnectError):
    """The network cannot be reached (ENETUNREACH). A host that cannot be reached (EHOSTUNREACH) is a plain
    `ConnectError`.
    """

    headline = "Network is unreachable"


class ConnectionRefusedError(ConnectError):
    """The host answered that nobody listens there (ECONNREFUSED). Not the builtin of the same name, and no subclass
    of it.
    """

    headline = "Connection refused"


class TCPTimedOutError(ConnectError):
    """The system gave up (ETIMEDOUT). When our own time limit ends the attempt first, it is `TimeoutError`."""

    headline = "Connection timed out in the system"


class BadFileError(ConnectError):
    """What stands at the path of a UNIX socket cannot be connected to."""

    headline = "File of the UNIX socket cannot be used"


class ServiceNameUnknownError(ConnectError):
    """The service name given in place of a port number is not known to the system."""

    headline = "Service name is unknown"
    phase: Phase | None = "resolve"


class UserError(ConnectError):
    """The program stopped the attempt: `stopConnecting` or `disconnect` before the connection was made."""

    headline = "Connecting was stopped by the program"


class TimeoutError(UserError):
    """The time limit given to the connect (or of the TLS handshake) ended the attempt. Not the builtin of the same
    name.
    """

    headline = "Time limit for connecting reached"


class SSLError(ConnectError):
    """TLS failed otherwise than by a certificate: no common version, a broken record, a peer that speaks no TLS."""

    headline = "TLS failed"
    phase: Phase | None = "handshake"


class ConnectingCancelledError(NetworkError):
    """The Deferred of an endpoint's `connect` was cancelled. A stopped `Connector` gives `UserError` instead.

    :param address: the address object that was being connected to, kept as attribute `address`.
    """

    headline = "Connecting was cancelled"
    phase: Phase | None = "connect"

    def __init__(self, address: object, **facts: Unpack[Facts]) -> None:
        NetworkError.__init__(self, address)
        self.address = address
        self.host, self.port = _hostAndPort(address)
        self._learn(facts)

    def _said(self) -> str:
        if self.host is None:
            return f"{self.headline}: {_oneLine(self.address)}"
        return self.headline


class VerifyError(NetworkError):
    """The peer could not be shown to be who it should be."""

    headline = "Verification failed"
    phase: Phase | None = "handshake"


class PeerVerifyError(VerifyError):
    """The peer's certificate was not accepted."""

    headline = "Peer could not be verified"


class CertificateError(NetworkError):
    """A certificate does not fit: wrong host name, expired, or not to be trusted."""

    headline = "Certificate was not accepted"
    phase: Phase | None = "handshake"


def getConnectError(exception: BaseException | tuple[int, str], **facts: Unpack[_Circumstances]) -> NetworkError:
    """The error to report when connecting ended in `exception`.

    :param exception: an `OSError` (``socket.gaierror`` included), ``(errno, text)``, or any other exception, whose
        text is then kept. An error of ours is returned itself, with those of the facts that it lacked.
    :param facts: what else is known, see `NetworkError`.
    :return: `ConnectionRefusedError`, `NoRouteError`, `TCPTimedOutError`, `UnknownHostError`, or for any other errno
        `ConnectError`. Not raised.
    """
    if isinstance(exception, NetworkError):
        lacking = {name: value for name, value in facts.items() if name not in exception.__dict__}
        exception._learn(lacking)
        return exception
    if isinstance(exception, tuple):
        number, text = exception
    elif isinstance(exception, OSError) and exception.errno is not None:
        number, text = exception.errno, exception.strerror or ""
    else:
        return ConnectError(None, str(exception) or type(exception).__name__, **facts)
    # getaddrinfo's codes are negative on Linux and would collide with errno elsewhere, so the class decides.
    isLookup = type(exception).__name__ in ("gaierror", "herror")
    return (UnknownHostError if isLookup else errnoMapping.get(number, ConnectError))(number, text, **facts)


#: errno -> the class that `getConnectError` makes of it; `ConnectError` for all others.
errnoMapping: dict[int, type[ConnectError]] = {
    _errno.ENETUNREACH: NoRouteError,
    _errno.ECONNREFUSED: ConnectionRefusedError,
    _errno.ETIMEDOUT: TCPTimedOutError,
}


# ---- A connection ended ----


class ConnectionClosed(NetworkError):
    """An established connection is no more; one of the classes below."""

    headline = "Connection closed"
    phase: Phase | None = "established"


class ConnectionDone(ConnectionClosed):
    """Closed in good order by either end: all that the peer sent before has been delivered.

    Whether the peer has read what was sent last nobody can know but by an answer. A peer that closes while it is
    still being written to gives this as well.
    """

    headline = "Connection closed cleanly"


class ConnectionLost(ConnectionClosed):
    """Broken off: reset by the peer, timed out in the network, TLS cut short, or still open when the reactor stopped.
    Data may be missing.
    """

    headline = "Connection lost"


class ConnectionAborted(ConnectionLost):
    """This end called `abortConnection`."""

    headline = "Connection aborted by this end"


class WriteBufferFull(ConnectionLost):
    """This end aborted the connection since the peer read too slowly for what was written. Not in Twisted.

    :param limit: the transport's `writeBufferLimit`, in bytes.
    :param buffered: how many bytes waited to be sent when the limit was passed.
    """

    headline = "Connection aborted by this end, its write buffer is full"

    def __init__(self, limit: int, buffered: int, **facts: Unpack[Facts]) -> None:
        NetworkError.__init__(self, limit, buffered, **facts)
        self.limit = limit
        self.buffered = buffered

    def _said(self) -> str:
        return f"{self.headline}: {self.buffered} bytes wait to be sent, {self.limit} are allowed"


class FileDescriptorOverrun(ConnectionLost):
    """A UNIX connection was closed since more file descriptors were to be sent than bytes to send them with."""

    headline = "Connection closed, too many file descriptors for the bytes sent with them"


class ConnectionFdescWentAway(ConnectionLost):
    """The file descriptor of the connection was closed behind its back."""

    headline = "Connection lost, its file descriptor was closed elsewhere"


class ProcessDone(ConnectionDone):
    """A child process ended with exit code 0. `exitCode` is 0, `signal` None, `status` what ``waitpid`` said."""

    headline = "Process ended"
    phase: Phase | None = None

    def __init__(self, status: int | None, **facts: Unpack[Facts]) -> None:
        NetworkError.__init__(self, "process finished with exit code 0", **facts)
        self.exitCode = 0
        self.signal: int | None = None
        self.status = status

    def _said(self) -> str:
        return f"{self.headline} with exit code 0"


class ProcessTerminated(ConnectionLost):
    """A child process ended with another exit code than 0, or by a signal.

    :param exitCode: its exit code, or None if a signal ended it.
    :param signal: the number of the signal that ended it, or None.
    :param status: what ``waitpid`` said.
    """

    headline = "Process ended"
    phase: Phase | None = None

    def __init__(
        self, exitCode: int | None = None, signal: int | None = None, status: int | None = None, **facts: Unpack[Facts]
    ) -> None:
        self.exitCode = exitCode
        self.signal = signal
        self.status = status
        NetworkError.__init__(self, "process ended" + self._how(), **facts)

    def _how(self) -> str:
        code = "" if self.exitCode is None else f" with exit code {self.exitCode}"
        return code if self.signal is None else f"{code} by signal {self.signal}"

    def _said(self) -> str:
        return self.headline + self._how()


# ---- Listening ----


class BindError(NetworkError):
    """A socket could not be bound."""

    headline = "Could not bind"
    phase: Phase | None = "listen"


class CannotListenError(BindError):
    """Nobody can listen there: the address is in use, not of this host, or not allowed. Nothing is left open.

    :param interface: the address asked for, ``""`` for all.
    :param port: the port number, or the path of a UNIX socket.
    :param socketError: the exception that the system's refusal was raised as.
    """

    headline = "Could not listen"
    port: Any

    def __init__(
        self, interface: str | None, port: int | str | bytes, socketError: BaseException, **facts: Any
    ) -> None:
        NetworkError.__init__(self, interface, port, socketError)
        self.interface = interface
        self.port = port
        self.socketError = socketError
        self.host = port if isinstance(port, str | bytes) else interface or ""
        self.osError = getattr(socketError, "errno", None)
        self._learn(facts)

    def __str__(self) -> str:
        isPath = isinstance(self.port, str | bytes)
        place = _place(self.host or "*", None if isPath else self.port)
        why = getattr(self.socketError, "strerror", None) or self.socketError
        return f"{self.headline} on {place}: {_oneLine(why)}{self._details()}"


# ---- Datagrams ----


class MessageLengthError(_Said, Exception):
    """A datagram is longer than the network takes; nothing of it was sent."""

    headline = "Message is too long to send"


class MulticastJoinError(_Said, Exception):
    """A multicast group could not be joined or left."""

    headline = "Multicast group could not be joined or left"


# ---- The caller asked for something that cannot be ----


class InvalidAddressError(_Said, ValueError):
    """`address` is not what is wanted there, mostly a name where an address literal belongs; `message` says what is."""

    headline = "Invalid address"

    def __init__(self, address: object, message: str) -> None:
        ValueError.__init__(self, address, message)
        self.address = address
        self.message = message

    def _said(self) -> str:
        return f"{self.headline} {_oneLine(repr(self.address))}: {_oneLine(self.message)}"


class UnsupportedAddressFamily(_Said, Exception):
    """An adopted socket is of a family that cannot be used so."""

    headline = "Address family is not supported"


class UnsupportedSocketType(_Said, Exception):
    """An adopted socket is not of the type (stream, datagram) that is wanted."""

    headline = "Socket type is not supported"


class AlreadyCalled(_Said, ValueError):
    """A delayed call was cancelled or moved after (or while) it ran."""

    headline = "The delayed call has already been called"


class AlreadyCancelled(_Said, ValueError):
    """A delayed call was cancelled or moved after it had been cancelled."""

    headline = "The delayed call has already been cancelled"


class AlreadyConnected(_Said, RuntimeError):
    """What is connected cannot be connected once more. Not in Twisted, which raises a plain `RuntimeError`."""

    headline = "Already connected"


class AlreadyListened(_Said, Exception):
    """A port that can be listened on once only was listened on before."""

    headline = "Has already been listened on"


class ConnectInProgressError(_Said, Exception):
    """A datagram port was asked to connect while it is connecting."""

    headline = "Is already connecting"


class NotConnectingError(_Said, RuntimeError):
    """`stopConnecting` was called on a connector that is not connecting: never begun, failed, stopped or connected."""

    headline = "The connector is not connecting"


class NotListeningError(_Said, RuntimeError):
    """A port was asked to stop listening that does not listen."""

    headline = "The port is not listening"


class NoProtocol(_Said, Exception):
    """An endpoint's factory made no protocol for the connection (`buildProtocol` returned None)."""

    headline = "The factory built no protocol"


class ProcessExitedAlready(_Said, Exception):
    """A signal was to be sent to a child process that has ended."""

    headline = "The process has ended already"


class ReactorNotRunning(_Said, RuntimeError):
    """The reactor does not run, or has been stopped already, and was asked for what only a running one can do."""

    headline = "The reactor is not running"


class ReactorAlreadyRunning(_Said, RuntimeError):
    """`run` was called while the reactor runs."""

    headline = "The reactor is already running"


class ReactorNotRestartable(_Said, RuntimeError):
    """A reactor that has run was run again. Ours can be, and never raises it; the name is here for programs that
    catch it.
    """

    headline = "The reactor cannot be run again"


class ReactorAlreadyInstalledError(_Said, AssertionError):
    """A default reactor was to be installed where there is one."""

    headline = "A reactor is already installed"
