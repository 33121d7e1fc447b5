"""Which handler a path and a method have."""

from __future__ import annotations

from typing import Any

import pytest
from httpserving import Served, get, post

from protocols.http import Response, Router
from protocols.http.server import Request

app = Router()


@app.get("/")
def root(request: Request) -> Response:
    return Response("root")


@app.get("/hello/{name}")
async def greet(request: Request, name: str) -> Response:
    return Response(f"hello {name}")


@app.get("/hello/world")
def world(request: Request) -> Response:
    return Response("literal")


@app.post("/hello/{person}")
def post_(request: Request, person: str) -> Response:
    return Response(f"posted {person}")


@app.route("/any", ("PUT", "DELETE", "BREW"))
def any_(request: Request) -> Response:
    return Response(request.method)


@app.get("/tree/{rest:path}")
def tree(request: Request, rest: str) -> Response:
    return Response(f"rest {rest}")


@app.get("/{a}/x/{b}")
def two(request: Request, a: str, b: str) -> Response:
    return Response(f"{a} and {b}")


@app.get("/ünder")
def encoded(request: Request) -> Response:
    return Response("encoded")


inner = Router()


@inner.get("/")
def innerRoot(request: Request) -> Response:
    return Response(f"inner root of {request.path}")


@inner.get("/page/{n}")
def page(request: Request, n: str) -> Response:
    return Response(f"inner page {n}")


app.mount("/in", inner)
app.mount("/in/deeper", lambda request: Response(f"deeper {request.remaining!r}"))


def ask(data: bytes, *methods: str) -> Any:
    served = Served(app)
    served.send(data)
    (answer,) = served.answers(*methods)
    return answer


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/", "root"),
        ("/?q=1", "root"),
        ("http://example.org", "root"),
        ("http://example.org?x=/hello", "root"),
        ("http://example.org/hello/you", "hello you"),
        ("/hello/you?x=y", "hello you"),
        ("/hello/world", "literal"),
        ("/hello/%77orld", "literal"),
        ("/hello/a%2Fb%20c", "hello a/b c"),
        ("/tree/", "rest "),
        ("/tree/a/b%20c/", "rest a/b%20c/"),
        ("/hello/x/you", "hello and you"),
        ("/1/x/2", "1 and 2"),
        ("/%C3%BCnder", "encoded"),
        ("/in/", "inner root of /in/"),
        ("/in/page/7", "inner page 7"),
        ("/in/deeper", "deeper ''"),
        ("/in/deeper/x", "deeper '/x'"),
    ],
)
def test_paths(path: str, said: str) -> None:
    answer = ask(get(path))
    assert (answer.status, answer.body.decode()) == (200, said)


@pytest.mark.parametrize("path", ["/no", "/hello", "/hello/", "/hello/a/b", "/inn", "/in/page", "/tree", "//", "/any/"])
def test_paths_that_nothing_has(path: str) -> None:
    assert ask(get(path)).status == 404


def test_methods() -> None:
    assert ask(post(b"", path="/hello/you")).body == b"posted you"
    assert ask(post(b"", path="/any", method="BREW")).body == b"BREW"
    assert ask(post(b"", path="/any", method="DELETE")).body == b"DELETE"


def test_a_method_that_a_path_has_not() -> None:
    answer = ask(get("/any"))
    assert (answer.status, answer.fields["allow"]) == (405, "BREW, DELETE, OPTIONS, PUT")
    answer = ask(post(b"", path="/hello/you", method="PUT"))
    assert (answer.status, answer.fields["allow"]) == (405, "GET, HEAD, OPTIONS, POST")


def test_HEAD_goes_where_GET_does() -> None:
    for path in ("/", "/hello/you"):
        answer = ask(get(path, method="HEAD"), "HEAD")
        assert (answer.status, answer.body) == (200, b"")
        assert int(answer.fields["content-length"]) > 0
    assert ask(get("/any", method="HEAD"), "HEAD").status == 405


def test_OPTIONS() -> None:
    answer = ask(get("/hello/world", method="OPTIONS"))
    assert (answer.status, answer.fields["allow"]) == (204, "GET, HEAD, OPTIONS")
    assert ask(get("*", method="OPTIONS")).status == 204
    assert ask(get("/no", method="OPTIONS")).status == 404


@pytest.mark.parametrize(
    "path", ["hello", "", "/{", "/a{b}", "/{a}{b}", "/{a:path}/x", "/{a}/{a}", "/{request}", "/{1}", "/{a:int}", None]
)
def test_paths_that_are_none(path: Any) -> None:
    with pytest.raises(ValueError, match="Router"):
        Router().get(path)


def test_two_handlers_of_one_path_are_a_mistake() -> None:
    router = Router()
    router.get("/{a}")(root)
    with pytest.raises(ValueError, match="has a handler"):
        router.get("/{b}")(root)
    router.post("/{b}")(root)
    router.mount("/x", root)
    with pytest.raises(ValueError, match="mounted"):
        router.mount("/x/", root)
    with pytest.raises(ValueError, match="slash"):
        router.mount("x", root)
    with pytest.raises(ValueError, match="method"):
        router.route("/y", ["GET "])
    with pytest.raises(TypeError, match="callable"):
        router.get("/z")("no")  # type: ignore[type-var]


def test_what_nothing_has_may_be_somebodys() -> None:
    served = Served(Router(lambda request: Response("mine", 404)))
    served.send(get("/x"))
    assert served.answers()[0].body == b"mine"


@pytest.mark.parametrize(
    ("wrong", "problem", "words"),
    [
        (lambda: Router(5), TypeError, "notFound must be callable, not 5"),  # type: ignore[arg-type]
        (lambda: Router().route("/", 5), TypeError, "methods must be a list of str, not 5"),  # type: ignore[arg-type]
        (lambda: Router().route("/", []), ValueError, "methods must be one at least"),
        (lambda: Router().route("/", ["get"]), ValueError, "'GET', not 'get'"),
        (lambda: Router().get("/a?b=1"), ValueError, "without a query"),
        (lambda: Router().mount(5, app), ValueError, "prefix must begin with a slash"),  # type: ignore[arg-type]
    ],
)
def test_what_could_never_be_found_is_said_at_once(wrong: Any, problem: type[Exception], words: str) -> None:
    with pytest.raises(problem, match=words):
        wrong()


def test_a_router_tells_what_it_has() -> None:
    router = Router()
    router.route("/a", ["GET", "PUT"])(root)
    assert repr(router) == "<Router of 2 routes>"
    router.mount("/x", app)
    router.mount("/", app)
    assert repr(router) == "<Router of 2 routes, and mounted /x, />"
