"""Programs for Twisted on this reactor by their imports: ``twisted.internet.X`` is served by our modules.

`install()` puts a finder in front of all others. A module of Twisted's that has a counterpart here is ours, whoever
imports it: ``twisted.internet.X`` is ``reactor.X``, or ``reactor.compat.X``. What of ``twisted.internet`` has none
cannot be imported at all, so that no second reactor and no second kind of Deferred slips in; the rest of Twisted, which
knows nothing of either by itself (``twisted.python.log``, ``twisted.cred``, ``twisted.web``), is its own.

``python aliasing.py [--openssl] PROGRAM ARGUMENT...`` runs a program so, with Twisted's `ssl` on
top if it wants that. It is to be done in a process of its own: a module that is there already stays what it is.
"""

from __future__ import annotations

import importlib
import runpy
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from reactor._migrate.knowledge import MODULES

# Parts of twisted.internet that only import others of it: they are on top of what is served here.
ON_TOP = {"twisted.internet._producer_helpers"}
# What is on top as well for programs that handle pyOpenSSL's keys and contexts: Twisted's module for them.
OPENSSL = {f"twisted.internet.{name}" for name in ("ssl", "_sslverify", "_service_identity", "_idna")}


def counterpart(name: str) -> str | None:
    """The name of our module for Twisted's, or None: as `python -m reactor migrate` changes imports."""
    return MODULES[name].ours if name in MODULES else None


class Alias(ModuleType):
    """A module that has the attributes of another."""

    def __init__(self, name: str, ours: Any) -> None:
        super().__init__(name, ours.__doc__)
        self.__dict__["_ours"] = ours

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_ours"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("__"):
            super().__setattr__(name, value)
        else:
            setattr(self._ours, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._ours, name)


class _Aliases(MetaPathFinder, Loader):
    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if fullname in ON_TOP or not fullname.startswith("twisted."):
            return None
        if fullname == "twisted.internet.reactor" or counterpart(fullname) is not None:
            return ModuleSpec(fullname, self)
        if fullname.startswith("twisted.internet."):
            raise ModuleNotFoundError(f"{fullname} has no counterpart here", name=fullname)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        if spec.name == "twisted.internet.reactor":
            from reactor import reactor

            return Alias(spec.name, reactor)
        ours = counterpart(spec.name)
        assert ours is not None
        return Alias(spec.name, importlib.import_module(ours))

    def exec_module(self, module: ModuleType) -> None:
        if module.__name__ == "twisted.internet.reactor":
            # Whoever imports it wants the object.
            sys.modules[module.__name__] = module._ours


def install() -> None:
    """Serve Twisted's modules by ours from now on."""
    there = foreign()
    assert not there, f"too late: {there} are Twisted's own already"
    sys.meta_path.insert(0, _Aliases())


def foreign() -> list[str]:
    """The modules of twisted.internet that are Twisted's own."""
    names = [name for name in sys.modules if name.startswith("twisted.internet.") and name not in ON_TOP]
    return [name for name in names if not isinstance(sys.modules[name], Alias) and not name.endswith(".reactor")]


if __name__ == "__main__":
    # The program sees its own arguments, and its own folder instead of this one.
    del sys.argv[0]
    if sys.argv[0] == "--openssl":
        del sys.argv[0]
        ON_TOP |= OPENSSL
    sys.path[0] = str(Path(sys.argv[0]).parent)
    install()
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    finally:
        assert foreign() == [], "these came past the hook"
