"""A web application by Starlette: ``python -m reactor serve examples.asgi_app:app``, then http://127.0.0.1:8000/.

``pip install '.[http,websocket]' starlette``. Pages, a stream, a WebSocket that sends back, and something that is there
from the server's start to its stop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypedDict

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket


class State(TypedDict):
    """What every request finds in ``request.state``."""

    greeting: str


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[State]:
    """What is opened here is closed when the server stops."""
    yield {"greeting": "Hello"}


async def hello(request: Request) -> Response:
    """A page."""
    return PlainTextResponse(f"{request.state.greeting}, {request.path_params.get('name', 'world')}!\n")


async def upload(request: Request) -> Response:
    """How much came, taken as it comes."""
    size = 0
    async for piece in request.stream():
        size += len(piece)
    return JSONResponse({"bytes": size})


async def count(request: Request) -> Response:
    """A line every tenth of a second, for as long as somebody listens."""

    async def lines() -> AsyncIterator[str]:
        for number in range(int(request.query_params.get("lines", "50"))):
            yield f"{number}\n"
            await asyncio.sleep(0.1 if number else 0)

    return StreamingResponse(lines(), media_type="text/plain")


async def echo(socket: WebSocket) -> None:
    """Send back what comes."""
    await socket.accept()
    async for message in socket.iter_text():
        await socket.send_text(message)


app = Starlette(
    routes=[
        Route("/", hello),
        Route("/hello/{name}", hello),
        Route("/upload", upload, methods=["POST"]),
        Route("/count", count),
        WebSocketRoute("/echo", echo),
    ],
    lifespan=lifespan,
)
