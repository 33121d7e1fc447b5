"""Requests that no server may read in two ways, each with what must come of it.

One `Hostile` is what a connection brings; `status` is what it is refused with (None: it is read), `heads` how many
requests are told, `bodies` what theirs are. A request that is refused in its body has been told; whatever comes behind
what was refused is never read.
"""

from __future__ import annotations

from typing import NamedTuple


class Hostile(NamedTuple):
    name: str
    data: bytes
    status: int | None = None
    heads: int = 0
    bodies: tuple[bytes, ...] = ()


REQUESTS: list[Hostile] = []
NEXT = b"GET /smuggled HTTP/1.1\r\nHost: evil\r\n\r\n"


def refused(name: str, data: bytes, status: int = 400, *bodies: bytes) -> None:
    """`data` is refused behind that many requests, and what is behind it is not read."""
    REQUESTS.append(Hostile(name, data + NEXT, status, len(bodies), bodies))


def read(name: str, data: bytes, *bodies: bytes) -> None:
    """`data` is so many requests with these bodies."""
    REQUESTS.append(Hostile(name, data, None, len(bodies), bodies))


def post(*fields: bytes, body: bytes = b"", version: bytes = b"1.1", method: bytes = b"POST") -> bytes:
    lines = [method + b" /x HTTP/" + version, b"Host: example.org", *fields]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def get(*fields: bytes) -> bytes:
    return post(*fields, method=b"GET")


CHUNKED = b"Transfer-Encoding: chunked"
FIVE = b"5\r\nhello\r\n0\r\n\r\n"


# ---- Content-Length against Transfer-Encoding ----

for coding in (
    *(CHUNKED, CHUNKED.lower(), CHUNKED.upper(), b"Transfer-encoding:chunked", b"transfer-Encoding:\tChunked \t"),
):
    for length in (b"Content-Length: 5", b"content-length: 0", b"CONTENT-LENGTH: 15"):
        refused(f"both: {coding!r} before {length!r}", post(coding, length, body=FIVE))
        refused(f"both: {length!r} before {coding!r}", post(length, coding, body=FIVE))
refused("both, others between", post(CHUNKED, *[b"X-%d: y" % n for n in range(20)], b"Content-Length: 5", body=FIVE))
refused("both, the length is none", post(CHUNKED, b"Content-Length: x", body=FIVE))
refused("both, the length is empty", post(CHUNKED, b"Content-Length:", body=FIVE))
refused("both, with identity", post(b"Transfer-Encoding: identity", b"Content-Length: 5", body=b"hello"))
refused("both, on a GET", get(CHUNKED, b"Content-Length: 5") + FIVE)

# ---- Transfer-Encoding ----

for value in (b"chunked", b"Chunked", b"CHUNKED", b"chunked ", b"\tchunked", b"  chunked\t "):
    read(f"coding {value!r}", post(b"Transfer-Encoding:" + value, body=FIVE) + get(), b"hello", b"")
for value in (
    *(b"chunked, chunked", b"chunked,chunked", b"chunked, gzip", b"identity", b"chunked, identity", b"gzip", b"x"),
    *(b"xchunked", b"chunkedx", b'"chunked"', b"chunked;q=1", b"chunked; a=b", b"chunked chunked", b"chunk ed"),
    *(b"", b" ", b",chunked", b"chunked,", b",", b"chunked,,", b"=chunked", b"chunked\xa0", b"\xa0chunked"),
    *(b"\xe9", b"chunke", b"'chunked'", b"chunked/1", b"chunked:", b"none", b"deflate, chunked, gzip"),
    *(b"gzip, chunked, chunked",),
):
    refused(f"coding {value!r}", post(b"Transfer-Encoding: " + value, body=FIVE))
for value in (
    *(b"\x0bchunked", b"chunked\x0b", b"chunked\x0c", b"chunked\0", b"\0chunked", b"chun\x7fked", b"chunked\x1f"),
    *(b"chunked\x85", b"\x85chunked", b"chunked \x0b", b"\x1cchunked"),
):
    refused(f"coding {value!r}", post(b"Transfer-Encoding: " + value, body=FIVE))
for value in (b"gzip, chunked", b"identity, chunked", b"deflate,chunked", b"x, chunked"):
    refused(f"coding {value!r}", post(b"Transfer-Encoding: " + value, body=FIVE), 501)
refused("coding twice", post(CHUNKED, CHUNKED, body=FIVE))
refused("coding twice, in two spellings", post(CHUNKED, CHUNKED.lower(), body=FIVE))
refused("coding twice, identity last", post(CHUNKED, b"Transfer-Encoding: identity", body=FIVE))
refused("coding twice, identity first", post(b"Transfer-Encoding: identity", CHUNKED, body=FIVE), 501)
refused("coding twice, one empty", post(b"Transfer-Encoding:", CHUNKED, body=FIVE))
refused("coding in HTTP/1.0", post(CHUNKED, version=b"1.0", body=FIVE))
refused("coding in HTTP/1.0 that stays", post(CHUNKED, b"Connection: keep-alive", version=b"1.0", body=FIVE))
refused("coding and length in HTTP/1.0", post(CHUNKED, b"Content-Length: 5", version=b"1.0", body=FIVE))
for name in (
    *(b"Transfer-Encoding ", b"Transfer-Encoding\t", b" Transfer-Encoding", b"\tTransfer-Encoding"),
    *(b"Transfer Encoding", b"Transfer-Encoding\0", b"\0Transfer-Encoding", b"Transfer-Encoding\r"),
    *(b"Transfer\r-Encoding", b"\xefTransfer-Encoding", b"Transfer-Encoding\x0b", b"X: y\rTransfer-Encoding"),
    *(b"X: y\nTransfer-Encoding", b'"Transfer-Encoding"', b"Transfer-Encoding\xa0", b"\nTransfer-Encoding"),
    *(b"\rTransfer-Encoding", b"Transfer-Encoding:\r\n ", b"Transfer-Encoding:\n ", b"Transfer-Encoding:\r\n\t"),
    *(b"Transfer-Encoding@", b"[Transfer-Encoding]", b"Transfer-Encoding\x85", b"Transfer-Encoding\x1c"),
):
    refused(f"field {name!r}", post(name + b": chunked", body=FIVE))
    refused(f"field {name!r} beside a length", post(name + b": chunked", b"Content-Length: 5", body=FIVE))
for name in (b"Transfer_Encoding", b"X-Transfer-Encoding", b"Transfer-Encodings", b"TE", b"Transfer.Encoding"):
    read(
        f"field {name!r} is another one",
        post(name + b": chunked", b"Content-Length: 5", body=b"hello") + get(),
        b"hello",
        b"",
    )

# ---- Content-Length ----

for value in (
    *(b"+5", b"-5", b"-0", b"+0", b"0x5", b"5.0", b"5e0", b"5,5", b"5, 5", b"5,6", b"5 5", b"5;5", b"5_0", b""),
    *(b" ", b"five", b"9" * 30, b"1" + b"0" * 18, b"18446744073709551621", b"4294967301" * 3, b"0" * 40 + b"5"),
    *(b"5\xb2", b"\xb25", b'"5"', b"'5'", b"5a", b"a5", b"0b101", b"0o5", b"5h", b"5\x0b", b"\x0c5", b"5\0"),
    *(b"\x005", b",5", b"5,", b"(5)", b"0 5", b"5 ,", b"#5", b"%35", b"5/", b"5:", b"NaN", b"inf", b"\xef\xbc\x95"),
    *(b"\xd9\xa5",),
):
    refused(f"length {value!r}", post(b"Content-Length: " + value, body=b"hello"))
for value in (b"5", b"5 ", b"\t5\t", b" 5", b"05", b"0000005"):
    read(f"length {value!r}", post(b"Content-Length:" + value, body=b"hello") + get(), b"hello", b"")
read("length 0", post(b"Content-Length: 0") + get(), b"", b"")
read("no length", post() + get(), b"", b"")
read("length on a GET", get(b"Content-Length: 5") + b"hello" + get(), b"hello", b"")
read("length on a HEAD", post(b"Content-Length: 5", body=b"hello", method=b"HEAD") + get(), b"hello", b"")
refused("length twice, the same", post(b"Content-Length: 5", b"Content-Length: 5", body=b"hello"))
refused("length twice, another", post(b"Content-Length: 5", b"Content-Length: 6", body=b"hello!"))
refused("length twice, in two spellings", post(b"Content-Length: 5", b"content-length: 5", body=b"hello"))
refused("length twice, one empty", post(b"Content-Length:", b"Content-Length: 5", body=b"hello"))
for name in (
    *(b"Content-Length ", b"Content-Length\t", b" Content-Length", b"Content Length", b"Content-Length\0"),
    *(b"Content-Length\r", b"\0Content-Length", b"Content\n-Length", b"X: y\rContent-Length"),
    *(b"X: y\nContent-Length", b"Content-Length:\r\n ", b"\xe2\x80\x8bContent-Length", b"Content-Length\xa0"),
    *(b"Content-Length,", b"Content-Length\x85", b"Content-Length\x1f"),
):
    refused(f"field {name!r}", post(name + b": 5", body=b"hello"))
for field in (
    # Letters that become others when their case is changed, and spaces that only some take for such.
    *("Tran\u017ffer-Encoding: chunked", "Transfer-Encoding: chun\u212aed", "Transfer-Encoding: chunked\u2003"),
    *("Transfer-Encoding:\u0085chunked", "Content\u2010Length: 5", "\ufeffTransfer-Encoding: chunked"),
):
    refused(f"field {field!a}", post(field.encode(), body=FIVE))
for name in (b"Content_Length", b"X-Content-Length", b"Content-Lengt", b"Content-Length-"):
    read(f"field {name!r} is another one", post(name + b": 5") + get(), b"", b"")

# ---- The request line ----

for line in (
    *(b"GET  / HTTP/1.1", b"GET /  HTTP/1.1", b" GET / HTTP/1.1", b"GET / HTTP/1.1 ", b"GET\t/ HTTP/1.1"),
    *(b"GET /\tHTTP/1.1", b"GET /a b HTTP/1.1", b"GET", b"GET /", b"GET / ", b"/ HTTP/1.1", b"HTTP/1.1"),
    *(b"GET / HTTP/1.1\r", b"GET / HTTP/1.1\0", b"GET / HTTP/1.1\t", b"GET /\0 HTTP/1.1", b"GET /\x7f HTTP/1.1"),
    *(b"GET /\x01 HTTP/1.1", b"GET /\r HTTP/1.1", b"GET /\n HTTP/1.1", b"\0GET / HTTP/1.1", b"G\0T / HTTP/1.1"),
    *(b"G(T / HTTP/1.1", b"G\xe9T / HTTP/1.1", b"GET: / HTTP/1.1", b"GET /\xe9 HTTP/1.1"),
    *(b"GET /\xc3\xa9 HTTP/1.1", b"GET /# HTTP/1.1", b"GET /a#b HTTP/1.1", b"GET /?a#b HTTP/1.1"),
    *(b'GET /"a" HTTP/1.1', b"GET /<a> HTTP/1.1", b"GET /a\\b HTTP/1.1", b"GET \\ HTTP/1.1", b"GET ? HTTP/1.1"),
    *(b"GET a HTTP/1.1", b"GET example.org HTTP/1.1", b"GET example.org:80 HTTP/1.1", b"GET ../ HTTP/1.1"),
    *(b"GET * HTTP/1.1", b"POST * HTTP/1.1", b"OPTIONS ** HTTP/1.1", b"OPTIONS *? HTTP/1.1"),
    *(b"GET http:/ HTTP/1.1", b"GET http:// HTTP/1.1", b"GET http:///a HTTP/1.1"),
    *(b"GET http://a@example.org/ HTTP/1.1", b"GET http://a:b@example.org/ HTTP/1.1"),
    *(b"GET http://example.org:x/ HTTP/1.1", b"GET http://example.org:65536/ HTTP/1.1"),
    *(b"GET http://[::1/ HTTP/1.1", b"GET http://exa mple.org/ HTTP/1.1", b"GET http://example.org\\ HTTP/1.1"),
    *(b"GET 1http://example.org/ HTTP/1.1", b"GET / http/1.1", b"GET / HTTP/1", b"GET / HTTP/1.", b"GET / HTTP/.1"),
    *(b"GET / HTTP/11", b"GET / HTTP/1.10", b"GET / HTTP/01.1", b"GET / HTTP/1.1.1", b"GET / HTTP/1,1"),
    *(b"GET / HTTP/ 1.1", b"GET / HTTP /1.1", b"GET / HTTPS/1.1", b"GET / HTTP/a.b", b"GET / HTTP/+1.1"),
    *(b"GET / HTTP/1.\xb9", b"GET / XTTP/1.1", b"GET /HTTP/1.1", b"GET / HTTP/1.1 x", b"GET / HTTP/0x1.1"),
    *(b"GET / ICY/1.1", b"GET / RTSP/1.0", b"HTTP/1.1 200 OK", b"\x16\x03\x01\x02\x00\x01", b"", b":", b" "),
):
    if line:
        refused(f"line {line!r}", line + b"\r\nHost: example.org\r\n\r\n")
for version in (b"0.0", b"0.9", b"1.2", b"1.9", b"2.0", b"3.0", b"9.9", b"0.1", b"2.1"):
    refused(f"version {version!r}", post(version=version, method=b"GET"), 505)
refused("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505)
read("HTTP/1.0 is the last", b"GET / HTTP/1.0\r\n\r\n" + NEXT, b"")
read("HTTP/1.0 that stays", b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n" + NEXT, b"", b"")
read("HTTP/1.0 that stays and closes", b"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n" + NEXT, b"")
for method in (
    *(b"get", b"Get", b"FOO", b"M-SEARCH", b"PURGE", b"!#$%&'*+-.^_`|~", b"A" * 32, b"PRI", b"SOURCE", b"DESCRIBE"),
):
    read(f"method {method!r}", post(method=method) + get(), b"", b"")
refused("method too long", post(method=b"A" * 33), 501)
refused("method far too long", post(method=b"A" * 9000), 414)
read("OPTIONS *", b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", b"")
for target in (
    *(b"/", b"//", b"//evil/x", b"/?", b"/??", b"/a/../b", b"/%00", b"/%", b"/%zz", b"/;a=b", b"/a|b", b"/{x}"),
    *(b"/[1]", b"/a?b\\c", b"/^`", b"/a:b@c", b"/" + b"a" * 8000, b"/http://x/", b"/?x=http://y?z"),
):
    read(f"target {target[:20]!r}", b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n" + get(), b"", b"")
refused("target too long", b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414)
refused("target far too long", b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414)
refused("a line that does not end", b"GET /" + b"a" * 100_000, 414)
refused("a line of nothing", b"a" * 100_000, 414)
refused("spaces", b" " * 100_000, 414)

# ---- HTTP/0.9, empty lines, line ends ----

refused("HTTP/0.9", b"GET /\r\n\r\n")
refused("HTTP/0.9 without a target", b"GET\r\n\r\n")
refused("HTTP/0.9 with LF", b"GET /\n")
refused("HTTP/0.9 behind a request", get() + b"GET /\r\n\r\n", 400, b"")
read("an empty line before a request", b"\r\n" + get(), b"")
read("an empty line behind a body", post(b"Content-Length: 5", body=b"hello") + b"\r\n" + get(), b"hello", b"")
read("two empty lines", b"\r\n\r\n" + get() + b"\r\n\r\n" + get(), b"", b"")
refused("three empty lines", b"\r\n\r\n\r\n" + get())
refused("empty lines without end", b"\r\n" * 10_000)
refused("an empty line of LF", b"\n" + get())
refused("an empty line of CR", b"\r" + get())
refused("an empty line of CR CR LF", b"\r\r\n" + get())
refused("LF everywhere", get().replace(b"\r\n", b"\n"))
refused("CR everywhere", get().replace(b"\r\n", b"\r"))
refused("LF CR everywhere", get().replace(b"\r\n", b"\n\r"))
refused("LF behind the request line", get().replace(b"\r\n", b"\n", 1))
refused("LF behind a field", get(b"A: b").replace(b"b\r\n", b"b\n"))
refused("LF ends the head", get()[:-2] + b"\n")
refused("CR ends the head", get()[:-2] + b"\r")
refused("LF LF ends the head", get()[:-4] + b"\n\n")
refused("CR LF LF", get()[:-4] + b"\r\n\n")
refused("LF CR LF", get()[:-4] + b"\n\r\n")
refused("CR CR LF behind a field", get(b"A: b").replace(b"b\r\n", b"b\r\r\n"))

# ---- Fields ----

for field in (
    *(b" A: b", b"\tA: b", b"A", b"A b", b"A : b", b"A\t: b", b": b", b":", b"A b: c", b"A(: b", b"A): b"),
    *(b"A,: b", b"A/: b", b"A;: b", b"A<: b", b"A=: b", b"A?: b", b"A@: b", b"A[: b", b"A\\: b", b'A": b'),
    *(b"A{: b", b"A}: b", b"\xe9: b", b"\x7f: b", b"A\0: b", b"A: \0", b"A: b\0c", b"A: b\rc", b"A: b\nc"),
    *(b"A: b\r c", b"A: b\n c", b"A: b\r\n c", b"A: b\r\n\tc", b"A: b\r\n ", b"A: \x01", b"A: \x08", b"A: \x0b"),
    *(b"A: \x0c", b"A: \x1b[2J", b"A: \x7f", b"A:\rb", b"A\r: b", b"A\n: b", b"GET / HTTP/1.1", b"\0", b"\r"),
    *(b"\xff\xff", b"A: b\r\n\r", b"A: b\r\r\n", b"A: b\0\r\nC: d", b"\xa0A: b", b"A\xa0: b", b"A: b\r\n: c"),
):
    refused(f"field {field!r}", get(field))
    if not field.startswith((b" ", b"\t")):
        refused(f"field {field!r} first", b"GET / HTTP/1.1\r\n" + field + b"\r\nHost: x\r\n\r\n")
refused("a fold before the first field", b"GET / HTTP/1.1\r\n Host: x\r\n\r\n")
refused("an empty fold", b"GET / HTTP/1.1\r\nHost: x\r\n \r\n\r\n")
for field in (
    *(b"A:", b"A: ", b"A:b", b"A: b ", b"A:\tb\t", b"A: b:c", b"A::", b"A: \xe9\xff", b"!: x", b"1: 2", b"A: b\tc"),
    *(b"a~|`: x",),
):
    read(f"field {field!r}", get(field) + get(), b"", b"")
read("128 fields", get(*[b"X-%d: y" % n for n in range(127)]), b"")
refused("129 fields", get(*[b"X-%d: y" % n for n in range(128)]), 431)
refused("129 fields of one name", get(*[b"X: y"] * 128), 431)
refused("10 000 fields", get(*[b"X-%d: y" % n for n in range(10_000)]), 431)
refused("fields without end", get()[:-2] + b"A: b\r\n" * 20_000, 431)
read("a line of 16 KiB", get(b"A: " + b"b" * (16384 - 3)), b"")
refused("a longer line", get(b"A: " + b"b" * (16384 - 2)), 431)
refused("a line that does not end, in fields", get()[:-2] + b"A: " + b"b" * 100_000, 431)
refused("a name that does not end", get()[:-2] + b"A" * 100_000, 431)
refused("a head of 33 KiB", get(*[b"A%d: " % n + b"b" * 10_000 for n in range(4)]), 431)
read("a head of 32 KiB", get(*[b"A%d: " % n + b"b" * 10_000 for n in range(3)]), b"")

# ---- Host ----

V11 = b"GET / HTTP/1.1\r\n"
refused("no Host", V11 + b"\r\n")
refused("no Host among others", V11 + b"A: b\r\nC: d\r\n\r\n")
refused("two Hosts", get(b"Host: example.org"))
refused("two Hosts in two spellings", get(b"host: example.org"))
refused("two other Hosts", get(b"Host: evil"))
refused("three Hosts", get(b"HOST: a", b"host: b"))
refused("two Hosts in HTTP/1.0", b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n")
for host in (
    *(b"a b", b"a, b", b"a,b", b"a/b", b"a\\b", b"a?b", b"a#b", b"user@a", b"a:b", b"a:80:80", b"a:-1", b"a:65536"),
    *(b"a:999999", b"[::1", b"::1", b"[::1]x", b"[]", b"[::1]:x", b"http://a", b"a:", b"\xe9", b"a%00", b"<a>"),
    *(b'"a"', b"a;b", b"a=b", b"(a)", b"[::1%25eth0]", b"[v1.a]", b"[::g]", b":80", b"a\tb", b"*", b"a^", b"{a}"),
    *(b"`a`", b"a|b", b"a%2eb", b"a:+80", b"a:8 0"),
):
    if host == b"a:":
        read("Host 'a:'", V11 + b"Host: a:\r\n\r\n", b"")
    else:
        refused(f"Host {host!r}", V11 + b"Host: " + host + b"\r\n\r\n")
for host in (
    *(b"a", b"A.Example", b"a:80", b"127.0.0.1:8080", b"[::1]", b"[::1]:443", b"a_b", b"a.", b"", b"xn--a", b"1"),
    *(b"a:0",),
):
    read(f"Host {host!r}", V11 + b"Host: " + host + b"\r\n\r\n" + get(), b"", b"")
ABSOLUTE = b"GET http://Example.org/a?b HTTP/1.1\r\n"
read("absolute target", ABSOLUTE + b"Host: example.org\r\n\r\n", b"")
read("absolute target with the scheme's port", b"GET http://a:80 HTTP/1.1\r\nHost: a\r\n\r\n", b"")
read("absolute target of another scheme", b"GET wss://a?x HTTP/1.1\r\nHost: a\r\n\r\n", b"")
refused("absolute target, no Host", ABSOLUTE + b"\r\n")
refused("absolute target, another Host", ABSOLUTE + b"Host: evil\r\n\r\n")
refused("absolute target, another port", ABSOLUTE + b"Host: example.org:81\r\n\r\n")
refused("absolute target, empty Host", ABSOLUTE + b"Host:\r\n\r\n")
refused("absolute target, two Hosts", ABSOLUTE + b"Host: example.org\r\nHost: example.org\r\n\r\n")
refused("absolute target, the port of another scheme", b"GET http://a:443/ HTTP/1.1\r\nHost: a:80\r\n\r\n")
refused("absolute target, a name that ends in a dot", b"GET http://a./ HTTP/1.1\r\nHost: a\r\n\r\n")
read("absolute target in HTTP/1.0", b"GET http://a/ HTTP/1.0\r\n\r\n", b"")

# ---- Chunks ----


def chunked(body: bytes) -> bytes:
    return post(CHUNKED, body=body)


for body, said in (
    *((FIVE, b"hello"), (b"0\r\n\r\n", b""), (b"00005\r\nhello\r\n000\r\n\r\n", b"hello")),
    *((b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"), (b"a\r\n0123456789\r\n0\r\n\r\n", b"0123456789")),
    *((b"1\r\n\r\r\n1\r\n\n\r\n0\r\n\r\n", b"\r\n"), (b"2\r\n\r\n\r\n0\r\n\r\n", b"\r\n")),
    *((b"5;a\r\nhello\r\n0\r\n\r\n", b"hello"), (b"5;a=b\r\nhello\r\n0;c\r\n\r\n", b"hello")),
    *((b'5;a="b;\\"c"\r\nhello\r\n0\r\n\r\n', b"hello"), (b"5 ; a = b ;c\r\nhello\r\n0\r\n\r\n", b"hello")),
    *((b'5;a=""\r\nhello\r\n0\r\n\r\n', b"hello"), (b"1\r\na\r\n" * 3000 + b"0\r\n\r\n", b"a" * 3000)),
    *((b"0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n", b"hello"),),
):
    read(f"chunks {body[:30]!r}", chunked(body) + get(), said, b"")
for body in (
    *(b"+5\r\nhello", b"-5\r\nhello", b"0x5\r\nhello", b" 5\r\nhello", b"5 \r\nhello", b"\t5\r\nhello"),
    *(b"5\t\r\nhello", b"5\nhello", b"5\rhello", b"g\r\nhello", b"\r\nhello", b";a\r\nhello", b"5,\r\nhello"),
    *(b"5:\r\nhello", b"5_0\r\nhello", b"0_5\r\nhello", b"5.0\r\nhello", b"5h\r\nhello", b"5\0\r\nhello"),
    *(b"\x005\r\nhello", b"5\xa0\r\nhello", b"\xb2\r\nhello", b"5\x0b\r\nhello", b"5\x0c\r\nhello"),
    *(b"00000000000000005\r\nhello", b"FFFFFFFFFFFFFFFFF\r\nhello", b"10000000000000005\r\nhello"),
    *(b"0" * 5000 + b"5\r\nhello", b"5;\r\nhello", b"5;;\r\nhello", b"5;=b\r\nhello", b"5;a=\r\nhello"),
    *(b"5;a b\r\nhello", b'5;a="\r\nhello', b'5;a="b\r\nhello', b'5;a="b"c\r\nhello', b"5;a\0\r\nhello"),
    *(b"5;a=\x01\r\nhello", b"5;a\nhello", b"5;a\rhello", b"5;a\n\r\nhello", b"5;a\r\r\nhello"),
    *(b'5;a="\n"\r\nhello', b'5;a="\0"\r\nhello', b"5;a=b;\r\nhello", b"5;\xe9\r\nhello", b'5 "a"\r\nhello'),
    *(b"5 a\r\nhello", b"5 5\r\nhello", b"5 ;\r\nhello", b'5;"a"=b\r\nhello', b"5;a,b\r\nhello", b"5\r\r\nhello"),
    *(b"5\n\r\nhello", b"hello\r\n", b"GET / HTTP/1.1\r\n\r\n", b"five\r\n", b"#5\r\nhello", b"5'\r\nhello"),
    *(b"%35\r\nhello",),
):
    refused(f"chunk {body[:30]!r}", chunked(body + b"\r\n0\r\n\r\n"), 400, b"")
for body in (
    *(b"5\r\nhello0\r\n\r\n", b"5\r\nhello\n0\r\n\r\n", b"5\r\nhello\r0\r\n\r\n", b"5\r\nhellox\r\n0\r\n\r\n"),
    *(b"5\r\nhello \r\n0\r\n\r\n", b"5\r\nhello\n\r\n0\r\n\r\n", b"5\r\nhello\r\r\n0\r\n\r\n"),
    *(b"5\r\nhello\r\n\r\n0\r\n\r\n", b"5\r\nhello\r\n+0\r\n\r\n", b"5\r\nhello\0\r\n"),
    *(b"5\r\nhello\r\n-0\r\n\r\n", b"5\r\nhello\r\n0x0\r\n\r\n", b"5\r\nhello\r\n0\n\r\n"),
    *(b"5\r\nhello\r\n0 \r\n\r\n", b"5\r\nhello\r\n\0"),
):
    refused(f"behind a chunk {body[8:]!r}", chunked(body), 400, b"hello")
refused("a chunk line of 300 bytes", chunked(b"5;" + b"a" * 300 + b"\r\nhello\r\n0\r\n\r\n"), 400, b"")
refused("an extension that does not end", chunked(b"5;" + b"a" * 100_000), 400, b"")
refused("zeros without end", chunked(b"0" * 100_000), 400, b"")
refused("extensions of 1 MiB", chunked((b"1;" + b"a" * 200 + b"\r\nx\r\n") * 5000), 400, b"x" * 82)
read("a chunk of 16 EiB begins", chunked(b"FFFFFFFFFFFFFFFF\r\nhello"), b"hello")

# What is taken for a line's end by one reader and for a part of the line, or of the data, by another.
for name, body, *said in (
    ("an LF behind the semicolon", b"5;\nxx\r\nhello\r\n0\r\n\r\n", b""),
    ("an LF ends the line of an extension", b"5;a=b\nhello\r\n0\r\n\r\n", b""),
    ("a CR in an extension", b"5;a\rX\r\nhello\r\n0\r\n\r\n", b""),
    ("a quoted LF", b'5;a="b\nc"\r\nhello\r\n0\r\n\r\n', b""),
    ("a quoted line end", b'5;a="\r\nhello\r\n0\r\n\r\n"', b""),
    ("a byte order mark", b"\xef\xbb\xbf5\r\nhello\r\n0\r\n\r\n", b""),
    ("one LF behind the data", b"5\r\nhello\n5\r\nworld\r\n0\r\n\r\n", b"hello"),
    ("nothing behind the data", b"5\r\nhello5\r\nworld\r\n0\r\n\r\n", b"hello"),
    ("two bytes of anything behind the data", b"5\r\nhelloXX0\r\n\r\n", b"hello"),
    ("data that spills over", b"5\r\nhello and more\r\n0\r\n\r\n", b"hello"),
    ("LF CR behind the data", b"5\r\nhello\n\r0\r\n\r\n", b"hello"),
    ("an LF in the last line", b"0;\n\r\n\r\n", b""),
    ("a CR in the last line", b"0\r\r\n\r\n", b""),
    ("an LF ends all", b"0\r\n\n", b""),
    ("CR CR LF ends all", b"0\r\n\r\r\n", b""),
    ("no end, then a request", b"0\r\n", b""),
):
    refused(f"chunks: {name}", chunked(body), 400, *said)

# ---- Trailers ----

for trailers in (
    *(b"A: b\r\n", b"A: b\r\nC: d\r\n", b"A:\r\n", b"X-GET: / HTTP/1.1\r\n", b"A: b\r\nA: b\r\n"),
    *(b"Content-MD5: x\r\n",),
):
    read(f"trailers {trailers!r}", chunked(b"0\r\n" + trailers + b"\r\n") + get(), b"", b"")
for trailers in (
    *(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"A : b\r\n\r\n", b" A: b\r\n\r\n", b"A: b\r\n c\r\n\r\n"),
    *(b"A: b\n\r\n", b"A: b\r\r\n\r\n", b"A\r\n\r\n", b": b\r\n\r\n", b"A: b\0\r\n\r\n", b"\0\r\n\r\n"),
    *(b"A: b\rC: d\r\n\r\n", b"\n", b"\rX", b"A: b\r\n\n", b"\r\r\n", b"A: b\n\n", b"\xe9: a\r\n\r\n"),
    *(b"Content-Length: 5\r\n\r\n", b"content-length: 0\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"),
    *(b"Host: evil\r\n\r\n", b"Connection: close\r\n\r\n", b"Upgrade: x\r\n\r\n", b"Trailer: A\r\n\r\n"),
    *(b"A: b\r\nTRANSFER-ENCODING: x\r\n\r\n", b"0\r\n\r\n", b"A: \x7f\r\n\r\n"),
):
    refused(f"trailers {trailers!r}", chunked(b"5\r\nhello\r\n0\r\n" + trailers), 400, b"hello")
refused("33 trailers", chunked(b"0\r\n" + b"A: b\r\n" * 33 + b"\r\n"), 431, b"")
read("32 trailers", chunked(b"0\r\n" + b"A: b\r\n" * 32 + b"\r\n"), b"")
refused("trailers of 9 KiB", chunked(b"0\r\n" + b"A: " + b"b" * 9000 + b"\r\n\r\n"), 431, b"")
refused("trailers without end", chunked(b"0\r\n" + b"A: b\r\n" * 20_000), 431, b"")
refused("a trailer that does not end", chunked(b"0\r\n" + b"A: " + b"b" * 100_000), 431, b"")

# ---- Expect, Connection, Upgrade, CONNECT ----

for value in (b"100-continue", b"100-Continue", b"100-CONTINUE "):
    read(f"Expect {value!r}", post(b"Expect: " + value, b"Content-Length: 5", body=b"hello") + get(), b"hello", b"")
for value in (
    *(b"x", b"", b"100-continue, x", b"200-ok", b"100-continue;a", b"100", b"100-continue,100-continue"),
    *(b"100-continued",),
):
    refused(f"Expect {value!r}", post(b"Expect: " + value, b"Content-Length: 5", body=b"hello"), 417)
for field, status in (
    *((b"Expect : 100-continue", 400), (b"Expect:\n 100-continue", 400), (b"Expect: y 100-continue", 417)),
    *((b"Expect: 100-continue\r\n ", 400), (b'Expect: "100-continue"', 417), (b"Expect: 100-continue\0", 400)),
):
    refused(f"field {field!r}", post(field, b"Content-Length: 5", body=b"hello"), status)
read("Expect without a body", get(b"Expect: 100-continue") + get(), b"", b"")
refused(
    "Expect twice", post(b"Expect: 100-continue", b"expect: 100-continue", b"Content-Length: 5", body=b"hello"), 417
)
read("Expect in HTTP/1.0", post(b"Expect: x", b"Content-Length: 5", body=b"hello", version=b"1.0") + NEXT, b"hello")
for value in (
    *(b"close", b"Close", b"CLOSE", b"keep-alive, close", b" close ,", b"close,close", b"x, close"),
    *(b"close, keep-alive",),
):
    read(f"Connection {value!r}", get(b"Connection: " + value) + NEXT, b"")
read("Connection twice", get(b"Connection: keep-alive", b"Connection: close") + NEXT, b"")
read("Connection twice in two spellings", get(b"connection: close", b"Connection: keep-alive") + NEXT, b"")
for value in (b"keep-alive", b"", b",", b"x", b"closed", b"clos", b"x-close", b"Keep-Alive, Upgrade"):
    read(f"Connection {value!r}", get(b"Connection: " + value) + NEXT, b"", b"")
for value in (b'"close"', b"close;q=1", b"clo se", b"close=1", b"(close)", b"\xe9", b"close keep-alive"):
    refused(f"Connection {value!r}", get(b"Connection: " + value))
for value in (b"content-length", b"Content-Length, keep-alive", b"close, host", b"HOST"):
    # A proxy before us would have taken the field away, and sent another message than it has read.
    refused(f"Connection {value!r}", post(b"Connection: " + value, b"Content-Length: 5", body=b"hello"))
read("Connection names the coding", post(b"Connection: transfer-encoding", CHUNKED, body=FIVE) + get(), b"hello", b"")
UPGRADE = (b"Connection: Upgrade", b"Upgrade: nobody/1")
read("an Upgrade that nobody knows", get(*UPGRADE) + NEXT, b"")
read("an Upgrade behind a body", post(*UPGRADE, b"Content-Length: 5", body=b"hello") + NEXT, b"hello")
read("an Upgrade behind chunks", post(*UPGRADE, CHUNKED, body=FIVE) + NEXT, b"hello")
read("an Upgrade that Connection does not name", get(UPGRADE[1]) + NEXT, b"", b"")
read("an Upgrade that only Connection names", get(UPGRADE[0]) + NEXT, b"", b"")
read("an Upgrade in HTTP/1.0", post(*UPGRADE, version=b"1.0", method=b"GET") + NEXT, b"")
refused("an Upgrade with two framings", post(*UPGRADE, CHUNKED, b"Content-Length: 5", body=FIVE))
for value in (b"a b", b"a/", b"/a", b"a/b/c", b"a;b", b'"a"', b"\xe9"):
    refused(f"Upgrade {value!r}", get(b"Connection: upgrade", b"Upgrade: " + value))
read(
    "an Upgrade to h2c",
    get(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMA") + NEXT,
    b"",
)


def connect(target: bytes, *fields: bytes) -> bytes:
    return b"\r\n".join([b"CONNECT " + target + b" HTTP/1.1", b"Host: a:443", *fields, b"", b""])


read("CONNECT", connect(b"a:443") + NEXT, b"")
for target in (
    *(b"/", b"a", b"a:", b":443", b"*", b"http://a:443/", b"http://a:443", b"a:65536", b"a:b", b"a:443/"),
    *(b"u@a:443", b"a b:443", b"[::1]"),
):
    refused(f"CONNECT {target!r}", connect(target))
refused("CONNECT with another Host", connect(b"evil:443"))
refused("CONNECT with a length", connect(b"a:443", b"Content-Length: 5") + b"hello")
refused("CONNECT with chunks", connect(b"a:443", CHUNKED) + FIVE)

# ---- Behind one another ----

read("a hundred", get() * 100, *[b""] * 100)
refused("an error behind two", get() + post(b"Content-Length: 2", body=b"hi") + b"\0", 400, b"", b"hi")
refused("a body that is longer than it says", post(b"Content-Length: 4", body=b"hello\r\n\r\n"), 400, b"hell")
read("a body that looks like a request", post(b"Content-Length: %d" % len(NEXT), body=NEXT) + get(), NEXT, b"")
read("a chunk that looks like a request", chunked(b"%x\r\n%b\r\n0\r\n\r\n" % (len(NEXT), NEXT)) + get(), NEXT, b"")
refused("chunks that end early", chunked(b"0\r\n\r\nhello\r\n0\r\n\r\n"), 400, b"")
refused("a response", b"HTTP/1.1 200 OK\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
refused("TLS", b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03")
refused("SSH", b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
refused("SMTP", b"EHLO example.org\r\n\r\n")
