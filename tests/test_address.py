"""reactor.address: values that compare, hash, order and print by what they say."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from zope.interface.verify import verifyClass, verifyObject

from reactor import address
from reactor.address import HostnameAddress, IPv4Address, IPv6Address, UNIXAddress
from reactor.interfaces import IAddress

# Per class: two ways to say one value, then values that differ from it and from each other, in rising order.
CASES: list[tuple[Any, Any, list[Any]]] = [
    (
        IPv4Address("TCP", "127.0.0.1", 80),
        IPv4Address(type="TCP", host="127.0.0.1", port=80),
        [IPv4Address("TCP", "127.0.0.1", 81), IPv4Address("TCP", "127.0.0.2", 80), IPv4Address("UDP", "127.0.0.1", 80)],
    ),
    (
        IPv6Address("TCP", "::1", 80),
        IPv6Address(type="TCP", host="::1", port=80, flowInfo=0, scopeID=0),
        [
            IPv6Address("TCP", "::1", 80, 0, 2),
            IPv6Address("TCP", "::1", 80, 0, "2"),
            IPv6Address("TCP", "::1", 80, 1),
            IPv6Address("TCP", "::1", 443),
            IPv6Address("TCP", "::2", 80),
            IPv6Address("UDP", "::1", 80),
        ],
    ),
    (
        UNIXAddress(None),
        UNIXAddress(name=None),
        [UNIXAddress(""), UNIXAddress("\0abstract"), UNIXAddress("/run/a"), UNIXAddress("/run/b")],
    ),
    (UNIXAddress("/run/ä"), UNIXAddress("/run/ä".encode()), []),
    (
        HostnameAddress(b"example.com", 80),
        HostnameAddress("example.com", port=80),
        [HostnameAddress(b"example.com", 443), HostnameAddress(b"example.net", 80)],
    ),
    (HostnameAddress("bücher.example", 80), HostnameAddress(b"xn--bcher-kva.example", 80), []),
]
ALL = [value for value, _, others in CASES for value in (value, *others)]


@pytest.mark.parametrize(("value", "same", "others"), CASES)
def test_comparing(value: Any, same: Any, others: list[Any]) -> None:
    assert value == same
    assert not value != same
    assert hash(value) == hash(same)
    assert value <= same
    assert value >= same
    assert not value < same
    rising = [value, *others]
    assert sorted([*others, value]) == rising
    assert len({*rising, same}) == len(rising)
    for greater in others:
        assert value != greater
        assert value < greater
        assert greater > value


def test_noOtherClassIsEqualOrOrdered() -> None:
    four, six = IPv4Address("TCP", "::1", 80), IPv6Address("TCP", "::1", 80)
    assert four != six
    assert four != ("TCP", "::1", 80)
    with pytest.raises(TypeError):
        four < six  # noqa: B015
    with pytest.raises(TypeError):
        four <= six  # noqa: B015


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (IPv4Address("TCP", "127.0.0.1", 80), "IPv4Address(type='TCP', host='127.0.0.1', port=80)"),
        (
            IPv6Address("UDP", "fe80::1", 80, 1, "eth0"),
            "IPv6Address(type='UDP', host='fe80::1', port=80, flowInfo=1, scopeID='eth0')",
        ),
        (UNIXAddress("/run/s"), "UNIXAddress('/run/s')"),
        (UNIXAddress(b"/run/\xff"), "UNIXAddress('/run/\\udcff')"),
        (UNIXAddress(b"\0name"), "UNIXAddress('\\x00name')"),
        (UNIXAddress(None), "UNIXAddress(None)"),
        (HostnameAddress(b"example.com", 80), "HostnameAddress(hostname=b'example.com', port=80)"),
    ],
)
def test_repr(value: Any, said: str) -> None:
    assert repr(value) == said
    assert eval(said, vars(address)) == value


@pytest.mark.parametrize("value", ALL)
def test_copies(value: Any) -> None:
    for twin in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert twin == value
        assert type(twin) is type(value)


@pytest.mark.parametrize("value", ALL)
def test_small(value: Any) -> None:
    with pytest.raises(AttributeError):
        value.colour = "red"
    assert not hasattr(value, "__dict__")


@pytest.mark.parametrize("cls", [IPv4Address, IPv6Address, UNIXAddress, HostnameAddress])
def test_interface(cls: Any) -> None:
    assert verifyClass(IAddress, cls)


@pytest.mark.parametrize("value", ALL)
def test_provides(value: Any) -> None:
    assert verifyObject(IAddress, value)


def test_fields() -> None:
    six = IPv6Address("TCP", "fe80::1", 80, 1, 2)
    assert (six.type, six.host, six.port, six.flowInfo, six.scopeID) == ("TCP", "fe80::1", 80, 1, 2)
    assert UNIXAddress("/run/s").name == b"/run/s"
    assert UNIXAddress(None).name is None
    named = HostnameAddress("example.com", 80)
    assert (named.hostname, named.port) == (b"example.com", 80)


def test_hashOutlivesTheFile(tmp_path: Any) -> None:
    path = tmp_path / "socket"
    path.touch()
    value = UNIXAddress(str(path))
    known = {value}
    path.unlink()
    assert value in known


# ---- What is refused ----

ip = pytest.mark.parametrize("cls", [IPv4Address, IPv6Address])


@ip
def test_type(cls: Any) -> None:
    with pytest.raises(ValueError, match="must be 'TCP' or 'UDP', not 'SCTP'"):
        cls("SCTP", "127.0.0.1", 80)


@ip
def test_hostIsText(cls: Any) -> None:
    with pytest.raises(TypeError, match=r"must be str, not b'127\.0\.0\.1', use \.decode"):
        cls("TCP", b"127.0.0.1", 80)
    with pytest.raises(TypeError, match=r"must be str, not None$"):
        cls("TCP", None, 80)


@pytest.mark.parametrize("make", [lambda p: IPv4Address("TCP", "h", p), lambda p: HostnameAddress(b"h", p)])
def test_C9_port(make: Any) -> None:
    for port in (-1, 65536):
        with pytest.raises(ValueError, match=str(port)):
            make(port)
    for port in ("80", None, 80.0):
        with pytest.raises(TypeError, match="must be an int"):
            make(port)
    assert make(0).port == 0
    assert make(65535).port == 65535


def test_pathIsTextOrBytes() -> None:
    with pytest.raises(TypeError):
        UNIXAddress(7)  # type: ignore[arg-type]
