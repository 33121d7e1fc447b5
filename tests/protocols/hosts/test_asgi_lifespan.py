"""The lifespan of an application of ASGI: who knows of it, who does not, and who fails."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from net import Net

from protocols.asgi import Lifespan, LifespanFailed

# Of a poller there is nothing in this.
pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


def knows(**on: Any) -> Any:
    heard: list[str] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "lifespan"
        scope["state"]["kept"] = 1
        while True:
            message = await receive()
            heard.append(message["type"])
            phase = message["type"].removeprefix("lifespan.")
            answer = on.get(phase, "complete")
            if isinstance(answer, Exception):
                raise answer
            if answer is not None:
                await send({"type": f"{message['type']}.{answer}", "message": "because"})
            if phase == "shutdown":
                return

    application.heard = heard  # type: ignore[attr-defined]
    return application


def test_it_is_told_of_both(net: Net) -> None:
    application = knows()
    lifespan = Lifespan(application, reactor=net.reactor)
    net.result(lifespan.startup())
    assert lifespan.state == {"kept": 1}
    assert application.heard == ["lifespan.startup"]
    net.result(lifespan.shutdown(5))
    assert application.heard == ["lifespan.startup", "lifespan.shutdown"]


def test_its_startup_fails(net: Net) -> None:
    with pytest.raises(LifespanFailed, match="because"):
        net.result(Lifespan(knows(startup="failed"), reactor=net.reactor).startup())


def test_its_startup_raises(net: Net) -> None:
    with pytest.raises(LifespanFailed, match="ValueError: no database"):
        net.result(Lifespan(knows(startup=ValueError("no database")), reactor=net.reactor).startup())


async def knowsNothing(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "http"


def test_who_does_not_know_of_it(net: Net) -> None:
    lifespan = Lifespan(knowsNothing, reactor=net.reactor)
    net.result(lifespan.startup())
    net.result(lifespan.shutdown(5))
    with pytest.raises(LifespanFailed, match="does not know of lifespan"):
        net.result(Lifespan(knowsNothing, "on", reactor=net.reactor).startup())
    off = Lifespan(knows(startup="failed"), "off", reactor=net.reactor)
    net.result(off.startup())


@pytest.mark.parametrize("answer", ["failed", ValueError("it broke")])
def test_its_shutdown_goes_wrong(net: Net, answer: Any) -> None:
    lifespan = Lifespan(knows(shutdown=answer), reactor=net.reactor)
    net.result(lifespan.startup())
    net.result(lifespan.shutdown(5))
    net.expectErrors()


def test_its_shutdown_takes_too_long(net: Net, caplog: pytest.LogCaptureFixture) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await receive()

    lifespan = Lifespan(application, reactor=net.reactor)
    net.result(lifespan.startup())
    with caplog.at_level(logging.WARNING):
        net.result(lifespan.shutdown(0.01))
    assert "has not shut down in 0.01 s" in caplog.text


def test_messages_that_do_not_belong_there(net: Net) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        for kind in ("lifespan.shutdown.complete", "http.response.start", "lifespan.startup.done"):
            with pytest.raises(RuntimeError, match="send\\(\\)"):
                await send({"type": kind})
        await send({"type": "lifespan.startup.complete"})
        with pytest.raises(RuntimeError, match="does not come now"):
            await send({"type": "lifespan.startup.complete"})
        await receive()

    lifespan = Lifespan(application, reactor=net.reactor)
    net.result(lifespan.startup())
    net.result(lifespan.shutdown(5))


def test_a_mode_that_is_none(net: Net) -> None:
    with pytest.raises(ValueError, match="mode must be one of auto, on, off, not 'maybe'"):
        Lifespan(knows(), "maybe", net.reactor)
