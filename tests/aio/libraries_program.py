"""Runs the tests that libraries of others bring with them, on asyncio's own loop and on ours, and tells which are lost:
``python libraries_program.py [NAME ...]``. Ends with 1 when one is, unless `LOST` says why.

The tests come with the sources that pip downloads, in the version that is installed here. A test that is lost is run
again with the other lost ones, not beside others, before it counts.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.append(str(Path(__file__).parents[1]))

from comparing import asExpected, gathered

if TYPE_CHECKING:
    from collections.abc import Collection

    from comparing import Outcomes

HERE = Path(__file__).parent
SECONDS = 3600

#: What pytest is given for the tests of each. Where names have no IPv6 address, sockets of a fixture that failed are
#: found by the collector in other tests: that is no matter of loops.
ASKED: dict[str, list[str]] = {
    "websockets": ["-c", os.devnull, "tests/asyncio"],
    "anyio": ["-W", "ignore::pytest.PytestUnraisableExceptionWarning", "-k", "not trio and not uvloop", "tests"],
    "aiohttp": [
        *(
            "-o",
            "addopts=",
            "-p",
            "pytest_mock",
            "-p",
            "timeout",
            "-m",
            "not dev_mode and not autobahn and not internal",
        ),
        *("--ignore-glob=*benchmarks*", "tests"),
    ],
}

_PRIVATE = "looks for asyncio's TLS in a private attribute of the transport"
_SOONER = "what is ready is delivered before the calls in line, with asyncio behind them: the answer comes sooner"
_TIME = "replaces loop.time, which does not move timers here"
_PATCHED = "replaces a method of asyncio.BaseTransport, which our transports have themselves"

#: Tests that hold on asyncio's loop only, by the end of their names, and why. One that begins to hold is told.
LOST: dict[str, dict[str, str]] = {
    "websockets": {
        "ClientConnectionTests::test_local_address": _PATCHED,
        "ClientConnectionTests::test_remote_address": _PATCHED,
        "ServerConnectionTests::test_local_address": _PATCHED,
        "ServerConnectionTests::test_remote_address": _PATCHED,
    },
    "anyio": {},
    "aiohttp": {
        "test_concurrent_close_multiple_tasks[pyloop]": _SOONER,
        "test_keepalive_expires_on_time[pyloop]": _TIME,
        "test_tcp_connector_do_not_raise_connector_ssl_error[pyloop-ip address]": _PRIVATE,
        "test_tcp_connector_do_not_raise_connector_ssl_error[pyloop-domain name]": _PRIVATE,
        "test_tcp_connector_do_not_raise_connector_ssl_error[pyloop-fully-qualified domain name]": _PRIVATE,
        "test_tcp_connector_do_not_raise_connector_ssl_error"
        "[pyloop-fully-qualified domain name with multiple trailing dots]": _PRIVATE,
        "test_tcp_connector_do_not_raise_connector_ssl_error[pyloop-idna fully-qualified domain name]": _PRIVATE,
    },
}

#: Tests that hold or not as it comes, on either loop, by the end of their names, and why. They do not count.
RACES = {
    "test_asyncio_run_does_not_leak_event_loop": "asks whether a loop is freed that a thread may still have",
}


def fetched(name: str, folder: Path) -> Path | str:
    """Where the sources of `name` are, with tests; or why not."""
    given = os.environ.get(f"{name.upper()}_SOURCES")
    if given:
        return Path(given)
    try:
        number = version(name)
    except PackageNotFoundError:
        return "it is not installed"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    done = subprocess.run(
        [*command, "--no-binary", name, "--dest", folder, f"{name}=={number}"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "AIOHTTP_NO_EXTENSIONS": "1"},
    )
    if done.returncode:
        return f"its sources cannot be had: {done.stderr.strip()[-300:]}"
    (archive,) = folder.glob(f"{name}-*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    sources = folder / f"{name}-{number}"
    if not (sources / ASKED[name][-1]).is_dir():
        return f"there are no tests in its sources; {name.upper()}_SOURCES may name a folder that has them"
    return sources


def outcomes(sources: Path, loop: str, arguments: list[str], folder: Path) -> Outcomes:
    """What became of each test on `loop`, and why."""
    told = folder / f"{loop}.json"
    told.write_text("")
    environment = {
        **os.environ,
        "LIBRARY_LOOP": loop,
        "LIBRARY_OUTCOMES": str(told),
        "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "AIOHTTP_NO_EXTENSIONS": "1",
    }
    command = [sys.executable, "-m", "pytest", "-q", "--rootdir", ".", "-p", "loopplugin", "-p", "xdist", *arguments]
    done = subprocess.run(
        command, cwd=sources, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    if done.returncode not in (0, 1):
        raise SystemExit(f"pytest ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return gathered(told.read_text().splitlines())


def compare(name: str, folder: Path) -> bool:
    """Run the tests of `name` on both loops; whether all is as it should be."""
    sources = fetched(name, folder)
    if isinstance(sources, str):
        print(f"{name}: skipped: {sources}")
        return True
    arguments = ASKED[name]
    theirs = outcomes(sources, "asyncio", ["-n", "2", *arguments], folder)
    ours = outcomes(sources, "reactor", ["-n", "2", *arguments], folder)

    def again(lost: Collection[str]) -> Outcomes:
        return outcomes(sources, "reactor", [*arguments[:-1], *lost], folder)

    return asExpected(name, theirs, ours, again, LOST[name], RACES)


def main() -> int:
    """Compare what is named, or all."""
    right = True
    for name in sys.argv[1:] or ASKED:
        with tempfile.TemporaryDirectory() as folder:
            right = compare(name, Path(folder)) and right
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
