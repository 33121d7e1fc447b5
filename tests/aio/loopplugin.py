"""A plugin for the pytest that runs a library's own tests: ``LIBRARY_LOOP=reactor`` puts our loop where asyncio makes
one, and what becomes of each test is written to the file of ``LIBRARY_OUTCOMES``, a JSON object a line.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

if os.environ.get("LIBRARY_LOOP") == "reactor":
    from cpython_program import substitute

    substitute()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A step of a test is over."""
    # With xdist the one that counts tells, of all.
    if "PYTEST_XDIST_WORKER" in os.environ or (report.when != "call" and report.passed):
        return
    told = {"test": report.nodeid, "outcome": report.outcome, "problem": str(report.longrepr)[-4000:]}
    with Path(os.environ["LIBRARY_OUTCOMES"]).open("a") as file:
        file.write(json.dumps(told) + "\n")
