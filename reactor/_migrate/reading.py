"""What a program has of Twisted's: each name, where it stands, and what is said of it."""

from __future__ import annotations

import ast
import re
import warnings
from typing import NamedTuple

from reactor._migrate import knowledge
from reactor._migrate.differences import CONDITIONS, SIGNATURES, Condition, Value
from reactor._migrate.knowledge import Answer, Kind
from reactor._migrate.scopes import Origin, Site, attributesOf, isTwisteds, rootOf, sites

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class Finding(NamedTuple):
    """A name of Twisted's in a file: in full (and of which calls, if of some only), on which lines, what is said."""

    name: str
    lines: list[int]
    answer: Answer


class Program:
    """The text of a file, its tree, and the imports and names in it, each with its scope."""

    def __init__(self, text: str) -> None:
        """SyntaxError, which has the line, if it does not parse; also for what is nested too deeply, and for a NUL."""
        self.text = text
        if "\0" in text:
            # Python's own errors for that do not say where.
            raise SyntaxError("there is a NUL in it", ("", text.count("\n", 0, text.index("\0")) + 1, 0, ""))
        with warnings.catch_warnings():
            # Of an escape that is none, for one: that is not what was asked.
            warnings.simplefilter("ignore")
            try:
                self.tree = ast.parse(text)
            except (RecursionError, MemoryError):
                raise SyntaxError("nested too deeply to be read", ("", 1, 0, "")) from None
        # Most files of most programs have no name of Twisted's.
        self.sites = sites(self.tree) if "twisted" in text else []
        #: The modules that ``import twisted.X`` names, without ``as``.
        self.plain = frozenset(
            alias.name
            for node, _ in self.sites
            if isinstance(node, ast.Import)
            for alias in node.names
            if not alias.asname and isTwisteds(alias.name)
        )

    def nameAt(self, node: ast.AST, origin: Origin) -> str:
        """What a dotted name in the program stands for if its root comes from that import: in full, with as much
        behind as is Twisted's name of something. Empty for a package alone.
        """
        dotted = ".".join([origin.dotted, *attributesOf(node)])
        module = knowledge.longest(dotted, knowledge.MODULES)
        if module:
            name = dotted[len(module) + 1 :].split(".")
            if name[0].startswith("__"):
                # Any object has those.
                return module
            member = ".".join([module, *name[:2]])
            return member if knowledge.hasEntry(member) else ".".join([module, *name[:1]]).rstrip(".")
        if dotted in knowledge.PACKAGES:
            return ""
        # There is no telling what of it is a module: what was imported, and one name of it.
        imported = knowledge.longest(dotted, self.plain) if origin.dotted == "twisted" else origin.dotted
        package = knowledge.longest(dotted, knowledge.PACKAGES)
        known = max(imported, package, key=len)
        return ".".join([known, *dotted[len(known) + 1 :].split(".")[:1]]).rstrip(".")


def findings(program: Program) -> list[Finding]:
    """What there is to say of a program, in the order of its lines; each name once."""
    found: dict[tuple[str, Answer], list[int]] = {}
    for node, scope in program.sites:
        if isinstance(node, ast.Import | ast.ImportFrom):
            said = _ofImport(node)
        elif isinstance(node, ast.Call):
            said = _ofCall(program, Site(node, scope))
        else:
            names = [program.nameAt(node, origin) for origin in _origins(Site(node, scope))]
            said = ((name, knowledge.answer(name)) for name in names if name)
        for each in said:
            found.setdefault(each, []).append(getattr(node, "lineno", 0))
    listed = [Finding(name, sorted(set(lines)), answer) for (name, answer), lines in found.items()]
    return sorted(listed, key=lambda finding: (finding.lines[0], finding.name))


def _origins(site: Site) -> list[Origin]:
    root = rootOf(site.node)
    bound = site.scope.find(root.id) if root is not None else []
    return list(dict.fromkeys(origin for origin in bound if origin is not None))


def _ofImport(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Answer]]:
    module = "" if isinstance(node, ast.Import) or node.level else node.module or ""
    for alias in node.names:
        dotted = f"{module}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
        if not isTwisteds(dotted):
            continue
        if alias.name == "*":
            entry = knowledge.MODULES.get(module)
            advice = "it does not say which names it brings: import those that are used, and ask again"
            # Ours may bring more, or fewer.
            yield dotted, Answer(Kind.DIFFERENT if entry else Kind.ABSENT, entry.ours if entry else "", "*", (), advice)
        elif dotted not in knowledge.PACKAGES:
            yield dotted, knowledge.answer(dotted)


def _ofCall(program: Program, site: Site) -> Iterator[tuple[str, Answer]]:
    call = site.node
    assert isinstance(call, ast.Call)
    for origin in _origins(Site(call.func, site.scope)):
        name = program.nameAt(call.func, origin)
        for condition in CONDITIONS.get(name, ()):
            if _meets(call, name, condition):
                argument = f"{'without ' if condition.leftOut else ''}{condition.argument}"
                yield f"{name}({argument})", Answer(Kind.DIFFERENT, rows=(condition.row,))


def _meets(call: ast.Call, name: str, condition: Condition) -> bool:
    """Whether the call gives the argument, or leaves it out, as is asked; not where that cannot be seen: ``*a``."""
    positions = SIGNATURES[name.partition(".")[2]].split()
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if None in given or any(isinstance(argument, ast.Starred) for argument in call.args):
        return False
    given.update(zip(positions, call.args, strict=False))
    if condition.leftOut:
        return condition.argument not in given
    if condition.argument not in given:
        return False
    return condition.value is None or _fits(given[condition.argument], condition.value)


def _fits(node: ast.expr, value: Value) -> bool:
    if isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
        # The beginning of an f-string says enough.
        node = node.values[0]
    if not isinstance(node, ast.Constant):
        return value.unseen
    return isinstance(node.value, value.type) and re.match(value.pattern, str(node.value)) is not None
