"""The beginning of a TLS layer: the context, the handshake, and how long it may take.

Which context a server uses may depend on the name that the client asks for. Then the client's first words are read
before OpenSSL reads them, and it begins with the right one. To change the context in the middle of the handshake, as
OpenSSL's own callback does, is too late: by then it may have resumed a session of another one, that trusts others.
"""

from __future__ import annotations

import ssl

from reactor._ground.log import reportException
from reactor._transport.stream.lifecycle import State
from reactor._transport.tls.encrypting import Sealing
from reactor._transport.tls.explain import explained
from reactor._transport.tls.hello import ClientHello
from reactor.error import TimeoutError
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reactor._core.timers import DelayedCall
    from reactor._transport.stream.stack import Turns
    from reactor._transport.tls.side import Side


class Handshaking(Sealing):
    """The part of a `Layer` that begins, and waits under a deadline."""

    __slots__ = (
        "_began",
        "_facts",
        "_hello",
        "_in",
        "_loop",
        "_paused",
        "_put",
        "_read",
        "_side",
        "_timer",
        "owner",
    )

    def __init__(self, loop: Turns, side: Side, facts: dict[str, Any]) -> None:
        """With the context of `side`, which is going to be another one if the client asks for another name."""
        self._loop = loop
        self._side = side
        self._facts = facts
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self._put, self._take = self._in.write, self._out.read
        # What came of the client's first words, while those decide on the context.
        self._hello = ClientHello() if side.chooses is not None else None
        self._use(side.context)
        self._shaken = False
        self._paused = False
        self._timer: DelayedCall | None = None
        self._began = loop.timers.seconds()

    def _settle(self) -> None:
        raise NotImplementedError

    def _use(self, context: ssl.SSLContext) -> None:
        side = self._side
        self._object = secured = context.wrap_bio(self._in, self._out, side.serverSide, side.hostname, side.session)
        # The two that run for each message, without the detour through the standard library's Python.
        raw: Any = getattr(secured, "_sslobj", secured)
        self._read, self._encryptor = raw.read, raw.write

    def _chooseContext(self, hello: ClientHello) -> bool:
        """More of the client's first words came: take the context for the name, if they tell; whether they do."""
        if not hello.feed(self._in.read()):
            return False
        self._hello = None
        self._put(hello.received)
        side = self._side
        assert side.chooses is not None
        try:
            context = side.chooses(hello.name)
            if context is not side.context:
                self._use(context)
        except Exception as e:
            reportException(f"no context for TLS under the name {hello.name!r}", e)
            self._broken(Failure(e))
            return False
        return True

    def _shake(self) -> bool:
        """A step of the handshake; whether it is done."""
        early = self._early
        if early is None or self._reason is not None or self.state in (State.ENDING, State.CLOSED):
            return False
        if self._shaken:
            # Not the first one: it goes on while it is read, between the peer's other bytes.
            return True
        if self._hello is not None and not self._chooseContext(self._hello):
            return False
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return False
        except (ssl.SSLError, ValueError) as e:
            self._broken(explained(e, self._object, self._known("handshake")))
            return False
        self._stopTimer()
        self._flush()
        self._shaken = True
        self._encryptEarly()
        if self._paused:
            self.below.pause()
        if self.state is not State.CLOSING:
            self.owner.handshakeCompleted()
        self._settle()
        return True

    def _shakeAgain(self) -> None:
        """Something was read while another handshake was waited for: perhaps it is done."""
        if self._reason is None and self.state is not State.CLOSED:
            self._encryptEarly()
            if self._early is None:
                self._stopTimer()
                self._settle()

    def _awaitHandshake(self) -> None:
        self._wait(self._side.handshakeTimeout, self._handshakeTimedOut)

    def _handshakeTimedOut(self) -> None:
        if self._shaken and self._paused:
            # Another one than the first, of which nothing is read: the time begins anew in `resume`.
            return
        text = f"the peer did not finish the TLS handshake within handshakeTimeout={self._side.handshakeTimeout} s"
        self._reason = Failure(TimeoutError(string=text, **self._known("handshake")))
        self.below.abort(self._reason)

    def _wait(self, seconds: float | None, f: Callable[[], object]) -> None:
        """`f()` in so many seconds, unless something else is waited for first."""
        self._stopTimer()
        if seconds:
            self._timer = self._loop.timers.callLater(seconds, self._waited, f)

    def _waited(self, f: Callable[[], object]) -> None:
        self._timer = None
        f()

    def _stopTimer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _known(self, phase: str) -> dict[str, Any]:
        return {**self._facts, "phase": phase, "elapsed": self._loop.timers.seconds() - self._began}
