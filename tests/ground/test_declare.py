"""reactor._ground.declare: classes say what they implement by name, and nobody pays before somebody asks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PATIENCE
from zope.interface import Interface, implementedBy

import reactor
import reactor.interfaces
from reactor._ground import declare as _declare


def fresh(code: str) -> list[str]:
    """The lines that `code` prints in an interpreter of its own, where no interface has been loaded."""
    environment = {**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_wordsAndProtocolsLoadNoInterfaces() -> None:
    printed = fresh(
        """
import sys
before = set(sys.modules)
import reactor.protocol, reactor.address, reactor.error
loaded = set(sys.modules) - before
print(sorted({"zope.interface", "reactor.interfaces", "reactor.components", "typing", "logging"} & loaded))
"""
    )
    assert printed == ["[]"]


def test_declarationsAreCarriedOutOnLoading() -> None:
    printed = fresh(
        """
from reactor.protocol import Protocol, Factory
from reactor.address import IPv4Address
class Early(Protocol): pass
from reactor.interfaces import IProtocol, IProtocolFactory, IAddress, ILoggingContext
class Late(Protocol): pass
print(IProtocol.implementedBy(Protocol), ILoggingContext.implementedBy(Protocol))
print(IProtocol.implementedBy(Early), IProtocol.providedBy(Early()), IProtocol.providedBy(Late()))
print(IProtocolFactory.providedBy(Factory()), IAddress.providedBy(IPv4Address("TCP", "127.0.0.1", 1)))
print(IAddress.implementedBy(Protocol))
"""
    )
    assert printed == ["True True", "True True True", "True True", "False"]


def test_aSubclassKnownToZopeBeforeLearnsOfItsBase() -> None:
    """zope remembers what it found out about a class; what the base declares later must still arrive there."""
    printed = fresh(
        """
from zope.interface import Interface, implementer, implementedBy, providedBy
from reactor.protocol import Protocol
class IMine(Interface): pass
@implementer(IMine)
class Mine(Protocol): pass
class Derived(Mine): pass
print([i.__name__ for i in providedBy(Derived())])
from reactor.interfaces import IProtocol
print([i.__name__ for i in providedBy(Derived())], IProtocol.providedBy(Derived()), IMine.providedBy(Derived()))
"""
    )
    assert printed == ["['IMine']", "['IMine', 'IProtocol', 'ILoggingContext'] True True"]


def test_provides() -> None:
    printed = fresh(
        """
from reactor._ground.declare import provides, implementer, IHalfCloseableProtocol
from reactor.protocol import Protocol
class Plain(Protocol): pass
@implementer(IHalfCloseableProtocol)
class Half(Protocol): pass
class Derived(Half): pass
def asked():
    half = [provides(obj, "IHalfCloseableProtocol") for obj in (Plain(), Half(), Derived(), 5)]
    return *half, provides(Derived(), "IProtocol")
print(*asked())
import reactor.interfaces
print(*asked())
"""
    )
    assert printed == ["False True True False True"] * 2


def test_afterLoadingDeclarationsAreImmediate() -> None:
    @_declare.implementer("IAddress", reactor.interfaces.ILoggingContext)
    class Both:
        pass

    assert list(implementedBy(Both)) == [reactor.interfaces.IAddress, reactor.interfaces.ILoggingContext]
    assert _declare.IAddress is reactor.interfaces.IAddress
    called = []
    _declare.whenInterfacesLoaded(lambda: called.append(1))
    assert called == [1]


def test_foreignInterfacesMayBeMixedIn() -> None:
    class IForeign(Interface):
        pass

    @_declare.implementer(IForeign)
    class Foreign:
        pass

    assert IForeign.implementedBy(Foreign)


def test_unknownNames() -> None:
    with pytest.raises(AttributeError, match="implementor"):
        _declare.implementor  # noqa: B018
    with pytest.raises(AttributeError, match="INone"):
        _declare.INone  # noqa: B018
    with pytest.raises(KeyError):
        _declare.implementer("INone")(type("C", (), {}))
