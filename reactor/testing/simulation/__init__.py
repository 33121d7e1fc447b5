"""A simulated network with the real reactor in it: TCP and TLS in virtual time, over a kernel and a network that break
as a seed has them break.

`SimulatedReactor` and `Network` are for tests of programs. `simulate` runs one program of two ends that is drawn at
random, and asserts what must hold whatever happens; ``python -m reactor.testing.simulation --seeds 100000`` many.
"""

from __future__ import annotations

from reactor.testing.simulation.network import Network
from reactor.testing.simulation.reactor import SimulatedReactor
from reactor.testing.simulation.running import Simulation, simulate

__all__ = ["Network", "SimulatedReactor", "Simulation", "simulate"]
