"""Twisted's own tests of what a reactor is asked for, run on ours: the tests that make their reactors, those of TLS and
of twisted.web. All of its tests, on its own reactor as well, are run by ``tox -e twisted-suite``.
"""

from __future__ import annotations

import pytest

pytest.importorskip("twisted")
pytest.importorskip("OpenSSL")

from comparing import lostOf
from suite_leftout import LOST, RACES
from suite_program import makingReactors, outcomes

GROUPS = {
    "making": ("ours", makingReactors()),
    "making, with asyncio": ("asyncio", makingReactors()),
    "tls": ("ours", ["twisted.protocols.test.test_tls", "twisted.test.test_ssl", "twisted.test.test_sni"]),
    "web": ("ours", ["twisted.web.test"]),
}


@pytest.mark.deadline(200)
@pytest.mark.parametrize("kind", GROUPS)
def test_twistedsOwn(kind: str) -> None:
    pytest.importorskip("hamcrest")
    which, names = GROUPS[kind]
    ours = outcomes(which, names)
    failed = [test for test, (outcome, _) in ours.items() if outcome == "failed" and test not in LOST]
    assert len(failed) < len(ours) / 10, [ours[test] for test in failed[:3]]
    # What fails on Twisted's own as well, for example for root, is no matter of ours; nor what does not fail by itself.
    lost = lostOf(outcomes("epoll", names, failed), outcomes(which, names, failed), RACES) if failed else {}
    assert not lost, "\n\n".join(f"{test}\n{problem}" for test, problem in lost.items())
    assert [test for test in LOST if ours.get(test, ("",))[0] == "passed"] == []
