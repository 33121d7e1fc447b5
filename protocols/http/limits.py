"""How much of everything a peer may send in one message: every limit of reading HTTP/1.1, with its default.

What is larger is refused with `TooLarge`, whose `what` is the name of the limit. How large a body may be, and how long
anything may take, is not here: that is for whoever takes the body and has a clock.
"""

# Written out and no dataclass: that one loads inspect, which takes as long as all of this package.
from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

__all__ = ["RESPONSE_LIMITS", "Limits"]


class Limits:
    """The limits of one reader, which cannot be changed. In bytes, but for those that count something.

    The status in brackets is what a server answers when there is more.

    :param head: start line and fields of one message, with all line ends (431).
    :param line: one field line (431).
    :param target: the request target (414); 8 KiB is what browsers and servers commonly get along with.
    :param method: the method of a request (501).
    :param fields: how many field lines one head has (431).
    :param chunkLine: the line before each chunk: its size, and extensions, which nobody uses (400).
    :param chunkOverhead: what the framing of a chunked body may have beyond eight times its content (400): a client
        that sends many small chunks is fine, one that sends extensions or nothing else is not.
    :param trailers: all trailer fields of one body (431).
    :param trailerFields: how many of them (431).
    :param emptyLines: how many empty lines come before a request, which RFC 9112, section 2.2 has one ignore (400).
    :param informational: how many answers with 1xx come before the one that counts.
    :raises ValueError: for a negative one, TypeError for what is no int; both name it.
    """

    __slots__ = (
        "chunkLine",
        "chunkOverhead",
        "emptyLines",
        "fields",
        "head",
        "informational",
        "line",
        "method",
        "target",
        "trailerFields",
        "trailers",
    )

    def __init__(
        self,
        *,
        head: int = 32768,
        line: int = 16384,
        target: int = 8192,
        method: int = 32,
        fields: int = 128,
        chunkLine: int = 256,
        chunkOverhead: int = 16384,
        trailers: int = 8192,
        trailerFields: int = 32,
        emptyLines: int = 2,
        informational: int = 16,
    ) -> None:
        given = locals()
        for name in self.__slots__:
            value = given[name]
            if not isinstance(value, int) or isinstance(value, bool):
                raise TypeError(f"{name}={value!r}: a limit is an int")
            if value < 0:
                raise ValueError(f"{name}={value!r}: a limit is not negative")
            object.__setattr__(self, name, value)

    if TYPE_CHECKING:
        head: int
        line: int
        target: int
        method: int
        fields: int
        chunkLine: int
        chunkOverhead: int
        trailers: int
        trailerFields: int
        emptyLines: int
        informational: int

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"limits cannot be changed, only made with {name}={value!r}: see replace")

    def replace(self, **changes: int) -> Limits:
        """The same limits but for those that are named."""
        return Limits(**{**self._all(), **changes})

    def _all(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.__slots__}

    def __eq__(self, other: object) -> bool:
        return self._all() == other._all() if isinstance(other, Limits) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self._all().values()))

    def __repr__(self) -> str:
        return f"Limits({', '.join([f'{name}={value}' for name, value in self._all().items()])})"


#: What a server takes by default.
REQUEST_LIMITS = Limits()
#: What a client takes by default: servers send larger heads than clients do.
RESPONSE_LIMITS = Limits(head=65536, line=32768, fields=512)
