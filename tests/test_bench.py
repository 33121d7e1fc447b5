"""bench/: that every benchmark runs and prints figures, never which. And the arithmetic behind the tables."""

from __future__ import annotations

import mmap
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from benching import ROOT, runBench
from hypothesis import given
from hypothesis import strategies as st
from patience import PATIENCE

from bench import aioapps, machine, measure, native, peers, plan, table
from bench.__main__ import chosen
from bench.catalogue import BENCHMARKS
from bench.child import BenchError, Child, python
from bench.rounds import alternate

needsCompiler = pytest.mark.skipif(native.compiler() is None, reason="no C compiler here")


def tablesOf(output: str) -> list[dict[str, dict[str, str]]]:
    """The Markdown tables in `output`: cells by peer and title."""
    tables: list[dict[str, dict[str, str]]] = []
    titles: list[str] = []
    for line in output.splitlines():
        if not line.startswith("|"):
            titles = []
            continue
        name, *row = [cell.strip() for cell in line.strip("|").split("|")]
        if not titles:
            titles = row
            tables.append({})
        elif not name.startswith("---"):
            tables[-1][name] = dict(zip(titles, row, strict=True))
    return tables


def number(cell: str) -> float:
    """The figure in a cell, without its ratio."""
    return float(cell.partition(" ")[0].replace(",", ""))


TINY = {
    "echo": ["--size", "100", "--connections", "5", "--depth", "2", "--seconds", "0.2"],
    "lines": ["--size", "10", "--connections", "5", "--depth", "4", "--seconds", "0.2"],
    "strings": ["--size", "10", "--connections", "5", "--depth", "4", "--seconds", "0.2"],
    "unix": ["--size", "100", "--connections", "5", "--depth", "2", "--seconds", "0.2"],
    "tls": ["--size", "20000", "--connections", "5", "--depth", "2", "--seconds", "0.2"],
    "udp": ["--size", "100", "--connections", "5", "--depth", "2", "--seconds", "0.2"],
    "aio": ["--connections", "5", "--seconds", "0.2"],
    "aioapps": ["--size", "100", "--connections", "5", "--seconds", "0.3"],
    "aiocalls": ["--seconds", "0.02"],
    "webserver": ["--connections", "5", "--seconds", "0.6"],
    "webclient": ["--connections", "5", "--seconds", "0.2"],
    "twisted": ["--connections", "5", "--seconds", "0.5"],
    "websocket": ["--connections", "5", "--seconds", "0.2"],
    "latency": ["--size", "100", "--connections", "5", "--seconds", "0.15"],
    "connect": ["--size", "10", "--connections", "5", "--seconds", "0.2"],
    "accept": ["--size", "10", "--connections", "5", "--seconds", "0.2"],
    "handshakes": ["--size", "10", "--connections", "5", "--seconds", "0.3"],
    "million": ["--live", "5000"],
    "timers": ["--seconds", "0.02"],
    "deferred": ["--seconds", "0.02"],
    "looping": ["--seconds", "0.02"],
    "threads": ["--seconds", "0.02"],
    "irc": ["--seconds", "0.02"],
    "spawn": ["--seconds", "0.02"],
    "import": [],
    "memory": ["--connections", "300"],
    "tlsmemory": ["--connections", "50"],
}
# How large a figure is, is the machine's affair, and of what else it does meanwhile: its form is looked at. These may
# come out as nothing: shares, in ticks of 10 ms or in percent, of a whole; times by the clock from which
# those of another program were taken; the memory of a few connections, which an allocator may have in reserve.
MAY_BE_NOTHING = {
    "user",
    "sys",
    "busy %",
    "loop made ms",
    "import alone ms",
    "client KiB/connection",
    "server KiB/connection",
}


needsOpenSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here to make a certificate")
needsTwisted = pytest.mark.skipif(not BENCHMARKS["twisted"].peers, reason="no Twisted with pyOpenSSL here")
MARKS = {
    "latency": (needsCompiler,),
    "twisted": (needsOpenSSL, needsTwisted),
    **dict.fromkeys(("aio", "tls", "handshakes", "tlsmemory"), (needsOpenSSL,)),
}


@pytest.mark.parametrize("name", [pytest.param(name, marks=MARKS.get(name, ())) for name in TINY])
def test_printsPositiveFigures(name: str) -> None:
    assert set(TINY) == set(BENCHMARKS)
    output = runBench(name, "--only", "ours", "--rounds", "1", "--markdown", *TINY[name])
    (rows,) = tablesOf(output)
    assert list(rows) == ["ours"]
    for figure in BENCHMARKS[name].figures:
        title = f"{figure.title} (x ours)" if figure.compared else figure.title
        cell = rows["ours"][title]
        if name == "aioapps" and not aioapps.isInstalled(figure.key):
            assert cell == table.MISSING
            continue
        assert number(cell) > 0 or figure.title in MAY_BE_NOTHING, output
        assert not figure.compared or number(cell) <= 0 or cell.endswith("(1.00)")


def test_plainTableNamesWhatWasDone() -> None:
    output = runBench("timers", "--only", "ours,asyncio", "--rounds", "2", "--seconds", "0.01")
    assert f"CPython {sys.version.split()[0]}" in output
    assert "timers: 0.01 s each, medians of 2 rounds" in output
    assert re.search(r"^ours +\d+\.\d+ \(1\.00\) +\d+( +\d+\.\d+ \(1\.00\)){2}$", output, re.MULTILINE)
    assert re.search(r"^asyncio +\d+\.\d+ \(\d+\.\d+\) +\d+( +\d+\.\d+ \(\d+\.\d+\)){2}$", output, re.MULTILINE)


def test_allLeavesOutWhatAPeerCannotDo() -> None:
    output = runBench("all", "--quick", "--only", "raw", "--seconds", "0.1", "--rounds", "1", "--markdown")
    assert re.findall(r"^### (\w+):", output, re.MULTILINE) == ["echo", "udp", "connect", "accept", "memory"]
    assert [list(rows) for rows in tablesOf(output)] == [["raw"]] * 5


@needsCompiler
def test_messagesLargerThanTheKernelTakesAtOnce() -> None:
    large = ["--size", "3000000", "--connections", "3", "--seconds", "0.5", "--rounds", "1", "--markdown"]
    (rows,) = tablesOf(runBench("echo", "--only", "C,raw,ours", *large))
    assert list(rows) == ["C", "raw", "ours"]
    (rows,) = tablesOf(runBench("echo", "--only", "raw,ours", *large, CC="no-such-compiler"))
    assert list(rows) == ["raw", "ours"]


def test_withoutCompilerTheLoadIsPython() -> None:
    output = runBench("echo", "--only", "ours", "--rounds", "1", "--markdown", *TINY["echo"], CC="no-such-compiler")
    assert "load in Python" in output
    (rows,) = tablesOf(output)
    assert all(number(rows["ours"][title]) > 0 for title in rows["ours"] if title not in {*MAY_BE_NOTHING, "spread %"})
    output = runBench("echo", "--only", "C", status=2, CC="no-such-compiler")
    assert "C is not here: no C compiler" in output


def test_framesAreTheSameFromBothLoads() -> None:
    for kind in ("lines", "strings"):
        plain = ["--only", "ours", "--rounds", "1", "--markdown", *TINY[kind]]
        (rows,) = tablesOf(runBench(kind, *plain, CC="no-such-compiler"))
        assert number(rows["ours"]["messages/s (x ours)"]) > 0


@needsCompiler
def test_cThatDoesNotCompileCountsAsNone(tmp_path: Path) -> None:
    output = runBench("echo", "--only", "C", status=2, CC="false", XDG_CACHE_HOME=str(tmp_path))
    assert "C is not here" in output
    assert list((tmp_path / "reactor-bench").iterdir()) == []


@needsCompiler
def test_programsAreCompiledOnce(tmp_path: Path) -> None:
    folder = tmp_path / "reactor-bench"
    arguments = ("echo", "--only", "C", "--rounds", "1", "--seconds", "0.1")
    runBench(*arguments, XDG_CACHE_HOME=str(tmp_path))
    made = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    assert sorted(name.partition("-")[0] for name in made) == ["limit", "load"]
    runBench(*arguments, XDG_CACHE_HOME=str(tmp_path))
    assert {file.name: file.stat().st_mtime_ns for file in folder.iterdir()} == made


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["echo", "--only", "nobody"], "no peer is called 'nobody': there are ours, uvloop"),
        (["deferred", "--only", "asyncio"], "no peer is called 'asyncio': there are ours, twisted"),
        (["echo", "--rounds", "0"], "argument --rounds: invalid positive value: '0'"),
        (["echo", "--seconds", "nan"], "argument --seconds: invalid duration value: 'nan'"),
        (["timers", "--size", "5"], "unrecognized arguments: --size 5"),
        (["all", "--only", "nobody"], "no peer is called 'nobody'"),
        ([], "the following arguments are required: BENCHMARK"),
    ],
)
def test_mistakesInTheCommandLine(arguments: list[str], complaint: str) -> None:
    assert complaint in runBench(*arguments, status=2)


def fakeUvloop(folder: Path, code: str) -> str:
    """Put a `uvloop` that consists of `code` into `folder`; the folder, as PYTHONPATH has it."""
    (folder / "uvloop.py").write_text(code)
    (folder / "uvloop-1.dist-info").mkdir()
    (folder / "uvloop-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: uvloop\nVersion: 1\n")
    return str(folder)


def test_peerThatFailsIsReportedAndTheOthersMeasured(tmp_path: Path) -> None:
    path = fakeUvloop(tmp_path, "raise ImportError('broken on purpose')")
    arguments = ("--only", "uvloop,asyncio", "--seconds", "0.01", "--markdown")
    output = runBench("timers", *arguments, status=1, PYTHONPATH=path)
    (rows,) = tablesOf(output)
    assert list(rows) == ["asyncio"]
    assert "uvloop could not be measured" in output
    assert "broken on purpose" in output


DIES_WITH_ITS_FIRST_CLIENT = """
import asyncio, os, sys

def die():
    print("broken on purpose", file=sys.stderr, flush=True)
    os._exit(1)

class new_event_loop(asyncio.SelectorEventLoop):
    async def create_server(self, factory, *arguments, **options):
        return await super().create_server(die, *arguments, **options)
"""


def test_serverThatFailsUnderLoadIsQuoted(tmp_path: Path) -> None:
    path = fakeUvloop(tmp_path, DIES_WITH_ITS_FIRST_CLIENT)
    output = runBench("echo", "--only", "uvloop", "--seconds", "0.2", status=1, PYTHONPATH=path)
    assert "bench/servers.py" not in output
    assert "broken on purpose" in output


def test_asManyConnectionsAsFilesArePermitted() -> None:
    command = shlex.join([sys.executable, "-m", "bench", "memory", "--only", "raw", "--rounds", "1"])
    limited = ["sh", "-c", f"ulimit -n 300; {command}"]
    result = subprocess.run(limited, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert result.returncode == 0, result.stderr
    assert "memory: not 2000 connections: 300 open files are permitted" in result.stderr
    assert "memory: 200 connections held" in result.stdout


# The arithmetic.


def test_everyRoundBeginsWithAnotherPeer() -> None:
    turns: list[str] = []
    seen: list[tuple[int, str]] = []

    def takeTurn(peer: str) -> dict[str, float]:
        turns.append(peer)
        return {"turn": len(turns)}

    results, failures = alternate(["a", "b", "c"], 3, takeTurn, lambda *turn: seen.append(turn))
    assert "".join(turns) == "abcbcacab"
    assert results == {
        "a": [{"turn": 1}, {"turn": 6}, {"turn": 8}],
        "b": [{"turn": 2}, {"turn": 4}, {"turn": 9}],
        "c": [{"turn": 3}, {"turn": 5}, {"turn": 7}],
    }
    assert seen[2:5] == [(1, "c"), (2, "b"), (2, "c")]
    assert failures == {}


def test_peerThatFailsOnceIsLeftOutOfAllRounds() -> None:
    def takeTurn(peer: str) -> dict[str, float]:
        turns.append(peer)
        if turns.count("b") == 2 and peer == "b":
            raise BenchError("enough")
        return {}

    turns: list[str] = []
    results, failures = alternate(["a", "b"], 3, takeTurn, lambda *turn: None)
    assert results == {"a": [{}, {}, {}]}
    assert str(failures["b"]) == "enough"
    assert turns.count("b") == 2


ROUNDS = {
    "ours": [{"rate": 1000.0, "us": 2.0}, {"rate": 2000.0, "us": 4.0}, {"rate": 3000.0, "us": 6.0}],
    "other": [{"rate": 500.0}, {"rate": 4000.0}, {"rate": 2400.0}],
}
FIGURES = (table.Figure("rate", "things/s", 0, compared=True), table.Figure("us", "us", 2))


def test_tableShowsMediansPairedRatiosAndSpread() -> None:
    # other/ours by round: 0.5, 2.0, 0.8. Not 2400/2000, the ratio of the medians: a slow round is slow for both.
    assert table.cells(FIGURES, ROUNDS) == [
        ["", "things/s (x ours)", "spread %", "us"],
        ["ours", "2,000 (1.00)", "100", "4.00"],
        ["other", "2,400 (0.80)", "146", "-"],
    ]


def test_tableWithoutOursHasNoRatios() -> None:
    assert table.cells(FIGURES, {"other": ROUNDS["other"]}) == [
        ["", "things/s", "spread %", "us"],
        ["other", "2,400", "146", "-"],
    ]


def test_tableInBothForms() -> None:
    rows = [["", "us", "spread %"], ["ours", "1.00", "5"], ["x", "12,345.00", "50"]]
    assert table.plain(rows).splitlines() == [
        "             us  spread %",
        "ours       1.00         5",
        "x     12,345.00        50",
    ]
    assert table.markdown(rows).splitlines() == [
        "|  | us | spread % |",
        "|---|---:|---:|",
        "| ours | 1.00 | 5 |",
        "| x | 12,345.00 | 50 |",
    ]


@given(st.lists(st.integers(0, 50), min_size=1), st.integers(1, 100))
def test_percentileIsTheNearestRank(values: list[int], percent: int) -> None:
    counts = {value: values.count(value) for value in values}
    rank = -(-len(values) * percent // 100)
    assert measure.percentile(counts, percent) == sorted(values)[rank - 1]


def test_loadsAreAddedUp() -> None:
    reports = [
        '{"messages": 300, "seconds": 2.0, "took": {"10": 99, "70": 1}}',
        '{"messages": 100, "seconds": 1.0, "took": {"10": 99, "5": 1}}',
    ]
    figures = measure.Load.figures(reports)
    assert figures == {"messages": 400, "rate": 250.0, "p50": 10, "p99": 10}


def test_quickMakesLessOfWhatWasNotAskedFor() -> None:
    usual = plan.planOf("memory", ("ours",), {})
    assert (usual.connections, usual.rounds) == (2000, 3)
    quick = plan.planOf("memory", ("ours",), {"rounds": 7, "size": 3}, quick=True)
    assert (quick.connections, quick.rounds, quick.size) == (500, 7, 0)
    assert plan.planOf("echo", ("ours",), {}, quick=True).connections == 50


def test_rawIsThereOnRequestOnly() -> None:
    assert chosen(None, ("asyncio", "raw")) == ("asyncio",)
    assert chosen("raw, asyncio,raw", ("asyncio", "raw")) == ("raw", "asyncio")


# The machine and the processes.


def test_cpuTimeIsTheProcesss() -> None:
    before = time.process_time()
    used = machine.cpuTime(os.getpid())
    assert before <= used.seconds <= time.process_time()


def test_cpuTimeIsSharedByTicksAndAddsUp() -> None:
    before = machine.CpuTime(10.0, 700, 300)
    assert machine.CpuTime(10.4, 730, 310).since(before) == pytest.approx((0.3, 0.1))
    assert machine.CpuTime(10.004, 700, 300).since(before) == pytest.approx((0.004, 0.0))


def test_residentMemoryCountsWhatIsTouched() -> None:
    # Mapped, not allocated: an allocation may reuse pages that are resident already.
    with mmap.mmap(-1, 16 << 20) as kept:
        before = machine.residentKiB(os.getpid())
        kept.write(b"x" * (16 << 20))
        assert machine.residentKiB(os.getpid()) - before > 15 << 10


def test_pinsChildrenAndNotItself() -> None:
    allowed = os.sched_getaffinity(0)
    core = max(allowed)
    with Child([sys.executable, "-c", "import os; print(os.sched_getaffinity(0))"], core) as child:
        assert child.line(20) == str({core})
    assert os.sched_getaffinity(0) == allowed


def test_childThatFailsIsQuoted() -> None:
    with Child([sys.executable, "-c", "import sys; print('one'); sys.exit('no luck')"], None) as child:
        assert child.line(20) == "one"
        with pytest.raises(BenchError, match=r"ended with 1\nno luck"):
            child.line(20)


def test_childThatSaysNothingIsGivenUpAndEnded() -> None:
    with Child([sys.executable, "-c", "import signal; signal.pause()"], None) as child:
        with pytest.raises(BenchError, match=r"no answer for 0\.01 s"):
            child.line(0.01)
        assert Path(f"/proc/{child.pid}").exists()
    assert not Path(f"/proc/{child.pid}").exists()


def test_serverEndsItselfWhenNobodyDoes() -> None:
    with Child(python("bench.servers", peers.RAW, 1), None) as child:
        assert child.port() > 0
        with pytest.raises(BenchError, match="ended with -14"):  # SIGALRM
            child.line(20)
