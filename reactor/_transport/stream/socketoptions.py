"""Options of a stream's socket, which can be asked for and set at any time: when the connection is over, setting one
has no effect, and asking gives what was last set, or what every connection begins with.
"""

from __future__ import annotations

import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reactor._transport.stream.wire import Wire


class SocketOptions:
    """The part of a transport that is about them."""

    __slots__ = ()

    # Whether the system probes idle connections of this kind.
    probes = True

    if TYPE_CHECKING:
        _wire: Wire

    def getTcpKeepAlive(self) -> bool:
        """Whether an idle connection is probed."""
        return self._option(socket.SOL_SOCKET, socket.SO_KEEPALIVE, False)

    def setTcpKeepAlive(
        self, enabled: bool, idle: int | None = None, interval: int | None = None, count: int | None = None
    ) -> None:
        """Probe an idle connection, so that a peer that vanished is noticed (RFC 1122, 4.2.3.6).

        `idle`: seconds without traffic before the first probe; `interval`: seconds between probes; `count`: unanswered
        probes after which the connection is lost. What is None stays as the system has it. OSError when the system
        refuses a value.
        """
        self._setOption(socket.SOL_SOCKET, socket.SO_KEEPALIVE, bool(enabled))
        for name, value in (("TCP_KEEPIDLE", idle), ("TCP_KEEPINTVL", interval), ("TCP_KEEPCNT", count)):
            if value is not None and self.probes:
                self._setOption(socket.IPPROTO_TCP, getattr(socket, name), value)

    def _option(self, level: int, option: int, default: bool) -> bool:
        sock = self._wire.socket
        if sock.fileno() >= 0:
            return bool(sock.getsockopt(level, option))
        return bool(self.__dict__.get("_set", {}).get((level, option), default))

    def _setOption(self, level: int, option: int, value: int) -> None:
        sock = self._wire.socket
        if sock.fileno() >= 0:
            sock.setsockopt(level, option, value)
            # Few set anything.
            self.__dict__.setdefault("_set", {})[level, option] = value
