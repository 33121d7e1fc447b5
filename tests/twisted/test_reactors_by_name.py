"""Twisted's commands find our reactors by name: the plugin in the wheel, and each command as a process of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE

pytest.importorskip("twisted.internet")

import reactor as package

FOLDER = Path(package.__file__).parents[1]
# Where the plugin is in a checkout; installed, it is with Twisted's own.
PLUGINS = Path(__file__).parents[2] / "plugins"
NAMES = {"reactor": "TwistedReactor", "reactor-asyncio": "AsyncioTwistedReactor"}
CLASSES = sorted(NAMES.items())


def environment(*folders: object) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (*folders, FOLDER, PLUGINS)))}


def ran(*command: object, folder: Path, status: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=folder,
        env=environment(folder),
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def test_theyAreListedAndNothingIsImportedForThat(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from twisted.application.reactors import getReactorTypes\n"
        "print(*sorted(each.shortName for each in getReactorTypes() if 'reactor' in each.shortName))\n"
        "print([name for name in ('reactor', 'twisted.internet.reactor') if name in sys.modules])\n"
        "import twisted.plugins.reactor_twisted\n"
        "print('reactor' in sys.modules)\n"
    )
    assert ran("-c", program, folder=tmp_path).splitlines() == ["reactor reactor-asyncio", "[]", "False"]


@pytest.mark.parametrize(("name", "made"), CLASSES)
def test_installReactorByName(name: str, made: str, tmp_path: Path) -> None:
    program = (
        "from twisted.application.reactors import installReactor\n"
        f"print(type(installReactor({name!r})).__name__)\n"
        "import reactor.twisted\n"
        "print(reactor.reactor.frame.engine is reactor.reactor)\n"
    )
    assert ran("-c", program, folder=tmp_path) == f"{made}\nTrue\n"


RESOURCE = """
from twisted.web.resource import Resource

class Which(Resource):
    isLeaf = True

    def render_GET(self, request):
        from twisted.internet import reactor
        return type(reactor).__name__.encode()
"""

TAC = """
from twisted.application import service, internet
from twisted.web.server import Site
from which import Which

application = service.Application("which")
internet.TCPServer(0, Site(Which()), interface="127.0.0.1").setServiceParent(application)
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Any]:
    """What a command that serves `Which` answers, and what it says after SIGTERM."""
    (tmp_path / "which.py").write_text(RESOURCE)
    (tmp_path / "which.tac").write_text(TAC)
    running: list[subprocess.Popen[str]] = []

    def ask(*command: str) -> tuple[str, str]:
        server = subprocess.Popen(
            [sys.executable, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=tmp_path,
            env=environment(tmp_path),
        )
        running.append(server)
        assert server.stdout is not None
        said = ""
        for line in server.stdout:
            said += line
            _, found, number = line.partition("Site starting on ")
            if found:
                with urllib.request.urlopen(f"http://127.0.0.1:{number.strip()}/", timeout=PATIENCE) as answer:
                    got = answer.read().decode()
                server.send_signal(signal.SIGTERM)
                rest, _ = server.communicate(timeout=PATIENCE)
                return got, rest
        raise AssertionError(said)

    yield ask
    for server in running:
        server.kill()
        server.communicate(timeout=PATIENCE)


@pytest.mark.parametrize(("name", "made"), CLASSES)
def test_twist(name: str, made: str, site: Any) -> None:
    got, said = site(
        *("-m", "twisted", f"--reactor={name}", "--log-format=text"),
        *("web", "--listen=tcp:0:interface=127.0.0.1", "--class=which.Which"),
    )
    assert got == made
    assert "Closed)" in said and "Traceback" not in said


@pytest.mark.parametrize(("name", "made"), CLASSES)
def test_twistd(name: str, made: str, site: Any) -> None:
    twistd = "from twisted.scripts.twistd import run; run()"
    got, said = site("-c", twistd, "-n", "--pidfile=", f"--reactor={name}", "-y", "which.tac")
    assert got == made
    assert "Server Shut Down" in said and "Traceback" not in said


@pytest.mark.parametrize(("name", "made"), CLASSES)
def test_trial(name: str, made: str, tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(
        "from twisted.trial.unittest import TestCase\n"
        "from twisted.internet.task import deferLater\n"
        "class Some(TestCase):\n"
        "    async def test_which(self):\n"
        "        from twisted.internet import reactor\n"
        "        await deferLater(reactor, 0.01)\n"
        f"        self.assertEqual(type(reactor).__name__, {made!r})\n"
        "    def test_threads(self):\n"
        "        from twisted.internet.threads import deferToThread\n"
        "        return deferToThread(int, '1').addCallback(self.assertEqual, 1)\n"
    )
    said = ran("-m", "twisted.trial", f"--reactor={name}", "test_some", folder=tmp_path)
    assert "PASSED (successes=2)" in said


def test_autobahnsChoice(tmp_path: Path) -> None:
    """What crossbar's ``--reactor`` comes to."""
    pytest.importorskip("autobahn")
    program = (
        "from autobahn.twisted.choosereactor import install_reactor\nprint(type(install_reactor('reactor')).__name__)\n"
    )
    assert ran("-c", program, folder=tmp_path) == "TwistedReactor\n"


def test_theWheelHasThePluginAndNoFolderOfTwisteds(tmp_path: Path) -> None:
    pytest.importorskip("setuptools", minversion="77", reason="setuptools, which builds the wheel, is not installed")
    root = PLUGINS.parent
    if not (root / "setup.cfg").exists():
        pytest.skip("not in a checkout")
    for name in ("setup.cfg", "setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(root / name, tmp_path)
    for name in ("reactor", "protocols", "plugins"):
        shutil.copytree(root / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "dropin.cache"))
    built = ran("-c", "from setuptools.build_meta import *; print(build_wheel('.'))", folder=tmp_path).split()[-1]
    with zipfile.ZipFile(tmp_path / built) as wheel:
        theirs = [name for name in wheel.namelist() if name.startswith(("twisted", "plugins"))]
    assert theirs == ["twisted/plugins/reactor_twisted.py"]
