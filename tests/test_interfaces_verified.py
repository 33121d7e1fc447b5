"""Everything in the package that declares an interface has what it declares: every class of every module, and living
objects of those that programs get to see.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from net import Net
from zope.interface import implementedBy
from zope.interface.interface import InterfaceClass
from zope.interface.verify import verifyClass, verifyObject

import protocols
import reactor
import reactor.interfaces as interfaces
from reactor.base import Reactor
from reactor.task import Clock

OURS = {name: thing for name, thing in vars(interfaces).items() if isinstance(thing, InterfaceClass)}


def modules() -> Iterator[Any]:
    for package in (reactor, protocols):
        yield package
        for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            yield importlib.import_module(found.name)


CLASSES = sorted(
    {
        thing
        for module in modules()
        for thing in vars(module).values()
        if inspect.isclass(thing) and thing.__module__ == module.__name__ and list(implementedBy(thing))
    },
    key=lambda cls: (cls.__module__, cls.__qualname__),
)
DECLARED = [
    (cls, interface)
    for cls in CLASSES
    # Not what hands on what it stands on, as Twisted's wrappers of protocols do: the class alone does not tell.
    if not hasattr(cls, "__getattr__")
    for interface in implementedBy(cls).flattened()
    if interface.getName() in OURS
]


@pytest.mark.parametrize(
    ("cls", "interface"), DECLARED, ids=[f"{cls.__qualname__}-{interface.getName()}" for cls, interface in DECLARED]
)
def test_class(cls: type, interface: InterfaceClass) -> None:
    assert verifyClass(interface, cls)


def test_nobodyIsMissing() -> None:
    """Those of whom programs will ask it."""
    declared = {cls.__qualname__: {i.getName() for i in implementedBy(cls)} for cls in CLASSES}
    expected: dict[str, set[str]] = {
        "Reactor": {
            "IReactorCore",
            "IReactorTime",
            "IReactorTCP",
            "IReactorSSL",
            "IReactorFDSet",
            "IReactorThreads",
            "IReactorPluggableResolver",
            "IReactorPluggableNameResolver",
        },
        "Port": {"IListeningPort"},
        "Connector": {"IConnector"},
        "DelayedCall": {"IDelayedCall"},
        "Clock": {"IReactorTime"},
        "TCPTransport": {"ITLSTransport"},
        "ThreadedResolver": {"IHostnameResolver"},
        "HostResolution": {"IHostResolution"},
        "TCP4ClientEndpoint": {"IStreamClientEndpoint"},
        "TCP4ServerEndpoint": {"IStreamServerEndpoint"},
        "Protocol": {"IProtocol", "ILoggingContext"},
        "Factory": {"IProtocolFactory", "ILoggingContext"},
        "IPv4Address": {"IAddress"},
        "IPv6Address": {"IAddress"},
        "UNIXAddress": {"IAddress"},
    }
    for name, wanted in expected.items():
        assert wanted <= declared.get(name, set()), name
    # By way of its base: what StreamTransport is, a TCPTransport is too.
    (transport,) = (cls for cls in CLASSES if cls.__qualname__ == "TCPTransport")
    assert {i.getName() for i in implementedBy(transport).flattened()} >= {
        "ITransport",
        "IConsumer",
        "IPushProducer",
        "ISystemHandle",
        "ILoggingContext",
    }


@pytest.mark.parametrize("net", ["default"], indirect=True)
def test_livingObjects(net: Net) -> None:
    client, server = net.pair()
    connector = net.clients[0].connector  # type: ignore[attr-defined]
    timer = net.reactor.callLater(1, list)
    living: list[Any] = [
        net.reactor,
        net.ports[0],
        connector,
        timer,
        Clock(),
        Clock().callLater(1, list),
        net.reactor.nameResolver,
        client,
        server,
        client.transport,
        server.transport,
        client.transport.getPeer(),  # type: ignore[attr-defined]
        net.clients[0],
        net.servers[0],
        connector.getDestination(),
    ]
    verified = 0
    for thing in living:
        declared = [interface for interface in implementedBy(type(thing)).flattened() if interface.getName() in OURS]
        assert declared, thing
        for interface in declared:
            assert verifyObject(interface, thing)
            verified += 1
    assert verified > len(living)
    timer.cancel()


# verifyClass does not compare positional-only parameters with what callers do: those that programs call by keyword.

BY_KEYWORD: list[tuple[Callable[..., Any], str]] = [
    (Reactor.connectTCP, "host port factory timeout bindAddress"),
    (Reactor.listenTCP, "port factory backlog interface"),
    (Reactor.adoptStreamPort, "fileDescriptor addressFamily factory"),
    (Reactor.adoptStreamConnection, "fileDescriptor addressFamily factory"),
    (Reactor.run, "installSignalHandlers"),
    (Reactor.iterate, "delay"),
    (Reactor.resolve, "name timeout"),
]


@pytest.mark.parametrize(("method", "names"), BY_KEYWORD, ids=[method.__name__ for method, _ in BY_KEYWORD])
def test_keywords(method: Callable[..., Any], names: str) -> None:
    parameters = list(inspect.signature(method).parameters.values())[1:]
    # What is ours beyond that can be given by keyword only.
    assert [each.name for each in parameters if each.kind is not each.KEYWORD_ONLY] == names.split()
