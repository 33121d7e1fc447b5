"""A PROXY header out of bytes that come cut anywhere. Pure: no socket, no clock.

The two signatures differ in their first byte, so a connection that begins otherwise is known for that at once.
"""

from __future__ import annotations

from protocols.haproxy import _v1, _v2
from protocols.haproxy._info import InvalidProxyHeader, ProxyInfo, shown

#: Bytes of version 2 that are taken unless somebody says otherwise.
LENGTH_LIMIT = 4096


class HeaderParser:
    """Collects one header. Never holds more than that may be long, and what came in one piece with it."""

    def __init__(self, lengthLimit: int = LENGTH_LIMIT) -> None:
        """`lengthLimit` is how many bytes a header of version 2 may have; one of version 1 has 107 at most."""
        self._limit = lengthLimit
        self._received = bytearray()

    def feed(self, data: bytes) -> tuple[ProxyInfo, bytes] | None:
        """Take `data`; the header and the bytes behind it when it is complete, None before. Not to be called again
        after that.

        :raises InvalidProxyHeader: as soon as the bytes can become none.
        """
        received = self._received
        # One above what version 1 may have suffices to see that it is too long.
        received += data
        if received.startswith(_v2.SIGNATURE[: len(received)]):
            return self._version2()
        if received.startswith(_v1.SIGNATURE[: len(received)]):
            return self._version1()
        raise InvalidProxyHeader(f"the connection does not begin with a PROXY header: {shown(received)}")

    def _version1(self) -> tuple[ProxyInfo, bytes] | None:
        received = self._received
        end = received.find(b"\r\n", 0, _v1.LONGEST)
        if end >= 0:
            return _v1.parseV1(bytes(received[: end + 2])), bytes(received[end + 2 :])
        if len(received) >= _v1.LONGEST:
            raise InvalidProxyHeader(f"PROXY line of more than {_v1.LONGEST} bytes: {shown(received)}")
        return None

    def _version2(self) -> tuple[ProxyInfo, bytes] | None:
        received = self._received
        if len(received) < _v2.FIXED:
            return None
        length = _v2.lengthV2(bytes(received[: _v2.FIXED]))
        if length > self._limit:
            raise InvalidProxyHeader(f"PROXY header of {length} bytes, {self._limit} are allowed")
        if len(received) < length:
            return None
        return _v2.parseV2(bytes(received[:length])), bytes(received[length:])
