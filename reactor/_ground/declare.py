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

from _thread import allocate_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar

    Class = TypeVar("Class", bound=type)

# None until `reactor.interfaces` is loaded and what waited for it is carried out; its names from then on, when the next
# two are empty and stay so. One thread may load it while others ask and declare.
_interfaces: Mapping[str, Any] | None = None
_pending: list[Callable[[], object]] = []
_promised: dict[type, tuple[Any, ...]] = {}
_names: Mapping[str, Any] = {}
# Never held while anything is carried out: that may import, and whoever imports may declare.
_loading = allocate_lock()


def implementer(*interfaces: Any) -> Callable[[Class], Class]:
    """Decorate a class: its instances provide `interfaces`, each an interface or the name of one of ours."""

    def declare(cls: Class) -> Class:
        def carryOut() -> None:
            from zope.interface import implementer as zopeImplementer

            zopeImplementer(*[_named(interface) for interface in interfaces])(cls)

        whenInterfacesLoaded(carryOut, cls, interfaces)
        return cls

    return declare


def provides(obj: object, name: str) -> bool:
    """Whether `obj` provides our interface of that name.

    While `reactor.interfaces` is not loaded, only our own classes can have said so, and only those that name it
    itself are found, not those that name an interface derived from it.
    """
    # In this order: they are replaced in the other one.
    promised = _promised
    if _interfaces is None:
        return any(name in promised.get(cls, ()) for cls in type(obj).__mro__)
    return bool(_interfaces[name].providedBy(obj))


def whenInterfacesLoaded(function: Callable[[], object], cls: type | None = None, interfaces: Any = ()) -> None:
    """Call `function` as soon as `reactor.interfaces` is loaded: now, if it is. Until then `cls` promises them."""
    with _loading:
        if _interfaces is None:
            _pending.append(function)
            if cls is not None:
                _promised[cls] = interfaces
            return
    function()


def interfacesLoaded(names: Mapping[str, Any]) -> None:
    """Carry out what waited; `reactor.interfaces` calls this at its end with the names that it defines."""
    global _interfaces, _names, _promised
    _names = names
    while True:
        with _loading:
            waiting = _pending[:]
            _pending.clear()
            if not waiting:
                _interfaces = names
                _promised = {}
                return
        for function in waiting:
            function()


def _named(interface: Any) -> Any:
    return _names[interface] if isinstance(interface, str) else interface


def __getattr__(name: str) -> Any:
    if name.startswith("I"):
        if not _names:
            return name
        if name in _names:
            return _names[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
