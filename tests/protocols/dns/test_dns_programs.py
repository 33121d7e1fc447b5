"""Whole programs: beside asyncio, what is loaded, and what is said where dnspython is missing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from nameservers import NameServer, resolverOf
from net import Net
from script import script

from reactor.base import Reactor

FORWARDING = """
import sys
from protocols import dns
SERVER = ("127.0.0.1", int(sys.argv[1]))
"""


@pytest.fixture
def server(tmp_path: object) -> Iterator[int]:
    """A name server in a thread of its own; its port."""
    reactor = Reactor()
    ports: list[object] = []
    made = NameServer(SimpleNamespace(reactor=reactor, ports=ports))
    thread = threading.Thread(target=reactor.run, args=(False,))
    thread.start()
    yield made.port
    reactor.callFromThread(reactor.stop)
    thread.join()
    reactor.close()


@pytest.mark.parametrize("how", ["asyncio.run", "reactor.run"])
def test_besideAsyncio(server: int, how: str) -> None:
    """A coroutine of asyncio's on our loop awaits a look-up, and may be cancelled or run out of time; the loop's own
    getaddrinfo is the system's resolver.
    """
    said = script(
        FORWARDING
        + f"""
        import asyncio, socket, reactor.aio
        from reactor._ground.current import currentReactor

        async def main():
            # Not how fast the machine is.
            asyncio.get_running_loop().slow_callback_duration = 60
            resolver = dns.Resolver(servers=[SERVER], search=[], lifetime=60)
            currentReactor().installNameResolver(resolver)
            print([each.exchange for each in await dns.lookup("mail.example", "MX")])
            try:
                await dns.lookup("missing.example")
            except dns.NoSuchName as e:
                print(type(e).__name__)
            many = [asyncio.ensure_future(one(n)) for n in range(20)]
            print(len(await asyncio.gather(*many)))
            task = asyncio.ensure_future(one(99))
            await asyncio.sleep(0)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                print("cancelled")
            socket.getaddrinfo = lambda *args: print("the system is asked for", args[0]) or []
            await asyncio.get_running_loop().getaddrinfo("four.example", 80)

        async def one(n):
            return await dns.lookup(f"n{{n}}.wild.example")

        if {how!r} == "asyncio.run":
            reactor.aio.run(main())
        else:
            from reactor import reactor as ours
            ours.callWhenRunning(lambda: reactor.aio.start(main()).addBoth(lambda r: (r and print(r), ours.stop())))
            ours.run()
        """.replace("\n        ", "\n"),
        server,
    )
    assert said == [
        "['mx1.example', 'mx2.example']",
        "NoSuchName",
        "20",
        "cancelled",
        "the system is asked for four.example",
    ]


def test_whatIsLoaded() -> None:
    """No TLS, no asyncio, no resolver of dnspython's."""
    said = script(
        """
        import sys
        import protocols.dns
        heavy = ("ssl", "asyncio", "dns.resolver", "dns.query", "dns.asyncquery", "httpx", "trio", "zope.interface")
        print([name for name in heavy if name in sys.modules])
        """
    )
    assert said == ["[]"]


def test_withoutDnspython() -> None:
    said = script(
        """
        import sys
        sys.modules["dns"] = None
        try:
            import protocols.dns
        except ImportError as e:
            print(e)
        """
    )
    assert "protocols.dns needs dnspython: pip install 'reactor-loop[dns]'" in said[0]


@pytest.mark.parametrize("net", ["default"], indirect=True)
def test_everySocketIsQuiet(net: Net) -> None:
    """One is opened and closed for each question: nothing about that stands in the log."""
    server = NameServer(net)
    with net.caplog.at_level(logging.INFO):
        net.caplog.clear()
        net.result(resolverOf(net, server).lookup("host.example"))
        assert net.caplog.records == []
