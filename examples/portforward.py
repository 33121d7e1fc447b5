"""Forward every connection to another port, within limits.

    python portforward.py port host hostport [bytes-per-second]

Listens on a port of this machine (0: any free one). A peer may have 5 connections at a time; one on which nothing
happens for 5 minutes is closed; and all together receive at most so many bytes a second (no limit if left out).
"""

from __future__ import annotations

import sys

from protocols.policies import LimitConnectionsByPeer, ThrottlingFactory, TimeoutFactory
from protocols.portforward import ProxyFactory
from reactor import reactor

if len(sys.argv) not in (4, 5):
    sys.exit(__doc__)
rate = float(sys.argv[4]) if len(sys.argv) == 5 else None
forwarder = ProxyFactory(sys.argv[2], int(sys.argv[3]))
limited = LimitConnectionsByPeer(TimeoutFactory(ThrottlingFactory(forwarder, readLimit=rate), 5 * 60))
port = reactor.listenTCP(int(sys.argv[1]), limited, interface="127.0.0.1")
print("listening on port", port.getHost().port, flush=True)
reactor.run()
