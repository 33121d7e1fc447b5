"""Work for other threads; look-ups of names are a part of it, as they are with asyncio's own loop: who sets the default
executor has set theirs.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from asyncio.log import logger
from concurrent.futures import Executor, ThreadPoolExecutor

from reactor.aio.scheduling import checkCallback
from reactor.aio.tasks import Tasks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    T = TypeVar("T")


class Executors(Tasks):
    """The part of `EventLoop` that has work done by threads."""

    def __init__(self) -> None:
        super().__init__()
        self._executor: ThreadPoolExecutor | None = None
        self._executorOver = False

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Call `func(*args)` in `executor`, the default one for None; a future of its result."""
        self._checkClosed()
        if self._debug:
            checkCallback(func, "run_in_executor")
        if executor is None:
            if self._executorOver:
                raise RuntimeError("Executor shutdown has been called")
            if self._executor is None:
                self._executor = ThreadPoolExecutor(thread_name_prefix="asyncio")
            executor = self._executor
        return asyncio.wrap_future(executor.submit(func, *args), loop=self)

    def set_default_executor(self, executor: ThreadPoolExecutor) -> None:  # type: ignore[override]
        """Have `run_in_executor(None, ...)` use `executor`."""
        if not isinstance(executor, ThreadPoolExecutor):
            raise TypeError("executor must be ThreadPoolExecutor instance")
        self._executor = executor

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Refuse new work, and wait until the threads of the default executor have finished theirs.

        :param timeout: seconds; then a RuntimeWarning says so and the threads are left alone. None: no limit.
        """
        self._executorOver = True
        executor = self._executor
        if executor is None:
            return
        done = self.create_future()
        thread = threading.Thread(target=self._shutExecutor, args=(executor, done))
        thread.start()
        try:
            async with asyncio.timeout(timeout):
                await done
        except TimeoutError:
            import warnings

            warnings.warn(
                f"The executor did not finishing joining its threads within {timeout} seconds.",
                RuntimeWarning,
                stacklevel=2,
            )
            executor.shutdown(wait=False)
        else:
            thread.join()

    def _shutExecutor(self, executor: ThreadPoolExecutor, done: asyncio.Future[None]) -> None:
        problem: BaseException | None = None
        try:
            executor.shutdown(wait=True)
        except Exception as e:
            problem = e
        if not self._closed:
            self.call_soon_threadsafe(_settle, done, problem)

    def _closeExecutor(self) -> None:
        self._executorOver = True
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=False)

    async def getaddrinfo(
        self, host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> list[tuple[Any, ...]]:
        """What `socket.getaddrinfo` says, asked in another thread."""
        look = self._getaddrinfoDebugged if self._debug else socket.getaddrinfo
        return await self.run_in_executor(None, look, host, port, family, type, proto, flags)

    def _getaddrinfoDebugged(self, host: Any, port: Any, family: int, type: int, proto: int, flags: int) -> Any:
        began = self.time()
        logger.debug("Get address info %s:%r", host, port)
        found = socket.getaddrinfo(host, port, family, type, proto, flags)
        took = self.time() - began
        level = "info" if took >= self.slow_callback_duration else "debug"
        getattr(logger, level)("Getting address info %s:%r took %.3f ms: %r", host, port, took * 1e3, found)
        return found

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> tuple[str, str]:
        """What `socket.getnameinfo` says, asked in another thread."""
        return await self.run_in_executor(None, socket.getnameinfo, sockaddr, flags)


def _settle(done: asyncio.Future[None], problem: BaseException | None) -> None:
    if not done.done():
        if problem is None:
            done.set_result(None)
        else:
            done.set_exception(problem)
