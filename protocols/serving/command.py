"""``python -m reactor serve``: in this process, or as a supervisor of several.

A supervisor opens the listening sockets and gives them to its workers: so one that is replaced takes no client with it
that the kernel had let in already. It loads nothing of the application.
"""

from __future__ import annotations

import logging
import sys

from protocols.serving.loading import CannotLoad
from protocols.serving.reloading import Watch
from protocols.serving.service import CannotListen, Serving
from protocols.serving.settings import Settings, parse
from reactor._ground.log import reportException
from reactor.defer import Deferred
from reactor.failure import Failure
from reactor.workers.process import CANNOT

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import Any

__all__ = ["serve", "work"]

_NAME = "python -m reactor serve"


def _log() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    # What frameworks say of every step of theirs is not ours to turn on.
    logging.getLogger("asyncio").setLevel(logging.WARNING)


def serve(arguments: Sequence[str]) -> None:
    """Do what the command line says, until a signal ends it. SystemExit: 2 for options that are wrong, 1 for what
    cannot be loaded, started or listened on.
    """
    settings, options = parse(arguments)
    _log()
    try:
        if options.workers is None and not options.reload:
            _alone(settings, options.drain)
        else:
            _supervise(settings, options)
    except (CannotLoad, CannotListen) as e:
        if e.__cause__ is not None and isinstance(e, CannotLoad):
            logging.getLogger("reactor").info("why:", exc_info=e.__cause__)
        sys.exit(f"{_NAME}: {e}")


def _alone(settings: Settings, drain: float | None) -> None:
    from reactor._ground.current import currentReactor
    from reactor.service import run

    reactor = currentReactor()
    try:
        run(Serving(settings, reactor), drain, reactor)
    except RuntimeError as e:
        if _isLifespan(e):
            sys.exit(f"{_NAME}: {settings.application} cannot be started: {e}")
        raise


def _isLifespan(problem: BaseException) -> bool:
    asgi = sys.modules.get("protocols.asgi.error")
    return asgi is not None and isinstance(problem, asgi.LifespanFailed)


# Several.


def _supervise(settings: Settings, options: argparse.Namespace) -> None:
    from reactor._ground.current import currentReactor
    from reactor.service import run
    from reactor.workers.supervising import Workers, restartOnHangup

    reactor = currentReactor()
    ports = [_opened(reactor, each) for each in settings.endpoints]
    settings.descriptors = [port if isinstance(port, int) else port.fileno() for port in ports]
    workers = Workers(
        options.workers or 1,
        "protocols.serving.command:work",
        [settings.toText()],
        options.drain,
        reactor,
        settings.descriptors,
    )
    restartOnHangup(workers)
    try:
        run(workers, options.drain, reactor)
    except RuntimeError as e:
        sys.exit(f"{_NAME}: {e}")
    finally:
        workers.killAll()


def _opened(reactor: Any, description: str) -> Any:
    """A port that listens and leaves whoever comes to the workers; or the descriptor of a socket that was given."""
    from reactor.endpoints import TCP4ServerEndpoint, serverFromString
    from reactor.protocol import Factory

    endpoint = serverFromString(reactor, description)
    if hasattr(endpoint, "_fileno"):
        return endpoint._fileno
    if hasattr(endpoint, "_sslContextFactory"):
        endpoint = TCP4ServerEndpoint(reactor, endpoint._port, endpoint._backlog, endpoint._interface)
    kind = description.partition(":")[0].lower()
    if kind not in ("tcp", "tcp6", "unix", "ssl", "tls"):
        raise CannotListen(f"--endpoint {description}: several workers cannot share an endpoint of type {kind}")
    found: list[Any] = []
    endpoint.listen(Factory()).addBoth(found.append)
    if not found or isinstance(found[0], Failure):
        raise CannotListen(f"--endpoint {description}: {found[0].value if found else 'it does not listen at once'}")
    port = found[0]
    port.pauseProducing()
    return port


class _Worker(Serving):
    """A worker's: where it cannot start, the supervisor is told that another attempt is of no use."""

    def startService(self) -> Deferred[None]:
        return super().startService().addErrback(self._cannot)

    def _cannot(self, failure: Failure) -> Failure:
        reportException("%s cannot be started", failure, self._settings.application)
        return Failure(SystemExit(CANNOT))


def work(reactor: Any, number: int, text: str) -> Serving:
    """What each worker calls: the service that it runs."""
    _log()
    settings = Settings.fromText(text)
    try:
        serving = _Worker(settings, reactor)
    except CannotLoad as e:
        logging.getLogger("reactor").error("%s", e, exc_info=e.__cause__)
        sys.exit(CANNOT)
    if settings.reload:
        Watch(reactor).begin()
    return serving
