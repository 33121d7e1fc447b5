"""``multipart/form-data`` (RFC 7578), as browsers write it: forms with files, which are streamed when they are sent.

Names are escaped as the WHATWG says (HTML, section 4.10.22.8): a quote is ``%22``, the ends of lines ``%0D`` and
``%0A``, and all else is UTF-8.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from protocols.http.body.form import asBytes, textPairs
from protocols.http.body.sources import Payload, sourceOf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from protocols.http.body.form import Pairs

    # Field -> content, or (file name, content), or (file name, content, type); several as pairs.
    Files = Mapping[str, Any] | Iterable[tuple[str, Any]]


def multipart(form: Pairs | None, files: Files, boundary: str | None = None) -> Payload:
    """The payload of a form with files, fields first.

    :param form: as `formEncoded`.
    :param files: for each field a file, bytes, or an iterable of bytes; or a tuple ``(file name, that)``, or ``(file
        name, that, content type)``. Without a name it is that of the file, else that of the field.
    :param boundary: what stands between the parts; None: 128 random bits, which no file can have foreseen.
    :raises TypeError, ValueError: for what is not like that; a content type that has the end of a line.
    """
    if isinstance(files, (str, bytes)) or not hasattr(files, "__iter__"):
        raise TypeError(f"files must be a mapping or pairs of names and files, not {type(files).__name__}")
    mark = (os.urandom(16).hex() if boundary is None else boundary).encode("ascii")
    sources: list[Any] = []
    text = bytearray()
    for name, value in textPairs(form or {}, "form"):
        text += b'--%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (mark, _escaped(name), value)
    for field, given in files.items() if isinstance(files, Mapping) else files:
        filename, content, contentType = _file(field, given)
        text += b'--%b\r\nContent-Disposition: form-data; name="%b"; filename="%b"\r\nContent-Type: %b\r\n\r\n' % (
            mark,
            _escaped(asBytes(field, "files", field)),
            _escaped(filename.encode("utf-8", "surrogateescape")),
            contentType.encode("ascii"),
        )
        source = sourceOf(content.encode() if isinstance(content, str) else content)
        if isinstance(source, bytes):
            text += source
        else:
            sources += [bytes(text), source]
            text = bytearray()
        text += b"\r\n"
    text += b"--%b--\r\n" % mark
    sources.append(bytes(text))
    return Payload(sources, f"multipart/form-data; boundary={mark.decode('ascii')}")


def _escaped(name: bytes) -> bytes:
    return name.replace(b'"', b"%22").replace(b"\r", b"%0D").replace(b"\n", b"%0A")


def _file(field: str, given: Any) -> tuple[str, Any, str]:
    filename: Any = None
    contentType: Any = None
    content = given
    if isinstance(given, tuple):
        if len(given) not in (2, 3):
            raise TypeError(f"files: {field!r} must be content, (name, content) or (name, content, type)")
        filename, content = given[:2]
        contentType = given[2] if len(given) == 3 else None
    if filename is None:
        name = getattr(content, "name", None)
        filename = os.path.basename(os.fsdecode(name)) if isinstance(name, (str, bytes)) else str(field)
    if not isinstance(filename, str):
        raise TypeError(f"files: the file name of {field!r} must be a str, not {type(filename).__name__}")
    if contentType is None:
        from mimetypes import guess_type

        contentType = guess_type(filename)[0] or "application/octet-stream"
    if not isinstance(contentType, str) or not contentType.isascii() or not contentType.isprintable():
        raise ValueError(f"files: the content type of {field!r} must be printable ASCII, not {contentType!r}")
    return filename, content, contentType
