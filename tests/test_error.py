"""reactor.error: the hierarchy, the facts, the one line that says them, copying and pickling."""

from __future__ import annotations

import copy
import errno
import os
import pickle
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor import address, error

# Class -> what it is derived from, as programs for Twisted rely on it.
BASES = {
    "BindError": (Exception,),
    "CannotListenError": (error.BindError,),
    "MulticastJoinError": (Exception,),
    "MessageLengthError": (Exception,),
    "DNSLookupError": (error.ConnectError, OSError),
    "ConnectInProgressError": (Exception,),
    "ConnectError": (Exception,),
    "ConnectBindError": (error.ConnectError,),
    "UnknownHostError": (error.ConnectError,),
    "NoRouteError": (error.ConnectError,),
    "ConnectionRefusedError": (error.ConnectError,),
    "TCPTimedOutError": (error.ConnectError,),
    "BadFileError": (error.ConnectError,),
    "ServiceNameUnknownError": (error.ConnectError,),
    "UserError": (error.ConnectError,),
    "TimeoutError": (error.UserError,),
    "SSLError": (error.ConnectError,),
    "VerifyError": (Exception,),
    "PeerVerifyError": (error.VerifyError,),
    "CertificateError": (Exception,),
    "ConnectionClosed": (Exception,),
    "ConnectionLost": (error.ConnectionClosed,),
    "ConnectionAborted": (error.ConnectionLost,),
    "ConnectionDone": (error.ConnectionClosed,),
    "FileDescriptorOverrun": (error.ConnectionLost,),
    "ConnectionFdescWentAway": (error.ConnectionLost,),
    "AlreadyCalled": (ValueError,),
    "AlreadyCancelled": (ValueError,),
    "ProcessDone": (error.ConnectionDone,),
    "ProcessTerminated": (error.ConnectionLost,),
    "ProcessExitedAlready": (Exception,),
    "NotConnectingError": (RuntimeError,),
    "NotListeningError": (RuntimeError,),
    "ReactorNotRunning": (RuntimeError,),
    "ReactorNotRestartable": (RuntimeError,),
    "ReactorAlreadyRunning": (RuntimeError,),
    "ReactorAlreadyInstalledError": (AssertionError,),
    "ConnectingCancelledError": (Exception,),
    "NoProtocol": (Exception,),
    "UnsupportedAddressFamily": (Exception,),
    "UnsupportedSocketType": (Exception,),
    "AlreadyListened": (Exception,),
    "InvalidAddressError": (ValueError,),
    # Not in Twisted.
    "NetworkError": (Exception,),
    "WriteBufferFull": (error.ConnectionLost,),
    "AlreadyConnected": (RuntimeError,),
}
CLASSES: dict[str, Any] = {
    name: thing
    for name, thing in vars(error).items()
    if isinstance(thing, type) and issubclass(thing, BaseException) and not name.startswith("_")
}
# What a constructor cannot do without.
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "CannotListenError": ("127.0.0.1", 80, OSError(errno.EADDRINUSE, "Address already in use")),
    "ConnectingCancelledError": (address.IPv4Address("TCP", "127.0.0.1", 80),),
    "InvalidAddressError": ("example.com", "not an IP address"),
    "ProcessDone": (0,),
    "WriteBufferFull": (65536, 70000),
}
FACTS: dict[str, Any] = {
    "host": "127.0.0.1",
    "port": 8007,
    "phase": "connect",
    "elapsed": 1.5,
    "attempts": ((address.IPv4Address("TCP", "127.0.0.1", 8007), error.ConnectionRefusedError(111)),),
    "osError": 111,
}
# Only the first three facts of these are not among their own arguments.
WITHOUT_ERRNO = {name for name, cls in CLASSES.items() if issubclass(cls, error.ConnectError)}


def made(name: str, **facts: Any) -> Any:
    return CLASSES[name](*ARGUMENTS.get(name, ()), **facts)


def factsOf(e: error.NetworkError) -> dict[str, Any]:
    return {name: getattr(e, name) for name in FACTS}


NETWORK = [name for name, cls in CLASSES.items() if issubclass(cls, error.NetworkError)]


def test_everyClassIsInTheTable() -> None:
    assert CLASSES.keys() == BASES.keys()


@pytest.mark.parametrize("name", BASES)
def test_hierarchy(name: str) -> None:
    for base in BASES[name]:
        assert issubclass(CLASSES[name], base)


def test_closedIsNotFailed() -> None:
    """An except clause for the one must not catch the other."""
    assert not issubclass(error.ConnectionClosed, error.ConnectError)
    assert not issubclass(error.ConnectError, error.ConnectionClosed)
    assert not issubclass(error.ConnectionDone, error.ConnectionLost)
    assert not issubclass(error.TimeoutError, TimeoutError)
    assert not issubclass(error.ConnectionRefusedError, ConnectionRefusedError)


@pytest.mark.parametrize("name", CLASSES)
def test_saysSomethingWithoutArguments(name: str) -> None:
    said = str(made(name))
    assert len(said) > 5
    assert said.isprintable()


@pytest.mark.parametrize("name", NETWORK)
def test_factsAreAlwaysThere(name: str) -> None:
    e = made(name)
    assert e.attempts == ()
    assert e.elapsed is None
    assert e.phase in ("resolve", "connect", "handshake", "established", "listen", None)
    known = factsOf(e)
    assert known.keys() == FACTS.keys()


@pytest.mark.parametrize("name", NETWORK)
def test_factsByKeyword(name: str) -> None:
    wanted = {k: v for k, v in FACTS.items() if k != "osError" or name not in WITHOUT_ERRNO}
    if name == "CannotListenError":
        del wanted["port"]
    e = made(name, **wanted)
    assert {k: factsOf(e)[k] for k in wanted} == wanted
    said = str(e)
    assert "127.0.0.1" in said
    assert "after 1.500 s" in said
    assert said.isprintable()


@pytest.mark.parametrize("name", NETWORK)
def test_unknownFactIsATypeError(name: str) -> None:
    with pytest.raises(TypeError, match="colour"):
        made(name, colour="red")


def test_factsCostNothingWhenNotGiven() -> None:
    assert vars(error.ConnectionDone()) == {}


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])
def test_copiesKeepEverything(name: str, how: Any) -> None:
    facts: dict[str, Any] = {}
    if name in NETWORK:
        facts = {"host": "example.com", "elapsed": 0.25, "attempts": ((("192.0.2.1", 80), "x"),)}
    e = made(name, **facts)
    e.add_note("seen by a test")
    twin = how(e)
    assert type(twin) is type(e)
    assert str(twin) == str(e)
    assert repr(twin) == repr(e)
    assert twin.__notes__ == ["seen by a test"]
    assert vars(twin).keys() == vars(e).keys()
    if name in NETWORK:
        assert factsOf(twin) == factsOf(e)


def test_pickleOfAUsersSubclass() -> None:
    e = pickle.loads(pickle.dumps(Custom("a", "b")))
    assert (e.first, e.second, e.port) == ("a", "b", 7)


class Custom(error.ConnectionLost):
    def __init__(self, first: str, second: str) -> None:
        super().__init__("custom", port=7)
        self.first = first
        self.second = second


# ---- Words ----


@pytest.mark.parametrize(
    ("e", "said"),
    [
        (
            error.ConnectionRefusedError(111, "Connection refused", host="127.0.0.1", port=1, elapsed=0.001),
            "Connection refused: could not connect to 127.0.0.1:1 (errno 111, after 0.001 s)",
        ),
        (
            error.ConnectError(113, "No route to host", host="::1", port=80),
            "Connection failed: could not connect to [::1]:80: No route to host (errno 113)",
        ),
        (error.ConnectError("no luck"), "Connection failed: no luck"),
        (error.ConnectError(None, "no luck"), "Connection failed: no luck"),
        (error.ConnectError(111), "Connection failed (errno 111)"),
        (
            error.TimeoutError(host="h", port=1, elapsed=30.0004),
            "Time limit for connecting reached: could not connect to h:1 (after 30.000 s)",
        ),
        (
            error.TimeoutError(host="h", port=1, phase="handshake", elapsed=60.0),
            "Time limit for connecting reached: TLS handshake with h:1 (after 60.000 s)",
        ),
        (
            error.DNSLookupError("no such name", host="x.invalid", port=80, elapsed=0.5),
            "Host name could not be resolved: could not resolve x.invalid: no such name (after 0.500 s)",
        ),
        (error.UnknownHostError(-2, "Unknown"), "Host name could not be looked up: Unknown (getaddrinfo error -2)"),
        (error.ConnectionDone(), "Connection closed cleanly"),
        (error.ConnectionDone(host="h", port=2, elapsed=3.0), "Connection closed cleanly: h:2 (after 3.000 s)"),
        (error.ConnectionLost("reset", "by peer", osError=104), "Connection lost: reset by peer (errno 104)"),
        (error.ConnectionLost(host="/run/s.sock"), "Connection lost: /run/s.sock"),
        (error.ConnectionLost(host=b"/run/s.sock"), "Connection lost: /run/s.sock"),
        (
            error.WriteBufferFull(65536, 70000, host="h", port=3),
            "Connection aborted by this end, its write buffer is full: h:3: "
            "70000 bytes wait to be sent, 65536 are allowed",
        ),
        (error.CannotListenError("", 80, OSError(98, "in use")), "Could not listen on *:80: in use (errno 98)"),
        (error.CannotListenError("::1", 80, OSError(98, "in use")), "Could not listen on [::1]:80: in use (errno 98)"),
        (error.CannotListenError(None, b"/s", OSError(98, "in use")), "Could not listen on /s: in use (errno 98)"),
        (error.CannotListenError("", 80, ValueError("no")), "Could not listen on *:80: no"),
        (
            error.ConnectingCancelledError(address.IPv6Address("TCP", "::1", 80)),
            "Connecting was cancelled: could not connect to [::1]:80",
        ),
        (
            error.ConnectingCancelledError(address.HostnameAddress(b"example.com", 80)),
            "Connecting was cancelled: could not connect to example.com:80",
        ),
        (
            error.ConnectingCancelledError(address.UNIXAddress("/run/s")),
            "Connecting was cancelled: could not connect to /run/s",
        ),
        (error.ConnectingCancelledError("somewhere"), "Connecting was cancelled: somewhere"),
        (error.ProcessDone(0), "Process ended with exit code 0"),
        (error.ProcessTerminated(), "Process ended"),
        (error.ProcessTerminated(exitCode=3), "Process ended with exit code 3"),
        (error.ProcessTerminated(signal=9, status=9), "Process ended by signal 9"),
        (error.InvalidAddressError("h\n", "a literal is wanted"), "Invalid address 'h\\n': a literal is wanted"),
        (error.AlreadyCalled(), "The delayed call has already been called"),
        (error.ReactorNotRunning("not yet"), "The reactor is not running: not yet"),
        (error.MessageLengthError("message too long"), "Message is too long to send: message too long"),
        (error.NetworkError("a", host="h", port=1), "Network error: h:1: a"),
    ],
)
def test_words(e: BaseException, said: str) -> None:
    assert str(e) == said


def test_severalAttemptsAreToldOneIsNot() -> None:
    refused = error.ConnectionRefusedError(111, "Connection refused", host="192.0.2.1", port=80, elapsed=0.1)
    attempts: list[tuple[object, BaseException]] = [
        (("192.0.2.1", 80), refused),
        (address.IPv6Address("TCP", "2001:db8::1", 80), OSError(errno.ENETUNREACH, "Network is unreachable")),
        ("nowhere", KeyError()),
    ]
    assert "tried" not in str(error.ConnectError(attempts=tuple(attempts[:1])))
    assert str(error.ConnectError(111, host="example.com", port=80, attempts=tuple(attempts))) == (
        "Connection failed: could not connect to example.com:80 (errno 111); tried "
        "192.0.2.1:80: Connection refused (errno 111, after 0.100 s), "
        "[2001:db8::1]:80: Network is unreachable, nowhere: KeyError"
    )


hostile = st.text() | st.binary()


@given(host=hostile, text=hostile, tried=hostile)
def test_oneLineWhateverComesIn(host: Any, text: Any, tried: Any) -> None:
    attempts = ((tried, error.ConnectionLost(text)), ((tried, 1), OSError(text)))
    for e in (
        error.ConnectionLost(text, host=host, port=1, attempts=attempts),
        error.ConnectError(5, text, host=host, port=1, phase="resolve", attempts=attempts),
        error.CannotListenError(host, text, OSError(text)),
        error.InvalidAddressError(host, text),
        error.ConnectingCancelledError(host),
        error.ReactorNotRunning(text),
    ):
        assert str(e).isprintable()


# ---- Constructors take what Twisted's take ----


def test_connectErrorArguments() -> None:
    e = error.ConnectError(111, "boo")
    assert (e.osError, e.args) == (111, ("boo",))
    e = error.ConnectionRefusedError(osError=111, string="boo")
    assert (e.osError, e.args) == (111, ("boo",))
    assert error.TimeoutError().osError is None
    assert error.ConnectError("first", "second").args == ("second",)


def test_cannotListenArguments() -> None:
    why = OSError(errno.EADDRINUSE, "Address already in use")
    e = error.CannotListenError("127.0.0.1", 80, why)
    assert (e.interface, e.port, e.socketError) == ("127.0.0.1", 80, why)
    assert (e.host, e.osError, e.phase) == ("127.0.0.1", errno.EADDRINUSE, "listen")
    assert error.CannotListenError(None, "/run/s", why).host == "/run/s"


def test_processArguments() -> None:
    done = error.ProcessDone(0)
    assert (done.exitCode, done.signal, done.status) == (0, None, 0)
    terminated = error.ProcessTerminated(3, None, 768)
    assert (terminated.exitCode, terminated.signal, terminated.status) == (3, None, 768)


def test_otherArguments() -> None:
    where = address.IPv4Address("TCP", "127.0.0.1", 80)
    cancelled = error.ConnectingCancelledError(where, elapsed=2.0)
    assert (cancelled.address, cancelled.host, cancelled.port, cancelled.elapsed) == (where, "127.0.0.1", 80, 2.0)
    invalid = error.InvalidAddressError("a", "b")
    assert (invalid.address, invalid.message) == ("a", "b")
    full = error.WriteBufferFull(10, 11)
    assert (full.limit, full.buffered) == (10, 11)
    lookup = error.DNSLookupError("address 'x' not found")
    assert lookup.args == ("address 'x' not found",)
    assert error.DNSLookupError(-2, "unknown").osError == -2


# ---- getConnectError ----


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ECONNREFUSED, error.ConnectionRefusedError),  # C1
        (errno.ETIMEDOUT, error.TCPTimedOutError),  # C3
        (errno.ENETUNREACH, error.NoRouteError),  # C4
        (errno.EHOSTUNREACH, error.ConnectError),  # C5
        (errno.EACCES, error.ConnectError),  # C6
        (errno.EINVAL, error.ConnectError),  # C6
        (errno.EADDRNOTAVAIL, error.ConnectError),  # C6
        (errno.ECONNRESET, error.ConnectError),
        (errno.ENOENT, error.ConnectError),
    ],
)
def test_C1_C3_C4_C5_C6_classOfAnErrno(number: int, expected: type[error.ConnectError]) -> None:
    text = os.strerror(number)
    for what in (OSError(number, text), (number, text)):
        e = error.getConnectError(what, host="h", port=1, elapsed=0.5)
        assert type(e) is expected
        assert (e.osError, e.args, e.host, e.port, e.elapsed) == (number, (text,), "h", 1, 0.5)


def test_gaierrorIsAnUnknownHost() -> None:
    e = error.getConnectError(socket.gaierror(socket.EAI_NONAME, "Name or service not known"), host="x.invalid")
    assert type(e) is error.UnknownHostError
    assert (e.osError, e.phase, e.host) == (socket.EAI_NONAME, "resolve", "x.invalid")


def test_otherExceptionsKeepTheirText() -> None:
    e = error.getConnectError(ValueError("boo"))
    assert (type(e), e.osError, e.args) == (error.ConnectError, None, ("boo",))
    assert error.getConnectError(KeyError()).args == ("KeyError",)
    assert error.getConnectError(OSError("no errno")).args == ("no errno",)
    assert error.getConnectError(OSError(errno.EIO, None)).args == ("",)


def test_ownErrorLearnsWhatItLacked() -> None:
    e = error.TimeoutError(host="192.0.2.1", elapsed=0.0)
    assert error.getConnectError(e, host="example.com", port=80, elapsed=9.0) is e
    assert (e.host, e.port, e.elapsed) == ("192.0.2.1", 80, 0.0)
