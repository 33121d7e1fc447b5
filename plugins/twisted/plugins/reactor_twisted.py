"""How Twisted's commands find our reactors by name: ``twist --reactor=reactor``, and the same for ``twistd``, ``trial``
and ``crossbar``.

Read whenever a program looks for plugins of any kind: so it imports nothing of ours, and no reactor.
"""

from twisted.application.reactors import Reactor

__all__ = ["engine", "engineWithAsyncio"]

engine = Reactor("reactor", "reactor.twisted.frame", "epoll(4) based reactor with transports of its own: reactor-loop.")

engineWithAsyncio = Reactor(
    "reactor-asyncio", "reactor.twisted.asyncioreactor", "The same, with an event loop of asyncio beside it."
)
