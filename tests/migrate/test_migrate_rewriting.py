"""Imports that are changed, and what is left as it is."""

from __future__ import annotations

import ast
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from patience import PATIENCE

from reactor._migrate.files import File, filesOf
from reactor._migrate.reading import Program
from reactor._migrate.rewriting import rewritten
from reactor._migrate.telling import diff

CASES = {
    # One word is changed, and nothing around it.
    "from twisted.internet import reactor, defer\n": "from reactor import reactor, defer\n",
    "from twisted.internet.defer import inlineCallbacks as ic\n": "from reactor.defer import inlineCallbacks as ic\n",
    "from twisted.internet import tcp, udp\n": "from reactor.compat import tcp, udp\n",
    "from twisted.words.protocols import irc\n": "from protocols import irc\n",
    "from twisted.words.protocols.irc import IRCClient\n": "from protocols.irc import IRCClient\n",
    "from twisted.python import failure\n": "from reactor import failure\n",
    "from twisted.test.proto_helpers import StringTransport\n": "from reactor.testing import StringTransport\n",
    "from  twisted . internet  import(defer)\n": "from  reactor  import(defer)\n",
    "from twisted \\\n    .internet import defer\n": "from reactor import defer\n",
    "from twisted.internet import (  # why\n    defer,  # this\n    # that\n    task\n)\n": (
        "from reactor import (  # why\n    defer,  # this\n    # that\n    task\n)\n"
    ),
    "x = 'é'; from twisted.internet import defer; y = 'é'\n": "x = 'é'; from reactor import defer; y = 'é'\n",
    "def f():\n    from twisted.internet import reactor\n": "def f():\n    from reactor import reactor\n",
    "try:\n    from twisted.internet import ssl\nexcept ImportError: pass\n": (
        "try:\n    from reactor import ssl\nexcept ImportError: pass\n"
    ),
    "if TYPE_CHECKING:\n\tfrom twisted.internet import ssl\n": "if TYPE_CHECKING:\n\tfrom reactor import ssl\n",
    # A file without a newline at its end, with other ends of lines, with a form feed.
    "from twisted.internet import defer": "from reactor import defer",
    "x\r\nfrom twisted.internet import defer\r\n": "x\r\nfrom reactor import defer\r\n",
    "x\rfrom twisted.internet import defer\r": "x\rfrom reactor import defer\r",
    "x = '''\x0c\u2028'''\n\x0c\nfrom twisted.internet import defer\n": (
        "x = '''\x0c\u2028'''\n\x0c\nfrom reactor import defer\n"
    ),
    # Several statements of one.
    "from twisted.internet import defer, tcp  # x\n": (
        "from reactor import defer\nfrom reactor.compat import tcp  # x\n"
    ),
    "from twisted.internet import defer, asyncioreactor\n": (
        "from reactor import defer\nfrom twisted.internet import asyncioreactor\n"
    ),
    "if x:\r\n    from twisted.python import log as l, failure\r\n": (
        "if x:\r\n    from twisted.python import log as l\r\n    from reactor import failure\r\n"
    ),
    "if x: from twisted.internet import defer, tcp; y = 1\n": (
        "if x: from reactor import defer; from reactor.compat import tcp; y = 1\n"
    ),
    "from twisted.internet import (  # why\n    defer,  # this\n    # that\n    tcp,\n    # last\n)\n": (
        "from reactor import (  # why\n    defer,  # this\n)\n"
        "from reactor.compat import (  # why\n    tcp,  # that  # last\n)\n"
    ),
    f"from twisted.internet import tcp, {', '.join(['defer'] * 20)}\n": (
        f"from reactor.compat import tcp\nfrom reactor import {', '.join(['defer'] * 20)}\n"
    ),
    f"from twisted.internet import (\n    tcp,\n{'    defer,' * 12}\n)\n": (
        f"from reactor.compat import tcp\nfrom reactor import {', '.join(['defer'] * 12)}\n"
    ),
    "from twisted.internet import (\n" + "    defer,\n" * 20 + "    tcp,\n)\n": (
        "from reactor import (\n" + "    defer,\n" * 20 + ")\nfrom reactor.compat import tcp\n"
    ),
    # Other words for it.
    "from twisted.application import internet, service\n": "from reactor import service as internet, service\n",
    "import twisted.internet.defer as d\n": "from reactor import defer as d\n",
    "import twisted.internet.reactor as r, os\n": "from reactor import reactor as r\nimport os\n",
    "from twisted.internet.reactor import callLater\n": "from reactor import callLater\n",
    # Spelled out.
    "import twisted.internet.reactor\ntwisted.internet.reactor.run()\n": "from reactor import reactor\nreactor.run()\n",
    "import twisted.internet.defer\n\nx = twisted.internet.defer\n": "from reactor import defer\n\nx = defer\n",
    "import os, twisted.internet.tcp, twisted.web.server\ntwisted.internet.tcp.Port, twisted.web.server.Site\n": (
        "import os, twisted.web.server\nfrom reactor.compat import tcp\ntcp.Port, twisted.web.server.Site\n"
    ),
    "import twisted.internet.defer\ndef f(é):\n    'é', (twisted.\n      internet.defer.fail)\n": (
        "from reactor import defer\ndef f(é):\n    'é', (defer.fail)\n"
    ),
    "import twisted.internet.protocol\nprotocol = 1\nclass C(twisted.internet.protocol.Protocol): pass\n": (
        "from reactor import protocol as reactor_protocol\nprotocol = 1\nclass C(reactor_protocol.Protocol): pass\n"
    ),
    "import twisted.internet.defer, twisted.internet.task\n"
    "def f(defer): twisted.internet.defer; twisted.internet.task\n": (
        "from reactor import defer as reactor_defer, task\ndef f(defer): reactor_defer; task\n"
    ),
}
LEFT = [
    "from twisted.internet.defer import *\n",
    "from twisted.web import server\n",
    "import twisted\n",
    "import twisted.web.server as s\n",
    "from twisted.application.service import Application\n",
    "from .twisted.internet import defer\n",
    "mock.patch('twisted.internet.reactor')\n",
    "TWISTED_REACTOR = 'twisted.internet.asyncioreactor.AsyncioSelectorReactor'\n",
]
BY_HAND = {
    "import twisted.internet.task\ntwisted.internet.defer.fail\n": "line 2 names twisted.internet.defer.fail",
    "import twisted.internet.task\nprint(twisted)\n": "line 2 names twisted",
    "import twisted.internet.reactor\ntwisted.internet.reactor = None\n": "line 2 sets",
    "import twisted.internet.task\ntask = reactor_task = 1\ntwisted.internet.task\n": "the names task and reactor_task",
    "from twisted.internet import (defer, # x\n  tcp); y = 1\n": "there are comments in it",
}


@pytest.mark.parametrize("source", CASES)
def test_changed(source: str) -> None:
    changed, left = rewritten(Program(source))
    assert changed == CASES[source]
    assert left == []
    # Nothing is left to do.
    assert rewritten(Program(changed)) == (changed, [])


@pytest.mark.parametrize("source", LEFT)
def test_leftAlone(source: str) -> None:
    assert rewritten(Program(source)) == (source, [])


@pytest.mark.parametrize("source", BY_HAND)
def test_leftForTheHand(source: str) -> None:
    changed, left = rewritten(Program(source))
    assert changed == source
    assert [each.line for each in left] == [1] and left[0].why.startswith(BY_HAND[source])


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python 3.11 does not say where things stand in f-strings")
def test_insideOfFormattedStrings() -> None:
    source = "import twisted.internet.task\nf'é{twisted.internet.task.react}'\n"
    assert rewritten(Program(source)) == ("from reactor import task\nf'é{task.react}'\n", [])


# Real programs.


def bindings(text: str) -> set[str]:
    """All names that the imports in a program bind, however deep; not those of whole packages."""
    return {
        alias.asname or alias.name
        for node in ast.walk(Program(text).tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    } - {"twisted"}


LIBRARIES = ("txredisapi", "ldaptor", "crochet", "twisted.names")


def sourcesOf(library: str) -> list[str]:
    package, _, inner = library.partition(".")
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        pytest.skip(f"not installed: {library}")
    top = Path(spec.origin)
    return list(filesOf([str(top.parent / inner if spec.submodule_search_locations else top)], print))


@pytest.mark.parametrize("library", LIBRARIES)
def test_realPrograms(library: str) -> None:
    """What comes out can be read, binds the same names, and is the same when it is changed again."""
    changed = 0
    for path in sourcesOf(library):
        text = File(path).text
        new, left = rewritten(Program(text))
        assert left == [], path
        # What was spelled out is a name of its own now.
        assert {name for name in bindings(text) if "." not in name} <= bindings(new), path
        assert rewritten(Program(new))[0] == new, path
        changed += new != text
    assert changed


@pytest.fixture
def copied(tmp_path: Path) -> Iterator[Path]:
    """A folder with programs as other people wrote them, and some that are odd."""
    folder = tmp_path / "a program"
    folder.mkdir()
    for library in ("txredisapi", "crochet"):
        for source in sourcesOf(library):
            shutil.copy(source, folder / f"{library}-{Path(source).name}")
    (folder / "latin.py").write_bytes(b"# coding: latin-1\nfrom twisted.internet import defer, tcp  # caf\xe9\n")
    (folder / "mark.py").write_bytes(b"\xef\xbb\xbffrom twisted.internet import defer\n")
    (folder / "dos.py").write_bytes(b"import os\r\nfrom twisted.internet import defer, tcp\r\nx = 1\r\n")
    (folder / "open.py").write_bytes(b"x = 1\nfrom twisted.internet import defer")
    (folder / "sub").mkdir()
    (folder / "sub" / "é.py").write_text("from twisted.internet import defer\n")
    yield folder


@pytest.mark.parametrize("command", ["patch -p0 --binary", "git apply -p0"])
def test_theDiffCanBeApplied(command: str, copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, *arguments = command.split()
    if shutil.which(program) is None:
        pytest.skip(f"not installed: {program}")
    monkeypatch.chdir(copied.parent)
    text, expected = b"", {}
    for path in filesOf([copied.name], print):
        file = File(path)
        expected[path] = rewritten(Program(file.text))[0].encode(file.encoding)
        text += b"".join(diff(path, file.data, expected[path]))
    done = subprocess.run(
        [program, *arguments], input=text, capture_output=True, timeout=PATIENCE, check=False, cwd=copied.parent
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(expected) > 8
    for path, data in expected.items():
        assert Path(path).read_bytes() == data
