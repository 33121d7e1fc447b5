"""What becomes of a connect where the network says no: the rows of the list of faults that take routes and packet
filters of their own, and so a network namespace.
"""

from __future__ import annotations

import errno
from typing import Any

import pytest
from connecting import BEGUN
from namespaced import toldByProgram

from reactor.error import ConnectError, ConnectionRefusedError, NoRouteError, TCPTimedOutError


@pytest.fixture(scope="module")
def inNamespace() -> dict[str, Any]:
    """What the program in the namespace says: case and selector -> what its factory was told."""
    return toldByProgram("connect_in_namespace")


def checkInNamespace(told: dict[str, Any], error: type[BaseException], number: int) -> None:
    assert told["trace"] == [*BEGUN, f"CCF({error.__name__})", "doStop"]
    assert (told["errno"], told["phase"]) == (number, "connect")
    ((address, problem),) = told["attempts"]
    assert told["host"] in address and str(told["port"]) in address and problem == number
    assert 0 < told["elapsed"] <= told["measured"]


def test_C3_kernel_gives_up(inNamespace: dict[str, Any]) -> None:
    told = inNamespace["dropped, default"]
    checkInNamespace(told, TCPTimedOutError, errno.ETIMEDOUT)
    assert told["elapsed"] > 1


@pytest.mark.parametrize("selector", ["SelectSelector", "PollSelector", "default"])
@pytest.mark.parametrize("case", ["no route", "no route, IPv6"])
def test_C4_network_unreachable(inNamespace: dict[str, Any], case: str, selector: str) -> None:
    checkInNamespace(inNamespace[f"{case}, {selector}"], NoRouteError, errno.ENETUNREACH)


@pytest.mark.parametrize("selector", ["SelectSelector", "PollSelector", "default"])
@pytest.mark.parametrize("case", ["unreachable", "unreachable, IPv6"])
def test_C5_host_unreachable(inNamespace: dict[str, Any], case: str, selector: str) -> None:
    checkInNamespace(inNamespace[f"{case}, {selector}"], ConnectError, errno.EHOSTUNREACH)


@pytest.mark.parametrize("selector", ["SelectSelector", "PollSelector", "default"])
@pytest.mark.parametrize(("case", "number"), [("prohibited", errno.EACCES), ("blackhole", errno.EINVAL)])
def test_C6_other_errors_of_routes(inNamespace: dict[str, Any], case: str, number: int, selector: str) -> None:
    checkInNamespace(inNamespace[f"{case}, {selector}"], ConnectError, number)


@pytest.mark.parametrize(
    ("case", "error", "number"),
    [
        ("icmp port", ConnectionRefusedError, errno.ECONNREFUSED),
        ("icmp host", ConnectError, errno.EHOSTUNREACH),
        ("icmp net", NoRouteError, errno.ENETUNREACH),
        ("icmp prohibited", ConnectError, errno.EHOSTUNREACH),
        ("reset", ConnectionRefusedError, errno.ECONNREFUSED),
    ],
)
@pytest.mark.parametrize("selector", ["SelectSelector", "PollSelector", "default"])
def test_C7_icmp(
    inNamespace: dict[str, Any], case: str, error: type[BaseException], number: int, selector: str
) -> None:
    checkInNamespace(inNamespace[f"{case}, {selector}"], error, number)


@pytest.mark.parametrize(
    ("case", "error", "number"),
    [
        ("icmp port, IPv6", ConnectionRefusedError, errno.ECONNREFUSED),
        ("icmp prohibited, IPv6", ConnectError, errno.EACCES),
    ],
)
def test_C7_icmp_of_ipv6(inNamespace: dict[str, Any], case: str, error: type[BaseException], number: int) -> None:
    checkInNamespace(inNamespace[f"{case}, default"], error, number)


def test_C8_unknown_name(inNamespace: dict[str, Any]) -> None:
    told = inNamespace["unknown name, default"]
    assert told["trace"] == [*BEGUN, "CCF(DNSLookupError)", "doStop"]
    assert (told["host"], told["port"], told["phase"], told["attempts"]) == ("x.invalid", 9, "resolve", [])
    # Which of getaddrinfo's codes is a matter of how the system looks names up.
    assert told["errno"] < 0 and "could not resolve x.invalid: " in told["text"]
    assert 0 < told["elapsed"] <= told["measured"]
