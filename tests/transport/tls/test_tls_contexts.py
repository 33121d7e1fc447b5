"""Each context that we make says for itself what is safe, whatever the defaults of the interpreter, the distribution or
the machine are.
"""

from __future__ import annotations

import os
import re
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

import reactor
from reactor._transport.tls.context import clientContext, serverContext
from reactor.ssl import AcceptableCiphers, CertificateOptions, TLSVersion, optionsForClientTLS

ROOT = Path(reactor.__file__).parents[1]
PROGRAM = Path(__file__).parents[2] / "programs" / "tls_contexts.py"

# A machine on which everything is allowed, as Debian's Pythons (no minimum) and old peers have taught administrators.
ANYTHING = """
openssl_conf = all
[all]
ssl_conf = tls
[tls]
system_default = weak
[weak]
MinProtocol = TLSv1
MaxProtocol = TLSv1.2
CipherString = ALL:@SECLEVEL=0
Options = UnsafeLegacyRenegotiation, UnsafeLegacyServerConnect, ClientRenegotiation, -EncryptThenMac
"""


def look(folder: Path, python: str = sys.executable, configuration: str | None = None) -> list[str]:
    """What the program says of all contexts, on a machine that is configured so."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("COVERAGE_PROCESS_START", None)
    environment.pop("COVERAGE_PROCESS_CONFIG", None)
    if configuration is not None:
        path = folder / "openssl.cnf"
        path.write_text(configuration)
        environment["OPENSSL_CONF"] = str(path)
    command = [python, str(PROGRAM), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("configuration", [None, ANYTHING], ids=["as it is", "anything goes"])
def test_S_tlsClient_S_tlsServer_eachContext(tmp_path: Path, configuration: str | None) -> None:
    *faults, last = look(tmp_path, configuration=configuration)
    assert faults == []
    assert int(last.split()[0]) > 25


def test_theConfigurationCounts(tmp_path: Path) -> None:
    """What the test above holds against is real: a context of the standard library's is changed by it."""
    (tmp_path / "openssl.cnf").write_text(ANYTHING)
    code = "import ssl; c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); print(hex(c.options), int(c.maximum_version))"
    environment = {**os.environ, "OPENSSL_CONF": str(tmp_path / "openssl.cnf")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=environment, check=True
    )
    options, maximum = done.stdout.split()
    assert int(options, 16) & 1 << 18
    assert int(maximum) == ssl.TLSVersion.TLSv1_2


def test_noContextIsMadeElsewhere() -> None:
    """Whoever needs one asks `context.py`, which the program above cannot look into by itself."""
    making = re.compile(r"\bSSLContext\(|create_default_context|_create_unverified_context|_create_stdlib_context")
    where = {
        path.relative_to(ROOT).as_posix()
        for package in ("reactor", "protocols", "examples")
        for path in (ROOT / package).rglob("*.py")
        if making.search(path.read_text())
    }
    # For asyncio's ``ssl=True`` it is the standard library's function, which programs replace.
    assert where == {"reactor/_transport/tls/context.py", "reactor/aio/connections.py"}


def test_whatAProgramSaysHolds() -> None:
    ciphers = AcceptableCiphers.fromOpenSSLCipherString("ECDHE-RSA-AES128-GCM-SHA256")
    context = CertificateOptions(acceptableCiphers=ciphers, lowerMaximumSecurityTo=TLSVersion.TLSv1_2).contextFor(False)
    assert context.maximum_version == TLSVersion.TLSv1_2
    assert [c["name"] for c in context.get_ciphers() if c["protocol"] == "TLSv1.2"] == ["ECDHE-RSA-AES128-GCM-SHA256"]
    lowered = {"insecurelyLowerMinimumTo": TLSVersion.TLSv1_1}
    with pytest.warns(DeprecationWarning):
        weak = optionsForClientTLS("example.org", extraCertificateOptions=lowered).getContext()
    assert weak.minimum_version == TLSVersion.TLSv1_1


def test_theyAreAllTheSame() -> None:
    for make in (clientContext, serverContext):
        first, second = make(), make()
        assert first is not second
        assert [c["name"] for c in first.get_ciphers()] == [c["name"] for c in second.get_ciphers()]
        assert first.options == second.options
