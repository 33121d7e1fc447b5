"""Names that need no server: those of the hosts file, and what is an address."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reactor._transport.client.hosts import Hosts, isNumeric, namesIn

TEXT = b"""# a comment
127.0.0.1\tlocalhost
127.0.1.1 Mine.Example mine # mine.comment
::1 ip6-localhost

10.0.0.1
broken\xff name\xff
"""


def test_namesIn() -> None:
    assert namesIn(TEXT) == {b"localhost", b"mine.example", b"mine", b"ip6-localhost", b"name\xff"}
    assert namesIn(b"") == set()


def test_knows(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_bytes(TEXT)
    hosts = Hosts(str(path))
    for name in ("localhost", "LOCALHOST", "mine", "mine.EXAMPLE", "mine.example.", "10.0.0.1", "name\udcff"):
        assert hosts.knows(name), name
    for name in ("", ".", "comment", "mine.comment", "other.example", "# a", "127.0.0.1.example"):
        assert not hosts.knows(name), name


def test_theFileIsReadAgainWhenItChanges(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    hosts = Hosts(str(path))
    assert not hosts.knows("one")
    path.write_text("10.0.0.1 one")
    assert hosts.knows("one")
    os.utime(path, ns=(1, 1))
    path.write_text("10.0.0.1 two")
    assert hosts.knows("two") and not hosts.knows("one")
    path.unlink()
    assert not hosts.knows("two")
    assert not Hosts(str(tmp_path)).knows("one"), "a folder is no file"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "0x7f.1", "1", "::1", "fe80::1%lo"])
def test_numeric(host: str) -> None:
    assert isNumeric(host)


@pytest.mark.parametrize("host", ["", "localhost", "1.example", "127.0.0.1.", "\udcff"])
def test_notNumeric(host: str) -> None:
    assert not isNumeric(host)
