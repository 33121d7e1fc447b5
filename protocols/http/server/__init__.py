"""A server of HTTP: `Site` is the factory, `Router` finds the handler, `files` serves a folder, and wrappers stand
around a handler. What each has is in its own module.
"""

from __future__ import annotations

from protocols.http.server.request import Request as Request
from protocols.http.server.site import Site as Site

__all__ = ["Request", "Site"]
