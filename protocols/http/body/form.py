"""Names and values as a form sends them: ``application/x-www-form-urlencoded`` (WHATWG URL, section 5)."""

from __future__ import annotations

from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Value = str | bytes | int | float
    Pairs = Mapping[str, Value | list[Value] | tuple[Value, ...]] | Iterable[tuple[str, Value]]

FORM_TYPE = "application/x-www-form-urlencoded"
_SAFE = frozenset(b"*-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_WRITTEN = [chr(byte) if byte in _SAFE else "+" if byte == 0x20 else f"%{byte:02X}" for byte in range(256)]


def formEncoded(pairs: Pairs, argument: str = "form") -> str:
    """``name=value&name=value``. The values are text (sent as UTF-8), bytes, numbers; in a mapping a list of them
    stands for several of one name.

    TypeError, which names `argument`, for others: True and None have no one form that servers agree on.
    """
    return "&".join([f"{_written(name)}={_written(value)}" for name, value in textPairs(pairs, argument)])


def textPairs(pairs: Pairs, argument: str) -> Iterator[tuple[bytes, bytes]]:
    """Each name with each of its values, as bytes."""
    if isinstance(pairs, (str, bytes)) or not hasattr(pairs, "__iter__"):
        raise TypeError(f"{argument} must be a mapping or pairs of names and values, not {type(pairs).__name__}")
    several = isinstance(pairs, Mapping)
    for name, value in pairs.items() if isinstance(pairs, Mapping) else pairs:
        values = value if several and isinstance(value, (list, tuple)) else [value]
        for each in values:
            yield asBytes(name, argument, name), asBytes(each, argument, name)


def asBytes(value: object, argument: str, name: object) -> bytes:
    """A value of a form as it is sent."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value).encode()
    raise TypeError(f"{argument}: {name!r} must be str, bytes or a number, not {type(value).__name__}")


def _written(data: bytes) -> str:
    return "".join([_WRITTEN[byte] for byte in data])
