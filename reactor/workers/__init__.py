"""Several processes that serve one port: started, watched, started anew when they die, stopped gracefully.

``python -m reactor workers 4 module:function`` from the command line, `Workers` from a program. Each worker is a Python
process of its own that calls ``function(reactor, number)``; what listens there does so with ``reusePort=True``, and the
system gives each client to one of them.
"""

from __future__ import annotations

from reactor.workers.supervising import Workers

__all__ = ["Workers"]
