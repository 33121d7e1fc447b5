"""The PROXY protocol, versions 1 and 2 (the specification is HAProxy's ``proxy-protocol.txt``): a proxy says, before
anything else, for whom it connects.

`HAProxyWrappingFactory` and `proxyEndpoint` are for servers behind a proxy, `HAProxyClientEndpoint` is for who is a
proxy. `HeaderParser`, `parseV1`, `parseV2`, `formatV1` and `formatV2` know no connection.
"""

from __future__ import annotations

from protocols.haproxy._client import HAProxyClientEndpoint
from protocols.haproxy._info import InvalidNetworkProtocol, InvalidProxyHeader, MissingAddressData, ProxyInfo
from protocols.haproxy._parser import HeaderParser
from protocols.haproxy._server import (
    HAProxyProtocolWrapper,
    HAProxyServerParser,
    HAProxyWrappingFactory,
    proxyEndpoint,
)
from protocols.haproxy._v1 import formatV1, parseV1
from protocols.haproxy._v2 import formatV2, parseV2

__all__ = [
    "proxyEndpoint",
    "HAProxyWrappingFactory",
    "HAProxyProtocolWrapper",
    "HAProxyServerParser",
    "HAProxyClientEndpoint",
    "HeaderParser",
    "ProxyInfo",
    "parseV1",
    "parseV2",
    "formatV1",
    "formatV2",
    "InvalidProxyHeader",
    "InvalidNetworkProtocol",
    "MissingAddressData",
]
