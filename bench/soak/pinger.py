"""An old connection: `python -m bench.soak.pinger PORT INTERVAL`.

Sends a byte to the echo server on 127.0.0.1:PORT, waits until it has come back, sleeps INTERVAL seconds, and so on.
Prints "ready 0" when the first one came back. For every SIGUSR1 it prints {"count", "p50", "p99", "max"} of the round
trips since the last one (in milliseconds) as JSON.
"""

from __future__ import annotations

import json
import signal
import socket
import sys
from time import perf_counter, sleep

HOST = "127.0.0.1"
# Seconds after which an answer is not coming any more.
PATIENCE = 60.0


def percentile(times: list[float], share: float) -> float:
    """The time that `share` of the sorted `times` do not exceed; 0 when there are none."""
    return times[min(len(times) - 1, int(len(times) * share))] if times else 0.0


def summary(times: list[float]) -> dict[str, float]:
    """The figures of round trips, given in seconds, in milliseconds."""
    times = sorted(time * 1000 for time in times)
    return {
        "count": len(times),
        "p50": percentile(times, 0.5),
        "p99": percentile(times, 0.99),
        "max": percentile(times, 1.0),
    }


def main() -> None:
    """Be the old connection."""
    port, interval = int(sys.argv[1]), float(sys.argv[2])
    sock = socket.create_connection((HOST, port), PATIENCE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    times: list[float] = []
    asked: list[int] = []
    signal.signal(signal.SIGUSR1, lambda number, frame: asked.append(number))
    first = True
    while True:
        began = perf_counter()
        sock.sendall(b"x")
        if not sock.recv(1):
            raise ConnectionError("the server closed an old connection")
        times.append(perf_counter() - began)
        if first:
            print("ready 0", flush=True)
            first = False
        if asked:
            # First of all, since the next question may come as soon as this one is answered.
            asked.pop()
            print(json.dumps(summary(times)), flush=True)
            times = []
        sleep(interval)


if __name__ == "__main__":
    main()
