"""The folder is the diagram: which room and which file may import which, and what importing them may not do.

The rows below are the layers that doc/architecture.rst explains. A file imports only from rows below its own or, if
that makes no cycle, from its own. Between rooms the rule is stricter: ``ROOMS`` (imports.py) says from which others
each may import. A module that no row or room names fails, so that whoever adds one says where it belongs. The rules are
functions of sources, so each is also shown a small tree that breaks it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from imports import EXCEPTIONS, ROOMS, allowed, arrows, imports, room, sources
from patience import PATIENCE

import reactor

LONGEST = 500
SOURCES = sources()

# Bottom row first. A package stands for all its modules, unless one of them is named itself.
LAYERS = (
    "error failure address interfaces components _ground",
    "defer protocol _core.backoff _core.timers _core.triggers"
    " _transport.stream.lifecycle _transport.stream.outbox _transport.stream.producers _transport.client.race"
    " _transport.client.admission",
    "_core.contexts _core.forks"
    " _core.alwaysready _core.poller _core.waker _core.foreign _core.signals _core.children _core.threadpool"
    " threadpool"
    " _transport.stream.closing",
    "_core.loop _core.running",
    "_transport",
    "reactor base _face",
    "task threads endpoints service workers ssl stdio utils testing compat aio twisted pytestplugin _migrate __main__",
)
# A package of modules of several rows: each of those must be named itself.
NOT_INHERITED = {"_core"}


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


def wrongArrows(modules: Mapping[str, str]) -> list[str]:
    return [
        f"{each.importer}:{each.line} imports {each.imported}: {above} may not import from {below}"
        for (above, below), found in arrows(modules).items()
        if below not in allowed(above) and (above, below) not in EXCEPTIONS
        for each in found
    ]


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


def doorsToTLS(modules: Mapping[str, str]) -> list[str]:
    """Where the rooms that TLS stands on import it all the same."""
    below = tuple(f"reactor._transport.{room}." for room in ("stream", "client", "server"))
    edges = [edge for edge in imports(modules) if not edge.forTypesOnly and edge.importer.startswith(below)]
    return [
        f"{edge.importer} imports {edge.imported}"
        for edge in edges
        if edge.imported.startswith("reactor._transport.tls")
    ]


def test_oneDoorLeadsFromStreamsToTLS() -> None:
    """`startTLS`. What TLS adds to a transport lives in its own room."""
    assert doorsToTLS(SOURCES) == ["reactor._transport.stream.transport imports reactor._transport.tls.transport"]


def test_aSecondDoorIsFound() -> None:
    tree = {
        "reactor": "",
        "reactor._transport.stream.wire": "def f():\n    from reactor._transport.tls.layer import Layer",
        "reactor._transport.server.port": "if TYPE_CHECKING:\n    from reactor._transport.tls.layer import Layer",
        "reactor._transport.unix.stream": "from reactor._transport.tls.layer import Layer",
        "reactor._transport.tls.layer": "",
    }
    assert doorsToTLS(tree) == ["reactor._transport.stream.wire imports reactor._transport.tls.layer"]


def test_everyModuleHasARow() -> None:
    assert [name for name in SOURCES if name.startswith("reactor") and row(name) is None] == []


def test_importsPointDown() -> None:
    assert wrongDirections(SOURCES) == []


def test_everyModuleIsInARoomAndNoRoomIsEmpty() -> None:
    found = {name: room(name) for name in SOURCES}
    # `reactor._transport` itself is empty: the folder that its rooms stand in.
    assert [name for name, its in found.items() if its is None] == ["reactor._transport"]
    assert ROOMS.keys() - set(found.values()) == set()


def test_theTableOfRoomsPointsOneWay() -> None:
    above: set[str] = set()
    for name, below in ROOMS.items():
        assert set(below.split()) <= above, f"{name} names a room that does not stand above it in the list"
        above.add(name)


def test_roomsImportWhatTheyMay() -> None:
    assert wrongArrows(SOURCES) == []


def test_noExceptionIsLeftThatNobodyNeeds() -> None:
    assert EXCEPTIONS.keys() - arrows(SOURCES).keys() == set()


def test_noCycle() -> None:
    assert cycles(SOURCES) == []


def test_onlyThePollerNamesSelectors() -> None:
    # The second only passes for one, and has the poller poll.
    assert whoNames(SOURCES, "selectors") == {"reactor._core.poller", "reactor.twisted.polled"}


def test_onlyTheDoorNamesDnspython() -> None:
    assert whoNames(SOURCES, "dns") == {"protocols.dns._wire"}


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


@pytest.mark.parametrize(
    ("importer", "source", "wrong"),
    [
        ("_transport.stream.wire", "from reactor._transport.client.connector import Connector", True),
        ("_transport.tls.layer", "from reactor._transport.unix import path", True),
        ("_transport.client.race", "def f():\n    import reactor._transport.server.port", True),
        ("_ground.log", "import reactor.error", True),
        ("_transport.stream.wire", "from reactor._transport.tls.layer import Layer", False),
        ("_transport.unix.stream", "from reactor._transport.stream.wire import Wire", False),
        ("_transport.unix.stream", "from reactor.failure import Failure", False),
        ("_ground.log", "if TYPE_CHECKING:\n    import reactor.error", False),
    ],
)
def test_anArrowBetweenRooms(importer: str, source: str, wrong: bool) -> None:
    tree = dict.fromkeys(SOURCES, "") | {f"reactor.{importer}": source}
    assert len(wrongArrows(tree)) == wrong


def test_anUnknownModuleHasNoRoom() -> None:
    assert room("reactor.helpers") is None
    assert room("reactor._transport.helpers") is None
    assert room("reactor._transport.helpers.more") is None
    assert room("protocols.gopher") is None
    assert room("reactor.testing.simulation.time") == "testing"
    assert room("protocols.irc.client.caps") == "protocols.irc.client"
    assert room("protocols.irc.caps") == "protocols.irc"


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
        [sys.executable, "-c", FRESH + code],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=environment,
        check=False,
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
