"""What runs Twisted's own tests: a test that hangs or ends its process is told, and so are those behind it."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("twisted")

from suite_program import outcomes

MODULE = """
import os
import time

from twisted.internet import defer, reactor
from twisted.internet.test.reactormixins import ReactorBuilder
from twisted.trial.unittest import SkipTest, TestCase


class SomeTests(TestCase):
    def test_a(self):
        pass

    def test_b(self):
        time.sleep(1000)

    def test_c(self):
        print(1 / 0)

    def test_d(self):
        os._exit(0)

    def test_e(self):
        raise SkipTest("not for here")

    def test_f(self):
        reactor.callLater(0, lambda: 1 / 0)
        done = defer.Deferred()
        reactor.callLater(0, done.callback, None)
        return done

    def test_g(self):
        fails = defer.fail(ValueError("expected"))
        return self.assertFailure(fails, ValueError)


class Builder(ReactorBuilder):
    def test_which(self):
        assert type(self.buildReactor()) is type(reactor), reactor


globals().update(Builder.makeTestCaseClasses())
"""


def test_allAreTold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.joinpath("someOfTheirs.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("TRIAL_DEADLINE", "5")
    became = outcomes("ours", ["someOfTheirs"])
    by: dict[str, list[str]] = {}
    for test, (outcome, _) in sorted(became.items()):
        by.setdefault(outcome, []).append(test.rpartition(".")[2])
    assert by == {
        "passed": ["test_which", "test_a", "test_g"],
        "failed": ["test_b", "test_c", "test_d", "test_f"],
        "skipped": ["test_e"],
    }
    problem = {test.rpartition(".")[2]: problem for test, (_, problem) in became.items()}
    assert "in test_b" in problem["test_b"]
    assert "ZeroDivisionError" in problem["test_c"]
    assert "someOfTheirs.Builder.test_which" in became
    only = ["someOfTheirs.SomeTests.test_a", "someOfTheirs.SomeTests.test_d"]
    assert sorted(outcomes("epoll", ["someOfTheirs"], only)) == only
