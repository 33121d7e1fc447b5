"""Contexts of pyOpenSSL in place of the standard library's: for programs that bring their own, with callbacks that the
standard library has no place for (a peer that shows a certificate nobody signed, and is looked at by the program).

A context here is asked for what the layer asks of an `ssl.SSLContext`, and makes what it asks of an `ssl.SSLObject`.
Nothing of pyOpenSSL is imported before a program has given something of it. Costs more than the standard library's: its
calls take twice the time.
"""

from __future__ import annotations

import ssl

from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# A record's header (RFC 8446, section 5.1): its type, its version, and how many bytes follow.
_HEADER = 5
# What is taken out at a time.
_MOST = 65536
_NUMBERS: dict[type, int] = {
    ssl.SSLWantReadError: ssl.SSL_ERROR_WANT_READ,
    ssl.SSLZeroReturnError: ssl.SSL_ERROR_ZERO_RETURN,
    ssl.SSLEOFError: ssl.SSL_ERROR_EOF,
}


class Context:
    """What a `Side` has for its context."""

    # Whatever names are to be verified is the program's business, by its callbacks.
    check_hostname = False

    def __init__(self, context: SSL.Context) -> None:
        """Around a context of pyOpenSSL."""
        self.context = context

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | None = None,
        session: Any = None,
    ) -> Secured:
        """One end of a connection, between what came and what is to go."""
        connection = SSL.Connection(self.context, None)
        if server_side:
            connection.set_accept_state()
        else:
            connection.set_connect_state()
            if server_hostname is not None and not _isAddress(server_hostname):
                connection.set_tlsext_host_name(server_hostname.encode("ascii"))
        return Secured(connection, incoming, outgoing)


class Secured:
    """A connection of pyOpenSSL as an `ssl.SSLObject`.

    Records are handed to it one by one, so that what it was not asked for yet is still in `incoming`: that is where the
    layer looks whether there is more.
    """

    # Sessions are the program's business, too.
    session = None
    session_reused = False

    def __init__(self, connection: SSL.Connection, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> None:
        self.connection = connection
        self._incoming = incoming
        self._outgoing = outgoing
        # The part of a header that has come, and how many bytes of its record have not.
        self._header = b""
        self._missing = 0
        # What OpenSSL took the beginning of and not the rest, for a handshake in between.
        self._rest = b""

    def do_handshake(self) -> None:
        """As `ssl.SSLObject.do_handshake`."""
        self._ask(self.connection.do_handshake)

    def read(self, size: int = 1024) -> bytes:
        """As `ssl.SSLObject.read`: nothing at the peer's close_notify."""
        try:
            data: bytes = self._ask(self.connection.recv, size)
        except ssl.SSLZeroReturnError:
            return b""
        if self._rest:
            self._write(b"")
        return data

    def write(self, data: bytes | memoryview) -> int:
        """As `ssl.SSLObject.write`: all of `data`."""
        if self._rest:
            # Nothing goes before it.
            self._ask(self.connection.do_handshake)
        self._write(data)
        return len(data)

    def _write(self, data: bytes | memoryview) -> None:
        rest = memoryview(self._rest + data if self._rest else data)
        first = True
        while rest:
            try:
                # A record at a time, as contexts of pyOpenSSL are made.
                count = self._ask(self.connection.send, rest)
            except ssl.SSLWantReadError:
                if first and not self._rest:
                    raise
                self._rest = bytes(rest)
                return
            first = False
            rest = rest[count:]
        self._rest = b""

    def unwrap(self) -> None:
        """As `ssl.SSLObject.unwrap`."""
        if not self._ask(self.connection.shutdown):
            raise _error(ssl.SSLWantReadError, "the peer has not answered")

    def pending(self) -> int:
        """Bytes that are decrypted and not read."""
        return int(self.connection.pending())

    def peerCertificate(self) -> Any:
        """The peer's certificate as pyOpenSSL has it, or None."""
        return self.connection.get_peer_certificate()

    def getpeercert(self, binary_form: bool = False) -> Any:
        """The peer's certificate as DER, or None. ValueError for the other form, which this library has not."""
        if not binary_form:
            raise ValueError("getpeercert(): with pyOpenSSL in binary form only")
        found = self.peerCertificate()
        return None if found is None else found.to_cryptography().public_bytes(Encoding.DER)

    def selected_alpn_protocol(self) -> str | None:
        """What was agreed on by ALPN."""
        return self.connection.get_alpn_proto_negotiated().decode("ascii") or None

    def version(self) -> str:
        """The version of TLS, "TLSv1.3" for example."""
        return str(self.connection.get_protocol_version_name())

    def cipher(self) -> tuple[Any, Any, Any]:
        """Name, version and bits of the cipher."""
        connection = self.connection
        return connection.get_cipher_name(), connection.get_cipher_version(), connection.get_cipher_bits()

    def _ask(self, method: Any, *args: Any) -> Any:
        """What `method` says, with as many records as it needs; what it has to send is put out, whatever happens."""
        while True:
            try:
                return method(*args)
            except SSL.WantReadError:
                if not self._feed():
                    raise _error(ssl.SSLWantReadError, "more is needed from the peer") from None
            except SSL.ZeroReturnError:
                raise _error(ssl.SSLZeroReturnError, "the peer ended TLS") from None
            except SSL.SysCallError as e:
                raise _error(ssl.SSLEOFError, str(e)) from None
            except SSL.Error as e:
                raise _translated(e) from None
            finally:
                self._drain()

    def _feed(self) -> bool:
        """Hand on a record, or as much of one as has come; whether there was anything."""
        incoming = self._incoming
        if not self._missing:
            came = incoming.read(_HEADER - len(self._header))
            self._header += came
            if len(self._header) == _HEADER:
                self._missing = int.from_bytes(self._header[3:], "big")
                self._header = b""
        else:
            came = incoming.read(self._missing)
            self._missing -= len(came)
        if came:
            self.connection.bio_write(came)
        return bool(came)

    def _drain(self) -> None:
        while True:
            try:
                self._outgoing.write(self.connection.bio_read(_MOST))
            except SSL.Error:
                # Nothing is left, which it says so.
                return


def _error(kind: type[ssl.SSLError], text: str) -> ssl.SSLError:
    """As OpenSSL's errors are made by the standard library: with a reason in capitals."""
    error = kind(_NUMBERS.get(kind, ssl.SSL_ERROR_SSL), text)
    error.reason = text.replace(" ", "_").upper()
    return error


def _translated(problem: SSL.Error) -> ssl.SSLError:
    reasons = problem.args[0] if problem.args and isinstance(problem.args[0], list) else []
    text = str(reasons[-1][-1]) if reasons else str(problem) or "TLS failed"
    if text != "certificate verify failed":
        return _error(ssl.SSLError, text)
    refused = ssl.SSLCertVerificationError(ssl.SSL_ERROR_SSL, text)
    refused.verify_code, refused.verify_message = 0, "the program's context did not accept the certificate"
    return refused


def _isAddress(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()
