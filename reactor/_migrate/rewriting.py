"""A program's text with its imports of Twisted changed to ours, as far as what they bring is here.

Only import statements are changed, and ``twisted.internet.defer.X`` where the program spells it out. What has no
counterpart stays imported from Twisted, for its author to see to. Where one word will do, one word is changed; else a
statement is written anew, with its comments.
"""

from __future__ import annotations

import ast
from typing import NamedTuple

from reactor._migrate import knowledge
from reactor._migrate.knowledge import Kind
from reactor._migrate.scopes import Scope, attributesOf, rootOf
from reactor._migrate.statements import Statement, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reactor._migrate.reading import Program


class Edit(NamedTuple):
    """Characters of the text, from `start` to before `end`, and what takes their place."""

    start: int
    end: int
    new: str


class Left(NamedTuple):
    """An import that was not changed although what it brings is here, and why."""

    line: int
    why: str


def rewritten(program: Program) -> tuple[str, list[Left]]:
    """The text with changed imports, and what is left to be done by hand."""
    text = Text(program.text)
    edits: list[Edit] = []
    left: list[Left] = []
    renamed, why = _spelledOut(program, text, edits)
    for node, _ in program.sites:
        if isinstance(node, ast.ImportFrom) and not node.level:
            parts = [(alias, _target(f"{node.module}.{alias.name}")) for alias in node.names]
        elif isinstance(node, ast.Import):
            parts = [(alias, _target(alias.name) if alias.asname or alias in renamed else None) for alias in node.names]
            if why and any(not alias.asname and _target(alias.name) for alias in node.names):
                left.append(Left(node.lineno, why))
        else:
            continue
        if not any(target for _, target in parts):
            continue
        try:
            edits.append(_changed(text, node, parts, renamed))
        except ValueError as e:
            left.append(Left(node.lineno, str(e)))
    changed = program.text
    for edit in sorted(edits, reverse=True):
        changed = changed[: edit.start] + edit.new + changed[edit.end :]
    return changed, left


def _target(dotted: str) -> tuple[str, str] | None:
    """``from FIRST import SECOND`` that brings what this name of Twisted's stands for. None if it is not here."""
    if dotted in knowledge.MODULES:
        return knowledge.counterpart(dotted)
    module = knowledge.longest(dotted, knowledge.MODULES)
    found = knowledge.answer(dotted) if module else None
    if found is None or found.kind is Kind.ABSENT:
        return None
    # A name of the reactor itself: the package has them as well.
    ours = "reactor" if module == "twisted.internet.reactor" else found.ours
    return ours, found.name


def _changed(
    text: Text,
    node: ast.Import | ast.ImportFrom,
    parts: list[tuple[ast.alias, tuple[str, str] | None]],
    renamed: dict[ast.alias, str],
) -> Edit:
    """The statement, with those parts changed that have a target. ValueError if that cannot be done, which says why."""
    statement = Statement(text, node)
    targets = {target and target[0] for _, target in parts}
    sameNames = all(target is not None and target[1] == alias.name for alias, target in parts)
    if isinstance(node, ast.ImportFrom) and len(targets) == 1 and sameNames:
        (module,) = targets
        assert module is not None
        return Edit(*statement.moduleRange(), module)
    lines: list[tuple[str | None, list[tuple[str, str | None, ast.alias]]]] = []
    for alias, target in parts:
        module, name, bound = None, alias.name, alias.asname
        if target is not None:
            module, name = target
            here = renamed.get(alias) or alias.asname or alias.name
            bound = None if here == name else here
        elif isinstance(node, ast.ImportFrom):
            module = node.module
        for known, names in lines:
            if known == module:
                names.append((name, bound, alias))
                break
        else:
            lines.append((module, [(name, bound, alias)]))
    return Edit(statement.start, statement.end, statement.written(lines))


def _spelledOut(program: Program, text: Text, edits: list[Edit]) -> tuple[dict[ast.alias, str], str]:
    """What of ``import twisted.internet.defer`` can become ``from reactor import defer``, with all that is named
    through it: the aliases, with the names they get, whose uses go to `edits`; or nothing, and why.
    """
    aliases = {
        alias: scope
        for node, scope in program.sites
        if isinstance(node, ast.Import)
        for alias in node.names
        if not alias.asname and _target(alias.name)
    }
    modules = {alias.name for alias in aliases}
    uses: list[tuple[ast.Name | ast.Attribute, Scope, str]] = []
    for node, scope in program.sites if aliases else ():
        root = rootOf(node)
        if root is None or not isinstance(node, ast.Name | ast.Attribute):
            continue
        if not any(origin is not None and origin.dotted == "twisted" for origin in scope.find(root.id)):
            continue
        dotted = ".".join([root.id, *attributesOf(node)])
        module = knowledge.longest(dotted, modules)
        if module:
            uses.append((node, scope, module))
        elif not knowledge.longest(dotted, program.plain - modules):
            return {}, f"line {node.lineno} names {dotted}, which no import there names: change it by hand"
    names = {}
    for module in modules:
        scopes = [scope for alias, scope in aliases.items() if alias.name == module]
        scopes += [scope for _, scope, used in uses if used == module]
        last = module.rpartition(".")[2]
        free = [name for name in (last, f"reactor_{last}") if not any(_taken(name, module, scope) for scope in scopes)]
        if not free:
            return {}, f"the names {last} and reactor_{last} mean something else there: change it by hand"
        names[module] = free[0]
    try:
        edits.extend([_use(text, node, module, names[module]) for node, _, module in uses])
    except ValueError as e:
        return {}, str(e)
    return {alias: names[alias.name] for alias in aliases}, ""


def _taken(name: str, module: str, scope: Scope) -> bool:
    """Whether a name stands for something else than that module in a scope."""
    return any(origin is None or origin.dotted != module for origin in scope.find(name))


def _use(text: Text, node: ast.Name | ast.Attribute, module: str, name: str) -> Edit:
    part: ast.expr = node
    while len(attributesOf(part)) > module.count("."):
        assert isinstance(part, ast.Attribute)
        part = part.value
    if not isinstance(getattr(part, "ctx", None), ast.Load):
        raise ValueError(f"line {node.lineno} sets {module}: change it by hand")
    start, end = text.range(part)
    # Inside an f-string, Python 3.11 does not say where things stand.
    if "".join(text.text[start:end].split()) != module:
        raise ValueError(f"line {node.lineno} is not understood: change it by hand")
    return Edit(start, end, name)
