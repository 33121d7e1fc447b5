"""Descriptions of endpoints, whatever is in them: a value that can be quoted and read again, or a ValueError that shows
the text; nothing else comes out. The first character says which options are looked for.
"""

from __future__ import annotations

from contextlib import suppress

import harness

from reactor.endpoints._strings import Description, Options, quoteStringArgument

PLACES = (("host", "port"), ("port", "interface", "backlog"), ("path",), ())
NAMES = ("timeout", "mode", "reusePort", "port")


def one(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    assert Description("tcp:" + quoteStringArgument(text)).args == [text]
    assert Description("tcp:name=" + quoteStringArgument(text)).kwargs == {"name": text}
    which, text = ord(text[:1] or "\0"), text[1:]
    try:
        description = Description(text)
    except ValueError as e:
        _shown(e)
        return
    _again(description)
    try:
        options = Options(description, PLACES[which % 4], NAMES, skip=bool(which & 4))
    except ValueError as e:
        _shown(e)
        return
    for read in (
        lambda: 0 <= options.port() <= 65535,
        lambda: 0 <= options.number("backlog", 50) < 2**31,
        lambda: 0 <= options.mode("mode", 0o600) <= 0o77777,
        lambda: 0 <= options.seconds("timeout", 30) < float("inf"),
        lambda: options.flag("reusePort", False) in (True, False),
        lambda: isinstance(options.required("host"), str),
    ):
        try:
            assert read()
        except ValueError as e:
            _shown(e)


def _again(description: Description) -> None:
    parts = [quoteStringArgument(description.type)]
    for each in description.arguments:
        name = "" if each.name is None else quoteStringArgument(each.name) + "="
        parts.append(name + quoteStringArgument(each.text))
    again = Description(":".join(parts))
    assert (again.type, again.args, again.kwargs) == (description.type, description.args, description.kwargs)


def _shown(problem: ValueError) -> None:
    lines = str(problem).split("\n")
    assert len(lines) == 3 and lines[2].endswith("^") and len(lines[2]) <= len(lines[1]) + 1, problem
    with suppress(UnicodeEncodeError):
        assert str(problem).encode("utf-8").decode("utf-8") == str(problem)


if __name__ == "__main__":
    harness.main(one)
