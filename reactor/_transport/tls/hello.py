"""The first words of a TLS client, as far as they tell which server it wants (RFC 8446, sections 4.1.2 and 5.1; RFC
6066, section 3). Pure: bytes in, a name out.

What is no ClientHello, or one with something wrong in it, asks for no name here: OpenSSL reads the same bytes next, and
says what is the matter with them.
"""

from __future__ import annotations

# The longest that is waited for. One of today, with post-quantum keys, has 2 KiB.
LONGEST = 32768
_RECORD = 16384
_HANDSHAKE, _CLIENT_HELLO, _SERVER_NAME, _HOST_NAME = 22, 1, 0, 0


class ClientHello:
    """A ClientHello that comes in pieces."""

    __slots__ = ("_begin", "_message", "name", "received")

    def __init__(self) -> None:
        """Nothing came yet."""
        #: All that was fed, for who reads it next.
        self.received = bytearray()
        #: The name that is asked for; None for none, or when that is not known yet.
        self.name: str | None = None
        # Where the next record begins, and what was in those before.
        self._begin = 0
        self._message = bytearray()

    def feed(self, data: bytes) -> bool:
        """Bytes came. Whether all is known that there is to know."""
        received, message = self.received, self._message
        received += data
        while True:
            begin = self._begin + 5
            if len(received) > self._begin and received[self._begin] != _HANDSHAKE:
                return True
            if len(received) < begin:
                return False
            size = int.from_bytes(received[begin - 2 : begin], "big")
            if not 0 < size <= _RECORD:
                return True
            if len(received) < begin + size:
                return False
            message += received[begin : begin + size]
            self._begin = begin + size
            if message[0] != _CLIENT_HELLO:
                return True
            if len(message) >= 4:
                end = 4 + int.from_bytes(message[1:4], "big")
                if end > LONGEST:
                    return True
                if len(message) >= end:
                    self.name = serverNameIn(bytes(message[4:end]))
                    return True


def serverNameIn(hello: bytes) -> str | None:
    """The host name that the body of a ClientHello asks for; None when there is none, or none that is ASCII."""
    # Behind the version and 32 random bytes: the session's number, ciphers, compressions; each behind its length.
    at = 34
    for width in (1, 2, 1):
        at += width + int.from_bytes(hello[at : at + width], "big")
    at += 2
    while at + 4 <= len(hello):
        kind = int.from_bytes(hello[at : at + 2], "big")
        size = int.from_bytes(hello[at + 2 : at + 4], "big")
        at += 4
        if kind == _SERVER_NAME:
            # The length of a list of which only one kind of name was ever defined; that kind; the name's length.
            entry = hello[at : at + size]
            name = entry[5:]
            if len(entry) < 6 or entry[2] != _HOST_NAME or int.from_bytes(entry[3:5], "big") != len(name):
                return None
            return name.decode("ascii") if name.isascii() and b"\0" not in name else None
        at += size
    return None
