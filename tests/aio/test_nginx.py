"""aiohttp on our loop, with nginx at the other end: as its client, and as the server behind it.

Each test runs twice: as an asyncio program on a loop of its own, and as a task in a program of a reactor.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
import servers
from bothways import Run, run
from net import pattern
from patience import PATIENCE
from tls import issued, plainClientContext, stranger

__all__ = ["run"]

aiohttp: Any = pytest.importorskip("aiohttp")
web: Any = pytest.importorskip("aiohttp.web")

Session = Callable[..., AbstractAsyncContextManager[Any]]
LARGE = 8_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Nginx]:
    """An nginx."""
    leaf = issued()
    folder = tmp_path_factory.mktemp("nginx")
    certificate, key = b"".join(pem.bytes() for pem in leaf.cert_chain_pems), leaf.private_key_pem.bytes()
    with servers.nginx(folder, certificate, key) as made:
        (made.files / "small").write_bytes(b"hello")
        (made.files / "large").write_bytes(pattern(LARGE))
        yield made


@pytest.fixture(params=["http", "https"])
def session(request: pytest.FixtureRequest, server: servers.Nginx) -> Session:
    """Makes a client's session with the server; options are those of its pool."""

    @asynccontextmanager
    async def made(**options: Any) -> AsyncIterator[Any]:
        secure = request.param == "https"
        address = f"{request.param}://127.0.0.1:{server.secure if secure else server.plain}"
        pool = aiohttp.TCPConnector(ssl=plainClientContext() if secure else False, **options)
        limit = aiohttp.ClientTimeout(total=PATIENCE)
        async with aiohttp.ClientSession(address, connector=pool, timeout=limit) as client:
            yield client

    return made


async def text(client: Any, path: str) -> str:
    async with client.get(path) as answer:
        assert answer.status == 200
        return await answer.text()  # type: ignore[no-any-return]


async def who(client: Any) -> tuple[str, int]:
    """Which connection that was to the server, and which request on it."""
    connection, number, *version = (await text(client, "/who")).split()
    assert version in ([], ["TLSv1.3"])
    return connection, int(number)


def test_aConnectionIsKept(run: Run, session: Session) -> None:
    async def program() -> None:
        async with session() as client:
            assert await text(client, "/small") == "hello"
            connection, number = await who(client)
            assert number == 2
            assert [await who(client) for _ in range(20)] == [(connection, number) for number in range(3, 23)]
            async with client.get("/nothing") as answer:
                assert answer.status == 404
            assert await who(client) == (connection, 24)

    run(program)


def test_aPool(run: Run, session: Session) -> None:
    async def program() -> None:
        async with session(limit=5) as client:
            found = await asyncio.gather(*(who(client) for _ in range(100)))
            assert len({connection for connection, _ in found}) <= 5
            assert len(set(found)) == 100
            bodies = await asyncio.gather(*(text(client, "/small") for _ in range(100)))
            assert bodies == ["hello"] * 100

    run(program)


def test_muchComes(run: Run, session: Session) -> None:
    async def program() -> None:
        async with session() as client:
            for atOnce in (None, 1000):
                got = bytearray()
                async with client.get("/large") as answer:
                    if atOnce is None:
                        got += await answer.read()
                    else:
                        # Slower than it comes, so that the connection is paused again and again.
                        async for piece in answer.content.iter_chunked(atOnce):
                            got += piece
                            if not len(got) % 100_000:
                                await asyncio.sleep(0.001)
                assert got == pattern(LARGE)
            # Over one connection.
            assert (await who(client))[1] == 3

    run(program)


def test_muchGoes(run: Run, session: Session, server: servers.Nginx) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        whole = pattern(LARGE)
        for begin in range(0, LARGE, 100_003):
            yield whole[begin : begin + 100_003]

    async def program() -> None:
        async with session() as client:
            for name, body in (("whole", io.BytesIO(pattern(LARGE))), ("pieces", pieces())):
                async with client.put(f"/stored/{name}", data=body) as answer:
                    assert answer.status == 201
                stored = server.folder / "stored" / name
                assert stored.read_bytes() == pattern(LARGE)
                async with client.delete(f"/stored/{name}") as answer:
                    assert answer.status == 204
            assert (await who(client))[1] == 5

    run(program)


def test_aBodyThatTakesTooLong(run: Run, session: Session) -> None:
    async def program() -> None:
        async with session() as client:
            connection, _ = await who(client)
            with pytest.raises(TimeoutError):
                async with client.get("/slow/large", timeout=aiohttp.ClientTimeout(total=0.2)) as answer:
                    await answer.read()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2), client.get("/slow/large") as answer:
                    await answer.read()
            # Those connections are of no use any more.
            again, number = await who(client)
            assert again != connection and number == 1

    run(program)


def test_cancelledInTheMiddleOfABody(run: Run, session: Session) -> None:
    async def program() -> None:
        begun: asyncio.Queue[bytes] = asyncio.Queue()

        async def read(client: Any) -> None:
            async with client.get("/slow/large") as answer:
                async for piece in answer.content.iter_any():
                    begun.put_nowait(piece)

        async with session() as client:
            tasks = [asyncio.create_task(read(client)) for _ in range(5)]
            assert pattern(LARGE).startswith(await begun.get())
            for task in tasks:
                task.cancel()
            told = await asyncio.gather(*tasks, return_exceptions=True)
            assert [type(each) for each in told] == [asyncio.CancelledError] * 5
            assert await text(client, "/small") == "hello"
            # Closed with its answer still on its way.
            answer = await client.get("/slow/large")
        with pytest.raises(RuntimeError, match="Connection closed"):
            await answer.read()

    run(program)


def test_connectedToAgainAfterARestart(run: Run, session: Session, server: servers.Nginx) -> None:
    async def program() -> None:
        async with session() as client:
            reading = await client.get("/slow/large")
            assert await text(client, "/small") == "hello"
            server.stop()
            with pytest.raises(aiohttp.ClientError):
                await reading.read()
            with pytest.raises(aiohttp.ClientConnectorError):
                await text(client, "/small")
            server.start()
            assert (await who(client))[1] == 1
            assert (await who(client))[1] == 2

    run(program)


def test_connectedToAgainAfterAReload(run: Run, session: Session, server: servers.Nginx) -> None:
    async def program() -> None:
        async with session() as client:
            # What is on its way is brought to its end by the process that began it.
            reading = await client.get("/large")
            assert (await who(client))[1] == 1
            before = server.gone
            server.reload()
            assert await reading.read() == pattern(LARGE)
            while server.gone == before:
                await asyncio.sleep(0.01)
            # The one that was kept is gone with that process.
            assert (await who(client))[1] == 1

    run(program)


def test_whoIsNotTrusted(run: Run, server: servers.Nginx) -> None:
    async def program() -> None:
        context = ssl.create_default_context(cadata=stranger().cert_pem.bytes().decode())
        pool = aiohttp.TCPConnector(ssl=context)
        async with aiohttp.ClientSession(f"https://127.0.0.1:{server.secure}", connector=pool) as client:
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await client.get("/small")
        # Not TLS at all.
        pool = aiohttp.TCPConnector(ssl=plainClientContext())
        async with aiohttp.ClientSession(f"https://127.0.0.1:{server.plain}", connector=pool) as client:
            with pytest.raises(aiohttp.ClientConnectorSSLError):
                await client.get("/small")

    run(program)


def test_behindIt(run: Run, session: Session, server: servers.Nginx) -> None:
    ended: asyncio.Queue[BaseException] = asyncio.Queue()
    gone = (asyncio.CancelledError, ConnectionError)

    async def answer(request: Any) -> Any:
        digest = hashlib.sha256()
        try:
            async for piece in request.content.iter_any():
                digest.update(piece)
        except BaseException as e:
            ended.put_nowait(e)
            raise
        return web.Response(text=digest.hexdigest())

    async def endless(request: Any) -> Any:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(bytes(10_000))
        except BaseException as e:
            ended.put_nowait(e)
            raise

    async def half() -> AsyncIterator[bytes]:
        yield bytes(100_000)
        await asyncio.Event().wait()

    async def program() -> None:
        application = web.Application(client_max_size=2 * LARGE)
        application.router.add_post("/behind/digest", answer)
        application.router.add_get("/behind/endless", endless)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.UnixSite(runner, server.behind).start()
        try:
            async with session() as client:
                bodies = [pattern(size) for size in (0, 1, 70_000, LARGE)]

                async def digestOf(body: bytes) -> str:
                    async with client.post("/behind/digest", data=io.BytesIO(body)) as answer:
                        return await answer.text()  # type: ignore[no-any-return]

                found = await asyncio.gather(*(digestOf(body) for body in bodies * 3))
                assert found == [hashlib.sha256(body).hexdigest() for body in bodies] * 3
                # A client that goes is told to who reads from it, and to who writes to it.
                upload = asyncio.create_task(client.post("/behind/digest", data=half()))
                await asyncio.sleep(0.05)
                upload.cancel()
                assert isinstance(await ended.get(), gone)
                async with client.get("/behind/endless") as download:
                    assert await download.content.readexactly(1_000_000) == bytes(1_000_000)
                    download.close()
                assert isinstance(await ended.get(), gone)
                await asyncio.gather(upload, return_exceptions=True)
        finally:
            await runner.cleanup()

    run(program)
