"""PROXY headers, whatever they are: the first byte says how they are cut, the rest is what came."""

from __future__ import annotations

import harness

from protocols.haproxy import HeaderParser, InvalidProxyHeader, ProxyInfo, formatV1, formatV2


def headerOf(data: bytes, size: int) -> tuple[ProxyInfo, bytes] | type[Exception] | None:
    parser = HeaderParser()
    try:
        for at in range(0, len(data), size):
            found = parser.feed(data[at : at + size])
            if found is not None:
                return found[0], found[1] + data[at + size :]
    except InvalidProxyHeader as e:
        return type(e)
    return None


def one(data: bytes) -> None:
    if not data:
        return
    size, data = data[0] or 1, data[1:]
    found = headerOf(data, size)
    assert found == headerOf(data, len(data) or 1), "how it is cut matters"
    if isinstance(found, tuple):
        info, rest = found
        assert info.header + rest == data
        if info.source is not None:
            # What was understood can be said again.
            again = (
                formatV1(info.source, info.destination)
                if info.version == 1
                else formatV2(info.source, info.destination)
            )
            said = headerOf(again, len(again))
            assert isinstance(said, tuple)
            assert (said[0].source, said[0].destination) == (info.source, info.destination)


if __name__ == "__main__":
    harness.main(one)
