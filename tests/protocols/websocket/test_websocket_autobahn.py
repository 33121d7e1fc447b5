"""Autobahn's test suite, both ways: kosoku runs its case files against our server, and serves them to our client.

All of sections 1 to 7 and 10, some of 9, and of 12 and 13 those whose messages are small: the large ones compress a
hundred megabytes each and take minutes. ``REACTOR_AUTOBAHN=all`` runs every one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from patience import PATIENCE

from protocols.websocket import WebSocket, WebSocketFactory, WebSocketProtocol, connect
from reactor.base import Reactor
from reactor.defer import ensureDeferred, gatherResults

kosoku = pytest.importorskip("kosoku")

EVERYTHING = os.environ.get("REACTOR_AUTOBAHN") == "all"
SECTIONS = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"]
LARGE = ["9.1.1", "9.2.2", "9.4.4", "9.7.1"]
COMPRESSED = ["12.1.1", "12.1.11", "12.2.3"] + [f"13.{number}.{case}" for number in range(1, 8) for case in (1, 3)]
CASES = None if EVERYTHING else SECTIONS + LARGE + COMPRESSED
# What the standard leaves open, and what the suite calls so.
OPEN = {"7.1.6", "7.13.1", "7.13.2"}
# A client that offers to forget what it has compressed is going to (RFC 7692, section 7.1.1.2). Ours does not offer it,
# so that the server of these cases does not compress.
NOT_OFFERED = ("13.2.", "13.5.", "13.6.")
# Nothing here that a program would not say: a limit that lets 16 MiB through, compression, and no pings of our own,
# which the suite takes for answers.
OPTIONS: dict[str, Any] = {
    "maxMessage": 1 << 25,
    "compression": True,
    "compressionBits": 15,
    "pingInterval": None,
}


class Echo(WebSocketProtocol):
    def messageReceived(self, message: str | bytes) -> None:
        self.sendMessage(message)


def verdicts(results: list[tuple[str, str, str]], least: int, unimplemented: tuple[str, ...] = ()) -> None:
    wrong = [each for each in results if each[1:] != ("OK", "OK") and each[0] not in OPEN]
    for each in [each for each in wrong if unimplemented and each[0].startswith(unimplemented)]:
        assert each[1:] == ("UNIMPLEMENTED", "OK")
        wrong.remove(each)
    assert not wrong, wrong
    assert {each[1:] for each in results if each[0] in OPEN} <= {("INFORMATIONAL", "INFORMATIONAL"), ("OK", "OK")}
    assert len(results) >= least, Counter(each[1:] for each in results)


FUZZING_CLIENT = """
import asyncio, json, sys
import kosoku

async def main():
    try:
        results = await kosoku.run_fuzzingclient(sys.argv[1], json.loads(sys.argv[2]), concurrency=4)
    except kosoku.FailureError as e:
        results = e.results
    print(json.dumps([(each.case_id, each.behavior.value, each.behavior_close.value) for each in results]))

asyncio.run(main())
"""

FUZZING_SERVER = """
import asyncio, json, sys
import kosoku

async def main():
    async with kosoku.run_fuzzingserver(json.loads(sys.argv[1]), port=0) as server:
        print(server.port, flush=True)
        try:
            results = await server.get_result()
        except kosoku.FailureError as e:
            results = e.results
    print(json.dumps([(each.case_id, each.behavior.value, each.behavior_close.value) for each in results]))

asyncio.run(main())
"""


def waitFor(reactor: Reactor, process: subprocess.Popen[str]) -> str:
    """What the process prints until its end, while the reactor runs."""
    printed: list[str] = []

    def read() -> None:
        printed.append(process.communicate()[0])
        reactor.callFromThread(reactor.stop)

    thread = threading.Thread(target=read)
    thread.start()
    limit = reactor.callLater(PATIENCE * (20 if EVERYTHING else 1), process.kill)
    reactor.run()
    thread.join()
    if limit.active():
        limit.cancel()
    return printed[0]


def test_theServerPassesTheSuite() -> None:

    reactor = Reactor()
    factory = WebSocketFactory.forProtocol(Echo, origins=None, **OPTIONS)
    factory.noisy = False
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    url = f"ws://127.0.0.1:{port.getHost().port}"
    command = [sys.executable, "-c", FUZZING_CLIENT, url, json.dumps(CASES)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        results = json.loads(waitFor(reactor, process))
    verdicts([tuple(each) for each in results], 500 if EVERYTHING else 268)


def test_theClientPassesTheSuite() -> None:

    async def some(url: str, numbers: Iterator[int]) -> None:
        for number in numbers:
            asked = f"{url}/runCase?case={number}&agent=reactor"
            await (await connect(asked, reactor=reactor, protocol=Echoing, **OPTIONS)).over()

    async def run(url: str) -> None:
        counting = await connect(f"{url}/getCaseCount", reactor=reactor, **OPTIONS)
        count = int(await counting.receive())
        await counting.close()
        numbers = iter(range(1, count + 1))
        await gatherResults([ensureDeferred(some(url, numbers)) for _ in range(6)])
        reporting = await connect(f"{url}/updateReports?agent=reactor", reactor=reactor, **OPTIONS)
        await reporting.close()

    class Echoing(WebSocket):
        def messageReceived(self, message: str | bytes) -> None:
            self.sendMessage(message)

        def over(self) -> Any:
            return self.receive().addErrback(lambda failure: None)

    reactor = Reactor()
    failures: list[Any] = []
    command = [sys.executable, "-c", FUZZING_SERVER, json.dumps(CASES)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = f"ws://127.0.0.1:{int(process.stdout.readline())}"

        def failed(failure: Any) -> None:
            failures.append(failure)
            process.kill()

        reactor.callWhenRunning(lambda: ensureDeferred(run(url)).addErrback(failed))
        printed = waitFor(reactor, process)
    assert not failures, failures[0].getTraceback()
    verdicts([tuple(each) for each in json.loads(printed)], 500 if EVERYTHING else 268, NOT_OFFERED)
