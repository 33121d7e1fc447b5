"""A SOCKS server (versions 4, 4a and 5) on this machine, for a browser or curl.

    python socks_server.py port [--user NAME:PASSWORD] [network ...]

Listens on a port of this machine (0: any free one). Without networks it connects to the public Internet only; with some
(such as 127.0.0.0/8 or ::1) to these only. Try it: curl --socks5-hostname localhost:PORT http://example.com/
"""

from __future__ import annotations

import sys

from protocols.socks import SOCKSServerFactory, allowNetworks, publicOnly
from reactor import reactor

arguments = sys.argv[1:]
credentials = None
if "--user" in arguments:
    at = arguments.index("--user")
    user, _, password = arguments[at + 1].partition(":")
    credentials = {user: password}
    del arguments[at : at + 2]
if not arguments:
    sys.exit(__doc__)
policy = allowNetworks(*arguments[1:]) if arguments[1:] else publicOnly
port = reactor.listenTCP(int(arguments[0]), SOCKSServerFactory(policy, credentials), interface="127.0.0.1")
print("listening on port", port.getHost().port, flush=True)
reactor.run()
print("stopped")
