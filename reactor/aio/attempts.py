"""How a client of asyncio gets a connected socket: look-ups, and attempts one after another or racing.

An attempt is the reactor's own (`client.attempt`), awaited: cancelled at any moment, it closes its socket, once.
"""

from __future__ import annotations

import asyncio
import socket

from reactor._transport.client.attempt import Attempt, BindFailed
from reactor.aio.executors import Executors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Address = tuple[Any, ...]
    Info = tuple[int, int, int, str, Address]


class Attempts(Executors):
    """The part of `EventLoop` that makes connected sockets."""

    async def _lookUp(self, address: Any, family: int, kind: int, proto: int, flags: int) -> list[Info]:
        """What `getaddrinfo` says of (host, port); nothing is asked for an address that is one already."""
        host, port = address[:2]
        info = literalInfo(host, port, family, kind, proto, *address[2:])
        if info is not None:
            return [info]
        return await self.getaddrinfo(host, port, family=family, type=kind, proto=proto, flags=flags)

    async def _connectOne(
        self, infos: Sequence[Info], locals_: Sequence[Info] | None, delay: float | None, allErrors: bool
    ) -> tuple[socket.socket, Attempt]:
        """A connected socket to one of `infos`."""
        problems: list[BaseException] = []
        if delay is None or len(infos) == 1:
            for info in infos:
                try:
                    made = await self._attempt(info, locals_)
                except OSError as e:
                    problems.append(e)
                else:
                    return made.socket, made.watch
        else:
            won = await self._racing(infos, locals_, delay, problems)
            if won is not None:
                return won.socket, won.watch
        try:
            if allErrors:
                raise ExceptionGroup("create_connection failed", problems)  # type: ignore[type-var]
            if len(problems) == 1:
                raise problems[0]
            text = str(problems[0])
            if all(str(problem) == text for problem in problems):
                raise problems[0]
            raise OSError(f"Multiple exceptions: {', '.join(map(str, problems))}")
        finally:
            problems.clear()

    async def _racing(
        self, infos: Sequence[Info], locals_: Sequence[Info] | None, delay: float, problems: list[BaseException]
    ) -> Made | None:
        """The first that answers; the next is tried when one fails, or has not answered after `delay` seconds."""
        running: set[asyncio.Task[Made]] = set()
        waiting = list(infos)
        try:
            while waiting or running:
                if waiting:
                    running.add(self.create_task(self._attempt(waiting.pop(0), locals_)))
                done, running = await asyncio.wait(
                    running, timeout=delay if waiting else None, return_when=asyncio.FIRST_COMPLETED
                )
                won = None
                for task in done:
                    problem = task.exception()
                    if problem is None:
                        if won is not None:
                            won.discard()
                        won = task.result()
                    elif isinstance(problem, OSError):
                        problems.append(problem)
                    else:
                        raise problem
                if won is not None:
                    return won
            return None
        finally:
            for task in running:
                task.add_done_callback(_discarded)
                task.cancel()

    async def _attempt(self, info: Info, locals_: Sequence[Info] | None) -> Made:
        """Connect to one address, from one of `locals_`."""
        family, _, _, _, address = info
        if not 0 <= address[1] <= 65535:
            raise OverflowError(f"connect(): port must be 0-65535, not {address[1]}")
        problems: list[OSError] = []
        for local in locals_ if locals_ is not None else (None,):
            if local is not None and local[0] != family:
                continue
            try:
                return await self._attemptFrom(family, address, None if local is None else local[4])
            except BindFailed as e:
                where = local[4] if local is not None else None
                problems.append(
                    OSError(e.errno, f"error while attempting to bind on address {where!r}: {str(e.strerror).lower()}")
                    if where is not None
                    else OSError(e.errno, e.strerror)
                )
        if problems:
            raise problems.pop()
        raise OSError(f"no matching local address with family={family} found")

    async def _attemptFrom(self, family: int, address: Any, local: Any) -> Made:
        future: asyncio.Future[Made] = self.create_future()
        attempt = Attempt(self._loop, (family, address), local, *self._settling(future, address))
        try:
            return await future
        except (asyncio.CancelledError, GeneratorExit):
            attempt.cancel()
            if future.done() and not future.cancelled() and future.exception() is None:
                future.result().discard()
            raise
        finally:
            # An error's traceback has this frame, which is not to have the error's future.
            del attempt, future

    def _settling(self, future: asyncio.Future[Made], address: Any) -> tuple[Callable[..., None], Callable[..., None]]:
        """What an attempt calls when it has a socket, and when it has failed."""

        def connected(watch: Attempt, sock: socket.socket) -> None:
            if future.cancelled():
                self._loop.poller.forget(watch)
                sock.close()
            else:
                future.set_result(Made(self, watch, sock))

        def failed(_: Attempt, problem: OSError) -> None:
            if not future.done():
                future.set_exception(_refused(problem, address))

        return connected, failed


class Made:
    """A socket that was connected."""

    __slots__ = ("_loop", "socket", "watch")

    def __init__(self, loop: Attempts, watch: Attempt, sock: socket.socket) -> None:
        self._loop = loop
        self.watch = watch
        self.socket = sock

    def discard(self) -> None:
        """Nobody wants it."""
        self._loop._loop.poller.forget(self.watch)
        self.socket.close()


def _discarded(task: asyncio.Task[Made]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().discard()


def _refused(problem: OSError, address: Any) -> OSError:
    """What is raised for an address that could not be connected to."""
    if isinstance(problem, BindFailed):
        return problem
    return OSError(problem.errno, f"Connect call failed {address!r}")


def interleaved(infos: Sequence[Info], first: int) -> list[Info]:
    """`infos` with their families taking turns, after `first` of the first one."""
    families: dict[int, list[Info]] = {}
    for info in infos:
        families.setdefault(info[0], []).append(info)
    lists = list(families.values())
    ordered = lists[0][: first - 1] if first > 1 else []
    lists[0] = lists[0][len(ordered) :]
    while any(lists):
        for each in lists:
            if each:
                ordered.append(each.pop(0))
    return ordered


def literalInfo(host: Any, port: Any, family: int, kind: int, proto: int, flow: int = 0, scope: int = 0) -> Info | None:
    """What `getaddrinfo` would say of an address that is one, without asking; None where it has to be asked."""
    if proto not in (0, socket.IPPROTO_TCP, socket.IPPROTO_UDP) or host is None:
        return None
    if kind == socket.SOCK_STREAM:
        proto = socket.IPPROTO_TCP
    elif kind == socket.SOCK_DGRAM:
        proto = socket.IPPROTO_UDP
    else:
        return None
    if port is None or port in ("", b""):
        port = 0
    elif not isinstance(port, int):
        try:
            port = int(port)
        except (TypeError, ValueError):
            return None
    if isinstance(host, bytes):
        try:
            host = host.decode("ascii")
        except UnicodeDecodeError:
            return None
    if "%" in host:
        return None
    for each in (socket.AF_INET, socket.AF_INET6):
        if family not in (0, each):
            continue
        try:
            socket.inet_pton(each, host)
        except (OSError, ValueError):
            continue
        where = (host, port) if each == socket.AF_INET else (host, port, flow, scope)
        return each, kind, proto, "", where
    return None
