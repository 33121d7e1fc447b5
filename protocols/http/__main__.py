"""``python -m protocols.http serve DIR|module:handler``: a folder, or a handler that a module has, on any endpoint."""

from __future__ import annotations

import argparse
import os
import sys
from pkgutil import resolve_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = ["handlerOf", "main"]


def handlerOf(what: str) -> Any:
    """The handler that `what` names: of a folder, or by ``module:name``.

    :raises ValueError: when it is neither.
    """
    if os.path.isdir(what):
        from protocols.http.server.files import files

        return files(what, listing=True)
    module, colon, _ = what.partition(":")
    if not colon or not all(part.isidentifier() for part in module.split(".")):
        raise ValueError(f"{what!r} is no folder, and no module:handler")
    sys.path.insert(0, os.getcwd())
    try:
        found: Any = resolve_name(what)
    except (ImportError, AttributeError) as e:
        raise ValueError(f"{what!r}: {e}") from e
    if not callable(found):
        raise ValueError(f"{what!r} cannot be called: {found!r}")
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until a signal comes; what is being answered then is answered."""
    parser = argparse.ArgumentParser(prog="python -m protocols.http", description="A server of HTTP.")
    commands = parser.add_subparsers(required=True)
    serve = commands.add_parser("serve", help="serve a folder, or the handler of a module")
    serve.add_argument("what", metavar="DIR|module:handler", help="a folder, or what is called with each request")
    listen = "where to listen, as a description of an endpoint; several times for several"
    serve.add_argument("--listen", action="append", metavar="ENDPOINT", help=listen)
    serve.add_argument("--log", action="store_true", help="write a line for each request to standard output")
    serve.add_argument("--gzip", action="store_true", help="compress text for clients that take it")
    given = parser.parse_args(arguments)
    try:
        handler = handlerOf(given.what)
        _serve(handler, given.listen or ["tcp:8000:interface=127.0.0.1"], given.log, given.gzip)
    except (ValueError, ImportError) as e:
        parser.exit(2, f"{parser.prog}: {e}\n")


def _serve(handler: Any, endpoints: list[str], logs: bool, compresses: bool) -> None:
    from protocols.http.server import Site, gzip, log
    from reactor import reactor
    from reactor.endpoints import serverFromString
    from reactor.service import MultiService, StreamServerEndpointService, run

    if compresses:
        handler = gzip(handler)
    if logs:
        handler = log(handler, _say)
    site = Site(handler)
    everything = MultiService()
    for description in endpoints:
        endpoint = serverFromString(reactor, description)
        listening = StreamServerEndpointService(endpoint, site, raiseSynchronously=True)
        listening.setServiceParent(everything)
        reactor.callWhenRunning(_tell, listening)
    run(everything, drain=10)


def _tell(listening: Any) -> None:
    listening.whenListening().addCallback(lambda port: _say(f"serving on {port.getHost()}"))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
