"""Our engine under Twisted's applications.

`install()` puts a `TwistedReactor` where `twisted.internet.reactor` looks for one, as Twisted's own pluggable reactors
are put: protocols, factories, Deferreds, Failures, errors, addresses and interfaces stay Twisted's; the loop, timers,
descriptors, sockets and transports are ours. Needs Twisted: ``pip install 'reactor-loop[twisted]'``.
"""

from __future__ import annotations

try:
    import twisted as _twisted
except ImportError as e:
    raise ImportError("reactor.twisted needs Twisted: pip install 'reactor-loop[twisted]'") from e

from reactor.twisted.frame import TwistedReactor, install

__all__ = ["TwistedReactor", "install"]

del _twisted
