"""The drawing of the rooms in the documentation (doc/_ext): readable whatever the graph is, and true."""

from __future__ import annotations

import importlib.util
import sys
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imports import EXCEPTIONS, arrows, sources


def load() -> Any:
    path = Path(__file__).parents[1] / "doc" / "_ext" / "layered.py"
    spec = importlib.util.spec_from_file_location("layered", path)
    assert spec is not None and spec.loader is not None
    module = sys.modules["layered"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


layered = load()
SVG = "{http://www.w3.org/2000/svg}"

# An arrow from a larger number to a smaller one: no circles.
graphs = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=30).map(
    lambda pairs: {
        f"{'_' * (above % 2)}room{above}": {
            f"{'_' * (below % 2)}room{below}" for a, below in pairs if a == above > below
        }
        for above in {each for pair in pairs for each in pair}
    }
)


def reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    left = [*graph.get(start, ())]
    while left:
        if (name := left.pop()) not in found:
            found.add(name)
            left += graph.get(name, ())
    return found


@settings(derandomize=True)
@given(graphs)
def test_reduction(graph: dict[str, set[str]]) -> None:
    less = layered.reduced(graph)
    for name in graph:
        assert less[name] <= graph[name]
        assert reachable(less, name) == reachable(graph, name)
        for below in less[name]:
            # Without any of them something is lost.
            assert below not in reachable({**less, name: less[name] - {below}}, name)


def test_aCircleIsRefused() -> None:
    with pytest.raises(ValueError, match="a circle: a -> b -> a"):
        layered.reduced({"a": {"b"}, "b": {"a"}})


@settings(derandomize=True, max_examples=50)
@given(graphs)
def test_boxesStandApartAndArrowsLeadDownAroundThem(graph: dict[str, set[str]]) -> None:
    drawing = layered.Drawing(graph)
    places = drawing.places()
    for one, other in combinations(places.values(), 2):
        assert one.row != other.row or abs(one.x - other.x) >= (one.width + other.width) / 2
    for name, below in drawing.graph.items():
        assert all(places[each].row > places[name].row for each in below)
    rows = [layered.MARGIN + row * (layered.HEIGHT + layered.GAP_BETWEEN_ROWS) for row in range(len(drawing.rows))]
    for chain, points in zip(drawing.chains, drawing.lines(), strict=True):
        # Only between rows does it go sideways, and it ends at its own boxes.
        for x, y in points[1:-1]:
            row = rows.index(y) if y in rows else rows.index(y - layered.HEIGHT)
            assert all(abs(x - box.x) > box.width / 2 for box in places.values() if box.row == row)
        for name, (x, y) in ((chain[0], points[0]), (chain[-1], points[-1])):
            assert abs(x - places[name].x) < places[name].width / 2
            assert y in (rows[places[name].row], rows[places[name].row] + layered.HEIGHT)
        assert [y for _, y in points] == sorted(y for _, y in points)


@settings(derandomize=True, max_examples=20)
@given(graphs)
def test_everythingIsInThePicture(graph: dict[str, set[str]]) -> None:
    drawing = layered.Drawing(graph)
    svg = ElementTree.fromstring(drawing.svg("a < b", dict.fromkeys(graph, "R & D")))
    _, _, width, height = map(float, svg.attrib["viewBox"].split())
    assert sorted(text.text or "" for text in svg.iter(f"{SVG}text")) == sorted(drawing.graph)
    assert len(list(svg.iter(f"{SVG}path"))) == sum(map(len, drawing.graph.values()))
    for box in svg.iter(f"{SVG}rect"):
        x, y, wide, high = (float(box.attrib[name]) for name in ("x", "y", "width", "height"))
        assert x >= 0 and y >= 0 and x + wide <= width + 1 and y + high <= height


def test_theRoomsCanBeDrawn() -> None:
    """As they are: no circle but the exceptions, and so few arrows that one can follow each."""
    graph: dict[str, set[str]] = {}
    for above, below in arrows(sources()).keys() - EXCEPTIONS.keys():
        graph.setdefault(above, set()).add(below)
    drawing = layered.Drawing(graph)
    assert sum(map(len, drawing.graph.values())) < sum(map(len, graph.values())) / 2
    assert drawing.crossings() < 170
