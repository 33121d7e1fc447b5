"""Libraries for asyncio on our loop, with real servers at the other end: redis-py and asyncpg.

Each test runs twice: as an asyncio program on a loop of its own, and as a task in a program of a reactor.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import servers
from bothways import Run, run
from patience import PATIENCE
from tls import issued, plainClientContext, stranger

asyncpg = pytest.importorskip("asyncpg")
redis: Any = pytest.importorskip("redis.asyncio")

__all__ = ["run"]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The path of a redis-server's socket."""
    with servers.redis(tmp_path_factory.mktemp("redis")) as path:
        yield path


@pytest.fixture(scope="module")
def database() -> Iterator[servers.PostgreSQL]:
    """A PostgreSQL server."""
    leaf = issued()
    with servers.postgresql(leaf.cert_chain_pems[0].bytes(), leaf.private_key_pem.bytes()) as server:
        yield server


# redis.


def test_redisAnswersManyAtOnce(run: Run, cache: Path) -> None:
    async def program() -> None:
        async with redis.Redis.from_url(f"unix://{cache}", decode_responses=True, max_connections=50) as client:
            await client.flushall()
            big = "x" * 1_000_000
            await client.set("big", big)
            assert await client.get("big") == big
            assert sorted(await asyncio.gather(*(client.incr("count") for _ in range(40)))) == [*range(1, 41)]
            async with client.pipeline(transaction=True) as pipe:
                assert await pipe.rpush("list", "one", "two").llen("list").execute() == [2, 2]
            with pytest.raises(Exception, match="not an integer"):
                await client.incr("big")

    run(program)


def test_redisTellsWhatIsPublished(run: Run, cache: Path) -> None:
    async def program() -> None:
        async with redis.Redis.from_url(f"unix://{cache}", decode_responses=True) as client, client.pubsub() as heard:
            await heard.subscribe("news")
            assert (await heard.get_message(timeout=PATIENCE))["type"] == "subscribe"
            assert await client.publish("news", "today") == 1
            assert (await heard.get_message(timeout=PATIENCE))["data"] == "today"

    run(program)


def test_redisCommandsTimeOutAndAreCancelled(run: Run, cache: Path) -> None:
    async def program() -> None:
        async with redis.Redis.from_url(f"unix://{cache}", decode_responses=True) as client:
            await client.delete("queue")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await client.blpop("queue")
            waiting = asyncio.create_task(client.blpop("queue"))
            await asyncio.sleep(0.05)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            # Nobody waits for it any more, and no answer is taken for another's.
            await client.rpush("queue", "job")
            assert await client.llen("queue") == 1
            assert await client.blpop("queue") == ("queue", "job")

    run(program)


def test_redisConnectsAgain(run: Run, cache: Path) -> None:
    async def program() -> None:
        address = f"unix://{cache}"
        async with redis.Redis.from_url(address) as client, redis.Redis.from_url(address) as other:
            number = await client.client_id()
            assert await other.client_kill_filter(_id=number) == 1
            assert await client.client_id() != number

    run(program)


def test_redisIsNotThere(run: Run, tmp_path: Path) -> None:
    async def program() -> None:
        async with redis.Redis.from_url(f"unix://{tmp_path / 'nobody'}") as client:
            with pytest.raises(redis.ConnectionError, match="nobody"):
                await client.ping()

    run(program)


# PostgreSQL.


def test_postgresqlAnswersAPool(run: Run, database: servers.PostgreSQL) -> None:
    async def program() -> None:
        async with asyncpg.create_pool(database.address, min_size=2, max_size=5) as pool:
            squares = await asyncio.gather(*(pool.fetchval("SELECT $1::int * $1", i) for i in range(50)))
            assert squares == [i * i for i in range(50)]
            assert await pool.fetchval("SELECT repeat('x', 1000000)") == "x" * 1_000_000
            async with pool.acquire() as connection:
                with pytest.raises(asyncpg.UniqueViolationError):
                    async with connection.transaction():
                        await connection.execute("CREATE TABLE once (x int PRIMARY KEY)")
                        await connection.executemany("INSERT INTO once VALUES ($1)", [(1,), (2,), (1,)])
                assert await connection.fetchval("SELECT to_regclass('once')") is None
                async with connection.transaction():
                    rows = [row["i"] async for row in connection.cursor("SELECT i FROM generate_series(1, 500) i")]
                assert rows == [*range(1, 501)]

    run(program)


def test_postgresqlCopiesMuchBothWays(run: Run, database: servers.PostgreSQL) -> None:
    async def program() -> None:
        connection = await asyncpg.connect(database.address)
        await connection.execute("CREATE TEMPORARY TABLE many (i int, t text)")
        records = [(i, f"text {i}" * 10) for i in range(20_000)]
        assert await connection.copy_records_to_table("many", records=records) == "COPY 20000"
        got = bytearray()

        async def take(data: bytes) -> None:
            got.extend(data)

        assert await connection.copy_from_query("SELECT t FROM many ORDER BY i", output=take) == "COPY 20000"
        assert got.decode().splitlines() == [text for _, text in records]
        await connection.close()

    run(program)


def test_postgresqlTellsWhatIsNotified(run: Run, database: servers.PostgreSQL) -> None:
    async def program() -> None:
        listening, other = await asyncpg.connect(database.address), await asyncpg.connect(database.address)
        heard: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        await listening.add_listener("news", lambda connection, pid, channel, payload: heard.set_result(payload))
        await other.execute("NOTIFY news, 'today'")
        assert await heard == "today"
        await listening.close()
        await other.close()

    run(program)


def test_postgresqlQueriesTimeOutAndAreCancelled(run: Run, database: servers.PostgreSQL) -> None:
    async def program() -> None:
        async with asyncpg.create_pool(database.address, min_size=1, max_size=1) as pool:
            number = await pool.fetchval("SELECT pg_backend_pid()")
            with pytest.raises(TimeoutError):
                await pool.execute("SELECT pg_sleep(1000)", timeout=0.05)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await pool.execute("SELECT pg_sleep(1000)")
            waiting = asyncio.create_task(pool.execute("SELECT pg_sleep(1000)"))
            await asyncio.sleep(0.05)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            # The server has given it up too: the one connection there is serves again.
            assert await pool.fetchval("SELECT pg_backend_pid()") == number

    run(program)


def test_postgresqlIsConnectedToAgain(run: Run, database: servers.PostgreSQL) -> None:
    async def program() -> None:
        async with asyncpg.create_pool(database.address, min_size=1, max_size=1) as pool:
            other = await asyncpg.connect(database.address)
            number = await pool.fetchval("SELECT pg_backend_pid()")
            lost: asyncio.Future[object] = asyncio.get_running_loop().create_future()
            async with pool.acquire() as connection:
                connection.add_termination_listener(lost.set_result)
                await other.execute("SELECT pg_terminate_backend($1)", number)
                await lost
                with pytest.raises((asyncpg.InterfaceError, asyncpg.PostgresError)):
                    await connection.fetchval("SELECT 1")
            assert await pool.fetchval("SELECT pg_backend_pid()") != number
            await other.close()

    run(program)


def test_postgresqlByTLS(run: Run, database: servers.PostgreSQL) -> None:
    async def program() -> None:
        where = {"host": "localhost", "port": database.port, "user": "postgres", "database": "postgres"}
        async with asyncpg.create_pool(**where, ssl=plainClientContext(), min_size=1, max_size=3) as pool:
            used = await pool.fetchval("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
            assert used == "TLSv1.3"
            assert await pool.fetchval("SELECT repeat('x', 1000000)") == "x" * 1_000_000
            with pytest.raises(TimeoutError):
                await pool.execute("SELECT pg_sleep(1000)", timeout=0.05)
            assert await asyncio.gather(*(pool.fetchval("SELECT $1::int", i) for i in range(20))) == [*range(20)]
        distrusting = ssl.create_default_context(cadata=stranger().cert_pem.bytes().decode())
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncpg.connect(**where, ssl=distrusting)

    run(program)


def test_postgresqlIsNotThere(run: Run, tmp_path: Path) -> None:
    async def program() -> None:
        with pytest.raises(OSError):
            await asyncpg.connect(f"postgresql://postgres@/postgres?host={tmp_path}&port=1")

    run(program)
