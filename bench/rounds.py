"""Rounds: every peer has its turn in each, so that what the machine does meanwhile meets all of them alike."""

from __future__ import annotations

from bench.child import BenchError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# Figures by name, what one round of one peer gives.
Figures = dict[str, float]
# All rounds of each peer.
Rounds = dict[str, list[Figures]]


def alternate(
    peers: Iterable[str], rounds: int, measure: Callable[[str], Figures], progress: Callable[[int, str], object]
) -> tuple[Rounds, dict[str, Exception]]:
    """Measure every peer `rounds` times: (the figures of those that got through all rounds, why the others did not).

    Each round begins with another peer, so that none always comes first. `progress(round, peer)` is called before each
    turn, rounds counted from 1.
    """
    results: Rounds = {peer: [] for peer in peers}
    failures: dict[str, Exception] = {}
    order = list(results)
    for number in range(rounds):
        for peer in list(order):
            progress(number + 1, peer)
            try:
                results[peer].append(measure(peer))
            except (BenchError, OSError) as error:
                failures[peer] = error
                del results[peer]
                order.remove(peer)
        order = order[1:] + order[:1]
    return results, failures
