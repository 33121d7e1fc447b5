"""What TLS itself answers on a connection that stands: new keys for whoever asks for them (RFC 8446, section 4.6.3), a
refusal for whoever wants to renegotiate (RFC 5246, section 7.2.2).

OpenSSL answers each request, as many as there are. Whoever asks all the time and takes no answer would fill our memory
with them, so there is a limit to what waits.
"""

from __future__ import annotations

from reactor.error import SSLError
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reactor._transport.tls.layer import Layer

# Bytes of answers that may wait to be taken: some 600 of them.
ANSWERS = 16384


def answered(layer: Layer, before: int, answer: bytes) -> int:
    """Send `answer` through what is below `layer`, and end the connection if that makes too many.

    How many bytes of answers wait now, when `before` did, none of which may have been taken since.
    """
    below = layer.below
    waiting = len(answer) + (before if below.buffered else 0)
    below.write(answer)
    if waiting > ANSWERS:
        text = f"the peer asks TLS for answers and takes none of them ({waiting} bytes wait)"
        layer._broken(Failure(SSLError(string=text, **layer._known("established"))))
    return waiting
