"""`WSGI`: an application of that interface as a handler for `Site`."""

from __future__ import annotations

from protocols.wsgi.environ import environOf
from protocols.wsgi.work import Work, serverEnviron
from reactor._ground.current import currentReactor
from reactor._ground.naming import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from protocols.http import Request, Response
    from reactor.defer import Deferred
    from reactor.threadpool import ThreadPool

__all__ = ["WSGI"]


class WSGI:
    """Answers requests by an application of WSGI (PEP 3333), in threads: ``Site(WSGI(app))``.

    :param application: called with ``environ, start_response``; each call in a thread of its own.
    :param rootPath: where it is mounted, as ``/old``: SCRIPT_NAME.
    :param pool: whose threads these are; None: those of the reactor's pool, at most 20 by default
        (`reactor.suggestThreadPoolSize`). Requests beyond that wait.
    :param reactor: on which it runs; None: the one that runs in this thread, else the default one.
    :param severalProcesses: whether there are others that run it: ``wsgi.multiprocess``.
    :raises TypeError, ValueError: for what is none of that.
    """

    def __init__(
        self,
        application: Callable[..., Iterable[bytes]],
        *,
        rootPath: str = "",
        pool: ThreadPool | None = None,
        reactor: Any = None,
        severalProcesses: bool = False,
    ) -> None:
        if not callable(application):
            raise TypeError(f"WSGI(): application must be callable, not {shown(application)}")
        if rootPath and (not rootPath.startswith("/") or rootPath.endswith("/")):
            raise ValueError(f"WSGI(): rootPath must begin and not end with a slash, not {shown(rootPath)}")
        self.application = application
        self.rootPath = rootPath
        self.reactor: Any = currentReactor() if reactor is None else reactor
        self._pool = pool
        self._several = severalProcesses

    def pool(self) -> ThreadPool:
        """Whose threads it runs in."""
        pool: ThreadPool = self.reactor.getThreadPool() if self._pool is None else self._pool
        return pool

    def __call__(self, request: Request) -> Deferred[Response]:
        """For `Site`: the Deferred of the answer."""
        environ = environOf(request, self.rootPath)
        environ.update(serverEnviron(request.scheme, self._several))
        return Work(self, request, environ).begin()

    def __repr__(self) -> str:
        return f"<WSGI {shown(self.application)}>"
