"""Runs a plan, and looks whether what must hold whatever happens has held:

- I1: `connectionLost` exactly once for each `connectionMade`, and nothing told afterwards;
- I2: exactly one of `clientConnectionFailed` and `clientConnectionLost` for each `startedConnecting`;
- I3: what was received is the beginning of what was written; all of it where nothing broke;
- I4: no socket, descriptor or timer is left;
- I5: left alone, the reactor does not turn;
- I6: nothing told from inside `write`, `loseConnection` or `abortConnection`;
- I7: one error in the log for each exception that the plan raised, and no other;
- I8: no warning.
"""

from __future__ import annotations

import logging
import random
import warnings
from typing import Any

from reactor.testing.simulation.certificate import NAME, clientContext, serverContext
from reactor.testing.simulation.ends import Client, End, HalfCloseableEnd, Server
from reactor.testing.simulation.network import Network
from reactor.testing.simulation.plans import CLIENT, NETWORK, SERVER, Plan
from reactor.testing.simulation.reactor import SimulatedReactor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reactor.testing.simulation.plans import Step

PORT, FIRST_LOCAL = 7, 40000
# Seconds that every time limit is shorter than, and a slow network takes.
LONG = 2000.0
ENDINGS = {
    "TCP": {"ConnectionDone", "ConnectionLost", "ConnectionAborted", "Planned"},
    "TLS": {"ConnectionDone", "ConnectionLost", "ConnectionAborted", "Planned", "SSLError", "TimeoutError"},
}


class _Log(logging.Handler):
    """Keeps the errors."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        problem = record.exc_info[1] if record.exc_info else None
        self.errors.append(f"{record.getMessage()}: {problem!r}")


class Simulation:
    """One run of a plan.

    :ivar trace: every call that the reactor made, with its time; the same for the same plan and seed.
    """

    def __init__(self, plan: Plan, seed: int) -> None:
        """Of `plan`, in a network whose chances come from `seed`."""
        self.plan = plan
        self.trace: list[tuple[float, str]] = []
        self.network = network = Network(seed, **plan.network)  # type: ignore[arg-type]
        network.names[NAME] = plan.hosts
        network.faults.update(plan.faults)
        self.reactor = SimulatedReactor(network)
        self.ends: list[End] = []
        # By connection and side: who is there now, and the steps of those who are still to come.
        self.current: dict[tuple[int, str], End] = {}
        self.waiting: dict[tuple[int, str], list[tuple[Any, bool]]] = {}
        self.clients: list[Client] = []
        # The numbers of connections that something was done to.
        self.spoiled: set[int] = set()
        self.log = _Log()

    # The run.

    def run(self) -> None:
        """Do it. AssertionError when something did not hold."""
        logger = logging.getLogger("reactor")
        before = logger.propagate
        logger.propagate = False
        logger.addHandler(self.log)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                self._run()
        finally:
            logger.removeHandler(self.log)
            logger.propagate = before

    def _run(self) -> None:
        self._open()
        for step in self.plan.steps:
            if step.after:
                self.reactor.advance(step.after)
            else:
                self.reactor.iterate(0)
            self._take(step)
        self._idle()
        for end in self.ends:
            end.later.clear()
            end.do("unregister")
            end.do("resume")
        self._idle()
        self._checkArrived()
        self._close()
        self._check()

    def _open(self) -> None:
        plan, reactor = self.plan, self.reactor
        server = Server(lambda peer: self._build(peer.port - FIRST_LOCAL, SERVER))
        if plan.kind == "TLS":
            self.port = reactor.listenSSL(PORT, server, serverContext(), interface="::")
        else:
            self.port = reactor.listenTCP(PORT, server, interface="::")
        for number in range(plan.connections):
            client = Client(self._builder(number), self._teller(f"{CLIENT} {number}"), plan.again)
            self.clients.append(client)
            local = ("", FIRST_LOCAL + number)
            if plan.kind == "TLS":
                context = clientContext()
                client.connector = reactor.connectSSL(plan.host, PORT, client, context, plan.timeout, local)
            else:
                client.connector = reactor.connectTCP(plan.host, PORT, client, plan.timeout, local)

    def _builder(self, number: int) -> Any:
        return lambda: self._build(number, CLIENT)

    def _teller(self, who: str) -> Any:
        return lambda event: self._tell(f"{who} {event}")

    def _tell(self, event: str) -> None:
        self.trace.append((self.reactor.seconds(), event))

    def _build(self, number: int, who: str) -> End:
        kind = HalfCloseableEnd if self.plan.halfCloseable[who] else End
        end = kind(f"{who} {number}", self._tell, self.waiting.pop((number, who), []))
        end.kind = self.plan.kind
        self.ends.append(end)
        self.current[number, who] = end
        return end

    def _take(self, step: Step) -> None:
        if step.who == NETWORK:
            self._break(step)
            return
        end = self.current.get((step.connection, step.who))
        if end is None:
            self.waiting.setdefault((step.connection, step.who), []).append((step.what, step.later))
        elif not end.ready and not end.lost:
            end.steps.append((step.what, step.later))
        elif step.later or step.what == "raise":
            end.later.append(step.what)
        elif end.ready:
            end.do(step.what)

    def _break(self, step: Step) -> None:
        network, what = self.network, step.what
        self.spoiled.add(step.connection)
        if what == "scarce":
            network.descriptors = network.open
        elif what == "plenty":
            network.descriptors = 1024
        elif what == "stopListening":
            self.port.stopListening()
        elif what == "disconnect":
            end = self.current.get((step.connection, CLIENT))
            if end is not None:
                end.asked.add("lose")
            self.clients[step.connection].connector.disconnect()
        else:
            verb, _, who = what.partition(" ")
            end = self.current.get((step.connection, who or CLIENT))
            if end is not None and end.transport is not None and not end.lost:
                getattr(network, verb)(end.transport)

    def _idle(self) -> None:
        """Let everything happen that is going to, then look whether it is quiet."""
        # For the turns that a slow network takes, and not for ever.
        self.reactor.advance(LONG, 300_000)
        before = self.network.turns
        self.reactor.advance(LONG)
        turns = self.network.turns - before
        assert turns <= 10, f"I5: {turns} turns, and nothing to do"
        assert self.port.connected or self.plan.faulty, "the port closed by itself"

    def _close(self) -> None:
        for client in self.clients:
            client.again = 0
        if self.plan.ending != "stop":
            self.port.stopListening()
        if self.plan.ending == "lose":
            self._all("lose")
            self._checkArrived()
        if self.plan.ending != "stop":
            self._all("abort")
        self.reactor.callWhenRunning(self.reactor.stop)
        self.reactor.run(installSignalHandlers=False)

    def _all(self, what: str) -> None:
        for end in self.ends:
            if not end.lost and end.ready:
                end.do(what)
        self.reactor.advance(LONG, 300_000)

    # What must hold.

    def _partner(self, end: End) -> End | None:
        other = end.sock.links[1].to
        found = [each for each in self.ends if each is not end and each.events and each.sock is other]
        return found[0] if found else None

    def _check(self) -> None:
        expected = sum(end.raises for end in self.ends)
        assert len(self.log.errors) == expected, f"I7: {expected} errors expected, not {self.log.errors}"
        for client in self.clients:
            events = client.events
            started = events.count("startedConnecting")
            ended = [event for event in events if event.startswith(("CCF", "CCL"))]
            assert started == len(ended) >= 1, f"I2: {events}"
            if not self.plan.faulty and self.plan.kind != "TLS" and self.plan.ending != "stop":
                failed = {event for event in ended if event.startswith("CCF")}
                assert failed <= {"CCF(TimeoutError)"}, f"{failed} in a good network"
            assert events.count("doStart") == events.count("doStop") == 1, events
            assert events[0] == "doStart", events
            assert events[-1] == "doStop", events
        for end in self.ends:
            if end.events:
                self._checkEnd(end)
        self._checkNothingLeft()

    def _checkEnd(self, end: End) -> None:
        assert end.events.count("CM") == end.lost == 1, f"I1: {end.who} {end.events}"
        assert end.end in ENDINGS["TCP" if self.plan.kind == "TCP" else "TLS"], f"{end.who} ended with {end.reason}"
        aborted = end.end == "ConnectionAborted"
        assert not aborted or "abort" in end.asked, f"{end.who} was aborted by nobody"
        if self.plan.kind == "TCP" and "raise" not in end.asked:
            assert aborted or "abort" not in end.asked, f"E13: {end.who} ended with {end.end}"
        assert (end.end == "Planned") <= ("raise" in end.asked), end.events
        assert end.stops == end.registered, f"E32: {end.who}: a producer not stopped, or twice"
        other = self._partner(end)
        written = b"" if other is None else other.accepted
        assert written.startswith(end.received), f"I3: {end.who} did not receive what was written"
        if other is None:
            return
        # An end of the peer's that nobody spoiled comes behind all that the peer wrote.
        flushed = "lose" in other.asked or ("halfClose" in other.asked and isinstance(other, HalfCloseableEnd))
        if end.end == other.end == "ConnectionDone" and flushed and not end.asked:
            assert end.received == other.accepted, f"I3: {end.who} got an end before all was there"

    def _checkArrived(self) -> None:
        """E10: what was written before the end, arrives before the end, if nothing breaks."""
        for end in self.ends:
            other = self._partner(end) if end.events and end.ready else None
            if other is None or self.plan.faulty or not end.asked <= {"lose", "halfClose"}:
                continue
            # Who closes answers what still comes with a reset, which may cost the other the tail: such is TCP.
            if ("lose" in end.asked and other.accepted) or not self._reads(other, end):
                continue
            assert end.stops == end.refused, f"{end.who}: a producer was stopped"
            received, written = len(other.received), len(end.accepted)
            assert received == written, f"I3: {other.who} got {received} bytes of {written}"
            if "lose" in end.asked:
                assert end.lost, f"{end.who} is not closed"
                assert other.lost or isinstance(other, HalfCloseableEnd), f"{other.who} heard no end"

    def _reads(self, other: End, end: End) -> bool:
        """Whether `other` has done nothing that keeps it from receiving all that `end` writes."""
        if not other.asked:
            return True
        return other.asked == {"halfClose"} and isinstance(end, HalfCloseableEnd)

    def _checkNothingLeft(self) -> None:
        reactor, network = self.reactor, self.network
        calls, watched = reactor.getDelayedCalls(), reactor.getReaders() + reactor.getWriters()
        assert not calls, f"I4: {calls}"
        assert not watched, f"I4: {watched}"
        reactor.close()
        assert not network.sockets, f"I4: {network.sockets}"
        assert not network.held, "I4: a reserve that was not given back"


def simulate(seed: int) -> Simulation:
    """Draw a plan from `seed`, and run it.

    :raises AssertionError: when something did not hold; it tells what, the plan, and what happened last.
    """
    return simulatePlan(Plan(random.Random(seed)), seed)


def simulatePlan(plan: Plan, seed: int) -> Simulation:
    """Run `plan`."""
    simulation = Simulation(plan, seed)
    try:
        simulation.run()
    except Exception as e:
        said = "\n".join(f"  {when:.6f} {event}" for when, event in simulation.trace[-60:])
        raise AssertionError(f"seed {seed}: {e}\n{plan!r}\n{said}\n{simulation.log.errors}") from e
    return simulation
