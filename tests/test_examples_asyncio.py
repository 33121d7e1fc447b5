"""The examples with libraries for asyncio do what their first paragraphs say, each as a process of its own."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import servers
from patience import PATIENCE
from test_examples import Run, portOf, run
from tls import issued

__all__ = ["run"]


def test_aiohttp(run: Run) -> None:
    pytest.importorskip("aiohttp")
    first, *rest = run("aiohttp_on_reactor.py").ended()
    assert re.fullmatch(r"listening on port \d+", first)
    assert rest == ["['hello, you', 'hello, world']", "{'sum': 6}", "IS THERE ANYBODY?"]


@contextmanager
def bothServers(folder: Path) -> Iterator[tuple[str, str]]:
    """The addresses of a redis and a PostgreSQL server."""
    leaf = issued()
    with (
        servers.redis(folder) as path,
        servers.postgresql(leaf.cert_chain_pems[0].bytes(), leaf.private_key_pem.bytes()) as database,
    ):
        yield f"unix://{path}", database.address


def answers(file: Any, *questions: str) -> list[str]:
    file.writelines(f"{question}\n" for question in questions)
    file.flush()
    return sorted(file.readline().rstrip("\n") for _ in questions)


def isSlow(line: str) -> bool:
    """Whether `line` is what asyncio's debug mode says of a step that took long, as any may on a busy machine."""
    return line.startswith("Executing <")


def test_redisAndPostgreSQL(run: Run, tmp_path: Path) -> None:
    asyncpg = pytest.importorskip("asyncpg")
    pytest.importorskip("redis")
    with bothServers(tmp_path) as addresses:
        program = run("ask_redis_and_postgres.py", *addresses)
        port = portOf(program)
        with (
            socket.create_connection(("127.0.0.1", port), PATIENCE) as connection,
            connection.makefile("rw") as file,
        ):
            assert answers(file, "get it") == ["get it: nothing"]
            assert answers(file, "set it to this") == ["set it to this: done"]
            assert answers(file, "get it") == ["get it: to this (PostgreSQL)"]
            assert answers(file, "get it") == ["get it: to this (redis)"]
            assert answers(file, "set it to that") == ["set it to that: done"]
            assert answers(file, "get it") == ["get it: to that (PostgreSQL)"]
            assert answers(file, "wait 0", "wait 100", "wait x", "get") == [
                "get: set NAME VALUE, get NAME, or wait SECONDS",
                "wait 0: done",
                "wait 100: took too long",
                "wait x: no number",
            ]
            reconnected(asyncpg, addresses[1], file)
            file.write("wait 0.9\n")
            file.flush()
        # What is said of a connection that was lost meanwhile is its library's affair.
        assert "given up: wait 0.9" in iter(program.line, "")
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
            connection.sendall(b"wait 0.8\nget it\n")
            assert connection.recv(1000) == b"get it: to that (redis)\n"
            said = [line for line in program.interrupted() if not isSlow(line)]
            assert said == ["given up: wait 0.8", "stopped"]
            assert connection.recv(1000) == b""


def reconnected(asyncpg: Any, address: str, file: Any) -> None:
    """Have PostgreSQL end the program's connections, and see that it makes others."""

    async def end() -> None:
        connection = await asyncpg.connect(address)
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        await connection.close()

    asyncio.run(end())
    limit = time.monotonic() + PATIENCE
    while answers(file, "set other thing") != ["set other thing: done"]:
        assert time.monotonic() < limit
    assert answers(file, "get other") == ["get other: thing (PostgreSQL)"]


def test_serversThatAreNotThere(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("asyncpg")
    pytest.importorskip("redis")
    nobody = f"postgresql://postgres@/postgres?host={tmp_path}&port=1"
    said, stopped = run("ask_redis_and_postgres.py", f"unix://{tmp_path / 'nobody'}", nobody).ended()
    assert said.startswith("could not serve: ")
    assert stopped == "stopped"
