"""The certificate of the TLS servers: signed by itself, for an hour's benchmarks, on P-256. Nobody verifies it."""

from __future__ import annotations

import atexit
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from bench.child import BenchError


@cache
def certificate() -> Path:
    """A file with a key and its certificate (PEM), which goes with this process. BenchError without `openssl`."""
    program = shutil.which("openssl")
    if program is None:
        raise BenchError("the TLS servers need a certificate: no openssl is here to make one")
    folder = Path(tempfile.mkdtemp(prefix="reactor-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    key, signed, both = folder / "key.pem", folder / "certificate.pem", folder / "both.pem"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(key)]
    command = [program, "req", "-x509", *curve, "-out", str(signed), "-days", "2", "-subj", "/CN=localhost"]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True)
    if result.returncode:
        raise BenchError(f"openssl made no certificate: {result.stderr.decode(errors='replace')[-2000:]}")
    both.write_bytes(key.read_bytes() + signed.read_bytes())
    return both
