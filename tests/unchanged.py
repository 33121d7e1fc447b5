"""Programs for Twisted, as they are, each in a process of its own that one of two files of the tests prepares.

`ALIASING` serves what they import of ``twisted.internet`` by our modules (tests/aliasing.py); `INSTALLING` puts our
reactor under Twisted (tests/twisted/installing.py).
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PATIENCE

import reactor

TESTS = Path(__file__).parent
PROGRAMS = TESTS / "programs"
ALIASING = TESTS / "aliasing.py"
INSTALLING = TESTS / "twisted" / "installing.py"
# What those print that are run both ways.
SAID = {
    "on_redis.py": [
        "value None",
        "True",
        "5050",
        "{'a': 1, 'b': 2}",
        "[2, 2]",
        "ResponseError: value is not an integer or out of range",
        "['queue', 'job']",
        "1 ('news', 'today')",
        "connected again True",
    ],
    "on_ldap.py": [
        "LDAPInvalidCredentials",
        "TLS True",
        "50 uid=p0,dc=example,dc=org",
        "uid=p7,dc=example,dc=org ['p7@example.org']",
        "49",
        "0  ['sn: P0', 'sn: P1', 'sn: P2']",
    ],
    "on_crochet.py": [
        "b'hello' CrochetReactor",
        "TimeoutError",
        "ZeroDivisionError",
        "b'x\\n'",
        "RuntimeError",
        "['processEnded', 3]",
    ],
    "on_foolscap.py": [
        "5",
        "['seen', {'a': [1, 2.5, None, 'xxx']}]",
        "6000000",
        "20100",
        "True True",
        "BananaError",
        "lost",
    ],
}


def commandOf(hook: Path, *arguments: object) -> list[str]:
    """The command line of `hook` and the program that it prepares, with what that is given."""
    return [sys.executable, str(hook), *map(str, arguments)]


def environment() -> dict[str, str]:
    """That of such a process: it finds the reactor that is tested."""
    return {**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1])}


def printed(hook: Path, program: str, *arguments: object, options: tuple[str, ...] = ()) -> list[str]:
    """What a program of that folder prints; it has to end well, and to write no error. `options` are the hook's."""
    return linesOf(commandOf(hook, *options, PROGRAMS / program, *arguments))


def linesOf(command: list[str]) -> list[str]:
    """What a command prints that ends well and writes no error."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=environment(), check=False)
    assert done.returncode == 0 and "Traceback" not in done.stderr, f"{done.stdout}\n{done.stderr}"
    return done.stdout.splitlines()


def needs(*modules: str) -> pytest.MarkDecorator:
    """Skips a test when one of these cannot be imported here."""
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")
