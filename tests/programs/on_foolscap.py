"""A program with foolscap, for Twisted: two of its "tubs" call each other's objects, each known by its certificate."""

from __future__ import annotations

from typing import Any

from foolscap.api import Referenceable, Tub, flushEventualQueue
from twisted.internet import defer, task


class Calculator(Referenceable):
    """What the server has."""

    def remote_add(self, a: Any, b: Any) -> Any:
        return a + b

    def remote_call(self, other: Any, what: Any) -> Any:
        return other.callRemote("seen", what)


class Mine(Referenceable):
    """What the client has."""

    def remote_seen(self, what: Any) -> Any:
        return ["seen", what]


async def program(clock: Any) -> None:
    server, client = Tub(), Tub()
    server.startService()
    client.startService()
    port = server.listenOn("tcp:0:interface=127.0.0.1")
    server.setLocation(f"127.0.0.1:{port._lp.getHost().port}")
    where = server.registerReference(Calculator(), "calculator")
    calculator = await client.getReference(where)
    print(await calculator.callRemote("add", 2, 3))
    print(await calculator.callRemote("call", Mine(), {"a": [1, 2.5, None, "xxx"]}))
    big = bytes(3_000_000)
    print(len(await calculator.callRemote("add", big, big)))
    print(sum(await defer.gatherResults([calculator.callRemote("add", number, 1) for number in range(200)])))
    transport = calculator.tracker.broker.transport
    print(transport.TLS, transport.getPeerCertificate() is not None)
    # Somebody else is asked for than who is there.
    try:
        await client.getReference("pb://" + where[5:36][::-1] + where[36:])
    except Exception as e:
        print(type(e).__name__)
    lost: Any = defer.Deferred()
    calculator.notifyOnDisconnect(lost.callback, "lost")
    await server.stopService()
    print(await lost)
    await client.stopService()
    await flushEventualQueue()


task.react(lambda clock: defer.ensureDeferred(program(clock)))
