"""Streams, usage and tools at their edges: what the laws' faults do not reach."""

from __future__ import annotations

from typing import Any

import pytest

from chatproof.conformance.check import Finding, Unclear, Unverified
from chatproof.conformance.exchange import End
from chatproof.conformance.seen import Seen

from .recorded import STREAM, arriving, got, of, over, response, see, stream

USAGE = {"input_tokens": 3, "output_tokens": 4}
DONE = {"type": "done", "session_id": "s", "usage": USAGE}
HI = {"type": "token", "content": "Hi"}
CALL = {"type": "tool_call", "name": "f", "args": {}}
RESULT = {"type": "tool_result", "name": "f", "result": 1}
TEXT = {"type": "text", "content": "Hi"}
END = {"type": "done", "usage": {**USAGE, "total_tokens": 7}}
BROKE = {"type": "error", "message": "x"}
EVENT = b'data: {"type": "token", "content": "a"}\n\n'
LAST = b'data: {"type": "done", "session_id": "s", "usage": {"input_tokens": 1, "output_tokens": 1}}\n\n'


def whole(*events: Any, name: str = "guide", **more: Any) -> Seen:
    return see(stream(*events), name, **{"stream": True, **more})


@pytest.mark.parametrize(
    ("check", "seen", "findings"),
    [
        ("done_present", whole(HI, DONE), 0),
        ("done_present", whole(HI), 1),
        ("done_present", whole(TEXT, BROKE, name="reference"), 0),
        ("done_present", arriving((0, EVENT), end=End.LEFT), 0),
        ("done_once", whole(HI, DONE, DONE), 1),
        ("nothing_after", whole(HI, DONE, HI), 1),
        ("nothing_after", whole(HI, DONE, DONE), 0),
        ("nothing_after", see(response(body=EVENT + LAST + b": bye\n\n", media=STREAM), stream=True), 0),
        ("has_text", whole(DONE), 1),
        ("has_text", whole(BROKE, name="reference"), 0),
        ("known_types", whole(HI, {"type": "thinking"}, DONE), 1),
        ("delta_shape", whole({"type": "token", "content": ""}, DONE), 0),
        ("delta_shape", whole({"type": "token"}, DONE), 1),
        ("done_session", whole(HI, {**DONE, "session_id": ""}, session="s"), 1),
        ("done_session", whole(TEXT, END, name="reference"), 0),
        ("done_session_echoed", whole(HI, DONE, session="s"), 0),
        ("done_session_echoed", whole(HI, DONE, session="t"), 1),
        ("done_session_echoed", whole(HI, DONE), 0),
        ("failure_ends", whole(TEXT, BROKE, END, name="reference"), 0),
        ("failure_ends", whole(TEXT, BROKE, TEXT, name="reference"), 1),
        ("not_stored", see(stream(DONE, headers=[("Cache-Control", "private, No-Store")])), 0),
        ("not_stored", see(stream(DONE, headers=[("Cache-Control", "max-age=0")])), 1),
    ],
)
def test_the_life_of_a_stream(check: str, seen: Seen, findings: int) -> None:
    assert len(over(f"stream.{check}", seen)) == findings


def test_an_event_is_called_what_the_documents_call_it() -> None:
    broke = whole({"type": "error", "message": 7}, name="reference", operation="stream")
    assert {note.expected for note in over("stream.failure_shape", broke) if isinstance(note, Finding)} == {
        "a documented error event"
    }


@pytest.mark.parametrize(
    ("seen", "closes", "heartbeat"),
    [
        (arriving((0, EVENT), (1, LAST), (2.9, b"")), 0, 0),
        (arriving((0, EVENT), (1, LAST), (3.1, b"")), 1, 0),
        (arriving((0, EVENT), (1, LAST), end=End.IDLE_TIMEOUT), 1, 0),
        (arriving((0, EVENT), (1, LAST), end=End.LEFT), 0, 0),
        (arriving((0, EVENT), (15.9, LAST), (15.9, b"")), 0, 0),
        (arriving((0, EVENT), (16.1, LAST), (16.1, b"")), 0, 1),
        (arriving((0, EVENT), (14, b": still here\n\n"), (28, LAST), (28, b"")), 0, 0),
    ],
)
def test_a_stream_in_time(seen: Seen, closes: int, heartbeat: int) -> None:
    assert (len(over("stream.closes", seen)), len(over("stream.heartbeat", seen))) == (closes, heartbeat)


HOSTILE = "one\n\ndata: chatproof"


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        (whole({"type": "token", "content": HOSTILE + " three"}, DONE, step="hostile"), []),
        (whole({"type": "token", "content": "I do not repeat"}, DONE, step="hostile"), [Unverified]),
        (see(response(body={"response": "x"}), step="hostile"), [Unverified]),
    ],
)
def test_text_that_looks_like_the_end(seen: Seen, wanted: list[type]) -> None:
    assert [type(note) for note in of("framing.escaped", whole(HI, DONE, step="new"), seen)] == wanted


def test_text_pasted_in_unescaped_is_found() -> None:
    raw = b'data: {"type": "token", "content": "one\n\nthree"}\n\n'
    assert got(
        of(
            "framing.escaped",
            whole(HI, DONE, step="new"),
            see(response(body=raw, media=STREAM), stream=True, step="hostile"),
        )
    )


@pytest.mark.parametrize(
    ("body", "blank_line", "one_payload"),
    [
        (EVENT + LAST, 0, 0),
        (EVENT + LAST[:-1], 1, 0),
        (EVENT + LAST[:-2], 1, 0),
        (EVENT[:-1] + LAST, 1, 0),
        (b"data: one\ndata: two\n\n", 0, 1),
        (b"data: [1]\n\n", 0, 1),
        (b'data: {"type":\ndata: "token", "content": "a"}\n\n', 0, 0),
    ],
)
def test_where_an_event_ends(body: bytes, blank_line: int, one_payload: int) -> None:
    """Payloads run together for want of a blank line are that one mistake and no other."""
    seen = see(response(body=body, media=STREAM), stream=True)
    assert (len(over("framing.blank_line", seen)), len(over("framing.one_payload", seen))) == (blank_line, one_payload)


@pytest.mark.parametrize(
    ("media", "is_stream", "content_type", "charset"),
    [
        ("text/event-stream", True, 0, 0),
        ("Text/Event-Stream; charset=UTF-8", True, 0, 0),
        ('text/event-stream;charset="utf-8"', True, 0, 0),
        ("text/event-stream; charset=latin-1; x=1", True, 0, 1),
        ("text/plain", True, 1, 0),
        (None, True, 1, 0),
    ],
)
def test_a_stream_is_one_by_what_it_says_or_by_what_it_looks_like(
    media: str | None, is_stream: bool, content_type: int, charset: int
) -> None:
    seen = see(response(body=EVENT, media=media), stream=True)
    assert seen.is_stream == is_stream
    assert (len(over("framing.content_type", seen)), len(over("framing.charset", seen))) == (content_type, charset)


@pytest.mark.parametrize(
    ("block", "findings"), [(b"retry: 3000\n\n", 0), (b"id: 7\n\n", 0), (b"event: a\n\n", 1), (b"data:\n\n", 1)]
)  # fmt: skip
def test_only_a_block_that_should_have_been_an_event_is_an_empty_one(block: bytes, findings: int) -> None:
    seen = see(response(body=block + EVENT + LAST, media=STREAM), stream=True)
    assert len(over("framing.empty_data", seen)) == findings


def test_a_reply_that_quotes_a_stream_is_none() -> None:
    assert not see(response(body={"response": "data: x\n\n", "session_id": "s"}), stream=False).is_stream


@pytest.mark.parametrize(
    ("seen", "python", "javascript"),
    [
        (see(stream(HI, DONE), stream=True), 0, 0),
        (
            see(
                response(body='data: {"type": "token", "content": "a\u2028b"}\n\n'.encode() + LAST, media=STREAM),
                stream=True,
            ),
            1,
            0,
        ),
        (see(response(body=(EVENT + LAST).replace(b"\n", b"\r\n"), media=STREAM), stream=True), 0, 0),
        (see(response(body=(EVENT + LAST).replace(b"\n", b"\r"), media=STREAM), stream=True), 0, 1),
        (arriving((0, EVENT[:20]), (0.1, EVENT[20:] + LAST), (0.1, b"")), 0, 1),
        (arriving((0, EVENT), (0.1, LAST), (0.1, b"")), 0, 0),
    ],
)
def test_the_documents_own_readers(seen: Seen, python: int, javascript: int) -> None:
    assert (len(over("compat.python", seen)), len(over("compat.javascript", seen))) == (python, javascript)


@pytest.mark.parametrize(
    ("seen", "findings"),
    [
        (whole(HI, DONE, step="stream-missing"), 0),
        (whole(HI, DONE, step="refused-stream"), 0),
        (whole({"type": "error", "message": "No"}, step="stream-missing"), 1),
        (whole({"type": "error", "message": "No"}, DONE, step="refused-stream"), 1),
        (whole(BROKE, name="reference", step="stream-unknown"), 1),
        (whole(TEXT, BROKE, END, name="reference", step="stream-broke"), 1),
        (whole({"error": {"name": "No"}}, "[DONE]", name="slug", step="stream-missing"), 1),
        (whole({"chunk": "Hi"}, "[DONE]", name="slug", step="stream-missing"), 0),
        (whole({"type": "error", "message": "No"}, step="stream-good"), 0),
        (see(response(401, {}, media=STREAM), stream=True, step="stream-missing"), 1),
        (see(response(401, {}), stream=True, step="stream-missing"), 0),
        (see(response(429, {}, media=STREAM), stream=True, step="any"), 1),
        (see(response(body={"response": "x"}), stream=True, step="stream-missing"), 0),
    ],
)
def test_what_is_refused_is_not_told_by_a_stream(seen: Seen, findings: int) -> None:
    """A request that is taken and really answered is a matter of the requirement that wanted it refused."""
    assert len(over("stream.refused_before", seen)) == findings


def test_a_refusal_in_a_stream_that_cannot_be_read_is_left_open() -> None:
    torn = see(response(body=b"Data: x\n\n", media=STREAM), stream=True, step="stream-missing")
    assert [type(note) for note in over("stream.refused_before", torn)] == [Unclear]


@pytest.mark.parametrize("count", [0, 7, 7.0, 10**18])
def test_what_is_a_count(count: Any) -> None:
    assert over("usage.input", see(response(body={"usage": {"input_tokens": count}}))) == []


@pytest.mark.parametrize("count", [-1, 1.5, "7", True, None, [7]])
def test_what_is_no_count(count: Any) -> None:
    assert len(over("usage.input", see(response(body={"usage": {"input_tokens": count}})))) == 1


def test_a_count_of_any_size() -> None:
    over("usage.input", see(response(body={"usage": {"input_tokens": 10**400}})))


@pytest.mark.parametrize(
    ("usage", "findings"),
    [
        ({**USAGE, "total_tokens": 7}, 0),
        ({**USAGE, "total_tokens": 8}, 1),
        (USAGE, 0),
        ({"total_tokens": 8}, 0),
        ({**USAGE, "total_tokens": "7"}, 0),
    ],
)
def test_a_total_is_the_sum_where_all_three_are_counts(usage: dict[str, Any], findings: int) -> None:
    assert len(over("usage.total_in_replies", see(response(body={"usage": usage})))) == findings
    assert len(over("usage.total_in_streams", whole(HI, {**DONE, "usage": usage}))) == findings


def test_usage_is_the_same_both_ways() -> None:
    reply = see(
        response(body={"response": "Hi", "session_id": "s", "usage": {**USAGE, "total_tokens": 7}}), step="json"
    )
    assert of("usage.same_usage", reply, whole(HI, DONE, step="stream")) == []
    other = {**DONE, "usage": {"input_tokens": 3, "output_tokens": 5}}
    assert got(of("usage.same_usage", reply, whole(HI, other, step="stream"))) == ["5"]
    assert [type(note) for note in of("usage.same_usage", reply, whole(HI, step="stream"))] == [Unclear]


@pytest.mark.parametrize(
    ("events", "in_order", "answered"),
    [
        ([CALL, RESULT], 0, 0),
        ([CALL, CALL, RESULT, RESULT], 0, 0),
        ([RESULT, CALL], 1, 0),
        ([CALL, RESULT, RESULT], 1, 0),
        ([CALL, {**RESULT, "name": "g"}], 1, 0),
        ([CALL], 0, 1),
        ([CALL, BROKE], 0, 0),
    ],
)
def test_calls_and_results(events: list[Any], in_order: int, answered: int) -> None:
    seen = whole(TEXT, *events, END, name="reference")
    assert (len(over("tools.in_order", seen)), len(over("tools.call_answered", seen))) == (in_order, answered)


@pytest.mark.parametrize(("calls", "kinds"), [([], []), ([{"name": "f"}], [Unclear])])
def test_an_agent_may_call_a_tool_or_none(calls: list[Any], kinds: list[type]) -> None:
    reply = see(response(body={"response": "x", "tool_calls": calls}), "reference", step="new")
    assert [type(note) for note in of("tools.none_listed", reply)] == kinds
    assert got(of("tools.none_listed", see(response(body={"response": "x"}), "reference", step="new"))) == ["None"]


def test_an_agent_that_calls_no_tool_leaves_it_open() -> None:
    assert [type(note) for note in of("tools.called", whole(TEXT, END, name="reference", step="stream"))] == [Unclear]
    assert of("tools.called", whole(CALL, RESULT, END, name="reference", step="stream")) == []
