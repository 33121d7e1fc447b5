"""What the two ends of connections over TLS are told, by Twisted's API: ``python tls_program.py ours|epoll FOLDER``.

Every case runs on that reactor, one after another, and prints one line of JSON: its name, and for each end a list.
FOLDER has server.pem, with a key and a certificate for localhost, and ca.pem, whose authority signed it. Cases that are
named behind it are the only ones.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from functools import partial
from subprocess import DEVNULL, PIPE, Popen
from threading import Thread
from typing import Any

# First: it installs the reactor.
import tls_renewing
from tls_ends import AUTHORITY, BIG, HOST, Case, Slow, client, loop, raw, server  # isort: split

from OpenSSL import SSL
from twisted.internet import defer, endpoints, interfaces, ssl
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer


def both(case: Case, **kw: Any) -> None:
    """Both ends by our reactor, as most cases have it."""
    case.connect(client(**kw), case.listen(server(**kw)))


def echo(case: Case, size: int, pause: bool = False) -> None:
    """The client sends so many bytes, the server answers each, the client closes when all are back."""
    back: list[int] = [0]

    def answered(end: Any, data: bytes) -> None:
        back[0] += len(data)
        if back[0] == size:
            end.transport.loseConnection()

    def answer(end: Any, data: bytes) -> None:
        if pause:
            end.transport.pauseProducing()
            loop.callLater(0, end.transport.resumeProducing)
        end.transport.write(data)

    case.hooks["client made"] = lambda end: end.transport.write(BIG[:size])
    case.hooks["server data"] = answer
    case.hooks["client data"] = answered


def caseEcho(case: Case) -> None:
    echo(case, 5)
    both(case)


def caseEchoMuch(case: Case) -> None:
    echo(case, len(BIG))
    both(case)


def caseEchoPaused(case: Case) -> None:
    echo(case, len(BIG), True)
    both(case)


def caseManyPieces(case: Case) -> None:
    def write(end: Any) -> None:
        for at in range(3000):
            end.transport.write(b"%d " % at)
        end.transport.writeSequence([b"x", bytearray(b"y"), BIG[:70000]])
        end.transport.loseConnection()
        end.transport.write(b"never")

    case.hooks["server shaken"] = write
    both(case)


def caseNoBytes(case: Case) -> None:
    def write(end: Any) -> None:
        for bad in ("text", None, 5):
            try:
                end.transport.write(bad)
            except TypeError:
                end.tell("TypeError")
        end.transport.loseConnection()

    case.hooks["server shaken"] = write
    both(case)


def caseLoseInData(case: Case) -> None:
    def answer(end: Any, data: bytes) -> None:
        end.transport.write(b"answer")
        end.transport.loseConnection()
        end.tell("disconnecting", bool(end.transport.disconnecting))

    case.hooks["client made"] = lambda end: end.transport.write(b"question")
    case.hooks["server data"] = answer
    both(case)


def caseAbort(case: Case) -> None:
    case.hooks["client made"] = lambda end: end.transport.write(b"question")
    case.hooks["server data"] = lambda end, data: end.transport.abortConnection()
    both(case)


def caseAbortBeforeHandshake(case: Case) -> None:
    case.hooks["client made"] = lambda end: end.transport.abortConnection()
    both(case)


def caseLoseBeforeHandshake(case: Case) -> None:
    case.hooks["client made"] = lambda end: end.transport.loseConnection()
    both(case)


def caseRaises(case: Case) -> None:
    def answer(end: Any, data: bytes) -> None:
        end.transport.write(b"never seen")
        raise ValueError("of the program")

    case.hooks["client made"] = lambda end: end.transport.write(b"question")
    case.hooks["server data"] = answer
    both(case)


def caseNotTrusted(case: Case) -> None:
    case.connect(ssl.optionsForClientTLS("localhost"), case.listen(server()))


def caseOtherName(case: Case) -> None:
    case.connect(ssl.optionsForClientTLS("other.invalid", AUTHORITY), case.listen(server()))


def caseAgreed(case: Case) -> None:
    def tell(end: Any) -> None:
        end.tell("agreed", end.transport.negotiatedProtocol)
        end.transport.loseConnection()

    case.hooks["server shaken"] = case.hooks["client shaken"] = tell
    # `acceptableProtocols` of both.
    case.connect(client(acceptableProtocols=[b"h2", b"http/1.1"]), case.listen(server(acceptableProtocols=[b"h2"])))


def caseCallbacks(case: Case) -> None:
    options = server()
    context = options.getContext()
    seen = case.told.setdefault("context", [])
    context.set_tlsext_servername_callback(lambda connection: seen.append(["asked", connection.get_servername()]))
    context.set_info_callback(
        lambda connection, where, ret: (
            seen.append(["done", connection.get_app_data().wrappedProtocol.name])
            if where & SSL.SSL_CB_HANDSHAKE_DONE
            else None
        )
    )
    case.hooks["server shaken"] = lambda end: end.transport.loseConnection()
    case.connect(client(), case.listen(options))


@implementer(interfaces.IOpenSSLClientConnectionCreator)
class Creator:
    """One that looks at who it makes a connection for."""

    def __init__(self, case: Case) -> None:
        self.case = case

    def clientConnectionForTLS(self, tlsProtocol: Any) -> Any:
        factory = tlsProtocol.factory.wrappedFactory
        self.case.told.setdefault("creator", []).append([type(factory).__name__, tlsProtocol.wrappedProtocol.name])
        return SSL.Connection(SSL.Context(SSL.TLS_METHOD), None)


def caseCreator(case: Case) -> None:
    case.hooks["server shaken"] = lambda end: end.transport.loseConnection()
    case.connect(Creator(case), case.listen(server()))


class OldContext:
    """As programs wrote them long ago."""

    def getContext(self) -> Any:
        return SSL.Context(SSL.TLS_METHOD)


def caseOldContext(case: Case) -> None:
    echo(case, 5000)
    case.connect(ssl.ClientContextFactory(), case.listen(server()))


def caseNoContext(case: Case) -> None:
    told = case.told.setdefault("raised", [])
    for give in (partial(case.connect, object(), 1), partial(case.listen, object())):
        try:
            give()
        except Exception as e:
            told.append(type(e).__name__)
    case.waiting.clear()
    case.over("server")


class Pushing:
    """Writes until it is told to wait, so many times."""

    def __init__(self, end: Any, count: int, streaming: bool) -> None:
        self.end, self.left, self.running, self.streaming = end, count, True, streaming

    def resumeProducing(self) -> None:
        self.running = True
        self.go()

    def go(self) -> None:
        while self.running and self.left:
            self.left -= 1
            self.end.transport.write(BIG[:30000])
            if not self.streaming:
                break
        if not self.left and self.running:
            self.running = False
            self.end.transport.unregisterProducer()
            self.end.transport.loseConnection()

    def pauseProducing(self) -> None:
        self.running = False

    def stopProducing(self) -> None:
        self.running = False
        self.end.tell("stopped")


def producing(case: Case, streaming: bool, early: bool) -> None:
    def begin(end: Any) -> None:
        producer = Pushing(end, 40, streaming)
        end.transport.registerProducer(producer, streaming)
        if streaming:
            producer.go()

    case.hooks["server made" if early else "server shaken"] = begin
    both(case)


def caseProducerPushes(case: Case) -> None:
    producing(case, True, False)


def caseProducerPulls(case: Case) -> None:
    producing(case, False, False)


def caseProducerPushesEarly(case: Case) -> None:
    producing(case, True, True)


def caseLoseWithProducer(case: Case) -> None:
    def begin(end: Any) -> None:
        end.transport.registerProducer(Pushing(end, 0, True), True)
        end.transport.loseConnection()
        end.transport.write(b"a producer's")
        loop.callLater(0.01, end.transport.unregisterProducer)

    case.hooks["server shaken"] = begin
    both(case)


def starting(case: Case, **kw: Any) -> None:
    """Plain, then TLS in the middle, with bytes behind the word that come at once."""
    options, trust = server(), client()

    def go(end: Any, data: bytes) -> None:
        if data == b"STARTTLS\n":
            end.transport.write(b"GO\n")
            end.transport.startTLS(options)
            end.tell("TLS", end.transport.TLS, end.provided(), type(end.transport.getHandle()).__name__)
            end.transport.write(b"behind it")
        elif len(end.told[-1][1]) == 27003:
            end.transport.write(b"all of it")
            end.transport.loseConnection()

    def went(end: Any, data: bytes) -> None:
        if data == b"GO\n":
            end.transport.startTLS(trust)
            end.transport.writeSequence([b"sec", b"ret" * 9000])

    case.hooks["server data"] = go
    case.hooks["client made"] = lambda end: end.transport.write(b"STARTTLS\n")
    case.hooks["client data"] = went
    case.port = loop.listenTCP(0, case.factory("server"), interface=HOST)
    loop.connectTCP(HOST, case.port.getHost().port, case.factory("client"))


def caseStartTLS(case: Case) -> None:
    starting(case)


def caseStartTLSReversed(case: Case) -> None:
    options, trust = server(), client()
    case.hooks["server made"] = lambda end: end.transport.startTLS(trust, False)
    case.hooks["client made"] = lambda end: end.transport.startTLS(options, False)
    case.hooks["client shaken"] = lambda end: end.transport.write(b"from the one that connected")
    case.hooks["server data"] = lambda end, data: end.transport.loseConnection()
    case.port = loop.listenTCP(0, case.factory("server"), interface=HOST)
    loop.connectTCP(HOST, case.port.getHost().port, case.factory("client"))


def caseTwice(case: Case) -> None:
    echo(case, 200000)
    inner = TLSMemoryBIOFactory(server(), False, case.factory("server"))
    outer = TLSMemoryBIOFactory(client(), True, case.factory("client"))
    case.connect(client(), case.listen(server(), over=inner), over=outer)


def caseStartTLSInTLS(case: Case) -> None:
    options, trust = server(), client()

    def start(end: Any, what: Any) -> None:
        if not hasattr(end, "started"):
            end.started = True
            end.transport.startTLS(what)
            end.transport.write(b"inside of " + end.name.encode())

    case.hooks["server data"] = lambda end, data: (
        start(end, options) if data == b"start" else end.transport.loseConnection()
    )
    case.hooks["client shaken"] = lambda end: (
        end.transport.write(b"start"),
        loop.callLater(0.05, start, end, trust) if not hasattr(end, "started") else None,
    )
    both(case)


def caseEndpoints(case: Case) -> None:
    echo(case, 5000)
    port = case.listen(server())
    plain = endpoints.HostnameEndpoint(loop, HOST, port)
    endpoints.wrapClientTLS(client(), plain).connect(case.factory("client")).addErrback(lambda f: case.over("client"))


def caseRenegotiation(case: Case) -> None:
    """TLS 1.2: the server asks for another handshake while the client goes on writing."""
    versions = {"insecurelyLowerMinimumTo": ssl.TLSVersion.TLSv1_2, "lowerMaximumSecurityTo": ssl.TLSVersion.TLSv1_2}

    def again(end: Any, data: bytes) -> None:
        if not hasattr(end, "asked"):
            end.asked = True
            end.tell("version", end.transport.getHandle().get_protocol_version_name())
            end.transport.getHandle().renegotiate()
            end.transport.write(BIG[:40000])

    def more(end: Any, data: bytes) -> None:
        if not hasattr(end, "wrote"):
            end.wrote = True
            end.transport.write(BIG[:40000])
        if len(end.told[-1][1]) == 40000:
            end.transport.loseConnection()

    case.hooks["client made"] = lambda end: end.transport.write(b"question")
    case.hooks["server data"] = again
    case.hooks["client data"] = more
    case.connect(client(), case.listen(server(**versions)))


def cut(case: Case, *sizes: int) -> None:
    sent = BIG[:3000]
    got: list[int] = [0]

    def talk(sock: socket.socket) -> None:
        slow = Slow(sock, sizes)
        # Many records, of which each receive has some.
        for at in range(0, 3000, 100):
            slow.ssl.write(sent[at : at + 100])
        slow.send()
        back = b""
        while len(back) < 3000:
            back += slow.ask(slow.ssl.read, 4000)
        case.told.setdefault("thread", []).append(back == sent)
        slow.ask(slow.ssl.unwrap)

    def answer(end: Any, data: bytes) -> None:
        got[0] += len(data)
        end.transport.write(data)

    case.hooks["server data"] = answer
    raw(case, talk)


def caseCutInBytes(case: Case) -> None:
    cut(case, 1)


def caseCutInOddPieces(case: Case) -> None:
    cut(case, 3, 700, 5, 1, 4000)


def caseTruncated(case: Case) -> None:
    def talk(sock: socket.socket) -> None:
        slow = Slow(sock, (1000,))
        slow.ssl.write(b"and no more")
        slow.send()

    case.hooks["server data"] = lambda end, data: None
    raw(case, talk)


def caseNotTLS(case: Case) -> None:
    raw(case, lambda sock: (sock.sendall(b"GET / HTTP/1.0\r\n\r\n"), sock.recv(100)))


def caseGoneInHandshake(case: Case) -> None:
    raw(case, lambda sock: sock.sendall(b"\x16\x03"))


def caseBrokenRecord(case: Case) -> None:
    def talk(sock: socket.socket) -> None:
        slow = Slow(sock, (1000,))
        slow.ssl.write(b"good")
        slow.send()
        sock.sendall(b"\x17\x03\x03\x00\x20" + b"x" * 32)
        while sock.recv(1000):
            pass

    raw(case, talk)


def caseOpenSSL(case: Case) -> None:
    """OpenSSL's own client, which says two lines and hears of the end."""
    case.waiting = {"server", "thread"}
    port = case.listen(server())

    def answer(end: Any, data: bytes) -> None:
        end.transport.write(data.upper())
        if b"end" in data:
            end.transport.loseConnection()

    case.hooks["server data"] = answer

    def run() -> None:
        command = ["openssl", "s_client", "-quiet", "-connect", f"{HOST}:{port}"]
        with Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL) as peer:
            assert peer.stdin is not None
            assert peer.stdout is not None
            heard = case.told.setdefault("thread", [])
            for line in (b"one\n", b"end\n"):
                peer.stdin.write(line)
                peer.stdin.flush()
                heard.append(peer.stdout.readline())
        loop.callFromThread(case.over, "thread")

    Thread(target=run, daemon=True).start()


CASES = {name[4:]: f for name, f in [*globals().items(), *vars(tls_renewing).items()] if name.startswith("case")}


def shown(value: Any) -> Any:
    """A long piece of data by its length and its hash."""
    if isinstance(value, bytes | bytearray):
        from hashlib import sha1

        return value.decode("latin-1") if len(value) < 60 else f"{len(value)} {sha1(value).hexdigest()}"
    return [shown(each) for each in value] if isinstance(value, list) else value


async def run(name: str) -> None:
    case = Case(name)
    late = loop.callLater(30, case.done.errback, TimeoutError(name))
    CASES[name](case)
    try:
        await case.done
    except TimeoutError:
        case.told["late"] = [sorted(case.waiting)]
    if late.active():
        late.cancel()
    if case.port is not None:
        await case.port.stopListening()
    quick = sorted({end.over for end in case.ends.values()})
    told = {end: shown(events) for end, events in case.told.items()}
    print(json.dumps({"case": name, "told": told, "over": quick}), flush=True)


async def main() -> None:
    for name in sys.argv[3:] or CASES:
        await run(name)
    loop.stop()


if __name__ == "__main__":
    loop.callWhenRunning(
        lambda: defer.ensureDeferred(main()).addErrback(lambda failure: (failure.printTraceback(), loop.stop()))
    )
    loop.run()
    sys.stdout.flush()
    os._exit(0)
