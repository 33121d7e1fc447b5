"""A drawing of a directed graph without circles: boxes in rows, each arrow from a row to one further down, as SVG.

Pure: a graph in, a text out. Knows nothing of what the boxes are. Only arrows are drawn that say something new: where
one can go from A to C by way of B, A's own arrow to C is left out (transitive reduction). An arrow over several rows
has a place of its own in each between them, so none passes through a box.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple
from xml.sax.saxutils import escape

Graph = Mapping[str, Iterable[str]]

HEIGHT, GAP_BETWEEN_ROWS, GAP_IN_ROW, MARGIN = 26, 34, 14, 6
WIDTH_OF_LETTER, PADDING = 7.0, 10
# Arrows that pass a row keep this much from each other and from boxes.
WIDTH_OF_ARROW = 6
SWEEPS = 24


class Place(NamedTuple):
    """Where a box is: its middle and its width; `row` 0 is the topmost."""

    x: float
    row: int
    width: float


def reduced(graph: Graph) -> dict[str, set[str]]:
    """The same graph without the arrows that others make superfluous. ValueError for one with a circle."""
    names = {*graph, *(each for below in graph.values() for each in below)}
    full = {name: set(graph.get(name, ())) for name in sorted(names)}
    reach: dict[str, set[str]] = {}

    def visit(name: str, above: tuple[str, ...]) -> set[str]:
        if name in above:
            raise ValueError(f"a circle: {' -> '.join([*above[above.index(name) :], name])}")
        if name not in reach:
            found = set(full[name])
            for below in sorted(full[name]):
                found |= visit(below, (*above, name))
            reach[name] = found
        return reach[name]

    for name in full:
        visit(name, ())
    return {name: {b for b in below if not any(b in reach[other] for other in below)} for name, below in full.items()}


def levels(graph: Mapping[str, set[str]], ground: Iterable[str] = ()) -> dict[str, int]:
    """In which row, 0 at the bottom, each box stands: as low as it can, or as high where that shortens its arrows.

    Those of `ground`, which have no arrows of their own, stand at the bottom.
    """
    above: dict[str, set[str]] = {name: set() for name in graph}
    for name, below in graph.items():
        for each in below:
            above[each].add(name)
    found: dict[str, int] = {}

    def low(name: str) -> int:
        if name not in found:
            found[name] = 1 + max((low(each) for each in graph[name]), default=-1)
        return found[name]

    for name in graph:
        low(name)
    for name in sorted(graph, key=lambda name: -found[name]):
        if len(above[name]) > len(graph[name]) and name not in ground:
            found[name] = min(found[each] for each in above[name]) - 1
    return found


class Drawing:
    """The places of all boxes, and of what passes between them.

    An arrow over several rows is a chain of pieces from row to row, whose ends between are the pairs (from, to, row).
    """

    def __init__(self, graph: Graph, labels: Mapping[str, str] | None = None, ground: Iterable[str] = ()) -> None:
        self.graph = reduced(graph)
        self.ground = set(ground)
        self.labels = {name: (labels or {}).get(name, name) for name in self.graph}
        level = levels(self.graph, self.ground)
        top = max(level.values(), default=0)
        self.row: dict[object, int] = {name: top - level[name] for name in self.graph}
        self.chains: list[list[object]] = []
        for name in self.graph:
            for below in sorted(self.graph[name]):
                between: list[object] = [(name, below, row) for row in range(self.row[name] + 1, self.row[below])]
                for each in between:
                    self.row[each] = each[2]  # type: ignore[index]
                self.chains.append([name, *between, below])
        self.neighbours: dict[object, dict[int, list[object]]] = {each: {-1: [], 1: []} for each in self.row}
        for chain in self.chains:
            for upper, lower in pairwise(chain):
                self.neighbours[upper][1].append(lower)
                self.neighbours[lower][-1].append(upper)
        self.rows: list[list[object]] = [[] for _ in range(top + 1)]
        for each in sorted(self.row, key=str):
            self.rows[self.row[each]].append(each)
        self._order()
        self._x = self._positions()

    def width(self, each: object) -> float:
        """Of a box, or of an arrow that passes."""
        return len(self.labels[each]) * WIDTH_OF_LETTER + 2 * PADDING if isinstance(each, str) else WIDTH_OF_ARROW

    def places(self) -> dict[str, Place]:
        """Where each box is."""
        return {name: Place(self._x[name], self.row[name], self.width(name)) for name in self.graph}

    def crossings(self) -> int:
        """How often pieces of arrows cross."""
        at = {each: place for row in self.rows for place, each in enumerate(row)}
        found = 0
        for row in self.rows:
            pieces = sorted((at[each], at[lower]) for each in row for lower in self.neighbours[each][1])
            found += sum(b > d for number, (_, b) in enumerate(pieces) for _, d in pieces[number + 1 :])
        return found

    def _order(self) -> None:
        """Put each row in the order of what it is connected with, down and up in turn; the best of all rounds stays."""
        best, kept = self.crossings(), [row[:] for row in self.rows]
        for sweep in range(SWEEPS):
            direction = -1 if sweep % 2 == 0 else 1
            for row in self.rows if direction < 0 else reversed(self.rows):
                at = {each: place / max(1, len(its) - 1) for its in self.rows for place, each in enumerate(its)}
                row.sort(key=lambda each, at=at: self._mean(at, each, direction))  # type: ignore[misc]
            found = self.crossings()
            if found < best:
                best, kept = found, [row[:] for row in self.rows]
        self.rows = kept

    def _mean(self, at: Mapping[object, float], each: object, direction: int) -> float:
        near = self.neighbours[each][direction]
        return sum(at[other] for other in near) / len(near) if near else at[each]

    def _positions(self) -> dict[object, float]:
        """As near to what each is connected with as the order and the widths allow, by turns."""
        x: dict[object, float] = {}
        for row in self.rows:
            x.update(zip(row, self._apart(row, [0.0] * len(row)), strict=True))
        for sweep in range(4 * SWEEPS):
            for row in self.rows if sweep % 2 else reversed(self.rows):
                wanted = []
                for each in row:
                    near = self.neighbours[each][-1] + self.neighbours[each][1]
                    wanted.append(sum(x[other] for other in near) / len(near) if near else x[each])
                x.update(zip(row, self._apart(row, wanted), strict=True))
        left = min((x[each] - self.width(each) / 2 for each in x), default=0.0)
        return {each: place - left + MARGIN for each, place in x.items()}

    def _apart(self, row: list[object], wanted: list[float]) -> list[float]:
        """The places nearest to the `wanted` ones (by least squares) at which a row's members keep apart."""
        offsets, offset = [0.0], 0.0
        for one, other in pairwise(row):
            gap = GAP_IN_ROW if isinstance(one, str) or isinstance(other, str) else WIDTH_OF_ARROW
            offset += (self.width(one) + self.width(other)) / 2 + gap
            offsets.append(offset)
        # Those that would overlap go together (the pool of adjacent violators): sum and number of each group.
        groups: list[list[float]] = []
        for want, offset in zip(wanted, offsets, strict=False):
            groups.append([want - offset, 1])
            while len(groups) > 1 and groups[-2][0] / groups[-2][1] > groups[-1][0] / groups[-1][1]:
                total, number = groups.pop()
                groups[-1][0] += total
                groups[-1][1] += number
        means = [total / number for total, number in groups for _ in range(int(number))]
        return [mean + offset for mean, offset in zip(means, offsets, strict=False)]

    # Lines.

    def lines(self) -> list[list[tuple[float, float]]]:
        """Of each arrow the points that it goes through; the ends at one box are spread along its edge."""
        found = []
        for chain in self.chains:
            points = []
            for number, each in enumerate(chain):
                top = MARGIN + self.row[each] * (HEIGHT + GAP_BETWEEN_ROWS)
                if number > 0:
                    points.append((self._end(each, chain[number - 1], -1), top))
                if number < len(chain) - 1:
                    points.append((self._end(each, chain[number + 1], 1), top + HEIGHT))
            found.append(points)
        return found

    def _end(self, each: object, other: object, direction: int) -> float:
        if not isinstance(each, str):
            return self._x[each]
        ends = sorted(self.neighbours[each][direction], key=lambda end: self._x[end])
        step = min(12.0, (self.width(each) - PADDING) / max(1, len(ends)))
        return self._x[each] + (ends.index(other) - (len(ends) - 1) / 2) * step

    def svg(self, title: str, tips: Mapping[str, str] | None = None) -> str:
        """The picture. Its colours are the page's (Furo's, or others to fall back to), so that they change with it."""
        places = self.places()
        right = max((x + self.width(each) / 2 for each, x in self._x.items()), default=0.0) + MARGIN
        bottom = len(self.rows) * (HEIGHT + GAP_BETWEEN_ROWS) - GAP_BETWEEN_ROWS + 2 * MARGIN
        parts = [
            f'<svg class="layered" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {right:.0f} {bottom}" role="img"'
            f' style="width: 100%; max-width: {right:.0f}px; height: auto">',
            f"<title>{escape(title)}</title>",
            STYLE,
        ]
        parts += [f'<path class="arrow" d="{_path(points)}"/>' for points in self.lines()]
        for name, (x, row, width) in places.items():
            y = MARGIN + row * (HEIGHT + GAP_BETWEEN_ROWS)
            kind = "private" if name.rpartition(".")[2].startswith("_") or name.startswith("_") else "public"
            kind += " ground" if name in self.ground else ""
            tip = (tips or {}).get(name)
            parts.append(
                f'<g class="{kind}">'
                + (f"<title>{escape(tip)}</title>" if tip else "")
                + f'<rect x="{x - width / 2:.1f}" y="{y}" width="{width:.1f}" height="{HEIGHT}" rx="4"/>'
                + f'<text x="{x:.1f}" y="{y + HEIGHT / 2 + 4.5}">{escape(self.labels[name])}</text></g>'
            )
        return "\n".join([*parts, "</svg>"])


STYLE = """<style>
.layered text { font: 12px var(--font-stack--monospace, monospace); text-anchor: middle;
  fill: var(--color-foreground-primary, #111) }
.layered rect { fill: var(--color-background-secondary, #f4f5f7); stroke: var(--color-foreground-border, #9aa0a8) }
.layered .public rect { fill: var(--color-background-primary, #fff); stroke: var(--color-brand-content, #2757dd);
  stroke-width: 1.5 }
.layered .ground rect { stroke-dasharray: 4 3 }
.layered .arrow { fill: none; stroke: var(--color-foreground-muted, #6b6f76); stroke-width: 1.1; opacity: 0.8 }
</style>"""


def _path(points: list[tuple[float, float]]) -> str:
    """Straight down past the rows, bent between them, and a tip."""
    (x, y), *rest = points
    text = [f"M{x:.1f} {y:.1f}"]
    for number, (toX, toY) in enumerate(rest):
        if number % 2:
            text.append(f"L{toX:.1f} {toY:.1f}")
        else:
            bend = (toY - y) / 2
            text.append(f"C{x:.1f} {y + bend:.1f} {toX:.1f} {toY - bend:.1f} {toX:.1f} {toY:.1f}")
        x, y = toX, toY
    return " ".join([*text, f"m-3.5 -6 L{x:.1f} {y:.1f} l3.5 -6"])
