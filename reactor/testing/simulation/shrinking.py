"""Makes a plan that fails smaller, as long as it fails."""

from __future__ import annotations

from reactor.testing.simulation.plans import Plan
from reactor.testing.simulation.running import simulatePlan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

# Plans that are tried at most.
_MOST = 500


def shrunk(plan: Plan, seed: int) -> Plan:
    """The smallest plan that was found that fails as `plan` does, with any message; `plan` when none is smaller."""
    tries = _MOST
    smaller = True
    while smaller and tries > 0:
        smaller = False
        for other in _smaller(plan):
            tries -= 1
            if _fails(other, seed):
                plan, smaller = other, True
                break
            if tries <= 0:
                break
    return plan


def _fails(plan: Plan, seed: int) -> bool:
    try:
        simulatePlan(plan, seed)
    except AssertionError:
        return True
    return False


def _smaller(plan: Plan) -> Iterator[Plan]:
    """Plans with something less: half of the steps, a quarter and so on; then everything else as it is by default."""
    steps = plan.steps
    size = len(steps)
    while size:
        for start in range(0, len(steps), size):
            yield _with(plan, steps=steps[:start] + steps[start + size :])
        size //= 2
    for name, value in vars(Plan()).items():
        # What is faulty stays so: more is asserted of a plan that is not.
        if name not in ("steps", "kind", "faulty", "ending") and getattr(plan, name) != value:
            yield _with(plan, **{name: value})
    for name in plan.network:
        yield _with(plan, network={other: value for other, value in plan.network.items() if other != name})


def _with(plan: Plan, **changes: Any) -> Plan:
    return Plan(**{**vars(plan), **changes})
