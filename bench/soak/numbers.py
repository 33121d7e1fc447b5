"""Every number of the load and of what is demanded: its name on the command line, its value, and its short form's."""

from __future__ import annotations

NUMBERS: dict[str, tuple[float, float, str]] = {
    "held": (15_000, 200, "held: connections at a time"),
    "held-seconds": (60, 0.1, "held: seconds of echo at random, each round"),
    "held-rounds": (3, 2, "held: rounds; all connections are closed after each"),
    "held-asked": (50, 10, "held: messages on their way at a time"),
    "held-size": (2000, 2000, "held: bytes of the longest message"),
    "burst": (1000, 100, "burst: connects at once"),
    "burst-rounds": (10, 2, "burst: rounds"),
    "cycle": (10_000, 200, "cycles: connections made and closed in a cycle"),
    "cycle-rounds": (10, 2, "cycles: cycles"),
    "cycle-at-once": (200, 50, "cycles: connections at a time"),
    "mixed-seconds": (600, 0.3, "mixed: seconds, all rounds together"),
    "mixed-rounds": (10, 2, "mixed: rounds; all connections are closed after each"),
    "mixed-at-once": (300, 30, "mixed: connections at a time"),
    "mixed-size": (200_000, 50_000, "mixed: bytes of the longest conversation"),
    "mixed-reset": (5, 10, "mixed: percent of clients that reset the connection half-way"),
    "mixed-half-close": (5, 10, "mixed: percent of clients that end their half and wait for the rest"),
    "mixed-stalled": (2, 5, "mixed: percent of clients that send all and read nothing for a while"),
    "mixed-stall": (5, 0.1, "mixed: seconds for which they do not read"),
    "handshakes": (5000, 50, "handshakes: half TLS handshakes at a time"),
    "handshake-rounds": (10, 2, "handshakes: rounds"),
    "handshake-timeout": (5, 0.3, "handshakes: seconds after which the server has to drop them"),
    "handshake-late": (
        3,
        2,
        "demanded: seconds behind that at most until the last is dropped, waiting to be accepted included",
    ),
    "latency": (
        50,
        500,
        "demanded: milliseconds of an old connection's slowest round trip in a burst, median of rounds",
    ),
    "growth": (2048, 4096, "demanded: KiB by which resident memory grows at most, from the middle round to the last"),
    "growth-percent": (1, 1, "demanded: percent of it that are added to that"),
    "patience": (120, 10, "seconds for anything that has to happen"),
    "interval": (0.002, 0.002, "seconds between two round trips of the old connection"),
    "seed": (1, 1, "of what is at random"),
}


def fieldOf(name: str) -> str:
    """The name of a number as argparse keeps it."""
    return name.replace("-", "_")


def value(text: str) -> float:
    """The number of an option: whole where it is; ValueError, which argparse reports, when it is none or negative."""
    number = float(text)
    if not 0 <= number < 1e9:
        raise ValueError(text)
    return int(number) if number == int(number) else number
