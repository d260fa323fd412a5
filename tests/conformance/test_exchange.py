"""What can be asked of a recorded exchange."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from chatproof.conformance.exchange import Chunk, End, Exchange, NotJson, Request, curl, parse_json

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream; charset=utf-8\r\nX-One: 1\r\nx-one: 2\r\n\r\n"


def exchange(*reads: bytes, end: End = End.CLOSED, method: str = "POST") -> Exchange:
    chunks = tuple(Chunk(100 + index, data) for index, data in enumerate(reads))
    return Exchange("ex-0001", "a request", Request(method, "/chat"), 1.5, 99, chunks, end)


def test_reading_a_response() -> None:
    seen = exchange(HEAD, b"data: a\n", b"\ndata: b\n\n")
    assert seen.status == 200
    assert (seen.header("X-ONE"), seen.header("missing")) == ("1", None)
    assert seen.headers_named("x-one") == ["1", "2"]
    assert seen.content_type == "text/event-stream"
    assert seen.body == seen.content == b"data: a\n\ndata: b\n\n"
    assert [event.data for event in seen.stream.events] == ["a", "b"]
    assert [seen.arrived_ns(event.end - 1) for event in seen.stream.events] == [102, 102]
    assert seen.arrived_ns(0) == 101
    assert seen.problems == ()


def test_no_response() -> None:
    seen = exchange(end=End.REFUSED)
    assert (seen.response, seen.status, seen.body, seen.headers, seen.content_type) == (None, None, b"", (), None)
    assert seen.stream.events == ()
    assert seen.problems == ()
    with pytest.raises(IndexError):
        seen.arrived_ns(0)


def test_garbage_is_a_problem_though_no_response() -> None:
    assert [problem.kind for problem in exchange(b"SSH-2.0\r\n").problems] == ["bad-status-line"]


def test_only_an_end_by_the_target_makes_a_short_body_its_fault() -> None:
    short = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"
    for end in End:
        blamed = [problem.kind for problem in exchange(short, end=end).problems if problem.kind != "h11"]
        assert blamed == (["short-body"] if end in (End.CLOSED, End.RESET) else [])


def test_json_of_the_body() -> None:
    seen = exchange(b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"a": 1, "a": 2}')
    assert seen.json() == {"a": 2}
    assert seen.duplicate_names == ("a",)


@pytest.mark.parametrize(
    ("text", "value"),
    [(b"[1]", [1]), (b" null\n", None), (b'"\\ud800"', "\ud800"), ('"\u00e9"'.encode(), "\u00e9"), (b'"NaN"', "NaN")],
)
def test_json(text: bytes, value: Any) -> None:
    assert parse_json(text) == (value, ())


@pytest.mark.parametrize(
    ("text", "offset", "reason"),
    [
        (b"", 0, "expecting value"),
        (b"\xef\xbb\xbf{}", 0, "byte order mark"),
        (b'{"a": "\xff"}', 7, "not UTF-8"),
        (b'["NaN", NaN]', 8, "NaN"),
        (b'["\\"NaN", -Infinity]', 10, "-Infinity"),
        ('["\u00e9", Infinity]'.encode(), 7, "Infinity"),
        ('["\u00e9", ]'.encode(), 7, "expecting value"),
        (b"{} {}", 3, "extra data"),
        (b"\x00", 0, "expecting value"),
        (b'["a]', 1, "^unterminated string starting at byte 1$"),
        (b"[" * 200_000, 0, "nested too deeply"),
    ],
)
def test_not_json(text: bytes, offset: int, reason: str) -> None:
    with pytest.raises(NotJson, match=reason) as caught:
        parse_json(text)
    assert caught.value.offset == offset


def test_not_json_of_a_huge_number() -> None:
    with pytest.raises(NotJson, match="digits"):
        parse_json(b"[" + b"9" * 5000 + b"]")


def arguments(command: str) -> list[bytes]:
    """What a shell makes of the command: its words, with ``curl`` replaced by something that prints them."""
    script = f"curl() {{ printf '%s\\0' \"$@\"; }}; CHATPROOF_KEY=the-key; {command}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True)
    return done.stdout.split(b"\0")[:-1]


def test_curl_is_redacted_and_survives_a_shell() -> None:
    headers = (("Authorization", "Bearer sk-secret"), ("Content-Type", "application/json"), ("X-Odd", "it's $HOME"))
    body = '{"message": "it\'s `x` $Y \\u00e9 \u00e9"}'.encode()
    command = curl(Request("POST", "/chat?a=b&c", headers, body), "http://127.0.0.1:8080/guide/")
    assert "sk-secret" not in command
    words = arguments(command)
    assert words[words.index(b"-X") + 1] == b"POST"
    assert b"http://127.0.0.1:8080/guide/chat?a=b&c" in words
    assert b"Authorization: Bearer the-key" in words
    assert b"X-Odd: it's $HOME" in words
    assert words[words.index(b"--data-raw") + 1] == body


@pytest.mark.parametrize("body", [b"\xff\x00'\\", b"%s\n"])
def test_curl_with_bytes_that_are_no_text(body: bytes) -> None:
    command = curl(Request("POST", "/chat", (), body), "http://h")
    if "printf" in command:
        shown = subprocess.run(["bash", "-c", command.split(" | ")[0]], capture_output=True, check=True).stdout
        assert shown == body
    else:
        assert body in arguments(command)


def test_curl_without_a_body_or_with_odd_credentials() -> None:
    assert arguments(curl(Request("HEAD", "/"), "http://h"))[-2:] == [b"--head", b"http://h/"]
    odd = curl(Request("GET", "/", (("authorization", 'To"ken $x abc'), ("X-Empty", ""))), "http://h")
    assert "ken" not in odd
    assert arguments(odd)[-3:] == [b"authorization: the-key", b"-H", b"X-Empty;"]
    no_key = curl(Request("GET", "/", (("Authorization", "Bearer"),)), "http://h")
    assert arguments(no_key)[-1] == b"Authorization: Bearer"
