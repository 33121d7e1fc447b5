"""A text for any object, of bounded length, that never raises."""

from __future__ import annotations

from typing import Any

import pytest

from reactor._ground.naming import LONGEST, cut, harmless, nameOf, prefixOf, said, shown, visible
from reactor.base import Reactor


class Raising:
    def __repr__(self) -> str:
        raise KeyError("of the program")

    __str__ = __repr__

    def logPrefix(self) -> str:
        raise KeyError("of the program")


class Text(str):
    """Raises where it is used, not where it is made."""

    __slots__ = ()

    def __len__(self) -> int:
        raise KeyError("of the program")

    def __getitem__(self, index: Any) -> str:
        raise KeyError("of the program")


class Odd:
    """Neither text is one."""

    def __repr__(self) -> Any:
        return 5

    def __str__(self) -> Any:
        return None  # noqa: PLE0307

    def logPrefix(self) -> Any:
        return b"bytes"


class Subclassed:
    def __repr__(self) -> str:
        return Text("text")

    def logPrefix(self) -> str:
        return Text("prefix")


class Metaclass(type):
    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise KeyError("of the program")


class OfMetaclass(Raising, metaclass=Metaclass):
    pass


class Endless:
    def __repr__(self) -> str:
        return repr([self])


def test_whatPythonSays() -> None:
    assert (shown("a'b"), said("a'b"), shown(5), said(None)) == ('"a\'b"', "a'b", "5", "None")


@pytest.mark.parametrize("name", [shown, said, prefixOf])
def test_whatRaises(name: Any) -> None:
    assert "Raising whose" in name(Raising()) and name(Raising()).endswith("raises KeyError>")
    assert "raises" in name(OfMetaclass()) and "OfMetaclass" in name(OfMetaclass())
    assert "raises" in shown(Endless()) and "RecursionError" in said(Endless())


def test_whatIsNoText() -> None:
    assert (shown(Odd()), said(Odd())) == (
        "<Odd whose representation raises TypeError>",
        "<Odd whose text raises TypeError>",
    )
    assert prefixOf(Odd()) == "b'bytes'"
    assert prefixOf(object()) == "<object whose logPrefix raises AttributeError>"


def test_whatOnlyLooksLikeAText() -> None:
    assert (shown(Subclassed()), said(Text("x" * 5000), 5), prefixOf(Subclassed())) == (
        "text",
        "xxxxx... (5000 in all)",
        "prefix",
    )


@pytest.mark.parametrize("raised", [GeneratorExit, type("Own", (BaseException,), {})])
def test_whateverIsRaised(raised: type[BaseException]) -> None:
    class Thing:
        def __repr__(self) -> str:
            raise raised

    assert shown(Thing()) == f"<Thing whose representation raises {raised.__name__}>"


@pytest.mark.parametrize("value", ["x" * 10**6, b"x" * 10**6, ["x"] * 10**6, {"x" * 10**6}, ValueError("x" * 10**6)])
def test_whatIsLong(value: Any) -> None:
    for text in (shown(value), said(value)):
        assert len(text) <= LONGEST + 50 and text.endswith(" in all)")
    assert len(shown(value, None)) >= 10**6


def test_cut() -> None:
    assert (cut("four", 4), cut("fours", 4), cut("fours", None)) == ("four", "four... (5 in all)", "fours")


def test_theNameOfAClass() -> None:
    assert [nameOf(cls) for cls in (int, Raising, OfMetaclass)] == ["int", "Raising", "OfMetaclass"]


def test_aKeyboardInterruptThere() -> None:
    """Where a reactor runs it stops, and whoever names the object goes on; elsewhere it is raised."""

    class Thing:
        def __repr__(self) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shown(Thing())
    reactor, texts = Reactor(), []
    reactor.callLater(0, lambda: texts.append(shown(Thing())))
    with pytest.raises(KeyboardInterrupt):
        reactor.run()
    reactor.close()
    assert texts == ["<Thing whose representation raises KeyboardInterrupt>"]


HOSTILE = "evil\x1b[2J\x9b31m\x85\x0b\x0c\r\n\u2028\u2029\u202e\x00\x7f\udcff"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain, schön, \U0001f600", "plain, schön, \U0001f600"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\x1b[2J\x9b", "\\x1b[2J\\x9b"),
        ("schön\u2028\u202e\xa0", "schön\\u2028\\u202e\\xa0"),
        ("\udcff\U000e0001", "\\udcff\\U000e0001"),
        ("", ""),
    ],
)
def test_whatIsVisible(text: str, seen: str) -> None:
    assert visible(text) == seen
    assert visible(seen) == seen


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_whatSteersATerminalIsNeverThere(number: int) -> None:
    text = HOSTILE[number]
    assert visible(text).isprintable()
    assert harmless(text).isprintable() or text == "\n"
    harmless(text).encode()


def test_severalLinesStayLines() -> None:
    text = "Traceback:\n\tone\n  schön\xa0\u200b\n"
    assert harmless(text) == text
    assert harmless("a\x1b\nb\r\n") == "a\\x1b\nb\\r\n"
