"""The example of DNS does what its first paragraph says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from nameservers import NameServer
from net import Net

import reactor

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "dns_lookup.py"
pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["four.example"], "A(name='four.example', ttl=300, address='192.0.2.4')"),
        (["mail.example", "MX"], "MX(name='mail.example', ttl=300, preference=10, exchange='mx1.example')"),
        (["missing.example"], "missing.example is not there"),
        (["four.example", "AAAA"], "four.example has no AAAA"),
        (["four.example", "AXFR"], "lookup(): type 'AXFR' cannot be looked up"),
        (["a..b"], "'a..b' is no domain name"),
        (["127.0.0.1"], "localhost"),
    ],
)
def test_dnsLookup(net: Net, arguments: list[str], said: str) -> None:
    server = NameServer(net)
    command = [sys.executable, "-X", "dev", str(EXAMPLE), *arguments]
    command += [] if len(arguments) > 1 else ["A"]
    environment = {**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1]), "PYTHONWARNINGS": "error"}
    command.append(f"127.0.0.1:{server.port}")
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdout=pipe, stderr=subprocess.STDOUT, text=True) as process:
        try:
            net.until(lambda: process.poll() is not None)
            assert process.stdout is not None
            assert said in process.stdout.read() and process.returncode == 0
        finally:
            process.kill()
