"""The folder is the diagram: which file may import which, and what importing them may not do.

The rows below are the layers that doc/architecture.rst explains. A file imports only from rows below its own or, if
that makes no cycle, from its own. A module that no row names fails, so that whoever adds one says where it belongs. The
rules are functions of sources, so each is also shown a small tree that breaks it.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

import reactor

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("reactor", "protocols")
LONGEST = 500

# Bottom row first. A package stands for all its modules, unless one of them is named itself.
LAYERS = (
    "error failure address interfaces components _ground",
    "defer protocol _core.backoff _core.timers _core.triggers"
    " _transport.stream.lifecycle _transport.stream.outbox _transport.stream.producers _transport.client.race",
    "_core.poller _core.waker _core.foreign _core.signals _core.children _core.threadpool threadpool"
    " _transport.stream.closing",
    "_core.loop _core.running",
    "_transport",
    "reactor base _face",
    "task threads endpoints service workers ssl stdio utils testing pytestplugin __main__",
)
# A package of modules of several rows: each of those must be named itself.
NOT_INHERITED = {"_core"}


class Import(NamedTuple):
    """One import of one of our modules, or of somebody else's."""

    importer: str
    imported: str
    line: int
    forTypesOnly: bool


def sources() -> dict[str, str]:
    """Module name -> source of everything that we ship."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text()
    return found


SOURCES = sources()


def isTypeChecking(test: ast.expr) -> bool:
    return (test.id if isinstance(test, ast.Name) else getattr(test, "attr", None)) == "TYPE_CHECKING"


def importNodes(node: ast.AST, forTypesOnly: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """Every import statement and import_module() call, however deep, and whether only type checkers see it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isTypeChecking(child.test):
            for statement in child.body:
                yield from importNodes(ast.Module([statement], []), True)
            for statement in child.orelse:
                yield from importNodes(ast.Module([statement], []), forTypesOnly)
            continue
        if isinstance(child, ast.Import | ast.ImportFrom | ast.Call):
            yield child, forTypesOnly
        yield from importNodes(child, forTypesOnly)


def namesImported(node: ast.AST, importer: str, isPackage: bool, modules: Mapping[str, str]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parts = importer.split(".")
            above = parts[: len(parts) - node.level + isPackage]
            base = ".".join([*above, base]) if base else ".".join(above)
        for alias in node.names:
            submodule = f"{base}.{alias.name}"
            yield submodule if submodule in modules else base
    elif isinstance(node, ast.Call):
        called = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
        if called in ("import_module", "__import__"):
            name = node.args[0] if node.args else None
            # A computed name would hide an edge of the diagram.
            yield name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else "?"


def imports(modules: Mapping[str, str]) -> list[Import]:
    found = []
    for importer, source in modules.items():
        isPackage = any(name.startswith(importer + ".") for name in modules)
        for node, forTypesOnly in importNodes(ast.parse(source)):
            for imported in namesImported(node, importer, isPackage, modules):
                found.append(Import(importer, imported, getattr(node, "lineno", 0), forTypesOnly))
    return found


def row(module: str) -> int | None:
    """The row of LAYERS that a module of ``reactor`` belongs to; None when the table has no place for it."""
    table = {name: number for number, names in enumerate(LAYERS) for name in names.split()}
    name = module.removeprefix("reactor.")
    if name in table:
        return table[name]
    if name in NOT_INHERITED:
        return 0
    top = name.partition(".")[0]
    return None if top in NOT_INHERITED else table.get(top)


def wrongDirections(modules: Mapping[str, str]) -> list[str]:
    wrong = []
    for importer, imported, line, forTypesOnly in imports(modules):
        where = f"{importer}:{line} imports {imported}"
        if forTypesOnly:
            continue
        if imported == "?":
            wrong.append(f"{where}: a computed name")
        elif importer.startswith("reactor") and imported.partition(".")[0] == "protocols":
            wrong.append(f"{where}: reactor knows nothing of protocols")
        elif importer.startswith("reactor") and imported.partition(".")[0] == "reactor":
            above, below = row(importer), row(imported)
            if above is not None and below is not None and below > above:
                wrong.append(f"{where}: row {below} from row {above}")
    return wrong


def cycles(modules: Mapping[str, str]) -> list[list[str]]:
    """The groups of modules that need each other (strongly connected components of more than one, by Tarjan)."""
    graph: dict[str, set[str]] = {name: set() for name in modules}
    for edge in imports(modules):
        if not edge.forTypesOnly and edge.imported in graph:
            graph[edge.importer].add(edge.imported)
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in graph[name]:
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            group = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(group) > 1 or name in graph[name]:
                found.append(sorted(group))

    for name in graph:
        if name not in index:
            visit(name)
    return found


def whoNames(modules: Mapping[str, str], foreign: str) -> set[str]:
    edges = [edge for edge in imports(modules) if not edge.forTypesOnly]
    return {edge.importer for edge in edges if edge.imported.partition(".")[0] == foreign}


def test_everyModuleHasARow() -> None:
    assert [name for name in SOURCES if name.startswith("reactor") and row(name) is None] == []


def test_importsPointDown() -> None:
    assert wrongDirections(SOURCES) == []


def test_noCycle() -> None:
    assert cycles(SOURCES) == []


def test_onlyThePollerNamesSelectors() -> None:
    assert whoNames(SOURCES, "selectors") == {"reactor._core.poller"}


@pytest.mark.parametrize("name", SOURCES)
def test_noFileIsLong(name: str) -> None:
    assert SOURCES[name].count("\n") <= LONGEST, f"{name}: look for the second idea in it"


@pytest.mark.parametrize(
    "source",
    [
        "import reactor.base",
        "from reactor import base",
        "from reactor.base import Reactor",
        "from . import base",
        "from .base import Reactor",
        "def f():\n    from reactor.base import Reactor",
        "if x:\n    pass\nelse:\n    import reactor.base",
        "if TYPE_CHECKING:\n    pass\nelse:\n    import reactor.base",
        "import importlib\nimportlib.import_module('reactor.base')",
        "from importlib import import_module\nimport_module('reactor.' + name)",
        "import protocols.basic",
    ],
)
def test_anImportUpwardsIsFound(source: str) -> None:
    tree = {"reactor": "", "reactor.error": source, "reactor.base": "", "protocols.basic": ""}
    assert len(wrongDirections(tree)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "if TYPE_CHECKING:\n    from reactor.base import Reactor",
        "from reactor import failure",
        "import os, zope.interface",
    ],
)
def test_anImportDownwardsOrForTypesIsNot(source: str) -> None:
    assert wrongDirections({"reactor": "", "reactor.error": source, "reactor.base": "", "reactor.failure": ""}) == []


def test_aCycleIsFound() -> None:
    tree = {
        "reactor.a": "def f():\n    from reactor import b",
        "reactor.b": "import reactor.c",
        "reactor.c": "from .a import x",
        "reactor.d": "import reactor.a\nif TYPE_CHECKING:\n    import reactor.e",
        "reactor.e": "import reactor.d",
        "reactor": "",
    }
    assert cycles(tree) == [["reactor.a", "reactor.b", "reactor.c"]]


def test_anUnknownModuleHasNoRow() -> None:
    assert row("reactor.helpers") is None
    assert row("reactor._core.helpers") is None
    assert row("reactor.defer.helpers") == row("reactor.defer") == 1


# What importing does. Each runs in a process of its own, since this one has imported everything already.

FRESH = """
import os, sys
def descriptors():
    links = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
    return {link: os.readlink(link) for link in links if os.path.lexists(link)}
"""


def inFreshProcess(code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1])}
    # Measuring coverage in there would itself import and open things.
    environment.pop("COVERAGE_PROCESS_START", None)
    environment.pop("COVERAGE_PROCESS_CONFIG", None)
    done = subprocess.run(
        [sys.executable, "-c", FRESH + code], capture_output=True, text=True, timeout=20, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_makingTheReactorPullsInNothingHeavy() -> None:
    printed = inFreshProcess(
        """
before = set(sys.modules)
from reactor import reactor
reactor.callLater(0, reactor.stop)
reactor.run()
print(*sorted({"ssl", "subprocess", "asyncio", "logging"} & (set(sys.modules) - before)))
"""
    )
    assert printed.split() == []


def test_importingOpensNothing() -> None:
    printed = inFreshProcess(
        """
before = descriptors()
import reactor, reactor.base, reactor.protocol, reactor.defer, reactor.error
print(descriptors() == before)
from reactor import reactor
print(descriptors() == before)
"""
    )
    # The second line shows that an open descriptor would have been seen: the reactor has its selector and its waker.
    assert printed.split() == ["True", "False"]
