"""Descriptions of endpoints, taken apart: the grammar is Twisted's, and what it refuses says where and why."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reactor.endpoints import clientFromString, quoteStringArgument, serverFromString
from reactor.endpoints._strings import Description, Options

steady = settings(derandomize=True)
texts = st.text(alphabet=st.one_of(st.sampled_from("\\:=ab1 "), st.characters()), max_size=30)


@pytest.mark.parametrize(
    ("text", "args", "kwargs"),
    [
        ("tcp", [], {}),
        ("tcp:80", ["80"], {}),
        ("tcp::", ["", ""], {}),
        ("tcp:a=b", [], {"a": "b"}),
        ("tcp:a=b=c", [], {"a": "b=c"}),
        ("tcp:a=:b", ["b"], {"a": ""}),
        (r"tcp:a\=b", ["a=b"], {}),
        (r"tcp:a\=b=c", [], {"a=b": "c"}),
        (r"tcp:a\:b=1", [], {"a:b": "1"}),
        (r"tcp:\:\:1", ["::1"], {}),
        (r"tcp:x\\", ["x\\"], {}),
        (r"tcp:a\qb", ["aqb"], {}),
    ],
)
def test_parts(text: str, args: list[str], kwargs: dict[str, str]) -> None:
    description = Description(text)
    assert (description.type, description.args, description.kwargs) == ("tcp", args, kwargs)


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("", 0, "the type of the endpoint"),
        (":80", 0, "the type of the endpoint"),
        ("a=b:80", 0, "the type of the endpoint"),
        ("tcp:80\\", 6, "a character after the backslash"),
        ("tcp:a=1:bc=2:a=3", 13, "a= is given twice"),
    ],
)
def test_theGrammarIsBroken(text: str, column: int, expected: str) -> None:
    with pytest.raises(ValueError) as raised:
        Description(text)
    check(raised.value, text, column, expected)


def check(error: ValueError, text: str, column: int, expected: str) -> None:
    said, shown, caret = str(error).split("\n")
    assert expected in said
    assert shown == "  " + text
    assert caret == "  " + " " * column + "^"


CLIENT, SERVER = clientFromString, serverFromString


@pytest.mark.parametrize(
    ("make", "text", "column", "expected"),
    [
        (CLIENT, "example.com:80", 0, "expected tcp:, tcp6:, ssl:, tls:, unix:"),
        (SERVER, "8080", 0, "expected tcp:, tcp6:, ssl:, tls:, unix:, systemd:, fd:"),
        (CLIENT, "tcp:h:http", 6, "port to be a number from 0 to 65535, not 'http'"),
        (CLIENT, "tcp:h:65536", 6, "port to be a number from 0 to 65535"),
        (CLIENT, "tcp:h:" + "9" * 5000, 6, "port to be a number"),
        (CLIENT, "tcp:h:port=-1", 11, "port to be a number"),
        (CLIENT, "tcp:h", 5, "expected port, which is missing"),
        (CLIENT, "tcp:port=80", 11, "expected host, which is missing"),
        (CLIENT, "tcp:h:80:timeot=5", 9, "expected host=, port=, timeout=, bindAddress="),
        (CLIENT, "tcp:h:80:5", 9, r"a colon inside a value is written \:"),
        (CLIENT, "tcp:h:80:host=g", 6, "expected no more values"),
        (CLIENT, "tcp:::1:80", 6, r"written \:"),
        (CLIENT, "tcp:h:80:timeout=nan", 17, "a number of seconds"),
        (CLIENT, "tcp:h:80:timeout=-1", 17, "a number of seconds"),
        (CLIENT, "tcp:h:80:timeout=", 17, "a number of seconds"),
        (CLIENT, "unix:timeout=1", 14, "expected path"),
        (CLIENT, "ssl:h:1:caCertsDir=/no/such/folder", 19, "cannot load '/no/such/folder': No such file"),
        (SERVER, "tcp:80:port=81", 7, "port is given twice"),
        (SERVER, "tcp:80:backlog=many", 15, "backlog to be a number"),
        (SERVER, "unix:/a:mode=9", 13, "permissions as an octal number"),
        (SERVER, "unix:/a:lockfile=no", 17, "lockfile to be a number"),
        (SERVER, "ssl:443:/no/such/file", 8, "cannot load '/no/such/file': No such file"),
        (SERVER, "ssl:443:sslmethod=TLSv1_METHOD", 18, "is outdated and not safe; expected TLS_METHOD"),
        (SERVER, "ssl:443:sslmethod=XX", 18, "is no such method"),
        (SERVER, "tls:", 4, "path: cannot load"),
        (SERVER, "tls:/no/such/folder", 4, "path: cannot load '/no/such/folder': No such file"),
        (SERVER, "tls:/no/such/folder:http", 20, "port to be a number"),
        (SERVER, "fd:x", 3, "fileno to be a number"),
        (SERVER, "fd:1:APPLETALK", 5, "domain to be INET, INET6, UNIX"),
        (SERVER, "fd:1048570", 3, "descriptor 1048570 is none"),
        (SERVER, "systemd:INET", 12, "either index= or name="),
        (SERVER, "systemd:INET:0:x", 15, "either index= or name="),
    ],
)
def test_theOptionsAreWrong(make: Any, text: str, column: int, expected: str) -> None:
    with pytest.raises(ValueError) as raised:
        make(None, text)
    check(raised.value, text, column, expected)


def test_theCaretIsRightBelowWhatCannotBePrinted() -> None:
    with pytest.raises(ValueError) as raised:
        clientFromString(None, "tcp:a\n\x1b:x")
    _, shown, caret = str(raised.value).split("\n")
    assert shown == r"  tcp:a\n\x1b:x"
    assert shown[caret.index("^")] == "x"


@pytest.mark.parametrize("make", [CLIENT, SERVER])
def test_bytesAreNoDescription(make: Any) -> None:
    with pytest.raises(TypeError, match="must be a str, not b'tcp:80'"):
        make(None, b"tcp:80")


@steady
@given(texts)
def test_aQuotedValueComesBack(value: str) -> None:
    quoted = quoteStringArgument(value)
    assert Description(f"tcp:{quoted}").args == [value]
    assert Description(f"tcp:key={quoted}").kwargs == {"key": value}


def test_quoting() -> None:
    assert quoteStringArgument("some : stuff \\") == r"some \: stuff \\"


@steady
@given(texts, st.booleans())
def test_onlyValueErrorEscapes(text: str, asOptions: bool) -> None:
    try:
        description = Description("tcp:" + text if asOptions else text)
        options = Options(description, ("host", "port"), ("a", "b"), skip=True)
        for read in (options.required, options.number, options.text):
            read("a")
        options.mode("b", 0)
        options.seconds("host", 1)
        options.port()
    except ValueError as e:
        said = str(e).split("\n")
        assert len(said) == 3
        assert said[2].strip() == "^"
        assert len(said[2]) <= len(said[1]) + 1


def twisted() -> Any:
    return pytest.importorskip("twisted.internet.endpoints")


@steady
@given(texts)
def test_theSameArgumentsAsInTwisted(text: str) -> None:
    endpoints = twisted()
    text = "tcp:" + text
    try:
        theirs = endpoints._parse(text)
    except RuntimeError:
        # A backslash at the end.
        theirs = None
    except UnicodeEncodeError:
        # They want names in ASCII.
        return
    try:
        description = Description(text)
    except ValueError as e:
        # Where they take the last of two, we take neither.
        assert theirs is None or "is given twice" in str(e)
        return
    assert theirs == (["tcp", *description.args], description.kwargs)


@steady
@given(texts)
def test_twistedUnderstandsWhatWeQuote(value: str) -> None:
    assert twisted()._parse("tcp:" + quoteStringArgument(value)) == (["tcp", value], {})


class Unix:
    """Stands in for the module of the endpoints on UNIX sockets: they keep what they were made with."""

    class UNIXClientEndpoint:
        def __init__(self, reactor: Any, path: str, timeout: float = 30, checkPID: Any = 0) -> None:
            self._path, self._timeout, self._checkPID = path, timeout, checkPID

    class UNIXServerEndpoint:
        def __init__(self, reactor: Any, address: str, backlog: int = 50, mode: int = 0o600, wantPID: Any = 0) -> None:
            self._address, self._backlog, self._mode, self._wantPID = address, backlog, mode, wantPID


TRUTH = {"_checkPID": bool, "_wantPID": bool}


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (CLIENT, "tcp:h:80"),
        (CLIENT, "TCP:h:80"),
        (CLIENT, "tcp:h:port=80"),
        (CLIENT, "tcp:80:host=h"),
        (CLIENT, "tcp:host=h:port=80:timeout=3:bindAddress=127.0.0.1"),
        (CLIENT, r"tcp:fe80\:\:1:80"),
        (SERVER, "tcp:80"),
        (SERVER, "tcp:port=80:interface=127.0.0.1:backlog=7"),
        (SERVER, "tcp:80:127.0.0.1:7"),
        (SERVER, "tcp6:80"),
        (SERVER, "tcp6:80:7"),
        (SERVER, r"tcp6:80:interface=\:\:1:backlog=7"),
        (CLIENT, "unix:/a"),
        (CLIENT, "unix:path=/a:timeout=3:lockfile=1"),
        (CLIENT, "unix:/a:lockfile=0"),
        (SERVER, "unix:/a:mode=640"),
        (SERVER, "unix:/a:600:3:0"),
        (SERVER, "unix:address=/a:mode=600:backlog=3:lockfile=1"),
    ],
)
def test_theSameEndpointAsInTwisted(make: Any, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoints = twisted()
    monkeypatch.setitem(sys.modules, "reactor.endpoints._unix", Unix)
    theirs = getattr(endpoints, make.__name__)(None, text)
    ours = make(None, text)
    assert type(ours).__name__ == type(theirs).__name__
    ourFields, theirFields = vars(ours), vars(theirs)
    for name in theirFields.keys() - {"_reactor"}:
        convert = TRUTH.get(name, lambda value: value)
        assert convert(ourFields[name]) == convert(theirFields[name]), name


@steady
@given(texts.filter(lambda text: "\0" not in text), st.sampled_from(["tcp", "tcp6"]))
def test_fuzz(text: str, kind: str) -> None:
    for make in (clientFromString, serverFromString):
        assume(not text.startswith("\\"))
        try:
            made = make(None, f"{kind}:{text}")
        except ValueError:
            continue
        assert "ClientEndpoint" in repr(made) or "ServerEndpoint" in repr(made)
