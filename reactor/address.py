"""Where one end of a connection is, as a value: equal, hashable and ordered by what it says, and small, since each
connection makes two.

Nothing here resolves or connects. To be treated as immutable; assigning is not prevented, since that would triple the
cost of making one.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, Literal

    from zope.interface import implementer

    from reactor.interfaces import IAddress
else:
    from reactor._ground.declare import IAddress, implementer


class _Address:
    """What all addresses have in common: those of one class compare by their `_values` and show their `_fields`."""

    __slots__ = ()
    _fields: ClassVar[tuple[str, ...]] = ()

    if TYPE_CHECKING:

        def _values(self) -> tuple[Any, ...]: ...

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self._values() == other._values()

    def __lt__(self, other: Any) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return bool(self._values() < other._values())

    def __le__(self, other: Any) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return bool(self._values() <= other._values())

    def __hash__(self) -> int:
        return hash((self.__class__, self._values()))

    def __repr__(self) -> str:
        said = ", ".join([f"{name}={getattr(self, name)!r}" for name in self._fields])
        return f"{self.__class__.__name__}({said})"


def _checked(type: str, host: object, port: object) -> None:
    if type != "TCP" and type != "UDP":
        raise ValueError(f"type of an IP address must be 'TCP' or 'UDP', not {type!r}")
    if not isinstance(host, str):
        hint = ", use .decode('ascii')" if isinstance(host, bytes) else ""
        raise TypeError(f"host of an IP address must be str, not {host!r}{hint}")
    if not isinstance(port, int) or not 0 <= port <= 65535:
        _checkPort(port)


def _checkPort(port: object) -> None:
    if not isinstance(port, int):
        raise TypeError(f"port must be an int, not {port!r}")
    if not 0 <= port <= 65535:
        raise ValueError(f"port must be in 0..65535, not {port}")


@implementer(IAddress)
class IPv4Address(_Address):
    """One end of TCP or UDP over IPv4.

    :param type: ``"TCP"`` or ``"UDP"``, else ValueError.
    :param host: dotted decimal, as the system gives it; not checked. TypeError unless it is a str.
    :param port: 0 to 65535, else ValueError; TypeError unless it is an int.
    """

    __slots__ = _fields = ("type", "host", "port")

    type: Literal["TCP", "UDP"]
    host: str
    port: int

    def __init__(self, type: Literal["TCP", "UDP"], host: str, port: int) -> None:
        # One look at what the system gives, for each connection; what is wrong with anything else is found out there.
        if type != "TCP" or host.__class__ is not str or port.__class__ is not int or not 0 <= port <= 65535:
            _checked(type, host, port)
        self.type = type
        self.host = host
        self.port = port

    def _values(self) -> tuple[Any, ...]:
        return self.type, self.host, self.port


@implementer(IAddress)
class IPv6Address(_Address):
    """One end of TCP or UDP over IPv6.

    :param type: ``"TCP"`` or ``"UDP"``, else ValueError.
    :param host: as RFC 5952 writes it, with the zone of a link-local address (``fe80::1%eth0``); not checked. TypeError
        unless it is a str.
    :param port: 0 to 65535, else ValueError; TypeError unless it is an int.
    :param flowInfo: traffic class and flow label (RFC 3493, section 3.3).
    :param scopeID: the zone of a link-local address (RFC 4007): the interface's index, or its name.
    """

    __slots__ = _fields = ("type", "host", "port", "flowInfo", "scopeID")

    type: Literal["TCP", "UDP"]
    host: str
    port: int
    flowInfo: int
    scopeID: str | int

    def __init__(
        self, type: Literal["TCP", "UDP"], host: str, port: int, flowInfo: int = 0, scopeID: str | int = 0
    ) -> None:
        _checked(type, host, port)
        self.type = type
        self.host = host
        self.port = port
        self.flowInfo = flowInfo
        self.scopeID = scopeID

    # An index orders before a name, with which it does not compare.
    def _values(self) -> tuple[Any, ...]:
        return self.type, self.host, self.port, self.flowInfo, isinstance(self.scopeID, str), self.scopeID


@implementer(IAddress)
class UNIXAddress(_Address):
    """One end of a UNIX socket.

    Two are equal if their names are; the file system is not asked, so that the hash stays what it was when the file
    is gone.

    :param name: its path, as str or bytes; with a leading NUL a name of Linux's abstract namespace; None for a socket
        without a name, as most clients have. TypeError for anything else.
    :ivar name: the path as bytes, or None.
    """

    __slots__ = _fields = ("name",)

    name: bytes | None

    def __init__(self, name: str | bytes | None) -> None:
        if name is not None and not isinstance(name, bytes):
            from os import fsencode

            name = fsencode(name)
        self.name = name

    def __repr__(self) -> str:
        from os import fsdecode

        return f"UNIXAddress({None if self.name is None else fsdecode(self.name)!r})"

    # A nameless socket orders before the named ones; None and bytes do not compare.
    def _values(self) -> tuple[Any, ...]:
        return (self.name is not None, self.name or b"")


@implementer(IAddress)
class HostnameAddress(_Address):
    """A host name and port that have not been resolved yet.

    :param hostname: bytes; a str is encoded (RFC 3490, IDNA, where it is not ASCII).
    :param port: 0 to 65535, else ValueError; TypeError unless it is an int.
    :ivar hostname: always bytes.
    """

    __slots__ = _fields = ("hostname", "port")

    hostname: bytes
    port: int

    def __init__(self, hostname: bytes | str, port: int) -> None:
        if isinstance(hostname, str):
            hostname = hostname.encode("ascii" if hostname.isascii() else "idna")
        _checkPort(port)
        self.hostname = hostname
        self.port = port

    def _values(self) -> tuple[Any, ...]:
        return self.hostname, self.port


@implementer(IAddress)
class ProcessAddress(_Address):
    """A child process, whose pipes have no address."""

    __slots__ = ()

    def _values(self) -> tuple[Any, ...]:
        return ()
