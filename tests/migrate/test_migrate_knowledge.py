"""The tables of `python -m reactor migrate` are true: of what is here, of what Twisted has, of what the page says."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from functools import reduce
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from script import script

from reactor._migrate import differences, elsewhere, knowledge
from reactor._migrate.knowledge import MODULES, PACKAGES, Kind, answer
from reactor.base import Reactor

PAGE = (Path(__file__).parents[2] / "doc" / "compatibility.rst").read_text()
REACTOR = "twisted.internet.reactor"
# `proto_helpers` warns, of each name, that it has another home.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def hasTwisted(*least: int) -> bool:
    if importlib.util.find_spec("twisted") is None:
        return False
    return tuple(int(part) for part in re.findall(r"\d+", version("Twisted"))[:2]) >= least


# Older ones have other names.
needsTwisted = pytest.mark.skipif(not hasTwisted(26, 10), reason="Twisted 26.10 or newer is not installed")


@pytest.fixture
def ours() -> Iterator[Callable[[str], Any]]:
    """What stands for a module of Twisted's here; a reactor for the reactor."""
    reactor = Reactor()
    yield lambda module: reactor if module == REACTOR else import_module(MODULES[module].ours)
    reactor.close()


def theirs(module: str) -> Any:
    return import_module("twisted.internet").reactor if module == REACTOR else import_module(module)


# What is here.


@pytest.mark.parametrize("module", MODULES)
def test_whatIsSaidToBeThereIsThere(module: str, ours: Callable[[str], Any]) -> None:
    there = ours(module)
    assert [name for name in MODULES[module].same if not hasattr(there, name)] == []


@pytest.mark.parametrize("module", MODULES)
def test_whatIsSaidToBeMissingIs(module: str, ours: Callable[[str], Any]) -> None:
    there = ours(module)
    for name in MODULES[module].absent:
        *outer, last = name.split(".")
        assert not hasattr(reduce(getattr, outer, there), last), name


def test_everyModuleOfOursWithANamesakeIsInTheTable() -> None:
    pytest.importorskip("twisted")
    missing = []
    for folder, package in (("reactor", "internet"), ("reactor.compat", "internet"), ("protocols", "protocols")):
        for each in pkgutil.iter_modules(import_module(folder).__path__):
            namesake = f"twisted.{package}.{each.name}"
            if not each.name.startswith("_") and importlib.util.find_spec(namesake) is not None:
                missing += [] if MODULES[namesake].ours == f"{folder}.{each.name}" else [namesake]
    assert missing == []


def test_adviceThatNamesSomethingOfOursNamesWhatThereIs() -> None:
    advices = [*elsewhere.MODULES.values(), *[advice for entry in MODULES.values() for advice in entry.absent.values()]]
    named = {name for advice in advices for name in re.findall(r"\b(?:reactor|protocols)(?:\.\w+)+", advice)}
    assert len(named) > 15
    for name in named:
        assert resolved(name), name


def resolved(name: str) -> bool:
    """Whether a dotted name is a module of ours, something in one, or something of a reactor."""
    parts = name.split(".")
    if parts[0] == "reactor" and hasattr(Reactor, parts[1]):
        return True
    there: Any = import_module(parts[0])
    for number, part in enumerate(parts[1:], 2):
        if hasattr(there, "__path__") and importlib.util.find_spec(".".join(parts[:number])):
            there = import_module(".".join(parts[:number]))
        elif hasattr(there, part):
            there = getattr(there, part)
        else:
            return False
    return True


# What Twisted has.


def publicNames(module: ModuleType) -> set[str]:
    """What a module exports, and what it defines at its top level: not what it imports for itself."""
    found = set(getattr(module, "__all__", ()))

    def look(statements: list[ast.stmt]) -> None:
        for statement in statements:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.add(statement.name)
            elif isinstance(statement, ast.Assign | ast.AnnAssign):
                targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                names = (node for target in targets for node in ast.walk(target) if isinstance(node, ast.Name))
                found.update(node.id for node in names)
            elif isinstance(statement, ast.If | ast.Try):
                look([*statement.body, *statement.orelse])
                for each in getattr(statement, "handlers", ()):
                    look(each.body)

    look(ast.parse(inspect.getsource(module)).body)
    return {name for name in found if not name.startswith("_") and hasattr(module, name)}


def unclassified(module: str, names: set[str]) -> set[str]:
    return names - MODULES[module].same - MODULES[module].absent.keys()


@needsTwisted
@pytest.mark.parametrize("module", sorted(MODULES.keys() - {REACTOR}))
def test_everyPublicNameOfTwistedsIsClassified(module: str) -> None:
    assert unclassified(module, publicNames(import_module(module))) == set(), "say in reactor/_migrate where it is"


@needsTwisted
def test_everyNameOfTheReactorIsClassified() -> None:
    interfaces = import_module("twisted.internet.interfaces")
    promised = {
        name
        for kind, interface in vars(interfaces).items()
        if kind.startswith("IReactor")
        for name in interface.names(all=True)
    }
    assert len(promised) > 40
    assert unclassified(REACTOR, promised) == set(), "say in reactor/_migrate where it is"


def test_aNewNameIsFound() -> None:
    assert unclassified("twisted.internet.defer", {"Deferred", "log", "somethingNew"}) == {"somethingNew"}


@needsTwisted
def test_whatIsSaidToBeMissingIsTwisteds() -> None:
    for module in MODULES.keys() - {REACTOR}:
        for name in MODULES[module].absent:
            assert hasattr(import_module(module), name.partition(".")[0]), f"{module}.{name}"


@needsTwisted
def test_everyModuleOfTwistedsIsClassified() -> None:
    """Each in a package that has counterparts here by its own name, the others at least by their package's."""
    unknown = []
    for package in sorted(PACKAGES):
        for each in pkgutil.iter_modules(import_module(package).__path__, f"{package}."):
            known = each.name in MODULES.keys() | PACKAGES | elsewhere.MODULES.keys()
            private = each.name.rpartition(".")[2].startswith("_")
            # Of these the package says it: one module or two are here, the rest has one answer.
            said = package in ("twisted.test", "twisted.application", "twisted.words", "twisted.words.protocols")
            unknown += [] if known or private or said else [each.name]
    assert unknown == [], "say in reactor/_migrate/elsewhere.py what takes its place"


@needsTwisted
def test_whatIsSaidToBeElsewhereIsTwisteds() -> None:
    names = elsewhere.MODULES.keys() - {"twisted.__version__", "twisted.version"}
    assert [name for name in names if importlib.util.find_spec(name) is None] == []
    assert not names & MODULES.keys()


@needsTwisted
def test_whatCanStayKnowsNoReactor() -> None:
    """Each module, with those in it, is imported in a process of its own; what only Windows has is passed over."""
    lines = script(
        f"""
        import importlib, pkgutil, sys, warnings
        warnings.simplefilter("ignore")
        imported = 0
        for name in {list(elsewhere.BESIDE)!r}:
            names = [name]
            module = importlib.import_module(name) if name != "twisted.python.shortcut" else None
            for each in pkgutil.iter_modules(getattr(module, "__path__", ()), name + "."):
                names += [] if each.name.endswith(".test") or "plugins" in each.name else [each.name]
            for each in names:
                try:
                    importlib.import_module(each)
                except ImportError:
                    continue
                imported += 1
                there = [other for other in sys.modules if other.startswith("twisted.internet.")]
                assert not there, (each, there)
        print(imported)
        """
    )
    assert int(lines[0]) > 40


# Arguments.


def parameters(thing: Any) -> list[inspect.Parameter] | None:
    try:
        return [each for each in inspect.signature(thing).parameters.values() if each.name != "self"]
    except (TypeError, ValueError):
        return None


@needsTwisted
@pytest.mark.parametrize("name", differences.SIGNATURES)
def test_argumentsAreInTwistedsOrder(name: str) -> None:
    kind = knowledge.longest(f"twisted.{name}", MODULES)
    thing = reduce(getattr, f"twisted.{name}"[len(kind) + 1 :].split("."), theirs(kind))
    found = parameters(thing) or []
    if name.startswith("application.internet."):
        # It hands all of them to the method of the reactor.
        assert found[0].kind == inspect.Parameter.VAR_POSITIONAL
        found = parameters(getattr(theirs(REACTOR), "listen" + name.rpartition(".")[2].removesuffix("Server"))) or []
    positional = [each.name for each in found if each.kind == inspect.Parameter.POSITIONAL_OR_KEYWORD]
    said = differences.SIGNATURES[name].split()
    # Those that a row is told of by their keyword alone come with `*args` behind them.
    assert said == positional[: len(said)]
    names = {each.name for each in found}
    assert {condition.argument for condition in differences.CONDITIONS[f"twisted.{name}"]} <= names


@needsTwisted
def test_everyArgumentThatWeDoNotTakeIsTold(ours: Callable[[str], Any]) -> None:
    untold = []
    looked = 0
    for module in MODULES:
        there, here = theirs(module), ours(module)
        # Only a reactor makes delayed calls.
        for name in MODULES[module].same - {"DelayedCall"}:
            dotted = f"{module}.{name}"
            known, our = parameters(getattr(there, name, None)), parameters(getattr(here, name))
            if known is None or our is None or dotted in differences.TOLD:
                continue
            if any(each.kind == inspect.Parameter.VAR_KEYWORD for each in our) and module != REACTOR:
                continue
            looked += 1
            told = {condition.argument for condition in differences.CONDITIONS.get(dotted, ())}
            named = {each.name for each in known if each.kind < inspect.Parameter.VAR_POSITIONAL or each.kind == 3}
            untold += [
                f"{dotted}({each})" for each in named - {each.name for each in our} - told if not each.startswith("_")
            ]
    assert looked > 200
    assert untold == [], "say in reactor/_migrate/differences.py which row tells of it"


# The page.


def titles() -> list[str]:
    """The titles of the rows of what differs on purpose, as they are read."""
    table = PAGE.split("What differs on purpose\n---")[1].split("Names that programs import\n---")[0]
    rows = [" ".join(row.split("     - ")[0].split()).replace("``", "") for row in table.split("   * - ")[2:]]
    assert len(rows) > 150
    return rows


@pytest.mark.parametrize("row", differences.ROWS)
def test_everyRowThatIsPointedToIsOnThePage(row: str) -> None:
    assert row in titles()


def test_rowsAreToldOfNamesThatThereAre() -> None:
    for name in [*differences.TOLD, *differences.CONDITIONS]:
        module = knowledge.longest(name, MODULES)
        if not module:
            assert name in elsewhere.MODULES, name
        elif name != module:
            outer, _, member = name[len(module) + 1 :].partition(".")
            entry = MODULES[module]
            assert outer in entry.same or outer in entry.absent, name
            assert not member or f"{outer}.{member}" in entry.absent or hasattr(theirsOrOurs(module, outer), member), (
                name
            )


def theirsOrOurs(module: str, name: str) -> Any:
    return getattr(import_module(MODULES[module].ours), name)


def test_whatThePageListsAsThereIsSaidToBe() -> None:
    table = PAGE.split("Names that programs import\n---")[1]
    looked = 0
    for row in table.split("   * - ")[2:]:
        module, names = row.split("     - ", 1)
        namesakes = [each for each, entry in MODULES.items() if f"``{entry.ours}``" == module.strip()]
        # `Reactor` is no name of Twisted's: it is what ReactorBase is here.
        for name in set(re.findall(r"``([\w.]+)``", names)) - {"Reactor"} if namesakes else ():
            said = [answer(f"{each}.{name}") for each in namesakes]
            assert any(each.kind is not Kind.ABSENT for each in said), f"{module.strip()}: {name}"
            looked += 1
    assert looked > 60


def test_whatThePageListsAsMissingIsSaidToBe() -> None:
    names = PAGE.split("   * - modules that are not here\n")[1]
    listed = [name for name in re.findall(r"``(\w+)``", names.split("``inotify``")[0]) if name != "twisted"]
    assert len(listed) > 15
    for name in [*listed, "inotify", "serialport", "_sslverify"]:
        assert answer(f"twisted.internet.{name}").kind is Kind.ABSENT, name


# Single answers.


@pytest.mark.parametrize(
    ("name", "kind", "where"),
    [
        ("twisted.internet.reactor", Kind.THERE, ("reactor", "reactor")),
        ("twisted.internet.defer", Kind.THERE, ("reactor", "defer")),
        ("twisted.internet.tcp", Kind.THERE, ("reactor.compat", "tcp")),
        ("twisted.words.protocols.irc", Kind.THERE, ("protocols", "irc")),
        ("twisted.internet.defer.Deferred", Kind.THERE, ("reactor.defer", "Deferred")),
        ("twisted.test.proto_helpers.StringTransport", Kind.THERE, ("reactor.testing", "StringTransport")),
        ("twisted.internet.tcp.Port", Kind.DIFFERENT, ("reactor.compat.tcp", "Port")),
        ("twisted.protocols.haproxy.proxyEndpoint", Kind.DIFFERENT, ("protocols.haproxy", "proxyEndpoint")),
        ("twisted.application.service.Application", Kind.ABSENT, ("", "")),
        ("twisted.web.client.Agent", Kind.ABSENT, ("", "")),
        ("twisted.internet.defer._Chain", Kind.ABSENT, ("", "")),
        ("twisted.nothing", Kind.ABSENT, ("", "")),
    ],
)
def test_answer(name: str, kind: Kind, where: tuple[str, str]) -> None:
    said = answer(name)
    assert (said.kind, said.ours, said.name) == (kind, *where)
    assert bool(said.advice) == (kind is Kind.ABSENT)
    assert bool(said.rows) >= (kind is Kind.DIFFERENT)
