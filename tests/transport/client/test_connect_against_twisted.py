"""The same program on Twisted and here: what a client's hooks are told, and in which order, is the same."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PATIENCE
from script import FOLDER

PROGRAM = Path(__file__).parents[2] / "programs" / "client_traces.py"
CASES = """
    refused userTimeout localAddressNotOurs stoppedAtOnce disconnectedAtOnce stoppedWhileTheKernelConnects
    stoppedInsideStartedConnecting disconnectedInsideStartedConnecting againInsideFailed againInsideLost
    againLaterAfterFailed connectWhileConnecting connectWhileConnected disconnectWhenConnected buildsNone
    buildProtocolRaises connectionMadeRaises twoConnectorsOneFactory unknownName emptyHost badPorts endpointRefused
    endpointConnects endpointCancelled endpointBuildsNone endpointBuildProtocolRaises connectProtocolConnects
    stopWhileConnecting
    """.split()
Traces = dict[str, list[str]]


def traces(library: str) -> Traces:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), library],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, "PYTHONPATH": str(FOLDER)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def twisteds() -> Traces:
    if importlib.util.find_spec("twisted") is None:
        pytest.skip("Twisted is not installed")
    return traces("twisted")


@pytest.fixture(scope="module")
def ours() -> Traces:
    return traces("reactor")


def test_theProgramHasTheseCases(ours: Traces) -> None:
    assert sorted(ours) == sorted(CASES)


@pytest.mark.parametrize("case", CASES)
def test_theSameTrace(ours: Traces, twisteds: Traces, case: str) -> None:
    assert ours[case] == twisteds[case]
    assert len(ours[case]) > 0
