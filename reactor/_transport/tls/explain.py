"""Why TLS failed or ended, in our words: what OpenSSL says, of which certificate, and what to do about it."""

from __future__ import annotations

import ssl

from reactor._ground.naming import cut
from reactor._transport.stream.lifecycle import State
from reactor.error import ConnectionDone, ConnectionLost, PeerVerifyError, SSLError
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reactor._transport.tls.layer import Layer

# Of a certificate that was refused, so many names are told, and parts of a subject, and so many characters of each: it
# may have thousands, and the peer chose them.
NAMES = 10
LENGTH = 100

# OpenSSL's reason -> what it usually means.
_HINTS = {
    "WRONG_VERSION_NUMBER": "the peer answered with something that is not TLS; perhaps it speaks none on this port",
    "HTTP_REQUEST": "the client spoke plain HTTP",
    "UNSUPPORTED_PROTOCOL": "the peer offers outdated versions of TLS only",
    "NO_SHARED_CIPHER": "the two ends have no cipher in common, or the server has no certificate",
    "NO_SUITABLE_SIGNATURE_ALGORITHM": "the server's context has no certificate that this client can use",
    "TLSV1_ALERT_UNKNOWN_CA": "the peer does not trust who signed our certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "the peer says that our certificate has expired",
    "SSLV3_ALERT_BAD_CERTIFICATE": "the peer does not accept our certificate",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "the peer does not accept our certificate",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the peer refuses: no cipher in common, or it wants a certificate",
    "TLSV1_ALERT_PROTOCOL_VERSION": "the peer refuses our versions of TLS",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "the peer wants a client certificate",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "the client has to show a certificate, and showed none",
    "NO_APPLICATION_PROTOCOL": "the two ends have no protocol in common (ALPN)",
    "TLSV1_ALERT_NO_APPLICATION_PROTOCOL": "the two ends have no protocol in common (ALPN)",
}

# X509_V_ERR_... -> what to do.
_REMEDIES = {
    9: "it is not valid yet, or this machine's clock is wrong",
    10: "it has to be renewed, or this machine's clock is wrong",
    18: "if it is to be trusted, say so: trustRoot=trustRootFromCertificates([...])",
    19: "if the authority is to be trusted, say so: trustRoot=trustRootFromCertificates([...])",
    20: "if the authority is to be trusted, say so: trustRoot=trustRootFromCertificates([...]); else the peer may lack "
    "an intermediate certificate",
    21: "the peer may lack an intermediate certificate",
    23: "it was revoked",
    62: "connect to a name that it is for, or get one for this name",
    64: "connect to a name that it is for, or get one for this address",
}


def explained(problem: Exception, sslObject: ssl.SSLObject, facts: dict[str, Any]) -> Failure:
    """`problem`, which OpenSSL raised, as a PeerVerifyError or SSLError with `facts`."""
    # It would keep the frames alive that it passed through, and all they hold.
    problem.__traceback__ = problem.__context__ = None
    if isinstance(problem, ssl.SSLCertVerificationError):
        remedy = _REMEDIES.get(problem.verify_code, "")
        said = problem.verify_message.rstrip(".")
        text = f"{said}{': ' if remedy else ''}{remedy}{describePeer(sslObject)}"
        refused = PeerVerifyError(text, **facts)
        refused.__cause__ = problem
        return Failure(refused)
    reason = getattr(problem, "reason", None) or str(problem)
    hint = _HINTS.get(reason)
    words = reason.replace("_", " ").lower()
    error = SSLError(string=f"{words}: {hint}" if hint else words, **facts)
    error.__cause__ = problem
    return Failure(error)


def describePeer(sslObject: ssl.SSLObject) -> str:
    """The subject and expiry of a certificate that was refused, for an error's text.

    "" when there is none to be had.
    """
    try:
        # Public, in another form, only since Python 3.13.
        chain: Any = sslObject._sslobj.get_unverified_chain()  # type: ignore[attr-defined]
        info = chain[0].get_info()
    except (AttributeError, TypeError, IndexError, ValueError, ssl.SSLError):
        return ""
    names = [_bounded(value) for _, value in info.get("subjectAltName", ())[:NAMES]]
    more = len(info.get("subjectAltName", ())) - len(names)
    told = (
        f"subject {_parts(info, 'subject') or 'empty'}; names {', '.join(names) or 'none'}"
        f"{f' and {more} more' if more else ''}; issuer {_parts(info, 'issuer')}; expires {info.get('notAfter')}"
    )
    # The peer's words: on one line, and nothing that steers a terminal.
    return f" (certificate: {told})".encode("unicode_escape").decode("ascii")


def _parts(info: dict[str, Any], whose: str) -> str:
    pairs = [(key, value) for part in info.get(whose, ()) for key, value in part]
    told = ", ".join(f"{key}={_bounded(value)}" for key, value in pairs[:NAMES])
    return f"{told} and {len(pairs) - NAMES} more" if len(pairs) > NAMES else told


def _bounded(value: object) -> str:
    # Mostly a str; what a directory is called is a tuple.
    return cut(str(value), LENGTH)


def whyEnded(layer: Layer, reason: Failure) -> Failure:
    """Why `layer` is over, when what is below it says `reason`."""
    if layer._reason is not None:
        return layer._reason
    if not isinstance(reason.value, ConnectionDone) or layer._heardEnd:
        return reason
    if layer._early is not None:
        text = "the peer ended the connection during the TLS handshake"
        return Failure(SSLError(string=text, **layer._known("handshake")))
    if layer.state is State.CLOSING:
        return reason
    return Failure(ConnectionLost("the peer ended the connection without TLS's close_notify: cut short"))
