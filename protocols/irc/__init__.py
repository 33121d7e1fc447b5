"""IRC, the client's and the server's side of it, under the names of ``twisted.words.protocols.irc`` where it has them.

Here are the names that each module of the package says are public. All but the protocols are pure: they take bytes,
text and times and give such back.
"""
# ruff: noqa: F403

from __future__ import annotations

from protocols.irc.batch import *
from protocols.irc.caps import *
from protocols.irc.casemapping import *
from protocols.irc.client.client import *
from protocols.irc.client.dccprotocols import *
from protocols.irc.client.factory import *
from protocols.irc.client.session import *
from protocols.irc.ctcp import *
from protocols.irc.dcc import *
from protocols.irc.error import *
from protocols.irc.flood import *
from protocols.irc.formatting import *
from protocols.irc.hostmask import *
from protocols.irc.isupport import *
from protocols.irc.labels import *
from protocols.irc.mechanisms import *
from protocols.irc.message import *
from protocols.irc.modes import *
from protocols.irc.numerics import *
from protocols.irc.sasl import *
from protocols.irc.server import *
from protocols.irc.servertime import *
from protocols.irc.sts import *
from protocols.irc.text import *

#: What the name of a channel begins with (RFC 2812, section 1.3).
CHANNEL_PREFIXES = "&#!+"
#: The most bytes of a message, CR LF included (RFC 1459, section 2.3).
MAX_COMMAND_LENGTH = 512
