"""Clients that come and go, for machines without a C compiler: `python -m bench.visits WHERE CONNECTIONS SIZE SECONDS`.

What dial.c does and prints, but one after another: CONNECTIONS is 1. The server waits for it, so that CPU time is what
to compare.
"""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from time import perf_counter

from bench.load import dial


def visit(where: str, message: bytes) -> None:
    """Connect, have the message echoed, close. ConnectionError when the server closes before."""
    with dial(where) as connection:
        connection.sendall(message)
        got = 0
        while got < len(message):
            data = connection.recv(65536)
            if not data:
                raise ConnectionError("connection lost")
            got += len(data)


def main() -> None:
    """Be the clients that the command line describes."""
    where, _, size, seconds = sys.argv[1:]
    signal.alarm(int(float(seconds)) + 60)
    message = b"x" * int(size)
    visit(where, message)
    took: Counter[int] = Counter()
    now = perf_counter()
    warm, end = now + float(seconds) * 0.2, now + float(seconds)
    began = 0.0
    # On a machine that others use, the first may come through late.
    while now < end or not took:
        if not began and now >= warm:
            began = now
            print("warm", flush=True)
        before = now
        visit(where, message)
        now = perf_counter()
        if began:
            took[int((now - before) * 1e6)] += 1
    print(json.dumps({"messages": took.total(), "seconds": now - began, "took": took}))


if __name__ == "__main__":
    main()
