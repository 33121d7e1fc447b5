"""The chat in the browser: its page in a headless Chromium, which somebody here talks to through a socket of our own,
and the program of the page on WebSocket.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from net import Net
from patience import PATIENCE
from test_examples import Running

import reactor
from protocols import websocket

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


@contextmanager
def chat(folder: Path) -> Iterator[tuple[str, Callable[[], str]]]:
    """The example's address, and what ends it and gives what it has printed besides."""
    running = Running(folder, "websocket_chat.py", ())
    try:
        found = re.fullmatch(r"The chat is at (http://127\.0\.0\.1:\d+/)", running.line())
        assert found
        yield found[1], running.ended
    finally:
        running.process.kill()
        running.process.communicate()


def joined(net: Net, address: str) -> Any:
    url = address.replace("http", "ws") + "chat"
    return net.result(websocket.connect(url, reactor=net.reactor, subprotocols=["chat"], origin=address[:-1]))


def test_websocketChat(net: Net, tmp_path: Path) -> None:
    with chat(tmp_path) as (address, _):
        with urllib.request.urlopen(address) as page:
            assert b"<title>Chat</title>" in page.read()
        one, other = joined(net, address), joined(net, address)
        one.send(json.dumps({"name": "one", "text": "<b>héllo</b>"}))
        for each in (one, other):
            assert json.loads(net.result(each.receive())) == {"name": "one", "text": "<b>héllo</b>"}
        late = joined(net, address)
        assert json.loads(net.result(late.receive()))["name"] == "one"
        for nonsense in ("{", "[]", '{"name": "x"}'):
            bad = joined(net, address)
            bad.send(nonsense)
            net.until(lambda bad=bad: bad.closed)
            assert bad.closed.value.code == websocket.CloseCode.UNSUPPORTED_DATA
        with pytest.raises(websocket.HandshakeError) as caught:
            url = address.replace("http", "ws") + "chat"
            net.result(websocket.connect(url, reactor=net.reactor, origin="http://evil.example"))
        assert caught.value.status == 403
        for each in (one, other, late):
            net.result(each.close())


# Talks by itself, and says what its page shows when it has heard of itself.
SCRIPT = """
<script>
  const talking = setInterval(() => {
    if (socket.readyState !== 1) return;
    clearInterval(talking);
    document.getElementById("name").value = "browser";
    document.getElementById("text").value = "hello & <goodbye> \\u20ac";
    document.getElementById("say").requestSubmit();
  }, 20);
  const looking = setInterval(() => {
    if (!said.textContent.includes("welcome")) return;
    clearInterval(looking);
    socket.send(JSON.stringify({ name: "shown", text: said.innerHTML }));
  }, 20);
</script>
"""


@pytest.mark.skipif(which("chromium") is None, reason="needs chromium")
def test_websocketChatInABrowser(net: Net, tmp_path: Path) -> None:
    program = tmp_path / "talking_chat.py"
    source = (ROOT / "examples" / "websocket_chat.py").read_text()
    program.write_text(source.replace("</html>", SCRIPT + "</html>"))
    environment = {**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1])}
    command = [
        *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        *(f"--user-data-dir={tmp_path / 'profile'}", "--remote-debugging-port=0"),
    ]
    with subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True, env=environment) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().split()[-1]
            here = joined(net, address)
            with subprocess.Popen([*command, address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as browser:
                try:
                    heard = json.loads(net.result(here.receive(), PATIENCE))
                    here.send(json.dumps({"name": "here", "text": "welcome"}))
                    net.result(here.receive())
                    shown = json.loads(net.result(here.receive(), PATIENCE))
                finally:
                    browser.terminate()
            assert heard == {"name": "browser", "text": "hello & <goodbye> \u20ac"}
            # As text, not as markup.
            said = "<div><b>browser</b>hello &amp; &lt;goodbye&gt; \u20ac</div><div><b>here</b>welcome</div>"
            assert shown == {"name": "shown", "text": said}
            here.abort()
            net.until(lambda: here.closed)
        finally:
            server.kill()
