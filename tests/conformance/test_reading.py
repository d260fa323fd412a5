"""The tables read backwards."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatproof.conformance.reading import MISSING, Unreadable, at, event, roles, row_of, usage
from chatproof.spec import Delta, Done, Event, Failure, Shape, ToolCall, ToolResult, Usage, dialect

GUIDE, REFERENCE, SLUG = dialect("guide"), dialect("reference"), dialect("slug")


@pytest.mark.parametrize(
    ("value", "pointers", "found"),
    [
        ({"a": {"b": 1}}, ("/a/b",), 1),
        ({"a": None}, ("/a",), None),
        ({"a": 1}, ("/b", "/a"), 1),
        ({"a/b": {"m~n": 2}}, ("/a~1b/m~0n",), 2),
        ({"a": [{"b": 3}]}, ("/a/0/b",), 3),
        ({"a": []}, ("/a/0",), MISSING),
        ({"a": []}, ("/a/-",), MISSING),
        ({"a": "text"}, ("/a/b",), MISSING),
        ({"a": [1]}, ("/a/b",), MISSING),
        ([1], ("/a",), MISSING),
        ("text", ("/0",), MISSING),
        (None, ("/a",), MISSING),
        (7, ("/a",), MISSING),
    ],
)
def test_what_stands_at_a_pointer(value: Any, pointers: tuple[str, ...], found: Any) -> None:
    assert at(value, pointers) is found or at(value, pointers) == found != MISSING


def test_roles_that_are_there_optional_ones_included() -> None:
    shape = Shape({"text": ("/t",), "name": ("/n",)}, {}, {"session": ("/s",)})
    assert roles({"t": "x", "s": None}, shape) == {"text": "x", "session": None}


@pytest.mark.parametrize(
    ("data", "meant"),
    [
        ('{"type": "text", "content": "Hi", "extra": 1}', Delta("Hi")),
        ('{"content": "Hi", "type": "text"}', Delta("Hi")),
        ('{"type": "tool_call", "name": "f", "args": {"a": 1}}', ToolCall("f", {"a": 1})),
        ('{"type": "tool_call", "name": "f"}', ToolCall("f", {})),
        ('{"type": "tool_result", "name": "f", "result": null}', ToolResult("f", None)),
        ('{"type": "error", "message": "x"}', Failure("x")),
        ('{"type": "done"}', Done(None, Usage())),
        (
            '{"type": "done", "session_id": 7, "usage": {"input_tokens": true, "output_tokens": "4"}}',
            Done(None, Usage()),
        ),
        ('{"type": "done", "session_id": "s", "usage": {"input_tokens": 1}}', Done("s", Usage(1))),
    ],
)
def test_an_event_by_meaning(data: str, meant: Event) -> None:
    assert event(data, REFERENCE) == meant


@pytest.mark.parametrize(
    ("data", "why", "has_json"),
    [
        ("", "not JSON", False),
        ("[DONE]", "not JSON", False),
        ("[" * 100_000, "not JSON", False),
        ('{"type": "token"}', "its text is missing or not text", False),
        ('{"type": "token", "content": 7}', "its text is missing or not text", False),
        ('{"type": "thinking"}', "of no documented type", True),
        ('{"content": "Hi"}', "of no documented type", True),
        ('"text"', "of no documented type", True),
        ("null", "of no documented type", True),
    ],
)
def test_what_cannot_be_read_says_why(data: str, why: str, has_json: bool) -> None:
    with pytest.raises(Unreadable, match=why) as caught:
        event(data, GUIDE)
    assert (caught.value.value is not MISSING) == has_json


def test_a_literal_is_an_event_and_only_when_it_is_exact() -> None:
    assert event("[DONE]", SLUG) == Done()
    for near in ("[done]", "[DONE] ", '"[DONE]"', '{"chunk": 1}'):
        with pytest.raises(Unreadable):
            event(near, SLUG)


def test_rows_without_constants_are_told_by_the_places_they_have() -> None:
    row, value = row_of('{"chunk": "Hi", "n": 1}', SLUG)
    assert (row.event, value) == ("delta", {"chunk": "Hi", "n": 1})
    with pytest.raises(Unreadable, match="no documented type"):
        row_of('{"n": 1}', SLUG)


@pytest.mark.parametrize("count", [True, 1.0, "1", None, [1]])
def test_a_count_that_is_no_whole_number_is_left_out(count: Any) -> None:
    assert usage({"input_tokens": count, "output_tokens": 2}) == Usage(None, 2, None)


def test_large_numbers_and_duplicate_names_do_no_harm() -> None:
    assert event('{"type": "token", "type": "token", "content": "a", "content": "b"}', GUIDE) == Delta("b")
    assert isinstance(event(json.dumps({"type": "done", "usage": {"input_tokens": 10**400}}), GUIDE), Done)
