"""Runs a plan, and looks whether what must hold whatever happens has held:

- I1: `connectionLost` exactly once for each `connectionMade`, and nothing told afterwards;
- I2: exactly one of `clientConnectionFailed` and `clientConnectionLost` for each `startedConnecting`;
- I3: what was received is the beginning of what was written; all of it where nothing broke;
- I4: no socket, descriptor or timer is left;
- I5: left alone, the reactor does not turn;
- I6: nothing told from inside `write`, `loseConnection` or `abortConnection`;
- I7: one error in the log for each exception that the plan raised, and no other;
- I8: no warning;
- I9: when nothing more happens, what has arrived was delivered and what fits was sent;
- I10: a delayed call is made once, in time and in order, unless it was cancelled;
- I11: what a callback wrote is sent before the next one is made.
"""

from __future__ import annotations

import logging
import random
import warnings
from collections import Counter
from functools import partial
from typing import Any

from reactor.testing.simulation.alarms import Alarms
from reactor.testing.simulation.certificate import NAME, clientContext, serverContext
from reactor.testing.simulation.ends import Client, End, HalfCloseableEnd, Server
from reactor.testing.simulation.network import Network
from reactor.testing.simulation.plans import CLIENT, CLOCK, NETWORK, SERVER, Plan, draw
from reactor.testing.simulation.reactor import SimulatedReactor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reactor.testing.simulation.plans import Step

PORT, FIRST_LOCAL = 7, 40000
# Seconds that every time limit is shorter than, and a slow network takes.
LONG = 2000.0
_ENDINGS = {"ConnectionDone", "ConnectionLost", "ConnectionAborted", "Planned"}
_TLS_ENDINGS = _ENDINGS | {"SSLError", "TimeoutError"}


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
        self.network = network = Network(seed, **plan.network)
        network.names[NAME] = list(plan.hosts)
        network.faults.update(plan.faults)
        self.reactor = SimulatedReactor(network)
        self.ends: list[End] = []
        # By connection and side: who is there now, and the steps of those who are still to come.
        self.current: dict[tuple[int, str], End] = {}
        self.waiting: dict[tuple[int, str], list[tuple[Any, bool]]] = {}
        self.clients: list[Client] = []
        self.ports: list[Any] = []
        self.refusals = plan.refused
        # How often a client was told to give up.
        self.restarts = 0
        self.alarms = Alarms(self.reactor, self._tell)
        self.log = _Log()

    @property
    def happened(self) -> Counter[str]:
        """How often each thing was done or broke."""
        counts = Counter({"restart": self.restarts})
        for each in (self.network.happened, *(end.done for end in self.ends)):
            counts.update(each)
        return counts

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
        self._live()
        if self.plan.ending != "at once":
            self._settle()
            self._close()
        self.alarms.check()
        self.alarms.clear()
        self.reactor.callWhenRunning(self.reactor.stop)
        self.reactor.run(installSignalHandlers=False)
        self._check()

    def _live(self) -> None:
        for step in self.plan.steps:
            if step.after:
                self.reactor.advance(step.after)
            else:
                self.reactor.iterate(0)
            self._take(step)

    def _settle(self) -> None:
        self._idle()
        settled = 0
        while settled < len(self.ends):
            # What goes on may end a connection, and its client begin the next one.
            settled = len(self.ends)
            for end in self.ends:
                end.later.clear()
                end.steps.clear()
                if end.ready:
                    end.do("unregister")
                    end.do("resume")
            self._idle()
        self._checkArrived()

    def _open(self) -> None:
        for number in range(self.plan.connections if self.plan.kind == "UNIX" else 1):
            self.ports.append(self._listen(number))
        if self.plan.spare is not None:
            self.network.descriptors = self.network.open + self.plan.spare
        for number in range(self.plan.connections):
            client = Client(self._builder(number), self._teller(f"{CLIENT} {number}"), self.plan.again)
            self.clients.append(client)
            client.connector = self._connect(number, client)

    def _listen(self, number: int) -> Any:
        reactor = self.reactor
        if self.plan.kind == "UNIX":
            # Who comes over a UNIX socket has no name; each has a server of its own.
            return reactor.listenUNIX(_path(number), Server(lambda peer: self._serve(number)))
        server = Server(lambda peer: self._serve(peer.port - FIRST_LOCAL))
        if self.plan.kind == "TLS":
            return reactor.listenSSL(PORT, server, serverContext(), interface="::")
        return reactor.listenTCP(PORT, server, interface="::")

    def _connect(self, number: int, client: Client) -> Any:
        plan, reactor = self.plan, self.reactor
        local = ("", PORT if plan.taken else FIRST_LOCAL + number)
        if plan.kind == "UNIX":
            return reactor.connectUNIX(_path(number), client, plan.timeout)
        if plan.kind == "TLS":
            return reactor.connectSSL(plan.host, PORT, client, clientContext(), plan.timeout, local)
        return reactor.connectTCP(plan.host, PORT, client, plan.timeout, local)

    def _serve(self, number: int) -> End | None:
        if self.refusals:
            self.refusals -= 1
            return None
        return self._build(number, SERVER)

    def _builder(self, number: int) -> Any:
        return lambda: self._build(number, CLIENT)

    def _teller(self, who: str) -> Any:
        return lambda event: self._tell(f"{who} {event}")

    def _tell(self, event: str) -> None:
        # What a callback wrote is sent when it returns, and none is made before that. (But for records of TLS that came
        # at once, and the end of one connection, which may be told while another is sending.)
        late = " DR(" in event and not self.plan.encrypts and self.reactor._loop.dirty
        assert not late, f"I11: {event} before what was written is sent"
        self.trace.append((self.reactor.seconds(), event))

    def _build(self, number: int, who: str) -> End:
        kind = HalfCloseableEnd if self.plan.halfCloseable[who == SERVER] else End
        end = kind(f"{who} {number}", self._tell, self.waiting.pop((number, who), []))
        end.roomy = self.plan.network.get("capacity", 262144) >= 20_000
        end.layers = self.plan.kind == "TLS"
        self.ends.append(end)
        self.current[number, who] = end
        return end

    def _take(self, step: Step) -> None:
        if step.who == NETWORK:
            self._break(step)
            return
        if step.who == CLOCK:
            self.alarms.do(step.what)
            return
        end, what, later = self.current.get((step.connection, step.who)), step.what, step.later or step.what == "raise"
        if what == "restart":
            what, later = partial(self._restart, (step.connection + 1) % self.plan.connections), True
        if end is None:
            self.waiting.setdefault((step.connection, step.who), []).append((what, later))
        elif not end.ready and not end.lost:
            end.steps.append((what, later))
        elif later:
            end.later.append(what)
        elif end.ready:
            end.do(what)

    def _break(self, step: Step) -> None:
        network, what = self.network, step.what
        if what == "scarce":
            network.descriptors = network.open
        elif what == "plenty":
            network.descriptors = 1024
        elif what == "stopListening":
            for port in self.ports:
                port.stopListening()
        elif what == "disconnect":
            self._restart(step.connection)
        else:
            verb, _, who = what.partition(" ")
            end = self.current.get((step.connection, who or CLIENT))
            if end is not None and end.transport is not None and not end.lost:
                getattr(network, verb)(end.transport)

    def _restart(self, number: int) -> None:
        """Have a client give up, whatever it does; it may begin again."""
        connector, end = self.clients[number].connector, self.current.get((number, CLIENT))
        self.restarts += 1
        if connector.state == "connected" and end is not None:
            end.asked.add("lose")
        connector.disconnect()

    def _idle(self) -> None:
        """Let everything happen that is going to, then look whether it is quiet."""
        # For the turns that a slow network takes, and not for ever.
        self.reactor.advance(LONG, 300_000)
        before = self.network.turns
        self.reactor.advance(LONG)
        turns = self.network.turns - before
        assert turns <= 10, f"I5: {turns} turns, and nothing to do"
        assert all(port.connected for port in self.ports) or self.plan.faulty, "a port closed by itself"
        self.alarms.check()
        for port in self.ports:
            assert not port.connected or not port.getHandle().queue, "I9: somebody is not accepted"
        for end in self.ends:
            end.check()

    def _close(self) -> None:
        for client in self.clients:
            client.again = 0
        if self.plan.ending != "stop":
            for port in self.ports:
                port.stopListening()
        if self.plan.ending == "lose":
            self._all("lose")
            self._checkArrived()
        if self.plan.ending != "stop":
            self._all("abort")

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
        raised = sum(end.raises for end in self.ends)
        assert len(self.log.errors) == raised, f"I7: {raised} errors expected, not {self.log.errors}"
        for client in self.clients:
            events = client.events
            started = events.count("startedConnecting")
            ended = [event for event in events if event.startswith(("CCF", "CCL"))]
            assert started == len(ended) >= 1, f"I2: {events}"
            if not self.plan.faulty and self.plan.kind != "TLS" and self.plan.ending in ("lose", "abort"):
                failed = {event for event in ended if event.startswith("CCF")}
                expected = {"CCF(TimeoutError)"} | ({"CCF(UserError)"} if self.restarts else set())
                assert failed <= expected, f"{failed} in a good network"
            assert events.count("doStart") == events.count("doStop") == 1, events
            assert events[0] == "doStart", events
            assert events[-1] == "doStop", events
        for end in self.ends:
            if end.events:
                self._checkEnd(end)
        self._checkNothingLeft()

    def _checkEnd(self, end: End) -> None:
        assert end.events.count("CM") == end.lost == 1, f"I1: {end.who} {end.events}"
        expected = _TLS_ENDINGS if self.plan.encrypts else _ENDINGS
        assert end.end in expected, f"{end.who} ended with {end.reason}"
        # With TLS from the start, its handshake is done before anybody is told of the connection.
        if self.plan.kind == "TLS" and end.layers == 1:
            assert end.end != "TimeoutError", f"{end.who} ended with {end.reason}"
        aborted = end.end == "ConnectionAborted"
        assert not aborted or "abort" in end.asked, f"{end.who} was aborted by nobody"
        if not self.plan.encrypts and "raise" not in end.asked:
            assert aborted or "abort" not in end.asked, f"E13: {end.who} ended with {end.end}"
        assert (end.end == "Planned") <= ("raise" in end.asked), end.events
        assert end.stops == end.registered, f"E32: {end.who}: a producer not stopped, or twice"
        if end.end in ("ConnectionDone", "Planned"):
            assert not end.sock.spilt, f"E14: {end.who} closed over {end.sock.spilt} bytes, which resets the connection"
        if end.end == "ConnectionLost" and not self.plan.encrypts and not end.asked and not end.held:
            assert not end.sock.spilt, f"E9: {end.who} was not given {end.sock.spilt} bytes that came before the reset"
        other = self._partner(end)
        written = b"" if other is None else other.accepted
        assert written.startswith(end.received), f"I3: {end.who} did not receive what was written"
        if other is None:
            return
        self._checkEnding(end, other)
        # An end of the peer's that nobody spoiled comes behind all that the peer wrote.
        flushed = "lose" in other.asked or ("halfClose" in other.asked and isinstance(other, HalfCloseableEnd))
        if end.end == other.end == "ConnectionDone" and flushed and not end.asked:
            assert end.received == other.accepted, f"I3: {end.who} got an end before all was there"

    def _checkEnding(self, end: End, other: End) -> None:
        """How what one end did alone is told to the other, if nothing breaks."""
        if self.plan.faulty or self.restarts or other.asked or self.plan.ending in ("stop", "at once"):
            return
        if end.asked == {"abort"} and not self.plan.encrypts:
            assert other.end == "ConnectionLost", f"E13: {end.who} aborted, and {other.who} was told {other.end}"
        if end.asked == {"raise"} and self.plan.kind == "TLS" and end.layers == other.layers == 1:
            told = f"{other.who} was told {other.end}"
            assert other.end == "ConnectionLost", f"T2: {end.who} said no close_notify, and {told}"
        # Who closes answers what still comes with a reset: such is TCP. TLS waits for the answer,
        # not for ever.
        answered = self.plan.kind == "TLS" and len(other.accepted) <= 1000 and not other.done["pause"]
        answered = answered and "RCL" not in other.events
        # Who asks for TLS says something, too.
        silent = not other.written
        if end.asked == {"lose"} and end.end == "ConnectionDone" and (answered or silent):
            assert other.end == "ConnectionDone", f"E10: {end.who} closed, and {other.who} was told {other.end}"

    def _checkArrived(self) -> None:
        """E10: what was written before the end, arrives before the end, if nothing breaks."""
        for end in self.ends:
            other = self._partner(end) if end.events and end.ready else None
            if other is None or self.plan.faulty or not end.asked <= {"lose", "halfClose"}:
                continue
            if "TimeoutError" in {each.end for each in (end, other) if each.lost}:
                # What was queued took longer than a handshake may.
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


def _path(number: int) -> bytes:
    return b"\0simulated %d" % number


def simulate(seed: int) -> Simulation:
    """Draw a plan from `seed`, and run it.

    :raises AssertionError: when something did not hold; it tells what, the plan, and what happened last.
    """
    return simulatePlan(draw(random.Random(seed)), seed)


def simulatePlan(plan: Plan, seed: int = 0) -> Simulation:
    """Run `plan`, with the chances of the network from `seed`. AssertionError as from `simulate`."""
    simulation = Simulation(plan, seed)
    try:
        simulation.run()
    except Exception as e:
        said = "\n".join(f"  {when:.6f} {event}" for when, event in simulation.trace[-60:])
        errors = "".join(f"\n  {error}" for error in simulation.log.errors)
        raise AssertionError(f"seed {seed}: {e}\n{plan!r}\n{said}{errors}") from e
    return simulation
