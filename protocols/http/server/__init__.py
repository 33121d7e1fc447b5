"""A server of HTTP: `Site` is the factory, `Router` finds the handler, `files` serves a folder, and wrappers stand
around a handler. What each has is in its own module.
"""

from __future__ import annotations

from protocols.http.server.files import files as files
from protocols.http.server.request import Request as Request
from protocols.http.server.router import Router as Router
from protocols.http.server.site import Site as Site
from protocols.http.server.wrappers import forwarded as forwarded
from protocols.http.server.wrappers import gzip as gzip
from protocols.http.server.wrappers import log as log

__all__ = ["Request", "Router", "Site", "files", "forwarded", "gzip", "log"]
