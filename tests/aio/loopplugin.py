"""A plugin for the pytest that runs a library's own tests: ``LIBRARY_LOOP=reactor`` puts our loop where asyncio makes
one, and what becomes of each test is written to the file of ``LIBRARY_OUTCOMES``, a JSON object a line.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1]))

from comparing import told

if os.environ.get("LIBRARY_LOOP") == "reactor":
    from cpython_program import substitute

    substitute()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A step of a test is over."""
    # With xdist the one that counts tells, of all.
    if "PYTEST_XDIST_WORKER" in os.environ or (report.when != "call" and report.passed):
        return
    with Path(os.environ["LIBRARY_OUTCOMES"]).open("a") as file:
        file.write(told(report.nodeid, report.outcome, str(report.longrepr)))
