"""What the crowd does in one round of each scenario. Everything but the random numbers' seed is `given`."""

from __future__ import annotations

from time import perf_counter

from bench.soak.crowd import Crowd, Ending, Part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable
    from random import Random

    from bench.soak.target import Target

    Play = Callable[[Target, Namespace, Random], Crowd]

# Clients that are begun before the others have their turn.
_STEP = 200
# The beginning of a ClientHello (RFC 8446, section 4.1.2) whose record has 512 bytes: more are to come.
HELLO = bytes.fromhex("16030102000100 01fc0303") + bytes(32)


class TooSlow(Exception):
    """Something has not happened in time; the message says what."""


def wait(crowd: Crowd, true: Callable[[], bool], given: Namespace, what: str) -> None:
    """Go on until `true()`. TooSlow says that `what` was waited for in vain."""
    if not crowd.until(true, given.patience):
        raise TooSlow(f"{what}: not within {given.patience} s ({len(crowd.clients)} clients left, {crowd.tally})")


def held(target: Target, given: Namespace, random: Random) -> Crowd:
    """Many connections, of which some say something now and then."""
    crowd = Crowd(target.port)
    part = Part(1, Ending.HOLD)
    for begun in range(given.held):
        crowd.begin(part)
        if begun % _STEP == 0:
            crowd.turn(0)
    wait(crowd, lambda: crowd.tally.echoed >= given.held, given, "a byte from each")
    crowd.roundTrips.clear()
    clients = list(crowd.clients.values())
    end, asked = perf_counter() + given.held_seconds, 0
    while perf_counter() < end:
        while asked - len(crowd.roundTrips) < given.held_asked:
            client = random.choice(clients)
            if client.got == client.size:
                crowd.ask(client, random.randint(1, given.held_size))
                asked += 1
        crowd.turn(0.05)
    wait(crowd, lambda: len(crowd.roundTrips) == asked, given, "the last answers")
    return crowd


def burst(target: Target, given: Namespace, random: Random) -> Crowd:
    """All at once."""
    crowd = Crowd(target.port)
    for _ in range(given.burst):
        crowd.begin(Part(1, Ending.HOLD))
    wait(crowd, lambda: crowd.tally.echoed == given.burst, given, "a byte from each")
    return crowd


def cycles(target: Target, given: Namespace, random: Random) -> Crowd:
    """One after another, some at a time."""
    crowd = Crowd(target.port)
    part = Part(10, Ending.CLOSE)

    def another() -> bool:
        while crowd.tally.begun < given.cycle and len(crowd.clients) < given.cycle_at_once:
            crowd.begin(part)
        return not crowd.clients

    wait(crowd, another, given, "the end of a cycle")
    return crowd


def mixed(target: Target, given: Namespace, random: Random) -> Crowd:
    """Conversations of all sizes, and some who behave badly."""
    crowd = Crowd(target.port)
    shares = (given.mixed_reset, given.mixed_half_close, given.mixed_stalled)
    kinds = ("reset", "half close", "stalled", "good")

    def part() -> Part:
        size = int(given.mixed_size ** random.random())
        match random.choices(kinds, (*shares, 100 - sum(shares)))[0]:
            case "reset":
                return Part(size, Ending.RESET)
            case "half close":
                return Part(size, Ending.HALF_CLOSE)
            case "stalled":
                return Part(given.mixed_size * 10, Ending.CLOSE, given.mixed_stall)
        return Part(size, Ending.CLOSE)

    end = perf_counter() + given.mixed_seconds / given.mixed_rounds
    while perf_counter() < end:
        while len(crowd.clients) < given.mixed_at_once:
            crowd.begin(part())
        crowd.turn(0.05)
    wait(crowd, lambda: not crowd.clients, given, "the last conversations")
    return crowd


def handshakes(target: Target, given: Namespace, random: Random) -> Crowd:
    """Half a ClientHello from each, and then nothing."""
    crowd = Crowd(target.securePort)
    for begun in range(given.handshakes):
        crowd.begin(Part(len(HELLO), Ending.WAIT, opening=HELLO))
        if begun % _STEP == 0:
            crowd.turn(0)
    wait(crowd, lambda: not crowd.clients, given, "being dropped")
    return crowd


SCENARIOS: dict[str, Play] = {
    "held": held,
    "burst": burst,
    "cycles": cycles,
    "mixed": mixed,
    "handshakes": handshakes,
}
ROUNDS = {
    "held": "held_rounds",
    "burst": "burst_rounds",
    "cycles": "cycle_rounds",
    "mixed": "mixed_rounds",
    "handshakes": "handshake_rounds",
}
