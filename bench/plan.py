"""How much to measure: the options of the command line as one value, and what holds where an option is not given."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """What one benchmark does.

    `connections` are open at the same time, `depth` messages of `size` bytes are in flight on each; a round of one peer
    takes `seconds` (of each operation, where there are several); `rounds` are made, and every peer of `peers` has its
    turn in each. `idle` more connections are held beside, or `live` timers wait; `rate`
    messages a second are sent where they are sent evenly. What a benchmark has no option for is
    0.
    """

    peers: tuple[str, ...]
    rounds: int
    seconds: float
    connections: int
    size: int
    depth: int
    idle: int = 0
    live: int = 0
    rate: int = 0


# Which options a benchmark has, with what each is when nobody says otherwise.
DEFAULTS: dict[str, dict[str, float]] = {
    "echo": {"size": 1024, "connections": 50, "depth": 1, "idle": 0, "seconds": 3.0, "rounds": 3},
    "unix": {"size": 1024, "connections": 50, "depth": 1, "seconds": 3.0, "rounds": 3},
    "tls": {"size": 1024, "connections": 50, "depth": 1, "seconds": 3.0, "rounds": 3},
    "udp": {"size": 1024, "connections": 50, "depth": 1, "seconds": 3.0, "rounds": 3},
    "aio": {"connections": 50, "seconds": 2.0, "rounds": 3},
    "aioapps": {"size": 1024, "connections": 50, "seconds": 2.0, "rounds": 3},
    "aiocalls": {"seconds": 1.0, "rounds": 3},
    "webserver": {"connections": 50, "seconds": 2.0, "rounds": 3},
    "webclient": {"connections": 50, "seconds": 2.0, "rounds": 3},
    "twisted": {"connections": 50, "seconds": 2.0, "rounds": 3},
    "websocket": {"connections": 50, "seconds": 2.0, "rounds": 3},
    "latency": {"size": 1024, "connections": 50, "rate": 0, "seconds": 3.0, "rounds": 3},
    "lines": {"size": 64, "connections": 50, "depth": 16, "seconds": 3.0, "rounds": 3},
    "strings": {"size": 64, "connections": 50, "depth": 16, "seconds": 3.0, "rounds": 3},
    "connect": {"size": 64, "connections": 50, "seconds": 2.0, "rounds": 3},
    "accept": {"size": 64, "connections": 50, "seconds": 2.0, "rounds": 3},
    "handshakes": {"size": 64, "connections": 50, "seconds": 2.0, "rounds": 3},
    "timers": {"seconds": 1.0, "rounds": 3},
    "million": {"live": 1_000_000, "rounds": 3},
    "deferred": {"seconds": 1.0, "rounds": 3},
    "looping": {"seconds": 1.0, "rounds": 3},
    "threads": {"seconds": 1.0, "rounds": 3},
    "irc": {"seconds": 1.0, "rounds": 3},
    "spawn": {"seconds": 1.0, "rounds": 3},
    "import": {"rounds": 3},
    "memory": {"connections": 2000, "rounds": 3},
    "tlsmemory": {"connections": 500, "rounds": 3},
}

# What `--quick` puts in place of these: enough to see which way the figures point, not enough to quote them.
QUICK: dict[str, float] = {"seconds": 0.5, "rounds": 2, "connections": 500, "live": 100_000}


def planOf(benchmark: str, peers: tuple[str, ...], given: dict[str, float], quick: bool = False) -> Plan:
    """The plan of `benchmark` for `peers`: the options that were `given`, else those of `--quick`, else the defaults.

    An option that the benchmark does not have is left out. `--quick` only ever makes less of something.
    """
    values: dict[str, float] = {}
    for option, default in DEFAULTS[benchmark].items():
        usual = min(default, QUICK.get(option, default)) if quick else default
        values[option] = given.get(option, usual)
    return Plan(
        peers=peers,
        rounds=int(values["rounds"]),
        seconds=values.get("seconds", 0.0),
        connections=int(values.get("connections", 0)),
        size=int(values.get("size", 0)),
        depth=int(values.get("depth", 0)),
        idle=int(values.get("idle", 0)),
        live=int(values.get("live", 0)),
        rate=int(values.get("rate", 0)),
    )
