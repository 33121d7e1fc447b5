"""`python -m reactor migrate`: what it reads, prints and writes, and its status."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from patience import PATIENCE
from script import FOLDER, script

from reactor.__main__ import main

GOOD = "from twisted.internet import defer, tcp\ndefer.Deferred()\n"
STAY = "A program that needs what is not there can stay as it is, on this engine: reactor.twisted."
CHANGED = "from reactor import defer\nfrom reactor.compat import tcp\ndefer.Deferred()\n"


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["migrate", *map(str, arguments)])
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_whatIsSaid(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text(
        "from twisted.internet import defer, reactor\n"
        "from twisted.web.client import Agent\n"
        "defer.inlineCallbacks\n"
        "reactor.seconds()\n"
        "reactor.callLater(1, callable=f)\n"
        "Agent(); Agent()\n"
        "Agent()\n"
    )
    Path("b.py").write_text("from twisted.internet.defer import *\n")
    assert run("a.py", "b.py") == 1
    out, err = capsys.readouterr()
    assert err == ""
    page = "doc/compatibility.rst"
    assert out.splitlines() == [
        "a.py:1: twisted.internet.defer: there: from reactor import defer",
        "a.py:1: twisted.internet.reactor: there: from reactor import reactor",
        "a.py:2: twisted.web.client.Agent: not there: protocols.http.Client, or protocols.http.get,"
        " post ...; in place of all agents"
        " (also line 6, 7)",
        "a.py:3: twisted.internet.defer.inlineCallbacks: there: from reactor.defer import inlineCallbacks",
        "a.py:4: twisted.internet.reactor.seconds: there, but different: reactor.seconds; see"
        f' "reactor.seconds()" in {page}',
        "a.py:5: twisted.internet.reactor.callLater: there: reactor.callLater",
        "a.py:5: twisted.internet.reactor.callLater(callable): there, but different: see"
        f' "Positional arguments" in {page}',
        "b.py:1: twisted.internet.defer.*: there, but different: from reactor.defer import *; it does not say which"
        " names it brings: import those that are used, and ask again",
        "2 files: 4 there, 3 different, 1 not there",
        STAY,
    ]


def test_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text(GOOD + "from twisted.names import dns\n")
    assert run("-q", "a.py") == 1
    first, *summary = capsys.readouterr().out.splitlines()
    assert first.startswith("a.py:3: twisted.names.dns: not there: ")
    assert summary == ["1 file: 3 there, 0 different, 1 not there", STAY]


def test_allIsThere(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text(GOOD)
    assert run("a.py") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 file: 3 there, 0 different, 0 not there"


def test_nothingToSay(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text("x = 1\n")
    Path("empty.py").write_text("")
    assert run(".") == 0
    assert capsys.readouterr().out == "2 files: 0 there, 0 different, 0 not there\n"


def test_whatCannotBeReadIsToldAndTheOthersGoOn(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    Path("old.py").write_text("x = 1\nprint 'x'\n")
    Path("nul.py").write_bytes(b"x = 1\n\0")
    Path("coded.py").write_bytes(b"# coding: nothing\n")
    Path("latin.py").write_bytes(b"x = 1\ny = '\xe9'\n")
    Path("good.py").write_text(GOOD)
    os.symlink("nowhere", "broken.py")
    assert run(".", "missing.py") == 2
    out, err = capsys.readouterr()
    assert out.splitlines()[-1] == "1 file: 3 there, 0 different, 0 not there; 6 could not be read"
    assert out.startswith("good.py:1: ")
    told = {line.split(": ")[0]: line for line in err.splitlines()}
    assert told.keys() == {"old.py:2", "nul.py:2", "coded.py:1", "latin.py:2", "broken.py", "missing.py"}
    assert "does not parse" in told["old.py:2"] and "utf-8" in told["latin.py:2"]
    assert "No such file" in told["missing.py"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_aFolderThatCannotBeRead(capsys: pytest.CaptureFixture[str]) -> None:
    Path("shut").mkdir(0)
    Path("good.py").write_text(GOOD)
    assert run(".") == 2
    assert "shut: Permission denied" in capsys.readouterr().err


def test_whichFilesAreRead(capsys: pytest.CaptureFixture[str]) -> None:
    read = ["a.py", "b.pyi", "c.pyw", "d.tac", "sub/e.py", "sub/build/f.py"]
    passed = ["g.txt", "h.pyc", ".hidden/i.py", "__pycache__/j.py", "sub/venv/lib/k.py"]
    for name in [*read, *passed]:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("import twisted.internet.defer\n")
    Path("sub/venv/pyvenv.cfg").write_text("")
    os.symlink("..", "sub/loop")
    os.symlink("a.py", "same.py")
    os.mkfifo("pipe.py")
    Path("script").write_text("import twisted.internet.defer\n")
    # What is named is read, whatever it is called; and once.
    assert run(".", "script", "sub", "./a.py") == 0
    names = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()[:-1]]
    assert sorted(names) == sorted([*read, "script"])


def test_aNameThatIsOurs(capsys: pytest.CaptureFixture[str]) -> None:
    """A package, and a module; not what only is in a package of another name."""
    for name in ("protocols/__init__.py", "protocols/web/__init__.py", "protocols/web/a.py", "reactor.py"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("x = 1\n")
    for name in ("mine/__init__.py", "mine/protocols/__init__.py", "mine/protocols/a.py", "mine/reactor.py"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("x = 1\n")
    assert run("mine") == 0
    assert capsys.readouterr().err == ""
    assert run(".") == 0
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("there is a protocols in this") and second.startswith("there is a reactor in this")


@pytest.mark.parametrize("arguments", [[], ["--diff"], ["--nothing", "x"], ["--diff", "--write", "x"]])
def test_wrongArguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 2
    assert "usage:" in capsys.readouterr().err


def test_diff(capfdbinary: pytest.CaptureFixture[bytes], here: Path) -> None:
    Path("sub").mkdir()
    Path("sub/a.py").write_text(GOOD)
    Path("same.py").write_text("x = 1\n")
    Path("hand.py").write_text("import twisted.internet.reactor\ntwisted.internet.reactor = 1\n")
    # A path that is absolute is told as patch(1) wants it.
    assert run("--diff", here) == 0
    out, err = capfdbinary.readouterr()
    assert out.decode().splitlines() == [
        "--- sub/a.py",
        "+++ sub/a.py",
        "@@ -1,2 +1,3 @@",
        "-from twisted.internet import defer, tcp",
        "+from reactor import defer",
        "+from reactor.compat import tcp",
        " defer.Deferred()",
    ]
    assert err.decode().splitlines() == [
        f"{here}/hand.py:1: left as it is: line 2 sets twisted.internet.reactor: change it by hand",
        "3 files: 4 there, 0 different, 0 not there",
    ]
    assert Path("sub/a.py").read_text() == GOOD


def test_diffOfAFileThatDoesNotEnd(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    Path("a b\n.py").write_bytes(b"from twisted.internet import defer")
    run("--diff", ".")
    assert capfdbinary.readouterr().out.splitlines() == [
        rb'--- "a b\012.py"',
        rb'+++ "a b\012.py"',
        b"@@ -1 +1 @@",
        b"-from twisted.internet import defer",
        rb"\ No newline at end of file",
        b"+from reactor import defer",
        rb"\ No newline at end of file",
    ]


def test_write(capsys: pytest.CaptureFixture[str]) -> None:
    Path("real.py").write_text(GOOD)
    Path("real.py").chmod(0o751)
    os.symlink("real.py", "link.py")
    Path("latin.py").write_bytes(b"# coding: latin-1\r\nfrom twisted.internet import defer  # caf\xe9\r\n")
    Path("same.py").write_text("from twisted.web import server\n")
    before = Path("same.py").stat()
    assert run("--write", "link.py", "latin.py", "same.py") == 1
    assert Path("link.py").is_symlink() and Path("real.py").read_text() == CHANGED
    assert stat.S_IMODE(Path("real.py").stat().st_mode) == 0o751
    assert Path("latin.py").read_bytes() == b"# coding: latin-1\r\nfrom reactor import defer  # caf\xe9\r\n"
    assert Path("same.py").stat() == before
    said = capsys.readouterr().out.splitlines()
    assert "link.py: changed" in said and "latin.py: changed" in said and "same.py: changed" not in said
    assert sorted(path.name for path in Path().iterdir()) == ["latin.py", "link.py", "real.py", "same.py"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_aFileStaysWhoseItWas() -> None:
    Path("a.py").write_text(GOOD)
    os.chown("a.py", 12345, 54321)
    assert run("--write", "a.py") == 0
    assert (Path("a.py").stat().st_uid, Path("a.py").stat().st_gid) == (12345, 54321)


def test_anEncodingThatSaysOneThingInSeveralWays(capsys: pytest.CaptureFixture[str]) -> None:
    data = b"# coding: utf-7\nfrom twisted.internet import defer  # +AGE-\n"
    Path("a.py").write_bytes(data)
    assert run("--write", "a.py") == 0
    assert Path("a.py").read_bytes() == data
    assert "a.py:1: left as it is: it would not be the same utf-7" in capsys.readouterr().err


def test_aFileWhoseNameIsNoText() -> None:
    Path(os.fsdecode(b"\xff.py")).write_text(GOOD)
    done = shell("{} migrate .")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("\\udcff.py:1: twisted.internet.defer: there")


def test_whatCannotBeWrittenStaysWhole() -> None:
    """No file may have a byte, as on a full disk; what goes through pipes is not meant."""
    Path("a.py").write_text(GOOD)
    done = shell("ulimit -f 0; {} migrate --write a.py")
    assert (done.returncode, done.stderr) == (2, "a.py: File too large\n")
    assert Path("a.py").read_text() == GOOD and os.listdir() == ["a.py"]


def shell(command: str) -> subprocess.CompletedProcess[str]:
    """What a shell does with a command, in which {} is ours."""
    return subprocess.run(
        ["/bin/bash", "-o", "pipefail", "-c", command.format(f"{sys.executable} -m reactor")],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, "PYTHONPATH": str(FOLDER), "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )


def test_withoutTwisted() -> None:
    """Nor is anything of ours imported but this, nor the program."""
    Path("program.py").write_text(GOOD + "raise SystemExit('was imported')\n")
    lines = script(
        """
        import sys
        class Refuse:
            def find_spec(name, path=None, target=None):
                if name.partition(".")[0] in ("twisted", "program"):
                    raise AssertionError(name)
        sys.meta_path.insert(0, Refuse)
        from reactor.__main__ import main
        try:
            main(["migrate", "program.py"])
        finally:
            ours = [name for name in sys.modules if name.startswith(("reactor", "protocols"))]
            print(*sorted({name.split(".")[1] for name in ours if "." in name}))
        """
    )
    assert lines[-1] == "__main__ _ground _migrate"


def test_importingReactorDoesNotBringIt() -> None:
    printed = script("import sys, reactor; reactor.reactor; print([n for n in sys.modules if '_migrate' in n])")
    assert printed == ["[]"]


def test_aReaderThatHasHadEnough() -> None:
    for number in range(300):
        Path(f"{number}.py").write_text(GOOD)
    done = shell("{} migrate . | head -1")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1


def test_whatThereIsWithoutACommand(capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    said = capsys.readouterr().out
    assert "workers" in said and "migrate" in said


# The page.


def block(name: str) -> str:
    text = (Path(__file__).parents[2] / "doc" / "migrating.rst").read_text()
    lines = text.split(f"   :name: {name}\n")[1].splitlines()
    end = next((number for number, line in enumerate(lines) if line and not line.startswith("   ")), len(lines))
    return textwrap.dedent("\n".join(lines[:end])).strip("\n") + "\n"


def test_thePageShowsWhatIsSaid(capfd: pytest.CaptureFixture[str]) -> None:
    Path("fetch.py").write_text(block("migrated-before"))
    assert run("fetch.py") == 1
    assert capfd.readouterr().out == block("migrated-said")
    assert run("--diff", "fetch.py") == 1
    # But for the space of an empty line at its end, which no page keeps.
    assert capfd.readouterr().out.rstrip() == block("migrated-diff").rstrip()
