"""Sockets that a service manager opened for this process and handed over (systemd's socket activation).

Three environment variables tell of them: LISTEN_PID, whom they are meant for; LISTEN_FDS, how many there are, from
descriptor 3 on; LISTEN_FDNAMES, what they are called, with colons between. See sd_listen_fds(3).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST = 3
# More than a process may have open.
_MOST = 1 << 20


def inherited(environ: Mapping[str, str], pid: int) -> list[tuple[int, str]]:
    """The descriptor and the name ("unknown" for those without) of every socket that process `pid` was given.

    Empty when they are none, or another process's. ValueError, which names the variable, for what cannot be understood.
    """
    if "LISTEN_PID" not in environ or "LISTEN_FDS" not in environ:
        return []
    if _number(environ, "LISTEN_PID") != pid:
        return []
    count = _number(environ, "LISTEN_FDS")
    names = environ["LISTEN_FDNAMES"].split(":") if environ.get("LISTEN_FDNAMES") else ["unknown"] * count
    if len(names) != count:
        raise ValueError(f"LISTEN_FDNAMES has {len(names)} names, but LISTEN_FDS says {count} descriptors")
    return list(zip(range(FIRST, FIRST + count), names, strict=True))


def _number(environ: Mapping[str, str], variable: str) -> int:
    text = environ[variable]
    if not (text.isascii() and text.isdigit() and len(text) <= 10) or (variable == "LISTEN_FDS" and int(text) > _MOST):
        raise ValueError(f"{variable} should be a number, not {text!r}")
    return int(text)
