"""What `import reactor` gives, and what it does not do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PATIENCE

import reactor as package


def python(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE, check=True)
    return done.stdout.strip()


def test_every_public_module_is_known_to_the_package() -> None:
    folder = Path(package.__file__).parent
    modules = {
        entry.name.removesuffix(".py")
        for entry in folder.iterdir()
        if (entry.suffix == ".py" or (entry / "__init__.py").exists()) and not entry.name.startswith("_")
    }
    assert modules == package._MODULES


@pytest.mark.parametrize("name", sorted(package._MODULES - {"base"}))
def test_importing_a_module_from_the_package_makes_no_reactor(name: str) -> None:
    program = f"from reactor import {name}; import reactor; print(bool(reactor._made), {name}.__name__)"
    assert python(program) == f"False reactor.{name}"


def test_both_ways_to_the_default_reactor_lead_to_the_same() -> None:
    program = """
from reactor import reactor as one
import reactor
from reactor.base import Reactor
assert isinstance(one, Reactor)
reactor.callLater(0, reactor.stop)
one.callLater(0, print, "ran")
reactor.run()
assert reactor.reactor is one is reactor.currentReactor()
"""
    assert python(program) == "ran"


def test_a_name_that_nobody_has_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="neither the package 'reactor' nor its default reactor"):
        package.noSuchThing  # noqa: B018
    with pytest.raises(AttributeError, match="_private"):
        package._private  # noqa: B018


def test_importing_opens_nothing() -> None:
    program = """
import os
before = sorted(os.listdir("/proc/self/fd"))
import reactor.base, reactor.endpoints, reactor.task
print(sorted(os.listdir("/proc/self/fd")) == before)
"""
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("this system does not tell which descriptors are open")
    assert python(program) == "True"


HOOKED = """
import importlib.machinery, importlib.util, os, sys

sys.path[:] = [folder for folder in sys.path if "site-packages" in folder or not os.path.exists(folder + "/protocols")]

class Hook:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in ("reactor", "protocols"):
            folder = f"{sys.argv[1]}/{name}"
            return importlib.util.spec_from_file_location(
                name, folder + "/__init__.py", submodule_search_locations=[folder]
            )

sys.meta_path.insert(sys.meta_path.index(importlib.machinery.PathFinder) + 1, Hook)
import pytest
pytest.main(["-q", "-p", "no:cacheprovider", "--collect-only", "tests/protocols/test_wire.py"])
import protocols
print(protocols.__file__)
"""


def test_plainPytestTestsAnEditableInstallation() -> None:
    # There `protocols` is found by a hook, after the path with tests/protocols on it. -P: without the current folder.
    root = Path(package.__file__).parents[1]
    command = [sys.executable, "-P", "-c", HOOKED, str(root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, cwd=Path(__file__).parents[1])
    assert done.stdout.splitlines()[-1] == str(root / "protocols" / "__init__.py"), done.stdout + done.stderr
