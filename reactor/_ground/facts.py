"""What all errors of `reactor.error` are made of: a headline, facts, and how to put both into one line.

The line names what is known and nothing else, and it stays one line whatever bytes a peer or a caller put into an
error. Which errors there are, and when which is meant, is `reactor.error`'s.
"""

from __future__ import annotations

import os

from reactor._ground.naming import said, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal, TypedDict, Unpack

    Phase = Literal["resolve", "connect", "handshake", "established", "listen"]

    class Circumstances(TypedDict, total=False):
        """What the constructor of a `ConnectError` takes by keyword."""

        host: str | bytes | None
        port: int | None
        phase: Phase | None
        elapsed: float | None
        attempts: tuple[tuple[object, BaseException], ...]

    class Facts(Circumstances, total=False):
        """What the constructor of any other `NetworkError` takes by keyword."""

        osError: int | None


FACTS = frozenset(("host", "port", "phase", "elapsed", "attempts", "osError"))

PLACE_BY_PHASE = {
    "resolve": "could not resolve {}",
    "connect": "could not connect to {}",
    "handshake": "TLS handshake with {}",
    "listen": "could not listen on {}",
}


def oneLine(text: object) -> str:
    """`text` without anything that could end the line or steer a terminal; bytes are taken for a file name."""
    return visible(os.fsdecode(text) if isinstance(text, bytes) else said(text, None))


def place(host: object, port: object) -> str:
    """``host:port`` as people write it; a host without a port (a path, say) stays alone."""
    where = oneLine(host)
    if port is None:
        return where
    return f"[{where}]:{port}" if ":" in where else f"{where}:{port}"


def hostAndPort(address: object) -> tuple[Any, Any]:
    """The two as far as `address`, an object of `reactor.address` or a tuple that begins with them, has them; else
    None.
    """
    if isinstance(address, tuple) and len(address) >= 2:
        return address[0], address[1]
    for name in ("host", "hostname", "name"):
        host = getattr(address, name, None)
        if host is not None:
            return host, getattr(address, "port", None)
    return None, None


class Said:
    """Mixin for exceptions: ``str(e)`` is the headline, then what the arguments add."""

    # What an error of this class says when nothing else is known.
    headline = ""
    args: tuple[Any, ...]

    def _said(self) -> str:
        text = " ".join([oneLine(arg) for arg in self.args if arg is not None and arg != ""])
        # The system's own text often says just what the class says.
        if not text or text.casefold() == self.headline.casefold():
            return self.headline
        return f"{self.headline}: {text}"

    def __str__(self) -> str:
        return self._said()


class NetworkError(Said, Exception):
    """Base of all errors that come from the network or from using it; never raised itself. Not in Twisted.

    :param args: free text, shown behind the headline.
    :param facts: any of the attributes below, by keyword. TypeError for other names.
    :ivar host: what was asked for or reached: a name or address, or the path of a UNIX socket. None if unknown.
    :ivar port: the port number. None if unknown or if there is none.
    :ivar phase: what was being done: ``"resolve"``, ``"connect"``, ``"handshake"``, ``"established"``, ``"listen"``;
        or None.
    :ivar elapsed: seconds from the beginning of the attempt (or of the connection, if there was one) to the error, or
        None.
    :ivar attempts: ``(address, exception)`` for every address that was tried, in order; empty if nobody kept count.
    :ivar osError: the system's errno (for a failed resolution ``getaddrinfo``'s code), or None.
    """

    __module__ = "reactor.error"
    headline = "Network error"

    host: str | bytes | None = None
    port: int | None = None
    phase: Phase | None = None
    elapsed: float | None = None
    attempts: tuple[tuple[object, BaseException], ...] = ()
    osError: int | None = None

    # An error is made for each connection that ends: only facts that somebody gave take room in the instance.
    def __init__(self, *args: object, **facts: Unpack[Facts]) -> None:
        self.args = args
        if facts:
            self._learn(facts)

    def _learn(self, facts: Mapping[str, object]) -> None:
        if not FACTS.issuperset(facts):
            unknown = ", ".join(sorted(facts.keys() - FACTS))
            raise TypeError(f"{type(self).__name__} knows no fact named {unknown}, only {', '.join(sorted(FACTS))}")
        self.__dict__.update(facts)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args, self.__dict__)

    def __str__(self) -> str:
        more = self._said().removeprefix(self.headline)
        return self.headline + self._place() + more + self._details() + self._tried()

    def _place(self) -> str:
        if self.host is None:
            return ""
        where = place(self.host, None if self.phase == "resolve" else self.port)
        return ": " + PLACE_BY_PHASE.get(self.phase or "", "{}").format(where)

    def _details(self) -> str:
        known = []
        if self.osError is not None:
            known.append(f"errno {self.osError}" if self.osError >= 0 else f"getaddrinfo error {self.osError}")
        if self.elapsed is not None:
            known.append(f"after {self.elapsed:.3f} s")
        return f" ({', '.join(known)})" if known else ""

    def _tried(self) -> str:
        if len(self.attempts) < 2:
            return ""
        return "; tried " + ", ".join([_attempt(address, error) for address, error in self.attempts])


def _attempt(address: object, error: BaseException) -> str:
    """One of several attempts: where, and what went wrong there without saying again where that was."""
    host, port = hostAndPort(address)
    where = oneLine(address) if host is None else place(host, port)
    if isinstance(error, NetworkError):
        return f"{where}: {error._said()}{error._details()}"
    return f"{where}: {oneLine(getattr(error, 'strerror', None) or error) or type(error).__name__}"


def _restored(cls: type[BaseException], args: tuple[Any, ...], facts: dict[str, Any]) -> BaseException:
    """Undo `NetworkError.__reduce__`, whatever arguments the constructor of the class wants."""
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(facts)
    return error
