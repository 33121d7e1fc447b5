"""What has a public name has a docstring, and the docstring says it where a caller looks for it."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest
from zope.interface import implementedBy
from zope.interface.interface import InterfaceClass

import protocols
import reactor
import reactor.interfaces  # which carries out what the classes declare

PACKAGES = (reactor, protocols)


def publicModules() -> Iterator[str]:
    for package in PACKAGES:
        yield package.__name__
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not any(part.startswith("_") for part in module.name.split(".")):
                yield module.name


def isOurs(thing: Any) -> bool:
    return str(getattr(thing, "__module__", "")).partition(".")[0] in ("reactor", "protocols")


def undocumented(module: ModuleType) -> list[str]:
    """The public names of a module, and of the classes it defines, that nothing explains.

    A method may be explained where its class's base class or interface declares it: told once is enough.
    """
    missing = [] if module.__doc__ else [module.__name__]
    for name, thing in vars(module).items():
        if name.startswith("_") or not isOurs(thing):
            continue
        if isinstance(thing, InterfaceClass):
            members = [member for member in thing.names() if not thing[member].__doc__]
        elif inspect.isclass(thing):
            members = list(undocumentedMembers(thing))
        elif inspect.isfunction(thing):
            members = []
        else:
            continue
        missing += [name] * (not thing.__doc__) + [f"{name}.{member}" for member in members]
    return missing


def undocumentedMembers(cls: type) -> Iterator[str]:
    interfaces = list(implementedBy(cls))
    for name, member in vars(cls).items():
        plain = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        if name.startswith("_") or not (inspect.isfunction(plain) or isinstance(plain, property)):
            continue
        declared = [interface[name].__doc__ for interface in interfaces if name in interface.names(all=True)]
        if not inspect.getdoc(getattr(cls, name)) and not any(declared):
            yield name


@pytest.mark.parametrize("name", list(publicModules()))
def test_everyPublicNameHasADocstring(name: str) -> None:
    assert undocumented(import_module(name)) == []


def test_aMissingDocstringIsFound() -> None:
    class Bare:
        def method(self) -> None:
            pass

        @classmethod
        def made(cls) -> None:
            pass

    Bare.__module__ = "reactor.bare"
    module = ModuleType("reactor.bare")
    module.__dict__["Bare"] = Bare
    assert undocumented(module) == ["reactor.bare", "Bare", "Bare.method", "Bare.made"]
