"""bench/: that the page, the plots and the growth are written, and that every peer's own program works."""

from __future__ import annotations

import json
import shutil
import socket
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest
from benching import runBench
from patience import PATIENCE

from bench import aioapps, aioservers, aioserving, certificate, load, peers, plots, report, results, servers, table
from bench.catalogue import BENCHMARKS, SECURE
from bench.child import Child, python
from bench.plan import DEFAULTS, Plan
from bench.questions import QUESTIONS

needsOpenSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here to make a certificate")


QUICK = ("--rounds", "1", "--seconds", "0.02")


def test_reportWritesAPageFiguresAndAPlot(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    wanted = ("--only", "ours,asyncio", "--benchmarks", "timers,deferred")
    output = runBench("report", "--out", str(folder), *wanted, *QUICK)
    page = (folder / "report.md").read_text()
    assert f"CPython {sys.version.split()[0]}" in page
    assert page.index("## timers") < page.index("## Deferreds")
    assert page.count("\n| ours |") == 2
    assert page.count("\n| asyncio |") == 1
    assert (folder / "report.inc").read_text().count("   * - ours\n     - ") == 2
    rounds = json.loads((folder / "report.json").read_text())
    assert list(rounds) == ["timers", "Deferreds"]
    (one,) = rounds["timers"]["asyncio"]
    assert set(one) == {"cancel", "fire", "reset"}
    if plots.isInstalled():
        texts = [text.strip() for text in xml.parse(folder / "report.svg").getroot().itertext()]
        assert {"timers: schedule + cancel us", "ours", "asyncio"} <= set(texts)
    else:
        assert "no plot: matplotlib is not installed" in output


def test_scalingWritesTablesAndPlots(tmp_path: Path) -> None:
    few = ("--connections", "1,3", "--idle", "5", "--live", "100,300", "--only", "ours", "--rounds", "1")
    runBench("scaling", "--out", str(tmp_path), *few, "--seconds", "0.1")
    page = (tmp_path / "scaling.md").read_text()
    assert "## CPU us/message, 5 idle beside\n\n| connections | 1 | 3 |" in page
    assert "## us/timer, schedule + fire\n\n| alive | 100 | 300 |" in page
    drawn = {"connections.svg", "timers.svg"} if plots.isInstalled() else set()
    assert {file.name for file in tmp_path.iterdir()} == {"scaling.md", *drawn}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["report", "--benchmarks", "nothing"], "no benchmark is called 'nothing': there are echo, "),
        (["report", "--only", "nobody"], "no peer is called 'nobody'"),
        (["scaling", "--idle=-1"], "-1: each must be 0 or more"),
        (["scaling", "--rounds", "0"], "--seconds and --rounds must be above 0"),
        (["echo", "--idle=-1"], "argument --idle: invalid natural value: '-1'"),
    ],
)
def test_mistakesInTheCommandLine(arguments: list[str], complaint: str, tmp_path: Path) -> None:
    out = ["--out", str(tmp_path)] if arguments[0] != "echo" else []
    assert complaint in runBench(*arguments, *out, status=2)


@needsOpenSSL
@pytest.mark.parametrize("name", ["tls", "handshakes"])
def test_loadsInPythonSpeakTLS(name: str) -> None:
    few = ("--only", "ours", "--connections", "2", "--size", "20000", "--rounds", "1", "--seconds", "0.1")
    assert "ours" in runBench(name, *few, CC="no-such-compiler")


# Every peer's programs, without a load: they listen and echo, or come and go.


def echoes(name: str, *transport: object, where: str = "{}", module: str = "bench.servers") -> bool:
    """Whether the server by that name sends back what it is sent."""
    with Child(python(module, name, 20, *transport), None) as child:
        connection = load.dial(where.format(child.port()))
        with connection:
            connection.settimeout(PATIENCE)
            connection.sendall(b"x" * 1000)
            got = b""
            while len(got) < 1000 and (data := connection.recv(1000)):
                got += data
            return got == b"x" * 1000


@pytest.mark.parametrize("name", [name for name in peers.MODULES if peers.isInstalled(name)])
def test_peersServersEcho(name: str, tmp_path: Path) -> None:
    assert echoes(name)
    assert echoes(name, servers.UNIX, tmp_path / "socket", where=f"unix:{tmp_path / 'socket'}")
    if name in SECURE and shutil.which("openssl"):
        assert echoes(name, servers.TLS, certificate.certificate(), where="tls:{}")


@pytest.mark.parametrize("name", [n for n in BENCHMARKS["udp"].peers if n in peers.MODULES and peers.isInstalled(n)])
def test_peersServersForDatagramsEcho(name: str) -> None:
    with Child(python("bench.datagrams", name, 20), None) as child, load.dial(f"udp:{child.port()}") as connection:
        connection.settimeout(PATIENCE)
        connection.send(b"one")
        assert connection.recv(100) == b"one"


@pytest.mark.parametrize("kind", [servers.TCP, *aioservers.SERVERS])
@pytest.mark.parametrize("name", [name for name in peers.ASYNCIO if peers.isInstalled(name)])
def test_asyncioServersEcho(name: str, kind: str) -> None:
    assert echoes(name, kind, module="bench.aioservers")


@pytest.mark.skipif(not BENCHMARKS["twisted"].peers, reason="no Twisted with pyOpenSSL here")
def test_requestsAreTheSameFromBothLoads() -> None:
    few = ("--connections", "2", "--rounds", "1", "--seconds", "0.1")
    assert "ours" in runBench("twisted", "--only", "ours", *few, CC="no-such-compiler")


@pytest.mark.parametrize("library", aioapps.LIBRARIES)
@pytest.mark.parametrize("name", [name for name in peers.ASYNCIO if peers.isInstalled(name)])
def test_librariesServersAnswer(name: str, library: str) -> None:
    if not aioapps.isInstalled(library):
        pytest.skip(f"no {library} here")
    asked, opened = QUESTIONS[aioserving.QUESTIONS[library]]
    with (
        Child(python("bench.aioapps", name, 20, library), None) as child,
        load.dial(f":{child.port()}") as connection,
        connection.makefile("rb") as answers,
    ):
        connection.settimeout(PATIENCE)
        answer = opened(connection)
        for size in (5, 126, 70_000):
            message = asked(size)
            connection.sendall(message)
            due = answer if answer > 0 else len(message) + answer
            got = answers.read(due)
            assert len(got) == due
            assert got.endswith(b"hello, world" if answer > 0 else b"x" * size)


def test_answersThatAreNone() -> None:
    for _, opened in QUESTIONS.values():
        for answer in (b"HTTP/1.1 400 no\r\n\r\n", b"HTTP/1.1 2"):
            one, other = socket.socketpair()
            with one, other:
                other.sendall(answer)
                other.shutdown(socket.SHUT_WR)
                with pytest.raises(ConnectionError):
                    opened(one)


@pytest.mark.parametrize("name", [name for name in (*peers.GUESTS, "aiofastnet") if peers.isInstalled(name)])
def test_guestsClientsComeGoAndHold(name: str) -> None:
    with Child(python("bench.servers", peers.RAW, 20), None) as server:
        port = server.port()
        with Child(python("bench.clients", name, port, 0.1, 2, 10), None) as client:
            assert client.figures(20)["rate"] > 0
        with Child(python("bench.holders", name, port, 50), None) as client:
            assert set(client.figures(20)) == {"memory"}


# The arithmetic.


def test_everyCaseIsOfABenchmarkAndItsOptions() -> None:
    assert {case.benchmark for case in report.CASES} == set(BENCHMARKS)
    for case in report.CASES:
        assert set(case.options) <= set(DEFAULTS[case.benchmark]), case
    titles = [case.title for case in report.CASES]
    assert len(set(titles)) == len(titles)


def resultOf(name: str, rounds: dict[str, list[dict[str, float]]], strangers: float = 0.0) -> results.Result:
    plan = Plan(tuple(rounds), 1, 1.0, 1, 1, 1, live=1)
    return results.Result(name, plan, rounds, {}, strangers)


def test_costsAreMultiplesOfOurs() -> None:
    echo, memory = (next(case for case in report.CASES if case.benchmark == name) for name in ("echo", "memory"))
    done = [
        (echo, resultOf("echo", {"ours": [{"rate": 10.0, "cpu": 2.0}], "asyncio": [{"rate": 5.0, "cpu": 5.0}]})),
        (memory, resultOf("memory", {"asyncio": [{"client": 1.0}]})),
    ]
    assert report.costs(done) == {f"{echo.title}: CPU us/message": {"ours": 1.0, "asyncio": 2.5}}


def test_pageSaysWhenOthersWereInTheWay() -> None:
    case = report.CASES[0]
    rounds = {"ours": [{"rate": 10.0, "cpu": 2.0}]}
    assert "Other programs" not in report.page([(case, resultOf("echo", rounds, 5.0))])
    page = report.page([(case, resultOf("echo", rounds, 5.1))])
    assert "Other programs used 5 % of a core meanwhile" in page
    assert table.markdown(resultOf("echo", rounds).rows()) in page


def test_connectionsAndIdleOnesAreAsManyAsFilesArePermitted(capsys: pytest.CaptureFixture[str]) -> None:
    plan = Plan(("ours",), 1, 1.0, 150, 1, 1, idle=100)
    assert results.permitted("echo", plan, 1000) == plan
    limited = results.permitted("echo", plan, 300)
    assert (limited.connections, limited.idle) == (150, 50)
    assert "echo: not 100 idle ones beside: 300 open files are permitted" in capsys.readouterr().err


@needsOpenSSL
def test_certificateIsMadeOnceAndHasItsKey() -> None:
    made = certificate.certificate()
    assert made is certificate.certificate()
    text = made.read_text()
    assert "PRIVATE KEY" in text
    assert "BEGIN CERTIFICATE" in text


def test_dialReachesAListener() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with load.dial(str(listener.getsockname()[1])) as connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
