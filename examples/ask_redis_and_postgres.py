"""A reactor's program that asks a redis and a PostgreSQL server, through libraries that are made for asyncio.

    pip install '.[asyncio-examples]'
    python ask_redis_and_postgres.py redis://localhost postgresql://user@localhost/database [port]

Listens on this machine only, on a port that the system chooses unless one is given, prints which, and serves until
Ctrl-C. Try it with ``nc -C localhost PORT``. A line is a question, each answer begins with it:

``set NAME VALUE``
    into a table of PostgreSQL, ``reactor_example``;
``get NAME``
    from redis, which remembers it for a minute, else from that table; the answer says which;
``wait SECONDS``
    keeps a connection of PostgreSQL busy. What takes longer than a second is given up.

Questions of one connection are worked on at the same time; when it ends, those that are left are cancelled, on the
servers too.
"""

from __future__ import annotations

import asyncio
import sys

import asyncpg
import redis.asyncio
import redis.exceptions

import reactor.aio
from protocols.basic import LineOnlyReceiver
from reactor import reactor as mine
from reactor.defer import CancelledError, Deferred
from reactor.failure import Failure
from reactor.protocol import Factory, Protocol, connectionDone

LIMIT = 1.0
TABLE = "CREATE TABLE IF NOT EXISTS reactor_example (name text PRIMARY KEY, value text NOT NULL)"
SET = "INSERT INTO reactor_example VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = $2"
GET = "SELECT value FROM reactor_example WHERE name = $1"
PROBLEMS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    # What asyncpg says of a connection that the server has said to end, and that has not ended yet.
    asyncpg.InternalClientError,
    redis.exceptions.RedisError,
    OSError,
)


class Store:
    """Both servers. Its coroutines are of asyncio's world: they have to run in tasks."""

    def __init__(self, pool: asyncpg.Pool, cache: redis.asyncio.Redis) -> None:
        self.pool = pool
        self.cache = cache

    async def answer(self, question: str) -> str:
        """The answer to one line, in any case within the limit."""
        try:
            async with asyncio.timeout(LIMIT):
                match question.split(maxsplit=2):
                    case ["set", name, value]:
                        await self.pool.execute(SET, name, value)
                        await self.cache.delete(name)
                        return "done"
                    case ["get", name]:
                        return await self.get(name)
                    case ["wait", seconds]:
                        await self.pool.execute("SELECT pg_sleep($1)", float(seconds))
                        return "done"
        except TimeoutError:
            return "took too long"
        except ValueError:
            return "no number"
        except PROBLEMS as error:
            return f"{type(error).__name__}: {error}"
        return "set NAME VALUE, get NAME, or wait SECONDS"

    async def get(self, name: str) -> str:
        """A value, from where it is nearest."""
        value: str | None = await self.cache.get(name)  # type: ignore[assignment]  # str, as it was asked to decode
        if value is not None:
            return f"{value} (redis)"
        value = await self.pool.fetchval(GET, name)
        if value is None:
            return "nothing"
        await self.cache.set(name, value, ex=60)
        return f"{value} (PostgreSQL)"


class Questions(LineOnlyReceiver):
    """One who asks."""

    delimiter = b"\n"

    def __init__(self, store: Store) -> None:
        self.store = store
        self.waiting: set[Deferred[str]] = set()

    def lineReceived(self, line: bytes) -> None:
        question = line.decode(errors="replace").strip()
        answer = reactor.aio.start(self.store.answer(question))
        self.waiting.add(answer)
        answer.addBoth(self.answered, question, answer)

    def answered(self, result: str | Failure, question: str, answer: Deferred[str]) -> Failure | None:
        self.waiting.discard(answer)
        if not isinstance(result, Failure):
            self.sendLine(f"{question}: {result}".encode())
        elif result.check(CancelledError, asyncio.CancelledError) is not None:
            # By `connectionLost`, or the reactor stops.
            print("given up:", question, flush=True)
        else:
            # A mistake, which is logged; nobody waits for an answer that does not come.
            self.transport.loseConnection()
            return result
        return None

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        for answer in list(self.waiting):
            answer.cancel()


class QuestionsFactory(Factory):
    """Gives each connection the same servers to ask."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def buildProtocol(self, addr: object) -> Protocol:
        return Questions(self.store)


async def serve(cacheAddress: str, databaseAddress: str, number: int) -> None:
    """The program, as a task: the reactor's stop cancels it, and waits until it has closed what it opened."""
    async with (
        redis.asyncio.Redis.from_url(cacheAddress, decode_responses=True) as cache,
        asyncpg.create_pool(databaseAddress, min_size=1, max_size=5) as pool,
    ):
        await pool.execute(TABLE)
        port = mine.listenTCP(number, QuestionsFactory(Store(pool, cache)), interface="127.0.0.1")
        print("listening on port", port.getHost().port, flush=True)
        try:
            await asyncio.Event().wait()
        finally:
            await port.stopListening()


def ended(failure: Failure) -> None:
    if failure.check(asyncio.CancelledError, CancelledError) is None:
        print("could not serve:", failure.getErrorMessage(), flush=True)
        mine.stop()


def main() -> None:
    cacheAddress, databaseAddress, *rest = sys.argv[1:]
    number = int(rest[0]) if rest else 0
    mine.callWhenRunning(lambda: reactor.aio.start(serve(cacheAddress, databaseAddress, number)).addErrback(ended))
    mine.run()
    print("stopped", flush=True)


if __name__ == "__main__":
    main()
