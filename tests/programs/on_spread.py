"""A program with Perspective Broker (twisted.spread), for Twisted: objects are called over a connection, both ways."""

from __future__ import annotations

from typing import Any

from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.credentials import UsernamePassword
from twisted.cred.portal import IRealm, Portal
from twisted.internet import defer, endpoints, reactor, task
from twisted.spread import pb, util
from zope.interface import implementer


class Point(pb.Copyable, pb.RemoteCopy):
    """Goes over as a copy."""

    def __init__(self, x: int, y: int) -> None:
        self.x, self.y = x, y


pb.setUnjellyableForClass(Point, Point)


class Wrong(pb.Error):
    """What the caller is told by its class."""


class User(pb.Avatar):
    """What one who has logged in may call."""

    def __init__(self, name: bytes) -> None:
        self.name = name

    def perspective_add(self, one: Any, other: Any) -> Any:
        return Point(one.x + other.x, one.y + other.y)

    def perspective_tell(self, listener: Any) -> Any:
        return listener.callRemote("told", self.name, [1, {"a": (None, 2.5)}])

    def perspective_pages(self, collector: Any) -> None:
        util.StringPager(collector, b"x" * 1_000_000)

    def perspective_later(self) -> Any:
        return task.deferLater(reactor, 0.01, lambda: "later")

    def perspective_refuse(self) -> None:
        raise Wrong("on purpose")


class Listener(pb.Referenceable):
    """Of the client, called by the server."""

    def remote_told(self, name: Any, what: Any) -> Any:
        return [name, what]


@implementer(IRealm)
class Realm:
    """Of users that are all alike."""

    def requestAvatar(self, name: Any, mind: Any, *interfaces: Any) -> Any:
        return pb.IPerspective, User(name), lambda: None


async def program(clock: Any) -> None:
    assert clock is reactor
    portal = Portal(Realm(), [InMemoryUsernamePasswordDatabaseDontUse(user=b"secret")])
    server = pb.PBServerFactory(portal)
    port = await endpoints.serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(server)
    factory = pb.PBClientFactory()
    reactor.connectTCP("127.0.0.1", port.getHost().port, factory)
    user = await factory.login(UsernamePassword(b"user", b"secret"))
    point = await user.callRemote("add", Point(1, 2), Point(3, 4))
    print(type(point).__name__, point.x, point.y)
    print(await user.callRemote("tell", Listener()))
    pages: Any = defer.Deferred()
    util.getAllPages(user, "pages").addBoth(pages.callback)
    print(len(b"".join(await pages)), await user.callRemote("later"))
    print(len(await defer.gatherResults([user.callRemote("later") for _ in range(100)])))
    try:
        await user.callRemote("refuse")
    except pb.RemoteError as e:
        print(e.remoteType.decode(), e)
    lost: Any = defer.Deferred()
    user.notifyOnDisconnect(lost.callback)
    factory.disconnect()
    await lost
    try:
        await user.callRemote("later")
    except pb.DeadReferenceError:
        print("DeadReferenceError")
    await port.stopListening()


task.react(lambda clock: defer.ensureDeferred(program(clock)))
