"""A program with txredisapi, for Twisted: `on_redis.py PATH`, the path of a redis-server's socket."""

from __future__ import annotations

import sys
from typing import Any

import txredisapi
from twisted.internet import defer, endpoints, reactor, task

PATH = sys.argv[1]


class Listener(txredisapi.SubscriberProtocol):
    """Hears what is published."""

    def messageReceived(self, pattern: Any, channel: Any, message: Any) -> None:
        self.factory.heard.callback((channel, message))


class Listeners(txredisapi.SubscriberFactory):
    """Of one listener."""

    reconnect = False
    protocol = Listener

    def __init__(self) -> None:
        super().__init__()
        self.heard: Any = defer.Deferred()


async def program(clock: Any) -> None:
    assert clock is reactor
    pool = await txredisapi.UnixConnectionPool(PATH, poolsize=3)
    await pool.set("name", "value")
    print(await pool.get("name"), await pool.get("nothing"))

    big = "x" * 1_000_000
    await pool.set("big", big)
    print((await pool.get("big")) == big)

    # Many at once.
    print(sum(await defer.gatherResults([pool.incr("count") for _ in range(100)])))

    pipe = await pool.pipeline()
    pipe.hset("hash", "a", 1)
    pipe.hset("hash", "b", 2)
    pipe.hgetall("hash")
    print((await pipe.execute_pipeline())[-1])

    transaction = await pool.multi()
    await transaction.lpush("list", ["one", "two"])
    await transaction.llen("list")
    print(await transaction.commit())

    try:
        await pool.incr("name")
    except txredisapi.ResponseError as e:
        print("ResponseError:", str(e).removeprefix("ERR "))

    waiting = pool.brpop("queue", timeout=10)
    await pool.lpush("queue", ["job"])
    print(await waiting)

    listeners = Listeners()
    listeners.startConnecting(endpoints.UNIXClientEndpoint(reactor, PATH))
    await listeners.deferred
    await listeners.pool[0].subscribe("news")
    print(await pool.publish("news", "today"), await listeners.heard)
    await listeners.disconnect()

    # A connection that the server ends is made anew.
    txredisapi.RedisFactory.initialDelay = 0.01
    lost = await txredisapi.UnixConnection(PATH)
    number = await lost.execute_command("CLIENT", "ID")
    await pool.execute_command("CLIENT", "KILL", "ID", number)
    for _ in range(1000):
        try:
            again = await lost.execute_command("CLIENT", "ID")
            break
        except txredisapi.ConnectionError:
            await task.deferLater(reactor, 0.01)
    print("connected again", again != number)
    await lost.disconnect()
    await pool.disconnect()


task.react(lambda clock: defer.ensureDeferred(program(clock)))
