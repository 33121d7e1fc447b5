"""SASL mechanisms, the client's side: PLAIN (RFC 4616), EXTERNAL (RFC 4422), SCRAM-SHA-256 (RFC 5802, RFC 7677).

Each takes challenges and gives responses, bytes both, and knows nothing of what carries them.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import secrets
import stringprep
import unicodedata
from base64 import b64decode, b64encode
from enum import Enum

__all__ = ["External", "Mechanism", "Plain", "SASLError", "ScramSHA256", "saslprep"]


class SASLError(Exception):
    """The server's part of an authentication is wrong: a challenge that makes no sense, or no proof who it is.

    Not what there is for a wrong password: that the server says itself.
    """


class Mechanism:
    """What a client does by one mechanism. An instance is for one attempt."""

    #: As in AUTHENTICATE.
    name = ""
    #: Whether whoever reads the connection learns the password.
    showsPassword = False
    #: Whether nothing is left that the server must do before its word of success counts.
    complete = True

    def respond(self, challenge: bytes) -> bytes:
        """What answers `challenge`, which is empty at the start.

        :raises SASLError: when the challenge is wrong.
        """
        raise NotImplementedError


class Plain(Mechanism):
    """The user's name and password as they are. `authzid` is whom to act as, if that is somebody else.

    :raises ValueError: when one of them has a NUL, or there is no user name.
    """

    name = "PLAIN"
    showsPassword = True

    def __init__(self, username: str, password: str, authzid: str = "") -> None:
        if not username:
            raise ValueError("PLAIN needs a username")
        for what, text in (("username", username), ("password", password), ("authzid", authzid)):
            if "\0" in text:
                raise ValueError(f"NUL in {what}")
        self._response = "\0".join((authzid, username, password)).encode()

    def respond(self, challenge: bytes) -> bytes:
        """All there is to say; nothing is asked for."""
        return self._response


class External(Mechanism):
    """The server knows us from elsewhere, our TLS certificate say. `authzid` is whom to act as, empty for ourselves."""

    name = "EXTERNAL"

    def __init__(self, authzid: str = "") -> None:
        self._response = authzid.encode()

    def respond(self, challenge: bytes) -> bytes:
        """Whom to act as."""
        return self._response


class _Step(Enum):
    FIRST = "first"
    PROOF = "proof"
    VERIFY = "verify"
    VERIFIED = "verified"


class ScramSHA256(Mechanism):
    """Shows that we know the password and has the server show that it does, without either of us sending it.

    :param nonce: what nobody can guess; made up if None. For tests.
    :raises ValueError: when the username or password has characters that RFC 4013 forbids.
    """

    name = "SCRAM-SHA-256"
    #: How often the server may have us hash the password: fewer protects it badly (RFC 7677, section 4), more would
    #: stop the reactor for too long.
    MIN_ITERATIONS = 4096
    MAX_ITERATIONS = 500_000

    def __init__(self, username: str, password: str, authzid: str = "", nonce: str | None = None) -> None:
        if not username:
            raise ValueError("SCRAM-SHA-256 needs a username")
        self._password = saslprep(password).encode()
        self._nonce = secrets.token_urlsafe(24) if nonce is None else nonce
        self._header = f"n,{'a=' + _quoted(authzid) if authzid else ''},"
        self._bare = f"n={_quoted(saslprep(username))},r={self._nonce}"
        self._expected = b""
        self._step = _Step.FIRST

    @property
    def complete(self) -> bool:  # type: ignore[override]
        """Whether the server has shown that it knows the password."""
        return self._step is _Step.VERIFIED

    def respond(self, challenge: bytes) -> bytes:
        """The client's first message, its proof, and nothing once the server's signature is found right."""
        if self._step is _Step.FIRST:
            if challenge:
                raise SASLError("a challenge before the client's first message")
            self._step = _Step.PROOF
            return (self._header + self._bare).encode()
        try:
            text = challenge.decode()
        except UnicodeDecodeError:
            raise SASLError("a challenge that is not UTF-8") from None
        if self._step is _Step.PROOF:
            self._step = _Step.VERIFY
            return self._proof(text)
        if self._step is _Step.VERIFY:
            self._verify(text)
            self._step = _Step.VERIFIED
            return b""
        raise SASLError("a challenge after the last one")

    def _proof(self, challenge: str) -> bytes:
        nonce, salt, count = _values(challenge, "r", "s", "i")[:3]
        if not nonce.startswith(self._nonce) or nonce == self._nonce:
            raise SASLError("the server's nonce does not go on from ours")
        if not (count.isascii() and count.isdigit() and len(count) < 10):
            raise SASLError(f"not a number of iterations: {count[:20]!r}")
        iterations = int(count)
        if not self.MIN_ITERATIONS <= iterations <= self.MAX_ITERATIONS:
            raise SASLError(f"{iterations} iterations, not {self.MIN_ITERATIONS} to {self.MAX_ITERATIONS}")
        salted = hashlib.pbkdf2_hmac("sha256", self._password, _decoded(salt), iterations)
        final = f"c={b64encode(self._header.encode()).decode()},r={nonce}"
        signed = f"{self._bare},{challenge},{final}".encode()
        key = _hmac(salted, b"Client Key")
        signature = _hmac(hashlib.sha256(key).digest(), signed)
        proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        self._expected = _hmac(_hmac(salted, b"Server Key"), signed)
        return f"{final},p={b64encode(proof).decode()}".encode()

    def _verify(self, challenge: str) -> None:
        if challenge.startswith("e="):
            raise SASLError(f"the server says: {challenge[2:].partition(',')[0][:100]}")
        (signature,) = _values(challenge, "v")[:1]
        if not hmac.compare_digest(_decoded(signature), self._expected):
            raise SASLError("the server's signature is wrong: it does not know the password")


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _values(text: str, *names: str) -> list[str]:
    """The values of ``r=...,s=...``, whose attributes must begin with `names`, in that order.

    What else there is may follow; what is mandatory for us to know (``m=``) comes first, and we know none.
    """
    attributes = text.split(",")
    values = [attribute[2:] for name, attribute in zip(names, attributes, strict=False) if attribute[:2] == name + "="]
    if len(values) < len(names):
        raise SASLError(f"not {','.join(name + '=...' for name in names)}: {text[:80]!r}")
    return values


def _decoded(text: str) -> bytes:
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SASLError(f"not base64: {text[:80]!r}") from None
    if not data:
        raise SASLError("an empty value")
    return data


def _quoted(name: str) -> str:
    """A name as SCRAM has it (RFC 5802, section 5.1)."""
    return name.replace("=", "=3D").replace(",", "=2C")


_PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def saslprep(text: str) -> str:
    """`text` as names and passwords are compared: RFC 4013, a profile of RFC 3454; characters not assigned stay.

    :raises ValueError: when it has a character that is prohibited, or mixes directions (RFC 3454, section 6).
    """
    mapped = "".join(" " if stringprep.in_table_c12(c) else c for c in text if not stringprep.in_table_b1(c))
    prepared = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    for c in prepared:
        if any(prohibits(c) for prohibits in _PROHIBITED):
            raise ValueError(f"U+{ord(c):04X} cannot be in a name or password (RFC 4013)")
    if any(map(stringprep.in_table_d1, prepared)) and (
        any(map(stringprep.in_table_d2, prepared))
        or not (stringprep.in_table_d1(prepared[0]) and stringprep.in_table_d1(prepared[-1]))
    ):
        raise ValueError("left-to-right and right-to-left characters are mixed (RFC 3454, section 6)")
    return prepared
