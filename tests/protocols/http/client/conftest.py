"""The fixture `web` for all tests of the client."""

from __future__ import annotations

from webbing import web

__all__ = ["web"]
