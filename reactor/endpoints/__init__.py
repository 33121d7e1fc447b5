"""Endpoints: how to connect or listen, as an object that a program can be given.

A client endpoint has `connect(factory)`, a server endpoint `listen(factory)`; both return a Deferred.
"""

from __future__ import annotations

from reactor.endpoints._connecting import connectProtocol
from reactor.endpoints._tcp import TCP4ClientEndpoint, TCP4ServerEndpoint

__all__ = ["TCP4ClientEndpoint", "TCP4ServerEndpoint", "connectProtocol"]
