"""The requirements of RFC 9110 and 9112 on whoever reads a message, each a test named after its section."""

from __future__ import annotations

import pytest
from httphostile import CHUNKED, FIVE, get, post
from httpread import requests, responses

from protocols.http.error import Incomplete
from protocols.http.h1.states import State

OK = b"HTTP/1.1 200 OK\r\n"


def test_9112_2_2_an_empty_line_before_a_request_is_ignored() -> None:
    assert len(requests(b"\r\n" + get()).heads) == 1


def test_9112_2_2_a_bare_CR_is_no_line_end() -> None:
    assert requests(get(b"A: b\rC: d")).status == 400


def test_9112_2_2_space_between_start_line_and_first_field_is_refused() -> None:
    assert requests(b"GET / HTTP/1.1\r\n Host: a\r\n\r\n").status == 400


def test_9112_2_3_another_major_version_is_answered_505() -> None:
    assert requests(post(version=b"2.0")).status == 505


def test_9112_3_a_target_too_long_is_answered_414_and_a_method_too_long_501() -> None:
    assert requests(b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n").status == 414
    assert requests(post(method=b"A" * 40)).status == 501


def test_9112_3_request_lines_of_8000_bytes_are_read() -> None:
    assert requests(b"GET /" + b"a" * 7985 + b" HTTP/1.1\r\nHost: a\r\n\r\n").error is None


@pytest.mark.parametrize("fields", [b"", b"Host: a\r\nHost: a\r\n", b"Host: a b\r\n"])
def test_9112_3_2_no_Host_two_or_a_wrong_one_are_answered_400(fields: bytes) -> None:
    assert requests(b"GET / HTTP/1.1\r\n" + fields + b"\r\n").status == 400


def test_9112_3_2_2_absolute_targets_are_read_and_say_the_host() -> None:
    assert requests(b"GET http://A:80/b HTTP/1.1\r\nHost: a\r\n\r\n").heads[0].host == "A:80"


def test_9112_5_1_space_before_the_colon_is_answered_400() -> None:
    assert requests(get(b"A : b")).status == 400


def test_9112_5_2_folded_lines_are_answered_400() -> None:
    assert requests(get(b"A: b\r\n c")).status == 400


def test_9112_6_1_chunked_is_known_in_any_case() -> None:
    assert requests(post(CHUNKED.upper(), body=FIVE)).bodies == [b"hello"]


def test_9112_6_1_an_unknown_coding_is_answered_501() -> None:
    assert requests(post(b"Transfer-Encoding: x, chunked", body=FIVE)).status == 501


def test_9112_6_3_1_no_body_in_answer_to_HEAD_and_with_204_and_304() -> None:
    assert responses(OK + b"Content-Length: 5\r\n\r\n", ("HEAD",)).told.trailers == [[]]
    for status in (b"204", b"304"):
        assert responses(b"HTTP/1.1 " + status + b" X\r\n\r\n").told.trailers == [[]]


def test_9112_6_3_2_success_in_answer_to_CONNECT_has_no_body() -> None:
    assert responses(OK + b"Content-Length: 5\r\n\r\nhello", ("CONNECT",)).reader.state is State.TUNNEL


def test_9112_6_3_4_a_request_whose_last_coding_is_not_chunked_is_answered_400() -> None:
    assert requests(post(b"Transfer-Encoding: chunked, gzip", body=FIVE)).status == 400


def test_9112_6_3_5_a_wrong_length_is_answered_400() -> None:
    assert requests(post(b"Content-Length: 4,5", body=b"hello")).status == 400


def test_9112_6_3_7_a_request_without_both_has_no_body_and_6_3_8_an_answer_ends_with_the_connection() -> None:
    assert requests(post()).bodies == [b""]
    assert responses(OK + b"\r\nall", end=True).bodies == [b"all"]


def test_9112_7_1_chunks_are_read_and_their_extensions_ignored() -> None:
    assert requests(post(CHUNKED, body=b"5;a=b;c\r\nhello\r\n0\r\n\r\n")).bodies == [b"hello"]


def test_9112_8_a_message_that_ends_early_is_incomplete() -> None:
    assert isinstance(responses(OK + b"Content-Length: 5\r\n\r\nhell", end=True).error, Incomplete)
    assert isinstance(responses(OK + CHUNKED + b"\r\n\r\n5\r\nhello\r\n", end=True).error, Incomplete)


def test_9112_9_3_what_keeps_a_connection() -> None:
    for version, field, keeps in (
        (b"1.1", b"A: b", True),
        (b"1.1", b"Connection: close", False),
        (b"1.0", b"A: b", False),
        (b"1.0", b"Connection: Keep-Alive", True),
    ):
        assert requests(post(field, version=version)).heads[0].keepAlive is keeps


def test_9112_9_6_behind_close_no_request_is_read() -> None:
    assert len(requests(get(b"Connection: close") + get()).heads) == 1


def test_9110_7_8_Upgrade_is_ignored_in_HTTP_10() -> None:
    assert requests(post(b"Connection: upgrade", b"Upgrade: x", version=b"1.0")).heads[0].upgrade == ()


def test_9110_10_1_1_100_continue_is_ignored_in_HTTP_10() -> None:
    head = requests(post(b"Expect: 100-continue", b"Content-Length: 1", version=b"1.0")).heads[0]
    assert not head.expectContinue


def test_9110_15_2_any_number_of_1xx_may_come_and_is_not_the_answer() -> None:
    out = responses(b"HTTP/1.1 199 X\r\n\r\n" * 3 + OK + b"Content-Length: 0\r\n\r\n")
    assert len(out.told.information) == 3 and len(out.heads) == 1
