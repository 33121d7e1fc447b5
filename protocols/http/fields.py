"""What a field may be when it is sent: its name a token, its value without anything that ends a line. Pure.

The caller who gives another one gets a ValueError that names it. The line that a field becomes is kept once it was
checked: a server sends the same ones with each answer.
"""

from __future__ import annotations

import re

from reactor._ground.naming import shown

__all__ = ["checkedName", "checkedValue", "fieldLine", "isToken"]

#: RFC 9110, section 5.6.2.
TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# All controls but the tab: those that RFC 9110, section 5.5 calls dangerous, and those that our reader refuses as well.
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

# (name, value) as given -> the line of it. Bounded by emptying it: what a program sends often is there again at once.
_lines: dict[tuple[str | bytes, str | bytes], bytes] = {}
_LINES = 1024
# Longer ones are made anew each time, so that the cache takes at most some hundred KiB.
_LONGEST = 256


def isToken(data: bytes) -> bool:
    """Whether `data` is a token (RFC 9110, section 5.6.2): what names of fields and methods are made of."""
    return TOKEN.fullmatch(data) is not None


def checkedName(name: str | bytes) -> bytes:
    """The name of a field as it is sent.

    :raises TypeError: if it is neither str nor bytes.
    :raises ValueError: if it is no token.
    """
    if isinstance(name, str):
        try:
            raw = name.encode("ascii")
        except UnicodeEncodeError:
            raise ValueError(f"name of a field is no token: {shown(name)}") from None
    elif isinstance(name, bytes):
        raw = name
    else:
        raise TypeError(f"name of a field is str or bytes, not {shown(name)}")
    if TOKEN.fullmatch(raw) is None:
        raise ValueError(f"name of a field is no token: {shown(name)}")
    return raw


def checkedValue(name: str | bytes, value: str | bytes) -> bytes:
    """The value of the field `name` as it is sent: Latin-1, without the spaces and tabs around it.

    :raises TypeError: if it is neither str nor bytes.
    :raises ValueError: if there is a CR, LF, NUL or another control character in it, or what Latin-1 has no byte for.
    """
    if isinstance(value, str):
        try:
            raw = value.encode("latin-1")
        except UnicodeEncodeError:
            raise ValueError(f"value of field {shown(name)} is not Latin-1: {shown(value)}") from None
    elif isinstance(value, bytes):
        raw = value
    else:
        raise TypeError(f"value of field {shown(name)} is str or bytes, not {shown(value)}")
    if _CONTROL.search(raw) is not None:
        raise ValueError(f"value of field {shown(name)} has a control character: {shown(value)}")
    return raw.strip(b" \t")


def fieldLine(name: str | bytes, value: str | bytes) -> bytes:
    """The line of one field, its end included. Errors are those of `checkedName` and `checkedValue`."""
    line = _lines.get((name, value))
    if line is None:
        line = b"%b: %b\r\n" % (checkedName(name), checkedValue(name, value))
        if len(line) <= _LONGEST:
            if len(_lines) >= _LINES:
                _lines.clear()
            _lines[name, value] = line
    return line
