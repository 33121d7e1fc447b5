"""Send everybody back what they sent, wherever whoever starts the program says.

    python echo_anywhere.py [description]

The description says where to listen: ``tcp:8000``, ``tcp6:8000``, ``unix:/tmp/echo.sock``,
``ssl:8443:privateKey=server.pem``, ``systemd:INET:0``. Without one it is a free port of this machine. Prints where it
listens and serves until Ctrl-C.
"""

from __future__ import annotations

import sys

from echoserver import Echo

from reactor import reactor
from reactor.defer import Deferred
from reactor.endpoints import serverFromString
from reactor.failure import Failure
from reactor.protocol import Factory


async def main(description: str) -> None:
    port = await serverFromString(reactor, description).listen(Factory.forProtocol(Echo))
    print("listening on", port.getHost(), flush=True)


def started() -> None:
    description = sys.argv[1] if len(sys.argv) > 1 else "tcp:0:interface=127.0.0.1"
    Deferred.fromCoroutine(main(description)).addErrback(failed)


def failed(failure: Failure) -> None:
    print(failure.getErrorMessage(), flush=True)
    reactor.stop()


reactor.callWhenRunning(started)
reactor.run()
