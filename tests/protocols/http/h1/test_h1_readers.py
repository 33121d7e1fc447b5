"""What readers tell of good messages, one behind the other, in pauses, at the end, and when protocols change."""

from __future__ import annotations

from itertools import pairwise

import pytest
from httpread import Told, requests, responses

from protocols.http.error import BadMessage, Incomplete
from protocols.http.h1 import RequestReader, ResponseReader
from protocols.http.h1.states import TABLE, Event, State, after

GET = b"GET /a?b=c HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\n\r\n"
POST = b"POST /form HTTP/1.1\r\nHost: example.org\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"PUT /x HTTP/1.1\r\nHost: example.org\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n6; a=b\r\n world\r\n0\r\nDigest: x\r\n\r\n"
)
UPGRADE = b"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n"


def test_a_request_is_told_with_all_that_follows_from_its_head() -> None:
    out = requests(GET)
    (head,) = out.heads
    assert head == (
        "GET",
        "/a?b=c",
        1,
        [(b"Host", b"example.org"), (b"Accept", b"*/*")],
        None,
        False,
        True,
        False,
        (),
        "example.org",
    )
    assert out.told.trailers == [[]]


@pytest.mark.parametrize("step", [0, 1, 7])
def test_requests_behind_one_another(step: int) -> None:
    out = requests(GET + POST + CHUNKED + GET, step)
    assert out.error is None
    assert [head.method for head in out.heads] == ["GET", "POST", "PUT", "GET"]
    assert out.bodies == [b"", b"hello", b"hello world", b""]
    assert out.told.trailers == [[], [], [(b"Digest", b"x")], []]


def test_behind_the_last_request_nothing_is_looked_at() -> None:
    out = requests(GET.replace(b"Accept: */*", b"Connection: close") + b"\0\0\0")
    assert out.error is None and [head.keepAlive for head in out.heads] == [False]
    assert out.reader.state is State.CLOSED
    # Nor is it kept.
    out.reader.receive(b"x" * 1000)
    out.reader.receive(b"x" * 1000)
    assert out.reader.buffered == 0


def test_continue_is_waited_for_only_if_there_is_a_body() -> None:
    expecting = POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-Continue\r\n\r\n")
    assert requests(expecting).heads[0].expectContinue
    assert not requests(expecting.replace(b"Length: 5", b"Length: 0")).heads[0].expectContinue
    assert not requests(expecting.replace(b"1.1\r\n", b"1.0\r\n")).heads[0].expectContinue


# ---- Pausing ----


class Pausing(Told):
    """Pauses at each call."""

    reader: RequestReader | ResponseReader

    def headReceived(self, head: object) -> None:
        super().headReceived(head)  # type: ignore[arg-type]
        self.reader.pause()

    def bodyReceived(self, data: bytes) -> None:
        super().bodyReceived(data)
        self.reader.pause()

    def messageReceived(self, trailers: list[tuple[bytes, bytes]]) -> None:
        super().messageReceived(trailers)
        self.reader.pause()


def test_in_a_pause_nothing_is_told_and_what_has_come_waits() -> None:
    told = Pausing()
    reader = told.reader = RequestReader(told)
    reader.receive(GET + POST)
    assert [event[0] for event in told.events] == ["head"] and reader.paused
    assert reader.buffered == len(POST)
    reader.receive(CHUNKED)
    reader.receive(GET)
    assert reader.buffered == len(POST + CHUNKED + GET)
    counts = [len(told.events)]
    while reader.buffered or len(told.trailers) < 4:
        reader.resume()
        counts.append(len(told.events))
    assert [b - a for a, b in pairwise(counts)] == [1] * (len(counts) - 1)
    assert [event[0] for event in told.events] == [
        *("head", "message"),
        *("head", "body", "message") * 2,
        *("head", "message"),
    ]


def test_an_end_in_a_pause_is_told_behind_what_came_before() -> None:
    told = Pausing()
    reader = told.reader = RequestReader(told)
    reader.receive(POST[:-1])
    reader.ended()
    reader.resume()
    assert told.bodies == [b"hell"]
    with pytest.raises(Incomplete) as caught:
        reader.resume()
    assert (caught.value.received, caught.value.expected, caught.value.part) == (4, 5, "body")


def test_what_comes_while_the_sink_is_called_is_read_behind_it() -> None:
    class Nested(Told):
        def headReceived(self, head: object) -> None:
            super().headReceived(head)  # type: ignore[arg-type]
            if len(self.heads) == 1:
                reader.receive(POST)

    told = Nested()
    reader = RequestReader(told)
    reader.receive(GET + GET)
    assert [head.method for head in told.heads] == ["GET", "GET", "POST"]


# ---- The end ----


def test_an_end_between_requests_is_none_in_a_message() -> None:
    for data in (b"", GET, POST, b"\r\n"):
        assert requests(data, end=True).error is None


@pytest.mark.parametrize(
    "data, received, expected, part",
    [
        (GET[:20], 20, None, "head"),
        (GET[:-1], len(GET) - 1, None, "head"),
        (b"\r", 1, None, "head"),
        (POST[:-2], 3, 5, "body"),
        (CHUNKED[: CHUNKED.index(b" wor") + 2], 7, None, "body"),
        (CHUNKED[: CHUNKED.index(b"Digest") + 2], 11, None, "trailers"),
    ],
)
def test_an_end_in_a_message_says_how_much_had_come(data: bytes, received: int, expected: int, part: str) -> None:
    error = requests(data, end=True).error
    assert isinstance(error, Incomplete)
    assert (error.received, error.expected, error.part) == (received, expected, part)
    assert "bytes of the" in str(error)


# ---- Other protocols ----


def test_behind_an_upgrade_nothing_is_read_before_that_is_decided() -> None:
    for step in (0, 1):
        out = requests(UPGRADE + GET, step)
        assert out.heads[0].upgrade == ("websocket",) and out.reader.paused
        assert len(out.heads) == 1 and out.told.trailers == [[]]
        assert out.reader.buffered == len(GET)
    out.reader.resume()
    assert len(out.heads) == 2


def test_what_came_behind_an_upgrade_is_handed_over() -> None:
    out = requests(UPGRADE + b"\x81\x00")
    assert out.reader.switch() == b"\x81\x00"
    out.reader.receive(b"more")
    assert out.reader.state is State.SWITCHED and out.reader.buffered == 0


def test_switching_inside_the_call() -> None:
    class Switching(Told):
        rest = b""

        def headReceived(self, head: object) -> None:
            super().headReceived(head)  # type: ignore[arg-type]
            self.rest = reader.switch()

    for data in (UPGRADE, b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", GET):
        told = Switching()
        reader = RequestReader(told)
        reader.receive(data + b"rest")
        assert told.rest == b"rest" and told.trailers == []
        assert reader.state is State.SWITCHED


def test_switching_in_the_middle_of_a_message_is_a_mistake() -> None:
    out = requests(POST[:-1])
    with pytest.raises(RuntimeError, match="SWITCH cannot happen in state LENGTH"):
        out.reader.switch()


def test_upgrade_counts_only_if_connection_says_so_and_in_http_11() -> None:
    assert requests(UPGRADE.replace(b"keep-alive, Upgrade", b"keep-alive")).heads[0].upgrade == ()
    assert requests(UPGRADE.replace(b"HTTP/1.1", b"HTTP/1.0")).heads[0].upgrade == ()


def test_behind_connect_is_no_http() -> None:
    out = requests(b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n" + GET)
    (head,) = out.heads
    assert head.target == head.host == "example.org:443" and not head.keepAlive
    assert out.reader.state is State.TUNNEL
    out.reader.resume()
    assert out.reader.switch() == GET


# ---- Responses ----

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def test_a_response_for_each_request() -> None:
    out = responses(OK + b"HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", ("GET", "GET"))
    first, second = out.heads
    assert (first.status, first.reason, first.version, first.contentLength) == (200, "OK", 1, 2)
    assert (second.status, second.reason, second.hasBody) == (404, "", False)
    assert out.bodies == [b"hi", b""]


@pytest.mark.parametrize("step", [0, 1])
def test_informational_responses_come_before(step: int) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    out = responses(b"HTTP/1.1 100 Continue\r\n\r\n" + hints + OK, step=step)
    assert [head.status for head in out.told.information] == [100, 103]
    assert out.bodies == [b"hi"]


def test_responses_that_have_no_body_whatever_their_fields_say() -> None:
    length = b"Content-Length: 5\r\n\r\n"
    assert responses(b"HTTP/1.1 304 Not Modified\r\n" + length + OK, ("GET", "GET")).bodies == [b"", b"hi"]
    out = responses(b"HTTP/1.1 200 OK\r\n" + length + OK, ("HEAD", "GET"))
    assert out.bodies == [b"", b"hi"] and out.heads[0].contentLength == 5


def test_a_body_that_the_end_ends() -> None:
    for step in (0, 1):
        out = responses(b"HTTP/1.1 200 OK\r\n\r\nall of it", step=step)
        assert out.told.trailers == [] and not out.heads[0].keepAlive
        out.reader.ended()
        assert out.bodies == [b"all of it"] and out.told.trailers == [[]]


def test_an_end_in_place_of_an_answer() -> None:
    error = responses(b"", end=True).error
    assert isinstance(error, Incomplete) and error.part == "head" and error.received == 0
    assert responses(OK, end=True).error is None


def test_bytes_that_nobody_asked_for() -> None:
    for data in (OK + b"x", OK + OK, OK + b"\r\n"):
        out = responses(data)
        assert isinstance(out.error, BadMessage) and out.bodies == [b"hi"]


def test_101_hands_over_if_it_was_asked_for() -> None:
    data = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nframes"
    out = responses(data, upgrade=True)
    assert out.heads[0].upgrade == ("websocket",) and out.reader.switch() == b"frames"
    assert isinstance(responses(data).error, BadMessage)


def test_success_in_answer_to_connect_is_a_tunnel() -> None:
    out = responses(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntunnel", ("CONNECT",))
    assert out.bodies == [b""] and out.reader.switch() == b"tunnel"
    assert responses(b"HTTP/1.1 407 No\r\nContent-Length: 3\r\n\r\nwhy", ("CONNECT",)).bodies == [b"why"]


# ---- The table ----


def test_what_is_not_in_the_table_cannot_happen() -> None:
    for state in State:
        for event in Event:
            if (state, event) in TABLE:
                assert after(state, event) is TABLE[state, event]
            else:
                with pytest.raises(RuntimeError, match=f"{event.name} cannot happen in state {state.name}"):
                    after(state, event)


def test_every_state_can_be_reached_and_nothing_leads_out_of_a_failure() -> None:
    reached = {State.HEAD} | set(TABLE.values())
    assert reached == set(State)
    assert {then for (state, _), then in TABLE.items() if state is State.FAILED} == {State.FAILED}


def test_an_end_of_a_body_that_was_not_told_in_a_pause_is_told_once() -> None:
    told = Pausing()
    reader = told.reader = ResponseReader(told)
    reader.expect("GET")
    reader.receive(OK)
    for expected in (["head"], ["head", "body"], ["head", "body", "message"], ["head", "body", "message"]):
        assert [event[0] for event in told.events] == expected
        reader.resume()
    reader.ended()
