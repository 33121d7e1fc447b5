"""A directive that documents the interfaces of a module, which autodoc takes for plain objects.

``.. interfaces:: reactor.interfaces`` writes one class entry for each ``zope.interface`` interface that the module
defines, in the order of the source, with its bases, attributes and methods.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from zope.interface.interface import Attribute, InterfaceClass, Method


def indented(lines: list[str]) -> list[str]:
    return [f"   {line}" if line else "" for line in lines]


def docstring(thing: Attribute | InterfaceClass) -> list[str]:
    return [*inspect.cleandoc(thing.__doc__ or "").splitlines(), ""]


def memberPage(member: Attribute) -> list[str]:
    if isinstance(member, Method):
        head = f".. py:method:: {member.__name__}{member.getSignatureString()}"
    else:
        head = f".. py:attribute:: {member.__name__}"
    return [head, "", *indented(docstring(member))]


def interfacePage(interface: InterfaceClass) -> Iterator[str]:
    yield from (f".. py:class:: {interface.__name__}", "")
    bases = [base for base in interface.__bases__ if base.__module__.startswith("reactor")]
    if bases:
        yield from ("   Extends " + ", ".join(f":py:class:`{base.__name__}`" for base in bases) + ".", "")
    yield from indented(docstring(interface))
    for name in interface.names():
        yield from indented(memberPage(interface[name]))


class Interfaces(SphinxDirective):
    """``.. interfaces:: module``"""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        module = import_module(name)
        self.env.note_dependency(module.__file__ or "")
        lines = [f".. py:module:: {name}", "", *docstring(module)]  # type: ignore[arg-type]
        for thing in vars(module).values():
            if isinstance(thing, InterfaceClass) and thing.__module__.startswith(name):
                lines.extend(interfacePage(thing))
        return self.parse_text_to_nodes(StringList(lines, source=module.__file__ or name))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("interfaces", Interfaces)
    return {"parallel_read_safe": True}
