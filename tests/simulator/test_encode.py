"""Tables to bytes."""

from __future__ import annotations

import json

import pytest

from chatproof.simulator.encode import Literal, block, delta_ends, dumps, event_value, fill, gather
from chatproof.simulator.pointer import parts, put
from chatproof.simulator.reply import Beat
from chatproof.spec import Delta, Done, Event, Failure, Shape, ToolCall, ToolResult, Usage, dialect, names


def test_pointers_are_unescaped() -> None:
    assert parts("/a~1b/c~0d") == ("a/b", "c~d")


def test_parents_are_made_and_numbers_make_lists() -> None:
    root: dict[str, object] = {}
    put(root, "/detail/0/loc", ["body"])
    put(root, "/detail/0/msg", "x")
    assert root == {"detail": [{"loc": ["body"], "msg": "x"}]}


def test_nothing_is_written_below_a_scalar() -> None:
    with pytest.raises(ValueError, match="/a/b"):
        put({"a": 1}, "/a/b", 2)


def test_constants_come_first_and_roles_in_the_tables_order() -> None:
    shape = Shape({"text": ("/content", "/elsewhere"), "name": ("/x",)}, {"/type": "token"})
    assert json.dumps(fill(shape, {"text": "a"})) == '{"type": "token", "content": "a"}'


@pytest.mark.parametrize("character", ["\x7f", "\x85", "\x9f", "\u2028", "\u2029", "\ufeff", "\ud800"])
def test_characters_that_break_line_readers_are_escaped(character: str) -> None:
    text = dumps({"a": character})
    assert text == f'{{"a": "\\u{ord(character):04x}"}}'
    assert json.loads(text) == {"a": character}


def test_other_characters_are_raw() -> None:
    assert dumps({"a": "Grüße 北京 🌍 \u00a0"}) == '{"a": "Grüße 北京 🌍 \u00a0"}'


def test_a_block_is_one_data_line_and_a_blank_one() -> None:
    assert block(dumps({"a": "x\ny"})) == b'data: {"a": "x\\ny"}\n\n'
    assert block("[DONE]") == b"data: [DONE]\n\n"


@pytest.mark.parametrize("text", ["a", "", 'quo"te', "\u2028\ud800 \0text\0", "Grüße"])
@pytest.mark.parametrize("name", names())
def test_the_short_way_writes_the_same_bytes(name: str, text: str) -> None:
    ends = delta_ends(dialect(name))
    assert ends is not None
    assert (ends[0] + dumps(text) + ends[1]).encode() == block(dumps(event_value(dialect(name), Delta(text))))


@pytest.mark.parametrize("name", names())
def test_every_row_of_every_table_can_be_written(name: str) -> None:
    api = dialect(name)
    events: dict[str, Event] = {
        "delta": Delta("a"),
        "tool_call": ToolCall("t", {"q": 1}),
        "tool_result": ToolResult("t", None),
        "done": Done("s", Usage(1, 2, 3)),
        "failure": Failure("broke"),
    }
    for row in api.stream:
        value = event_value(api, events[row.event])
        if row.literal is not None:
            assert value == Literal(row.literal)
        else:
            assert set(value) >= {pointer.split("/")[1] for pointer in row.shape.constants}
            assert set(value) == {
                at.split("/")[1] for at in (*row.shape.constants, *(p[0] for p in row.shape.roles.values()))
            }


def test_an_event_without_a_row_is_not_written() -> None:
    without = [dialect(name) for name in names() if not any(row.event == "tool_call" for row in dialect(name).stream)]
    assert without
    assert all(event_value(api, ToolCall("t")) is None for api in without)


def test_a_json_reply_is_gathered_from_the_same_events() -> None:
    events: list[Event] = [
        Delta("a"),
        ToolCall("t", {"q": 1}),
        ToolCall("t"),
        ToolResult("t", 5),
        Delta("b"),
        Done("s", Usage(1, 2, 3)),
    ]
    assert gather(Beat(0, event) for event in events) == {
        "text": "ab",
        "tool_calls": [{"name": "t", "args": {"q": 1}, "result": 5}, {"name": "t", "args": {}}],
        "session": "s",
        "input_tokens": 1,
        "output_tokens": 2,
        "total_tokens": 3,
    }
