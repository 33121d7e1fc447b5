"""`files`: a handler that serves a folder, with ranges, conditions and types; nothing outside of it.

What is asked for is judged segment by segment as it was decoded, and then where it really is: a symbolic link may lead
to anything in the folder and to nothing else. The folder's files are looked at in the thread of the reactor, as the
files of a local disk may be.
"""

from __future__ import annotations

import os
import stat
from email.utils import formatdate
from html import escape
from mimetypes import guess_type
from time import time
from urllib.parse import quote

from protocols.http.headers import Headers
from protocols.http.message import BYTES, HTML, FileBody, Response
from protocols.http.server.conditions import UNSATISFIABLE, rangeOf, statusOf
from reactor._ground.naming import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from os import stat_result
    from typing import BinaryIO

    from protocols.http.server.request import Request

__all__ = ["files"]

_NO_SUCH = (FileNotFoundError, NotADirectoryError, PermissionError, IsADirectoryError)
# Names longer than any file system has, loops of links, and what no path may have in it.
_NO_PATH = (OSError, ValueError)


def files(
    folder: str | bytes | os.PathLike[str],
    *,
    index: str | None = "index.html",
    listing: bool = False,
    hidden: bool = False,
    headers: dict[str, str] | None = None,
) -> Callable[[Request], Response]:
    """A handler that serves the files of `folder`: GET and HEAD, ranges, ``If-*``, ETag, Last-Modified, types by name.

    :param index: the file that stands for its folder; None: there is none.
    :param listing: whether a folder without one is listed.
    :param hidden: whether what begins with a dot is served.
    :param headers: more fields for each file, Cache-Control say.
    :raises ValueError: when `folder` is none, and for the empty path: "." is where the program runs.
        TypeError, ValueError: for others that are not like that.
    """
    if not isinstance(folder, (str, bytes, os.PathLike)):
        raise TypeError(f"files(): folder must be a path, not {shown(folder)}")
    if index is not None and not isinstance(index, str):
        raise TypeError(f"files(): index must be a str or None, not {shown(index)}")
    given = os.fsdecode(folder)
    root = os.path.realpath(given)
    if not given or not os.path.isdir(root):
        raise ValueError(f"files(): folder must be a directory: {shown(given)}")
    return _Files(root, index, listing, hidden, dict(Headers(headers).items()))


class _Files:
    def __init__(self, root: str, index: str | None, listing: bool, hidden: bool, headers: dict[str, str]) -> None:
        self._root = root
        self._index = index
        self._listing = listing
        self._hidden = hidden
        self._headers = headers

    def __repr__(self) -> str:
        return f"<files of {shown(self._root)}>"

    def __call__(self, request: Request) -> Response:
        """The file that is asked for."""
        if request.method not in ("GET", "HEAD"):
            return Response("405 Method Not Allowed\n", 405, {"Allow": "GET, HEAD"})
        segments = request.segments
        path = self._pathOf(segments)
        if path is None:
            return _notFound()
        try:
            if os.path.isdir(path):
                return self._folder(request, path, segments)
            # A path of a file that goes on with a slash is another one's.
            return _notFound() if segments[-1] == "" else self._file(request, path, segments[-1])
        except _NO_SUCH:
            return _notFound()

    def _pathOf(self, segments: list[str]) -> str | None:
        """Where it really is; None for what is not in the folder, or is not to be seen."""
        *folders, last = segments
        for each in [*folders, last] if last else folders:
            if each in ("", ".", "..") or "/" in each or "\0" in each or os.sep in each:
                return None
            if each.startswith(".") and not self._hidden:
                return None
        try:
            path = os.path.realpath(os.path.join(self._root, *segments), strict=True)
        except _NO_PATH:
            return None
        return path if self._isInside(path) else None

    def _isInside(self, path: str) -> bool:
        return path == self._root or path.startswith(self._root.rstrip(os.sep) + os.sep)

    def _folder(self, request: Request, path: str, segments: list[str]) -> Response:
        if segments[-1]:
            # What its page links to is relative to what ends in a slash.
            target = "/" + request.path.lstrip("/") + "/"
            query = f"?{request.queryString}" if request.queryString else ""
            return Response("308 Permanent Redirect\n", 308, {"Location": target + query})
        if self._index is not None:
            page = os.path.realpath(os.path.join(path, self._index))
            if self._isInside(page) and os.path.isfile(page):
                return self._file(request, page, self._index)
        return Response(self._list(request, path), contentType=HTML) if self._listing else _notFound()

    def _list(self, request: Request, path: str) -> str:
        lines = []
        for entry in sorted(os.scandir(path), key=lambda each: each.name):
            if not self._hidden and entry.name.startswith("."):
                continue
            # Names of files need not be text, and links may go in circles.
            slash = "/" if os.path.isdir(entry.path) else ""
            name = os.fsencode(entry.name).decode("utf-8", "replace") + slash
            link = quote(os.fsencode(entry.name)) + slash
            lines.append(f'<li><a href="./{link}">{escape(name)}</a></li>\n')
        title = escape(request.path)
        return f"<!DOCTYPE html>\n<meta charset=utf-8>\n<title>{title}</title>\n<ul>\n{''.join(lines)}</ul>\n"

    def _file(self, request: Request, path: str, name: str) -> Response:
        # A pipe would be waited for, and what was a file when it was looked at may have become a link.
        file = open(path, "rb", opener=_open)
        try:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise FileNotFoundError(path)
            response = self._answer(request, name, file, about)
        except BaseException:
            file.close()
            raise
        if response.isBytes:
            file.close()
        return response

    def _answer(self, request: Request, name: str, file: BinaryIO, about: stat_result) -> Response:
        size = about.st_size
        # Weak would not do for ranges: two changes within the clock's grain, of the same size, are taken for one.
        tag = f'"{about.st_mtime_ns:x}-{size:x}"'
        fields = {
            "ETag": tag,
            # One that is yet to come is a clock's mistake, and must not be said (RFC 9110, section 8.8.2.1).
            "Last-Modified": formatdate(int(min(about.st_mtime, time())), usegmt=True),
            "Accept-Ranges": "bytes",
            **self._headers,
        }
        status = statusOf(request.method, request.headers, tag, about.st_mtime)
        if status is not None:
            return Response("" if status == 304 else "412 Precondition Failed\n", status, fields)
        kind, coding = guess_type(name)
        if coding is not None or kind is None:
            # A file that is compressed is what it is: nobody unpacks it on the way.
            kind = {"gzip": "application/gzip"}.get(coding or "", BYTES)
        elif kind.startswith("text/") or kind in ("application/javascript", "application/json"):
            kind += "; charset=utf-8"
        part = rangeOf(request.headers, size, tag, about.st_mtime) if request.method == "GET" else None
        if part is None:
            return Response(FileBody(file, 0, size), 200, fields, contentType=kind)
        if part == UNSATISFIABLE:
            return Response("416 Range Not Satisfiable\n", 416, {**fields, "Content-Range": f"bytes */{size}"})
        offset, count = part
        fields["Content-Range"] = f"bytes {offset}-{offset + count - 1}/{size}"
        return Response(FileBody(file, offset, count), 206, fields, contentType=kind)


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW)


def _notFound() -> Response:
    return Response("404 Not Found\n", 404)
