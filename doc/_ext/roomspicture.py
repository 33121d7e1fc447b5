"""A directive that draws the rooms of a package and which of them imports from which, as the sources are.

``.. rooms:: reactor`` reads all imports anew whenever a source has changed; `layered` makes the picture, and
``tests/imports.py`` knows which file belongs to which room, the same for the test of the architecture.
"""

from __future__ import annotations

import ast

from docutils import nodes
from imports import EXCEPTIONS, ROOT, arrows, room, sources
from layered import Drawing
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


def isOf(package: str, name: str) -> bool:
    """Whether the room is one of the package's."""
    return name.startswith("protocols") == (package == "protocols")


def graphOf(package: str, modules: dict[str, str]) -> dict[str, set[str]]:
    """Each of the package's rooms, and the rooms that it imports from; of other packages those that are named there."""
    graph: dict[str, set[str]] = {name: set() for name in map(room, modules) if name and isOf(package, name)}
    graph.pop(package if package == "protocols" else "", None)
    for above, below in arrows(modules).keys() - EXCEPTIONS.keys():
        if above in graph:
            graph[above].add(below)
    return graph


def wholeGraph(modules: dict[str, str]) -> dict[str, set[str]]:
    """All rooms."""
    return graphOf("reactor", modules) | graphOf("protocols", modules)


def drawing(package: str, modules: dict[str, str]) -> Drawing:
    """The picture of one package's rooms; what is superfluous is seen with the rooms of both."""
    whole = Drawing(wholeGraph(modules)).graph
    graph = {name: below for name, below in whole.items() if isOf(package, name)}
    others = {name for below in graph.values() for name in below} - graph.keys()
    return Drawing(graph, {name: label(name) for name in whole}, others)


def label(name: str) -> str:
    """What stands in the box."""
    return name.removeprefix("protocols.").replace("_transport.", "_transport/").replace("irc.client", "irc/client")


def tipOf(name: str, modules: dict[str, str]) -> str:
    """The first sentence of the room's own docstring, else nothing."""
    source = modules.get(name, modules.get(f"reactor.{name}", ""))
    return " ".join((ast.get_docstring(ast.parse(source)) or "").partition("\n\n")[0].split())


class Rooms(SphinxDirective):
    """``.. rooms:: package``"""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        package = self.arguments[0]
        for path in sorted((ROOT / "reactor").rglob("*.py")) + sorted((ROOT / "protocols").rglob("*.py")):
            self.env.note_dependency(str(path))
        modules = sources()
        picture = drawing(package, modules)
        tips = {name: tipOf(name, modules) for name in picture.graph}
        svg = picture.svg(f"The rooms of {package}: each imports from those that its arrows point to", tips)
        return [nodes.raw("", svg, format="html")]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("rooms", Rooms)
    return {"parallel_read_safe": True}
