"""Whole bodies of requests, and queries, as what they say: text, JSON, forms. Pure.

A body that does not say it is refused with `BadMessage`, of which the server makes the answer.
"""

from __future__ import annotations

from email.message import Message
from urllib.parse import parse_qsl

from protocols.http.error import BadMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

__all__ = ["Values", "decoded", "fromJSON", "notAForm"]

# How many values a query or a form may have: each takes far more memory than the two bytes that it can be written with.
MOST = 1000
FORM = "application/x-www-form-urlencoded"


class Values(dict[str, str]):
    """Names and values of a query or form: a dict of the first value of each name. `getAll` has all of them.

    :ivar pairs: all, in order.
    """

    __slots__ = ("pairs",)

    pairs: list[tuple[str, str]]

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs
        for name, value in pairs:
            self.setdefault(name, value)

    @classmethod
    def parsed(cls, text: str) -> Self:
        """Those of ``a=1&b=2``. BadMessage for more than MOST."""
        try:
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST)
        except ValueError:
            raise BadMessage(f"more than {MOST} values", 400, "query or form") from None
        return cls(pairs)

    def getAll(self, name: str) -> list[str]:
        """All values of that name, in order."""
        return [value for each, value in self.pairs if each == name]


def typeOf(contentType: str) -> tuple[str, dict[str, str]]:
    """What a Content-Type names, in lower case, and its parameters."""
    message = Message()
    message["content-type"] = contentType.replace("\r", " ").replace("\n", " ") or "application/octet-stream"
    pairs: Any = message.get_params() or []
    return message.get_content_type() if contentType else "", {name.lower(): value for name, value in pairs[1:]}


def decoded(data: bytes, contentType: str) -> str:
    """`data` as text in the charset that `contentType` names, or UTF-8."""
    charset = typeOf(contentType)[1].get("charset", "utf-8")
    try:
        text = data.decode(charset)
    except (LookupError, UnicodeDecodeError, ValueError):
        raise BadMessage(f"body is no text in {charset[:40]}", 400, "body", data) from None
    return text


def fromJSON(data: bytes) -> Any:
    """What `data` is in JSON."""
    from json import loads

    try:
        return loads(data)
    except (ValueError, RecursionError):
        raise BadMessage("body is no JSON", 400, "body", data) from None


def notAForm(contentType: str) -> BadMessage | None:
    """Why a body of that type is no form; None if it is one."""
    kind = typeOf(contentType)[0]
    return None if kind == FORM else BadMessage(f"{kind or 'no type'}: no form", 415, "body")
