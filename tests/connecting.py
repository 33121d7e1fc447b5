"""What the tests of connecting share: how a connect came to nothing, and a resolver that knows every name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from net import Net, TracedClient

from reactor.address import IPv4Address, IPv6Address

# For tests of what is the same whatever the selector.
oneSelector = pytest.mark.parametrize("net", ["default"], indirect=True)
BEGUN = ["doStart", "startedConnecting"]


def failedWith(client: TracedClient, error: type[BaseException], number: int | None = None) -> Any:
    """The error, after the whole trace of a client that came to nothing was looked at."""
    assert client.events == [*BEGUN, f"CCF({error.__name__})", "doStop"]
    told: Any
    (told,) = [reason.value for reason in client.reasons]
    assert type(told) is error and told.osError == number
    return told


def before(net: Net, seconds: float) -> Callable[..., None]:
    """A hook that is called before `seconds` are over, on this reactor's clock, however slow the machine is."""
    late: list[int] = []
    call = net.reactor.callLater(seconds, late.append, 1)

    def hook(*args: Any) -> None:
        assert not late, f"later than {seconds} s"
        call.cancel()

    return hook


class Known:
    """A name resolver that knows the addresses of every name."""

    def __init__(self, *addresses: Any) -> None:
        self.addresses = addresses

    def resolveHostName(self, receiver: Any, *args: Any) -> Any:
        receiver.resolutionBegan(None)
        for address in self.addresses:
            receiver.addressResolved(address)
        receiver.resolutionComplete()


def four(port: int, host: str = "127.0.0.1") -> IPv4Address:
    return IPv4Address("TCP", host, port)


def six(port: int) -> IPv6Address:
    return IPv6Address("TCP", "::1", port)
