"""A SOCKS server: connects its clients to where its policy lets them go.

The bytes are `_answering`'s, the decisions the policy's; here is who waits for what, and how long.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from protocols._proxying.networks import addressOf
from protocols._proxying.relay import OutgoingSide, Side, join
from protocols.socks import _replies as r
from protocols.socks._answering import Request, ServerHandshake, State
from protocols.socks._lookups import LookUps
from protocols.socks._replies import SOCKSProtocolError
from reactor import error
from reactor._ground.current import currentReactor
from reactor._ground.log import message
from reactor._ground.peerlog import peerException, peerMessage
from reactor.defer import CancelledError, Deferred, maybeDeferred
from reactor.defer import TimeoutError as TookTooLong
from reactor.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, connectProtocol
from reactor.failure import Failure
from reactor.protocol import ServerFactory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class SOCKSServerProtocol(Side):
    """One client, from its greeting to the end of its connection."""

    #: Seconds in which a client has to say what it wants.
    handshakeTimeout: float = 10
    #: Seconds for the policy, the lookup of the name and the connection to the destination, in all.
    connectTimeout: float = 30
    #: Addresses of a name that are tried.
    mostAddresses: int = 4

    _timer: Any = None
    _opening: Deferred[Any] | None = None

    def __init__(self, factory: Any = None, versions: Iterable[int] = (4, 5), reactor: Any = None) -> None:
        """For `factory`, a `SOCKSServerFactory`; `reactor` None is the one that runs."""
        self.factory = factory
        self.reactor = reactor
        self._handshake = ServerHandshake(versions, getattr(factory, "authenticates", False))

    # For subclasses.

    def permits(self, request: Request) -> Any:
        """Whether the client may be connected to `request.address`: a bool or a Deferred of one. Asks the factory's
        policy.
        """
        return self.factory.policy(request)

    def verifies(self, user: bytes, password: bytes) -> Any:
        """Whether that is the user's password: a bool or a Deferred of one. Asks the factory's credentials."""
        return self.factory.credentials(user, password)

    def opens(self, address: str, port: int) -> Deferred[Any]:
        """Connect a `Side` to there. A Deferred of it."""
        kind = TCP6ClientEndpoint if ":" in address else TCP4ClientEndpoint
        return connectProtocol(kind(self.reactor, address, port, timeout=self.connectTimeout), OutgoingSide())

    # What the transport tells.

    def connectionMade(self) -> None:
        """A client connected."""
        if self.reactor is None:
            self.reactor = currentReactor()
        self._timer = self.reactor.callLater(self.handshakeTimeout, self._expired)

    def dataReceived(self, data: bytes) -> None:
        """A part of the handshake came, or what is to be passed on."""
        if self.peer is not None:
            self.peer.transport.write(data)
            return
        if self._handshake.state is State.OVER or self.transport.disconnecting:
            return
        try:
            self._handshake.receive(data)
        except SOCKSProtocolError as e:
            self._close(str(e))
            return
        self._goOn()

    def readConnectionLost(self) -> None:
        """The client ended its half."""
        if self.peer is None and self._handshake.state is not State.DECIDING:
            self._close("it ended before its request")
        elif self.peer is not None:
            super().readConnectionLost()

    def connectionLost(self, reason: Failure) -> None:
        """The client is gone."""
        self._ready()
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()
        super().connectionLost(reason)

    # The handshake.

    def _ready(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _expired(self) -> None:
        self._timer = None
        self._close(f"no request within {self.handshakeTimeout:g} s")

    def _close(self, why: str) -> None:
        self._ready()
        peerMessage(self, "info", "SOCKS client %s closed: %s", self.transport.getPeer(), why)
        self.transport.write(self._handshake.takeOutput())
        self.transport.loseConnection()

    def _goOn(self) -> None:
        """Send what is to be sent, and take our turn if it is ours."""
        handshake = self._handshake
        self.transport.write(handshake.takeOutput())
        if handshake.state is State.VERIFYING:
            # Nothing is read while somebody thinks, so that no more than a piece waits here.
            self.transport.pauseProducing()
            assert handshake.credentials is not None
            user, password = handshake.credentials
            self._wait(maybeDeferred(self.verifies, user, password), self._verified)
        elif handshake.state is State.DECIDING:
            self._ready()
            self.transport.pauseProducing()
            assert handshake.request is not None
            opening = Deferred.fromCoroutine(self._open(handshake.request))
            opening.addTimeout(self.connectTimeout, self.reactor)
            self._wait(opening, self._opened)

    def _wait(self, deferred: Deferred[Any], then: Callable[[Any], None]) -> None:
        self._opening = deferred

        def ended(result: Any) -> None:
            if self._opening is not None:
                self._opening = None
                then(result)

        deferred.addBoth(ended)

    def _verified(self, good: Any) -> None:
        if _failed(good):
            peerException(self, "%r could not verify", good, self)
        try:
            self._handshake.verified(good is True)
        except SOCKSProtocolError as e:
            self._close(str(e))
            return
        if self._handshake.state is State.OVER:
            self._close("wrong user name or password")
        else:
            self.transport.resumeProducing()
            self._goOn()

    # The destination.

    async def _open(self, request: Request) -> Any:
        """The `Side` that is connected to the destination; the number of a reply when there is none."""
        if request.command != "CONNECT":
            return r.COMMAND_NOT_SUPPORTED
        if not request.port:
            return r.NOT_ALLOWED
        request.peer = self.transport.getPeer()
        if addressOf(request.host) is not None:
            addresses = [request.host]
        else:
            addresses = await self.factory.lookUps.lookUp(self.reactor, request.host, request.peer)
        reply = r.NOT_ALLOWED if addresses else r.HOST_UNREACHABLE
        for address in addresses[: self.mostAddresses]:
            request.address = address
            if await maybeDeferred(self.permits, request) is not True:
                continue
            try:
                return await self.opens(address, request.port)
            except error.ConnectError as e:
                reply = _replyFor(e)
        return reply

    def _opened(self, result: Any) -> None:
        handshake = self._handshake
        request = handshake.request
        assert request is not None
        if isinstance(result, Side):
            # Of SOCKS 5 it is this side's end of the connection (RFC 1928, section 6); of 4, which leaves it open for
            # CONNECT, the destination, as Twisted says it.
            said = result.transport.getHost() if request.version == 5 else result.transport.getPeer()
            handshake.answered(r.SUCCEEDED, getattr(said, "host", "0.0.0.0"), getattr(said, "port", 0))
            message("info", "SOCKS client %s: %r connected", self.transport.getPeer(), request)
            self.transport.write(handshake.takeOutput())
            result.transport.write(handshake.takeRest())
            join(self, result)
            self.transport.resumeProducing()
            result.transport.resumeProducing()
            return
        if _failed(result):
            reply = r.TTL_EXPIRED if result.check(error.TimeoutError, TookTooLong) else r.FAILURE
            if reply == r.FAILURE and not result.check(CancelledError):
                peerException(self, "%r could not connect for %r", result, self, request)
        else:
            reply = result
        handshake.answered(reply)
        self._close(f"{request!r} refused: {r.TEXTS.get(reply, reply)}")


def _failed(result: Any) -> bool:
    return isinstance(result, Failure)


def _replyFor(problem: Exception) -> int:
    if isinstance(problem, error.ConnectionRefusedError):
        return r.REFUSED
    if isinstance(problem, error.NoRouteError):
        return r.NETWORK_UNREACHABLE
    if isinstance(problem, (error.TimeoutError, error.TCPTimedOutError)):
        return r.TTL_EXPIRED
    return r.HOST_UNREACHABLE


class SOCKSServerFactory(ServerFactory):
    """A SOCKS server for versions 4, 4a and 5, of which it does the command CONNECT.

    Nothing is allowed but what `policy` allows. It is asked for each address that a name has, after the name was looked
    up, so that no name leads to an address that was not meant.
    """

    noisy = False
    #: Names that are looked up for one client at a time; the others of the same client wait. A look-up cannot be
    #: interrupted, so that without it a single client could keep all threads of the resolver with names that hang.
    lookUpsPerClient: int = 4
    #: What is built for each client.
    protocol: Any = SOCKSServerProtocol

    def __init__(
        self, policy: Any, credentials: Any = None, versions: Iterable[int] | None = None, reactor: Any = None
    ) -> None:
        """
        :param policy: called with a `Request`, says whether the client may be connected to its `address`: True, or a
            Deferred of True; everything else is no. See `allowNetworks`, `publicOnly`, `allOf` and so on.
        :param credentials: who may use the server: a mapping of users' names to passwords (bytes or str), or what is
            called with both as bytes and says True or a Deferred of it. None: everybody; then keep others away.
        :param versions: those that are spoken: None is 4 and 5, with `credentials` 5 only, as 4 has no passwords.
        :param reactor: to connect with; None: the one that runs.
        :raises TypeError, ValueError: for arguments that are not like that.
        """
        if not callable(policy):
            raise TypeError(f"SOCKSServerFactory(): policy must be callable, such as publicOnly, not {policy!r}")
        if isinstance(credentials, Mapping):
            credentials = _Passwords(credentials)
        elif credentials is not None and not callable(credentials):
            raise TypeError(f"SOCKSServerFactory(): credentials must be a mapping or callable, not {credentials!r}")
        self.policy = policy
        self.credentials = credentials
        self.authenticates = credentials is not None
        if versions is None:
            versions = (5,) if self.authenticates else (4, 5)
        self.versions = tuple(versions)
        if not self.versions or not set(self.versions) <= {4, 5}:
            raise ValueError(f"SOCKSServerFactory(): versions must be of 4 and 5, not {versions!r}")
        if self.authenticates and 4 in self.versions:
            raise ValueError("SOCKSServerFactory(): version 4 has no passwords; with credentials versions must be (5,)")
        self.reactor = reactor
        self.lookUps = LookUps(lambda: self.lookUpsPerClient)

    def buildProtocol(self, addr: Any) -> Any:
        """For a new client."""
        return self.protocol(self, self.versions, self.reactor)


class _Passwords:
    """Compares in a time that tells nothing of what is right."""

    def __init__(self, passwords: Mapping[Any, Any]) -> None:
        self._passwords = {_bytes(user): _bytes(password) for user, password in passwords.items()}
        if not all(1 <= len(each) <= 255 for pair in self._passwords.items() for each in pair):
            raise ValueError("SOCKSServerFactory(): credentials must be of 1 to 255 bytes each")

    def __call__(self, user: bytes, password: bytes) -> bool:
        expected = self._passwords.get(user)
        same = hmac.compare_digest(expected if expected is not None else b"", password)
        return same and expected is not None


def _bytes(text: Any) -> bytes:
    if not isinstance(text, (str, bytes)):
        raise TypeError(f"SOCKSServerFactory(): credentials must be bytes or str, not {type(text).__name__}")
    return text.encode() if isinstance(text, str) else text
