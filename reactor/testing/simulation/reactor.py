"""A reactor whose kernel, network and clock are simulated. All else of it is the real one."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from reactor._transport.server.port import Reserve
from reactor.address import IPv4Address, IPv6Address
from reactor.base import Reactor
from reactor.interfaces import IHostnameResolver, IHostResolution
from reactor.testing.simulation.network import Network

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class SimulatedReserve(Reserve):
    """A reserve in the network's count of descriptors."""

    __slots__ = ("_network",)

    def __init__(self, network: Network) -> None:
        """Holds one, if there is one."""
        self._network = network
        super().__init__()

    def take(self) -> None:
        """Hold one again."""
        if self._fd < 0 and self._network.open < self._network.descriptors:
            self._network.held += 1
            # Never a number, which would be closed.
            self._fd = 1 << 62

    def give(self) -> bool:
        """Free it; whether there was one."""
        if self._fd < 0:
            return False
        self._network.held -= 1
        self._fd = -1
        return True

    # Nothing real is held, and the network is asked for what is.
    __del__ = give


@implementer(IHostResolution)
class _LookUp:
    """A question that is on its way."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.call: Any = None

    def cancel(self) -> None:
        """Nobody waits for the answer any more."""
        if self.call.active():
            self.call.cancel()


@implementer(IHostnameResolver)
class SimulatedResolver:
    """Knows the names of a network, and answers as fast as that is."""

    def __init__(self, network: Network) -> None:
        """Of `network.names`."""
        self._network = network

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type] | None = None,
        transportSemantics: str = "TCP",
    ) -> _LookUp:
        """Tell `resolutionReceiver` the addresses, none for a name that the network has not."""
        network = self._network

        def answer() -> None:
            for host in network.names.get(hostName, ()):
                found = (IPv6Address if ":" in host else IPv4Address)("TCP", host, portNumber)
                if addressTypes is None or type(found) in addressTypes:
                    resolutionReceiver.addressResolved(found)
            resolutionReceiver.resolutionComplete()

        lookUp = _LookUp(hostName)
        resolutionReceiver.resolutionBegan(lookUp)
        # In the loop, which reports what the answer raises.
        lookUp.call = self.later(2 * network.delay(), answer)
        return lookUp

    # The reactor's callLater.
    later: Callable[..., Any]


class SimulatedReactor(Reactor):
    """A reactor in a simulated network, with TCP and TLS and no other kind of connection. Its `seconds()` are the
    network's, and pass only while it turns: in `advance`, `iterate` or `run`.

    :ivar network: its network.
    """

    def __init__(self, network: Network | None = None) -> None:
        """In `network`, or in a good one of its own."""
        self.network = network = Network() if network is None else network
        self._simulatedSelector = _Backend(network)
        super().__init__(self._simulatedSelector)  # type: ignore[arg-type]
        loop = self._loop
        loop.timers.seconds = network.time.seconds
        loop.socket = network.socket  # type: ignore[assignment]
        network.stalled = self._stalled
        self._reserve = SimulatedReserve(network)
        self._nameResolver = resolver = SimulatedResolver(network)
        resolver.later = self.callLater

    def seconds(self) -> float:
        """The time in the network, in seconds."""
        return self.network.time.seconds()

    def advance(self, seconds: float, turns: int = 1_000_000) -> None:
        """Let `seconds` pass, and do what is due meanwhile.

        :param turns: how many turns of the loop that may take; one more is an AssertionError.
        """
        end = self.seconds() + seconds
        last = self.network.turns + turns
        while (rest := end - self.seconds()) > 0:
            assert self.network.turns < last, f"{turns} turns, and {rest:.6g} of {seconds} s are left"
            self.iterate(rest)

    def _stalled(self) -> None:
        self._loop.escape(RuntimeError("the reactor waits for ever: nothing is on its way, no timer is set"))


class _Backend:
    """The network as a poller's backend. The first descriptor it is given is the real one of the loop's waker."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.poll = network.poll
        self.modify = network.modify
        self.unregister = network.unregister
        self.close = network.close

    def register(self, fd: int, mask: int) -> None:
        """The waker."""
        self._network.adopt(fd)
        # All others are the network's.
        self.register = self._network.register  # type: ignore[method-assign]
        self.register(fd, mask)
