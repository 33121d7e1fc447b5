"""What happens in one simulation: a network, what breaks in it, and what the two ends of each connection do, when.
Drawn at random, or given; what `repr` says of a plan makes it again.
"""

from __future__ import annotations

from errno import EACCES, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT

from reactor.testing.simulation.certificate import NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from random import Random
    from typing import Any

CLIENT, SERVER, NETWORK, CLOCK = "client", "server", "network", "clock"
KINDS = ("TCP", "TCP", "TLS", "TLS", "UNIX")
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
    "push",
    "push",
    "pull",
    "pull",
    "unregister",
    "startTLS",
    "startTLS",
    "burst",
    "sequence",
    "restart",
    "echo",
    "echo",
)
RARE = ("abort", "raise")
# What becomes of the connections that are left.
ENDINGS = ("lose", "abort", "stop", "at once")
# What one end (True) and the other do in a row, and would seldom by chance: a reset behind much that was sent; a pause
# between what arrived together; a producer whose peer closes; TLS on top of what is queued. "much" is what may be
# written at most; a "pause" is one in dataReceived.
SCENES: tuple[tuple[tuple[bool, Any], ...], ...] = (
    ((False, "echo"), (True, "much"), (True, "abort")),
    ((False, "pause"), (True, 100), (True, 1), (True, 100), (False, "resume")),
    ((True, "register"), (False, "lose")),
    ((True, "much"), (True, "startTLS"), (False, "much"), (True, "halfClose")),
)
# What the network does to one connection, and what befalls everybody.
FAULTS = (
    "cut",
    "cut",
    "hold",
    "release",
    "vanish client",
    "vanish server",
    "disconnect",
    "scarce",
    "plenty",
    "stopListening",
)
TIMERS = ("set", "set", "set 70", "cancel", "reset", "delay", "hurry")
ERRORS = (ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH, EACCES, 0)
# Where the server listens, on every one of them.
HOSTS = ("192.0.2.2", "192.0.2.3", "2001:db8::2")
# Seconds before a step.
PAUSES = (0, 0, 0, 0.0001, 0.001, 0.01, 0.1, 2, 70)


class Step:
    """One thing that happens: `who` does `what` on a connection, `after` seconds; `later`: in its next dataReceived.

    An int as `what` is so many bytes to write, "restart" is for the client of the next connection.
    """

    def __init__(self, after: float, connection: int, who: str, what: Any, later: bool = False) -> None:
        self.after, self.connection, self.who, self.what, self.later = after, connection, who, what, later

    def __repr__(self) -> str:
        return f"Step({self.after!r}, {self.connection}, {self.who!r}, {self.what!r}, {self.later})"


class Plan:
    """All of it.

    :ivar kind: "TCP", "TLS" or "UNIX".
    :ivar faulty: whether something breaks, so that not all that is written can be expected to arrive.
    :ivar network: options of the `Network`.
    :ivar hosts: addresses of the server.
    :ivar faults: which of them cannot be reached, as `Network.faults`.
    :ivar host: what is connected to.
    :ivar timeout: seconds for connecting.
    :ivar again: how often a client connects again.
    :ivar halfCloseable: who is told of halves, client and server.
    :ivar connections: how many clients.
    :ivar spare: how many descriptors are left when the server listens; None: plenty.
    :ivar refused: how many connections the server builds no protocol for.
    :ivar taken: whether the clients' local address is taken.
    :ivar ending: what becomes of connections that are left: "lose", "abort", "stop" of the reactor, or that "at once",
        whatever is on its way.
    """

    def __init__(
        self,
        *,
        kind: str = "TCP",
        faulty: bool = False,
        network: dict[str, Any] | None = None,
        hosts: tuple[str, ...] = HOSTS[:1],
        faults: dict[str, int] | None = None,
        host: str = NAME,
        timeout: float | None = 30,
        again: int = 0,
        halfCloseable: tuple[bool, bool] = (False, False),
        connections: int = 1,
        spare: int | None = None,
        refused: int = 0,
        taken: bool = False,
        ending: str = "lose",
        steps: tuple[Step, ...] = (),
    ) -> None:
        """By default a connection in a good network on which nothing happens."""
        self.kind = kind
        self.faulty = faulty
        self.network = network or {}
        self.hosts = hosts
        self.faults = faults or {}
        self.host = host
        self.timeout = timeout
        self.again = again
        self.halfCloseable = halfCloseable
        self.connections = connections
        self.spare = spare
        self.refused = refused
        self.taken = taken
        self.ending = ending
        self.steps = steps

    @property
    def encrypts(self) -> bool:
        """Whether there may be TLS in it."""
        return self.kind == "TLS" or any(step.what == "startTLS" for step in self.steps)

    def __repr__(self) -> str:
        return "Plan(\n" + "".join(f"    {name}={value!r},\n" for name, value in vars(self).items()) + ")"


def draw(random: Random) -> Plan:
    """A plan. The same `random` makes the same one."""
    choice = random.choice
    kind = choice(KINDS)
    # Two of three networks are good: what a program does is seldom seen behind what breaks.
    bad = random.randrange(3) == 0
    slowest = choice((0.0002, 0.002, 0.05, 0.2))
    capacity = choice((1000, 20_000, 262_144) if kind == "TLS" else (1, 1000, 20_000, 262_144))
    network = {
        "delay": (choice((0.0001, slowest)), slowest),
        "capacity": capacity,
        "partial": choice((0.0, 0.0, 0.1, 0.5)),
        "whims": choice((0.0, 0.0, 0.0, 0.05, 0.3)),
        "segments": choice((1, 1, 2, 5)),
    }
    hosts = tuple(random.sample(HOSTS, choice((1, 1, 2, 3))))
    faults = {host: choice(ERRORS) for host in hosts if bad and random.randrange(2)}
    connections = choice((1, 1, 1, 2, 3))
    return Plan(
        kind=kind,
        faulty=bad,
        network=network,
        hosts=hosts,
        faults=faults,
        host=NAME if kind == "TLS" or len(hosts) > 1 else choice((NAME, hosts[0])),
        timeout=choice((None, None, 30, 30, 5, 0.001)),
        again=choice((0, 0, 1, 3)),
        halfCloseable=(random.randrange(2) == 0, random.randrange(2) == 0),
        connections=connections,
        spare=choice((None, None, 0, 1, 2, 3)) if bad else None,
        refused=choice((0, 0, 0, 1)),
        taken=bad and random.randrange(10) == 0,
        ending=choice(ENDINGS),
        steps=_steps(random, capacity, connections, bad),
    )


def _steps(random: Random, capacity: int, connections: int, bad: bool) -> tuple[Step, ...]:
    steps = [_step(random, capacity, connections, bad) for _ in range(random.randrange(25))]
    if random.randrange(4) == 0 and capacity > 1:
        connection, turned, at = (
            random.randrange(connections),
            random.randrange(2) == 0,
            random.randrange(len(steps) + 1),
        )
        scene = []
        for one, verb in random.choice(SCENES):
            what: Any = sizes(capacity)[-1] if verb == "much" else verb
            who = CLIENT if one != turned else SERVER
            scene.append(Step(random.choice((0, 0, 0.01)), connection, who, what, verb == "pause"))
        # Where everybody is connected, as a rule.
        scene[0].after = 2
        steps[at:at] = scene
    return tuple(steps)


def _step(random: Random, capacity: int, connections: int, bad: bool) -> Step:
    choice, after = random.choice, random.choice(PAUSES)
    connection = random.randrange(connections)
    if bad and random.randrange(4) == 0:
        return Step(after, connection, NETWORK, choice(FAULTS))
    if random.randrange(7) == 0:
        return Step(after, 0, CLOCK, choice(TIMERS))
    what: Any = choice(sizes(capacity))
    if random.randrange(5) < 3:
        # A handshake of a byte at a time takes long, and shows nothing that one of a thousand does not.
        what = choice(ACTIONS if random.randrange(10) else RARE)
        if what == "startTLS" and capacity == 1:
            what = "pull"
    # A pause between what arrived and what is handed on shows more than one when nothing happens.
    later = random.randrange(3) == 0 or (what == "pause" and random.randrange(2) == 0)
    return Step(after, connection, choice((CLIENT, SERVER)), what, later)


def sizes(capacity: int) -> list[int]:
    """How much may be written at a time where so many bytes fit on the way: not what would take for ever."""
    return [size for size in SIZES if size <= 50 * capacity]
