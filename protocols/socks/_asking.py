"""What a client says to a SOCKS server and what it makes of the answers: dialogues as `protocols._proxying.tunnel`
wants them. Pure.
"""

from __future__ import annotations

from typing import Any

from protocols.socks import _replies as r
from protocols.socks._replies import SOCKSError, refused


def _checked(method: str, argument: str, value: Any, least: int) -> bytes:
    """`value`, a name or a password, as bytes: text is UTF-8."""
    if isinstance(value, str):
        value = value.encode()
    if not isinstance(value, bytes):
        raise TypeError(f"{method}: {argument} must be bytes or str, not {type(value).__name__}")
    if not least <= len(value) <= 255:
        raise ValueError(f"{method}: {argument} must be of {least} to 255 bytes, not {len(value)}")
    return value


class Asking4:
    """SOCKS 4, and 4a for names."""

    def __init__(self, destination: Any, user: Any = b"") -> None:
        """:raises ValueError: for an IPv6 address, for a user of more than 255 bytes or with NUL."""
        method = "SOCKS4ClientEndpoint()"
        user = _checked(method, "user", user, 0)
        if b"\0" in user:
            raise ValueError(f"{method}: user must be without NUL, not {user!r}")
        ip = destination.ip
        if ip is not None and ip.version == 6:
            raise ValueError(f"{method}: host must not be an IPv6 address, as {destination.name}: SOCKS 4 has none")
        # An address that cannot be says that a name follows.
        packed = b"\0\0\0\1" if ip is None else ip.packed
        name = destination.name.encode("ascii") + b"\0" if ip is None else b""
        self.first = b"\4\1" + destination.port.to_bytes(2, "big") + packed + user + b"\0" + name
        self.done = False
        self.rest = b""

    def receive(self, data: bytes) -> bytes:
        """Bytes came: nothing to send for them. SOCKSError when it is no granting reply."""
        reply = self.rest + data
        self.rest = reply
        if reply[:1] != b"\0":
            raise SOCKSError(f"it answered what is not SOCKS 4: {reply[:40]!r}")
        if len(reply) >= 8:
            if reply[1] != r.GRANTED:
                raise refused(reply[1])
            self.done, self.rest = True, reply[8:]
        return b""


class Asking5:
    """SOCKS 5 (RFC 1928), with a user's name and password (RFC 1929) if there are any."""

    def __init__(self, destination: Any, username: Any = None, password: Any = None) -> None:
        """:raises ValueError: for a name or a password that is not of 1 to 255 bytes, or one without the other."""
        method = "SOCKS5ClientEndpoint()"
        if (username is None) != (password is None):
            raise ValueError(f"{method}: username and password must be given together")
        self._credentials: bytes | None = None
        methods = bytes((r.NO_AUTHENTICATION,))
        if username is not None:
            username = _checked(method, "username", username, 1)
            password = _checked(method, "password", password, 1)
            self._credentials = b"\1%c%b%c%b" % (len(username), username, len(password), password)
            methods += bytes((r.USERNAME_PASSWORD,))
        self._methods = methods
        self._request = b"\5\1\0" + encodeAddress(destination.ip, destination.name, destination.port)
        self.first = b"\5%c%b" % (len(methods), methods)
        self.done = False
        self.rest = b""
        self._step = self._method

    def receive(self, data: bytes) -> bytes:
        """Bytes came; what to send for them. SOCKSError when the server refuses or is none."""
        self.rest += data
        answer = b""
        while not self.done:
            said = self._step()
            if said is None:
                break
            answer += said
        return answer

    def _take(self, count: int) -> bytes | None:
        if len(self.rest) < count:
            return None
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def _expectVersion(self) -> None:
        if self.rest and self.rest[0] != 5:
            raise SOCKSError(f"it answered what is not SOCKS 5: {self.rest[:40]!r}")

    def _method(self) -> bytes | None:
        self._expectVersion()
        reply = self._take(2)
        if reply is None:
            return None
        if reply[1] not in self._methods:
            wanted = "another way to authenticate" if self._credentials else "a user name and a password, or more"
            raise SOCKSError(f"it wants {wanted} (method {reply[1]})")
        if reply[1] == r.USERNAME_PASSWORD:
            self._step = self._status
            return self._credentials
        self._step = self._reply
        return self._request

    def _status(self) -> bytes | None:
        # RFC 1929 has the version of the authentication there, 1; a good many servers write SOCKS's own, and mean the
        # same.
        if self.rest and self.rest[0] not in (1, 5):
            raise SOCKSError(f"it answered the user name and the password with what is no status: {self.rest[:40]!r}")
        reply = self._take(2)
        if reply is None:
            return None
        if reply[1]:
            raise SOCKSError(f"it refused the user name or the password (status {reply[1]})")
        self._step = self._reply
        return self._request

    def _reply(self) -> bytes | None:
        self._expectVersion()
        if len(self.rest) >= 2 and self.rest[1]:
            raise refused(self.rest[1])
        if len(self.rest) < 5:
            return None
        # The address that the server connects from.
        kind = self.rest[3]
        lengths = {r.IPV4: 10, r.IPV6: 22, r.NAME: 7 + self.rest[4]}
        if kind not in lengths:
            raise SOCKSError(f"it answered with an unknown type of address: {kind}")
        if self._take(lengths[kind]) is None:
            return None
        self.done = True
        return b""


def encodeAddress(ip: Any, name: str, port: int) -> bytes:
    """Type, address and port as SOCKS 5 has them; `ip` is an `ipaddress` object, or None for a name."""
    if ip is None:
        host = name.encode("ascii")
        encoded = bytes((r.NAME, len(host))) + host
    else:
        encoded = bytes((r.IPV4 if ip.version == 4 else r.IPV6,)) + ip.packed
    return encoded + port.to_bytes(2, "big")
