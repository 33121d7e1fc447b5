"""Fields of a message as a multi-mapping: order and case are kept, names are compared without case.

Values are str, Latin-1 on the wire; bytes are accepted wherever a str is. What a program puts in is checked there and
then. What a parser has read is taken as it is, and nothing is made of it before somebody asks.
"""

from __future__ import annotations

from protocols.http.fields import checkedName, checkedValue
from reactor._ground.naming import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any, Self, TypeVar

    T = TypeVar("T")

__all__ = ["Headers"]

# Names that programs have asked for -> how they are compared. Bounded; programs ask for the same few.
_keys: dict[str | bytes, bytes] = {}
_KEYS = 512


def _keyOf(name: str | bytes) -> bytes:
    key = _keys.get(name)
    if key is None:
        if isinstance(name, str):
            # What has no byte is the name of no field, and is looked for in vain.
            key = name.encode("latin-1", "replace").lower()
        else:
            key = bytes(name).lower()
        if len(_keys) < _KEYS and len(key) < 64:
            _keys[name] = key
    return key


def _noPairs(given: object) -> TypeError:
    return TypeError(f"headers must be a mapping, or pairs of a name and a value, not {shown(given)}")


class Headers:
    """Fields: names compare without case, one may be there several times, all stay in order as they were written.

    ``h["accept"]`` is the value (several joined by a comma and a space; KeyError if there is none), ``h["accept"] = v``
    replaces, ``del`` removes them all, ``in``, ``iter`` (each name once) and ``len`` (all lines) as one expects. Two
    are equal if each name has the same values in the same order.

    :param initial: a mapping (of ``Headers`` all fields) or pairs.
    :raises ValueError: for a name that is no token, and a value with CR, LF, NUL or other controls in it: names both.
        TypeError for what is no mapping and no pairs.
    :ivar raw: all fields as pairs of bytes, in order. To be read; the methods are for changing them.
    """

    __slots__ = ("_index", "raw")

    raw: list[tuple[bytes, bytes]]

    def __init__(
        self,
        initial: Mapping[str, str] | Headers | Iterable[tuple[str | bytes, str | bytes]] | None = None,
    ) -> None:
        self.raw = []
        # Lower-case name -> its values; None before anybody asks, and after a change.
        self._index: dict[bytes, list[bytes]] | None = None
        if initial is None:
            return
        if isinstance(initial, Headers):
            self.raw = initial.raw.copy()
            return
        pairs: Any = initial.items() if hasattr(initial, "items") else initial
        if isinstance(pairs, (str, bytes)) or not hasattr(pairs, "__iter__"):
            raise _noPairs(pairs)
        for pair in pairs:
            if pair.__class__ is not tuple or len(pair) != 2:
                if isinstance(pair, (str, bytes)) or not hasattr(pair, "__len__") or len(pair) != 2:
                    raise _noPairs(pair)
            name, value = pair
            self.raw.append((checkedName(name), checkedValue(name, value)))

    @classmethod
    def fromRaw(cls, pairs: list[tuple[bytes, bytes]]) -> Self:
        """What a parser has read, without a check; `pairs` is kept, not copied."""
        self = cls.__new__(cls)
        self.raw = pairs
        self._index = None
        return self

    def _values(self, name: str | bytes) -> list[bytes] | None:
        index = self._index
        if index is None:
            index = self._index = {}
            for each, value in self.raw:
                index.setdefault(each.lower(), []).append(value)
        return index.get(_keyOf(name))

    def __getitem__(self, name: str | bytes) -> str:
        values = self._values(name)
        if values is None:
            raise KeyError(name)
        return self._joined(name, values)

    @staticmethod
    def _joined(name: str | bytes, values: list[bytes]) -> str:
        if len(values) == 1:
            return values[0].decode("latin-1")
        # The one field whose several lines are no list (RFC 9113, section 8.2.3).
        between = b"; " if _keyOf(name) == b"cookie" else b", "
        return between.join(values).decode("latin-1")

    def get(self, name: str | bytes, default: T = None) -> str | T:  # type: ignore[assignment]
        """The value, several joined; `default` if there is none."""
        values = self._values(name)
        return default if values is None else self._joined(name, values)

    def getAll(self, name: str | bytes) -> list[str]:
        """The values of all fields of that name, in order; [] if there is none."""
        return [value.decode("latin-1") for value in self._values(name) or ()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str | bytes) and self._values(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def keys(self) -> list[str]:
        """Each name once, as it is written where it comes first."""
        seen: dict[bytes, bytes] = {}
        for name, _ in self.raw:
            seen.setdefault(name.lower(), name)
        return [name.decode("latin-1") for name in seen.values()]

    def values(self) -> list[str]:
        """The values of all fields, in order."""
        return [value.decode("latin-1") for _, value in self.raw]

    def items(self) -> list[tuple[str, str]]:
        """All fields, in order: a name that is there twice comes twice."""
        return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self.raw]

    def __len__(self) -> int:
        return len(self.raw)

    def __bool__(self) -> bool:
        return bool(self.raw)

    def __setitem__(self, name: str | bytes, value: str | bytes) -> None:
        pair = checkedName(name), checkedValue(name, value)
        key = _keyOf(name)
        for at, (each, _) in enumerate(self.raw):
            if each.lower() == key:
                rest = [other for other in self.raw[at + 1 :] if other[0].lower() != key]
                self.raw[at:] = [pair, *rest]
                break
        else:
            self.raw.append(pair)
        self._index = None

    def __delitem__(self, name: str | bytes) -> None:
        if self._values(name) is None:
            raise KeyError(name)
        key = _keyOf(name)
        self.raw[:] = [pair for pair in self.raw if pair[0].lower() != key]
        self._index = None

    def add(self, name: str | bytes, value: str | bytes) -> None:
        """One more field, behind all others, whether or not there is one of that name."""
        self.raw.append((checkedName(name), checkedValue(name, value)))
        self._index = None

    def setdefault(self, name: str | bytes, value: str | bytes) -> str:
        """The value that is there, or `value`, which is there from now on."""
        if self._values(name) is None:
            self.add(name, value)
        return self[name]

    def pop(self, name: str | bytes, default: T = None) -> str | T:  # type: ignore[assignment]
        """Remove all fields of that name; their value, several joined, or `default` if there is none."""
        found = self.get(name)
        if found is None:
            return default
        del self[name]
        return found

    def update(self, other: Mapping[str, str] | Headers | Iterable[tuple[str | bytes, str | bytes]]) -> None:
        """The fields of `other` replace those of the same names."""
        more = Headers(other)
        theirs = {name.lower() for name, _ in more.raw}
        self.raw[:] = [pair for pair in self.raw if pair[0].lower() not in theirs] + more.raw
        self._index = None

    def copy(self) -> Headers:
        """Another one with the same fields."""
        return Headers.fromRaw(self.raw.copy())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Headers):
            return NotImplemented
        self._values(b"")
        other._values(b"")
        return self._index == other._index

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Headers({self.items()!r})"
