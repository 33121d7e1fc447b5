"""Runs a program for Twisted on our reactor: ``python installing.py PROGRAM ARGUMENT...``.

To be done in a process of its own. What the program is, it stays: a file that is run as ``__main__``.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import reactor.twisted

if __name__ == "__main__":
    # The program sees its own arguments, and its own folder instead of this one.
    del sys.argv[0]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    reactor.twisted.install()
    runpy.run_path(sys.argv[0], run_name="__main__")
