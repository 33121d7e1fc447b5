"""A website of one page, by twisted.web: `python -m bench.webserver PEER LIFETIME`; PEER can only be "twisted".

It listens on a port of 127.0.0.1 that the kernel chooses, prints "ready PORT" and says hello to everybody, for LIFETIME
seconds.
"""

from __future__ import annotations

import signal
import sys
from importlib import import_module

from bench import peers
from bench.servers import BACKLOG, HOST, ready

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def main() -> None:
    """Be the server."""
    name, lifetime = sys.argv[1:]
    signal.alarm(int(lifetime))
    reactor, _ = peers.reactorOf(name)
    resource = import_module("twisted.web.resource")

    class Hello(resource.Resource):  # type: ignore[misc, name-defined]  # imported by name: see peers
        isLeaf = True

        def render_GET(self, request: Any) -> bytes:
            return b"hello, world\n"

    site = import_module("twisted.web.server").Site(Hello())
    site.noisy = False
    port = reactor.listenTCP(0, site, backlog=BACKLOG, interface=HOST)
    reactor.callWhenRunning(ready, port.getHost().port)
    reactor.run()


if __name__ == "__main__":
    main()
