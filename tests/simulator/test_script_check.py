"""Checking a script: every mistake at once, each at its place, and nothing said about what is right."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import jsonschema
import pytest
import yaml

from chatproof.simulator.script.example import EXAMPLE
from chatproof.simulator.script.reading import check, load, schema
from chatproof.spec import BadFile
from chatproof.spec.model import REFUSALS

from .scripted import checked, script, told, turns

MANY = """\
script: 1
keys:
  key-demo: {plan: Smal, balence: 3, agent: shp}
plans:
  Small: {concurrent: 0}
agents:
  shop:
    ids: {gide: x}
    start: begin
    turns:
      start:
        - when: {contains: order}
          say: "Which one, {{ request.mesage }}?"
          goto: numbr
        - when: {regex: "(?P<n>[0-9]+"}
          say: 3
      number:
        - when: {regex: "(?P<n>[0-9]+)"}
          capture: [m]
          reply:
            - "\u5317\u4eac {{ capture.m }}"
            - {call: lookup, args: {id: "{{ vars.order }}"}}
            - {text: "{% macro a() %}{% endmacro %}", takes: 3s}
        - else: {refuse: rate_limitd}
"""
MISTAKES = [
    "3:20 no plan 'Smal' (did you mean 'Small'?)",
    "3:26 unknown key 'balence' (did you mean 'balance'?)",
    "3:45 no agent 'shp' (did you mean 'shop'?)",
    "5:23 plans.Small.concurrent: 0 is less than the minimum of 1",
    "8:11 no dialect 'gide' (did you mean 'guide'?)",
    "9:12 no turn 'begin'; there are start, number",
    "13:39 request has no 'mesage' (did you mean 'message'?)",
    "14:17 no turn 'numbr' (did you mean 'number'?)",
    "15:25 is not a regular expression: missing ), unterminated subpattern at character 1",
    "16:16 agents.shop.turns.start.1.say: expected text, got 3",
    "19:21 the rule's regex has no group 'm'; it has n",
    "21:30 capture has no 'm'; it has n",
    "22:15 warning: calls of tools are not told in guide, rest and slug",
    "22:50 vars has no 'order'; it has m",
    "23:26 'macro' is not available in scripts",
    "23:55 'takes' belongs to a 'call'",
]


def test_every_mistake_is_told_at_once_and_at_its_place() -> None:
    found = told(checked(MANY))
    assert found[:-1] == MISTAKES
    assert found[-1].startswith("24:26 agents.shop.turns.number.1.else.refuse: expected one of unauthorized")
    assert found[-1].endswith("(did you mean 'rate_limited'?)")


def test_the_caret_stands_under_the_mistake() -> None:
    lines = checked(turns('start:\n  - else: {say: "\u5317\u4eac {{ nam }}"}')).lines()
    assert lines[0].startswith("s.yaml:6:30: undefined name 'nam'; known: request, session, vars")
    assert lines[1] == '     6 |         - else: {say: "\u5317\u4eac {{ nam }}"}'
    assert lines[2] == f"       | {' ' * 31}^"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "1:1 is empty"),
        ("script: [", "2:1 is not YAML: did not find expected node content"),
        ("agents: {a: {turns: {s: [{else: {say: x}}]}}}", "1:1 the file: missing key 'script'"),
        ("script: 2\nagents: {a: {turns: {s: [{else: {say: x}}]}}}", "1:9 script: expected 1, got 2"),
        ("script: 1\nagents: {}", "2:9 agents: {} should be non-empty"),
        ("script: 1\nagents: 7", "2:9 agents: expected a mapping, got 7"),
        ("script: 1\nagents: &a {a: *a}", "1:1 is nested too deeply, or refers to itself"),
        ("script: 1\nagents: \x07", "2:9 is not YAML: control characters are not allowed"),
        ("- 1", "1:1 the file: expected a mapping, got a list"),
        ("script: 1\nscript: 1\nagents: {a: {turns: {s: [{else: {say: x}}]}}}", "2:1 duplicate key 'script', first given on line 1"),
        ("script: 1\nagents: {1: {turns: {s: [{else: {say: x}}]}}}", "2:10 a key of agents: expected text, got 1"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_script_at_all(text: str, says: str) -> None:
    assert told(checked(text)) == [says]


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("- say: x", "expected one of 'when' and 'else' in a rule"),
        ("- {when: {exact: x}, else: {say: y}}", "expected one of 'when' and 'else' in a rule, not both"),
        ("- {else: {say: y}, goto: start}", "'goto' stands beside 'else'; put it under it"),
        ("- when: {case: true}\n    say: x", "'case' alone asks for nothing; use else for a rule that always fits"),
        ("- else: {goto: start}", "expected one of say, chunks, reply, refuse, got none"),
        ("- else: {say: x, chunks: [y]}", "expected one of say, chunks, reply, refuse, got say and chunks"),
        ("- else: {reply: [{pause: 1s, text: x}]}", "expected one of say, text, call, result_of, fail, pause, got text and pause; use 'after' for the pause before a step"),
        ("- else: {reply: [{call: x, takes: 1s}]}", "'takes' is the wait for a 'result', and there is none"),
        ("- else: {reply: [{result_of: x}]}", "'result_of' needs a 'result'"),
        ("- else: {reply: [{result_of: x, result: 1, takes: 1s}]}", "'takes' belongs to a 'call'"),
        ("- else: {for: {}, say: x}", "agents.shop.turns.start.0.else.for: {} should be non-empty"),
        ("- else: {for: {sesion: a}, say: x}", "unknown key 'sesion' (did you mean 'session'?)"),
        ("- else: {reply: [{pause: 1 s}]}", "agents.shop.turns.start.0.else.reply.0.pause: expected a duration such as 400ms, 2s or 1m, got '1 s'"),
        ("- else: {say: '{{ request.message '}", "is not a template: unexpected end of template, expected 'end of print statement'."),
        ("- else: {say: '{{ now | uper }}'}", "no filter 'uper' (did you mean 'upper'?)"),
        ("- else: {say: '{{ now is strng }}'}", "no test 'strng' (did you mean 'string'?)"),
        ("- else: {say: '{% include \"x\" %}'}", "'include' is not available in scripts"),
        ("- else: {say: '{{ fake.nam() }}'}", "fake has no 'nam' (did you mean 'name'?)"),
        ("- else: {say: '{{ session[\"idd\"] }}'}", "session has no 'idd' (did you mean 'id'?)"),
        ("- when: {if: 'count.trun > 1'}\n    say: x", "count has no 'trun' (did you mean 'turn'?)"),
        ("- when: {if: 'a b'}\n    say: x", "is not a template: expected token 'end of print statement', got 'b'"),
        ("- when: {}\n    say: x", "agents.shop.turns.start.0.when: {} should be non-empty"),
        ("- when: {exakt: x}\n    say: x", "unknown key 'exakt' (did you mean 'exact'?)"),
        ("- else: {refuse: path_not_found}", "agents.shop.turns.start.0.else.refuse: expected one of unauthorized"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_rule(rule: str, says: str) -> None:
    found = checked(turns(f"start:\n  {rule}"))
    assert found.script is None
    assert len(found.errors) == 1, told(found)
    assert found.errors[0].message.startswith(says)


@pytest.mark.parametrize(
    ("first", "second", "covered"),
    [
        ("contains: order", "exact: my order", True),
        ("contains: order", "contains: orders", True),
        ("contains: order", "contains: ord", False),
        ("contains: [a, b]", "contains: [xa, xb]", True),
        ("contains: [a, b]", "contains: [xa, c]", False),
        ("exact: a", "exact: A", True),
        ("{exact: a, case: true}", "exact: a", False),
        ("exact: a", "contains: a", False),
        ("regex: '^a'", "exact: abc", True),
        ("regex: '^a'", "exact: bca", False),
        ("regex: '^a'", "regex: '^a'", True),
        ("metadata: {a: 1}", "{metadata: {a: 1, b: 2}, contains: x}", True),
        ("metadata: {a: 1}", "metadata: {a: 2}", False),
        ("first_turn: true", "{first_turn: true, exact: a}", True),
        ("first_turn: true", "exact: a", False),
        ("tool_result: look", "tool_result: {name: look, result: {a: 1}}", True),
        ("tool_result: {name: look, result: 1}", "tool_result: look", False),
        ("vars: {a: 1}", "{vars: {a: 1, b: 1}}", True),
        ("if: 'count.turn > 1'", "{if: 'count.turn > 1', exact: x}", True),
        ("if: 'count.turn > 1'", "if: 'count.turn > 2'", False),
        ("{contains: a, first_turn: true}", "contains: a", False),
    ],
)
def test_a_rule_that_is_never_reached(first: str, second: str, covered: bool) -> None:
    when = [one if one.startswith("{") else f"{{{one}}}" for one in (first, second)]
    found = checked(turns(f"start:\n  - when: {when[0]}\n    say: a\n  - when: {when[1]}\n    say: b"))
    expected = "this rule is never reached: rule 1 of turn 'start' fits whenever this one does"
    assert [p.message for p in found.warnings] == ([expected] if covered else [])
    assert not covered or (found.warnings[0].line, found.warnings[0].column) == (8, 11)


@pytest.mark.parametrize(
    ("text", "warnings"),
    [
        ("start:\n  - else: {say: a}\n  - when: {exact: x}\n    say: b", ["7:11 warning: this rule is never reached: rule 1 of turn 'start' always fits"]),
        ("start:\n  - else: {say: a}\nlost:\n  - else: {say: a, goto: start}", ["7:7 warning: nobody goes to turn 'lost'"]),
        ("start:\n  - else: {say: a, goto: b}\nb:\n  - when: {first_turn: true}\n    say: a", ["8:11 warning: this rule is never reached: a session's first turn is 'start'"]),
        ("start:\n  - else: {reply: [a, {fail: b}, c]}", [
            "6:29 warning: an answer cannot break off: 500 instead, in guide, rest and slug", "6:40 warning: nothing is said after 'fail'"]),
        ("start:\n  - else: {refuse: insufficient_balance}", ["6:26 warning: 'insufficient_balance' is not documented in guide, rest and slug"]),
        ("start:\n  - else: {say: a, usage: {input: 1, output: 2, total: 4}}", ["6:62 warning: total is not input and output together, 3"]),
        ("start:\n  - when: {regex: '(a+)+b'}\n    say: a", ["6:25 warning: a repeated group repeats something: some messages will take this expression too long, and are answered 500"]),
    ],
)  # fmt: skip
def test_what_works_but_is_not_meant(text: str, warnings: list[str]) -> None:
    found = checked(turns(text))
    assert found.script is not None
    assert told(found) == warnings


def test_an_id_belongs_to_one_agent() -> None:
    text = "script: 1\nagents:\n  a: {ids: {guide: x}, turns: {s: [{else: {say: x}}]}}\n  b: {ids: {guide: [y, x]}, turns: {s: [{else: {say: x}}]}}\n"
    assert told(checked(text)) == ["4:13 id 'x' is taken by agent 'a' in guide"]
    assert told(checked(text.replace("guide: [y, x]", "slug: x"))) == []


def test_an_id_without_its_prefix_and_a_dialect_without_its_agent() -> None:
    text = "script: 1\nagents:\n  a: {ids: {reference: x}, dialects: [guide], turns: {s: [{else: {say: x}}]}}\n"
    assert told(checked(text)) == [
        "3:13 warning: the agent does not live in reference, see its 'dialects'",
        "3:24 warning: an agent id of reference begins with 'ag_': at the shared root nobody finds it",
    ]


def test_a_tool_is_no_trouble_where_it_can_be_told() -> None:
    text = "script: 1\nagents:\n  a: {dialects: [reference], turns: {s: [{else: {reply: [{call: x}, {fail: y}]}}]}}\n"
    assert told(checked(text)) == []


def test_the_example_has_no_mistakes_and_no_warnings() -> None:
    found = check(EXAMPLE)
    assert (found.errors, found.warnings) == ((), ())
    assert found.summary.endswith(": no mistakes (2 agents, 3 turns, 9 rules)")


def test_the_schema_is_one_and_knows_the_refusals() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    names = set(schema()["$defs"]["refusal"]["enum"])
    assert set(REFUSALS) - names == {"path_not_found", "method_not_allowed"}
    assert names < set(REFUSALS)


def test_every_key_of_the_schema_is_explained() -> None:
    """Editors show the description; a key without one helps nobody."""
    bare = []

    def walk(node: object, path: str) -> None:
        if isinstance(node, dict):
            for name, inner in node.get("properties", {}).items():
                if (
                    isinstance(inner, dict)
                    and "description" not in inner
                    and "default" not in inner
                    and "$ref" not in inner
                ):
                    bare.append(f"{path}/{name}")
            for name, inner in node.items():
                walk(inner, f"{path}/{name}")

    walk(schema(), "")
    assert [
        path for path in bare if path.rpartition("/")[2] not in ("args", "agents", "name", "input", "output", "total")
    ] == []


def test_loading_a_bad_file_names_every_mistake(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(MANY, "utf-8")
    with pytest.raises(BadFile) as caught:
        load(path)
    assert str(caught.value).count(f"{path}:") == len(MISTAKES)
    with pytest.raises(BadFile, match="cannot be read"):
        load(tmp_path / "none.yaml")
    path.write_bytes(b"script: \xff")
    with pytest.raises(BadFile, match="not UTF-8"):
        load(path)


def test_aliases_of_aliases_do_not_keep_the_reader_busy() -> None:
    rows = "".join(f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 10)}]\n" for at in range(1, 8))
    found = told(checked(f"script: 1\na0: &a0 [{', '.join('x' * 10)}]\n{rows}"))
    assert len(found) == 1
    assert found[0].endswith("more than 200000 values, those of aliases included")


JUNK: list[Any] = [
    None, True, 0, -1, 3.5, float("nan"), float("inf"), "", "x", "{{ x", "{{ vars.asked }}", "(", [], [1], {}, {"a": 1}, {1: 2},
    {None: 3}, ["{{ 1 }}"], "else", {"when": {}}, {"say": "a"}, 10**400,
]  # fmt: skip
NAMES = ["say", "goto", "when", "else", "x", 1, None, "regex", "turns", "refuse", True]


def spots(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    members = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in members:
        yield from spots(value, (*path, key))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_no_file_crashes_the_reader(seed: int) -> None:
    """The example with a few of its values replaced, taken away or added: a script, or a list of mistakes."""
    chance = Random(seed)
    refused = 0
    for _ in range(25):
        data = yaml.safe_load(EXAMPLE.read_text("utf-8"))
        for _ in range(chance.randint(1, 3)):
            *way, last = chance.choice([spot for spot in spots(data) if spot])
            at = data
            for part in way:
                at = at[part]
            if chance.random() < 0.6:
                at[last] = copy.deepcopy(chance.choice(JUNK))
            elif isinstance(at, dict) and chance.random() < 0.5:
                at[chance.choice(NAMES)] = copy.deepcopy(chance.choice(JUNK))
            else:
                del at[last]
        found = checked(yaml.safe_dump(data, allow_unicode=True))
        assert (found.script is None) == bool(found.errors)
        refused += bool(found.lines()) and found.script is None
    assert refused > 5


def test_the_size_in_words() -> None:
    assert script(turns("start:\n  - else: {say: a}")).size == "1 agent, 1 turn, 1 rule"
