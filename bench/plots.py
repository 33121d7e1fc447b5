"""The plots, as SVG: written with matplotlib, which only these need. Colours are the same for a peer everywhere."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from bench import peers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

_COLOURS = (
    "#d62728",
    "#1f77b4",
    "#2ca02c",
    "#9467bd",
    "#ff7f0e",
    "#8c564b",
    "#e377c2",
    "#17becf",
    "#000000",
    "#7f7f7f",
)
_MARKERS = "oDs^vPX*|_"
_ORDER = (*peers.MODULES, peers.C, peers.RAW)


def isInstalled() -> bool:
    """Whether matplotlib is here."""
    return find_spec("matplotlib") is not None


def _figure(width: float, height: float, columns: int = 1) -> tuple[Any, Any]:
    matplotlib = import_module("matplotlib")
    matplotlib.use("svg")
    # Text stays text; and the same figures give the same file.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "bench", "font.size": 9})
    figure, axes = import_module("matplotlib.pyplot").subplots(1, columns, figsize=(width, height), squeeze=False)
    return figure, axes[0]


def _style(peer: str) -> dict[str, Any]:
    number = _ORDER.index(peer)
    return {"color": _COLOURS[number], "marker": _MARKERS[number], "label": peer}


def _save(figure: Any, path: Path) -> None:
    figure.savefig(path, format="svg", bbox_inches="tight", metadata={"Date": None})
    import_module("matplotlib.pyplot").close(figure)


def comparison(rows: dict[str, dict[str, float]], path: Path) -> None:
    """A row for each case, a mark for each peer: what it costs, as a multiple of ours."""
    figure, (axes,) = _figure(9, 1.2 + 0.28 * len(rows))
    titles = list(rows)
    for peer in _ORDER:
        points = [(rows[title][peer], number) for number, title in enumerate(titles) if peer in rows[title]]
        if points:
            axes.plot(*zip(*points, strict=True), linestyle="none", **_style(peer))
    axes.axvline(1, color=_COLOURS[0], linewidth=0.8)
    axes.set_xscale("log")
    ticks = (0.25, 0.5, 1, 2, 4, 8, 16)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks(range(len(titles)), titles)
    axes.invert_yaxis()
    axes.grid(axis="x", linewidth=0.3)
    axes.set_xlabel("cost, as a multiple of ours (right of 1: costs more)")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    _save(figure, path)


def growth(panels: dict[str, dict[str, dict[float, float]]], along: str, unit: str, path: Path) -> None:
    """Side by side, for each panel the lines of the peers: `unit` (from 0 up) along `along` (in decades)."""
    figure, all_ = _figure(4.2 * max(1, len(panels)), 3.4, max(1, len(panels)))
    for axes, (title, lines) in zip(all_, panels.items(), strict=False):
        for peer, points in lines.items():
            axes.plot(list(points), list(points.values()), **_style(peer))
        axes.set_xscale("log")
        axes.set_ylim(bottom=0)
        axes.set_title(title)
        axes.set_xlabel(along)
        axes.grid(linewidth=0.3)
    all_[0].set_ylabel(unit)
    all_[0].legend(frameon=False)
    _save(figure, path)
