"""``python -m reactor``: what the package offers on the command line."""

from __future__ import annotations

import argparse
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def _count(text: str) -> int:
    if text == "auto":
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(text)


def _seconds(text: str) -> float | None:
    return None if text in ("None", "none") else float(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reactor", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
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
    _workers(_parser().parse_args(arguments))


if __name__ == "__main__":
    main(sys.argv[1:])
