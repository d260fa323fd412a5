"""Rules that are meant for a session or a key, and tools that answer later than they are called: the words that recordings need."""

from __future__ import annotations

import json
from typing import Any

from .scripted import checked, shop, told, turns
from .test_script_play import ask, at_desk

OWNERS = """
start:
  - when: {exact: Hello}
    for: {session: first, key: key-other-customer}
    say: one
    goto: next
  - when: {exact: Hello}
    for: {session: second}
    say: two
  - when: {exact: Hello}
    say: anybody
  - when: {exact: Hello}
    for: {session: never}
    say: never
next:
  - else: {say: more, goto: start}
"""


def test_a_rule_for_a_session_goes_before_others_that_fit() -> None:
    desk = at_desk(shop(OWNERS))
    assert [ask(desk, "Hello", session) for session in ("second", "first", "first", "third")] == [
        "two",
        "one",
        "more",
        "one",
    ]
    assert ask(desk, "Hello", "fourth", key="key-other-customer") == "one"


def test_a_session_that_is_not_named_gets_the_first_id_that_is_free() -> None:
    desk = at_desk(shop(OWNERS))

    def opened(**roles: Any) -> tuple[str, str]:
        reply = desk.chat("guide", "Hello", agent="shop", stream=False, **roles).json
        return reply["response"], reply["session_id"]

    assert [opened() for _ in range(2)] == [("one", "first"), ("two", "second")]
    said, drawn = opened()
    assert said == "one"
    assert drawn not in ("first", "second", "never")
    assert opened(key="key-other-customer") == ("one", "first")


def test_rules_that_are_for_somebody_do_not_cover_each_other() -> None:
    found = checked(turns(OWNERS))
    assert told(found) == [
        "15:11 warning: this rule is never reached: rule 3 of turn 'start' fits whenever this one does"
    ]


def test_a_tool_may_answer_later_than_it_is_called() -> None:
    reply = "[{call: a, args: {x: 1}}, {call: b}, {result_of: b, result: 2}, wait, {result_of: a, result: '{{ request.message }}'}]"
    desk = at_desk(shop(f"start:\n  - else: {{reply: {reply}}}"))
    events = [json.loads(data) for data in desk.chat("reference", "Hi", agent="ag_shop", mode="stream").data]
    assert [(event["type"], event.get("name"), event.get("result")) for event in events[:-1]] == [
        ("tool_call", "a", None), ("tool_call", "b", None), ("tool_result", "b", 2), ("text", None, None), ("tool_result", "a", "Hi"),
    ]  # fmt: skip
    assert told(checked(turns("start:\n  - else: {reply: [{call: look}, {result_of: lok, result: 1}]}"))) == [
        "6:26 warning: calls of tools are not told in guide, rest and slug",
        "6:40 warning: nothing calls 'lok' in this reply (did you mean 'look'?)",
    ]
