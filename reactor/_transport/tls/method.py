"""What OpenSSL calls a method, and which versions of TLS it stands for: all that are safe, or one."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from typing import Any

# The versions that one can insist on; whatever both sides know; and what nobody should speak any more.
VERSIONS = {"TLSv1_2_METHOD": "TLSv1_2", "TLSv1_3_METHOD": "TLSv1_3"}
ANY = ("TLS_METHOD", "SSLv23_METHOD", "TLS_SERVER_METHOD", "TLS_CLIENT_METHOD")
OUTDATED = ("SSLv2_METHOD", "SSLv3_METHOD", "TLSv1_METHOD", "TLSv1_1_METHOD")
# pyOpenSSL has numbers for them.
_NUMBERS = {1: "SSLv2", 2: "SSLv3", 3: "SSLv23", 4: "TLSv1", 5: "TLSv1_1", 6: "TLSv1_2", 7: "TLS", 8: "TLS", 9: "TLS"}


def versionOf(method: Any) -> str | None:
    """The name of the only version that `method` allows, None for all that are safe.

    :param method: OpenSSL's name, pyOpenSSL's number, a ``PROTOCOL_...`` of the standard library, or None.
    :raises ValueError: for one that is outdated, and for what is none; it says which there are.
    """
    name = method
    if getattr(method, "name", "").startswith("PROTOCOL_"):
        name = method.name.removeprefix("PROTOCOL_") + "_METHOD"
    elif isinstance(method, int):
        name = f"{_NUMBERS.get(method, method)}_METHOD"
    if name is None or name in ANY:
        return None
    if name in VERSIONS:
        return VERSIONS[name]
    why = "is outdated and not safe" if name in OUTDATED else "is no such method"
    raise ValueError(f"sslmethod {method!r} {why}; expected {' or '.join([ANY[0], *VERSIONS])}")


def limit(context: ssl.SSLContext, version: str | None) -> None:
    """Let `context` speak that version alone; None changes nothing."""
    if version is not None:
        from ssl import TLSVersion

        context.minimum_version = context.maximum_version = TLSVersion[version]
