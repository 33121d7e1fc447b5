"""One question to the servers of a configuration, one after another, until one has an answer.

Over UDP first, again over TCP when the answer was truncated (RFC 7766, section 5). With EDNS, and without for a server
that does not understand it or, asked so, does not answer (RFC 6891, section 6.2.2): routers on the way may be what does
not let it through. A server that failed or refused is not asked the same again; one that was silent comes last for a
while.
"""

from __future__ import annotations

from protocols.dns._judging import Query, Verdict
from protocols.dns._tcp import Conversations
from protocols.dns._udp import RANDOM, Exchange
from protocols.dns._wire import BADVERS, FORMERR, NOERROR, NOTIMP, NXDOMAIN, Malformed, Response, question, read
from protocols.dns.error import ServerFailure, TimedOut
from reactor.address import IPv4Address, IPv6Address
from reactor.defer import CancelledError, Deferred
from reactor.error import BindError, ConnectBindError, DNSLookupError, NetworkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from protocols.dns._resolvconf import Config, Server

# Seconds for which a server is known not to answer questions with EDNS, or not at all.
PLAIN_FOR = 600.0
LATE_FOR = 30.0
_NOT_UNDERSTOOD = frozenset((FORMERR, NOTIMP, BADVERS))
_RCODES = {1: "FORMERR", 2: "SERVFAIL", 4: "NOTIMP", 5: "REFUSED"}


class Silent(Exception):
    """A server did not answer in time."""


class Asker:
    """Knows servers, from what they answered.

    :ivar foreign: messages that were no answers, since ids, questions or both were wrong.
    """

    def __init__(self, clock: Any, payload: int | None, mixedCase: bool) -> None:
        """`clock` has `seconds` and `callLater`; `payload` is EDNS's, None for none at all."""
        self._clock = clock
        self._payload = payload
        self._mixedCase = mixedCase
        self._conversations = Conversations(clock, self._countForeign)
        # Server -> until when.
        self._plain: dict[Server, float] = {}
        self._late: dict[Server, float] = {}
        self._turn = 0
        self.foreign = 0

    def close(self) -> None:
        """Close the connections."""
        self._conversations.close()

    async def ask(self, reactor: Any, config: Config, name: str, type: str) -> Response:
        """The answer: with records, with none, or that there is no such name. ServerFailure or TimedOut."""
        began = self._clock.seconds()
        servers = self._inTurn(config)
        failed: list[tuple[Any, BaseException]] = []
        for attempt in range(config.attempts):
            for server in servers[:]:
                try:
                    response = await _Asking(self, reactor, config, server, name, type).ask(attempt > 0)
                except ServerFailure as problem:
                    servers.remove(server)
                    failed.append((_address(server), problem))
                except (BindError, ConnectBindError) as problem:
                    # This machine's trouble: the next server would not be reached either.
                    elapsed = self._clock.seconds() - began
                    raise DNSLookupError(problem.osError, "no socket to ask with", host=name, elapsed=elapsed) from None
                except (Silent, NetworkError, OSError) as problem:
                    self._late[server] = self._clock.seconds() + LATE_FOR
                    failed.append((_address(server), problem))
                else:
                    self._late.pop(server, None)
                    return response
        raise _failure(name, type, failed, self._clock.seconds() - began)

    def _inTurn(self, config: Config) -> list[Server]:
        """Those that have been silent of late at the end."""
        servers = list(config.servers)
        if config.rotate:
            first = self._turn % len(servers)
            self._turn += 1
            servers = servers[first:] + servers[:first]
        now = self._clock.seconds()
        return sorted(servers, key=lambda server: self._late.get(server, now) > now)

    def _countForeign(self) -> None:
        self.foreign += 1


class _Asking:
    """One question to one server."""

    def __init__(self, asker: Asker, reactor: Any, config: Config, server: Server, name: str, type: str) -> None:
        self._asker = asker
        self._reactor = reactor
        self._config = config
        self._server = server
        self._name = name
        self._type = type

    async def ask(self, again: bool) -> Response:
        """The answer, if it is one. `again` says that the server was silent before."""
        asker, server = self._asker, self._server
        payload = None if asker._plain.get(server, 0) > asker._clock.seconds() else asker._payload
        silenced = again and payload is not None
        if silenced:
            payload = None
        response = await self._answered(payload)
        if response.rcode in _NOT_UNDERSTOOD and payload is not None:
            payload, silenced = None, True
            response = await self._answered(payload)
        if silenced and response.rcode not in _NOT_UNDERSTOOD:
            asker._plain[server] = asker._clock.seconds() + PLAIN_FOR
        if response.rcode not in (NOERROR, NXDOMAIN):
            code = _RCODES.get(response.rcode, f"RCODE {response.rcode}")
            raise ServerFailure(f"answered {code}", rcode=response.rcode)
        if response.refers:
            raise ServerFailure("knows nothing of that name, and asks nobody")
        return response

    async def _answered(self, payload: int | None) -> Response:
        if not self._config.tcp:
            mixed = self._asker._mixedCase
            name = mix(self._name) if mixed else self._name
            query = Query(question(name, self._type, payload), exact=mixed)
            exchange = Exchange(query, self._asker._countForeign)
            exchange.ask(self._reactor, self._server)
            response = _read(await self._inTime(exchange.answer))
            if response is not None:
                return response
        query = Query(question(self._name, self._type, payload))
        response = _read(await self._inTime(self._overTCP(query)))
        if response is None:
            raise ServerFailure("answered in part only, over TCP")
        return response

    def _overTCP(self, query: Query) -> Deferred[tuple[Verdict, bytes]]:
        return Deferred.fromCoroutine(self._asker._conversations.ask(self._reactor, self._server, query))

    async def _inTime(self, answer: Deferred[tuple[Verdict, bytes]]) -> tuple[Verdict, bytes]:
        late = False

        def ended() -> None:
            nonlocal late
            late = True
            answer.cancel()

        seconds = self._config.timeout
        timer = self._asker._clock.callLater(seconds, ended)
        try:
            return await answer
        except CancelledError:
            if late:
                raise Silent(f"no answer within {seconds:g} s") from None
            raise
        finally:
            if timer.active():
                timer.cancel()


def _read(answer: tuple[Verdict, bytes]) -> Response | None:
    """What it says; None when that can only be known over TCP. ServerFailure when it makes no sense."""
    verdict, data = answer
    if verdict is Verdict.BARE:
        return Response(data[3] & 0x0F, False)
    if verdict is Verdict.OTHER_CASE or data[2] & 0x02:
        # Of a truncated one nothing is used (RFC 2181, section 9), and it may end anywhere.
        return None
    try:
        return read(data)
    except Malformed as e:
        raise ServerFailure(f"answered what cannot be read: {e}") from None


def mix(name: str, bits: Callable[[int], int] = RANDOM.getrandbits) -> str:
    """`name` with each letter in a random case: what a forger would have to guess besides."""
    chosen = bits(len(name) or 1)
    return "".join([c.upper() if chosen >> at & 1 else c.lower() for at, c in enumerate(name)])


def _address(server: Server) -> IPv4Address | IPv6Address:
    return (IPv6Address if ":" in server[0] else IPv4Address)("UDP", *server)


def _failure(name: str, type: str, failed: list[tuple[Any, BaseException]], elapsed: float) -> ServerFailure | TimedOut:
    facts: dict[str, Any] = {"type": type, "host": name, "attempts": tuple(failed), "elapsed": elapsed}
    if all(isinstance(problem, Silent) for _, problem in failed):
        return TimedOut("", **facts)
    rcodes = [problem.rcode for _, problem in failed if isinstance(problem, ServerFailure)]
    text = str(failed[0][1]) if len(failed) == 1 else ""
    return ServerFailure(text, rcode=next((code for code in rcodes if code is not None), None), **facts)
