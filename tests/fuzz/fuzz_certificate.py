"""Certificates, whatever is in them: what can be read can be shown, or it is a ValueError; nothing else comes out."""

from __future__ import annotations

from contextlib import suppress

import harness

from reactor.ssl import Certificate

PEM = b"-----BEGIN CERTIFICATE-----\n"


def one(data: bytes) -> None:
    with suppress(ValueError):
        Certificate.loadPEM(PEM + data + b"\n-----END CERTIFICATE-----\n")
    with suppress(ValueError):
        Certificate.loadPEM(data)
    try:
        certificate = Certificate.load(data)
    except ValueError:
        return
    assert certificate.dump() == data
    assert certificate == Certificate.loadPEM(certificate.dumpPEM())
    certificate.serialNumber()
    certificate.digest()
    for show in (certificate.inspect, certificate.__repr__, lambda: certificate.dnsNames):
        with suppress(ValueError):
            show()


if __name__ == "__main__":
    harness.main(one)
