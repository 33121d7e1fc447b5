"""WSGI (PEP 3333) on `protocols.http`: web applications that wait, such as Flask's and Django's, in threads.

``Site(WSGI(app))`` answers by an application; ``python -m reactor serve module:app`` makes a program of one.
"""

from __future__ import annotations

from protocols.wsgi.host import WSGI

__all__ = ["WSGI"]
