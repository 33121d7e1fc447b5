"""One request of HTTP as an application of WSGI works on it in a thread: ``start_response``, ``write``, pieces."""

from __future__ import annotations

import io
import sys

from protocols.http import Response
from protocols.wsgi.input import Input
from protocols.wsgi.pieces import Gone, Pieces
from reactor._ground.log import reportException
from reactor._ground.naming import shown
from reactor.defer import Deferred
from reactor.failure import Failure
from reactor.threads import blockingCallFromThread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Any

    from protocols.http import Request
    from protocols.wsgi.host import WSGI

    ExcInfo = tuple[type[BaseException], BaseException, TracebackType]

__all__ = ["FileWrapper", "Work"]


class FileWrapper:
    """``wsgi.file_wrapper``: an application that returns one has the file sent by the system, where it is one."""

    def __init__(self, filelike: Any, blksize: int = 65536) -> None:
        self.filelike = filelike
        self.blksize = blksize

    def __iter__(self) -> Iterator[bytes]:
        """For whoever wraps it in something else."""
        while data := self.filelike.read(self.blksize):
            yield data

    def close(self) -> None:
        """Close the file."""
        if hasattr(self.filelike, "close"):
            self.filelike.close()


class _File:
    """A file whose end the application is told of."""

    def __init__(self, file: Any, close: Callable[[], object]) -> None:
        self._file = file
        self.close = close

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class Work:
    """What is between one request and the application. `run` is a thread's; all else but `begin` is called there."""

    def __init__(self, host: WSGI, request: Request, environ: dict[str, Any]) -> None:
        self._host = host
        self._reactor = host.reactor
        self._request = request
        self._environ = environ
        self._status = 0
        self._reason = ""
        self._fields: list[tuple[str, str]] = []
        self._pieces: Pieces | None = None
        self._answered = False
        self._gone = False
        self._deferred: Deferred[Response] = Deferred(self._cancelled)

    # ---- In the reactor ----

    def begin(self) -> Deferred[Response]:
        """Have the application run in a thread; the Deferred of its answer."""
        request = self._request
        if request._body is None:
            stream: Any = io.BytesIO()
        else:
            stream = io.BufferedReader(Input(self._reactor, request.body), 65536)
        self._environ["wsgi.input"] = stream
        self._host.pool().callInThread(self.run)
        return self._deferred

    def _cancelled(self, deferred: Deferred[Response]) -> None:
        self._gone = True

    def _answer(self, result: Response | Failure) -> None:
        if self._deferred.called:
            if isinstance(result, Response):
                result.discard()
        elif isinstance(result, Failure):
            self._deferred.errback(result)
        else:
            self._deferred.callback(result)

    def _begin(self, data: bytes) -> Deferred[None]:
        pieces = self._pieces = Pieces()
        put = pieces.put(data)
        if self._gone:
            pieces.close()
        else:
            self._answer(self._response(pieces))
        return put

    def _finish(self, problem: BaseException | None) -> None:
        assert self._pieces is not None
        self._pieces.finish(problem)

    # ---- In the thread ----

    def run(self) -> None:
        """Call the application, and send what it gives."""
        result = None
        try:
            result = self._host.application(self._environ, self._startResponse)
            if not self._file(result):
                self._send(result)
        except Gone:
            pass
        except Exception as e:
            self._failed(e)
        finally:
            if result is not None:
                self._close(result)

    def _file(self, result: Any) -> bool:
        """Send a file as such; whether it was one."""
        if not isinstance(result, FileWrapper) or not self._status or self._pieces is not None:
            return False
        file = result.filelike
        try:
            file.fileno()
            at = file.tell()
        except (AttributeError, OSError, ValueError):
            return False
        lengths = [value for name, value in self._fields if name.lower() == "content-length"]
        response = Response(
            b"",
            self._status,
            self._fields,
            contentType="",
            file=_File(file, self._closing(result)),
            offset=at,
            count=int(lengths[0]) if lengths else None,
            reason=self._reason,
        )
        self._answered = True
        self._reactor.callFromThread(self._answer, response)
        return True

    def _closing(self, result: Any) -> Callable[[], object]:
        def close() -> None:
            try:
                result.close()
            except Exception as e:
                reportException("%r raised as it was closed", e, result)

        return close

    def _close(self, result: Any) -> None:
        if isinstance(result, FileWrapper) and self._answered and self._pieces is None:
            # When it is sent.
            return
        if hasattr(result, "close"):
            self._closing(result)()

    def _send(self, result: Any) -> None:
        if isinstance(result, (list, tuple)) and self._pieces is None and len(result) < 2:
            self._whole(_bytes(result[0]) if result else b"")
            return
        for piece in result:
            data = _bytes(piece)
            if data:
                self._put(data)
        if self._pieces is None:
            self._whole(b"")
        else:
            self._reactor.callFromThread(self._finish, None)

    def _whole(self, data: bytes) -> None:
        if self._pieces is not None:
            if data:
                self._put(data)
            self._reactor.callFromThread(self._finish, None)
            return
        response = self._response(data)
        self._answered = True
        self._reactor.callFromThread(self._answer, response)

    def _put(self, data: bytes) -> None:
        if self._pieces is None:
            self._check()
            self._answered = True
            blockingCallFromThread(self._reactor, self._begin, data)
        else:
            blockingCallFromThread(self._reactor, self._pieces.put, data)

    def _check(self) -> None:
        if not self._status:
            raise RuntimeError("the application gave a body before it had called start_response()")

    def _response(self, body: Any) -> Response:
        self._check()
        return Response(body, self._status, self._fields, contentType="", reason=self._reason)

    def _failed(self, problem: BaseException) -> None:
        if self._pieces is not None:
            self._reactor.callFromThread(self._finish, problem)
        elif self._answered:
            reportException("%r raised behind its answer", problem, self._host)
        else:
            self._reactor.callFromThread(self._answer, Failure(problem))

    def _startResponse(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None
    ) -> Callable[[bytes], None]:
        if exc_info is not None:
            try:
                if self._answered:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        elif self._status:
            raise AssertionError("start_response() was called already; again only with exc_info")
        code, _, reason = status.partition(" ")
        if len(code) != 3 or not code.isdigit():
            raise ValueError(f"start_response(): status must be like '200 OK', not {shown(status)}")
        # Made here to say what is wrong with it where it is wrong.
        Response(b"", int(code), headers, contentType="", reason=reason)
        self._status, self._reason, self._fields = int(code), reason, list(headers)
        return self._write

    def _write(self, data: bytes) -> None:
        data = _bytes(data)
        if data:
            self._put(data)


def _bytes(piece: Any) -> bytes:
    if not isinstance(piece, (bytes, bytearray, memoryview)):
        raise TypeError(f"an application of WSGI gives bytes, not {shown(piece)}")
    return bytes(piece)


def serverEnviron(scheme: str, severalProcesses: bool) -> dict[str, Any]:
    """What of the environ is the server's."""
    return {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": severalProcesses,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        # A body without a length has an end all the same.
        "wsgi.input_terminated": True,
    }
