"""Connecting through a proxy: another endpoint connects to it, a dialogue asks it for the rest of the way, and the
program's protocol gets the connection.

A dialogue is pure: `first`, bytes to send; `receive(data)`, which gives bytes to send; `done`, and from then on `rest`,
the bytes behind what was for it. It raises a ConnectError when the proxy refuses or says what it must not. It may have
`who`, whom errors are to name, and `ended()`, which raises the like when the other end closed instead of an answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols._proxying.handover import FirstReader
from reactor.defer import Deferred
from reactor.error import ConnectError, ConnectingCancelledError, NoProtocol, TimeoutError
from reactor.failure import Failure

if TYPE_CHECKING:
    from protocols._proxying.names import Destination


def connectThrough(
    proxyEndpoint: Any, factory: Any, dialogue: Any, destination: Destination, timeout: float | None, clock: Any
) -> Deferred[Any]:
    """Connect. The Deferred fires with the protocol that `factory` builds, when its `connectionMade` has returned.

    A dialogue with `direct` true is with the destination itself, and the transport says whose address that is.

    It fails with what the endpoint's fails with, what the dialogue raised, TimeoutError when the proxy takes longer
    than `timeout` seconds (after it was reached), NoProtocol, and ConnectingCancelledError.
    """
    tunnelling = _Tunnelling(factory, dialogue, destination, timeout, clock)
    return tunnelling.begin(proxyEndpoint)


class _Tunnelling(FirstReader):
    def __init__(
        self, factory: Any, dialogue: Any, destination: Destination, timeout: float | None, clock: Any
    ) -> None:
        self._factory = factory
        self._dialogue = dialogue
        self._destination = destination
        self._timeout = timeout
        self._clock = clock
        self._who = getattr(dialogue, "who", "the proxy")
        # Invariant: both None when the Deferred has fired.
        self._waiting: Deferred[Any] | None = None
        self._connecting: Deferred[Any] | None = None

    def begin(self, proxyEndpoint: Any) -> Deferred[Any]:
        waiting: Deferred[Any] = Deferred(self._cancel)
        self._waiting = waiting
        connecting = proxyEndpoint.connect(_Once(self, self._factory))
        if self._waiting is not None:
            self._connecting = connecting
        connecting.addErrback(self._failed)
        return waiting

    def _fired(self) -> Deferred[Any] | None:
        waiting, self._waiting, self._connecting = self._waiting, None, None
        return waiting

    def _failed(self, problem: Any) -> None:
        waiting = self._fired()
        if waiting is not None:
            waiting.errback(problem)

    def _cancel(self, deferred: Deferred[Any]) -> None:
        if self.transport is None:
            assert self._connecting is not None
            # Fails, and `_failed` is told.
            self._connecting.cancel()
        else:
            self._fired()
            deferred.errback(ConnectingCancelledError(self._destination.address))
            self._giveUp()

    def _giveUp(self) -> None:
        self.unwatch()
        self.transport.abortConnection()

    def connectionMade(self) -> None:
        if self._timeout:
            self.watch(self._timeout, self._clock)
        self.transport.write(self._dialogue.first)

    def firstReceived(self, data: bytes) -> None:
        if self._waiting is None:
            return
        destination = self._destination
        try:
            answer = self._dialogue.receive(data)
        except ConnectError as e:
            e.host, e.port = destination.name, destination.port
            self._failed(e)
            self._giveUp()
            return
        if answer:
            self.transport.write(answer)
        if self._dialogue.done:
            self._done()

    def _done(self) -> None:
        factory, destination = self._factory, self._destination
        self.unwatch()
        try:
            protocol = factory.buildProtocol(destination.address)
            if protocol is None:
                raise NoProtocol(f"{type(factory).__name__}.buildProtocol returned None for {destination.address}")
        except Exception:
            self._failed(Failure())
            self._giveUp()
            return
        try:
            peer = None if getattr(self._dialogue, "direct", False) else destination.address
            handed = self.handOver(protocol, self._dialogue.rest, peer=peer, hostname=destination.name)
        except BaseException as e:
            self._failed(Failure(e))
            raise
        waiting = self._fired()
        if waiting is not None:
            waiting.callback(protocol)
        handed.deliver()

    def firstLost(self, reason: Failure) -> None:
        if self._waiting is not None:
            destination = self._destination
            try:
                getattr(self._dialogue, "ended", _nothing)()
                text = f"{self._who} closed the connection instead of an answer ({reason.value})"
                raise ConnectError(None, text)
            except ConnectError as e:
                e.host, e.port = destination.name, destination.port
                self._failed(e)

    def expired(self) -> None:
        destination = self._destination
        text = f"no answer from {self._who} within {self._timeout:g} s"
        self._failed(TimeoutError(None, text, host=destination.name, port=destination.port))
        self._giveUp()


def _nothing() -> None:
    """A dialogue that has nothing to say to the end."""


class _Once:
    """The factory of one connection to the proxy: all but the protocol is the program's factory's."""

    def __init__(self, protocol: Any, factory: Any) -> None:
        self._protocol = protocol
        self._factory = factory

    def __getattr__(self, name: str) -> Any:
        return getattr(self._factory, name)

    def buildProtocol(self, addr: Any) -> Any:
        return self._protocol
