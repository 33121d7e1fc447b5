"""Side by side with the system's resolver, glibc's: the same files, the same server."""

from __future__ import annotations

from typing import Any

import pytest
from namespaced import toldByProgram

# Where ours differs on purpose, and why. One that does not is to be taken out.
DIFFERENT = {
    r"'search sub.test example\n' four.example 10": "a name that is there, without such addresses, ends the search",
    r"'search sub.test example\n' mixed.case. 0": "a dot at the end of a name hides no line of the hosts file",
    r"'search sub.test example\n' away.example 0": "an alias that the server leaves to us is followed",
}


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    return toldByProgram("getaddrinfo_traces", files=True)


def test_asTheSystemsResolver(told: dict[str, Any]) -> None:
    different = {case: traces for case, traces in told.items() if traces[0] != traces[1]}
    assert different.keys() == DIFFERENT.keys(), different
