"""Which import a name in a program comes from: scopes, as Python has them, with what is bound in each.

Only what imports of Twisted bind is told apart from the rest. A name that is bound in several ways in one scope, as in
``try: import a except ImportError: a = None``, may be any of them.
"""

from __future__ import annotations

import ast
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Imports = ast.Import | ast.ImportFrom


class Origin(NamedTuple):
    """What an import binds a name to: Twisted's dotted name, and the statement."""

    dotted: str
    statement: Imports


class Scope:
    """A module, class, function or comprehension. `bound` has, for each of its names, what it may stand for; None is
    what is not Twisted's.
    """

    def __init__(self, parent: Scope | None = None, isClass: bool = False) -> None:
        self.parent = parent
        self.isClass = isClass
        self.bound: dict[str, list[Origin | None]] = {}
        #: Names that a `global` or `nonlocal` says belong to another scope.
        self.redirected: dict[str, Scope] = {}

    def bind(self, name: str, origin: Origin | None = None) -> None:
        self.redirected.get(name, self).bound.setdefault(name, []).append(origin)

    def find(self, name: str) -> list[Origin | None]:
        """What a name may stand for here. Empty if nothing binds it: a builtin, or a mistake."""
        scope: Scope | None = self
        while scope is not None:
            scope = scope.redirected.get(name, scope)
            # What a class has is seen in its own body only, not in its methods.
            if name in scope.bound and (scope is self or not scope.isClass):
                return scope.bound[name]
            scope = scope.parent
        return []

    @property
    def module(self) -> Scope:
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope


def isTwisteds(dotted: str) -> bool:
    return dotted.partition(".")[0] == "twisted"


class Site(NamedTuple):
    """A place in a program: what stands there, and the scope that its names are looked up in."""

    node: ast.AST
    scope: Scope


def sites(tree: ast.Module) -> list[Site]:
    """Every import, every dotted name (the longest: ``a.b.c``, not ``a.b`` in it) and every call, in their order.

    Scopes are complete only when this has returned.
    """
    found: list[Site] = []
    # Not recursive: a sum of a thousand terms is a tree a thousand deep.
    waiting = [Site(tree, Scope())]
    while waiting:
        site = waiting.pop()
        node, scope = site
        kind = type(node)
        if kind in _FOUND:
            found.append(site)
        if kind in _BINDING:
            _BINDING[kind](node, scope)
        if kind in _SCOPES:
            waiting.extend(reversed(list(_inside(node, scope))))
        elif kind is not ast.Attribute or rootOf(node) is None:
            # What is behind a dotted name's root has been found with it.
            waiting.extend(reversed([Site(child, scope) for child in ast.iter_child_nodes(node)]))
    return found


_FOUND = frozenset((ast.Import, ast.ImportFrom, ast.Name, ast.Attribute, ast.Call))
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_SCOPES = frozenset((*_FUNCTIONS, ast.ClassDef, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp))


def _inside(node: Any, scope: Scope) -> Iterator[Site]:
    """The parts of what has a scope of its own, those that are looked up outside of it first."""
    inside = Scope(scope, isClass=isinstance(node, ast.ClassDef))
    outside: list[ast.AST] = []
    if isinstance(node, _FUNCTIONS):
        arguments = node.args
        outside = [*arguments.defaults, *[default for default in arguments.kw_defaults if default]]
        if not isinstance(node, ast.Lambda):
            outside += [*node.decorator_list, *([node.returns] if node.returns else [])]
        for argument in [
            *arguments.posonlyargs,
            *arguments.args,
            *arguments.kwonlyargs,
            arguments.vararg,
            arguments.kwarg,
        ]:
            if argument is not None:
                inside.bind(argument.arg)
                outside += [argument.annotation] if argument.annotation else []
        body = node.body if isinstance(node.body, list) else [node.body]
    elif isinstance(node, ast.ClassDef):
        outside = [*node.decorator_list, *node.bases, *node.keywords]
        body = node.body
    else:
        # The first iterable of a comprehension is looked up around it.
        first, *others = [part for each in node.generators for part in (each.iter, each.target, *each.ifs)]
        outside = [first]
        body = [*others, *((node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,))]
    for child in outside:
        yield Site(child, scope)
    for child in (*body, *getattr(node, "type_params", ())):
        yield Site(child, inside)


def _global(node: ast.Global, scope: Scope) -> None:
    scope.redirected.update((name, scope.module) for name in node.names if scope.parent is not None)


def _nonlocal(node: ast.Nonlocal, scope: Scope) -> None:
    scope.redirected.update((name, scope.parent) for name in node.names if scope.parent is not None)


def _import(node: ast.Import, scope: Scope) -> None:
    for alias in node.names:
        origin = Origin(alias.name if alias.asname else "twisted", node) if isTwisteds(alias.name) else None
        scope.bind(alias.asname or alias.name.partition(".")[0], origin)


def _importFrom(node: ast.ImportFrom, scope: Scope) -> None:
    module = "" if node.level else node.module or ""
    for alias in node.names:
        origin = Origin(f"{module}.{alias.name}", node) if isTwisteds(module) else None
        scope.bind(alias.asname or alias.name, origin)


def _name(node: ast.Name, scope: Scope) -> None:
    if not isinstance(node.ctx, ast.Load):
        scope.bind(node.id)


def _named(node: Any, scope: Scope) -> None:
    if node.name:
        scope.bind(node.name)


def _rest(node: ast.MatchMapping, scope: Scope) -> None:
    if node.rest:
        scope.bind(node.rest)


_BINDING: dict[type, Callable[[Any, Scope], None]] = {
    ast.Global: _global,
    ast.Nonlocal: _nonlocal,
    ast.Import: _import,
    ast.ImportFrom: _importFrom,
    ast.Name: _name,
    ast.MatchMapping: _rest,
    **dict.fromkeys(
        (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar), _named
    ),
}


def rootOf(node: ast.AST) -> ast.Name | None:
    """The name that a dotted name begins with: ``a`` of ``a.b.c``. None for what is none, such as ``f().b``."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node if isinstance(node, ast.Name) else None


def attributesOf(node: ast.AST) -> list[str]:
    """What follows its root in a dotted name: ``b``, ``c`` of ``a.b.c``."""
    found = []
    while isinstance(node, ast.Attribute):
        found.append(node.attr)
        node = node.value
    return found[::-1]
