"""Two ends connected in memory do what every kind of stream connection does: the same suite, over one more kind."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from net import Net, Traced

sys.path.append(str(Path(__file__).resolve().parents[1] / "transport" / "stream"))
import test_stream_contract as contract
from test_stream_contract import *  # noqa: F403
from tls import startBoth

from reactor.testing import connectedPair

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)
KINDS: dict[str, dict[str, Any]] = {
    "cut anywhere": {"chunk": (1, 100_000), "delay": (1e-5, 1e-4), "seed": 1},
    "a small capacity": {"capacity": 20_000, "delay": 1e-5},
    "TLS": {"chunk": (1, 100_000), "delay": 1e-5, "seed": 2},
}


@pytest.fixture(params=list(KINDS))
def ends(request: pytest.FixtureRequest, net: Net) -> contract.Ends:
    def make(first: contract.Build = Traced, second: contract.Build = Traced) -> tuple[Traced, Traced]:
        pair = connectedPair(net.reactor, first(), second(), **KINDS[request.param])
        if request.param == "TLS":
            startBoth(net, pair.client, pair.server)
        return pair.client, pair.server

    return make
