"""reactor.components: who makes which interface from what."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE
from zope.interface import Attribute, Interface, implementer, providedBy
from zope.interface.adapter import AdapterRegistry
from zope.interface.verify import verifyObject

import reactor
import reactor.components as components
from reactor.components import Adapter, Componentized, ReprableComponentized, getAdapterFactory, registerAdapter


class IGiven(Interface):
    pass


class IWanted(Interface):
    colour = Attribute("a colour")

    def double(x: int) -> int:
        pass


class IDerived(IWanted):
    pass


class IOther(Interface):
    pass


class ToWanted(Adapter):
    pass


class ToOther(Adapter):
    pass


@pytest.fixture(autouse=True)
def registryLikeBefore(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test registers is forgotten after it."""
    monkeypatch.setattr(components, "globalRegistry", AdapterRegistry((components.globalRegistry,)))
    yield


@pytest.fixture
def Plain() -> type:
    return type("Plain", (), {})


# ---- registerAdapter and calling the interface ----


def test_fromAClass(Plain: Any) -> None:
    registerAdapter(ToWanted, Plain, IWanted)
    obj = Plain()
    adapter = IWanted(obj)
    assert type(adapter) is ToWanted
    assert adapter.original is obj
    assert IWanted(obj) is not adapter
    assert type(IWanted(type("Sub", (Plain,), {})())) is ToWanted


def test_fromAnInterface() -> None:
    @implementer(IGiven)
    class Given:
        pass

    registerAdapter(ToWanted, IGiven, IWanted)
    assert type(IWanted(Given())) is ToWanted
    assert getAdapterFactory(IGiven, IWanted, None) is ToWanted
    assert getAdapterFactory(Given, IWanted, None) is ToWanted
    assert getAdapterFactory(providedBy(Given()), IWanted, None) is ToWanted


def test_severalInterfacesAtOnce(Plain: Any) -> None:
    registerAdapter(ToWanted, Plain, IWanted, IOther)
    assert type(IOther(Plain())) is type(IWanted(Plain())) is ToWanted


def test_anAdapterToADerivedInterfaceWillDo(Plain: Any) -> None:
    registerAdapter(ToWanted, Plain, IDerived)
    assert type(IWanted(Plain())) is ToWanted


def test_whatProvidesItIsNotAdapted() -> None:
    @implementer(IWanted)
    class Provider:
        pass

    registerAdapter(ToWanted, Provider, IWanted)
    provider = Provider()
    assert IWanted(provider) is provider


def test_nobodyKnows(Plain: Any) -> None:
    with pytest.raises(TypeError, match="Could not adapt"):
        IWanted(Plain())
    assert IWanted(Plain(), None) is None
    assert IWanted(Plain(), "default") == "default"
    assert getAdapterFactory(Plain, IWanted, "default") == "default"


def test_anAdapterMayDecline(Plain: Any) -> None:
    registerAdapter(lambda obj: None, Plain, IWanted)
    assert IWanted(Plain(), "default") == "default"


def test_twiceIsAnError(Plain: Any) -> None:
    registerAdapter(ToWanted, Plain, IWanted)
    with pytest.raises(ValueError, match="ToWanted"):
        registerAdapter(ToOther, Plain, IOther, IWanted)
    assert type(IWanted(Plain())) is ToWanted
    assert IOther(Plain(), None) is None


def test_twiceOnPurpose(Plain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    registerAdapter(ToWanted, Plain, IWanted)
    monkeypatch.setattr(components, "ALLOW_DUPLICATES", 1)
    registerAdapter(ToOther, Plain, IWanted)
    assert type(IWanted(Plain())) is ToOther


def test_aSubclassMayHaveItsOwn(Plain: Any) -> None:
    Sub = type("Sub", (Plain,), {})
    registerAdapter(ToWanted, Plain, IWanted)
    registerAdapter(ToOther, Sub, IWanted)
    assert type(IWanted(Plain())) is ToWanted
    assert type(IWanted(Sub())) is ToOther


def test_wrongArguments(Plain: Any) -> None:
    with pytest.raises(ValueError, match="needs an interface"):
        registerAdapter(ToWanted, Plain)
    with pytest.raises(TypeError, match="Plain"):
        registerAdapter(ToWanted, IGiven, Plain)


def test_getRegistry(Plain: Any) -> None:
    registerAdapter(ToWanted, Plain, IWanted)
    assert components.getRegistry().lookup1(providedBy(Plain()), IWanted) is ToWanted


def test_anAdapterAsksItsOriginal() -> None:
    whole = Componentized()
    whole.setComponent(IOther, "other")
    assert IOther(ToWanted(whole)) == "other"
    assert IOther(ToWanted(object()), None) is None


def test_isuperIsPassedOn() -> None:
    class Original:
        def isuper(self, iface: Any, adapter: Any) -> Any:
            return (iface, adapter)

    assert ToWanted(Original()).isuper(IWanted, 5) == (IWanted, 5)


# ---- Componentized ----


@pytest.fixture
def Whole() -> Any:
    return type("Whole", (Componentized,), {})


def test_aComponentStays(Whole: Any) -> None:
    registerAdapter(ToWanted, Whole, IWanted)
    whole = Whole()
    component = IWanted(whole)
    assert type(component) is ToWanted
    assert component.original is whole
    assert IWanted(whole) is component
    assert whole.getComponent(IWanted) is component
    assert IWanted(Whole()) is not component


def test_noComponent(Whole: Any) -> None:
    assert Whole().getComponent(IWanted) is None
    assert Whole().getComponent(IWanted, "default") == "default"
    with pytest.raises(TypeError):
        IWanted(Whole())
    registerAdapter(lambda whole: None, Whole, IWanted)
    assert Whole().getComponent(IWanted, "default") == "default"


def test_aTemporaryAdapterDoesNot(Whole: Any) -> None:
    class Temporary(Adapter):
        temporaryAdapter = True

    registerAdapter(Temporary, Whole, IWanted)
    whole = Whole()
    assert IWanted(whole) is not IWanted(whole)


@implementer(IWanted, IOther)
class Several(Adapter):
    colour = "red"

    def double(self, x: int) -> int:
        return 2 * x


def test_oneComponentForSeveralInterfaces(Whole: Any) -> None:
    registerAdapter(Several, Whole, IWanted, IOther)
    whole = Whole()
    assert IWanted(whole) is IOther(whole)


def test_orOneForEach(Whole: Any) -> None:
    class Each(Several):
        multiComponent = False

    registerAdapter(Each, Whole, IWanted, IOther)
    whole = Whole()
    assert IWanted(whole) is not IOther(whole)
    assert type(IOther(whole)) is Each


def test_setAndUnset(Whole: Any) -> None:
    whole = Whole()
    whole.setComponent(IWanted, "component")
    assert IWanted(whole) == "component"
    whole.unsetComponent(IWanted)
    assert IWanted(whole, None) is None
    with pytest.raises(KeyError):
        whole.unsetComponent(IWanted)
    whole.setAdapter(IWanted, ToWanted)
    assert type(IWanted(whole)) is ToWanted
    assert IWanted(whole).original is whole


def test_addAndRemove(Whole: Any) -> None:
    registerAdapter(Several, Whole, IWanted)
    whole = Whole()
    component = whole.addAdapter(Several)
    assert IWanted(whole) is component
    assert IOther(whole, None) is None
    assert whole.removeComponent(component) == [IWanted]
    assert whole.removeComponent(component) == []
    assert IWanted(whole) is not component


def test_addForWhateverItProvides(Whole: Any) -> None:
    whole = Whole()
    component = whole.addAdapter(Several, ignoreClass=True)
    assert IWanted(whole) is IOther(whole) is component
    assert set(whole.removeComponent(component)) == {IWanted, IOther}
    whole.addComponent(component)
    assert IWanted(whole, None) is None


def test_locateAdapterClass(Whole: Any) -> None:
    registerAdapter(ToWanted, Whole, IWanted)
    assert Whole().locateAdapterClass(Whole, IWanted, None) is ToWanted
    assert Whole().locateAdapterClass(Whole, IOther, "default") == "default"


def test_repr() -> None:
    whole = ReprableComponentized()
    whole.setComponent(IWanted, 5)
    assert repr(whole) == f"{{'{__name__}.IWanted': 5}}"


# ---- proxyForInterface ----


class Real:
    colour = "red"

    def double(self, x: int) -> int:
        return 2 * x


def test_aProxyPassesOn() -> None:
    Proxy: Any = components.proxyForInterface(IDerived)
    real = Real()
    proxy = Proxy(real)
    assert proxy.original is real
    assert verifyObject(IDerived, proxy)
    assert (proxy.double(4), proxy.colour) == (8, "red")
    proxy.colour = "blue"
    assert real.colour == "blue"
    del proxy.colour
    assert real.colour == "red"
    with pytest.raises(AttributeError):
        proxy.nothing  # noqa: B018


def test_aProxyIsMadeToBeOverridden() -> None:
    base: Any = components.proxyForInterface(IWanted, "_wrapped")

    class Thrice(base):  # type: ignore[misc]
        def double(self, x: int) -> Any:
            return super().double(x) + base.double(self, x) // 2

    proxy = Thrice(Real())
    assert isinstance(proxy._wrapped, Real)
    assert proxy.double(4) == 12


# ---- The hook ----


def test_theHookIsThereOnceLoaded() -> None:
    code = """
from zope.interface.interface import adapter_hooks
before = len(adapter_hooks)
import reactor.protocol
print(len(adapter_hooks) - before)
import reactor.components
print(len(adapter_hooks) - before)
"""
    root = str(Path(reactor.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, timeout=PATIENCE, check=True
    )
    assert done.stdout.split() == ["0", "1"]
