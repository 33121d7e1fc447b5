"""What happens in one simulation, drawn at random: a network, what breaks in it, and what the two ends of each
connection do, when.
"""

from __future__ import annotations

from errno import EACCES, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT

from reactor.testing.simulation.certificate import NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from random import Random
    from typing import Any

CLIENT, SERVER, NETWORK = "client", "server", "network"
KINDS = ("TCP", "TCP", "TLS", "startTLS")
SIZES = (1, 100, 5000, 70_000, 300_000)
ACTIONS = (
    "lose",
    "lose",
    "halfClose",
    "halfClose",
    "pause",
    "pause",
    "resume",
    "resume",
    "register",
    "pull",
    "unregister",
)
RARE = ("abort", "raise")
ENDINGS = ("lose", "abort", "stop")
# What the network does to one connection, and what befalls everybody.
FAULTS = ("cut", "hold", "release", "vanish client", "vanish server", "disconnect", "scarce", "plenty", "stopListening")
ERRORS = (ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH, EACCES, 0)
# Where the server listens, on every one of them.
HOSTS = ("192.0.2.2", "192.0.2.3", "2001:db8::2")


class Step:
    """One thing that happens: `who` does `what` on a connection, `after` seconds; `later`: in its next dataReceived."""

    def __init__(self, after: float, connection: int, who: str, what: Any, later: bool) -> None:
        self.after, self.connection, self.who, self.what, self.later = after, connection, who, what, later

    def __repr__(self) -> str:
        return f"{self.after:.6g} s: {self.who} {self.connection} {self.what}{' in dataReceived' * self.later}"


class Plan:
    """All of it. The same `random` makes the same plan."""

    def __init__(self, random: Random) -> None:
        """Draw one."""
        choice = random.choice
        self.kind = choice(KINDS)
        # Three of four networks are good: what a program does is seldom seen behind what breaks.
        bad = random.randrange(4) == 0
        self.faulty = bad
        slowest = choice((0.0002, 0.002, 0.05, 0.2))
        capacity = choice((1, 1000, 20_000, 262_144) if self.kind == "TCP" else (1000, 20_000, 262_144))
        self.network = {
            "delay": (choice((0.0001, slowest)), slowest),
            "capacity": capacity,
            "partial": choice((0.0, 0.0, 0.1, 0.5)),
            "whims": choice((0.0, 0.0, 0.0, 0.05, 0.3)),
            "segments": choice((1, 1, 2, 5)),
        }
        self.hosts = random.sample(HOSTS, choice((1, 1, 2, 3)))
        self.faults = {host: choice(ERRORS) for host in self.hosts if bad and random.randrange(2)}
        self.host = NAME if self.kind != "TCP" or len(self.hosts) > 1 else choice((NAME, self.hosts[0]))
        self.timeout = choice((None, 30, 30, 30, 5, 0.001))
        self.again = choice((0, 0, 1, 3))
        self.halfCloseable = {CLIENT: random.randrange(2) == 0, SERVER: random.randrange(2) == 0}
        self.connections = choice((1, 1, 1, 2, 3))
        self.ending = choice(ENDINGS)
        sizes = [size for size in SIZES if size <= 50 * capacity]
        self.steps = [self._step(random, sizes, bad) for _ in range(random.randrange(20))]

    def _step(self, random: Random, sizes: list[int], bad: bool) -> Step:
        after = random.choice((0, 0, 0, 0.0001, 0.001, 0.01, 0.1, 2, 70))
        connection = random.randrange(self.connections)
        if bad and random.randrange(4) == 0:
            return Step(after, connection, NETWORK, random.choice(FAULTS), False)
        what: Any = random.choice(sizes)
        if random.randrange(2):
            what = random.choice(ACTIONS if random.randrange(10) else RARE)
        return Step(after, connection, random.choice((CLIENT, SERVER)), what, random.randrange(3) == 0)

    def __repr__(self) -> str:
        return "Plan:\n" + "\n".join(f"  {name}: {value!r}" for name, value in vars(self).items())
