"""What is UDP, by Twisted's classes: for `isinstance` and annotations. `listenUDP` and `listenMulticast` make them."""

from __future__ import annotations

from reactor._transport.datagram.multicast import MulticastPort
from reactor._transport.datagram.udp import UDPPort as Port

__all__ = ["MulticastPort", "Port"]
