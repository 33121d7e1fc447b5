"""A program of these benchmarks as one for Twisted: `python -m bench.undertwisted PEER MODULE ARGUMENT...`.

For "ours" `reactor.twisted` puts our engine under Twisted, for "twisted" its own `epollreactor` is installed. Then
`bench.MODULE` is run as the program that it is for the peer "twisted", with the arguments that follow: what is measured
is in both cases what it imports of Twisted.
"""

from __future__ import annotations

import sys
from importlib import import_module

from bench import peers

_INSTALLERS = {peers.OURS: "reactor.twisted", "twisted": "twisted.internet.epollreactor"}


def main() -> None:
    """Install the reactor that the command line names, and be the program."""
    name, module, *arguments = sys.argv[1:]
    import_module(_INSTALLERS[name]).install()
    sys.argv[1:] = ["twisted", *arguments]
    import_module(f"bench.{module}").main()


if __name__ == "__main__":
    main()
