"""Who imports whom, read from the sources: those inside functions too, and which of them only type checkers see.

Functions of sources, so that a test can show them a small tree. The table of rooms stands here as well, and which file
belongs to which: the test of the architecture checks the arrows between rooms, and the documentation draws them
(``doc/_ext/roomspicture.py``).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("reactor", "protocols")

# The rooms, bottom first: a folder, or a file that stands for itself. Beside each stand the rooms that it may import;
# it may import what those may as well. Only rooms further up in this list are named, so that all arrows go one way.
WORDS = "error address interfaces components"
ROOMS = {
    "failure": "",
    "_ground": "failure",
    "error": "_ground",
    "interfaces": "_ground",
    "address": "interfaces",
    "components": "interfaces",
    "defer": WORDS,
    "threadpool": WORDS,
    "_core": WORDS,
    "protocol": "_core defer",
    "_transport.stream": "_core defer",
    "_transport.client": "_transport.stream",
    "_transport.server": "_transport.stream",
    "_transport.process": "_transport.stream",
    "_transport.tls": "_transport.client _transport.server _transport.process",
    "_transport.datagram": "_transport.client _transport.server _transport.process",
    "_transport.unix": "_transport.tls _transport.datagram",
    "_face": "_transport.unix threadpool",
    "base": "_face",
    "reactor": "base protocol",
    "ssl": "_transport.tls",
    "stdio": "_transport.unix protocol",
    "threads": "reactor",
    "utils": "reactor",
    "compat": "reactor",
    "aio": "reactor _transport.unix",
    "twisted": "aio",
    "task": "reactor",
    "testing": "task",
    "pytestplugin": "testing",
    "endpoints": "ssl stdio task",
    "service": "endpoints",
    "workers": "service",
    "_migrate": "",
    "__main__": "workers _migrate",
    "protocols._filesender": "reactor",
    "protocols._framing": "reactor",
    "protocols._proxying": "endpoints",
    "protocols.policies": "reactor",
    "protocols.loopback": "protocols.policies",
    "protocols.portforward": "protocols._proxying",
    "protocols.haproxy": "protocols._proxying",
    "protocols.httpconnect": "protocols._proxying",
    "protocols.socks": "protocols._proxying",
    "protocols.stateful": "reactor",
    "protocols.tls": "ssl reactor",
    "protocols.wire": "reactor",
    "protocols.basic": "protocols._framing protocols._filesender",
    "protocols.irc": "protocols.basic protocols._proxying",
    "protocols.irc.client": "protocols.irc",
    "protocols.dns": "protocols.basic",
    "protocols.http": "reactor",
    "protocols.http.h1": "protocols.http",
    "protocols.http.h2": "protocols.http.h1",
    "protocols.http.body": "protocols.http",
    "protocols.http.client": (
        "protocols.http.h1 protocols.http.h2 protocols.http.body protocols.httpconnect protocols.socks"
    ),
    "protocols.http.server": "protocols.http.h1 protocols.http.h2 protocols.http.body protocols._proxying",
    "protocols.http.__main__": "protocols.http.server service",
    "protocols.websocket": "protocols.http.h1 protocols._proxying",
    "protocols.asgi": "protocols.http.server protocols.websocket aio",
    "protocols.wsgi": "protocols.http.server threads",
    "protocols.serving": "protocols.asgi protocols.wsgi workers",
    "protocols": "",
}
# The arrows against that, each with what it is for. One that is gone is to be taken out.
EXCEPTIONS = {
    ("_transport.stream", "_transport.tls"): "a stream can be asked for TLS: startTLS",
    ("protocols.http", "protocols.http.body"): "protocols.http re-exports Body",
    ("protocols.http", "protocols.http.client"): "protocols.http re-exports the client",
    ("protocols.http", "protocols.http.server"): "protocols.http re-exports the server",
    ("protocols.irc", "protocols.irc.client"): "protocols.irc re-exports the client",
}


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


def room(module: str) -> str | None:
    """The room that a module is in: the innermost that ROOMS names. None for one that it has no place for."""
    name = module.removeprefix("reactor.")
    while name not in ROOMS:
        name, dot, _ = name.rpartition(".")
        # A file straight in the root is a room of its own, or none.
        if not dot or name in PACKAGES:
            return None
    return name


def arrows(modules: Mapping[str, str]) -> dict[tuple[str, str], list[Import]]:
    """Which room imports from which other, and by which imports: those that happen when a program runs."""
    found: dict[tuple[str, str], list[Import]] = {}
    for each in imports(modules):
        if each.forTypesOnly or each.imported.partition(".")[0] not in PACKAGES:
            continue
        importing, imported = room(each.importer), room(each.imported)
        if importing is not None and imported is not None and importing != imported:
            found.setdefault((importing, imported), []).append(each)
    return found


def allowed(name: str) -> set[str]:
    """All rooms that a room may import from."""
    found: set[str] = set()
    for below in ROOMS[name].split():
        found |= {below} | allowed(below)
    return found
