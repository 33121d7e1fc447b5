"""What a wire or a layer of a connection, such as TLS, expects of what it stands on and of who stands on it; and who
stands there when nobody does.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context
    from typing import Any, Protocol

    from reactor._core.timers import DelayedCall
    from reactor._transport.stream.producers import Source
    from reactor.failure import Failure

    class Receiver(Protocol):
        """Who gets the bytes."""

        def dataReceived(self, data: bytes, /) -> object: ...

    class Owner(Protocol):
        """Who is told everything else. Its methods do not raise."""

        @property
        def buffered(self) -> int: ...
        @property
        def resuming(self) -> bool: ...
        def endReceived(self) -> bool: ...
        def writingEnded(self) -> None: ...
        def farewell(self) -> None: ...
        def closing(self) -> None: ...
        def lost(self, reason: Failure) -> None: ...
        def raised(self, problem: BaseException) -> Failure | None: ...

    class Timers(Protocol):
        """A clock."""

        @property
        def seconds(self) -> Callable[[], float]: ...
        def callLater(self, delay: float, f: Callable[..., object], /, *args: Any) -> DelayedCall: ...

    class Turns(Protocol):
        """What a layer needs of a loop."""

        @property
        def timers(self) -> Timers: ...
        def soonIn(self, context: Context, f: Callable[..., object], *args: Any) -> None: ...

    class Below(Protocol):
        """What a layer stands on: a wire, or another layer."""

        receiver: Any
        owner: Any

        @property
        def context(self) -> Context: ...
        @property
        def source(self) -> Source | None: ...
        @property
        def buffered(self) -> int: ...
        @property
        def writeBufferLimit(self) -> int | None: ...
        @property
        def paused(self) -> bool: ...
        def write(self, data: bytes) -> None: ...
        def lose(self) -> None: ...
        def abort(self, reason: Failure | None = None) -> None: ...
        def pause(self) -> None: ...
        def resume(self) -> None: ...
        def dropSource(self) -> None: ...
        def endWith(self, problem: BaseException) -> None: ...

    class Above(Owner, Protocol):
        """Who is told what happens, the handshake's end included."""

        def handshakeCompleted(self) -> None: ...


class Nobody:
    """Who is there when nobody is."""

    __slots__ = ()

    resuming = False

    def dataReceived(self, data: bytes, /) -> None:
        """Nobody reads it."""

    def endReceived(self) -> bool:
        """Nobody wants to go on."""
        return False

    def handshakeCompleted(self) -> None:
        """Nobody waits for it."""

    def writingEnded(self) -> None:
        """Nobody waits for it."""

    def farewell(self) -> None:
        """Nobody has more to say."""

    def closing(self) -> None:
        """Nobody keeps an address."""

    def lost(self, reason: Failure) -> None:
        """Nobody is told."""

    def raised(self, problem: BaseException) -> Failure | None:
        """Nobody raises."""
        return Failure(problem)


NOBODY = Nobody()
