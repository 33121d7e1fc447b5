"""What a peer of HTTP/2 may do on one connection: every bound, with its default and why it is there.

Frames that ask for nothing are counted by kind: so many at once, and a tenth of that each second from then on. Whoever
sends more is not asking for anything, and gets GOAWAY with ENHANCE_YOUR_CALM. Pure: the time is an argument.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

__all__ = ["Bounds", "Budget"]

_SECONDS = 10.0


class Bounds:
    """The bounds of one connection, which cannot be changed. Of a head, `Limits` has more: bytes, fields, target.

    :param maxStreams: requests at a time (SETTINGS_MAX_CONCURRENT_STREAMS); more are refused, which says that they can
        be repeated. Each may be a handler at work.
    :param streamWindow: bytes of a body that may come before the reader takes some; at least 65535, since a peer that
        has not read our settings goes by that. Times `maxStreams` it is the memory that bodies take at most.
    :param connectionWindow: bytes of all bodies that may be on their way; at least 65535.
    :param continuations: CONTINUATION frames behind one HEADERS (CVE-2024-27316).
    :param resets: streams that the client gives up unanswered, or makes us reset: each has cost a handler its work
        (CVE-2023-44487, and CVE-2025-8671 where the server is made to do it). A browser that leaves a page gives up
        all it has at once.
    :param settings: SETTINGS frames: each has to be acknowledged (CVE-2019-9515).
    :param pings: PING frames: each is answered (CVE-2019-9512).
    :param emptyData: DATA frames with nothing in them that do not end a body (CVE-2019-9518).
    :param priorities: PRIORITY frames and those of unknown kinds, which mean nothing here (CVE-2019-9513).
    :param windowUpdates: WINDOW_UPDATE frames beyond two for each answer and each KiB sent: with small ones a client
        has a body sent byte by byte (CVE-2019-9511).
    :param unsent: bytes of answers that a client has not taken at which no further request is handled: windows that
        are kept closed (CVE-2019-9517) hold so much, and what was being answered by then.
    :param settingsTimeout: seconds for our SETTINGS to be acknowledged.
    :raises ValueError, TypeError: for what is no such number.
    """

    __slots__ = (
        "connectionWindow",
        "continuations",
        "emptyData",
        "maxStreams",
        "pings",
        "priorities",
        "resets",
        "settings",
        "settingsTimeout",
        "streamWindow",
        "unsent",
        "windowUpdates",
    )

    def __init__(
        self,
        *,
        maxStreams: int = 100,
        streamWindow: int = 65535,
        connectionWindow: int = 1 << 20,
        continuations: int = 16,
        resets: int = 200,
        settings: int = 32,
        pings: int = 100,
        emptyData: int = 100,
        priorities: int = 500,
        windowUpdates: int = 1000,
        unsent: int = 1 << 20,
        settingsTimeout: float = 10.0,
    ) -> None:
        given: dict[str, Any] = locals()
        for name in self.__slots__:
            value: Any = given[name]
            kinds: tuple[type, ...] = (int, float) if name == "settingsTimeout" else (int,)
            if not isinstance(value, kinds) or isinstance(value, bool):
                raise TypeError(f"{name}={value!r}: a bound is {'a number' if len(kinds) > 1 else 'an int'}")
            least = 65535 if name.endswith("Window") else 1 if name in ("maxStreams", "settingsTimeout") else 0
            number: Any = value
            if not least <= number < 1 << 31:
                raise ValueError(f"{name}={value!r}: it is from {least} to {(1 << 31) - 1}")
            object.__setattr__(self, name, value)

    if TYPE_CHECKING:
        maxStreams: int
        streamWindow: int
        connectionWindow: int
        continuations: int
        resets: int
        settings: int
        pings: int
        emptyData: int
        priorities: int
        windowUpdates: int
        unsent: int
        settingsTimeout: float

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"bounds cannot be changed, only made with {name}={value!r}")

    def __repr__(self) -> str:
        return f"Bounds({', '.join([f'{name}={getattr(self, name)}' for name in self.__slots__])})"


class Budget:
    """How much of one kind is left: `burst` at once, and a tenth of that each second."""

    __slots__ = ("_at", "_burst", "left")

    def __init__(self, burst: int) -> None:
        self._burst = burst
        self.left = float(burst)
        self._at: float | None = None

    def spend(self, now: float) -> bool:
        """One more at the time `now`, in seconds; whether that is within the bound."""
        at, self._at = self._at, now
        if at is not None and now > at:
            self.left = min(float(self._burst), self.left + (now - at) * self._burst / _SECONDS)
        self.left -= 1
        return self.left >= 0

    def earn(self, count: float) -> None:
        """Something useful was done, to which `count` more belong."""
        self.left = min(float(self._burst), self.left + count)
