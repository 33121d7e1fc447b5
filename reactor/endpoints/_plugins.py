"""Types of endpoints that other distributions bring: entry points whose name is the type.

``reactor.endpoints.client`` is the group of parsers with `parseStreamClient`
(`IStreamClientEndpointStringParserWithReactor`), ``reactor.endpoints.server`` that of those with `parseStreamServer`
(`IStreamServerEndpointStringParser`). Asked for types that are not known here, and not before.
"""

from __future__ import annotations

from reactor.endpoints._strings import wrong

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from reactor.endpoints._strings import Description

METHODS = {"client": "parseStreamClient", "server": "parseStreamServer"}


def fromPlugin(side: str, reactor: Any, description: Description, known: Iterable[str]) -> Any:
    """The endpoint that a plug-in makes of `description`; `side` is "client" or "server".

    ValueError when there is no plug-in for it, or when it does not take these arguments; `known` are the types that
    need none. What loading or calling the plug-in raises comes out.
    """
    from importlib.metadata import entry_points

    found = {point.name.lower(): point for point in entry_points(group=f"reactor.endpoints.{side}")}
    if description.type not in found:
        types = ", ".join([f"{name}:" for name in [*known, *sorted(found)]])
        raise wrong(
            description.source, 0, f"no type of {side} endpoint is called {description.type!r}; expected {types}"
        )
    from inspect import signature

    parser = found[description.type].load()
    if isinstance(parser, type):
        parser = parser()
    parse = getattr(parser, METHODS[side])
    args, kwargs = description.args, description.kwargs
    try:
        signature(parse).bind(reactor, *args, **kwargs)
    except TypeError as e:
        raise wrong(description.source, len(description.source), f"{description.type}: {e}") from None
    return parse(reactor, *args, **kwargs)
