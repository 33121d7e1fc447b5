"""What a SOCKS server hears from a client and what it says, versions 4, 4a and 5. Pure: it decides nothing, connects
nothing and knows no time.

A state says whose turn it is; `receive` goes on while it is the client's.

============  ==============================================================================
GREETING      the client says a version; in version 4, the request already
CREDENTIALS   version 5: the client says who it is
VERIFYING     our turn: `verified`
REQUEST       version 5: the client says what it wants
DECIDING      our turn: `answered`
OVER          what comes from now on is for the destination, or the connection is to be closed
============  ==============================================================================
"""

from __future__ import annotations

from enum import Enum
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from protocols.socks import _replies as r
from protocols.socks._asking import encodeAddress
from protocols.socks._replies import SOCKSProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: Bytes of a user's name and of a host's name.
LONGEST = 255
_COMMANDS = {r.CONNECT: "CONNECT", r.BIND: "BIND", r.UDP_ASSOCIATE: "UDP ASSOCIATE"}


class State(Enum):
    """Whose turn it is, for what."""

    GREETING = "greeting"
    CREDENTIALS = "credentials"
    VERIFYING = "verifying"
    REQUEST = "request"
    DECIDING = "deciding"
    OVER = "over"


class Request:
    """What a client wants.

    :ivar version: 4 or 5.
    :ivar command: ``"CONNECT"``, ``"BIND"`` or ``"UDP ASSOCIATE"``.
    :ivar host: the address or the name that it named, ASCII.
    :ivar port: 0 to 65535.
    :ivar user: bytes: version 5, who it proved to be; version 4, who it says to be. None: it did not say.
    :ivar peer: its address.
    :ivar address: the address that is to be connected to, a text: `host`, or what that was resolved to.
    """

    __slots__ = ("address", "command", "host", "peer", "port", "user", "version")

    def __init__(self, version: int, command: str, host: str, port: int, user: bytes | None = None) -> None:
        """As the attributes; `peer` and `address` are not known yet."""
        self.version = version
        self.command = command
        self.host = host
        self.port = port
        self.user = user
        self.peer: Any = None
        self.address: str | None = None

    def __repr__(self) -> str:
        who = "" if self.user is None else f" by {self.user!r}"
        return f"<Request SOCKS {self.version} {self.command} {self.host!r} {self.port}{who}>"


class ServerHandshake:
    """One client's.

    :ivar state: a `State`.
    :ivar credentials: user and password, bytes, from VERIFYING on.
    :ivar request: the `Request`, from DECIDING on.
    """

    def __init__(self, versions: Iterable[int] = (4, 5), authenticate: bool = False) -> None:
        """`versions` are those that are spoken; with `authenticate` version 5 wants a user's name and password."""
        self.state = State.GREETING
        self.credentials: tuple[bytes, bytes] | None = None
        self.request: Request | None = None
        self._versions = tuple(versions)
        self._authenticate = authenticate
        self._received = b""
        self._output = b""
        self._steps: dict[State, Callable[[], bool]] = {
            State.GREETING: self._greeting,
            State.CREDENTIALS: self._credentials,
            State.REQUEST: self._requested,
        }

    def receive(self, data: bytes) -> None:
        """Bytes came. Goes on as far as it can; then look at `state` and `takeOutput`.

        :raises SOCKSProtocolError: when no client may say that; `takeOutput` may have a last word.
        """
        self._received += data
        while (step := self._steps.get(self.state)) is not None:
            if not step():
                return

    def takeOutput(self) -> bytes:
        """What is to be sent now; each byte once."""
        output, self._output = self._output, b""
        return output

    def takeRest(self) -> bytes:
        """What came behind the request; each byte once."""
        rest, self._received = self._received, b""
        return rest

    def verified(self, good: bool) -> None:
        """The credentials were looked at. Goes on with the request, or says no: then it is OVER."""
        assert self.state is State.VERIFYING
        self._output += b"\1\0" if good else b"\1\1"
        self.state = State.REQUEST if good else State.OVER
        self.receive(b"")

    def answered(self, reply: int, host: str = "0.0.0.0", port: int = 0) -> None:
        """The request was done, or not; `reply` is one of SOCKS 5, `host` and `port` what is said with it."""
        assert self.state is State.DECIDING and self.request is not None
        self._output += self._reply(self.request.version, reply, host, port)
        self.state = State.OVER

    def _reply(self, version: int, reply: int, host: str = "0.0.0.0", port: int = 0) -> bytes:
        ip = ip_address(host)
        if version == 5:
            return bytes((5, reply, 0)) + encodeAddress(ip, host, port)
        packed = ip.packed if ip.version == 4 else bytes(4)
        return bytes((0, r.REJECTED if reply else r.GRANTED)) + port.to_bytes(2, "big") + packed

    def _take(self, count: int) -> bytes:
        taken, self._received = self._received[:count], self._received[count:]
        return taken

    def _wrong(self, why: str, output: bytes = b"") -> SOCKSProtocolError:
        self.state = State.OVER
        self._output += output
        return SOCKSProtocolError(why)

    # Each of these takes one message, if it is there as a whole.

    def _greeting(self) -> bool:
        received = self._received
        if not received:
            return False
        if received[0] not in self._versions:
            raise self._wrong(f"SOCKS version {received[0]} is not spoken")
        if received[0] == 4:
            return self._requested4()
        if len(received) < 2 or len(received) < 2 + received[1]:
            return False
        methods = self._take(2 + received[1])[2:]
        wanted = r.USERNAME_PASSWORD if self._authenticate else r.NO_AUTHENTICATION
        if wanted not in methods:
            raise self._wrong(f"no way to authenticate that is spoken: {methods[:16]!r}", bytes((5, r.NO_METHOD)))
        self._output += bytes((5, wanted))
        self.state = State.CREDENTIALS if self._authenticate else State.REQUEST
        return True

    def _credentials(self) -> bool:
        received = self._received
        if received and received[0] != 1:
            raise self._wrong(f"version {received[0]} of user name and password", b"\1\1")
        if len(received) < 2 or len(received) < 3 + received[1]:
            return False
        end = 2 + received[1]
        if len(received) < end + 1 + received[end]:
            return False
        message = self._take(end + 1 + received[end])
        self.credentials = (message[2:end], message[end + 1 :])
        self.state = State.VERIFYING
        return True

    def _requested(self) -> bool:
        received = self._received
        if received and received[0] != 5:
            raise self._wrong(f"SOCKS version {received[0]} within version 5", self._reply(5, r.FAILURE))
        if len(received) < 5:
            return False
        lengths = {r.IPV4: 4, r.IPV6: 16, r.NAME: 1 + received[4]}
        if received[3] not in lengths:
            raise self._wrong(f"unknown type of address {received[3]}", self._reply(5, r.ADDRESS_TYPE_NOT_SUPPORTED))
        if received[1] not in _COMMANDS:
            raise self._wrong(f"unknown command {received[1]}", self._reply(5, r.COMMAND_NOT_SUPPORTED))
        end = 4 + lengths[received[3]]
        if len(received) < end + 2:
            return False
        message = self._take(end + 2)
        host = message[4:end]
        name = self._name(host[1:], 5) if message[3] == r.NAME else str(ip_address(host))
        user = None if self.credentials is None else self.credentials[0]
        self._ask(5, message[1], name, int.from_bytes(message[-2:], "big"), user)
        return True

    def _requested4(self) -> bool:
        received = self._received
        end = received.find(b"\0", 8, 8 + LONGEST + 1)
        if end < 0:
            if len(received) > 8 + LONGEST:
                raise self._wrong(f"user name of more than {LONGEST} bytes", self._reply(4, r.FAILURE))
            return False
        user, ip = received[8:end], received[4:8]
        name = None
        if ip[:3] == bytes(3) and ip[3]:
            # An address that cannot be: SOCKS 4a, and a name follows.
            start = end + 1
            end = received.find(b"\0", start, start + LONGEST + 1)
            if end < 0:
                if len(received) > start + LONGEST:
                    raise self._wrong(f"host name of more than {LONGEST} bytes", self._reply(4, r.FAILURE))
                return False
            name = self._name(received[start:end], 4)
        message = self._take(end + 1)
        if message[1] not in (r.CONNECT, r.BIND):
            raise self._wrong(f"unknown command {message[1]}", self._reply(4, r.COMMAND_NOT_SUPPORTED))
        host = str(ip_address(ip)) if name is None else name
        self._ask(4, message[1], host, int.from_bytes(message[2:4], "big"), user or None)
        return True

    def _ask(self, version: int, command: int, host: str, port: int, user: bytes | None) -> None:
        self.request = Request(version, _COMMANDS[command], host, port, user)
        self.state = State.DECIDING

    def _name(self, name: bytes, version: int) -> str:
        text = name.decode("latin-1")
        if not text or not text.isascii() or not text.isprintable() or " " in text:
            raise self._wrong(f"host name that is none: {name[:40]!r}", self._reply(version, r.FAILURE))
        return text
