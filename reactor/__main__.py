"""``python -m reactor``: what the package offers on the command line."""

from __future__ import annotations

import argparse
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_SERVE = "protocols.serving.command:serve"


def _count(text: str) -> int:
    if text == "auto":
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(text)


def _seconds(text: str) -> float | None:
    return None if text in ("None", "none") else float(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reactor", description=__doc__)
    commands = parser.add_subparsers(dest="command", metavar="command")
    workers = commands.add_parser(
        "workers",
        help="several processes that serve one port",
        description="Run COUNT processes that each call FUNCTION(reactor, number, *ARGUMENTS). One that dies is started"
        " anew. SIGTERM or Ctrl-C stops all of them gracefully, a second one at once; SIGHUP replaces them one after"
        " the other.",
    )
    workers.add_argument("count", type=_count, metavar="COUNT", help='a number, or "auto": one a processor')
    workers.add_argument("function", metavar="MODULE:FUNCTION")
    workers.add_argument("arguments", nargs="*", metavar="ARGUMENTS")
    workers.add_argument(
        "--drain", type=_seconds, default=30.0, metavar="SECONDS", help="what connections have to finish (30; or none)"
    )
    # It has its own parser, and options that are shown by it alone.
    commands.add_parser(
        "serve", help="a web application, of ASGI, WSGI or protocols.http (serve --help)", add_help=False
    )
    migrate = commands.add_parser(
        "migrate",
        help="what of a program for Twisted is here",
        description="Say for each name of Twisted's that a program uses whether it is here under the same words, here"
        " but different, or not here, and what to use then. Files are read, not imported; Twisted need not be there."
        " The status is 0 if all is here, 1 if something differs or is missing, 2 if something could not be read.",
    )
    migrate.add_argument("paths", nargs="+", metavar="PATH", help="a file, or a folder with Python files")
    what = migrate.add_mutually_exclusive_group()
    what.add_argument("--diff", action="store_true", help="print changed imports instead, as patch -p0 takes them")
    what.add_argument("--write", action="store_true", help="change the imports in the files as well")
    migrate.add_argument("-q", "--quiet", action="store_true", help="nothing of what is here under the same words")
    return parser


def _workers(options: argparse.Namespace) -> None:
    import logging

    from reactor.service import run
    from reactor.workers.supervising import Workers, restartOnHangup

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        workers = Workers(options.count, options.function, options.arguments, options.drain)
    except ValueError as e:
        sys.exit(f"python -m reactor workers: {e}")
    restartOnHangup(workers)
    try:
        # Who has not stopped by then has been killed.
        run(workers, options.drain)
    except RuntimeError as e:
        sys.exit(f"python -m reactor workers: {e}")
    finally:
        workers.killAll()


def main(arguments: Sequence[str]) -> None:
    """Do what the command line says. SystemExit when it cannot be understood."""
    if arguments[:1] == ["_worker"]:
        # What Workers start: not for people, hence not in the help.
        from reactor.workers.serving import serve

        fd, number, drain, function, *rest = arguments[1:]
        serve(int(fd), int(number), _seconds(drain), function, rest)
        return
    if arguments[:1] == ["serve"]:
        # Found by name, as a program's function: what is served is of `protocols`, which this package knows nothing of.
        from pkgutil import resolve_name

        resolve_name(_SERVE)(arguments[1:])
        return
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command == "workers":
        _workers(options)
    elif options.command == "migrate":
        from reactor._migrate.command import migrate

        sys.exit(migrate(options))
    else:
        parser.print_help()


if __name__ == "__main__":
    main(sys.argv[1:])
