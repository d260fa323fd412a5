"""The recorder's own reader, beside the judge's: the two share no code, and read every golden stream alike, however it is cut."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatproof.conformance import reading, sse
from chatproof.simulator.record import decode
from chatproof.simulator.record.exchange import Exchange, Heard
from chatproof.simulator.record.reading import find, read
from chatproof.simulator.record.stream import blocks
from chatproof.simulator.request import HttpRequest
from chatproof.simulator.routes import Routes
from chatproof.spec import Delta, Done, ToolCall, ToolResult, Usage, dialect, names, vectors

STREAMS = [(name, one) for name in names() for one in vectors(name) if one.kind == "stream"]
ODD = [
    b"data: a\r\rdata: b\r\n\r\ndata: c\n\n",
    b"\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\n",
    b"data:a\ndata: b\ndata:  c\n\n: no\nid: 1\n\ndata\n\ndata:\n\ndatas: x\n\n",
    b"data: \xc3\xbc \xff\n\n\n\ndata: last",
    b"data: last\n",
    b"event: x\n\ndata: y\r",
]


@pytest.mark.parametrize("data", [*(one.data for _, one in STREAMS), *ODD])
def test_events_are_those_that_the_judge_reads_however_they_are_cut(data: bytes) -> None:
    expected = [event.data for event in sse.read(data).events]
    assert [block.data for block in blocks([(0.0, data)])] == expected
    assert [block.data for block in blocks((float(n), data[n : n + 1]) for n in range(len(data)))] == expected
    for size in (2, 3, 7):
        cut = [(0.0, data[at : at + size]) for at in range(0, len(data), size)]
        assert [block.data for block in blocks(cut)] == expected


def test_an_event_is_there_when_its_blank_line_is() -> None:
    pieces = [(1.0, b"data: a\r"), (2.0, b"\n\r"), (3.0, b"\ndata: b\n\n: x\n"), (4.0, b"data: c"), (5.0, b"\n\n")]
    assert [(block.at_s, block.piece) for block in blocks(pieces)] == [(2.0, 1), (3.0, 2), (5.0, 4)]


@pytest.mark.parametrize(("name", "vector"), STREAMS, ids=lambda one: getattr(one, "id", one))
def test_golden_streams_mean_the_same_to_both(name: str, vector: Any) -> None:
    spec = dialect(name)
    assert [decode.event(spec, block.data) for block in blocks([(0.0, vector.data)])] == [
        reading.event(event.data, spec) for event in sse.read(vector.data).events
    ]


@pytest.mark.parametrize(
    "data",
    ["", "x", "[]", "7", '{"type": "other"}', '{"type": "token"}', '{"type": "token", "content": 1}', "[" * 9999],
)
def test_what_is_no_event_is_none(data: str) -> None:
    assert decode.event(dialect("guide"), data) is None
    assert decode.event(dialect("slug"), data) is None


def test_a_reply_is_read_with_its_calls() -> None:
    value = {
        "response": "ok", "session_id": 7, "usage": {"input_tokens": True, "output_tokens": 2},
        "tool_calls": [{"name": "a", "args": {"x": 1}, "result": None}, {"name": "b"}, {"nam": 1}, 7],
    }  # fmt: skip
    assert decode.reply(dialect("reference"), value) == (
        (ToolCall("a", {"x": 1}), ToolResult("a", None), ToolCall("b", {}), Delta("ok")),
        Done(None, Usage(None, 2, None)),
    )
    nothing: list[Any] = [None, [], {}, {"response": 7}]
    for wrong in nothing:
        assert decode.reply(dialect("reference"), wrong) is None


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("/chat", ("guide", "chat")), ("/api/v7/chat?x=1", ("guide", "chat")), ("/reference/chat/stream", ("reference", "stream")),
        ("/x/v1/agents/a%20b/chat", ("rest", "chat")), ("/v1/api/chat/me", ("slug", "chat")), ("/chats", None), ("/", None),
    ],
)  # fmt: skip
def test_an_operation_is_found_wherever_the_server_has_it(target: str, found: tuple[str, str] | None) -> None:
    body = json.dumps({"agent_id": "a", "message": "Hi"}).encode()
    route = find(HttpRequest("POST", target, {}, body), Routes([dialect(name) for name in names()]))
    assert (route and route.operation and (route.dialect.name, route.operation.id)) == found
    assert find(HttpRequest("GET", target, {}), Routes([dialect("guide")])) is None


@pytest.mark.parametrize(
    ("body", "noted"),
    [
        (
            b"<html>oops</html>",
            "it has no words where guide documents them, and is played with the documented ones: <html>oops</html>",
        ),
        (b'{"detail": "Out of order"}', None),
    ],
)
def test_an_error_without_the_documented_words_says_so(body: bytes, noted: str | None) -> None:
    asked = HttpRequest("POST", "/chat", {}, b'{"agent_id": "a", "message": "Hi"}')
    exchange = Exchange(1, asked, 500, (), ((0.1, body),), 0.2)
    heard = read(exchange, Routes([dialect("guide")]))
    assert isinstance(heard, Heard)
    assert heard.notes == (() if noted is None else (noted,))
