"""The connection of `h2` that a session stands on, as it is to begin: what is left to it, and what it says first."""

from __future__ import annotations

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.settings import SettingCodes, Settings

from protocols.http.h2 import frames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocols.http.h2.bounds import Bounds
    from protocols.http.limits import Limits

__all__ = ["begun"]

_UNBOUNDED = 1 << 30


def begun(isServer: bool, bounds: Bounds, limits: Limits) -> tuple[H2Connection, bytes]:
    """A connection of that role, and what it sends first: its SETTINGS and the window of all bodies together."""
    # Heads are judged by `messages`: there what is wrong costs the stream only.
    config = H2Configuration(
        client_side=not isServer,
        header_encoding=None,
        validate_inbound_headers=False,
        normalize_inbound_headers=False,
        validate_outbound_headers=False,
        normalize_outbound_headers=False,
    )
    connection = H2Connection(config)
    said = {
        SettingCodes.HEADER_TABLE_SIZE: 4096,
        SettingCodes.INITIAL_WINDOW_SIZE: bounds.streamWindow,
        SettingCodes.MAX_FRAME_SIZE: frames.MAX_FRAME,
        SettingCodes.MAX_HEADER_LIST_SIZE: limits.head,
        SettingCodes.ENABLE_PUSH: 0,
    }
    if isServer:
        said[SettingCodes.MAX_CONCURRENT_STREAMS] = bounds.maxStreams
    connection.local_settings = Settings(client=not isServer, initial_values=said)
    connection.initiate_connection()
    if bounds.connectionWindow > 65535:
        connection.increment_flow_control_window(bounds.connectionWindow - 65535)
    first = connection.data_to_send()
    # More than were allowed are refused by the session, each by itself; `h2` would end the connection.
    said[SettingCodes.MAX_CONCURRENT_STREAMS] = _UNBOUNDED if isServer else 0
    connection.local_settings = Settings(client=not isServer, initial_values=said)
    connection.decoder.max_header_list_size = limits.head
    return connection, first
