"""Formatted text as most clients show it (mIRC's control characters): made, parsed and stripped.

``assembleFormattedText(attributes.bold["loud ", attributes.fg.red["and red"]])`` is text for a message. Formatting is a
tree of `Formatted`, made by indexing; `parseFormattedText` gives such a tree back.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["COLORS", "Formatted", "assembleFormattedText", "attributes", "parseFormattedText", "stripFormatting"]

#: The colours that have names, by number in the text.
COLORS = (
    *("white", "black", "blue", "green", "lightRed", "red", "magenta", "orange"),
    *("yellow", "lightGreen", "cyan", "lightCyan", "lightBlue", "lightMagenta", "gray", "lightGray"),
)
_NO_COLOR = 99
_OFF = "\x0f"
_COLOR = "\x03"
# In the order in which they are written.
_STYLES = {
    "bold": "\x02",
    "underline": "\x1f",
    "reverseVideo": "\x16",
    "italic": "\x1d",
    "strikethrough": "\x1e",
    "monospace": "\x11",
}
_STYLE_OF = {code: name for name, code in _STYLES.items()}
_token = re.compile("([\x02\x0f\x11\x16\x1d-\x1f])|\x03(?:([0-9]{1,2})(?:,([0-9]{1,2}))?)?").finditer
_strip = re.compile("[\x02\x0f\x11\x16\x1d-\x1f]|\x03(?:[0-9]{1,2}(?:,[0-9]{1,2})?)?").sub

# What text looks like: style or "fg" or "bg" -> True or the number of a colour.
_Look = dict[str, int]


class Formatted:
    """Text with a look, in which there may be text with more: ``formatted["text", formatted["more"]]``.

    Equal are two whose text is the same and looks the same, however it is put together; so ``normal["a"]`` is what
    `parseFormattedText` makes of ``a``. What has no text yet is equal when its own look is.
    """

    __slots__ = ("children", "look")

    def __init__(self, look: _Look, children: tuple[str | Formatted, ...] = ()) -> None:
        self.look = look
        self.children = children

    def __getitem__(self, children: str | Formatted | tuple[str | Formatted, ...]) -> Formatted:
        """This look with `children` in it, after those that there are."""
        more = children if isinstance(children, tuple) else (children,)
        for child in more:
            if not isinstance(child, str | Formatted):
                raise TypeError(f"formatted text is made of str and Formatted, not {type(child).__name__}: {child!r}")
        return Formatted(self.look, self.children + more)

    # An iteration by indexing would never end.
    __iter__ = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Formatted):
            return NotImplemented
        mine = _runs(self)
        return mine == _runs(other) and (bool(mine) or self.look == other.look)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Formatted {self.look} {list(self.children)!r}>"


class _Colors:
    """The colours of one ground, by name."""

    def __init__(self, ground: str) -> None:
        self._ground = ground

    def __getattr__(self, name: str) -> Formatted:
        if name not in COLORS:
            raise AttributeError(f"no colour {name!r}: there are {', '.join(COLORS)}")
        return Formatted({self._ground: COLORS.index(name)})


class _Attributes:
    """What text can look like; ``fg`` and ``bg`` have the colours of `COLORS` by name."""

    def __init__(self) -> None:
        self.fg = _Colors("fg")
        self.bg = _Colors("bg")
        self.normal = Formatted({})
        self.bold = Formatted({"bold": True})
        self.underline = Formatted({"underline": True})
        self.reverseVideo = Formatted({"reverseVideo": True})
        self.italic = Formatted({"italic": True})
        self.strikethrough = Formatted({"strikethrough": True})
        self.monospace = Formatted({"monospace": True})


#: ``attributes.bold["text"]``, ``attributes.fg.red["text"]``, ``attributes.normal["text", ...]`` and so on.
attributes = _Attributes()


def assembleFormattedText(formatted: Formatted) -> str:
    """The text with control characters for `formatted`; every piece says its whole look.

    ``normal`` takes away the look of what it is in.
    """
    return "".join([_codes(look, text) + text for text, look in _pieces(formatted)])


def _pieces(formatted: Formatted) -> Iterator[tuple[str, _Look]]:
    """Each text in `formatted`, and its whole look."""
    # Not by recursion: trees may be deep.
    todo: list[tuple[str | Formatted, _Look]] = [(formatted, {})]
    while todo:
        node, look = todo.pop()
        if isinstance(node, str):
            yield node, look
        else:
            inner = {**look, **node.look} if node.look else {}
            todo.extend((child, inner) for child in reversed(node.children))


def _runs(formatted: Formatted) -> list[tuple[str, _Look]]:
    """The same without empty texts, and with neighbours that look the same as one."""
    runs: list[tuple[list[str], _Look]] = []
    for text, look in _pieces(formatted):
        if not text:
            continue
        if runs and runs[-1][1] == look:
            runs[-1][0].append(text)
        else:
            runs.append(([text], look))
    return [("".join(texts), look) for texts, look in runs]


def _codes(look: _Look, text: str) -> str:
    """The control characters that make `text` look so."""
    codes = _OFF + "".join(code for name, code in _STYLES.items() if look.get(name))
    fg, bg = look.get("fg"), look.get("bg")
    if bg is not None:
        # A background alone cannot be said.
        codes += f"{_COLOR}{_NO_COLOR if fg is None else fg:02d},{bg:02d}"
    elif fg is not None:
        # A comma in the text must not announce a background.
        codes += f"{_COLOR}{fg:02d}" + (f",{_NO_COLOR}" if text.startswith(",") else "")
    return codes


def parseFormattedText(text: str) -> Formatted:
    """`text` with control characters as a tree: ``normal`` with one child for each piece that has a look of its own."""
    runs: list[str | Formatted] = []
    look: _Look = {}
    start = 0
    for token in _token(text):
        if token.start() > start:
            runs.append(Formatted(look, (text[start : token.start()],)))
        start = token.end()
        look = _changed(look, *token.groups())
    if start < len(text):
        runs.append(Formatted(look, (text[start:],)))
    return Formatted({}, tuple(runs))


def _changed(look: _Look, code: str | None, fg: str | None, bg: str | None) -> _Look:
    """What `look` becomes by one control character; a colour without numbers ends colours."""
    if code == _OFF:
        return {}
    changed = dict(look)
    if code is not None:
        name = _STYLE_OF[code]
        if not changed.pop(name, None):
            changed[name] = True
        return changed
    for ground, digits in (("fg", fg), ("bg", bg)):
        number = _NO_COLOR if fg is None else None if digits is None else int(digits)
        if number == _NO_COLOR:
            changed.pop(ground, None)
        elif number is not None:
            changed[ground] = number
    return changed


def stripFormatting(text: str) -> str:
    """`text` without control characters for its look."""
    return _strip("", text)
