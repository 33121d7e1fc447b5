"""What a server says that it can do: RPL_ISUPPORT (005), ``draft-hardy-irc-isupport-00`` and what became of it."""

from __future__ import annotations

import re

from protocols.irc.casemapping import fold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

__all__ = ["ServerSupportedFeatures"]

_unescape = re.compile(r"\\x([0-9a-fA-F]{2})").sub
_MODE_KINDS = ("addressModes", "param", "setParam", "noParam")


def _defaults() -> dict[str, Any]:
    """What holds while a server says nothing, or no more (RFC 1459)."""
    return {
        "CHANNELLEN": 200,
        "CHANTYPES": ("#", "&"),
        "MODES": 3,
        "NICKLEN": 9,
        "PREFIX": {"o": ("@", 0), "v": ("+", 1), "h": ("%", 2)},
        "CHANMODES": {"addressModes": "b", "param": "", "setParam": "lk", "noParam": ""},
    }


def _number(text: str) -> int | None:
    # int() would take "1_000", spaces and other scripts' digits, and take long for thousands of digits.
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


class ServerSupportedFeatures:
    """The features of one server, by name; before it says anything, what RFC 1459 lets a client expect.

    Values are what the feature is made of: a number or None for no limit, text, a tuple of channel prefixes, a list of
    pairs, a mapping; for a feature that this class does not know, the tuple of its comma-separated parts.
    """

    #: How many features are kept; of others that the server names, nothing is.
    MAX_FEATURES = 500
    #: Characters of a feature and its value; what is longer, which no line of RFC 1459 has room for, is not kept.
    MAX_LENGTH = 512

    def __init__(self) -> None:
        self._features = _defaults()

    def parse(self, params: Iterable[str]) -> None:
        """Take in ``NAME``, ``NAME=value`` and ``-NAME``: that is as if the feature had never been named.

        A value that makes no sense never raises: a number becomes None, the rest stays as it is written.
        """
        for param in params:
            if len(param) > self.MAX_LENGTH:
                continue
            name, _, value = param.partition("=")
            if param.startswith("-"):
                self._takeBack(param[1:])
            elif name in self._features or len(self._features) < self.MAX_FEATURES:
                value = _unescape(lambda octet: chr(int(octet[1], 16)), value)
                self._features[name] = _READERS.get(name, _parts)(value)

    def _takeBack(self, name: str) -> None:
        # Written "-NAME=value" by servers that repeat what they said before.
        name = name.partition("=")[0]
        self._features.pop(name, None)
        before = _defaults().get(name)
        if before is not None:
            self._features[name] = before

    def getFeature(self, feature: str, default: Any = None) -> Any:
        """The value of `feature`, or `default` if the server does not have it."""
        return self._features.get(feature, default)

    def hasFeature(self, feature: str) -> bool:
        """Whether the server has `feature`."""
        return feature in self._features

    @property
    def casemapping(self) -> str:
        """How names compare on this server, see `fold`: what it says, or ``rfc1459``."""
        named: tuple[str, ...] = self._features.get("CASEMAPPING") or ("",)
        return named[0].lower() or "rfc1459"

    def fold(self, name: str) -> str:
        """What is equal for two nicknames or channels exactly when this server takes them for the same one."""
        return fold(name, self.casemapping)

    def isChannel(self, name: str) -> bool:
        """Whether `name` is that of a channel on this server, rather than a nickname."""
        return name[:1] in (self._features.get("CHANTYPES") or ()) if name else False

    def splitPrefixes(self, name: str) -> tuple[str, str]:
        """The marks of rank before a nickname (``@+`` of ``@+alice``, as in NAMES), and the nickname."""
        marks = {mark for mark, _ in (self._features.get("PREFIX") or {}).values()}
        bare = name.lstrip("".join(marks)) if marks else name
        return name[: len(name) - len(bare)], bare

    @property
    def paramModes(self) -> tuple[str, str]:
        """The channel modes that have a parameter when added, and when removed: for `parseModes`."""
        kinds = self._features.get("CHANMODES") or {}
        ranks = "".join(self._features.get("PREFIX") or {})
        always = kinds.get("addressModes", "") + kinds.get("param", "") + ranks
        return always + kinds.get("setParam", ""), always


def _parts(value: str) -> tuple[str, ...]:
    return tuple(value.split(","))


def _limits(value: str) -> list[tuple[str, int | None]]:
    """The pairs of ``name:number,name:``."""
    return [(name, _number(limit)) for name, _, limit in (item.partition(":") for item in value.split(","))]


def _texts(value: str) -> list[tuple[str, str]]:
    return [(name, text) for name, _, text in (item.partition(":") for item in value.split(","))]


def _chanModes(value: str) -> dict[str, str] | tuple[str, ...]:
    kinds = value.split(",")
    # More than four kinds: what the fifth means, nobody has said.
    return {kind: kinds[i] if i < len(kinds) else "" for i, kind in enumerate(_MODE_KINDS)}


def _prefix(value: str) -> dict[str, tuple[str, int]] | None:
    modes, parenthesis, marks = value[1:].partition(")")
    if value[:1] != "(" or not parenthesis:
        return None
    return {mode: (mark, rank) for rank, (mode, mark) in enumerate(zip(modes, marks, strict=False))}


_READERS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("CHANNELLEN", "KICKLEN", "MODES", "NICKLEN", "TOPICLEN"), _number),
    **dict.fromkeys(("NETWORK", "STATUSMSG"), str),
    "CHANLIMIT": _limits,
    "CHANMODES": _chanModes,
    "CHANTYPES": tuple,
    "EXCEPTS": lambda value: value or "e",
    "IDCHAN": _texts,
    "INVEX": lambda value: value or "I",
    "MAXLIST": _limits,
    "PREFIX": _prefix,
    "SAFELIST": lambda value: True,
    "TARGMAX": lambda value: dict(_limits(value)),
}
