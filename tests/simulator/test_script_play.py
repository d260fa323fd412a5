"""Playing a script: rules, memory, templates, refusals, in every dialect, at a desk without sockets."""

from __future__ import annotations

from typing import Any

import pytest

from chatproof.simulator.backend import Backend
from chatproof.simulator.script.model import Script
from chatproof.spec import FrozenClock, dialect, names

from .conftest import Desk
from .scripted import script, shop

TWO_TURNS = """
start:
  - when: {contains: order}
    say: Which number?
    goto: number
number:
  - when: {regex: '(?P<n>[0-9]{5})'}
    capture: {order: n}
    say: "Order {{ vars.order }} is on its way."
    goto: start
  - else: {say: Five digits please.}
"""


def at_desk(played: Script, *dialects: str, **bent: Any) -> Desk:
    chosen = [dialect(name) for name in dialects or names()]
    return Desk(Backend(chosen, bent.pop("seed", 7), script=played, **bent), FrozenClock())


def ask(desk: Desk, message: str, session: str = "s", name: str = "guide", **roles: Any) -> str:
    return desk.text(name, message, agent="shop", session=session, **roles)


@pytest.mark.parametrize("name", names())
def test_one_script_serves_every_dialect(name: str) -> None:
    desk = at_desk(shop(TWO_TURNS))
    said = ["Where is my ORDER?", "hm", "it is 12345", "another order"]
    expected = ["Which number?", "Five digits please.", "Order 12345 is on its way.", "Which number?"]
    assert [ask(desk, message, name=name) for message in said] == expected


def test_memory_is_the_sessions() -> None:
    desk = at_desk(shop(TWO_TURNS))
    assert ask(desk, "order", "a") == "Which number?"
    assert desk.chat("guide", "12345", agent="shop", session="b", stream=False).status == 500
    assert desk.chat("guide", "12345", agent="shop", session="a", stream=False, key="key-other-customer").status == 500
    assert ask(desk, "12345", "a") == "Order 12345 is on its way."


def test_a_session_that_expired_begins_again() -> None:
    desk = at_desk(shop(TWO_TURNS))
    ask(desk, "order")
    desk.clock.advance(24 * 3600 + 1)
    assert desk.chat("guide", "12345", agent="shop", session="s", stream=False).status == 500
    assert ask(desk, "order") == "Which number?"


@pytest.mark.parametrize(
    ("when", "fits", "fits_not"),
    [
        ("exact: Hello", {"message": " hello "}, {"message": "hello you"}),
        ("{exact: Hello, case: true}", {"message": "Hello"}, {"message": "hello"}),
        ("exact: [a, b]", {"message": "b"}, {"message": "c"}),
        ("contains: '\u00df'", {"message": "GROSS"}, {"message": "gros"}),
        ("{contains: a, case: true}", {"message": "xax"}, {"message": "A"}),
        ("regex: '^a.c$'", {"message": "ABC"}, {"message": "abcd"}),
        ("{regex: '^a.c$', case: true}", {"message": "abc"}, {"message": "ABC"}),
        ("metadata: {plan: {tier: 1}}", {"metadata": {"plan": {"tier": 1.0, "x": 2}}}, {"metadata": {"plan": {"tier": True}}}),
        ("metadata: {plan: free}", {"metadata": {"plan": "free"}}, {}),
        ("if: 'request.metadata.n > 2'", {"metadata": {"n": 3}}, {"metadata": {"n": 2}}),
        ("if: 'request.stream'", {"stream": True}, {"stream": False}),
        ("if: 'request.dialect == \"guide\"'", {}, {"name": "rest"}),
        ("vars: {n: 1}", {}, None),
        ("vars: {n: 2}", None, {}),
        ("first_turn: false", None, {}),
    ],
)  # fmt: skip
def test_a_condition(when: str, fits: dict[str, Any] | None, fits_not: dict[str, Any] | None) -> None:
    when = when if when.startswith("{") else f"{{{when}}}"
    text = f"start:\n  - when: {when}\n    refuse: rate_limited\n  - else: {{say: other}}"
    whole = script(
        "script: 1\nagents:\n  shop:\n    variables: {n: 1}\n    turns:\n"
        + "\n".join(f"      {x}" for x in text.split("\n"))
    )
    for roles, status in ((fits, 429), (fits_not, 200)):
        if roles is not None:
            asked = {"name": "guide", "message": "x", "stream": False, **roles}
            desk = at_desk(whole)
            said = desk.chat(asked.pop("name"), agent="shop", session="s", **asked)
            assert said.status == status, roles


def test_first_turn_and_tool_results() -> None:
    desk = at_desk(
        shop("""
start:
  - when: {tool_result: {name: look, result: {found: true}}}
    say: found
  - when: {tool_result: look}
    reply: [again, {call: look, result: {found: true, by: me}}]
  - when: {first_turn: true}
    reply: [first, {call: look, args: {q: "{{ request.message }}"}, result: {found: false}}]
""")
    )
    assert [ask(desk, "x") for _ in range(3)] == ["first", "again", "found"]
    assert ask(desk, "x", "other") == "first"


def test_a_tool_call_is_told_where_the_dialect_has_words_for_it() -> None:
    desk = at_desk(
        shop("""
start:
  - else:
      reply:
        - "Look: "
        - {call: look, args: {q: "{{ request.message }}", n: 1}, after: 400ms, takes: 2s, result: ["{{ session.turn }}"]}
        - {pause: 1s}
        - {say: two words, after: 500ms}
        - {text: two words}
        - {pause: 3s}
      usage: {total: 50}
""")
    )
    said = desk.chat("reference", "Q", agent="ag_shop", session="s", mode="stream")
    assert said.data == [
        '{"type": "text", "content": "Look: "}',
        '{"type": "tool_call", "name": "look", "args": {"q": "Q", "n": 1}}',
        '{"type": "tool_result", "name": "look", "result": [1]}',
        '{"type": "text", "content": "two"}',
        '{"type": "text", "content": " words"}',
        '{"type": "text", "content": "two words"}',
        '{"type": "done", "usage": {"input_tokens": 1, "output_tokens": 49, "total_tokens": 50}}',
    ]
    assert [write.due_s for write in said.plan.writes] == [0.0, 0.4, 2.4, 3.9, 6.9]
    whole = desk.chat("reference", "Q", agent="ag_shop", session="s", stream=False)
    assert whole.json["tool_calls"] == [{"name": "look", "args": {"q": "Q", "n": 1}, "result": [2]}]
    assert whole.plan.writes[0].due_s == 6.9
    assert len(desk.chat("slug", "Q", agent="shop", session="s", stream=True).data) == 5


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        ("{input: 5, output: 6}", (5, 6, 11)),
        ("{input: 5}", (5, 2, 7)),
        ("{total: 50}", (3, 47, 50)),
        ("{total: 2}", (2, 0, 2)),
        ("{output: 10, total: 12}", (2, 10, 12)),
        ("{input: 1, output: 1, total: 7}", (1, 1, 7)),
    ],
)
def test_usage_is_filled_in(usage: str, told: tuple[int, int, int]) -> None:
    desk = at_desk(shop(f"start:\n  - else: {{say: a b, usage: {usage}}}"))
    said = desk.chat("guide", "one two three", agent="shop", stream=False).json["usage"]
    assert tuple(said.values()) == told


def test_an_answer_that_breaks_off() -> None:
    desk = at_desk(shop("start:\n  - else: {reply: [a, {fail: 'no {{ request.message }}'}]}"))
    said = desk.chat("reference", "x", agent="ag_shop", mode="stream")
    assert said.data == ['{"type": "text", "content": "a"}', '{"type": "error", "message": "no x"}']
    refused = desk.chat("guide", "x", agent="shop", stream=True)
    assert refused.status == 500
    assert "breaks off" in refused.headers["x-chatproof-note"]


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize(
    "refusal", ["rate_limited", "unavailable", "insufficient_balance", "invalid_request", "wrong_agent"]
)
def test_a_refusal_looks_as_documented(name: str, refusal: str, desk: Desk) -> None:
    api = dialect(name)
    said = at_desk(shop(f"start:\n  - else: {{refuse: {refusal}}}")).chat(name, "x", agent="shop")
    row = api.errors[refusal]
    assert said.status == row.status
    assert "None" not in said.body.decode()
    assert ("retry-after" in said.headers) == (refusal in ("rate_limited", "unavailable"))


def test_a_refusal_in_other_words() -> None:
    text = 'start:\n  - else: {refuse: {name: rate_limited, retry_after: 7, message: "not {{ request.message }}"}}'
    said = at_desk(shop(text)).chat("guide", "x", agent="shop")
    assert said.json == {"detail": "not x", "retry_after": 7}
    assert said.headers["retry-after"] == "7"
    text = "start:\n  - else: {refuse: {name: invalid_request, message: must be nice}}"
    assert at_desk(shop(text)).chat("guide", "x", agent="shop").json == {"detail": "message: must be nice"}


def test_an_unmatched_request_is_explained_the_nearest_first() -> None:
    desk = at_desk(
        shop("""
start:
  - when: {contains: weather, metadata: {plan: pro}}
    say: a
  - when: {regex: '[0-9]+'}
    say: b
  - when: {exact: order}
    say: c
""")
    )
    said = desk.chat("guide", "oder\nnow", agent="shop", session="s", stream=False)
    assert said.status == 500
    detail = said.json["detail"]
    assert detail.startswith(
        "chatproof's script: no rule of agent 'shop', turn 'start', fits. Tried, the nearest first: rule 3 (s.yaml:10:11): exact: the message is 'oder\\nnow', not 'order' | rule 2 "
    )
    assert detail.endswith(
        "rule 1 (s.yaml:6:11): contains: 'weather' is not in 'oder\\nnow'; metadata: there is no 'plan', expected 'pro'"
    )
    assert said.headers["x-chatproof-note"].startswith(
        "unmatched: no rule of agent 'shop', turn 'start', fits; 3 tried"
    )
    assert said.plan.said.count("\n") == 3
    assert ask(desk, "order") == "c"


def test_an_unmatched_request_leaves_no_trace_in_its_session() -> None:
    desk = at_desk(
        shop("start:\n  - when: {contains: x, first_turn: true}\n    say: '{{ session.said }} {{ session.turn }}'")
    )
    assert desk.chat("guide", "oh", agent="shop", session="s", stream=False).status == 500
    assert ask(desk, "x") == "[] 1"


def test_a_hostile_message_stays_out_of_the_headers() -> None:
    desk = at_desk(shop("start:\n  - when: {exact: x}\n    say: y"))
    said = desk.chat("guide", "\r\nX-Evil: 1\r\n\r\n\u2028\U0001f30d" + "a" * 5000, agent="shop", stream=False)
    assert said.status == 500
    assert "x-evil" not in said.headers
    assert "\\U0001f30d" in said.headers["x-chatproof-note"]
    assert len(said.body) < 2000


def test_a_template_that_fails_is_a_500_with_its_place_in_the_log() -> None:
    desk = at_desk(
        shop("""
start:
  - when: {exact: go}
    set: {n: "{{ 1 / (request.metadata.by | default(0)) }}"}
    say: "{{ vars.n }}"
    goto: far
far:
  - else: {say: far}
""")
    )
    said = desk.chat("guide", "go", agent="shop", session="s", stream=False)
    assert (said.status, said.json) == (500, {"detail": "Internal server error"})
    assert said.plan.said == "internal_error  s.yaml:7:20: the template failed: division by zero"
    assert said.headers["x-chatproof-note"] == "script error at s.yaml:7:20"
    assert ask(desk, "go", metadata={"by": 2}) == "0.5"
    assert ask(desk, "x") == "far"


def test_the_longest_message_can_be_said_again() -> None:
    desk = at_desk(
        shop(
            "start:\n  - else: {say: '{{ request.message }}{{ request.message }}', set: {last: '{{ request.message }}'}}"
        )
    )
    message = "ab " * 340_000
    assert ask(desk, message) == message * 2


def test_counters_and_variables_keep_their_types() -> None:
    desk = at_desk(
        shop("""
start:
  - when: {if: "count.turn > 3"}
    say: "enough after {{ session.turn - 1 }}: {{ vars.all }} {{ session.said | join('+') }}"
  - when: {contains: b}
    set: {all: "{{ (vars.all | default([])) + [count.rule] }}"}
    say: "b{{ count.rule }} of {{ count.turn }}"
  - else:
      set: {all: "{{ (vars.all | default([])) + ['x'] }}"}
      say: "x{{ count.rule }}"
""")
    )
    assert [ask(desk, text) for text in ("b", "a", "b", "c")] == [
        "b1 of 1",
        "x1",
        "b2 of 3",
        'enough after 3: [1, "x", 2] b+a+b',
    ]


def test_made_up_data_comes_from_the_seed_the_session_and_the_turn() -> None:
    played = shop('start:\n  - else: {say: "{{ fake.name() }} {{ fake.uuid() }} {{ fake.integer(1, 6) }}"}')
    first, again, other = at_desk(played), at_desk(played), at_desk(played, seed=8)
    said = [ask(first, "x", session) for session in ("a", "b", "a")]
    assert len(set(said)) == 3
    assert [ask(again, "x", session) for session in ("b", "a", "a")] == [said[1], said[0], said[2]]
    assert ask(other, "x", "a") != said[0]


def test_the_same_seed_and_requests_are_the_same_bytes() -> None:
    played = shop('start:\n  - else: {say: "{{ fake.sentence() }} {{ now }} {{ session.id }}"}')
    runs = [
        [w for m in ("a", "b") for w in at_desk(played).chat("guide", m, agent="shop").plan.writes] for _ in range(2)
    ]
    assert runs[0] == runs[1]
