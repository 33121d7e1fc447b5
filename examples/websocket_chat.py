"""A chat in the browser: a page, and a WebSocket on which whatever anybody says is told to everybody.

    python websocket_chat.py [port]

Listens on this machine only, on a port that the system chooses unless one is given, prints the page's address, and
serves until Ctrl-C. Open the page in two windows. It needs the extras ``http`` and ``websocket``.
"""

from __future__ import annotations

import json
import sys
from collections import deque
from typing import Any

from protocols import http, websocket
from reactor import reactor

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Chat</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 40em; margin: 2em auto; padding: 0 1em }
  form { display: flex; gap: .5em }
  input { font: inherit; padding: .3em; flex: 1 }
  #name { flex: 0 1 8em }
  b { margin-right: .5em }
</style>
<h1>Chat</h1>
<div id="said"></div>
<form id="say">
  <input id="name" placeholder="your name" maxlength="30" required>
  <input id="text" placeholder="say something" maxlength="1000" autocomplete="off" required>
  <button>Say</button>
</form>
<p id="state">connecting</p>
<script>
  const said = document.getElementById("said"), state = document.getElementById("state");
  let socket, wait = 500;

  function show(message) {
    const line = document.createElement("div"), name = document.createElement("b");
    name.textContent = message.name;
    line.append(name, message.text);
    said.append(line);
    line.scrollIntoView();
  }

  function connect() {
    socket = new WebSocket(location.href.replace(/^http/, "ws").replace(/[#?].*/, "") + "chat", "chat");
    socket.onopen = () => { state.textContent = "connected"; wait = 500; said.replaceChildren() };
    socket.onmessage = (event) => show(JSON.parse(event.data));
    socket.onclose = () => {
      state.textContent = "not connected; trying again";
      setTimeout(connect, wait = Math.min(wait * 2, 30000));
    };
  }

  document.getElementById("say").onsubmit = (event) => {
    event.preventDefault();
    const name = document.getElementById("name"), text = document.getElementById("text");
    socket.send(JSON.stringify({ name: name.value, text: text.value }));
    text.value = "";
  };

  connect();
</script>
</html>
"""


class Room:
    """Who is there, and what was said last."""

    def __init__(self) -> None:
        self.sockets: set[websocket.WebSocket] = set()
        self.said: deque[str] = deque(maxlen=50)

    async def join(self, socket: websocket.WebSocket) -> None:
        """Tell `socket` what was said before, and everybody what it says, until it leaves."""
        for message in self.said:
            await socket.send(message)
        self.sockets.add(socket)
        try:
            async for text in socket:
                said = json.loads(text)
                message = json.dumps({"name": str(said["name"])[:30], "text": str(said["text"])[:1000]})
                self.said.append(message)
                for each in list(self.sockets):
                    # Nobody waits for who reads slowly: too far behind, and a WebSocket is ended.
                    each.transport.sendMessage(message)
        except (ValueError, KeyError, TypeError):
            await socket.close(websocket.CloseCode.UNSUPPORTED_DATA, "not what the page says")
        finally:
            self.sockets.discard(socket)


room = Room()


async def handler(request: http.Request) -> Any:
    """The page, and its WebSocket."""
    if request.path == "/chat":
        await room.join(await websocket.accept(request, subprotocols=["chat"], maxMessage=8192))
        return None
    if request.path == "/":
        return http.Response(PAGE, contentType="text/html; charset=utf-8")
    return http.Response("There is only the chat, at /\n", status=404)


def main() -> None:
    """Serve."""
    port = reactor.listenTCP(int(sys.argv[1]) if len(sys.argv) > 1 else 0, http.Site(handler), interface="127.0.0.1")
    print(f"The chat is at http://127.0.0.1:{port.getHost().port}/", flush=True)
    reactor.run()


if __name__ == "__main__":
    main()
