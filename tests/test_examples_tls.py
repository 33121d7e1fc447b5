"""The examples with TLS do what their first paragraphs say, each as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from patience import PATIENCE
from tls import authority, issued

import reactor

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def run(folder: Path, name: str) -> list[str]:
    issued().private_key_pem.write_to_path(str(folder / "key.pem"))
    issued().cert_chain_pems[0].write_to_path(str(folder / "certificate.pem"))
    authority().cert_pem.write_to_path(str(folder / "authority.pem"))
    environment = {**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1]), "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, "-X", "dev", str(EXAMPLES / name), "key.pem", "certificate.pem", "authority.pem"],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_echo(tmp_path: Path) -> None:
    lines = run(tmp_path, "tls_echoserver.py")
    assert lines[0].startswith("listening on port ")
    assert lines[1].startswith("connected: TLSv1.3 <Certificate <DN ")
    assert lines[2:] == ["echo: hello over TLS", "connection lost: Connection closed cleanly", "stopped"]


def test_startTLS(tmp_path: Path) -> None:
    assert run(tmp_path, "starttls.py") == [
        "received: go ahead",
        "secure: TLSv1.3",
        "received: you said, in secret: my name",
        "connection lost: Connection closed cleanly",
    ]
