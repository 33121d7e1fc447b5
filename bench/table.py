"""The rounds of all peers as one table: medians, how they stand to ours, and how far the rounds lay apart."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from bench.peers import OURS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bench.rounds import Rounds

MISSING = "-"


@dataclass(frozen=True, slots=True)
class Figure:
    """One column: the figure by that `key`, under `title` (with its unit), with so many `digits` behind the point.

    `compared` ones are followed by their ratio to ours, in parentheses.
    """

    key: str
    title: str
    digits: int = 1
    compared: bool = False


def ratioToOurs(rounds: Rounds, peer: str, key: str) -> float | None:
    """The median of the ratios of the peer's figure to ours in the same round; None where one of the two is missing."""
    if OURS not in rounds:
        return None
    pairs = [(mine.get(key), ours.get(key)) for mine, ours in zip(rounds[peer], rounds[OURS], strict=True)]
    ratios = [mine / ours for mine, ours in pairs if mine is not None and ours is not None and ours > 0]
    return median(ratios) if ratios else None


def spread(values: list[float]) -> float:
    """How far the values lie apart: the largest less the smallest, in percent of the median."""
    middle = median(values)
    return (max(values) - min(values)) / middle * 100 if middle else 0.0


def cells(figures: tuple[Figure, ...], rounds: Rounds) -> list[list[str]]:
    """The table as rows of text: a head, then a row for each peer. The spread is that of the first figure."""
    ratios = OURS in rounds
    head = [f"{figure.title} (x ours)" if figure.compared and ratios else figure.title for figure in figures]
    rows = [["", *head[:1], "spread %", *head[1:]]]
    for peer, taken in rounds.items():
        row = [peer]
        for figure in figures:
            values = [one[figure.key] for one in taken if figure.key in one]
            row.append(_cell(figure, values, ratioToOurs(rounds, peer, figure.key)))
            if figure is figures[0]:
                row.append(f"{spread(values):.0f}" if values else MISSING)
        rows.append(row)
    return rows


def _cell(figure: Figure, values: list[float], ratio: float | None) -> str:
    if not values:
        return MISSING
    text = f"{median(values):,.{figure.digits}f}"
    return f"{text} ({ratio:.2f})" if figure.compared and ratio is not None else text


def plain(rows: list[list[str]]) -> str:
    """The rows with their columns aligned, names on the left and numbers on the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for name, *numbers in rows:
        aligned = (number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True))
        lines.append("  ".join([name.ljust(widths[0]), *aligned]).rstrip())
    return "\n".join(lines)


def markdown(rows: list[list[str]]) -> str:
    """The rows as a table in Markdown."""
    head, *rest = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([head, "|---|" + "---:|" * (len(rows[0]) - 1), *rest])


def listTable(rows: list[list[str]]) -> str:
    """The rows as a list-table in reStructuredText."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for first, *rest in rows:
        lines += [f"   * - {first}", *(f"     - {cell}" for cell in rest)]
    return "\n".join(line.rstrip() for line in lines)
