"""Saying which interfaces a class implements without paying for interfaces that nobody asks about.

Loading ``zope.interface`` takes 13 ms, making the sixty classes of `reactor.interfaces` 10 ms more, and each
declaration 70 us: together more than the rest of a program that connects, writes and ends. So the house declares by
name, and the declarations are carried out when `reactor.interfaces` is imported, which is when somebody can ask for
the first time. Classes made after that are declared at once. Nobody can see the difference who has an interface of
ours in hand.

A module uses it so; type checkers see the real thing, and `IAddress` is the interface's name or the interface::

    TYPE_CHECKING = False
    if TYPE_CHECKING:
        from zope.interface import implementer
        from reactor.interfaces import IAddress
    else:
        from reactor._ground.declare import IAddress, implementer

    @implementer(IAddress)
    class IPv4Address: ...
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar

    Class = TypeVar("Class", bound=type)

# None until `reactor.interfaces` is loaded; its names from then on, when the other two are empty and stay so.
_interfaces: Mapping[str, Any] | None = None
_pending: list[Callable[[], object]] = []
_promised: dict[type, tuple[Any, ...]] = {}


def implementer(*interfaces: Any) -> Callable[[Class], Class]:
    """Decorate a class: its instances provide `interfaces`, each an interface or the name of one of ours."""

    def declare(cls: Class) -> Class:
        def carryOut() -> None:
            from zope.interface import implementer as zopeImplementer

            zopeImplementer(*[_named(interface) for interface in interfaces])(cls)

        if _interfaces is None:
            _promised[cls] = interfaces
        whenInterfacesLoaded(carryOut)
        return cls

    return declare


def provides(obj: object, name: str) -> bool:
    """Whether `obj` provides our interface of that name.

    While `reactor.interfaces` is not loaded, only our own classes can have said so, and only those that name it
    itself are found, not those that name an interface derived from it.
    """
    if _interfaces is None:
        return any(name in _promised.get(cls, ()) for cls in type(obj).__mro__)
    return bool(_interfaces[name].providedBy(obj))


def whenInterfacesLoaded(function: Callable[[], object]) -> None:
    """Call `function` as soon as `reactor.interfaces` is loaded: now, if it is."""
    if _interfaces is None:
        _pending.append(function)
    else:
        function()


def interfacesLoaded(names: Mapping[str, Any]) -> None:
    """Carry out what waited; `reactor.interfaces` calls this at its end with the names that it defines."""
    global _interfaces
    _interfaces = names
    waiting = _pending[:]
    _pending.clear()
    _promised.clear()
    for function in waiting:
        function()


def _named(interface: Any) -> Any:
    if isinstance(interface, str):
        assert _interfaces is not None
        return _interfaces[interface]
    return interface


def __getattr__(name: str) -> Any:
    if name.startswith("I"):
        if _interfaces is None:
            return name
        if name in _interfaces:
            return _interfaces[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
