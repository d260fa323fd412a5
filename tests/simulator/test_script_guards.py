"""What is no failure of a script: a condition of a rule that does not fit anyway, a result of the same reply."""

from __future__ import annotations

from typing import Any

from chatproof.simulator.backend import Backend
from chatproof.simulator.script.model import Script
from chatproof.spec import FrozenClock, dialect

from .conftest import Desk
from .scripted import checked, shop, told, turns

GUARDED = """
start:
  - when: {contains: more, if: "vars.tries > 1"}
    say: Enough.
  - when: {contains: never, if: "1 / 0"}
    say: x
  - when: {exact: hi}
    say: Hello.
    set: {tries: 2}
"""
SEVERAL = """
start:
  - when: {contains: x}
    say: 3
    capture: [n]
    goto: nowhere
    faults: [crlff]
  - say: "{{ nope }}"
  - when: {regex: "(?P<n>"}
    capture: [n]
    say: "{{ capture.n }}"
"""


def desk_of(played: Script, **bent: Any) -> Desk:
    return Desk(Backend([dialect("guide")], 7, script=played, **bent), FrozenClock())


def test_a_condition_that_fails_is_guarded_by_the_others() -> None:
    desk = desk_of(shop(GUARDED))
    assert desk.text("guide", "hi", agent="shop") == "Hello."
    said = desk.chat("guide", "more", agent="shop", stream=False)
    assert said.status == 500
    assert "script error at s.yaml:6:38" in said.headers["x-chatproof-note"]


def test_a_guarded_condition_is_told_among_the_reasons() -> None:
    said = desk_of(shop(GUARDED)).chat("guide", "ho", agent="shop", stream=False)
    assert said.status == 500
    assert (
        "contains: 'more' is not in 'ho'; the template failed: there is no 'tries' yet (s.yaml:6:38)"
        in said.json["detail"]
    )


def test_a_rule_whose_answer_is_wrong_is_checked_all_the_same() -> None:
    assert told(checked(turns(SEVERAL))) == [
        "7:16 agents.shop.turns.start.0.say: expected text, got 3",
        "8:21 the rule's regex has no group 'n'",
        "9:17 no turn 'nowhere'; there are start",
        "10:20 no fault 'crlff' (did you mean 'crlf'?)",
        "11:11 expected one of 'when' and 'else' in a rule",
        "11:20 undefined name 'nope'; known: request, session, vars, count, fake, tools, capture, now",
        "12:25 is not a regular expression: missing ), unterminated subpattern at character 1",
    ]


TOOLS = """
start:
  - else:
      reply:
        - call: look
          result: {amount: 12}
        - say: "There are {{ tools.look.amount }}."
        - call: book
        - result_of: book
          result: "{{ tools.look.amount + 1 }}"
        - "Booked {{ tools.book }}."
"""


def test_a_step_speaks_of_what_the_steps_before_it_answered() -> None:
    desk = desk_of(shop(TOOLS))
    for _ in range(2):
        assert desk.text("guide", "hi", agent="shop", session="s") == "There are 12.Booked 13."
