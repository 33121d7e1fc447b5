"""ASGI 3 on `protocols.http`: asyncio's web applications, such as Starlette's, FastAPI's and Django's, on the reactor.

``Site(ASGI(app))`` answers by an application; `Lifespan` tells it that the server starts and stops. ``python -m reactor
serve module:app`` does both.
"""

from __future__ import annotations

from protocols.asgi.error import Disconnected, LifespanFailed
from protocols.asgi.host import ASGI
from protocols.asgi.lifespan import Lifespan

__all__ = ["ASGI", "Disconnected", "Lifespan", "LifespanFailed"]
