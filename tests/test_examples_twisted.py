"""The example of a program for Twisted does what its first paragraph says, as a process of its own."""

from __future__ import annotations

import pytest
from test_examples import Run, run

__all__ = ["run"]


def test_underTwisted(run: Run) -> None:
    pytest.importorskip("twisted")
    assert run("under_twisted.py").ended() == [
        "runs on reactor.twisted.TwistedReactor",
        "/hello 200 hello, world",
        "/hello?name=you 200 hello, you",
        "/later ['200 3 waited', '200 3 waited', '200 3 waited']",
    ]
