"""How objects of programs are named in reports: a text of bounded length, whatever they do.

A program's `__repr__`, `__str__` or `logPrefix` may raise, and may return a megabyte. Whoever reports something is in
the middle of carrying on after an error, and must get to the end of that. So whatever names an object that is not our
own asks here, and gets a text.
"""

from __future__ import annotations

import re

from reactor._ground.current import interrupted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: How many characters of one object a report shows, unless it says otherwise.
LONGEST = 1000


def shown(value: object, limit: int | None = LONGEST) -> str:
    """``repr(value)``, at most `limit` characters of it and how many there are (None: all). Never raises."""
    if limit is not None and value.__class__ in (str, bytes) and len(value) > limit:
        # Not made whole only to be cut.
        return f"{value[:limit]!r}... ({len(value)} in all)"
    return cut(_asked(repr, value, "representation"), limit)


def said(value: object, limit: int | None = LONGEST) -> str:
    """``str(value)``, bounded likewise. Never raises."""
    return cut(_asked(str, value, "text"), limit)


def visible(text: str) -> str:
    """`text` on one line and without what could steer a terminal: what cannot be printed is written as in a literal."""
    if text.isprintable():
        return text
    return "".join([c if c.isprintable() else _literal(c) for c in text])


def harmless(text: str) -> str:
    """`text` of several lines, likewise but for its line feeds and tabs, and what is only invisible."""
    return _STEERING.sub(lambda found: _literal(found[0]), text)


def prefixOf(value: Any) -> str:
    """What ``value.logPrefix()`` says, or the name of its class. Never raises."""
    return cut(_asked(_prefix, value, "logPrefix"), LONGEST)


def nameOf(cls: type[Any]) -> str:
    """The name of a class, whatever its metaclass makes of that."""
    name: str = _CLASS_NAME(cls)
    return name


def cut(text: str, limit: int | None) -> str:
    """`text`, or its first `limit` characters and how many it has."""
    if limit is None or len(text) <= limit:
        return text
    return f"{text[:limit]}... ({len(text)} in all)"


# Control characters but tab and LF, what else begins a line or turns the direction of writing, and what is no text.
_STEERING = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def _literal(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


_CLASS_NAME = type.__dict__["__name__"].__get__


def _prefix(value: Any) -> str:
    return said(value.logPrefix(), None)


def _asked(how: Callable[[Any], str], value: object, what: str) -> str:
    try:
        # A subclass of str could raise where it is used.
        return "".join((how(value),))
    except (KeyboardInterrupt, SystemExit) as e:
        problem: BaseException = e
        interrupted(e)
    except BaseException as e:
        problem = e
    return f"<{nameOf(type(value))} whose {what} raises {nameOf(type(problem))}>"
