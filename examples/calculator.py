"""A calculator: a line with two whole numbers and +, - or * between them is answered with a line.

    python calculator.py [port]

Listens on this machine only, on a port that the system chooses unless one is given, prints which, and serves until
Ctrl-C. Try it with ``nc -C localhost PORT``. ``quit`` ends a connection; a line of more than 200 bytes does, too.
"""

from __future__ import annotations

import operator
import re
import sys

from protocols.basic import LineOnlyReceiver
from reactor import reactor
from reactor.protocol import Factory

TASK = re.compile(rb"\s*(-?\d+)\s*([-+*])\s*(-?\d+)\s*")
OPERATIONS = {b"+": operator.add, b"-": operator.sub, b"*": operator.mul}


class Calculator(LineOnlyReceiver):
    """One who has tasks."""

    MAX_LENGTH = 200

    def lineReceived(self, line: bytes) -> None:
        task = TASK.fullmatch(line)
        if line == b"quit":
            self.sendLine(b"bye")
            self.transport.loseConnection()
        elif task is None:
            self.sendLine(b"a task looks like this: 6 * 7")
        else:
            left, operation, right = task.groups()
            self.sendLine(b"%d" % OPERATIONS[operation](int(left), int(right)))

    def lineLengthExceeded(self, line: bytes) -> None:
        self.sendLine(b"that is too much")
        self.transport.loseConnection()


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    port = reactor.listenTCP(number, Factory.forProtocol(Calculator), interface="127.0.0.1")
    print("listening on port", port.getHost().port, flush=True)
    reactor.run()
    print("stopped", flush=True)


if __name__ == "__main__":
    main()
