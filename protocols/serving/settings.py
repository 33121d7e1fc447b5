"""What the command line says: the options of ``python -m reactor serve``, one value that workers are given."""

from __future__ import annotations

import argparse
import json
import os

from protocols.serving.loading import INTERFACES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = ["ENDPOINT", "Settings", "parse"]

#: Where is listened if nothing is said.
ENDPOINT = "tcp:8000:interface=127.0.0.1"

# Option, parameter of `Site`, default, help.
_LIMITS: list[tuple[str, str, Any, str]] = [
    ("--max-body", "maxBody", 16 << 20, "bytes of a request's body; more is answered 413; 0: no limit"),
    ("--max-requests", "maxRequests", 10000, "requests on one connection"),
    ("--head-timeout", "headTimeout", 10.0, "seconds for a request's head to come"),
    ("--body-timeout", "bodyTimeout", 10.0, "seconds over which a body has to come at 256 bytes a second"),
    ("--idle-timeout", "idleTimeout", 30.0, "seconds between two requests"),
    ("--write-timeout", "writeTimeout", 30.0, "seconds in which a client takes something of its answer"),
]


class Settings:
    """Everything that one process that serves has to know."""

    def __init__(self, **given: Any) -> None:
        self.application: str = given["application"]
        self.interface: str = given["interface"]
        self.endpoints: list[str] = given["endpoints"]
        # Of sockets that a supervisor has opened, one an endpoint; none where there is none.
        self.descriptors: list[int] = given.get("descriptors", [])
        self.lifespan: str = given["lifespan"]
        self.rootPath: str = given["rootPath"]
        self.accessLog: bool = given["accessLog"]
        self.trusted: list[str] = given["trusted"]
        self.limits: dict[str, Any] = given["limits"]
        self.reload: bool = given["reload"]
        self.several: bool = given["several"]

    def listening(self) -> list[tuple[str, int | None]]:
        """Each endpoint, and the descriptor of its socket if that is open."""
        given: list[int | None] = [*self.descriptors] or [None] * len(self.endpoints)
        return list(zip(self.endpoints, given, strict=True))

    def toText(self) -> str:
        """For a worker's command line."""
        return json.dumps(vars(self))

    @classmethod
    def fromText(cls, text: str) -> Settings:
        """What `toText` made."""
        return cls(**json.loads(text))


def _workers(text: str) -> int:
    if text == "auto":
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a number from 1 on, or auto, not {text!r}")
    return int(text)


def _seconds(text: str) -> float | None:
    return None if text.lower() == "none" else float(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m reactor serve",
        description="Serve an application of ASGI or WSGI, or a handler of protocols.http. SIGTERM and Ctrl-C answer"
        " what is in flight and end; a second one ends at once. With --workers, SIGHUP replaces them one after the"
        " other, and no request is lost.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("application", metavar="MODULE:APP", help="an attribute of a module, or a factory: module:make()")
    add("--interface", choices=INTERFACES, default="auto", help="what it is; auto looks at its arguments")
    add(
        "--endpoint", action="append", metavar="ENDPOINT", help=f"where to listen, several times if wanted ({ENDPOINT})"
    )
    add("--certificate", metavar="FILE", help="speak TLS on endpoints of tcp: certificate and chain, PEM")
    add("--key", metavar="FILE", help="the certificate's key, PEM; if it is not in the certificate's file")
    add("--workers", type=_workers, metavar="N", help="so many processes, or auto: one a processor")
    add("--reload", action="store_true", help="a new process when a file of a loaded module changes; for development")
    add("--access-log", action="store_true", help="a line a request")
    add("--lifespan", choices=("auto", "on", "off"), default="auto", help="ASGI: whether the application is told")
    add("--root-path", default="", metavar="PATH", help="where a proxy has mounted the application")
    add("--trust", action="append", default=[], metavar="ADDRESS", help="a proxy whose Forwarded is believed")
    add("--drain", type=_seconds, default=30.0, metavar="SECONDS", help="for what is in flight at the end; or none")
    for option, name, default, text in _LIMITS:
        add(
            option, dest=name, type=type(default), default=default, metavar=option[2:].split("-")[-1].upper(), help=text
        )
    return parser


def parse(arguments: Sequence[str]) -> tuple[Settings, argparse.Namespace]:
    """What is to be served, and the rest of the options. SystemExit (2), with a text, for what cannot be."""
    from protocols.http import Site
    from reactor.endpoints import quoteStringArgument, serverFromString

    parser = _parser()
    options = parser.parse_args(arguments)
    if options.key and not options.certificate:
        parser.error("--key needs --certificate")
    endpoints = options.endpoint or [ENDPOINT]
    if options.certificate:
        files = f":certKey={quoteStringArgument(options.certificate)}"
        files += f":privateKey={quoteStringArgument(options.key or options.certificate)}"
        endpoints = [f"ssl:{each[4:]}{files}" if each.startswith("tcp:") else each for each in endpoints]
    for each in endpoints:
        try:
            serverFromString(None, each)
        except (ValueError, OSError) as e:
            parser.error(f"--endpoint: {e}")
    limits = {name: getattr(options, name) for _, name, _, _ in _LIMITS}
    limits["maxBody"] = limits["maxBody"] or None
    try:
        Site(lambda request: None, **limits)
    except (ValueError, TypeError) as e:
        parser.error(str(e).replace("Site(): ", ""))
    root = options.root_path
    if root and (not root.startswith("/") or root.endswith("/")):
        parser.error(f"--root-path must begin and not end with a slash, not {root!r}")
    settings = Settings(
        application=options.application,
        interface=options.interface,
        endpoints=endpoints,
        lifespan=options.lifespan,
        rootPath=root,
        accessLog=options.access_log,
        trusted=options.trust,
        limits=limits,
        reload=options.reload,
        several=(options.workers or 1) > 1,
    )
    return settings, options
