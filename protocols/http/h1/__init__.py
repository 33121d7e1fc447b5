"""HTTP/1.1 without a connection: bytes in, calls out, and bytes of what is to be sent. Both roles.

A `RequestReader` is what a server reads with, a `ResponseReader` a client; `requestHead`, `responseHead`, `chunk` and
`lastChunk` are what they write. Pure: no transport, no clock. Needs httptools, the extra ``http``.
"""

from __future__ import annotations

from protocols.http.h1.heads import RequestHead as RequestHead
from protocols.http.h1.heads import ResponseHead as ResponseHead
from protocols.http.h1.requests import RequestReader as RequestReader
from protocols.http.h1.responses import ResponseReader as ResponseReader
from protocols.http.h1.writing import chunk as chunk
from protocols.http.h1.writing import lastChunk as lastChunk
from protocols.http.h1.writing import requestHead as requestHead
from protocols.http.h1.writing import responseHead as responseHead

__all__ = [
    "RequestHead",
    "RequestReader",
    "ResponseHead",
    "ResponseReader",
    "chunk",
    "lastChunk",
    "requestHead",
    "responseHead",
]
