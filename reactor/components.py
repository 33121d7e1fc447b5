"""Adapters: an object that lacks an interface gets one from somebody who knows both sides.

`registerAdapter` tells the registry who makes which interface from what; ``IWanted(object)`` finds it there. This is
`zope.interface`'s machinery: one registry for the process, hung into it when this module is loaded. `Componentized`
is an object made of its adapters, which stay and may have state; `proxyForInterface` makes classes that pass an
interface's calls on, to override a few of them.
"""

from __future__ import annotations

from zope.interface import implementedBy, providedBy
from zope.interface.adapter import AdapterRegistry
from zope.interface.declarations import classImplements
from zope.interface.interface import InterfaceClass, adapter_hooks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Specification = Any  # an interface, a class, or what implementedBy and providedBy give

__all__ = [
    "registerAdapter",
    "getAdapterFactory",
    "getRegistry",
    "Adapter",
    "Componentized",
    "ReprableComponentized",
    "proxyForInterface",
    "ALLOW_DUPLICATES",
    "CannotAdapt",
    "globalRegistry",
]

#: Whether `registerAdapter` may replace what was registered; for programs that reload their modules.
ALLOW_DUPLICATES: bool | int = False

#: What `registerAdapter` writes to and ``IWanted(object)`` reads.
globalRegistry: Any = AdapterRegistry()


class CannotAdapt(NotImplementedError, TypeError):
    """For programs to raise, and to catch, when an object cannot be adapted. ``IWanted(object)`` raises TypeError."""


def _adapt(interface: Any, object: Any) -> Any:
    factory = globalRegistry.lookup1(providedBy(object), interface)
    return None if factory is None else factory(object)


adapter_hooks.append(_adapt)


def getRegistry() -> Any:
    """The `zope.interface.adapter.AdapterRegistry` that `registerAdapter` writes to and ``IWanted(object)`` reads."""
    return globalRegistry


def _specification(what: Specification) -> Any:
    return implementedBy(what) if isinstance(what, type) else what  # type: ignore[no-untyped-call]


def registerAdapter(
    adapterFactory: Callable[[Any], Any], origInterface: Specification, *interfaceClasses: InterfaceClass
) -> None:
    """Let ``IWanted(object)`` call ``adapterFactory(object)``.

    :param adapterFactory: called with the object; returns what provides the interfaces, or None to decline.
    :param origInterface: an interface that the object provides, or a class that it is an instance of.
    :param interfaceClasses: the interfaces that the adapter provides, one at least.
    :raises ValueError: if there is an adapter from exactly `origInterface` to one of them (see `ALLOW_DUPLICATES`),
        or none is given. Nothing has been registered then.
    :raises TypeError: if one of them is not an interface.
    """
    if not interfaceClasses:
        raise ValueError("registerAdapter needs an interface that the adapter provides")
    for interface in interfaceClasses:
        if not isinstance(interface, InterfaceClass):
            raise TypeError(f"an adapter provides interfaces, {interface!r} is none")
    original = _specification(origInterface)
    for interface in interfaceClasses:
        known = globalRegistry.registered([original], interface)
        if known is not None and not ALLOW_DUPLICATES:
            raise ValueError(f"there is an adapter from {origInterface!r} to {interface!r} already: {known!r}")
    for interface in interfaceClasses:
        globalRegistry.register([original], interface, "", adapterFactory)


def getAdapterFactory(fromInterface: Specification, toInterface: InterfaceClass, default: Any) -> Any:
    """What makes a `toInterface` from objects with `fromInterface` (an interface or a class), or `default`.

    Inheritance counts: an adapter from a base is found, and one to an interface derived from `toInterface`.
    """
    factory = globalRegistry.lookup1(_specification(fromInterface), toInterface)
    return default if factory is None else factory


class Adapter:
    """Base for adapters: keeps the object as `original`. An interface that it lacks is asked of that object."""

    #: True: a `Componentized` makes a new one each time and remembers none.
    temporaryAdapter: bool | int = False
    #: True: a `Componentized` remembers it under all interfaces that it was registered for, not just the one asked for.
    multiComponent: bool | int = True

    def __init__(self, original: Any) -> None:
        self.original = original

    def __conform__(self, interface: Any) -> Any:
        conform = getattr(self.original, "__conform__", None)
        return None if conform is None else conform(interface)

    def isuper(self, iface: Any, adapter: Any) -> Any:
        """What the original answers to `isuper`."""
        return self.original.isuper(iface, adapter)


def _name(interface: Any) -> str:
    return f"{interface.__module__}.{interface.__name__}"


class Componentized:
    """An object made of components: each provides an interface, is made when first asked for, and stays."""

    persistenceVersion = 1

    def __init__(self) -> None:
        # Keyed by name: interfaces may be made anew when a program reloads its modules.
        self._adapterCache: dict[str, Any] = {}

    def locateAdapterClass(self, klass: type, interfaceClass: InterfaceClass, default: Any) -> Any:
        """What makes an `interfaceClass` for objects of class `klass`, or `default`."""
        return getAdapterFactory(klass, interfaceClass, default)

    def setAdapter(self, interfaceClass: InterfaceClass, adapterClass: Callable[[Any], Any]) -> None:
        """Make a component with `adapterClass` now, for `interfaceClass`."""
        self.setComponent(interfaceClass, adapterClass(self))

    def addAdapter(self, adapterClass: Callable[[Any], Any], ignoreClass: bool | int = False) -> Any:
        """Make a component with `adapterClass` now and `addComponent` it; the component is returned."""
        adapter = adapterClass(self)
        self.addComponent(adapter, ignoreClass)
        return adapter

    def setComponent(self, interfaceClass: InterfaceClass, component: Any) -> None:
        """Let `component` be the one for `interfaceClass`."""
        self._adapterCache[_name(interfaceClass)] = component

    def addComponent(self, component: Any, ignoreClass: bool | int = False) -> None:
        """Let `component` be the one for each interface that it provides.

        Only for those, unless `ignoreClass`, for which its class is the registered adapter of this class.
        """
        for interface in providedBy(component):
            if ignoreClass or self.locateAdapterClass(self.__class__, interface, None) == component.__class__:
                self._adapterCache[_name(interface)] = component

    def unsetComponent(self, interfaceClass: InterfaceClass) -> None:
        """Forget the component for `interfaceClass`. KeyError if there is none."""
        del self._adapterCache[_name(interfaceClass)]

    def removeComponent(self, component: Any) -> list[InterfaceClass]:
        """Forget `component` under all interfaces; those are returned."""
        names = [name for name, known in self._adapterCache.items() if known is component]
        for name in names:
            del self._adapterCache[name]
        return [interface for interface in providedBy(component).flattened() if _name(interface) in names]

    def getComponent(self, interface: InterfaceClass, default: Any = None) -> Any:
        """The component for `interface`: the one there is, else one made by the adapter registered for this class,
        else `default`.
        """
        name = _name(interface)
        if name in self._adapterCache:
            return self._adapterCache[name]
        factory = self.locateAdapterClass(self.__class__, interface, None)
        if factory is None:
            return default
        component = factory(self)
        if component is None:
            return default
        if getattr(component, "temporaryAdapter", False):
            return component
        self._adapterCache[name] = component
        if getattr(component, "multiComponent", False):
            self.addComponent(component)
        return component

    def __conform__(self, interface: Any) -> Any:
        return self.getComponent(interface)


class ReprableComponentized(Componentized):
    """A `Componentized` whose repr shows its components."""

    def __repr__(self) -> str:
        return repr(self._adapterCache)


def proxyForInterface(iface: InterfaceClass, originalAttribute: str = "original") -> type:
    """A class that provides `iface` by passing everything on to the object that its instances are made with.

    :param originalAttribute: under which name an instance keeps that object.
    :return: the class; subclass it to override, ``super()`` passes on.
    """

    def __init__(self: Any, original: Any) -> None:
        setattr(self, originalAttribute, original)

    namespace: dict[str, Any] = {
        "__init__": __init__,
        "__doc__": f"Passes {iface.__name__} on to `{originalAttribute}`.",
    }
    for name in iface.names(all=True):
        namespace[name] = _PassedOn(name, originalAttribute)
    proxy = type(f"(Proxy for {_name(iface)})", (), namespace)
    # By another name, since type checkers understand the call for classes that they see being defined alone.
    declare: Any = classImplements
    declare(proxy, iface)
    return proxy


class _PassedOn:
    """One attribute of a proxy class: reading, assigning and deleting it happen to the original's."""

    def __init__(self, name: str, originalAttribute: str) -> None:
        self.name = name
        self.originalAttribute = originalAttribute

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            # Twisted's subclasses call `Proxy.method(self, ...)`, which has to find the object in its first argument.
            return self
        return getattr(getattr(instance, self.originalAttribute), self.name)

    def __call__(self, instance: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(getattr(instance, self.originalAttribute), self.name)(*args, **kwargs)

    def __set__(self, instance: Any, value: Any) -> None:
        setattr(getattr(instance, self.originalAttribute), self.name, value)

    def __delete__(self, instance: Any) -> None:
        delattr(getattr(instance, self.originalAttribute), self.name)
