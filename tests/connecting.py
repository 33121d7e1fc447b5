"""What the tests of connecting share: how a connect came to nothing, a resolver that knows every name, and a process
without descriptors.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


@contextmanager
def noDescriptors() -> Iterator[None]:
    """This process has no free descriptor."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
