"""reactor.interfaces: every name, every method documented, and what declares an interface has it."""

from __future__ import annotations

import ast
import pickle
from pathlib import Path
from typing import Any

import pytest
from zope.interface import Interface
from zope.interface.interface import InterfaceClass, Method
from zope.interface.verify import verifyClass

import reactor.interfaces as interfaces
from reactor import address
from reactor.protocol import adapters as _adapters
from reactor.protocol import protocols

NAMES = {name: thing for name, thing in vars(interfaces).items() if isinstance(thing, InterfaceClass)}
FILES = sorted(Path(interfaces.__file__).parent.glob("_[a-z]*.py"))

# Interface -> one of its methods, with the arguments that programs for Twisted give it.
CALLED = {
    "IReactorCore": "addSystemEventTrigger(phase, eventType, callable, *args, **kwargs)",
    "IReactorTime": "callLater(delay, callable, *args, **kwargs)",
    "IReactorTCP": "connectTCP(host, port, factory, timeout=30, bindAddress=None)",
    "IReactorSSL": "listenSSL(port, factory, contextFactory, backlog=50, interface='')",
    "IReactorUNIX": "connectUNIX(address, factory, timeout=30, checkPID=False)",
    "IReactorUDP": "listenUDP(port, protocol, interface='', maxPacketSize=8192)",
    "IReactorSocket": "adoptStreamPort(fileDescriptor, addressFamily, factory)",
    "IReactorFromThreads": "callFromThread(callable, *args, **kwargs)",
    "IHostnameResolver": "resolveHostName(resolutionReceiver, hostName, portNumber=0, addressTypes=None,"
    " transportSemantics='TCP')",
    "IProtocol": "connectionLost(reason)",
    "IProtocolFactory": "buildProtocol(addr)",
    "IConsumer": "registerProducer(producer, streaming)",
    "ITransport": "writeSequence(data)",
    "IStreamClientEndpoint": "connect(protocolFactory)",
}
# Interface -> those that it extends; all others extend none.
EXTENDS = {
    "IReactorThreads": {"IReactorFromThreads", "IReactorInThreads"},
    "IFileDescriptor": {"ILoggingContext"},
    "IReadDescriptor": {"IFileDescriptor"},
    "IWriteDescriptor": {"IFileDescriptor"},
    "IReadWriteDescriptor": {"IReadDescriptor", "IWriteDescriptor"},
    "IPushProducer": {"IProducer"},
    "IPullProducer": {"IProducer"},
    "ITCPTransport": {"ITransport"},
    "IUNIXTransport": {"ITransport"},
    "ITLSTransport": {"ITCPTransport"},
    "ISSLTransport": {"ITCPTransport"},
    "INegotiated": {"ISSLTransport"},
    "IMulticastTransport": {"IUDPTransport"},
    "IProcessTransport": {"ITransport"},
    "IResolver": {"IResolverSimple"},
}


def test_everyInterfaceIsPublic() -> None:
    assert NAMES.keys() == set(interfaces.__all__)
    assert len(set(interfaces.__all__)) == len(interfaces.__all__)
    defined = {
        node.name for file in FILES for node in ast.parse(file.read_text()).body if isinstance(node, ast.ClassDef)
    }
    assert defined == NAMES.keys()


@pytest.mark.parametrize("name", NAMES)
def test_documented(name: str) -> None:
    interface = NAMES[name]
    assert interface.__doc__
    for member in interface.names():
        assert interface[member].__doc__, f"{name}.{member}"


@pytest.mark.parametrize("name", NAMES)
def test_methodsAreWrittenWithoutSelf(name: str) -> None:
    for _, member in NAMES[name].namesAndDescriptions(all=True):
        if isinstance(member, Method):
            assert "self" not in member.getSignatureInfo()["positional"]


@pytest.mark.parametrize("name", NAMES)
def test_extends(name: str) -> None:
    expected = EXTENDS.get(name)
    assert {base.__name__ for base in NAMES[name].__bases__} == (expected or {Interface.__name__})


@pytest.mark.parametrize("name", CALLED)
def test_arguments(name: str) -> None:
    method = CALLED[name].partition("(")[0]
    member: Any = NAMES[name][method]
    assert method + member.getSignatureString() == CALLED[name]


@pytest.mark.parametrize("name", NAMES)
def test_pickledByName(name: str) -> None:
    assert pickle.loads(pickle.dumps(NAMES[name])) is NAMES[name]


@pytest.mark.parametrize("module", [address, protocols, _adapters])
def test_whoDeclaresItHasIt(module: Any) -> None:
    verified = 0
    for cls in vars(module).values():
        if isinstance(cls, type) and cls.__module__ == module.__name__:
            for interface in NAMES.values():
                if interface.implementedBy(cls):
                    assert verifyClass(interface, cls)
                    verified += 1
    assert verified >= 4
