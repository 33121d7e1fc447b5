r"""Descriptions of endpoints as text: ``tcp:example.com:80:timeout=10``. Pure: knows no endpoint and opens nothing.

Parts stand between colons; the first is the type. A part with an equals sign is an option with a name, any other has
its meaning from its place. A backslash takes the special meaning from the character after it, whichever that is. What
cannot be understood is a ValueError that shows the text, a caret below the place, and what was expected there; no
other exception comes out of here for a text.
"""

from __future__ import annotations

from math import isfinite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_HINT = r"(a colon inside a value is written \:, a backslash \\)"


def quoteStringArgument(argument: str) -> str:
    """`argument` so that it can stand in a description as one value, whatever characters it has."""
    return argument.replace("\\", "\\\\").replace(":", "\\:").replace("=", "\\=")


class Argument:
    """One part of a description: its text, its name if it has one, and where both begin in the description."""

    __slots__ = ("at", "name", "nameAt", "text")

    def __init__(self, text: str, at: int, name: str | None, nameAt: int) -> None:
        self.text = text
        self.at = at
        self.name = name
        self.nameAt = nameAt


class Description:
    """A description that was taken apart: `type` in lower case, and the arguments after it, in order."""

    __slots__ = ("arguments", "source", "type")

    def __init__(self, source: str) -> None:
        """ValueError when `source` is no description."""
        self.source = source
        first, *self.arguments = _split(source)
        if first.name is not None or not first.text:
            raise wrong(source, 0, "expected the type of the endpoint, as in tcp:example.com:80")
        self.type = first.text.lower()
        named: set[str] = set()
        for each in self.arguments:
            if each.name is not None:
                if each.name in named:
                    raise wrong(source, each.nameAt, f"{each.name}= is given twice, expected once")
                named.add(each.name)

    @property
    def args(self) -> list[str]:
        """The texts that have their meaning from their place."""
        return [each.text for each in self.arguments if each.name is None]

    @property
    def kwargs(self) -> dict[str, str]:
        """The texts that have a name."""
        return {each.name: each.text for each in self.arguments if each.name is not None}


def _split(source: str) -> list[Argument]:
    found: list[Argument] = []
    text: list[str] = []
    name: str | None = None
    start = at = position = 0
    while position < len(source):
        character = source[position]
        if character == "\\":
            position += 1
            if position == len(source):
                raise wrong(source, position - 1, r"expected a character after the backslash; itself it is written \\")
            text.append(source[position])
        elif character == ":":
            found.append(Argument("".join(text), at, name, start))
            text, name, start, at = [], None, position + 1, position + 1
        elif character == "=" and name is None:
            name, text, at = "".join(text), [], position + 1
        else:
            text.append(character)
        position += 1
    found.append(Argument("".join(text), at, name, start))
    return found


def wrong(source: str, at: int, text: str) -> ValueError:
    """What to raise when `source` is not right at the character `at`; `text` says what was expected."""
    before, after = _shown(source[:at]), _shown(source[at:])
    return ValueError(f"endpoint description: {_shown(text)}\n  {before}{after}\n  {' ' * len(before)}^")


def _shown(text: str) -> str:
    # On one line, a column a character, whatever somebody put in.
    return "".join([c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text])


class Options:
    """The arguments of a description by name, to be read with a default each, and checked."""

    __slots__ = ("_given", "_source")

    def __init__(
        self, description: Description, places: Sequence[str], names: Sequence[str] = (), *, skip: bool = False
    ) -> None:
        """Arguments without a name are called by `places` in order; those with one may be of `places` or `names`.

        ValueError for one more, for another name, and for one given both ways. With `skip` those given by name leave
        their place to the next, so that ``80:host=example.com`` is understood where the places are host and port.
        """
        source = self._source = description.source
        known = [*places, *names]
        byName = description.kwargs
        free = [place for place in places if not (skip and place in byName)]
        given: dict[str, Argument] = {}
        for each in description.arguments:
            name = each.name
            if name is None:
                if not free:
                    raise wrong(source, each.at, f"expected no more values, or {_options(known)} {_HINT}")
                name = free.pop(0)
            elif name not in known:
                raise wrong(
                    source,
                    each.nameAt,
                    f"no option of {description.type}: is called {name!r}; expected {_options(known)}",
                )
            if name in given:
                raise wrong(source, each.nameAt, f"{name} is given twice, expected once")
            given[name] = each
        self._given = given

    def has(self, name: str) -> bool:
        """Whether the option was given."""
        return name in self._given

    def wrong(self, name: str, text: str) -> ValueError:
        """What to raise when the value of an option is not right; for one that is missing the place is the end."""
        given = self._given.get(name)
        return wrong(self._source, len(self._source) if given is None else given.at, text)

    def required(self, name: str) -> str:
        """The text of an option that has to be there."""
        if name not in self._given:
            raise self.wrong(name, f"expected {name}, which is missing")
        return self._given[name].text

    def text(self, name: str, default: str = "") -> str:
        """The text of an option."""
        return self._given[name].text if name in self._given else default

    def number(self, name: str, default: int | None = None, most: int = 2**31 - 1) -> int:
        """A whole number from 0 to `most`; without a default it is required."""
        if default is not None and name not in self._given:
            return default
        text = self.required(name)
        if not (text.isascii() and text.isdigit() and len(text) <= 20 and int(text) <= most):
            raise self.wrong(name, f"expected {name} to be a number from 0 to {most}, not {text!r}")
        return int(text)

    def port(self, default: int | None = None) -> int:
        """The option port, a number from 0 to 65535; without a default it is required."""
        return self.number("port", default, most=65535)

    def mode(self, name: str, default: int) -> int:
        """Permissions, an octal number."""
        if name not in self._given:
            return default
        text = self._given[name].text
        if not text or len(text) > 5 or not set(text) <= set("01234567"):
            raise self.wrong(name, f"expected {name} to be permissions as an octal number, such as 600, not {text!r}")
        return int(text, 8)

    def seconds(self, name: str, default: float) -> float:
        """A number of seconds, not negative; 0 stands for no limit where it is a time limit."""
        if name not in self._given:
            return default
        text = self._given[name].text
        try:
            seconds = float(text)
        except ValueError:
            seconds = -1.0
        if not isfinite(seconds) or seconds < 0:
            raise self.wrong(name, f"expected {name} to be a number of seconds, not {text!r}")
        return int(seconds) if seconds == int(seconds) else seconds

    def flag(self, name: str, default: bool) -> bool:
        """A yes or no: a whole number, of which 0 is no."""
        return bool(self.number(name, int(default)))


def _options(names: Sequence[str]) -> str:
    return ", ".join([f"{name}=" for name in names]) or "none"
