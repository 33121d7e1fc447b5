"""What many protocols are made of: lines, strings that say how long they are, and files.

A protocol here receives frames, one call each; how bytes are cut into frames is in modules of its own, without
transports.
"""

from __future__ import annotations

from protocols._filesender import FileSender
from protocols._framing.linereceivers import LineOnlyReceiver, LineReceiver
from protocols._framing.netstrings import NetstringParseError
from protocols._framing.pauseable import Pauseable as _PauseableMixin  # noqa: F401 (programs derive from it)
from protocols._framing.stringreceivers import (
    Int8StringReceiver,
    Int16StringReceiver,
    Int32StringReceiver,
    IntNStringReceiver,
    NetstringReceiver,
    StatefulStringProtocol,
    StringTooLongError,
)

__all__ = [
    "LineOnlyReceiver",
    "LineReceiver",
    "NetstringReceiver",
    "NetstringParseError",
    "IntNStringReceiver",
    "Int8StringReceiver",
    "Int16StringReceiver",
    "Int32StringReceiver",
    "StringTooLongError",
    "StatefulStringProtocol",
    "FileSender",
]
