"""The programs in C, compiled once and kept in a cache folder; nothing where there is no compiler."""

from __future__ import annotations

import atexit
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

_SOURCES = Path(__file__).resolve().parent


@cache
def cacheFolder() -> Path:
    """A folder for what is made once: in $XDG_CACHE_HOME or ~/.cache, else one that goes with this process."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "reactor-bench"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        # Not a fixed name: anybody could have put there what we would run.
        folder = Path(tempfile.mkdtemp(prefix="reactor-bench-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def compiler() -> str | None:
    """The path of the C compiler: $CC, else the first of cc, gcc and clang that there is; None without one."""
    for name in [os.environ["CC"]] if os.environ.get("CC") else ["cc", "gcc", "clang"]:
        if found := shutil.which(name):
            return found
    return None


# What the compiler needs to know of a program beyond its name.
_LIBRARIES = {"dial": ("-pthread",)}
_TLS = ("-DTLS", "-lssl", "-lcrypto")


@cache
def compiled(program: str, tls: bool = False) -> Path | None:
    """The executable made of bench/`program`.c, with `tls` one that has OpenSSL.

    None where there is no compiler, or it cannot compile that, say for want of OpenSSL's headers.
    """
    cc = compiler()
    if cc is None:
        return None
    source = _SOURCES / f"{program}.c"
    options = [*_LIBRARIES.get(program, ()), *(_TLS if tls else ())]
    shared = (_SOURCES / "net.h").read_bytes()
    made = f"{cc} {options} {platform.machine()}".encode()
    key = hashlib.sha256(source.read_bytes() + shared + made).hexdigest()[:16]
    executable = cacheFolder() / f"{program}-{key}"
    if executable.exists():
        return executable
    # Under another name first: two benchmarks may compile at the same time, and neither may run half a program.
    unfinished = executable.with_suffix(f".{os.getpid()}")
    command = [cc, "-O2", "-o", unfinished, source, *options]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True)
    if result.returncode:
        unfinished.unlink(missing_ok=True)
        return None
    os.replace(unfinished, executable)
    return executable
