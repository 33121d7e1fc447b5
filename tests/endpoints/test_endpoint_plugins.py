"""Types of endpoints that an installed distribution brings: here one that a test puts on the path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reactor.endpoints import TCP4ClientEndpoint, clientFromString, serverFromString
from reactor.interfaces import IStreamClientEndpointStringParserWithReactor, IStreamServerEndpointStringParser

MODULE = """
from zope.interface import implementer
from reactor.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint
from reactor.interfaces import IStreamClientEndpointStringParserWithReactor, IStreamServerEndpointStringParser

@implementer(IStreamClientEndpointStringParserWithReactor, IStreamServerEndpointStringParser)
class Parser:
    prefix = "example"

    def parseStreamClient(self, reactor, host, port="7"):
        return TCP4ClientEndpoint(reactor, host, int(port))

    def parseStreamServer(self, reactor, port, *more, **options):
        return TCP4ServerEndpoint(reactor, int(port)), more, options

made = Parser()
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A distribution with an entry point in either group; its parser."""
    (tmp_path / "example_endpoints.py").write_text(MODULE)
    info = tmp_path / "example_endpoints-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: example-endpoints\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[reactor.endpoints.client]\nexample = example_endpoints:made\ntcp = example_endpoints:made\n"
        "broken = example_endpoints:missing\n"
        "[reactor.endpoints.server]\nexample = example_endpoints:Parser\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import example_endpoints  # type: ignore[import-not-found]

    return example_endpoints.made


def test_aClientOfAPlugin(plugin: Any) -> None:
    assert repr(clientFromString(None, "example:h:port=9")) == "<TCP4ClientEndpoint h:9>"
    assert repr(clientFromString(None, "EXAMPLE:h")) == "<TCP4ClientEndpoint h:7>"


def test_aServerOfAPlugin(plugin: Any) -> None:
    endpoint, more, options = serverFromString(None, r"example:80:a\:b:x=y")
    assert (repr(endpoint), more, options) == ("<TCP4ServerEndpoint *:80>", ("a:b",), {"x": "y"})


def test_aPluginProvidesTheInterfaces(plugin: Any) -> None:
    assert IStreamClientEndpointStringParserWithReactor.providedBy(plugin)
    assert IStreamServerEndpointStringParser.providedBy(plugin)


def test_noPluginTakesATypeFromUs(plugin: Any) -> None:
    assert isinstance(clientFromString(None, "tcp:h:1:timeout=2"), TCP4ClientEndpoint)


@pytest.mark.parametrize(
    ("text", "said"),
    [("example", "missing a required argument: 'host'"), ("example:h:1:2", "too many"), ("example:h:x=1", "'x'")],
)
def test_whatThePluginDoesNotTake(plugin: Any, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as raised:
        clientFromString(None, text)
    assert text in str(raised.value)


def test_theTypesOfPluginsAreListed(plugin: Any) -> None:
    with pytest.raises(ValueError, match=r"expected tcp:.*broken:, example:"):
        clientFromString(None, "exmaple:h")


def test_aPluginThatCannotBeLoadedSaysWhy(plugin: Any) -> None:
    with pytest.raises(AttributeError, match="missing"):
        clientFromString(None, "broken:h")
